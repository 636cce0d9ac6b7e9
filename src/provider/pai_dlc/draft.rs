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
use super::options::{self, Options};
use super::parse::{NAMELESS, TAG_NAME, TAG_RUN};
use super::wire::{CodeSource, CreateJob, JobSpec as Role, Settings, UserVpc};
use super::{command, mounts, resources};

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
        code_source: code(spec, &options, &mut assessment),
        user_vpc: vpc(spec, &options, &mut assessment),
        settings: Some(settings(spec, &options, &mut assessment)),
        thirdparty_libs: options.thirdparty_libs,
        thirdparty_lib_dir: options.thirdparty_lib_dir,
        options: options.tuning,
    };
    names(spec, &mut assessment);
    local_and_refused(spec, &mut assessment);
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

/// The generic `code`, or the provider's own block; never both.
fn code(spec: &JobSpec, options: &Options, assessment: &mut Assessment) -> Option<CodeSource> {
    let Some(code) = &spec.code else {
        return options.code_source.clone();
    };
    if options.code_source.is_some() {
        assessment.refuse(
            Refusal::new(
                RefusalCode::ConflictingFields,
                "code",
                "`code` and `provider_options.pai-dlc.code_source` mean the same",
            )
            .with_alternative("give one of the two"),
        );
    }
    if code.id.contains("://") || code.id.contains('@') {
        assessment.refuse(
            Refusal::new(
                RefusalCode::UnsupportedValue,
                "code.id",
                format!(
                    "`{}` is an address; PAI-DLC takes registered code sources only",
                    code.id
                ),
            )
            .with_alternative(
                "register it in the workspace and give its id, or clone it in the script",
            ),
        );
        return None;
    }
    assessment.native("code", "`CodeSource`");
    Some(CodeSource {
        code_source_id: code.id.clone(),
        branch: code.branch.clone(),
        commit: code.commit.clone(),
        mount_path: code.path.clone(),
        is_shared_mount_path: None,
    })
}

/// The generic `vpc` is the id; the block may hold the rest.
fn vpc(spec: &JobSpec, options: &Options, assessment: &mut Assessment) -> Option<UserVpc> {
    let Some(id) = &spec.vpc else {
        return options.user_vpc.clone();
    };
    let mut vpc = options.user_vpc.clone().unwrap_or_default();
    if vpc.vpc_id.as_ref().is_some_and(|own| own != id) {
        assessment.refuse(
            Refusal::new(
                RefusalCode::ConflictingFields,
                "vpc",
                "`vpc` and `provider_options.pai-dlc.user_vpc.VpcId` name two networks",
            )
            .with_alternative("give one of the two"),
        );
    } else {
        assessment.native("vpc", "`UserVpc.VpcId`");
    }
    vpc.vpc_id = Some(id.clone());
    Some(vpc)
}

/// Labels, name and grace join the settings of the block.
fn settings(spec: &JobSpec, options: &Options, assessment: &mut Assessment) -> Settings {
    let mut settings = options.settings.clone();
    let own = |key: &str| key == TAG_RUN || key == TAG_NAME;
    if !spec.labels.is_empty() {
        assessment.native("labels", "`Settings.Tags`");
    }
    for (key, value) in &spec.labels {
        if settings.tags.get(key).is_some_and(|other| other != value) {
            assessment.refuse(
                Refusal::new(
                    RefusalCode::ConflictingFields,
                    format!("labels.{key}"),
                    "`provider_options.pai-dlc.settings.Tags` gives it another value",
                )
                .with_alternative("give it once"),
            );
        }
        settings.tags.insert(key.clone(), value.clone());
    }
    if let Some(key) = settings.tags.keys().find(|key| own(key)) {
        assessment.refuse(
            Refusal::new(
                RefusalCode::UnsupportedValue,
                format!("labels.{key}"),
                format!("the tag `{key}` is gpujob's own"),
            )
            .with_alternative("use another name"),
        );
    }
    if let Some(name) = &spec.name {
        settings.tags.insert(TAG_NAME.to_owned(), name.clone());
    }
    if let Some(grace) = spec.grace {
        let other = settings.termination_grace_period_seconds;
        if other.is_some_and(|other| other != grace) {
            assessment.refuse(
                Refusal::new(
                    RefusalCode::ConflictingFields,
                    "grace",
                    "`provider_options.pai-dlc.settings.TerminationGracePeriodSeconds` says otherwise",
                )
                .with_alternative("give one of the two"),
            );
        } else {
            assessment.native("grace", "`Settings.TerminationGracePeriodSeconds`");
        }
        settings.termination_grace_period_seconds = Some(grace);
    }
    settings
}

/// Fields that stay on this side, and fields that PAI-DLC has no concept of (job-model.md §2).
fn local_and_refused(spec: &JobSpec, assessment: &mut Assessment) {
    if spec.estimate.is_some() {
        assessment.local("estimate", "kept by gpujob");
    }
    if spec.start_timeout.is_some() {
        assessment.local("start_timeout", "watched by `gpujob wait`");
    }
    if spec.max_price.is_some() {
        assessment.local(
            "max_price",
            "compared with the price file before the create",
        );
    }
    if spec.max_cost.is_some() {
        assessment.local("max_cost", "compared with the price file before the create");
    }
    if spec.array.is_some() {
        assessment.unsupported(
            "array",
            "PAI-DLC has no arrays, and one job per index from this side is not built yet",
            "submit one job per index",
        );
    }
    if spec.exit_code_carrier {
        assessment.unsupported(
            "exit_code_carrier",
            "the carrier needs the job's log, and reading logs is not built yet",
            "leave it out; `exit_code` is then null unless the job succeeded",
        );
    }
    let absent = [
        (
            spec.user.is_some(),
            "user",
            "jobs run as the image's user",
            "set the user in the image",
        ),
        (
            spec.privileged.is_some(),
            "privileged",
            "PAI-DLC has no such switch",
            "leave it out",
        ),
        (
            spec.host_network.is_some(),
            "host_network",
            "PAI-DLC has no such switch",
            "leave it out",
        ),
        (
            spec.ulimits.is_some(),
            "ulimits",
            "PAI-DLC has no such setting",
            "call `ulimit` in a script",
        ),
        (
            spec.retries.is_some(),
            "retries",
            "PAI-DLC counts no retries",
            "use `provider_options.pai-dlc.restart_policy` or `settings.EnableErrorMonitoringInAIMaster`",
        ),
        (
            spec.ttl_after_finish.is_some(),
            "ttl_after_finish",
            "PAI-DLC removes no finished jobs; `JobReservedMinutes` keeps resources and costs",
            "delete the job in the console",
        ),
        (
            spec.budget.is_some(),
            "budget",
            "no API of PAI-DLC knows a price",
            "use `timeout`",
        ),
        (
            !spec.ports.is_empty(),
            "ports",
            "PAI-DLC publishes no ports",
            "let the program connect outwards, or use the console's web terminal",
        ),
        (
            spec.health_checks.is_some(),
            "health_checks",
            "PAI-DLC checks no program's health",
            "use `provider_options.pai-dlc.settings.EnableSanityCheck` for the hardware",
        ),
    ];
    for (is_set, field, why, instead) in absent {
        if is_set {
            assessment.unsupported(field, why, instead);
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
