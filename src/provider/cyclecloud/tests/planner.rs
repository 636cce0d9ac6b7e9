//! Specs to exact bodies (cyclecloud.md §6.1, §8.2, §10; job-model.md §11).

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rstest::rstest;
use serde_json::json;

use super::*;
use crate::http::Safety;
use crate::model::Level;

fn decoded(value: &Value) -> String {
    String::from_utf8(STANDARD.decode(value.as_str().unwrap()).unwrap()).unwrap()
}

fn gpujob(plan: &Plan) -> Value {
    attributes_of(plan)["Configuration"]["gpujob"].clone()
}

#[test]
fn the_create_of_the_contract_is_what_is_sent() {
    let plan = plan_of(
        "image: registry.example/train:3\ncommand: [python, train.py]\nnodes: 2\ntimeout: 2h\nresources: {gpu: A100}",
    )
    .unwrap();
    let mut example = recorded("request-create");
    let id = request_id();
    example["requestId"] = json!(id);
    let set_attributes = &mut example["sets"][0]["nodeAttributes"];
    set_attributes["Tags"] = json!({"gpujob-id": id, "gpujob-spec": "2456"});
    set_attributes["Configuration"]["gpujob"]["job_id"] = json!(id);
    // Byte for byte, order included.
    assert_eq!(
        String::from_utf8(plan.requests[0].body_bytes().to_vec()).unwrap(),
        example.to_string()
    );
    let request = &plan.requests[0];
    assert_eq!(request.full_target(), "/cycle/clusters/lab/nodes/create");
    assert_eq!(request.safety, Safety::Once);
    assert_eq!(request.headers["content-type"], "application/json");
    assert_eq!(plan.scope, "cyclecloud/lab");
    assert_eq!((plan.nodes, plan.time_limit_s), (2, Some(7200)));
    assert_eq!(
        plan.offer.as_ref().unwrap().id,
        "gpu/Standard_NC24ads_A100_v4"
    );
}

#[test]
fn what_is_not_set_is_left_out() {
    let plan = plan_of("command: [nvidia-smi]\nresources: {gpu: A100}").unwrap();
    assert_eq!(
        gpujob(&plan),
        json!({
            "job_id": request_id(), "command_b64": STANDARD.encode("nvidia-smi"),
            "gpus": 1, "result_dir": "/mnt/results", "keep": false,
        })
    );
    assert_eq!(body_of(&plan)["sets"][0]["count"], 1);
    assert_eq!(body_of(&plan)["sets"][0].get("placementGroupId"), None);
}

#[rstest]
#[case::words(
    "command: [python, -c, \"print('hi')\"]",
    r"python -c 'print('\''hi'\'')'"
)]
#[case::a_directory("command: [make]\nworkdir: /my dir", "cd '/my dir' && make")]
#[case::a_script("script: 'a && b'", "a && b")]
#[case::a_script_with_directory("script: 'a'\nworkdir: /w", "cd /w || exit 1\na")]
#[case::a_script_with_arguments("script: 'echo $1'\nargs: [a b, c]", "set -- 'a b' c\necho $1")]
#[case::a_script_with_an_interpreter(
    "script: \"#!/usr/bin/env python3\\nprint(1)\\n\"\nargs: [x]",
    "gpujob_script=$(mktemp) || exit 1\nprintf '%s' '#!/usr/bin/env python3\nprint(1)\n' >\"$gpujob_script\" || exit 1\nexec /usr/bin/env python3 \"$gpujob_script\" x\n"
)]
fn the_program_becomes_shell_text(#[case] program: &str, #[case] command: &str) {
    let plan = plan_of(&format!("{program}\nresources: {{gpu: A100}}")).unwrap();
    assert_eq!(decoded(&gpujob(&plan)["command_b64"]), command);
}

#[test]
fn a_script_runs_in_a_real_shell_as_its_interpreter_would_run_it() {
    let plan = plan_of(
        "script: \"#!/bin/sh -e\\necho \\\"$1\\\" it\\\\'s\\nfalse\\necho not reached\\n\"\nargs: [a  b]\nresources: {gpu: A100}",
    )
    .unwrap();
    let output = std::process::Command::new("/bin/sh")
        .args(["-c", &decoded(&gpujob(&plan)["command_b64"])])
        .output()
        .unwrap();
    assert_eq!(String::from_utf8(output.stdout).unwrap(), "a  b it's\n");
    assert_eq!(output.status.code(), Some(1));
}

#[test]
fn the_environment_is_made_of_lines() {
    let plan =
        plan_of("command: [a]\nenv: {LR: '3e-5', B: 'x = y'}\nresources: {gpu: A100}").unwrap();
    assert_eq!(decoded(&gpujob(&plan)["env_b64"]), "B=x = y\nLR=3e-5\n");
}

#[test]
fn names_labels_and_the_start_timeout_are_tags() {
    let plan = plan_of(
        "name: bert finetune\nlabels: {team: nlp}\nstart_timeout: 20m\ncommand: [a]\nresources: {gpu: A100}",
    )
    .unwrap();
    assert_eq!(
        attributes_of(&plan)["Tags"],
        json!({
            "gpujob-id": request_id(), "gpujob-spec": "2456", "gpujob-name": "bert finetune",
            "gpujob-start-timeout": "1200", "team": "nlp",
        })
    );
}

#[test]
fn nodes_on_infiniband_stand_in_one_placement_group() {
    let plan = plan_of("command: [a]\nnodes: 3\nresources: {gpu: 'H100:8'}").unwrap();
    let set = &body_of(&plan)["sets"][0];
    let group = format!("job{}", request_id().split_once('-').unwrap().0);
    assert_eq!(set["placementGroupId"], json!(group));
    assert_eq!(
        set["definition"],
        json!({"machineType": "Standard_ND96isr_H100_v5"})
    );
    assert_eq!(gpujob(&plan)["gpus"], 8);
    assert!(
        plan.assessment
            .notes
            .iter()
            .any(|note| note.contains(&group))
    );
    let single = plan_of("command: [a]\nresources: {gpu: 'H100:8'}").unwrap();
    assert_eq!(body_of(&single)["sets"][0].get("placementGroupId"), None);
}

#[test]
fn a_definition_is_handed_back_with_what_nobody_knows() {
    let mut raw = status();
    raw["nodearrays"][0]["buckets"][0]["definition"]["future"] = json!({"a": 1});
    let routes = routes();
    let plan = plan_in(
        &account(&routes),
        "command: [a]\nresources: {instance_type: standard_nc24ads_a100_V4}",
        raw,
        Policy::default(),
    )
    .unwrap();
    assert_eq!(
        body_of(&plan)["sets"][0]["definition"],
        json!({"machineType": "Standard_NC24ads_A100_v4", "future": {"a": 1}})
    );
}

#[test]
fn options_of_the_provider_reach_the_nodes() {
    let plan = plan_of(
        "command: [a]\nresources: {gpu: A100}\nspot: true\nprovider_options:\n  cyclecloud:\n    keep: true\n    result_dir: /scratch\n    vm_image: almalinux9\n    node_attributes: {KeepAlive: true, Tags: {cost: x}, Configuration: {mine: {a: 1}}}\n",
    )
    .unwrap();
    let attributes = attributes_of(&plan);
    assert_eq!(attributes["KeepAlive"], true);
    assert_eq!(attributes["Interruptible"], true);
    assert_eq!(attributes["ImageName"], "almalinux9");
    assert_eq!(attributes["Tags"]["cost"], "x");
    assert_eq!(attributes["Tags"]["gpujob-id"], json!(request_id()));
    assert_eq!(attributes["Configuration"]["mine"]["a"], 1);
    assert_eq!(attributes["Configuration"]["gpujob"]["keep"], true);
    assert_eq!(
        attributes["Configuration"]["gpujob"]["result_dir"],
        "/scratch"
    );
    let notes = plan.assessment.notes.join("\n");
    assert!(
        notes.contains("scale-set mismatch"),
        "one node of the array runs: {notes}"
    );
    assert!(notes.contains("are kept"), "{notes}");
}

#[test]
fn nodes_only_sends_tags_and_no_job() {
    let plan = plan_of(
        "nodes: 2\nresources: {gpu: A100}\nprovider_options: {cyclecloud: {mode: nodes-only}}",
    )
    .unwrap();
    assert_eq!(
        attributes_of(&plan),
        json!({"Tags": {"gpujob-id": request_id(), "gpujob-spec": "2456"}})
    );
}

#[test]
fn cloud_init_carries_the_whole_job_and_no_configuration() {
    let plan = plan_of(
        "command: [echo, hello]\nresources: {gpu: A100}\nprovider_options: {cyclecloud: {mode: cloud-init}}",
    )
    .unwrap();
    let attributes = attributes_of(&plan);
    assert_eq!(
        attributes.get("Configuration"),
        None,
        "an installed runner must find nothing"
    );
    let text = attributes["CloudInit"].as_str().unwrap();
    assert!(text.starts_with("#!/bin/sh\n"));
    assert!(text.contains(super::super::RUNNER));
    assert!(text.contains(&STANDARD.encode("echo hello")));
    assert!(
        plan.assessment
            .notes
            .iter()
            .any(|note| note.contains("scale-set mismatch"))
    );
}

#[rstest]
#[case::there_already("{source: results}", json!(null))]
#[case::at_its_own_path("{source: results, path: /mnt/results}", json!(null))]
#[case::by_ref("{source: cyclecloud/lab/gpu/results}", json!(null))]
#[case::read_only("{source: results, readonly: true}", json!({"results": {"options": "ro"}}))]
#[case::elsewhere(
    "{source: results, path: /data, subpath: a/b}",
    json!({"gpujob0": {"type": "nfs", "address": "10.20.0.4", "export_path": "/exports/results/a/b", "mountpoint": "/data"}})
)]
#[case::an_export(
    "{source: 'nfs://10.9.9.9/exp/x', path: /data, readonly: true}",
    json!({"gpujob0": {"type": "nfs", "address": "10.9.9.9", "export_path": "/exp/x", "mountpoint": "/data", "options": "ro"}})
)]
fn mounts_are_entries_of_the_configuration(#[case] mount: &str, #[case] expected: Value) {
    let plan = plan_of(&format!(
        "command: [a]\nresources: {{gpu: A100}}\nmounts: [{mount}]"
    ))
    .unwrap();
    let configuration = &attributes_of(&plan)["Configuration"];
    let sent = configuration
        .get("cyclecloud")
        .map_or(Value::Null, |cyclecloud| cyclecloud["mounts"].clone());
    assert_eq!(sent, expected);
}

#[test]
fn the_only_nodearray_is_taken_where_none_is_chosen() {
    let routes = routes();
    let account = Account {
        nodearray: None,
        ..account(&routes)
    };
    let yaml = "command: [a]\nresources: {gpu: A100}";
    let plan = plan_in(&account, yaml, status(), Policy::default()).unwrap();
    assert_eq!(body_of(&plan)["sets"][0]["nodearray"], "gpu");
    let mut two = status();
    let mut other = two["nodearrays"][0].clone();
    other["name"] = json!("cpu");
    two["nodearrays"].as_array_mut().unwrap().push(other);
    let refused = plan_in(&account, yaml, two.clone(), Policy::default()).unwrap_err();
    assert_eq!(
        refused.assessment.refusals[0].code.as_str(),
        "missing_field"
    );
    let named = "command: [a]\nresources: {instance_type: cpu/Standard_NC24ads_A100_v4}";
    let plan = plan_in(&account, named, two, Policy::default()).unwrap();
    assert_eq!(body_of(&plan)["sets"][0]["nodearray"], "cpu");
}

#[test]
fn fewer_nodes_are_planned_for_only_with_the_switch() {
    let routes = routes();
    let yaml = "command: [a]\nnodes: 9\nresources: {gpu: A100}";
    let refused = plan_of(yaml).unwrap_err();
    assert_eq!(refused.assessment.refusals[0].code.as_str(), "capacity");
    let policy = Policy {
        allow_partial: true,
        ..Policy::default()
    };
    let plan = plan_in(&account(&routes), yaml, status(), policy).unwrap();
    assert_eq!(body_of(&plan)["sets"][0]["count"], 9);
    assert!(plan::allows_partial(&plan));
}

#[test]
fn every_level_is_reported() {
    let plan = plan_of(
        "name: x\ndescription: d\nlabels: {a: b}\nimage: i\ncommand: [a]\nenv: {A: b}\nworkdir: /w\ntimeout: 1h\nestimate: 1h\nstart_timeout: 1h\nnodes: 1\nresources: {gpu: A100, cpu: 1, memory: 1GiB, arch: amd64}\nplacement: {cluster: lab, queue: gpu}\nframework: none\nretries: 0\nexit_code_carrier: true\nmounts: [{source: results}]",
    )
    .unwrap();
    let levels = |level: Level| -> Vec<&str> {
        let mut fields: Vec<&str> = plan
            .assessment
            .report
            .iter()
            .filter(|line| line.level == level)
            .map(|line| line.field.as_str())
            .collect();
        fields.sort_unstable();
        fields
    };
    assert_eq!(
        levels(Level::Emulated),
        ["command", "env", "timeout", "workdir"]
    );
    assert_eq!(
        levels(Level::Local),
        ["description", "estimate", "start_timeout"]
    );
    assert_eq!(
        levels(Level::Native),
        [
            "exit_code_carrier",
            "framework",
            "image",
            "labels",
            "mounts[0]",
            "name",
            "nodes",
            "placement.cluster",
            "placement.queue",
            "resources.arch",
            "resources.cpu",
            "resources.gpu",
            "resources.memory",
            "retries",
        ]
    );
    assert!(levels(Level::Refused).is_empty());
}

#[test]
fn the_same_key_gives_the_same_request_whatever_the_spec() {
    let id = |hash| {
        let marker = Marker::from_key("nightly", "cyclecloud/lab", 1, &[hash; 32]);
        super::super::request_id::of_marker(&marker)
    };
    assert_eq!(id(1), id(2));
}
