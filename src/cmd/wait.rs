//! `wait`: until the jobs end, and then the exit code that tells how.

use std::time::Duration;

use crate::ambient::{Clock as _, Reporter as _};
use crate::app::{App, flag_duration};
use crate::cli::WaitArgs;
use crate::engine::drive::{Audience, Driver, Ending};
use crate::engine::interrupt::Interrupt;
use crate::engine::verdict::{Verdict, verdict};
use crate::engine::wait::Settings;
use crate::error::Result;
use crate::model::{Job, ResourceRef};
use crate::ui::Task;

use super::show::Show;
use super::{cancel, refs};

/// One wait.
#[derive(Debug)]
pub struct Waiting<'a> {
    pub refs: Vec<ResourceRef>,
    pub poll: Option<Duration>,
    pub poll_failures: Duration,
    pub cancel_on_interrupt: bool,
    /// The record a submit returned, so that what only it knows is not lost.
    pub after_submit: Option<&'a Job>,
}

/// Runs `wait`.
pub async fn run(app: &App, args: &WaitArgs) -> Result<u8> {
    let interrupt = app.interrupt()?;
    let waiting = Waiting {
        refs: refs::jobs(app, &args.refs).await?,
        poll: args
            .poll
            .as_deref()
            .map(|text| flag_duration("--poll", text))
            .transpose()?,
        poll_failures: flag_duration("--poll-failures", &args.poll_failures)?,
        cancel_on_interrupt: args.cancel_on_interrupt,
        after_submit: None,
    };
    wait_for(app, &interrupt, waiting).await
}

/// Waits, prints the final records, and turns them into an exit code.
pub async fn wait_for(app: &App, interrupt: &Interrupt, waiting: Waiting<'_>) -> Result<u8> {
    let providers =
        app.providers_of(waiting.refs.iter().map(|job_ref| job_ref.provider.as_str()))?;
    let driver = Driver {
        providers: &providers,
        journal: app.journal()?,
        clock: &*app.clock,
        entropy: &*app.entropy,
        reporter: &*app.ui,
        interrupt,
        deadline: app.deadline,
    };
    let settings = Settings {
        first: waiting.poll,
        tolerance: waiting.poll_failures,
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
                Verdict::OwnCode(code) => Ok(code),
                Verdict::Failed(error) => Err(error),
            }
        }
        Ending::Stopped { error, signal } => {
            if signal.is_some() && waiting.cancel_on_interrupt {
                for job_ref in &waiting.refs {
                    cancel::one(app, &driver, job_ref).await?;
                    app.ui.note(&format!("asked {job_ref} to stop"));
                }
            }
            Err(error)
        }
    }
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
