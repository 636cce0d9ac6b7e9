//! The calls, over a transport made of paper: which requests go out, and what the answers become.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, StatusCode};
use serde_json::{Value, json};

use super::{MARKER, plan_of, recorded, spec};
use crate::ambient::{Clock, Entropy, Reporter};
use crate::error::Kind;
use crate::http::send::{Patience, Transport, TransportError};
use crate::http::{Answer, BaseUrl, Session, Signed};
use crate::model::{Job, Marker, ResourceRef, State, Timestamp};
use crate::provider::pai_dlc::{Connection, PaiDlc, PaiDlcDialect, default_endpoints};
use crate::provider::{
    Creation, ListFilter, Namespaces, Observation, Provider, RawPath, RawRequest, Support, Tracked,
    Verb, VolumeRequest, Volumes,
};
use crate::secret::Secret;
use crate::sign::{AccessKey, Acs3};

#[derive(Debug, Default)]
struct Paper {
    script: Mutex<VecDeque<(u16, String)>>,
    sent: Mutex<Vec<String>>,
}

#[async_trait]
impl Transport for Paper {
    async fn call(
        &self,
        request: &Signed,
        _limit: Option<Duration>,
    ) -> Result<Answer, TransportError> {
        let template = request.template();
        assert_eq!(
            request.headers()["x-acs-action"].to_str().unwrap(),
            template.operation
        );
        let host = template.base.authority();
        let version = request.headers()["x-acs-version"].to_str().unwrap();
        assert_eq!(host.starts_with("pai-dlc."), version == "2020-12-03");
        self.sent
            .lock()
            .unwrap()
            .push(format!("{} {}", template.method, template.full_target()));
        let (status, body) = self
            .script
            .lock()
            .unwrap()
            .pop_front()
            .expect("one call too many");
        if status == 0 {
            return Err(TransportError {
                sent: true,
                error: crate::Error::new(Kind::Temporary, "reset", "the connection was reset"),
            });
        }
        let mut headers = HeaderMap::new();
        headers.insert(
            http::header::CONTENT_TYPE,
            HeaderValue::from_static("application/json;charset=utf-8"),
        );
        Ok(Answer {
            status: StatusCode::from_u16(status).unwrap(),
            headers,
            body: Bytes::from(body),
        })
    }
}

#[derive(Debug)]
struct Still;

impl Clock for Still {
    fn now(&self) -> Timestamp {
        "2026-01-12T10:00:00Z".parse().unwrap()
    }
}

impl Entropy for Still {
    fn bytes(&self) -> [u8; 16] {
        [7; 16]
    }
}

impl Reporter for Still {
    fn note(&self, _text: &str) {}
    fn warning(&self, _text: &str) {}
    fn detail(&self, _level: u8, _text: &str) {}
    fn trace(&self, _text: &str) {}
    fn is_tracing(&self) -> bool {
        false
    }
}

struct Bench {
    provider: PaiDlc,
    paper: Arc<Paper>,
}

impl Bench {
    fn new(script: &[(u16, Value)]) -> Self {
        Self::with_workspace(Some("310042"), script)
    }

    fn with_workspace(workspace: Option<&str>, script: &[(u16, Value)]) -> Self {
        let paper = Arc::new(Paper::default());
        paper.script.lock().unwrap().extend(
            script
                .iter()
                .map(|(status, body)| (*status, body.to_string())),
        );
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
                transport: Arc::<Paper>::clone(&paper),
                signer: Arc::new(signer),
                dialect: Arc::new(PaiDlcDialect),
                clock: Arc::new(Still),
                entropy: Arc::new(Still),
                reporter: Arc::new(Still),
                patience: Patience {
                    retries: 1,
                    deadline: None,
                    read_limit: Duration::from_secs(60),
                },
            },
            dlc: BaseUrl::parse(&dlc).unwrap(),
            aiworkspace: BaseUrl::parse(&aiworkspace).unwrap(),
            region: "cn-hangzhou".to_owned(),
            workspace: workspace.map(str::to_owned),
        });
        Self { provider, paper }
    }

    fn provider(&self) -> &dyn Provider {
        &self.provider
    }

    /// What went out; every scripted answer must have been used.
    fn sent(&self) -> Vec<String> {
        assert!(self.paper.script.lock().unwrap().is_empty());
        self.paper.sent.lock().unwrap().clone()
    }
}

const REF: &str = "pai-dlc/cn-hangzhou/dlc1k2m3n4p5q6r7";
const JOB: &str = "GET /api/v1/jobs/dlc1k2m3n4p5q6r7?NeedDetail=true";

fn tracked(reference: &str) -> Tracked {
    Tracked {
        job_ref: reference.parse().unwrap(),
        cancel_requested_at: None,
        time_limit_s: None,
        reading: None,
        start_by: None,
    }
}

fn not_found() -> (u16, Value) {
    (404, recorded("error-not-found"))
}

fn seen(observation: &Observation) -> &Job {
    match observation {
        Observation::Seen(job) => job,
        Observation::Missing | Observation::Unread(_) => panic!("not seen"),
    }
}

const SMALL: &str =
    "name: n\nimage: i\ncommand: [a]\nresources: { gpu: { model: A10, count: 1 } }\n";

#[tokio::test]
async fn an_accepted_create_gives_a_record() {
    let bench = Bench::new(&[(200, recorded("created"))]);
    let plan = plan_of(SMALL).unwrap();
    let Creation::Accepted(job) = bench.provider().create(&plan).await else {
        panic!("not accepted");
    };
    assert_eq!(job.job_ref.to_string(), REF);
    assert_eq!((job.state, job.terminal), (State::Pending, false));
    assert_eq!(job.name.as_deref(), Some("n"));
    assert_eq!(job.marker.as_deref(), Some(MARKER));
    assert_eq!(job.instance_type.as_deref(), Some("ecs.gn7i-c8g1.2xlarge"));
    assert_eq!(job.gpu.unwrap().model.as_deref(), Some("A10"));
    assert_eq!(job.approximate, ["created_at"]);
    assert!(job.console_url.unwrap().contains("workspaceId=310042"));
    assert_eq!(bench.sent(), ["POST /api/v1/jobs"]);
}

#[tokio::test]
async fn a_create_is_never_sent_twice_and_its_fate_is_told() {
    let plan = plan_of(SMALL).unwrap();
    for (script, ambiguous) in [
        ((0, json!(null)), true),
        ((500, json!({"Code": "InternalError"})), true),
        ((503, json!({"Code": "ServiceUnavailable"})), true),
        ((200, json!({"RequestId": "R"})), true),
        ((200, json!([])), true),
        ((400, json!({"Code": "SignatureNonceUsed"})), true),
        ((400, json!({"Code": "InvalidParameter"})), false),
        ((404, json!({"Code": "NotFound"})), false),
        ((200, json!({"Code": "InvalidParameter"})), false),
        ((403, json!({"Code": "Forbidden.RAM"})), false),
    ] {
        let bench = Bench::new(std::slice::from_ref(&script));
        let outcome = bench.provider().create(&plan).await;
        match (&outcome, ambiguous) {
            (Creation::Ambiguous(_), true) | (Creation::Refused(_), false) => {}
            _ => panic!("{script:?} gave {outcome:?}"),
        }
        assert_eq!(bench.sent().len(), 1, "{script:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_clearly_throttled_create_is_repeated() {
    let bench = Bench::new(&[
        (429, recorded("error-throttling")),
        (200, recorded("created")),
    ]);
    let plan = plan_of(SMALL).unwrap();
    assert!(matches!(
        bench.provider().create(&plan).await,
        Creation::Accepted(_)
    ));
    assert_eq!(bench.sent().len(), 2);
}

#[tokio::test]
async fn the_survey_looks_at_workspace_catalogue_and_datasets() {
    let workspace = json!({"WorkspaceId": "310042", "WorkspaceName": "acme", "Status": "FROZEN"});
    let dataset = recorded("datasets")["Datasets"][0].clone();
    let bench = Bench::new(&[
        (200, workspace),
        (200, recorded("ecs-specs")),
        (200, dataset),
        not_found(),
    ]);
    let yaml = format!(
        "{SMALL}mounts: [ {{ source: d-4k7m2x9q1w8e3r6t5y, path: /a }}, {{ source: 'dataset:d-2', path: /b }} ]\n"
    );
    let survey = bench.provider().survey(&spec(&yaml)).await.unwrap();
    assert_eq!(survey.namespace.unwrap().id, "310042");
    assert_eq!(survey.offers.len(), 2);
    assert_eq!(survey.volumes.len(), 1);
    assert_eq!(survey.as_of, Some(Still.now()));
    assert_eq!(
        bench.sent(),
        [
            "GET /api/v1/workspaces/310042",
            "GET /api/v1/ecsspecs?PageNumber=1&PageSize=50",
            "GET /api/v1/datasets/d-4k7m2x9q1w8e3r6t5y",
            "GET /api/v1/datasets/d-2",
        ]
    );
}

#[tokio::test]
async fn a_key_that_may_not_look_at_workspaces_may_still_submit() {
    let bench = Bench::new(&[(403, json!({"Code": "NoPermission", "Message": "m"}))]);
    let yaml = "image: i\ncommand: [a]\nplacement: { queue: q }\nresources: { cpu: 1 }\n";
    let survey = bench.provider().survey(&spec(yaml)).await.unwrap();
    assert_eq!((survey.namespace, survey.offers), (None, Vec::new()));
    for (status, code, kind) in [
        (400, "SignatureDoesNotMatch", Kind::Auth),
        (404, "NotFound", Kind::NotFound),
    ] {
        let bench = Bench::new(&[(status, json!({"Code": code}))]);
        let error = bench.provider().survey(&spec(yaml)).await.unwrap_err();
        assert_eq!(error.kind(), kind);
        assert_eq!(error.details().provider.as_deref(), Some("pai-dlc"));
    }
    let bench = Bench::with_workspace(None, &[]);
    let error = bench.provider().survey(&spec(yaml)).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Config);
}

fn marked(id: &str, display: &str, tag: Option<&str>) -> Value {
    json!({"JobId": id, "DisplayName": display, "Status": "Queuing",
        "Settings": {"Tags": tag.map_or(json!({}), |tag| json!({"gpujob-run": tag}))}})
}

#[tokio::test]
async fn a_marker_is_found_by_its_identity_whatever_the_search_returns() {
    let page = json!({"TotalCount": 4, "Jobs": [
        marked("dlca", "x", Some("bcdfghjklm9999")),
        marked("dlcb", &format!("x-{MARKER}"), None),
        marked("dlcc", &format!("{MARKER}-x"), None),
        marked("dlcd", "x-zzzzzzzzzz2456", None),
    ]});
    let bench = Bench::new(&[(200, page)]);
    let found = bench
        .provider()
        .find(
            &Marker::parse(MARKER).unwrap(),
            "pai-dlc/cn-hangzhou/77",
            "2026-01-12T09:00:00.5Z".parse().unwrap(),
        )
        .await
        .unwrap();
    let ids: Vec<&str> = found.iter().map(|job| job.provider_id.as_str()).collect();
    assert_eq!(ids, ["dlca", "dlcb"]);
    assert_eq!(
        bench.sent(),
        [
            "GET /api/v1/jobs?DisplayName=bcdfghjklm&Order=desc&PageNumber=1&PageSize=50&SortBy=GmtCreateTime&StartTime=2026-01-12T08%3A45%3A00Z&WorkspaceId=77"
        ]
    );
}

#[tokio::test]
async fn one_job_is_asked_for_alone_and_its_cards_once() {
    let bench = Bench::new(&[
        (200, recorded("job-running")),
        (200, recorded("ecs-specs")),
        (200, recorded("job-running")),
    ]);
    for _ in 0..2 {
        let observed = bench.provider().observe(&[tracked(REF)]).await.unwrap();
        let job = seen(&observed[0]);
        assert_eq!(job.state, State::Running);
        assert_eq!(job.gpu.as_ref().unwrap().model.as_deref(), Some("A10"));
    }
    assert_eq!(
        bench.sent(),
        [
            JOB,
            "GET /api/v1/ecsspecs?InstanceTypes=ecs.gn7i-c8g1.2xlarge&PageNumber=1&PageSize=50",
            JOB,
        ]
    );
}

#[tokio::test]
async fn a_list_asks_once_for_the_cards_of_all_its_types() {
    let of = |id: &str, ecs: &str, gpus: u32| {
        json!({"JobId": id, "Status": "Running", "RequestGPU": gpus.to_string(),
            "JobSpecs": [{"Type": "Worker", "PodCount": 1, "EcsSpec": ecs}]})
    };
    let page = json!({"TotalCount": 4, "Jobs": [
        of("dlca", "ecs.gn7i-c8g1.2xlarge", 1),
        of("dlcb", "ecs.gn7i-c8g1.2xlarge", 1),
        of("dlcc", "ecs.gn7e-c16g1.4xlarge", 1),
        of("dlcd", "ecs.g6.xlarge", 0),
    ]});
    let bench = Bench::new(&[(200, page), (200, recorded("ecs-specs"))]);
    let listing = bench.provider().list(&ListFilter::default()).await.unwrap();
    let models: Vec<Option<&str>> = listing
        .jobs
        .iter()
        .map(|job| job.gpu.as_ref()?.model.as_deref())
        .collect();
    assert_eq!(models, [Some("A10"), Some("A10"), Some("A100"), None]);
    assert_eq!(
        bench.sent()[1],
        "GET /api/v1/ecsspecs?InstanceTypes=ecs.gn7i-c8g1.2xlarge%2Cecs.gn7e-c16g1.4xlarge&PageNumber=1&PageSize=50"
    );
}

#[tokio::test]
async fn a_catalogue_that_fails_does_not_hide_the_job() {
    let bench = Bench::new(&[
        (200, recorded("job-running")),
        (403, json!({"Code": "Forbidden.RAM"})),
    ]);
    let observed = bench.provider().observe(&[tracked(REF)]).await.unwrap();
    assert_eq!(seen(&observed[0]).gpu, None);
}

#[tokio::test]
async fn many_jobs_take_one_list_and_what_it_lacks_is_asked_for() {
    let page = json!({"TotalCount": 2, "Jobs": [
        {"JobId": "dlcb", "Status": "Succeeded"},
        {"JobId": "dlca", "Status": "Running"},
    ]});
    let bench = Bench::new(&[(200, page), not_found()]);
    let jobs = ["dlca", "dlcb", "dlcgone"].map(|id| tracked(&format!("pai-dlc/cn-hangzhou/{id}")));
    let observed = bench.provider().observe(&jobs).await.unwrap();
    assert_eq!(seen(&observed[0]).state, State::Running);
    assert_eq!(seen(&observed[1]).state, State::Succeeded);
    assert_eq!(observed[2], Observation::Missing);
    assert_eq!(
        bench.sent(),
        [
            "GET /api/v1/jobs?JobIds=dlca%2Cdlcb%2Cdlcgone&Order=desc&PageNumber=1&PageSize=50&SortBy=GmtCreateTime&StartTime=2000-01-01T00%3A00%3A00Z&WorkspaceId=310042",
            "GET /api/v1/jobs/dlcgone?NeedDetail=true",
        ]
    );
}

#[tokio::test]
async fn a_stop_that_nobody_here_asked_for_is_compared_with_the_lists_limit() {
    let mut job = recorded("job-stopped-by-user");
    job["JobSpecs"] = json!([]);
    let limit = json!({"TotalCount": 1, "Jobs": [
        {"JobId": "dlc1k2m3n4p5q6r7", "Status": "Stopped", "JobMaxRunningTimeMinutes": 5},
    ]});
    let bench = Bench::new(&[(200, job.clone()), (200, limit)]);
    let observed = bench.provider().observe(&[tracked(REF)]).await.unwrap();
    let seen_job = seen(&observed[0]);
    assert_eq!(
        (seen_job.state, seen_job.reason.as_deref()),
        (State::Failed, Some("timeout"))
    );
    assert!(bench.sent()[1].contains("JobIds=dlc1k2m3n4p5q6r7&"));

    let bench = Bench::new(&[(200, job)]);
    let cancelled = Tracked {
        cancel_requested_at: Some(Still.now()),
        ..tracked(REF)
    };
    let observed = bench.provider().observe(&[cancelled]).await.unwrap();
    assert_eq!(seen(&observed[0]).state, State::Cancelled);
    assert_eq!(bench.sent().len(), 1);
}

#[tokio::test]
async fn a_stopped_job_is_shown_to_a_key_that_may_not_list_jobs() {
    let mut job = recorded("job-stopped-by-user");
    job["JobSpecs"] = json!([]);
    let bench = Bench::new(&[(200, job), (403, json!({"Code": "Forbidden.RAM"}))]);
    let observed = bench.provider().observe(&[tracked(REF)]).await.unwrap();
    assert_eq!(seen(&observed[0]).state, State::Cancelled);
    assert_eq!(bench.sent().len(), 2);
}

#[tokio::test]
async fn a_poll_that_fails_is_no_missing_job() {
    let bench = Bench::new(&[(404, json!({"Code": "InvalidAccessKeyId.NotFound"}))]);
    let error = bench.provider().observe(&[tracked(REF)]).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Auth);
}

#[tokio::test]
async fn another_region_is_reached_through_its_own_public_host() {
    let bench = Bench::new(&[not_found()]);
    let elsewhere = tracked("pai-dlc/cn-beijing/dlcx");
    assert_eq!(
        bench.provider().observe(&[elsewhere]).await.unwrap(),
        [Observation::Missing]
    );
    let bench = Bench::new(&[]);
    let bad = tracked("pai-dlc/dlcx");
    assert_eq!(
        bench.provider().observe(&[bad]).await.unwrap_err().kind(),
        Kind::Usage
    );
}

#[tokio::test]
async fn the_list_is_paged_filtered_and_newest_first() {
    let job = |id: usize, status: &str| {
        json!({"JobId": format!("dlc{id:03}"), "Status": status,
            "GmtCreateTime": format!("2026-01-12T09:{:02}:{:02}Z", id / 60, id % 60)})
    };
    let first: Vec<Value> = (21..71).rev().map(|id| job(id, "Running")).collect();
    let mut second: Vec<Value> = (1..22).rev().map(|id| job(id, "Failed")).collect();
    second.push(json!({"JobId": "dlcx", "Status": "Failed", "IsDeleted": true}));
    let script = [
        (200, json!({"Jobs": first, "TotalCount": 72})),
        (200, json!({"Jobs": second, "TotalCount": 72})),
    ];
    let bench = Bench::new(&script);
    let listing = bench.provider().list(&ListFilter::default()).await.unwrap();
    assert_eq!(listing.jobs.len(), 70);
    assert_eq!(listing.jobs[0].provider_id, "dlc070");
    assert_eq!(listing.truncated, None);
    assert!(bench.sent()[0].contains("StartTime=2000-01-01T00%3A00%3A00Z"));
    assert!(bench.sent()[1].contains("PageNumber=2&"));

    let bench = Bench::new(&script);
    let failed = ListFilter {
        states: vec![State::Failed],
        limit: Some(3),
        since: Some("2026-01-05T00:00:00Z".parse().unwrap()),
        namespace: Some("9".to_owned()),
        ..ListFilter::default()
    };
    let listing = bench.provider().list(&failed).await.unwrap();
    let ids: Vec<&str> = listing
        .jobs
        .iter()
        .map(|job| job.provider_id.as_str())
        .collect();
    assert_eq!(ids, ["dlc020", "dlc019", "dlc018"]);
    assert!(bench.sent()[0].contains("StartTime=2026-01-05T00%3A00%3A00Z&WorkspaceId=9"));

    let bench = Bench::new(&script[..1]);
    let few = ListFilter {
        limit: Some(2),
        ..ListFilter::default()
    };
    assert_eq!(bench.provider().list(&few).await.unwrap().jobs.len(), 2);
    assert_eq!(bench.sent().len(), 1);
}

#[tokio::test]
async fn a_list_without_a_workspace_is_a_fault_of_the_configuration() {
    let bench = Bench::with_workspace(None, &[]);
    let error = bench
        .provider()
        .list(&ListFilter::default())
        .await
        .unwrap_err();
    assert_eq!(error.kind(), Kind::Config);
}

#[tokio::test]
async fn a_bare_id_is_looked_up() {
    let bench = Bench::new(&[(200, recorded("job-running")), not_found()]);
    let found = Provider::resolve(&bench.provider, "dlc1k2m3n4p5q6r7")
        .await
        .unwrap();
    assert_eq!(found, [REF.parse::<ResourceRef>().unwrap()]);
    let found = Provider::resolve(&bench.provider, "dlcnope").await.unwrap();
    assert_eq!(found, []);
}

#[tokio::test(start_paused = true)]
async fn a_stop_is_repeated_and_a_finished_job_is_a_success() {
    let stop = "POST /api/v1/jobs/dlc1k2m3n4p5q6r7/stop";
    let reference: ResourceRef = REF.parse().unwrap();
    let bench = Bench::new(&[
        (503, json!({"Code": "ServiceUnavailable"})),
        (200, recorded("job-stop-answer")),
    ]);
    bench.provider().cancel(&reference).await.unwrap();
    assert_eq!(bench.sent(), [stop, stop]);

    let refused = (400, json!({"Code": "BadRequest", "Message": "m"}));
    let bench = Bench::new(&[refused.clone(), (200, recorded("job-succeeded"))]);
    bench.provider().cancel(&reference).await.unwrap();
    assert_eq!(bench.sent(), [stop, JOB]);

    let bench = Bench::new(&[refused, (200, recorded("job-running"))]);
    let error = bench.provider().cancel(&reference).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Rejected);

    let bench = Bench::new(&[not_found()]);
    let error = bench.provider().cancel(&reference).await.unwrap_err();
    assert_eq!(error.kind(), Kind::NotFound);
}

#[tokio::test]
async fn volumes_are_the_datasets_of_the_workspace() {
    let bench = Bench::new(&[
        (200, recorded("datasets")),
        (200, recorded("dataset-created")),
        not_found(),
        (200, json!({"RequestId": "R"})),
    ]);
    let volumes = bench.provider().volumes().unwrap();
    let listed = volumes.list(None).await.unwrap();
    assert_eq!(listed.len(), 1);
    let request = VolumeRequest {
        name: Some("imagenet_mini".to_owned()),
        settings: vec![("uri".to_owned(), "oss://b.e/x/".to_owned())],
        ..VolumeRequest::default()
    };
    let Creation::Accepted(created) = volumes.create(&request).await else {
        panic!("not accepted");
    };
    assert_eq!(created.volume.volume_ref, listed[0].volume_ref);
    assert!(created.credentials.is_none() && !created.missing_credentials);
    assert_eq!(volumes.resolve("d-none").await.unwrap(), []);
    let reference = &created.volume.volume_ref;
    assert_eq!(
        volumes.obstacles(reference).await.unwrap(),
        Vec::<String>::new()
    );
    volumes.delete(reference, false).await.unwrap();
    assert_eq!(
        bench.sent(),
        [
            "GET /api/v1/datasets?PageNumber=1&PageSize=50&WorkspaceId=310042",
            "POST /api/v1/datasets",
            "GET /api/v1/datasets/d-none",
            "DELETE /api/v1/datasets/d-4k7m2x9q1w8e3r6t5y",
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn a_second_try_at_a_delete_may_find_nothing_left() {
    let reference: ResourceRef = "pai-dlc/cn-hangzhou/d-1".parse().unwrap();
    let bench = Bench::new(&[(0, json!(null)), not_found()]);
    Volumes::delete(&bench.provider, &reference, false)
        .await
        .unwrap();
    let bench = Bench::new(&[not_found()]);
    let error = Volumes::delete(&bench.provider, &reference, false)
        .await
        .unwrap_err();
    assert_eq!(error.kind(), Kind::NotFound);
}

#[tokio::test]
async fn a_wrong_registration_sends_nothing() {
    let bench = Bench::new(&[]);
    let outcome = Volumes::create(&bench.provider, &VolumeRequest::default()).await;
    assert!(
        matches!(&outcome, Creation::Refused(error) if error.kind() == Kind::Spec),
        "{outcome:?}"
    );
    assert!(bench.sent().is_empty());
}

#[tokio::test]
async fn namespaces_are_workspaces_that_only_the_console_makes() {
    let bench = Bench::new(&[(200, recorded("workspaces"))]);
    let namespaces = bench.provider().namespaces().unwrap();
    let listed = namespaces.list().await.unwrap();
    assert_eq!(
        (listed[0].id.as_str(), listed[0].default),
        ("310042", Some(true))
    );
    assert!(matches!(
        namespaces.create(Some("x"), &[]).await,
        Creation::Refused(error) if error.kind() == Kind::Spec
    ));
    assert_eq!(
        Namespaces::delete(&bench.provider, "1", true)
            .await
            .unwrap_err()
            .kind(),
        Kind::Spec
    );
    assert_eq!(
        bench.sent(),
        ["GET /api/v1/workspaces?PageNumber=1&PageSize=50"]
    );
}

#[test]
fn the_capability_table_agrees_with_what_is_there() {
    let bench = Bench::new(&[]);
    let capabilities = bench.provider().capabilities();
    assert_eq!(
        capabilities.has(Verb::VolumesList),
        bench.provider().volumes().is_some()
    );
    assert_eq!(
        capabilities.has(Verb::NamespacesList),
        bench.provider().namespaces().is_some()
    );
    for verb in Verb::ALL {
        assert!(capabilities.verbs.iter().any(|(listed, _)| *listed == verb));
    }
    assert_eq!(
        capabilities.has(Verb::Events),
        bench.provider().events().is_some()
    );
    assert_eq!(
        capabilities.has(Verb::Logs),
        bench.provider().logs().is_some()
    );
    for verb in [Verb::NamespacesCreate, Verb::Cost] {
        assert!(matches!(capabilities.support(verb), Support::No { .. }));
    }
}

#[test]
fn a_fixed_base_url_serves_its_own_region_only() {
    let mut bench = Bench::new(&[]);
    let elsewhere = spec(&format!("{SMALL}placement: {{ region: cn-beijing }}\n"));
    let policy = crate::provider::Policy::default();
    assert_eq!(bench.provider().assess(&elsewhere, &policy).refusals, []);
    bench.provider.home.dlc = BaseUrl::parse("http://127.0.0.1:9").unwrap();
    let refusals = bench.provider().assess(&elsewhere, &policy).refusals;
    assert_eq!(refusals.len(), 1);
    assert_eq!(refusals[0].field, "placement.region");
    assert!(bench.provider().polling().loopback);
}

/// The two products' paths look alike: the version tells them apart, where the table does not know the path.
#[test]
fn the_version_of_a_users_own_request_chooses_its_host() {
    let bench = Bench::new(&[]);
    let host = |path: &str, version: Option<&str>| {
        let headers = version.map(|version| {
            let name = http::HeaderName::from_static("x-acs-version");
            (name, HeaderValue::from_str(version).unwrap())
        });
        let request = RawRequest {
            method: http::Method::GET,
            path: RawPath::parse(path, &[]).unwrap(),
            headers: headers.into_iter().collect(),
            body: None,
            action: Some("X".to_owned()),
        };
        let template = bench.provider().raw(request).unwrap().template;
        let version = template.headers.get("x-acs-version").unwrap();
        (
            template.base.authority().to_owned(),
            version.to_str().unwrap().to_owned(),
        )
    };
    let dlc = "pai-dlc.cn-hangzhou.aliyuncs.com";
    let aiworkspace = "aiworkspace.cn-hangzhou.aliyuncs.com";
    for (path, version, expected) in [
        ("/api/v1/models", None, (dlc, "2020-12-03")),
        (
            "/api/v1/models",
            Some("2021-02-04"),
            (aiworkspace, "2021-02-04"),
        ),
        ("/api/v1/workspaces/1/x", None, (aiworkspace, "2021-02-04")),
        (
            "/api/v1/workspaces",
            Some("2020-12-03"),
            (dlc, "2020-12-03"),
        ),
        (
            "/api/v1/workspaces",
            Some("2030-01-01"),
            (aiworkspace, "2030-01-01"),
        ),
    ] {
        let (host, version) = host(path, version);
        assert_eq!((host.as_str(), version.as_str()), expected, "{path}");
    }
}
