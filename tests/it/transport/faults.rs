//! Every fault of style.md §11: its kind, its fate, and how many requests the server saw.

use std::net::TcpListener;
use std::time::Duration;

use gpujob::error::Kind;
use gpujob::http::{Fate, Safety};
use rstest::rstest;

use super::bench::{Bench, Setting};
use crate::support::scripted::{Scripted, Step, answer_bytes};

const JSON: &[(&str, &str)] = &[("content-type", "application/json")];
const HTML: &[(&str, &str)] = &[("content-type", "text/html")];
const PAGE: &str = "<!DOCTYPE html><title>Sign in</title>";

fn ok() -> Step {
    Step::answer("200 OK", JSON, "{\"ok\":true}")
}

fn status(status: &str) -> Step {
    Step::answer(status, JSON, "{\"message\":\"no\"}")
}

/// Short limits for faults that only a limit ends.
fn impatient() -> Setting {
    Setting {
        read_limit: Duration::from_millis(150),
        ..Setting::default()
    }
}

#[rstest]
#[case::reset_unread(Step::ResetUnread)]
#[case::reset_after_reading(Step::ResetAfterReading)]
#[case::half_a_body(Step::half_body("200 OK", 100, "{\"ok\":"))]
#[case::closed_without_an_answer(Step::Answer(Vec::new()))]
#[case::half_a_head(Step::Answer(b"HTTP/1.1 200 OK\r\ncontent-".to_vec()))]
#[tokio::test(start_paused = true)]
async fn a_lost_answer_is_asked_for_again_by_reads_and_leaves_creates_unclear(#[case] fault: Step) {
    let server = Scripted::start([fault.clone(), fault.clone(), ok()]);
    let bench = Bench::new(&server.url(), &Setting::default());
    bench.send(Safety::Repeatable).await.unwrap();
    let notes = bench.said("note");
    assert_eq!(notes.len(), 2, "{notes:?}");
    assert!(notes[1].ends_with("(attempt 3 of 5)"), "{notes:?}");
    assert_eq!(server.finish().len(), 3);

    let server = Scripted::start([fault]);
    let bench = Bench::new(&server.url(), &Setting::default());
    let failure = bench.send(Safety::Once).await.unwrap_err();
    assert_eq!(failure.error.kind(), Kind::Temporary, "{failure:?}");
    assert_eq!(failure.error.code(), "connection_lost");
    assert_eq!((failure.fate, failure.attempts), (Fate::Unclear, 1));
    assert_eq!(server.finish().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_read_that_stays_lost_is_given_up_after_five_attempts() {
    let server = Scripted::start(vec![Step::ResetAfterReading; 5]);
    let bench = Bench::new(&server.url(), &Setting::default());
    let failure = bench.send(Safety::Repeatable).await.unwrap_err();
    assert_eq!(failure.error.kind(), Kind::Temporary);
    assert_eq!(failure.attempts, 5);
    assert_eq!(server.finish().len(), 5);
}

#[rstest]
#[case::before_the_answer(Vec::new())]
#[case::in_the_middle_of_it(answer_bytes("200 OK", JSON, 100, "{\"ok\":"))]
#[tokio::test(start_paused = true)]
async fn a_stalled_answer_ends_with_the_read_limit(#[case] begun: Vec<u8>) {
    let server = Scripted::start([Step::Stall(begun.clone()), ok()]);
    let bench = Bench::new(&server.url(), &impatient());
    bench.send(Safety::Repeatable).await.unwrap();
    assert_eq!(server.finish().len(), 2);

    let server = Scripted::start([Step::Stall(begun)]);
    let bench = Bench::new(&server.url(), &impatient());
    let failure = bench.send(Safety::Once).await.unwrap_err();
    assert_eq!(
        (failure.error.kind(), failure.error.code()),
        (Kind::Temporary, "no_answer")
    );
    assert!(
        failure.error.message().ends_with("within 150 ms"),
        "{failure:?}"
    );
    assert_eq!((failure.fate, failure.attempts), (Fate::Unclear, 1));
    assert_eq!(server.finish().len(), 1);
}

#[rstest]
#[case::throttled(status("429 Too Many Requests"), Kind::Temporary, Fate::Refused, 5)]
#[case::too_early(status("425 Too Early"), Kind::Temporary, Fate::Refused, 5)]
#[case::too_slow_for_the_service(status("408 Request Timeout"), Kind::Temporary, Fate::Unclear, 5)]
#[case::internal(status("500 Internal Server Error"), Kind::Temporary, Fate::Unclear, 3)]
#[case::bad_gateway(status("502 Bad Gateway"), Kind::Temporary, Fate::Unclear, 5)]
#[case::unavailable_page(
    Step::answer("503 Unavailable", HTML, PAGE),
    Kind::Temporary,
    Fate::Unclear,
    5
)]
#[case::proxy_credentials(
    status("407 Proxy Authentication Required"),
    Kind::Temporary,
    Fate::Refused,
    1
)]
#[case::unauthorised(status("401 Unauthorized"), Kind::Auth, Fate::Refused, 1)]
#[case::forbidden(status("403 Forbidden"), Kind::Auth, Fate::Refused, 1)]
#[case::bad_request(status("400 Bad Request"), Kind::Rejected, Fate::Refused, 1)]
#[case::conflict(status("409 Conflict"), Kind::Rejected, Fate::Refused, 1)]
#[case::not_found(status("404 Not Found"), Kind::NotFound, Fate::Refused, 1)]
#[case::no_such_page(
    Step::answer("404 Not Found", HTML, PAGE),
    Kind::Protocol,
    Fate::Refused,
    1
)]
#[case::page(Step::answer("200 OK", HTML, PAGE), Kind::Protocol, Fate::Unclear, 1)]
#[case::truncated_json(
    Step::answer("200 OK", JSON, "{\"ok\":"),
    Kind::Protocol,
    Fate::Unclear,
    1
)]
#[case::error_envelope(
    Step::answer("200 OK", JSON, "{\"error\":1}"),
    Kind::Rejected,
    Fate::Refused,
    1
)]
#[case::not_http(Step::Answer(b"SSH-2.0-OpenSSH_9.2\r\n\r\n".to_vec()), Kind::Protocol, Fate::Unclear, 1)]
#[tokio::test(start_paused = true)]
async fn an_answer_that_is_no_success_has_one_kind_and_one_fate(
    #[case] answer: Step,
    #[case] kind: Kind,
    #[case] fate: Fate,
    #[case] reads: usize,
) {
    let server = Scripted::start(vec![answer.clone(); reads]);
    let bench = Bench::new(&server.url(), &Setting::default());
    let failure = bench.send(Safety::Repeatable).await.unwrap_err();
    assert_eq!(failure.error.kind(), kind, "{failure:?}");
    assert_eq!(server.finish().len(), reads);

    let server = Scripted::start([answer]);
    let bench = Bench::new(&server.url(), &Setting::default());
    let failure = bench.send(Safety::Once).await.unwrap_err();
    assert_eq!(
        (failure.error.kind(), failure.fate),
        (kind, fate),
        "{failure:?}"
    );
    assert_eq!(failure.attempts, 1);
    assert_eq!(server.finish().len(), 1);
}

#[rstest]
#[case::in_seconds(&[("retry-after", "7")], "in 7.0 s")]
#[case::in_milliseconds(&[("x-acs-retry-after", "2500")], "in 2.5 s")]
#[case::as_a_date(
    &[("date", "Tue, 06 Jan 2026 08:09:10 GMT"), ("retry-after", "Tue, 06 Jan 2026 08:09:40 GMT")],
    "in 30.0 s"
)]
#[case::far_away(&[("retry-after", "86400")], "in 120.0 s")]
#[case::in_the_past(&[("retry-after", "0")], "at once")]
#[tokio::test(start_paused = true)]
async fn the_servers_wish_is_granted(#[case] headers: &[(&str, &str)], #[case] when: &str) {
    let throttled = Step::answer("429 Too Many Requests", headers, "{}");
    let server = Scripted::start([throttled, ok()]);
    let bench = Bench::new(&server.url(), &Setting::default());
    bench.send(Safety::Repeatable).await.unwrap();
    let expected = format!(
        "`paracloud`: `listJobs` failed: `listJobs`: 429 Too Many Requests; trying again {when} (attempt 2 of 5)"
    );
    assert_eq!(bench.said("note"), [expected]);
    assert_eq!(server.finish().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_redirect_is_not_followed() {
    let elsewhere = Scripted::start([]);
    let location = format!("{}/jobs", elsewhere.url());
    let redirect = Step::answer("302 Found", &[("location", &location)], "");
    let server = Scripted::start([redirect.clone(), redirect]);
    let bench = Bench::new(&server.url(), &Setting::default());
    for safety in [Safety::Repeatable, Safety::Once] {
        let failure = bench.send(safety).await.unwrap_err();
        assert_eq!(
            (failure.error.kind(), failure.fate),
            (Kind::Protocol, Fate::Refused)
        );
    }
    assert_eq!(server.finish().len(), 2);
    assert!(elsewhere.finish().is_empty());
}

#[rstest]
#[case::announced(answer_bytes("200 OK", JSON, 1025, &"x".repeat(1025)))]
#[case::unannounced(
    format!("HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n{}", "x".repeat(1025)).into_bytes()
)]
#[tokio::test(start_paused = true)]
async fn an_answer_above_the_limit_is_not_this_api(#[case] bytes: Vec<u8>) {
    let setting = Setting {
        body_limit: 1024,
        ..Setting::default()
    };
    for safety in [Safety::Repeatable, Safety::Once] {
        let server = Scripted::start([Step::Answer(bytes.clone())]);
        let bench = Bench::new(&server.url(), &setting);
        let failure = bench.send(safety).await.unwrap_err();
        assert_eq!(
            (failure.error.kind(), failure.error.code()),
            (Kind::Protocol, "body_too_large")
        );
        assert_eq!(failure.fate, Fate::Unclear);
        assert_eq!(server.finish().len(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn an_answer_of_exactly_the_limit_is_read() {
    let body = format!("\"{}\"", "x".repeat(1022));
    let setting = Setting {
        body_limit: 1024,
        ..Setting::default()
    };
    let server = Scripted::start([Step::answer("200 OK", JSON, &body)]);
    let bench = Bench::new(&server.url(), &setting);
    assert_eq!(bench.send(Safety::Once).await.unwrap().body.len(), 1024);
    drop(server);
}

#[rstest]
#[case(Safety::Repeatable)]
#[case(Safety::Once)]
#[tokio::test(start_paused = true)]
async fn a_refused_connection_is_tried_again_by_creates_too(#[case] safety: Safety) {
    let port = {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.local_addr().unwrap().port()
    };
    let bench = Bench::new(&format!("http://127.0.0.1:{port}"), &Setting::default());
    let failure = bench.send(safety).await.unwrap_err();
    assert_eq!(
        (failure.error.kind(), failure.error.code()),
        (Kind::Temporary, "connection_refused")
    );
    assert_eq!((failure.fate, failure.attempts), (Fate::Unsent, 0));
    assert_eq!(bench.said("note").len(), 4);
    let told = format!("{failure:?}");
    assert!(!told.contains("q=x"), "no URL with a query: {told}");
}

#[tokio::test(start_paused = true)]
async fn a_name_that_cannot_be_resolved_is_temporary_and_nothing_was_sent() {
    // A label above 63 characters is refused by the resolver itself, without a question to any server.
    let host = format!("{}.localhost", "a".repeat(64));
    let setting = Setting {
        retries: 0,
        ..Setting::default()
    };
    let bench = Bench::new(&format!("http://{host}:1"), &setting);
    let failure = bench.send(Safety::Once).await.unwrap_err();
    assert_eq!(
        (failure.error.kind(), failure.error.code()),
        (Kind::Temporary, "unknown_host"),
        "{failure:?}"
    );
    assert_eq!((failure.fate, failure.attempts), (Fate::Unsent, 0));
}
