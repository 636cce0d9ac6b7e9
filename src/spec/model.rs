//! The parsed job spec. Parse, do not validate: a value of these types is well-formed (style.md §3).

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::model::{Backend, Money, ResourceRef};

/// One generic job. Fields are those of job-model.md §2; unset ones stay unset, no default is filled in here.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct JobSpec {
    /// 1 to 63 characters of any text.
    pub name: Option<String>,
    /// Providers named in the spec, in order.
    pub provider: Vec<String>,
    pub placement: Placement,
    /// 1 to 9, 9 highest.
    pub priority: Option<u8>,
    pub labels: BTreeMap<String, String>,
    pub description: Option<String>,
    pub image: Option<String>,
    pub registry_auth: Option<RegistryAuth>,
    pub program: Program,
    /// Keys match `[A-Za-z_][A-Za-z0-9_]*`.
    pub env: BTreeMap<String, String>,
    /// Names of environment variables whose values come from gpujob's own environment.
    pub secrets: Vec<String>,
    /// An absolute path.
    pub workdir: Option<String>,
    pub user: Option<String>,
    pub privileged: Option<bool>,
    pub host_network: Option<bool>,
    pub ulimits: Option<BTreeMap<String, String>>,
    pub code: Option<CodeSource>,
    pub resources: Resources,
    /// Nodes that start together; at least 1.
    pub nodes: Option<u32>,
    pub array: Option<Array>,
    pub framework: Option<Framework>,
    pub spot: Option<Spot>,
    /// Expected run time in seconds.
    pub estimate: Option<u64>,
    pub timeout: Timeout,
    /// How long to wait for resources, in seconds.
    pub start_timeout: Option<u64>,
    pub retries: Option<u32>,
    /// Seconds between the polite and the hard stop.
    pub grace: Option<u64>,
    /// Seconds until a finished record is removed.
    pub ttl_after_finish: Option<u64>,
    /// Refused everywhere; kept so that it is named.
    pub budget: Option<Money>,
    /// Per hour, for the whole job.
    pub max_price: Option<Money>,
    /// For the whole run.
    pub max_cost: Option<Money>,
    pub mounts: Vec<Mount>,
    pub ports: Vec<Port>,
    pub vpc: Option<String>,
    pub health_checks: Option<Value>,
    /// Makes the exit code known where the API hides it.
    pub exit_code_carrier: bool,
    /// `provider_options.<backend>`: kept as read; the backend's planner knows its closed list of keys.
    pub provider_options: BTreeMap<Backend, Map<String, Value>>,
}

/// Where a job goes.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Placement {
    /// Paracloud namespace or PAI workspace (`workspace` is accepted for it).
    pub namespace: Option<String>,
    pub cluster: Option<String>,
    pub region: Option<String>,
    /// CycleCloud nodearray or PAI quota.
    pub queue: Option<String>,
}

/// What runs.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Program {
    /// The image's own entry point.
    #[default]
    ImageDefault,
    /// Exact words; never empty.
    Command(Vec<String>),
    /// Shell text, with the positional parameters that follow it.
    Script {
        text: String,
        arguments: Vec<String>,
    },
    /// Arguments for the image's own entry point.
    Arguments(Vec<String>),
}

/// A registry login.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RegistryAuth {
    pub username: String,
    pub password: SecretSource,
    pub registry: Option<String>,
}

/// Where a secret's value comes from; the spec never holds the value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SecretSource {
    Environment(String),
    File(String),
    Command(Vec<String>),
}

/// A git source.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CodeSource {
    /// A registered source's id, or a URL.
    pub id: String,
    pub branch: Option<String>,
    pub commit: Option<String>,
    pub path: Option<String>,
}

/// What a node must have.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Resources {
    /// The provider's own name of a type.
    pub instance_type: Option<String>,
    pub gpu: Option<GpuRequest>,
    /// Cores, at least.
    pub cpu: Option<f64>,
    /// Bytes, at least.
    pub memory: Option<u64>,
    /// Shared memory in bytes.
    pub shm: Option<u64>,
    /// Scratch in bytes.
    pub disk: Option<u64>,
    /// `amd64` or `arm64`.
    pub arch: Option<String>,
}

impl Resources {
    /// Whether nothing at all is asked for.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// GPUs per node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GpuRequest {
    /// As the user wrote it; matching normalises it (job-model.md §3).
    pub model: Option<String>,
    pub count: u32,
    /// Memory per card in nominal GiB.
    pub memory_gib: Option<u64>,
}

/// Independent repetitions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Array {
    pub first: u32,
    pub last: u32,
    /// How many at a time.
    pub parallel: u32,
    /// Whether the repetitions are told apart by an index.
    pub index: bool,
}

impl Array {
    /// How many repetitions there are.
    pub fn count(&self) -> u32 {
        self.last.saturating_sub(self.first).saturating_add(1)
    }
}

/// How nodes find each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Framework {
    None,
    Pytorch,
    Tensorflow,
    Mpi,
    Xgboost,
    Oneflow,
    Elasticbatch,
    Ray,
    Slurm,
    Datajuicer,
}

impl Framework {
    /// Every framework.
    pub const ALL: [Self; 10] = [
        Self::None,
        Self::Pytorch,
        Self::Tensorflow,
        Self::Mpi,
        Self::Xgboost,
        Self::Oneflow,
        Self::Elasticbatch,
        Self::Ray,
        Self::Slurm,
        Self::Datajuicer,
    ];

    /// The word in a spec.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Pytorch => "pytorch",
            Self::Tensorflow => "tensorflow",
            Self::Mpi => "mpi",
            Self::Xgboost => "xgboost",
            Self::Oneflow => "oneflow",
            Self::Elasticbatch => "elasticbatch",
            Self::Ray => "ray",
            Self::Slurm => "slurm",
            Self::Datajuicer => "datajuicer",
        }
    }

    /// The framework of a word, without regard to case.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|framework| framework.as_str().eq_ignore_ascii_case(word))
    }
}

/// Interruptible capacity.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Spot {
    /// At most this fraction of the normal price; `None` is the provider's default.
    pub max_discount: Option<f64>,
}

/// Wall-time limit of the run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Timeout {
    /// Not said: the provider's or gpujob's default, printed where it is sent.
    #[default]
    Unset,
    /// `none`: no limit.
    Unlimited,
    /// Seconds.
    After(u64),
}

/// Storage to mount.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mount {
    pub source: MountSource,
    /// Absolute; `None` is the source's own default, where it has one.
    pub path: Option<String>,
    pub readonly: bool,
    pub subpath: Option<String>,
}

/// What a mount's `source` text names (cli.md §10).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MountSource {
    /// A full volume ref, `PROVIDER/PATH`.
    Ref(ResourceRef),
    /// A bare id of the chosen provider.
    Id(String),
    /// `KIND:ID[:VERSION]`, such as `dataset:d-1:v2`, `object:7` or `volume:x7m4tzb9`.
    Typed {
        kind: String,
        id: String,
        version: Option<String>,
    },
    /// A URI: `nfs://…`, `oss://…`, `nas://…`, `cpfs://…`, `bmcpfs://…`.
    Uri(String),
}

/// A port to publish.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Port {
    /// The provider assigns the number.
    Named {
        name: String,
        https: bool,
    },
    Fixed(u16),
}
