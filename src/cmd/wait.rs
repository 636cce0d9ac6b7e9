//! `wait`: until the jobs end, and then the exit code that tells how.

use std::collections::BTreeSet;
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::stream;

use crate::ambient::{Clock as _, Reporter as _};
use crate::app::{App, flag_duration};
use crate::cli::WaitArgs;
use crate::engine::drive::{Audience, Driver, Ending};
use crate::engine::interrupt::Signal;
use crate::engine::verdict::{Verdict, verdict};
use crate::engine::wait::{Condition, Goal, Met, Settings, Until};
use crate::error::{Error, Result};
use crate::model::{Job, ResourceRef, State, Timestamp};
use crate::output::{self, Format, Style};
use crate::spec::units::format_duration;
use crate::ui::Task;

use super::show::{Show, Submitted};
use super::{cancel, driver, logs, refs};

/// Stops that are asked for at the same time.
const STOPS_AT_ONCE: usize = 8;

/// How often to poll, and how long to bear with polls that fail.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    pub poll: Option<Duration>,
    pub poll_failures: Duration,
    /// `--start-timeout`.
    pub start_within: Option<Duration>,
}

/// What ends a wait early (`--fail-if`), and whether that stops the job too (`--cancel`).
#[derive(Debug, Clone, Default)]
pub struct Early {
    pub fail_if: Vec<Condition>,
    pub cancel: bool,
}

/// One wait.
#[derive(Debug)]
pub struct Waiting<'a> {
    pub refs: Vec<ResourceRef>,
    pub pace: Pace,
    pub goal: Goal,
    pub early: Early,
    pub cancel_on_interrupt: bool,
    /// Whether what the one job writes is printed meanwhile (`--follow`).
    pub follow: bool,
    /// The record a submit returned, so that what only it knows is not lost.
    pub after_submit: Option<&'a Submitted>,
}

/// Runs `wait`.
pub async fn run(app: &App, args: &WaitArgs) -> Result<u8> {
    let pace = Pace {
        start_within: args
            .start_timeout
            .as_deref()
            .map(|text| flag_duration("--start-timeout", text))
            .transpose()?,
        ..Pace::of(args.poll.as_deref(), &args.poll_failures)?
    };
    let until = args.until.as_deref().map(Until::parse).transpose()?;
    let goal = Goal {
        until: until.unwrap_or_default(),
        any: args.any,
    };
    let early = Early::of(&args.fail_if, args.cancel)?;
    let refs = app
        .unless_interrupted(
            "interrupted; nothing was waited for yet",
            refs::jobs(app, &args.refs),
        )
        .await?;
    let waiting = Waiting {
        refs,
        pace,
        goal,
        early,
        cancel_on_interrupt: args.cancel_on_interrupt,
        follow: false,
        after_submit: None,
    };
    wait_for(app, waiting).await
}

impl Pace {
    /// Reads `--poll` and `--poll-failures`. An empty `GPUJOB_POLL` counts as unset (cli.md §10).
    pub fn of(poll: Option<&str>, poll_failures: &str) -> Result<Self> {
        let poll = poll.filter(|text| !text.is_empty());
        Ok(Self {
            poll: poll.map(|text| flag_duration("--poll", text)).transpose()?,
            poll_failures: flag_duration("--poll-failures", poll_failures)?,
            start_within: None,
        })
    }

    /// For the engine.
    pub fn settings(&self) -> Settings {
        Settings {
            first: self.poll,
            tolerance: self.poll_failures,
            start_within: self.start_within,
            goal: Goal::default(),
            fail_if: Vec::new(),
            begun_at: None,
        }
    }
}

impl Early {
    /// Reads `--fail-if`, each of its conditions, and `--cancel`.
    pub fn of(fail_if: &[String], cancel: bool) -> Result<Self> {
        let fail_if = fail_if
            .iter()
            .map(|text| Condition::parse(text, |text| flag_duration("--fail-if", text)))
            .collect::<Result<_>>()?;
        Ok(Self { fail_if, cancel })
    }
}

/// Waits, prints the final records, and turns them into an exit code.
pub async fn wait_for(app: &App, waiting: Waiting<'_>) -> Result<u8> {
    let interrupt = app.interrupt()?;
    let providers =
        app.providers_of(waiting.refs.iter().map(|job_ref| job_ref.provider.as_str()))?;
    let driver = driver(app, &providers, interrupt);
    let begun_at = app.clock.now();
    if let Some(Submitted { job, .. }) = waiting.after_submit
        && !job.adopted
    {
        driver
            .recall
            .submitted(job, job.created_at.unwrap_or(begun_at));
    }
    let settings = Settings {
        goal: waiting.goal,
        fail_if: waiting.early.fail_if.clone(),
        begun_at: Some(begun_at),
        ..waiting.pace.settings()
    };
    let show = Show::new(app);
    let mut audience = Progress {
        app,
        show: &show,
        task: app.ui.task(&waiting_for(&waiting.refs), begun_at),
        begun_at,
        crowd: match waiting.refs.len() {
            _ if waiting.follow => Crowd::Followed,
            1 => Crowd::One,
            _ => Crowd::Several,
        },
    };
    let ending = if waiting.follow {
        let followed = logs::with_log(
            app,
            &driver,
            &waiting.refs,
            waiting.pace,
            settings,
            &mut audience,
        );
        match followed.await? {
            Some(ending) => ending,
            // Nobody reads any more: no error.
            None => return Ok(0),
        }
    } else {
        driver.wait(&waiting.refs, settings, &mut audience).await?
    };
    drop(audience);
    match ending {
        Ending::Ended(jobs) => {
            let jobs = told(&show, jobs, &waiting)?;
            let others = waiting.refs.len().saturating_sub(jobs.len());
            if waiting.goal.any && others > 0 {
                app.ui.note(&format!(
                    "{others} of {} jobs were left alone",
                    waiting.refs.len()
                ));
            }
            let jobs: Vec<&Job> = jobs.iter().collect();
            match verdict(&jobs) {
                Verdict::Succeeded => Ok(0),
                Verdict::OwnCode { code, error } => {
                    app.ui.mirrored(code, &error);
                    Ok(code)
                }
                Verdict::Failed(error) => Err(error),
            }
        }
        Ending::Met { met, jobs } => {
            let jobs = told(&show, jobs, &waiting)?;
            let giving_up = give_up(app, &driver, &met, &jobs, waiting.early.cancel);
            Err(tokio::select! {
                error = giving_up => error,
                signal = interrupt.came() => signal.error("interrupted").with_cause(met.error()),
            })
        }
        Ending::Stopped {
            signal: Some(signal),
            ..
        } if waiting.cancel_on_interrupt => {
            Err(stop_all(app, &driver, &waiting.refs, signal).await)
        }
        Ending::Stopped { error, .. } if waiting.follow => {
            Err(logs::to_follow_again(error, &waiting.refs))
        }
        Ending::Stopped { error, .. } => Err(error),
    }
}

/// Prints the records in which the wait ended, with what only a submit knows of them.
fn told(show: &Show<'_>, mut jobs: Vec<Job>, waiting: &Waiting<'_>) -> Result<Vec<Job>> {
    for job in &mut jobs {
        complete(job, waiting.after_submit.map(|submitted| &submitted.job));
    }
    show.ended(&jobs, waiting.after_submit)?;
    Ok(jobs)
}

/// A condition of `--fail-if` is met: tells what the provider says happened, and stops the job if that is wanted.
async fn give_up(app: &App, driver: &Driver<'_>, met: &Met, jobs: &[Job], stop: bool) -> Error {
    let job_ref = &met.job_ref;
    let job = jobs.iter().find(|job| job.job_ref == *job_ref);
    app.ui.warning(&history(driver, job_ref, job).await);
    let error = met.error();
    if !stop {
        return error.with_hint(format!(
            "the job was left alone; to stop it:\n  gpujob cancel {job_ref}"
        ));
    }
    match cancel::one(app, driver, job_ref).await {
        Ok(_) => error.with_hint(format!(
            "the job was asked to stop; to see how it ends:\n  gpujob wait {job_ref}"
        )),
        Err(failed) => error
            .with_cause(format!("it could not be stopped: {failed}"))
            .with_hint(format!("to try again:\n  gpujob cancel {job_ref}")),
    }
}

/// What the provider says happened to a job: its events, or where it tells none what its record says.
async fn history(driver: &Driver<'_>, job_ref: &ResourceRef, job: Option<&Job>) -> String {
    let record = job.map_or_else(String::new, |job| {
        let words = [job.reason.as_deref(), job.message.as_deref()];
        let words: Vec<&str> = words.into_iter().flatten().collect();
        let because = if words.is_empty() { "" } else { ": " };
        format!("\n{}{because}{}", job.state, words.join(": "))
    });
    let provider = driver.providers.get(&job_ref.provider);
    let Some(events) = provider.and_then(|provider| provider.events()) else {
        return format!("{job_ref} has no events to show{record}");
    };
    let plain = Style {
        format: Format::Table,
        colour: false,
        width: None,
        time_zone: jiff::tz::TimeZone::UTC,
        jq: None,
    };
    let told = match events.events_of(job_ref).await {
        Ok(events) if events.is_empty() => Ok("no event is told".to_owned()),
        Ok(events) => output::render_events(&events, &[], &plain),
        Err(error) => Err(error),
    };
    match told {
        Ok(table) => format!("what happened to {job_ref}:{record}\n{table}"),
        Err(error) => format!("the events of {job_ref} cannot be read: {error}{record}"),
    }
}

/// `--cancel-on-interrupt`: asks every job to stop, several at a time, and tells which were not left alone. A second
/// signal ends that, and which jobs had no answer yet is told too.
pub(super) async fn stop_all(
    app: &App,
    driver: &Driver<'_>,
    refs: &[ResourceRef],
    signal: Signal,
) -> Error {
    let mut open: BTreeSet<&ResourceRef> = refs.iter().collect();
    let mut failures = Vec::new();
    let asked = open.clone().into_iter();
    let stops: Vec<_> = asked
        .map(|job_ref| async move { (job_ref, cancel::one(app, driver, job_ref).await) })
        .collect();
    let mut stops = stream::iter(stops).buffer_unordered(STOPS_AT_ONCE);
    loop {
        // Whoever presses Ctrl-C twice wants to be gone.
        let stopped = tokio::select! {
            stopped = stops.next() => stopped,
            _ = driver.interrupt.came_again() => {
                let unanswered = open.iter().map(|job_ref| {
                    format!("{job_ref} may or may not stop: interrupted again before that was answered")
                });
                failures.extend(unanswered);
                break;
            }
        };
        let Some((job_ref, stopped)) = stopped else {
            break;
        };
        open.remove(job_ref);
        match stopped {
            Ok(job) if job.terminal => {}
            Ok(_) => app.ui.note(&format!("asked {job_ref} to stop")),
            Err(error) => failures.push(format!("{job_ref} could not be stopped: {error}")),
        }
    }
    let what = if failures.is_empty() {
        "interrupted; what was waited for was asked to stop"
    } else {
        "interrupted; not everything that was waited for could be asked to stop"
    };
    let list: Vec<String> = refs.iter().map(ToString::to_string).collect();
    let error = failures
        .into_iter()
        .fold(signal.error(what), Error::with_cause);
    let error = match list.as_slice() {
        [only] => error.with_job(only.clone()),
        _ => error,
    };
    error.with_hint(format!(
        "to see how it ends:\n  gpujob wait {}",
        list.join(" ")
    ))
}

/// Shows on stderr how the jobs are doing, and prints changes where the format streams.
struct Progress<'a> {
    app: &'a App,
    show: &'a Show<'a>,
    task: Task<'a>,
    begun_at: Timestamp,
    crowd: Crowd,
}

/// Whom is waited for, for how much is told of each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Crowd {
    One,
    Several,
    /// One, whose log is printed.
    Followed,
}

impl Audience for Progress<'_> {
    fn changed(&mut self, job: &Job) {
        self.show.changed(job);
        let line = change(job);
        // Of several jobs only trouble is told; a follower tells by itself how its job is.
        let is_told = match self.crowd {
            Crowd::One => !job.terminal,
            Crowd::Several | Crowd::Followed => job.state == State::Unknown && !job.terminal,
        };
        if is_told {
            self.app.ui.note(&line);
        } else {
            self.app.ui.detail(1, &line);
        }
    }

    fn beat(&mut self, jobs: &[&Job], failing: &[&str]) {
        let now = self.app.clock.now();
        let waited = now.duration_since(self.begun_at).as_secs();
        let waited = format_duration(u64::try_from(waited).unwrap_or_default());
        self.task.update(&progress(jobs, failing, &waited), now);
    }
}

/// One line on how far the jobs are, after so long.
fn progress(jobs: &[&Job], failing: &[&str], waited: &str) -> String {
    let standing = match jobs {
        [] => "nothing is known yet".to_owned(),
        [only] => standing(only),
        several => {
            let open = several.iter().filter(|job| !job.terminal).count();
            format!("{open} of {} jobs have not ended", several.len())
        }
    };
    let silent = match failing {
        [] => String::new(),
        names => format!("; no answer from {}", names.join(", ")),
    };
    format!("{standing}, after {waited}{silent}")
}

/// A job, its state, and why.
fn standing(job: &Job) -> String {
    match job.reason.as_deref() {
        Some(reason) => format!("{} is {} ({reason})", job.job_ref, job.state),
        None => format!("{} is {}", job.job_ref, job.state),
    }
}

/// What a change says: the state, and the provider's reason and message for it (paracloud.md §5.2).
fn change(job: &Job) -> String {
    match job.message.as_deref() {
        Some(message) => format!("{}: {message}", standing(job)),
        None => standing(job),
    }
}

fn waiting_for(refs: &[ResourceRef]) -> String {
    match refs {
        [only] => format!("waiting for {only}"),
        several => format!("waiting for {} jobs", several.len()),
    }
}

/// Keeps from the submit's record what later answers do not tell.
fn complete(job: &mut Job, submitted: Option<&Job>) {
    if let Some(submitted) = submitted {
        job.adopted = submitted.adopted;
        if job.gpu.is_none() {
            job.gpu.clone_from(&submitted.gpu);
        }
        if job.instance_type.is_none() {
            job.instance_type.clone_from(&submitted.instance_type);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn progress_names_one_job_and_counts_several() {
        let mut one = Job::new(ResourceRef::new("gongji", ["1"]), "1", State::Pending);
        let other = Job::new(ResourceRef::new("gongji", ["2"]), "2", State::Failed);
        assert_eq!(
            progress(&[&one], &[], "1m"),
            "gongji/1 is pending, after 1m"
        );
        one.reason = Some("Queued".to_owned());
        for (jobs, failing, line) in [
            (vec![], vec![], "nothing is known yet, after 1m"),
            (vec![&one], vec![], "gongji/1 is pending (Queued), after 1m"),
            (
                vec![&one, &other],
                vec!["gongji", "lab"],
                "1 of 2 jobs have not ended, after 1m; no answer from gongji, lab",
            ),
        ] {
            assert_eq!(progress(&jobs, &failing, "1m"), line);
        }
    }
}
