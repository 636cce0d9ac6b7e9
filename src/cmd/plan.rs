//! The road that `submit`, `--dry-run` and `explain` share: assess, survey, plan. What is shown is what is sent.

use crate::ambient::Entropy as _;
use crate::app::App;
use crate::engine::submit::Turn;
use crate::error::{Error, Result};
use crate::model::{FieldReport, Level};
use crate::provider::{Assessment, Plan, PlanInput, PlanRefusal, Provider};

use super::spec::{Prepared, registry_password, secrets};

/// A plan, or every reason why there is none.
#[derive(Debug)]
pub enum Planned {
    Ready(Box<Plan>),
    Refused(Assessment),
}

/// What the spec alone shows is refused before any request; what needs a look is refused after reads (cli.md §10).
pub async fn plan(app: &App, provider: &dyn Provider, prepared: &Prepared) -> Result<Planned> {
    plan_as(app, provider, prepared, &Turn::fresh()).await
}

/// The same under the marker of a turn.
pub async fn plan_as(
    app: &App,
    provider: &dyn Provider,
    prepared: &Prepared,
    turn: &Turn,
) -> Result<Planned> {
    let spec = &prepared.spec;
    let assessment = assess(provider, prepared);
    if !assessment.refusals.is_empty() {
        return Ok(Planned::Refused(assessment));
    }
    let secrets = secrets(app, spec)?;
    let password = registry_password(app, spec)?;
    let survey = provider.survey(spec).await?;
    let random = app.entropy.bytes();
    let marker = match turn.key() {
        None => turn.marker("", &prepared.hash, random),
        Some(_) => turn.marker(&provider.scope(spec).await?, &prepared.hash, random),
    };
    let input = PlanInput {
        spec,
        marker: &marker,
        policy: &prepared.policy,
        secrets: &secrets,
        registry_password: password.as_ref(),
    };
    Ok(match provider.plan(&input, &survey) {
        Ok(plan) => Planned::Ready(Box::new(plan)),
        Err(PlanRefusal { assessment }) => Planned::Refused(assessment),
    })
}

/// What the spec alone shows.
pub fn assess(provider: &dyn Provider, prepared: &Prepared) -> Assessment {
    let mut assessment = provider.assess(&prepared.spec, &prepared.policy);
    refuse_driven_array(&mut assessment);
    assessment
}

/// An array that the provider does not have would be driven from this side, one job for each index. Nothing here does
/// that yet, and one job that passes for several would be worse than a refusal.
fn refuse_driven_array(assessment: &mut Assessment) {
    let is_driven = |line: &FieldReport| match line.level {
        Level::Emulated | Level::Local => line.field == "array",
        Level::Native | Level::Refused => false,
    };
    if !assessment.report.iter().any(is_driven) {
        return;
    }
    assessment.report.retain(|line| !is_driven(line));
    assessment.unsupported(
        "array",
        "the provider has no arrays, and driving one from this side is not built yet",
        "submit once for each index, with `--env GPUJOB_ARRAY_INDEX=N`",
    );
}

/// The one error that lists all refusals.
pub fn refusal(provider: &dyn Provider, assessment: Assessment) -> Error {
    Error::refused(provider.name(), assessment.refusals)
}
