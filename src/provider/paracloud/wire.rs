//! Paracloud's JSON as it travels (paracloud.md §3 and §8).
//!
//! What is read is lenient: every member optional, unknown ones ignored. What is written is exact: only documented
//! members, because the server silently ignores the others (§4, `env`).

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::lenient;

/// An entry of `instanceTypes` (§3.2).
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub(super) struct InstanceType {
    #[serde(deserialize_with = "lenient::text")]
    pub(super) id: Option<String>,
    #[serde(rename = "clusterID", deserialize_with = "lenient::text")]
    pub(super) cluster: Option<String>,
    #[serde(deserialize_with = "lenient::object")]
    pub(super) cpu: Option<Cpu>,
    #[serde(deserialize_with = "lenient::object")]
    pub(super) memory: Option<Memory>,
    #[serde(deserialize_with = "lenient::object")]
    pub(super) gpu: Option<GpuPart>,
}

/// `cpu` of an instance type.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub(super) struct Cpu {
    #[serde(deserialize_with = "lenient::number")]
    pub(super) cores: Option<f64>,
    #[serde(deserialize_with = "lenient::text")]
    pub(super) model: Option<String>,
}

/// `memory` of an instance type.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub(super) struct Memory {
    /// Counts as GiB (cli.md §10).
    #[serde(rename = "sizeGB", deserialize_with = "lenient::number")]
    pub(super) size_gb: Option<f64>,
}

/// `gpu` of an instance type.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub(super) struct GpuPart {
    /// Kept as it came: an unreadable count is not an absent one.
    pub(super) count: Value,
    #[serde(deserialize_with = "lenient::text")]
    pub(super) model: Option<String>,
}

/// A volume, in lists and as the answer to a create (§3.3).
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub(super) struct Volume {
    #[serde(deserialize_with = "lenient::text")]
    pub(super) id: Option<String>,
    #[serde(rename = "clusterID", deserialize_with = "lenient::text")]
    pub(super) cluster: Option<String>,
    #[serde(rename = "namespaceID", deserialize_with = "lenient::text")]
    pub(super) namespace: Option<String>,
}

/// A container group as the server tells it (§3.4, §3.5).
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub(super) struct Group {
    #[serde(deserialize_with = "lenient::text")]
    pub(super) id: Option<String>,
    #[serde(rename = "clusterID", deserialize_with = "lenient::text")]
    pub(super) cluster: Option<String>,
    #[serde(rename = "namespaceID", deserialize_with = "lenient::text")]
    pub(super) namespace: Option<String>,
    #[serde(rename = "instanceType", deserialize_with = "lenient::text")]
    pub(super) instance_type: Option<String>,
    #[serde(deserialize_with = "lenient::objects")]
    pub(super) containers: Vec<Container>,
    #[serde(rename = "nodeID", deserialize_with = "lenient::text")]
    pub(super) node: Option<String>,
    #[serde(deserialize_with = "lenient::object")]
    pub(super) status: Option<Status>,
}

/// A container of a group.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub(super) struct Container {
    #[serde(deserialize_with = "lenient::text")]
    pub(super) name: Option<String>,
    #[serde(deserialize_with = "lenient::text")]
    pub(super) image: Option<String>,
    #[serde(deserialize_with = "lenient::words")]
    pub(super) command: Vec<String>,
    #[serde(deserialize_with = "lenient::objects")]
    pub(super) ports: Vec<Port>,
    #[serde(rename = "volumeMounts", deserialize_with = "lenient::objects")]
    pub(super) mounts: Vec<VolumeMount>,
}

/// A published port; number and host are assigned later (`0` and `""` until then).
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub(super) struct Port {
    #[serde(deserialize_with = "lenient::text")]
    pub(super) name: Option<String>,
    #[serde(deserialize_with = "lenient::object")]
    pub(super) https: Option<Https>,
}

/// Publication through the HTTPS reverse proxy.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub(super) struct Https {
    #[serde(deserialize_with = "lenient::text")]
    pub(super) host: Option<String>,
}

/// A mount; `name` is the volume's id.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub(super) struct VolumeMount {
    #[serde(rename = "name", deserialize_with = "lenient::text")]
    pub(super) volume: Option<String>,
    #[serde(rename = "mountPath", deserialize_with = "lenient::text")]
    pub(super) path: Option<String>,
}

/// `status` of a group (§5.1). Times and `runTime` stay as they came.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub(super) struct Status {
    #[serde(deserialize_with = "lenient::text")]
    pub(super) state: Option<String>,
    #[serde(deserialize_with = "lenient::text")]
    pub(super) reason: Option<String>,
    #[serde(deserialize_with = "lenient::text")]
    pub(super) message: Option<String>,
    #[serde(rename = "startTime")]
    pub(super) start: Value,
    #[serde(rename = "endTime")]
    pub(super) end: Value,
    #[serde(rename = "runTime")]
    pub(super) run_time: Value,
}

/// The body of a group's create. Nothing but documented members.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct CreateGroup {
    #[serde(rename = "instanceType")]
    pub(super) instance_type: String,
    pub(super) containers: Vec<CreateContainer>,
}

/// The one container that is asked for.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct CreateContainer {
    pub(super) name: String,
    pub(super) image: String,
    pub(super) command: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) ports: Vec<CreatePort>,
    #[serde(rename = "volumeMounts", skip_serializing_if = "Vec::is_empty")]
    pub(super) mounts: Vec<CreateMount>,
}

/// A port that is asked for.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct CreatePort {
    pub(super) name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) https: Option<Empty>,
}

/// A mount that is asked for.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct CreateMount {
    /// The volume's id.
    #[serde(rename = "name")]
    pub(super) volume: String,
    #[serde(rename = "mountPath")]
    pub(super) path: String,
}

/// The body of a volume's create.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct CreateVolume {
    /// The empty object is the switch for transfer access; never `null` (§3.3).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) service: Option<Empty>,
}

/// `{}`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(super) struct Empty {}
