//! The answer of `status` (cyclecloud.md §4.1 and §5.2).

use serde_json::{Map, Value, json};

use crate::sandbox::clock::Clock;

use super::catalogue::{ArrayPlan, Catalogue, ClusterPlan};
use super::create::{EXTRA_DEFINITION, USUAL_GROUP_SIZE};
use super::record;
use super::world::{BucketKey, World, key};

/// Members that older servers do not have (§4.1).
const OPTIONAL: [&str; 6] = [
    "familyQuotaCount",
    "familyQuotaCoreCount",
    "familyConsumedCoreCount",
    "regionalQuotaCount",
    "regionalQuotaCoreCount",
    "regionalConsumedCoreCount",
];

/// The same, of `virtualMachine`.
const OPTIONAL_OF_MACHINE: [&str; 3] = ["pcpuCount", "gpuCount", "vcpuQuotaCount"];

/// A cluster's status.
pub(super) fn status(
    world: &World,
    catalogue: &Catalogue,
    cluster: &ClusterPlan,
    clock: &Clock,
    with_nodes: bool,
) -> Value {
    let mut body = Map::new();
    for (name, state) in [
        ("state", &cluster.state),
        ("targetState", &cluster.target_state),
    ] {
        // Absent until the cluster was started once (§11, 11).
        if let Some(state) = state {
            body.insert(name.to_owned(), json!(state));
        }
    }
    body.insert(
        "maxCount".to_owned(),
        json!(world.switches.nodes(cluster.max_count)),
    );
    body.insert(
        "maxCoreCount".to_owned(),
        json!(world.switches.cores(cluster.max_core_count)),
    );
    let scene = Scene {
        world,
        catalogue,
        cluster,
        clock,
        with_nodes,
    };
    let arrays: Vec<Value> = cluster
        .arrays
        .iter()
        .map(|array| scene.array(array))
        .collect();
    body.insert("nodearrays".to_owned(), json!(arrays));
    if with_nodes {
        let nodes: Vec<Value> = world
            .nodes
            .iter()
            .filter(|node| node.cluster == cluster.name)
            .map(|node| record::shown(node, &world.switches))
            .collect();
        body.insert("nodes".to_owned(), json!(nodes));
    }
    Value::Object(body)
}

struct Scene<'a> {
    world: &'a World,
    catalogue: &'a Catalogue,
    cluster: &'a ClusterPlan,
    clock: &'a Clock,
    with_nodes: bool,
}

impl Scene<'_> {
    fn array(&self, array: &ArrayPlan) -> Value {
        let buckets: Vec<Value> = array
            .machine_types
            .iter()
            .map(|machine_type| self.bucket(array, machine_type))
            .collect();
        json!({
            "name": array.name,
            "nodearray": self.definition(array),
            "maxCount": self.world.switches.nodes(array.max_count),
            "maxCoreCount": self.world.switches.cores(array.max_core_count),
            "buckets": buckets,
        })
    }

    /// The definition record: at least what §5.2 asks for.
    fn definition(&self, array: &ArrayPlan) -> Value {
        let mut record = Map::new();
        for (name, value) in [
            ("Name", json!(array.name)),
            ("ClusterName", json!(self.cluster.name)),
            ("IsArray", json!(true)),
            ("Region", json!(self.catalogue.region.name)),
            ("SubnetId", json!(self.catalogue.region.subnet)),
            ("MachineType", json!(array.machine_types)),
            ("Interruptible", json!(array.interruptible)),
        ] {
            record.insert(name.to_owned(), value);
        }
        record.extend(array.attributes.clone());
        Value::Object(record)
    }

    fn bucket(&self, array: &ArrayPlan, machine_type: &str) -> Value {
        let world = self.world;
        let size = self.catalogue.size(machine_type);
        let key = key(self.cluster, array, machine_type);
        let figures = world.figures(
            self.catalogue,
            self.cluster,
            array,
            machine_type,
            self.clock,
        );
        let active = world.active(|node| node.is_of(&key));
        let group_size = array.placement_group_size.unwrap_or(USUAL_GROUP_SIZE);
        let cores = |nodes: u64| nodes.saturating_mul(size.vcpus);
        let invalid = world.invalid_reason(array, machine_type);
        let mut definition = Map::new();
        definition.insert("machineType".to_owned(), json!(machine_type));
        if world.switches.extra_members {
            let (name, value) = EXTRA_DEFINITION;
            definition.insert(name.to_owned(), json!(value));
        }
        let groups: Vec<Value> = world
            .groups
            .iter()
            .filter(|group| group.bucket == key)
            .map(|group| {
                let active = world.group_active(group);
                json!({
                    "name": group.name,
                    "activeCount": active.nodes,
                    "activeCoreCount": active.cores,
                })
            })
            .collect();
        let machine = json!({
            "vcpuCount": size.vcpus,
            "pcpuCount": size.pcpus,
            "gpuCount": size.gpus,
            "memory": size.memory,
            "infiniband": size.infiniband,
            "vcpuQuotaCount": size.vcpus,
        });
        let mut bucket = json!({
            "bucketId": world.bucket_id(&key),
            "definition": definition,
            "valid": invalid.is_none(),
            "invalidReason": invalid.unwrap_or_default(),
            "maxCount": figures.max,
            "maxCoreCount": cores(figures.max),
            "activeCount": active.nodes,
            "activeCoreCount": active.cores,
            "availableCount": figures.available,
            "availableCoreCount": cores(figures.available),
            "quotaCount": figures.quota,
            "quotaCoreCount": figures.quota_cores,
            "consumedCoreCount": figures.consumed_cores,
            "familyQuotaCount": figures.family_quota,
            "familyQuotaCoreCount": figures.family.cores,
            "familyConsumedCoreCount": figures.family.consumed,
            "regionalQuotaCount": figures.region_quota,
            "regionalQuotaCoreCount": figures.region.cores,
            "regionalConsumedCoreCount": figures.region.consumed,
            "lastCapacityFailure": self.last_failure(&key),
            "spotPlacementScore": if array.interruptible { "High" } else { "" },
            "maxPlacementGroupSize": group_size,
            "maxPlacementGroupCoreSize": cores(group_size),
            "placementGroups": groups,
            "virtualMachine": machine,
        });
        self.finish(&key, &mut bucket);
        bucket
    }

    /// Members that depend on the query or on switches.
    fn finish(&self, key: &BucketKey, bucket: &mut Value) {
        let switches = &self.world.switches;
        let Some(members) = bucket.as_object_mut() else {
            return;
        };
        if self.with_nodes {
            let names: Vec<&str> = self
                .world
                .nodes
                .iter()
                .filter(|node| node.is_of(key) && node.phase.is_active())
                .map(|node| node.name.as_str())
                .collect();
            members.insert("activeNodes".to_owned(), json!(names));
        }
        if switches.omit_optional {
            members.retain(|name, _| !OPTIONAL.contains(&name.as_str()));
            if let Some(Value::Object(machine)) = members.get_mut("virtualMachine") {
                machine.retain(|name, _| !OPTIONAL_OF_MACHINE.contains(&name.as_str()));
            }
        }
        if switches.extra_members {
            members.insert("sandboxExtra".to_owned(), json!([{ "nobody": null }]));
        }
    }

    /// Seconds since the last capacity failure at the sandbox's speed; negative for never.
    fn last_failure(&self, key: &BucketKey) -> f64 {
        self.world.capacity_failures.get(key).map_or(-1.0, |at| {
            self.clock.elapsed().saturating_sub(*at).as_secs_f64() * self.clock.speed()
        })
    }
}
