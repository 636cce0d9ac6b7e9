use serde_json::{Value, json};

use super::bench::Bench;

fn events(bench: &Bench, node: &Value) -> Vec<Value> {
    let point = &node["point_id"];
    let answer = bench.get(&format!("deployment/task/pod_event?point_id={point}"));
    answer.data()["events"].as_array().unwrap().clone()
}

#[tokio::test]
async fn a_node_has_every_member_of_the_contract() {
    let bench = Bench::new();
    bench.configure(&json!({ "advance": "at-once" }));
    let id = bench.create(&bench.job("sleep 600"));
    bench.pass(0);
    bench.pass(754);
    let node = bench.nodes(id)[0].clone();
    let deployment = bench.detail(id)["deployment_name"]
        .as_str()
        .unwrap()
        .to_owned();
    assert!(node["name"].as_str().unwrap().starts_with(&deployment));
    let service = bench.detail(id)["services"][0]["service_id"]
        .as_i64()
        .unwrap();
    let mut shown = node.clone();
    for name in ["point_id", "name"] {
        shown.as_object_mut().unwrap().shift_remove(name);
    }
    assert_eq!(
        shown,
        json!({
            "status": "Running", "region": "hebeif-1", "region_name": "河北一区",
            "resource": { "gpu_name": "V100", "gpu_count": "1", "cpu_cores": "12" },
            "containers": [{
                "service_name": "main", "name": format!("c-{service}"),
                "image": "registry.example/team/train:2.3", "gpu_limit": 1, "reason": null,
                "message": null, "exit_code": null,
            }],
            "runing_time": 754, "billing_value": 150_000, "port_mappings": null,
            "describe_dto": { "restart_count": 0, "last_restart_time": null },
        })
    );
    bench.stop(id).data();
    bench.processes_end().await;
}

#[tokio::test]
async fn nodes_are_filtered_paged_and_sometimes_forgotten() {
    let bench = Bench::new();
    let mut job = bench.job("exit 1");
    job["job_support"]["mod_param"]["default"]["backoff_limit"] = json!(11);
    let id = bench.run(&job).await;
    let count = |query: &str| {
        let answer = bench.get(&format!("deployment/task/points?task_id={id}{query}"));
        let rows = answer.data()["results"].as_array().unwrap().len();
        (answer.data()["count"].as_u64().unwrap(), rows)
    };
    assert_eq!(count(""), (12, 10));
    assert_eq!(count("&page=2&page_size=10"), (12, 2));
    assert_eq!(count("&status=Running,Failed"), (12, 10));
    assert_eq!(count("&status=Succeeded"), (0, 0));
    let typo = bench.get(&format!("deployment/task/points?task_id={id}&status=Pendi"));
    assert_eq!(typo.refusal(), (200, "C006"));
    bench.configure(&json!({ "hide_finished_nodes": true }));
    assert_eq!(count(""), (0, 0));
}

#[tokio::test]
async fn events_tell_the_life_of_a_node_newest_first() {
    let bench = Bench::new();
    let id = bench.run(&bench.job("exit 2")).await;
    let node = bench.nodes(id)[0].clone();
    let shown = events(&bench, &node);
    assert_eq!(
        shown[0],
        json!({
            "reason": "Failed", "message": "container exited with code 2", "type": "Warning",
            "event_time": "2026-05-10T11:15:02+08:00", "service": "main",
        })
    );
    let reasons = |events: &[Value]| -> Vec<String> {
        events
            .iter()
            .map(|event| event["reason"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(
        reasons(&shown),
        ["Failed", "Started", "Pulled", "Scheduled"]
    );
    bench.configure(&json!({ "event_order": "oldest-first" }));
    let oldest = events(&bench, &node);
    assert_eq!(
        reasons(&oldest),
        ["Scheduled", "Pulled", "Started", "Failed"]
    );
    let unknown = bench.get("deployment/task/pod_event?point_id=1");
    assert_eq!(unknown.refusal(), (200, "C007"));
}

#[tokio::test]
async fn a_deleted_node_is_replaced_and_the_answer_has_no_data() {
    let bench = Bench::new();
    bench.configure(&json!({ "advance": "at-once" }));
    let id = bench.create(&bench.job("sleep 600"));
    bench.pass(0);
    let point = bench.nodes(id)[0]["point_id"].clone();
    let deleted = json!({ "point_id": point });
    let answer = bench.post("deployment/task/delete_pod", &deleted);
    assert_eq!(answer.body, json!({ "code": "0000", "message": "success" }));
    let nodes = bench.nodes(id);
    assert_eq!(nodes.len(), 2);
    assert_eq!(nodes[0]["status"], "End");
    assert_ne!(nodes[1]["point_id"], point);
    assert_eq!(bench.words(id).1, "Running");
    let again = bench.post("deployment/task/delete_pod", &deleted);
    assert_eq!(again.refusal(), (200, "C999"));
    bench.stop(id).data();
    bench.processes_end().await;
}

#[tokio::test]
async fn a_log_wants_all_three_ids_and_a_service_that_has_one() {
    let bench = Bench::new();
    let id = bench.run(&bench.job("echo hello")).await;
    let point = bench.nodes(id)[0]["point_id"].clone();
    let service = bench.detail(id)["services"][0]["service_id"].clone();
    let ask = |query: String| bench.get(&format!("deployment/task/point_log?{query}"));
    let right = ask(format!(
        "task_id={id}&point_id={point}&service_id={service}"
    ));
    assert_eq!(right.data(), &json!({ "logs": "hello\n" }));
    for (query, code) in [
        (format!("task_id={id}&point_id={point}"), "C006"),
        (
            format!("task_id={id}&point_id=1&service_id={service}"),
            "C007",
        ),
        (
            format!("task_id={id}&point_id={point}&service_id=1"),
            "C007",
        ),
        (
            format!("task_id=1&point_id={point}&service_id={service}"),
            "C007",
        ),
        (
            format!("task_id={id}&point_id={point}&service_id={service}&tail=5"),
            "C006",
        ),
    ] {
        assert_eq!(ask(query).refusal(), (200, code));
    }
    bench.configure(&json!({ "null_service_ids": true }));
    assert_eq!(bench.detail(id)["services"][0]["service_id"], Value::Null);
}

#[tokio::test]
async fn shared_memory_belongs_to_one_node_and_storage_to_all() {
    let bench = Bench::new();
    let mut job = bench.job(
        "ls /dev/shm/ | wc -l | tr -d ' '; touch /dev/shm/x; echo $JOB_COMPLETION_INDEX >> /mnt/data/log; cat /mnt/data/log | wc -l | tr -d ' '",
    );
    job["points"] = json!(2);
    job["job_support"]["mod_param"] = json!({ "index": { "index_backoff_limit": 0 } });
    job["share_mem_volumes"] = json!([{ "name": "shm", "size_limit": 8192 }]);
    job["services"][0]["share_mem_config"] =
        json!([{ "volume_name": "shm", "target_dir": "/dev/shm" }]);
    job["services"][0]["nas_storage_config"] =
        json!([{ "storage_id": 5012, "target_dir": "/mnt/data" }]);
    let id = bench.run(&job).await;
    let logs: Vec<Value> = bench
        .nodes(id)
        .iter()
        .map(|node| bench.log(id, node)["logs"].clone())
        .collect();
    assert_eq!(logs, ["0\n1\n", "0\n2\n"]);
    assert_eq!(bench.detail(id)["share_mem_volumes"][0]["size_limit"], 8192);
}

#[tokio::test]
async fn bills_grow_by_full_cycles_and_count_in_both_records() {
    let bench = Bench::new();
    bench.configure(&json!({ "advance": "at-once" }));
    let mut job = bench.job("sleep 600");
    job["points"] = json!(2);
    job["job_support"]["parallelism"] = json!(2);
    let id = bench.create(&job);
    bench.pass(0);
    let value = || bench.detail(id)["billing_value"].as_i64().unwrap();
    bench.pass(299);
    assert_eq!(value(), 0);
    bench.pass(1);
    assert_eq!(value(), 2 * 250 * 300);
    bench.pass(700);
    assert_eq!(value(), 2 * 250 * 900);
    assert_eq!(bench.detail(id)["billing_time"], 1000);
    assert_eq!(bench.detail(id)["forecast_value"], 500);
    let period = "start_time=2026-05-10T00:00:00%2B08:00&end_time=2026-05-11T00:00:00%2B08:00";
    let by_task = bench.get(&format!(
        "billing/get_task_billing_record?range=day&{period}&page=1&page_size=10"
    ));
    assert_eq!(
        by_task.data(),
        &json!({ "count": 1, "results": [{
            "task_id": id, "task_type": "Job", "task_name": "gj-20260510-a1b2c3",
            "billing_coin": 450_000, "discount_coin": 0,
        }] })
    );
    bench.configure(&json!({ "coins_per_yuan": 100_000, "discount_percent": 10 }));
    let by_time = bench.get(&format!(
        "billing/get_billing_record?range=week&{period}&task_ids={id}"
    ));
    assert_eq!(
        by_time.data(),
        &json!({ "count": 1, "results": [{
            "billing_coin": 45_000, "discount_coin": 4_500,
            "start_time": "2026-05-04T00:00:00+08:00", "end_time": "2026-05-11T00:00:00+08:00",
        }] })
    );
    for (range, start) in [
        ("hour", "2026-05-10T11:00:00+08:00"),
        ("month", "2026-05-01T00:00:00+08:00"),
    ] {
        let rows = bench.get(&format!("billing/get_billing_record?range={range}"));
        assert_eq!(rows.data()["results"][0]["start_time"], start);
    }
    let others = bench.get("billing/get_billing_record?range=day&task_ids=1,2");
    assert_eq!(others.data()["count"], 0);
    // A zone whose `+` was not encoded is a blank by now.
    let bare =
        bench.get("billing/get_task_billing_record?range=day&start_time=2026-05-10T00:00:00+08:00");
    assert_eq!(bare.refusal(), (200, "C006"));
    assert_eq!(
        bench.get("billing/get_billing_record").refusal(),
        (200, "C006")
    );
    bench.stop(id).data();
    bench.pass(600);
    assert_eq!(value(), 2 * 250 * 900);
    bench.processes_end().await;
}
