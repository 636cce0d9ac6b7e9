//! What the emulator itself reads of a `CreateJob` body, after its types were checked.

use serde::Deserialize;
use serde_json::{Map, Value};

use super::reply::Refusal;

/// A job as it was asked for. Absent and empty are alike.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct JobRequest {
    pub(super) display_name: String,
    pub(super) job_type: String,
    pub(super) job_specs: Vec<JobSpec>,
    pub(super) user_command: String,
    pub(super) workspace_id: String,
    pub(super) resource_id: String,
    pub(super) priority: Option<i64>,
    pub(super) envs: Map<String, Value>,
    pub(super) custom_envs: Vec<CustomEnv>,
    pub(super) data_sources: Vec<DataSource>,
    pub(super) code_source: CodeSource,
    pub(super) user_vpc: Option<UserVpc>,
    pub(super) job_max_running_time_minutes: i64,
    pub(super) settings: Settings,
    pub(super) accessibility: String,
    pub(super) success_policy: String,
    pub(super) description: String,
    pub(super) template_id: String,
}

/// One role of a job.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct JobSpec {
    #[serde(rename = "Type")]
    pub(super) role: String,
    pub(super) image: String,
    pub(super) pod_count: Option<i64>,
    pub(super) ecs_spec: String,
    pub(super) resource_config: Option<ResourceConfig>,
    pub(super) spot_spec: Option<SpotSpec>,
    pub(super) elastic_spot_specs: Vec<Value>,
    pub(super) use_spot_instance: bool,
    pub(super) restart_policy: String,
    pub(super) user_command: String,
    pub(super) assign_node_spec: AssignNodeSpec,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct AssignNodeSpec {
    pub(super) enable_assign_node: bool,
}

/// Resources on a quota; all texts.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct ResourceConfig {
    #[serde(rename = "CPU")]
    pub(super) cpu: String,
    #[serde(rename = "GPU")]
    pub(super) gpu: String,
    pub(super) memory: String,
    pub(super) shared_memory: String,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct SpotSpec {
    #[serde(rename = "SpotStrategy")]
    pub(super) strategy: String,
    #[serde(rename = "SpotDiscountLimit")]
    pub(super) discount_limit: Option<f64>,
    #[serde(rename = "SpotPriceLimit")]
    pub(super) price_limit: Option<f64>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct CustomEnv {
    pub(super) key: String,
    pub(super) value: String,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct DataSource {
    #[serde(rename = "DataSourceId")]
    pub(super) dataset: String,
    pub(super) uri: String,
    pub(super) mount_path: String,
    pub(super) mount_access: String,
    pub(super) options: String,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct CodeSource {
    pub(super) code_source_id: String,
    pub(super) mount_path: String,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct UserVpc {
    pub(super) vpc_id: String,
    pub(super) switch_id: String,
    #[serde(rename = "ExtendedCIDRs")]
    pub(super) extended_cidrs: Vec<String>,
    pub(super) default_route: String,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct Settings {
    pub(super) tags: Map<String, Value>,
    pub(super) job_reserved_minutes: i64,
    pub(super) job_reserved_policy: String,
    pub(super) enable_sanity_check: bool,
    pub(super) oversold_type: String,
    pub(super) disable_ecs_stock_check: bool,
    pub(super) shell: String,
    pub(super) business_user_id: String,
    pub(super) caller: String,
    pub(super) pipeline_id: String,
}

impl JobRequest {
    /// Reads a body whose members have the types of [`members`](super::members).
    pub(super) fn read(members: &Map<String, Value>) -> Result<Self, Refusal> {
        Self::deserialize(Value::Object(members.clone()))
            .map_err(|error| Refusal::invalid(format!("the body cannot be read: {error}")))
    }

    /// Whether it runs on resources bought beforehand.
    pub(super) fn is_on_quota(&self) -> bool {
        !self.resource_id.is_empty()
    }

    /// Whether some role asks for the spot price.
    pub(super) fn is_spot(&self) -> bool {
        self.job_specs.iter().any(|spec| {
            spec.spot_spec.is_some()
                || spec.use_spot_instance
                || !spec.elastic_spot_specs.is_empty()
        })
    }
}
