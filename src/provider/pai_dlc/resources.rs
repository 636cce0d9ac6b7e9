//! Sizes and roles of a job: quota or public pool, `JobType`, spot, disk (pai-dlc.md §5.2, §5.3; job-model.md §2.3).
//!
//! Pure. Public resources take `EcsSpec`, a quota takes `ResourceConfig`; the two are never mixed.

use crate::model::{Refusal, RefusalCode};
use crate::provider::Assessment;
use crate::spec::gpu::GpuName;
use crate::spec::{Framework, JobSpec, Resources};

use super::options::{self, Options};
use super::wire::{ResourceConfig, SpotSpec, SystemDisk};

const GIB: u64 = 1 << 30;

/// At most the whole price: PAI-DLC wants a limit with every spot job, and this one limits nothing (cli.md §10).
const DEFAULT_DISCOUNT: f64 = 1.0;

/// Notes what becomes of `resources` and gives the size on a quota; public sizes are chosen from the catalogue later.
pub(super) fn size(
    resources: &Resources,
    quota: Option<&str>,
    assessment: &mut Assessment,
) -> Option<ResourceConfig> {
    if resources.is_empty() {
        assessment.refuse(
            Refusal::new(
                RefusalCode::MissingField,
                "resources",
                "the job says neither a type nor what it needs",
            )
            .with_alternative("give `resources.gpu`, `resources.cpu` or `resources.instance_type`"),
        );
        return None;
    }
    if resources.arch.as_deref() == Some("arm64") {
        assessment.refuse(
            Refusal::new(
                RefusalCode::UnsupportedValue,
                "resources.arch",
                "PAI-DLC's machines are taken to be amd64",
            )
            .with_alternative("build the image for amd64"),
        );
    } else if resources.arch.is_some() {
        assessment.native("resources.arch", "all machines are taken to be amd64");
    }
    if quota.is_some() {
        Some(quota_size(resources, assessment))
    } else {
        public_size(resources, assessment);
        None
    }
}

fn public_size(resources: &Resources, assessment: &mut Assessment) {
    if resources.instance_type.is_some() {
        assessment.native("resources.instance_type", "`JobSpecs[].EcsSpec`");
    }
    if resources.gpu.is_some() {
        assessment.native("resources.gpu", "chooses `JobSpecs[].EcsSpec`");
    }
    if resources.cpu.is_some() {
        assessment.native("resources.cpu", "a minimum when `EcsSpec` is chosen");
    }
    if resources.memory.is_some() {
        assessment.native("resources.memory", "a minimum when `EcsSpec` is chosen");
    }
    if resources.shm.is_some() {
        assessment.refuse(
            Refusal::new(
                RefusalCode::ConflictingFields,
                "resources.shm",
                "shared memory can be set on a quota only",
            )
            .with_alternative("name a quota as `placement.queue`, or leave out `shm`"),
        );
    }
}

fn quota_size(resources: &Resources, assessment: &mut Assessment) -> ResourceConfig {
    let mut config = ResourceConfig::default();
    if resources.instance_type.is_some() {
        assessment.refuse(
            Refusal::new(
                RefusalCode::ConflictingFields,
                "resources.instance_type",
                "a job on a quota is sized by numbers, not by a type",
            )
            .with_alternative(
                "give `resources.gpu`, `cpu` and `memory`, or leave out `placement.queue`",
            ),
        );
    }
    if let Some(gpu) = &resources.gpu {
        config.gpu = Some(gpu.count.to_string());
        config.gpu_type.clone_from(&gpu.model);
        assessment.native(
            "resources.gpu",
            "`ResourceConfig.GPU` and `.GPUType` as written",
        );
        // A memory in the model's own text travels with it (`Tesla-V100-16G`).
        let named = gpu
            .model
            .as_deref()
            .and_then(|model| GpuName::parse(model).memory_gib);
        if gpu.memory_gib.is_some() && gpu.memory_gib != named {
            assessment.unsupported(
                "resources.gpu.memory",
                "a quota's cards are named by `GPUType` alone",
                "write the memory into the model as the quota does, such as `Tesla-V100-16G`",
            );
        }
    }
    if let Some(cores) = resources.cpu {
        config.cpu = Some(cores.to_string());
        assessment.native("resources.cpu", "`ResourceConfig.CPU`, exact");
    }
    if let Some(bytes) = resources.memory {
        config.memory = Some(whole_gi(bytes));
        assessment.native(
            "resources.memory",
            rounded("`ResourceConfig.Memory`", bytes),
        );
    }
    if let Some(bytes) = resources.shm {
        config.shared_memory = Some(whole_gi(bytes));
        assessment.native(
            "resources.shm",
            rounded("`ResourceConfig.SharedMemory`", bytes),
        );
    }
    config
}

fn whole_gi(bytes: u64) -> String {
    format!("{}Gi", bytes.div_ceil(GIB))
}

fn rounded(how: &str, bytes: u64) -> String {
    if bytes.is_multiple_of(GIB) {
        how.to_owned()
    } else {
        format!("{how}, rounded up to {}", whole_gi(bytes))
    }
}

/// Scratch as the system disk's size in whole GiB.
pub(super) fn disk(resources: &Resources, assessment: &mut Assessment) -> Option<SystemDisk> {
    let bytes = resources.disk?;
    assessment.native(
        "resources.disk",
        rounded("`JobSpecs[].SystemDisk.Size`", bytes),
    );
    Some(SystemDisk {
        size: bytes.div_ceil(GIB),
    })
}

/// Interruptible capacity; a limit is required, and `UseSpotInstance` is deprecated (§5.3).
pub(super) fn spot(
    spec: &JobSpec,
    quota: Option<&str>,
    assessment: &mut Assessment,
) -> Option<SpotSpec> {
    let limit = spec.spot?.max_discount.unwrap_or(DEFAULT_DISCOUNT);
    if !(limit > 0.0 && limit <= 1.0) {
        assessment.refuse(
            Refusal::new(
                RefusalCode::UnsupportedValue,
                "spot.max_discount",
                format!("`{limit}` is no fraction of the normal price above 0 and up to 1"),
            )
            .with_alternative("write 0.8 to pay at most 80 % of the normal price"),
        );
        return None;
    }
    assessment.native(
        "spot",
        format!("`JobSpecs[].SpotSpec`, at most {limit} of the normal price"),
    );
    if quota.is_some() {
        assessment.note("a quota is paid already; the service may refuse spot on it");
    }
    Some(SpotSpec {
        spot_strategy: "SpotWithPriceLimit".to_owned(),
        spot_discount_limit: limit,
    })
}

/// The job type, and how many pods each role has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Roles {
    pub(super) job_type: String,
    pub(super) counts: Vec<(&'static str, u32)>,
}

/// Framework or explicit job type and node count to roles (§5.2).
pub(super) fn roles(spec: &JobSpec, options: &Options, assessment: &mut Assessment) -> Roles {
    let nodes = spec.nodes.unwrap_or(1).max(1);
    let framework = spec.framework.unwrap_or(Framework::None);
    let own_type = options.job_type.as_deref();
    let job_type = own_type.unwrap_or_else(|| job_type_of(framework));
    if let Some(own_type) = own_type
        && framework != Framework::None
        && own_type != job_type_of(framework)
    {
        assessment.refuse(
            Refusal::new(
                RefusalCode::ConflictingFields,
                options::field("job_type"),
                format!(
                    "`framework` means `{}` and `job_type` says `{own_type}`",
                    job_type_of(framework)
                ),
            )
            .with_alternative("give one of the two"),
        );
    }
    if nodes > 1 && framework == Framework::None && own_type.is_none() {
        assessment.refuse(
            Refusal::new(
                RefusalCode::ConflictingFields,
                "nodes",
                format!("{nodes} nodes without a `framework` would not know of each other"),
            )
            .with_alternative("say how they meet, such as `framework: pytorch`"),
        );
    } else if spec.nodes.is_some() {
        assessment.native("nodes", "`JobSpecs[].PodCount`");
    }
    if spec.framework.is_some() {
        assessment.native("framework", format!("`JobType` {job_type}"));
    }
    if matches!(job_type, "SlurmJob" | "DataJuicerJob" | "FlinkBatchJob") {
        assessment.note(format!(
            "the roles of `{job_type}` are not documented; all nodes are sent as `Worker`"
        ));
    }
    let counts = match job_type {
        // Ray has no master that a worker could be promoted to: the first node is the head.
        "RayJob" if nodes > 1 => vec![("Head", 1), ("Worker", nodes - 1)],
        "RayJob" => vec![("Head", 1)],
        _ => vec![("Worker", nodes)],
    };
    Roles {
        job_type: job_type.to_owned(),
        counts,
    }
}

/// `none` is a PyTorchJob with one Worker: a container of any kind (§5.2).
const fn job_type_of(framework: Framework) -> &'static str {
    match framework {
        Framework::None | Framework::Pytorch => "PyTorchJob",
        Framework::Tensorflow => "TFJob",
        Framework::Mpi => "MPIJob",
        Framework::Xgboost => "XGBoostJob",
        Framework::Oneflow => "OneFlowJob",
        Framework::Elasticbatch => "ElasticBatchJob",
        Framework::Ray => "RayJob",
        Framework::Slurm => "SlurmJob",
        Framework::Datajuicer => "DataJuicerJob",
    }
}
