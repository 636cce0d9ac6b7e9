//! What the server holds: nodes, operations, used request ids, placement groups (cyclecloud.md §11, 4).

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::time::Duration;

use serde_json::{Map, Value, json};

use crate::model::Timestamp;
use crate::sandbox::auth::basic::Lockout;
use crate::sandbox::clock::Clock;
use crate::sandbox::process::Process;

use super::capacity::{self, Amount, Facts, Figures, Quota};
use super::catalogue::{ArrayPlan, Catalogue, ClusterPlan, Size};
use super::switches::{Fault, Switches, seconds};
use super::usage::Span;

/// The service's own name for its jobs and shared directories on this machine.
pub(super) const SERVICE: &str = "cyclecloud";

/// Everything that requests change.
#[derive(Debug)]
pub(super) struct World {
    pub(super) switches: Switches,
    pub(super) nodes: Vec<Node>,
    pub(super) operations: Vec<Operation>,
    /// Request ids of the whole server, also of forgotten operations (§4.3).
    pub(super) used: BTreeSet<String>,
    /// Placement groups that were used once; they stay (§6.1).
    pub(super) groups: BTreeSet<Group>,
    /// When Azure had no VM for a bucket, on the clock that only grows.
    pub(super) capacity_failures: BTreeMap<BucketKey, Duration>,
    pub(super) lockout: Lockout,
    /// VMs that were billed.
    pub(super) spans: Vec<Span>,
    /// Numbers of requests by call.
    pub(super) requests: BTreeMap<&'static str, u64>,
    pub(super) random: fastrand::Rng,
    next_vm: u32,
    bucket_ids: BTreeMap<BucketKey, String>,
}

/// One bucket: cluster, array and size.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct BucketKey {
    pub(super) cluster: String,
    pub(super) array: String,
    pub(super) machine_type: String,
}

/// A placement group of a bucket: a scale set of its own.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Group {
    pub(super) bucket: BucketKey,
    pub(super) name: String,
}

/// A node, of an array or on its own.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) cluster: String,
    /// `None` for a node of its own, which stays in the cluster when it is off.
    pub(super) array: Option<String>,
    pub(super) machine_type: String,
    pub(super) vcpus: u64,
    pub(super) placement_group: Option<String>,
    /// Attributes of the array and of the request, merged.
    pub(super) attributes: Map<String, Value>,
    pub(super) phase: Phase,
    /// When the phase began, on the clock that only grows.
    pub(super) since: Duration,
    /// The coarse word, which some phases leave as it was (§11, 7 and 8).
    pub(super) state: &'static str,
    pub(super) vm: Option<Vm>,
    pub(super) fault: Option<Fault>,
    /// Why it waits or has failed.
    pub(super) message: Option<String>,
    pub(super) phase_map: Option<Value>,
    pub(super) process: Option<Process>,
    /// The directory that holds what the node knows of itself.
    pub(super) place: Option<PathBuf>,
    /// How many disks it has had before the present one.
    pub(super) disks: u32,
    /// Whether a run was begun on this disk.
    pub(super) has_run: bool,
}

/// A VM of Azure.
#[derive(Debug, Clone)]
pub(super) struct Vm {
    pub(super) instance: String,
    pub(super) number: u32,
    pub(super) launched: Timestamp,
    pub(super) hostname: Option<String>,
}

/// Where a node is in its life (§5.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    Acquiring,
    Preparing,
    Ready,
    Failed,
    Terminating(Ending),
    Deallocating,
    Deallocated,
    Off,
}

/// What becomes of a node that is terminated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ending {
    Remove,
    KeepOff,
}

/// One accepted call.
#[derive(Debug, Clone)]
pub(super) struct Operation {
    pub(super) id: String,
    pub(super) request_id: Option<String>,
    pub(super) action: &'static str,
    pub(super) cluster: String,
    pub(super) nodes: Vec<String>,
    pub(super) start: Timestamp,
    pub(super) since: Duration,
}

impl World {
    /// A server whose started clusters have their stand-alone nodes.
    pub(super) fn new(seed: u64, catalogue: &Catalogue, clock: &Clock) -> Self {
        let mut world = Self {
            switches: Switches::default(),
            nodes: Vec::new(),
            operations: Vec::new(),
            used: BTreeSet::new(),
            groups: BTreeSet::new(),
            capacity_failures: BTreeMap::new(),
            lockout: Lockout::default(),
            spans: Vec::new(),
            requests: BTreeMap::new(),
            random: fastrand::Rng::with_seed(seed),
            next_vm: 1,
            bucket_ids: BTreeMap::new(),
        };
        for cluster in &catalogue.clusters {
            for array in &cluster.arrays {
                for machine_type in &array.machine_types {
                    let id = world.fresh_id();
                    let key = key(cluster, array, machine_type);
                    world.bucket_ids.insert(key, id);
                }
            }
            for plan in &cluster.stand_alone {
                let mut node = Node {
                    id: world.fresh_id(),
                    name: plan.name.clone(),
                    cluster: cluster.name.clone(),
                    array: None,
                    machine_type: plan.machine_type.clone(),
                    vcpus: catalogue.size(&plan.machine_type).vcpus,
                    placement_group: None,
                    attributes: stand_alone_attributes(catalogue),
                    phase: Phase::Ready,
                    since: clock.elapsed(),
                    state: "Started",
                    vm: None,
                    fault: None,
                    message: None,
                    phase_map: None,
                    process: None,
                    place: None,
                    disks: 0,
                    has_run: true,
                };
                world.give_vm(&mut node, clock.now());
                node.report_host();
                world.nodes.push(node);
            }
        }
        world
    }

    /// A version 4 UUID that the seed decides.
    pub(super) fn fresh_id(&mut self) -> String {
        let bytes = self.random.u128(..).to_be_bytes();
        uuid::Builder::from_random_bytes(bytes)
            .into_uuid()
            .to_string()
    }

    /// Gives a node its VM; billing begins (§5.3).
    pub(super) fn give_vm(&mut self, node: &mut Node, now: Timestamp) {
        let number = self.next_vm;
        self.next_vm = self.next_vm.saturating_add(1);
        let instance = match &node.array {
            Some(array) => format!("{array}-vmss_{number}"),
            None => format!("{}-vm", node.name),
        };
        node.vm = Some(Vm {
            instance,
            number,
            launched: now,
            hostname: None,
        });
        self.spans.push(Span {
            node_id: node.id.clone(),
            node: node.name.clone(),
            cluster: node.cluster.clone(),
            array: node.array.clone(),
            machine_type: node.machine_type.clone(),
            spot: node.flag("Interruptible"),
            start: now,
            end: None,
        });
    }

    /// Ends the billing of a node's VM.
    pub(super) fn end_billing(&mut self, node_id: &str, now: Timestamp) {
        for span in &mut self.spans {
            if span.node_id == node_id && span.end.is_none() {
                span.end = Some(now);
            }
        }
    }

    /// The id of a bucket, stable as long as the cluster lives.
    pub(super) fn bucket_id(&self, key: &BucketKey) -> &str {
        self.bucket_ids.get(key).map_or("", String::as_str)
    }

    /// Why a bucket takes no new nodes; `None` for a valid one.
    pub(super) fn invalid_reason<'a>(
        &'a self,
        array: &'a ArrayPlan,
        machine_type: &str,
    ) -> Option<&'a str> {
        let built_in = array.disabled.get(machine_type);
        built_in
            .or_else(|| self.switches.disabled.get(machine_type))
            .map(String::as_str)
    }

    /// A bucket's figures at this moment.
    pub(super) fn figures(
        &self,
        catalogue: &Catalogue,
        cluster: &ClusterPlan,
        array: &ArrayPlan,
        machine_type: &str,
        clock: &Clock,
    ) -> Figures {
        let size = catalogue.size(machine_type);
        let key = key(cluster, array, machine_type);
        let in_cluster = |node: &Node| node.cluster == cluster.name;
        let in_array =
            |node: &Node| in_cluster(node) && node.array.as_deref() == Some(array.name.as_str());
        let throttled = self
            .capacity_failures
            .get(&key)
            .is_some_and(|at| !clock.has_passed(*at, seconds(self.switches.throttle_s)));
        capacity::figures(&Facts {
            valid: self.invalid_reason(array, machine_type).is_none(),
            spot: array.interruptible,
            throttled,
            vcpus: size.vcpus,
            array_limit: Amount {
                nodes: self.switches.nodes(array.max_count),
                cores: self.switches.cores(array.max_core_count),
            },
            cluster_limit: Amount {
                nodes: self.switches.nodes(cluster.max_count),
                cores: self.switches.cores(cluster.max_core_count),
            },
            family: self.family(catalogue, machine_type, &size),
            region: Quota {
                cores: self.switches.cores(
                    self.switches
                        .region_quota_cores
                        .unwrap_or(catalogue.region.quota_cores),
                ),
                consumed: catalogue
                    .region
                    .consumed_cores
                    .saturating_add(self.active(|_| true).cores),
            },
            bucket_active: self.active(|node| node.is_of(&key)),
            array_active: self.active(in_array),
            cluster_active: self.active(in_cluster),
        })
    }

    fn family(&self, catalogue: &Catalogue, machine_type: &str, size: &Size) -> Quota {
        let family = catalogue
            .families
            .get(&size.family)
            .copied()
            .unwrap_or_default();
        let own = self.active(|node| catalogue.size(&node.machine_type).family == size.family);
        let quota = self.switches.family_quota_cores.get(machine_type).copied();
        Quota {
            cores: self.switches.cores(quota.unwrap_or(family.quota_cores)),
            consumed: family.consumed_cores.saturating_add(own.cores),
        }
    }

    /// Nodes in use, also those that still acquire a VM, but not those on their way out (§4.1).
    pub(super) fn active(&self, belongs: impl Fn(&Node) -> bool) -> Amount {
        self.nodes
            .iter()
            .filter(|node| node.phase.is_active() && belongs(node))
            .fold(Amount::default(), |sum, node| sum.plus(node.vcpus))
    }

    /// Nodes in use in one placement group.
    pub(super) fn group_active(&self, group: &Group) -> Amount {
        self.active(|node| {
            node.is_of(&group.bucket) && node.placement_group.as_deref() == Some(&group.name)
        })
    }

    /// Remembers an accepted call and gives its id.
    pub(super) fn accept(
        &mut self,
        action: &'static str,
        cluster: &str,
        request_id: Option<String>,
        nodes: Vec<String>,
        clock: &Clock,
    ) -> String {
        let id = self.fresh_id();
        if let Some(request_id) = &request_id {
            self.used.insert(request_id.clone());
        }
        self.operations.push(Operation {
            id: id.clone(),
            request_id,
            action,
            cluster: cluster.to_owned(),
            nodes,
            start: clock.now(),
            since: clock.elapsed(),
        });
        id
    }

    /// Operations that can be looked up by now (§6.3, 5).
    pub(super) fn visible_operations<'a>(
        &'a self,
        clock: &'a Clock,
    ) -> impl Iterator<Item = &'a Operation> {
        let lag = seconds(self.switches.lookup_lag_s);
        self.operations
            .iter()
            .filter(move |operation| clock.has_passed(operation.since, lag))
    }
}

impl Node {
    /// Whether it belongs to this bucket.
    pub(super) fn is_of(&self, key: &BucketKey) -> bool {
        self.cluster == key.cluster
            && self.array.as_deref() == Some(key.array.as_str())
            && self.machine_type == key.machine_type
    }

    /// Its bucket, if it is of an array.
    pub(super) fn bucket(&self) -> Option<BucketKey> {
        Some(BucketKey {
            cluster: self.cluster.clone(),
            array: self.array.clone()?,
            machine_type: self.machine_type.clone(),
        })
    }

    /// An attribute that is true or false; the datastore's names have no case (§5.1).
    pub(super) fn flag(&self, name: &str) -> bool {
        self.attribute(name).and_then(Value::as_bool) == Some(true)
    }

    /// An attribute of the template or of the request.
    pub(super) fn attribute(&self, name: &str) -> Option<&Value> {
        self.attributes
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| value)
    }

    /// Enters a phase at this reading of the clock.
    pub(super) fn enter(&mut self, phase: Phase, clock: &Clock) {
        self.phase = phase;
        self.since = clock.elapsed();
    }

    /// The name of the node's processes at the launcher.
    pub(super) fn job(&self) -> String {
        format!("{SERVICE}-{}", self.id)
    }

    /// The name of its disk.
    pub(super) fn disk(&self) -> String {
        format!("{}-{}", self.id, self.disks)
    }

    /// The VM reports its name.
    pub(super) fn report_host(&mut self) {
        if let Some(vm) = &mut self.vm {
            vm.hostname = Some(vm.usual_hostname());
        }
    }
}

impl Vm {
    /// Addresses of one subnet, in order.
    pub(super) fn address(&self) -> String {
        let [.., high, low] = self.number.to_be_bytes();
        format!("10.20.{}.{low}", high.saturating_add(1))
    }

    fn usual_hostname(&self) -> String {
        let [.., high, low] = self.number.to_be_bytes();
        format!("ip-0A14{:02X}{low:02X}", high.saturating_add(1))
    }
}

impl Phase {
    /// Whether a node counts as in use.
    pub(super) fn is_active(self) -> bool {
        match self {
            Self::Acquiring | Self::Preparing | Self::Ready | Self::Failed => true,
            Self::Terminating(_) | Self::Deallocating | Self::Deallocated | Self::Off => false,
        }
    }

    /// What the UI shows.
    pub(super) fn status(self) -> &'static str {
        match self {
            Self::Acquiring => "Acquiring",
            Self::Preparing => "Preparing",
            Self::Ready => "Ready",
            Self::Failed => "Failed",
            Self::Terminating(_) => "Terminating",
            Self::Deallocating => "Deallocating",
            Self::Deallocated => "Deallocated",
            Self::Off => "Off",
        }
    }

    /// Where the orchestrator drives the node.
    pub(super) fn target(self) -> &'static str {
        match self {
            Self::Acquiring | Self::Preparing | Self::Ready | Self::Failed => "Started",
            Self::Terminating(_) | Self::Off => "Terminated",
            Self::Deallocating | Self::Deallocated => "Deallocated",
        }
    }
}

fn stand_alone_attributes(catalogue: &Catalogue) -> Map<String, Value> {
    [
        ("Region", json!(catalogue.region.name)),
        ("SubnetId", json!(catalogue.region.subnet)),
        ("Interruptible", json!(false)),
        ("KeepAlive", json!(false)),
        ("Tags", json!({})),
        ("Configuration", json!({})),
    ]
    .into_iter()
    .map(|(name, value)| (name.to_owned(), value))
    .collect()
}

/// The bucket of a size in an array.
pub(super) fn key(cluster: &ClusterPlan, array: &ArrayPlan, machine_type: &str) -> BucketKey {
    BucketKey {
        cluster: cluster.name.clone(),
        array: array.name.clone(),
        machine_type: machine_type.to_owned(),
    }
}
