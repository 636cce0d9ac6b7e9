//! One container's log over the wire: what is handed out of answers that grow, begin again, or are late (gongji.md §5.2).

use serde_json::json;

use super::script::{Bench, ok, refused};
use crate::error::Kind;
use crate::http::Answer;
use crate::model::{Job, ResourceRef, State};
use crate::provider::{LogLook, LogPiece, LogStart, Logs};
use crate::testing::{Scripted, answer};

const DETAIL: &str = "GET /api/task/job/detail?task_id=2100457";
const SEARCH: &str = "GET /api/task/job/search?page=1&page_size=100";
const POINTS: &str = "GET /api/deployment/task/points?task_id=2100457&page=1&page_size=100";
const LOG: &str = "GET /api/deployment/task/point_log?task_id=2100457&point_id=7&service_id=1";

fn job() -> Job {
    let mut job = Job::new(
        ResourceRef::new("gongji", ["2100457"]),
        "2100457",
        State::Running,
    );
    job.raw = json!({"services": [{"service_id": 1, "service_name": "main"}]});
    job
}

fn text(text: &str) -> Scripted {
    ok(&json!({"logs": text}))
}

/// What a follower hands out of these answers; each comes with the restarts that the pod tells, and the last of them is
/// the last look.
async fn handed_out(answers: &[(i64, Scripted)]) -> (String, Vec<String>) {
    let mut script = Vec::new();
    for (restarts, answer) in answers {
        let pods = json!({"count": 1, "results": [{
            "point_id": 7, "name": "pod-a", "status": "Running",
            "describe_dto": {"restart_count": restarts},
        }]});
        script.push((POINTS, ok(&pods)));
        script.push((LOG, answer.clone()));
        // What is held whole is asked for again.
        if matches!(answer, Ok(Answer { body, .. }) if body.len() > 10_000 && String::from_utf8_lossy(body).contains("other"))
        {
            script.push((LOG, answer.clone()));
        }
    }
    let bench = Bench::of(script);
    let mut reader = None;
    let (mut bytes, mut notes) = (Vec::new(), Vec::new());
    for (index, _) in answers.iter().enumerate() {
        let sources = bench.gongji.sources(&job()).await.unwrap();
        let reader =
            reader.get_or_insert_with(|| bench.gongji.open(&sources[0], &LogStart::default()));
        let look = if index + 1 == answers.len() {
            LogLook::Last
        } else {
            LogLook::Usual
        };
        loop {
            let LogPiece {
                bytes: new,
                more,
                notes: told,
            } = reader.read(look).await.unwrap();
            bytes.extend(new);
            notes.extend(told);
            if !more {
                break;
            }
        }
    }
    drop(reader);
    (String::from_utf8(bytes).unwrap(), notes)
}

async fn text_of(answers: &[(i64, &str)]) -> String {
    let answers: Vec<_> = answers
        .iter()
        .map(|(restarts, log)| (*restarts, text(log)))
        .collect();
    handed_out(&answers).await.0
}

#[tokio::test]
async fn a_run_that_says_what_the_one_before_said_is_another_once_the_pod_says_so() {
    for (answers, expected) in [
        // Shorter, equal and longer than the run before.
        (
            vec![(0, "a\nb\nc\n"), (1, "a\n"), (1, "a\nb\n")],
            "a\nb\nc\na\nb\n",
        ),
        (vec![(0, "a\nb\n"), (1, "a\nb\n")], "a\nb\na\nb\n"),
        (vec![(0, "a\n"), (1, "a\nb\n"), (1, "a\nb\n")], "a\na\nb\n"),
        // It has not begun to write.
        (
            vec![(0, "a\n"), (1, ""), (1, "a\n"), (1, "a\nb\n")],
            "a\na\nb\n",
        ),
        // The log was there before the pod's word for it.
        (vec![(0, "a\n"), (0, "b\n"), (1, "b\nc\n")], "a\nb\nc\n"),
        // No line is glued to a line of another run.
        (vec![(0, "a\nlong-li"), (1, "a\n")], "a\nlong-li\na\n"),
        // Looked at for the first time in its third run.
        (vec![(2, "a\n"), (2, "a\nb\n")], "a\nb\n"),
    ] {
        assert_eq!(text_of(&answers).await, expected, "{answers:?}");
    }
}

#[tokio::test]
async fn runs_that_nobody_read_are_told() {
    let (bytes, notes) = handed_out(&[(2, text("a\n")), (4, text("b\n"))]).await;
    assert_eq!(bytes, "a\nb\n");
    assert!(notes[0].contains("of 2 runs before this one nothing was read"));
    assert!(notes[1].contains("began again 2 times"), "{notes:?}");
}

#[tokio::test]
async fn a_late_answer_repeats_nothing() {
    for (answers, expected) in [
        (vec![(0, "a\nb\nc\n"), (0, "a\nb\n")], "a\nb\nc\n"),
        (
            vec![(0, "a\nb\nlong-line"), (0, "a\nb\n")],
            "a\nb\nlong-line",
        ),
        (vec![(1, "a\nb\n"), (1, ""), (1, "a\nb\nc\n")], "a\nb\nc\n"),
    ] {
        assert_eq!(text_of(&answers).await, expected, "{answers:?}");
    }
}

#[tokio::test]
async fn a_log_that_differs_late_is_held_whole() {
    let lines = |numbers: std::ops::Range<u32>| {
        let lines: Vec<String> = numbers.map(|number| format!("line {number}\n")).collect();
        lines.concat()
    };
    let known = lines(0..8_000);
    let other = format!("{}other\n", lines(0..4_000));
    let answers = [(0, text(&known)), (0, text(&other))];
    let (bytes, notes) = handed_out(&answers).await;
    assert!(bytes == format!("{known}{other}"), "{} bytes", bytes.len());
    assert_eq!(notes.len(), 1);
}

#[tokio::test]
async fn a_log_is_read_whatever_is_in_it() {
    let body = r#"{"code":"0000","message":"success","data":{"logs":"bad \udcff byte\n"}}"#;
    let (bytes, _) = handed_out(&[(0, answer(200, body.to_owned()))]).await;
    assert_eq!(bytes, "bad \u{fffd} byte\n");
}

#[tokio::test]
async fn a_refusal_at_the_last_look_is_told() {
    let (bytes, notes) = handed_out(&[(0, text("a\n")), (0, refused("log expired"))]).await;
    assert_eq!(bytes, "a\n");
    assert!(
        notes[0].contains("not known") && notes[0].contains("log expired"),
        "{notes:?}"
    );
    let (_, notes) = handed_out(&[(0, refused("log expired"))]).await;
    assert!(notes[0].contains("cannot be had"), "{notes:?}");
    let (_, notes) = handed_out(&[(0, refused("busy")), (0, text("a\n"))]).await;
    assert_eq!(notes, Vec::<String>::new());
}

#[tokio::test]
async fn what_is_no_log_is_told_as_what_it_is() {
    for (reply, kind) in [
        (answer(200, ""), Kind::Protocol),
        (answer(200, "<html>".to_owned()), Kind::Protocol),
        (
            answer(200, r#"{"code":"0000","data":{"logs":"a"#.to_owned()),
            Kind::Protocol,
        ),
        (answer(401, ""), Kind::Auth),
    ] {
        let bench = Bench::new([(LOG, reply)]);
        let source = crate::provider::LogSource {
            name: "pod-a".to_owned(),
            stream: None,
            locator: ["2100457", "7", "1"].map(str::to_owned).into(),
            began_at: None,
            ended: false,
        };
        let mut reader = bench.gongji.open(&source, &LogStart::default());
        let error = reader.read(LogLook::Usual).await.unwrap_err();
        assert_eq!(error.kind(), kind, "{error}");
    }
}

#[tokio::test]
async fn a_job_that_is_not_seen_for_a_moment_has_no_log_yet() {
    let bench = Bench::new([
        (DETAIL, refused("任务不存在")),
        (SEARCH, ok(&json!({"count": 0, "results": []}))),
    ]);
    let mut unseen = job();
    unseen.raw = json!({"task_id": 2_100_457});
    assert_eq!(bench.gongji.sources(&unseen).await.unwrap(), []);
}
