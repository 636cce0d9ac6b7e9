//! Tests of the whole backend: recorded answers, plans, refusals, verdicts, and the calls over a scripted transport.

mod calls;
mod catalogue;
mod ends;
mod logs;
mod nas;
mod planner;
mod program;
mod recorded;
mod refusals;
mod script;
mod told;
mod unusual;
mod verdicts;

use std::collections::BTreeMap;

use serde_json::Value;

use crate::http::BaseUrl;
use crate::model::{Marker, Offer, Timestamp, Volume};
use crate::provider::{Plan, PlanInput, PlanRefusal, Policy, Survey};
use crate::secret::Secret;
use crate::testing::{self, body_of, spec};

use super::api::Api;
use super::draft::Account;
use super::storage::{self, StorageKind};
use super::{offers, plan};

/// The marker of every plan here.
pub(super) const MARKER: &str = "bcdfghjklm2456";

/// One recorded answer.
pub(super) fn recorded(name: &str) -> Value {
    serde_json::from_str(&testing::recorded(&format!("gongji-{name}.json"))).unwrap()
}

/// The `data` of a recorded answer.
pub(super) fn data(name: &str) -> Value {
    recorded(name)["data"].take()
}

pub(super) fn api() -> Api {
    Api::new(BaseUrl::parse("https://openapi.suanli.cn").unwrap())
}

pub(super) fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// The catalogue of the contract's example.
pub(super) fn catalogue() -> Vec<Offer> {
    offers::catalogue(&data("resources"), at("2026-05-10T03:00:00Z"))
}

/// The volumes of the contract's examples: object 71, share 72, NAS 5012.
pub(super) fn volumes() -> Vec<Volume> {
    [
        ("storage-object", StorageKind::Object),
        ("storage-share", StorageKind::Share),
        ("nas-volumes", StorageKind::Nas),
    ]
    .into_iter()
    .map(|(name, kind)| storage::volume(&data(name)["results"][0], kind, "gongji").unwrap())
    .collect()
}

/// A survey that found the examples' catalogue and volumes.
pub(super) fn survey() -> Survey {
    Survey {
        offers: catalogue(),
        volumes: volumes(),
        ..Survey::default()
    }
}

pub(super) fn plan_of(yaml: &str) -> Result<Plan, PlanRefusal> {
    plan_with(yaml, &survey(), Policy::default())
}

pub(super) fn plan_with(yaml: &str, survey: &Survey, policy: Policy) -> Result<Plan, PlanRefusal> {
    plan_in(None, yaml, survey, policy)
}

/// With a configured region.
pub(super) fn plan_in(
    region: Option<&str>,
    yaml: &str,
    survey: &Survey,
    policy: Policy,
) -> Result<Plan, PlanRefusal> {
    let spec = spec(yaml);
    let secrets: BTreeMap<String, Secret> =
        [("TOKEN".to_owned(), Secret::new("s3cret-value"))].into();
    let api = api();
    plan::plan(
        Account {
            name: "gongji",
            api: &api,
            region,
        },
        &PlanInput {
            spec: &spec,
            marker: &Marker::parse(MARKER).unwrap(),
            policy: &policy,
            secrets: &secrets,
            registry_password: Some(&Secret::new("pull-password")),
        },
        survey,
    )
}
