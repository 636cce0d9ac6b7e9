//! Spec and survey to one `CreateJob`, or to all refusals (pai-dlc.md §5; style.md rule 2).
//!
//! Pure. What stands in the plan is what `explain` shows and what is sent, byte for byte.

use crate::error::Kind;
use crate::model::{Backend, Offer, Refusal, RefusalCode, ResourceRef};
use crate::provider::money::{self, Extent};
use crate::provider::{Assessment, Plan, PlanInput, PlanRefusal, Policy, Survey};
use crate::secret::Secret;
use crate::spec::{JobSpec, RegistryAuth};

use super::choose::{self, Stock};
use super::draft::{self, Account, Draft};
use super::mounts;
use super::parse::TAG_RUN;
use super::wire::{ImageConfig, Settings, WorkspaceAnswer};

/// What the spec alone shows.
pub fn assess(account: Account<'_>, spec: &JobSpec, policy: Policy) -> Assessment {
    draft::draft(account, spec, policy).assessment
}

/// Where the marker is looked up: the same text on every machine, whatever the provider is called there.
pub fn scope(region: &str, workspace: &str) -> String {
    ResourceRef::new(Backend::PaiDlc.as_str(), [region, workspace]).to_string()
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
        quota,
        time_limit_s,
        nodes,
    } = draft::draft(account, input.spec, *input.policy);
    let extent = Extent::of(input.spec);
    let offer = if quota.is_some() {
        money::weigh(input.spec, None, extent, time_limit_s, &mut assessment);
        None
    } else {
        let stock = Stock {
            ignored: body
                .settings
                .as_ref()
                .is_some_and(|settings| settings.disable_ecs_stock_check == Some(true)),
        };
        choose::offer(input.spec, stock, time_limit_s, survey, &mut assessment)
    };
    check_workspace(survey, &mut assessment);
    mounts::check_datasets(
        input.spec,
        &survey.volumes,
        &body.workspace_id,
        &mut assessment,
    );
    note_network(&body, &mut assessment);
    let login = registry_login(input, &mut assessment);
    let mut secrets: Vec<Secret> = login.iter().map(|login| login.password.clone()).collect();
    for name in &input.spec.secrets {
        match input.secrets.get(name) {
            Some(value) => {
                body.envs.insert(name.clone(), value.clone());
                secrets.push(value.clone());
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
    body.display_name = draft::display_name(input.spec.name.as_deref(), input.marker.as_str());
    body.settings
        .get_or_insert_with(Settings::default)
        .tags
        .insert(TAG_RUN.to_owned(), input.marker.as_str().to_owned());
    for role in &mut body.job_specs {
        role.ecs_spec = offer.as_ref().map(|offer| offer.id.clone());
        role.image_config.clone_from(&login);
    }
    if !assessment.refusals.is_empty() {
        return Err(PlanRefusal { assessment });
    }
    let Ok(site) = account.site else {
        return Err(PlanRefusal { assessment });
    };
    let request = match site.create_job(&body) {
        Ok(request) => request,
        Err(error) => {
            assessment.refuse(
                Refusal::new(
                    RefusalCode::UnsupportedValue,
                    "spec",
                    error.message().to_owned(),
                )
                .with_kind(Kind::Internal),
            );
            return Err(PlanRefusal { assessment });
        }
    };
    draft::refuse_weight(request.body_bytes().len(), input.spec, &mut assessment);
    if !assessment.refusals.is_empty() {
        return Err(PlanRefusal { assessment });
    }
    Ok(Plan {
        provider: account.name.to_owned(),
        backend: Backend::PaiDlc,
        marker: input.marker.clone(),
        scope: scope(&site.region, &body.workspace_id),
        offer,
        assessment,
        uploads: Vec::new(),
        requests: vec![request],
        secrets,
        time_limit_s,
        nodes,
        extent,
    })
}

/// A workspace that is not `ENABLED` may still take jobs: said, not refused.
fn check_workspace(survey: &Survey, assessment: &mut Assessment) {
    let Some(namespace) = &survey.namespace else {
        return;
    };
    let status = serde::Deserialize::deserialize(&namespace.raw)
        .ok()
        .and_then(|workspace: WorkspaceAnswer| workspace.status);
    if let Some(status) = status.filter(|status| status != "ENABLED") {
        assessment.note(format!("workspace `{}` is `{status}`", namespace.id));
    }
}

/// NAS, CPFS and private registries are reached through a network of one's own (§5.6).
fn note_network(body: &super::wire::CreateJob, assessment: &mut Assessment) {
    let needs_network = body.data_sources.iter().any(|source| {
        source
            .uri
            .as_deref()
            .is_some_and(|uri| !uri.starts_with("oss://"))
    });
    if needs_network && body.user_vpc.is_none() {
        assessment.note(
            "NAS and CPFS are reached through a network of one's own: give `provider_options.pai-dlc.user_vpc` if the mount fails",
        );
    }
}

fn registry_login(input: &PlanInput<'_>, assessment: &mut Assessment) -> Option<ImageConfig> {
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
    Some(ImageConfig {
        docker_registry: registry(auth, input.spec.image.as_deref()),
        username: auth.username.clone(),
        password: password.clone(),
    })
}

/// The registry as given, else the host in the image's name, where it has one.
fn registry(auth: &RegistryAuth, image: Option<&str>) -> Option<String> {
    auth.registry.clone().or_else(|| {
        let (host, _) = image?.split_once('/')?;
        (host.contains(['.', ':']) || host == "localhost").then(|| host.to_owned())
    })
}

/// What a plan's offer says to the record of the job that came of it.
pub(super) fn type_of(offer: Option<&Offer>) -> Option<String> {
    offer.map(|offer| offer.id.clone())
}
