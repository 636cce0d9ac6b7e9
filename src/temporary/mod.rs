//! Temporary access keys that must be fetched: from a credentials URI or the metadata of an instance (pai-dlc.md §2.9).
//!
//! A signer that gets its key on first use and a new one before the old one ends, so that a long `wait` outlives a key.
//! Nothing here is traced, and no message holds the address beyond its host: a credentials URI may itself be a secret.

mod answer;
mod fetch;
#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use jiff::SignedDuration;

use crate::ambient::Reporter;
use crate::error::{Error, Kind, Result};
use crate::http::{Signed, Template};
use crate::model::Timestamp;
use crate::sign::{Acs3, Scheme, SignContext, SignError, Signer};

use answer::TemporaryKey;
pub use fetch::Source;

/// A key that ends within this time is replaced before it is used once more.
const MARGIN: SignedDuration = SignedDuration::from_mins(1);

/// Signs with a fetched key.
pub struct Renewing {
    source: Source,
    reporter: Arc<dyn Reporter>,
    held: Mutex<Option<Held>>,
    /// One fetch at a time: several requests at once need one key.
    fetching: tokio::sync::Mutex<()>,
}

#[derive(Clone)]
struct Held {
    signer: Acs3,
    /// `None` where the source does not tell.
    expires: Option<Timestamp>,
}

impl Held {
    fn holds_at(&self, time: Option<Timestamp>) -> bool {
        self.expires
            .is_none_or(|expires| time.is_some_and(|time| time < expires))
    }
}

impl Renewing {
    /// A signer that has not fetched anything yet.
    pub fn new(source: Source, reporter: Arc<dyn Reporter>) -> Self {
        Self {
            source,
            reporter,
            held: Mutex::new(None),
            fetching: tokio::sync::Mutex::new(()),
        }
    }

    fn held(&self) -> Option<Held> {
        self.held
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    fn has_lasting_key(&self, now: Timestamp) -> bool {
        self.held()
            .is_some_and(|held| held.holds_at(now.checked_add(MARGIN).ok()))
    }

    async fn renew(&self, now: Timestamp) -> Result<Held> {
        let TemporaryKey { key, expires } = self.source.fetch(&*self.reporter).await?;
        let unusable = |why: String| {
            Error::new(
                Kind::Config,
                "unusable_credential",
                format!("the access key from {} {why}", self.source),
            )
        };
        let signer =
            Acs3::new(&key).map_err(|error| unusable(format!("cannot be used: {error}")))?;
        let held = Held { signer, expires };
        if !held.holds_at(Some(now)) {
            let ended = expires.map_or_else(String::new, |expires| format!(" at {expires}"));
            return Err(unusable(format!("has ended{ended}"))
                .with_hint("check the clock of this machine, and what hands out the keys"));
        }
        let until = expires.map_or_else(String::new, |expires| format!(", good until {expires}"));
        self.reporter.detail(
            1,
            &format!("fetched a temporary access key from {}{until}", self.source),
        );
        Ok(held)
    }
}

impl fmt::Debug for Renewing {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Renewing")
            .field("source", &self.source)
            .finish_non_exhaustive()
    }
}

#[async_trait]
impl Signer for Renewing {
    async fn prepare(&self, now: Timestamp) -> Result<()> {
        if self.has_lasting_key(now) {
            return Ok(());
        }
        let _one_at_a_time = self.fetching.lock().await;
        if self.has_lasting_key(now) {
            return Ok(());
        }
        match self.renew(now).await {
            Ok(held) => {
                *self.held.lock().unwrap_or_else(PoisonError::into_inner) = Some(held);
                Ok(())
            }
            // The old key is good for a few moments more.
            Err(error) if self.held().is_some_and(|held| held.holds_at(Some(now))) => {
                self.reporter
                    .detail(1, &format!("no new access key yet: {error}"));
                Ok(())
            }
            Err(error) => Err(error),
        }
    }

    fn scheme(&self) -> Scheme {
        Scheme::Acs3
    }

    fn sign(&self, template: &Template, context: &SignContext) -> Result<Signed, SignError> {
        self.held()
            .ok_or(SignError::EmptyCredential)?
            .signer
            .sign(template, context)
    }

    fn canonical(&self, template: &Template, context: &SignContext) -> Option<String> {
        self.held()?.signer.canonical(template, context)
    }
}
