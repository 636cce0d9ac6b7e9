//! `status --watch`: the same rows again and again. A terminal is redrawn; anything else gets a line, or an object, for
//! each change (cli.md §4).

mod board;

use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use tokio::sync::Notify;

use crate::ambient::{Clock as _, Entropy as _, Reporter as _};
use crate::app::App;
use crate::cli::StatusArgs;
use crate::cmd::show::Show;
use crate::cmd::wait::Pace;
use crate::cmd::{driver, refs};
use crate::engine::drive::{Audience, Ending};
use crate::engine::wait::{Goal, Settings};
use crate::error::{Error, Kind, Result};
use crate::model::{Job, Timestamp};
use crate::output::{Format, sanitize};
use crate::provider::{ListFilter, Polling, Provider};

use board::{Board, Turn};

/// Home, and everything below it empty.
const CLEARED: &str = "\u{1b}[H\u{1b}[J";
/// Without `--poll-failures`: `wait`'s own.
const POLL_FAILURES: &str = "10m";

/// Whether the format can be written piece by piece; one JSON document cannot.
pub(super) fn check(app: &App) -> Result<()> {
    if app.ui.format() != Format::Json {
        return Ok(());
    }
    Err(Error::new(
        Kind::Usage,
        "endless_document",
        "`--watch` never ends, and `-o json` is one document",
    )
    .with_hint("`-o ndjson` prints an object for each change"))
}

/// Watches the jobs named until all of them have ended.
pub(super) async fn jobs(app: &App, args: &StatusArgs) -> Result<u8> {
    let named = app.unless_interrupted("interrupted", refs::jobs(app, &args.refs));
    let named = named.await?;
    let interrupt = app.interrupt()?;
    let providers = app.providers_of(named.iter().map(|job_ref| job_ref.provider.as_str()))?;
    let driver = driver(app, &providers, interrupt);
    let pace = Pace::of(args.poll.as_deref(), POLL_FAILURES)?;
    let settings = Settings {
        first: pace.poll,
        tolerance: pace.poll_failures,
        start_within: None,
        goal: Goal::default(),
        fail_if: Vec::new(),
        begun_at: Some(app.clock.now()),
    };
    let mut screen = Screen::new(app);
    let unread = Arc::clone(&screen.unread);
    let ending = tokio::select! {
        ending = driver.wait(&named, settings, &mut screen) => ending?,
        () = unread.notified() => return Ok(0),
    };
    match ending {
        Ending::Ended(_) | Ending::Met { .. } => Ok(0),
        Ending::Stopped {
            signal: Some(signal),
            ..
        } => Err(signal.error("interrupted")),
        Ending::Stopped { error, .. } => Err(error),
    }
}

/// Watches the recent jobs of every provider, each at its own pace, until somebody ends it.
pub(super) async fn list(app: &App, args: &StatusArgs) -> Result<u8> {
    let candidates = app.candidates()?;
    let first = Pace::of(args.poll.as_deref(), POLL_FAILURES)?.poll;
    let mut providers: Vec<&dyn Provider> = Vec::new();
    let mut failed = None;
    for candidate in &candidates {
        match &candidate.provider {
            Ok(provider) => providers.push(&**provider),
            Err(error) => lost(
                app,
                &mut failed,
                error.clone().with_provider(&candidate.name),
            ),
        }
    }
    let pollings: Vec<Polling> = providers
        .iter()
        .map(|provider| provider.polling())
        .collect();
    let names = providers.iter().map(|provider| provider.name().to_owned());
    let mut board = Board::new(names.collect(), &pollings, first);
    let mut screen = Screen::new(app);
    let watching = async {
        let mut looks = FuturesUnordered::new();
        for (place, provider) in providers.iter().enumerate() {
            looks.push(look(app, args, *provider, place, Duration::ZERO));
        }
        while let Some((place, rows)) = looks.next().await {
            let turn = board.take(place, rows, app.entropy.fraction());
            match turn {
                Turn::News { jobs, recovered } => {
                    if recovered {
                        app.ui
                            .note(&format!("`{}` answers again", board.name(place)));
                    }
                    jobs.iter().for_each(|job| screen.changed(job));
                }
                Turn::Failing(error) => app.ui.warning(&format!(
                    "`{}` does not tell how its jobs are ({error}); asking again",
                    board.name(place)
                )),
                Turn::StillFailing => {}
                Turn::Lost(error) => lost(app, &mut failed, error.with_provider(board.name(place))),
            }
            screen.redraw(&board.rows(), &board.failing());
            if app.ui.is_closed() {
                return Ok(0);
            }
            if let (Some(provider), Some(pause)) = (providers.get(place), board.pause(place)) {
                looks.push(look(app, args, *provider, place, pause));
            }
        }
        // Nobody is left to ask.
        Ok(failed.unwrap_or(0))
    };
    let timed_out = async {
        match app.deadline {
            Some(deadline) => tokio::time::sleep_until(deadline).await,
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        ended = app.unless_interrupted("interrupted", watching) => ended,
        () = timed_out => Err(Error::new(Kind::Timeout, "timeout", "`--timeout` ran out")),
    }
}

/// A provider that cannot be asked: named at once; the first one's code ends the command if nobody is left.
fn lost(app: &App, failed: &mut Option<u8>, error: Error) {
    failed.get_or_insert(error.kind().exit_code());
    app.ui.partial_failures(&[error], false);
}

/// One look at a provider's list, after a pause.
async fn look(
    app: &App,
    args: &StatusArgs,
    provider: &dyn Provider,
    place: usize,
    pause: Duration,
) -> (usize, Result<Vec<Job>>) {
    tokio::time::sleep(pause).await;
    let listed = async {
        let filter: ListFilter = super::filter(app, args)?;
        super::listed(app, provider, &filter, &super::remembered(app)).await
    };
    (place, listed.await)
}

/// Where the rows go.
struct Screen<'a> {
    app: &'a App,
    show: Show<'a>,
    is_redrawn: bool,
    has_header: bool,
    /// Told when nobody reads the output any more.
    unread: Arc<Notify>,
}

impl<'a> Screen<'a> {
    fn new(app: &'a App) -> Self {
        let is_table = matches!(app.ui.format(), Format::Table | Format::Wide);
        Self {
            app,
            show: Show::new(app),
            is_redrawn: is_table && app.ui.facts().can_redraw(),
            has_header: false,
            unread: Arc::new(Notify::new()),
        }
    }

    /// The whole screen anew, where it is one.
    fn redraw(&mut self, jobs: &[&Job], failing: &[&str]) {
        if !self.is_redrawn {
            return;
        }
        let jobs: Vec<Job> = jobs.iter().map(|job| (*job).clone()).collect();
        // In one piece, or it flickers.
        let drawn = self.show.text_of(&jobs, &[]);
        let drawn = drawn.and_then(|text| self.app.ui.print(&format!("{CLEARED}{text}")));
        if let Err(error) = drawn {
            self.app.ui.warning(&error.to_string());
        }
        if !failing.is_empty() {
            let names = failing.join(", ");
            self.app.ui.warning(&format!("no answer from {names}"));
        }
    }

    /// One change, where there is no screen.
    fn print(&mut self, job: &Job) -> Result<()> {
        match self.app.ui.format() {
            Format::Ndjson | Format::Json => {
                self.show.changed(job);
                Ok(())
            }
            Format::Name => self.app.ui.print(&format!("{}\n", job.job_ref)),
            Format::Table | Format::Wide => self.app.ui.print(&line(job, self.app.clock.now())),
            Format::Csv | Format::Tsv => {
                let text = self.show.text_of(std::slice::from_ref(job), &[])?;
                let text = match text.split_once('\n') {
                    Some((_, row)) if self.has_header => row.to_owned(),
                    Some(_) | None => text,
                };
                self.has_header = true;
                self.app.ui.print(&text)
            }
        }
    }
}

impl Audience for Screen<'_> {
    fn changed(&mut self, job: &Job) {
        if self.is_redrawn {
            return;
        }
        if let Err(error) = self.print(job) {
            self.app.ui.warning(&error.to_string());
        }
        if self.app.ui.is_closed() {
            self.unread.notify_one();
        }
    }

    fn beat(&mut self, jobs: &[&Job], failing: &[&str]) {
        self.redraw(jobs, failing);
    }
}

/// A change as one line: when it was seen, the job, its state, and why.
fn line(job: &Job, now: Timestamp) -> String {
    let because = match (job.reason.as_deref(), job.exit_code) {
        (Some(reason), _) => format!(" ({reason})"),
        (None, Some(code)) => format!(" (exit code {code})"),
        (None, None) => String::new(),
    };
    let text = format!("{now:.0} {} {}{because}", job.job_ref, job.state);
    format!("{}\n", sanitize::line(&text))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{ResourceRef, State};

    #[test]
    fn a_change_is_one_harmless_line() {
        let now = Timestamp::from_second(1_800_000_000).unwrap();
        let mut job = Job::new(ResourceRef::new("gongji", ["1"]), "1", State::Failed);
        assert_eq!(line(&job, now), "2027-01-15T08:00:00Z gongji/1 failed\n");
        job.exit_code = Some(3);
        assert!(line(&job, now).ends_with("failed (exit code 3)\n"));
        job.reason = Some("a\nb\u{1b}[2J".to_owned());
        let told = line(&job, now);
        assert_eq!(told.matches('\n').count(), 1);
        assert!(!told.contains('\u{1b}'));
    }
}
