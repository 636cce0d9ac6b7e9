//! Tests of the whole backend: recorded answers, states, plans, verdicts, and the calls over a scripted transport.

mod calls;
mod planner;
mod recorded;
mod refusals;
mod states;
mod troubled;
mod verdicts;

use std::collections::BTreeMap;

use serde_json::Value;

use crate::model::{Marker, Offer, Timestamp};
use crate::provider::{Plan, PlanInput, PlanRefusal, Policy, Survey};
use crate::secret::Secret;
use crate::testing::{self, body_of, spec};

use super::api::Site;
use super::draft::Account;
use super::{offers, plan};

/// The marker of every plan here.
pub(super) const MARKER: &str = "bcdfghjklm2456";

/// One recorded answer.
pub(super) fn recorded(name: &str) -> Value {
    serde_json::from_str(&testing::recorded(&format!("pai-dlc-{name}.json"))).unwrap()
}

pub(super) fn site() -> Site {
    Site::public("cn-hangzhou").unwrap()
}

pub(super) fn account(site: &Site) -> Account<'_> {
    Account {
        name: "pai-dlc",
        site: Ok(site),
        workspace: Some("310042"),
    }
}

/// The catalogue of the contract's example.
pub(super) fn catalogue() -> Vec<Offer> {
    let page = recorded("ecs-specs");
    page["EcsSpecs"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|entry| offers::offer(entry, "cn-hangzhou", Timestamp::UNIX_EPOCH))
        .collect()
}

/// A survey that found the example's catalogue.
pub(super) fn survey() -> Survey {
    Survey {
        offers: catalogue(),
        ..Survey::default()
    }
}

pub(super) fn plan_of(yaml: &str) -> Result<Plan, PlanRefusal> {
    plan_with(yaml, &survey(), Policy::default())
}

pub(super) fn plan_with(yaml: &str, survey: &Survey, policy: Policy) -> Result<Plan, PlanRefusal> {
    let spec = spec(yaml);
    let secrets: BTreeMap<String, Secret> =
        [("TOKEN".to_owned(), Secret::new("s3cret-value"))].into();
    let site = site();
    plan::plan(
        account(&site),
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
