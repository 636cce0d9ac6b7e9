//! Signers: pure functions from a request, an instant and a nonce to a signed request.
//!
//! No clock, no randomness, no I/O. The send loop signs anew for every attempt (style.md §5). A key that must be fetched
//! first is fetched by `prepare`, which is elsewhere (`crate::temporary`).

pub mod acs3;
pub mod basic;
pub mod bearer;
pub mod gongji;
pub mod hex;
pub mod key;

use std::fmt;

use async_trait::async_trait;
use thiserror::Error;

use crate::error::{Error as GpujobError, Kind};
use crate::http::{Signed, Template};
use crate::model::Timestamp;
use crate::secret::Secret;

pub use acs3::{AccessKey, Acs3};
pub use basic::Basic;
pub use bearer::Bearer;
pub use gongji::GongjiSigner;
pub use key::RsaKey;

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
    #[error("the credential is empty")]
    EmptyCredential,
    #[error("the credential holds a space or a character that cannot travel in an HTTP header")]
    UnsendableCredential,
    #[error("the user name {0}")]
    UserName(&'static str),
    #[error("{0}")]
    Key(String),
    #[error("the request cannot be signed: {0}")]
    Request(String),
}

impl From<SignError> for GpujobError {
    fn from(error: SignError) -> Self {
        let (kind, code) = match &error {
            SignError::EmptyCredential
            | SignError::UnsendableCredential
            | SignError::UserName(_) => (Kind::Config, "bad_credential"),
            SignError::Key(_) => (Kind::Config, "bad_key"),
            // Only the `api` verb lets such a request through: planners build none.
            SignError::Request(_) => (Kind::Usage, "unsignable_request"),
        };
        let unsigned = Self::new(kind, code, error.to_string());
        match error {
            SignError::EmptyCredential
            | SignError::UnsendableCredential
            | SignError::UserName(_) => unsigned
                .with_hint("`gpujob config show --origin` tells where the credential comes from"),
            SignError::Key(_) | SignError::Request(_) => unsigned,
        }
    }
}

/// A credential as people paste it, without blanks around it; printable ASCII without spaces, and not empty.
fn sendable(credential: &Secret) -> Result<&str, SignError> {
    let text = credential.expose().trim();
    if text.is_empty() {
        return Err(SignError::EmptyCredential);
    }
    if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(SignError::UnsendableCredential);
    }
    Ok(text)
}

/// How requests are authenticated, for whoever has to write it down (`--dry-run=curl`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scheme {
    /// A token in `Authorization`.
    Bearer,
    /// User name and password.
    Basic,
    /// Gongji's simple token (gongji.md §1.3).
    Token,
    /// Gongji's token of the RSA kind, with a signature.
    SignedToken,
    /// ACS3-HMAC-SHA256.
    Acs3,
}

/// One backend's way of authenticating a request.
#[async_trait]
pub trait Signer: fmt::Debug + Send + Sync {
    /// Sees to it that there is a key at `now`; called before every signature. Most signers have theirs.
    async fn prepare(&self, _now: Timestamp) -> Result<(), GpujobError> {
        Ok(())
    }

    fn scheme(&self) -> Scheme;

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
