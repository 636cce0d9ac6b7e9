//! What the journal holds, as types; pure.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::model::{Backend, Marker, Money, ResourceRef, State, Timestamp};

/// What a create is to bring about; volumes and namespaces are created once only, too (cli.md §10).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Subject {
    Job,
    Volume,
    Namespace,
}

impl Subject {
    /// Every subject.
    pub const ALL: [Self; 3] = [Self::Job, Self::Volume, Self::Namespace];

    /// The word in the file.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Job => "job",
            Self::Volume => "volume",
            Self::Namespace => "namespace",
        }
    }

    /// The subject of a word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|subject| subject.as_str() == word)
    }
}

/// How far a create has come (cli.md §10, "Creates").
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Phase {
    /// Durable, nothing sent: a later run under the same key may send.
    Prepared,
    /// Durable just before the first byte: from here on, look up only.
    Sending,
    /// Accepted, or found and adopted.
    Submitted,
    /// Definitely refused.
    Rejected,
    /// Sent, and nobody can tell whether it took.
    Unknown,
    /// Sent once more because the user, having looked, said so.
    Resubmitted,
}

impl Phase {
    /// Every phase.
    pub const ALL: [Self; 6] = [
        Self::Prepared,
        Self::Sending,
        Self::Submitted,
        Self::Rejected,
        Self::Unknown,
        Self::Resubmitted,
    ];

    /// The word in the file and in output.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Prepared => "prepared",
            Self::Sending => "sending",
            Self::Submitted => "submitted",
            Self::Rejected => "rejected",
            Self::Unknown => "unknown",
            Self::Resubmitted => "resubmitted",
        }
    }

    /// The phase of a word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|phase| phase.as_str() == word)
    }

    /// Whether a create may have taken without our knowing its result.
    pub const fn is_in_doubt(self) -> bool {
        match self {
            Self::Sending | Self::Unknown | Self::Resubmitted => true,
            Self::Prepared | Self::Submitted | Self::Rejected => false,
        }
    }
}

/// One create that is about to be sent. No secret, no environment value, no command.
#[derive(Debug, Clone, PartialEq)]
pub struct Intent {
    pub subject: Subject,
    pub marker: Marker,
    /// The idempotency key, as the user gave it.
    pub key: Option<String>,
    /// 1, and one more for each `--rerun-failed`.
    pub attempt: u32,
    /// The configured provider's name.
    pub provider: String,
    pub backend: Backend,
    /// What the marker's identity is derived for: namespace, cluster, region.
    pub scope: String,
    pub spec_hash: [u8; 32],
    /// The name as the user gave it, without the marker.
    pub name: Option<String>,
    pub labels: BTreeMap<String, String>,
    pub created_at: Timestamp,
    pub time_limit_s: Option<u64>,
    /// Names of secret variables, so that their values can be masked in later answers.
    pub secret_names: Vec<String>,
}

/// What became of writing an intent down.
#[derive(Debug, Clone, PartialEq)]
pub enum Prepared {
    /// It is on disk, and it is ours.
    New,
    /// A create of the same identity is on record already: same key, perhaps another spec.
    Existing(Box<Entry>),
}

/// One look at a job.
#[derive(Debug, Clone, PartialEq)]
pub struct Observation {
    pub job_ref: ResourceRef,
    pub state: State,
    /// Whether the job is over; `Unknown` can be.
    pub terminal: bool,
}

/// Everything on record about one job, volume or namespace.
///
/// A job that was not submitted from here has a light record: what the fields of a submission say is then missing.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    pub subject: Subject,
    pub marker: Option<Marker>,
    pub key: Option<String>,
    pub attempt: u32,
    pub provider: String,
    pub backend: Option<Backend>,
    pub scope: Option<String>,
    pub spec_hash: Option<[u8; 32]>,
    pub name: Option<String>,
    pub labels: BTreeMap<String, String>,
    /// When the intent was written; of a light record, when the job was first seen.
    pub created_at: Option<Timestamp>,
    pub phase: Option<Phase>,
    /// How often the create was about to be sent.
    pub sends: u32,
    pub job_ref: Option<ResourceRef>,
    pub provider_id: Option<String>,
    /// Why the create was refused.
    pub error: Option<String>,
    pub time_limit_s: Option<u64>,
    /// Names of secret variables.
    pub secret_names: Vec<String>,
    pub last_state: Option<State>,
    /// Since when the last state has been seen.
    pub last_state_at: Option<Timestamp>,
    pub last_seen_at: Option<Timestamp>,
    /// Whether the job is known to be over.
    pub finished: bool,
    /// When the first cancel was about to be sent.
    pub cancel_requested_at: Option<Timestamp>,
    /// What a provider keeps between two looks.
    pub reading: Option<Value>,
    /// Of the whole job, as it was at the submit.
    pub price_per_hour: Option<Money>,
}

/// What a provider may need to know about a job beside what its API says.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Memory {
    pub marker: Option<Marker>,
    pub key: Option<String>,
    pub name: Option<String>,
    pub labels: BTreeMap<String, String>,
    /// When the intent was written; unknown of a job that was submitted elsewhere.
    pub created_at: Option<Timestamp>,
    pub cancel_requested_at: Option<Timestamp>,
    pub time_limit_s: Option<u64>,
    /// Names of secret variables.
    pub secret_names: Vec<String>,
    pub last_state: Option<State>,
    pub last_state_at: Option<Timestamp>,
    pub last_seen_at: Option<Timestamp>,
    pub finished: bool,
    pub phase: Option<Phase>,
    pub reading: Option<Value>,
    /// Of the whole job, as it was at the submit.
    pub price_per_hour: Option<Money>,
}

impl From<Entry> for Memory {
    fn from(entry: Entry) -> Self {
        Self {
            marker: entry.marker,
            key: entry.key,
            name: entry.name,
            labels: entry.labels,
            created_at: entry.created_at.filter(|_| entry.phase.is_some()),
            cancel_requested_at: entry.cancel_requested_at,
            time_limit_s: entry.time_limit_s,
            secret_names: entry.secret_names,
            last_state: entry.last_state,
            last_state_at: entry.last_state_at,
            last_seen_at: entry.last_seen_at,
            finished: entry.finished,
            phase: entry.phase,
            reading: entry.reading,
            price_per_hour: entry.price_per_hour,
        }
    }
}
