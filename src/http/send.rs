//! The session: one provider's way to send requests, and the only place that retries.
//!
//! The loop signs anew for every attempt, asks the backend's dialect what an answer means, and the pure retry policy
//! what to do about it. A create whose fate is unclear comes back as [`Fate::Unclear`]; only the submit engine may
//! judge that (style.md rule 4).

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tokio::time::Instant;

use crate::ambient::{Clock, Entropy, Reporter};
use crate::error::Error;
use crate::sign::Signer;

use super::dialect::Dialect;
use super::{Answer, Signed, Template};

/// Carries one signed request over the wire.
#[async_trait]
pub trait Transport: fmt::Debug + Send + Sync {
    /// Sends, and reads the whole answer, within `limit`.
    async fn call(
        &self,
        request: &Signed,
        limit: Option<Duration>,
    ) -> Result<Answer, TransportError>;
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

/// A request that did not succeed.
#[derive(Debug, Clone)]
pub struct Failure {
    pub fate: Fate,
    pub error: Error,
    /// How many times it was sent; a `404` on a later attempt at a delete means "already gone".
    pub attempts: u32,
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

impl Session {
    /// Sends a request until it succeeds, is refused, or may not be repeated.
    pub async fn send(&self, template: &Template) -> Result<Answer, Failure> {
        let _ = template;
        Err(Failure {
            fate: Fate::Unsent,
            error: Error::internal("not wired"),
            attempts: 0,
        })
    }
}
