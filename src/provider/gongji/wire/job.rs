//! Answers about jobs (gongji.md §2.1, §2.2, §2.4). A list row and a detail differ in members, not in names.

use serde::Deserialize;
use serde_json::Value;

use super::lenient;
use super::resource::Spec;

/// The answer to a create.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(default)]
pub struct Created {
    #[serde(deserialize_with = "lenient::integer")]
    pub task_id: Option<i64>,
}

/// A job, from the list or the detail.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(default)]
pub struct JobAnswer {
    #[serde(deserialize_with = "lenient::integer")]
    pub task_id: Option<i64>,
    #[serde(deserialize_with = "lenient::text")]
    pub task_name: Option<String>,
    /// List only; `Job`.
    #[serde(deserialize_with = "lenient::text")]
    pub task_type: Option<String>,
    /// `Spot`, or nothing for on demand.
    #[serde(deserialize_with = "lenient::text")]
    pub sub_type: Option<String>,
    #[serde(deserialize_with = "lenient::objects")]
    pub resources: Vec<CandidateAnswer>,
    #[serde(deserialize_with = "lenient::objects")]
    pub services: Vec<ServiceAnswer>,
    /// The life cycle.
    #[serde(deserialize_with = "lenient::text")]
    pub status: Option<String>,
    /// Spot only.
    #[serde(deserialize_with = "lenient::text")]
    pub schedule_status: Option<String>,
    #[serde(deserialize_with = "lenient::integer")]
    pub points: Option<i64>,
    /// Spelled so by the service.
    #[serde(deserialize_with = "lenient::integer")]
    pub runing_points: Option<i64>,
    /// Detail only: pods that are charged now.
    #[serde(deserialize_with = "lenient::integer")]
    pub billing_points: Option<i64>,
    /// Points of money billed so far, every five minutes.
    #[serde(deserialize_with = "lenient::integer")]
    pub billing_value: Option<i64>,
    /// An amount or a rate: nobody knows (§6.3), so it is shown raw and never added.
    #[serde(deserialize_with = "lenient::integer")]
    pub forecast_value: Option<i64>,
    /// Two forms of text, or a number.
    pub create_time: Value,
    /// Detail only.
    pub last_update_time: Value,
    /// Detail only: the internal name.
    #[serde(deserialize_with = "lenient::text")]
    pub deployment_name: Option<String>,
    #[serde(deserialize_with = "lenient::object")]
    pub job_support: JobSupport,
    #[serde(deserialize_with = "lenient::object")]
    pub job_status: JobStatus,
}

/// One candidate's echo; here the mark is a text.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(default)]
pub struct CandidateAnswer {
    #[serde(deserialize_with = "lenient::object")]
    pub resource: Spec,
    #[serde(deserialize_with = "lenient::text")]
    pub region_name: Option<String>,
    #[serde(deserialize_with = "lenient::text")]
    pub mark: Option<String>,
    #[serde(deserialize_with = "lenient::integer")]
    pub weight: Option<i64>,
}

/// One container's echo.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(default)]
pub struct ServiceAnswer {
    /// Without it no logs can be fetched.
    #[serde(deserialize_with = "lenient::integer")]
    pub service_id: Option<i64>,
    #[serde(deserialize_with = "lenient::text")]
    pub service_name: Option<String>,
    #[serde(deserialize_with = "lenient::text")]
    pub service_image: Option<String>,
    #[serde(deserialize_with = "lenient::objects")]
    pub remote_ports: Vec<PortAnswer>,
}

/// A published port.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(default)]
pub struct PortAnswer {
    #[serde(deserialize_with = "lenient::integer")]
    pub service_port: Option<i64>,
    #[serde(deserialize_with = "lenient::text")]
    pub url: Option<String>,
}

/// The echo of the limits.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(default)]
pub struct JobSupport {
    #[serde(deserialize_with = "lenient::integer")]
    pub estimated_exec_sec: Option<i64>,
    #[serde(deserialize_with = "lenient::integer")]
    pub timeout_sec: Option<i64>,
    #[serde(deserialize_with = "lenient::integer")]
    pub parallelism: Option<i64>,
    #[serde(deserialize_with = "lenient::object")]
    pub mod_param: ModParam,
}

/// Both keys may be present, one of them null.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(default)]
pub struct ModParam {
    pub default: Value,
    pub index: Value,
}

/// The outcome, beside the life cycle.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(default)]
pub struct JobStatus {
    #[serde(deserialize_with = "lenient::text")]
    pub status: Option<String>,
    pub create_time: Value,
    pub completion_time: Value,
    #[serde(deserialize_with = "lenient::integer")]
    pub active_pods: Option<i64>,
    #[serde(deserialize_with = "lenient::integer")]
    pub succeeded_pods: Option<i64>,
    #[serde(deserialize_with = "lenient::integer")]
    pub failed_pods: Option<i64>,
    #[serde(deserialize_with = "lenient::text")]
    pub completion_mode: Option<String>,
}
