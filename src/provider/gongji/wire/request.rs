//! Request bodies (gongji.md §2.3, §2.6, §4.2).
//!
//! A member that is not set is left out, never sent as null. Secrets are exposed by the serialiser alone.

use serde::{Deserialize, Serialize, Serializer};
use serde_json::Value;

use crate::secret::Secret;

/// The body of a job's create.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct CreateJob {
    pub task_name: String,
    /// `Spot`; absent is on demand.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sub_type: Option<String>,
    pub resources: Vec<Candidate>,
    /// Successful completions wanted.
    pub points: u32,
    pub job_support: JobSupport,
    pub services: Vec<Service>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub task_qos: Option<TaskQos>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub share_mem_volumes: Vec<SharedMemory>,
}

/// An acceptable spec: the opaque mark, with an echo of what the catalogue said.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct Candidate {
    pub mark: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resource: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub region_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub weight: Option<i64>,
}

/// Limits and repetition of a job.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct JobSupport {
    /// Seconds; the service ends the job afterwards.
    pub timeout_sec: u64,
    pub parallelism: u32,
    /// Spot only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub estimated_exec_sec: Option<u64>,
    pub mod_param: ModParam,
}

/// How failures are repeated: exactly one of two forms.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ModParam {
    Default {
        backoff_limit: u32,
        restart_policy: &'static str,
    },
    /// Pods know their index.
    Index {
        index_backoff_limit: u32,
        #[serde(skip_serializing_if = "Option::is_none")]
        max_failed_index: Option<u32>,
    },
}

impl Default for ModParam {
    fn default() -> Self {
        Self::Default {
            backoff_limit: 0,
            restart_policy: "Never",
        }
    }
}

/// One container.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct Service {
    pub service_name: String,
    pub service_image: String,
    pub resource_weight: ResourceWeight,
    /// Absent: the image's own entry point.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub start_script: Option<StartScript>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub env: Vec<EnvEntry>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub remote_ports: Vec<RemotePort>,
    /// Object storage.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub storage_config: Vec<Mount>,
    /// Shared volumes.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub share_storage_config: Vec<Mount>,
    /// NAS volumes.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub nas_storage_config: Vec<Mount>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub share_mem_config: Vec<Named>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub health_checks: Option<HealthChecks>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub repository_account: Option<RepositoryAccount>,
}

/// Shares of several containers; 1 each where there is one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct ResourceWeight {
    pub cpu_weight: u32,
    pub mem_weight: u32,
    pub gpu_weight: u32,
}

impl Default for ResourceWeight {
    fn default() -> Self {
        Self {
            cpu_weight: 1,
            mem_weight: 1,
            gpu_weight: 1,
        }
    }
}

/// Exact words; the service wants both lists.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct StartScript {
    pub command: Vec<String>,
    pub args: Vec<String>,
}

/// One environment variable; its value may be a secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct EnvEntry {
    pub name: String,
    #[serde(serialize_with = "expose")]
    pub value: Secret,
}

/// A port that is published under a URL of the service's choice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct RemotePort {
    pub service_port: u16,
}

/// A volume in a container.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Mount {
    pub storage_id: i64,
    pub target_dir: String,
}

/// A volume of the job itself in a container.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Named {
    pub volume_name: String,
    pub target_dir: String,
}

/// Shared memory of a job, in Mi.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SharedMemory {
    pub name: String,
    pub size_limit: u64,
}

/// `Guaranteed` gives exclusive cores.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TaskQos {
    pub class: String,
}

/// All three probes are required; one that is not wanted is switched off.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HealthChecks {
    pub liveness_probe: Probe,
    pub startup_probe: Probe,
    pub readiness_probe: Probe,
}

/// One health check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Probe {
    pub switch: bool,
    pub probe_type: ProbeType,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    pub port: u16,
    pub initial_delay_seconds: u32,
    pub period_seconds: u32,
    pub timeout_seconds: u32,
    pub failure_threshold: u32,
}

/// How a health check asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum ProbeType {
    #[serde(rename = "httpGet")]
    HttpGet,
    #[serde(rename = "tcpSocket")]
    TcpSocket,
}

/// A registry login.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RepositoryAccount {
    pub repository_username: String,
    #[serde(serialize_with = "expose")]
    pub repository_password: Secret,
}

/// The body of a stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct StopJob {
    pub task_id: i64,
}

/// The body of a NAS volume's create.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CreateNas {
    pub name: String,
    pub nas_config_id: i64,
    /// Bytes.
    pub total_size: u64,
}

/// The body of a NAS volume's delete.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct DeleteNas {
    pub id: i64,
    pub force: bool,
}

fn expose<S: Serializer>(secret: &Secret, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(secret.expose())
}
