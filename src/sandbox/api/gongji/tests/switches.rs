use rstest::rstest;
use serde_json::{Value, json};

use super::bench::Bench;
use crate::sandbox::service::Service;

#[rstest]
#[case(json!({ "hold": "succeeded" }), "hold")]
#[case(json!({ "colour": 1 }), "colour")]
#[case(json!({ "pending_s": -1 }), "pending_s")]
#[case(json!({ "sold_out": ["V100"] }), "V100@hebeif-1")]
#[case(json!({ "coins_per_yuan": 10 }), "coins_per_yuan")]
#[case(json!({ "billing_cycle_s": 0 }), "billing_cycle_s")]
#[case(json!({ "discount_percent": 101 }), "discount_percent")]
#[case(json!({ "fault": { "kind": "earthquake" } }), "fault")]
#[case(json!({ "fault": { "kind": "code" } }), "needs a `code`")]
#[case(json!({ "fault": { "kind": "empty-body", "operation": "job/create" } }), "task/job/create")]
#[case(json!({ "preempt": 1, "list_lag_s": 5 }), "no job 1")]
#[case(json!([]), "object")]
fn a_wrong_switch_is_named_and_changes_nothing(#[case] settings: Value, #[case] named: &str) {
    let bench = Bench::new();
    let before = bench.service.summary();
    let error = bench.service.configure(&settings).unwrap_err();
    assert!(error.contains(named), "{error}");
    assert_eq!(bench.service.summary(), before);
}

#[test]
fn jobs_stay_where_they_are_held() {
    let bench = Bench::new();
    bench.configure(&json!({ "hold": "pending" }));
    let id = bench.create(&bench.job("true"));
    bench.pass(1000);
    assert_eq!(bench.words(id).0, "Pending");
    bench.configure(&json!({ "hold": null, "node_pending_s": 10_000 }));
    assert_eq!(bench.words(id).0, "Running");
    let mut spot = bench.job("true");
    spot["sub_type"] = json!("Spot");
    spot["job_support"]["estimated_exec_sec"] = json!(60);
    bench.configure(&json!({ "hold": "queued" }));
    let id = bench.create(&spot);
    bench.pass(1000);
    assert_eq!(bench.detail(id)["schedule_status"], "Queued");
}

#[tokio::test]
async fn a_job_held_running_has_nodes_that_ended() {
    let bench = Bench::new();
    bench.configure(&json!({ "advance": "at-once", "hold": "running" }));
    let id = bench.create(&bench.job("true"));
    bench.pass(0);
    bench.processes_end().await;
    assert_eq!(bench.words(id), ("Running".into(), "Running".into()));
    assert_eq!(bench.nodes(id)[0]["status"], "Succeeded");
    bench.configure(&json!({ "hold": null }));
    assert_eq!(bench.words(id).1, "Complete");
}

#[test]
fn jobs_can_go_on_by_reads() {
    let bench = Bench::new();
    bench.configure(&json!({ "advance": { "reads": 2 } }));
    let id = bench.create(&bench.job("true"));
    bench.pass(1000);
    assert_eq!(bench.words(id).0, "Pending");
    assert_eq!(bench.words(id).0, "Pending");
    bench.service.state().switches.results.insert(
        "registry.example/team/train:2.3".to_owned(),
        serde_json::from_value(json!({ "exit_code": 0, "duration_s": 5, "log": "played\n" }))
            .unwrap(),
    );
    assert_eq!(bench.words(id).0, "Running");
    assert_eq!(bench.log(id, &bench.nodes(id)[0])["logs"], "played\n");
    bench.pass(5);
    assert_eq!(bench.words(id).1, "Complete");
}

#[test]
fn a_played_run_ends_with_its_code_after_its_time() {
    let bench = Bench::new();
    bench.configure(&json!({
        "advance": "at-once",
        "results": { "registry.example/team/train:2.3": { "exit_code": 9, "duration_s": 30, "log": "" } },
    }));
    let id = bench.create(&bench.job("never run"));
    bench.pass(29);
    assert_eq!(bench.words(id).1, "Running");
    bench.pass(30);
    assert_eq!(bench.words(id).1, "Failed");
    assert_eq!(bench.nodes(id)[0]["containers"][0]["exit_code"], "9");
}

#[rstest]
#[case("bad-gateway", 502, "<html>")]
#[case("server-error", 500, "C999")]
#[case("unavailable", 503, "")]
#[case("too-many-requests", 429, "slow down")]
#[case("empty-body", 200, "")]
fn a_fault_comes_before_or_after_the_effect(
    #[case] kind: &str,
    #[case] status: u16,
    #[case] holds: &str,
) {
    let bench = Bench::new();
    let body = bench.job("true").to_string();
    for (when, created) in [("before", 0), ("after", 1)] {
        bench.configure(&json!({ "fault": {
            "kind": kind, "when": when, "operation": "task/job/create", "times": 1, "retry_after": 7,
        } }));
        assert_eq!(bench.get("task/job/search").data()["count"], 0);
        let request = bench.request("POST", "/api/task/job/create", &body);
        let answer = bench.raw(&request);
        assert_eq!(answer.status.as_u16(), status);
        let text = String::from_utf8(answer.body.to_vec()).unwrap();
        assert!(text.contains(holds), "{text}");
        if holds.is_empty() {
            assert_eq!(text, "");
        }
        if status == 429 {
            assert_eq!(answer.headers["retry-after"], "7");
        }
        assert_eq!(bench.get("task/job/search").data()["count"], created);
    }
    // The rule is used up.
    bench.create(&serde_json::from_str(&body).unwrap());
}

#[test]
fn a_torn_answer_and_any_code_can_be_played() {
    let bench = Bench::new();
    let torn = json!({ "fault": { "kind": "truncated", "when": "after" } });
    bench.configure(&torn);
    let answer = bench.raw(&bench.request("GET", "/api/task/job/search", ""));
    assert_eq!(answer.status.as_u16(), 200);
    assert!(!answer.body.is_empty());
    assert!(serde_json::from_slice::<Value>(&answer.body).is_err());
    bench.configure(&json!({ "fault": { "kind": "code", "code": "A003", "message": "登录过期" } }));
    let answer = bench.get("task/job/search");
    assert_eq!(
        (answer.refusal(), answer.message()),
        ((200, "A003"), "登录过期")
    );
}

#[test]
fn unknown_words_can_be_shown() {
    let bench = Bench::new();
    let id = bench.create(&bench.job("true"));
    bench.configure(&json!({ "status_word": "Other", "outcome_word": "Manual" }));
    assert_eq!(bench.words(id), ("Other".into(), "Manual".into()));
}

#[tokio::test]
async fn a_reset_takes_everything_back_and_repeats_its_ids() {
    let bench = Bench::new();
    bench.configure(&json!({ "advance": "at-once", "sell_out_after_look": ["A100@beijing-2"] }));
    let first = bench.create(&bench.job("sleep 600"));
    bench.pass(0);
    let summary = bench.service.summary();
    assert_eq!(summary["jobs"]["running"], 1);
    assert_eq!(summary["requests"]["task/job/create"], 1);
    assert_eq!(summary["switches"]["advance"], "at-once");
    let processes = bench.processes();
    bench.service.reset();
    for process in processes {
        process.finished().await;
    }
    assert_eq!(bench.get("task/job/search").data()["count"], 0);
    assert_eq!(bench.service.summary()["switches"]["advance"], "time");
    assert_eq!(bench.create(&bench.job("true")), first);
}
