use serde_json::{Value, json};

use super::bench::{Bench, job, quota_job};
use crate::sandbox::service::Service;
use crate::sandbox::trouble::Trouble;

fn events(bench: &Bench, job: &str) -> String {
    let answer = bench.get(&format!("/api/v1/jobs/{job}/events"));
    let events: Vec<String> = serde_json::from_value(answer.body["Events"].clone()).unwrap();
    events.join("\n")
}

/// A job that runs until something befalls it.
fn running(bench: &Bench, body: &Value) -> String {
    bench.configure(&json!({ "advance": "at-once", "hold": null }));
    let id = bench.create(body);
    bench.service.tick();
    assert_eq!(bench.status(&id), "Running");
    id
}

fn befall(bench: &Bench, id: &str, trouble: Trouble) {
    bench.service.befall(id, trouble).unwrap();
}

#[test]
fn an_image_that_cannot_be_pulled_keeps_the_job_preparing() {
    let bench = Bench::new();
    bench.configure(&json!({ "advance": "at-once" }));
    let mut body = job("true");
    body["JobSpecs"][0]["Image"] = json!("gpujob.invalid/torch:1");
    let id = bench.create(&body);
    bench.pass(3600);
    let shown = bench.job(&id);
    assert_eq!(shown["Status"], "EnvPreparing");
    assert_eq!(shown["ReasonCode"], "ImagePullBackOff");
    assert!(
        shown["ReasonMessage"]
            .as_str()
            .unwrap()
            .contains("gpujob.invalid/torch:1")
    );
    assert_eq!(shown["Pods"][0]["Status"], "Pending");
    let events = events(&bench, &id);
    assert!(
        events.contains("Warning BackOff back-off pulling image"),
        "{events}"
    );
    assert!(events.contains("ErrImagePull"), "{events}");
    let stopped = bench.call("POST", &format!("/api/v1/jobs/{id}/stop"), None);
    assert_eq!(stopped.status, 200);
    assert_eq!(bench.status(&id), "Stopped");
}

#[tokio::test]
async fn a_node_that_dies_fails_the_job() {
    let bench = Bench::new();
    let id = running(&bench, &job("sleep 600"));
    befall(&bench, &id, Trouble::NodeFails);
    bench.processes_end().await;
    let shown = bench.job(&id);
    assert_eq!(
        (&shown["Status"], &shown["ReasonCode"]),
        (&json!("Failed"), &json!("JobFailed"))
    );
    let events = events(&bench, &id);
    assert!(events.contains("Warning NodeNotReady"), "{events}");
    assert!(events.contains("exited with code 137"), "{events}");
    assert!(bench.service.befall(&id, Trouble::NodeFails).is_err());
}

#[tokio::test]
async fn pods_that_are_replaced_have_new_ids_and_logs_and_keep_the_old_ones_history() {
    let bench = Bench::new();
    let id = running(&bench, &quota_job("echo $RANK; sleep 600", 2));
    let old = bench.job(&id)["Pods"][1]["PodUid"].clone();
    bench.configure(&json!({ "hold": "Restarting" }));
    befall(&bench, &id, Trouble::Restarts);
    let shown = bench.job(&id);
    assert_eq!(
        (&shown["Status"], &shown["SubStatus"]),
        (&json!("Restarting"), &json!("Restarting"))
    );
    assert_eq!(shown["RestartTimes"], "1/10");
    let pod = shown["Pods"][1].clone();
    assert_eq!(pod["Status"], "Pending");
    assert_ne!(pod["PodUid"], old);
    assert_eq!(pod["HistoryPods"][0]["PodUid"], old);
    let logs = |uid: &Value| {
        let name = pod["PodId"].as_str().unwrap();
        let uid = uid.as_str().unwrap();
        let answer = bench.get(&format!("/api/v1/jobs/{id}/pods/{name}/logs?PodUid={uid}"));
        assert_eq!(answer.status, 200, "{}", answer.body);
        assert_eq!(answer.body["PodUid"], uid);
        answer.body["Logs"].clone()
    };
    assert_eq!(logs(&pod["PodUid"]), json!([]));
    logs(&old);
    bench.configure(&json!({ "hold": null }));
    assert_eq!(bench.status(&id), "Running");
    befall(&bench, &id, Trouble::TimesOut);
    bench.processes_end().await;
    assert_eq!(bench.status(&id), "Stopped");
}

#[tokio::test]
async fn a_job_that_vanishes_is_neither_found_nor_listed() {
    let bench = Bench::new();
    let id = running(&bench, &job("sleep 600"));
    befall(&bench, "resnet-a10-7f3c", Trouble::Vanishes);
    assert_eq!(bench.get(&format!("/api/v1/jobs/{id}")).status, 404);
    assert_eq!(bench.get("/api/v1/jobs").body["TotalCount"], 0);
    assert!(
        bench
            .service
            .befall(&id, Trouble::Vanishes)
            .unwrap_err()
            .contains("no such job")
    );
}

#[tokio::test]
async fn no_answer_has_more_lines_than_the_switch_allows() {
    let bench = Bench::new();
    bench.configure(&json!({ "log_most_lines": 3 }));
    let ended = bench.run(&job("seq 1 9000")).await;
    let id = ended["JobId"].as_str().unwrap();
    let logs = |query: &str| {
        let path = format!("/api/v1/jobs/{id}/pods/{id}-master-0/logs?{query}");
        bench.get(&path).body["Logs"].clone()
    };
    assert_eq!(logs("MaxLines=5000"), json!(["8998", "8999", "9000"]));
    bench.configure(&json!({ "log_most_lines": null }));
    assert_eq!(logs("").as_array().unwrap().len(), 2000);
    assert_eq!(logs("MaxLines=20000").as_array().unwrap().len(), 9000);
    assert_eq!(logs("MaxLines=1"), json!(["9000"]));
}
