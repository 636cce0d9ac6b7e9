//! Exactly once: the intent is durable before the create leaves, and an unclear create is looked up, never re-sent.
//!
//! cli.md §7 and §10 ("Never twice", "Creates"); job-model.md §8. The only place that judges `Ambiguous`.
//! A submit under a key has two steps: [`Submitter::standing`] searches for what the key stands for, in every candidate;
//! if that is nothing, [`Submitter::submit`] creates. `key` is pure.

mod doubt;
mod key;
mod standing;

use std::time::Duration;

use tokio::time::Instant;

use crate::ambient::{Clock, Reporter};
use crate::error::{Error, Result};
use crate::journal::{Journal, Locks, Phase, Prepared};
use crate::model::{Job, Marker, Timestamp};
use crate::provider::{Creation, Plan, Provider};

use super::fold;
use super::fold::mask_named;
use super::interrupt::Interrupt;

use doubt::{Doubt, Looked};
use key::BEGINNING;
pub use key::{Turn, Wish, by_age, other_hash};
use standing::Submission;
pub use standing::{Place, Standing};

/// What the user asked, as far as the journal keeps it.
#[derive(Debug, Clone)]
pub struct Request<'a> {
    pub name: Option<&'a str>,
    pub labels: &'a std::collections::BTreeMap<String, String>,
    pub spec_hash: [u8; 32],
    /// Names of secret variables, for masking later answers.
    pub secret_names: &'a [String],
}

/// What submitting needs beside the provider.
#[derive(Debug)]
pub struct Submitter<'a> {
    pub journal: &'a Journal,
    /// Where the journal is shared with other processes.
    pub locks: Option<&'a Locks>,
    pub clock: &'a dyn Clock,
    pub reporter: &'a dyn Reporter,
    pub interrupt: &'a Interrupt,
    /// The end of the whole command (`--timeout`): after it nothing can be looked up.
    pub deadline: Option<Instant>,
    /// Pauses before each look-up; three within about 15 s (cli.md §10).
    pub pauses: &'a [Duration],
}

/// One create on its way.
#[derive(Debug, Clone, Copy)]
struct Sent<'a> {
    provider: &'a dyn Provider,
    plan: &'a Plan,
    request: &'a Request<'a>,
    turn: &'a Turn,
    /// When its intent was written.
    prepared_at: Timestamp,
}

impl Submitter<'_> {
    /// Sends the plan's create once, and returns the job it made or was found to have made.
    pub async fn submit(
        &self,
        provider: &dyn Provider,
        plan: &Plan,
        request: &Request<'_>,
        turn: &Turn,
    ) -> Result<Job> {
        let intent = self.intent(
            Submission {
                marker: &plan.marker,
                key: turn.key(),
                attempt: turn.attempt(),
                provider: &plan.provider,
                backend: plan.backend,
                scope: &plan.scope,
                time_limit_s: plan.time_limit_s,
            },
            request,
        );
        let prepared = self.journal.prepare(&intent)?;
        if !is_in_doubt(&prepared) {
            self.stage(provider, plan).await?;
        }
        let may_send = match &prepared {
            Prepared::New => self.journal.mark_sending(&plan.marker)?,
            // Its process was killed before it sent anything.
            Prepared::Existing(entry) if entry.phase == Some(Phase::Prepared) => {
                self.journal.mark_sending(&plan.marker)?
            }
            Prepared::Existing(entry) if is_in_doubt(&prepared) && turn.resubmits() => {
                self.journal.mark_resubmitted(entry)?
            }
            Prepared::Existing(_) => false,
        };
        if !may_send {
            return Err(Error::internal(format!(
                "the marker {} is on record already",
                plan.marker
            )));
        }
        let sent = Sent {
            provider,
            plan,
            request,
            turn,
            prepared_at: intent.created_at,
        };
        let outcome = tokio::select! {
            outcome = provider.create(plan) => outcome,
            signal = self.interrupt.came() => {
                let error = signal.error("interrupted while the create was on its way");
                self.note_unknown(&plan.marker);
                return Err(sent.unknown(&error, &Looked::default()));
            }
        };
        match outcome {
            Creation::Accepted(job) => {
                // On record before anything else can happen to this process.
                let job = self.accepted(sent, job);
                self.look_again(sent, job).await
            }
            Creation::Refused(error) => {
                let recorded = self.journal.mark_rejected(&plan.marker, error.message());
                self.warn_about_journal(recorded);
                provider.unstage(plan).await;
                Err(error)
            }
            Creation::Ambiguous(error) => self.settle(sent, error).await,
        }
    }

    /// Puts the plan's files into their volume while the create is only prepared: whatever ends this, nothing was sent.
    async fn stage(&self, provider: &dyn Provider, plan: &Plan) -> Result<()> {
        let staged = tokio::select! {
            staged = provider.stage(plan) => staged,
            signal = self.interrupt.came() => {
                Err(signal.error("interrupted before the create; nothing was submitted"))
            }
        };
        if let Err(error) = &staged {
            let recorded = self.journal.mark_rejected(&plan.marker, error.message());
            self.warn_about_journal(recorded);
        }
        staged
    }

    /// Looks an unclear create up by its marker: adopts the one job found, or ends with 88.
    async fn settle(&self, sent: Sent<'_>, cause: Error) -> Result<Job> {
        let plan = sent.plan;
        self.reporter.warning(&format!(
            "nobody can tell whether the create took ({cause}); looking for the job by its marker {}",
            plan.marker
        ));
        let looking = self.look_up(sent.provider, &plan.marker, &plan.scope, sent.prepared_at);
        let looked = looking.await;
        let is_one = match looked.found.len() {
            0 => false,
            1 => true,
            // Under a key another machine's is the same job; without one nobody else can have the marker.
            _ => !sent.turn.is_ours(),
        };
        let first = by_age(looked.found.clone()).into_iter().next();
        let Some(mut job) = first.filter(|_| is_one) else {
            self.note_unknown(&plan.marker);
            return Err(sent.unknown(&cause, &looked));
        };
        self.reporter
            .note(&format!("the create did take: adopted {}", job.job_ref));
        job.adopted = true;
        let job = self.accepted(sent, job);
        self.agree(sent, job, looked.found).await
    }

    /// Two machines with one key in the same seconds are told apart only now (cli.md §10, "Creates").
    async fn look_again(&self, sent: Sent<'_>, job: Job) -> Result<Job> {
        if sent.turn.is_ours() || sent.provider.capabilities().creates_once {
            return Ok(job);
        }
        let plan = sent.plan;
        let look = sent.provider.find(&plan.marker, &plan.scope, BEGINNING);
        let found = tokio::select! {
            found = look => found,
            _ = self.interrupt.came() => return Ok(job),
        };
        match found {
            Ok(found) => self.agree(sent, job, found).await,
            Err(error) => {
                self.reporter.warning(&format!(
                    "whether another machine submitted under the same key in these seconds cannot be told: {error}"
                ));
                Ok(job)
            }
        }
    }

    /// Of several jobs under one key the oldest stays; the others are cancelled, unless the user wanted another.
    async fn agree(&self, sent: Sent<'_>, job: Job, mut found: Vec<Job>) -> Result<Job> {
        if !found.iter().any(|other| other.job_ref == job.job_ref) {
            found.push(job.clone());
        }
        let mut jobs = by_age(found).into_iter();
        let Some(mut first) = jobs.next() else {
            return Ok(job);
        };
        for other in jobs.filter(|other| !other.terminal) {
            if sent.turn.resubmits() {
                self.reporter.warning(&format!(
                    "the lost job has turned up: {} is the older and counts, {} runs as well; cancel it unless it is wanted",
                    first.job_ref, other.job_ref
                ));
                continue;
            }
            let at = self.clock.now();
            self.warn_about_journal(self.journal.record_cancel(&other.job_ref, at));
            sent.provider.cancel(&other.job_ref).await.map_err(|error| {
                let message = format!(
                    "{} was submitted under the same key at the same time as {}, and could not be cancelled: {error}",
                    other.job_ref, first.job_ref
                );
                error.with_message(message).with_job(other.job_ref.to_string()).with_hint("cancel it by hand; the other is the job of the key")
            })?;
            self.reporter.warning(&format!(
                "another machine submitted under the same key at the same time: {} is the older and stays, {} was cancelled",
                first.job_ref, other.job_ref
            ));
        }
        if first.job_ref == job.job_ref {
            return Ok(job);
        }
        let key = sent.turn.key().unwrap_or_default();
        if let Some(error) = key::other_spec(key, &sent.plan.marker, &first) {
            return Err(error);
        }
        first.adopted = true;
        Ok(self.accepted(sent, first))
    }

    /// Records a job; from here on a journal that cannot be written is a warning, since the job runs.
    ///
    /// The time of the intent stands in for a time of creation that the provider does not tell: the journal tells the
    /// same later.
    fn accepted(&self, sent: Sent<'_>, mut job: Job) -> Job {
        let request = sent.request;
        self.note_submitted(&sent.plan.marker, &job);
        job.marker = Some(sent.plan.marker.to_string());
        job.key = sent.turn.key().map(str::to_owned);
        job.raw = mask_named(&job.raw, request.secret_names);
        if let Some(name) = request.name {
            job.name = Some(name.to_owned());
        }
        if job.created_at.is_none() || job.approximate.contains(&fold::CREATED_AT) {
            fold::created_by_our_clock(&mut job, sent.prepared_at);
        }
        job
    }

    fn note_submitted(&self, marker: &Marker, job: &Job) {
        let recorded = self
            .journal
            .mark_submitted(marker, &job.job_ref, &job.provider_id);
        self.warn_about_journal(recorded);
        if let Some(reading) = &job.reading {
            self.warn_about_journal(self.journal.record_reading(&job.job_ref, reading));
        }
    }

    fn note_unknown(&self, marker: &Marker) {
        let recorded = self.journal.mark_unknown(marker);
        self.warn_about_journal(recorded);
    }

    fn warn_about_journal(&self, recorded: Result<()>) {
        if let Err(error) = recorded {
            self.reporter
                .warning(&format!("the journal could not be written: {error}"));
        }
    }
}

impl Sent<'_> {
    fn unknown(&self, cause: &Error, looked: &Looked) -> Error {
        Doubt {
            provider: &self.plan.provider,
            marker: &self.plan.marker,
            key: self.turn.key(),
        }
        .error(cause, looked)
    }
}

/// Whether a create was sent before, with an unknown end.
fn is_in_doubt(prepared: &Prepared) -> bool {
    match prepared {
        Prepared::New => false,
        Prepared::Existing(entry) => entry.phase.is_some_and(Phase::is_in_doubt),
    }
}
