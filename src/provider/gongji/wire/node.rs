//! A job's pods ("points"), their logs and their events (gongji.md §5).

use serde::Deserialize;
use serde_json::Value;

use super::lenient;

/// One pod.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(default)]
pub struct Node {
    #[serde(deserialize_with = "lenient::integer")]
    pub point_id: Option<i64>,
    #[serde(deserialize_with = "lenient::text")]
    pub name: Option<String>,
    #[serde(deserialize_with = "lenient::text")]
    pub status: Option<String>,
    #[serde(deserialize_with = "lenient::text")]
    pub region: Option<String>,
    #[serde(deserialize_with = "lenient::object")]
    pub resource: NodeResource,
    #[serde(deserialize_with = "lenient::objects")]
    pub containers: Vec<Container>,
    /// Seconds; spelled so by the service.
    #[serde(deserialize_with = "lenient::integer")]
    pub runing_time: Option<i64>,
    #[serde(deserialize_with = "lenient::integer")]
    pub billing_value: Option<i64>,
    #[serde(deserialize_with = "lenient::object")]
    pub describe_dto: NodeHistory,
}

/// What a pod has; counts come as numbers and as texts.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(default)]
pub struct NodeResource {
    #[serde(deserialize_with = "lenient::text")]
    pub gpu_name: Option<String>,
    #[serde(deserialize_with = "lenient::integer")]
    pub gpu_count: Option<i64>,
    #[serde(deserialize_with = "lenient::integer")]
    pub cpu_cores: Option<i64>,
}

/// One container of a pod.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(default)]
pub struct Container {
    #[serde(deserialize_with = "lenient::text")]
    pub service_name: Option<String>,
    #[serde(deserialize_with = "lenient::text")]
    pub name: Option<String>,
    #[serde(deserialize_with = "lenient::text")]
    pub image: Option<String>,
    #[serde(deserialize_with = "lenient::text")]
    pub reason: Option<String>,
    #[serde(deserialize_with = "lenient::text")]
    pub message: Option<String>,
    /// Null, a number, a numeric text or an empty text.
    #[serde(deserialize_with = "lenient::integer")]
    pub exit_code: Option<i64>,
}

/// How often a pod was restarted.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(default)]
pub struct NodeHistory {
    #[serde(deserialize_with = "lenient::integer")]
    pub restart_count: Option<i64>,
    pub last_restart_time: Value,
}

/// Everything the service keeps of one container's output.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(default)]
pub struct Logs {
    pub logs: Option<String>,
}

/// A pod's events, in no promised order.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(default)]
pub struct Events {
    #[serde(deserialize_with = "lenient::objects")]
    pub events: Vec<Event>,
}

/// One event of a pod.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(default)]
pub struct Event {
    #[serde(deserialize_with = "lenient::text")]
    pub reason: Option<String>,
    #[serde(deserialize_with = "lenient::text")]
    pub message: Option<String>,
    /// `Normal` or `Warning`.
    #[serde(rename = "type", deserialize_with = "lenient::text")]
    pub severity: Option<String>,
    pub event_time: Value,
    #[serde(deserialize_with = "lenient::text")]
    pub service: Option<String>,
}
