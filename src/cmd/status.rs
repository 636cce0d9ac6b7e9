//! `status`: recent jobs of every provider side by side, or the jobs named.

mod watch;

use std::collections::BTreeMap;

use crate::ambient::{Clock as _, Reporter as _};
use crate::app::{App, flag_duration};
use crate::cli::StatusArgs;
use crate::engine::fanout::gather;
use crate::engine::fold;
use crate::engine::interrupt::Interrupt;
use crate::error::{Error, Kind, Result};
use crate::journal::Subject;
use crate::model::{Job, State};
use crate::provider::{ListFilter, Listing, Provider, Tracked};

use super::forgotten::forgotten;
use super::show::Show;
use super::{driver, orphans, refs, settle};

/// So many of the journal's newest records are looked at for a list.
pub(super) const REMEMBERED: usize = 2_000;

/// Jobs of one provider in a list, unless `--limit` or `--all` says otherwise (cli.md §10).
const DEFAULT_LIMIT: usize = 50;

/// Runs `status`.
pub async fn run(app: &App, args: &StatusArgs) -> Result<u8> {
    if args.orphans {
        return orphans::run(app, args.best_effort).await;
    }
    settle::mention(app, None);
    if args.watch {
        watch::check(app)?;
        return match args.refs.as_slice() {
            [] => watch::list(app, args).await,
            _ => watch::jobs(app, args).await,
        };
    }
    if args.refs.is_empty() {
        return list(app, args).await;
    }
    let look = look(app, args, app.interrupt()?);
    app.unless_interrupted("interrupted", look).await
}

async fn look(app: &App, args: &StatusArgs, interrupt: &Interrupt) -> Result<u8> {
    let asked = refs::asked(app, &args.refs).await?;
    let driver = driver(app, &asked.providers, interrupt);
    let refs = asked.refs();
    let looking = driver.look(&refs);
    let looked = app.with_progress("looking at the jobs", looking).await;
    let mut answers = looked.into_iter();
    let mut jobs = Vec::new();
    let mut errors = Vec::new();
    for named in &asked.jobs {
        match named {
            Ok(job_ref) => match answers.next() {
                Some(Ok(job)) => jobs.push(job),
                Some(Err(error)) => errors.push(
                    error
                        .with_provider(&job_ref.provider)
                        .with_job(job_ref.to_string()),
                ),
                None => errors.push(Error::internal(format!("{job_ref} was not looked at"))),
            },
            Err(error) => errors.push(error.clone()),
        }
    }
    let show = Show::new(app);
    match (asked.jobs.as_slice(), jobs.as_slice()) {
        ([_], [only]) => show.job(only)?,
        (_, []) => {}
        _ => show.jobs(&jobs, &errors)?,
    }
    Ok(finish(app, &errors, args.best_effort))
}

async fn list(app: &App, args: &StatusArgs) -> Result<u8> {
    let filter = filter(app, args)?;
    let candidates = app.candidates()?;
    let remembered = remembered(app);
    let show = Show::new(app);
    let asking = gather(
        &candidates,
        |provider| listed(app, provider, &filter, &remembered),
        |jobs: &Vec<Job>| {
            show.piece(|| show.jobs(jobs, &[]));
        },
    );
    let gathered = app.asking(&candidates, asking).await?;
    if gathered.is_silent() {
        return Ok(finish(app, &gathered.errors, args.best_effort));
    }
    let mut jobs: Vec<Job> = gathered
        .answers
        .into_iter()
        .flat_map(|(_, jobs)| jobs)
        .collect();
    newest_first(&mut jobs);
    show.whole(|| show.jobs(&jobs, &gathered.errors))?;
    Ok(finish(app, &gathered.errors, args.best_effort))
}

/// One provider's list, with those of its jobs that only this machine remembers.
async fn listed(
    app: &App,
    provider: &dyn Provider,
    filter: &ListFilter,
    remembered: &[Tracked],
) -> Result<Vec<Job>> {
    let of_provider = |tracked: &&Tracked| tracked.job_ref.provider == provider.name();
    let filter = ListFilter {
        remembered: remembered.iter().filter(of_provider).cloned().collect(),
        ..filter.clone()
    };
    let mut listing = provider.list(&filter).await?;
    let mut looked_at = std::mem::take(&mut listing.left_out);
    looked_at.extend(listing.jobs.iter().cloned());
    if listing.forgets_ended {
        let forgotten = forgotten(app, provider, &looked_at, &filter).await?;
        looked_at.extend(forgotten.looked_at);
        listing.jobs.extend(forgotten.jobs);
    }
    // Only what a provider wants to be told again is news to the journal: a list is no reason to write down the rest.
    looked_at.retain(|job| job.reading.is_some());
    let none = BTreeMap::new();
    driver(app, &none, app.interrupt()?).saw(&looked_at);
    Ok(jobs_of(app, listing, provider, &filter))
}

/// The jobs of one provider's list, with what this machine knows of them, newest first.
fn jobs_of(app: &App, listing: Listing, provider: &dyn Provider, filter: &ListFilter) -> Vec<Job> {
    if let Some(why) = &listing.truncated {
        app.ui.warning(&format!(
            "the list of `{}` is not whole: {why}",
            provider.name()
        ));
    }
    let mut jobs = listing.jobs;
    for job in &mut jobs {
        if let Ok(Some(memory)) = app.journal().memory(&job.job_ref) {
            fold::remember(job, &memory);
            fold::estimate_cost(job, &memory, app.clock.now());
        }
    }
    if let Some(since) = filter.since {
        jobs.retain(|job| job.created_at.is_none_or(|created| created >= since));
    }
    newest_first(&mut jobs);
    jobs
}

/// What has no time of creation stays behind in its provider's order.
fn newest_first(jobs: &mut [Job]) {
    jobs.sort_by_key(|job| std::cmp::Reverse(job.created_at));
}

fn filter(app: &App, args: &StatusArgs) -> Result<ListFilter> {
    let states = args
        .state
        .iter()
        .map(|word| {
            State::from_word(word).ok_or_else(|| {
                let known: Vec<&str> = State::ALL.iter().map(|state| state.as_str()).collect();
                Error::new(
                    Kind::Usage,
                    "unknown_state",
                    format!("--state: `{word}` is no state"),
                )
                .with_hint(format!("the states are {}", known.join(", ")))
            })
        })
        .collect::<Result<_>>()?;
    let since = if args.all {
        None
    } else {
        let back = flag_duration("--since", &args.since)?;
        let seconds = i64::try_from(back.as_secs()).unwrap_or(i64::MAX);
        let now = app.clock.now();
        now.checked_sub(jiff::SignedDuration::from_secs(seconds))
            .ok()
    };
    Ok(ListFilter {
        since,
        limit: args.limit.or((!args.all).then_some(DEFAULT_LIMIT)),
        states,
        namespace: None,
        remembered: Vec::new(),
    })
}

/// What the journal knows of recent jobs and a provider may not tell: cancels and time limits.
pub(super) fn remembered(app: &App) -> Vec<Tracked> {
    let entries = app.journal().list(REMEMBERED);
    match entries {
        Ok(entries) => entries
            .into_iter()
            .filter(|entry| entry.subject == Subject::Job)
            .filter_map(|entry| {
                Some(Tracked {
                    job_ref: entry.job_ref?,
                    cancel_requested_at: entry.cancel_requested_at,
                    time_limit_s: entry.time_limit_s,
                    reading: entry.reading,
                    start_by: None,
                })
            })
            .collect(),
        Err(error) => {
            app.ui
                .warning(&format!("the journal could not be read: {error}"));
            Vec::new()
        }
    }
}

/// Names every failure; the first one's code ends the command, unless it is content with less (cli.md §4).
pub fn finish(app: &App, errors: &[Error], best_effort: bool) -> u8 {
    app.ui.partial_failures(errors, best_effort);
    match errors.first() {
        Some(error) if !best_effort => error.kind().exit_code(),
        Some(_) | None => 0,
    }
}
