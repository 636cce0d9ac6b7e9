//! Unclear creates of volumes and namespaces: they carry no marker, so the lists before and after are compared.
//!
//! cli.md §10 ("Never twice" covers them too); paracloud.md §6.1 no. 7. Nothing is sent twice.

use std::collections::BTreeSet;
use std::time::Duration;

use tokio::time::Instant;

use crate::ambient::Reporter;
use crate::error::{Error, Kind, Result};
use crate::provider::Creation;

use super::interrupt::Interrupt;

/// Where to look, and how long.
#[derive(Debug)]
pub struct Search<'a> {
    /// `volume` or `namespace`.
    pub what: &'a str,
    pub provider: &'a str,
    /// The ids that were there before the create.
    pub before: &'a BTreeSet<String>,
    pub pauses: &'a [Duration],
    pub reporter: &'a dyn Reporter,
    pub interrupt: &'a Interrupt,
    /// The end of the whole command (`--timeout`): after it nothing can be looked up.
    pub deadline: Option<Instant>,
}

impl Search<'_> {
    /// Waits for a create; a signal while it is on its way leaves its fate unknown (cli.md §10, "Never twice").
    pub async fn sent<T>(&self, create: impl Future<Output = Creation<T>>) -> Result<Creation<T>> {
        tokio::select! {
            outcome = create => Ok(outcome),
            signal = self.interrupt.came() => Err(self.unknown(
                Vec::new(),
                &signal.error("interrupted while the create was on its way"),
            )),
        }
    }

    /// Finds what an unclear create left behind: the one id that was not there before.
    ///
    /// `list` is asked after each pause. One new id is returned; none or several end with `outcome-unknown`.
    pub async fn find_new<F, L>(&self, cause: &Error, list: L) -> Result<String>
    where
        L: Fn() -> F,
        F: Future<Output = Result<BTreeSet<String>>>,
    {
        self.reporter.warning(&format!(
            "nobody can tell whether the {} was created ({cause}); comparing the list before and after",
            self.what
        ));
        let mut candidates = Vec::new();
        for pause in self.pauses {
            if self
                .deadline
                .is_some_and(|end| Instant::now() + *pause >= end)
            {
                break;
            }
            let look = async {
                tokio::time::sleep(*pause).await;
                list().await
            };
            let listed = tokio::select! {
                listed = look => listed,
                _ = self.interrupt.came() => break,
            };
            if let Ok(after) = listed {
                candidates = after.difference(self.before).cloned().collect();
                if let [only] = candidates.as_slice() {
                    return Ok(only.clone());
                }
            }
        }
        Err(self.unknown(candidates, cause))
    }

    fn unknown(&self, candidates: Vec<String>, cause: &Error) -> Error {
        let Self { what, provider, .. } = self;
        Error::new(
            Kind::OutcomeUnknown,
            "outcome_unknown",
            format!("the create of a {what} on `{provider}` was sent once and nobody can tell whether it took"),
        )
        .with_provider(provider)
        .with_candidates(candidates)
        .with_cause(cause)
        .with_hint(format!("look at `gpujob {what}s list -p {provider}` before you create another"))
    }
}
