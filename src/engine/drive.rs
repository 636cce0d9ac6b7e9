//! The driver of the wait machine: it owns polling, sleeping, Ctrl-C and telling people.

use std::collections::BTreeMap;
use std::time::Duration;

use futures_util::future::join_all;
use tokio::time::Instant;

use crate::ambient::{Clock, Entropy, Reporter};
use crate::error::{Error, Kind, Result};
use crate::journal::{Journal, Memory, Observation as Seen};
use crate::model::{Job, ResourceRef, State, Timestamp};
use crate::provider::{Observation, Provider};

use super::fold;
use super::interrupt::{Interrupt, Signal};
use super::wait::{Event, Next, Settings, Watch};

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
}

/// Hears what happens while waiting.
pub trait Audience: Send {
    /// A job's state or reason changed.
    fn changed(&mut self, job: &Job);
    /// A poll came back, changed or not.
    fn polled(&mut self, jobs: &[&Job]);
}

/// How waiting ended.
#[derive(Debug)]
pub enum Ending {
    /// Every job has ended.
    Ended(Vec<Job>),
    /// Waiting stopped before; the jobs were left alone.
    Stopped {
        error: Error,
        signal: Option<Signal>,
    },
}

impl Driver<'_> {
    /// Polls until every job has ended, or waiting itself must stop.
    pub async fn wait(
        &self,
        refs: &[ResourceRef],
        settings: Settings,
        audience: &mut dyn Audience,
    ) -> Result<Ending> {
        let start = Instant::now();
        let mut watch = Watch::new(settings, self.grouped(refs)?);
        loop {
            let now = start.elapsed();
            if let Some(job_ref) = watch.late(now) {
                return Ok(Ending::Stopped {
                    error: left_alone(not_started(job_ref), refs),
                    signal: None,
                });
            }
            let stopped = match watch.next(now) {
                Next::Ended => return Ok(Ending::Ended(in_order(refs, &watch))),
                Next::GaveUp(error) => {
                    return Ok(Ending::Stopped {
                        error: gave_up(error, refs),
                        signal: None,
                    });
                }
                Next::Poll(group) => {
                    tokio::select! {
                        polled = self.poll(&watch, group) => {
                            self.take(&mut watch, group, polled, start.elapsed(), audience);
                            audience.polled(&watch.jobs());
                            None
                        }
                        stopped = self.stopped(refs) => Some(stopped),
                    }
                }
                Next::Sleep(pause) => {
                    tokio::select! {
                        () = tokio::time::sleep(pause) => None,
                        stopped = self.stopped(refs) => Some(stopped),
                    }
                }
            };
            if let Some(ending) = stopped {
                return Ok(ending);
            }
        }
    }

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
            let answers = self.observe(name, &group).await;
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

    async fn observe(&self, provider: &str, refs: &[ResourceRef]) -> Result<Vec<Result<Job>>> {
        let memories: Vec<Option<Memory>> =
            refs.iter().map(|job_ref| self.memory(job_ref)).collect();
        let tracked: Vec<_> = refs
            .iter()
            .zip(&memories)
            .map(|(job_ref, memory)| fold::tracked(job_ref, memory.as_ref()))
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
                fold::fold(job_ref, observation, memory.as_ref(), now)
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

    /// One poll of one group: the records, or why there are none.
    async fn poll(&self, watch: &Watch, group: usize) -> Result<Vec<Job>> {
        self.observe(watch.provider(group), &watch.open_jobs(group))
            .await?
            .into_iter()
            .collect()
    }

    fn take(
        &self,
        watch: &mut Watch,
        group: usize,
        polled: Result<Vec<Job>>,
        now: Duration,
        audience: &mut dyn Audience,
    ) {
        let fraction = self.entropy.fraction();
        let events = match polled {
            Ok(jobs) => watch.observed(group, jobs, now, fraction),
            Err(error) => watch.poll_failed(group, error, now, fraction),
        };
        for event in events {
            match event {
                Event::Changed(job) => audience.changed(&job),
                Event::UnknownWord { job_ref, word } => self.reporter.warning(&format!(
                    "{job_ref} is `{word}`, a state that this version does not know; waiting goes on"
                )),
                Event::PollFailed { provider, error } => self.reporter.warning(&format!(
                    "could not ask `{provider}` ({error}); the job may be fine, asking again"
                )),
                Event::Recovered { provider } => {
                    self.reporter.note(&format!("`{provider}` answers again"));
                }
            }
        }
    }

    /// Ctrl-C, SIGTERM or the end of `--timeout`, whichever comes first.
    async fn stopped(&self, refs: &[ResourceRef]) -> Ending {
        let timed_out = async {
            match self.deadline {
                Some(deadline) => tokio::time::sleep_until(deadline).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            signal = self.interrupt.came() => Ending::Stopped {
                error: left_alone(signal.error("interrupted; what was waited for goes on"), refs),
                signal: Some(signal),
            },
            () = timed_out => Ending::Stopped {
                error: left_alone(
                    Error::new(Kind::Timeout, "timeout", "`--timeout` ran out; what was waited for goes on"),
                    refs,
                ),
                signal: None,
            },
        }
    }

    fn grouped(
        &self,
        refs: &[ResourceRef],
    ) -> Result<Vec<(String, crate::provider::Polling, Vec<ResourceRef>)>> {
        let mut groups: Vec<(String, crate::provider::Polling, Vec<ResourceRef>)> = Vec::new();
        for job_ref in refs {
            match groups
                .iter_mut()
                .find(|(name, ..)| *name == job_ref.provider)
            {
                Some((_, _, group)) if group.contains(job_ref) => {}
                Some((_, _, group)) => group.push(job_ref.clone()),
                None => {
                    let polling = self.provider(&job_ref.provider)?.polling();
                    groups.push((job_ref.provider.clone(), polling, vec![job_ref.clone()]));
                }
            }
        }
        Ok(groups)
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

/// The last records in the order the refs were given.
fn in_order(refs: &[ResourceRef], watch: &Watch) -> Vec<Job> {
    let jobs = watch.jobs();
    refs.iter()
        .filter_map(|job_ref| jobs.iter().find(|job| job.job_ref == *job_ref))
        .map(|job| (*job).clone())
        .collect()
}

fn not_started(job_ref: &ResourceRef) -> Error {
    Error::new(
        Kind::Timeout,
        "start_timeout",
        format!("`--start-timeout` ran out before {job_ref} had its resources; `gpujob cancel` gives up its place"),
    )
    .with_provider(&job_ref.provider)
}

fn gave_up(error: Error, refs: &[ResourceRef]) -> Error {
    left_alone(error, refs)
}

/// Adds the line that waits again.
fn left_alone(error: Error, refs: &[ResourceRef]) -> Error {
    let list: Vec<String> = refs.iter().map(ToString::to_string).collect();
    let error = match list.as_slice() {
        [only] => error.with_job(only.clone()),
        _ => error,
    };
    error.with_hint(format!(
        "the job was left alone; to wait again:\n  gpujob wait {}",
        list.join(" ")
    ))
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
