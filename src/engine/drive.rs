//! The driver of the wait machine: it owns polling, sleeping, Ctrl-C and telling people.

mod recall;
mod waiting;

use std::collections::BTreeMap;

use futures_util::future::join_all;
use tokio::time::Instant;

use crate::ambient::{Clock, Entropy, Reporter};
use crate::error::{Error, Result};
use crate::journal::{Journal, Memory, Observation as Seen};
use crate::model::{Job, ResourceRef, State, Timestamp};
use crate::provider::{Observation, Provider, Tracked};

use super::fold;
use super::interrupt::{Interrupt, Signal};
use super::wait::Met;

pub use recall::Recall;

/// What waiting needs beside the machine.
#[derive(Debug)]
pub struct Driver<'a> {
    pub providers: &'a BTreeMap<String, Box<dyn Provider>>,
    pub journal: &'a Journal,
    pub clock: &'a dyn Clock,
    pub entropy: &'a dyn Entropy,
    pub reporter: &'a dyn Reporter,
    pub interrupt: &'a Interrupt,
    /// The end of the whole command (`--timeout`).
    pub deadline: Option<Instant>,
    /// What this command has seen so far.
    pub recall: Recall,
}

/// Hears what happens while waiting.
pub trait Audience: Send {
    /// A job's state or reason changed.
    fn changed(&mut self, job: &Job);
    /// Waiting goes on: after every poll, and at least every quarter of a minute. `failing` are the providers that do
    /// not answer at present.
    fn beat(&mut self, jobs: &[&Job], failing: &[&str]);
}

/// How waiting ended.
#[derive(Debug)]
pub enum Ending {
    /// What was awaited is there: the jobs whose ends, or whose states, are the result.
    Ended(Vec<Job>),
    /// A condition of `--fail-if` is met; the jobs as they are were left alone.
    Met { met: Met, jobs: Vec<Job> },
    /// Waiting stopped before; the jobs were left alone.
    Stopped {
        error: Error,
        signal: Option<Signal>,
    },
}

impl Driver<'_> {
    /// The present record of each job, asked of all their providers at once, in the order given.
    pub async fn look(&self, refs: &[ResourceRef]) -> Vec<Result<Job>> {
        let mut by_provider: BTreeMap<&str, Vec<ResourceRef>> = BTreeMap::new();
        for job_ref in refs {
            let group = by_provider.entry(job_ref.provider.as_str()).or_default();
            if !group.contains(job_ref) {
                group.push(job_ref.clone());
            }
        }
        let questions = by_provider.into_iter().map(|(name, group)| async move {
            let answers = self.observe(name, &group, None).await;
            (group, answers)
        });
        let mut found: BTreeMap<ResourceRef, Result<Job>> = BTreeMap::new();
        for (group, answers) in join_all(questions).await {
            match answers {
                Ok(answers) => found.extend(group.into_iter().zip(answers)),
                Err(error) => found.extend(
                    group
                        .into_iter()
                        .map(|job_ref| (job_ref, Err(error.clone()))),
                ),
            }
        }
        refs.iter()
            .map(|job_ref| {
                found
                    .get(job_ref)
                    .cloned()
                    .unwrap_or_else(|| Err(fold::not_found(job_ref)))
            })
            .collect()
    }

    /// Keeps what a list saw, as a look does: it may be the second of two looks that make a fact.
    pub fn saw(&self, jobs: &[Job]) {
        let memories: Vec<Option<Memory>> =
            jobs.iter().map(|job| self.memory(&job.job_ref)).collect();
        let seen: Vec<Result<Job>> = jobs.iter().cloned().map(Ok).collect();
        let missing = vec![false; jobs.len()];
        self.remember(&seen, &missing, &memories, self.clock.now());
    }

    async fn observe(
        &self,
        provider: &str,
        refs: &[ResourceRef],
        start_by: Option<Timestamp>,
    ) -> Result<Vec<Result<Job>>> {
        let memories: Vec<Option<Memory>> = refs
            .iter()
            .map(|job_ref| self.recall.completed(job_ref, self.memory(job_ref)))
            .collect();
        let tracked: Vec<Tracked> = refs
            .iter()
            .zip(&memories)
            .map(|(job_ref, memory)| Tracked {
                start_by,
                ..fold::tracked(job_ref, memory.as_ref())
            })
            .collect();
        let observations = self.provider(provider)?.observe(&tracked).await?;
        let missing: Vec<bool> = observations
            .iter()
            .map(|observation| matches!(observation, Observation::Missing))
            .collect();
        let now = self.clock.now();
        let jobs: Vec<Result<Job>> = refs
            .iter()
            .zip(&memories)
            .zip(observations)
            .map(|((job_ref, memory), observation): (_, Observation)| {
                let is_missing = matches!(observation, Observation::Missing);
                let job = fold::fold(job_ref, observation, memory.as_ref(), now)?;
                if is_missing {
                    return Ok(self.recall.kept(job_ref, job));
                }
                self.recall.saw(job_ref, &job);
                Ok(job)
            })
            .collect();
        self.remember(&jobs, &missing, &memories, now);
        Ok(jobs)
    }

    /// Writes down what is new: jobs seen for the first time, or in another state. A durable write costs more than the
    /// look itself, so a look that tells nothing new writes nothing.
    fn remember(
        &self,
        jobs: &[Result<Job>],
        missing: &[bool],
        memories: &[Option<Memory>],
        now: Timestamp,
    ) {
        let news: Vec<Seen> = jobs
            .iter()
            .zip(missing)
            .zip(memories)
            .filter_map(|((job, missing), memory)| {
                Some((seen(job.as_ref().ok()?, *missing, memory.as_ref())?, memory))
            })
            .filter(|(seen, memory)| {
                memory.as_ref().is_none_or(|memory| {
                    memory.last_state != Some(seen.state) || memory.finished != seen.terminal
                })
            })
            .map(|(seen, _)| seen)
            .collect();
        let mut recorded = self.journal.record_observations(&news, now);
        for (job, memory) in jobs.iter().zip(memories) {
            let known = memory.as_ref().and_then(|memory| memory.reading.as_ref());
            if let Ok(Job {
                job_ref,
                reading: Some(reading),
                ..
            }) = job
                && known != Some(reading)
            {
                recorded = recorded.and(self.journal.record_reading(job_ref, reading));
            }
        }
        if let Err(error) = recorded {
            self.reporter
                .detail(1, &format!("the journal could not be written: {error}"));
        }
    }

    fn memory(&self, job_ref: &ResourceRef) -> Option<Memory> {
        match self.journal.memory(job_ref) {
            Ok(memory) => memory,
            Err(error) => {
                self.reporter
                    .warning(&format!("the journal could not be read: {error}"));
                None
            }
        }
    }

    fn provider(&self, name: &str) -> Result<&dyn Provider> {
        self.providers
            .get(name)
            .map(|provider| &**provider)
            .ok_or_else(|| Error::internal(format!("provider `{name}` was not opened")))
    }
}

/// What a look tells the journal. That a job is missing is no reading of its state: the last one known stays.
fn seen(job: &Job, missing: bool, memory: Option<&Memory>) -> Option<Seen> {
    if missing && !job.terminal {
        return None;
    }
    let last_state = memory
        .and_then(|memory| memory.last_state)
        .filter(|_| missing && job.state == State::Unknown);
    Some(Seen {
        job_ref: job.job_ref.clone(),
        state: last_state.unwrap_or(job.state),
        terminal: job.terminal,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_job_that_is_missing_keeps_its_last_state_in_the_journal() {
        let memory = Memory {
            last_state: Some(State::Running),
            ..Memory::default()
        };
        let told = |state: State, terminal: bool, missing: bool| {
            let job_ref = ResourceRef::new("paracloud", ["k8r2wq", "NC-N30", "p6vd2hcn"]);
            let mut job = Job::new(job_ref, "p6vd2hcn", state);
            job.terminal = terminal;
            seen(&job, missing, Some(&memory)).map(|seen| (seen.state, seen.terminal))
        };
        // Not listed yet, gone, gone after a cancel.
        assert_eq!(told(State::Pending, false, true), None);
        assert_eq!(
            told(State::Unknown, true, true),
            Some((State::Running, true))
        );
        assert_eq!(
            told(State::Cancelled, true, true),
            Some((State::Cancelled, true))
        );
        // What the provider says counts, even if it is little.
        assert_eq!(
            told(State::Unknown, false, false),
            Some((State::Unknown, false))
        );
    }
}
