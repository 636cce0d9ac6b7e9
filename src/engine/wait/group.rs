//! The jobs of one provider, which are asked for together, and when they are asked for next. Pure.

use std::time::Duration;

use crate::model::{Flag, Job, ResourceRef, State};
use crate::provider::Polling;
use crate::spec::units::format_duration;

use super::condition::{Condition, Met, is_waiting};
use super::{Settings, first_interval};

/// How long a job that was seen must stay missing before it counts as gone (paracloud.md §5.3).
const GONE_AFTER: Duration = Duration::from_secs(10);
const LATE_AFTER: Duration = Duration::from_secs(600);
const GROWTH: f64 = 1.5;
const JITTER: f64 = 0.1;
/// Against the sandbox the pauses stay near the one that was asked for.
const LOOPBACK_CAP: u32 = 4;

/// The jobs of one provider, asked for together.
#[derive(Debug)]
pub(super) struct Group {
    pub(super) provider: String,
    polling: Polling,
    pub(super) jobs: Vec<Watched>,
    interval: Duration,
    pub(super) due: Duration,
    pub(super) failing_since: Option<Duration>,
    /// A question is on its way.
    pub(super) is_asked: bool,
    /// When the last question was asked.
    pub(super) asked_at: Option<Duration>,
}

/// One job.
#[derive(Debug)]
pub(super) struct Watched {
    pub(super) job_ref: ResourceRef,
    pub(super) last: Option<Job>,
    missing_since: Option<Duration>,
    misses: u32,
    waiting: Option<Waiting>,
    seen_at: Duration,
    /// It has ended, or reached what was awaited.
    pub(super) is_done: bool,
}

/// A time without running.
#[derive(Debug, Clone, Copy)]
struct Waiting {
    /// When it was first seen so.
    since: Duration,
    /// How long it had been so by then.
    before: Duration,
}

/// What a record tells.
#[derive(Debug)]
pub(super) enum Told {
    Nothing,
    Change(Box<Job>),
}

impl Group {
    pub(super) fn new(
        provider: String,
        polling: Polling,
        interval: Duration,
        refs: Vec<ResourceRef>,
    ) -> Self {
        Self {
            provider,
            polling,
            jobs: refs.into_iter().map(Watched::new).collect(),
            interval,
            due: Duration::ZERO,
            failing_since: None,
            is_asked: false,
            asked_at: None,
        }
    }

    pub(super) fn is_open(&self) -> bool {
        self.jobs.iter().any(|job| !job.is_done)
    }

    /// Whether any record has come so far.
    pub(super) fn is_known(&self) -> bool {
        self.jobs.iter().any(|job| job.last.is_some())
    }

    /// Takes over a job's own ref; a job that was asked for twice is one.
    pub(super) fn is_named(&mut self, asked: &ResourceRef, own: &ResourceRef) {
        let is_there = self.jobs.iter().any(|job| job.job_ref == *own);
        if is_there {
            self.jobs.retain(|job| job.job_ref != *asked);
        } else if let Some(job) = self.jobs.iter_mut().find(|job| job.job_ref == *asked) {
            job.job_ref = own.clone();
        }
    }

    /// Stores one record.
    pub(super) fn take(&mut self, job: Job, settings: &Settings, now: Duration) -> Told {
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
            return Told::Nothing;
        };
        let vanished = job.state == State::Unknown && job.flags.contains(&Flag::Gone);
        if vanished {
            watched.misses += 1;
            let since = *watched.missing_since.get_or_insert(now);
            // A job once seen, by this command or before it, must stay missing for a while before it counts as gone.
            if watched.misses < self.polling.misses || now.saturating_sub(since) < patience {
                return Told::Nothing;
            }
        } else {
            watched.misses = 0;
            watched.missing_since = None;
        }
        let changed = watched.last.as_ref().is_none_or(|last| is_news(last, &job));
        watched.note(&job, settings, now);
        watched.last = Some(job.clone());
        if changed {
            Told::Change(Box::new(job))
        } else {
            Told::Nothing
        }
    }

    /// The first job that was seen waiting after the limit, or is not seen any more because polls fail.
    pub(super) fn late(&self, limit: Duration) -> Option<&ResourceRef> {
        let late = |job: &&Watched| {
            let is_certain = job.seen_at >= limit || self.failing_since.is_some();
            !job.is_done && is_certain && job.last.as_ref().is_some_and(is_waiting)
        };
        self.jobs.iter().find(late).map(|job| &job.job_ref)
    }

    /// The first condition that a job meets by its record.
    pub(super) fn met(&self, conditions: &[Condition], now: Duration) -> Option<Met> {
        let open = self.jobs.iter().filter(|job| !job.is_done);
        open.flat_map(|job| conditions.iter().map(move |condition| (job, condition)))
            .find_map(|(job, condition)| {
                let seen = match condition {
                    Condition::Pending { limit, .. } => {
                        let waited = job.waited(now)?;
                        (waited >= *limit).then(|| in_words(waited))?
                    }
                    Condition::Reason { .. } => {
                        let reason = job.last.as_ref()?.reason.as_deref();
                        condition.fits(reason.into_iter())?.to_owned()
                    }
                };
                Some(Met {
                    job_ref: job.job_ref.clone(),
                    condition: condition.clone(),
                    seen,
                })
            })
    }

    /// The first condition that a job meets by these reasons, while it waits.
    pub(super) fn met_by(
        &self,
        conditions: &[Condition],
        job_ref: &ResourceRef,
        reasons: &[String],
    ) -> Option<Met> {
        let job = self.jobs.iter().find(|job| job.job_ref == *job_ref)?;
        if job.is_done || !job.last.as_ref().is_some_and(is_waiting) {
            return None;
        }
        conditions.iter().find_map(|condition| {
            let seen = condition.fits(reasons.iter().map(String::as_str))?;
            Some(Met {
                job_ref: job_ref.clone(),
                condition: condition.clone(),
                seen: seen.to_owned(),
            })
        })
    }

    /// When to ask next: soon after a change, then less and less often, and in time for what depends on the time.
    pub(super) fn schedule(
        &mut self,
        settings: &Settings,
        changed: bool,
        now: Duration,
        fraction: f64,
    ) {
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
        if let Some(moment) = self.moment(settings, now)
            && moment < self.due
        {
            self.due = moment.max(now + floor);
        }
    }

    /// The next moment at which a job that still waits would have waited for too long.
    fn moment(&self, settings: &Settings, now: Duration) -> Option<Duration> {
        let limits = || settings.fail_if.iter().filter_map(Condition::limit);
        let waiting = self.jobs.iter().filter(|job| !job.is_done);
        let ends = waiting
            .filter_map(|job| job.waiting)
            .flat_map(|waiting| limits().map(move |limit| waiting.end(limit)));
        ends.chain(settings.start_within)
            .filter(|end| *end > now)
            .min()
    }

    /// Leaves the service alone for as long as it wishes, though not beyond the end of patience.
    pub(super) fn spare(&mut self, wish: Duration, patience: Duration, now: Duration) {
        self.due = self.due.max(now.saturating_add(wish).min(patience));
    }
}

impl Watched {
    fn new(job_ref: ResourceRef) -> Self {
        Self {
            job_ref,
            last: None,
            missing_since: None,
            misses: 0,
            waiting: None,
            seen_at: Duration::ZERO,
            is_done: false,
        }
    }

    fn note(&mut self, job: &Job, settings: &Settings, now: Duration) {
        self.is_done |= settings.goal.until.is_reached(job);
        self.seen_at = now;
        if is_waiting(job) {
            let is_new = self.last.is_none();
            self.waiting.get_or_insert_with(|| Waiting {
                since: now,
                before: if is_new {
                    waited_before(job, settings, now)
                } else {
                    Duration::ZERO
                },
            });
        } else if job.state != State::Unknown {
            self.waiting = None;
        }
    }

    /// How long it has been without running.
    fn waited(&self, now: Duration) -> Option<Duration> {
        self.waiting
            .map(|waiting| waiting.before + now.saturating_sub(waiting.since))
    }
}

impl Waiting {
    /// When it will have lasted so long.
    fn end(self, limit: Duration) -> Duration {
        self.since + limit.saturating_sub(self.before)
    }
}

/// How long a job had waited when it was first seen: since its creation, unless it has run and waits again.
fn waited_before(job: &Job, settings: &Settings, now: Duration) -> Duration {
    let (Some(begun_at), Some(created_at), None) =
        (settings.begun_at, job.created_at, job.started_at)
    else {
        return Duration::ZERO;
    };
    let age = Duration::try_from(begun_at.duration_since(created_at)).unwrap_or_default();
    age.saturating_add(now)
}

fn in_words(duration: Duration) -> String {
    match duration.as_secs() {
        0 => format!("{}ms", duration.as_millis()),
        seconds => format_duration(seconds),
    }
}

/// Whether a record says something else than the one before it.
pub fn is_news(last: &Job, job: &Job) -> bool {
    (last.state, &last.raw_state, &last.reason, &last.message)
        != (job.state, &job.raw_state, &job.reason, &job.message)
}
