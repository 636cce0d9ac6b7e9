//! Kinds `job` and `jobs` (job-model.md §5, cli.md §10 "Records"), and the receipts of a submit (cli.md §2.1).

use serde::Serialize;
use serde_json::{Number, Value};

use crate::model::{Backend, Gpu, Job, Money, Timestamp};
use crate::output::Row;

use super::value::{MoneyV1, number, time_opt};

/// Columns of csv and tsv.
pub const JOB_COLUMNS: &[&str] = &[
    "ref",
    "id",
    "provider",
    "backend",
    "provider_id",
    "name",
    "key",
    "marker",
    "adopted",
    "state",
    "terminal",
    "raw_state",
    "reason",
    "message",
    "created_at",
    "started_at",
    "finished_at",
    "duration_s",
    "exit_code",
    "instance_type",
    "gpu.model",
    "gpu.count",
    "gpu.memory_bytes",
    "nodes",
    "node_names",
    "endpoints",
    "cost.amount",
    "cost.currency",
    "cost.estimate",
    "console_url",
    "flags",
    "approximate",
    "raw",
];

/// One job.
#[derive(Debug, Clone, Serialize)]
pub struct JobV1<'a> {
    #[serde(rename = "ref")]
    job_ref: String,
    /// The same text as `ref`.
    id: String,
    provider: &'a str,
    backend: &'static str,
    provider_id: &'a str,
    name: Option<&'a str>,
    key: Option<&'a str>,
    marker: Option<&'a str>,
    adopted: bool,
    state: &'static str,
    terminal: bool,
    raw_state: &'a Value,
    reason: Option<&'a str>,
    message: Option<&'a str>,
    created_at: Option<String>,
    started_at: Option<String>,
    finished_at: Option<String>,
    duration_s: Option<i64>,
    exit_code: Option<i64>,
    instance_type: Option<&'a str>,
    gpu: Option<JobGpuV1<'a>>,
    nodes: u32,
    node_names: &'a [String],
    endpoints: &'a [String],
    cost: Option<CostOfJobV1>,
    console_url: Option<&'a str>,
    flags: Vec<&'static str>,
    approximate: &'a [&'static str],
    raw: &'a Value,
}

/// GPUs per node.
#[derive(Debug, Clone, Serialize)]
struct JobGpuV1<'a> {
    model: Option<&'a str>,
    count: Option<Number>,
    memory_bytes: Option<u64>,
}

#[derive(Debug, Clone, Serialize)]
struct CostOfJobV1 {
    amount: String,
    currency: String,
    estimate: bool,
}

impl<'a> JobV1<'a> {
    /// The record of a job.
    pub fn new(row: &Row<'a, Job>) -> Self {
        let job = row.item;
        let job_ref = job.job_ref.to_string();
        Self {
            id: job_ref.clone(),
            job_ref,
            provider: row.provider,
            backend: row.backend.as_str(),
            provider_id: &job.provider_id,
            name: job.name.as_deref(),
            key: job.key.as_deref(),
            marker: job.marker.as_deref(),
            adopted: job.adopted,
            state: job.state.as_str(),
            terminal: job.terminal,
            raw_state: &job.raw_state,
            reason: job.reason.as_deref(),
            message: job.message.as_deref(),
            created_at: time_opt(job.created_at),
            started_at: time_opt(job.started_at),
            finished_at: time_opt(job.finished_at),
            duration_s: job.duration_s,
            exit_code: job.exit_code,
            instance_type: job.instance_type.as_deref(),
            gpu: job.gpu.as_ref().map(JobGpuV1::new),
            nodes: job.nodes,
            node_names: &job.node_names,
            endpoints: &job.endpoints,
            cost: job.cost.as_ref().map(|money| CostOfJobV1 {
                amount: money.amount(),
                currency: money.currency.clone(),
                estimate: job.cost_is_estimate,
            }),
            console_url: job.console_url.as_deref(),
            flags: job.flags.iter().map(|flag| flag.as_str()).collect(),
            approximate: &job.approximate,
            raw: &job.raw,
        }
    }
}

impl<'a> JobGpuV1<'a> {
    fn new(gpu: &'a Gpu) -> Self {
        Self {
            model: gpu.model.as_deref(),
            count: number(gpu.count),
            memory_bytes: gpu.memory_bytes,
        }
    }
}

/// The price that a submit was planned with, and the one that the provider tells after it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PriceCheck {
    /// Per hour, for the whole job.
    pub planned: Money,
    /// Who told it.
    pub source: Option<String>,
    /// Told after the create; `None` where nobody could be asked.
    pub now: Option<Money>,
}

impl PriceCheck {
    /// Whether the job costs more than it was planned with.
    pub fn is_dearer(&self) -> bool {
        self.now.as_ref().is_some_and(|now| {
            now.currency != self.planned.currency || now.micros > self.planned.micros
        })
    }
}

/// `price` of a submit's `job`.
#[derive(Debug, Clone, Serialize)]
pub struct PriceCheckV1 {
    planned: MoneyV1,
    source: Option<String>,
    now: Option<MoneyV1>,
    dearer: Option<bool>,
}

impl From<&PriceCheck> for PriceCheckV1 {
    fn from(check: &PriceCheck) -> Self {
        Self {
            planned: MoneyV1::from(&check.planned),
            source: check.source.clone(),
            now: check.now.as_ref().map(MoneyV1::from),
            dearer: check.now.as_ref().map(|_| check.is_dearer()),
        }
    }
}

/// What a submit tells beside its job.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Told {
    /// Of every candidate that was looked at.
    pub receipts: Vec<Receipt>,
    pub price: Option<PriceCheck>,
}

/// What became of one candidate of `-p A,B,C` (cli.md §2.1).
#[derive(Debug, Clone, PartialEq)]
pub struct Receipt {
    pub provider: String,
    pub backend: Backend,
    /// Whether a create was sent to it.
    pub tried: bool,
    /// Whether the job is there.
    pub chosen: bool,
    /// Why not, where it is not.
    pub reason: Option<String>,
    pub price_per_hour: Option<Money>,
    /// When price and stock were read.
    pub as_of: Option<Timestamp>,
}

/// A receipt in the `receipts` of a submit's `job`.
#[derive(Debug, Clone, Serialize)]
pub struct ReceiptV1<'a> {
    provider: &'a str,
    backend: &'static str,
    tried: bool,
    chosen: bool,
    reason: Option<&'a str>,
    price_per_hour: Option<MoneyV1>,
    as_of: Option<String>,
    /// Seconds between reading the data and now.
    age_s: Option<i64>,
}

impl<'a> ReceiptV1<'a> {
    /// A receipt, seen from `now`.
    pub fn new(receipt: &'a Receipt, now: Timestamp) -> Self {
        Self {
            provider: &receipt.provider,
            backend: receipt.backend.as_str(),
            tried: receipt.tried,
            chosen: receipt.chosen,
            reason: receipt.reason.as_deref(),
            price_per_hour: receipt.price_per_hour.as_ref().map(MoneyV1::from),
            as_of: time_opt(receipt.as_of),
            age_s: receipt
                .as_of
                .map(|as_of| now.duration_since(as_of).as_secs()),
        }
    }
}
