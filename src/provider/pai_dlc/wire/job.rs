//! Answers about jobs: `CreateJob`, `GetJob`, `ListJobs`, `StopJob` (pai-dlc.md §3.2 to §3.5).

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::lenient;

/// The answer of `CreateJob` and `StopJob`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Created {
    #[serde(deserialize_with = "lenient::text")]
    pub job_id: Option<String>,
    #[serde(deserialize_with = "lenient::text")]
    pub request_id: Option<String>,
}

/// One page of `ListJobs`; jobs stay values, so that each keeps its raw form.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct JobPage {
    #[serde(deserialize_with = "lenient::items")]
    pub jobs: Vec<Value>,
    #[serde(deserialize_with = "lenient::integer")]
    pub total_count: Option<i64>,
}

/// A job as `GetJob` and, with fewer members, `ListJobs` tell it: what gpujob reads of it.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct JobAnswer {
    #[serde(deserialize_with = "lenient::text")]
    pub job_id: Option<String>,
    #[serde(deserialize_with = "lenient::text")]
    pub display_name: Option<String>,
    #[serde(deserialize_with = "lenient::text")]
    pub status: Option<String>,
    #[serde(deserialize_with = "lenient::text")]
    pub sub_status: Option<String>,
    #[serde(deserialize_with = "lenient::text")]
    pub reason_code: Option<String>,
    #[serde(deserialize_with = "lenient::text")]
    pub reason_message: Option<String>,
    #[serde(deserialize_with = "lenient::text")]
    pub workspace_id: Option<String>,
    #[serde(deserialize_with = "lenient::items")]
    pub job_specs: Vec<JobSpecAnswer>,
    #[serde(deserialize_with = "lenient::object")]
    pub settings: SettingsAnswer,
    /// A number from `GetJob`, a text from `ListJobs`: the total over all pods.
    #[serde(rename = "RequestGPU", deserialize_with = "lenient::number")]
    pub request_gpu: Option<f64>,
    #[serde(deserialize_with = "lenient::text")]
    pub gmt_create_time: Option<String>,
    #[serde(deserialize_with = "lenient::text")]
    pub gmt_running_time: Option<String>,
    #[serde(deserialize_with = "lenient::text")]
    pub gmt_finish_time: Option<String>,
    /// Spelled so by the service.
    #[serde(deserialize_with = "lenient::text")]
    pub gmt_successed_time: Option<String>,
    #[serde(deserialize_with = "lenient::text")]
    pub gmt_failed_time: Option<String>,
    #[serde(deserialize_with = "lenient::text")]
    pub gmt_stopped_time: Option<String>,
    #[serde(deserialize_with = "lenient::integer")]
    pub duration: Option<i64>,
    /// `ListJobs` only.
    #[serde(deserialize_with = "lenient::integer")]
    pub job_max_running_time_minutes: Option<i64>,
    /// `ListJobs` only; a text.
    #[serde(deserialize_with = "lenient::integer")]
    pub node_count: Option<i64>,
    /// `ListJobs` only.
    #[serde(deserialize_with = "lenient::texts")]
    pub node_names: Vec<String>,
    /// `ListJobs` only.
    #[serde(deserialize_with = "lenient::flag")]
    pub is_deleted: Option<bool>,
    #[serde(deserialize_with = "lenient::items")]
    pub pods: Vec<PodAnswer>,
}

/// The part of `Settings` that gpujob reads back.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct SettingsAnswer {
    #[serde(deserialize_with = "lenient::text_map")]
    pub tags: BTreeMap<String, String>,
}

/// The echo of one role.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct JobSpecAnswer {
    #[serde(rename = "Type", deserialize_with = "lenient::text")]
    pub role: Option<String>,
    #[serde(deserialize_with = "lenient::integer")]
    pub pod_count: Option<i64>,
    #[serde(deserialize_with = "lenient::text")]
    pub ecs_spec: Option<String>,
    #[serde(deserialize_with = "lenient::object")]
    pub resource_config: ResourceConfigAnswer,
}

/// The echo of a role's size on a quota.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(default)]
pub struct ResourceConfigAnswer {
    #[serde(rename = "CPU", deserialize_with = "lenient::text")]
    pub cpu: Option<String>,
    #[serde(rename = "GPU", deserialize_with = "lenient::text")]
    pub gpu: Option<String>,
    #[serde(rename = "GPUType", deserialize_with = "lenient::text")]
    pub gpu_type: Option<String>,
    #[serde(rename = "Memory", deserialize_with = "lenient::text")]
    pub memory: Option<String>,
    #[serde(rename = "SharedMemory", deserialize_with = "lenient::text")]
    pub shared_memory: Option<String>,
}

/// One pod of a job.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct PodAnswer {
    #[serde(deserialize_with = "lenient::text")]
    pub pod_id: Option<String>,
    /// One incarnation of the pod.
    #[serde(deserialize_with = "lenient::text")]
    pub pod_uid: Option<String>,
    #[serde(rename = "Type", deserialize_with = "lenient::text")]
    pub role: Option<String>,
    #[serde(deserialize_with = "lenient::text")]
    pub status: Option<String>,
    #[serde(deserialize_with = "lenient::text")]
    pub node_name: Option<String>,
    /// Earlier incarnations, after a restart.
    #[serde(deserialize_with = "lenient::items")]
    pub history_pods: Vec<PodAnswer>,
    /// Seen in answers of 2022, in no model of any SDK (pai-dlc.md §3.3).
    #[serde(deserialize_with = "lenient::object")]
    pub status_detail: StatusDetail,
}

/// The lines of a period, in no documented order; oldest first, it is taken.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct LogsAnswer {
    #[serde(deserialize_with = "lenient::lines")]
    pub logs: Vec<String>,
}

/// How a pod's container ended.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct StatusDetail {
    #[serde(deserialize_with = "lenient::integer")]
    pub exit_code: Option<i64>,
}
