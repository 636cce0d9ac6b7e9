//! Kind `plan`: what each provider would receive (cli.md §2 `explain`, §10 "Records").
//!
//! Built from the same [`Plan`] that is sent; values of secrets and headers nobody vouched for are masked.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Map, Value};

use crate::http::Template;
use crate::model::{Backend, FieldReport, Money, Offer};
use crate::output::redact::Redactor;
use crate::provider::{Assessment, Plan};
use crate::secret::Secret;
use crate::sign::Scheme;

use super::error::RefusalV1;
use super::value::MoneyV1;

/// Columns of csv and tsv.
pub const PLAN_COLUMNS: &[&str] = &[
    "provider",
    "backend",
    "type",
    "price_per_hour.amount",
    "price_per_hour.currency",
    "estimated_cost.amount",
    "estimated_cost.currency",
    "fields",
    "notes",
    "refusals",
    "requests",
];

/// One provider's answer to a job spec.
#[derive(Debug, Clone)]
pub struct PlanEntry<'a> {
    pub provider: &'a str,
    pub backend: Backend,
    pub scheme: Scheme,
    pub outcome: PlanOutcome<'a>,
    /// For the whole run, where a price and a run time are known.
    pub estimated_cost: Option<Money>,
    /// Values of the names in `secrets`, so that they can be masked under their names.
    pub secrets: &'a BTreeMap<String, Secret>,
}

/// Whether the job can be sent.
#[derive(Debug, Clone, Copy)]
pub enum PlanOutcome<'a> {
    Planned(&'a Plan),
    Refused(&'a Assessment),
}

impl<'a> PlanEntry<'a> {
    /// The level report, the refusals and the notes.
    pub fn assessment(&self) -> &'a Assessment {
        match self.outcome {
            PlanOutcome::Planned(plan) => &plan.assessment,
            PlanOutcome::Refused(assessment) => assessment,
        }
    }

    /// The chosen type.
    pub fn offer(&self) -> Option<&'a Offer> {
        match self.outcome {
            PlanOutcome::Planned(plan) => plan.offer.as_ref(),
            PlanOutcome::Refused(_) => None,
        }
    }

    /// What would be sent, in its order; nothing when refused.
    pub fn requests(&self) -> Vec<&'a Template> {
        match self.outcome {
            PlanOutcome::Planned(plan) => plan.all_requests().collect(),
            PlanOutcome::Refused(_) => Vec::new(),
        }
    }

    /// Masks the secrets of the job and of the plan.
    pub fn redactor(&self) -> Redactor {
        let unnamed = match self.outcome {
            PlanOutcome::Planned(plan) => plan.secrets.as_slice(),
            PlanOutcome::Refused(_) => &[],
        };
        Redactor::new(self.secrets, unnamed)
    }
}

/// One provider's plan.
#[derive(Debug, Clone, Serialize)]
pub struct PlanV1<'a> {
    provider: &'a str,
    backend: &'static str,
    #[serde(rename = "type")]
    instance_type: Option<&'a str>,
    price_per_hour: Option<MoneyV1>,
    estimated_cost: Option<MoneyV1>,
    fields: Vec<FieldV1>,
    notes: Vec<String>,
    refusals: Vec<RefusalV1>,
    requests: Vec<RequestV1>,
}

#[derive(Debug, Clone, Serialize)]
struct FieldV1 {
    field: String,
    level: &'static str,
    how: String,
}

/// One planned request, with nothing secret in it.
#[derive(Debug, Clone, Serialize)]
pub struct RequestV1 {
    pub method: String,
    pub url: String,
    pub headers: Map<String, Value>,
    /// JSON where the body is JSON, else its text; null without a body.
    pub body: Value,
}

impl<'a> PlanV1<'a> {
    /// The record of a plan.
    pub fn new(entry: &PlanEntry<'a>) -> Self {
        let assessment = entry.assessment();
        let offer = entry.offer();
        let redactor = entry.redactor();
        Self {
            provider: entry.provider,
            backend: entry.backend.as_str(),
            instance_type: offer.map(|offer| offer.id.as_str()),
            price_per_hour: offer
                .and_then(|offer| offer.price_per_hour.as_ref())
                .map(MoneyV1::from),
            estimated_cost: entry.estimated_cost.as_ref().map(MoneyV1::from),
            fields: assessment
                .report
                .iter()
                .map(|report| FieldV1::new(report, &redactor))
                .collect(),
            notes: assessment
                .notes
                .iter()
                .map(|note| redactor.text(note))
                .collect(),
            refusals: assessment
                .refusals
                .iter()
                .map(|refusal| RefusalV1::masked(refusal, &redactor))
                .collect(),
            requests: entry
                .requests()
                .into_iter()
                .map(|template| RequestV1::new(template, &redactor))
                .collect(),
        }
    }
}

impl FieldV1 {
    fn new(report: &FieldReport, redactor: &Redactor) -> Self {
        Self {
            field: report.field.clone(),
            level: report.level.as_str(),
            how: redactor.text(&report.how),
        }
    }
}

impl RequestV1 {
    /// The request as it may be shown.
    pub fn new(template: &Template, redactor: &Redactor) -> Self {
        let mut headers = Map::new();
        for (name, value) in &template.headers {
            let shown = redactor.header(name, value);
            let joined = match headers.get(name.as_str()).and_then(Value::as_str) {
                Some(earlier) => format!("{earlier}, {shown}"),
                None => shown,
            };
            headers.insert(name.as_str().to_owned(), joined.into());
        }
        Self {
            method: template.method.to_string(),
            url: redactor.text(&template.base.url(&template.full_target())),
            headers,
            body: redactor.body(template.body.as_deref()),
        }
    }
}
