//! Specs to exact request bodies (gongji.md §2.3, §9.1; job-model.md §11).

use serde_json::json;

use super::*;
use crate::http::Safety;
use crate::model::Level;

/// The shortest spec that can be planned.
const SMALL: &str = "image: a/b\nresources: {gpu: 4090}\ntimeout: 90m\n";

fn body(yaml: &str) -> Value {
    body_of(&plan_of(yaml).unwrap())
}

fn with(lines: &str) -> Value {
    body(&format!("{SMALL}{lines}"))
}

#[test]
fn the_contracts_example_comes_out_byte_for_byte() {
    let plan = plan_of(
        r#"
name: gj-20260510
image: registry.example/team/train:2.3
command: ["bash", "-lc", "python train.py --epochs 3"]
env: {SEED: "7"}
resources: {gpu: {model: RTX4090, count: 1}, shm: 8GiB}
timeout: 90m
mounts: [{source: "nas:5012", path: /mnt/data}]
"#,
    )
    .unwrap();
    let mut expected = recorded("request-create");
    expected["task_name"] = json!(format!("gj-20260510-{MARKER}"));
    // The contract splits the words otherwise; the argv is the same.
    expected["services"][0]["start_script"] =
        json!({"command": ["bash"], "args": ["-lc", "python train.py --epochs 3"]});
    assert_eq!(body_of(&plan), expected);
    let request = &plan.requests[0];
    assert_eq!(request.operation, "createJob");
    assert_eq!(request.method, http::Method::POST);
    assert_eq!(request.full_target(), "/api/task/job/create");
    assert_eq!(request.safety, Safety::Once);
    assert_eq!(request.headers["content-type"], "application/json");
    assert_eq!(plan.scope, "gongji");
    assert_eq!((plan.time_limit_s, plan.nodes), (Some(5400), 1));
    assert_eq!(plan.offer.unwrap().id, "4090@demo-r1");
    assert!(
        plan.assessment
            .notes
            .contains(&"runs on `4090@demo-r1` at 1.6776 CNY per hour".to_owned())
    );
}

#[test]
fn the_job_models_example_comes_out_as_it_says() {
    let body = body(
        r#"
name: bert finetune
image: registry.example/team/bert:1.4
command: ["python", "/data/train.py", "--epochs", "3"]
env: { LR: "3e-5" }
resources: { gpu: { model: RTX4090, count: 1 }, cpu: 6, memory: 30GiB }
timeout: 90m
mounts: [ { source: "gongji/share/72", path: /data } ]
"#,
    );
    assert_eq!(body["task_name"], format!("bert finetune-{MARKER}"));
    assert_eq!(body["points"], 1);
    assert_eq!(
        body["job_support"],
        json!({
            "timeout_sec": 5400, "parallelism": 1,
            "mod_param": {"default": {"backoff_limit": 0, "restart_policy": "Never"}},
        })
    );
    let service = &body["services"][0];
    assert_eq!(
        service["start_script"],
        json!({"command": ["python"], "args": ["/data/train.py", "--epochs", "3"]})
    );
    assert_eq!(service["env"], json!([{"name": "LR", "value": "3e-5"}]));
    assert_eq!(
        service["share_storage_config"],
        json!([{"storage_id": 72, "target_dir": "/data"}])
    );
    assert!(body.get("sub_type").is_none());
}

#[test]
fn nothing_is_sent_that_nobody_asked_for() {
    let body = body(SMALL);
    let service = body["services"][0].as_object().unwrap();
    let members: Vec<&String> = service.keys().collect();
    assert_eq!(
        members,
        ["service_name", "service_image", "resource_weight"]
    );
    let members: Vec<&String> = body.as_object().unwrap().keys().collect();
    assert_eq!(
        members,
        [
            "task_name",
            "resources",
            "points",
            "job_support",
            "services"
        ]
    );
    assert_eq!(body["task_name"], format!("gpujob-{MARKER}"));
}

#[test]
fn a_missing_limit_is_a_day_and_said() {
    let plan = plan_of("{image: a/b, resources: {gpu: 4090}}").unwrap();
    assert_eq!(body_of(&plan)["job_support"]["timeout_sec"], 86400);
    assert_eq!(plan.time_limit_s, Some(86400));
    assert!(
        plan.assessment
            .notes
            .iter()
            .any(|note| note.contains("24 h"))
    );
}

#[test]
fn spot_announces_its_run_time() {
    let body = with("spot: true\nestimate: 1h\n");
    assert_eq!(body["sub_type"], "Spot");
    assert_eq!(body["job_support"]["estimated_exec_sec"], 3600);
    assert_eq!(body["job_support"]["timeout_sec"], 5400);
    // Without spot the service would ignore it.
    let plan = plan_of(&format!("{SMALL}estimate: 1h\n")).unwrap();
    assert!(
        body_of(&plan)["job_support"]
            .get("estimated_exec_sec")
            .is_none()
    );
    let estimate = |report: &crate::model::FieldReport| report.field == "estimate";
    let report = plan
        .assessment
        .report
        .iter()
        .find(|report| estimate(report));
    assert_eq!(report.unwrap().level, Level::Local);
}

#[test]
fn an_array_is_points_and_parallelism() {
    let plan = plan_of(&format!(
        "{SMALL}array: {{count: 100, parallel: 4}}\nretries: 3\n"
    ))
    .unwrap();
    let body = body_of(&plan);
    assert_eq!(
        (&body["points"], &body["job_support"]["parallelism"]),
        (&json!(100), &json!(4))
    );
    assert_eq!(
        body["job_support"]["mod_param"],
        json!({"default": {"backoff_limit": 3, "restart_policy": "OnFailure"}})
    );
    assert_eq!(plan.nodes, 100);
    // Without an index it does not matter where the range begins.
    let by_default = with("array: {count: 3}\n");
    assert_eq!(by_default["job_support"]["parallelism"], 3);
}

#[test]
fn an_array_with_indices_is_in_index_mode() {
    let body = with("array: \"0-9%2\"\n");
    assert_eq!(
        (&body["points"], &body["job_support"]["parallelism"]),
        (&json!(10), &json!(2))
    );
    assert_eq!(
        body["job_support"]["mod_param"],
        json!({"index": {"index_backoff_limit": 0}})
    );
    let body = with(
        "array: {count: 10, index: true}\nprovider_options: {gongji: {index_backoff_limit: 2, max_failed_index: 5}}\n",
    );
    assert_eq!(
        body["job_support"]["mod_param"],
        json!({"index": {"index_backoff_limit": 2, "max_failed_index": 5}})
    );
}

#[test]
fn every_kind_of_storage_has_its_field() {
    let body = with(
        "mounts:\n- {source: 'object:71', path: /o}\n- {source: 'share:72', path: /s}\n- {source: gongji/nas/5012, path: /n}\n",
    );
    let service = &body["services"][0];
    assert_eq!(
        service["storage_config"],
        json!([{"storage_id": 71, "target_dir": "/o"}])
    );
    assert_eq!(
        service["share_storage_config"],
        json!([{"storage_id": 72, "target_dir": "/s"}])
    );
    assert_eq!(
        service["nas_storage_config"],
        json!([{"storage_id": 5012, "target_dir": "/n"}])
    );
    // A bare id means the one kind that has it.
    let bare = with("mounts: [{source: '5012', path: /n}]\n");
    assert_eq!(
        bare["services"][0]["nas_storage_config"][0]["storage_id"],
        5012
    );
}

#[test]
fn ports_become_public_urls() {
    let body = with("ports: [{port: 8080}, {port: 6006}]\n");
    assert_eq!(
        body["services"][0]["remote_ports"],
        json!([{"service_port": 8080}, {"service_port": 6006}])
    );
}

#[test]
fn the_providers_block_is_sent_in_its_own_names() {
    let body = with(
        r"
provider_options:
  gongji:
    task_qos: Guaranteed
    weight: 7
    health_checks:
      liveness_probe: &off {switch: false, probe_type: tcpSocket, port: 80, initial_delay_seconds: 0, period_seconds: 10, timeout_seconds: 1, failure_threshold: 3}
      startup_probe: *off
      readiness_probe: {switch: true, probe_type: httpGet, path: /healthz, port: 80, initial_delay_seconds: 5, period_seconds: 10, timeout_seconds: 1, failure_threshold: 3}
"
        .replace("&off ", "")
        .replace("*off", "{switch: false, probe_type: tcpSocket, port: 80, initial_delay_seconds: 0, period_seconds: 10, timeout_seconds: 1, failure_threshold: 3}")
        .as_str(),
    );
    assert_eq!(body["task_qos"], json!({"class": "Guaranteed"}));
    assert_eq!(body["resources"][0]["weight"], 7);
    let checks = &body["services"][0]["health_checks"];
    assert_eq!(
        checks["readiness_probe"],
        json!({
            "switch": true, "probe_type": "httpGet", "path": "/healthz", "port": 80,
            "initial_delay_seconds": 5, "period_seconds": 10, "timeout_seconds": 1,
            "failure_threshold": 3,
        })
    );
    assert_eq!(checks["startup_probe"]["switch"], false);
}

#[test]
fn logins_and_secrets_travel_and_are_known_as_such() {
    let yaml = format!(
        "{SMALL}secrets: [TOKEN]\nenv: {{A: b}}\nregistry_auth: {{username: me, password: {{env: PW}}}}\n"
    );
    let policy = Policy {
        allow_secret_exposure: true,
        ..Policy::default()
    };
    let plan = plan_with(&yaml, &survey(), policy).unwrap();
    let service = body_of(&plan)["services"][0].take();
    assert_eq!(
        service["env"],
        json!([{"name": "A", "value": "b"}, {"name": "TOKEN", "value": "s3cret-value"}])
    );
    assert_eq!(
        service["repository_account"],
        json!({"repository_username": "me", "repository_password": "pull-password"})
    );
    assert_eq!(
        plan.secrets,
        [Secret::new("s3cret-value"), Secret::new("pull-password")]
    );
    assert!(!format!("{plan:?}").contains("Secret(\""));
}

#[test]
fn the_cheapest_in_stock_is_taken() {
    let mut row = data("resources")["results"][0].clone();
    let mut regions = Vec::new();
    for (region, price, free) in [
        ("dear", 900, 5),
        ("sold-out", 1, 0),
        ("cheap", 300, 1),
        ("alike", 300, 9),
    ] {
        let mut offer = row["regions"][0].clone();
        offer["region"] = json!(region);
        offer["discount_price"] = json!(price);
        offer["inventory"] = json!(free);
        offer["mark"]["mark"] = json!(format!("mark-{region}"));
        regions.push(offer);
    }
    row["regions"] = json!(regions);
    let survey = Survey {
        offers: offers::catalogue(&json!({"results": [row]}), Timestamp::UNIX_EPOCH),
        ..Survey::default()
    };
    let mark = |region: Option<&str>, yaml: &str| {
        let plan = plan_in(region, yaml, &survey, Policy::default()).unwrap();
        body_of(&plan)["resources"][0]["mark"].clone()
    };
    // Equal prices go by name, so that the choice is the same each time.
    assert_eq!(mark(None, SMALL), "mark-alike");
    assert_eq!(mark(Some("dear"), SMALL), "mark-dear");
    assert_eq!(
        mark(
            Some("dear"),
            &format!("{SMALL}placement: {{region: cheap}}\n")
        ),
        "mark-cheap"
    );
    let named = |name: &str| format!("{{image: a/b, resources: {{instance_type: '{name}'}}}}");
    assert_eq!(mark(None, &named("4090@dear")), "mark-dear");
    // A device alone means it in any region.
    assert_eq!(mark(None, &named("4090")), "mark-alike");
    assert_eq!(mark(Some("cheap"), &named("4090")), "mark-cheap");
}

#[test]
fn a_volume_draws_the_job_to_its_region() {
    let mut rows = data("resources")["results"].clone();
    let mut elsewhere = rows[0]["regions"][0].clone();
    elsewhere["region"] = json!("demo-r9");
    elsewhere["discount_price"] = json!(1);
    rows[0]["regions"].as_array_mut().unwrap().push(elsewhere);
    let survey = Survey {
        offers: offers::catalogue(&json!({"results": rows}), Timestamp::UNIX_EPOCH),
        volumes: volumes(),
        ..Survey::default()
    };
    let chosen = |lines: &str| {
        plan_with(&format!("{SMALL}{lines}"), &survey, Policy::default())
            .unwrap()
            .offer
            .unwrap()
            .id
    };
    assert_eq!(chosen(""), "4090@demo-r9");
    assert_eq!(
        chosen("mounts: [{source: 'nas:5012', path: /n}]\n"),
        "4090@demo-r1"
    );
}

#[test]
fn limits_on_money_are_exact() {
    let price = |limit: &str| plan_of(&format!("{SMALL}max_price: {limit} CNY\n")).is_ok();
    assert!(price("1.6776") && !price("1.6775"));
    // 90 minutes at 1.6776 an hour.
    let cost = |limit: &str| plan_of(&format!("{SMALL}max_cost: {limit} CNY\n")).is_ok();
    assert!(cost("2.5164") && !cost("2.5163"));
    // Several pods at a time cost as much each.
    let array = |limit: &str| {
        plan_of(&format!(
            "{SMALL}array: {{count: 10, parallel: 2}}\nmax_price: {limit} CNY\n"
        ))
        .is_ok()
    };
    assert!(array("3.3552") && !array("3.3551"));
}

#[test]
fn scratch_is_a_minimum_of_the_offer() {
    assert_eq!(
        plan_of("{image: a/b, resources: {gpu: 4090, disk: 80GiB}}")
            .unwrap()
            .offer
            .unwrap()
            .id,
        "4090@demo-r1"
    );
}

#[test]
fn a_job_without_gpu_takes_a_machine_without_one() {
    let mut rows = data("resources")["results"].clone();
    let mut cpu = rows[0].clone();
    for (name, value) in [
        ("device_name", json!("cpu-16")),
        ("gpu_name", json!(null)),
        ("gpu_count", json!(0)),
    ] {
        cpu[name] = value;
    }
    rows.as_array_mut().unwrap().push(cpu);
    let survey = Survey {
        offers: offers::catalogue(&json!({"results": rows}), Timestamp::UNIX_EPOCH),
        ..Survey::default()
    };
    let plan = plan_with(
        "{image: a/b, resources: {cpu: 8}}",
        &survey,
        Policy::default(),
    )
    .unwrap();
    assert_eq!(plan.offer.as_ref().unwrap().id, "cpu-16@demo-r1");
    assert_eq!(
        body_of(&plan)["services"][0]["resource_weight"]["gpu_weight"],
        1
    );
}

#[test]
fn shared_memory_is_whole_mebibytes() {
    let body = body("{image: a/b, resources: {gpu: 4090, shm: 1500KiB}}");
    assert_eq!(
        body["share_mem_volumes"],
        json!([{"name": "shm", "size_limit": 2}])
    );
    assert_eq!(
        body["services"][0]["share_mem_config"],
        json!([{"volume_name": "shm", "target_dir": "/dev/shm"}])
    );
}

#[test]
fn fewer_free_than_wanted_at_a_time_is_said() {
    let plan = plan_of(&format!("{SMALL}array: {{count: 50, parallel: 30}}\n")).unwrap();
    assert!(
        plan.assessment
            .notes
            .iter()
            .any(|note| note.starts_with("21 of `4090@demo-r1` are free now, and 30"))
    );
}

#[test]
fn a_field_kept_here_is_reported_as_local() {
    let plan = plan_of(&format!(
        "{SMALL}labels: {{a: b}}\ndescription: d\nstart_timeout: 1h\nworkdir: /w\ncommand: [x]\n"
    ))
    .unwrap();
    let level = |field: &str| {
        let report = &plan.assessment.report;
        report
            .iter()
            .find(|line| line.field == field)
            .unwrap()
            .level
    };
    for field in ["labels", "description", "start_timeout"] {
        assert_eq!(level(field), Level::Local, "{field}");
    }
    assert_eq!(level("workdir"), Level::Emulated);
    for field in ["image", "command", "timeout", "resources.gpu", "retries"] {
        assert_eq!(level(field), Level::Native, "{field}");
    }
}
