//! What a drawn fault does to a request and its answer.

use std::sync::PoisonError;
use std::time::Duration;

use bytes::Bytes;
use http::header::CONTENT_LENGTH;
use http::{HeaderValue, StatusCode};
use jiff::SignedDuration;
use serde_json::Value;

use super::action::{Action, When};
use super::hidden::{self, Hidden};
use super::{Active, Faults, State};
use crate::sandbox::operation::{Deed, Operation, Script};
use crate::sandbox::service::{Delivery, RawAnswer, RawRequest, Service};

/// What befalls one request.
#[derive(Debug, Default)]
struct Drawn {
    /// One at most: the first rule that fires.
    outcome: Option<(Action, When)>,
    delay: Duration,
    spread: Duration,
    skew: i64,
    /// Rules that hide the job that this create makes.
    hides: Vec<usize>,
    /// Rules by which this read is behind.
    behind: Vec<usize>,
}

impl Faults {
    /// The service's answer to a request, or what the rules make of it.
    pub fn answer(&self, service: &dyn Service, request: &RawRequest) -> RawAnswer {
        let operation = service.operation(request);
        let drawn = self.lock().draw(service.backend(), operation, request);
        let mut answer = match drawn.outcome {
            Some((action, when)) => self.befall(service, request, &drawn, action, when),
            None => self.serve(service, request, &drawn),
        };
        answer.delivery.delay += drawn.delay;
        answer.delivery.spread += drawn.spread;
        answer
    }

    fn befall(
        &self,
        service: &dyn Service,
        request: &RawRequest,
        drawn: &Drawn,
        action: Action,
        when: When,
    ) -> RawAnswer {
        log::info!(
            "{}: {} {}: fault {action:?} {when:?}",
            service.backend(),
            request.method,
            request.path()
        );
        let script = |script| service.scripted(request, script);
        match action {
            Action::Throttle { retry_after } => script(Script::Throttled { retry_after }),
            Action::SoldOut => script(Script::SoldOut),
            Action::Partial { nodes } => script(Script::Partly { nodes }),
            Action::Reset
            | Action::Timeout(_)
            | Action::Status { .. }
            | Action::Truncated
            | Action::Torn
            | Action::Html
            | Action::Empty
            | Action::Slow(_)
            | Action::Delay(_)
            | Action::Skew(_)
            | Action::Lag(_) => {
                let own = match when {
                    When::Before => None,
                    When::After => Some(self.serve(service, request, drawn)),
                };
                Some(instead(service, request, action, own))
            }
        }
        // The contract gives this service no such answer.
        .unwrap_or_else(|| self.serve(service, request, drawn))
    }

    /// Lets the service answer, seeing the clock and showing the jobs that the rules want.
    fn serve(&self, service: &dyn Service, request: &RawRequest, drawn: &Drawn) -> RawAnswer {
        let answer = if drawn.skew == 0 {
            let _steady = self.steady.read().unwrap_or_else(PoisonError::into_inner);
            service.answer(request)
        } else {
            let _alone = self.steady.write().unwrap_or_else(PoisonError::into_inner);
            let usual = self.clock.skew();
            let skewed = usual.saturating_add(SignedDuration::from_secs(drawn.skew));
            if let Err(error) = self.clock.set_skew(skewed) {
                log::warn!("a fault rule's skew is left out: {error}");
            }
            let answer = service.answer(request);
            if let Err(error) = self.clock.set_skew(usual) {
                log::warn!("the clock stays skewed: {error}");
            }
            answer
        };
        if !drawn.hides.is_empty() {
            self.hide(service, &drawn.hides, &service.created(request, &answer));
        }
        if drawn.behind.is_empty() {
            return answer;
        }
        self.behind(service, request, &drawn.behind, answer)
    }

    fn hide(&self, service: &dyn Service, rules: &[usize], ids: &[String]) {
        if ids.is_empty() {
            return;
        }
        let since = self.clock.elapsed();
        let mut state = self.lock();
        for index in rules {
            let Some(active) = state.rules.get_mut(*index) else {
                continue;
            };
            if let Action::Lag(left) = active.rule.action {
                active.fired += 1;
                state.hidden.push(Hidden {
                    backend: service.backend(),
                    rule: *index,
                    ids: ids.to_vec(),
                    since,
                    left,
                });
            }
        }
    }

    /// An answer without the jobs that are not shown yet.
    fn behind(
        &self,
        service: &dyn Service,
        request: &RawRequest,
        rules: &[usize],
        mut answer: RawAnswer,
    ) -> RawAnswer {
        let now = self.clock.elapsed();
        let mut state = self.lock();
        state.hidden.retain(|hidden| !hidden.is_over(now));
        let mut asked_for_hidden = false;
        let mut body: Option<Value> = serde_json::from_slice(&answer.body).ok();
        let mut stripped = false;
        for hidden in &mut state.hidden {
            if hidden.backend != service.backend() || !rules.contains(&hidden.rule) {
                continue;
            }
            let asked = hidden.ids.iter().any(|id| names(request, id));
            let shown = body
                .as_mut()
                .is_some_and(|body| hidden::strip(body, &hidden.ids));
            if asked || shown {
                hidden.count_read();
            }
            asked_for_hidden |= asked;
            stripped |= shown;
        }
        drop(state);
        if asked_for_hidden && let Some(missing) = service.scripted(request, Script::NotFound) {
            return missing;
        }
        if stripped && let Some(body) = body {
            answer.body = body.to_string().into();
        }
        answer
    }
}

impl State {
    /// Every rule that matches draws, so that none depends on the luck of another; the first outcome counts.
    fn draw(&mut self, backend: &'static str, operation: Operation, request: &RawRequest) -> Drawn {
        let mut drawn = Drawn::default();
        for (index, active) in self.rules.iter_mut().enumerate() {
            if matches!(active.rule.action, Action::Lag(_)) {
                draw_lag(index, active, backend, operation, request, &mut drawn);
                continue;
            }
            if !active.rule.matches(backend, operation, request) || !active.draws() {
                continue;
            }
            match active.rule.action {
                Action::Delay(wait) => drawn.delay += wait,
                Action::Slow(wait) => drawn.spread += wait,
                Action::Skew(seconds) => drawn.skew = drawn.skew.saturating_add(seconds),
                action @ (Action::Reset
                | Action::Timeout(_)
                | Action::Throttle { .. }
                | Action::Status { .. }
                | Action::Truncated
                | Action::Torn
                | Action::Html
                | Action::Empty
                | Action::Lag(_)
                | Action::Partial { .. }
                | Action::SoldOut) => {
                    if drawn.outcome.is_some() {
                        continue;
                    }
                    drawn.outcome = Some((action, active.rule.when));
                }
            }
            active.fired += 1;
        }
        drawn
    }
}

/// A lag is drawn at the create, and the rule's operation says which reads are behind.
fn draw_lag(
    index: usize,
    active: &mut Active,
    backend: &str,
    operation: Operation,
    request: &RawRequest,
    drawn: &mut Drawn,
) {
    if operation.deed == Deed::Create {
        if active.rule.provider_matches(backend) && active.draws() {
            drawn.hides.push(index);
        }
    } else if operation.deed.shows_jobs() && active.rule.matches(backend, operation, request) {
        drawn.behind.push(index);
    }
}

impl Active {
    /// Counts a request that the rule matches, and whether it befalls it.
    fn draws(&mut self) -> bool {
        self.seen += 1;
        let drawn = self.random.f64();
        self.rule.befalls(self.seen, self.fired, drawn)
    }
}

/// What is answered instead of the service's own answer, which there is after the effect only.
fn instead(
    service: &dyn Service,
    request: &RawRequest,
    action: Action,
    own: Option<RawAnswer>,
) -> RawAnswer {
    let silent = |delivery| RawAnswer::empty(StatusCode::OK).delivered(delivery);
    match action {
        Action::Reset => silent(Delivery {
            reset: true,
            ..Delivery::default()
        }),
        Action::Timeout(wait) => silent(Delivery {
            delay: wait,
            lost: true,
            ..Delivery::default()
        }),
        Action::Status { status, page } => {
            match service.scripted(request, Script::Failed(status)) {
                Some(answer) if !page => answer,
                Some(_) | None => gateway_page(status),
            }
        }
        Action::Html => RawAnswer::html(
            StatusCode::OK,
            "<!DOCTYPE html>\n<html><head><title>Sign in</title></head><body><h1>Sign in</h1></body></html>\n",
        ),
        Action::Empty => RawAnswer::empty(StatusCode::OK),
        Action::Truncated => {
            let mut answer = own.unwrap_or_else(|| RawAnswer::empty(StatusCode::OK));
            answer.body = half(&answer.body);
            if let Some(part) = &mut answer.file {
                part.length /= 2;
                answer
                    .headers
                    .insert(CONTENT_LENGTH, HeaderValue::from(part.length));
            }
            answer
        }
        Action::Torn => {
            let mut answer = own.unwrap_or_else(|| RawAnswer::empty(StatusCode::OK));
            answer.delivery.torn = true;
            answer
        }
        // Drawn apart from outcomes.
        Action::Throttle { .. }
        | Action::SoldOut
        | Action::Partial { .. }
        | Action::Slow(_)
        | Action::Delay(_)
        | Action::Skew(_)
        | Action::Lag(_) => own.unwrap_or_else(|| RawAnswer::empty(StatusCode::OK)),
    }
}

/// The page of a gateway in front of the service.
fn gateway_page(status: StatusCode) -> RawAnswer {
    let title = format!(
        "{} {}",
        status.as_u16(),
        status.canonical_reason().unwrap_or("Error")
    );
    RawAnswer::html(
        status,
        format!(
            "<html>\r\n<head><title>{title}</title></head>\r\n<body>\r\n<center><h1>{title}</h1></center>\r\n\
             <hr><center>nginx</center>\r\n</body>\r\n</html>\r\n"
        ),
    )
}

fn half(body: &Bytes) -> Bytes {
    body.slice(..body.len() / 2)
}

/// Whether the target has the id as a word of its own: a segment, a value.
fn names(request: &RawRequest, id: &str) -> bool {
    request
        .target
        .split(['/', '?', '&', '=', ',', ':'])
        .any(|word| word == id)
}
