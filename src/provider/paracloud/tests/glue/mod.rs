//! The glue over a transport made of paper: which requests are sent, in which order, and what becomes of the answers.

mod jobs;
mod namespaces;
mod submit;
mod volumes;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use rstest::rstest;
use serde_json::{Value, json};

use super::{recorded, recorded_text};
use crate::error::Kind;
use crate::http::{BaseUrl, Live, TrustSettings};
use crate::model::{Marker, ResourceRef, State};
use crate::provider::paracloud::{Connection, Paracloud, ParacloudDialect, Transfer};
use crate::provider::{
    Creation, ListFilter, Observation, Plan, PlanInput, Policy, Provider, Support, Verb,
    VolumeRequest,
};
use crate::secret::Secret;
use crate::sign::Bearer;
use crate::spec::{JobSpec, Mount, MountSource, Program, Resources};
use crate::testing::{Desk, Exchange, Notebook, Paper, Scripted, answer, lost, said, tracked};

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

struct Bench {
    provider: Paracloud,
    desk: Desk,
}

impl Bench {
    fn new(namespace: Option<&str>, script: Vec<Exchange>) -> Self {
        let desk = Desk::new("2024-03-08T01:00:00Z", Paper::in_any_order(script));
        let token = Secret::new("hunter2-token");
        let signer = Bearer::new(&token).unwrap();
        let streaming = Live::new(
            TrustSettings::default(),
            Duration::from_secs(1),
            Arc::<Notebook>::clone(&desk.notebook),
        );
        Self {
            provider: Paracloud::new(Connection {
                name: "para".to_owned(),
                session: desk.session("para", signer, ParacloudDialect::new(vec![token])),
                base: BaseUrl::parse("https://eci.example").unwrap(),
                namespace: namespace.map(str::to_owned),
                transfer: Transfer {
                    streaming: Arc::new(streaming),
                    kept: Arc::new(BTreeMap::new()),
                },
            }),
            desk,
        }
    }

    fn warnings(&self) -> String {
        self.desk.notebook.warnings()
    }

    fn lines(&self) -> Vec<String> {
        self.desk.paper.lines()
    }
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
