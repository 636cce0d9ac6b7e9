//! `logs`: what a job wrote, once or to its end (cli.md §2, §3).

mod follow;
mod pipe;
mod sheet;

use std::time::Duration;

use crate::ambient::Clock as _;
use crate::app::{App, flag_duration};
use crate::cli::LogsArgs;
use crate::engine::drive::{Audience, Ending};
use crate::engine::logs::{Request, Scribe};
use crate::error::{Error, Kind, Result};
use crate::model::{Job, Refusal, RefusalCode, ResourceRef};
use crate::output::Format;
use crate::provider::{LogStart, Logs, Polling, Provider, Verb};
use crate::ui::LogTarget;

use super::plan::assess;
use super::spec::Prepared;
use super::volumes::unsupported;
use super::wait::Pace;
use super::{driver, refs};

pub use follow::{Followed, beside, with_log};
pub use sheet::Sheet;

/// Logs are looked at no more seldom than this (pai-dlc.md §3.6; Gongji's own advice is the same).
const SLOWEST: Duration = Duration::from_secs(10);

/// Runs `logs`.
pub async fn run(app: &App, args: &LogsArgs) -> Result<u8> {
    check_format(app.ui.format())?;
    let pace = Pace::of(args.poll.as_deref(), &args.poll_failures)?;
    let since = args
        .since
        .as_deref()
        .map(|text| flag_duration("--since", text))
        .transpose()?;
    let finding = refs::one(app, &args.job, Verb::Logs);
    let (job_ref, providers) = app.unless_interrupted("interrupted", finding).await?;
    let provider = providers.get(&job_ref.provider).ok_or_else(|| {
        Error::internal(format!("provider `{}` was not opened", job_ref.provider))
    })?;
    let logs = logs_of(&**provider).map_err(|error| error.with_job(job_ref.to_string()))?;
    if args.timestamps {
        return Err(no_times(&**provider));
    }
    let since = match since {
        Some(_) if !logs.knows_times() => return Err(no_since(&**provider)),
        Some(since) => app.clock.now().checked_sub(since).ok(),
        None => None,
    };
    let mut sheet = Sheet::new(app, LogTarget::Output);
    let request = Request {
        start: LogStart {
            since,
            tail: args.tail,
        },
        pods: args.pod.clone(),
        form: sheet.form(),
        pace: log_pace(&provider.polling(), pace.poll),
        tolerance: pace.poll_failures,
    };
    let scribe = Scribe::new(&**provider, logs, &*app.ui, request);
    let driver = driver(app, &providers, app.interrupt()?);
    let jobs = [job_ref];
    if args.follow {
        let mut nobody = Nobody;
        let settings = pace.settings();
        let followed = beside(
            app,
            &driver,
            &jobs,
            settings,
            &mut nobody,
            scribe,
            (&mut sheet, LogTarget::Output),
        )
        .await?;
        sheet.finish()?;
        return match followed {
            Followed {
                log: Some(Err(error)),
                ..
            } => Err(error),
            Followed {
                ending: Some(Ending::Stopped { error, .. }),
                ..
            } => Err(to_follow_again(error, &jobs)),
            Followed { .. } => Ok(0),
        };
    }
    let reading = async {
        let job = driver
            .look(&jobs)
            .await
            .pop()
            .unwrap_or_else(|| Err(Error::internal("a job was not looked at")))?;
        scribe.history(&job, &mut sheet).await
    };
    app.unless_interrupted("interrupted", reading)
        .await
        .map_err(|error| error.with_job(args.job.clone()))?;
    sheet.finish()?;
    Ok(0)
}

/// Hears of no change: the log itself shows that things go on.
struct Nobody;

impl Audience for Nobody {
    fn changed(&mut self, _job: &Job) {}

    fn beat(&mut self, _jobs: &[&Job], _failing: &[&str]) {}
}

/// The logs of a provider, or why it has none.
pub fn logs_of(provider: &dyn Provider) -> Result<&dyn Logs> {
    provider
        .logs()
        .ok_or_else(|| unsupported(provider, Verb::Logs))
}

/// What `--follow` cannot do, before anything is sent, together with what else speaks against the job: all refusals are
/// told at once (cli.md §10).
pub fn check_follow(provider: &dyn Provider, prepared: &Prepared) -> Result<()> {
    let Err(error) = logs_of(provider).and_then(|logs| logs.check(&prepared.spec)) else {
        return Ok(());
    };
    let others = assess(provider, prepared).refusals;
    Err(together(provider.name(), error, others))
}

/// One error for a log that cannot be had and for all refusals of the job beside it.
fn together(provider: &str, error: Error, mut refusals: Vec<Refusal>) -> Error {
    if refusals.is_empty() {
        return error;
    }
    let mut refusal = Refusal::new(RefusalCode::UnsupportedField, "--follow", error.to_string());
    if let Some(hint) = &error.details().hint {
        refusal = refusal.with_alternative(hint.clone());
    }
    refusals.push(refusal);
    Error::refused(provider, refusals)
}

/// `--follow` with an array that is many jobs.
pub fn several_jobs() -> Error {
    Error::new(
        Kind::Usage,
        "several_jobs",
        "`--follow` prints the log of one job, and this array is one job for each index",
    )
    .with_hint("use `--wait`, and `gpujob logs -f REF` for the job you want to see")
}

/// Between two looks at a log: the provider's first pause between polls, which grows for states but not for logs.
pub fn log_pace(polling: &Polling, poll: Option<Duration>) -> Duration {
    let wanted = poll.unwrap_or(polling.first).min(SLOWEST);
    if polling.loopback {
        wanted
    } else {
        wanted.max(polling.floor)
    }
}

/// A log is text, or lines as objects.
fn check_format(format: Format) -> Result<()> {
    match format {
        Format::Table | Format::Wide | Format::Name | Format::Ndjson => Ok(()),
        Format::Json | Format::Csv | Format::Tsv => Err(Error::new(
            Kind::Usage,
            "bad_format",
            format!("a log is no `{format}`: it has no end while the job runs"),
        )
        .with_hint("use `-o ndjson`, one object a line, or no `-o` for the text itself")),
    }
}

fn no_times(provider: &dyn Provider) -> Error {
    Error::new(
        Kind::Spec,
        "unsupported_field",
        format!(
            "`--timestamps` cannot be honoured: `{}` does not tell when a line was written",
            provider.name()
        ),
    )
    .with_provider(provider.name())
    .with_hint(
        "let the job print times itself, or add the time of reading with `gpujob logs -f REF | ts`",
    )
}

fn no_since(provider: &dyn Provider) -> Error {
    Error::new(
        Kind::Spec,
        "unsupported_field",
        format!(
            "`--since` cannot be honoured: `{}` knows no times of what was written",
            provider.name()
        ),
    )
    .with_provider(provider.name())
    .with_hint("use `--tail N`")
}

/// The line that goes on where this stopped.
pub fn to_follow_again(error: Error, refs: &[ResourceRef]) -> Error {
    let list: Vec<String> = refs.iter().map(ToString::to_string).collect();
    let list = list.join(" ");
    error.with_hint(format!(
        "the job was left alone; to follow it again:\n  gpujob logs -f {list}\n\
         to wait for its end and its exit code:\n  gpujob wait {list}"
    ))
}
