//! The planner field by field: what is sent, what is emulated, what stays here, what is refused.

mod fields;
mod place;
mod program;
mod properties;
mod script;
mod storage;
mod whole;

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use rstest::rstest;
use serde_json::{Map, Value, json};

use super::*;
use crate::http::{BaseUrl, Safety};
use crate::model::{Marker, Money, Namespace, Volume};
use crate::provider::paracloud::catalogue;
use crate::provider::paracloud::parse::{self, Place};
use crate::provider::paracloud::tests::recorded;
use crate::secret::Secret;
use crate::spec::{
    Array, CodeSource, Framework, GpuRequest, Mount, MountSource, Port, Program, RegistryAuth,
    Resources, SecretSource, Spot, Timeout,
};

const MARKER: &str = "bcdfghjklmnpqr";

fn routes() -> Routes {
    Routes::new(BaseUrl::parse("https://eci.example").unwrap())
}

fn volume(id: &str, cluster: &str) -> Volume {
    let place = Place {
        provider: "para",
        namespace: "k8r2wq",
        cluster: Some(cluster),
    };
    parse::volume(&json!({ "id": id }), place).unwrap()
}

/// The catalogue of the contract, one type of two clusters, one without GPU and one that tells no cluster.
fn survey() -> Survey {
    let mut types = recorded("instance-types");
    types["instanceTypes"].as_array_mut().unwrap().extend([
        json!({"id": "same.large", "clusterID": "NC-N30", "cpu": {"cores": 4}, "memory": {"sizeGB": 8}}),
        json!({"id": "same.large", "clusterID": "BSCC-N32-H", "cpu": {"cores": 5}, "memory": {"sizeGB": 8}}),
        json!({"id": "roaming.large", "cpu": {"cores": 64}, "memory": {"sizeGB": 64}}),
    ]);
    let list = parse::list(&types, "instanceTypes").unwrap();
    Survey {
        namespace: Some(Namespace {
            id: "k8r2wq".to_owned(),
            name: None,
            default: Some(true),
            raw: Value::Null,
        }),
        offers: catalogue::catalogue(&list, None).offers,
        volumes: vec![
            volume("x7m4tzb9", "NC-N30"),
            volume("v2", "NC-N30"),
            volume("arm1", "BSCC-N32-H"),
        ],
        as_of: None,
        ..Survey::default()
    }
}

fn command(words: &[&str]) -> Program {
    Program::Command(words.iter().map(|word| (*word).to_owned()).collect())
}

fn gpu(model: &str, count: u32) -> Resources {
    Resources {
        gpu: Some(GpuRequest {
            model: Some(model.to_owned()),
            count,
            memory_gib: None,
        }),
        ..Resources::default()
    }
}

fn typed(name: &str) -> Resources {
    Resources {
        instance_type: Some(name.to_owned()),
        ..Resources::default()
    }
}

fn mount(id: &str, path: &str) -> Mount {
    Mount {
        source: MountSource::Id(id.to_owned()),
        path: Some(path.to_owned()),
        readonly: false,
        subpath: None,
    }
}

fn port(name: &str, https: bool) -> Port {
    Port::Named {
        name: name.to_owned(),
        https,
    }
}

fn spec() -> JobSpec {
    JobSpec {
        name: Some("bert".to_owned()),
        image: Some("pytorch/pytorch:2.1.0-cuda12.1-cudnn8-runtime".to_owned()),
        program: command(&["python", "/data/train.py"]),
        resources: gpu("RTX3090", 2),
        ..JobSpec::default()
    }
}

struct Tried {
    result: Result<Plan, PlanRefusal>,
}

impl Tried {
    fn assessment(&self) -> &Assessment {
        match &self.result {
            Ok(plan) => &plan.assessment,
            Err(refusal) => &refusal.assessment,
        }
    }

    fn codes(&self) -> Vec<(RefusalCode, &str)> {
        self.assessment()
            .refusals
            .iter()
            .map(|refusal| (refusal.code, refusal.field.as_str()))
            .collect()
    }

    fn plan(&self) -> &Plan {
        match &self.result {
            Ok(plan) => plan,
            Err(refusal) => panic!("{:#?}", refusal.assessment.refusals),
        }
    }

    fn body(&self) -> Value {
        serde_json::from_slice(self.plan().requests[0].body_bytes()).unwrap()
    }

    fn words(&self) -> Vec<String> {
        serde_json::from_value(self.body()["containers"][0]["command"].clone()).unwrap()
    }

    fn notes(&self) -> String {
        self.assessment().notes.join("\n")
    }

    fn level(&self, field: &str) -> Option<Level> {
        let lines: Vec<Level> = self
            .assessment()
            .report
            .iter()
            .filter(|line| line.field == field)
            .map(|line| line.level)
            .collect();
        assert!(lines.len() <= 1, "`{field}` has several levels: {lines:?}");
        lines.first().copied()
    }
}

fn try_with(spec: &JobSpec, policy: Policy, survey: &Survey, secrets: &[(&str, &str)]) -> Tried {
    let routes = routes();
    let planner = Planner {
        provider: "para",
        namespace: None,
        routes: &routes,
    };
    let secrets: BTreeMap<String, Secret> = secrets
        .iter()
        .map(|(name, value)| ((*name).to_owned(), Secret::new(*value)))
        .collect();
    let marker = Marker::parse(MARKER).unwrap();
    let input = PlanInput {
        spec,
        marker: &marker,
        policy: &policy,
        secrets: &secrets,
        registry_password: None,
    };
    Tried {
        result: planner.plan(&input, survey),
    }
}

fn attempt(spec: &JobSpec) -> Tried {
    try_with(spec, Policy::default(), &survey(), &[])
}

fn options(block: Value) -> BTreeMap<Backend, Map<String, Value>> {
    let Value::Object(block) = block else {
        panic!("no object")
    };
    [(Backend::Paracloud, block)].into()
}
