//! What the spec alone decides: every field's level, all refusals, and the request so far (job-model.md §2).
//!
//! Pure. The catalogue, the datasets, the secrets and the marker come later, in `plan`.

use std::collections::BTreeMap;

use crate::error::Kind;
use crate::model::{Refusal, RefusalCode};
use crate::provider::{Assessment, Policy};
use crate::secret::Secret;
use crate::spec::{JobSpec, Program, Timeout};

use super::api::Site;
use super::options;
use super::parse::{NAMELESS, TAG_NAME};
use super::wire::{CreateJob, JobSpec as Role};
use super::{command, extras, mounts, resources};

/// The most a create may weigh, with what the system adds (pai-dlc.md §2.6).
pub const BODY_LIMIT: usize = 65_536;

/// What is sent when no limit is said: the service itself has none, and jobs ran for ever (§8.3 no. 13).
const DEFAULT_MINUTES: u64 = 24 * 60;

/// The longest display name.
const NAME_LIMIT: usize = 256;

/// The configured account, as far as planning needs it.
#[derive(Debug, Clone, Copy)]
pub struct Account<'a> {
    /// The provider's name.
    pub name: &'a str,
    /// The site that the job goes to, or why there is none.
    pub site: Result<&'a Site, &'a str>,
    /// The configured workspace.
    pub workspace: Option<&'a str>,
}

/// A request that lacks only what needs a look.
#[derive(Debug, Clone)]
pub(super) struct Draft {
    pub(super) assessment: Assessment,
    pub(super) body: CreateJob,
    /// Set when the job goes to a quota.
    pub(super) quota: Option<String>,
    pub(super) time_limit_s: Option<u64>,
    pub(super) nodes: u32,
}

/// Goes through the whole spec and never stops at a refusal.
pub(super) fn draft(account: Account<'_>, spec: &JobSpec, policy: Policy) -> Draft {
    let mut assessment = Assessment::default();
    let region = account.site.map_or(
        spec.placement.region.as_deref().unwrap_or_default(),
        |site| site.region.as_str(),
    );
    let workspace = place(account, spec, &mut assessment);
    let quota = spec
        .placement
        .queue
        .clone()
        .filter(|quota| !quota.is_empty());
    if quota.is_some() {
        assessment.native("placement.queue", "`ResourceId`, the quota");
    }
    let options = options::read(spec, &mut assessment);
    let user_command = command::user_command(spec, policy, &mut assessment).unwrap_or_default();
    let size = resources::size(&spec.resources, quota.as_deref(), &mut assessment);
    let roles = resources::roles(spec, &options, &mut assessment);
    let minutes = time_limit(spec.timeout, &mut assessment);
    let role = Role {
        image: image(spec, &mut assessment),
        resource_config: size,
        restart_policy: options.restart_policy.clone(),
        spot_spec: resources::spot(spec, quota.as_deref(), &mut assessment),
        system_disk: resources::disk(&spec.resources, &mut assessment),
        ..Role::default()
    };
    let body = CreateJob {
        display_name: display_name(spec.name.as_deref(), ""),
        workspace_id: workspace.unwrap_or_default(),
        description: spec.description.clone(),
        resource_id: quota.clone(),
        priority: priority(spec, quota.as_deref(), &mut assessment),
        accessibility: options.accessibility.clone(),
        user_command,
        job_max_running_time_minutes: minutes,
        envs: environment(spec, policy, &mut assessment),
        job_specs: roles
            .counts
            .iter()
            .map(|(name, count)| Role {
                role: (*name).to_owned(),
                pod_count: *count,
                ..role.clone()
            })
            .collect(),
        job_type: roles.job_type,
        data_sources: mounts::data_sources(spec, account.name, region, &mut assessment),
        code_source: extras::code(spec, &options, &mut assessment),
        user_vpc: extras::vpc(spec, &options, &mut assessment),
        settings: Some(extras::settings(spec, &options, &mut assessment)),
        thirdparty_libs: options.thirdparty_libs,
        thirdparty_lib_dir: options.thirdparty_lib_dir,
        options: options.tuning,
    };
    names(spec, &mut assessment);
    extras::local_and_refused(spec, policy, &mut assessment);
    check_weight(&body, spec, &mut assessment);
    Draft {
        assessment,
        body,
        quota,
        time_limit_s: minutes.map(|minutes| minutes.saturating_mul(60)),
        nodes: spec.nodes.unwrap_or(1).max(1),
    }
}

/// The workspace that the job goes to.
pub(super) fn workspace_of<'a>(configured: Option<&'a str>, spec: &'a JobSpec) -> Option<&'a str> {
    spec.placement
        .namespace
        .as_deref()
        .or(configured)
        .filter(|workspace| !workspace.is_empty())
}

/// Region and workspace: both must be known, since the server would silently take a default workspace.
fn place(account: Account<'_>, spec: &JobSpec, assessment: &mut Assessment) -> Option<String> {
    match account.site {
        Ok(site) if spec.placement.region.is_some() => {
            assessment.native("placement.region", format!("the endpoint {}", site.dlc));
        }
        Ok(_) => {}
        Err(why) => assessment.refuse(
            Refusal::new(RefusalCode::UnsupportedValue, "placement.region", why).with_alternative(
                "configure a provider for that region, or leave out `placement.region`",
            ),
        ),
    }
    if spec.placement.cluster.is_some() {
        assessment.unsupported(
            "placement.cluster",
            "PAI-DLC has no clusters",
            "use `placement.region` and `placement.queue`",
        );
    }
    let workspace = workspace_of(account.workspace, spec);
    if workspace.is_none() {
        assessment.refuse(
            Refusal::new(
                RefusalCode::MissingField,
                "placement.namespace",
                "no workspace is chosen, and the service would silently take a default one",
            )
            .with_kind(Kind::Config)
            .with_alternative(
                "set `workspace` in the configuration or `placement.namespace`; `gpujob namespaces list` shows them",
            ),
        );
    } else if spec.placement.namespace.is_some() {
        assessment.native("placement.namespace", "`WorkspaceId`");
    }
    workspace.map(str::to_owned)
}

fn image(spec: &JobSpec, assessment: &mut Assessment) -> String {
    if let Some(image) = &spec.image {
        assessment.native("image", "`JobSpecs[].Image`");
        image.clone()
    } else {
        assessment.refuse(
            Refusal::new(
                RefusalCode::MissingField,
                "image",
                "every PAI-DLC job runs in a container",
            )
            .with_alternative("name an image"),
        );
        String::new()
    }
}

/// A display name of the allowed letters, with the marker at its end.
pub(super) fn display_name(name: Option<&str>, marker: &str) -> String {
    let mut letters = String::new();
    for character in name.unwrap_or_default().chars() {
        if character.is_ascii_alphanumeric() || matches!(character, '_' | '.' | '-') {
            letters.push(character);
        } else if !letters.ends_with('-') {
            letters.push('-');
        }
    }
    let room = NAME_LIMIT.saturating_sub(marker.len() + 1);
    let letters: String = letters.trim_matches('-').chars().take(room).collect();
    let letters = if letters.is_empty() {
        NAMELESS
    } else {
        letters.trim_end_matches('-')
    };
    if marker.is_empty() {
        letters.to_owned()
    } else {
        format!("{letters}-{marker}")
    }
}

fn names(spec: &JobSpec, assessment: &mut Assessment) {
    if spec.name.is_some() {
        assessment.native(
            "name",
            format!("`DisplayName` with the marker at its end; as given in the tag `{TAG_NAME}`"),
        );
    }
    if spec.description.is_some() {
        assessment.native("description", "`Description`");
    }
    if spec.registry_auth.is_some() {
        assessment.native("registry_auth", "`JobSpecs[].ImageConfig`");
    }
}

/// Priority means something on a quota only (§5.1).
fn priority(spec: &JobSpec, quota: Option<&str>, assessment: &mut Assessment) -> Option<u8> {
    let priority = spec.priority?;
    if quota.is_none() {
        assessment.refuse(
            Refusal::new(
                RefusalCode::ConflictingFields,
                "priority",
                "priority has no effect on public resources",
            )
            .with_alternative("name a quota as `placement.queue`, or leave out `priority`"),
        );
        return None;
    }
    assessment.native("priority", "`Priority`, 9 is the highest");
    Some(priority)
}

fn environment(
    spec: &JobSpec,
    policy: Policy,
    assessment: &mut Assessment,
) -> BTreeMap<String, Secret> {
    if !spec.env.is_empty() {
        assessment.native("env", "`Envs`");
    }
    if spec.env.values().any(|value| value.contains('\0')) {
        assessment.refuse(Refusal::new(
            RefusalCode::UnsupportedValue,
            "env",
            "a value holds a zero byte, which no environment can carry",
        ));
    }
    if !spec.secrets.is_empty() {
        if policy.allow_secret_exposure {
            assessment.native("secrets", "`Envs`; readable in every answer of the API");
        } else {
            assessment.refuse(
                Refusal::new(
                    RefusalCode::SecretExposure,
                    "secrets",
                    "the values would travel as `Envs`, which everybody who may read the job can read",
                )
                .with_alternative("mount a file with them, or allow it with `--allow-secret-exposure`"),
            );
        }
    }
    for name in spec
        .secrets
        .iter()
        .filter(|name| spec.env.contains_key(*name))
    {
        assessment.refuse(
            Refusal::new(
                RefusalCode::ConflictingFields,
                "secrets",
                format!("`{name}` is in `env` too"),
            )
            .with_alternative("give it once"),
        );
    }
    spec.env
        .iter()
        .map(|(name, value)| (name.clone(), Secret::new(value.as_str())))
        .collect()
}

/// Minutes, rounded up; a limit is always sent unless the user says `none` (job-model.md §2.4).
fn time_limit(timeout: Timeout, assessment: &mut Assessment) -> Option<u64> {
    match timeout {
        Timeout::Unset => {
            assessment.note("no `timeout` is given: a limit of 24 h is sent, since the service has none of its own");
            assessment.native("timeout", "`JobMaxRunningTimeMinutes`, 24 h by default");
            Some(DEFAULT_MINUTES)
        }
        Timeout::Unlimited => {
            assessment.native(
                "timeout",
                "`JobMaxRunningTimeMinutes` is left out: no limit",
            );
            None
        }
        Timeout::After(seconds) => {
            let minutes = seconds.div_ceil(60).max(1);
            if !seconds.is_multiple_of(60) || seconds == 0 {
                assessment.note(format!(
                    "`timeout` of {seconds} s is rounded up to {minutes} min"
                ));
            }
            assessment.native("timeout", format!("`JobMaxRunningTimeMinutes` {minutes}"));
            Some(minutes)
        }
    }
}

/// The part of the size limit that the spec alone shows.
fn check_weight(body: &CreateJob, spec: &JobSpec, assessment: &mut Assessment) {
    if let Ok(bytes) = serde_json::to_vec(body) {
        refuse_weight(bytes.len(), spec, assessment);
    }
}

/// Refuses a body above the limit, naming the field that holds the program.
pub(super) fn refuse_weight(weight: usize, spec: &JobSpec, assessment: &mut Assessment) {
    if weight <= BODY_LIMIT {
        return;
    }
    let field = match &spec.program {
        Program::Script { .. } => "script",
        Program::Command(_) | Program::ImageDefault | Program::Arguments(_) => "command",
    };
    assessment.refuse(
        Refusal::new(
            RefusalCode::UnsupportedValue,
            field,
            format!("the request weighs {weight} bytes, and PAI-DLC takes {BODY_LIMIT} at most"),
        )
        .with_alternative("put long scripts and data into a mounted dataset or the image"),
    );
}
