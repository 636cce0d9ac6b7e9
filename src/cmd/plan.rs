//! The road that `submit`, `--dry-run` and `explain` share: assess, survey, plan. What is shown is what is sent.

use std::collections::BTreeMap;

use crate::ambient::Entropy as _;
use crate::app::App;
use crate::engine::submit::Turn;
use crate::error::{Error, Result};
use crate::model::Marker;
use crate::provider::money;
use crate::provider::{Assessment, Plan, PlanInput, PlanRefusal, Provider, Survey};
use crate::secret::Secret;
use crate::spec::{JobSpec, Timeout};

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
            let whole = match surveyed.whole(app, provider, prepared) {
                Planned::Ready(whole) => whole,
                Planned::Refused(assessment) => return Ok(Planned::Refused(assessment)),
            };
            let job = prepared.job_of(array.first)?;
            let turn = turn.of_index(array.first);
            let marker = marker(app, provider, &job, &turn).await?;
            let planned = surveyed.of_array(provider, &whole, &job, &marker);
            Ok(match planned {
                Planned::Ready(plan) => Planned::Ready(Box::new(Plan {
                    assessment: whole.assessment,
                    extent: whole.extent,
                    ..*plan
                })),
                refused @ Planned::Refused(_) => refused,
            })
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
        let prices = app.prices()?;
        let mut survey = provider.survey(spec).await?;
        prices.fill(provider.name(), provider.backend(), &mut survey.offers);
        Ok(Self {
            survey,
            secrets,
            registry_password,
        })
    }

    /// The plan of an array as one: what it costs in all, and which time limit that leaves its jobs. Never sent.
    pub fn whole(&self, app: &App, provider: &dyn Provider, prepared: &Prepared) -> Planned {
        let marker = Marker::random(app.entropy.bytes(), &prepared.hash);
        let mut planned = self.plan(provider, prepared, &marker);
        if let Planned::Ready(plan) = &mut planned {
            plan.assessment.note(
                "the array is driven from this side: one create for each index, of which `explain` shows the first",
            );
        }
        planned
    }

    /// The plan of one job of an array, within the limits on the whole.
    pub fn of_array(
        &self,
        provider: &dyn Provider,
        whole: &Plan,
        job: &Prepared,
        marker: &Marker,
    ) -> Planned {
        let mut spec = job.spec.clone();
        if let (Timeout::Unset, Some(_), Some(seconds)) =
            (&spec.timeout, &spec.max_cost, whole.time_limit_s)
        {
            spec.timeout = Timeout::After(seconds);
        }
        // The whole was weighed already, and one job of it costs less.
        spec.max_cost = None;
        spec.max_price = None;
        let limited = Prepared {
            spec,
            policy: job.policy,
            hash: job.hash,
        };
        self.plan(provider, &limited, marker)
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
        match money::plan(provider, &input, &self.survey) {
            Ok(plan) => Planned::Ready(Box::new(plan)),
            Err(PlanRefusal { assessment }) => Planned::Refused(assessment),
        }
    }
}

/// What the spec alone shows.
pub fn assess(provider: &dyn Provider, prepared: &Prepared) -> Assessment {
    money::assess(provider, &prepared.spec, &prepared.policy)
}

/// The one error that lists all refusals.
pub fn refusal(provider: &dyn Provider, assessment: Assessment) -> Error {
    Error::refused(provider.name(), assessment.refusals)
}
