//! Creating nodes (cyclecloud.md §6 and §11, 5 and 6).

use serde_json::{Map, Value, json};

use crate::sandbox::clock::Clock;

use super::catalogue::{ArrayPlan, Catalogue, ClusterPlan};
use super::reply::Refusal;
use super::request::{CreateRequest, SetRequest};
use super::world::{Group, Node, Phase, World, key};

/// Azure's own default for `MaxScaleSetSize` (§4.1).
pub(super) const USUAL_GROUP_SIZE: u64 = 40;

/// A member of `definition` that the switch `extra_members` adds.
pub(super) const EXTRA_DEFINITION: (&str, &str) = ("imageFamily", "sandbox");

/// What a request cannot set (§11, 7), beside what the server works out by itself.
const PROTECTED: [&str; 4] = ["Name", "NodeId", "Template", "ClusterName"];

/// Attributes that a running scale set has in common (§5.4).
const OF_SCALE_SET: [&str; 2] = ["ImageName", "ImageId"];

/// Where nodes are made.
#[derive(Debug)]
pub(super) struct Creation<'a> {
    pub(super) world: &'a mut World,
    pub(super) catalogue: &'a Catalogue,
    pub(super) cluster: &'a ClusterPlan,
    pub(super) clock: &'a Clock,
}

/// What became of a set.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Granted {
    added: u64,
    message: Option<String>,
}

impl Creation<'_> {
    /// Does the whole request or nothing, and gives the answer's body.
    pub(super) fn create(
        &mut self,
        request: &CreateRequest,
        action: &'static str,
    ) -> Result<Value, Refusal> {
        if let Some(id) = &request.request_id
            && self.world.used.contains(id)
        {
            return Err(Refusal::conflict(format!(
                "A request with id {id} was already made"
            )));
        }
        if !self.cluster.is_started() && self.world.switches.create_on_stopped == 409 {
            return Err(Refusal::conflict(format!(
                "Cluster {} is not started",
                self.cluster.name
            )));
        }
        let before = self.world.nodes.len();
        let switches = self.world.switches.clone();
        let granted: Result<Vec<Granted>, Refusal> = request
            .sets
            .iter()
            .map(|set| self.add(set, request.request_id.as_deref()))
            .collect();
        let granted = granted.and_then(|granted| {
            let nothing = granted.iter().all(|set| set.added == 0);
            if nothing && self.world.switches.nothing_fits == 409 {
                return Err(Refusal::conflict("No nodes can be added"));
            }
            Ok(granted)
        });
        let granted = granted.inspect_err(|_| {
            // An invalid request has no effect at all, on the numbers of faults neither.
            self.world.nodes.truncate(before);
            self.world.switches = switches;
        })?;
        let made: Vec<String> = self
            .world
            .nodes
            .iter()
            .skip(before)
            .map(|node| node.id.clone())
            .collect();
        self.remember_groups(before);
        let id = self.world.accept(
            action,
            &self.cluster.name,
            request.request_id.clone(),
            made,
            self.clock,
        );
        let sets: Vec<Value> = granted.into_iter().map(shown).collect();
        Ok(json!({ "operationId": id, "sets": sets }))
    }

    fn add(&mut self, set: &SetRequest, request: Option<&str>) -> Result<Granted, Refusal> {
        let array = self.cluster.array(&set.nodearray).ok_or_else(|| {
            Refusal::invalid(format!(
                "No nodearray {} in cluster {}",
                set.nodearray, self.cluster.name
            ))
        })?;
        if set.count < 1 {
            return Err(Refusal::invalid("count must be at least 1"));
        }
        let machine_type = self.bucket(array, set)?;
        self.check_names(set)?;
        let attributes = attributes(self.catalogue, array, set.node_attributes.as_ref())?;
        let figures = self.world.figures(
            self.catalogue,
            self.cluster,
            array,
            machine_type,
            self.clock,
        );
        let mut added = set.count.min(figures.available);
        let mut reason = format!(
            "{} nodes of {machine_type} are available (quota {} cores, {} consumed)",
            figures.available, figures.quota_cores, figures.consumed_cores
        );
        if let Some(most) = self.world.switches.grants_at_most
            && most < added
        {
            added = most;
            reason = format!("{most} nodes of {machine_type} are available");
        }
        if let Some(name) = &set.placement_group_id {
            let group = Group {
                bucket: key(self.cluster, array, machine_type),
                name: name.clone(),
            };
            let size = array.placement_group_size.unwrap_or(USUAL_GROUP_SIZE);
            let room = size.saturating_sub(self.world.group_active(&group).nodes);
            if room < added {
                added = room;
                reason = format!("placement group {name} has room for {room} more of {size} nodes");
            }
        }
        for _ in 0..added {
            self.push(array, machine_type, set, &attributes, request);
        }
        let message = (added < set.count)
            .then(|| format!("Only {added} of {} nodes added: {reason}", set.count));
        Ok(Granted { added, message })
    }

    /// The first valid bucket that matches every member of the definition (§11, 5).
    fn bucket<'a>(&self, array: &'a ArrayPlan, set: &SetRequest) -> Result<&'a str, Refusal> {
        let wanted = set.definition.as_ref();
        let matches = |machine_type: &str| {
            wanted.into_iter().flatten().all(|(name, value)| {
                let text = value.as_str().unwrap_or_default();
                let (extra, extra_value) = EXTRA_DEFINITION;
                (name == "machineType" && text.eq_ignore_ascii_case(machine_type))
                    || (self.world.switches.extra_members && name == extra && text == extra_value)
            })
        };
        array
            .machine_types
            .iter()
            .map(String::as_str)
            .find(|name| matches(name) && self.world.invalid_reason(array, name).is_none())
            .ok_or_else(|| {
                Refusal::invalid(format!(
                    "No valid bucket of nodearray {} matches the definition {}",
                    array.name,
                    wanted.map_or(Value::Null, |map| Value::Object(map.clone()))
                ))
            })
    }

    fn check_names(&self, set: &SetRequest) -> Result<(), Refusal> {
        let Some(format) = &set.name_format else {
            if set.name_offset.is_some() {
                return Err(Refusal::invalid("nameOffset needs a nameFormat"));
            }
            return Ok(());
        };
        if format.contains("%d") {
            return Ok(());
        }
        if set.count > 1 {
            return Err(Refusal::invalid(format!(
                "nameFormat {format} has no %d and is asked for {} nodes",
                set.count
            )));
        }
        if format.is_empty() || self.is_taken(format) {
            return Err(Refusal::invalid(format!(
                "A node named {format} already exists"
            )));
        }
        Ok(())
    }

    fn is_taken(&self, name: &str) -> bool {
        self.world
            .nodes
            .iter()
            .any(|node| node.cluster == self.cluster.name && node.name.eq_ignore_ascii_case(name))
    }

    fn free_name(&self, array: &ArrayPlan, set: &SetRequest) -> String {
        let usual = format!("{}-%d", array.name);
        let format = set.name_format.as_ref().unwrap_or(&usual);
        if !format.contains("%d") {
            return format.clone();
        }
        let mut index = set.name_offset.unwrap_or(0);
        loop {
            index = index.saturating_add(1);
            let name = format.replacen("%d", &index.to_string(), 1);
            if !self.is_taken(&name) || index == u64::MAX {
                return name;
            }
        }
    }

    fn push(
        &mut self,
        array: &ArrayPlan,
        machine_type: &str,
        set: &SetRequest,
        attributes: &Map<String, Value>,
        request: Option<&str>,
    ) {
        let mut node = Node {
            id: self.world.fresh_id(),
            name: self.free_name(array, set),
            cluster: self.cluster.name.clone(),
            array: Some(array.name.clone()),
            machine_type: machine_type.to_owned(),
            vcpus: self.catalogue.size(machine_type).vcpus,
            placement_group: set.placement_group_id.clone(),
            attributes: attributes.clone(),
            phase: Phase::Acquiring,
            since: self.clock.elapsed(),
            state: "Allocation",
            vm: None,
            fault: self.world.switches.draw_fault(&array.name, request),
            message: None,
            phase_map: None,
            process: None,
            place: None,
            disks: 0,
            has_run: false,
        };
        node.message = self.mismatch(&node);
        self.world.nodes.push(node);
    }

    /// What keeps a node out of the scale set of its bucket's other nodes, for ever (§5.4).
    fn mismatch(&self, node: &Node) -> Option<String> {
        let key = node.bucket()?;
        let mut names = OF_SCALE_SET.to_vec();
        if !self.world.switches.cloud_init_per_node {
            names.push("CloudInit");
        }
        let peers: Vec<&Node> = self
            .world
            .nodes
            .iter()
            .filter(|peer| {
                peer.is_of(&key)
                    && peer.placement_group == node.placement_group
                    && peer.phase.is_active()
                    && peer.message.is_none()
            })
            .collect();
        let differing: Vec<&str> = names
            .into_iter()
            .filter(|name| {
                peers
                    .iter()
                    .any(|peer| peer.attribute(name) != node.attribute(name))
            })
            .collect();
        (!differing.is_empty()).then(|| {
            format!(
                "This node does not match existing scaleset attributes: {}",
                differing.join(", ")
            )
        })
    }

    /// Placement groups are made on first use, and stay.
    fn remember_groups(&mut self, before: usize) {
        let groups: Vec<Group> = self
            .world
            .nodes
            .iter()
            .skip(before)
            .filter_map(|node| {
                Some(Group {
                    bucket: node.bucket()?,
                    name: node.placement_group.clone()?,
                })
            })
            .collect();
        self.world.groups.extend(groups);
    }
}

fn shown(granted: Granted) -> Value {
    match granted.message {
        None => json!({ "added": granted.added }),
        Some(message) => json!({ "added": granted.added, "message": message }),
    }
}

/// The array's attributes with those of the request over them.
fn attributes(
    catalogue: &Catalogue,
    array: &ArrayPlan,
    asked: Option<&Map<String, Value>>,
) -> Result<Map<String, Value>, Refusal> {
    let mut merged = array.attributes.clone();
    // The definition's own, not its nodes'.
    merged.shift_remove("State");
    for (name, value) in [
        ("Region", json!(catalogue.region.name)),
        ("SubnetId", json!(catalogue.region.subnet)),
        ("Interruptible", json!(array.interruptible)),
        ("KeepAlive", json!(false)),
        ("Tags", json!({})),
    ] {
        merged.entry(name).or_insert(value);
    }
    for (name, value) in asked.into_iter().flatten() {
        check_attribute(name, value)?;
        if PROTECTED
            .iter()
            .any(|known| known.eq_ignore_ascii_case(name))
        {
            continue;
        }
        // The datastore's names have no case (§5.1).
        let known = merged
            .keys()
            .find(|known| known.eq_ignore_ascii_case(name))
            .cloned();
        let slot = merged
            .entry(known.unwrap_or_else(|| name.clone()))
            .or_insert(Value::Null);
        if name.eq_ignore_ascii_case("Configuration") {
            merge(slot, value);
        } else {
            *slot = value.clone();
        }
    }
    Ok(merged)
}

fn check_attribute(name: &str, value: &Value) -> Result<(), Refusal> {
    let wrong = |wanted: &str| {
        Err(Refusal::invalid(format!(
            "nodeAttributes.{name} must be {wanted}"
        )))
    };
    let is = |known: &str| known.eq_ignore_ascii_case(name);
    if is("Configuration") && !value.is_object() {
        return wrong("an object");
    }
    if (is("KeepAlive") || is("Interruptible") || is("Fixed")) && !value.is_boolean() {
        return wrong("true or false");
    }
    let are_texts = |tags: &Map<String, Value>| tags.values().all(Value::is_string);
    if is("Tags") && !value.as_object().is_some_and(are_texts) {
        return wrong("an object of texts");
    }
    Ok(())
}

/// Puts one value over another: objects key by key, all else whole (§8.2).
pub(super) fn merge(under: &mut Value, over: &Value) {
    match (under, over) {
        (Value::Object(under), Value::Object(over)) => {
            for (name, value) in over {
                merge(under.entry(name.clone()).or_insert(Value::Null), value);
            }
        }
        (under, over) => *under = over.clone(),
    }
}
