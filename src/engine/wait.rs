//! The wait machine: observations and poll failures in, polls, pauses and an end out. Pure; time is an argument.
//!
//! A poll that failed is never a job that failed (cli.md §5). Intervals are those of job-model.md §6.1. Providers are
//! independent: one that is slow, throttled or down holds up nobody else's jobs.

mod condition;
mod goal;
mod group;

use std::collections::BTreeSet;
use std::time::Duration;

use crate::error::{Error, Kind};
use crate::model::{Job, ResourceRef, State, Timestamp};
use crate::provider::Polling;
use crate::spec::quote::quote_word;

pub use condition::{Condition, Met, is_waiting};
pub use goal::{Goal, Until};

pub use group::is_news;

use group::{Group, Told};

/// What a waiting command was told to do.
#[derive(Debug, Clone)]
pub struct Settings {
    /// `--poll`: the first pause.
    pub first: Option<Duration>,
    /// `--poll-failures`: how long failing polls are tolerated.
    pub tolerance: Duration,
    /// `--start-timeout`: how long a job may wait for resources, counted from the start of waiting.
    pub start_within: Option<Duration>,
    /// What is awaited.
    pub goal: Goal,
    /// `--fail-if`: what ends the wait early.
    pub fail_if: Vec<Condition>,
    /// When waiting began; a job that was created before has been pending for longer than it was watched.
    pub begun_at: Option<Timestamp>,
}

impl Settings {
    /// The time of `--start-timeout`, for providers that judge by themselves whether a job starts too late.
    pub fn start_by(&self) -> Option<Timestamp> {
        let within = jiff::SignedDuration::try_from(self.start_within?).ok()?;
        self.begun_at?.checked_add(within).ok()
    }

    /// The command that waits for the same of these jobs, from any machine, as a shell reads it.
    pub fn command(&self, refs: &[ResourceRef]) -> String {
        let Goal { until, any } = self.goal;
        let until = until.word().map(|word| format!("--until {word}"));
        let any = any.then(|| "--any".to_owned());
        let fail_if = self
            .fail_if
            .iter()
            .map(|condition| format!("--fail-if {}", quote_word(&condition.to_string())));
        let refs = refs.iter().map(|job_ref| quote_word(&job_ref.to_string()));
        let words: Vec<String> = until
            .into_iter()
            .chain(any)
            .chain(fail_if)
            .chain(refs)
            .collect();
        format!("gpujob wait {}", words.join(" "))
    }
}

/// What to do next.
#[derive(Debug, Clone, PartialEq)]
pub enum Next {
    /// Ask this group's provider now, and say so with [`Watch::asked`].
    Poll(usize),
    /// Nothing is due for so long, but an answer may come.
    Sleep(Duration),
    /// Every group that is open has been asked: only an answer brings more.
    Listen,
    /// What was awaited is there.
    Ended,
    /// A condition of `--fail-if` is met.
    Met(Met),
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
    /// Polls have begun to fail and are repeated; said once for an outage.
    PollFailed { provider: String, error: Error },
    /// A poll worked again, so long after the first that failed.
    Recovered { provider: String, after: Duration },
}

/// The machine.
#[derive(Debug)]
pub struct Watch {
    settings: Settings,
    groups: Vec<Group>,
    /// Unknown words that were told already.
    words: BTreeSet<String>,
    /// The job that came first, under `--any`.
    winner: Option<ResourceRef>,
    met: Option<Met>,
    gave_up: Option<Error>,
}

impl Watch {
    /// A machine over jobs grouped by provider.
    pub fn new(settings: Settings, groups: Vec<(String, Polling, Vec<ResourceRef>)>) -> Self {
        let groups = groups
            .into_iter()
            .map(|(provider, polling, refs)| {
                let interval = first_interval(&settings, &polling);
                Group::new(provider, polling, interval, refs)
            })
            .collect();
        Self {
            settings,
            groups,
            words: BTreeSet::new(),
            winner: None,
            met: None,
            gave_up: None,
        }
    }

    /// What to do at `now`, counted from the start of waiting.
    pub fn next(&self, now: Duration) -> Next {
        if let Some(met) = &self.met {
            return Next::Met(met.clone());
        }
        if self.winner.is_some() || self.groups.iter().all(|group| !group.is_open()) {
            return Next::Ended;
        }
        if let Some(error) = &self.gave_up {
            return Next::GaveUp(error.clone());
        }
        let idle = self
            .groups
            .iter()
            .enumerate()
            .filter(|(_, group)| group.is_open() && !group.is_asked);
        match idle.min_by_key(|(_, group)| group.due) {
            None => Next::Listen,
            Some((index, group)) if group.due <= now => Next::Poll(index),
            Some((_, group)) => Next::Sleep(group.due.saturating_sub(now)),
        }
    }

    /// The first job that still waits for resources though it should have started by now.
    pub fn late(&self, now: Duration) -> Option<&ResourceRef> {
        let limit = self.settings.start_within?;
        if now < limit {
            return None;
        }
        self.groups.iter().find_map(|group| group.late(limit))
    }

    /// A group's provider is being asked.
    pub fn asked(&mut self, group: usize, now: Duration) {
        if let Some(group) = self.groups.get_mut(group) {
            group.is_asked = true;
            group.asked_at = Some(now);
        }
    }

    /// How long a poll of a group that begins at `now` may go on repeating what fails.
    pub fn patience(&self, group: usize, tolerance: Duration, now: Duration) -> Duration {
        let since = self.groups.get(group).and_then(|group| group.failing_since);
        tolerance.saturating_sub(since.map_or(Duration::ZERO, |since| now.saturating_sub(since)))
    }

    /// The jobs of a group of which something is awaited.
    pub fn open_jobs(&self, group: usize) -> Vec<ResourceRef> {
        self.groups.get(group).map_or_else(Vec::new, |group| {
            let open = group.jobs.iter().filter(|job| !job.is_done);
            open.map(|job| job.job_ref.clone()).collect()
        })
    }

    /// The provider of a group.
    pub fn provider(&self, group: usize) -> &str {
        self.groups
            .get(group)
            .map_or("", |group| group.provider.as_str())
    }

    /// The providers whose polls fail at present.
    pub fn failing(&self) -> Vec<&str> {
        let failing = self
            .groups
            .iter()
            .filter(|group| group.failing_since.is_some());
        failing.map(|group| group.provider.as_str()).collect()
    }

    /// The last record of every job, in the order asked; jobs never seen are left out.
    pub fn jobs(&self) -> Vec<&Job> {
        self.groups
            .iter()
            .flat_map(|group| group.jobs.iter().filter_map(|job| job.last.as_ref()))
            .collect()
    }

    /// The jobs whose records are the result: under `--any` the one that came first.
    pub fn result(&self) -> Vec<&Job> {
        let mut jobs = self.jobs();
        if let Some(winner) = &self.winner {
            jobs.retain(|job| job.job_ref == *winner);
        }
        jobs
    }

    /// Takes a poll's records. `fraction` is random, in `0.0..1.0`, for the jitter.
    pub fn observed(
        &mut self,
        group: usize,
        jobs: Vec<Job>,
        now: Duration,
        fraction: f64,
    ) -> Vec<Event> {
        let Some(asked) = self.groups.get_mut(group) else {
            return Vec::new();
        };
        asked.is_asked = false;
        let mut events = Vec::new();
        if let Some(since) = asked.failing_since.take() {
            events.push(Event::Recovered {
                provider: asked.provider.clone(),
                after: now.saturating_sub(since),
            });
        }
        let (told, changed) = self.take(group, jobs, now);
        events.extend(told);
        if let Some(group) = self.groups.get_mut(group) {
            group.schedule(&self.settings, changed, now, fraction);
        }
        events
    }

    /// Takes a poll that read some of the jobs: they count as they are, and for the others it has failed.
    pub fn partly_observed(
        &mut self,
        group: usize,
        jobs: Vec<Job>,
        error: Error,
        now: Duration,
        fraction: f64,
    ) -> Vec<Event> {
        let (mut events, _) = self.take(group, jobs, now);
        events.extend(self.poll_failed(group, error, now, fraction));
        events
    }

    /// Takes records, and tells whether any says something new.
    fn take(&mut self, group: usize, jobs: Vec<Job>, now: Duration) -> (Vec<Event>, bool) {
        let mut events = Vec::new();
        let mut changed = false;
        let Some(group) = self.groups.get_mut(group) else {
            return (events, changed);
        };
        for job in jobs {
            if let Some(word) = unknown_word(&job)
                && self.words.insert(word.clone())
            {
                let job_ref = job.job_ref.clone();
                events.push(Event::UnknownWord { job_ref, word });
            }
            match group.take(job, &self.settings, now) {
                Told::Nothing => {}
                Told::Change(job) => {
                    changed = true;
                    events.push(Event::Changed(job));
                }
            }
        }
        if self.settings.goal.any && self.winner.is_none() {
            let first = group.jobs.iter().find(|job| job.is_done);
            self.winner = first.map(|job| job.job_ref.clone());
        }
        if self.met.is_none() {
            self.met = group.met(&self.settings.fail_if, now);
        }
        (events, changed)
    }

    /// The provider's record of a job that was asked for has another ref: the job's own, which counts from now on.
    pub fn is_named(&mut self, group: usize, asked: &ResourceRef, own: &ResourceRef) {
        if let Some(group) = self.groups.get_mut(group) {
            group.is_named(asked, own);
        }
    }

    /// The question cannot be asked again with another outcome.
    pub fn give_up(&mut self, error: Error) {
        self.gave_up.get_or_insert(error);
    }

    /// Takes the reasons that a job's events tell; they count while it is not running.
    pub fn told(&mut self, group: usize, job_ref: &ResourceRef, reasons: &[String]) {
        let Some(group) = self.groups.get(group) else {
            return;
        };
        if self.met.is_none() {
            self.met = group.met_by(&self.settings.fail_if, job_ref, reasons);
        }
    }

    /// Takes a failed poll: announced once, tolerated for a while, and never mistaken for a failed job.
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
        group.is_asked = false;
        let is_first = group.failing_since.is_none();
        // It has been failing since it was asked: the time of its repeats counts.
        let asked_at = group.asked_at.unwrap_or(now);
        let since = *group.failing_since.get_or_insert(asked_at);
        // A fault of the configuration that was there from the beginning will not pass by itself.
        let is_lasting = error.kind() == Kind::Config && !group.is_known();
        if is_lasting || !is_tolerated(error.kind()) {
            self.gave_up = Some(error);
            return Vec::new();
        }
        if now.saturating_sub(since) >= self.settings.tolerance {
            self.gave_up = Some(out_of_patience(error));
            return Vec::new();
        }
        group.schedule(&self.settings, false, now, fraction);
        if let Some(wish) = error.details().retry_after {
            group.spare(wish, since + self.settings.tolerance, now);
        }
        if !is_first {
            return Vec::new();
        }
        vec![Event::PollFailed {
            provider: group.provider.clone(),
            error,
        }]
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
pub fn is_tolerated(kind: Kind) -> bool {
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
