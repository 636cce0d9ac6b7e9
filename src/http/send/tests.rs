//! The loop with a transport made of paper; pauses run on paused time.

use std::sync::Mutex;

use http::{HeaderValue, Method};
use rstest::rstest;

use super::*;
use crate::http::{BaseUrl, Safety, Target};
use crate::secret::Secret;
use crate::sign::{AccessKey, Acs3};
use crate::testing::{Desk, Notebook, Paper, Scripted, answer};

/// Reads the status; the body may hold one of the words below.
#[derive(Debug)]
struct Words;

impl Dialect for Words {
    fn judge(&self, _operation: &'static str, answer: &Answer) -> Verdict {
        let repeat = match answer.first_line().as_str() {
            "" if answer.status.is_success() => return Verdict::Success,
            "harmless" => Repeat::HarmlessAndHelpful { after: None },
            "clock" => Repeat::WithServerTime("2026-01-06T08:30:10Z".parse().unwrap()),
            "nonce" => Repeat::WithFreshNonce,
            _ => retry::advice_of_status(answer.status),
        };
        let kind = match answer.first_line().as_str() {
            "unreadable" => Kind::Protocol,
            _ if answer.status.is_success() => Kind::Rejected,
            _ => dialect::kind_of_status(answer.status, true),
        };
        Verdict::Failure {
            error: match answer.first_line().strip_prefix("says ") {
                Some(told) => Error::new(kind, "test", told),
                None => Error::new(kind, "test", format!("status {}", answer.status.as_u16())),
            },
            repeat,
        }
    }
}

/// Counts up in its last byte; its fraction is one half.
#[derive(Debug, Default)]
struct Counter(Mutex<u8>);

impl Entropy for Counter {
    fn bytes(&self) -> [u8; 16] {
        let mut count = self.0.lock().unwrap();
        *count += 1;
        let mut bytes = [0; 16];
        bytes[0] = 0x80;
        bytes[15] = *count;
        bytes
    }
}

/// A session, and both its ends.
struct Bench {
    session: Session,
    paper: Arc<Paper>,
    notebook: Arc<Notebook>,
}

impl Bench {
    fn new(script: impl IntoIterator<Item = Scripted>) -> Self {
        Self::taking(Duration::ZERO, script)
    }

    fn taking(takes: Duration, script: impl IntoIterator<Item = Scripted>) -> Self {
        let paper = Paper::in_order(script).taking(takes);
        let desk = Desk::new("2026-01-06T08:09:10Z", paper);
        let notebook = Arc::new(Notebook::tracing());
        let signer = Acs3::new(&AccessKey {
            id: "LTAI5tEXAMPLE".to_owned(),
            secret: Secret::new("hunter2-secret"),
            token: Some(Secret::new("hunter2-token")),
        })
        .unwrap();
        let mut session = desk.session("pai", signer, Words);
        session.entropy = Arc::new(Counter::default());
        session.reporter = Arc::<Notebook>::clone(&notebook);
        session.patience.retries = 4;
        Self {
            session,
            paper: desk.paper,
            notebook,
        }
    }

    fn within(mut self, seconds: u64) -> Self {
        self.session.patience.deadline = Some(Instant::now() + Duration::from_secs(seconds));
        self
    }

    async fn send(&self, safety: Safety) -> Result<Answer, Failure> {
        let base = BaseUrl::parse("https://h.example").unwrap();
        let template = Template::new("CreateJob", Method::POST, &base, Target::new("/jobs"))
            .with_header(
                http::HeaderName::from_static("x-acs-action"),
                HeaderValue::from_static("CreateJob"),
            )
            .with_header(
                http::HeaderName::from_static("x-acs-version"),
                HeaderValue::from_static("2020-12-03"),
            )
            .with_safety(safety);
        self.session.send(&template).await
    }

    /// A signed header of every call.
    fn sent(&self, header: &str) -> Vec<String> {
        self.paper
            .calls()
            .iter()
            .map(|call| call.headers[header].to_str().unwrap().to_owned())
            .collect()
    }

    fn calls(&self) -> usize {
        self.paper.calls().len()
    }
}

fn lost(sent: bool, kind: Kind) -> Scripted {
    Err(TransportError {
        sent,
        error: Error::new(kind, "test", "no answer"),
    })
}

#[tokio::test(start_paused = true)]
async fn a_success_is_handed_on() {
    let bench = Bench::new([answer(200, "")]);
    let told = bench.send(Safety::Once).await.unwrap();
    assert_eq!(told.status, StatusCode::OK);
    assert!(bench.notebook.notes().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_read_is_repeated_with_doubling_pauses_until_it_succeeds() {
    let bench = Bench::new([
        answer(503, ""),
        lost(true, Kind::Temporary),
        lost(false, Kind::Temporary),
        answer(200, ""),
    ]);
    let started = Instant::now();
    bench.send(Safety::Repeatable).await.unwrap();
    let begun: Vec<u128> = bench
        .paper
        .calls()
        .iter()
        .map(|call| call.at.duration_since(started).as_millis() / 100)
        .collect();
    assert_eq!(begun, [0, 5, 15, 35], "tenths of a second");
    let notes = bench.notebook.notes();
    assert_eq!(
        notes[0],
        "`pai`: `CreateJob` failed: status 503; trying again in 0.5 s (attempt 2 of 5)"
    );
    assert!(notes[2].contains("no answer; trying again in 2.0 s (attempt 4 of 5)"));
}

#[tokio::test(start_paused = true)]
async fn every_attempt_is_signed_anew() {
    let bench = Bench::new([answer(503, ""), answer(503, ""), answer(200, "")]);
    bench.send(Safety::Repeatable).await.unwrap();
    for header in ["x-acs-signature-nonce", "authorization"] {
        let mut values = bench.sent(header);
        values.sort();
        values.dedup();
        assert_eq!(values.len(), 3, "{header}");
    }
}

#[rstest]
#[case::unsent(lost(false, Kind::Temporary), 5, Fate::Unsent, 0, Kind::Temporary)]
#[case::lost(lost(true, Kind::Temporary), 1, Fate::Unclear, 1, Kind::Temporary)]
#[case::certificate(lost(false, Kind::Config), 1, Fate::Unsent, 0, Kind::Config)]
#[case::too_large(lost(true, Kind::Protocol), 1, Fate::Unclear, 1, Kind::Protocol)]
#[case::redirect(answer(302, ""), 1, Fate::Refused, 1, Kind::Protocol)]
#[case::bad_request(answer(400, ""), 1, Fate::Refused, 1, Kind::Rejected)]
#[case::unauthorised(answer(401, ""), 1, Fate::Refused, 1, Kind::Auth)]
#[case::too_slow_for_the_service(answer(408, ""), 1, Fate::Unclear, 1, Kind::Temporary)]
#[case::throttled(answer(429, ""), 1, Fate::Refused, 1, Kind::Temporary)]
#[case::throttled_harmlessly(answer(429, "harmless"), 5, Fate::Refused, 5, Kind::Temporary)]
#[case::unavailable_but_harmless(answer(503, "harmless"), 5, Fate::Refused, 5, Kind::Temporary)]
#[case::internal(answer(500, ""), 1, Fate::Unclear, 1, Kind::Temporary)]
#[case::unavailable(answer(503, ""), 1, Fate::Unclear, 1, Kind::Temporary)]
#[case::nonce_used(answer(400, "nonce"), 1, Fate::Unclear, 1, Kind::Rejected)]
#[case::error_envelope_in_a_success(answer(200, "envelope"), 1, Fate::Refused, 1, Kind::Rejected)]
#[case::unreadable_success(answer(200, "unreadable"), 1, Fate::Unclear, 1, Kind::Protocol)]
#[tokio::test(start_paused = true)]
async fn a_create_that_fails_has_one_fate(
    #[case] outcome: Scripted,
    #[case] calls: usize,
    #[case] fate: Fate,
    #[case] sent: u32,
    #[case] kind: Kind,
) {
    let bench = Bench::new(vec![outcome; calls]);
    let failure = bench.send(Safety::Once).await.unwrap_err();
    assert_eq!(bench.calls(), calls);
    assert_eq!(failure.fate, fate);
    assert_eq!(failure.attempts, sent);
    assert_eq!(failure.error.kind(), kind);
    assert_eq!(failure.error.details().provider.as_deref(), Some("pai"));
}

#[rstest]
#[case::lost(lost(true, Kind::Temporary), 5)]
#[case::unavailable(answer(503, ""), 5)]
#[case::internal(answer(500, ""), 3)]
#[case::nonce_used(answer(400, "nonce"), 5)]
#[case::unauthorised(answer(401, ""), 1)]
#[case::not_found(answer(404, ""), 1)]
#[case::certificate(lost(false, Kind::Config), 1)]
#[tokio::test(start_paused = true)]
async fn a_read_that_keeps_failing_is_given_up(#[case] outcome: Scripted, #[case] calls: usize) {
    let bench = Bench::new(vec![outcome; calls]);
    let failure = bench.send(Safety::Repeatable).await.unwrap_err();
    assert_eq!(bench.calls(), calls);
    let causes = &failure.error.details().causes;
    let expected: &[String] = if calls > 1 {
        &[format!("gave up after {calls} attempts")]
    } else {
        &[]
    };
    assert_eq!(causes, expected);
}

#[tokio::test(start_paused = true)]
async fn a_wrong_clock_is_corrected_once_for_creates_too() {
    let bench = Bench::new([answer(400, "clock"), answer(200, "")]);
    bench.send(Safety::Once).await.unwrap();
    assert_eq!(
        bench.sent("x-acs-date"),
        ["2026-01-06T08:09:10Z", "2026-01-06T08:30:10Z"]
    );
    assert_eq!(
        bench.notebook.notes(),
        [
            "`pai` refused `CreateJob`: the clock of this machine is 21m behind the service's; trying again with its time"
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn a_clock_that_cannot_be_corrected_is_told_in_the_message() {
    let bench = Bench::new([answer(400, "clock"), answer(400, "clock")]);
    let failure = bench.send(Safety::Repeatable).await.unwrap_err();
    assert_eq!(
        failure.error.message(),
        "status 400: the clock of this machine is 21m behind the service's"
    );
    assert_eq!(failure.fate, Fate::Refused);
}

#[tokio::test(start_paused = true)]
async fn the_deadline_shortens_the_limit_and_ends_with_timeout() {
    let bench = Bench::taking(Duration::from_secs(3), [lost(true, Kind::Temporary)]).within(3);
    let failure = bench.send(Safety::Once).await.unwrap_err();
    assert_eq!(failure.error.kind(), Kind::Timeout);
    assert_eq!(failure.fate, Fate::Unclear);
    assert_eq!(
        failure.error.message(),
        "`--timeout` ran out before `pai` answered `CreateJob`"
    );
    let limit = bench.paper.calls()[0].limit.unwrap();
    assert!(limit <= Duration::from_secs(3), "{limit:?}");
}

#[tokio::test(start_paused = true)]
async fn a_pause_that_would_pass_the_deadline_is_not_begun() {
    let bench = Bench::new([answer(503, ""), answer(503, "")]).within(1);
    let started = Instant::now();
    let failure = bench.send(Safety::Repeatable).await.unwrap_err();
    assert_eq!(failure.error.kind(), Kind::Temporary);
    assert!(started.elapsed() < Duration::from_secs(1));
}

#[tokio::test(start_paused = true)]
async fn nothing_is_sent_after_the_deadline() {
    let bench = Bench::new([]).within(0);
    let failure = bench.send(Safety::Once).await.unwrap_err();
    assert_eq!(failure.error.kind(), Kind::Timeout);
    assert_eq!((failure.fate, failure.attempts), (Fate::Unsent, 0));
}

#[tokio::test(start_paused = true)]
async fn a_certificate_refused_at_the_last_moment_stays_a_matter_of_configuration() {
    let bench = Bench::taking(Duration::from_secs(1), [lost(false, Kind::Config)]).within(1);
    let failure = bench.send(Safety::Repeatable).await.unwrap_err();
    assert_eq!(failure.error.kind(), Kind::Config);
}

#[tokio::test(start_paused = true)]
async fn a_request_that_cannot_be_signed_is_not_sent() {
    let bench = Bench::new([]);
    let base = BaseUrl::parse("https://h.example").unwrap();
    let template = Template::new("ListJobs", Method::GET, &base, Target::new("/jobs"));
    let failure = bench.session.send(&template).await.unwrap_err();
    assert_eq!(failure.fate, Fate::Unsent);
    assert_eq!(failure.error.code(), "unsignable_request");
}

#[tokio::test(start_paused = true)]
async fn the_servers_wish_sets_the_pause() {
    let mut throttled = answer(429, "").unwrap();
    throttled
        .headers
        .insert("retry-after", HeaderValue::from_static("7"));
    let bench = Bench::new([Ok(throttled), answer(200, "")]);
    let started = Instant::now();
    bench.send(Safety::Repeatable).await.unwrap();
    assert_eq!(started.elapsed().as_secs(), 7);
}

#[tokio::test(start_paused = true)]
async fn no_secret_reaches_the_trace_or_the_details() {
    let bench = Bench::new([
        answer(503, ""),
        lost(true, Kind::Temporary),
        answer(200, ""),
    ]);
    bench.send(Safety::Repeatable).await.unwrap();
    let details = bench.notebook.details();
    let canonical = details.iter().find(|(level, _)| *level == 3).unwrap();
    assert!(canonical.1.contains("x-acs-security-token:<masked>"));
    let traces = bench.notebook.traces();
    assert!(traces[0].starts_with("> POST /jobs HTTP/1.1 (CreateJob, attempt 1)\n"));
    assert!(traces[1].starts_with("< 503 Service Unavailable after "));
    assert!(traces[3].starts_with("* no answer after "));
    for text in traces.iter().chain(details.iter().map(|(_, text)| text)) {
        assert!(!text.contains("hunter2"), "{text}");
        assert!(!text.contains("Signature="), "{text}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_service_that_says_back_what_it_was_sent_is_quoted_without_that() {
    let bench = Bench::new([answer(400, "says hunter2-secret and hunter2-token")]);
    let failure = bench.send(Safety::Repeatable).await.unwrap_err();
    assert_eq!(failure.error.message(), "•••• and ••••");
    // What the service said stays as it was for those who print it unchanged.
    assert_eq!(
        failure.answer.unwrap().body,
        "says hunter2-secret and hunter2-token"
    );
}

#[tokio::test(start_paused = true)]
async fn failures_are_repeated_no_longer_than_whoever_asked_bears_with_them() {
    let bench = Bench::new([answer(503, ""), answer(503, ""), answer(503, "")]);
    let started = Instant::now();
    let sending = bench.send(Safety::Repeatable);
    let failure = within(Duration::from_secs(2), sending).await;
    assert_eq!(failure.unwrap_err().error.kind(), Kind::Temporary);
    assert!(started.elapsed() <= Duration::from_secs(2));
}
