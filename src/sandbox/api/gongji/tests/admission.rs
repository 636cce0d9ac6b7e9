use rstest::rstest;
use serde_json::{Value, json};

use super::bench::Bench;

fn refused(bench: &Bench, job: &Value) -> (String, String) {
    let answer = bench.post("task/job/create", job);
    assert_eq!(answer.refusal().0, 200);
    (answer.code().to_owned(), answer.message().to_owned())
}

/// Sets one member by its JSON pointer; an absent one is added.
fn with(mut job: Value, pointer: &str, value: Value) -> Value {
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    let parent = job.pointer_mut(parent).unwrap();
    match name.parse::<usize>() {
        Ok(index) => parent[index] = value,
        Err(_) => parent[name] = value,
    }
    job
}

#[rstest]
#[case::unknown("/colour", json!("red"), "unknown field `colour`")]
#[case::misspelt("/job_support/parrallelism", json!(1), "job_support")]
#[case::nested("/services/0/start_script/shell", json!(true), "services[0].start_script")]
#[case::text("/points", json!("1"), "points")]
#[case::fraction("/points", json!(1.0), "points")]
#[case::null("/task_name", json!(null), "task_name")]
#[case::empty_name("/task_name", json!(" "), "task_name is empty")]
#[case::zero_points("/points", json!(0), "points must be 1")]
#[case::no_limit("/job_support/timeout_sec", json!(null), "timeout_sec")]
#[case::zero_limit("/job_support/timeout_sec", json!(0), "timeout_sec must be 1")]
#[case::parallelism("/job_support/parallelism", json!(0), "parallelism must be 1")]
#[case::no_mode("/job_support/mod_param", json!({}), "exactly one")]
#[case::two_modes("/job_support/mod_param/index", json!({ "index_backoff_limit": 0 }), "exactly one")]
#[case::policy("/job_support/mod_param/default/restart_policy", json!("Always"), "Always")]
#[case::backoff("/job_support/mod_param/default/backoff_limit", json!(-1), "negative")]
#[case::on_demand("/sub_type", json!("OnDemand"), "sub_type")]
#[case::spot_without_estimate("/sub_type", json!("Spot"), "estimated_exec_sec is required")]
#[case::no_candidate("/resources", json!([]), "resources is empty")]
#[case::no_service("/services", json!([]), "services is empty")]
#[case::weight("/services/0/resource_weight/cpu_weight", json!(0), "must be positive")]
#[case::no_gpu_weight("/services/0/resource_weight/gpu_weight", json!(0), "gpu_weight")]
#[case::gpu_weight("/services/0/resource_weight/gpu_weight", json!(2), "divide")]
#[case::no_weight("/services/0/resource_weight", json!({ "cpu_weight": 1, "mem_weight": 1 }), "gpu_weight")]
#[case::env_text("/services/0/env", json!("A=1"), "env")]
#[case::env_number("/services/0/env", json!([{ "name": "A", "value": 1 }]), "env[0].value")]
#[case::env_nothing("/services/0/env", json!([{ "name": "A" }]), "exactly one")]
#[case::env_name("/services/0/env", json!([{ "name": "A=B", "value": "" }]), "no name")]
#[case::env_field("/services/0/env", json!([{ "name": "A", "value_from": { "field_ref": { "field_path": "spec.x" } } }]), "that exists")]
#[case::args_alone("/services/0/start_script", json!({ "args": ["x"] }), "command")]
#[case::no_words("/services/0/start_script", json!({ "command": [], "args": [] }), "no word")]
#[case::port("/services/0/remote_ports", json!([{ "service_port": 70000 }]), "service_port")]
#[case::service_id("/services/0/service_id", json!(5), "assigned")]
#[case::relative("/services/0/nas_storage_config", json!([{ "storage_id": 5012, "target_dir": "data" }]), "absolute")]
#[case::twice("/services/0/nas_storage_config", json!([{ "storage_id": 5012, "target_dir": "/d" }, { "storage_id": 5012, "target_dir": "/d/" }]), "same target_dir")]
#[case::no_volume("/services/0/share_mem_config", json!([{ "volume_name": "shm", "target_dir": "/dev/shm" }]), "share_mem_volumes")]
#[case::probe("/services/0/health_checks", json!({ "liveness_probe": {} }), "health_checks")]
#[case::qos("/task_qos", json!({ "class": "BestEffort" }), "task_qos")]
#[case::resource("/resources/0/resource/gpu_count", json!(2), "not the one of its mark")]
#[case::resource_lacks("/resources/0/resource", json!({ "device_name": "V100" }), "resources[0].resource")]
fn a_wrong_body_is_refused_and_named(
    #[case] pointer: &str,
    #[case] value: Value,
    #[case] named: &str,
) {
    let bench = Bench::new();
    let job = with(bench.job("true"), pointer, value);
    let (code, message) = refused(&bench, &job);
    assert_eq!(code, "C006", "{message}");
    assert!(message.contains(named), "{message}");
    assert_eq!(
        bench.get("task/job/search?page=1&page_size=10").data()["count"],
        0
    );
}

#[rstest]
#[case(json!(0))]
#[case(json!(86_401))]
#[case(json!(5400))]
fn an_estimate_has_its_limits(#[case] estimate: Value) {
    let bench = Bench::new();
    let job = with(bench.job("true"), "/sub_type", json!("Spot"));
    let job = with(job, "/job_support/estimated_exec_sec", estimate);
    let job = with(job, "/job_support/timeout_sec", json!(5400));
    assert_eq!(refused(&bench, &job).0, "C006");
}

#[test]
fn what_the_vendors_own_example_carries_is_ignored_and_the_rest_only_by_a_switch() {
    let bench = Bench::new();
    let mut job = bench.job("true");
    for name in ["status", "schedule_status", "task_tags"] {
        job[name] = Value::Null;
    }
    job["services"][0]["registered_ports"] = json!([]);
    job["job_support"]["mod_param"]["index"] = Value::Null;
    bench.create(&job);
    job["services"][0]["colour"] = json!({ "deep": 1 });
    job["shade"] = json!([1]);
    assert_eq!(refused(&bench, &job).0, "C006");
    bench.configure(&json!({ "lenient": true }));
    let id = bench.create(&job);
    assert!(bench.detail(id)["services"][0].get("colour").is_none());
    assert_eq!(
        bench.get("task/job/search?page=1&page_size=9&x=1").data()["count"],
        2
    );
}

#[test]
fn an_unknown_mark_is_refused_or_keeps_the_job_pending_for_ever() {
    let bench = Bench::new();
    let job = with(
        bench.job("true"),
        "/resources/0/mark",
        json!("bWFkZSB1cA=="),
    );
    assert_eq!(refused(&bench, &job).0, "C999");
    bench.configure(&json!({ "unknown_mark": "accept" }));
    let id = bench.create(&job);
    bench.pass(10_000);
    assert_eq!(bench.words(id).0, "Pending");
    assert_eq!(bench.detail(id)["billing_value"], 0);
    assert_eq!(bench.detail(id)["resources"][0]["mark"], "bWFkZSB1cA==");
}

#[test]
fn an_empty_account_creates_nothing() {
    let bench = Bench::new();
    let job = bench.job("true");
    bench.configure(&json!({ "no_balance": true }));
    let (code, message) = refused(&bench, &job);
    assert_eq!(code, "C999");
    assert!(message.contains("余额"), "{message}");
}

#[rstest]
#[case::object("storage_config", 71, None)]
#[case::share("share_storage_config", 72, None)]
#[case::nas("nas_storage_config", 5012, None)]
#[case::unknown("nas_storage_config", 71, Some("C007"))]
#[case::crossed("storage_config", 72, Some("C007"))]
#[case::inactive("storage_config", 73, Some("C999"))]
fn a_mount_must_exist_be_usable_and_be_in_the_region(
    #[case] field: &str,
    #[case] id: i64,
    #[case] code: Option<&str>,
) {
    let bench = Bench::new();
    let mounts = json!([{ "storage_id": id, "target_dir": "/data" }]);
    let job = with(bench.job("true"), &format!("/services/0/{field}"), mounts);
    let Some(code) = code else {
        let created = bench.create(&job);
        let shown = &bench.detail(created)["services"][0][field];
        assert_eq!(shown[0]["storage_id"], id);
        let away = with(
            job,
            "/resources",
            json!([bench.candidate("A100", "beijing-2")]),
        );
        assert_eq!(refused(&bench, &away).0, "C999");
        return;
    };
    assert_eq!(refused(&bench, &job).0, code);
}

#[test]
fn the_echo_has_every_member_and_no_password() {
    let bench = Bench::new();
    let mut job = bench.job("true");
    let service = &mut job["services"][0];
    service["repository_account"] =
        json!({ "repository_username": "puller", "repository_password": "hunter2" });
    service["remote_ports"] = json!([{ "service_port": 8080 }]);
    service["is_update_repository"] = json!("false");
    let probe = json!({
        "switch": true, "probe_type": "httpGet", "path": "/", "port": 80, "initial_delay_seconds": 1,
        "period_seconds": 2, "timeout_seconds": 3, "failure_threshold": 4,
    });
    service["health_checks"] =
        json!({ "liveness_probe": probe, "startup_probe": probe, "readiness_probe": probe });
    job["task_qos"] = json!({ "class": "Guaranteed" });
    job["resources"][0]["weight"] = json!(3);
    let id = bench.create(&job);
    let shown = bench.detail(id);
    assert!(!shown.to_string().contains("hunter2"));
    let names: Vec<&str> = shown
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect();
    for name in [
        "task_id",
        "task_name",
        "sub_type",
        "schedule_status",
        "deployment_name",
        "resources",
        "status",
        "points",
        "runing_points",
        "billing_points",
        "billing_time",
        "billing_value",
        "forecast_value",
        "services",
        "task_tags",
        "share_disk_volumes",
        "share_mem_volumes",
        "task_qos",
        "job_support",
        "job_status",
        "job_group",
        "termination_grace_period_seconds",
        "create_time",
        "last_update_time",
    ] {
        assert!(names.contains(&name), "{name} is missing");
    }
    let shown_service = &shown["services"][0];
    assert_eq!(
        shown_service["repository_account"]["repository_username"],
        "puller"
    );
    let deployment = shown["deployment_name"].as_str().unwrap();
    assert_eq!(
        shown_service["remote_ports"][0]["url"],
        format!("https://{deployment}-8080.550w.link")
    );
    assert_eq!(
        shown_service["health_checks"]["startup_probe"]["probe_type"],
        "httpGet"
    );
    assert_eq!(shown_service["storage_config"], Value::Null);
    assert_eq!(shown["task_qos"]["class"], "Guaranteed");
    assert_eq!(shown["resources"][0]["weight"], 3);
    assert_eq!(shown["resources"][0]["resource"]["gpu_name"], "V100");
    assert_eq!(shown["resources"][0]["mark"], job["resources"][0]["mark"]);
    assert!(shown["services"][0]["service_id"].is_i64());
}

#[test]
fn the_heaviest_candidate_with_stock_is_taken() {
    let bench = Bench::new();
    let mut job = bench.job("true");
    let mut heavy = bench.candidate("A100", "beijing-2");
    heavy["weight"] = json!(10);
    job["resources"].as_array_mut().unwrap().push(heavy);
    bench.configure(&json!({ "advance": "at-once", "node_pending_s": 1000 }));
    let id = bench.create(&job);
    bench.service.state().switches.advance = crate::sandbox::api::gongji::switches::Advance::Time;
    bench.pass(5);
    assert_eq!(bench.nodes(id)[0]["region"], "beijing-2");
    assert_eq!(bench.nodes(id)[0]["region_name"], "北京二区");
}
