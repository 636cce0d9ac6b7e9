use std::io;
use std::time::{Duration, Instant};

use http::{HeaderMap, Method};
use rstest::rstest;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::action::{Action, Lag, When};
use super::*;
use crate::model::Backend;
use crate::sandbox::operation::Operation;
use crate::sandbox::service::RawRequest;
use crate::sandbox::{Options, Sandbox, StartError};
use http::StatusCode;

const BACKENDS: [Backend; 4] = [
    Backend::Paracloud,
    Backend::Cyclecloud,
    Backend::Gongji,
    Backend::PaiDlc,
];

#[rstest]
#[case("*:*:reset", Action::Reset, When::Before)]
#[case("paracloud:create:reset-after:p=0.3", Action::Reset, When::After)]
#[case(
    "*:*:timeout:for=0.5",
    Action::Timeout(Duration::from_millis(500)),
    When::Before
)]
#[case(
    "*:*:timeout-after",
    Action::Timeout(Duration::from_secs(600)),
    When::After
)]
#[case("*:list:429", Action::Throttle { retry_after: None }, When::Before)]
#[case(
    "*:list:429:retry-after=2:times=3",
    Action::Throttle { retry_after: Some(Duration::from_secs(2)) },
    When::Before
)]
#[case(
    "*:*:503-after:page",
    Action::Status { status: StatusCode::SERVICE_UNAVAILABLE, page: true },
    When::After
)]
#[case("*:POST /api/*:empty-after", Action::Empty, When::After)]
#[case("*:get:truncated", Action::Truncated, When::After)]
#[case("*:get:torn", Action::Torn, When::After)]
#[case("*:*:slow", Action::Slow(Duration::from_secs(5)), When::After)]
#[case("*:*:skew:by=-1200", Action::Skew(-1200), When::Before)]
#[case("*:list:lag:reads=2", Action::Lag(Lag::Reads(2)), When::After)]
#[case(
    "*:*:lag:for=3",
    Action::Lag(Lag::For(Duration::from_secs(3))),
    When::After
)]
#[case("cyclecloud:create:partial:nodes=1", Action::Partial { nodes: 1 }, When::Before)]
#[case("*:create:sold-out", Action::SoldOut, When::Before)]
fn rules_are_read(#[case] text: &str, #[case] action: Action, #[case] when: When) {
    let rule: Rule = text.parse().unwrap();
    assert_eq!((rule.action, rule.when), (action, when));
    assert_eq!(rule.to_string(), text);
}

#[rstest]
#[case("", "too few parts")]
#[case("paracloud:create", "BACKEND:OPERATION:ACTION")]
#[case(":create:reset", "write `*`")]
#[case("*::reset", "write `*`")]
#[case("*:*:fire", "there are reset, timeout")]
#[case("*:*:429-after", "never has the effect")]
#[case("*:*:torn-before", "needs the answer")]
#[case("*:*:reset:p=2", "from 0 to 1")]
#[case("*:*:reset:p=NaN", "from 0 to 1")]
#[case("*:*:reset:p", "write `p=`")]
#[case("*:*:reset:p=0.1:p=0.2", "twice")]
#[case("*:*:reset:page", "no option `page`")]
#[case("*:*:500:page=1", "takes no value")]
#[case("*:*:reset:times=0", "1 or more")]
#[case("*:*:reset:every=0", "1 or more")]
#[case("*:*:slow:for=-1", "number of seconds")]
#[case("*:*:delay", "needs `for=SECONDS`")]
#[case("*:*:skew", "needs `by=SECONDS`")]
#[case("*:*:skew:by=1.5", "whole number")]
#[case("*:*:lag", "`reads=N`")]
#[case("*:*:lag:for=1:reads=1", "two ways")]
#[case("*:create:lag:for=1", "`list`")]
#[case("*:list:sold-out", "`create`")]
#[case("*:create:partial", "nodes=N")]
#[case("*:POST api:reset", "slash")]
fn what_is_no_rule_is_told_with_what_would_do(#[case] text: &str, #[case] named: &str) {
    let error = text.parse::<Rule>().unwrap_err();
    assert!(
        error.starts_with(&format!("fault rule `{text}`: ")),
        "{error}"
    );
    assert!(error.contains(named), "{error}");
}

#[rstest]
#[case("nobody:*:reset", "`nobody`")]
#[case("paracloud:craete:reset", "`craete`")]
#[case("paracloud:CreateJob:reset", "CreateContainerGroup")]
#[tokio::test]
async fn names_that_no_service_knows_are_refused_at_the_start(
    #[case] rule: &str,
    #[case] named: &str,
) {
    let Err(StartError::Option(error)) = start(7, &[rule]).await else {
        panic!("{rule} was taken");
    };
    assert!(error.contains(named), "{error}");
}

#[rstest]
#[case("*:*:reset:times=2", [true, true, false, false, false, false])]
#[case("*:*:reset:every=2", [false, true, false, true, false, true])]
#[case("*:*:reset:skip=2:times=1", [false, false, true, false, false, false])]
#[case("*:*:reset:skip=1:every=2", [false, false, true, false, true, false])]
#[case("*:*:reset:p=0", [false; 6])]
fn a_rule_befalls_those_it_counts(#[case] text: &str, #[case] wanted: [bool; 6]) {
    let rule: Rule = text.parse().unwrap();
    let mut fired = 0;
    let befallen: Vec<bool> = (1..=6)
        .map(|seen| {
            let befalls = rule.befalls(seen, fired, 0.5);
            fired += u64::from(befalls);
            befalls
        })
        .collect();
    assert_eq!(befallen, wanted);
}

#[rstest]
#[case("*:create:reset", true)]
#[case("*:CreateJob:reset", true)]
#[case("*:/api/*/jobs:reset", true)]
#[case("*:POST /api/v1/jobs:reset", true)]
#[case("*:post /api/*:reset", true)]
#[case("pai-dlc:*:reset", true)]
#[case("*:GET /api/*:reset", false)]
#[case("*:/api/v1/job:reset", false)]
#[case("*:list:reset", false)]
#[case("gongji:*:reset", false)]
fn a_rule_matches_what_it_names(#[case] text: &str, #[case] wanted: bool) {
    let rule: Rule = text.parse().unwrap();
    let request = RawRequest {
        method: Method::POST,
        target: "/api/v1/jobs?a=/b".to_owned(),
        headers: HeaderMap::new(),
        body: bytes::Bytes::new(),
        upload: None,
    };
    let operation = Operation::new("CreateJob", Deed::Create);
    assert_eq!(rule.matches("pai-dlc", operation, &request), wanted);
}

#[test]
fn hidden_rows_leave_lists_and_their_totals() {
    let mut body = json!({"data": {"list": [{"id": 7}, {"id": 8}], "total": 2}, "id": "7"});
    assert!(hidden::strip(&mut body, &["7".to_owned()]));
    assert_eq!(
        body,
        json!({"data": {"list": [{"id": 8}], "total": 1}, "id": "7"})
    );
    assert!(!hidden::strip(&mut body, &["9".to_owned()]));
}

#[test]
fn a_wait_is_told_in_whole_seconds_and_never_too_short() {
    assert_eq!(whole_seconds(Duration::from_secs(2)), 2);
    assert_eq!(whole_seconds(Duration::from_millis(1)), 1);
}

async fn start(seed: u64, rules: &[&str]) -> Result<Sandbox, StartError> {
    Sandbox::start(Options {
        speed: 1000.0,
        port: 0,
        image_root: std::env::temp_dir(),
        seed: Some(seed),
        hold: Vec::new(),
        faults: rules.iter().map(|rule| (*rule).to_owned()).collect(),
    })
    .await
}

/// What came back, and how the connection ended.
struct Exchange {
    text: String,
    end: io::Result<()>,
}

async fn exchange(base: &str, line: &str, headers: &str, body: &str) -> Exchange {
    let authority = base.strip_prefix("http://").unwrap();
    let mut stream = TcpStream::connect(authority).await.unwrap();
    let request = format!(
        "{line} HTTP/1.1\r\nHost: {authority}\r\nConnection: close\r\n{headers}Content-Length: {}\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut bytes = Vec::new();
    let end = stream.read_to_end(&mut bytes).await.map(drop);
    Exchange {
        text: String::from_utf8(bytes).unwrap(),
        end,
    }
}

async fn ask(sandbox: &Sandbox, backend: Backend) -> Exchange {
    exchange(sandbox.base_url(backend).unwrap(), "GET /nothing", "", "").await
}

#[tokio::test]
async fn a_reset_is_a_reset_on_every_backend() {
    let sandbox = start(7, &["*:*:reset"]).await.unwrap();
    for backend in BACKENDS {
        let seen = ask(&sandbox, backend).await;
        assert_eq!(seen.text, "");
        assert_eq!(
            seen.end.unwrap_err().kind(),
            io::ErrorKind::ConnectionReset,
            "{backend}"
        );
    }
}

#[tokio::test]
async fn a_time_out_answers_nothing_and_ends_when_it_says() {
    let sandbox = start(7, &["*:*:timeout:for=0.2"]).await.unwrap();
    for backend in BACKENDS {
        let begin = Instant::now();
        let seen = ask(&sandbox, backend).await;
        assert_eq!(seen.text, "", "{backend}");
        assert!(begin.elapsed() >= Duration::from_millis(200), "{backend}");
    }
}

#[rstest]
#[case("*:*:429", "429 Too Many", None, Some("Throttling.User"))]
#[case("*:*:429:retry-after=2", "429 Too Many", Some(("retry-after: 2", "x-acs-retry-after: 2000")), Some("Throttling.User"))]
#[case("*:*:500", "500 Internal", None, Some("InternalError"))]
#[case("*:*:502", "502 Bad", None, Some("InternalError"))]
#[case("*:*:503", "503 Service", None, Some("ServiceUnavailable"))]
#[case("*:*:504", "504 Gateway", None, Some("InternalError"))]
#[case("*:*:503:page", "503 Service", None, None)]
#[case("*:*:html", "200 OK", None, None)]
#[tokio::test]
async fn errors_have_each_services_own_envelope_or_a_page(
    #[case] rule: &str,
    #[case] status: &str,
    #[case] wait: Option<(&str, &str)>,
    #[case] pai_code: Option<&str>,
) {
    let sandbox = start(7, &[rule]).await.unwrap();
    for backend in BACKENDS {
        let seen = ask(&sandbox, backend).await;
        let (head, body) = seen.text.split_once("\r\n\r\n").unwrap();
        assert!(
            head.starts_with(&format!("HTTP/1.1 {status}")),
            "{backend}: {head}"
        );
        let Some(pai_code) = pai_code else {
            assert!(
                head.contains("text/html") && body.contains("<html>"),
                "{body}"
            );
            continue;
        };
        let body: Value = serde_json::from_str(body).unwrap();
        let number: u64 = status.split(' ').next().unwrap().parse().unwrap();
        match backend {
            Backend::Paracloud => assert_eq!(body["code"], number),
            Backend::Cyclecloud => assert_eq!(body["Code"], number),
            Backend::Gongji => assert_eq!(body["code"], "C999"),
            Backend::PaiDlc => assert_eq!(body["Code"], pai_code),
        }
        let lower = head.to_ascii_lowercase();
        assert_eq!(lower.contains("retry-after"), wait.is_some(), "{head}");
        if let Some((usual, acs)) = wait {
            let wanted = if backend == Backend::PaiDlc {
                acs
            } else {
                usual
            };
            assert!(
                lower.lines().any(|line| line == wanted),
                "{backend}: {head}"
            );
        }
    }
}

#[rstest]
#[case("*:*:empty")]
#[case("*:*:empty-after")]
#[tokio::test]
async fn an_empty_answer_is_200_without_a_body(#[case] rule: &str) {
    let sandbox = start(7, &[rule]).await.unwrap();
    for backend in BACKENDS {
        let seen = ask(&sandbox, backend).await;
        assert!(seen.text.starts_with("HTTP/1.1 200 OK"), "{backend}");
        assert!(seen.text.ends_with("\r\n\r\n"), "{backend}");
    }
}

#[tokio::test]
async fn truncated_and_torn_bodies_are_half_of_the_services_own() {
    let sandbox = start(7, &[]).await.unwrap();
    for backend in BACKENDS {
        sandbox.faults().clear();
        let whole = ask(&sandbox, backend).await.text;
        let length = whole.split_once("\r\n\r\n").unwrap().1.len();
        for (rule, told) in [("*:*:truncated", length / 2), ("*:*:torn", length)] {
            set(&sandbox, &[rule]);
            let seen = ask(&sandbox, backend).await;
            let (head, body) = seen.text.split_once("\r\n\r\n").unwrap();
            assert_eq!(body.len(), length / 2, "{backend} {rule}");
            let told = format!("content-length: {told}");
            assert!(
                head.to_ascii_lowercase().contains(&told),
                "{backend} {rule}: {head}"
            );
        }
    }
}

#[tokio::test]
async fn slow_bytes_are_whole_in_the_end_and_a_delay_comes_before_them() {
    let sandbox = start(7, &["*:*:slow:for=0.1", "*:*:delay:for=0.1"])
        .await
        .unwrap();
    for backend in BACKENDS {
        let begin = Instant::now();
        let slow = ask(&sandbox, backend).await;
        assert!(begin.elapsed() >= Duration::from_millis(150), "{backend}");
        slow.end.unwrap();
        let (head, body) = slow.text.split_once("\r\n\r\n").unwrap();
        let told = format!("content-length: {}", body.len());
        assert!(
            head.to_ascii_lowercase().contains(&told),
            "{backend}: {head}"
        );
    }
}

#[tokio::test]
async fn a_skewed_request_sees_another_clock_and_the_next_one_does_not() {
    let sandbox = start(7, &["pai-dlc:*:skew:by=86400:times=1"])
        .await
        .unwrap();
    let date = |text: &str| {
        let line = text
            .lines()
            .find(|line| line.to_ascii_lowercase().starts_with("date: "));
        line.unwrap().to_owned()
    };
    let skewed = date(&ask(&sandbox, Backend::PaiDlc).await.text);
    let usual = date(&ask(&sandbox, Backend::PaiDlc).await.text);
    assert_ne!(skewed.get(..16), usual.get(..16));
    assert!(sandbox.clock().skew().is_zero());
}

fn set(sandbox: &Sandbox, rules: &[&str]) {
    let rules: Vec<String> = rules.iter().map(|rule| (*rule).to_owned()).collect();
    sandbox.faults().set(&rules, sandbox.services()).unwrap();
}

#[tokio::test]
async fn the_same_seed_gives_the_same_faults_and_another_seed_others() {
    let rules = ["*:*:503:p=0.3", "*:*:429:p=0.2"];
    let mut seen = Vec::new();
    for seed in [1, 1, 2] {
        let sandbox = start(seed, &rules).await.unwrap();
        let mut statuses = Vec::new();
        for _ in 0..40 {
            let text = ask(&sandbox, Backend::Paracloud).await.text;
            statuses.push(text.get(9..12).unwrap().to_owned());
        }
        seen.push(statuses);
    }
    assert_eq!(seen[0], seen[1]);
    assert_ne!(seen[0], seen[2]);
    assert!(
        ["401", "429", "503"]
            .iter()
            .all(|status| seen[0].iter().any(|seen| seen == status))
    );
}

/// Creates a group of Paracloud and gives the answer's status, or nothing.
async fn create(sandbox: &Sandbox) -> String {
    let namespace = {
        let config: toml::Table = sandbox.config_toml().parse().unwrap();
        config["providers"]["paracloud"]["namespace"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    let line = format!("POST /api/v1beta2/namespaces/{namespace}/clusters/NC-N30/containerGroups");
    let token = sandbox.credential("PARA_TOKEN").unwrap();
    let headers = format!(
        "Authorization: Bearer {}\r\nContent-Type: application/json\r\n",
        token.expose()
    );
    let body = json!({
        "instanceType": "n30.xlarge",
        "containers": [{"name": "job", "image": "a", "command": ["true"]}],
    });
    let base = sandbox.base_url(Backend::Paracloud).unwrap();
    exchange(base, &line, &headers, &body.to_string())
        .await
        .text
}

#[rstest]
#[case("reset", 0)]
#[case("reset-after", 1)]
#[case("timeout:for=0.05", 0)]
#[case("timeout-after:for=0.05", 1)]
#[case("408", 0)]
#[case("408-after", 1)]
#[case("500", 0)]
#[case("500-after", 1)]
#[case("502:page", 0)]
#[case("502-after:page", 1)]
#[case("html", 0)]
#[case("html-after", 1)]
#[case("empty", 0)]
#[case("empty-after", 1)]
#[case("429", 0)]
#[case("truncated", 1)]
#[case("torn", 1)]
#[case("slow:for=0.02", 1)]
#[case("delay:for=0.02", 1)]
#[tokio::test]
async fn faults_after_the_effect_leave_a_job_and_those_before_none(
    #[case] action: &str,
    #[case] jobs: usize,
) {
    let rule = format!("paracloud:create:{action}:times=1");
    let sandbox = start(7, &[&rule]).await.unwrap();
    create(&sandbox).await;
    let held = sandbox.services()[0].held();
    assert_eq!(held.len(), jobs, "{rule}");
    assert_eq!(sandbox.faults().shown()[0]["fired"], 1, "{rule}");
    assert!(create(&sandbox).await.starts_with("HTTP/1.1 201"), "{rule}");
    assert_eq!(sandbox.services()[0].held().len(), jobs + 1, "{rule}");
}

#[tokio::test]
async fn the_control_route_sets_shows_and_clears_rules_and_tells_jobs() {
    let sandbox = start(7, &[]).await.unwrap();
    let control = |line: &'static str, body: String| {
        let url = sandbox.control_url().to_owned();
        async move {
            let text = exchange(&url, line, "", &body).await.text;
            let (head, body) = text.split_once("\r\n\r\n").unwrap();
            let body: Value = serde_json::from_str(body).unwrap();
            (head.get(9..12).unwrap().to_owned(), body)
        }
    };
    let rules = json!({"faults": ["paracloud:create:500-after:times=1"]}).to_string();
    assert_eq!(control("POST /__sandbox/faults", rules).await.0, "200");
    create(&sandbox).await;
    let (_, shown) = control("GET /__sandbox/faults", String::new()).await;
    let wanted = json!([{"rule": "paracloud:create:500-after:times=1", "seen": 1, "fired": 1}]);
    assert_eq!(shown["faults"], wanted);
    let (_, jobs) = control("GET /__sandbox/jobs", String::new()).await;
    assert_eq!(jobs["jobs"]["paracloud"][0]["names"], json!(["job"]));
    let bad = json!({"faults": ["paracloud:create:fire"]}).to_string();
    let (status, error) = control("POST /__sandbox/faults", bad).await;
    assert_eq!(status, "400");
    assert!(
        error["error"].as_str().unwrap().contains("`fire`"),
        "{error}"
    );
    let (_, kept) = control("GET /__sandbox/faults", String::new()).await;
    assert_eq!(kept["faults"], wanted, "a bad list changes nothing");
    control("POST /__sandbox/reset", String::new()).await;
    let (_, cleared) = control("GET /__sandbox/faults", String::new()).await;
    assert_eq!(cleared["faults"], json!([]));
}
