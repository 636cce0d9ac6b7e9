//! How a job ended, as its pods tell it, and how a stop did (gongji.md §2.6, §5.1; cli.md §10).

use rstest::rstest;
use serde_json::json;

use super::script::{Bench, ok, refused};
use super::*;
use crate::error::{Kind, Result};
use crate::model::{Job, ResourceRef, State};
use crate::provider::{Observation, Provider, Tracked};
use crate::testing::{Scripted, answer};

const DETAIL: &str = "GET /api/task/job/detail?task_id=2100457";
const POINTS: &str = "GET /api/deployment/task/points?task_id=2100457&page=1&page_size=100";
const SEARCH: &str = "GET /api/task/job/search?page=1&page_size=100";
const STOP: &str = "POST /api/task/job/stop";

fn detail(changes: &Value) -> Value {
    let mut detail = data("detail-running");
    for (name, value) in changes.as_object().unwrap() {
        detail[name] = value.clone();
    }
    detail
}

/// Failed at this time; the clock stands at 04:00:00.
fn failed(end: &Value) -> Value {
    detail(&json!({
        "billing_points": 0,
        "job_status": {"status": "Failed", "completion_time": end},
    }))
}

fn pod(status: &str, container: &Value) -> Value {
    json!({"count": 1, "results": [
        {"point_id": 7, "name": "pod-a", "status": status, "containers": [container]},
    ]})
}

fn ended() -> Scripted {
    ok(&pod("Failed", &json!({"exit_code": "3"})))
}

async fn observed(bench: &Bench) -> Result<Job> {
    let tracked = Tracked {
        job_ref: ResourceRef::new("gongji", ["2100457"]),
        cancel_requested_at: None,
        time_limit_s: None,
        reading: None,
        start_by: None,
    };
    let mut observations = bench.gongji.observe(&[tracked]).await?;
    match observations.pop() {
        Some(Observation::Seen(job)) => Ok(*job),
        other => panic!("{other:?}"),
    }
}

#[rstest]
#[case::refused(refused("busy"))]
#[case::runs_on(ok(&pod("Running", &json!({}))))]
#[case::no_code(ok(&pod("Failed", &json!({}))))]
#[case::no_row(ok(&json!({"count": 0, "results": []})))]
#[tokio::test(start_paused = true)]
async fn the_code_of_a_job_that_failed_a_moment_ago_may_come_late(
    #[case] first: Scripted,
    #[values(json!(null), json!("2026-05-10T03:59:58Z"))] end: Value,
) {
    let bench = Bench::new([
        (DETAIL, ok(&failed(&end))),
        (POINTS, first.clone()),
        (POINTS, first),
        (POINTS, ended()),
    ]);
    assert_eq!(observed(&bench).await.unwrap().exit_code, Some(3));
}

#[rstest]
#[case::empty(answer(200, ""), Kind::Protocol)]
#[case::a_page(answer(200, "<html>".to_owned()), Kind::Protocol)]
#[case::login(answer(401, ""), Kind::Auth)]
#[tokio::test(start_paused = true)]
async fn what_hides_the_code_is_a_failed_poll(#[case] reply: Scripted, #[case] kind: Kind) {
    let bench = Bench::new([(DETAIL, ok(&failed(&json!(null)))), (POINTS, reply)]);
    assert_eq!(observed(&bench).await.unwrap_err().kind(), kind);
}

#[rstest]
#[case::at_its_limit("DeadlineExceeded")]
#[case::with_its_node("NodeLost")]
#[tokio::test(start_paused = true)]
async fn the_code_of_what_was_killed_comes_a_moment_later(#[case] reason: &str) {
    let killed = |code: Value| pod("Failed", &json!({"reason": reason, "exit_code": code}));
    let bench = Bench::new([
        (DETAIL, ok(&failed(&json!("2026-05-10T03:59:58Z")))),
        (POINTS, ok(&killed(json!(null)))),
        (POINTS, ok(&killed(json!("143")))),
    ]);
    assert_eq!(observed(&bench).await.unwrap().exit_code, Some(143));
}

#[tokio::test(start_paused = true)]
async fn one_whose_code_is_hidden_hides_no_other() {
    let mut other = failed(&json!(null));
    other["task_id"] = json!(2_100_458);
    let rows = json!({"count": 2, "results": [failed(&json!(null)), other]});
    let of_other = POINTS.replace("2100457", "2100458");
    let bench = Bench::new([
        (SEARCH, ok(&rows)),
        (POINTS, answer(200, "<html>")),
        (of_other.as_str(), ended()),
    ]);
    let jobs = ["2100457", "2100458"].map(|id| testing::tracked(ResourceRef::new("gongji", [id])));
    let seen = bench.gongji.observe(&jobs).await.unwrap();
    assert!(matches!(&seen[0], Observation::Unread(error) if error.kind() == Kind::Protocol));
    assert!(matches!(&seen[1], Observation::Seen(job) if job.exit_code == Some(3)));
}

#[tokio::test(start_paused = true)]
async fn a_refusal_of_the_pods_counts_while_they_must_be_known() {
    let lately = failed(&json!("2026-05-10T03:59:58Z"));
    let no = || (POINTS, refused("no"));
    let bench = Bench::new([(DETAIL, ok(&lately)), no(), no(), no(), no()]);
    let error = observed(&bench).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Rejected);
    // Later they may be forgotten: the record is all there is.
    let long_ago = failed(&json!("2026-05-10T03:40:00Z"));
    for reply in [refused("no"), ok(&json!(null))] {
        let bench = Bench::new([(DETAIL, ok(&long_ago)), (POINTS, reply)]);
        let job = observed(&bench).await.unwrap();
        assert_eq!((job.state, job.exit_code), (State::Failed, None));
    }
}

#[tokio::test(start_paused = true)]
async fn a_container_that_never_ran_has_no_code_to_wait_for() {
    let container = json!({"reason": "StartError", "message": "exec: not found"});
    let mut detail = failed(&json!(null));
    detail["billing_points"] = json!(1);
    let bench = Bench::new([
        (DETAIL, ok(&detail)),
        (POINTS, ok(&pod("Failed", &container))),
    ]);
    let job = observed(&bench).await.unwrap();
    assert_eq!(job.reason.as_deref(), Some("StartError"));
    // The cause stands before what it costs.
    assert_eq!(
        job.message.as_deref(),
        Some("exec: not found; 1 pod is still charged")
    );
}

#[rstest]
#[case(json!({"reason": "DeadlineExceeded", "exit_code": "143"}), 1, Some(143))]
// A code that never comes is looked for a few times.
#[case(json!({"reason": "DeadlineExceeded"}), 4, None)]
#[tokio::test(start_paused = true)]
async fn a_pods_word_for_the_time_limit_is_the_reason(
    #[case] container: Value,
    #[case] looks: usize,
    #[case] code: Option<i64>,
) {
    let mut script = vec![(DETAIL, ok(&failed(&json!(null))))];
    script.resize(1 + looks, (POINTS, ok(&pod("Failed", &container))));
    let bench = Bench::of(script);
    let job = observed(&bench).await.unwrap();
    assert_eq!(
        (job.reason.as_deref(), job.exit_code),
        (Some("timeout"), code)
    );
}

#[tokio::test(start_paused = true)]
async fn a_job_that_waits_says_why_its_container_does() {
    let waiting = detail(&json!({
        "status": "Pending",
        "job_status": {"status": "Pending"},
        "create_time": "2026-05-10T03:00:00Z",
    }));
    let container = json!({"reason": "ImagePullBackOff", "message": "no such image"});
    let bench = Bench::new([
        (DETAIL, ok(&waiting)),
        (POINTS, ok(&pod("Pending", &container))),
    ]);
    let job = observed(&bench).await.unwrap();
    assert_eq!(job.state, State::Pending);
    assert_eq!(job.reason.as_deref(), Some("ImagePullBackOff"));
    assert_eq!(job.message.as_deref(), Some("no such image"));
    assert_eq!(job.node_names, ["pod-a"]);
    // Without a word of a pod, only the time tells.
    for reply in [ok(&json!(null)), refused("no")] {
        let bench = Bench::new([(DETAIL, ok(&waiting)), (POINTS, reply)]);
        let job = observed(&bench).await.unwrap();
        assert!(job.message.unwrap().starts_with("waits for long"));
    }
}

async fn notes_of_a_stop<const N: usize>(details: [Value; N]) -> Vec<String> {
    let mut script = vec![(STOP, ok(&json!(null)))];
    script.extend(details.iter().map(|detail| (DETAIL, ok(detail))));
    let bench = Bench::of(script);
    let job = ResourceRef::new("gongji", ["2100457"]);
    bench.gongji.cancel(&job).await.unwrap();
    bench.notes()
}

#[tokio::test(start_paused = true)]
async fn a_stop_is_looked_after_for_some_seconds() {
    let running = data("detail-running");
    let paused = |charged: i64| detail(&json!({"status": "Paused", "billing_points": charged}));
    let notes = notes_of_a_stop([running.clone(), running.clone(), paused(0)]).await;
    assert_eq!(notes, Vec::<String>::new());
    let notes = notes_of_a_stop([(); 4].map(|()| running.clone())).await;
    assert!(notes[0].contains("still runs"), "{notes:?}");
    let notes = notes_of_a_stop([running, paused(3), paused(3), paused(3)]).await;
    assert!(notes[0].contains("3 pods are still charged"), "{notes:?}");
}
