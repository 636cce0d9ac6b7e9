use std::fs;
use std::io::Write as _;
use std::path::PathBuf;

use serde_json::{Value, json};

use super::bench::{Bench, job};
use crate::sandbox::service::Service;

/// A job that runs and a log that the test writes to at times of its own.
struct Writing {
    bench: Bench,
    id: String,
    path: PathBuf,
}

impl Writing {
    fn start() -> Self {
        let bench = Bench::new();
        bench.configure(&json!({ "advance": "at-once" }));
        let id = bench.create(&job("sleep 600"));
        bench.service.tick();
        let process = bench.service.state().jobs[0].pods[0]
            .process
            .clone()
            .unwrap();
        Self {
            path: process.log_path(),
            bench,
            id,
        }
    }

    fn write(&self, text: &str) {
        let mut file = fs::File::options().append(true).open(&self.path).unwrap();
        file.write_all(text.as_bytes()).unwrap();
        self.bench.service.tick();
    }

    fn logs(&self, query: &str) -> Value {
        let id = &self.id;
        let answer = self.bench.get(&format!(
            "/api/v1/jobs/{id}/pods/{id}-master-0/logs?{query}"
        ));
        assert_eq!(answer.status, 200, "{query}: {}", answer.body);
        answer.body["Logs"].clone()
    }
}

#[tokio::test]
async fn windows_hold_the_lines_of_their_seconds() {
    let log = Writing::start();
    log.write("one\ntwo\n");
    log.bench.pass(1);
    log.write("three\n");
    log.bench.pass(5);
    log.write("four\npart");
    assert_eq!(log.logs(""), json!(["one", "two", "three", "four"]));
    for (from, to, wanted) in [
        ("09:41:03", "09:41:03", json!(["one", "two"])),
        ("09:41:04", "09:41:08", json!(["three"])),
        ("09:41:05", "09:41:08", json!([])),
        ("09:41:04", "09:41:09", json!(["three", "four"])),
    ] {
        let query = format!("StartTime=2026-01-12T{from}Z&EndTime=2026-01-12T{to}Z");
        assert_eq!(log.logs(&query), wanted, "{query}");
    }
    // A line belongs to the second in which it was finished.
    log.bench.pass(1);
    log.write("ial\n");
    assert_eq!(
        log.logs("StartTime=2026-01-12T09:41:10Z"),
        json!(["partial"])
    );
}

#[tokio::test]
async fn a_full_answer_keeps_one_end_and_has_one_order() {
    let log = Writing::start();
    log.write("a\nb\nc\nd\n");
    assert_eq!(log.logs("MaxLines=2"), json!(["c", "d"]));
    log.bench.configure(&json!({ "log_keeps": "oldest" }));
    assert_eq!(log.logs("MaxLines=2"), json!(["a", "b"]));
    log.bench.configure(&json!({ "log_order": "newest-first" }));
    assert_eq!(log.logs("MaxLines=2"), json!(["b", "a"]));
    let id = &log.id;
    let none = log.bench.get(&format!(
        "/api/v1/jobs/{id}/pods/{id}-master-0/logs?MaxLines=0"
    ));
    assert_eq!(none.refusal(), (400, "InvalidParameter"));
}

#[tokio::test]
async fn the_last_line_needs_no_line_feed_once_the_pod_is_over() {
    let bench = Bench::new();
    let done = bench
        .run(&job("printf 'one\\ntwo'; printf '\\377' >&2"))
        .await;
    let id = done["JobId"].as_str().unwrap();
    assert_eq!(
        bench.lines(id, &format!("{id}-master-0")),
        ["one", "two\u{fffd}"]
    );
}

#[tokio::test]
async fn a_log_belongs_to_one_pod_and_one_incarnation() {
    let bench = Bench::new();
    let done = bench.run(&job("echo hi")).await;
    let id = done["JobId"].as_str().unwrap();
    let uid = done["Pods"][0]["PodUid"].as_str().unwrap();
    let path = format!("/api/v1/jobs/{id}/pods/{id}-master-0/logs");
    let answer = bench.get(&format!(
        "{path}?PodUid={uid}&Containers=master&DownloadToFile=False"
    ));
    assert_eq!(answer.body["Logs"], json!(["hi"]));
    assert_eq!(answer.body["PodUid"], uid);
    assert_eq!(
        bench.get(&format!("{path}?PodUid=other")).refusal(),
        (404, "NotFound")
    );
    assert_eq!(
        bench
            .get(&format!("/api/v1/jobs/{id}/pods/{id}-worker-0/logs"))
            .refusal(),
        (404, "NotFound")
    );
}

#[test]
fn before_the_container_starts_the_log_is_empty() {
    let bench = Bench::new();
    bench.configure(&json!({ "advance": "at-once", "hold": "starting" }));
    let id = bench.create(&job("true"));
    bench.service.tick();
    assert_eq!(bench.lines(&id, &format!("{id}-master-0")), [""; 0]);
}

#[tokio::test]
async fn a_command_that_cannot_be_started_says_so() {
    let bench = Bench::new();
    let mut body = job("true");
    body["Settings"] = json!({ "Shell": "/nonexistent/shell" });
    let done = bench.run(&body).await;
    assert_eq!(done["Status"], "Failed");
    let id = done["JobId"].as_str().unwrap();
    let lines = bench.lines(id, &format!("{id}-master-0"));
    assert!(lines[0].contains("/nonexistent/shell"), "{lines:?}");
}

#[tokio::test]
async fn the_settings_choose_the_shell() {
    let bench = Bench::new();
    let mut body = job("echo $0");
    body["Settings"] = json!({ "Shell": "/bin/bash" });
    let done = bench.run(&body).await;
    let id = done["JobId"].as_str().unwrap();
    assert_eq!(bench.lines(id, &format!("{id}-master-0")), ["/bin/bash"]);
}
