//! A log that is read beside the wait for its job: the two end when both have.

use tokio::sync::watch;

use crate::ambient::Reporter as _;
use crate::app::App;
use crate::engine::drive::{Audience, Driver, Ending};
use crate::engine::logs::{Request, Scribe, Sink};
use crate::engine::wait::Settings;
use crate::error::{Error, Result};
use crate::model::{Job, ResourceRef, State};
use crate::output::Format;
use crate::provider::LogStart;
use crate::ui::LogTarget;

use super::super::wait::Pace;
use super::{Sheet, log_pace, logs_of, pipe, to_follow_again};

/// How the two ended.
#[derive(Debug)]
pub struct Followed {
    /// `None` when nobody reads the log any more, and the wait was given up with it.
    pub ending: Option<Ending>,
    /// `None` when the wait was stopped before the log had ended.
    pub log: Option<Result<()>>,
}

/// Waits for one job and reads its log, each at its own pace.
///
/// A signal or the end of `--timeout` stops both. When the log cannot be read, or nobody reads it, waiting ends too:
/// `target` is where it goes.
pub async fn beside(
    app: &App,
    driver: &Driver<'_>,
    refs: &[ResourceRef],
    settings: Settings,
    audience: &mut dyn Audience,
    scribe: Scribe<'_>,
    (sink, target): (&mut dyn Sink, LogTarget),
) -> Result<Followed> {
    let unread = || Followed {
        ending: None,
        log: Some(Ok(())),
    };
    let (sender, receiver) = watch::channel(None);
    let mut teller = Teller { sender, audience };
    let mut reading = std::pin::pin!(scribe.follow(receiver, sink));
    let ending = tokio::select! {
        biased;
        ending = driver.wait(refs, settings, &mut teller) => ending?,
        log = &mut reading => return Ok(Followed { ending: None, log: Some(log) }),
        () = pipe::gone(target) => return Ok(unread()),
    };
    match &ending {
        Ending::Ended(jobs) => {
            if let Some(job) = jobs.first() {
                teller.sender.send_replace(Some(job.clone()));
            }
        }
        Ending::Met { .. } | Ending::Stopped { .. } => {
            return Ok(Followed {
                ending: Some(ending),
                log: None,
            });
        }
    }
    let rest = async {
        tokio::select! {
            log = reading => Ok(Some(log)),
            () = pipe::gone(target) => Ok(None),
        }
    };
    let log = app
        .unless_interrupted("interrupted while the rest of the log was read", rest)
        .await
        .map_err(|error| to_follow_again(error, refs))?;
    Ok(log.map_or_else(unread, |log| Followed {
        ending: Some(ending),
        log: Some(log),
    }))
}

/// Waits for one job and prints its log; to stderr when stdout carries the record.
///
/// The result of the wait counts: a log that cannot be read is told and waited without. When nobody reads it any more
/// there is no ending: the job is left alone (cli.md §3, "a closed pipe is no error").
pub async fn with_log(
    app: &App,
    driver: &Driver<'_>,
    refs: &[ResourceRef],
    pace: Pace,
    settings: Settings,
    audience: &mut dyn Audience,
) -> Result<Option<Ending>> {
    let [job_ref] = refs else {
        return Err(Error::internal("one log is followed at a time"));
    };
    let provider = driver.providers.get(&job_ref.provider).ok_or_else(|| {
        Error::internal(format!("provider `{}` was not opened", job_ref.provider))
    })?;
    let target = match app.ui.format() {
        Format::Json | Format::Csv | Format::Tsv => LogTarget::Errors,
        Format::Table | Format::Wide | Format::Name | Format::Ndjson => LogTarget::Output,
    };
    let mut sheet = Sheet::new(app, target);
    let request = Request {
        start: LogStart::default(),
        pods: Vec::new(),
        form: sheet.form(),
        pace: log_pace(&provider.polling(), pace.poll),
        tolerance: pace.poll_failures,
    };
    let scribe = Scribe::new(&**provider, logs_of(&**provider)?, &*app.ui, request);
    let followed = beside(
        app,
        driver,
        refs,
        settings.clone(),
        audience,
        scribe,
        (&mut sheet, target),
    )
    .await?;
    sheet.finish()?;
    let Followed { ending, log } = followed;
    let is_unread = match &ending {
        None => matches!(log, Some(Ok(()))),
        Some(Ending::Ended(_)) => app.ui.is_closed() || pipe::is_gone(),
        // A Ctrl-C ends whoever reads too.
        Some(Ending::Met { .. } | Ending::Stopped { .. }) => false,
    };
    if target == LogTarget::Output && is_unread {
        let what = match ending {
            Some(_) => "to see it",
            None => "the job was left alone, to follow it again",
        };
        app.ui.note(&format!(
            "nobody reads the log any more; {what}:\n  gpujob logs -f {job_ref}"
        ));
        return Ok(None);
    }
    if let Some(Err(error)) = &log {
        app.ui.warning(&format!(
            "the log of {job_ref} could not be read to its end: {error}"
        ));
    }
    match ending {
        Some(Ending::Ended(mut jobs)) => {
            // The log may have told what the wait no longer waited for.
            for job in &mut jobs {
                if job.state == State::Failed && job.exit_code.is_none() {
                    job.exit_code = logs_of(&**provider)?.told_code(job).await;
                }
            }
            Ok(Some(Ending::Ended(jobs)))
        }
        Some(ending) => Ok(Some(ending)),
        None => driver.wait(refs, settings, audience).await.map(Some),
    }
}

/// Tells the reader of the log what the wait sees.
struct Teller<'a> {
    sender: watch::Sender<Option<Job>>,
    audience: &'a mut dyn Audience,
}

impl Audience for Teller<'_> {
    fn changed(&mut self, job: &Job) {
        self.audience.changed(job);
        self.sender.send_replace(Some(job.clone()));
    }

    fn beat(&mut self, jobs: &[&Job], failing: &[&str]) {
        self.audience.beat(jobs, failing);
        if let [job] = jobs {
            self.sender.send_replace(Some((*job).clone()));
        }
    }
}
