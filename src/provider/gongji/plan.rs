//! Spec and survey to one create, or to all refusals (gongji.md §2.3; style.md rule 2).
//!
//! Pure. What stands in the plan is what `explain` shows and what is sent, byte for byte. The mark in it comes from the
//! survey's catalogue and is good for one create soon after.

use crate::error::Kind;
use crate::model::{Backend, Offer, Refusal, RefusalCode};
use crate::provider::money::Extent;
use crate::provider::{Assessment, Plan, PlanInput, PlanRefusal, Policy, Survey};
use crate::secret::Secret;
use crate::spec::JobSpec;

use super::choose::{self, Wish};
use super::draft::{self, Account, Draft};
use super::parse::NAMELESS;
use super::wire::{Candidate, EnvEntry, RepositoryAccount, Service};
use super::{mounts, offers};

/// What the spec alone shows.
pub fn assess(account: Account<'_>, spec: &JobSpec, policy: &Policy) -> Assessment {
    draft::draft(account, spec, *policy).assessment
}

/// Where the marker is looked up: an account has no parts, whatever the provider is called.
pub const fn scope() -> &'static str {
    Backend::Gongji.as_str()
}

/// The one create, or every reason against it.
pub fn plan(
    account: Account<'_>,
    input: &PlanInput<'_>,
    survey: &Survey,
) -> Result<Plan, PlanRefusal> {
    let Draft {
        mut assessment,
        mut body,
        mut service,
        mounts: wanted,
        weight,
    } = draft::draft(account, input.spec, *input.policy);
    let found = mounts::found(&wanted, &survey.volumes, &mut assessment);
    mounts::mount(&mut service, &found);
    let wish = Wish {
        spec: input.spec,
        region: input.spec.placement.region.as_deref().or(account.region),
        volumes: &found,
        time_limit_s: body.job_support.timeout_sec,
        parallelism: body.job_support.parallelism,
    };
    let offer = choose::offer(&wish, survey, &mut assessment);
    body.resources
        .extend(candidate(offer.as_ref(), weight, &mut assessment));
    let mut secrets = add_secrets(input, &mut service, &mut assessment);
    if let Some(login) = registry_login(input, &mut assessment) {
        secrets.push(login.repository_password.clone());
        service.repository_account = Some(login);
    }
    body.task_name = format!(
        "{}-{}",
        input.spec.name.as_deref().unwrap_or(NAMELESS),
        input.marker
    );
    body.services.push(service);
    if !assessment.refusals.is_empty() {
        return Err(PlanRefusal { assessment });
    }
    match account.api.create_job(&body) {
        Ok(request) => Ok(Plan {
            provider: account.name.to_owned(),
            backend: Backend::Gongji,
            marker: input.marker.clone(),
            scope: scope().to_owned(),
            offer,
            assessment,
            uploads: Vec::new(),
            requests: vec![request],
            secrets,
            time_limit_s: Some(body.job_support.timeout_sec),
            nodes: body.points,
            extent: Extent::under_one_limit(body.job_support.parallelism),
        }),
        Err(error) => {
            assessment.refuse(
                Refusal::new(RefusalCode::UnsupportedValue, "spec", error.message())
                    .with_kind(Kind::Internal),
            );
            Err(PlanRefusal { assessment })
        }
    }
}

/// The offer as the service wants it back.
fn candidate(
    offer: Option<&Offer>,
    weight: Option<i64>,
    assessment: &mut Assessment,
) -> Option<Candidate> {
    let offer = offer?;
    let candidate = offers::candidate(offer, weight);
    if candidate.is_none() {
        assessment.refuse(
            Refusal::new(
                RefusalCode::Capacity,
                "resources",
                format!(
                    "`{}` has no mark, so nothing can be started on it",
                    offer.id
                ),
            )
            .with_alternative("try again, or name another type"),
        );
    }
    candidate
}

/// Puts the values of `secrets` among the environment, and tells which they are.
fn add_secrets(
    input: &PlanInput<'_>,
    service: &mut Service,
    assessment: &mut Assessment,
) -> Vec<Secret> {
    let mut values = Vec::new();
    for name in &input.spec.secrets {
        match input.secrets.get(name) {
            Some(value) => {
                service.env.push(EnvEntry {
                    name: name.clone(),
                    value: value.clone(),
                });
                values.push(value.clone());
            }
            None => assessment.refuse(
                Refusal::new(
                    RefusalCode::MissingField,
                    "secrets",
                    format!("`{name}` is not set in this environment"),
                )
                .with_alternative("export it before submitting"),
            ),
        }
    }
    values
}

fn registry_login(input: &PlanInput<'_>, assessment: &mut Assessment) -> Option<RepositoryAccount> {
    let auth = input.spec.registry_auth.as_ref()?;
    let Some(password) = input.registry_password else {
        assessment.refuse(
            Refusal::new(
                RefusalCode::MissingField,
                "registry_auth.password",
                "the registry password could not be read",
            )
            .with_kind(Kind::Config)
            .with_alternative("check the source named in `registry_auth.password`"),
        );
        return None;
    };
    Some(RepositoryAccount {
        repository_username: auth.username.clone(),
        repository_password: password.clone(),
    })
}
