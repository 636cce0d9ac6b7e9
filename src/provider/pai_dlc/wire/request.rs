//! Request bodies: `CreateJob` and `CreateDataset` (pai-dlc.md §5, §6.3).
//!
//! Only members that gpujob sends are here. A member that is not set is left out, never sent as null.

use std::collections::BTreeMap;

use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Map, Value};

use crate::secret::Secret;

/// The body of `CreateJob`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct CreateJob {
    pub display_name: String,
    pub job_type: String,
    pub workspace_id: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The quota; absent means public resources.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub priority: Option<u8>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accessibility: Option<String>,
    pub user_command: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub job_max_running_time_minutes: Option<u64>,
    /// Values are kept as secrets, since some are.
    #[serde(
        default,
        skip_serializing_if = "BTreeMap::is_empty",
        serialize_with = "expose_map",
        deserialize_with = "conceal_map"
    )]
    pub envs: BTreeMap<String, Secret>,
    pub job_specs: Vec<JobSpec>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub data_sources: Vec<DataSource>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code_source: Option<CodeSource>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_vpc: Option<UserVpc>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub thirdparty_libs: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thirdparty_lib_dir: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub settings: Option<Settings>,
    /// `key1=value1,key2=value2`: tuning of OSS mounts, another form than a data source's own `Options`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub options: Option<String>,
}

/// One role of a job: either `EcsSpec` (public resources) or `ResourceConfig` (a quota), never both.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct JobSpec {
    #[serde(rename = "Type")]
    pub role: String,
    pub pod_count: u32,
    pub image: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image_config: Option<ImageConfig>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ecs_spec: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource_config: Option<ResourceConfig>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub restart_policy: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spot_spec: Option<SpotSpec>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub system_disk: Option<SystemDisk>,
}

/// Size of a role on a quota: all texts.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ResourceConfig {
    #[serde(rename = "CPU", default, skip_serializing_if = "Option::is_none")]
    pub cpu: Option<String>,
    #[serde(rename = "GPU", default, skip_serializing_if = "Option::is_none")]
    pub gpu: Option<String>,
    #[serde(rename = "GPUType", default, skip_serializing_if = "Option::is_none")]
    pub gpu_type: Option<String>,
    #[serde(rename = "Memory", default, skip_serializing_if = "Option::is_none")]
    pub memory: Option<String>,
    #[serde(
        rename = "SharedMemory",
        default,
        skip_serializing_if = "Option::is_none"
    )]
    pub shared_memory: Option<String>,
}

/// Login to a private registry.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct ImageConfig {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub docker_registry: Option<String>,
    pub username: String,
    #[serde(serialize_with = "expose", deserialize_with = "conceal")]
    pub password: Secret,
}

/// The most that is paid for interruptible capacity.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct SpotSpec {
    pub spot_strategy: String,
    /// A fraction: 0.8 is at most 80 % of the normal price.
    pub spot_discount_limit: f64,
}

/// Scratch space.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct SystemDisk {
    pub size: u64,
}

/// One mount: a dataset or a URI, never both.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct DataSource {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data_source_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data_source_version: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uri: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mount_path: Option<String>,
    /// `RO` or `RW`; always said, since the default surprised people (pai-dlc.md §5.5).
    pub mount_access: String,
    /// A JSON text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub options: Option<String>,
}

/// A registered code source; generic spellings of the members are taken too.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct CodeSource {
    #[serde(alias = "id")]
    pub code_source_id: String,
    #[serde(alias = "branch", default, skip_serializing_if = "Option::is_none")]
    pub branch: Option<String>,
    #[serde(alias = "commit", default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
    #[serde(alias = "path", default, skip_serializing_if = "Option::is_none")]
    pub mount_path: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub is_shared_mount_path: Option<bool>,
}

/// The user's own network. In answers the service spells `ExtendedCidrs`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct UserVpc {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vpc_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub switch_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub security_group_id: Option<String>,
    #[serde(
        rename = "ExtendedCIDRs",
        default,
        skip_serializing_if = "Vec::is_empty"
    )]
    pub extended_cidrs: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default_route: Option<String>,
}

/// Settings of a job (pai-dlc.md §5.4).
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields, default)]
pub struct Settings {
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub tags: BTreeMap<String, String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub job_reserved_minutes: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub job_reserved_policy: Option<String>,
    #[serde(
        rename = "EnableErrorMonitoringInAIMaster",
        skip_serializing_if = "Option::is_none"
    )]
    pub enable_error_monitoring_in_ai_master: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error_monitoring_args: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enable_sanity_check: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sanity_check_args: Option<String>,
    #[serde(rename = "EnableRDMA", skip_serializing_if = "Option::is_none")]
    pub enable_rdma: Option<bool>,
    #[serde(
        rename = "AllocateAllRDMADevices",
        skip_serializing_if = "Option::is_none"
    )]
    pub allocate_all_rdma_devices: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub oversold_type: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enable_tide_resource: Option<bool>,
    #[serde(rename = "EnableCPUAffinity", skip_serializing_if = "Option::is_none")]
    pub enable_cpu_affinity: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enable_oss_append: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub disable_ecs_stock_check: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub driver: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shell: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub termination_grace_period_seconds: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub elastic_spot_job_max_restart_times: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allow_unschedulable_nodes: Option<bool>,
    #[serde(rename = "EnableDSWDev", skip_serializing_if = "Option::is_none")]
    pub enable_dsw_dev: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub business_user_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub caller: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pipeline_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model_config: Option<Map<String, Value>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data_juicer_config: Option<Map<String, Value>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub advanced_settings: Option<Map<String, Value>>,
}

/// The body of `CreateDataset`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct CreateDataset {
    pub name: String,
    pub workspace_id: String,
    pub data_source_type: String,
    pub property: String,
    pub uri: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data_type: Option<String>,
    /// A JSON text with `mountPath`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub options: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accessibility: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mount_access_read_write_role_id_list: Option<Vec<String>>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub labels: Vec<Label>,
}

/// A label of a dataset.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct Label {
    pub key: String,
    pub value: String,
}

/// The one place where a registry password leaves its wrapper: the body of the request.
fn expose<S: Serializer>(secret: &Secret, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(secret.expose())
}

fn conceal<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Secret, D::Error> {
    String::deserialize(deserializer).map(Secret::new)
}

/// The same for environment values.
fn expose_map<S: Serializer>(
    values: &BTreeMap<String, Secret>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    let mut map = serializer.serialize_map(Some(values.len()))?;
    for (name, value) in values {
        map.serialize_entry(name, value.expose())?;
    }
    map.end()
}

fn conceal_map<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<BTreeMap<String, Secret>, D::Error> {
    let values = BTreeMap::<String, String>::deserialize(deserializer)?;
    Ok(values
        .into_iter()
        .map(|(name, value)| (name, Secret::new(value)))
        .collect())
}
