//! How a key stands before anything is sent: a job there is already, or the right to create one.
//!
//! The journal is asked first, whatever the provider; then every candidate, since another machine may have used the key
//! (cli.md §7). What cannot be searched leaves the key in doubt, and then nothing is created.

use std::time::Duration;

use tokio::time::Instant;

use crate::error::{Error, Kind, Result};
use crate::journal::{Entry, Held, Intent, Memory, Phase, Prepared, Subject};
use crate::model::{Backend, Job, Marker, ResourceRef, State};
use crate::provider::Provider;

use super::super::fold;
use super::doubt::{Doubt, Looked};
use super::key::{self, BEGINNING, Turn, Wish};
use super::{Request, Submitter};

/// A candidate, with the scope of its markers.
#[derive(Debug, Clone)]
pub struct Place<'a> {
    pub provider: &'a dyn Provider,
    pub scope: String,
}

/// What a key stands for.
#[derive(Debug)]
pub enum Standing {
    /// The submission there is, whatever became of it.
    Adopted(Box<Job>),
    /// Nothing: one job may be created.
    Free(Turn),
}

/// How long is waited before a lock is tried again.
const BREATHS: [Duration; 3] = [
    Duration::from_millis(5),
    Duration::from_millis(20),
    Duration::from_millis(50),
];

impl Submitter<'_> {
    /// Finds what a key stands for, in every place, before any create.
    ///
    /// Fails with `spec` where the key stands for another spec, with `outcome-unknown` where an earlier create under it
    /// cannot be found nor ruled out, and with a look-up's own failure where a place cannot be searched.
    pub async fn standing(
        &self,
        places: &[Place<'_>],
        wish: &Wish<'_>,
        request: &Request<'_>,
    ) -> Result<Standing> {
        let held = self.wait_for(wish.key).await?;
        let mut newest = None;
        let mut attempt = 1;
        loop {
            match self.attempt(places, wish, attempt, request).await? {
                Attempt::Is(job) if key::is_over_in_vain(&job) => newest = Some(job),
                Attempt::Is(job) => return Ok(Standing::Adopted(job)),
                Attempt::InDoubt => return Ok(Standing::Free(Turn::of(wish, attempt, held))),
                Attempt::IsNot => {
                    return Ok(match newest {
                        Some(job) if !wish.rerun_failed => Standing::Adopted(job),
                        Some(_) | None => Standing::Free(Turn::of(wish, attempt, held)),
                    });
                }
            }
            attempt += 1;
        }
    }

    /// Waits until no other process on this machine is submitting under the key.
    async fn wait_for(&self, key: &str) -> Result<Option<Held>> {
        let Some(locks) = self.locks else {
            return Ok(None);
        };
        let mut breaths = BREATHS.iter().copied();
        let mut breath = BREATHS.first().copied().unwrap_or_default();
        loop {
            if let Some(held) = locks.try_hold(key)? {
                return Ok(Some(held));
            }
            if self.deadline.is_some_and(|end| Instant::now() >= end) {
                return Err(Error::new(
                    Kind::Timeout,
                    "timeout",
                    format!(
                        "`--timeout` ran out while another gpujob was submitting under the key `{key}`; nothing was sent"
                    ),
                ));
            }
            breath = breaths.next().unwrap_or(breath);
            tokio::time::sleep(breath).await;
        }
    }

    async fn attempt(
        &self,
        places: &[Place<'_>],
        wish: &Wish<'_>,
        attempt: u32,
        request: &Request<'_>,
    ) -> Result<Attempt> {
        let entries = self.journal.find_by_key(wish.key)?;
        let mut entries: Vec<Entry> = entries
            .into_iter()
            .filter(|entry| entry.subject == Subject::Job && entry.attempt == attempt)
            .filter(|entry| match entry.phase {
                Some(Phase::Prepared | Phase::Rejected) | None => false,
                Some(phase) => phase == Phase::Submitted || phase.is_in_doubt(),
            })
            .collect();
        // A job that is known comes before one that may be.
        entries.sort_by_key(|entry| (entry.job_ref.is_none(), entry.created_at));
        for entry in &entries {
            let known = entry.spec_hash.unwrap_or(request.spec_hash);
            if let Some(error) = key::other_hash(wish.key, &known, &request.spec_hash) {
                let job = entry.job_ref.as_ref().map(ToString::to_string);
                return Err(job.into_iter().fold(error, Error::with_job));
            }
        }
        match entries.as_slice() {
            [] if wish.is_ours => Ok(Attempt::IsNot),
            [] => self.search(places, wish, attempt, request).await,
            entries => {
                for entry in entries {
                    if let Some(job_ref) = &entry.job_ref {
                        let job = self.job_of(places, entry, job_ref).await;
                        return Ok(Attempt::Is(Box::new(job)));
                    }
                    if let Some(job) = self.settle_entry(places, wish, entry).await? {
                        return Ok(Attempt::Is(Box::new(job)));
                    }
                }
                Ok(Attempt::InDoubt)
            }
        }
    }

    /// The present record of a job of the journal; what the journal knows where the provider does not answer.
    async fn job_of(&self, places: &[Place<'_>], entry: &Entry, job_ref: &ResourceRef) -> Job {
        let memory = Memory::from(entry.clone());
        let place = places
            .iter()
            .find(|place| place.provider.name() == job_ref.provider);
        let seen = match place {
            None => Err(Error::internal("its provider is not asked")),
            Some(_) if entry.finished => Err(Error::internal("it is over")),
            Some(place) => {
                let tracked = [fold::tracked(job_ref, Some(&memory))];
                place.provider.observe(&tracked).await
            }
        };
        let now = self.clock.now();
        let seen = seen.and_then(|mut seen| match seen.pop() {
            Some(seen) => fold::fold(job_ref, seen, Some(&memory), now),
            None => Err(fold::not_found(job_ref)),
        });
        let mut job = seen.unwrap_or_else(|error| {
            self.reporter
                .detail(1, &format!("{job_ref} as the journal knows it: {error}"));
            let id = entry.provider_id.clone();
            let state = entry.last_state.unwrap_or(State::Unknown);
            let mut job = Job::new(
                job_ref.clone(),
                id.unwrap_or_else(|| job_ref.id().to_owned()),
                state,
            );
            job.terminal = entry.finished;
            fold::remember(&mut job, &memory);
            job
        });
        job.adopted = true;
        job
    }

    /// Looks for a create in doubt where it was sent; `None` if it is to be sent again.
    async fn settle_entry(
        &self,
        places: &[Place<'_>],
        wish: &Wish<'_>,
        entry: &Entry,
    ) -> Result<Option<Job>> {
        let (Some(marker), Some(scope)) = (&entry.marker, &entry.scope) else {
            return Err(Error::internal("a create in doubt has no marker"));
        };
        let place = places
            .iter()
            .find(|place| place.provider.name() == entry.provider);
        let looked = match place {
            Some(place) => {
                let since = entry.created_at.unwrap_or(BEGINNING);
                self.look_up(place.provider, marker, scope, since).await
            }
            None => Looked::default(),
        };
        if let Some(mut job) = self.oldest(looked.found.clone()) {
            self.note_submitted(marker, &job);
            job.key = Some(wish.key.to_owned());
            job.marker = Some(marker.to_string());
            if let Some(name) = &entry.name {
                job.name = Some(name.clone());
            }
            return Ok(Some(job));
        }
        if wish.resubmit {
            return Ok(None);
        }
        let cause = Error::new(
            Kind::OutcomeUnknown,
            "outcome_unknown",
            format!(
                "an earlier submit under the key `{}` did not learn what became of its create",
                wish.key
            ),
        );
        let doubt = Doubt {
            provider: &entry.provider,
            marker,
            key: Some(wish.key),
        };
        Err(doubt.error(&cause, &looked))
    }

    /// Asks every place for a job of the key that another machine may have submitted.
    async fn search(
        &self,
        places: &[Place<'_>],
        wish: &Wish<'_>,
        attempt: u32,
        request: &Request<'_>,
    ) -> Result<Attempt> {
        for place in places {
            let marker = Marker::from_key(wish.key, &place.scope, attempt, &request.spec_hash);
            let found = place.provider.find(&marker, &place.scope, BEGINNING).await;
            let found = found.map_err(|error| {
                let message = format!(
                    "`{}` cannot be searched for the key `{}`, so nothing was sent: {error}",
                    place.provider.name(),
                    wish.key
                );
                error.with_message(message)
            })?;
            if let Some(mut job) = self.oldest(found) {
                if let Some(error) = key::other_spec(wish.key, &marker, &job) {
                    return Err(error);
                }
                job.key = Some(wish.key.to_owned());
                job.marker = Some(marker.to_string());
                if let Some(name) = request.name {
                    job.name = Some(name.to_owned());
                }
                self.record_adoption(place, wish, attempt, (&marker, &job), request);
                return Ok(Attempt::Is(Box::new(job)));
            }
        }
        Ok(Attempt::IsNot)
    }

    /// Of several jobs of one marker the oldest is the job; that there are others is said.
    fn oldest(&self, found: Vec<Job>) -> Option<Job> {
        let mut jobs = key::by_age(found).into_iter();
        let mut job = jobs.next()?;
        for other in jobs.filter(|other| !other.terminal) {
            self.reporter.warning(&format!(
                "{} carries the same marker as {}, which is the older and counts; cancel it unless it is wanted",
                other.job_ref, job.job_ref
            ));
        }
        job.adopted = true;
        Some(job)
    }

    /// Remembers a job that another machine submitted. Nothing depends on it, so that a failure is only told.
    fn record_adoption(
        &self,
        place: &Place<'_>,
        wish: &Wish<'_>,
        attempt: u32,
        (marker, job): (&Marker, &Job),
        request: &Request<'_>,
    ) {
        let intent = Intent {
            created_at: job.created_at.unwrap_or_else(|| self.clock.now()),
            ..self.intent(
                Submission {
                    marker,
                    key: Some(wish.key),
                    attempt,
                    provider: place.provider.name(),
                    backend: place.provider.backend(),
                    scope: &place.scope,
                    time_limit_s: None,
                },
                request,
            )
        };
        match self.journal.prepare(&intent) {
            Ok(Prepared::New | Prepared::Existing(_)) => self.note_submitted(marker, job),
            Err(error) => self.warn_about_journal(Err(error)),
        }
    }

    /// What is written down of a submission.
    pub(super) fn intent(&self, submission: Submission<'_>, request: &Request<'_>) -> Intent {
        Intent {
            subject: Subject::Job,
            attempt: submission.attempt,
            marker: submission.marker.clone(),
            key: submission.key.map(str::to_owned),
            provider: submission.provider.to_owned(),
            backend: submission.backend,
            scope: submission.scope.to_owned(),
            spec_hash: request.spec_hash,
            name: request.name.map(str::to_owned),
            labels: request.labels.clone(),
            created_at: self.clock.now(),
            time_limit_s: submission.time_limit_s,
            secret_names: request.secret_names.to_vec(),
        }
    }
}

/// How one attempt of a key stands.
enum Attempt {
    Is(Box<Job>),
    IsNot,
    /// Its create may have taken, and is to be sent again all the same.
    InDoubt,
}

/// One submission, as the journal names it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Submission<'a> {
    pub(super) marker: &'a Marker,
    pub(super) key: Option<&'a str>,
    pub(super) attempt: u32,
    pub(super) provider: &'a str,
    pub(super) backend: Backend,
    pub(super) scope: &'a str,
    pub(super) time_limit_s: Option<u64>,
}
