//! What PAI-DLC cannot do, with codes and kinds (job-model.md §9; cli.md §10).

use rstest::rstest;
use serde_json::json;

use super::{account, catalogue, plan_with, recorded, site, spec, survey};
use crate::error::Kind;
use crate::model::{Refusal, RefusalCode};
use crate::provider::pai_dlc::draft::Account;
use crate::provider::pai_dlc::{datasets, plan};
use crate::provider::{Assessment, Policy, Survey};

const SMALL: &str = "
image: i
command: [a]
resources: { gpu: { model: A10, count: 1 } }
";

fn assess(yaml: &str) -> Assessment {
    let site = site();
    plan::assess(account(&site), &spec(yaml), Policy::default())
}

fn only(refusals: &[Refusal]) -> &Refusal {
    assert_eq!(refusals.len(), 1, "{refusals:#?}");
    &refusals[0]
}

#[rstest]
#[case("user: bob", "user", RefusalCode::UnsupportedField)]
#[case("privileged: true", "privileged", RefusalCode::UnsupportedField)]
#[case("host_network: true", "host_network", RefusalCode::UnsupportedField)]
#[case("ulimits: { nofile: '1' }", "ulimits", RefusalCode::UnsupportedField)]
#[case("retries: 2", "retries", RefusalCode::UnsupportedField)]
#[case(
    "ttl_after_finish: 1h",
    "ttl_after_finish",
    RefusalCode::UnsupportedField
)]
#[case("budget: 5 CNY", "budget", RefusalCode::UnsupportedField)]
#[case("ports: [ { port: 80 } ]", "ports", RefusalCode::UnsupportedField)]
#[case(
    "health_checks: { a: 1 }",
    "health_checks",
    RefusalCode::UnsupportedField
)]
#[case(
    "placement: { cluster: c }",
    "placement.cluster",
    RefusalCode::UnsupportedField
)]
#[case("priority: 3", "priority", RefusalCode::ConflictingFields)]
#[case("nodes: 2", "nodes", RefusalCode::ConflictingFields)]
#[case("nodes: 2\nframework: none", "nodes", RefusalCode::ConflictingFields)]
#[case("secrets: [TOKEN]", "secrets", RefusalCode::SecretExposure)]
#[case(
    "code: { id: 'https://g.example/r.git' }",
    "code.id",
    RefusalCode::UnsupportedValue
)]
#[case(
    "code: { id: 'git@g.example:r.git' }",
    "code.id",
    RefusalCode::UnsupportedValue
)]
#[case(
    "labels: { gpujob-run: x }",
    "labels.gpujob-run",
    RefusalCode::UnsupportedValue
)]
#[case(
    "labels: { gpujob-name: x }",
    "labels.gpujob-name",
    RefusalCode::UnsupportedValue
)]
#[case(
    "mounts: [ { source: d-1, path: /a, subpath: x } ]",
    "mounts[0].subpath",
    RefusalCode::UnsupportedField
)]
#[case(
    "mounts: [ { source: 'oss://b/x/' } ]",
    "mounts[0].path",
    RefusalCode::MissingField
)]
#[case(
    "mounts: [ { source: 'nfs://h/x', path: /a } ]",
    "mounts[0].source",
    RefusalCode::UnsupportedValue
)]
#[case(
    "mounts: [ { source: 'volume:x7', path: /a } ]",
    "mounts[0].source",
    RefusalCode::UnsupportedValue
)]
#[case(
    "mounts: [ { source: paracloud/n/c/v, path: /a } ]",
    "mounts[0].source",
    RefusalCode::VolumeMismatch
)]
#[case(
    "mounts: [ { source: pai-dlc/cn-beijing/d-1, path: /a } ]",
    "mounts[0].source",
    RefusalCode::VolumeMismatch
)]
#[case(
    "mounts: [ { source: 'nas://fs1.cn-beijing/x/', path: /a } ]",
    "mounts[0].source",
    RefusalCode::VolumeMismatch
)]
#[case(
    "mounts: [ { source: 'oss://b.oss-cn-beijing-internal.aliyuncs.com/x/', path: /a } ]",
    "mounts[0].source",
    RefusalCode::VolumeMismatch
)]
#[case(
    "mounts: [ { source: d-1, path: /a }, { source: d-2, path: /a/ } ]",
    "mounts[1].path",
    RefusalCode::ConflictingFields
)]
fn a_field_beside_a_good_job_is_refused(
    #[case] field: &str,
    #[case] named: &str,
    #[case] code: RefusalCode,
) {
    let assessment = assess(&format!("{SMALL}{field}\n"));
    let refusal = only(&assessment.refusals);
    assert_eq!((refusal.field.as_str(), refusal.code), (named, code));
    assert_eq!(refusal.kind, Kind::Spec);
    assert!(refusal.alternative.is_some());
}

#[rstest]
#[case("{ unknown: 1 }", "unknown", RefusalCode::UnsupportedField)]
#[case("{ setings: {} }", "setings", RefusalCode::UnsupportedField)]
#[case(
    "{ settings: { EnableRdma: true } }",
    "settings.EnableRdma",
    RefusalCode::UnsupportedValue
)]
#[case(
    "{ settings: { EnableRDMA: 'yes' } }",
    "settings.EnableRDMA",
    RefusalCode::UnsupportedValue
)]
#[case(
    "{ user_vpc: { vpc_id: v } }",
    "user_vpc.vpc_id",
    RefusalCode::UnsupportedValue
)]
#[case(
    "{ user_vpc: { VpcId: v, SwitchId: s } }",
    "user_vpc.ExtendedCIDRs",
    RefusalCode::MissingField
)]
#[case(
    "{ options: { 'a,b': c } }",
    "options.a,b",
    RefusalCode::UnsupportedValue
)]
#[case("{ options: [a] }", "options", RefusalCode::UnsupportedValue)]
#[case("{ options: { a: [1] } }", "options.a", RefusalCode::UnsupportedValue)]
#[case("{ code_source: '' }", "code_source", RefusalCode::UnsupportedValue)]
#[case(
    "{ thirdparty_libs: numpy }",
    "thirdparty_libs",
    RefusalCode::UnsupportedValue
)]
#[case(
    "{ restart_policy: always }",
    "restart_policy",
    RefusalCode::UnsupportedValue
)]
#[case("{ job_type: pytorch }", "job_type", RefusalCode::UnsupportedValue)]
#[case(
    "{ accessibility: ALL }",
    "accessibility",
    RefusalCode::UnsupportedValue
)]
fn the_block_is_a_closed_list(#[case] block: &str, #[case] named: &str, #[case] code: RefusalCode) {
    let assessment = assess(&format!(
        "{SMALL}provider_options: {{ pai-dlc: {block} }}\n"
    ));
    let refusal = only(&assessment.refusals);
    assert_eq!(refusal.field, format!("provider_options.pai-dlc.{named}"));
    assert_eq!((refusal.code, refusal.kind), (code, Kind::Spec));
}

#[rstest]
#[case(
    "framework: ray",
    "job_type: MPIJob",
    "provider_options.pai-dlc.job_type"
)]
#[case("code: { id: c1 }", "code_source: c2", "code")]
#[case("vpc: v1", "user_vpc: { VpcId: v2 }", "vpc")]
#[case(
    "grace: 10s",
    "settings: { TerminationGracePeriodSeconds: 20 }",
    "grace"
)]
#[case("labels: { a: b }", "settings: { Tags: { a: c } }", "labels.a")]
fn the_block_and_a_generic_field_may_not_disagree(
    #[case] field: &str,
    #[case] block: &str,
    #[case] named: &str,
) {
    let assessment = assess(&format!(
        "{SMALL}{field}\nprovider_options: {{ pai-dlc: {{ {block} }} }}\n"
    ));
    let refusal = only(&assessment.refusals);
    assert_eq!(
        (refusal.field.as_str(), refusal.code),
        (named, RefusalCode::ConflictingFields)
    );
}

#[rstest]
#[case(
    "command: [a]\nresources: { cpu: 1 }",
    "image",
    RefusalCode::MissingField
)]
#[case(
    "image: i\nresources: { cpu: 1 }",
    "command",
    RefusalCode::MissingField
)]
#[case(
    "image: i\nargs: [a]\nresources: { cpu: 1 }",
    "args",
    RefusalCode::UnsupportedField
)]
#[case("image: i\ncommand: [a]", "resources", RefusalCode::MissingField)]
#[case(
    "image: i\ncommand: [a]\nplacement: { queue: q }",
    "resources",
    RefusalCode::MissingField
)]
#[case(
    "image: i\ncommand: [a]\nresources: { cpu: 1, arch: arm64 }",
    "resources.arch",
    RefusalCode::UnsupportedValue
)]
#[case(
    "image: i\ncommand: [a]\nresources: { cpu: 1, shm: 1GiB }",
    "resources.shm",
    RefusalCode::ConflictingFields
)]
#[case(
    "image: i\ncommand: [a]\nresources: { instance_type: t }\nplacement: { queue: q }",
    "resources.instance_type",
    RefusalCode::ConflictingFields
)]
#[case(
    "image: i\ncommand: [a]\nresources: { gpu: { model: A100, count: 1, memory: 80GiB } }\nplacement: { queue: q }",
    "resources.gpu.memory",
    RefusalCode::UnsupportedField
)]
fn what_a_job_must_have_and_may_not_mix(
    #[case] yaml: &str,
    #[case] named: &str,
    #[case] code: RefusalCode,
) {
    let assessment = assess(yaml);
    let refusal = only(&assessment.refusals);
    assert_eq!((refusal.field.as_str(), refusal.code), (named, code));
    assert_eq!(refusal.kind, Kind::Spec);
}

#[test]
fn all_refusals_come_at_once() {
    let assessment = assess("args: [a]\npriority: 2\nretries: 1\nports: [ { port: 1 } ]\n");
    let fields: Vec<&str> = assessment
        .refusals
        .iter()
        .map(|refusal| refusal.field.as_str())
        .collect();
    for field in ["args", "priority", "retries", "ports", "image", "resources"] {
        assert!(fields.contains(&field), "{field} in {fields:?}");
    }
}

#[test]
fn a_missing_workspace_is_a_fault_of_the_configuration() {
    let site = site();
    let account = Account {
        workspace: None,
        ..account(&site)
    };
    let assessment = plan::assess(account, &spec(SMALL), Policy::default());
    let refusal = only(&assessment.refusals);
    assert_eq!(
        (refusal.code, refusal.kind),
        (RefusalCode::MissingField, Kind::Config)
    );
    let named = format!("{SMALL}placement: {{ workspace: '5' }}\n");
    let assessment = plan::assess(account, &spec(&named), Policy::default());
    assert_eq!(assessment.refusals, []);
}

#[test]
fn emulations_can_be_switched_off() {
    let site = site();
    let policy = Policy {
        no_emulation: true,
        ..Policy::default()
    };
    let with_directory = format!("{SMALL}workdir: /w\nname: n\n");
    let assessment = plan::assess(account(&site), &spec(&with_directory), policy);
    let refusal = only(&assessment.refusals);
    assert_eq!(
        (refusal.field.as_str(), refusal.code),
        ("workdir", RefusalCode::EmulationDisabled)
    );
    let scripted = "image: i\nscript: |\n  #!/bin/sh\n  a\nresources: { cpu: 1 }\n";
    let assessment = plan::assess(account(&site), &spec(scripted), policy);
    assert_eq!(assessment.refusals, []);
}

#[test]
fn a_body_above_the_limit_is_refused_before_anything_is_sent() {
    let long = "x".repeat(66_000);
    let assessment = assess(&format!(
        "image: i\nscript: '{long}'\nresources: {{ cpu: 1 }}\n"
    ));
    let refusal = only(&assessment.refusals);
    assert_eq!(
        (refusal.field.as_str(), refusal.code),
        ("script", RefusalCode::UnsupportedValue)
    );
    assert!(refusal.message.contains("65536"), "{}", refusal.message);
}

#[test]
fn the_marker_counts_towards_the_limit() {
    let spare = 65_536;
    let bare = "image: i\nscript: 'LONG'\nresources: { gpu: { model: A10, count: 1 } }\n";
    let first = plan_with(&bare.replace("LONG", "x"), &survey(), Policy::default()).unwrap();
    let room = spare - first.requests[0].body_bytes().len() + 1;
    let fits = bare.replace("LONG", &"x".repeat(room));
    let plan = plan_with(&fits, &survey(), Policy::default()).unwrap();
    assert_eq!(plan.requests[0].body_bytes().len(), spare);
    let above = bare.replace("LONG", &"x".repeat(room + 1));
    let refused = plan_with(&above, &survey(), Policy::default()).unwrap_err();
    assert_eq!(only(&refused.assessment.refusals).field, "script");
}

fn planned_refusal(yaml: &str, survey: &Survey) -> Refusal {
    let refused = plan_with(yaml, survey, Policy::default()).unwrap_err();
    only(&refused.assessment.refusals).clone()
}

#[rstest]
#[case::no_such_model(
    "gpu: { model: H100, count: 1 }",
    RefusalCode::NoMatchingResource,
    Kind::Capacity
)]
#[case::sold_out(
    "gpu: { model: A100, count: 1 }",
    RefusalCode::Capacity,
    Kind::Capacity
)]
#[case::named_and_sold_out(
    "instance_type: ecs.gn7e-c16g1.4xlarge",
    RefusalCode::Capacity,
    Kind::Capacity
)]
#[case::unknown_type(
    "instance_type: ecs.nope",
    RefusalCode::NoMatchingResource,
    Kind::NotFound
)]
#[case::too_many_cards(
    "gpu: { model: A10, count: 2 }",
    RefusalCode::NoMatchingResource,
    Kind::Capacity
)]
fn the_catalogue_may_say_no(
    #[case] resources: &str,
    #[case] code: RefusalCode,
    #[case] kind: Kind,
) {
    let yaml = format!("image: i\ncommand: [a]\nresources: {{ {resources} }}\n");
    let refusal = planned_refusal(&yaml, &survey());
    assert_eq!((refusal.code, refusal.kind), (code, kind));
}

#[test]
fn spot_needs_a_type_that_is_offered_on_spot() {
    let yaml = "image: i\ncommand: [a]\nspot: true\nresources: { gpu: { model: A10, count: 1 } }\n";
    let mut offers = catalogue();
    for offer in &mut offers {
        offer.spot = None;
    }
    let none = Survey {
        offers,
        ..Survey::default()
    };
    let refusal = planned_refusal(yaml, &none);
    assert_eq!(
        (refusal.field.as_str(), refusal.code),
        ("spot", RefusalCode::NoMatchingResource)
    );
    let mut offers = catalogue();
    for spot in offers.iter_mut().filter_map(|offer| offer.spot.as_mut()) {
        spot.available = Some(false);
    }
    let gone = Survey {
        offers,
        ..Survey::default()
    };
    assert_eq!(planned_refusal(yaml, &gone).code, RefusalCode::Capacity);
}

#[test]
fn a_dataset_must_exist_and_belong_to_the_workspace() {
    let yaml = format!("{SMALL}mounts: [ {{ source: d-4k7m2x9q1w8e3r6t5y, path: /a }} ]\n");
    let refusal = planned_refusal(&yaml, &survey());
    assert_eq!(
        (refusal.code, refusal.kind),
        (RefusalCode::VolumeMismatch, Kind::NotFound)
    );
    let mut value = recorded("datasets")["Datasets"][0].clone();
    value["WorkspaceId"] = json!("99");
    let with = |value: &serde_json::Value| Survey {
        volumes: vec![datasets::volume(value, "pai-dlc", "cn-hangzhou").unwrap()],
        ..survey()
    };
    let refusal = planned_refusal(&yaml, &with(&value));
    assert_eq!(
        (refusal.code, refusal.kind),
        (RefusalCode::VolumeMismatch, Kind::Spec)
    );
    value["SourceType"] = json!("PAI_PUBLIC_DATASET");
    assert!(plan_with(&yaml, &with(&value), Policy::default()).is_ok());
}

#[test]
fn money_limits_without_a_price_are_no_yes() {
    for limit in ["max_price: 20 CNY", "max_cost: 20 CNY"] {
        let refusal = planned_refusal(&format!("{SMALL}{limit}\n"), &survey());
        assert_eq!(refusal.code, RefusalCode::UnsupportedValue, "{limit}");
    }
}
