//! Life of a group: phases, real processes, results, cancels.

use rstest::rstest;

use super::*;

#[tokio::test]
async fn a_group_goes_through_the_documented_phases() {
    let bench = Bench::new();
    let id = bench.run(&["sh", "-c", "sleep 0; exit 0"]);
    let fresh = bench.get(&id);
    assert_eq!(
        fresh["status"],
        json!({"state": "Pending", "reason": "Creating"})
    );
    assert!(fresh.get("runID").is_none() && fresh.get("nodeID").is_none());
    bench.pass(1);
    assert_eq!(bench.status(&id)["reason"], "Creating");
    bench.pass(1);
    let scheduled = bench.get(&id);
    assert_eq!(
        scheduled["status"],
        json!({"state": "Pending", "reason": "ImagePulling"})
    );
    assert!(scheduled["runID"].as_str().unwrap().parse::<u64>().is_ok());
    assert_eq!(
        scheduled["nodeID"]
            .as_str()
            .unwrap()
            .split("-agent-")
            .next(),
        Some("paraai-nc-n30")
    );
    bench.pass(3);
    assert_eq!(
        bench.status(&id),
        json!({"state": "Running", "reason": "Running", "startTime": "2024-03-08T09:15:07+08:00"})
    );
    bench.pass(50);
    let status = bench.ended(&id).await;
    assert_eq!(
        status,
        json!({
            "state": "Succeeded",
            "reason": "Succeeded",
            "startTime": "2024-03-08T09:15:07+08:00",
            "endTime": "2024-03-08T09:15:57+08:00",
            "runTime": 50,
        })
    );
}

#[tokio::test]
async fn the_exit_code_decides_and_a_failure_names_it() {
    let bench = Bench::new();
    let container =
        json!({"name": "bert", "image": "a", "command": ["sh", "-c", "echo hi; exit 7"]});
    let (status, output) = bench.run_to_end(&container).await;
    assert_eq!(status["state"], "Failed");
    assert_eq!(status["message"], "container bert exited with code 7");
    assert_eq!(output, "hi\n");
}

#[rstest]
#[case(json!(["no-such-program-anywhere"]), "no-such-program-anywhere")]
#[case(json!([]), "no command")]
#[tokio::test]
async fn what_cannot_be_started_fails(#[case] command: Value, #[case] named: &str) {
    let bench = Bench::new();
    let container = json!({"name": "job", "image": "a", "command": command});
    let (status, output) = bench.run_to_end(&container).await;
    assert_eq!(status["state"], "Failed");
    assert!(status["message"].as_str().unwrap().contains(named));
    assert!(output.contains(named));
}

#[tokio::test]
async fn every_container_must_end_and_each_must_succeed() {
    let bench = Bench::new();
    let body = json!({"instanceType": "n30.xlarge", "containers": [
        {"name": "good", "image": "a", "command": ["true"]},
        {"name": "bad", "image": "a", "command": ["sh", "-c", "read line < gate; exit 3"]},
    ]});
    let seen = bench.send(
        "POST",
        &bench.place("NC-N30/containerGroups"),
        &body.to_string(),
    );
    let id = seen.body["id"].as_str().unwrap().to_owned();
    bench.start(&id);
    let status = bench.ended(&id).await;
    assert_eq!(status["state"], "Failed");
    assert!(
        status["message"]
            .as_str()
            .unwrap()
            .contains("container bad")
    );
}

#[tokio::test]
async fn ports_are_told_in_the_answer_the_words_and_the_environment() {
    let bench = Bench::new();
    let container = json!({
        "name": "web", "image": "a",
        "command": ["sh", "-c", "echo $0 ${1} $BAT_PORT_raw; env | grep BAT_ | sort", "$BAT_PORT_ui", "--port=${BAT_PORT_ui}"],
        "ports": [{"name": "ui", "https": {}}, {"name": "raw"}],
    });
    let created = bench.create(&container).body;
    let id = created["id"].as_str().unwrap();
    let ports = created["containers"][0]["ports"].as_array().unwrap();
    let (ui, raw) = (&ports[0]["port"], &ports[1]["port"]);
    for port in [ui, raw] {
        assert!((20_000..=32_767).contains(&port.as_u64().unwrap()));
    }
    assert_ne!(ui, raw);
    let host = format!(
        "{}-nc-n30-{id}-web-ui.eci.paracloud.com",
        bench.credentials.namespace
    );
    assert_eq!(ports[0]["https"]["host"], host);
    assert!(ports[1].get("https").is_none());
    bench.start(id);
    bench.ended(id).await;
    assert_eq!(
        bench.output(id),
        format!("{ui} --port={ui} {raw}\nBAT_PORT_raw={raw}\nBAT_PORT_ui={ui}\n")
    );
}

#[tokio::test]
async fn a_volume_keeps_what_a_job_wrote() {
    let bench = Bench::new();
    let volume = bench
        .send("POST", &bench.place("NC-N30/volumes"), "{}")
        .body["id"]
        .clone();
    for (command, output) in [
        ("mkdir -p /data/out; echo kept > /data/out/file", ""),
        ("cat /data/out/file", "kept\n"),
    ] {
        let container = json!({
            "name": "job", "image": "a", "command": ["sh", "-c", command],
            "volumeMounts": [{"name": volume, "mountPath": "/data"}],
        });
        let (status, written) = bench.run_to_end(&container).await;
        assert_eq!(status["state"], "Succeeded");
        assert_eq!(written, output);
    }
}

#[tokio::test]
async fn a_volume_at_root_is_the_home_directory() {
    let bench = Bench::new();
    let volume = bench
        .send("POST", &bench.place("NC-N30/volumes"), "{}")
        .body["id"]
        .clone();
    let container = json!({
        "name": "job", "image": "a", "command": ["sh", "-c", "cd; echo here > note; cat /root/note"],
        "volumeMounts": [{"name": volume, "mountPath": "/root"}],
    });
    let (status, output) = bench.run_to_end(&container).await;
    assert_eq!(
        (status["state"].as_str(), output.as_str()),
        (Some("Succeeded"), "here\n")
    );
}

#[tokio::test]
async fn a_cancel_ends_the_process_and_keeps_the_group_as_failed() {
    let bench = Bench::new();
    let id = bench.run(&["sleep", "600"]);
    bench.start(&id);
    bench.pass(10);
    assert_eq!(bench.cancel(&id), 204);
    assert_eq!(
        bench.status(&id),
        json!({
            "state": "Failed",
            "reason": "Cancelled",
            "startTime": "2024-03-08T09:15:07+08:00",
            "endTime": "2024-03-08T09:15:17+08:00",
            "runTime": 10,
        })
    );
    assert_eq!(bench.cancel(&id), 204);
    // Its files go when its process has gone.
    let files = bench.folder.path().join(format!("jobs/paracloud-{id}"));
    until(|| !files.exists()).await;
}

#[tokio::test]
async fn a_group_cancelled_while_pending_never_started() {
    let bench = Bench::new();
    let id = bench.run(&["sleep", "600"]);
    assert_eq!(bench.cancel(&id), 204);
    let status = bench.status(&id);
    assert_eq!(status["reason"], "Cancelled");
    assert!(status.get("startTime").is_none() && status.get("runTime").is_none());
    bench.pass(60);
    assert_eq!(bench.state(&id), "Failed");
}

#[tokio::test]
async fn cancelling_after_the_end_changes_nothing_and_of_nobody_is_404() {
    let bench = Bench::new();
    let id = bench.run(&["true"]);
    bench.start(&id);
    bench.ended(&id).await;
    assert_eq!(bench.cancel(&id), 204);
    assert_eq!(bench.state(&id), "Succeeded");
    assert_eq!(bench.cancel("zzzzzzzz"), 404);
}

#[tokio::test]
async fn speed_shortens_the_delays() {
    let bench = Bench::new();
    bench.clock.set_speed(1000.0).unwrap();
    let id = bench.run(&["true"]);
    bench.clock.advance(Duration::from_millis(2));
    assert_eq!(bench.status(&id)["reason"], "ImagePulling");
    bench.clock.advance(Duration::from_millis(3));
    bench.ended(&id).await;
}

#[tokio::test]
async fn a_reset_forgets_everything_but_the_seeded_namespaces() {
    let bench = Bench::new();
    let id = bench.run(&["sleep", "600"]);
    bench.start(&id);
    bench.send("POST", "namespaces", "{}");
    bench.configure(&json!({"create_status": 200}));
    bench.service.reset();
    let namespaces = bench.send("GET", "namespaces", "").body;
    assert_eq!(
        namespaces,
        json!({"namespaces": [{"id": bench.credentials.namespace}]})
    );
    let groups = bench
        .send("GET", &bench.place("-/containerGroups"), "")
        .body;
    assert_eq!(groups, json!({"containerGroups": []}));
    assert_eq!(bench.send("POST", "namespaces", "{}").status, 201);
    bench.launcher.stop().await;
}
