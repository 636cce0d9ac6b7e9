//! Gongji's Open API (共绩算力), emulated as far as jobs need it (gongji.md §11).
//!
//! Every request goes through the steps of §11: token, timestamp, version and signature over its raw bytes, then
//! routing, then strict decoding, existence and rules. Failures are envelopes inside HTTP 200 unless a switch says
//! otherwise; what the contract leaves open is a switch with both ways.
//!
//! Not imitated: encrypted operations and what only they do (job queues, creating object storage), Deployment, SFTP and
//! S3 transfers of NAS volumes, storage bills, probes, ports, registries, and read-only mounts. Delays and resets of
//! connections belong to the port.

mod admission;
mod billing;
mod catalogue;
mod credentials;
mod decode;
mod fault;
mod job;
mod launching;
mod nas;
mod operations;
mod query;
mod reply;
mod routes;
mod show;
mod storage;
mod switches;
#[cfg(test)]
mod tests;
mod times;
mod told;
mod walk;
mod wire;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use http::StatusCode;
use serde_json::{Value, json};

use self::catalogue::Catalogue;
pub use self::credentials::Credentials;
use self::fault::When;
use self::job::{Moment, Phase};
use self::launching::SERVICE;
use self::operations::{Call, State};
use self::query::Query;
use self::reply::{Data, Refusal};
use self::routes::{NoRoute, Route};
use crate::sandbox::auth::gongji::{self as auth, ApiKey, Mode};
use crate::sandbox::clock::Clock;
use crate::sandbox::operation::{Held, Operation, Script};
use crate::sandbox::process::Launcher;
use crate::sandbox::service::Setup;
use crate::sandbox::service::{RawAnswer, RawRequest, Service};
use crate::sandbox::trouble::Trouble;

/// The emulated service.
#[derive(Debug)]
pub struct Gongji {
    clock: Clock,
    launcher: Launcher,
    seed: u64,
    catalogue: Catalogue,
    credentials: Credentials,
    keys: Vec<ApiKey>,
    state: Mutex<State>,
}

impl Gongji {
    /// A service without jobs. The seed fixes its ids; tokens are fresh for every run.
    pub fn new(setup: Setup) -> Arc<Self> {
        let credentials = Credentials::make(setup.clock.now());
        let keys = credentials.keys().unwrap_or_else(|error| {
            log::error!("{SERVICE}: the built-in key cannot be read: {error}");
            Vec::new()
        });
        let now = moment(&setup.clock);
        Arc::new(Self {
            clock: setup.clock,
            launcher: setup.launcher,
            seed: setup.seed,
            catalogue: Catalogue::load(),
            credentials,
            keys,
            state: Mutex::new(State::new(setup.seed, now)),
        })
    }

    /// Tokens of this run, and the public test key.
    pub fn credentials(&self) -> &Credentials {
        &self.credentials
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Steps 1 to 5 of §11, the route, then the operation.
    fn respond(&self, state: &mut State, request: &RawRequest) -> RawAnswer {
        let statuses = state.switches.http_status;
        let now = moment(&self.clock);
        let tolerance = state.switches.tolerance();
        let key = match auth::verify(request, now.time, &self.keys, tolerance) {
            Ok(key) => key,
            Err(fault) => {
                // The log, and only the log, tells which part was wrong (style.md §12).
                log::info!(
                    "{SERVICE}: {} {} refused: {} ({})",
                    request.method,
                    request.path(),
                    fault.code(),
                    fault.reason()
                );
                *state.requests.entry("refused").or_default() += 1;
                return reply::render(Err(fault.into()), statuses);
            }
        };
        if request.path().contains("/encrypt/") {
            return match key.mode {
                Mode::Simple => reply::render(Err(Refusal::decryption()), statuses),
                Mode::Rsa(_) => RawAnswer::text(
                    StatusCode::NOT_IMPLEMENTED,
                    "this sandbox does not decrypt bodies\n",
                ),
            };
        }
        let route = match routes::find(&request.method, request.path()) {
            Ok(route) => route,
            Err(why) => return no_route(why),
        };
        *state.requests.entry(route.name()).or_default() += 1;
        let fault = state
            .switches
            .fault
            .as_mut()
            .and_then(|fault| fault.matches(route.name()).then(|| fault.clone()));
        if let Some(fault) = fault.as_ref().filter(|fault| fault.when == When::Before) {
            return fault.answer(None);
        }
        let outcome = self.perform(state, request, route, &key.tenant, now);
        let answer = reply::render(outcome, statuses);
        match fault {
            Some(fault) => fault.answer(Some(answer)),
            None => answer,
        }
    }

    fn perform(
        &self,
        state: &mut State,
        request: &RawRequest,
        route: &Route,
        tenant: &str,
        now: Moment,
    ) -> Result<Data, Refusal> {
        let query = Query::parse(
            request.raw_query(),
            route.parameters,
            state.switches.lenient,
        )?;
        if route.has_body() {
            check_content_type(request)?;
        } else if !request.body.is_empty() {
            return Err(Refusal::parameter("this operation takes no body"));
        }
        state.perform(
            route.operation,
            &Call {
                catalogue: &self.catalogue,
                clock: &self.clock,
                tenant,
                now,
                query: &query,
                body: &request.body,
            },
        )
    }
}

fn moment(clock: &Clock) -> Moment {
    Moment {
        time: clock.now(),
        elapsed: clock.elapsed(),
    }
}

/// A path that is not served is answered by the framework and not by the service: no envelope.
fn no_route(why: NoRoute) -> RawAnswer {
    match why {
        NoRoute::Path => RawAnswer::text(StatusCode::NOT_FOUND, "404 Not Found\n"),
        NoRoute::Method => {
            RawAnswer::text(StatusCode::METHOD_NOT_ALLOWED, "405 Method Not Allowed\n")
        }
    }
}

fn check_content_type(request: &RawRequest) -> Result<(), Refusal> {
    let media = request
        .header("content-type")
        .and_then(|value| value.split(';').next())
        .map(str::trim);
    if media.is_some_and(|media| media.eq_ignore_ascii_case("application/json")) {
        Ok(())
    } else {
        Err(Refusal::parameter("Content-Type must be application/json"))
    }
}

impl Service for Gongji {
    fn backend(&self) -> &'static str {
        SERVICE
    }

    fn answer(&self, request: &RawRequest) -> RawAnswer {
        let answer = self.respond(&mut self.state(), request);
        reply::dated(answer, self.clock.now())
    }

    fn operation(&self, request: &RawRequest) -> Operation {
        told::operation(request)
    }

    fn operations(&self) -> Vec<Operation> {
        routes::all().map(told::of_route).collect()
    }

    fn scripted(&self, _request: &RawRequest, script: Script) -> Option<RawAnswer> {
        told::scripted(script, self.state().switches.http_status)
            .map(|answer| reply::dated(answer, self.clock.now()))
    }

    fn created(&self, _request: &RawRequest, answer: &RawAnswer) -> Vec<String> {
        told::created(answer)
    }

    fn held(&self) -> Vec<Held> {
        told::held(&self.state())
    }

    fn tick(&self) {
        self.state().advance(
            moment(&self.clock),
            &self.clock,
            &self.catalogue,
            &self.launcher,
        );
    }

    /// Beside the switches there is one deed: `{"preempt": TASK_ID}`.
    fn configure(&self, settings: &Value) -> Result<(), String> {
        let mut state = self.state();
        let mut settings = settings.clone();
        let preempted = settings
            .as_object_mut()
            .and_then(|members| members.shift_remove("preempt"));
        let changed = state.switches.changed(&settings, &self.catalogue)?;
        if let Some(id) = preempted {
            state.preempt(&id, moment(&self.clock))?;
        }
        state.switches = changed;
        drop(state);
        self.tick();
        Ok(())
    }

    fn befall(&self, job: &str, trouble: Trouble) -> Result<(), String> {
        let mut state = self.state();
        let id = told::held(&state)
            .into_iter()
            .find(|held| held.is(job))
            .map_or_else(|| job.to_owned(), |held| held.id);
        state
            .befall(&id, trouble, moment(&self.clock), &self.launcher)
            .map_err(|why| trouble.cannot(job, why))?;
        drop(state);
        self.tick();
        Ok(())
    }

    fn reset(&self) {
        let mut state = self.state();
        for job in &state.jobs {
            self.launcher.forget(&job.launch_name());
        }
        if let Err(error) = self.launcher.remove_volumes(SERVICE) {
            log::warn!("{SERVICE}: files of volumes stay: {error}");
        }
        *state = State::new(self.seed, moment(&self.clock));
    }

    fn summary(&self) -> Value {
        let state = self.state();
        let mut jobs: BTreeMap<&str, u64> = BTreeMap::new();
        for job in &state.jobs {
            let word = match job.phase {
                Phase::Queued | Phase::Pending => "pending",
                Phase::Running => "running",
                Phase::Complete(_) => "succeeded",
                Phase::Failed(_) => "failed",
                Phase::Stopped { .. } => "cancelled",
            };
            *jobs.entry(word).or_default() += 1;
        }
        json!({
            "jobs": jobs,
            "volumes": state.nas.count(),
            "requests": state.requests,
            "switches": state.switches,
        })
    }
}
