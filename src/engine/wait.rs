//! The wait machine: observations and poll failures in, polls, pauses and an end out. Pure; time is an argument.
//!
//! A poll that failed is never a job that failed (cli.md §5). Intervals are those of job-model.md §6.1.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::error::{Error, Kind};
use crate::model::{Flag, Job, ResourceRef, State};
use crate::provider::Polling;

/// How long a job that was seen must stay missing before it counts as gone (paracloud.md §5.3).
const GONE_AFTER: Duration = Duration::from_secs(10);
const LATE_AFTER: Duration = Duration::from_secs(600);
const GROWTH: f64 = 1.5;
const JITTER: f64 = 0.1;
/// Against the sandbox the pauses stay near the one that was asked for.
const LOOPBACK_CAP: u32 = 4;

/// What a waiting command was told to do.
#[derive(Debug, Clone, Copy)]
pub struct Settings {
    /// `--poll`: the first pause.
    pub first: Option<Duration>,
    /// `--poll-failures`: how long failing polls are tolerated.
    pub tolerance: Duration,
    /// `--start-timeout`: how long a job may wait for resources, counted from the start of waiting.
    pub start_within: Option<Duration>,
}

/// What to do next.
#[derive(Debug, Clone, PartialEq)]
pub enum Next {
    /// Ask this group's provider now.
    Poll(usize),
    /// Nothing is due for so long.
    Sleep(Duration),
    /// Every job has ended.
    Ended,
    /// Polls failed for too long, or in a way that repeating cannot mend.
    GaveUp(Error),
}

/// Something people want to hear.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// A job's state or reason changed.
    Changed(Box<Job>),
    /// A provider's own word for a state is not known here; said once, and it ends nothing (pai-dlc.md §4.1).
    UnknownWord { job_ref: ResourceRef, word: String },
    /// A poll failed and is repeated.
    PollFailed { provider: String, error: Error },
    /// A poll worked again.
    Recovered { provider: String },
}

/// The machine.
#[derive(Debug)]
pub struct Watch {
    settings: Settings,
    groups: Vec<Group>,
    /// Unknown words that were told already.
    words: BTreeSet<String>,
    gave_up: Option<Error>,
}

/// The jobs of one provider, asked for together.
#[derive(Debug)]
struct Group {
    provider: String,
    polling: Polling,
    jobs: Vec<Watched>,
    interval: Duration,
    due: Duration,
    failing_since: Option<Duration>,
}

#[derive(Debug)]
struct Watched {
    job_ref: ResourceRef,
    last: Option<Job>,
    missing_since: Option<Duration>,
    ended: bool,
}

impl Watch {
    /// A machine over jobs grouped by provider.
    pub fn new(settings: Settings, groups: Vec<(String, Polling, Vec<ResourceRef>)>) -> Self {
        let groups = groups
            .into_iter()
            .map(|(provider, polling, refs)| Group {
                interval: first_interval(&settings, &polling),
                provider,
                polling,
                jobs: refs
                    .into_iter()
                    .map(|job_ref| Watched {
                        job_ref,
                        last: None,
                        missing_since: None,
                        ended: false,
                    })
                    .collect(),
                due: Duration::ZERO,
                failing_since: None,
            })
            .collect();
        Self {
            settings,
            groups,
            words: BTreeSet::new(),
            gave_up: None,
        }
    }

    /// What to do at `now`, counted from the start of waiting.
    pub fn next(&self, now: Duration) -> Next {
        if let Some(error) = &self.gave_up {
            return Next::GaveUp(error.clone());
        }
        let open = self
            .groups
            .iter()
            .enumerate()
            .filter(|(_, group)| group.is_open());
        match open.min_by_key(|(_, group)| group.due) {
            None => Next::Ended,
            Some((index, group)) if group.due <= now => Next::Poll(index),
            Some((_, group)) => Next::Sleep(self.until_late(now, group.due.saturating_sub(now))),
        }
    }

    /// A pause no longer than what is left of `--start-timeout`.
    fn until_late(&self, now: Duration, pause: Duration) -> Duration {
        match self.settings.start_within {
            Some(limit) if limit > now => pause.min(limit.saturating_sub(now)),
            Some(_) | None => pause,
        }
    }

    /// The first job that still waits for resources though it should have started by now.
    pub fn late(&self, now: Duration) -> Option<&ResourceRef> {
        let limit = self.settings.start_within?;
        let waits = |job: &&Watched| {
            let state = job.last.as_ref().map(|job| job.state);
            !job.ended && matches!(state, Some(State::Pending | State::Starting))
        };
        let mut jobs = self.groups.iter().flat_map(|group| &group.jobs);
        (now >= limit)
            .then(|| jobs.find(waits))
            .flatten()
            .map(|job| &job.job_ref)
    }

    /// The jobs of a group that have not ended.
    pub fn open_jobs(&self, group: usize) -> Vec<ResourceRef> {
        self.groups.get(group).map_or_else(Vec::new, |group| {
            group
                .jobs
                .iter()
                .filter(|job| !job.ended)
                .map(|job| job.job_ref.clone())
                .collect()
        })
    }

    /// The provider of a group.
    pub fn provider(&self, group: usize) -> &str {
        self.groups
            .get(group)
            .map_or("", |group| group.provider.as_str())
    }

    /// The last record of every job, in the order asked; jobs never seen are left out.
    pub fn jobs(&self) -> Vec<&Job> {
        self.groups
            .iter()
            .flat_map(|group| group.jobs.iter().filter_map(|job| job.last.as_ref()))
            .collect()
    }

    /// Takes a poll's records. `fraction` is random, in `0.0..1.0`, for the jitter.
    pub fn observed(
        &mut self,
        group: usize,
        jobs: Vec<Job>,
        now: Duration,
        fraction: f64,
    ) -> Vec<Event> {
        let Some(group) = self.groups.get_mut(group) else {
            return Vec::new();
        };
        let mut events = Vec::new();
        if group.failing_since.take().is_some() {
            events.push(Event::Recovered {
                provider: group.provider.clone(),
            });
        }
        let mut changed = false;
        for job in jobs {
            if let Some(word) = unknown_word(&job)
                && self.words.insert(word.clone())
            {
                let job_ref = job.job_ref.clone();
                events.push(Event::UnknownWord { job_ref, word });
            }
            changed |= group.take(job, now, &mut events);
        }
        group.schedule(&self.settings, changed, now, fraction);
        events
    }

    /// Takes a failed poll: announced, tolerated for a while, and never mistaken for a failed job.
    pub fn poll_failed(
        &mut self,
        group: usize,
        error: Error,
        now: Duration,
        fraction: f64,
    ) -> Vec<Event> {
        let Some(group) = self.groups.get_mut(group) else {
            return Vec::new();
        };
        let since = *group.failing_since.get_or_insert(now);
        if !is_tolerated(error.kind()) {
            self.gave_up = Some(error);
            return Vec::new();
        }
        if now.saturating_sub(since) >= self.settings.tolerance {
            self.gave_up = Some(out_of_patience(error));
            return Vec::new();
        }
        group.schedule(&self.settings, false, now, fraction);
        vec![Event::PollFailed {
            provider: group.provider.clone(),
            error,
        }]
    }
}

impl Group {
    fn is_open(&self) -> bool {
        self.jobs.iter().any(|job| !job.ended)
    }

    /// Stores one record; tells whether its state changed.
    fn take(&mut self, job: Job, now: Duration, events: &mut Vec<Event>) -> bool {
        let patience = if self.polling.loopback {
            self.interval
        } else {
            GONE_AFTER
        };
        let Some(watched) = self
            .jobs
            .iter_mut()
            .find(|watched| watched.job_ref == job.job_ref)
        else {
            return false;
        };
        let vanished = job.state == State::Unknown && job.flags.contains(&Flag::Gone);
        let since = if vanished {
            *watched.missing_since.get_or_insert(now)
        } else {
            now
        };
        if !vanished {
            watched.missing_since = None;
        }
        // A job once seen, by this command or before it, must stay missing for a while before it counts as gone.
        if vanished && now.saturating_sub(since) < patience {
            return false;
        }
        let changed = watched.last.as_ref().is_none_or(|last| {
            (last.state, &last.raw_state, &last.reason, &last.message)
                != (job.state, &job.raw_state, &job.reason, &job.message)
        });
        watched.ended = job.terminal;
        if changed {
            events.push(Event::Changed(Box::new(job.clone())));
        }
        watched.last = Some(job);
        changed
    }

    fn schedule(&mut self, settings: &Settings, changed: bool, now: Duration, fraction: f64) {
        let first = first_interval(settings, &self.polling);
        let cap = match settings.first {
            Some(_) if self.polling.loopback => first * LOOPBACK_CAP,
            _ if now >= LATE_AFTER => self.polling.late_cap,
            _ => self.polling.cap,
        };
        self.interval = if changed {
            first
        } else {
            self.interval.mul_f64(GROWTH).min(cap.max(first))
        };
        let jittered = self.interval.mul_f64(1.0 + JITTER * (2.0 * fraction - 1.0));
        let floor = if self.polling.loopback {
            Duration::ZERO
        } else {
            self.polling.floor
        };
        self.due = now + jittered.max(floor);
    }
}

/// `--poll` below the provider's own minimum counts only against loopback (cli.md §10, "Polling").
fn first_interval(settings: &Settings, polling: &Polling) -> Duration {
    match settings.first {
        Some(wanted) if polling.loopback => wanted,
        Some(wanted) => wanted.max(polling.first),
        None => polling.first,
    }
}

/// A word for a state that is going on, where it is not simply `Unknown`.
fn unknown_word(job: &Job) -> Option<String> {
    if job.state != State::Unknown || job.terminal {
        return None;
    }
    let word = job.raw_state.as_str()?;
    (!word.is_empty() && !word.eq_ignore_ascii_case(State::Unknown.as_str()))
        .then(|| word.to_owned())
}

/// Polls that failed for too long end with `temporary`, or `protocol` if the last was one (cli.md §10).
pub(super) fn out_of_patience(error: Error) -> Error {
    if error.kind() == Kind::Protocol {
        error
    } else {
        error.with_kind(Kind::Temporary).with_retryable(true)
    }
}

/// Whatever a poll says may pass; a refused credential, an unknown job and the end of `--timeout` will not.
pub(super) fn is_tolerated(kind: Kind) -> bool {
    match kind {
        Kind::Temporary | Kind::Protocol | Kind::Rejected | Kind::Capacity | Kind::Config => true,
        Kind::Usage
        | Kind::Spec
        | Kind::NotFound
        | Kind::Auth
        | Kind::OutcomeUnknown
        | Kind::Internal
        | Kind::JobFailed
        | Kind::JobCancelled
        | Kind::ResultUnknown
        | Kind::Timeout
        | Kind::Interrupted
        | Kind::Terminated => false,
    }
}

#[cfg(test)]
mod tests;
