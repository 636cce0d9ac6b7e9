//! `--key`: what the key stands for is found before anything is planned, since the first job may have taken the last card.

use crate::app::App;
use crate::cli::SubmitArgs;
use crate::engine::submit::{Place, Standing, Turn, Wish};
use crate::error::{Error, Kind, Result};
use crate::provider::Provider;
use crate::spec::JobSpec;

use super::super::lookup_pauses;
use super::super::plan::assess;
use super::super::spec::Prepared;
use super::super::wait::Pace;
use super::place::{request, submitter};

/// The wish of a command line, if it names a key.
pub(super) fn wish(args: &SubmitArgs) -> Option<Wish<'_>> {
    args.key.as_deref().map(|key| Wish {
        key,
        rerun_failed: args.rerun_failed,
        resubmit: args.resubmit,
        is_ours: false,
    })
}

/// Flags that speak of an earlier submit need something to find it by.
pub(super) fn check(args: &SubmitArgs, spec: &JobSpec) -> Result<()> {
    let has_name = args.key.is_some() || spec.array.is_some();
    let flag = match (args.rerun_failed, args.resubmit) {
        (true, _) if !has_name => "--rerun-failed",
        (_, true) if !has_name => "--resubmit",
        _ => return Ok(()),
    };
    Err(Error::new(
        Kind::Usage,
        "missing_key",
        format!("{flag} speaks of an earlier submit, and without a key there is none"),
    )
    .with_hint("name the key that it was submitted under with `--key KEY`"))
}

/// How a wish stands with all candidates. Creates nothing.
pub(super) async fn standing(
    app: &App,
    candidates: &[&dyn Provider],
    wish: &Wish<'_>,
    prepared: &Prepared,
    pace: &Pace,
) -> Result<Standing> {
    // What the spec alone shows is refused before any request; planning tells it.
    if candidates
        .iter()
        .all(|provider| !assess(*provider, prepared).refusals.is_empty())
    {
        return Ok(Standing::Free(Turn::first(wish)));
    }
    // Elsewhere the key may have been used from here.
    let elsewhere = elsewhere(app, candidates, wish.key)?;
    let all = candidates
        .iter()
        .copied()
        .chain(elsewhere.iter().map(|provider| &**provider));
    let mut places = Vec::new();
    for provider in all {
        match provider.scope(&prepared.spec).await {
            Ok(scope) => places.push(Place { provider, scope }),
            // Where nothing can be sent nothing was; planning tells why.
            Err(error) if matches!(error.kind(), Kind::Config | Kind::Spec) => {}
            Err(error) => return Err(error),
        }
    }
    let Some(first) = places.first() else {
        return Ok(Standing::Free(Turn::first(wish)));
    };
    let pauses = lookup_pauses(&first.provider.polling(), pace.poll);
    let submitter = submitter(app, &pauses)?;
    submitter.standing(&places, wish, &request(prepared)).await
}

/// The other providers that a key was used with from this machine, as far as they are configured still.
fn elsewhere(app: &App, candidates: &[&dyn Provider], key: &str) -> Result<Vec<Box<dyn Provider>>> {
    let mut found: Vec<Box<dyn Provider>> = Vec::new();
    for entry in app.writable_journal()?.find_by_key(key)? {
        let is_known = candidates
            .iter()
            .copied()
            .chain(found.iter().map(|provider| &**provider))
            .any(|provider| provider.name() == entry.provider);
        if !is_known {
            found.extend(app.provider(&entry.provider).ok());
        }
    }
    Ok(found)
}
