//! Node records to phases (cyclecloud.md §5.3), and readers that no answer can bring down.

use proptest::prelude::*;
use rstest::rstest;
use serde_json::json;

use super::super::*;
use crate::testing::any_json;

#[rstest]
#[case::on_its_way_out(json!({"TargetState": "Terminated", "Status": "Terminating"}), Phase::Stopping)]
#[case::terminated(json!({"TargetState": "Terminated", "State": "Terminated"}), Phase::Gone)]
#[case::off(json!({"TargetState": "Terminated", "Status": "Off"}), Phase::Gone)]
#[case::deallocated(json!({"TargetState": "Deallocated", "Status": "Deallocated"}), Phase::Stopped)]
#[case::deallocating(json!({"TargetState": "Deallocated", "Status": "Deallocating"}), Phase::Stopping)]
#[case::a_failed_node_on_its_way_out(json!({"TargetState": "Terminated", "Status": "Failed"}), Phase::Stopping)]
#[case::no_target(json!({"Status": "Ready", "InstanceId": "i", "PrivateIp": "10.0.0.1"}), Phase::Unknown)]
#[case::null_target(json!({"TargetState": null, "Status": "Ready"}), Phase::Unknown)]
#[case::failed(json!({"TargetState": "Started", "Status": "Failed"}), Phase::Failed)]
#[case::failed_by_state(json!({"TargetState": "Started", "State": "Failed", "Status": "Ready"}), Phase::Failed)]
#[case::unavailable(json!({"TargetState": "Started", "Status": "Unavailable"}), Phase::Failed)]
#[case::a_phase_failed(json!({"TargetState": "Started", "Status": "Preparing", "PhaseFailed": true}), Phase::Failed)]
#[case::acquiring(json!({"TargetState": "Started", "Status": "Acquiring", "State": "Allocation"}), Phase::Pending)]
#[case::ready_without_machine(json!({"TargetState": "Started", "Status": "Ready"}), Phase::Pending)]
#[case::preparing(json!({"TargetState": "Started", "Status": "Preparing", "InstanceId": "i"}), Phase::Starting)]
#[case::ready_without_address(json!({"TargetState": "Started", "Status": "Ready", "InstanceId": "i"}), Phase::Starting)]
#[case::ready(json!({"TargetState": "Started", "Status": "Ready", "InstanceId": "i", "PrivateIp": "10.0.0.1"}), Phase::Ready)]
#[case::started(json!({"TargetState": "Started", "Status": "Started", "InstanceId": "i", "PrivateIp": "10.0.0.1"}), Phase::Ready)]
#[case::started_by_state(json!({"TargetState": "Started", "State": "Started", "InstanceId": "i", "PrivateIp": "10.0.0.1"}), Phase::Ready)]
#[case::state_is_coarser(json!({"TargetState": "Started", "State": "Started", "Status": "Preparing", "InstanceId": "i", "PrivateIp": "10.0.0.1"}), Phase::Starting)]
#[case::a_new_word(json!({"TargetState": "Started", "Status": "WaitingForEviction", "InstanceId": "i", "PrivateIp": "10.0.0.1"}), Phase::Starting)]
#[case::keys_and_words_in_any_case(json!({"targetState": "STARTED", "status": "ready", "instanceId": "i", "privateIp": "10.0.0.1"}), Phase::Ready)]
fn a_record_has_one_phase(#[case] mut record: Value, #[case] expected: Phase) {
    record["Name"] = json!("gpu-1");
    assert_eq!(Node::read(&record).unwrap().phase(), expected);
}

#[test]
fn definitions_are_no_nodes() {
    for record in [
        json!({"Name": "gpu", "IsArray": true}),
        json!({"Name": "base", "Abstract": true}),
        json!({"NodeId": "x"}),
        json!("gpu-1"),
    ] {
        assert_eq!(Node::read(&record), None, "{record}");
    }
}

#[test]
fn a_failure_without_message_names_its_phases() {
    let node = Node::read(&json!({
        "Name": "gpu-1", "TargetState": "Started", "PhaseFailed": true,
        "PhaseMap": { "Cloud.AwaitInstallation": { "Status": "Failed", "Message": "script\u{1b} failed" } }
    }))
    .unwrap();
    assert_eq!(
        node.failure().as_deref(),
        Some("failed in Cloud.AwaitInstallation (script failed)")
    );
}

/// The members that the readers look for.
const NAMES: [&str; 10] = [
    "nodes",
    "nodearrays",
    "buckets",
    "Name",
    "name",
    "Configuration",
    "sets",
    "added",
    "LaunchTime",
    "virtualMachine",
];

proptest! {
    #[test]
    fn no_answer_brings_a_reader_down(answer in any_json(&NAMES)) {
        let status = ClusterStatus::read(&answer);
        let _offers = offers::offers(&status, "lab", None);
        let _volumes = shares::volumes("cc", "lab", &status);
        let _created = Created::read(&answer);
        let _managed = Managed::read(&answer);
        let _usage = ClusterUsage::read(&answer);
        let _history = history::History::read(Some(&answer));
        if let Some(list) = NodeList::read(&answer) {
            for node in &list.nodes {
                let _phase = node.phase();
            }
        }
    }
}
