//! The road that `submit`, `--dry-run` and `explain` share: assess, survey, plan. What is shown is what is sent.

use crate::ambient::Entropy as _;
use crate::app::App;
use crate::error::{Error, Result};
use crate::model::Marker;
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
    let spec = &prepared.spec;
    let assessment = provider.assess(spec, &prepared.policy);
    if !assessment.refusals.is_empty() {
        return Ok(Planned::Refused(assessment));
    }
    let secrets = secrets(app, spec)?;
    let password = registry_password(app, spec)?;
    let survey = provider.survey(spec).await?;
    let marker = Marker::random(app.entropy.bytes(), &prepared.hash);
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

/// The one error that lists all refusals.
pub fn refusal(provider: &dyn Provider, assessment: Assessment) -> Error {
    Error::refused(provider.name(), assessment.refusals)
}
