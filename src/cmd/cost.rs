//! `cost`: what jobs have cost so far, where the provider says so.

use std::collections::BTreeMap;

use futures_util::future::join_all;

use crate::ambient::{Clock as _, Reporter as _};
use crate::app::{App, flag_duration};
use crate::cli::CostArgs;
use crate::engine::fanout::gather;
use crate::engine::fold;
use crate::error::{Error, Result};
use crate::model::{JobCost, ResourceRef};
use crate::provider::{ListFilter, Provider, Verb};

use super::refs::{self, Asked};
use super::show::Show;
use super::status::finish;
use super::volumes::unsupported;

/// Runs `cost`.
pub async fn run(app: &App, args: &CostArgs) -> Result<u8> {
    if args.refs.is_empty() {
        return of_recent_jobs(app, args).await;
    }
    app.unless_interrupted("interrupted", of_named_jobs(app, args))
        .await
}

async fn of_named_jobs(app: &App, args: &CostArgs) -> Result<u8> {
    let asked = refs::asked(app, &args.refs).await?;
    if let [only] = asked.providers.values().collect::<Vec<_>>().as_slice()
        && only.cost().is_none()
    {
        return Err(unsupported(&***only, Verb::Cost));
    }
    let told = app
        .with_progress("asking for the costs", answers(app, &asked))
        .await;
    let mut rows = Vec::new();
    let mut errors = Vec::new();
    for named in &asked.jobs {
        let answer = match named {
            Ok(job) => told
                .get(job)
                .cloned()
                .unwrap_or_else(|| Err(fold::not_found(job))),
            Err(error) => Err(error.clone()),
        };
        match answer {
            Ok(cost) => rows.push(cost),
            Err(error) => errors.push(error),
        }
    }
    if !rows.is_empty() || errors.is_empty() {
        Show::new(app).costs(&rows, &errors)?;
    }
    Ok(finish(app, &errors, args.best_effort))
}

/// What every provider tells of its own jobs, all asked at once.
async fn answers(app: &App, asked: &Asked) -> BTreeMap<ResourceRef, Result<JobCost>> {
    let refs = asked.refs();
    let questions = asked.providers.values().map(|provider| {
        let own: Vec<ResourceRef> = refs
            .iter()
            .filter(|job| job.provider == provider.name())
            .cloned()
            .collect();
        async move {
            let told = if let Some(costs) = provider.cost() {
                costs.costs_of(&own).await
            } else {
                say_unsupported(app, &**provider);
                Ok(own.iter().cloned().map(JobCost::untold).map(Some).collect())
            };
            (own, told)
        }
    });
    let mut found = BTreeMap::new();
    for (own, told) in join_all(questions).await {
        match told {
            Ok(told) => found.extend(own.into_iter().zip(told).map(|(job, cost)| {
                let cost = cost.ok_or_else(|| fold::not_found(&job));
                (job, cost)
            })),
            Err(error) => found.extend(own.into_iter().map(|job| {
                let error = error.clone().with_provider(&job.provider);
                let error = error.with_job(job.to_string());
                (job, Err(error))
            })),
        }
    }
    found
}

async fn of_recent_jobs(app: &App, args: &CostArgs) -> Result<u8> {
    let filter = filter(app, args)?;
    let candidates = app.candidates()?;
    let alone = candidates.len() == 1;
    let show = Show::new(app);
    let asking = gather(
        &candidates,
        |provider| {
            let filter = &filter;
            async move {
                match provider.cost() {
                    Some(_) => of_provider(app, provider, filter).await,
                    None if alone => Err(unsupported(provider, Verb::Cost)),
                    None => {
                        say_unsupported(app, provider);
                        Ok(Vec::new())
                    }
                }
            }
        },
        |rows: &Vec<JobCost>| show.piece(|| show.costs(rows, &[])),
    );
    let gathered = app.asking(&candidates, asking).await?;
    if gathered.is_silent() {
        return Ok(finish(app, &gathered.errors, args.best_effort));
    }
    let rows: Vec<JobCost> = gathered
        .answers
        .into_iter()
        .flat_map(|(_, rows)| rows)
        .collect();
    show.whole(|| show.costs(&rows, &gathered.errors))?;
    Ok(finish(app, &gathered.errors, args.best_effort))
}

async fn of_provider(
    app: &App,
    provider: &dyn Provider,
    filter: &ListFilter,
) -> Result<Vec<JobCost>> {
    let listing = provider.list(filter).await?;
    if let Some(why) = &listing.truncated {
        app.ui.warning(&format!(
            "the list of `{}` is not whole: {why}",
            provider.name()
        ));
    }
    let refs: Vec<ResourceRef> = listing.jobs.into_iter().map(|job| job.job_ref).collect();
    let costs = provider
        .cost()
        .ok_or_else(|| Error::internal("costs were asked of a provider that has none"))?;
    Ok(costs.costs_of(&refs).await?.into_iter().flatten().collect())
}

fn filter(app: &App, args: &CostArgs) -> Result<ListFilter> {
    let back = flag_duration("--since", &args.since)?;
    let seconds = i64::try_from(back.as_secs()).unwrap_or(i64::MAX);
    let now = app.clock.now();
    Ok(ListFilter {
        since: now
            .checked_sub(jiff::SignedDuration::from_secs(seconds))
            .ok(),
        limit: Some(args.limit),
        ..ListFilter::default()
    })
}

fn say_unsupported(app: &App, provider: &dyn Provider) {
    app.ui.note(unsupported(provider, Verb::Cost).message());
}
