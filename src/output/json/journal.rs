//! Kind `journal`: the local record of submits (cli.md §2).

use std::collections::BTreeMap;

use serde::Serialize;

use crate::journal::{Entry, Phase};
use crate::model::State;
use crate::sign::hex;

use super::value::time_opt;

/// Columns of csv and tsv.
pub const JOURNAL_COLUMNS: &[&str] = &[
    "marker",
    "subject",
    "phase",
    "provider",
    "backend",
    "ref",
    "name",
    "key",
    "attempt",
    "sends",
    "created_at",
    "state",
    "last_seen_at",
    "error",
];

/// One record as JSON.
#[derive(Debug, Clone, Serialize)]
pub struct JournalV1<'a> {
    marker: Option<&'a str>,
    subject: &'a str,
    phase: Option<&'a str>,
    provider: &'a str,
    backend: Option<&'a str>,
    #[serde(rename = "ref")]
    job_ref: Option<String>,
    name: Option<&'a str>,
    labels: &'a BTreeMap<String, String>,
    key: Option<&'a str>,
    attempt: u32,
    /// How often the create was about to be sent.
    sends: u32,
    scope: Option<&'a str>,
    spec_hash: Option<String>,
    created_at: Option<String>,
    time_limit_s: Option<u64>,
    state: Option<&'a str>,
    state_since: Option<String>,
    last_seen_at: Option<String>,
    finished: bool,
    cancel_requested_at: Option<String>,
    /// Why the create was refused.
    error: Option<&'a str>,
}

impl<'a> JournalV1<'a> {
    /// The document of a record.
    pub fn new(entry: &'a Entry) -> Self {
        Self {
            marker: entry.marker.as_ref().map(crate::model::Marker::as_str),
            subject: entry.subject.as_str(),
            phase: entry.phase.map(Phase::as_str),
            provider: &entry.provider,
            backend: entry.backend.map(crate::model::Backend::as_str),
            job_ref: entry.job_ref.as_ref().map(ToString::to_string),
            name: entry.name.as_deref(),
            labels: &entry.labels,
            key: entry.key.as_deref(),
            attempt: entry.attempt,
            sends: entry.sends,
            scope: entry.scope.as_deref(),
            spec_hash: entry.spec_hash.as_ref().map(|hash| hex::encode(hash)),
            created_at: time_opt(entry.created_at),
            time_limit_s: entry.time_limit_s,
            state: entry.last_state.map(State::as_str),
            state_since: time_opt(entry.last_state_at),
            last_seen_at: time_opt(entry.last_seen_at),
            finished: entry.finished,
            cancel_requested_at: time_opt(entry.cancel_requested_at),
            error: entry.error.as_deref(),
        }
    }
}

/// What names a record to `settle` and `journal show`.
pub fn journal_name(entry: &Entry) -> String {
    match (&entry.job_ref, &entry.marker) {
        (Some(job_ref), _) => job_ref.to_string(),
        (None, Some(marker)) => format!("marker:{marker}"),
        (None, None) => String::new(),
    }
}
