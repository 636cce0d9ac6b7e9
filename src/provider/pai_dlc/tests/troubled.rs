//! Answers that are not as they should be, and codes that come late: over a service that answers by operation.

use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use http::{HeaderMap, StatusCode};
use serde_json::{Value, json};

use super::MARKER;
use crate::ambient::{Clock, Entropy, Reporter};
use crate::error::{Error, Kind, Result};
use crate::http::{Answer, BaseUrl, Patience, Session, Signed, Transport, TransportError};
use crate::model::{Job, ResourceRef, Timestamp};
use crate::provider::pai_dlc::{Connection, PaiDlc, PaiDlcDialect, default_endpoints};
use crate::provider::{LogLook, LogSource, LogStart, Observation, Provider, Tracked};
use crate::secret::Secret;
use crate::sign::{AccessKey, Acs3};

type Told = (u16, Vec<u8>);
type Answering = Box<dyn Fn(&str, &str) -> Told + Send>;

/// The service, the clock, and whoever is told something.
struct World {
    answer: Mutex<Answering>,
    sent: Mutex<Vec<&'static str>>,
    second: Mutex<i64>,
    told: Mutex<Vec<String>>,
}

impl fmt::Debug for World {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("World").finish_non_exhaustive()
    }
}

/// An answer of this status is too large unless any size is taken.
const LARGE: u16 = 0;

#[async_trait]
impl Transport for World {
    async fn call(
        &self,
        request: &Signed,
        _limit: Option<Duration>,
    ) -> Result<Answer, TransportError> {
        let template = request.template();
        self.sent.lock().unwrap().push(template.operation);
        let (status, body) =
            (self.answer.lock().unwrap())(template.operation, &template.full_target());
        if status == LARGE && !template.any_size {
            let error = Error::new(Kind::Protocol, "body_too_large", "more than 64 MiB");
            return Err(TransportError { sent: true, error });
        }
        Ok(Answer {
            status: StatusCode::from_u16(status.max(200)).unwrap(),
            headers: HeaderMap::new(),
            body: body.into(),
        })
    }
}

impl Clock for World {
    fn now(&self) -> Timestamp {
        Timestamp::from_second(*self.second.lock().unwrap()).unwrap()
    }
}

impl Entropy for World {
    fn bytes(&self) -> [u8; 16] {
        [7; 16]
    }
}

impl Reporter for World {
    fn note(&self, text: &str) {
        self.told.lock().unwrap().push(text.to_owned());
    }
    fn warning(&self, text: &str) {
        self.told.lock().unwrap().push(format!("warning: {text}"));
    }
    fn detail(&self, _level: u8, _text: &str) {}
    fn trace(&self, _text: &str) {}
    fn is_tracing(&self) -> bool {
        false
    }
}

struct Bench {
    provider: PaiDlc,
    world: Arc<World>,
}

const START: i64 = 1_768_212_000;
const REF: &str = "pai-dlc/cn-hangzhou/dlc1";

impl Bench {
    fn new(answer: impl Fn(&str, &str) -> Told + Send + 'static) -> Self {
        let world = Arc::new(World {
            answer: Mutex::new(Box::new(answer)),
            sent: Mutex::default(),
            second: Mutex::new(START),
            told: Mutex::default(),
        });
        let signer = Acs3::new(&AccessKey {
            id: "LTAI5tEXAMPLE".to_owned(),
            secret: Secret::new("hunter2"),
            token: None,
        })
        .unwrap();
        let (dlc, aiworkspace) = default_endpoints("cn-hangzhou");
        let provider = PaiDlc::new(Connection {
            name: "pai-dlc".to_owned(),
            session: Session {
                provider: "pai-dlc".to_owned(),
                transport: Arc::<World>::clone(&world),
                signer: Arc::new(signer),
                dialect: Arc::new(PaiDlcDialect),
                clock: Arc::<World>::clone(&world),
                entropy: Arc::<World>::clone(&world),
                reporter: Arc::<World>::clone(&world),
                patience: Patience {
                    retries: 0,
                    deadline: None,
                    read_limit: Duration::from_secs(60),
                },
            },
            dlc: BaseUrl::parse(&dlc).unwrap(),
            aiworkspace: BaseUrl::parse(&aiworkspace).unwrap(),
            region: "cn-hangzhou".to_owned(),
            workspace: Some("310042".to_owned()),
        });
        Self { provider, world }
    }

    fn answer(&self, answer: impl Fn(&str, &str) -> Told + Send + 'static) {
        *self.world.answer.lock().unwrap() = Box::new(answer);
    }

    fn later(&self, seconds: i64) {
        *self.world.second.lock().unwrap() += seconds;
    }

    fn told(&self) -> Vec<String> {
        std::mem::take(&mut *self.world.told.lock().unwrap())
    }

    /// How many questions of this kind were sent since the last time.
    fn sent(&self, operation: &str) -> usize {
        let sent = std::mem::take(&mut *self.world.sent.lock().unwrap());
        sent.iter().filter(|sent| **sent == operation).count()
    }

    async fn observe(&self, reading: Option<Value>) -> Result<Job> {
        let tracked = Tracked {
            job_ref: REF.parse().unwrap(),
            cancel_requested_at: None,
            time_limit_s: None,
            start_by: None,
            reading,
        };
        let observed = Provider::observe(&self.provider, &[tracked]).await?;
        match observed.into_iter().next().unwrap() {
            Observation::Seen(job) => Ok(*job),
            Observation::Missing | Observation::Unread(_) => panic!("not seen"),
        }
    }

    /// Everything in the log of the first pod.
    async fn log(&self) -> Result<String> {
        let logs = self.provider.logs().unwrap();
        let job = self.observe(None).await?;
        let sources: Vec<LogSource> = logs.sources(&job).await?;
        let mut reader = logs.open(&sources[0], &LogStart::default());
        let mut log = Vec::new();
        loop {
            let piece = reader.read(LogLook::Last).await?;
            log.extend(piece.bytes);
            if !piece.more {
                return Ok(String::from_utf8(log).unwrap());
            }
        }
    }
}

fn good(value: &Value) -> Told {
    (200, value.to_string().into_bytes())
}

/// A job of this status; with a carrier and one pod.
fn job(status: &str) -> Told {
    good(
        &json!({"JobId": "dlc1", "Status": status, "DisplayName": format!("n-{MARKER}"),
        "GmtCreateTime": "2026-01-12T09:59:00Z",
        "Settings": {"Tags": {"gpujob-carrier": "1", "gpujob-run": MARKER}},
        "Pods": [{"PodId": "dlc1-master-0", "PodUid": "u"}]}),
    )
}

fn lines(lines: &[&str]) -> Told {
    good(&json!({"Logs": lines}))
}

/// A job whose log holds these lines.
fn with_log(status: &'static str, told: Told) -> impl Fn(&str, &str) -> Told + Send + 'static {
    move |operation, _| match operation {
        "GetPodLogs" => told.clone(),
        _ => job(status),
    }
}

#[tokio::test]
async fn an_answer_without_an_id_does_not_make_a_job_vanish() {
    let bench = Bench::new(|_, _| good(&json!({"RequestId": "R"})));
    let error = bench.observe(None).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Protocol);
    let error = bench.provider.resolve("dlc1").await.unwrap_err();
    assert_eq!(error.kind(), Kind::Protocol);
}

#[tokio::test]
async fn odd_lines_do_not_hide_the_log() {
    let body = b"{\"Logs\":[\"a\",null,5,\"\\ud83d\",\"\xff\",\"b\tc\"]}".to_vec();
    let bench = Bench::new(with_log("Succeeded", (200, body)));
    assert_eq!(
        bench.log().await.unwrap(),
        "a\n\n5\n\u{fffd}\n\u{fffd}\nb\tc\n"
    );
}

#[tokio::test]
async fn an_answer_that_is_too_large_is_asked_for_in_smaller_parts() {
    let at = |target: &str, name: &str| {
        let (_, rest) = target.split_once(&format!("{name}=")).unwrap();
        let text = rest.split('&').next().unwrap().replace("%3A", ":");
        text.parse::<Timestamp>().unwrap().as_second() - START
    };
    // A line in each second, of which no more than two fit; one second is too large by itself.
    let bench = Bench::new(move |operation, target| {
        if operation != "GetPodLogs" {
            return job("Succeeded");
        }
        let seconds = at(target, "StartTime").max(-30)..at(target, "EndTime").min(-10);
        let told: Vec<String> = seconds
            .clone()
            .map(|second| format!("at {second}"))
            .collect();
        let is_large = told.len() > 2 || seconds.contains(&-20);
        let (_, body) = good(&json!({"Logs": told}));
        (if is_large { LARGE } else { 200 }, body)
    });
    let lines: Vec<String> = (-30..-10).map(|second| format!("at {second}\n")).collect();
    let expected = lines.concat();
    assert_eq!(bench.log().await.unwrap(), expected);
}

#[tokio::test]
async fn a_seam_that_the_service_refuses_holds_nothing() {
    let bench = Bench::new(|operation, target| {
        if operation != "GetPodLogs" {
            return job("Succeeded");
        }
        let (_, rest) = target.split_once("EndTime=").unwrap();
        let end = rest.split('&').next().unwrap();
        if target.contains(&format!("StartTime={end}")) {
            return (400, br#"{"Code":"InvalidParameter"}"#.to_vec());
        }
        // Full, down to a second that is asked for with more.
        let is_in = target.contains("StartTime=2026-01-12T09%3A5");
        let is_usual = target.contains("MaxLines=2000&");
        lines(&vec![
            "x";
            if !is_in {
                0
            } else if is_usual {
                2_000
            } else {
                1
            }
        ])
    });
    assert_eq!(bench.log().await.unwrap(), "x\n".repeat(120));
}

#[tokio::test]
async fn a_log_that_began_at_a_time_made_up_here_is_read_from_the_beginning() {
    let bench = Bench::new(with_log("Running", lines(&[])));
    let mut job = bench.observe(None).await.unwrap();
    let logs = bench.provider.logs().unwrap();
    assert!(logs.sources(&job).await.unwrap()[0].began_at.is_some());
    job.approximate.push("created_at");
    assert_eq!(logs.sources(&job).await.unwrap()[0].began_at, None);
}

#[tokio::test]
async fn events_that_cannot_be_read_are_not_no_events() {
    let job_ref: &ResourceRef = &REF.parse().unwrap();
    let ask = |told: Told, of: &'static str| {
        let bench = Bench::new(move |operation, _| match operation {
            asked if asked == of => told.clone(),
            "GetJob" => job("Running"),
            _ => good(&json!({"Events": ["2026-01-12T09:42:02Z Normal Started it"]})),
        });
        async move {
            let events = bench.provider.events().unwrap();
            (events.events_of(job_ref).await, bench.told())
        }
    };
    let code = |code: &str| {
        json!({"Code": code, "Message": "m"})
            .to_string()
            .into_bytes()
    };
    for of in ["GetJobEvents", "GetPodEvents"] {
        let (told, _) = ask((400, code("InvalidParameter")), of).await;
        assert_eq!(told.unwrap_err().kind(), Kind::Rejected, "{of}");
        let (told, _) = ask((200, code("InternalError")), of).await;
        assert!(told.is_err(), "{of}");
    }
    let (told, _) = ask((404, code("NotFound")), "GetJobEvents").await;
    assert_eq!(told.unwrap_err().kind(), Kind::NotFound);
    let (told, notes) = ask((404, code("NotFound")), "GetPodEvents").await;
    assert_eq!(told.unwrap().len(), 1);
    assert!(notes[0].contains("dlc1-master-0"), "{notes:?}");
}

fn carried(code: i64) -> String {
    format!("::gpujob-exit-code {MARKER} {code}::")
}

#[tokio::test]
async fn a_job_is_not_over_before_its_code_had_its_time() {
    let bench = Bench::new(with_log("Running", lines(&["a"])));
    let job = bench.observe(None).await.unwrap();
    assert_eq!(bench.sent("GetPodLogs"), 0);
    bench.answer(with_log("Failed", lines(&["a"])));
    bench.later(3_600);
    let mut job = bench.observe(job.reading).await.unwrap();
    for _ in 0..2 {
        assert_eq!((job.terminal, job.exit_code), (false, None));
        bench.later(3);
        job = bench.observe(job.reading).await.unwrap();
    }
    // One look takes two questions: where the last lines begin, and what they are.
    assert!(bench.sent("GetPodLogs") <= 3 * 6);

    bench.answer(with_log("Failed", lines(&["a", &carried(3), "bye"])));
    let found = bench.observe(job.reading.clone()).await.unwrap();
    assert_eq!((found.terminal, found.exit_code), (true, Some(3)));
    bench.sent("GetPodLogs");
    let again = bench.observe(found.reading).await.unwrap();
    assert_eq!((again.terminal, again.exit_code), (true, Some(3)));
    assert_eq!(bench.sent("GetPodLogs"), 0);
}

#[tokio::test]
async fn a_job_whose_code_never_comes_is_over_after_some_seconds() {
    let bench = Bench::new(with_log("Failed", lines(&["Killed"])));
    let job = bench.observe(None).await.unwrap();
    assert!(!job.terminal);
    bench.later(8);
    let job = bench.observe(job.reading).await.unwrap();
    assert_eq!((job.terminal, job.exit_code), (true, None));
    let refused = (
        403,
        br#"{"Code":"Forbidden.RAM","Message":"no GetPodLogs"}"#.to_vec(),
    );
    let bench = Bench::new(with_log("Failed", refused));
    for warnings in [1, 0] {
        let job = bench.observe(None).await.unwrap();
        assert_eq!((job.terminal, job.exit_code), (true, None));
        let told = bench.told();
        assert_eq!(told.len(), warnings, "{told:?}");
        assert!(told.iter().all(|text| text.contains("no GetPodLogs")));
    }
}

#[tokio::test]
async fn what_a_follower_read_is_known_to_whoever_judges_the_end() {
    let bench = Bench::new(with_log("Running", lines(&["a", &carried(5)])));
    assert_eq!(bench.log().await.unwrap(), "a\n");
    bench.answer(|operation, _| match operation {
        "GetPodLogs" => panic!("it is known"),
        _ => job("Failed"),
    });
    let job = bench.observe(None).await.unwrap();
    assert_eq!((job.terminal, job.exit_code), (true, Some(5)));
    let logs = bench.provider.logs().unwrap();
    assert_eq!(logs.told_code(&job).await, Some(5));
}
