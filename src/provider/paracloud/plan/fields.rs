//! The fields that Paracloud has no concept of, and those that stay on this side (job-model.md §2, column Paracloud).
//!
//! Pure. Every refusal names the nearest alternative that exists.

use crate::model::{Backend, Refusal, RefusalCode};
use crate::provider::{Assessment, Policy};
use crate::spec::{Framework, JobSpec};

/// A field without any counterpart: whether it is set, its path, why it cannot be had, and what would do instead.
struct Foreign {
    is_set: fn(&JobSpec) -> bool,
    field: &'static str,
    message: &'static str,
    alternative: &'static str,
}

const FOREIGN: [Foreign; 17] = [
    Foreign {
        is_set: |spec| spec.placement.queue.is_some(),
        field: "placement.queue",
        message: "Paracloud has no queues",
        alternative: "choose a cluster with `placement.cluster`",
    },
    Foreign {
        is_set: |spec| spec.priority.is_some(),
        field: "priority",
        message: "Paracloud has no priorities",
        alternative: "leave `priority` out",
    },
    Foreign {
        is_set: |spec| spec.registry_auth.is_some(),
        field: "registry_auth",
        message: "Paracloud cannot pass registry credentials",
        alternative: "use an image that can be pulled without a login",
    },
    Foreign {
        is_set: |spec| spec.workdir.is_some(),
        field: "workdir",
        message: "Paracloud cannot set a working directory",
        alternative: "name a volume for a script with `provider_options.paracloud.script_volume`, use absolute paths in `command`, or set the directory in the image",
    },
    Foreign {
        is_set: |spec| spec.user.is_some(),
        field: "user",
        message: "Paracloud cannot set the user",
        alternative: "set the user in the image",
    },
    Foreign {
        is_set: |spec| spec.host_network.is_some(),
        field: "host_network",
        message: "Paracloud has no network setting: jobs of one node share its network",
        alternative: "leave `host_network` out",
    },
    Foreign {
        is_set: |spec| spec.ulimits.is_some(),
        field: "ulimits",
        message: "Paracloud cannot set limits of a process",
        alternative: "set them in the program",
    },
    Foreign {
        is_set: |spec| spec.code.is_some(),
        field: "code",
        message: "Paracloud cannot fetch source code",
        alternative: "put the source into the image or into a mounted volume",
    },
    Foreign {
        is_set: |spec| spec.resources.shm.is_some(),
        field: "resources.shm",
        message: "Paracloud cannot set the size of shared memory",
        alternative: "leave `resources.shm` out, or use fewer worker processes",
    },
    Foreign {
        is_set: |spec| spec.resources.disk.is_some(),
        field: "resources.disk",
        message: "Paracloud has no scratch size",
        alternative: "mount a volume",
    },
    Foreign {
        is_set: |spec| spec.spot.is_some(),
        field: "spot",
        message: "Paracloud has no spot capacity",
        alternative: "leave `spot` out",
    },
    Foreign {
        is_set: |spec| spec.grace.is_some(),
        field: "grace",
        message: "Paracloud documents no grace period: a cancel wipes everything but volumes",
        alternative: "write checkpoints to a mounted volume while the job runs",
    },
    Foreign {
        is_set: |spec| spec.ttl_after_finish.is_some(),
        field: "ttl_after_finish",
        message: "Paracloud cannot remove finished records",
        alternative: "leave `ttl_after_finish` out",
    },
    Foreign {
        is_set: |spec| spec.budget.is_some(),
        field: "budget",
        message: "Paracloud has no budgets",
        alternative: "limit the run with `timeout`",
    },
    Foreign {
        is_set: |spec| spec.vpc.is_some(),
        field: "vpc",
        message: "Paracloud has no virtual networks",
        alternative: "leave `vpc` out",
    },
    Foreign {
        is_set: |spec| spec.health_checks.is_some(),
        field: "health_checks",
        message: "Paracloud has no health checks",
        alternative: "check the service from the program itself",
    },
    Foreign {
        is_set: |spec| spec.exit_code_carrier,
        field: "exit_code_carrier",
        message: "Paracloud tells no exit code but 0, and only a script can keep it",
        alternative: "name a volume for a script with `provider_options.paracloud.script_volume`",
    },
];

/// Refuses, or notes as local, every field that needs nothing else to judge.
pub(super) fn assess(spec: &JobSpec, policy: Policy, assessment: &mut Assessment) {
    if let Some(array) = &spec.array {
        assessment.driven_array(array, &policy);
    }
    refuse_foreign_concepts(spec, assessment);
    refuse_foreign_values(spec, assessment);
    note_local(spec, assessment);
    for backend in spec.provider_options.keys() {
        if *backend != Backend::Paracloud {
            assessment.note(format!(
                "`provider_options.{backend}` is for another provider and is not used here"
            ));
        }
    }
}

/// Fields without any counterpart: set at all is too much.
fn refuse_foreign_concepts(spec: &JobSpec, assessment: &mut Assessment) {
    for foreign in &FOREIGN {
        if (foreign.is_set)(spec) {
            assessment.unsupported(foreign.field, foreign.message, foreign.alternative);
        }
    }
}

/// Fields of which only the harmless value can be had.
fn refuse_foreign_values(spec: &JobSpec, assessment: &mut Assessment) {
    match spec.privileged {
        None => {}
        Some(false) => assessment.native("privileged", "nothing is sent: no job is privileged"),
        Some(true) => assessment.unsupported(
            "privileged",
            "Paracloud runs no privileged containers",
            "leave `privileged` out",
        ),
    }
    match spec.nodes {
        None => {}
        Some(1) => assessment.native("nodes", "nothing is sent: a job has one node"),
        Some(nodes) => assessment.refuse(
            Refusal::new(
                RefusalCode::UnsupportedValue,
                "nodes",
                format!("a job on Paracloud has one node, not {nodes}"),
            )
            .with_alternative(
                "a type with more GPUs, or one job for each part that does not talk to the others",
            ),
        ),
    }
    match spec.retries {
        None => {}
        Some(0) => assessment.native("retries", "nothing is sent: no retry can be asked for"),
        Some(retries) => assessment.refuse(
            Refusal::new(
                RefusalCode::UnsupportedField,
                "retries",
                format!("Paracloud has no restart policy, so {retries} retries cannot be had"),
            )
            .with_alternative("submit again when the job has failed"),
        ),
    }
    match spec.framework {
        None => {}
        Some(Framework::None) => {
            assessment.native("framework", "nothing is sent: a job is one container");
        }
        Some(
            Framework::Pytorch
            | Framework::Tensorflow
            | Framework::Mpi
            | Framework::Xgboost
            | Framework::Oneflow
            | Framework::Elasticbatch
            | Framework::Ray
            | Framework::Slurm
            | Framework::Datajuicer,
        ) => assessment.refuse(
            Refusal::new(
                RefusalCode::UnsupportedValue,
                "framework",
                "Paracloud starts one container on one node and no framework's roles",
            )
            .with_alternative("`framework: none`, and start the framework in `command`"),
        ),
    }
}

/// Fields that are kept in gpujob's own records.
fn note_local(spec: &JobSpec, assessment: &mut Assessment) {
    let fields = [
        (!spec.labels.is_empty(), "labels"),
        (spec.description.is_some(), "description"),
        (spec.estimate.is_some(), "estimate"),
    ];
    for (set, field) in fields {
        if set {
            assessment.local(
                field,
                "kept in gpujob's own records only: Paracloud has no place for it",
            );
        }
    }
    if spec.start_timeout.is_some() {
        assessment.local("start_timeout", "watched from this side while waiting");
    }
}
