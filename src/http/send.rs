//! The session: one provider's way to send requests, and the only place that retries.
//!
//! The loop signs anew for every attempt, asks the backend's dialect what an answer means, and the pure retry policy
//! what to do about it. A create whose fate is unclear comes back as [`Fate::Unclear`]; only the submit engine may
//! judge that (style.md rule 4).

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use http::StatusCode;
use jiff::SignedDuration;
use tokio::time::Instant;

use crate::ambient::{Clock, Entropy, Reporter};
use crate::error::{Error, Kind};
use crate::model::Timestamp;
use crate::sign::{SignContext, Signer};

use super::dialect::{self, Dialect, Repeat, Verdict};
use super::retry::{self, Decision, Outcome, Situation};
use super::stream::Streaming;
use super::{Answer, Signed, Template, credentials, trace};

mod transfer;

#[cfg(test)]
mod tests;

/// Carries one signed request over the wire.
#[async_trait]
pub trait Transport: fmt::Debug + Send + Sync {
    /// Sends, and reads the whole answer, within `limit`.
    async fn call(
        &self,
        request: &Signed,
        limit: Option<Duration>,
    ) -> Result<Answer, TransportError>;

    /// This transport as one that can stream, where it is.
    fn streaming(&self) -> Option<&dyn Streaming> {
        None
    }
}

/// How one attempt is carried: whole, or with a body that streams.
#[async_trait]
trait Carrier: Sync {
    /// Sends; `limit` is for the whole exchange, or for its standing still where a body streams.
    async fn carry(&self, signed: &Signed, limit: Duration) -> Result<Answer, TransportError>;
}

/// Request and answer whole.
struct Whole<'a>(&'a dyn Transport);

#[async_trait]
impl Carrier for Whole<'_> {
    async fn carry(&self, signed: &Signed, limit: Duration) -> Result<Answer, TransportError> {
        self.0.call(signed, Some(limit)).await
    }
}

/// Why no answer came.
#[derive(Debug, Clone)]
pub struct TransportError {
    /// Whether a byte of the request may have left.
    pub sent: bool,
    /// The error to show; its kind is `temporary`, `config` (certificate) or `protocol` (body too large).
    pub error: Error,
}

/// What became of a request that did not succeed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// Nothing left this machine.
    Unsent,
    /// The service refused it; nothing happened there.
    Refused,
    /// It was sent and nobody can tell.
    Unclear,
}

/// A request that did not succeed. Its `Debug` form leaves the answer out, which may repeat a credential.
#[derive(Clone)]
pub struct Failure {
    pub fate: Fate,
    pub error: Error,
    /// The last answer, if there was one.
    pub answer: Option<Box<Answer>>,
    /// How many times it was sent; a `404` on a later attempt at a delete means "already gone".
    pub attempts: u32,
}

impl fmt::Debug for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Failure")
            .field("fate", &self.fate)
            .field("error", &self.error)
            .field("attempts", &self.attempts)
            .finish_non_exhaustive()
    }
}

impl From<Failure> for Error {
    fn from(failure: Failure) -> Self {
        failure.error
    }
}

/// How patient a session is.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// Repeats of safe requests (`--retries`; 4).
    pub retries: u32,
    /// The end of the whole command (`--timeout`), which shortens every limit and every pause.
    pub deadline: Option<Instant>,
    /// From sending to the end of the answer.
    pub read_limit: Duration,
}

/// One provider's connection: transport, signer, dialect and what they need.
#[derive(Debug, Clone)]
pub struct Session {
    pub provider: String,
    pub transport: Arc<dyn Transport>,
    pub signer: Arc<dyn Signer>,
    pub dialect: Arc<dyn Dialect>,
    pub clock: Arc<dyn Clock>,
    pub entropy: Arc<dyn Entropy>,
    pub reporter: Arc<dyn Reporter>,
    pub patience: Patience,
}

/// What one call of [`Session::send`] has been through so far.
#[derive(Debug)]
struct Run {
    /// Attempts begun.
    attempts: u32,
    /// Attempts of which a byte may have left.
    sent: u32,
    /// Attempts after the first, a corrected clock not counted.
    repeats: u32,
    /// Answers with status 500.
    internal_errors: u32,
    /// The service's clock minus ours, once a request was refused for its time.
    correction: Option<SignedDuration>,
    /// The fate of the last attempt.
    fate: Fate,
}

/// An attempt that did not succeed.
#[derive(Debug)]
struct Failed {
    outcome: Outcome,
    fate: Fate,
    error: Error,
    answer: Option<Box<Answer>>,
}

impl Session {
    /// Sends a request until it succeeds, is refused, or may not be repeated.
    pub async fn send(&self, template: &Template) -> Result<Answer, Failure> {
        self.carry(template, &Whole(&*self.transport)).await
    }

    async fn carry(&self, template: &Template, carrier: &dyn Carrier) -> Result<Answer, Failure> {
        let mut run = Run {
            attempts: 0,
            sent: 0,
            repeats: 0,
            internal_errors: 0,
            correction: None,
            fate: Fate::Unsent,
        };
        loop {
            let limit = match self.remaining() {
                Some(Duration::ZERO) => {
                    let error = self.out_of_time(template);
                    return Err(self.failure(&run, run.fate, error));
                }
                remaining => remaining.map_or(self.patience.read_limit, |left| {
                    left.min(self.patience.read_limit)
                }),
            };
            run.attempts += 1;
            let signed = self
                .sign(template, &run, limit)
                .await
                .map_err(|error| self.failure(&run, run.fate, error))?;
            let failed = match self.attempt(&signed, limit, carrier, &mut run).await {
                Ok(answer) => return Ok(answer),
                Err(failed) => failed,
            };
            run.fate = failed.fate;
            let Decision::After(pause) = self.decide(template, &run, failed.outcome) else {
                let error = self.last_words(&run, failed.outcome, failed.error);
                return Err(Failure {
                    answer: failed.answer,
                    ..self.failure(&run, failed.fate, error)
                });
            };
            self.announce(template, &mut run, &failed, pause);
            tokio::time::sleep(pause).await;
        }
    }

    /// Signs anew, with the time and a nonce of this attempt.
    async fn sign(&self, template: &Template, run: &Run, limit: Duration) -> Result<Signed, Error> {
        tokio::time::timeout(limit, self.signer.prepare(self.clock.now()))
            .await
            .map_err(|_elapsed| self.out_of_time(template))??;
        let now = self.clock.now();
        let context = SignContext {
            now: run
                .correction
                .and_then(|correction| now.checked_add(correction).ok())
                .unwrap_or(now),
            nonce: self.entropy.nonce(),
        };
        let signed = self.signer.sign(template, &context)?;
        if let Some(canonical) = self.signer.canonical(template, &context) {
            self.reporter.detail(
                3,
                &format!("signed text of `{}`:\n{canonical}", template.operation),
            );
        }
        Ok(signed)
    }

    /// Sends once and asks the dialect what the answer means.
    async fn attempt(
        &self,
        signed: &Signed,
        limit: Duration,
        carrier: &dyn Carrier,
        run: &mut Run,
    ) -> Result<Answer, Failed> {
        let template = signed.template();
        if self.reporter.is_tracing() {
            self.reporter.trace(&trace::request(signed, run.attempts));
        }
        let started = Instant::now();
        let result = carrier.carry(signed, limit).await;
        let took = started.elapsed();
        let answer = match result {
            Ok(answer) => answer,
            Err(lost) => {
                if self.reporter.is_tracing() {
                    self.reporter
                        .trace(&trace::failure(lost.error.message(), took));
                }
                run.sent += u32::from(lost.sent);
                return Err(self.without_answer(template, lost));
            }
        };
        run.sent += 1;
        if self.reporter.is_tracing() {
            self.reporter.trace(&trace::answer(signed, &answer, took));
        }
        self.reporter.detail(
            2,
            &format!(
                "`{}` answered `{}` with {} after {} ms",
                self.provider,
                template.operation,
                answer.status,
                took.as_millis()
            ),
        );
        let mut verdict = self.dialect.judge(template.operation, &answer);
        // A service that says back what it was sent is quoted without that.
        if matches!(verdict, Verdict::Failure { .. })
            && let Some(clean) = credentials::left_out(&answer, signed)
        {
            verdict = self.dialect.judge(template.operation, &clean);
        }
        match verdict {
            Verdict::Success => Ok(answer),
            Verdict::Failure { error, repeat } => {
                run.internal_errors +=
                    u32::from(answer.status == StatusCode::INTERNAL_SERVER_ERROR);
                let wish = retry::wish(&answer, self.clock.now());
                let error = error.with_retry_after(wish);
                Err(Failed {
                    outcome: Outcome::Answered {
                        status: answer.status,
                        repeat,
                        wish,
                    },
                    fate: fate_of(answer.status, error.kind(), repeat),
                    error,
                    answer: Some(Box::new(answer)),
                })
            }
        }
    }

    /// What the lack of an answer means: the end of `--timeout`, a fault that may pass, or one that stays.
    fn without_answer(&self, template: &Template, lost: TransportError) -> Failed {
        let fate = if lost.sent {
            Fate::Unclear
        } else {
            Fate::Unsent
        };
        if lost.error.kind() != Kind::Temporary {
            return Failed {
                outcome: Outcome::Lasting,
                fate,
                error: lost.error,
                answer: None,
            };
        }
        if self.remaining() == Some(Duration::ZERO) {
            return Failed {
                outcome: Outcome::Lasting,
                fate,
                error: self.out_of_time(template).with_cause(lost.error),
                answer: None,
            };
        }
        Failed {
            outcome: if lost.sent {
                Outcome::Lost
            } else {
                Outcome::Unsent
            },
            fate,
            error: lost.error,
            answer: None,
        }
    }

    fn decide(&self, template: &Template, run: &Run, outcome: Outcome) -> Decision {
        retry::decide(&Situation {
            outcome,
            safety: template.safety,
            repeats: run.repeats,
            allowed: self.patience.retries,
            internal_errors: run.internal_errors,
            clock_corrected: run.correction.is_some(),
            remaining: earlier(self.remaining(), patience_left()),
            fraction: self.entropy.fraction(),
        })
    }

    /// Says what failed and when the next attempt follows, and remembers what that attempt needs.
    fn announce(&self, template: &Template, run: &mut Run, failed: &Failed, pause: Duration) {
        let (provider, operation) = (&self.provider, template.operation);
        if let Some(server) = server_clock(failed.outcome) {
            let here = self.clock.now();
            run.correction = Some(retry::clock_difference(server, here));
            self.reporter.note(&format!(
                "`{provider}` refused `{operation}`: {}; trying again with its time",
                clock_words(server, here)
            ));
            return;
        }
        run.repeats += 1;
        let when = if pause.is_zero() {
            "at once".to_owned()
        } else {
            format!("in {:.1} s", pause.as_secs_f64())
        };
        let of = self.patience.retries + 1 + u32::from(run.correction.is_some());
        self.reporter.note(&format!(
            "`{provider}`: `{operation}` failed: {}; trying again {when} (attempt {} of {of})",
            failed.error,
            run.attempts + 1
        ));
    }

    /// Adds to the last error what only the loop knows.
    fn last_words(&self, run: &Run, outcome: Outcome, error: Error) -> Error {
        let error = match server_clock(outcome) {
            Some(server) => {
                let words = clock_words(server, self.clock.now());
                let message = format!("{error}: {words}");
                error.with_message(message)
            }
            None => error,
        };
        if run.attempts > 1 {
            error.with_cause(format!("gave up after {} attempts", run.attempts))
        } else {
            error
        }
    }

    fn failure(&self, run: &Run, fate: Fate, error: Error) -> Failure {
        Failure {
            fate,
            error: error.with_provider(&self.provider),
            answer: None,
            attempts: run.sent,
        }
    }

    fn out_of_time(&self, template: &Template) -> Error {
        Error::new(
            Kind::Timeout,
            "timeout",
            format!(
                "`--timeout` ran out before `{}` answered `{}`",
                self.provider, template.operation
            ),
        )
        .with_retryable(true)
    }

    /// Until the deadline of the whole command, if there is one.
    fn remaining(&self) -> Option<Duration> {
        self.patience
            .deadline
            .map(|deadline| deadline.saturating_duration_since(Instant::now()))
    }
}

tokio::task_local! {
    /// Until when whoever asked bears with failures.
    static BORNE_UNTIL: Instant;
}

/// Runs requests whose failures are repeated for so long at most, whatever `--retries` allows.
pub async fn within<F: Future>(patience: Duration, requests: F) -> F::Output {
    let now = Instant::now();
    // Further away than any clock tells is never.
    match now.checked_add(patience) {
        Some(until) => BORNE_UNTIL.scope(until, requests).await,
        None => requests.await,
    }
}

fn patience_left() -> Option<Duration> {
    BORNE_UNTIL
        .try_with(|until| until.saturating_duration_since(Instant::now()))
        .ok()
}

fn earlier(one: Option<Duration>, other: Option<Duration>) -> Option<Duration> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    }
}

/// What an answer that is a failure says about the request's effect (cli.md §10, "Creates").
///
/// The dialect's word comes first where it is explicit: a refusal before anything was done is definite whatever the
/// status; a nonce seen before may be that of our own request, so what became of that must be looked up.
fn fate_of(status: StatusCode, kind: Kind, repeat: Repeat) -> Fate {
    let definite = match repeat {
        Repeat::HarmlessAndHelpful { .. } | Repeat::WithServerTime(_) => true,
        Repeat::WithFreshNonce => false,
        Repeat::Useless | Repeat::Helpful { .. } if status.is_success() => kind != Kind::Protocol,
        Repeat::Useless | Repeat::Helpful { .. } => dialect::is_definite_refusal(status),
    };
    if definite {
        Fate::Refused
    } else {
        Fate::Unclear
    }
}

fn server_clock(outcome: Outcome) -> Option<Timestamp> {
    match outcome {
        Outcome::Answered {
            repeat: Repeat::WithServerTime(server),
            ..
        } => Some(server),
        Outcome::Answered { .. } | Outcome::Unsent | Outcome::Lost | Outcome::Lasting => None,
    }
}

fn clock_words(server: Timestamp, here: Timestamp) -> String {
    let difference = retry::clock_difference(server, here);
    let side = if difference.is_negative() {
        "ahead of"
    } else {
        "behind"
    };
    let whole = SignedDuration::from_secs(difference.abs().as_secs());
    format!("the clock of this machine is {whole:#} {side} the service's")
}
