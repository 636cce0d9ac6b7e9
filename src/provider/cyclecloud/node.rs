//! Node records and what they say about a node (cyclecloud.md §5).
//!
//! Pure. Keys in any case, unknown ones ignored, unknown states are "in progress" and never an error.

use jiff::tz::Offset;
use serde_json::Value;

use crate::model::Timestamp;
use crate::provider::time;

use super::fields::{self, count, flag, member, number, path, shown, text};

/// One node.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// Unique for ever; what `ids` takes.
    pub id: Option<String>,
    /// Unique now, reused later.
    pub name: String,
    /// The nodearray.
    pub template: Option<String>,
    pub cluster: Option<String>,
    pub machine_type: Option<String>,
    pub target_state: Option<String>,
    pub state: Option<String>,
    pub status: Option<String>,
    pub status_message: Option<String>,
    pub phase_failed: bool,
    /// Names of the phases that failed, with their message where there is one.
    pub failed_phases: Vec<String>,
    pub instance_id: Option<String>,
    pub private_ip: Option<String>,
    pub public_ip: Option<String>,
    pub hostname: Option<String>,
    pub region: Option<String>,
    pub subnet_id: Option<String>,
    pub placement_group_id: Option<String>,
    pub interruptible: Option<bool>,
    pub keep_alive: bool,
    pub core_count: Option<u64>,
    pub memory_gb: Option<f64>,
    pub launch_time: Option<Timestamp>,
    pub retry_count: Option<u64>,
    /// The record as it came: `Configuration`, `Tags` and all the rest.
    pub raw: Value,
}

/// What a node is doing (§5.3). "Gone" is a node that is not listed, or listed as terminated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Phase {
    /// A machine is being asked for.
    Pending,
    /// There is a machine, and it is not usable yet.
    Starting,
    Ready,
    Failed,
    /// On its way out.
    Stopping,
    /// Deallocated: not running, and its disks cost.
    Stopped,
    Gone,
    /// Nobody says where it is to go.
    Unknown,
}

impl Node {
    /// Reads a record; `None` for what is no node: no name, an array or an abstract definition (§4.2).
    pub fn read(record: &Value) -> Option<Self> {
        let is_definition = ["IsArray", "Abstract"]
            .iter()
            .any(|key| flag(record, key).unwrap_or_default());
        if is_definition {
            return None;
        }
        Some(Self {
            id: text(record, "NodeId"),
            name: text(record, "Name")?,
            template: text(record, "Template"),
            cluster: text(record, "ClusterName"),
            machine_type: text(record, "MachineType"),
            target_state: text(record, "TargetState"),
            state: text(record, "State"),
            status: text(record, "Status"),
            status_message: text(record, "StatusMessage").map(|message| shown(&message)),
            phase_failed: flag(record, "PhaseFailed").unwrap_or_default(),
            failed_phases: failed_phases(record),
            instance_id: text(record, "InstanceId"),
            private_ip: text(record, "PrivateIp"),
            public_ip: text(record, "PublicIp"),
            hostname: text(record, "Hostname"),
            region: text(record, "Region"),
            subnet_id: text(record, "SubnetId"),
            placement_group_id: text(record, "PlacementGroupId"),
            interruptible: flag(record, "Interruptible"),
            keep_alive: flag(record, "KeepAlive").unwrap_or_default(),
            core_count: count(record, "CoreCount"),
            memory_gb: number(record, "Memory"),
            launch_time: member(record, "LaunchTime")
                .and_then(|value| time::read(value, Offset::UTC)),
            retry_count: count(record, "RetryCount"),
            raw: record.clone(),
        })
    }

    /// The table of §5.3, first match wins.
    pub fn phase(&self) -> Phase {
        let is = |value: &Option<String>, words: &[&str]| {
            value
                .as_deref()
                .is_some_and(|value| words.iter().any(|word| value.eq_ignore_ascii_case(word)))
        };
        let either = |words: &[&str]| is(&self.status, words) || is(&self.state, words);
        if self.target_state.is_some() && !is(&self.target_state, &["Started"]) {
            return if either(&["Terminated", "Off"]) {
                Phase::Gone
            } else if either(&["Deallocated"]) {
                Phase::Stopped
            } else {
                Phase::Stopping
            };
        }
        if self.target_state.is_none() {
            return Phase::Unknown;
        }
        if self.phase_failed || either(&["Failed", "Unavailable"]) {
            return Phase::Failed;
        }
        if self.instance_id.is_none() {
            return Phase::Pending;
        }
        let is_usable = match &self.status {
            Some(_) => is(&self.status, &["Ready", "Started"]),
            None => is(&self.state, &["Started"]),
        };
        if is_usable && self.private_ip.is_some() {
            Phase::Ready
        } else {
            Phase::Starting
        }
    }

    /// The word to show for it.
    pub fn word(&self) -> String {
        let word = self.status.as_deref().or(self.state.as_deref());
        shown(word.unwrap_or("unknown"))
    }

    /// Why it failed, as far as the record tells.
    pub fn failure(&self) -> Option<String> {
        self.status_message.clone().or_else(|| {
            (!self.failed_phases.is_empty())
                .then(|| format!("failed in {}", self.failed_phases.join(", ")))
        })
    }

    /// A setting of the job that its create put on the node.
    pub fn job_setting(&self, key: &str) -> Option<&Value> {
        path(&self.raw, &["Configuration", "gpujob", key])
    }

    /// An Azure tag.
    pub fn tag(&self, key: &str) -> Option<String> {
        member(&self.raw, "Tags").and_then(|tags| text(tags, key))
    }

    /// The request id of the job it belongs to, if it is one of gpujob's.
    pub fn job_id(&self) -> Option<String> {
        self.job_setting("job_id")
            .and_then(fields::as_text)
            .or_else(|| self.tag(super::payload::TAG_ID))
    }

    /// The number at the end of the name, by which nodes are ordered.
    pub fn order(&self) -> (u64, String) {
        order_of(&self.name)
    }
}

/// Nodes by the number at the end of their names, then by name.
pub(super) fn order_of(name: &str) -> (u64, String) {
    let start = name
        .trim_end_matches(|last: char| last.is_ascii_digit())
        .len();
    let number = name
        .get(start..)
        .and_then(|digits| digits.parse().ok())
        .unwrap_or(u64::MAX);
    (number, name.to_owned())
}

fn failed_phases(record: &Value) -> Vec<String> {
    let Some(phases) = member(record, "PhaseMap").and_then(Value::as_object) else {
        return Vec::new();
    };
    phases
        .iter()
        .filter(|(_, phase)| {
            text(phase, "Status").is_some_and(|status| status.eq_ignore_ascii_case("failed"))
        })
        .map(|(name, phase)| match text(phase, "Message") {
            Some(message) => format!("{} ({})", shown(name), shown(&message)),
            None => shown(name),
        })
        .collect()
}
