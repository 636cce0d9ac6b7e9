//! Exactly once: the intent is durable before the create leaves, and an unclear create is looked up, never re-sent.
//!
//! cli.md §7 and §10 ("Never twice", "Creates"); job-model.md §8. The only place that judges `Ambiguous`.

use std::time::Duration;

use tokio::time::Instant;

use crate::ambient::{Clock, Reporter};
use crate::error::{Error, Kind, Result};
use crate::journal::{Intent, Journal, Prepared, Subject};
use crate::model::{Job, Marker, Timestamp};
use crate::provider::{Creation, Plan, Provider};

use super::fold;
use super::fold::mask_named;
use super::interrupt::Interrupt;

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
    pub clock: &'a dyn Clock,
    pub reporter: &'a dyn Reporter,
    pub interrupt: &'a Interrupt,
    /// The end of the whole command (`--timeout`): after it nothing can be looked up.
    pub deadline: Option<Instant>,
    /// Pauses before each look-up; three within about 15 s (cli.md §10).
    pub pauses: &'a [Duration],
}

impl Submitter<'_> {
    /// Sends the plan's create once, and returns the job it made or was found to have made.
    pub async fn submit(
        &self,
        provider: &dyn Provider,
        plan: &Plan,
        request: &Request<'_>,
    ) -> Result<Job> {
        let now = self.clock.now();
        let prepared = self.journal.prepare(&Intent {
            subject: Subject::Job,
            attempt: 1,
            marker: plan.marker.clone(),
            key: None,
            provider: plan.provider.clone(),
            backend: plan.backend,
            scope: plan.scope.clone(),
            spec_hash: request.spec_hash,
            name: request.name.map(str::to_owned),
            labels: request.labels.clone(),
            created_at: now,
            time_limit_s: plan.time_limit_s,
            secret_names: request.secret_names.to_vec(),
        })?;
        if matches!(prepared, Prepared::New) {
            self.stage(provider, plan).await?;
        }
        if matches!(prepared, Prepared::Existing(_)) || !self.journal.mark_sending(&plan.marker)? {
            return Err(Error::internal(format!(
                "the fresh marker {} is on record already",
                plan.marker
            )));
        }
        let outcome = tokio::select! {
            outcome = provider.create(plan) => outcome,
            signal = self.interrupt.came() => {
                let error = signal.error("interrupted while the create was on its way");
                self.note_unknown(&plan.marker);
                return Err(unknown_outcome(plan, &error, &[]));
            }
        };
        match outcome {
            Creation::Accepted(job) => Ok(self.accepted(plan, job, request, now)),
            Creation::Refused(error) => {
                let recorded = self.journal.mark_rejected(&plan.marker, error.message());
                self.warn_about_journal(recorded);
                provider.unstage(plan).await;
                Err(error)
            }
            Creation::Ambiguous(error) => self.settle(provider, plan, request, now, error).await,
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
    async fn settle(
        &self,
        provider: &dyn Provider,
        plan: &Plan,
        request: &Request<'_>,
        since: Timestamp,
        cause: Error,
    ) -> Result<Job> {
        self.reporter.warning(&format!(
            "nobody can tell whether the create took ({cause}); looking for the job by its marker {}",
            plan.marker
        ));
        let mut last_failure = None;
        for pause in self.pauses {
            if self
                .deadline
                .is_some_and(|end| Instant::now() + *pause >= end)
            {
                break;
            }
            let look = async {
                tokio::time::sleep(*pause).await;
                provider.find(&plan.marker, &plan.scope, since).await
            };
            let found = tokio::select! {
                found = look => found,
                _ = self.interrupt.came() => break,
            };
            match found {
                Ok(found) => match found.as_slice() {
                    [] => {}
                    [_] => {
                        if let Some(mut job) = found.into_iter().next() {
                            self.reporter
                                .note(&format!("the create did take: adopted {}", job.job_ref));
                            job.adopted = true;
                            return Ok(self.accepted(plan, job, request, since));
                        }
                    }
                    several => {
                        self.note_unknown(&plan.marker);
                        let refs: Vec<String> =
                            several.iter().map(|job| job.job_ref.to_string()).collect();
                        return Err(unknown_outcome(plan, &cause, &refs));
                    }
                },
                Err(error) => last_failure = Some(error),
            }
        }
        self.note_unknown(&plan.marker);
        let mut error = unknown_outcome(plan, &cause, &[]);
        if let Some(failure) = last_failure {
            error = error.with_cause(format!("looking it up failed too: {failure}"));
        }
        Err(error)
    }

    /// Records a job; from here on a journal that cannot be written is a warning, since the job runs.
    ///
    /// `prepared_at` stands in for a time of creation that the provider does not tell: the journal tells the same later.
    fn accepted(
        &self,
        plan: &Plan,
        mut job: Job,
        request: &Request<'_>,
        prepared_at: Timestamp,
    ) -> Job {
        let recorded = self
            .journal
            .mark_submitted(&plan.marker, &job.job_ref, &job.provider_id);
        self.warn_about_journal(recorded);
        if let Some(reading) = &job.reading {
            self.warn_about_journal(self.journal.record_reading(&job.job_ref, reading));
        }
        job.marker = Some(plan.marker.to_string());
        job.raw = mask_named(&job.raw, request.secret_names);
        if let Some(name) = request.name {
            job.name = Some(name.to_owned());
        }
        if job.created_at.is_none() || job.approximate.contains(&fold::CREATED_AT) {
            fold::created_by_our_clock(&mut job, prepared_at);
        }
        job
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

/// The error of cli.md §6, 88: says how to find out, and that nothing was sent twice.
fn unknown_outcome(plan: &Plan, cause: &Error, found: &[String]) -> Error {
    let message = if found.is_empty() {
        format!(
            "the create on `{}` was sent once and nobody can tell whether it took",
            plan.provider
        )
    } else {
        format!(
            "{} jobs on `{}` carry the marker of this one create; none was adopted",
            found.len(),
            plan.provider
        )
    };
    Error::new(Kind::OutcomeUnknown, "outcome_unknown", message)
        .with_provider(&plan.provider)
        .with_marker(plan.marker.to_string())
        .with_candidates(found.to_vec())
        .with_cause(cause)
        .with_hint(format!(
            "look for a job whose name ends in {marker} before you submit again:\n  gpujob status --all -p {provider} -o json --jq '.items[] | select(.marker == \"{marker}\") | .ref'",
            marker = plan.marker,
            provider = plan.provider,
        ))
}
