//! The glue over a transport made of paper: which requests are sent, in which order, and what becomes of the answers.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use rstest::rstest;
use serde_json::{Value, json};

use super::{recorded, recorded_text};
use crate::ambient::{Clock, Entropy, Reporter};
use crate::error::{Error, Kind};
use crate::http::send::{Patience, Transport, TransportError};
use crate::http::{Answer, BaseUrl, Live, Session, Signed, TrustSettings};
use crate::model::{Marker, ResourceRef, State, Timestamp};
use crate::provider::paracloud::{Connection, Paracloud, ParacloudDialect, Transfer};
use crate::provider::{
    Creation, ListFilter, Observation, Plan, PlanInput, Policy, Provider, Support, Tracked, Verb,
    VolumeRequest,
};
use crate::secret::Secret;
use crate::sign::Bearer;
use crate::spec::{JobSpec, Mount, MountSource, Program, Resources};

const NAMESPACES: &str = "GET /api/v1beta2/namespaces";
const TYPES: &str = "GET /api/v1beta2/clusters/-/instanceTypes";
const GROUPS: &str = "GET /api/v1beta2/namespaces/k8r2wq/clusters/-/containerGroups";
const VOLUMES: &str = "GET /api/v1beta2/namespaces/k8r2wq/clusters/-/volumes";
const ONE: &str = "GET /api/v1beta2/namespaces/k8r2wq/clusters/NC-N30/containerGroups/p6vd2hcn";
const CANCEL: &str =
    "DELETE /api/v1beta2/namespaces/k8r2wq/clusters/NC-N30/containerGroups/p6vd2hcn:cancel";
const CREATE: &str = "POST /api/v1beta2/namespaces/k8r2wq/clusters/NC-N30/containerGroups";
const CREATE_ANYWHERE: &str = "POST /api/v1beta2/namespaces/k8r2wq/clusters/-/containerGroups";
const CREATE_VOLUME: &str = "POST /api/v1beta2/namespaces/k8r2wq/clusters/NC-N30/volumes";
const DELETE_VOLUME: &str =
    "DELETE /api/v1beta2/namespaces/k8r2wq/clusters/NC-N30/volumes/x7m4tzb9";
const MARKER: &str = "bcdfghjklmnpqr";

/// An exchange: the request line that must come, and what it gets.
type Exchange = (&'static str, Result<(u16, String), bool>);

/// Answers a script of exchanges; any order, since independent reads may overtake each other.
#[derive(Debug)]
struct Paper {
    script: Mutex<VecDeque<Exchange>>,
    sent: Mutex<Vec<(String, Bytes)>>,
}

#[async_trait]
impl Transport for Paper {
    async fn call(
        &self,
        request: &Signed,
        _limit: Option<Duration>,
    ) -> Result<Answer, TransportError> {
        let template = request.template();
        let line = format!("{} {}", template.method, template.full_target());
        self.sent
            .lock()
            .unwrap()
            .push((line.clone(), template.body.clone().unwrap_or_default()));
        let mut script = self.script.lock().unwrap();
        let index = script
            .iter()
            .position(|(expected, _)| *expected == line)
            .unwrap_or_else(|| panic!("`{line}` is not in the script: {script:?}"));
        let (_, outcome) = script.remove(index).unwrap();
        match outcome {
            Ok((status, body)) => Ok(Answer {
                status: StatusCode::from_u16(status).unwrap(),
                headers: HeaderMap::new(),
                body: body.into(),
            }),
            Err(sent) => Err(TransportError {
                sent,
                error: Error::new(Kind::Temporary, "test", "no answer"),
            }),
        }
    }
}

#[derive(Debug)]
struct Still;

impl Clock for Still {
    fn now(&self) -> Timestamp {
        "2024-03-08T01:00:00Z".parse().unwrap()
    }
}

impl Entropy for Still {
    fn bytes(&self) -> [u8; 16] {
        [7; 16]
    }
}

#[derive(Debug, Default)]
struct Notebook(Mutex<Vec<String>>);

impl Reporter for Notebook {
    fn note(&self, _text: &str) {}
    fn warning(&self, text: &str) {
        self.0.lock().unwrap().push(text.to_owned());
    }
    fn detail(&self, _level: u8, _text: &str) {}
    fn trace(&self, _text: &str) {}
    fn is_tracing(&self) -> bool {
        false
    }
}

struct Bench {
    provider: Paracloud,
    paper: Arc<Paper>,
    notebook: Arc<Notebook>,
}

impl Bench {
    fn new(namespace: Option<&str>, script: Vec<Exchange>) -> Self {
        let paper = Arc::new(Paper {
            script: Mutex::new(script.into()),
            sent: Mutex::default(),
        });
        let notebook = Arc::new(Notebook::default());
        let token = Secret::new("hunter2-token");
        let session = Session {
            provider: "para".to_owned(),
            transport: Arc::<Paper>::clone(&paper),
            signer: Arc::new(Bearer::new(&token).unwrap()),
            dialect: Arc::new(ParacloudDialect::new(vec![token])),
            clock: Arc::new(Still),
            entropy: Arc::new(Still),
            reporter: Arc::<Notebook>::clone(&notebook),
            patience: Patience {
                retries: 1,
                deadline: None,
                read_limit: Duration::from_secs(60),
            },
        };
        Self {
            provider: Paracloud::new(Connection {
                name: "para".to_owned(),
                session,
                base: BaseUrl::parse("https://eci.example").unwrap(),
                namespace: namespace.map(str::to_owned),
                transfer: Transfer {
                    streaming: Arc::new(Live::new(
                        TrustSettings::default(),
                        Duration::from_secs(1),
                        Arc::<Notebook>::clone(&notebook),
                    )),
                    kept: Arc::new(BTreeMap::new()),
                },
            }),
            paper,
            notebook,
        }
    }

    fn warnings(&self) -> String {
        self.notebook.0.lock().unwrap().join("\n")
    }

    fn lines(&self) -> Vec<String> {
        let sent = self.paper.sent.lock().unwrap();
        sent.iter().map(|(line, _)| line.clone()).collect()
    }
}

/// An answer that nobody asked for fails the test.
impl Drop for Bench {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            let left = self.paper.script.lock().unwrap();
            assert!(left.is_empty(), "not asked for: {left:?}");
        }
    }
}

#[expect(
    clippy::needless_pass_by_value,
    reason = "a script of literals reads better without references"
)]
fn said(line: &'static str, status: u16, body: impl ToString) -> Exchange {
    (line, Ok((status, body.to_string())))
}

fn file(line: &'static str, name: &str) -> Exchange {
    said(line, 200, recorded_text(name))
}

fn missing(line: &'static str) -> Exchange {
    said(line, 404, recorded_text("error-group-not-found"))
}

fn groups(of: &[&Value]) -> String {
    json!({ "containerGroups": of }).to_string()
}

fn job_ref() -> ResourceRef {
    ResourceRef::new("para", ["k8r2wq", "NC-N30", "p6vd2hcn"])
}

fn tracked(reference: ResourceRef) -> Tracked {
    Tracked {
        job_ref: reference,
        cancel_requested_at: None,
        time_limit_s: None,
        reading: None,
        start_by: None,
    }
}

fn spec(instance_type: &str) -> JobSpec {
    JobSpec {
        name: Some("bert".to_owned()),
        image: Some("ubuntu:22.04".to_owned()),
        program: Program::Command(vec!["true".to_owned()]),
        resources: Resources {
            instance_type: Some(instance_type.to_owned()),
            ..Resources::default()
        },
        ..JobSpec::default()
    }
}

async fn planned(bench: &Bench, spec: &JobSpec) -> Plan {
    let survey = bench.provider.survey(spec).await.unwrap();
    let marker = Marker::parse(MARKER).unwrap();
    let input = PlanInput {
        spec,
        marker: &marker,
        policy: &Policy::default(),
        secrets: &BTreeMap::new(),
        registry_password: None,
    };
    bench.provider.plan(&input, &survey).unwrap()
}

/// What a service that changes nothing answers to the plan.
fn echo(cluster: Option<&str>) -> Value {
    let mut group = json!({
        "id": "p6vd2hcn", "namespaceID": "k8r2wq", "instanceType": "n30.2xlarge", "userID": "2048",
        "containers": [{"name": format!("bert-{MARKER}"), "image": "ubuntu:22.04", "command": ["true"]}],
        "status": {"state": "Pending", "reason": "Creating"},
    });
    if let Some(cluster) = cluster {
        group["clusterID"] = json!(cluster);
    }
    group
}

#[tokio::test]
async fn a_submit_looks_then_creates_once() {
    let bench = Bench::new(
        None,
        vec![
            file(NAMESPACES, "namespaces"),
            file(TYPES, "instance-types"),
            said(CREATE, 201, echo(Some("NC-N30"))),
        ],
    );
    let plan = planned(&bench, &spec("n30.2xlarge")).await;
    let Creation::Accepted(job) = bench.provider.create(&plan).await else {
        panic!("not accepted")
    };
    assert_eq!(job.job_ref, job_ref());
    assert_eq!(
        job.created_at,
        Some("2024-03-08T01:00:00Z".parse().unwrap())
    );
    assert_eq!(job.marker.as_deref(), Some(MARKER));
    assert_eq!(job.gpu.as_ref().unwrap().model.as_deref(), Some("RTX3090"));
    assert_eq!(bench.warnings(), "");
}

#[rstest]
#[case::in_the_answer(Some("NC-N30"), None, "NC-N30")]
#[case::in_the_list(None, Some("NC-N30"), "NC-N30")]
#[case::echo_of_the_wildcard(Some("-"), Some("NC-N30"), "NC-N30")]
#[case::nowhere(None, None, "-")]
#[tokio::test]
async fn the_cluster_of_a_create_with_the_wildcard_is_found(
    #[case] answered: Option<&str>,
    #[case] listed: Option<&str>,
    #[case] expected: &str,
) {
    let mut script = vec![
        file(NAMESPACES, "namespaces"),
        said(
            TYPES,
            200,
            json!({"instanceTypes": [{"id": "n30.2xlarge"}]}),
        ),
        said(CREATE_ANYWHERE, 200, echo(answered)),
    ];
    if answered != Some("NC-N30") {
        script.push(said(GROUPS, 200, groups(&[&echo(listed)])));
    }
    let bench = Bench::new(None, script);
    let plan = planned(&bench, &spec("n30.2xlarge")).await;
    let Creation::Accepted(job) = bench.provider.create(&plan).await else {
        panic!("not accepted")
    };
    assert_eq!(job.job_ref.parts(), ["k8r2wq", expected, "p6vd2hcn"]);
    assert_eq!(
        bench.warnings().contains("cluster is unknown"),
        expected == "-"
    );
}

#[tokio::test]
async fn what_the_service_changed_is_said_without_the_words() {
    let mut changed = echo(Some("NC-N30"));
    changed["containers"][0]["command"] = json!(["false"]);
    changed["containers"][0]["image"] = json!("ubuntu:24.04");
    let bench = Bench::new(
        Some("k8r2wq"),
        vec![
            file(NAMESPACES, "namespaces"),
            file(TYPES, "instance-types"),
            said(CREATE, 201, changed),
        ],
    );
    let plan = planned(&bench, &spec("n30.2xlarge")).await;
    assert!(matches!(
        bench.provider.create(&plan).await,
        Creation::Accepted(_)
    ));
    let warnings = bench.warnings();
    assert!(warnings.contains("`ubuntu:22.04` and came back as `ubuntu:24.04`"));
    assert!(warnings.contains("changed from word 1 on"), "{warnings}");
}

#[rstest]
#[case::refused(Ok((400, "{}".to_owned())), Some(Kind::Rejected), false)]
#[case::not_found(Ok((404, "nothing".to_owned())), Some(Kind::Protocol), false)]
#[case::envelope(Ok((200, r#"{"code":7}"#.to_owned())), Some(Kind::Rejected), false)]
#[case::lost(Err(true), Some(Kind::Temporary), true)]
#[case::server_error(Ok((503, String::new())), Some(Kind::Temporary), true)]
#[case::html(Ok((200, "<html>".to_owned())), Some(Kind::Protocol), true)]
#[case::torn(Ok((201, r#"{"id":"p6v"#.to_owned())), Some(Kind::Protocol), true)]
#[case::no_id(Ok((201, "{}".to_owned())), Some(Kind::Protocol), true)]
#[tokio::test(start_paused = true)]
async fn a_create_is_refused_or_unclear_and_never_repeated(
    #[case] outcome: Result<(u16, String), bool>,
    #[case] kind: Option<Kind>,
    #[case] unclear: bool,
) {
    let bench = Bench::new(
        None,
        vec![
            file(NAMESPACES, "namespaces"),
            file(TYPES, "instance-types"),
            (CREATE, outcome),
        ],
    );
    let plan = planned(&bench, &spec("n30.2xlarge")).await;
    let (error, was_unclear) = match bench.provider.create(&plan).await {
        Creation::Accepted(job) => panic!("{job:?}"),
        Creation::Refused(error) => (error, false),
        Creation::Ambiguous(error) => (error, true),
    };
    assert_eq!(
        (Some(error.kind()), was_unclear),
        (kind, unclear),
        "{error}"
    );
    assert_eq!(error.details().provider.as_deref(), Some("para"));
    assert_eq!(
        bench.lines().iter().filter(|line| *line == CREATE).count(),
        1
    );
}

#[rstest]
#[case::none(None, json!({"namespaces": []}), Err(Kind::Config))]
#[case::several(None, json!({"namespaces": [{"id": "a"}, {"id": "b"}]}), Err(Kind::Config))]
#[case::configured(Some("b"), json!({"namespaces": [{"id": "a"}, {"id": "b"}]}), Ok("b"))]
#[case::gone(Some("c"), json!({"namespaces": [{"id": "a"}]}), Err(Kind::NotFound))]
#[case::beyond_the_page(Some("c"), json!({"namespaces": [{"id": "a"}], "nextPageToken": "x"}), Ok("c"))]
#[case::numbers(None, json!({"namespaces": [{"id": 7}]}), Ok("7"))]
#[tokio::test]
async fn the_namespace_is_chosen_or_asked_for(
    #[case] configured: Option<&str>,
    #[case] list: Value,
    #[case] expected: Result<&str, Kind>,
) {
    let mut script = vec![said(NAMESPACES, 200, &list)];
    if expected.is_ok() {
        script.push(file(TYPES, "instance-types"));
    }
    let bench = Bench::new(configured, script);
    let survey = bench.provider.survey(&spec("n30.2xlarge")).await;
    match expected {
        Ok(id) => assert_eq!(survey.unwrap().namespace.unwrap().id, id),
        Err(kind) => {
            let error = survey.unwrap_err();
            assert_eq!(error.kind(), kind);
            let ids = list["namespaces"].as_array().unwrap().len();
            assert_eq!(error.details().candidates.len(), ids);
        }
    }
}

#[tokio::test]
async fn volumes_are_looked_at_only_for_mounts() {
    let bench = Bench::new(
        None,
        vec![
            file(NAMESPACES, "namespaces"),
            file(TYPES, "instance-types"),
            file(VOLUMES, "volumes"),
        ],
    );
    let with_mount = JobSpec {
        mounts: vec![Mount {
            source: MountSource::Id("x7m4tzb9".to_owned()),
            path: Some("/data".to_owned()),
            readonly: false,
            subpath: None,
        }],
        ..spec("n30.2xlarge")
    };
    let survey = bench.provider.survey(&with_mount).await.unwrap();
    assert_eq!(survey.volumes.len(), 1);
    assert_eq!(bench.lines()[0], NAMESPACES);
}

#[tokio::test]
async fn one_job_is_one_get_and_the_catalogue_is_read_once() {
    let bench = Bench::new(
        None,
        vec![
            file(TYPES, "instance-types"),
            file(ONE, "group-running"),
            file(ONE, "group-succeeded"),
        ],
    );
    for state in [State::Running, State::Succeeded] {
        let seen = bench.provider.observe(&[tracked(job_ref())]).await.unwrap();
        let [Observation::Seen(job)] = seen.as_slice() else {
            panic!("{seen:?}")
        };
        assert_eq!(job.state, state);
        assert!(job.gpu.is_some());
    }
}

#[tokio::test]
async fn many_jobs_of_a_namespace_are_one_list_in_the_order_asked() {
    let mut second = recorded("group-succeeded");
    second["id"] = json!("q7");
    let first = recorded("group-running");
    let bench = Bench::new(
        None,
        vec![
            said(TYPES, 500, ""),
            said(TYPES, 500, ""),
            said(GROUPS, 200, groups(&[&second, &first])),
            missing("GET /api/v1beta2/namespaces/k8r2wq/clusters/NC-N30/containerGroups/gone"),
        ],
    );
    let asked = [
        job_ref(),
        ResourceRef::new("para", ["k8r2wq", "NC-N30", "gone"]),
        ResourceRef::new("para", ["k8r2wq", "-", "q7"]),
    ]
    .map(tracked);
    tokio::time::pause();
    let seen = bench.provider.observe(&asked).await.unwrap();
    let [
        Observation::Seen(one),
        Observation::Missing,
        Observation::Seen(two),
    ] = seen.as_slice()
    else {
        panic!("{seen:?}")
    };
    assert_eq!((one.state, two.state), (State::Running, State::Succeeded));
    assert_eq!(two.job_ref.parts(), ["k8r2wq", "NC-N30", "q7"]);
    assert_eq!(one.gpu, None, "no catalogue, no GPU, and no failure");
}

#[rstest]
#[case::not_listed(said(GROUPS, 200, "{}"), Some(false))]
#[case::namespace_gone(missing(GROUPS), Some(false))]
#[case::listed(said(GROUPS, 200, groups(&[&recorded("group-running")])), Some(true))]
#[tokio::test]
async fn a_missing_job_is_confirmed_by_the_list(
    #[case] list: Exchange,
    #[case] seen: Option<bool>,
) {
    let bench = Bench::new(None, vec![said(TYPES, 200, "{}"), missing(ONE), list]);
    let observed = bench.provider.observe(&[tracked(job_ref())]).await.unwrap();
    let was_seen = matches!(observed.as_slice(), [Observation::Seen(_)]);
    assert_eq!(Some(was_seen), seen);
}

#[tokio::test]
async fn an_api_that_has_gone_is_no_missing_job() {
    let bench = Bench::new(
        None,
        vec![
            said(TYPES, 200, "{}"),
            said(ONE, 404, "404: Page Not Found"),
        ],
    );
    let error = bench
        .provider
        .observe(&[tracked(job_ref())])
        .await
        .unwrap_err();
    assert_eq!(error.kind(), Kind::Protocol);
}

#[tokio::test]
async fn a_list_walks_every_namespace_newest_first() {
    let mut old = recorded("group-succeeded");
    old["id"] = json!("old");
    old["status"]["startTime"] = json!("2024-03-01T00:00:00Z");
    let pending = recorded("group-created");
    let running = recorded("group-running");
    let other = "GET /api/v1beta2/namespaces/other/clusters/-/containerGroups";
    let script = || {
        vec![
            said(
                NAMESPACES,
                200,
                json!({"namespaces": [{"id": "k8r2wq"}, {"id": "other"}]}),
            ),
            said(TYPES, 200, "{}"),
            said(GROUPS, 200, groups(&[&old, &running])),
            said(
                other,
                200,
                json!({"containerGroups": [pending], "nextToken": "more"}),
            ),
        ]
    };
    let bench = Bench::new(None, script());
    let listing = bench.provider.list(&ListFilter::default()).await.unwrap();
    let states: Vec<State> = listing.jobs.iter().map(|job| job.state).collect();
    assert_eq!(states, [State::Pending, State::Running, State::Succeeded]);
    assert!(listing.truncated.is_some());
    let bench = Bench::new(None, script());
    let filter = ListFilter {
        since: Some("2024-03-05T00:00:00Z".parse().unwrap()),
        limit: Some(1),
        states: vec![State::Running, State::Succeeded],
        namespace: None,
        ..ListFilter::default()
    };
    let listing = bench.provider.list(&filter).await.unwrap();
    assert_eq!(listing.jobs.len(), 1);
    assert_eq!(listing.jobs[0].state, State::Running);
}

#[tokio::test]
async fn a_named_namespace_is_the_only_one_walked() {
    let bench = Bench::new(
        Some("configured"),
        vec![said(TYPES, 200, "{}"), said(GROUPS, 200, "{}")],
    );
    let filter = ListFilter {
        namespace: Some("k8r2wq".to_owned()),
        ..ListFilter::default()
    };
    assert_eq!(bench.provider.list(&filter).await.unwrap().jobs, []);
}

#[rstest]
#[case::found(json!({"containerGroups": [echo(Some("NC-N30")), recorded("group-running")]}), Ok(1))]
#[case::none(json!({"containerGroups": [recorded("group-running")]}), Ok(0))]
#[case::found_in_a_part(json!({"containerGroups": [echo(None)], "nextPageToken": "x"}), Ok(1))]
#[case::none_in_a_part(json!({"containerGroups": [], "nextPageToken": "x"}), Err(Kind::Protocol))]
#[tokio::test]
async fn a_submission_is_found_by_its_marker(
    #[case] list: Value,
    #[case] expected: Result<usize, Kind>,
) {
    let bench = Bench::new(None, vec![said(GROUPS, 200, list)]);
    // The other four characters are the spec's: another spec under the same identity is found too.
    let marker = Marker::parse("bcdfghjklmzzzz").unwrap();
    let found = bench
        .provider
        .find(
            &marker,
            "paracloud/k8r2wq",
            "2024-03-08T01:00:00Z".parse().unwrap(),
        )
        .await;
    match (found, expected) {
        (Ok(jobs), Ok(count)) => assert_eq!(jobs.len(), count),
        (Err(error), Err(kind)) => assert_eq!(error.kind(), kind),
        (found, expected) => panic!("{found:?}, {expected:?}"),
    }
}

#[tokio::test]
async fn a_bare_id_is_found_in_every_cluster_that_has_it() {
    let mut twin = recorded("group-running");
    twin["clusterID"] = json!("BSCC-N32-H");
    let bench = Bench::new(
        None,
        vec![
            file(NAMESPACES, "namespaces"),
            said(GROUPS, 200, groups(&[&recorded("group-running"), &twin])),
        ],
    );
    let refs = bench.provider.resolve("p6vd2hcn").await.unwrap();
    assert_eq!(refs.len(), 2);
    assert_eq!(
        bench.provider.resolve("a/b").await.unwrap_err().kind(),
        Kind::Usage
    );
}

#[rstest]
#[case::accepted(vec![said(CANCEL, 204, "")], Ok(()))]
#[case::unknown(vec![missing(CANCEL), missing(ONE)], Err(Kind::NotFound))]
#[case::gone_after_a_lost_answer(vec![(CANCEL, Err(true)), missing(CANCEL)], Ok(()))]
#[case::finished_and_conflicting(vec![said(CANCEL, 409, "{}"), file(ONE, "group-succeeded")], Ok(()))]
#[case::conflicting(vec![said(CANCEL, 409, "{}"), file(ONE, "group-running")], Err(Kind::Rejected))]
#[case::unauthorised(vec![said(CANCEL, 401, "{}")], Err(Kind::Auth))]
#[tokio::test(start_paused = true)]
async fn a_cancel_of_what_has_ended_is_a_success(
    #[case] script: Vec<Exchange>,
    #[case] expected: Result<(), Kind>,
) {
    let bench = Bench::new(None, script);
    let result = bench.provider.cancel(&job_ref()).await;
    assert_eq!(result.map_err(|error| error.kind()), expected);
}

#[tokio::test]
async fn a_cancel_never_uses_the_wildcard() {
    let bench = Bench::new(
        None,
        vec![
            said(GROUPS, 200, groups(&[&recorded("group-running")])),
            said(CANCEL, 204, ""),
        ],
    );
    let unknown = ResourceRef::new("para", ["k8r2wq", "-", "p6vd2hcn"]);
    bench.provider.cancel(&unknown).await.unwrap();
}

fn volume_request() -> VolumeRequest {
    VolumeRequest {
        cluster: Some("NC-N30".to_owned()),
        transfer: true,
        ..VolumeRequest::default()
    }
}

#[rstest]
#[case::whole(recorded("volume-created"), "x7m4tzb9", true)]
#[case::without_service(json!({"id": "x7m4tzb9"}), "x7m4tzb9", false)]
#[case::service_null(json!({"id": "x7m4tzb9", "service": null}), "x7m4tzb9", false)]
#[case::no_address(json!({"id": "x7m4tzb9", "service": {"password": "p", "username": "u"}}), "x7m4tzb9", true)]
#[tokio::test]
async fn a_created_volume_is_never_lost_for_its_answers_form(
    #[case] answer: Value,
    #[case] id: &str,
    #[case] with_credentials: bool,
) {
    let bench = Bench::new(
        None,
        vec![
            file(NAMESPACES, "namespaces"),
            said(VOLUMES, 200, "{}"),
            said(CREATE_VOLUME, 201, answer),
        ],
    );
    let volumes = bench.provider.volumes().unwrap();
    let Creation::Accepted(created) = volumes.create(&volume_request()).await else {
        panic!("not accepted")
    };
    assert_eq!(created.volume.volume_ref.parts(), ["k8r2wq", "NC-N30", id]);
    assert_eq!(created.credentials.is_some(), with_credentials);
    assert_eq!(created.missing_credentials, !with_credentials);
    assert!(!format!("{created:?}").contains("zl6p85962vb9s7k2"));
    let sent = bench.paper.sent.lock().unwrap();
    assert_eq!(sent.last().unwrap().1, br#"{"service":{}}"#.as_slice());
}

#[rstest]
#[case::one_is_new(json!([{"id": "before"}, {"id": "x7m4tzb9", "clusterID": "NC-N30"}]), "x7m4tzb9")]
#[case::none_is_new(json!([{"id": "before"}]), "unknown")]
#[case::two_are_new(json!([{"id": "before"}, {"id": "a"}, {"id": "b"}]), "unknown")]
#[tokio::test]
async fn a_volume_without_an_id_is_the_one_that_is_new_in_the_list(
    #[case] after: Value,
    #[case] id: &str,
) {
    let bench = Bench::new(
        None,
        vec![
            file(NAMESPACES, "namespaces"),
            said(VOLUMES, 200, json!({"volumes": [{"id": "before"}]})),
            said(
                CREATE_VOLUME,
                201,
                json!({"service": {"password": "p", "username": "u"}}),
            ),
            said(VOLUMES, 200, json!({ "volumes": after })),
        ],
    );
    let volumes = bench.provider.volumes().unwrap();
    let Creation::Accepted(created) = volumes.create(&volume_request()).await else {
        panic!("not accepted")
    };
    assert_eq!(created.volume.volume_ref.parts(), ["k8r2wq", "NC-N30", id]);
    assert_eq!(created.volume.transfer.as_deref(), Some("webdav"));
    assert!(created.credentials.is_some());
}

#[test]
fn what_a_create_alone_shows_is_refused_without_a_request() {
    let bench = Bench::new(None, vec![]);
    let volumes = bench.provider.volumes().unwrap();
    let error = volumes.check(&VolumeRequest::default()).unwrap_err();
    assert_eq!((error.kind(), error.code()), (Kind::Spec, "missing_field"));
    assert_eq!(volumes.check(&volume_request()), Ok(()));
    let namespaces = bench.provider.namespaces().unwrap();
    let error = namespaces.check(Some("n"), &[]).unwrap_err();
    assert_eq!(
        (error.kind(), error.code()),
        (Kind::Spec, "unsupported_field")
    );
    assert_eq!(namespaces.check(None, &[]), Ok(()));
}

#[tokio::test]
async fn a_lost_volume_create_names_what_has_appeared_and_stays_unclear() {
    let bench = Bench::new(
        None,
        vec![
            file(NAMESPACES, "namespaces"),
            said(VOLUMES, 200, json!({"volumes": [{"id": "before"}]})),
            (CREATE_VOLUME, Err(true)),
            said(
                VOLUMES,
                200,
                json!({"volumes": [{"id": "before"}, {"id": "orphan"}]}),
            ),
        ],
    );
    let volumes = bench.provider.volumes().unwrap();
    let Creation::Ambiguous(error) = volumes.create(&volume_request()).await else {
        panic!("not unclear")
    };
    assert_eq!(error.details().candidates, ["orphan"]);
    assert!(format!("{error:?}").contains("cannot be recovered"));
}

#[tokio::test]
async fn a_volume_has_no_name_no_size_and_one_cluster() {
    let bench = Bench::new(None, vec![]);
    let volumes = bench.provider.volumes().unwrap();
    for (cluster, fields) in [
        (None, &["name", "size", "class", "cluster"][..]),
        (Some("-"), &["name", "size", "class", "cluster"]),
    ] {
        let request = VolumeRequest {
            cluster: cluster.map(str::to_owned),
            name: Some("n".to_owned()),
            size_bytes: Some(1),
            settings: vec![("class".to_owned(), "ssd".to_owned())],
            ..volume_request()
        };
        let Creation::Refused(error) = volumes.create(&request).await else {
            panic!("not refused")
        };
        assert_eq!((error.kind(), error.code()), (Kind::Spec, "several"));
        let refused: Vec<&str> = error
            .details()
            .refusals
            .iter()
            .map(|refusal| refusal.field.as_str())
            .collect();
        assert_eq!(refused, fields);
    }
}

#[tokio::test]
async fn a_volume_in_use_has_obstacles() {
    let bench = Bench::new(
        None,
        vec![
            said(
                GROUPS,
                200,
                groups(&[&recorded("group-succeeded"), &recorded("group-running")]),
            ),
            said(DELETE_VOLUME, 409, json!({"message": "in use"})),
        ],
    );
    let volumes = bench.provider.volumes().unwrap();
    let reference = ResourceRef::new("para", ["k8r2wq", "NC-N30", "x7m4tzb9"]);
    let obstacles = volumes.obstacles(&reference).await.unwrap();
    assert_eq!(obstacles, ["job `p6vd2hcn` (running) mounts it"]);
    let error = volumes.delete(&reference, true).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Rejected);
    assert!(error.message().ends_with("in use"));
    assert!(error.details().hint.is_some());
}

#[rstest]
#[case(vec![said(DELETE_VOLUME, 204, "")], Ok(()))]
#[case(vec![missing(DELETE_VOLUME)], Err(Kind::NotFound))]
#[case(vec![said(DELETE_VOLUME, 502, "<html>"), missing(DELETE_VOLUME)], Ok(()))]
#[tokio::test(start_paused = true)]
async fn a_volume_that_has_gone_on_a_repeat_was_deleted(
    #[case] script: Vec<Exchange>,
    #[case] expected: Result<(), Kind>,
) {
    let bench = Bench::new(None, script);
    let reference = ResourceRef::new("para", ["k8r2wq", "NC-N30", "x7m4tzb9"]);
    let volumes = bench.provider.volumes().unwrap();
    let result = volumes.delete(&reference, false).await;
    assert_eq!(result.map_err(|error| error.kind()), expected);
}

#[tokio::test]
async fn a_volume_without_cluster_is_found_before_it_is_deleted() {
    let bench = Bench::new(
        None,
        vec![file(VOLUMES, "volumes"), said(DELETE_VOLUME, 204, "")],
    );
    let reference = ResourceRef::new("para", ["k8r2wq", "-", "x7m4tzb9"]);
    let volumes = bench.provider.volumes().unwrap();
    volumes.delete(&reference, false).await.unwrap();
}

#[tokio::test]
async fn volumes_are_listed_and_resolved_over_all_namespaces() {
    let script = || {
        vec![
            said(
                NAMESPACES,
                200,
                json!({"namespaces": [{"id": "k8r2wq"}, {"id": "gone"}]}),
            ),
            file(VOLUMES, "volumes"),
            missing("GET /api/v1beta2/namespaces/gone/clusters/-/volumes"),
        ]
    };
    let bench = Bench::new(None, script());
    let volumes = bench.provider.volumes().unwrap();
    assert_eq!(volumes.list(None).await.unwrap().len(), 1);
    let bench = Bench::new(None, script());
    let volumes = bench.provider.volumes().unwrap();
    let refs = volumes.resolve("x7m4tzb9").await.unwrap();
    assert_eq!(refs[0].to_string(), "para/k8r2wq/NC-N30/x7m4tzb9");
}

#[tokio::test]
async fn a_namespace_is_created_without_a_name() {
    let post = "POST /api/v1beta2/namespaces";
    let bench = Bench::new(
        None,
        vec![
            said(NAMESPACES, 200, "{}"),
            said(post, 201, recorded_text("namespace-created")),
        ],
    );
    let namespaces = bench.provider.namespaces().unwrap();
    let Creation::Refused(error) = namespaces.create(Some("mine"), &[]).await else {
        panic!("not refused")
    };
    assert_eq!(error.kind(), Kind::Spec);
    let Creation::Accepted(created) = namespaces.create(None, &[]).await else {
        panic!("not accepted")
    };
    assert_eq!(created.id, "k8r2wq");
}

#[tokio::test]
async fn a_lost_namespace_create_names_what_has_appeared() {
    let bench = Bench::new(
        None,
        vec![
            file(NAMESPACES, "namespaces"),
            said("POST /api/v1beta2/namespaces", 500, ""),
            said(
                NAMESPACES,
                200,
                json!({"namespaces": [{"id": "k8r2wq"}, {"id": "new"}]}),
            ),
        ],
    );
    let namespaces = bench.provider.namespaces().unwrap();
    let Creation::Ambiguous(error) = namespaces.create(None, &[]).await else {
        panic!("not unclear")
    };
    assert_eq!(error.details().candidates, ["new"]);
}

#[tokio::test]
async fn a_namespace_with_content_has_obstacles() {
    let bench = Bench::new(
        None,
        vec![
            said(
                GROUPS,
                200,
                groups(&[
                    &recorded("group-unknown-state-word"),
                    &recorded("group-failed"),
                ]),
            ),
            file(VOLUMES, "volumes"),
            said("DELETE /api/v1beta2/namespaces/k8r2wq", 204, ""),
        ],
    );
    let namespaces = bench.provider.namespaces().unwrap();
    let obstacles = namespaces.obstacles("k8r2wq").await.unwrap();
    assert_eq!(
        obstacles,
        ["job `p6vd2hcn` is unknown", "volume `x7m4tzb9` is in it"]
    );
    namespaces.delete("k8r2wq", false).await.unwrap();
    let error = namespaces.delete("-", true).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Usage);
}

#[test]
fn the_capability_table_has_every_verb_and_agrees_with_the_accessors() {
    let bench = Bench::new(None, vec![]);
    let table = bench.provider.capabilities();
    for (verb, (listed, support)) in Verb::ALL.into_iter().zip(&table.verbs) {
        assert_eq!(verb, *listed);
        if let Support::No {
            reason,
            alternative,
        } = support
        {
            assert!(!reason.is_empty() && !alternative.is_empty());
        }
    }
    assert_eq!(
        table.has(Verb::VolumesList),
        bench.provider.volumes().is_some()
    );
    assert_eq!(
        table.has(Verb::NamespacesList),
        bench.provider.namespaces().is_some()
    );
    assert!(!bench.provider.polling().loopback);
}
