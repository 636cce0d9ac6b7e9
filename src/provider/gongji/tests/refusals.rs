//! What Gongji cannot do, by code, kind and field (job-model.md §9; cli.md §10).

use rstest::rstest;
use serde_json::json;

use super::*;
use crate::error::Kind;
use crate::model::{Refusal, RefusalCode};

const BASE: &str = "image: a/b\nresources: {gpu: 4090}\ntimeout: 90m\n";

fn refusals(yaml: &str) -> Vec<Refusal> {
    plan_of(yaml).unwrap_err().assessment.refusals
}

fn only(yaml: &str) -> Refusal {
    let [refusal] = refusals(yaml)
        .try_into()
        .unwrap_or_else(|several| panic!("{several:?}"));
    refusal
}

#[rstest]
#[case::namespace(
    "placement: {namespace: n}",
    "unsupported_field",
    "placement.namespace"
)]
#[case::cluster("placement: {cluster: c}", "unsupported_field", "placement.cluster")]
#[case::queue("placement: {queue: q}", "unsupported_field", "placement.queue")]
#[case::priority("priority: 5", "unsupported_field", "priority")]
#[case::args("args: [a]", "unsupported_field", "args")]
#[case::user("user: root", "unsupported_field", "user")]
#[case::privileged("privileged: true", "unsupported_field", "privileged")]
#[case::host_network("host_network: true", "unsupported_field", "host_network")]
#[case::ulimits("ulimits: {nofile: '1'}", "unsupported_field", "ulimits")]
#[case::code("code: {id: c-1}", "unsupported_field", "code")]
#[case::grace("grace: 30s", "unsupported_field", "grace")]
#[case::ttl("ttl_after_finish: 1h", "unsupported_field", "ttl_after_finish")]
#[case::budget("budget: 5 CNY", "unsupported_field", "budget")]
#[case::vpc("vpc: v", "unsupported_field", "vpc")]
#[case::health_checks("health_checks: {a: b}", "unsupported_field", "health_checks")]
#[case::named_port("ports: [{name: web}]", "unsupported_field", "ports[0]")]
#[case::nodes("nodes: 2", "unsupported_value", "nodes")]
#[case::framework("framework: pytorch", "unsupported_value", "framework")]
#[case::no_limit("timeout: none", "unsupported_value", "timeout")]
#[case::image_workdir("workdir: /w", "unsupported_value", "workdir")]
#[case::secrets("secrets: [TOKEN]", "secret_exposure", "secrets")]
#[case::array_and_ports("array: 3\nports: [{port: 80}]", "conflicting_fields", "array")]
#[case::two_of_a_port("ports: [{port: 80}, {port: 80}]", "conflicting_fields", "ports[1]")]
#[case::retries_with_index("array: 0-9\nretries: 2", "conflicting_fields", "retries")]
#[case::spot_without_estimate("spot: true", "conflicting_fields", "spot")]
#[case::spot_too_long("spot: true\nestimate: 90m", "conflicting_fields", "estimate")]
#[case::spot_beyond_a_day(
    "spot: true\nestimate: 25h\ntimeout: 30h",
    "unsupported_value",
    "estimate"
)]
#[case::spot_discount(
    "spot: {max_discount: 0.8}\nestimate: 1h",
    "unsupported_field",
    "spot.max_discount"
)]
#[case::readonly(
    "mounts: [{source: 'nas:5012', path: /n, readonly: true}]",
    "unsupported_field",
    "mounts[0].readonly"
)]
#[case::subpath(
    "mounts: [{source: 'nas:5012', path: /n, subpath: s}]",
    "unsupported_field",
    "mounts[0].subpath"
)]
#[case::no_path("mounts: [{source: 'nas:5012'}]", "missing_field", "mounts[0].path")]
#[case::one_place_twice(
    "mounts: [{source: 'nas:5012', path: /n}, {source: 'share:72', path: /n/}]",
    "conflicting_fields",
    "mounts[1].path"
)]
#[case::versions(
    "mounts: [{source: 'object:71:v2', path: /n}]",
    "unsupported_value",
    "mounts[0].source"
)]
#[case::other_kinds(
    "mounts: [{source: 'dataset:71', path: /n}]",
    "unsupported_value",
    "mounts[0].source"
)]
#[case::uris(
    "mounts: [{source: 'oss://bucket/x', path: /n}]",
    "unsupported_value",
    "mounts[0].source"
)]
#[case::no_number(
    "mounts: [{source: 'nas:main', path: /n}]",
    "unsupported_value",
    "mounts[0].source"
)]
#[case::other_provider(
    "mounts: [{source: paracloud/n/c/v, path: /n}]",
    "volume_mismatch",
    "mounts[0].source"
)]
#[case::unknown_option(
    "provider_options: {gongji: {wieght: 1}}",
    "unsupported_field",
    "provider_options.gongji.wieght"
)]
#[case::bad_option(
    "provider_options: {gongji: {weight: heavy}}",
    "unsupported_value",
    "provider_options.gongji.weight"
)]
#[case::bad_class(
    "provider_options: {gongji: {task_qos: Best}}",
    "unsupported_value",
    "provider_options.gongji.task_qos"
)]
#[case::half_of_the_probes(
    "provider_options: {gongji: {health_checks: {}}}",
    "unsupported_value",
    "provider_options.gongji.health_checks"
)]
#[case::index_option_without_index(
    "provider_options: {gongji: {max_failed_index: 1}}",
    "conflicting_fields",
    "provider_options.gongji.max_failed_index"
)]
fn what_the_spec_alone_shows_is_refused(
    #[case] lines: &str,
    #[case] code: &str,
    #[case] field: &str,
) {
    let base = if lines.contains("timeout") {
        BASE.replace("timeout: 90m\n", "")
    } else {
        BASE.to_owned()
    };
    let yaml = format!("{base}{lines}\n");
    let api = api();
    let account = Account {
        name: "gongji",
        api: &api,
        region: None,
    };
    let assessment = plan::assess(account, &spec(&yaml), &Policy::default());
    let refusal = assessment
        .refusals
        .iter()
        .find(|refusal| refusal.field == field)
        .unwrap_or_else(|| panic!("{:?}", assessment.refusals));
    assert_eq!((refusal.code.as_str(), refusal.kind), (code, Kind::Spec));
    assert!(refusal.alternative.is_some());
}

#[test]
fn all_refusals_come_at_once() {
    let refusals = refusals(
        "{command: [x], priority: 3, nodes: 4, spot: true, ports: [{name: web}], mounts: [{source: 'nas:9', path: /n}], resources: {gpu: A100}}",
    );
    let fields: Vec<&str> = refusals
        .iter()
        .map(|refusal| refusal.field.as_str())
        .collect();
    assert_eq!(
        fields,
        [
            "image",
            "ports[0]",
            "nodes",
            "spot",
            "priority",
            "mounts[0].source",
            "resources.gpu"
        ]
    );
}

#[test]
fn a_job_that_says_nothing_of_its_size_is_refused_once() {
    let refusal = only("image: a/b");
    assert_eq!(
        (refusal.code, refusal.kind, refusal.field.as_str()),
        (RefusalCode::MissingField, Kind::Spec, "resources")
    );
}

#[test]
fn a_shared_memory_and_a_mount_cannot_share_a_place() {
    let refusal = only(
        "{image: a/b, resources: {gpu: 4090, shm: 1GiB}, mounts: [{source: 'nas:5012', path: /dev/shm}]}",
    );
    assert_eq!(
        (refusal.code, refusal.field.as_str()),
        (RefusalCode::ConflictingFields, "mounts[0].path")
    );
}

#[test]
fn a_workdir_is_refused_where_emulations_are_off() {
    let policy = Policy {
        no_emulation: true,
        ..Policy::default()
    };
    let yaml = format!("{BASE}command: [x]\nworkdir: /w\n");
    let refused = plan_with(&yaml, &survey(), policy).unwrap_err();
    assert_eq!(
        refused.assessment.refusals[0].code,
        RefusalCode::EmulationDisabled
    );
    // What is exact is no emulation.
    assert!(plan_with(&format!("{BASE}script: x\n"), &survey(), policy).is_ok());
}

#[test]
fn a_login_to_another_registry_than_the_images_is_refused() {
    let yaml = |registry: &str| {
        format!(
            "image: reg.example:5000/a/b\nresources: {{gpu: 4090}}\nregistry_auth: {{username: u, password: {{env: P}}, registry: {registry}}}\n"
        )
    };
    assert!(plan_of(&yaml("'reg.example:5000'")).is_ok());
    assert_eq!(only(&yaml("other.example")).field, "registry_auth.registry");
}

#[test]
fn what_is_sold_out_is_capacity() {
    let refusal = only("{image: a/b, resources: {gpu: 'H20:8'}}");
    assert_eq!(
        (refusal.code, refusal.kind),
        (RefusalCode::Capacity, Kind::Capacity)
    );
    let named = only("{image: a/b, resources: {instance_type: 'H20 x 8@demo-r2'}}");
    assert_eq!(named.kind, Kind::Capacity);
}

#[test]
fn a_device_that_is_sold_out_everywhere_is_said_so() {
    let mut rows = data("resources")["results"].clone();
    let mut other = rows[1]["regions"][0].clone();
    other["region"] = json!("demo-r3");
    rows[1]["regions"].as_array_mut().unwrap().push(other);
    let survey = Survey {
        offers: offers::catalogue(&json!({"results": rows}), Timestamp::UNIX_EPOCH),
        ..Survey::default()
    };
    let refused = plan_with(
        "{image: a/b, resources: {instance_type: 'H20 x 8'}}",
        &survey,
        Policy::default(),
    )
    .unwrap_err();
    let [refusal] = refused.assessment.refusals.try_into().unwrap();
    assert_eq!(refusal.kind, Kind::Capacity);
    assert_eq!(
        refusal.message,
        "`H20 x 8@demo-r2`, `H20 x 8@demo-r3` match, but are sold out now"
    );
}

#[test]
fn what_nobody_offers_is_capacity_and_an_unknown_name_not_found() {
    assert_eq!(
        only("{image: a/b, resources: {gpu: A100}}").kind,
        Kind::Capacity
    );
    assert_eq!(
        only("{image: a/b, resources: {instance_type: A100}}").kind,
        Kind::NotFound
    );
}

#[test]
fn another_region_is_named_where_it_would_do() {
    let refused = |region: &str, resources: &str| {
        only(&format!(
            "{{image: a/b, resources: {resources}, placement: {{region: {region}}}}}"
        ))
    };
    let unknown = refused("nowhere", "{gpu: 4090}");
    assert_eq!(
        (unknown.kind, unknown.field.as_str()),
        (Kind::NotFound, "placement.region")
    );
    assert!(
        unknown
            .alternative
            .unwrap()
            .contains("`demo-r1`, `demo-r2`")
    );
    let elsewhere = refused("demo-r2", "{gpu: 4090}");
    assert_eq!(elsewhere.kind, Kind::Capacity);
    assert!(elsewhere.alternative.unwrap().contains("`4090@demo-r1`"));
    let named = refused("demo-r2", "{instance_type: '4090@demo-r1'}");
    assert_eq!(
        (named.code, named.kind),
        (RefusalCode::UnsupportedValue, Kind::Spec)
    );
    let configured = plan_in(Some("nowhere"), BASE, &survey(), Policy::default()).unwrap_err();
    assert!(
        configured.assessment.refusals[0]
            .message
            .contains("which the configuration names")
    );
}

#[test]
fn scratch_that_no_offer_has_is_said() {
    let refusal = only("{image: a/b, resources: {gpu: 4090, disk: 81GiB}}");
    assert_eq!(
        (refusal.field.as_str(), refusal.kind),
        ("resources.disk", Kind::Capacity)
    );
    assert_eq!(
        refusal.message,
        "`4090@demo-r1` matches, but has 80GiB of scratch"
    );
}

#[test]
fn volumes_must_exist_be_active_and_be_near() {
    let mount = |source: &str| format!("{BASE}mounts: [{{source: '{source}', path: /n}}]\n");
    let missing = only(&mount("nas:71"));
    assert_eq!(
        (missing.code, missing.kind),
        (RefusalCode::VolumeMismatch, Kind::NotFound)
    );
    assert_eq!(only(&mount("9999")).kind, Kind::NotFound);
    let changed = |kind: StorageKind, member: &str, value: Value| {
        let mut survey = survey();
        for volume in &mut survey.volumes {
            if volume.kind == kind.as_str() {
                let mut raw = volume.raw.clone();
                raw[member] = value.clone();
                *volume = storage::volume(&raw, kind, "gongji").unwrap();
            }
        }
        survey
    };
    let idle = changed(StorageKind::Object, "status", json!("Unactivated"));
    let refused = plan_with(&mount("object:71"), &idle, Policy::default()).unwrap_err();
    let refusal = &refused.assessment.refusals[0];
    assert_eq!(
        (refusal.code, refusal.kind),
        (RefusalCode::VolumeMismatch, Kind::Spec)
    );
    assert_eq!(
        refusal.message,
        "object `71` cannot be mounted: it is `Unactivated`"
    );
    let far = changed(
        StorageKind::Nas,
        "region",
        json!({"tag": "demo-r2", "name": "演示二区"}),
    );
    let refused = plan_with(&mount("nas:5012"), &far, Policy::default()).unwrap_err();
    let refusal = &refused.assessment.refusals[0];
    assert_eq!(
        (refusal.code, refusal.kind, refusal.field.as_str()),
        (RefusalCode::VolumeMismatch, Kind::Spec, "mounts[0].source")
    );
    let ambiguous = changed(StorageKind::Share, "storage_id", json!(71));
    let refused = plan_with(&mount("71"), &ambiguous, Policy::default()).unwrap_err();
    assert!(
        refused.assessment.refusals[0]
            .message
            .contains("`object:71`, `share:71`")
    );
}

#[test]
fn money_that_cannot_be_compared_is_no_yes() {
    let refusal = only(&format!("{BASE}max_price: 5 USD\n"));
    assert_eq!(
        (refusal.code, refusal.field.as_str()),
        (RefusalCode::UnsupportedValue, "max_price")
    );
    let dear = only(&format!("{BASE}max_cost: 1 CNY\n"));
    assert_eq!(
        (dear.field.as_str(), dear.kind),
        ("max_cost", Kind::Capacity)
    );
    assert!(dear.message.contains("2.5164 CNY"), "{}", dear.message);
}

#[test]
fn a_secret_that_is_not_set_is_missing() {
    let policy = Policy {
        allow_secret_exposure: true,
        ..Policy::default()
    };
    let yaml = format!("{BASE}secrets: [TOKEN, OTHER]\n");
    let refused = plan_with(&yaml, &survey(), policy).unwrap_err();
    let [refusal] = refused.assessment.refusals.try_into().unwrap();
    assert_eq!(
        (refusal.code, refusal.field.as_str()),
        (RefusalCode::MissingField, "secrets")
    );
    assert!(refusal.message.contains("`OTHER`"));
}

#[test]
fn a_block_for_another_system_is_ignored_with_a_note() {
    let plan = plan_of(&format!("{BASE}provider_options: {{pai-dlc: {{x: 1}}}}\n")).unwrap();
    assert!(
        plan.assessment
            .notes
            .iter()
            .any(|note| note.contains("`provider_options.pai-dlc` is for another system"))
    );
}
