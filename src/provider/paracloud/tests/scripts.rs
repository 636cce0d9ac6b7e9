//! Script-mode jobs at their end: the exit code in the volume, late, torn, unreadable, or left by a group that has gone.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::{StreamExt as _, stream};
use http::header::{CONTENT_RANGE, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, StatusCode};
use rstest::rstest;
use serde_json::{Value, json};

use crate::ambient::{Clock, Entropy, Reporter};
use crate::error::Kind;
use crate::http::send::{Patience, Transport, TransportError};
use crate::http::{Answer, BaseUrl, BodySource, Incoming, Session, Signed, Streaming};
use crate::model::{Flag, Job, ResourceRef, State, Timestamp, TransferCredentials};
use crate::provider::paracloud::{Connection, Paracloud, ParacloudDialect, Transfer};
use crate::provider::{
    KeptAccess, LogLook, LogStart, Logs as _, Observation, Provider as _, Tracked,
};
use crate::secret::Secret;
use crate::sign::Bearer;

const MARKER: &str = "bcdfghjklmnpqr";
const NOW: &str = "2024-03-08T01:00:05Z";

/// What a GET of `exit_code` gets: a status, a type, and a body that says it is four bytes long.
type File = (u16, &'static str, &'static str);

const FOUND: File = (206, "text/plain", "137\n");
const TORN: File = (206, "text/plain", "1");
const ABSENT: File = (404, "text/plain", "no");
const PAGE: File = (200, "text/html", "<html>Sign in</html>");
const DOWN: File = (503, "text/plain", "busy");
const REFUSED: File = (401, "text/plain", "no");

/// A service with one group, or none, and its volume.
#[derive(Debug)]
struct Service {
    group: Option<Value>,
    file: File,
    /// Standard output.
    log: String,
    sent: Mutex<Vec<String>>,
}

#[async_trait]
impl Transport for Service {
    async fn call(
        &self,
        request: &Signed,
        _limit: Option<Duration>,
    ) -> Result<Answer, TransportError> {
        let template = request.template();
        let line = format!("{} {}", template.method, template.full_target());
        self.sent.lock().unwrap().push(line.clone());
        let (status, body) = if line.contains("instanceTypes") {
            (200, json!({"instanceTypes": []}).to_string())
        } else if line.ends_with(":cancel") || line.starts_with("DELETE /vol/") {
            (204, String::new())
        } else if line.contains("/containerGroups/") {
            match &self.group {
                Some(group) => (200, group.to_string()),
                None => (404, json!({"code": 404, "message": "gone"}).to_string()),
            }
        } else if line.ends_with("/containerGroups") {
            (200, json!({"containerGroups": []}).to_string())
        } else {
            let entry = |name: &str, what: &str| {
                format!(
                    "<response><href>/vol/.gpujob/{MARKER}/{name}</href><propstat><prop>{what}</prop>\
                     <status>HTTP/1.1 200 OK</status></propstat></response>"
                )
            };
            let body = format!(
                "<multistatus xmlns=\"DAV:\">{}{}</multistatus>",
                entry("", "<resourcetype><collection/></resourcetype>"),
                entry(
                    "stdout.log",
                    &format!(
                        "<resourcetype/><getcontentlength>{}</getcontentlength>",
                        self.log.len()
                    )
                ),
            );
            (207, body)
        };
        Ok(Answer {
            status: StatusCode::from_u16(status).unwrap(),
            headers: HeaderMap::new(),
            body: body.into(),
        })
    }
}

#[async_trait]
impl Streaming for Service {
    async fn upload(
        &self,
        _request: &Signed,
        _source: &dyn BodySource,
        _patience: Duration,
    ) -> Result<Answer, TransportError> {
        panic!("nothing is put")
    }

    async fn download(
        &self,
        request: &Signed,
        _patience: Duration,
    ) -> Result<Incoming, TransportError> {
        let line = request.template().full_target();
        let asked = request.template().headers.get("range").unwrap().to_str();
        let asked = asked.unwrap().trim_start_matches("bytes=").to_owned();
        self.sent
            .lock()
            .unwrap()
            .push(format!("GET {line} {asked}"));
        if line.ends_with("stdout.log") {
            return Ok(self.part(&asked));
        }
        assert_eq!(line, format!("/vol/.gpujob/{MARKER}/exit_code"));
        let (status, kind, body) = self.file;
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
        if status == 206 {
            headers.insert(CONTENT_RANGE, HeaderValue::from_static("bytes 0-3/4"));
        }
        Ok(Incoming {
            status: StatusCode::from_u16(status).unwrap(),
            headers,
            pieces: stream::iter([Ok(Bytes::from_static(body.as_bytes()))]).boxed(),
        })
    }
}

impl Service {
    /// A part of the log.
    fn part(&self, asked: &str) -> Incoming {
        let (first, last) = asked.split_once('-').unwrap();
        let (first, last): (usize, usize) = (first.parse().unwrap(), last.parse().unwrap());
        let end = self.log.len().min(last + 1);
        let range = format!("bytes {first}-{}/{}", end - 1, self.log.len());
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_RANGE, HeaderValue::from_str(&range).unwrap());
        let bytes = Bytes::copy_from_slice(&self.log.as_bytes()[first..end]);
        Incoming {
            status: StatusCode::PARTIAL_CONTENT,
            headers,
            pieces: stream::iter([Ok(bytes)]).boxed(),
        }
    }
}

#[derive(Debug)]
struct Still;

impl Clock for Still {
    fn now(&self) -> Timestamp {
        NOW.parse().unwrap()
    }
}

impl Entropy for Still {
    fn bytes(&self) -> [u8; 16] {
        [7; 16]
    }
}

impl Reporter for Still {
    fn note(&self, _text: &str) {}
    fn warning(&self, text: &str) {
        panic!("{text}")
    }
    fn detail(&self, _level: u8, _text: &str) {}
    fn trace(&self, _text: &str) {}
    fn is_tracing(&self) -> bool {
        false
    }
}

fn volume() -> ResourceRef {
    ResourceRef::new("para", ["k8r2wq", "NC-N30", "x7m4tzb9"])
}

fn job_ref() -> ResourceRef {
    ResourceRef::new("para", ["k8r2wq", "NC-N30", "p6vd2hcn"])
}

fn provider(group: Option<Value>, file: File, keeps: bool) -> (Paracloud, Arc<Service>) {
    serving(group, file, "hi\n".to_owned(), keeps)
}

fn serving(
    group: Option<Value>,
    file: File,
    log: String,
    keeps: bool,
) -> (Paracloud, Arc<Service>) {
    let service = Arc::new(Service {
        group,
        file,
        log,
        sent: Mutex::default(),
    });
    let token = Secret::new("hunter2-token");
    let session = Session {
        provider: "para".to_owned(),
        transport: Arc::<Service>::clone(&service),
        signer: Arc::new(Bearer::new(&token).unwrap()),
        dialect: Arc::new(ParacloudDialect::new(vec![token])),
        clock: Arc::new(Still),
        entropy: Arc::new(Still),
        reporter: Arc::new(Still),
        patience: Patience {
            retries: 0,
            deadline: None,
            read_limit: Duration::from_secs(60),
        },
    };
    let access = KeptAccess {
        credentials: TransferCredentials {
            username: "user".to_owned(),
            password: Secret::new("hunter2-dav"),
            webdav_url: Some("https://dav.example/vol".to_owned()),
            sftp_address: None,
        },
        kept_at: None,
    };
    let kept: BTreeMap<_, _> = keeps.then(|| (volume(), access)).into_iter().collect();
    let provider = Paracloud::new(Connection {
        name: "para".to_owned(),
        session,
        base: BaseUrl::parse("https://eci.example").unwrap(),
        namespace: None,
        transfer: Transfer {
            streaming: Arc::<Service>::clone(&service),
            kept: Arc::new(kept),
        },
    });
    (provider, service)
}

fn group(state: &str) -> Value {
    json!({
        "id": "p6vd2hcn", "namespaceID": "k8r2wq", "clusterID": "NC-N30", "instanceType": "n30.xlarge",
        "containers": [{
            "name": format!("bert-{MARKER}"), "image": "ubuntu:22.04",
            "command": ["sh", format!("/data/.gpujob/{MARKER}/run.sh")],
            "volumeMounts": [{"name": "x7m4tzb9", "mountPath": "/data"}],
        }],
        "status": {"state": state, "startTime": "2024-03-08T00:59:00Z", "endTime": "2024-03-08T01:00:04Z"},
    })
}

fn tracked(reading: Option<Value>) -> Tracked {
    Tracked {
        job_ref: job_ref(),
        cancel_requested_at: None,
        time_limit_s: None,
        reading,
        start_by: None,
    }
}

fn kept(more: Value) -> Option<Value> {
    let mut reading = json!({
        "volume": volume().to_string(), "folder": format!("/.gpujob/{MARKER}"), "instance_type": "n30.xlarge",
    });
    for (key, value) in more.as_object().unwrap() {
        reading[key] = value.clone();
    }
    Some(reading)
}

async fn look(provider: &Paracloud, tracked: Tracked) -> Result<Option<Job>, Kind> {
    match provider.observe(&[tracked]).await {
        Ok(mut observed) => Ok(match observed.pop().unwrap() {
            Observation::Seen(job) => Some(*job),
            Observation::Missing => None,
            Observation::Unread(error) => return Err(error.kind()),
        }),
        Err(error) => Err(error.kind()),
    }
}

#[rstest]
#[case::found(FOUND, None, Ok((true, Some(137))))]
#[case::torn(TORN, None, Err(Kind::Temporary))]
#[case::down(DOWN, None, Err(Kind::Temporary))]
#[case::a_page(PAGE, None, Err(Kind::Protocol))]
#[case::refused(REFUSED, None, Ok((true, None)))]
#[case::late(ABSENT, None, Ok((false, None)))]
#[case::still_late(ABSENT, kept(json!({"missing_since": "2024-03-08T00:59:56Z"})), Ok((false, None)))]
#[case::never_written(ABSENT, kept(json!({"missing_since": "2024-03-08T00:59:55Z"})), Ok((true, None)))]
#[case::known_before(DOWN, kept(json!({"exit_code": 3})), Ok((true, Some(3))))]
#[tokio::test(start_paused = true)]
async fn a_failed_job_is_over_when_its_code_is_known_or_cannot_come(
    #[case] file: File,
    #[case] reading: Option<Value>,
    #[case] expected: Result<(bool, Option<i64>), Kind>,
) {
    let (provider, _) = provider(Some(group("Failed")), file, true);
    let seen = look(&provider, tracked(reading)).await;
    let told = seen.map(|job| {
        let job = job.unwrap();
        assert_eq!(job.state, State::Failed);
        (job.terminal, job.exit_code)
    });
    assert_eq!(told, expected);
}

#[tokio::test(start_paused = true)]
async fn a_code_that_cannot_be_read_hides_no_other_job() {
    let (provider, _) = provider(Some(group("Failed")), DOWN, true);
    let known = kept(json!({"exit_code": 3}));
    let observed = provider.observe(&[tracked(None), tracked(known)]).await;
    let [Observation::Unread(error), Observation::Seen(job)] = &observed.unwrap()[..] else {
        panic!("not one of each")
    };
    assert_eq!((error.kind(), job.exit_code), (Kind::Temporary, Some(3)));
}

#[tokio::test]
async fn without_credentials_the_code_stays_unknown() {
    let (provider, _) = provider(Some(group("Failed")), FOUND, false);
    let job = look(&provider, tracked(None)).await.unwrap().unwrap();
    assert_eq!((job.terminal, job.exit_code), (true, None));
}

#[rstest]
#[case::by_its_file(FOUND, json!({}), Ok(Some(137)))]
#[case::as_told_before(DOWN, json!({"exit_code": 3}), Ok(Some(3)))]
#[case::unknown(ABSENT, json!({}), Ok(None))]
#[case::unreadable(DOWN, json!({}), Err(Kind::Temporary))]
#[tokio::test(start_paused = true)]
async fn a_job_whose_group_has_gone_ends_as_its_script_wrote(
    #[case] file: File,
    #[case] more: Value,
    #[case] expected: Result<Option<i64>, Kind>,
) {
    let (provider, _) = provider(None, file, true);
    let seen = look(&provider, tracked(kept(more))).await;
    let code = seen.map(|job| {
        job.map(|job| {
            assert_eq!((job.state, job.terminal), (State::Failed, true));
            assert!(job.flags.contains(&Flag::Gone));
            assert_eq!(job.instance_type.as_deref(), Some("n30.xlarge"));
            job.exit_code.unwrap()
        })
    });
    assert_eq!(code, expected);
}

#[tokio::test]
async fn what_is_remembered_is_learnt_from_a_group_that_runs() {
    let (provider, _) = provider(Some(group("Running")), ABSENT, true);
    let job = look(&provider, tracked(None)).await.unwrap().unwrap();
    let reading = job.reading.unwrap();
    for (key, value) in kept(json!({})).unwrap().as_object().unwrap() {
        assert_eq!(&reading[key], value);
    }
}

#[tokio::test]
async fn the_logs_of_a_job_whose_group_has_gone_are_where_they_were() {
    let (provider, _) = provider(None, ABSENT, true);
    let mut job = Job::new(job_ref(), "p6vd2hcn", State::Unknown);
    job.reading = kept(json!({}));
    let sources = provider.sources(&job).await.unwrap();
    let names: Vec<&str> = sources.iter().map(|source| source.name.as_str()).collect();
    assert_eq!(names, ["p6vd2hcn"]);
}

#[rstest]
#[case::lines_at_the_end("line\n".repeat(60_000), 2, "234464-")]
#[case::more_lines("line\n".repeat(600_000), 20_000, "1951424-")]
#[case::more_lines_than_are_searched("line\n".repeat(600_000), 500_000, "0-1048575")]
#[case::a_short_file("line\n".repeat(3), 2, "0-1048575")]
#[case::no_line("x".repeat(100_000), 2, "0-1048575")]
#[tokio::test]
async fn the_last_lines_are_read_from_the_end(
    #[case] log: String,
    #[case] lines: usize,
    #[case] range: &str,
) {
    let (provider, service) = serving(None, ABSENT, log.clone(), true);
    let mut job = Job::new(job_ref(), "p6vd2hcn", State::Unknown);
    job.reading = kept(json!({}));
    let sources = provider.sources(&job).await.unwrap();
    let start = LogStart {
        since: None,
        tail: Some(lines),
    };
    let mut reader = provider.open(&sources[0], &start);
    let mut bytes = Vec::new();
    let mut first = None;
    loop {
        let piece = reader.read(LogLook::Last).await.unwrap();
        bytes.extend_from_slice(&piece.bytes);
        let sent = service.sent.lock().unwrap().last().cloned();
        first = first.or(sent);
        if !piece.more {
            break;
        }
    }
    let (begin, _) = range.split_once('-').unwrap();
    let begin: usize = begin.parse().unwrap();
    assert!(first.unwrap().contains(&format!(" {begin}-")));
    assert_eq!(bytes, log.as_bytes()[begin..]);
}

#[rstest]
#[case::lately("2024-03-08T00:58:06Z", false)]
#[case::long_ago("2024-03-08T00:58:05Z", true)]
#[tokio::test]
async fn a_cancel_without_effect_is_to_be_repeated(#[case] asked: &str, #[case] is_told: bool) {
    let (provider, _) = provider(Some(group("Running")), ABSENT, true);
    let tracked = Tracked {
        cancel_requested_at: Some(asked.parse().unwrap()),
        ..tracked(None)
    };
    let job = look(&provider, tracked).await.unwrap().unwrap();
    let told = job
        .message
        .is_some_and(|told| told.contains("cancel it again"));
    assert_eq!(told, is_told);
}

#[rstest]
#[case::ended(Some(group("Failed")), false, 1)]
#[case::running(Some(group("Running")), false, 0)]
#[case::being_cancelled(Some(group("Pending")), true, 1)]
#[case::gone_by_a_cancel(None, true, 1)]
#[case::not_listed_yet(None, false, 0)]
#[tokio::test]
async fn secrets_go_when_nobody_will_read_them(
    #[case] group: Option<Value>,
    #[case] is_cancelled: bool,
    #[case] removals: usize,
) {
    let (provider, service) = provider(group, REFUSED, true);
    if is_cancelled {
        provider.cancel(&job_ref()).await.unwrap();
    }
    let seen = look(&provider, tracked(kept(json!({"has_secrets": true})))).await;
    let line = format!("DELETE /vol/.gpujob/{MARKER}/env");
    let sent = service.sent.lock().unwrap();
    assert_eq!(sent.iter().filter(|sent| **sent == line).count(), removals);
    if let Some(reading) = seen.unwrap().and_then(|job| job.reading) {
        assert_eq!(reading.get("has_secrets").is_none(), removals == 1);
    }
}
