//! The job record (job-model.md §5).

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Flag, Money, ResourceRef, State, Timestamp};

/// GPUs per node, or of one type.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Gpu {
    /// Canonical model without memory, such as `A100`.
    pub model: Option<String>,
    /// Cards; a fraction where a provider sells slices.
    pub count: f64,
    /// Memory of one card in bytes (nominal GiB × 2³⁰).
    pub memory_bytes: Option<u64>,
    /// `PCIE`, `SXM`, `NVL` or `NVLINK` where known.
    pub form_factor: Option<String>,
}

/// The provider's own word for the state, or the object where there is more than one.
pub type RawState = Value;

/// One job as a provider reports it, folded into the generic record.
#[derive(Debug, Clone, PartialEq)]
pub struct Job {
    /// Enough to find the job again from any machine.
    pub job_ref: ResourceRef,
    /// The provider's own id.
    pub provider_id: String,
    /// What the user called it; without the marker.
    pub name: Option<String>,
    pub state: State,
    /// Whether the job is over; with `Unknown` it means that the outcome can never be learned.
    pub terminal: bool,
    pub raw_state: RawState,
    pub reason: Option<String>,
    pub message: Option<String>,
    pub created_at: Option<Timestamp>,
    pub started_at: Option<Timestamp>,
    pub finished_at: Option<Timestamp>,
    /// Run time in seconds.
    pub duration_s: Option<i64>,
    /// The program's own exit code; never a guess.
    pub exit_code: Option<i64>,
    pub instance_type: Option<String>,
    pub gpu: Option<Gpu>,
    /// Wanted number of nodes.
    pub nodes: u32,
    pub node_names: Vec<String>,
    pub endpoints: Vec<String>,
    pub cost: Option<Money>,
    /// Whether `cost` is an estimate.
    pub cost_is_estimate: bool,
    pub console_url: Option<String>,
    pub flags: BTreeSet<Flag>,
    /// Names of fields whose value is approximate.
    pub approximate: Vec<&'static str>,
    /// The marker found in the provider's record, if it is ours.
    pub marker: Option<String>,
    /// The idempotency key, known from the local journal only.
    pub key: Option<String>,
    /// Whether a submit found this job instead of creating it.
    pub adopted: bool,
    /// The provider's own object, secrets redacted.
    pub raw: Value,
    /// What the provider wants to be told at its next look at this job; kept in the journal, never shown.
    pub reading: Option<Value>,
}

impl Job {
    /// A record of which only identity and state are known.
    pub fn new(job_ref: ResourceRef, provider_id: impl Into<String>, state: State) -> Self {
        Self {
            job_ref,
            provider_id: provider_id.into(),
            name: None,
            state,
            terminal: state.is_terminal(),
            raw_state: Value::Null,
            reason: None,
            message: None,
            created_at: None,
            started_at: None,
            finished_at: None,
            duration_s: None,
            exit_code: None,
            instance_type: None,
            gpu: None,
            nodes: 1,
            node_names: Vec::new(),
            endpoints: Vec::new(),
            cost: None,
            cost_is_estimate: false,
            console_url: None,
            flags: BTreeSet::new(),
            approximate: Vec::new(),
            marker: None,
            key: None,
            adopted: false,
            raw: Value::Null,
            reading: None,
        }
    }

    /// Sets the state, and `terminal` with it.
    pub fn set_state(&mut self, state: State) {
        self.state = state;
        self.terminal = state.is_terminal();
    }
}
