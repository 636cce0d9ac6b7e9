//! What the spec alone decides: every field's level, all refusals, and the request so far (job-model.md §2).
//!
//! Pure. The catalogue, the volumes, the secrets and the marker come later, in `plan`.

use crate::model::{Refusal, RefusalCode};
use crate::provider::{Assessment, Policy};
use crate::secret::Secret;
use crate::spec::{JobSpec, Port};

use super::api::Api;
use super::mounts::{self, Wanted};
use super::options;
use super::wire::{CreateJob, EnvEntry, RemotePort, Service};
use super::{program, shape};

/// The one container's name.
const SERVICE_NAME: &str = "main";

/// The configured account, as far as planning needs it.
#[derive(Debug, Clone, Copy)]
pub struct Account<'a> {
    /// The provider's name.
    pub name: &'a str,
    pub api: &'a Api,
    /// The configured region.
    pub region: Option<&'a str>,
}

/// A request that lacks only what needs a look.
#[derive(Debug, Clone)]
pub(super) struct Draft {
    pub(super) assessment: Assessment,
    pub(super) body: CreateJob,
    /// The one container, not in `body` yet.
    pub(super) service: Service,
    pub(super) mounts: Vec<Wanted>,
    pub(super) weight: Option<i64>,
}

/// Goes through the whole spec and never stops at a refusal.
pub(super) fn draft(account: Account<'_>, spec: &JobSpec, policy: Policy) -> Draft {
    let mut assessment = Assessment::default();
    place(spec, &mut assessment);
    let options = options::read(spec, &mut assessment);
    let mut service = Service {
        service_name: SERVICE_NAME.to_owned(),
        service_image: image(spec, &mut assessment),
        start_script: program::start_script(spec, policy, &mut assessment),
        env: environment(spec, policy, &mut assessment),
        remote_ports: ports(spec, &mut assessment),
        health_checks: options.health_checks.clone(),
        ..Service::default()
    };
    size(spec, &mut assessment);
    let shared_memory = mounts::shared_memory(spec, &mut service, &mut assessment);
    let shape = shape::shape(spec, &options, policy, &mut assessment);
    let mounts = mounts::wanted(spec, account.name, &mut assessment);
    names(spec, &mut assessment);
    local(spec, &mut assessment);
    refused(spec, &mut assessment);
    Draft {
        assessment,
        body: CreateJob {
            sub_type: shape.is_spot.then(|| "Spot".to_owned()),
            points: shape.points,
            job_support: shape.support,
            task_qos: options.task_qos,
            share_mem_volumes: shared_memory.into_iter().collect(),
            ..CreateJob::default()
        },
        service,
        mounts,
        weight: options.weight,
    }
}

fn place(spec: &JobSpec, assessment: &mut Assessment) {
    if spec.placement.region.is_some() {
        assessment.native("placement.region", "offers of that region only");
    }
    let absent = [
        (
            spec.placement.namespace.is_some(),
            "placement.namespace",
            "Gongji has no namespaces",
            "leave it out: jobs belong to the account",
        ),
        (
            spec.placement.cluster.is_some(),
            "placement.cluster",
            "Gongji has no clusters",
            "use `placement.region`",
        ),
        (
            spec.placement.queue.is_some(),
            "placement.queue",
            "Gongji's job queues are another product",
            "leave it out: jobs are scheduled at once",
        ),
    ];
    for (is_set, field, why, instead) in absent {
        if is_set {
            assessment.unsupported(field, why, instead);
        }
    }
}

fn image(spec: &JobSpec, assessment: &mut Assessment) -> String {
    if let Some(image) = spec.image.as_deref().filter(|image| !image.is_empty()) {
        assessment.native("image", "`service_image`");
        return image.to_owned();
    }
    assessment.refuse(
        Refusal::new(
            RefusalCode::MissingField,
            "image",
            "every job on Gongji runs in a container",
        )
        .with_alternative("name an image"),
    );
    String::new()
}

/// Requirements of the offer; which one has them is seen later.
fn size(spec: &JobSpec, assessment: &mut Assessment) {
    let resources = &spec.resources;
    if resources.is_empty() {
        assessment.refuse(
            Refusal::new(
                RefusalCode::MissingField,
                "resources",
                "the job says neither a type nor what it needs",
            )
            .with_alternative("give `resources.gpu`, `resources.cpu` or `resources.instance_type`"),
        );
    }
    if resources.arch.as_deref() == Some("arm64") {
        assessment.refuse(
            Refusal::new(
                RefusalCode::UnsupportedValue,
                "resources.arch",
                "Gongji's machines are taken to be amd64",
            )
            .with_alternative("build the image for amd64"),
        );
    } else if resources.arch.is_some() {
        assessment.native("resources.arch", "all machines are taken to be amd64");
    }
    let chosen = [
        (
            resources.instance_type.is_some(),
            "resources.instance_type",
            "`resources[].mark` of that device",
        ),
        (
            resources.gpu.is_some(),
            "resources.gpu",
            "chooses `resources[].mark`",
        ),
        (
            resources.cpu.is_some(),
            "resources.cpu",
            "a minimum when the offer is chosen",
        ),
        (
            resources.memory.is_some(),
            "resources.memory",
            "a minimum when the offer is chosen",
        ),
        (
            resources.disk.is_some(),
            "resources.disk",
            "a minimum of the offer's own scratch; nothing is reserved",
        ),
    ];
    for (is_set, field, how) in chosen {
        if is_set {
            assessment.native(field, how);
        }
    }
}

fn environment(spec: &JobSpec, policy: Policy, assessment: &mut Assessment) -> Vec<EnvEntry> {
    if !spec.env.is_empty() {
        assessment.native("env", "`env`");
    }
    program::refuse_nul("env", spec.env.values().map(String::as_str), assessment);
    if !spec.secrets.is_empty() {
        if policy.allow_secret_exposure {
            assessment.native("secrets", "`env`; readable in the job's detail");
        } else {
            assessment.refuse(
                Refusal::new(
                    RefusalCode::SecretExposure,
                    "secrets",
                    "the values would travel as `env`, which the job's detail shows to everybody with a token of the account",
                )
                .with_alternative("mount a file with them, or allow it with `--allow-secret-exposure`"),
            );
        }
    }
    spec.env
        .iter()
        .map(|(name, value)| EnvEntry {
            name: name.clone(),
            value: Secret::new(value.as_str()),
        })
        .collect()
}

/// Numbers become public URLs; names mean nothing here.
fn ports(spec: &JobSpec, assessment: &mut Assessment) -> Vec<RemotePort> {
    let mut ports = Vec::new();
    for (index, port) in spec.ports.iter().enumerate() {
        let field = format!("ports[{index}]");
        match port {
            Port::Fixed(number)
                if ports.contains(&RemotePort {
                    service_port: *number,
                }) =>
            {
                assessment.refuse(
                    Refusal::new(
                        RefusalCode::ConflictingFields,
                        field,
                        format!("port {number} is there twice"),
                    )
                    .with_alternative("give it once"),
                );
            }
            Port::Fixed(number) => {
                assessment.native(&field, "`remote_ports[].service_port`, under a public URL");
                ports.push(RemotePort {
                    service_port: *number,
                });
            }
            Port::Named { name, .. } => assessment.unsupported(
                &field,
                format!("Gongji knows ports by number, not by names such as `{name}`"),
                "give the number that the program listens on, such as `port: 8080`",
            ),
        }
    }
    ports
}

fn names(spec: &JobSpec, assessment: &mut Assessment) {
    if spec.name.is_some() {
        assessment.native("name", "`task_name`, with the marker at its end");
    }
    let Some(auth) = &spec.registry_auth else {
        return;
    };
    assessment.native("registry_auth", "`repository_account`");
    if let Some(registry) = &auth.registry
        && host(spec.image.as_deref()) != Some(registry)
    {
        assessment.refuse(
            Refusal::new(
                RefusalCode::UnsupportedValue,
                "registry_auth.registry",
                format!("the login goes to the image's own registry, which is not `{registry}`"),
            )
            .with_alternative("write the registry into `image`, or leave it out here"),
        );
    }
}

/// The registry in an image's name, where it has one.
fn host(image: Option<&str>) -> Option<&str> {
    let (host, _) = image?.split_once('/')?;
    (host.contains(['.', ':']) || host == "localhost").then_some(host)
}

/// Fields that stay on this side.
fn local(spec: &JobSpec, assessment: &mut Assessment) {
    let kept = [
        (!spec.labels.is_empty(), "labels", "kept by gpujob"),
        (spec.description.is_some(), "description", "kept by gpujob"),
        (
            spec.start_timeout.is_some(),
            "start_timeout",
            "watched by `gpujob wait`",
        ),
        (
            spec.max_price.is_some(),
            "max_price",
            "compared with the offer's price before the create",
        ),
        (
            spec.max_cost.is_some(),
            "max_cost",
            "compared with price and time limit before the create",
        ),
    ];
    for (is_set, field, how) in kept {
        if is_set {
            assessment.local(field, how);
        }
    }
    if spec.exit_code_carrier {
        assessment.native(
            "exit_code_carrier",
            "not needed: the API tells exit codes itself",
        );
    }
}

/// Fields that Gongji has no concept of.
fn refused(spec: &JobSpec, assessment: &mut Assessment) {
    let absent = [
        (
            spec.priority.is_some(),
            "priority",
            "Gongji has no priorities",
            "leave it out",
        ),
        (
            spec.user.is_some(),
            "user",
            "jobs run as the image's user",
            "set the user in the image",
        ),
        (
            spec.privileged.is_some(),
            "privileged",
            "Gongji has no such switch",
            "leave it out",
        ),
        (
            spec.host_network.is_some(),
            "host_network",
            "Gongji has no such switch",
            "leave it out",
        ),
        (
            spec.ulimits.is_some(),
            "ulimits",
            "Gongji has no such setting",
            "call `ulimit` in a script",
        ),
        (
            spec.code.is_some(),
            "code",
            "Gongji fetches no code",
            "put it into the image, or clone it in a script",
        ),
        (
            spec.grace.is_some(),
            "grace",
            "a create has no place for it",
            "let the program end soon after it is told to stop",
        ),
        (
            spec.ttl_after_finish.is_some(),
            "ttl_after_finish",
            "Gongji removes no finished jobs through its API",
            "leave it out: finished jobs cost nothing",
        ),
        (
            spec.budget.is_some(),
            "budget",
            "Gongji stops no job for its cost",
            "use `max_cost` and `timeout`",
        ),
        (
            spec.vpc.is_some(),
            "vpc",
            "Gongji has no networks of one's own",
            "leave it out",
        ),
        (
            spec.health_checks.is_some(),
            "health_checks",
            "the generic field has no form that Gongji could take",
            "use `provider_options.gongji.health_checks`, with the service's own names",
        ),
    ];
    for (is_set, field, why, instead) in absent {
        if is_set {
            assessment.unsupported(field, why, instead);
        }
    }
}
