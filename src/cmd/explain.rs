//! `explain`: what each provider would receive, field by field. Reads, and creates nothing.

use crate::app::App;
use crate::cli::{DryRun, ExplainArgs};
use crate::engine::fanout::gather;
use crate::error::{Error, Kind, Result};
use crate::provider::{Provider, cyclecloud};

use super::plan::{Planned, plan, refusal};
use super::show::Show;
use super::spec::prepare;
use super::status::finish;

/// `--cyclecloud-runner`: what an operator installs once, as a script that says in its comments how. Local.
pub fn runner(app: &App) -> Result<u8> {
    app.ui.print(&cyclecloud::instructions())?;
    Ok(0)
}

/// Runs `explain` for the providers of `-p`, of the spec, or all that are configured.
pub async fn run(app: &App, args: &ExplainArgs) -> Result<u8> {
    let prepared = prepare(app, &args.spec)?;
    let candidates = if app.global.provider.is_empty() && !prepared.spec.provider.is_empty() {
        app.candidates_named(&prepared.spec.provider)?
    } else {
        app.candidates()?
    };
    let prepared = &prepared;
    let planning = gather(
        &candidates,
        |provider| async move { Ok((provider, plan(app, provider, prepared).await?)) },
        |_| {},
    );
    let gathered = app.asking(&candidates, planning).await?;
    let mut errors = gathered.errors;
    let shown: Vec<(&dyn Provider, Planned)> =
        gathered.answers.into_iter().map(|(_, pair)| pair).collect();
    if shown.is_empty() {
        return Ok(finish(app, &errors, false));
    }
    let shown = show(app, &shown, &errors, args.dry_run.unwrap_or(DryRun::Text));
    if errors.is_empty() {
        return shown;
    }
    // Not every provider asked refused: some could not say (cli.md §10, "More codes").
    if let Err(refused) = shown {
        errors.push(refused);
    }
    Ok(finish(app, &errors, false))
}

/// Prints plans; ends with 81 when every provider asked refuses (cli.md §10, "More codes").
pub fn show(
    app: &App,
    plans: &[(&dyn Provider, Planned)],
    errors: &[Error],
    form: DryRun,
) -> Result<u8> {
    Show::new(app).plans(plans, errors, form)?;
    let refused: Vec<&(&dyn Provider, Planned)> = plans
        .iter()
        .filter(|(_, planned)| matches!(planned, Planned::Refused(_)))
        .collect();
    match refused.as_slice() {
        several if several.len() == plans.len() => {
            let (provider, planned) = several
                .first()
                .ok_or_else(|| Error::internal("no provider was asked"))?;
            match planned {
                Planned::Refused(assessment) => {
                    Err(as_spec(refusal(*provider, assessment.clone())))
                }
                Planned::Ready(_) => Ok(0),
            }
        }
        _ => Ok(0),
    }
}

/// An explained refusal exits 81 whatever refused it.
fn as_spec(error: Error) -> Error {
    if error.kind() == Kind::Spec {
        return error;
    }
    let details = error.details();
    let mut spec = Error::new(Kind::Spec, details.code.clone(), details.message.clone());
    if let Some(provider) = &details.provider {
        spec = spec.with_provider(provider);
    }
    spec.with_refusals(details.refusals.clone())
}
