//! Tests of the whole backend: recorded answers, states, plans, verdicts, calls over a scripted transport, the runner.

mod calls;
mod confirmed;
mod phases;
mod planner;
mod recorded;
mod refusals;
mod runner;
mod states;
mod verdicts;

use std::collections::BTreeMap;

use serde_json::Value;

use crate::http::BaseUrl;
use crate::model::{Marker, Namespace};
use crate::provider::{Plan, PlanInput, PlanRefusal, Policy, Survey};
use crate::testing::{self, body_of, spec};

use super::options::Mode;
use super::plan::{self, Account};
use super::routes::Routes;
use super::status::ClusterStatus;
use super::{offers, shares};

/// The marker of every plan here, and the request id that is made from it.
const MARKER: &str = "bcdfghjklm2456";

/// One recorded answer.
fn recorded(name: &str) -> Value {
    serde_json::from_str(&testing::recorded(&format!("cyclecloud-{name}.json"))).unwrap()
}

fn marker() -> Marker {
    Marker::parse(MARKER).unwrap()
}

fn request_id() -> String {
    super::request_id::of_marker(&marker()).to_string()
}

fn routes() -> Routes {
    Routes::new(BaseUrl::parse("https://cc.example:8443/cycle").unwrap())
}

/// The configuration of the contract's example.
fn account(routes: &Routes) -> Account<'_> {
    Account {
        name: "cyclecloud",
        routes,
        cluster: Some("lab"),
        nodearray: Some("gpu"),
        result_dir: Some("/mnt/results"),
        mode: Mode::Runner,
    }
}

/// What a look at a cluster with this status finds.
fn survey_of(raw: Value) -> Survey {
    let status = ClusterStatus::read(&raw);
    Survey {
        offers: offers::offers(&status, "lab", None),
        volumes: shares::volumes("cyclecloud", "lab", &status),
        namespace: Some(Namespace {
            id: "lab".to_owned(),
            name: Some("lab".to_owned()),
            default: Some(true),
            raw,
        }),
        as_of: None,
        ..Survey::default()
    }
}

/// The contract's status with the second bucket switched on.
fn status() -> Value {
    let mut raw = recorded("status");
    let bucket = &mut raw["nodearrays"][0]["buckets"][1];
    bucket["valid"] = true.into();
    bucket["invalidReason"] = "".into();
    bucket["availableCount"] = 4.into();
    bucket["maxPlacementGroupSize"] = 3.into();
    raw
}

fn plan_in(
    account: &Account<'_>,
    yaml: &str,
    raw: Value,
    policy: Policy,
) -> Result<Plan, PlanRefusal> {
    let spec = spec(yaml);
    plan::plan(
        account,
        &PlanInput {
            spec: &spec,
            marker: &marker(),
            policy: &policy,
            secrets: &BTreeMap::new(),
            registry_password: None,
        },
        &survey_of(raw),
    )
}

fn plan_of(yaml: &str) -> Result<Plan, PlanRefusal> {
    let routes = routes();
    plan_in(&account(&routes), yaml, status(), Policy::default())
}

/// The attributes of the one set.
fn attributes_of(plan: &Plan) -> Value {
    body_of(plan)["sets"][0]["nodeAttributes"].clone()
}
