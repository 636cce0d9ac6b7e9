//! What the other calls answer: node lists, creations, management, operations, usage (cyclecloud.md §4.2 to §4.4, §6, §7).
//!
//! Pure and lenient; only what an answer cannot do without makes it unreadable.

use jiff::tz::Offset;
use serde_json::Value;

use crate::model::Timestamp;
use crate::provider::time;

use super::fields::{count, items, member, number, shown, text};
use super::node::Node;

/// `GET /clusters/{cluster}/nodes`.
#[derive(Debug, Clone, PartialEq)]
pub struct NodeList {
    pub nodes: Vec<Node>,
    /// Only where nodes of one operation were asked for.
    pub operation: Option<Operation>,
    pub raw: Value,
}

/// An operation: no progress and no failure is told (§4.3).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Operation {
    pub action: Option<String>,
    pub start_time: Option<Timestamp>,
}

/// The answer to a create or a scale.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Created {
    pub operation_id: Option<String>,
    pub sets: Vec<CreatedSet>,
}

/// What became of one set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreatedSet {
    pub added: u64,
    /// Why not all could be added.
    pub message: Option<String>,
}

/// The answer to a terminate, start and the like.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Managed {
    pub operation_id: Option<String>,
    pub nodes: Vec<ManagedNode>,
}

/// What became of one node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ManagedNode {
    pub id: Option<String>,
    pub name: Option<String>,
    pub status: Option<String>,
    pub error: Option<String>,
}

/// `GET /clusters/{cluster}/usage`: of the cluster and its arrays, never of a job.
#[derive(Debug, Clone, PartialEq)]
pub struct ClusterUsage {
    pub usage: Vec<Interval>,
}

/// One interval of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Interval {
    pub start: Option<Timestamp>,
    /// Exclusive.
    pub end: Option<Timestamp>,
    pub total: Option<UsageItem>,
    pub breakdown: Vec<UsageItem>,
}

/// Core hours of the cluster, a node or a nodearray.
#[derive(Debug, Clone, PartialEq)]
pub struct UsageItem {
    pub category: Option<String>,
    pub node: Option<String>,
    /// Hours of one core.
    pub core_hours: Option<f64>,
    /// US dollars at retail prices: an estimate, not the bill. The text as it stands, since money is never a float.
    pub cost: Option<String>,
    pub details: Vec<UsageDetail>,
}

/// One kind of machine in it.
#[derive(Debug, Clone, PartialEq)]
pub struct UsageDetail {
    pub vm_size: Option<String>,
    pub core_count: Option<u64>,
    pub core_hours: Option<f64>,
    pub region: Option<String>,
    pub priority: Option<String>,
    pub os: Option<String>,
    pub cost: Option<String>,
}

impl NodeList {
    /// `None` without a list of nodes.
    pub fn read(answer: &Value) -> Option<Self> {
        let nodes = member(answer, "nodes")?.as_array()?;
        Some(Self {
            nodes: nodes.iter().filter_map(Node::read).collect(),
            operation: member(answer, "operation").map(Operation::read),
            raw: answer.clone(),
        })
    }
}

impl Operation {
    /// Reads one.
    pub fn read(value: &Value) -> Self {
        Self {
            action: text(value, "action"),
            start_time: member(value, "startTime").and_then(|value| time::read(value, Offset::UTC)),
        }
    }
}

impl Created {
    /// `None` without a set that says how many were added.
    pub fn read(answer: &Value) -> Option<Self> {
        let sets: Option<Vec<CreatedSet>> = member(answer, "sets")?
            .as_array()?
            .iter()
            .map(|set| {
                Some(CreatedSet {
                    added: count(set, "added")?,
                    message: text(set, "message").map(|message| shown(&message)),
                })
            })
            .collect();
        Some(Self {
            operation_id: text(answer, "operationId"),
            sets: sets.filter(|sets| !sets.is_empty())?,
        })
    }

    /// Nodes added by all sets.
    pub fn added(&self) -> u64 {
        self.sets.iter().map(|set| set.added).sum()
    }

    /// Why not all could be added.
    pub fn message(&self) -> Option<String> {
        let messages: Vec<&str> = self
            .sets
            .iter()
            .filter_map(|set| set.message.as_deref())
            .collect();
        (!messages.is_empty()).then(|| messages.join("; "))
    }
}

impl Managed {
    /// An answer without a list names no node: ids that match nothing are not listed (§7).
    pub fn read(answer: &Value) -> Self {
        Self {
            operation_id: text(answer, "operationId"),
            nodes: items(answer, "nodes")
                .iter()
                .map(|node| ManagedNode {
                    id: text(node, "id"),
                    name: text(node, "name"),
                    status: text(node, "status"),
                    error: text(node, "error").map(|error| shown(&error)),
                })
                .collect(),
        }
    }

    /// Nodes that refused, with their text.
    pub fn refused(&self) -> Vec<String> {
        self.nodes
            .iter()
            .filter(|node| {
                let is_error = node
                    .status
                    .as_deref()
                    .is_some_and(|status| status.eq_ignore_ascii_case("error"));
                is_error || (node.status.is_none() && node.error.is_some())
            })
            .map(|node| {
                let name = node.name.as_deref().or(node.id.as_deref());
                format!(
                    "{}: {}",
                    shown(name.unwrap_or("a node")),
                    node.error.as_deref().unwrap_or("no reason is given")
                )
            })
            .collect()
    }
}

impl ClusterUsage {
    /// `None` without a list of intervals.
    pub fn read(answer: &Value) -> Option<Self> {
        Some(Self {
            usage: member(answer, "usage")?
                .as_array()?
                .iter()
                .map(|interval| {
                    let time = |name| {
                        member(interval, name).and_then(|value| time::read(value, Offset::UTC))
                    };
                    Interval {
                        start: time("start"),
                        end: time("end"),
                        total: member(interval, "total").map(UsageItem::read),
                        breakdown: items(interval, "breakdown")
                            .iter()
                            .map(UsageItem::read)
                            .collect(),
                    }
                })
                .collect(),
        })
    }
}

impl UsageItem {
    fn read(value: &Value) -> Self {
        Self {
            category: text(value, "category"),
            node: text(value, "node"),
            core_hours: number(value, "hours"),
            cost: text(value, "cost"),
            details: items(value, "details")
                .iter()
                .map(|detail| UsageDetail {
                    vm_size: text(detail, "vm_size"),
                    core_count: count(detail, "core_count"),
                    core_hours: number(detail, "hours"),
                    region: text(detail, "region"),
                    priority: text(detail, "priority"),
                    os: text(detail, "os"),
                    cost: text(detail, "cost"),
                })
                .collect(),
        }
    }
}
