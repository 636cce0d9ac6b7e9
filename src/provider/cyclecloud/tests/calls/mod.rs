//! Calls over a scripted transport: what is sent, in which order, and what comes of the answers.

mod create;
mod jobs;
mod place;

use rstest::rstest;
use serde_json::json;

use super::super::*;
use super::{MARKER, account, marker, plan_in, recorded, request_id, routes, spec, status};
use crate::model::{Flag, State};
use crate::secret::Secret;
use crate::sign::Basic;
use crate::testing::{self, Desk, Paper, Scripted, answer, lost};

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
    desk: Desk,
}

impl Bench {
    fn new(script: impl IntoIterator<Item = Scripted>) -> Self {
        let paper = Paper::in_order(script)
            .checking(|request| assert!(request.headers().contains_key("authorization")));
        let desk = Desk::new("2026-03-02T09:32:00Z", paper);
        let signer = Basic::new("ops", &Secret::new("hunter2")).unwrap();
        let mut session = desk.session("cyclecloud", signer, CyclecloudDialect);
        session.patience.retries = 2;
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
        Self { provider, desk }
    }

    fn calls(&self) -> Vec<String> {
        self.desk.paper.lines()
    }

    fn body(&self, index: usize) -> Value {
        self.desk.paper.calls()[index].json()
    }

    async fn create(&self, allow_partial: bool) -> Creation<Job> {
        let policy = Policy {
            allow_partial,
            ..Policy::default()
        };
        let routes = routes();
        let yaml = "name: bert\ncommand: [a]\nnodes: 2\nresources: {gpu: A100}";
        let plan = plan_in(&account(&routes), yaml, status(), policy).unwrap();
        self.provider.create(&plan).await
    }
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

fn tracked(id: &str, reading: Option<Value>) -> Tracked {
    Tracked {
        reading,
        ..testing::tracked(ResourceRef::new("cyclecloud", ["lab", id]))
    }
}
