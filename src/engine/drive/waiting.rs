//! The waiting itself: asks providers side by side, sleeps, hears signals, and tells an audience what happens.

use std::collections::BTreeMap;
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::stream::{self, FuturesUnordered};
use tokio::time::Instant;

use crate::error::{Error, Kind, Result};
use crate::model::{Job, ResourceRef};
use crate::provider::Polling;

use super::{Audience, Driver, Ending};
use crate::engine::interrupt::Signal;
use crate::engine::wait::{Condition, Event, Next, Settings, Watch, is_waiting};

/// The audience hears at least so often that waiting goes on.
const BEAT: Duration = Duration::from_secs(15);
/// Questions about events of one provider at the same time.
const AT_ONCE: usize = 4;

/// The answer to one poll of one group.
#[derive(Debug)]
struct Answer {
    group: usize,
    jobs: Result<Vec<Job>>,
    /// What events of jobs that wait give as reasons, where a condition is about reasons.
    reasons: BTreeMap<ResourceRef, Vec<String>>,
}

/// What woke the loop.
enum Woken {
    Answer(Answer),
    Rested,
    Stopped(Error, Option<Signal>),
}

impl Driver<'_> {
    /// Polls until what is awaited is there, or waiting itself must stop.
    pub async fn wait(
        &self,
        refs: &[ResourceRef],
        settings: Settings,
        audience: &mut dyn Audience,
    ) -> Result<Ending> {
        let start = Instant::now();
        let wants_reasons = settings.fail_if.iter().any(Condition::wants_reasons);
        let again = settings.command(refs);
        let stopped = |error: Error, signal| Ending::Stopped {
            error: left_alone(error, refs, &again),
            signal,
        };
        let mut watch = Watch::new(settings, self.grouped(refs)?);
        let mut polls = FuturesUnordered::new();
        loop {
            let now = start.elapsed();
            if let Some(job_ref) = watch.late(now) {
                return Ok(stopped(not_started(job_ref), None));
            }
            let pause = match watch.next(now) {
                Next::Ended => return Ok(Ending::Ended(in_order(refs, &watch.result()))),
                Next::Met(met) => {
                    return Ok(Ending::Met {
                        met,
                        jobs: in_order(refs, &watch.jobs()),
                    });
                }
                Next::GaveUp(error) => return Ok(stopped(error, None)),
                Next::Poll(group) => {
                    let provider = watch.provider(group).to_owned();
                    let open = watch.open_jobs(group);
                    watch.asked(group);
                    polls.push(self.poll(group, provider, open, wants_reasons));
                    continue;
                }
                Next::Sleep(pause) => pause.min(BEAT),
                Next::Listen => BEAT,
            };
            let woken = tokio::select! {
                Some(answer) = polls.next(), if !polls.is_empty() => Woken::Answer(answer),
                () = tokio::time::sleep(pause) => Woken::Rested,
                (error, signal) = self.interruption() => Woken::Stopped(error, signal),
            };
            match woken {
                Woken::Answer(answer) => {
                    self.take(&mut watch, answer, start.elapsed(), audience);
                }
                // The next poll is due, and tells more.
                Woken::Rested if pause < BEAT => continue,
                Woken::Rested => {}
                Woken::Stopped(error, signal) => return Ok(stopped(error, signal)),
            }
            audience.beat(&watch.jobs(), &watch.failing());
        }
    }

    /// One poll of one group: the records, or why there are none.
    async fn poll(
        &self,
        group: usize,
        provider: String,
        refs: Vec<ResourceRef>,
        wants_reasons: bool,
    ) -> Answer {
        let jobs: Result<Vec<Job>> = match self.observe(&provider, &refs).await {
            Ok(jobs) => jobs.into_iter().collect(),
            Err(error) => Err(error),
        };
        let reasons = match &jobs {
            Ok(jobs) if wants_reasons => self.reasons(&provider, jobs).await,
            Ok(_) | Err(_) => BTreeMap::new(),
        };
        Answer {
            group,
            jobs,
            reasons,
        }
    }

    /// The reasons that events tell of jobs that wait; what cannot be read is only told in detail.
    async fn reasons(&self, provider: &str, jobs: &[Job]) -> BTreeMap<ResourceRef, Vec<String>> {
        let Some(events) = self
            .provider(provider)
            .ok()
            .and_then(|found| found.events())
        else {
            return BTreeMap::new();
        };
        let waiting: Vec<_> = jobs.iter().filter(|job| is_waiting(job)).collect();
        let questions = waiting.into_iter().map(|job| async move {
            match events.reasons_of(&job.job_ref).await {
                Ok(reasons) => Some((job.job_ref.clone(), reasons)),
                Err(error) => {
                    let text = format!("the events of {} are not known: {error}", job.job_ref);
                    self.reporter.detail(1, &text);
                    None
                }
            }
        });
        let questions: Vec<_> = questions.collect();
        let answers: Vec<_> = stream::iter(questions).buffered(AT_ONCE).collect().await;
        answers.into_iter().flatten().collect()
    }

    fn take(&self, watch: &mut Watch, answer: Answer, now: Duration, audience: &mut dyn Audience) {
        let fraction = self.entropy.fraction();
        let events = match answer.jobs {
            Ok(jobs) => watch.observed(answer.group, jobs, now, fraction),
            Err(error) => watch.poll_failed(answer.group, error, now, fraction),
        };
        for (job_ref, reasons) in answer.reasons {
            watch.told(answer.group, &job_ref, &reasons);
        }
        for event in events {
            match event {
                Event::Changed(job) => audience.changed(&job),
                Event::UnknownWord { job_ref, word } => self.reporter.warning(&format!(
                    "{job_ref} is `{word}`, a state that this version does not know; waiting goes on"
                )),
                Event::PollFailed { provider, error } => self.reporter.warning(&format!(
                    "`{provider}` does not tell how the jobs are ({error}); they may be fine, asking again"
                )),
                Event::Recovered { provider, after } => self.reporter.note(&format!(
                    "`{provider}` answers again, after {}",
                    crate::spec::units::format_duration(after.as_secs())
                )),
            }
        }
    }

    /// Ctrl-C, SIGTERM or the end of `--timeout`, whichever comes first.
    async fn interruption(&self) -> (Error, Option<Signal>) {
        let timed_out = async {
            match self.deadline {
                Some(deadline) => tokio::time::sleep_until(deadline).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            signal = self.interrupt.came() => {
                (signal.error("interrupted; what was waited for goes on"), Some(signal))
            }
            () = timed_out => {
                let what = "`--timeout` ran out; what was waited for goes on";
                (Error::new(Kind::Timeout, "timeout", what), None)
            }
        }
    }

    fn grouped(&self, refs: &[ResourceRef]) -> Result<Vec<(String, Polling, Vec<ResourceRef>)>> {
        let mut groups: Vec<(String, Polling, Vec<ResourceRef>)> = Vec::new();
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

/// The last records in the order the refs were given.
fn in_order(refs: &[ResourceRef], jobs: &[&Job]) -> Vec<Job> {
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

/// Adds the line that waits again.
fn left_alone(error: Error, refs: &[ResourceRef], again: &str) -> Error {
    let (error, whom) = match refs {
        [only] => (error.with_job(only.to_string()), "the job was"),
        _ => (error, "the jobs were"),
    };
    error.with_hint(format!("{whom} left alone; to wait again:\n  {again}"))
}
