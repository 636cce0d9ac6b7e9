//! Node records as they are stored and as they are shown (cyclecloud.md §5).

use serde_json::{Map, Value, json};

use crate::model::Timestamp;

use super::switches::{Dates, NodeKeys, Nulls, Switches};
use super::world::{Node, Phase, Vm};

/// A record with the datastore's own keys and nulls, for filters.
pub(super) fn stored(node: &Node, switches: &Switches) -> Value {
    let mut record = node.attributes.clone();
    let vm = node.vm.as_ref();
    let is_under_way = matches!(node.phase, Phase::Acquiring | Phase::Preparing);
    let word = |own: &'static str, other: &Option<String>| match other {
        Some(word) if is_under_way => json!(word),
        Some(_) | None => json!(own),
    };
    for (name, value) in [
        ("NodeId", json!(node.id)),
        ("Name", json!(node.name)),
        ("ClusterName", json!(node.cluster)),
        (
            "Template",
            json!(node.array.as_deref().unwrap_or(&node.name)),
        ),
        ("MachineType", json!(node.machine_type)),
        ("TargetState", json!(node.phase.target())),
        ("State", word(node.state, &switches.state_word)),
        ("Status", word(node.phase.status(), &switches.status_word)),
        ("StatusMessage", json!(node.message)),
        ("PhaseFailed", json!(node.phase == Phase::Failed)),
        ("InstanceId", json!(vm.map(|vm| &vm.instance))),
        ("PrivateIp", json!(vm.map(Vm::address))),
        ("PublicIp", Value::Null),
        ("Hostname", json!(vm.and_then(|vm| vm.hostname.as_ref()))),
        ("PlacementGroupId", json!(node.placement_group)),
        ("CoreCount", json!(node.vcpus)),
        (
            "LaunchTime",
            vm.map_or(Value::Null, |vm| date(vm.launched, switches)),
        ),
    ] {
        set(&mut record, name, value);
    }
    if let Some(phases) = &node.phase_map {
        set(&mut record, "PhaseMap", phases.clone());
    }
    Value::Object(record)
}

/// A record as it is shown.
pub(super) fn shown(node: &Node, switches: &Switches) -> Value {
    let Value::Object(mut record) = stored(node, switches) else {
        return Value::Null;
    };
    if switches.nulls == Nulls::Absent {
        record.retain(|_, value| !value.is_null());
    }
    if switches.extra_members {
        record.insert("SandboxExtra".to_owned(), json!({ "Nobody": ["knows", 1] }));
    }
    match switches.node_keys {
        NodeKeys::Pascal => Value::Object(record),
        NodeKeys::Camel => record
            .into_iter()
            .map(|(name, value)| (camel(&name), value))
            .collect(),
    }
}

/// A date inside a record.
pub(super) fn date(instant: Timestamp, switches: &Switches) -> Value {
    let text = time(instant);
    match switches.dates {
        Dates::Wrapped => json!({ "$date": text }),
        Dates::Text => json!(text),
    }
}

/// An instant in whole seconds with `Z`.
pub(super) fn time(instant: Timestamp) -> String {
    Timestamp::from_second(instant.as_second())
        .unwrap_or(instant)
        .to_string()
}

/// What the server works out wins over an attribute of that name in any case.
fn set(record: &mut Map<String, Value>, name: &str, value: Value) {
    record.retain(|known, _| known == name || !known.eq_ignore_ascii_case(name));
    record.insert(name.to_owned(), value);
}

fn camel(name: &str) -> String {
    let mut characters = name.chars();
    let first = characters.next().map(|first| first.to_ascii_lowercase());
    first.into_iter().chain(characters).collect()
}
