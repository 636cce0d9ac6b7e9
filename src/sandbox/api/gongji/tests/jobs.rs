use serde_json::{Value, json};

use super::bench::Bench;

#[tokio::test]
async fn a_job_walks_from_pending_to_complete_with_times_and_a_log() {
    let bench = Bench::new();
    let id = bench.create(&bench.job("echo epoch 1; echo loss 0.9 >&2"));
    // No floating-point number holds it.
    assert!(id > (1 << 53) && id % 2 == 1, "{id}");
    let pending = bench.detail(id);
    assert_eq!(pending["status"], "Pending");
    assert_eq!(
        pending["job_status"],
        json!({
            "create_time": null, "status": "Pending", "completion_time": null, "active_pods": null,
            "succeeded_pods": 0, "failed_pods": 0, "completion_mode": null,
        })
    );
    assert_eq!(pending["create_time"], "2026-05-10T11:15:02.118273+08:00");
    assert_eq!(pending["schedule_status"], Value::Null);
    bench.pass(2);
    assert_eq!(bench.words(id), ("Running".into(), "Running".into()));
    assert_eq!(bench.nodes(id)[0]["status"], "Pending");
    assert_eq!(bench.log(id, &bench.nodes(id)[0]), Value::Null);
    assert_eq!(bench.detail(id)["runing_points"], 0);
    bench.pass(1);
    let running = bench.detail(id);
    assert_eq!(running["runing_points"], 1);
    assert_eq!(running["billing_points"], 1);
    assert_eq!(running["forecast_value"], 250);
    assert_eq!(running["job_status"]["create_time"], "2026-05-10T03:15:02Z");
    assert_eq!(running["job_status"]["active_pods"], 1);
    assert_eq!(running["job_status"]["completion_mode"], "NonIndexed");
    bench.processes_end().await;
    let done = bench.detail(id);
    assert_eq!(done["job_status"]["status"], "Complete");
    assert_eq!(
        done["job_status"]["completion_time"],
        "2026-05-10T03:15:05Z"
    );
    assert_eq!(done["job_status"]["succeeded_pods"], 1);
    assert_eq!(done["job_status"]["active_pods"], Value::Null);
    assert_eq!(done["forecast_value"], 0);
    let node = &bench.nodes(id)[0];
    assert_eq!(node["status"], "Succeeded");
    assert_eq!(
        bench.log(id, node),
        json!({ "logs": "epoch 1\nloss 0.9\n" })
    );
}

#[tokio::test]
async fn the_life_cycle_word_of_finished_jobs_goes_through_the_profiles() {
    let bench = Bench::new();
    for status in ["Paused", "End", "Running", "Paused"] {
        let id = bench.run(&bench.job("true")).await;
        assert_eq!(bench.words(id), (status.into(), "Complete".into()));
    }
    bench.configure(&json!({ "finished_status": "end" }));
    let id = bench.run(&bench.job("exit 4")).await;
    assert_eq!(bench.words(id), ("End".into(), "Failed".into()));
}

#[tokio::test]
async fn the_commands_words_environment_and_index_arrive_exactly() {
    let bench = Bench::new();
    let mut job = bench.job("");
    job["services"][0]["start_script"] = json!({
        "command": ["sh", "-c", "printf '%s|' \"$@\"; echo \"$LR $POD $CPUS\"", "sh"],
        "args": ["two words", "$HOME", "'"],
    });
    job["services"][0]["env"] = json!([
        { "name": "LR", "value": "3e-5" },
        { "name": "POD", "value": null, "value_from": { "field_ref": { "field_path": "metadata.name" } } },
        { "name": "CPUS", "value_from": { "resource_field_ref": { "resource": "limits.cpu" } } },
    ]);
    let id = bench.run(&job).await;
    let node = &bench.nodes(id)[0];
    let name = node["name"].as_str().unwrap();
    assert_eq!(
        bench.log(id, node)["logs"],
        format!("two words|$HOME|'|3e-5 {name} 12\n")
    );
    let shown = &bench.detail(id)["services"][0];
    assert_eq!(
        shown["env"][0],
        json!({ "name": "LR", "value": "3e-5", "value_from": null })
    );
    assert_eq!(shown["start_script"]["args"][0], "two words");
}

#[tokio::test]
async fn a_failed_job_tells_its_exit_code_in_every_form_that_clients_saw() {
    let bench = Bench::new();
    let id = bench.run(&bench.job("exit 3")).await;
    assert_eq!(bench.detail(id)["job_status"]["status"], "Failed");
    assert_eq!(bench.detail(id)["job_status"]["failed_pods"], 1);
    let forms: Vec<Value> = (0..3)
        .map(|_| bench.nodes(id)[0]["containers"][0]["exit_code"].clone())
        .collect();
    assert_eq!(forms, [json!("3"), json!(3), json!("3")]);
    let node = &bench.nodes(id)[0];
    assert_eq!(node["status"], "Failed");
    assert_eq!(node["containers"][0]["reason"], "Error");
    let well = bench.run(&bench.job("true")).await;
    let forms: Vec<Value> = (0..3)
        .map(|_| bench.nodes(well)[0]["containers"][0]["exit_code"].clone())
        .collect();
    assert!(
        forms.contains(&Value::Null) && forms.contains(&json!(0)) && forms.contains(&json!("0"))
    );
    bench.configure(&json!({ "number_forms": "integer" }));
    assert_eq!(bench.nodes(id)[0]["resource"]["gpu_count"], 1);
    bench.configure(&json!({ "number_forms": "text" }));
    assert_eq!(bench.nodes(id)[0]["resource"]["cpu_cores"], "12");
}

#[tokio::test]
async fn a_program_that_does_not_exist_is_a_start_error() {
    let bench = Bench::new();
    let mut job = bench.job("");
    job["services"][0]["start_script"] = json!({ "command": ["no-such-program"], "args": [] });
    let id = bench.run(&job).await;
    let container = &bench.nodes(id)[0]["containers"][0];
    assert_eq!(container["reason"], "StartError");
    assert!(
        container["message"]
            .as_str()
            .unwrap()
            .contains("no-such-program")
    );
    job["services"][0]["start_script"] = Value::Null;
    let id = bench.run(&job).await;
    let log = bench.log(id, &bench.nodes(id)[0]);
    assert!(
        log["logs"].as_str().unwrap().contains("no command"),
        "{log}"
    );
}

#[tokio::test]
async fn never_makes_a_new_node_for_every_try() {
    let bench = Bench::new();
    let mut job = bench.job("exit 7");
    job["job_support"]["mod_param"]["default"]["backoff_limit"] = json!(2);
    let id = bench.run(&job).await;
    let nodes = bench.nodes(id);
    assert_eq!(nodes.len(), 3);
    assert!(nodes.iter().all(|node| node["status"] == "Failed"));
    assert_eq!(bench.detail(id)["job_status"]["status"], "Failed");
    assert_eq!(bench.detail(id)["job_status"]["failed_pods"], 3);
}

#[tokio::test]
async fn on_failure_restarts_in_the_same_node_with_a_new_log() {
    let bench = Bench::new();
    let mut job = bench.job("n=$(cat /count/n 2>/dev/null || echo 0); n=$((n+1)); echo $n > /count/n; echo try $n; [ $n -ge 3 ]");
    job["job_support"]["mod_param"]["default"] =
        json!({ "backoff_limit": 5, "restart_policy": "OnFailure" });
    job["share_disk_volumes"] = json!([{ "name": "count" }]);
    job["services"][0]["share_disk_config"] =
        json!([{ "volume_name": "count", "target_dir": "/count" }]);
    let id = bench.run(&job).await;
    assert_eq!(bench.detail(id)["job_status"]["status"], "Complete");
    let nodes = bench.nodes(id);
    assert_eq!(nodes.len(), 1);
    assert_eq!(nodes[0]["describe_dto"]["restart_count"], 2);
    assert_eq!(
        nodes[0]["describe_dto"]["last_restart_time"],
        "2026-05-10T11:15:02.118273+08:00"
    );
    assert_eq!(bench.log(id, &nodes[0])["logs"], "try 3\n");
}

#[tokio::test]
async fn points_are_completions_and_parallelism_bounds_the_nodes() {
    let bench = Bench::new();
    bench.configure(&json!({ "advance": "at-once" }));
    let mut job = bench.job("true");
    job["points"] = json!(5);
    job["job_support"]["parallelism"] = json!(2);
    let id = bench.create(&job);
    bench.service_tick();
    assert_eq!(bench.nodes(id).len(), 2);
    for _ in 0..10 {
        bench.processes_end().await;
    }
    let done = bench.detail(id);
    assert_eq!(done["job_status"]["status"], "Complete");
    assert_eq!(done["job_status"]["succeeded_pods"], 5);
    assert_eq!(bench.nodes(id).len(), 5);
}

#[tokio::test]
async fn an_array_has_an_index_for_every_node_and_its_own_retries() {
    let bench = Bench::new();
    let mut job = bench.job("echo index $JOB_COMPLETION_INDEX; [ $JOB_COMPLETION_INDEX != 1 ]");
    job["points"] = json!(3);
    job["job_support"]["parallelism"] = json!(3);
    job["job_support"]["mod_param"] =
        json!({ "index": { "index_backoff_limit": 1, "max_failed_index": null } });
    let id = bench.run(&job).await;
    let done = bench.detail(id);
    assert_eq!(done["job_status"]["status"], "Failed");
    assert_eq!(done["job_status"]["completion_mode"], "Indexed");
    assert_eq!(done["job_status"]["succeeded_pods"], 2);
    assert_eq!(done["job_status"]["failed_pods"], 2);
    assert_eq!(done["job_support"]["mod_param"]["default"], Value::Null);
    let mut logs: Vec<String> = bench
        .nodes(id)
        .iter()
        .map(|node| bench.log(id, node)["logs"].as_str().unwrap().to_owned())
        .collect();
    logs.sort();
    assert_eq!(logs, ["index 0\n", "index 1\n", "index 1\n", "index 2\n"]);
}

#[tokio::test]
async fn one_failed_index_may_end_the_whole_array() {
    let bench = Bench::new();
    bench.configure(&json!({ "advance": "at-once" }));
    let mut job = bench.job("[ $JOB_COMPLETION_INDEX = 0 ] || sleep 600; exit 1");
    job["points"] = json!(2);
    job["job_support"]["parallelism"] = json!(2);
    job["job_support"]["mod_param"] =
        json!({ "index": { "index_backoff_limit": 0, "max_failed_index": 1 } });
    let id = bench.create(&job);
    bench.service_tick();
    bench.processes()[0].finished().await;
    bench.service_tick();
    assert_eq!(bench.detail(id)["job_status"]["status"], "Failed");
    bench.processes_end().await;
    let statuses: Vec<Value> = bench
        .nodes(id)
        .iter()
        .map(|node| node["status"].clone())
        .collect();
    assert_eq!(statuses, ["Failed", "End"]);
}

#[tokio::test]
async fn the_time_limit_fails_the_job_and_an_event_says_why() {
    let bench = Bench::new();
    bench.configure(&json!({ "advance": "at-once" }));
    let mut job = bench.job("sleep 600");
    job["job_support"]["timeout_sec"] = json!(60);
    job["job_support"]["mod_param"]["default"]["backoff_limit"] = json!(5);
    let id = bench.create(&job);
    bench.pass(59);
    assert_eq!(bench.words(id).1, "Running");
    bench.pass(60);
    assert_eq!(bench.words(id).1, "Failed");
    bench.processes_end().await;
    let nodes = bench.nodes(id);
    assert_eq!((nodes.len(), &nodes[0]["status"]), (1, &json!("Failed")));
    assert_eq!(nodes[0]["containers"][0]["reason"], "DeadlineExceeded");
    let point = &nodes[0]["point_id"];
    let events = bench.get(&format!("deployment/task/pod_event?point_id={point}"));
    let reasons: Vec<&Value> = events.data()["events"]
        .as_array()
        .unwrap()
        .iter()
        .map(|event| &event["reason"])
        .collect();
    assert!(reasons.contains(&&json!("DeadlineExceeded")), "{reasons:?}");
}

#[tokio::test]
async fn a_stop_ends_the_processes_and_keeps_the_last_outcome() {
    let bench = Bench::new();
    bench.configure(&json!({ "advance": "at-once" }));
    let id = bench.create(&bench.job("sleep 600"));
    bench.service_tick();
    assert_eq!(
        bench.stop(id).body,
        json!({ "code": "0000", "message": "success", "data": null })
    );
    assert_eq!(bench.words(id), ("Paused".into(), "Running".into()));
    let stopped = bench.detail(id);
    assert_eq!(stopped["billing_points"], 0);
    assert_eq!(stopped["job_status"]["completion_time"], Value::Null);
    bench.processes_end().await;
    assert_eq!(bench.nodes(id)[0]["status"], "End");
    assert_eq!(bench.stop(id).refusal(), (200, "C999"));
    bench.configure(
        &json!({ "stop_finished": "accept", "stopped_status": "end", "stopped_outcome": "manual" }),
    );
    assert_eq!(bench.stop(id).code(), "0000");
    let pending = bench.create(&bench.job("sleep 600"));
    bench.configure(&json!({ "hold": "pending" }));
    bench.stop(pending).data();
    assert_eq!(bench.words(pending), ("End".into(), "Manual".into()));
    bench.processes_end().await;
}

#[test]
fn a_spot_job_queues_even_for_stock_and_may_be_taken_back() {
    let bench = Bench::new();
    let mut job = bench.job("sleep 600");
    job["sub_type"] = json!("Spot");
    job["job_support"]["estimated_exec_sec"] = json!(3600);
    bench.configure(&json!({ "no_stock": true }));
    let id = bench.create(&job);
    bench.pass(60);
    let queued = bench.detail(id);
    assert_eq!(queued["sub_type"], "Spot");
    assert_eq!(queued["schedule_status"], "Queued");
    assert_eq!(queued["status"], "Pending");
    assert_eq!(queued["job_support"]["estimated_exec_sec"], 3600);
    bench.configure(&json!({ "no_stock": false }));
    let scheduled = bench.detail(id);
    assert_eq!(
        (&scheduled["schedule_status"], &scheduled["status"]),
        (&json!("Scheduled"), &json!("Pending"))
    );
    bench.configure(&json!({ "node_pending_s": 1000 }));
    bench.pass(2);
    assert_eq!(bench.words(id).0, "Running");
    bench.configure(&json!({ "preempt": id }));
    assert_eq!(bench.detail(id)["schedule_status"], "Queued");
    assert_eq!(bench.nodes(id)[0]["status"], "End");
    bench.pass(3);
    bench.pass(2);
    assert_eq!(bench.nodes(id).len(), 2);
}

#[test]
fn an_on_demand_job_waits_when_its_stock_is_gone_by_the_time() {
    let bench = Bench::new();
    let id = bench.create(&bench.job("true"));
    bench.configure(&json!({ "sold_out": ["V100@hebeif-1"] }));
    bench.pass(600);
    assert_eq!(bench.words(id).0, "Pending");
}

#[tokio::test]
async fn several_containers_share_a_node_and_all_must_end_well() {
    let bench = Bench::new();
    let mut job = bench.job("echo trainer");
    let mut second = job["services"][0].clone();
    second["service_name"] = json!("helper");
    second["start_script"]["args"] = json!(["echo helper; exit 5"]);
    second["resource_weight"]["gpu_weight"] = json!(0);
    job["services"].as_array_mut().unwrap().push(second);
    let id = bench.run(&job).await;
    assert_eq!(bench.words(id).1, "Failed");
    let node = &bench.nodes(id)[0];
    let shown: Vec<(&Value, &Value)> = node["containers"]
        .as_array()
        .unwrap()
        .iter()
        .map(|container| (&container["service_name"], &container["gpu_limit"]))
        .collect();
    assert_eq!(
        shown,
        [(&json!("main"), &json!(1)), (&json!("helper"), &json!(0))]
    );
    let codes: Vec<String> = node["containers"]
        .as_array()
        .unwrap()
        .iter()
        .map(|container| container["exit_code"].to_string().replace('"', ""))
        .collect();
    assert_eq!(codes[1], "5");
    let service = bench.detail(id)["services"][1]["service_id"].clone();
    let point = &node["point_id"];
    let log = bench.get(&format!(
        "deployment/task/point_log?task_id={id}&point_id={point}&service_id={service}"
    ));
    assert_eq!(log.data()["logs"], "helper\n");
}
