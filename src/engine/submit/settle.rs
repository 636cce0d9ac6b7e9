//! Finishing a submit that ended in doubt (cli.md §2, `settle`): looks for its job, sends nothing.

use crate::error::{Error, Kind, Result};
use crate::journal::{Entry, Locks, Phase};
use crate::model::{Job, Marker};
use crate::provider::Provider;

use super::Submitter;
use super::doubt::{Doubt, Looked};
use super::key::BEGINNING;

/// The lock under which an entry's create is on its way.
pub(super) fn lock_of(key: Option<&str>, marker: &Marker) -> String {
    match key {
        Some(key) => lock_of_key(key),
        None => format!("marker {}", marker.identity()),
    }
}

/// The lock of a key.
pub(super) fn lock_of_key(key: &str) -> String {
    format!("key {key}")
}

/// Whether a create in doubt was left behind: nobody is at work on it any more.
pub fn is_left_behind(entry: &Entry, locks: Option<&Locks>) -> bool {
    let (Some(locks), Some(marker)) = (locks, &entry.marker) else {
        return true;
    };
    let lock = locks.try_hold(&lock_of(entry.key.as_deref(), marker));
    !matches!(lock, Ok(None))
}

/// What is told of a create in doubt that nobody has looked for just now.
pub fn left_behind(entry: &Entry, marker: &Marker) -> Error {
    doubt_of(entry, marker).error(&earlier(), &Looked::default())
}

impl Submitter<'_> {
    /// Waits until nobody is at work on an entry's create, and looks for its job unless that is known by then.
    ///
    /// `None` if there is no job and no doubt either. Fails with `outcome-unknown` as long as the doubt stays.
    pub async fn settle_again(
        &self,
        provider: Option<&dyn Provider>,
        marker: &Marker,
    ) -> Result<Option<Job>> {
        let lock = match self.journal.find_by_identity(marker)? {
            Some(entry) => lock_of(entry.key.as_deref(), marker),
            None => return Ok(None),
        };
        let _held = self.wait_for(&lock).await?;
        let Some(entry) = self.journal.find_by_identity(marker)? else {
            return Ok(None);
        };
        if let Some(job_ref) = &entry.job_ref {
            return Ok(Some(self.job_of(provider, &entry, job_ref).await));
        }
        if !entry.phase.is_some_and(Phase::is_in_doubt) {
            return Ok(None);
        }
        self.look_for(provider, &entry).await.map(Some)
    }

    /// Looks for the job of a create in doubt where it was sent.
    pub(super) async fn look_for(
        &self,
        provider: Option<&dyn Provider>,
        entry: &Entry,
    ) -> Result<Job> {
        let (Some(marker), Some(scope)) = (&entry.marker, &entry.scope) else {
            return Err(Error::internal("a create in doubt has no marker"));
        };
        let looked = match provider {
            Some(provider) => {
                let since = entry.created_at.unwrap_or(BEGINNING);
                self.look_up(provider, marker, scope, since).await
            }
            None => Looked::default(),
        };
        let Some(mut job) = self.oldest(looked.found.clone()) else {
            return Err(doubt_of(entry, marker).error(&earlier(), &looked));
        };
        self.note_submitted(marker, &job);
        job.key.clone_from(&entry.key);
        job.marker = Some(marker.to_string());
        if let Some(name) = &entry.name {
            job.name = Some(name.clone());
        }
        Ok(job)
    }
}

fn doubt_of<'a>(entry: &'a Entry, marker: &'a Marker) -> Doubt<'a> {
    Doubt {
        provider: &entry.provider,
        marker,
        key: entry.key.as_deref(),
    }
}

fn earlier() -> Error {
    Error::new(
        Kind::OutcomeUnknown,
        "outcome_unknown",
        "an earlier submit did not learn what became of its create",
    )
}
