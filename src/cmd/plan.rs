//! The road that `submit`, `--dry-run` and `explain` share: assess, survey, plan. What is shown is what is sent.

use std::collections::BTreeMap;

use crate::ambient::Entropy as _;
use crate::app::App;
use crate::engine::submit::Turn;
use crate::error::{Error, Result};
use crate::model::Marker;
use crate::provider::{ARRAY, Assessment, Plan, PlanInput, PlanRefusal, Provider, Survey};
use crate::secret::Secret;
use crate::spec::JobSpec;

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

/// The same under the marker of a turn. Of an array that is driven from this side its first job is planned.
pub async fn plan_as(
    app: &App,
    provider: &dyn Provider,
    prepared: &Prepared,
    turn: &Turn,
) -> Result<Planned> {
    let assessment = assess(provider, prepared);
    if !assessment.refusals.is_empty() {
        return Ok(Planned::Refused(assessment));
    }
    let surveyed = Surveyed::by(app, provider, &prepared.spec).await?;
    match &prepared.spec.array {
        Some(array) if assessment.drives_array() => {
            let job = prepared.job_of(array.first)?;
            let turn = turn.of_index(array.first);
            let marker = marker(app, provider, &job, &turn).await?;
            let mut planned = surveyed.plan(provider, &job, &marker);
            planned.name_array(assessment);
            Ok(planned)
        }
        Some(_) | None => {
            let marker = marker(app, provider, prepared, turn).await?;
            Ok(surveyed.plan(provider, prepared, &marker))
        }
    }
}

async fn marker(
    app: &App,
    provider: &dyn Provider,
    prepared: &Prepared,
    turn: &Turn,
) -> Result<Marker> {
    let scope = match turn.key() {
        None => String::new(),
        Some(_) => provider.scope(&prepared.spec).await?,
    };
    Ok(turn.marker(&scope, &prepared.hash, app.entropy.bytes()))
}

/// What was read before a create; it serves every job of an array.
#[derive(Debug)]
pub struct Surveyed {
    survey: Survey,
    secrets: BTreeMap<String, Secret>,
    registry_password: Option<Secret>,
}

impl Surveyed {
    /// Reads what a plan needs: values of secrets first, which cost no request.
    pub async fn by(app: &App, provider: &dyn Provider, spec: &JobSpec) -> Result<Self> {
        let secrets = secrets(app, spec)?;
        let registry_password = registry_password(app, spec)?;
        Ok(Self {
            survey: provider.survey(spec).await?,
            secrets,
            registry_password,
        })
    }

    /// The plan of one job.
    pub fn plan(&self, provider: &dyn Provider, prepared: &Prepared, marker: &Marker) -> Planned {
        let input = PlanInput {
            spec: &prepared.spec,
            marker,
            policy: &prepared.policy,
            secrets: &self.secrets,
            registry_password: self.registry_password.as_ref(),
        };
        match provider.plan(&input, &self.survey) {
            Ok(plan) => Planned::Ready(Box::new(plan)),
            Err(PlanRefusal { assessment }) => Planned::Refused(assessment),
        }
    }
}

impl Planned {
    /// Puts what was said of the whole array before what is said of one of its jobs.
    pub fn name_array(&mut self, array: Assessment) {
        let assessment = match self {
            Self::Ready(plan) => &mut plan.assessment,
            Self::Refused(assessment) => assessment,
        };
        let lines = array.report.into_iter().filter(|line| line.field == ARRAY);
        assessment.report.extend(lines);
        assessment.note(
            "the array is driven from this side: what is shown is the create of its first job, and there is one for each index",
        );
    }
}

/// What the spec alone shows.
pub fn assess(provider: &dyn Provider, prepared: &Prepared) -> Assessment {
    provider.assess(&prepared.spec, &prepared.policy)
}

/// The one error that lists all refusals.
pub fn refusal(provider: &dyn Provider, assessment: Assessment) -> Error {
    Error::refused(provider.name(), assessment.refusals)
}
