//! What CycleCloud cannot do, with codes and kinds (job-model.md §2, §9; cli.md §10).

use rstest::rstest;
use serde_json::json;

use super::*;
use crate::error::Kind;

/// A job that needs nothing else.
const BASE: &str = "command: [a]\nresources: {gpu: A100}\n";

fn refused(yaml: &str, raw: Value) -> Vec<(String, String, Kind)> {
    let routes = routes();
    plan_in(&account(&routes), yaml, raw, Policy::default())
        .unwrap_err()
        .assessment
        .refusals
        .into_iter()
        .map(|refusal| {
            (
                refusal.code.as_str().to_owned(),
                refusal.field,
                refusal.kind,
            )
        })
        .collect()
}

#[rstest]
#[case(
    "placement: {namespace: x}",
    "unsupported_field",
    "placement.namespace"
)]
#[case("placement: {region: x}", "unsupported_field", "placement.region")]
#[case("priority: 3", "unsupported_field", "priority")]
#[case(
    "registry_auth: {username: u, password: {env: P}}",
    "unsupported_field",
    "registry_auth"
)]
#[case("secrets: [TOKEN]", "secret_exposure", "secrets")]
#[case("user: me", "unsupported_field", "user")]
#[case("privileged: true", "unsupported_field", "privileged")]
#[case("host_network: true", "unsupported_field", "host_network")]
#[case("ulimits: {nofile: 9}", "unsupported_field", "ulimits")]
#[case("code: {id: x}", "unsupported_field", "code")]
#[case("framework: pytorch", "unsupported_value", "framework")]
#[case("retries: 2", "unsupported_field", "retries")]
#[case("grace: 30s", "unsupported_field", "grace")]
#[case("ttl_after_finish: 1h", "unsupported_field", "ttl_after_finish")]
#[case("budget: 20 USD", "unsupported_field", "budget")]
#[case("ports: [{port: 80}]", "unsupported_field", "ports")]
#[case("vpc: v", "unsupported_field", "vpc")]
#[case("health_checks: {a: 1}", "unsupported_field", "health_checks")]
#[case("env: {A: \"x\\ny\"}", "unsupported_value", "env.A")]
#[case("labels: {gpujob-id: x}", "unsupported_value", "labels.gpujob-id")]
#[case("spot: {max_discount: 0.5}", "unsupported_value", "spot.max_discount")]
#[case("max_price: 3 USD", "unsupported_value", "max_price")]
#[case(
    "mounts: [{source: 'dataset:d'}]",
    "unsupported_value",
    "mounts[0].source"
)]
#[case(
    "mounts: [{source: 'oss://x/y', path: /d}]",
    "unsupported_value",
    "mounts[0].source"
)]
#[case("mounts: [{source: 'nfs://h/x'}]", "missing_field", "mounts[0].path")]
#[case(
    "mounts: [{source: results, path: /d, subpath: ../x}]",
    "unsupported_value",
    "mounts[0].subpath"
)]
#[case(
    "mounts: [{source: results, path: /d}, {source: 'nfs://h/x', path: /d/}]",
    "conflicting_fields",
    "mounts[1].path"
)]
#[case(
    "mounts: [{source: cyclecloud/lab/cpu/results}]",
    "volume_mismatch",
    "mounts[0].source"
)]
#[case(
    "mounts: [{source: gongji/nas/7, path: /d}]",
    "unsupported_value",
    "mounts[0].source"
)]
#[case(
    "provider_options: {cyclecloud: {moed: runner}}",
    "unsupported_field",
    "provider_options.cyclecloud.moed"
)]
#[case(
    "provider_options: {cyclecloud: {mode: fast}}",
    "unsupported_value",
    "provider_options.cyclecloud.mode"
)]
#[case(
    "provider_options: {cyclecloud: {keep: 7}}",
    "unsupported_value",
    "provider_options.cyclecloud.keep"
)]
#[case(
    "provider_options: {cyclecloud: {result_dir: here}}",
    "unsupported_value",
    "provider_options.cyclecloud.result_dir"
)]
#[case(
    "provider_options: {cyclecloud: {node_attributes: {name: x}}}",
    "unsupported_value",
    "provider_options.cyclecloud.node_attributes"
)]
#[case(
    "provider_options: {cyclecloud: {node_attributes: {Tags: {gpujob-id: x}}}}",
    "unsupported_value",
    "provider_options.cyclecloud.node_attributes"
)]
#[case(
    "provider_options: {cyclecloud: {node_attributes: {Configuration: {gpujob: {}}}}}",
    "unsupported_value",
    "provider_options.cyclecloud.node_attributes"
)]
fn a_field_that_cannot_be_had_is_refused(
    #[case] line: &str,
    #[case] code: &str,
    #[case] field: &str,
) {
    assert_eq!(
        refused(&format!("{BASE}{line}"), status()),
        [(code.to_owned(), field.to_owned(), Kind::Spec)]
    );
    let routes = routes();
    let refusals = plan_in(
        &account(&routes),
        &format!("{BASE}{line}"),
        status(),
        Policy::default(),
    )
    .unwrap_err()
    .assessment
    .refusals;
    assert!(refusals[0].alternative.is_some(), "{line}");
}

#[rstest]
#[case::no_program("resources: {gpu: A100}", "missing_field", "command", Kind::Spec)]
#[case::arguments_alone(
    "args: [a]\nresources: {gpu: A100}",
    "unsupported_field",
    "args",
    Kind::Spec
)]
#[case::no_resources("command: [a]", "missing_field", "resources", Kind::Spec)]
#[case::no_such_card(
    "command: [a]\nresources: {gpu: RTX4090}",
    "no_matching_resource",
    "resources.gpu",
    Kind::Capacity
)]
#[case::too_many_cards(
    "command: [a]\nresources: {gpu: 'A100:2'}",
    "no_matching_resource",
    "resources.gpu",
    Kind::Capacity
)]
#[case::no_such_type(
    "command: [a]\nresources: {instance_type: Standard_X}",
    "no_matching_resource",
    "resources.instance_type",
    Kind::NotFound
)]
#[case::no_such_array(
    "command: [a]\nplacement: {queue: gpus}\nresources: {gpu: A100}",
    "no_matching_resource",
    "placement.queue",
    Kind::NotFound
)]
#[case::two_arrays(
    "command: [a]\nplacement: {queue: gpu}\nresources: {instance_type: cpu/x}",
    "conflicting_fields",
    "placement.queue",
    Kind::Spec
)]
#[case::no_such_mount(
    "command: [a]\nresources: {gpu: A100}\nmounts: [{source: result}]",
    "volume_mismatch",
    "mounts[0].source",
    Kind::NotFound
)]
#[case::no_room(
    "command: [a]\nnodes: 7\nresources: {gpu: A100}",
    "capacity",
    "resources.gpu",
    Kind::Capacity
)]
#[case::group_too_small(
    "command: [a]\nnodes: 4\nresources: {gpu: 'H100:8'}",
    "unsupported_value",
    "nodes",
    Kind::Spec
)]
#[case::spot_in_a_group(
    "command: [a]\nnodes: 2\nspot: true\nresources: {gpu: 'H100:8'}",
    "conflicting_fields",
    "spot",
    Kind::Spec
)]
fn a_job_that_cannot_be_placed_is_refused(
    #[case] yaml: &str,
    #[case] code: &str,
    #[case] field: &str,
    #[case] kind: Kind,
) {
    assert_eq!(
        refused(yaml, status()),
        [(code.to_owned(), field.to_owned(), kind)]
    );
}

#[rstest]
#[case("command: [a]", "command")]
#[case("script: a", "script")]
#[case("image: i", "image")]
#[case("env: {A: b}", "env")]
#[case("workdir: /w", "workdir")]
#[case("timeout: 1h", "timeout")]
#[case("exit_code_carrier: true", "exit_code_carrier")]
fn nodes_that_run_nothing_have_no_use_for_a_program(#[case] line: &str, #[case] field: &str) {
    let yaml = format!(
        "{line}\nresources: {{gpu: A100}}\nprovider_options: {{cyclecloud: {{mode: nodes-only}}}}"
    );
    assert_eq!(
        refused(&yaml, status()),
        [(
            "conflicting_fields".to_owned(),
            field.to_owned(),
            Kind::Spec
        )]
    );
}

#[test]
fn an_invalid_bucket_is_a_lack_of_capacity_with_its_reason() {
    let routes = routes();
    let refusal = plan_in(
        &account(&routes),
        "command: [a]\nresources: {instance_type: Standard_ND96isr_H100_v5}",
        recorded("status"),
        Policy::default(),
    )
    .unwrap_err()
    .assessment
    .refusals
    .remove(0);
    assert_eq!(
        (refusal.code.as_str(), refusal.kind),
        ("capacity", Kind::Capacity)
    );
    assert_eq!(
        refusal.message,
        "`gpu/Standard_ND96isr_H100_v5` takes no new nodes: DisabledMachineType"
    );
}

#[test]
fn a_lack_of_room_is_told_in_figures() {
    let routes = routes();
    let refusal = plan_in(
        &account(&routes),
        "command: [a]\nnodes: 7\nresources: {gpu: A100}",
        status(),
        Policy::default(),
    )
    .unwrap_err()
    .assessment
    .refusals
    .remove(0);
    assert_eq!(
        refusal.message,
        "`gpu/Standard_NC24ads_A100_v4`: 7 wanted, 6 available; quota of 200 cores, of which 48 are used"
    );
}

#[rstest]
#[case(json!("Terminated"), json!("Terminated"), "the cluster `lab` is `Terminated`")]
#[case(json!("Starting"), json!("Started"), "the cluster `lab` is `Starting` on its way to `Started`")]
#[case(Value::Null, Value::Null, "the cluster `lab` was never started")]
fn a_stopped_cluster_is_refused_before_anything_is_sent(
    #[case] state: Value,
    #[case] target: Value,
    #[case] message: &str,
) {
    let mut raw = status();
    raw["state"] = state;
    raw["targetState"] = target;
    let routes = routes();
    let refusal = plan_in(&account(&routes), BASE, raw, Policy::default())
        .unwrap_err()
        .assessment
        .refusals
        .remove(0);
    assert_eq!(refusal.kind, Kind::Rejected);
    assert_eq!(refusal.message, message);
    assert!(
        refusal
            .alternative
            .unwrap()
            .contains("cyclecloud start_cluster lab")
    );
}

#[test]
fn a_type_of_another_array_is_named() {
    let mut raw = status();
    let mut other = raw["nodearrays"][0].clone();
    other["name"] = json!("cpu");
    other["buckets"] = json!([{
        "definition": {"machineType": "Standard_F32s_v2"}, "valid": true, "availableCount": 5,
        "virtualMachine": {"vcpuCount": 32, "memory": 64.0, "gpuCount": 0}
    }]);
    raw["nodearrays"].as_array_mut().unwrap().push(other);
    assert_eq!(
        refused(
            "command: [a]\nresources: {instance_type: Standard_F32s_v2}",
            raw
        ),
        [(
            "unsupported_value".to_owned(),
            "resources.instance_type".to_owned(),
            Kind::Spec
        )]
    );
}

#[test]
fn without_cluster_or_result_directory_a_submit_is_refused_at_once() {
    let routes = routes();
    let account = Account {
        cluster: None,
        result_dir: None,
        ..account(&routes)
    };
    let assessment = plan::assess(&account, &spec(BASE), Policy::default());
    let refusals: Vec<_> = assessment
        .refusals
        .iter()
        .map(|refusal| (refusal.code.as_str(), refusal.field.as_str(), refusal.kind))
        .collect();
    assert_eq!(
        refusals,
        [
            ("missing_field", "placement.cluster", Kind::Config),
            (
                "missing_field",
                "provider_options.cyclecloud.result_dir",
                Kind::Spec
            ),
        ]
    );
}

#[test]
fn all_refusals_come_at_once() {
    assert_eq!(
        refused(
            "secrets: [T]\npriority: 2\nresources: {gpu: RTX4090}\nports: [{port: 1}]",
            status()
        )
        .len(),
        5
    );
}

#[test]
fn only_what_is_not_exact_is_an_emulation_to_refuse() {
    let policy = Policy {
        no_emulation: true,
        ..Policy::default()
    };
    let routes = routes();
    let yaml = format!("{BASE}env: {{A: b}}\ntimeout: 1h\n");
    assert!(plan_in(&account(&routes), &yaml, status(), policy).is_ok());
    let with_directory = format!("{yaml}workdir: /w");
    let refusals = plan_in(&account(&routes), &with_directory, status(), policy)
        .unwrap_err()
        .assessment
        .refusals;
    assert_eq!(refusals[0].code.as_str(), "emulation_disabled");
    assert_eq!(refusals[0].field, "workdir");
}

#[test]
fn a_block_for_another_system_is_a_note() {
    let plan = plan_of(&format!(
        "{BASE}provider_options: {{gongji: {{weight: 1}}}}"
    ))
    .unwrap();
    assert!(
        plan.assessment
            .notes
            .iter()
            .any(|note| note.contains("provider_options.gongji"))
    );
}
