use std::fs;

use serde_json::{Value, json};

use super::bench::Bench;
use crate::sandbox::service::Service;
use crate::sandbox::trouble::Trouble;

fn reasons(bench: &Bench, node: &Value) -> Vec<String> {
    let point = &node["point_id"];
    let answer = bench.get(&format!("deployment/task/pod_event?point_id={point}"));
    let events = answer.data()["events"].as_array().unwrap().clone();
    let reason = |event: &Value| event["reason"].as_str().unwrap().to_owned();
    events.iter().rev().map(reason).collect()
}

/// A job that runs until something befalls it.
fn running(bench: &Bench, backoff_limit: u32) -> i64 {
    bench.configure(&json!({ "advance": "at-once" }));
    let mut job = bench.job("sleep 600");
    job["job_support"]["mod_param"]["default"]["backoff_limit"] = json!(backoff_limit);
    let id = bench.create(&job);
    bench.pass(0);
    id
}

fn befall(bench: &Bench, id: i64, trouble: Trouble) {
    bench.service.befall(&id.to_string(), trouble).unwrap();
    bench.pass(0);
}

#[test]
fn an_image_that_cannot_be_pulled_keeps_the_job_waiting() {
    let bench = Bench::new();
    bench.configure(&json!({ "advance": "at-once" }));
    let mut job = bench.job("true");
    job["services"][0]["service_image"] = json!("gpujob.invalid/train:1");
    let id = bench.create(&job);
    bench.pass(0);
    bench.pass(60);
    assert_eq!(bench.words(id), ("Pending".into(), "Pending".into()));
    let node = bench.nodes(id)[0].clone();
    assert_eq!(node["status"], "Pending");
    let container = &node["containers"][0];
    assert_eq!(container["reason"], "ImagePullBackOff");
    assert_eq!(container["exit_code"], Value::Null);
    assert!(
        container["message"]
            .as_str()
            .unwrap()
            .contains("gpujob.invalid/train:1")
    );
    let reasons = reasons(&bench, &node);
    let end = &reasons[reasons.len() - 5..];
    assert_eq!(end, ["Pulling", "Failed", "Failed", "BackOff", "Failed"]);
    let found = bench.get("task/job/search?status=Pending&page=1&page_size=10");
    assert_eq!(found.data()["count"], 1);
    bench.pass(5400);
    assert_eq!(bench.words(id).1, "Failed");
}

#[tokio::test]
async fn a_node_that_dies_fails_the_job_or_is_replaced() {
    let bench = Bench::new();
    let id = running(&bench, 0);
    befall(&bench, id, Trouble::NodeFails);
    assert_eq!(bench.words(id).1, "Failed");
    let node = bench.nodes(id)[0].clone();
    assert_eq!(node["status"], "Failed");
    assert_eq!(node["containers"][0]["reason"], "NodeLost");
    assert!(reasons(&bench, &node).contains(&"NodeLost".to_owned()));
    let id = running(&bench, 1);
    befall(&bench, id, Trouble::NodeFails);
    let words: Vec<Value> = bench
        .nodes(id)
        .iter()
        .map(|node| node["status"].clone())
        .collect();
    assert_eq!(words, ["Failed", "Running"]);
    bench.stop(id).data();
    bench.processes_end().await;
}

#[tokio::test]
async fn a_pod_that_is_replaced_has_another_id_and_an_empty_log() {
    let bench = Bench::new();
    let id = running(&bench, 0);
    befall(&bench, id, Trouble::Restarts);
    let nodes = bench.nodes(id);
    assert_eq!(nodes.len(), 2);
    assert_eq!(nodes[0]["status"], "End");
    assert_ne!(nodes[0]["point_id"], nodes[1]["point_id"]);
    assert_eq!(bench.words(id), ("Running".into(), "Running".into()));
    assert_eq!(bench.log(id, &nodes[1])["logs"], "");
    befall(&bench, id, Trouble::TimesOut);
    assert_eq!(bench.words(id).1, "Failed");
    let last = bench.nodes(id)[1].clone();
    assert!(reasons(&bench, &last).contains(&"DeadlineExceeded".to_owned()));
    bench.processes_end().await;
}

#[tokio::test]
async fn a_job_that_vanishes_is_neither_found_nor_listed() {
    let bench = Bench::new();
    let id = running(&bench, 0);
    befall(&bench, id, Trouble::Vanishes);
    let answer = bench.get(&format!("task/job/detail?task_id={id}"));
    assert_eq!(answer.refusal().1, "C007");
    let found = bench.get("task/job/search?page=1&page_size=10");
    assert_eq!(found.data()["count"], 0);
    let again = bench.service.befall(&id.to_string(), Trouble::Vanishes);
    assert!(again.unwrap_err().contains("no such job"));
}

#[tokio::test]
async fn a_log_is_rotated_or_keeps_its_end() {
    let bench = Bench::new();
    let id = running(&bench, 0);
    let node = bench.nodes(id)[0].clone();
    let path = bench.processes()[0].log_path();
    fs::write(&path, "line 1\nline 2\nline 3\n").unwrap();
    let log = || bench.log(id, &node)["logs"].as_str().unwrap().to_owned();
    bench.configure(&json!({ "log_rotates_at": 100 }));
    assert_eq!(log(), "line 1\nline 2\nline 3\n");
    bench.configure(&json!({ "log_rotates_at": 12 }));
    assert_eq!(log(), "line 3\n");
    bench.configure(&json!({ "log_rotates_at": 21 }));
    assert_eq!(log(), "");
    bench.configure(&json!({ "log_rotates_at": null, "log_keeps": 16 }));
    assert_eq!(log(), "line 2\nline 3\n");
    bench.stop(id).data();
    bench.processes_end().await;
}

#[test]
fn there_are_as_many_devices_as_a_test_wants() {
    let bench = Bench::new();
    let job = bench.job("true");
    bench.configure(&json!({ "inventory": 0 }));
    assert_eq!(bench.post("task/job/create", &job).refusal().1, "C999");
    bench.configure(&json!({ "inventory": 300 }));
    bench.create(&bench.job("true"));
}
