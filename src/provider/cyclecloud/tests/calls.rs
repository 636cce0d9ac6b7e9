//! Calls over a scripted transport: what is sent, in which order, and what comes of the answers.

use std::collections::VecDeque;

use async_trait::async_trait;
use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use rstest::rstest;
use serde_json::json;

use super::super::*;
use super::{plan_in, request_id, routes, status};
use crate::ambient::{Clock, Entropy, Reporter};
use crate::http::{Patience, Signed, Transport, TransportError};
use crate::model::{Flag, State};
use crate::secret::Secret;
use crate::sign::Basic;

type Scripted = Result<Answer, TransportError>;

/// Gives scripted answers and writes down what was asked.
#[derive(Debug, Default)]
struct Paper {
    script: Mutex<VecDeque<Scripted>>,
    calls: Mutex<Vec<(String, Value)>>,
}

#[async_trait]
impl Transport for Paper {
    async fn call(&self, request: &Signed, _limit: Option<Duration>) -> Scripted {
        assert!(request.headers().contains_key("authorization"));
        let template = request.template();
        self.calls.lock().unwrap().push((
            format!("{} {}", template.method, template.full_target()),
            serde_json::from_slice(template.body_bytes()).unwrap_or(Value::Null),
        ));
        self.script
            .lock()
            .unwrap()
            .pop_front()
            .expect("one call too many")
    }
}

#[derive(Debug)]
struct Stopped;

impl Clock for Stopped {
    fn now(&self) -> Timestamp {
        "2026-03-02T09:32:00Z".parse().unwrap()
    }
}

impl Entropy for Stopped {
    fn bytes(&self) -> [u8; 16] {
        [7; 16]
    }
}

impl Reporter for Stopped {
    fn note(&self, _text: &str) {}
    fn warning(&self, _text: &str) {}
    fn detail(&self, _level: u8, _text: &str) {}
    fn trace(&self, _text: &str) {}
    fn is_tracing(&self) -> bool {
        false
    }
}

#[derive(Debug, Default)]
struct NoResults;

impl Results for NoResults {
    fn exits(&self, _result_dir: &str, _job_id: &str) -> Option<Exits> {
        None
    }

    fn is_here(&self, _result_dir: &str) -> bool {
        false
    }

    fn outputs(&self, _result_dir: &str, _job_id: &str) -> Vec<Output> {
        Vec::new()
    }

    fn read(&self, _path: &std::path::Path, _from: u64, _most: usize) -> std::io::Result<Vec<u8>> {
        Ok(Vec::new())
    }
}

struct Bench {
    provider: Box<dyn Provider>,
    paper: Arc<Paper>,
}

impl Bench {
    fn new(script: impl IntoIterator<Item = Scripted>) -> Self {
        let paper = Arc::new(Paper {
            script: Mutex::new(script.into_iter().collect()),
            ..Paper::default()
        });
        let session = Session {
            provider: "cyclecloud".to_owned(),
            transport: Arc::<Paper>::clone(&paper),
            signer: Arc::new(Basic::new("ops", &Secret::new("hunter2")).unwrap()),
            dialect: Arc::new(CyclecloudDialect),
            clock: Arc::new(Stopped),
            entropy: Arc::new(Stopped),
            reporter: Arc::new(Stopped),
            patience: Patience {
                retries: 2,
                deadline: None,
                read_limit: Duration::from_secs(60),
            },
        };
        let provider: Box<dyn Provider> = Box::new(Cyclecloud::new(Connection {
            name: "cyclecloud".to_owned(),
            session,
            base: routes().base().clone(),
            cluster: Some("lab".to_owned()),
            nodearray: Some("gpu".to_owned()),
            result_dir: Some("/mnt/results".to_owned()),
            mode: Mode::Runner,
            results: Arc::new(NoResults),
        }));
        Self { provider, paper }
    }

    fn calls(&self) -> Vec<String> {
        assert!(
            self.paper.script.lock().unwrap().is_empty(),
            "an answer is left"
        );
        let calls = self.paper.calls.lock().unwrap();
        calls.iter().map(|(call, _)| call.clone()).collect()
    }

    fn body(&self, index: usize) -> Value {
        self.paper.calls.lock().unwrap()[index].1.clone()
    }

    async fn create(&self, allow_partial: bool) -> Creation<Job> {
        let policy = Policy {
            allow_partial,
            ..Policy::default()
        };
        let routes = routes();
        let yaml = "name: bert\ncommand: [a]\nnodes: 2\nresources: {gpu: A100}";
        let plan = plan_in(&super::account(&routes), yaml, status(), policy).unwrap();
        self.provider.create(&plan).await
    }
}

#[expect(
    clippy::unnecessary_wraps,
    reason = "a script holds answers and failures alike"
)]
fn answer(status: u16, body: &Value) -> Scripted {
    Ok(Answer {
        status: StatusCode::from_u16(status).unwrap(),
        headers: HeaderMap::new(),
        body: Bytes::from(body.to_string()),
    })
}

fn lost() -> Scripted {
    Err(TransportError {
        sent: true,
        error: Error::new(Kind::Temporary, "reset", "the connection was reset"),
    })
}

fn node(name: &str, word: &str) -> Value {
    json!({
        "Name": name, "NodeId": format!("id-{name}"), "TargetState": "Started", "Status": word,
        "InstanceId": "i", "PrivateIp": "10.0.0.1", "MachineType": "Standard_NC24ads_A100_v4",
        "Configuration": {"gpujob": {"job_id": request_id(), "nodes": 2}},
        "Tags": {"gpujob-id": request_id(), "gpujob-spec": "2456", "gpujob-name": "bert"},
    })
}

fn nodes(names: &[&str]) -> Value {
    json!({
        "operation": {"action": "create", "startTime": "2026-03-02T09:30:11Z"},
        "nodes": names.iter().map(|name| node(name, "Ready")).collect::<Vec<_>>(),
    })
}

fn of_request() -> String {
    format!("GET /cycle/clusters/lab/nodes?request_id={}", request_id())
}

const CREATE: &str = "POST /cycle/clusters/lab/nodes/create";
const TERMINATE: &str = "POST /cycle/clusters/lab/nodes/terminate";

#[tokio::test(start_paused = true)]
async fn a_granted_create_is_a_pending_job() {
    let bench = Bench::new([answer(
        202,
        &json!({"operationId": "op", "sets": [{"added": 2}]}),
    )]);
    let Creation::Accepted(job) = bench.create(false).await else {
        panic!("not accepted");
    };
    assert_eq!(
        job.job_ref.to_string(),
        format!("cyclecloud/lab/{}", request_id())
    );
    assert_eq!((job.state, job.nodes), (State::Pending, 2));
    assert_eq!(job.name.as_deref(), Some("bert"));
    assert_eq!(job.marker.as_deref(), Some(super::MARKER));
    assert_eq!(
        job.instance_type.as_deref(),
        Some("Standard_NC24ads_A100_v4")
    );
    assert!(job.flags.is_empty());
    let reading = job.reading.unwrap();
    assert_eq!(reading["operation_id"], "op");
    assert_eq!(reading["result_dir"], "/mnt/results");
    assert_eq!(bench.calls(), [CREATE]);
}

#[tokio::test(start_paused = true)]
async fn a_partial_grant_is_undone() {
    let bench = Bench::new([
        answer(
            202,
            &json!({"operationId": "op", "sets": [{"added": 1, "message": "Only 1 fits"}]}),
        ),
        answer(200, &nodes(&[])),
        answer(200, &nodes(&["gpu-2"])),
        answer(
            202,
            &json!({"nodes": [{"id": "id-gpu-2", "name": "gpu-2", "status": "OK"}]}),
        ),
    ]);
    let Creation::Refused(error) = bench.create(false).await else {
        panic!("not refused");
    };
    assert_eq!(error.kind(), Kind::Capacity);
    assert_eq!(
        error.message(),
        "only 1 of 2 nodes were granted: Only 1 fits; gpu-2 was terminated again"
    );
    assert_eq!(
        bench.calls(),
        [CREATE, &of_request(), &of_request(), TERMINATE]
    );
    let body = bench.body(3);
    assert_eq!(body["ids"], json!(["id-gpu-2"]));
    assert_ne!(body["requestId"], json!(request_id()), "a fresh one");
}

#[tokio::test(start_paused = true)]
async fn a_partial_grant_that_cannot_be_undone_says_what_may_cost() {
    let bench = Bench::new([
        answer(202, &json!({"sets": [{"added": 1}]})),
        answer(200, &nodes(&["gpu-2"])),
        answer(
            202,
            &json!({"nodes": [{"name": "gpu-2", "status": "Error", "error": "KeepAlive"}]}),
        ),
    ]);
    let Creation::Refused(error) = bench.create(false).await else {
        panic!("not refused");
    };
    assert_eq!(
        (error.kind(), error.code()),
        (Kind::Rejected, "cleanup_failed")
    );
    assert!(
        error
            .message()
            .contains("may still be running and costing money"),
        "{error}"
    );
    assert!(error.message().contains("gpu-2: KeepAlive"), "{error}");
    let reference = format!("cyclecloud/lab/{}", request_id());
    assert_eq!(error.details().job.as_deref(), Some(reference.as_str()));
    assert!(
        error
            .details()
            .hint
            .as_deref()
            .unwrap()
            .contains(&reference)
    );
    assert_eq!(bench.calls().len(), 3);
}

#[tokio::test(start_paused = true)]
async fn nodes_that_are_not_found_may_still_cost() {
    let bench = Bench::new([
        answer(202, &json!({"sets": [{"added": 1}]})),
        answer(200, &nodes(&[])),
        answer(200, &nodes(&[])),
        answer(200, &nodes(&[])),
    ]);
    let Creation::Refused(error) = bench.create(false).await else {
        panic!("not refused");
    };
    assert_eq!(error.kind(), Kind::Rejected);
    assert!(error.message().contains(&request_id()), "{error}");
    assert_eq!(bench.calls().len(), 4, "never a terminate without ids");
}

#[tokio::test(start_paused = true)]
async fn a_partial_grant_is_kept_where_that_is_allowed() {
    let bench = Bench::new([answer(
        202,
        &json!({"sets": [{"added": 1, "message": "Only 1"}]}),
    )]);
    let Creation::Accepted(job) = bench.create(true).await else {
        panic!("not accepted");
    };
    assert!(job.flags.contains(&Flag::Partial));
    assert_eq!(job.nodes, 2);
    assert_eq!(bench.calls(), [CREATE]);
}

#[rstest]
#[tokio::test(start_paused = true)]
async fn nothing_granted_is_a_lack_of_capacity(#[values(true, false)] allow_partial: bool) {
    let bench = Bench::new([answer(
        202,
        &json!({"sets": [{"added": 0, "message": "none"}]}),
    )]);
    let Creation::Refused(error) = bench.create(allow_partial).await else {
        panic!("not refused");
    };
    assert_eq!(error.kind(), Kind::Capacity);
    assert_eq!(bench.calls(), [CREATE]);
}

#[tokio::test(start_paused = true)]
async fn a_repeated_request_id_finds_the_job_it_belongs_to() {
    let bench = Bench::new([
        answer(409, &json!({"Code": 409, "Message": "request id used"})),
        answer(200, &nodes(&["gpu-1", "gpu-2"])),
    ]);
    let Creation::Accepted(job) = bench.create(false).await else {
        panic!("not accepted");
    };
    assert!(job.adopted);
    assert_eq!(
        job.marker.as_deref(),
        Some(super::MARKER),
        "the four come from the tag"
    );
    assert_eq!(bench.calls(), [CREATE, &of_request()]);
}

#[tokio::test(start_paused = true)]
async fn a_conflict_without_such_a_request_is_invalid_input() {
    let bench = Bench::new([
        answer(409, &json!({"Message": "no such nodearray"})),
        answer(
            404,
            &json!({"Code": 404, "Message": "No operation found for request id"}),
        ),
    ]);
    let Creation::Refused(error) = bench.create(false).await else {
        panic!("not refused");
    };
    assert_eq!(error.kind(), Kind::Rejected);
    assert!(error.message().contains("no such nodearray"));
    assert_eq!(bench.calls().len(), 2);
}

#[rstest]
#[case::lost(lost())]
#[case::internal(answer(500, &json!({"Message": "npe"})))]
#[case::unavailable(answer(503, &json!({})))]
#[case::torn(answer(202, &json!({"operationId": "op"})))]
#[tokio::test(start_paused = true)]
async fn an_unclear_create_is_sent_once_and_left_to_the_engine(#[case] outcome: Scripted) {
    let bench = Bench::new([outcome]);
    assert!(matches!(bench.create(false).await, Creation::Ambiguous(_)));
    assert_eq!(bench.calls(), [CREATE]);
}

#[tokio::test(start_paused = true)]
async fn a_conflict_that_cannot_be_looked_up_is_unclear() {
    let bench = Bench::new([answer(409, &json!({})), answer(403, &json!({}))]);
    assert!(matches!(bench.create(false).await, Creation::Ambiguous(_)));
    assert_eq!(bench.calls().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn after_a_401_nothing_more_is_sent() {
    let bench = Bench::new([answer(401, &json!({"Message": "bad login"}))]);
    let jobs: Vec<Tracked> = (0..5)
        .map(|number| tracked(&number.to_string(), None))
        .collect();
    let error = bench.provider.observe(&jobs).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Auth);
    assert_eq!(bench.provider.types().await.unwrap_err().kind(), Kind::Auth);
    assert!(matches!(bench.create(false).await, Creation::Refused(_)));
    assert_eq!(bench.calls().len(), 1);
}

fn tracked(id: &str, reading: Option<Value>) -> Tracked {
    Tracked {
        job_ref: ResourceRef::new("cyclecloud", ["lab", id]),
        cancel_requested_at: None,
        time_limit_s: None,
        reading,
        start_by: None,
    }
}

#[tokio::test(start_paused = true)]
async fn readiness_takes_two_looks_that_share_a_reading() {
    let list = nodes(&["gpu-1", "gpu-2"]);
    let bench = Bench::new([answer(200, &list), answer(200, &list)]);
    let mut job = tracked(&request_id(), None);
    let mut states = Vec::new();
    for _ in 0..2 {
        let seen = bench
            .provider
            .observe(std::slice::from_ref(&job))
            .await
            .unwrap();
        let [Observation::Seen(seen)] = seen.as_slice() else {
            panic!("not seen");
        };
        states.push(seen.state);
        job.reading.clone_from(&seen.reading);
        // The clock stands still, and looks at one moment are one.
        job.reading.as_mut().unwrap()["counted_at"] = json!("2026-03-02T09:31:50Z");
    }
    assert_eq!(states, [State::Starting, State::Running]);
    assert_eq!(bench.calls(), [of_request(), of_request()]);
}

#[tokio::test(start_paused = true)]
async fn many_jobs_keep_their_order() {
    let bench = Bench::new([
        answer(200, &nodes(&["gpu-1"])),
        answer(200, &nodes(&["gpu-2"])),
        answer(200, &nodes(&["gpu-3"])),
    ]);
    let jobs: Vec<Tracked> = ["a", "b", "c"].iter().map(|id| tracked(id, None)).collect();
    let seen = bench.provider.observe(&jobs).await.unwrap();
    let names: Vec<_> = seen
        .iter()
        .map(|seen| match seen {
            Observation::Seen(job) => (job.provider_id.clone(), job.node_names[0].clone()),
            Observation::Missing | Observation::Unread(_) => panic!("not seen"),
        })
        .collect();
    assert_eq!(
        names,
        [
            ("a".to_owned(), "gpu-1 (10.0.0.1)".to_owned()),
            ("b".to_owned(), "gpu-2 (10.0.0.1)".to_owned()),
            ("c".to_owned(), "gpu-3 (10.0.0.1)".to_owned()),
        ]
    );
    assert_eq!(bench.calls().len(), 3);
}

#[tokio::test(start_paused = true)]
async fn an_unknown_request_is_looked_for_by_operation_and_by_tag() {
    let unknown = || answer(404, &json!({"Code": 404, "Message": "unknown"}));
    let reading = json!({"accepted": true, "operation_id": "op"});
    let bench = Bench::new([unknown(), unknown(), answer(200, &nodes(&["gpu-1"]))]);
    let id = request_id();
    let seen = bench
        .provider
        .observe(&[tracked(&id, Some(reading.clone()))])
        .await
        .unwrap();
    assert!(matches!(&seen[0], Observation::Seen(job) if job.state == State::Starting));
    assert_eq!(
        bench.calls(),
        [
            of_request(),
            "GET /cycle/clusters/lab/nodes?operation=op".to_owned(),
            "GET /cycle/clusters/lab/nodes".to_owned(),
        ]
    );
    // Accepted once, and forgotten by the server before anybody saw a node of it.
    let bench = Bench::new([unknown(), unknown(), answer(200, &nodes(&[]))]);
    let seen = bench
        .provider
        .observe(&[tracked(&id, Some(reading))])
        .await
        .unwrap();
    assert!(matches!(&seen[0], Observation::Seen(job)
        if job.state == State::Unknown && !job.terminal && job.flags.contains(&Flag::Gone)));
    // Its node was ready, and is listed by nobody at a second look.
    let ready = json!({
        "accepted": true, "seen_ready": true, "gone_polls": 1,
        "nodes": [{"name": "gpu-1", "status": "Ready"}],
    });
    let bench = Bench::new([unknown(), answer(200, &nodes(&[]))]);
    let seen = bench
        .provider
        .observe(&[tracked(&id, Some(ready))])
        .await
        .unwrap();
    assert!(matches!(&seen[0], Observation::Seen(job)
        if job.state == State::Unknown && job.terminal && job.flags.contains(&Flag::ResultUnknown)));
    // Never heard of.
    let bench = Bench::new([unknown(), answer(200, &nodes(&[]))]);
    let seen = bench.provider.observe(&[tracked(&id, None)]).await.unwrap();
    assert_eq!(seen, [Observation::Missing]);
}

#[tokio::test(start_paused = true)]
async fn vanished_nodes_are_told_with_the_capacity_failure_of_their_bucket() {
    let mut raw = status();
    raw["nodearrays"][0]["buckets"][0]["lastCapacityFailure"] = json!(95.2);
    let bench = Bench::new([answer(200, &nodes(&[])), answer(200, &raw)]);
    let reading = json!({
        "accepted": true, "gone_polls": 1, "machine_type": "Standard_NC24ads_A100_v4",
        "nodes_seen_at": "2026-03-02T09:31:40Z", "gone_at": "2026-03-02T09:31:50Z",
        "nodes": [{"name": "gpu-1", "status": "Acquiring"}],
    });
    let seen = bench
        .provider
        .observe(&[tracked(&request_id(), Some(reading))])
        .await
        .unwrap();
    let Observation::Seen(job) = &seen[0] else {
        panic!("missing");
    };
    assert_eq!(job.state, State::Failed);
    assert!(
        job.message
            .as_deref()
            .unwrap()
            .ends_with("; the last capacity failure of `Standard_NC24ads_A100_v4` was 95 s ago"),
        "{job:?}"
    );
    assert_eq!(bench.calls().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_marker_is_found_by_its_request_id_alone() {
    let marker = super::marker();
    let since = Timestamp::UNIX_EPOCH;
    let bench = Bench::new([answer(200, &nodes(&["gpu-1"]))]);
    let found = bench
        .provider
        .find(&marker, "cyclecloud/lab", since)
        .await
        .unwrap();
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].marker.as_deref(), Some(super::MARKER));
    assert_eq!(bench.calls(), [of_request()]);
    let bench = Bench::new([answer(404, &json!({"Code": 404}))]);
    assert!(
        bench
            .provider
            .find(&marker, "cyclecloud/lab", since)
            .await
            .unwrap()
            .is_empty()
    );
}

#[tokio::test(start_paused = true)]
async fn a_cancel_terminates_by_ids_with_a_fresh_request_id() {
    let mut list = nodes(&["gpu-1", "gpu-2"]);
    list["nodes"][0]["TargetState"] = json!("Terminated");
    let bench = Bench::new([
        answer(200, &list),
        answer(202, &json!({"nodes": [{"name": "gpu-2", "status": "OK"}]})),
    ]);
    let job = tracked(&request_id(), None).job_ref;
    bench.provider.cancel(&job).await.unwrap();
    assert_eq!(bench.calls(), [of_request(), TERMINATE.to_owned()]);
    assert_eq!(
        bench.body(1),
        json!({"ids": ["id-gpu-2"], "requestId": "07070707-0707-4707-8707-070707070707"})
    );
    let empty = Bench::new([answer(200, &nodes(&[]))]);
    empty.provider.cancel(&job).await.unwrap();
    assert_eq!(empty.calls().len(), 1, "nothing to cancel");
}

#[tokio::test(start_paused = true)]
async fn a_node_that_refuses_makes_the_cancel_fail() {
    let bench = Bench::new([
        answer(200, &nodes(&["gpu-2", "gpu-3"])),
        answer(202, &super::recorded("terminated-with-one-refusal")),
    ]);
    let error = bench
        .provider
        .cancel(&tracked(&request_id(), None).job_ref)
        .await
        .unwrap_err();
    assert_eq!(error.kind(), Kind::Rejected);
    assert!(
        error
            .message()
            .contains("gpu-3: Node is protected by KeepAlive")
    );
}

#[tokio::test(start_paused = true)]
async fn an_unclear_terminate_is_looked_up_and_repeated_once_with_its_id() {
    let bench = Bench::new([
        answer(200, &nodes(&["gpu-2"])),
        lost(),
        answer(404, &json!({"Code": 404})),
        answer(202, &json!({"nodes": []})),
    ]);
    let job = tracked(&request_id(), None).job_ref;
    bench.provider.cancel(&job).await.unwrap();
    let calls = bench.calls();
    assert_eq!(
        calls[2],
        "GET /cycle/clusters/lab/nodes?request_id=07070707-0707-4707-8707-070707070707"
    );
    assert_eq!(bench.body(1), bench.body(3));
    let known = Bench::new([
        answer(200, &nodes(&["gpu-2"])),
        lost(),
        answer(200, &nodes(&["gpu-2"])),
    ]);
    known.provider.cancel(&job).await.unwrap();
    assert_eq!(known.calls().len(), 3, "it had arrived");
}

#[tokio::test(start_paused = true)]
async fn an_unknown_job_cannot_be_cancelled() {
    let bench = Bench::new([
        answer(404, &json!({"Code": 404})),
        answer(200, &nodes(&["gpu-1"])),
    ]);
    let error = bench
        .provider
        .cancel(&tracked("00000000-0000-4000-8000-000000000000", None).job_ref)
        .await
        .unwrap_err();
    assert_eq!(error.kind(), Kind::NotFound);
}

#[tokio::test(start_paused = true)]
async fn a_list_is_of_jobs_that_have_nodes_and_says_so() {
    let mut list = nodes(&["gpu-1", "gpu-2", "scheduler"]);
    list["nodes"][2]["Configuration"] = json!({});
    list["nodes"][2]["Tags"] = json!(null);
    let bench = Bench::new([answer(200, &list)]);
    let listing = bench.provider.list(&ListFilter::default()).await.unwrap();
    assert_eq!(listing.jobs.len(), 1);
    assert_eq!(listing.jobs[0].provider_id, request_id());
    assert_eq!(listing.jobs[0].node_names.len(), 2);
    assert!(listing.forgets_ended);
    assert_eq!(bench.calls(), ["GET /cycle/clusters/lab/nodes"]);
}

#[tokio::test(start_paused = true)]
async fn a_survey_is_one_look_at_the_status() {
    let bench = Bench::new([answer(200, &status())]);
    let survey = bench
        .provider
        .survey(&super::spec("command: [a]"))
        .await
        .unwrap();
    assert_eq!(survey.namespace.unwrap().id, "lab");
    assert_eq!(survey.offers.len(), 2);
    assert_eq!(survey.volumes.len(), 1);
    assert_eq!(bench.calls(), ["GET /cycle/clusters/lab/status"]);
    let bench = Bench::new([answer(404, &json!({"Code": 404, "Message": "no cluster"}))]);
    let error = bench
        .provider
        .survey(&super::spec("command: [a]"))
        .await
        .unwrap_err();
    assert_eq!(error.kind(), Kind::NotFound);
}

#[tokio::test(start_paused = true)]
async fn volumes_can_be_seen_and_nothing_else() {
    let bench = Bench::new([answer(200, &status()), answer(200, &status())]);
    let volumes = bench.provider.volumes().unwrap();
    let listed = volumes.list(None).await.unwrap();
    assert_eq!(
        listed[0].volume_ref.to_string(),
        "cyclecloud/lab/gpu/results"
    );
    assert_eq!(volumes.get(&listed[0].volume_ref).await.unwrap(), listed[0]);
    let Creation::Refused(error) = volumes
        .create(&crate::provider::VolumeRequest::default())
        .await
    else {
        panic!("not refused");
    };
    assert_eq!(error.kind(), Kind::Spec);
    assert!(error.details().hint.is_some());
    let error = volumes
        .delete(&listed[0].volume_ref, true)
        .await
        .unwrap_err();
    assert_eq!(error.kind(), Kind::Spec);
    assert_eq!(bench.calls().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn clusters_come_from_the_configuration() {
    let bench = Bench::new([]);
    let namespaces = bench.provider.namespaces().unwrap();
    let listed = namespaces.list().await.unwrap();
    assert_eq!(
        (listed[0].id.as_str(), listed[0].default),
        ("lab", Some(true))
    );
    assert_eq!(
        namespaces.delete("lab", true).await.unwrap_err().kind(),
        Kind::Spec
    );
    assert!(bench.calls().is_empty());
}
