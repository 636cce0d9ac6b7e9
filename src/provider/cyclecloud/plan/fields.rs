//! The fields that CycleCloud has no concept of, and those that stay on this side (job-model.md §2, column CycleCloud).
//!
//! Pure. Every refusal names the nearest alternative that exists.

use crate::model::{Refusal, RefusalCode};
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
        is_set: |spec| spec.placement.namespace.is_some(),
        field: "placement.namespace",
        message: "CycleCloud's namespaces are its clusters",
        alternative: "name the cluster as `placement.cluster`",
    },
    Foreign {
        is_set: |spec| spec.placement.region.is_some(),
        field: "placement.region",
        message: "the region is fixed by the nodearray",
        alternative: "choose a nodearray of that region with `placement.queue`",
    },
    Foreign {
        is_set: |spec| spec.priority.is_some(),
        field: "priority",
        message: "CycleCloud starts nodes and has no priorities",
        alternative: "leave `priority` out",
    },
    Foreign {
        is_set: |spec| spec.registry_auth.is_some(),
        field: "registry_auth",
        message: "what travels to a node can be read by everyone who may see the cluster",
        alternative: "log the nodes in to the registry in the cluster's own set-up",
    },
    Foreign {
        is_set: |spec| spec.user.is_some(),
        field: "user",
        message: "the runner runs jobs as its own user",
        alternative: "change the user in a script",
    },
    Foreign {
        is_set: |spec| spec.host_network.is_some(),
        field: "host_network",
        message: "there is no such switch: jobs use the node's network",
        alternative: "leave `host_network` out",
    },
    Foreign {
        is_set: |spec| spec.ulimits.is_some(),
        field: "ulimits",
        message: "the runner sets no limits of a process",
        alternative: "call `ulimit` in a script",
    },
    Foreign {
        is_set: |spec| spec.code.is_some(),
        field: "code",
        message: "CycleCloud fetches no source code",
        alternative: "clone it in a script, or put it on the shared file system",
    },
    Foreign {
        is_set: |spec| spec.resources.shm.is_some(),
        field: "resources.shm",
        message: "shared memory is the node's own, and its size is not set",
        alternative: "leave `resources.shm` out: a job may use half of the node's memory",
    },
    Foreign {
        is_set: |spec| spec.resources.disk.is_some(),
        field: "resources.disk",
        message: "the disks of a node are fixed by the nodearray",
        alternative: "take a machine type with a local disk (a `d` in its name), or mount a share",
    },
    Foreign {
        is_set: |spec| spec.grace.is_some(),
        field: "grace",
        message: "a terminated node gets no grace period of the job's choice",
        alternative: "write checkpoints while the job runs",
    },
    Foreign {
        is_set: |spec| spec.ttl_after_finish.is_some(),
        field: "ttl_after_finish",
        message: "CycleCloud keeps no record of finished jobs",
        alternative: "leave `ttl_after_finish` out",
    },
    Foreign {
        is_set: |spec| spec.budget.is_some(),
        field: "budget",
        message: "CycleCloud has no budgets of a job",
        alternative: "limit the run with `timeout`",
    },
    Foreign {
        is_set: |spec| !spec.ports.is_empty(),
        field: "ports",
        message: "CycleCloud publishes no ports",
        alternative: "reach the node by its private address, or with `cyclecloud connect`",
    },
    Foreign {
        is_set: |spec| spec.vpc.is_some(),
        field: "vpc",
        message: "the network is fixed by the nodearray",
        alternative: "choose a nodearray of that network with `placement.queue`",
    },
    Foreign {
        is_set: |spec| spec.health_checks.is_some(),
        field: "health_checks",
        message: "CycleCloud checks nodes, not programs",
        alternative: "check the program from a script",
    },
    Foreign {
        is_set: |spec| spec.privileged == Some(true),
        field: "privileged",
        message: "the runner starts no privileged containers",
        alternative: "run on the host: leave `image` out",
    },
];

/// Refuses, or notes as local, every field that needs nothing else to judge.
pub(super) fn assess(spec: &JobSpec, policy: Policy, assessment: &mut Assessment) {
    for foreign in &FOREIGN {
        if (foreign.is_set)(spec) {
            assessment.unsupported(foreign.field, foreign.message, foreign.alternative);
        }
    }
    refuse_secrets(spec, assessment);
    refuse_foreign_values(spec, assessment);
    note_local(spec, assessment);
    if let Some(array) = &spec.array {
        assessment.driven_array(array, &policy);
    }
}

/// `Configuration` is no place for secrets, and no switch makes it one (cyclecloud.md §8.2).
fn refuse_secrets(spec: &JobSpec, assessment: &mut Assessment) {
    if !spec.secrets.is_empty() {
        assessment.refuse(
            Refusal::new(
                RefusalCode::SecretExposure,
                "secrets",
                "the values would travel as `Configuration`, which everyone who may see the cluster can read; no switch allows that here",
            )
            .with_alternative(
                "put them into a file on the shared file system that only the job's user may read, or take them from a key vault in a script",
            ),
        );
    }
}

/// Fields of which only the harmless value can be had.
fn refuse_foreign_values(spec: &JobSpec, assessment: &mut Assessment) {
    if spec.privileged == Some(false) {
        assessment.native("privileged", "nothing is sent: no job is privileged");
    }
    match spec.retries {
        None => {}
        Some(0) => assessment.native("retries", "nothing is sent: nothing is retried"),
        Some(retries) => assessment.refuse(
            Refusal::new(
                RefusalCode::UnsupportedField,
                "retries",
                format!("neither CycleCloud nor the runner repeats a job, so {retries} retries cannot be had"),
            )
            .with_alternative("submit again when the job has failed, or repeat inside a script"),
        ),
    }
    match spec.framework {
        None => {}
        Some(Framework::None) => {
            assessment.native("framework", "nothing is sent: every node runs the same command");
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
                "the runner starts the same command on every node and no framework's roles",
            )
            .with_alternative(
                "`framework: none`, and start the framework in the command with `GPUJOB_RANK`, `GPUJOB_NODES` and `GPUJOB_MASTER`",
            ),
        ),
    }
}

/// Fields that are kept in gpujob's own records.
fn note_local(spec: &JobSpec, assessment: &mut Assessment) {
    let fields = [
        (spec.description.is_some(), "description"),
        (spec.estimate.is_some(), "estimate"),
    ];
    for (is_set, field) in fields {
        if is_set {
            assessment.local(field, "kept in gpujob's own records only");
        }
    }
    if spec.start_timeout.is_some() {
        assessment.local(
            "start_timeout",
            "watched from this side; a tag tells it to other machines",
        );
    }
    for (is_set, field) in [
        (spec.max_price.is_some(), "max_price"),
        (spec.max_cost.is_some(), "max_cost"),
    ] {
        if is_set {
            assessment.local(field, "compared with the price file before the create");
        }
    }
}
