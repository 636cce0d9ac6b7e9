//! The bodies of requests, member by member (gongji.md §2.3, §2.6, §4.2, §5.4); written again, they are the echo of
//! answers, in which absent members are null.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::secret::Secret;

/// `POST /api/task/job/create`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CreateJob {
    pub(super) task_name: String,
    pub(super) sub_type: Option<String>,
    pub(super) resources: Vec<Candidate>,
    /// Successful completions wanted.
    pub(super) points: i64,
    pub(super) job_support: JobSupport,
    pub(super) task_qos: Option<TaskQos>,
    pub(super) share_disk_volumes: Option<Vec<DiskVolume>>,
    pub(super) share_mem_volumes: Option<Vec<MemoryVolume>>,
    pub(super) services: Vec<ServiceSpec>,
}

/// An acceptable device spec.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Candidate {
    pub(super) mark: String,
    pub(super) resource: Option<DeviceSpec>,
    pub(super) region_name: Option<String>,
    pub(super) weight: Option<i64>,
}

/// What a mark stands for; echoed unchanged.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct DeviceSpec {
    pub(super) device_name: String,
    pub(super) region: String,
    pub(super) gpu_name: Option<String>,
    pub(super) gpu_count: i64,
    /// Mi, of all cards together.
    pub(super) gpu_memory: i64,
    /// Mi.
    pub(super) memory: i64,
    pub(super) cpu_cores: i64,
}

#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct JobSupport {
    pub(super) estimated_exec_sec: Option<i64>,
    pub(super) timeout_sec: i64,
    pub(super) parallelism: i64,
    pub(super) mod_param: ModParam,
}

/// Exactly one of the two.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ModParam {
    pub(super) default: Option<DefaultMode>,
    pub(super) index: Option<IndexMode>,
}

#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct DefaultMode {
    pub(super) backoff_limit: i64,
    pub(super) restart_policy: RestartPolicy,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
pub(super) enum RestartPolicy {
    /// The same pod again.
    OnFailure,
    /// A new pod; the failed one stays for inspection.
    Never,
}

#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct IndexMode {
    pub(super) index_backoff_limit: i64,
    pub(super) max_failed_index: Option<i64>,
}

#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TaskQos {
    pub(super) class: QosClass,
}

#[derive(Debug, Clone, Copy, Deserialize, Serialize)]
pub(super) enum QosClass {
    Guaranteed,
}

#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct DiskVolume {
    pub(super) name: String,
}

#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct MemoryVolume {
    pub(super) name: String,
    /// Mi.
    pub(super) size_limit: i64,
}

/// One container of the pod.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ServiceSpec {
    pub(super) service_id: Option<i64>,
    pub(super) service_name: String,
    pub(super) service_image: String,
    pub(super) remote_ports: Option<Vec<RemotePort>>,
    pub(super) health_checks: Option<HealthChecks>,
    pub(super) storage_config: Option<Vec<StorageMount>>,
    pub(super) share_storage_config: Option<Vec<StorageMount>>,
    pub(super) nas_storage_config: Option<Vec<StorageMount>>,
    pub(super) share_mem_config: Option<Vec<VolumeMount>>,
    pub(super) share_disk_config: Option<Vec<VolumeMount>>,
    pub(super) env: Option<Vec<Variable>>,
    pub(super) start_script: Option<StartScript>,
    pub(super) repository_account: Option<RepositoryAccount>,
    pub(super) is_update_repository: Option<String>,
    pub(super) resource_weight: ResourceWeight,
}

#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[expect(
    clippy::struct_field_names,
    reason = "the members have these names on the wire"
)]
pub(super) struct ResourceWeight {
    pub(super) cpu_weight: i64,
    pub(super) mem_weight: i64,
    pub(super) gpu_weight: i64,
}

#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct StartScript {
    pub(super) command: Vec<String>,
    pub(super) args: Vec<String>,
}

/// Of the environment: a value or where it comes from.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Variable {
    pub(super) name: String,
    pub(super) value: Option<String>,
    pub(super) value_from: Option<ValueFrom>,
}

#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ValueFrom {
    pub(super) field_ref: Option<FieldRef>,
    pub(super) resource_field_ref: Option<ResourceFieldRef>,
}

#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FieldRef {
    pub(super) field_path: String,
}

#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ResourceFieldRef {
    pub(super) service_name: Option<String>,
    pub(super) resource: String,
}

#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RemotePort {
    pub(super) service_port: i64,
    /// Filled by the platform.
    pub(super) url: Option<String>,
}

#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct StorageMount {
    pub(super) storage_id: i64,
    pub(super) target_dir: String,
}

#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct VolumeMount {
    pub(super) volume_name: String,
    pub(super) target_dir: String,
}

/// Kept and shown; no probe is made.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[expect(
    clippy::struct_field_names,
    reason = "the members have these names on the wire"
)]
pub(super) struct HealthChecks {
    pub(super) liveness_probe: Probe,
    pub(super) startup_probe: Probe,
    pub(super) readiness_probe: Probe,
}

#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[expect(
    clippy::struct_field_names,
    reason = "the members have these names on the wire"
)]
pub(super) struct Probe {
    pub(super) switch: bool,
    pub(super) probe_type: ProbeType,
    pub(super) path: Option<String>,
    pub(super) port: i64,
    pub(super) initial_delay_seconds: i64,
    pub(super) period_seconds: i64,
    pub(super) timeout_seconds: i64,
    pub(super) failure_threshold: i64,
}

#[derive(Debug, Clone, Copy, Deserialize, Serialize)]
pub(super) enum ProbeType {
    #[serde(rename = "httpGet")]
    HttpGet,
    #[serde(rename = "tcpSocket")]
    TcpSocket,
}

/// Of the image's registry; the password is never shown again.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RepositoryAccount {
    pub(super) repository_username: String,
    #[serde(default, deserialize_with = "secret", serialize_with = "hidden")]
    pub(super) repository_password: Option<Secret>,
}

fn secret<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Secret>, D::Error> {
    let text: Option<String> = Option::deserialize(deserializer)?;
    Ok(text.map(Secret::new))
}

#[expect(
    clippy::ref_option,
    reason = "serde calls it with a reference to the member"
)]
fn hidden<S: Serializer>(_: &Option<Secret>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_none()
}

/// `POST /api/task/job/stop`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct StopJob {
    pub(super) task_id: i64,
}

/// `POST /api/deployment/task/delete_pod`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct DeleteNode {
    pub(super) point_id: i64,
}

/// `POST /api/storage/nas/v1/create`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CreateNas {
    pub(super) name: String,
    pub(super) nas_config_id: i64,
    /// Bytes.
    pub(super) total_size: i64,
}

/// `POST /api/storage/nas/v1/expand`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ExpandNas {
    pub(super) id: i64,
    pub(super) total_size: i64,
}

/// `POST /api/storage/nas/v1/rename`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RenameNas {
    pub(super) id: i64,
    pub(super) name: String,
}

/// `POST /api/storage/nas/v1/delete`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct DeleteNas {
    pub(super) id: i64,
    pub(super) force: bool,
    pub(super) reason: Option<String>,
}
