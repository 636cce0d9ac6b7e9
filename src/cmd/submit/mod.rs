//! `submit`: one create, sent once, to the first candidate that takes the job; with `--wait`, to the job's end, and with
//! `--follow` with its log.

mod array;
mod array_key;
mod failover;
mod id_file;
mod keyed;
mod place;
mod price;

use std::time::Duration;

use crate::ambient::Reporter as _;
use crate::app::{App, flag_duration};
use crate::cli::{DryRun, SubmitArgs};
use crate::engine::fanout::Candidate;
use crate::engine::submit::{Standing, Turn, Wish};
use crate::engine::wait::Goal;
use crate::error::{Error, Kind, Result};
use crate::output::{Format, PriceCheck, Told};
use crate::provider::Provider;
use crate::spec::Array;

use super::explain;
use super::logs;
use super::plan::{Planned, assess};
use super::settle;
use super::show::{Show, Submitted};
use super::spec::{Prepared, prepare};
use super::status::finish;
use super::wait::{Early, Pace, Waiting, wait_for};

use failover::{Candidates, Order};
use id_file::IdFile;
pub(super) use place::submitter;

/// Runs `submit`.
pub async fn run(app: &App, args: &SubmitArgs) -> Result<u8> {
    if args.no_journal {
        app.keep_no_journal()?;
    }
    let prepared = prepare(app, &args.spec)?;
    keyed::check(args, &prepared.spec)?;
    let (mut all, is_any) = app.takers(&prepared.spec.provider)?;
    if args.follow {
        followable(&mut all, &prepared);
    }
    let candidates = Candidates {
        all,
        is_any,
        wait: args
            .wait_for_capacity
            .as_deref()
            .map(|text| flag_duration("--wait-for-capacity", text))
            .transpose()?,
        passes_over_silence: args.best_effort,
    };
    let pace = Pace {
        start_within: prepared.spec.start_timeout.map(Duration::from_secs),
        ..Pace::of(args.poll.as_deref(), &args.poll_failures)?
    };
    let early = Early::of(&args.fail_if, args.cancel)?;
    settle::mention(app, args.key.as_deref());
    if args.dry_run.is_none()
        && let Some((provider, array)) = driven_array(&candidates, &prepared)?
    {
        if args.follow {
            return Err(logs::several_jobs());
        }
        let wanted = array::Wanted {
            args,
            prepared: &prepared,
            provider,
            pace: &pace,
            array,
        };
        let refs = array::submit(app, wanted).await?;
        if !args.wait {
            return Ok(0);
        }
        let waiting = Waiting {
            refs,
            pace,
            goal: Goal::default(),
            early,
            cancel_on_interrupt: args.cancel_on_interrupt,
            follow: false,
            after_submit: None,
        };
        return wait_for(app, waiting).await;
    }
    let wish = keyed::wish(args);
    if let Some(form) = args.dry_run {
        let turn = wish.as_ref().map_or_else(Turn::fresh, Turn::first);
        return dry_run(app, &candidates, &prepared, &turn, form).await;
    }
    let turn = match &wish {
        None => Turn::fresh(),
        Some(wish) => match standing(app, &candidates, wish, &prepared, &pace).await? {
            Standing::Free(turn) => turn,
            Standing::Adopted(job) => {
                app.ui.note(&format!(
                    "the key `{}` stands for {}: nothing was submitted",
                    wish.key, job.job_ref
                ));
                let id_file = args.id_file.as_deref().map(IdFile::open).transpose()?;
                let adopted = Submitted {
                    job: *job,
                    told: Told::default(),
                };
                return submitted(app, args, (pace, early), &adopted, id_file).await;
            }
        },
    };
    let order = Order {
        prepared: &prepared,
        pace: &pace,
        turn: &turn,
        id_file: args.id_file.as_deref(),
    };
    let failover::Placed { job, told, id_file } =
        failover::place_somewhere(app, &candidates, order).await?;
    // Others with this key need not wait for this one's job.
    drop(turn);
    let new = Submitted { job, told };
    submitted(app, args, (pace, early), &new, id_file).await
}

/// Under `--follow` a candidate whose log cannot be had takes no job.
fn followable(candidates: &mut [Candidate], prepared: &Prepared) {
    for candidate in candidates {
        if let Ok(provider) = &candidate.provider
            && let Err(error) = logs::check_follow(&**provider, prepared)
        {
            candidate.provider = Err(error);
        }
    }
}

/// How a key stands with every candidate: one that cannot be asked may have its job.
async fn standing(
    app: &App,
    candidates: &Candidates,
    wish: &Wish<'_>,
    prepared: &Prepared,
    pace: &Pace,
) -> Result<Standing> {
    let providers = candidates
        .all
        .iter()
        .map(|candidate| match &candidate.provider {
            Ok(provider) => Ok(&**provider),
            Err(error) => Err(error.clone()),
        })
        .collect::<Result<Vec<&dyn Provider>>>()?;
    let looking = keyed::standing(app, &providers, wish, prepared, pace);
    let text = format!("looking for the key on {}", candidates.names().join(", "));
    let looking = app.with_progress(&text, looking);
    app.unless_interrupted("interrupted; nothing was submitted", looking)
        .await
}

/// What each candidate would receive, in the order in which they would be tried.
async fn dry_run(
    app: &App,
    candidates: &Candidates,
    prepared: &Prepared,
    turn: &Turn,
    form: DryRun,
) -> Result<u8> {
    let places: Vec<usize> = (0..candidates.all.len()).collect();
    let text = format!("asking {}", candidates.names().join(", "));
    let planning = failover::plan_all(app, candidates, &places, prepared, turn);
    let planning = async { Ok(app.with_progress(&text, planning).await) };
    let planned = app
        .unless_interrupted("interrupted; nothing was submitted", planning)
        .await?;
    let mut shown: Vec<(&dyn Provider, Planned)> = Vec::new();
    let mut errors: Vec<Error> = Vec::new();
    for (place, planned) in planned {
        let Some(candidate) = candidates.all.get(place) else {
            continue;
        };
        match (&candidate.provider, planned) {
            (Ok(provider), Ok(planned)) => shown.push((&**provider, planned)),
            (_, Err(error)) => errors.push(error.with_provider(&candidate.name)),
            (Err(error), Ok(_)) => errors.push(error.clone()),
        }
    }
    if shown.is_empty() {
        return match errors.as_slice() {
            [only] => Err(only.clone()),
            several => Ok(finish(app, several, false)),
        };
    }
    explain::show(app, &shown, &errors, form)
}

/// The array that has to be driven from this side, if the spec has one and nothing speaks against it. Its jobs all go to
/// one provider, and are not waited for before they are created.
fn driven_array<'a>(
    candidates: &'a Candidates,
    prepared: &Prepared,
) -> Result<Option<(&'a dyn Provider, Array)>> {
    let Some(array) = &prepared.spec.array else {
        return Ok(None);
    };
    let mut connected = candidates
        .all
        .iter()
        .filter_map(|candidate| candidate.provider.as_deref().ok());
    let driving = connected.find(|provider| {
        let assessment = assess(*provider, prepared);
        assessment.refusals.is_empty() && assessment.drives_array()
    });
    let Some(provider) = driving else {
        return Ok(None);
    };
    if candidates.all.len() > 1 || candidates.wait.is_some() {
        return Err(Error::new(
            Kind::Usage,
            "several_providers",
            format!(
                "`{}` has no arrays, and one that is driven from this side goes to one provider, at once",
                provider.name()
            ),
        )
        .with_hint("name one with `-p NAME`, and leave `--wait-for-capacity` out"));
    }
    Ok(Some((provider, array.clone())))
}

/// Tells of the job, and waits for its end if that was asked.
async fn submitted(
    app: &App,
    args: &SubmitArgs,
    (pace, early): (Pace, Early),
    submitted: &Submitted,
    mut id_file: Option<IdFile<'_>>,
) -> Result<u8> {
    let Submitted { job, told } = submitted;
    let show = Show::new(app);
    let written = id_file.as_mut().map_or(Ok(()), |file| file.write(job));
    if args.cancel_if_dearer {
        match &told.price {
            Some(price) if price.is_dearer() => {
                show.submitted(job, told)?;
                return Err(price::cancel(app, job).await);
            }
            Some(PriceCheck { now: Some(_), .. }) => {}
            None if job.adopted => {}
            Some(_) | None => app.ui.note(&format!(
                "`{}` does not tell what {} costs now: nothing was compared",
                job.job_ref.provider, job.job_ref
            )),
        }
    }
    if !args.wait && !args.follow {
        show.submitted(job, told)?;
        return written.map(|()| 0);
    }
    if args.follow && app.ui.format() != Format::Ndjson {
        // stdout is the log's.
        app.ui.submitted(&job.job_ref.to_string());
    } else if show.is_streaming_text() {
        show.submitted(job, told)?;
    }
    if let Err(error) = written {
        app.ui.warning(&error.to_string());
    }
    let waiting = Waiting {
        refs: vec![job.job_ref.clone()],
        pace,
        goal: Goal::default(),
        early,
        cancel_on_interrupt: args.cancel_on_interrupt,
        follow: args.follow,
        after_submit: Some(submitted),
    };
    wait_for(app, waiting).await
}
