//! Signers: pure functions from a request, an instant and a nonce to a signed request.
//!
//! No clock, no randomness, no I/O. The send loop signs anew for every attempt (style.md §5).

use std::fmt;

use thiserror::Error;

use crate::http::{Signed, Template};
use crate::model::Timestamp;

/// What a signature depends on beside the request.
#[derive(Debug, Clone)]
pub struct SignContext {
    pub now: Timestamp,
    /// Unique per attempt: 32 lower-case hex digits.
    pub nonce: String,
}

/// Why a request cannot be signed.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum SignError {
    #[error("the credential holds a character that cannot travel in an HTTP header")]
    UnsendableCredential,
    #[error("{0}")]
    Key(String),
    #[error("the request cannot be signed: {0}")]
    Request(String),
}

/// One backend's way of authenticating a request.
pub trait Signer: fmt::Debug + Send + Sync {
    /// Signs a copy of the request; the original stays as it was.
    fn sign(&self, template: &Template, context: &SignContext) -> Result<Signed, SignError>;

    /// The canonical text behind the signature, without secrets, for traces and tests; `None` where there is none.
    fn canonical(&self, template: &Template, context: &SignContext) -> Option<String>;
}

/// Shows that a `Signed` was made in this module.
#[derive(Debug)]
pub struct Proof(());

impl Proof {
    /// Visible to the signers alone.
    const fn new() -> Self {
        Self(())
    }
}
