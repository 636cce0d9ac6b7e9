//! The waiting itself: asks providers side by side, sleeps, hears signals, and tells an audience what happens.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::stream::{self, FuturesUnordered};
use tokio::time::Instant;

use crate::error::{Error, Kind, Result};
use crate::http::within;
use crate::model::{Job, ResourceRef, Timestamp};
use crate::provider::Polling;

use super::{Audience, Driver, Ending};
use crate::engine::interrupt::Signal;
use crate::engine::wait::{Condition, Event, Next, Settings, Watch, is_tolerated, is_waiting};

/// The audience hears at least so often that waiting goes on.
const BEAT: Duration = Duration::from_secs(15);
/// Questions about events of one provider at the same time.
const AT_ONCE: usize = 4;

/// Reasons are read from events no more often than this, except against loopback.
const REASONS_APART: Duration = Duration::from_secs(30);

/// The answer to one poll of one group: the jobs as they were asked for, each with its record.
#[derive(Debug)]
struct Answer {
    group: usize,
    /// Those that were read.
    jobs: Vec<(ResourceRef, Job)>,
    /// Why some or all of them were not.
    failure: Option<Error>,
}

/// What events of jobs that wait give as reasons, where a condition is about reasons.
#[derive(Debug)]
struct Told {
    group: usize,
    reasons: Vec<(ResourceRef, Result<Vec<String>>)>,
}

/// What woke the loop.
enum Woken {
    Answer(Answer),
    Told(Told),
    Rested,
    Stopped(Error, Option<Signal>),
}

/// When the events of each group were asked for last, and whether an answer is still awaited.
#[derive(Debug, Default)]
struct Inquiries {
    asked: BTreeMap<usize, Duration>,
    open: BTreeSet<usize>,
    /// Whether it was said that events cannot be read.
    is_told: bool,
}

impl Inquiries {
    /// Whether a group's events are to be read now; noted if so.
    fn is_due(&mut self, group: usize, apart: Duration, now: Duration) -> bool {
        let rested = self
            .asked
            .get(&group)
            .is_none_or(|asked| now.saturating_sub(*asked) >= apart);
        let is_due = rested && !self.open.contains(&group);
        if is_due {
            self.asked.insert(group, now);
            self.open.insert(group);
        }
        is_due
    }
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
        let tolerance = settings.tolerance;
        let wants_reasons = settings.fail_if.iter().any(Condition::wants_reasons);
        let again = settings.command(refs);
        let start_by = settings.start_by();
        let stopped = |error: Error, signal| Ending::Stopped {
            error: left_alone(error, refs, &again),
            signal,
        };
        let mut watch = Watch::new(settings, self.grouped(refs)?);
        let mut polls = FuturesUnordered::new();
        let mut inquiries = Inquiries::default();
        let mut questions = FuturesUnordered::new();
        // The refs that jobs have by their own records, where they were asked for by others.
        let mut names = BTreeMap::new();
        loop {
            let now = start.elapsed();
            if let Some(job_ref) = watch.late(now) {
                return Ok(stopped(not_started(job_ref), None));
            }
            let pause = match watch.next(now) {
                Next::Ended => {
                    return Ok(Ending::Ended(in_order(refs, &names, &watch.result())));
                }
                Next::Met(met) => {
                    return Ok(Ending::Met {
                        met,
                        jobs: in_order(refs, &names, &watch.jobs()),
                    });
                }
                Next::GaveUp(error) => return Ok(stopped(error, None)),
                Next::Poll(group) => {
                    let provider = watch.provider(group).to_owned();
                    let open = watch.open_jobs(group);
                    let patience = watch.patience(group, tolerance, now);
                    watch.asked(group, now);
                    polls.push(self.poll(group, provider, open, start_by, patience));
                    continue;
                }
                Next::Sleep(pause) => pause.min(BEAT),
                Next::Listen => BEAT,
            };
            let woken = tokio::select! {
                Some(answer) = polls.next(), if !polls.is_empty() => Woken::Answer(answer),
                Some(told) = questions.next(), if !questions.is_empty() => Woken::Told(told),
                () = tokio::time::sleep(pause) => Woken::Rested,
                (error, signal) = self.interruption() => Woken::Stopped(error, signal),
            };
            match woken {
                Woken::Answer(answer) => {
                    let group = answer.group;
                    let now = start.elapsed();
                    let waiting = self.take(&mut watch, answer, &mut names, now, audience);
                    let provider = watch.provider(group).to_owned();
                    let apart = self.apart(&provider);
                    if wants_reasons && !waiting.is_empty() && inquiries.is_due(group, apart, now) {
                        questions.push(self.reasons(group, provider, waiting));
                    }
                }
                Woken::Told(told) => self.hear(&mut watch, &mut inquiries, told),
                // The next poll is due, and tells more.
                Woken::Rested if pause < BEAT => continue,
                Woken::Rested => {}
                Woken::Stopped(error, signal) => return Ok(stopped(error, signal)),
            }
            audience.beat(&watch.jobs(), &watch.failing());
        }
    }

    /// One poll of one group: the records, or why there are none. What fails is repeated for as long as failing polls
    /// are borne with, and no longer.
    async fn poll(
        &self,
        group: usize,
        provider: String,
        refs: Vec<ResourceRef>,
        start_by: Option<Timestamp>,
        patience: Duration,
    ) -> Answer {
        let looks = within(patience, self.observe(&provider, &refs, start_by)).await;
        let (jobs, failure) = match looks {
            Ok(jobs) => parted(refs.into_iter().zip(jobs)),
            // That a whole list is not found says nothing about a job.
            Err(error) if error.kind() == Kind::NotFound => {
                (Vec::new(), Some(error.with_kind(Kind::Temporary)))
            }
            Err(error) => (Vec::new(), Some(error)),
        };
        Answer {
            group,
            jobs,
            failure,
        }
    }

    /// How far apart questions about events are.
    fn apart(&self, provider: &str) -> Duration {
        match self.provider(provider) {
            Ok(provider) if provider.polling().loopback => Duration::ZERO,
            Ok(_) | Err(_) => REASONS_APART,
        }
    }

    /// The reasons that the events of these jobs tell.
    async fn reasons(&self, group: usize, provider: String, waiting: Vec<ResourceRef>) -> Told {
        let Some(events) = self
            .provider(&provider)
            .ok()
            .and_then(|found| found.events())
        else {
            return Told {
                group,
                reasons: Vec::new(),
            };
        };
        let questions = waiting.into_iter().map(|job_ref| async move {
            let told = events.reasons_of(&job_ref).await;
            (job_ref, told)
        });
        let questions: Vec<_> = questions.collect();
        let reasons = stream::iter(questions).buffered(AT_ONCE).collect().await;
        Told { group, reasons }
    }

    /// Takes what events told. A refused credential ends the wait; anything else only leaves the condition unknown.
    fn hear(&self, watch: &mut Watch, inquiries: &mut Inquiries, told: Told) {
        inquiries.open.remove(&told.group);
        for (job_ref, reasons) in told.reasons {
            match reasons {
                Ok(reasons) => watch.told(told.group, &job_ref, &reasons),
                Err(error) if error.kind() == Kind::Auth => watch.give_up(error),
                Err(error) => {
                    let text = format!(
                        "the events of {job_ref} are not known, so that `--fail-if reason=…` may miss something: {error}"
                    );
                    if inquiries.is_told {
                        self.reporter.detail(1, &text);
                    } else {
                        self.reporter.warning(&text);
                        inquiries.is_told = true;
                    }
                }
            }
        }
    }

    /// Takes a poll's answer; the jobs that wait.
    fn take(
        &self,
        watch: &mut Watch,
        answer: Answer,
        names: &mut BTreeMap<ResourceRef, ResourceRef>,
        now: Duration,
        audience: &mut dyn Audience,
    ) -> Vec<ResourceRef> {
        let fraction = self.entropy.fraction();
        let mut waiting = Vec::new();
        for (asked, job) in &answer.jobs {
            if *asked != job.job_ref {
                watch.is_named(answer.group, asked, &job.job_ref);
                names.insert(asked.clone(), job.job_ref.clone());
            }
        }
        let jobs: Vec<Job> = answer.jobs.into_iter().map(|(_, job)| job).collect();
        let still = jobs.iter().filter(|job| is_waiting(job));
        waiting.extend(still.map(|job| job.job_ref.clone()));
        let events = match answer.failure {
            None => watch.observed(answer.group, jobs, now, fraction),
            Some(error) => watch.partly_observed(answer.group, jobs, error, now, fraction),
        };
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
        waiting
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

/// The jobs that were read, and why others were not: first of all what repeating cannot mend.
fn parted(
    answers: impl Iterator<Item = (ResourceRef, Result<Job>)>,
) -> (Vec<(ResourceRef, Job)>, Option<Error>) {
    let mut jobs = Vec::new();
    let mut failures = Vec::new();
    for (asked, answer) in answers {
        match answer {
            Ok(job) => jobs.push((asked, job)),
            Err(error) => failures.push(error),
        }
    }
    let lasting = failures
        .iter()
        .position(|error| !is_tolerated(error.kind()));
    let failure = failures.into_iter().nth(lasting.unwrap_or_default());
    (jobs, failure)
}

/// The last records in the order the refs were given, each job once for each time it was given by the same name.
fn in_order(
    refs: &[ResourceRef],
    names: &BTreeMap<ResourceRef, ResourceRef>,
    jobs: &[&Job],
) -> Vec<Job> {
    refs.iter()
        .map(|job_ref| names.get(job_ref).unwrap_or(job_ref))
        .filter_map(|job_ref| jobs.iter().find(|job| job.job_ref == *job_ref))
        .map(|job| (*job).clone())
        .collect()
}

/// The end of a wait for resources: the job goes on waiting and was left alone, as after `--timeout` (cli.md §6). Where
/// a job that comes too late has failed by the contract (cyclecloud.md §8.5), its record says so first.
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
    // What is unknown was not waited for.
    if error.kind() == Kind::NotFound {
        return error;
    }
    let own = error.details().hint.as_ref();
    let own = own.map_or(String::new(), |hint| format!("{hint}\n"));
    error.with_hint(format!("{own}{whom} left alone; to wait again:\n  {again}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::State;

    #[test]
    fn what_cannot_be_mended_is_told_before_what_can() {
        let job_ref = |id: &str| ResourceRef::new("cloud", [id]);
        let job = |id: &str| Ok(Job::new(job_ref(id), id, State::Running));
        let failed = |kind: Kind| Err(Error::new(kind, "code", "message"));
        let kinds = |answers: Vec<Result<Job>>| {
            let asked = answers.into_iter().map(|answer| (job_ref("a"), answer));
            let (jobs, failure) = parted(asked);
            (jobs.len(), failure.map(|error| error.kind()))
        };
        assert_eq!(kinds(vec![job("a"), job("b")]), (2, None));
        assert_eq!(
            kinds(vec![failed(Kind::Temporary), job("b")]),
            (1, Some(Kind::Temporary))
        );
        assert_eq!(
            kinds(vec![
                failed(Kind::Temporary),
                job("b"),
                failed(Kind::Auth),
                failed(Kind::NotFound)
            ]),
            (1, Some(Kind::Auth))
        );
    }
}
