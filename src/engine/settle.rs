//! Unclear creates of volumes and namespaces: they carry no marker, so the lists before and after are compared.
//!
//! cli.md §10 ("Never twice" covers them too); paracloud.md §6.1 no. 7. Nothing is sent twice, and like a job's the
//! intent is in the journal before the create leaves; its marker is the record's name there.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use sha2::{Digest, Sha256};
use tokio::time::Instant;

use crate::ambient::Reporter;
use crate::error::{Error, Kind, Result};
use crate::journal::{Intent, Journal, Prepared, Subject};
use crate::model::{Backend, Marker, ResourceRef, Timestamp};
use crate::provider::Creation;

use super::interrupt::Interrupt;

/// Where to look, and how long.
#[derive(Debug)]
pub struct Search<'a> {
    pub journal: &'a Journal,
    /// What is on its way.
    pub intent: Intent,
    /// The ids that were there before the create.
    pub before: &'a BTreeSet<String>,
    pub pauses: &'a [Duration],
    pub reporter: &'a dyn Reporter,
    pub interrupt: &'a Interrupt,
    /// The end of the whole command (`--timeout`): after it nothing can be looked up.
    pub deadline: Option<Instant>,
}

impl Search<'_> {
    /// Writes the intent down and waits for the create; a signal while it is on its way leaves its fate unknown (cli.md
    /// §10, "Never twice"). Fails with 85, before anything is sent, where the journal cannot be written.
    pub async fn sent<T>(&self, create: impl Future<Output = Creation<T>>) -> Result<Creation<T>> {
        let marker = &self.intent.marker;
        let prepared = self.journal.prepare(&self.intent)?;
        if !matches!(prepared, Prepared::New) || !self.journal.mark_sending(marker)? {
            return Err(Error::internal(format!(
                "the fresh marker {marker} is on record already"
            )));
        }
        let outcome = tokio::select! {
            outcome = create => outcome,
            signal = self.interrupt.came() => return Err(self.unknown(
                Vec::new(),
                &signal.error("interrupted while the create was on its way"),
            )),
        };
        if let Creation::Refused(error) = &outcome {
            self.told(self.journal.mark_rejected(marker, error.message()));
        }
        Ok(outcome)
    }

    /// Writes down what was created. It exists, so that a journal that cannot be written is a warning.
    pub fn created(&self, reference: &ResourceRef) {
        let recorded = self
            .journal
            .mark_submitted(&self.intent.marker, reference, reference.id());
        self.told(recorded);
    }

    fn told(&self, recorded: Result<()>) {
        if let Err(error) = recorded {
            self.reporter
                .warning(&format!("the journal could not be written: {error}"));
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
            self.intent.subject.as_str()
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
        self.told(self.journal.mark_unknown(&self.intent.marker));
        let Intent {
            provider, marker, ..
        } = &self.intent;
        let what = self.intent.subject.as_str();
        Error::new(
            Kind::OutcomeUnknown,
            "outcome_unknown",
            format!("the create of a {what} on `{provider}` was sent once and nobody can tell whether it took"),
        )
        .with_provider(provider)
        .with_marker(marker.to_string())
        .with_candidates(candidates)
        .with_cause(cause)
        .with_hint(format!(
            "look at `gpujob {what}s list -p {provider}` before you create another; `gpujob settle marker:{marker}` looks again"
        ))
    }
}

/// The intent of a volume or a namespace, which nothing but this record names.
#[derive(Debug, Clone, Copy)]
pub struct Thing<'a> {
    pub subject: Subject,
    pub provider: &'a str,
    pub backend: Backend,
    pub name: Option<&'a str>,
}

impl Thing<'_> {
    /// The record; `description` tells one request from another, and only its hash is kept.
    pub fn intent(&self, description: &str, random: [u8; 16], now: Timestamp) -> Intent {
        let spec_hash: [u8; 32] = Sha256::digest(description.as_bytes()).into();
        Intent {
            subject: self.subject,
            marker: Marker::random(random, &spec_hash),
            key: None,
            attempt: 1,
            provider: self.provider.to_owned(),
            backend: self.backend,
            scope: self.backend.as_str().to_owned(),
            spec_hash,
            name: self.name.map(str::to_owned),
            labels: BTreeMap::new(),
            created_at: now,
            time_limit_s: None,
            secret_names: Vec::new(),
        }
    }
}
