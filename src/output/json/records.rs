//! Kinds `events`, `cost` and `doctor` (cli.md §10 "Records"): the rows these commands collect, and their JSON.

use serde::Serialize;
use serde_json::Value;

use crate::model::{Event, JobCost, Money};

use super::value::time_opt;

/// Columns of csv and tsv.
pub const EVENT_COLUMNS: &[&str] = &["time", "kind", "reason", "message", "source"];
/// Columns of csv and tsv.
pub const COST_COLUMNS: &[&str] = &["ref", "amount", "currency", "estimate", "raw"];
/// Columns of csv and tsv.
pub const DOCTOR_COLUMNS: &[&str] = &["provider", "check", "ok", "message", "hint"];

/// One check of `doctor`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DoctorRow {
    /// `None` for a check of this machine.
    pub provider: Option<String>,
    pub check: String,
    pub ok: bool,
    pub message: String,
    pub hint: Option<String>,
}

/// One event as JSON.
#[derive(Debug, Clone, Serialize)]
pub struct EventV1<'a> {
    time: Option<String>,
    kind: Option<&'a str>,
    reason: Option<&'a str>,
    message: Option<&'a str>,
    source: Option<&'a str>,
}

/// One cost as JSON.
#[derive(Debug, Clone, Serialize)]
pub struct CostV1<'a> {
    #[serde(rename = "ref")]
    job_ref: String,
    amount: Option<String>,
    currency: Option<&'a str>,
    /// Null where there is no amount that could be one.
    estimate: Option<bool>,
    raw: &'a Value,
}

/// One check as JSON.
#[derive(Debug, Clone, Serialize)]
pub struct DoctorV1<'a> {
    provider: Option<&'a str>,
    check: &'a str,
    ok: bool,
    message: &'a str,
    hint: Option<&'a str>,
}

/// One line of a job's log as JSON.
#[derive(Debug, Clone, Serialize)]
pub struct LogLineV1<'a> {
    /// When it was written; no provider tells that of a line.
    time: Option<String>,
    pod: &'a str,
    /// `stdout` or `stderr`, where the two are kept apart.
    stream: Option<&'a str>,
    line: &'a str,
}

impl<'a> LogLineV1<'a> {
    /// The record of a line, without its line feed.
    pub fn new(pod: &'a str, stream: Option<&'a str>, line: &'a str) -> Self {
        Self {
            time: None,
            pod,
            stream,
            line,
        }
    }
}

impl<'a> EventV1<'a> {
    /// The record of an event.
    pub fn new(row: &'a Event) -> Self {
        Self {
            time: time_opt(row.time),
            kind: row.kind.as_deref(),
            reason: row.reason.as_deref(),
            message: row.message.as_deref(),
            source: row.source.as_deref(),
        }
    }
}

impl<'a> CostV1<'a> {
    /// The record of a cost.
    pub fn new(row: &'a JobCost) -> Self {
        Self {
            job_ref: row.job_ref.to_string(),
            amount: row.cost.as_ref().map(Money::amount),
            currency: row.cost.as_ref().map(|money| money.currency.as_str()),
            estimate: row.cost.as_ref().map(|_| row.estimate),
            raw: &row.raw,
        }
    }
}

impl<'a> DoctorV1<'a> {
    /// The record of a check.
    pub fn new(row: &'a DoctorRow) -> Self {
        Self {
            provider: row.provider.as_deref(),
            check: &row.check,
            ok: row.ok,
            message: &row.message,
            hint: row.hint.as_deref(),
        }
    }
}
