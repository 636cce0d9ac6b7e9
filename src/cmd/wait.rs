//! `wait`: until the jobs end, and then the exit code that tells how.

use std::time::Duration;

use crate::ambient::{Clock as _, Reporter as _};
use crate::app::{App, flag_duration};
use crate::cli::WaitArgs;
use crate::engine::drive::{Audience, Driver, Ending};
use crate::engine::interrupt::Signal;
use crate::engine::verdict::{Verdict, verdict};
use crate::engine::wait::Settings;
use crate::error::{Error, Result};
use crate::model::{Job, ResourceRef};
use crate::ui::Task;

use super::show::Show;
use super::{cancel, driver, refs};

/// How often to poll, and how long to bear with polls that fail.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    pub poll: Option<Duration>,
    pub poll_failures: Duration,
    /// `--start-timeout`.
    pub start_within: Option<Duration>,
}

/// One wait.
#[derive(Debug)]
pub struct Waiting<'a> {
    pub refs: Vec<ResourceRef>,
    pub pace: Pace,
    pub cancel_on_interrupt: bool,
    /// The record a submit returned, so that what only it knows is not lost.
    pub after_submit: Option<&'a Job>,
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
    let refs = app
        .unless_interrupted(
            "interrupted; nothing was waited for yet",
            refs::jobs(app, &args.refs),
        )
        .await?;
    let waiting = Waiting {
        refs,
        pace,
        cancel_on_interrupt: args.cancel_on_interrupt,
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
}

/// Waits, prints the final records, and turns them into an exit code.
pub async fn wait_for(app: &App, waiting: Waiting<'_>) -> Result<u8> {
    let interrupt = app.interrupt()?;
    let providers =
        app.providers_of(waiting.refs.iter().map(|job_ref| job_ref.provider.as_str()))?;
    let driver = driver(app, &providers, interrupt);
    let settings = Settings {
        first: waiting.pace.poll,
        tolerance: waiting.pace.poll_failures,
        start_within: waiting.pace.start_within,
    };
    let show = Show::new(app);
    let mut audience = Progress {
        app,
        show: &show,
        task: app.ui.task(&waiting_for(&waiting.refs), app.clock.now()),
    };
    let ending = driver.wait(&waiting.refs, settings, &mut audience).await?;
    drop(audience);
    match ending {
        Ending::Ended(mut jobs) => {
            for job in &mut jobs {
                complete(job, waiting.after_submit);
            }
            show.ended(&jobs, waiting.after_submit.is_some())?;
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
        Ending::Stopped {
            error,
            signal: Some(signal),
        } if waiting.cancel_on_interrupt => {
            let asking = stop_all(app, &driver, &waiting.refs, signal);
            tokio::select! {
                told = asking => Err(told),
                // Whoever presses Ctrl-C twice wants to be gone.
                _ = interrupt.came_again() => Err(error.with_cause("interrupted again before every stop was answered")),
            }
        }
        Ending::Stopped { error, .. } => Err(error),
    }
}

/// `--cancel-on-interrupt`: asks every job to stop, and tells which were not left alone.
pub(super) async fn stop_all(
    app: &App,
    driver: &Driver<'_>,
    refs: &[ResourceRef],
    signal: Signal,
) -> Error {
    let mut failures = Vec::new();
    for job_ref in refs {
        match cancel::one(app, driver, job_ref).await {
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
}

impl Audience for Progress<'_> {
    fn changed(&mut self, job: &Job) {
        self.show.changed(job);
        let because = job
            .reason
            .as_ref()
            .map_or_else(String::new, |reason| format!(" ({reason})"));
        self.app
            .ui
            .detail(1, &format!("{} is {}{because}", job.job_ref, job.state));
    }

    fn polled(&mut self, jobs: &[&Job]) {
        let text = match jobs {
            [only] => format!("{} is {}", only.job_ref, only.state),
            several => {
                let open = several.iter().filter(|job| !job.terminal).count();
                format!("{open} of {} jobs have not ended", several.len())
            }
        };
        self.task.update(&text, self.app.clock.now());
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
