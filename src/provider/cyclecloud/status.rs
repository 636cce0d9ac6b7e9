//! The cluster's status: nodearrays and buckets (cyclecloud.md §4.1).
//!
//! Pure. Every field of the contract has a place; optional and newer ones may be missing, unknown ones stay in the
//! records that are kept whole.

use serde_json::{Map, Value};

use super::fields::{self, count, flag, items, number, text, texts};
use super::node::Node;

/// `GET /clusters/{cluster}/status`.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ClusterStatus {
    /// Missing before the cluster's first start.
    pub state: Option<String>,
    pub target_state: Option<String>,
    pub max_count: Option<u64>,
    pub max_core_count: Option<u64>,
    pub nodearrays: Vec<NodeArray>,
    /// Only where they were asked for.
    pub nodes: Vec<Node>,
}

/// One nodearray.
#[derive(Debug, Clone, PartialEq)]
pub struct NodeArray {
    /// What `sets[].nodearray` takes.
    pub name: String,
    /// The definition, an open record (§5.2).
    pub record: Value,
    pub max_count: Option<u64>,
    pub max_core_count: Option<u64>,
    pub buckets: Vec<Bucket>,
}

/// One kind of machine that an array may use.
#[derive(Debug, Clone, PartialEq)]
pub struct Bucket {
    pub id: Option<String>,
    /// Handed back as it is in a create, unknown members included.
    pub definition: Value,
    pub machine_type: Option<String>,
    /// `false`: only existing nodes are of this kind.
    pub valid: bool,
    pub invalid_reason: Option<String>,
    pub max_count: Option<u64>,
    pub max_core_count: Option<u64>,
    pub active_count: Option<u64>,
    pub active_core_count: Option<u64>,
    pub active_nodes: Vec<String>,
    pub available_count: Option<u64>,
    pub available_core_count: Option<u64>,
    pub quota_count: Option<u64>,
    pub quota_core_count: Option<u64>,
    pub consumed_core_count: Option<u64>,
    pub family: Quota,
    pub regional: Quota,
    /// Seconds since the last one; `None` is never.
    pub last_capacity_failure: Option<f64>,
    pub spot_placement_score: Option<String>,
    pub max_placement_group_size: Option<u64>,
    pub max_placement_group_core_size: Option<u64>,
    pub placement_groups: Vec<PlacementGroup>,
    pub machine: VirtualMachine,
    /// The bucket as it came.
    pub raw: Value,
}

/// One view of a quota.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Quota {
    pub count: Option<u64>,
    pub core_count: Option<u64>,
    pub consumed_core_count: Option<u64>,
}

/// Nodes that are near each other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlacementGroup {
    pub name: String,
    pub active_count: Option<u64>,
    pub active_core_count: Option<u64>,
}

/// What a node of a bucket is made of.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct VirtualMachine {
    pub vcpu_count: Option<u64>,
    pub pcpu_count: Option<u64>,
    pub gpu_count: Option<u64>,
    /// Taken as GiB, as Azure prints it.
    pub memory_gb: Option<f64>,
    pub infiniband: Option<bool>,
    pub vcpu_quota_count: Option<u64>,
}

impl ClusterStatus {
    /// Reads an answer; what is no status at all reads as an empty one.
    pub fn read(answer: &Value) -> Self {
        Self {
            state: text(answer, "state"),
            target_state: text(answer, "targetState"),
            max_count: count(answer, "maxCount"),
            max_core_count: count(answer, "maxCoreCount"),
            nodearrays: items(answer, "nodearrays")
                .iter()
                .filter_map(NodeArray::read)
                .collect(),
            nodes: items(answer, "nodes")
                .iter()
                .filter_map(Node::read)
                .collect(),
        }
    }

    /// One bucket alone.
    pub fn bucket(value: &Value) -> Option<Bucket> {
        value.is_object().then(|| Bucket::read(value))
    }

    /// An array by its name.
    pub fn nodearray(&self, name: &str) -> Option<&NodeArray> {
        self.nodearrays.iter().find(|array| array.name == name)
    }

    /// Whether nodes can be had: both states say so, or say nothing else.
    ///
    /// Before the first start both are missing (§11 no. 11).
    pub fn is_started(&self) -> bool {
        let started = |state: &Option<String>| {
            state
                .as_deref()
                .is_some_and(|state| state.eq_ignore_ascii_case("started"))
        };
        match (&self.target_state, &self.state) {
            (None, None) => false,
            (Some(_), None) => started(&self.target_state),
            (None, Some(_)) => started(&self.state),
            (Some(_), Some(_)) => started(&self.target_state) && started(&self.state),
        }
    }
}

impl NodeArray {
    fn read(value: &Value) -> Option<Self> {
        Some(Self {
            name: text(value, "name")?,
            record: fields::member(value, "nodearray")
                .cloned()
                .unwrap_or_else(|| Value::Object(Map::new())),
            max_count: count(value, "maxCount"),
            max_core_count: count(value, "maxCoreCount"),
            buckets: items(value, "buckets").iter().map(Bucket::read).collect(),
        })
    }

    /// Whether its nodes are interruptible unless something else is asked for.
    pub fn is_spot(&self) -> bool {
        flag(&self.record, "Interruptible").unwrap_or_default()
    }

    /// The Azure region.
    pub fn region(&self) -> Option<String> {
        text(&self.record, "Region")
    }

    /// The machine types the array may use, also those without a bucket.
    pub fn machine_types(&self) -> Vec<String> {
        texts(&self.record, "MachineType")
    }

    /// Nodes in use, of all buckets.
    pub fn active_count(&self) -> u64 {
        self.buckets
            .iter()
            .filter_map(|bucket| bucket.active_count)
            .sum()
    }
}

impl Bucket {
    fn read(value: &Value) -> Self {
        let definition = fields::member(value, "definition")
            .filter(|definition| definition.is_object())
            .cloned()
            .unwrap_or_else(|| Value::Object(Map::new()));
        Self {
            id: text(value, "bucketId"),
            machine_type: text(&definition, "machineType"),
            definition,
            // A server that does not say so means no harm.
            valid: flag(value, "valid").unwrap_or(true),
            invalid_reason: text(value, "invalidReason"),
            max_count: count(value, "maxCount"),
            max_core_count: count(value, "maxCoreCount"),
            active_count: count(value, "activeCount"),
            active_core_count: count(value, "activeCoreCount"),
            active_nodes: texts(value, "activeNodes"),
            available_count: count(value, "availableCount"),
            available_core_count: count(value, "availableCoreCount"),
            quota_count: count(value, "quotaCount"),
            quota_core_count: count(value, "quotaCoreCount"),
            consumed_core_count: count(value, "consumedCoreCount"),
            family: Quota {
                count: count(value, "familyQuotaCount"),
                core_count: count(value, "familyQuotaCoreCount"),
                consumed_core_count: count(value, "familyConsumedCoreCount"),
            },
            regional: Quota {
                count: count(value, "regionalQuotaCount"),
                core_count: count(value, "regionalQuotaCoreCount"),
                consumed_core_count: count(value, "regionalConsumedCoreCount"),
            },
            last_capacity_failure: number(value, "lastCapacityFailure")
                .filter(|seconds| *seconds >= 0.0),
            spot_placement_score: text(value, "spotPlacementScore"),
            max_placement_group_size: count(value, "maxPlacementGroupSize"),
            max_placement_group_core_size: count(value, "maxPlacementGroupCoreSize"),
            placement_groups: items(value, "placementGroups")
                .iter()
                .filter_map(|group| {
                    Some(PlacementGroup {
                        name: text(group, "name")?,
                        active_count: count(group, "activeCount"),
                        active_core_count: count(group, "activeCoreCount"),
                    })
                })
                .collect(),
            machine: fields::member(value, "virtualMachine")
                .map(VirtualMachine::read)
                .unwrap_or_default(),
            raw: value.clone(),
        }
    }

    /// Why no more than so many can be had, in figures.
    pub fn figures(&self) -> String {
        let mut parts = Vec::new();
        if let Some(available) = self.available_count {
            parts.push(format!("{available} available"));
        }
        if let Some(quota) = self.quota_core_count {
            let consumed = self
                .consumed_core_count
                .map_or(String::new(), |used| format!(", of which {used} are used"));
            parts.push(format!("quota of {quota} cores{consumed}"));
        }
        if let Some(seconds) = self.last_capacity_failure {
            parts.push(format!("capacity failure {seconds:.0} s ago"));
        }
        parts.join("; ")
    }
}

impl VirtualMachine {
    fn read(value: &Value) -> Self {
        Self {
            vcpu_count: count(value, "vcpuCount"),
            pcpu_count: count(value, "pcpuCount"),
            gpu_count: count(value, "gpuCount"),
            memory_gb: number(value, "memory"),
            infiniband: flag(value, "infiniband"),
            vcpu_quota_count: count(value, "vcpuQuotaCount"),
        }
    }
}
