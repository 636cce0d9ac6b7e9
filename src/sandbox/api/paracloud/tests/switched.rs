//! Every switch of the table's last column changes what it says.

use rstest::rstest;

use super::*;

#[test]
fn creates_can_answer_200() {
    let bench = Bench::new();
    bench.configure(&json!({"create_status": 200}));
    assert_eq!(bench.send("POST", "namespaces", "{}").status, 200);
    let path = bench.place("NC-N30/volumes");
    assert_eq!(bench.send("POST", &path, "{}").status, 200);
    assert_eq!(bench.create(&json!({"image": "a"})).status, 200);
}

#[test]
fn a_lenient_server_ignores_what_it_does_not_know() {
    let bench = Bench::new();
    bench.configure(&json!({"lenient": true}));
    let seen = bench.create(&json!({"image": "a", "env": [{"name": "A"}], "ports": null}));
    assert_eq!(seen.status, 201);
    assert!(seen.body["containers"][0].get("env").is_none());
}

#[test]
fn ids_can_be_given() {
    let bench = Bench::new();
    bench.configure(&json!({"ids": ["k8r2wq", "p6vd2hcn"]}));
    assert_eq!(bench.send("POST", "namespaces", "{}").body["id"], "k8r2wq");
    assert_eq!(bench.create(&json!({"image": "a"})).body["id"], "p6vd2hcn");
    assert_ne!(bench.create(&json!({"image": "a"})).body["id"], "p6vd2hcn");
}

#[test]
fn lists_can_be_null_missing_or_have_another_page() {
    let bench = Bench::new();
    let list = || bench.send("GET", &bench.place("-/volumes"), "").body;
    bench.configure(&json!({"empty_lists": "null"}));
    assert_eq!(list(), json!({"volumes": null}));
    bench.configure(&json!({"empty_lists": "missing"}));
    assert_eq!(list(), json!({}));
    bench.configure(&json!({"next_page_token": true}));
    assert!(list()["nextPageToken"].is_string());
}

#[test]
fn shuffled_lists_hold_the_same_items_in_another_order() {
    let bench = Bench::new();
    for _ in 0..12 {
        bench.send("POST", "namespaces", "{}");
    }
    let ids = || -> Vec<String> {
        let listed = bench.send("GET", "namespaces", "").body;
        let items = listed["namespaces"].as_array().unwrap().iter();
        items.map(|item| item["id"].to_string()).collect()
    };
    let created = ids();
    bench.configure(&json!({"list_order": "shuffled"}));
    let mut shuffled = ids();
    assert_ne!(shuffled, created);
    shuffled.sort();
    let mut sorted = created;
    sorted.sort();
    assert_eq!(shuffled, sorted);
}

#[test]
fn catalogue_entries_can_be_added_as_odd_as_wanted() {
    let bench = Bench::new();
    let odd =
        json!({"id": "n30.xlarge", "clusterID": "NC-NEW", "gpu": {"count": "0.5", "model": "A10"}});
    bench.configure(&json!({"extra_types": [odd]}));
    let listed = bench.send("GET", "clusters/NC-NEW/instanceTypes", "").body;
    assert_eq!(listed["instanceTypes"], json!([odd]));
    let body = json!({"instanceType": "n30.xlarge", "containers": [{"image": "a"}]}).to_string();
    let there = bench.send("POST", &bench.place("NC-NEW/containerGroups"), &body);
    assert_eq!(there.body["clusterID"], "NC-NEW");
}

#[tokio::test]
async fn numbers_nulls_and_times_can_take_their_other_forms() {
    let bench = Bench::new();
    bench.configure(&json!({
        "numeric_ids": true, "nulls": true, "times": "utc", "run_time": "text",
    }));
    let id = bench.run(&["true"]);
    let fresh = bench.get(&id);
    assert_eq!(fresh["userID"], 1024);
    assert_eq!(fresh.get("runID"), Some(&Value::Null));
    assert_eq!(fresh["status"].get("startTime"), Some(&Value::Null));
    assert_eq!(fresh["containers"][0].get("ports"), Some(&Value::Null));
    bench.start(&id);
    let status = bench.ended(&id).await;
    assert!(bench.get(&id)["runID"].is_u64());
    assert_eq!(status["startTime"], "2024-03-08T01:15:07Z");
    assert_eq!(status["runTime"], "0");
}

#[rstest]
#[case("seconds", json!(2))]
#[case("text", json!("2"))]
#[case("milliseconds", json!(2000))]
#[case("absent", Value::Null)]
fn the_run_time_has_four_forms(#[case] form: &str, #[case] shown: Value) {
    let bench = Bench::new();
    bench.configure(&json!({"run_time": form, "results": {"played": 0}}));
    let id = bench.submit(&json!({"image": "played"}));
    bench.start(&id);
    bench.pass(2);
    assert_eq!(bench.status(&id)["runTime"], shown);
}

#[rstest]
#[case(0, "Succeeded")]
#[case(3, "Failed")]
fn a_run_can_be_played_by_the_images_name(#[case] code: i32, #[case] state: &str) {
    let bench = Bench::new();
    bench.configure(&json!({"results": {"played": code}}));
    let id = bench.submit(&json!({"image": "played", "command": ["no-such-program-anywhere"]}));
    bench.start(&id);
    assert_eq!(bench.state(&id), "Running");
    bench.pass(2);
    assert_eq!(bench.state(&id), state);
}

#[rstest]
#[case("pending", "Pending", "Creating")]
#[case("starting", "Pending", "ImagePulling")]
#[case("running", "Running", "Running")]
#[case("unknown", "Unknown", "Running")]
fn a_held_group_stays_until_it_is_released(
    #[case] hold: &str,
    #[case] state: &str,
    #[case] reason: &str,
) {
    let bench = Bench::new();
    bench.configure(&json!({"hold": hold, "results": {"played": 0}}));
    let id = bench.submit(&json!({"image": "played"}));
    for _ in 0..5 {
        bench.pass(100);
        bench.service.tick();
    }
    let status = bench.status(&id);
    assert_eq!(
        (&status["state"], &status["reason"]),
        (&json!(state), &json!(reason))
    );
    bench.configure(&json!({"hold": null}));
    for _ in 0..5 {
        bench.pass(100);
        bench.service.tick();
    }
    assert_eq!(bench.state(&id), "Succeeded");
}

#[test]
fn the_state_word_can_be_unknown_for_a_while() {
    let bench = Bench::new();
    let id = bench.submit(&json!({"image": "a"}));
    for word in ["Unknown", "Evaporated"] {
        bench.configure(&json!({"state_word": word}));
        assert_eq!(bench.state(&id), word);
    }
    bench.configure(&json!({"state_word": null}));
    assert_eq!(bench.state(&id), "Pending");
}

#[test]
fn a_pull_can_fail_for_good() {
    let bench = Bench::new();
    bench.configure(&json!({"pull_failure": {"message": "manifest unknown", "then": "fail"}}));
    let id = bench.submit(&json!({"image": "a"}));
    bench.start(&id);
    let status = bench.status(&id);
    assert_eq!(status["state"], "Failed");
    assert_eq!(status["message"], "manifest unknown");
    assert!(status["endTime"].is_string() && status.get("startTime").is_none());
}

#[test]
fn a_pull_can_fail_until_the_registry_is_back() {
    let bench = Bench::new();
    bench.configure(&json!({
        "pull_failure": {"message": "no route to host", "then": "stay"}, "results": {"a": 0},
    }));
    let id = bench.submit(&json!({"image": "a"}));
    bench.pass(2);
    bench.service.tick();
    bench.pass(3);
    let status = bench.status(&id);
    assert_eq!(
        status,
        json!({"state": "Pending", "reason": "ErrImagePull", "message": "no route to host"})
    );
    bench.configure(&json!({"pull_failure": null}));
    assert_eq!(bench.status(&id)["reason"], "ImagePulling");
    bench.pass(3);
    assert_eq!(bench.state(&id), "Running");
}

#[test]
fn ports_can_come_late() {
    let bench = Bench::new();
    bench.configure(&json!({"late_ports": true}));
    let container = json!({"image": "a", "ports": [{"name": "ui", "https": {}}]});
    let created = bench.create(&container).body;
    let port = |group: &Value| group["containers"][0]["ports"][0].clone();
    assert_eq!(port(&created)["port"], 0);
    assert_eq!(port(&created)["https"]["host"], "");
    bench.pass(2);
    let later = bench.get(created["id"].as_str().unwrap());
    assert!(port(&later)["port"].as_u64().unwrap() >= 20_000);
}

#[rstest]
#[case(&["sh", "-c", "exit 7"], "Succeeded")]
#[case(&["test", "$((1+1))", "=", "2"], "Succeeded")]
#[case(&["echo", "$UNSET_ANYWHERE/*"], "Failed")]
#[tokio::test]
async fn joined_words_go_to_a_shell(#[case] command: &[&str], #[case] state: &str) {
    let bench = Bench::new();
    bench.configure(&json!({"argv": "join"}));
    let container = json!({"image": "a", "command": command});
    let (status, _) = bench.run_to_end(&container).await;
    assert_eq!(status["state"], state);
}

#[tokio::test]
async fn a_cancel_can_remove_the_group() {
    let bench = Bench::new();
    bench.configure(&json!({"cancel": "remove"}));
    let id = bench.run(&["sleep", "600"]);
    bench.start(&id);
    assert_eq!(bench.cancel(&id), 204);
    assert_eq!(bench.send("GET", &bench.group(&id), "").status, 404);
    assert_eq!(bench.cancel(&id), 404);
}

#[tokio::test]
async fn a_cancel_can_take_its_time() {
    let bench = Bench::new();
    bench.configure(&json!({"cancel_delay_s": 20.0}));
    let id = bench.run(&["sleep", "600"]);
    bench.start(&id);
    assert_eq!(bench.cancel(&id), 204);
    bench.pass(19);
    assert_eq!(bench.cancel(&id), 204);
    assert_eq!(bench.state(&id), "Running");
    bench.pass(1);
    assert_eq!(bench.status(&id)["reason"], "Cancelled");
}

#[tokio::test]
async fn a_finished_group_can_refuse_its_cancel() {
    let bench = Bench::new();
    bench.configure(&json!({"cancel_finished": 409}));
    let id = bench.run(&["true"]);
    assert_eq!(bench.cancel(&id), 204);
    assert_eq!(bench.cancel(&id), 409);
}

#[tokio::test]
async fn deletes_of_what_is_in_use_can_be_taken() {
    let bench = Bench::new();
    bench.configure(&json!({"volume_in_use": "delete", "namespace_in_use": "delete"}));
    let volumes = bench.place("NC-N30/volumes");
    let volume = bench.send("POST", &volumes, "{}").body["id"].clone();
    let mount = json!([{"name": volume, "mountPath": "/d"}]);
    let id =
        bench.submit(&json!({"image": "a", "command": ["sleep", "600"], "volumeMounts": mount}));
    bench.start(&id);
    let path = format!("{volumes}/{}", volume.as_str().unwrap());
    assert_eq!(bench.send("DELETE", &path, "").status, 204);
    let namespace = format!("namespaces/{}", bench.credentials.namespace);
    assert_eq!(bench.send("DELETE", &namespace, "").status, 204);
    let files = bench.folder.path().join(format!("jobs/paracloud-{id}"));
    until(|| !files.exists()).await;
}

#[test]
fn a_group_can_vanish() {
    let bench = Bench::new();
    let id = bench.submit(&json!({"image": "a"}));
    bench.configure(&json!({"remove_group": id}));
    assert_eq!(bench.send("GET", &bench.group(&id), "").status, 404);
    let error = bench
        .service
        .configure(&json!({"remove_group": id}))
        .unwrap_err();
    assert!(error.contains(&id));
}

#[test]
fn a_refused_change_changes_nothing() {
    let bench = Bench::new();
    let settings = json!({"create_status": 200, "colour": "red"});
    let error = bench.service.configure(&settings).unwrap_err();
    assert!(error.contains("colour"), "{error}");
    assert_eq!(bench.send("POST", "namespaces", "{}").status, 201);
}
