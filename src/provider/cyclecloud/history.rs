//! What is remembered of a job between two looks: polls in a row, and whether it was ever ready (cyclecloud.md §8.5).
//!
//! Pure. It travels as `Job::reading` into the journal and comes back as `Tracked::reading`; nothing in it is secret. An
//! unreadable one is an empty one.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::model::{State, Timestamp};

use super::verdict::End;

/// The memory of one job.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct History {
    /// A create of this id was answered with 202.
    pub(super) accepted: bool,
    pub(super) operation_id: Option<String>,
    pub(super) nodearray: Option<String>,
    pub(super) machine_type: Option<String>,
    /// Nodes that were asked for and that were added.
    pub(super) wanted: Option<u32>,
    pub(super) added: Option<u64>,
    pub(super) created_at: Option<Timestamp>,
    /// When the create was answered, by the clock of this side; what is counted from here is not counted by two clocks.
    pub(super) submitted_at: Option<Timestamp>,
    pub(super) result_dir: Option<String>,
    pub(super) start_timeout_s: Option<u64>,
    /// What a wait says instead, for itself.
    #[serde(skip)]
    pub(super) start_by: Option<Timestamp>,
    pub(super) time_limit_s: Option<u64>,
    pub(super) name: Option<String>,
    pub(super) marker: Option<String>,
    /// Nodes that were seen, by name, with the last word about each.
    pub(super) nodes: Vec<Remembered>,
    /// The last look that counted: those right after it are the same one.
    pub(super) counted_at: Option<Timestamp>,
    /// Looks in a row at which all nodes were ready, at which the job had failed, at which no node was left.
    pub(super) ready_polls: u32,
    pub(super) failed_polls: u32,
    pub(super) gone_polls: u32,
    /// Two looks in a row found all nodes ready.
    pub(super) seen_ready: bool,
    /// The first of them.
    pub(super) started_at: Option<Timestamp>,
    /// The first look that found no node left.
    pub(super) gone_at: Option<Timestamp>,
    /// The last look that found a node.
    pub(super) nodes_seen_at: Option<Timestamp>,
    /// The last state, by its word.
    pub(super) state: Option<String>,
    /// The end, if the last look saw one.
    pub(super) end: Option<End>,
}

/// A node that was seen.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Remembered {
    pub(super) name: String,
    pub(super) status: String,
    /// Whether it had failed when it was last listed.
    pub(super) failed: bool,
    /// Looks in a row at which it could not end any more: failed, deallocated or gone.
    pub(super) lost_polls: u32,
}

impl Remembered {
    /// A node that is seen for the first time.
    pub(super) fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            ..Self::default()
        }
    }
}

impl History {
    /// The memory behind a reading.
    pub(super) fn read(reading: Option<&Value>) -> Self {
        reading
            .and_then(|value| Self::deserialize(value).ok())
            .unwrap_or_default()
    }

    /// The reading to keep.
    pub(super) fn reading(&self) -> Option<Value> {
        serde_json::to_value(self).ok()
    }

    /// Since when the job has been waiting for its nodes.
    pub(super) fn begun_at(&self) -> Option<Timestamp> {
        self.submitted_at.or(self.created_at)
    }

    /// The state of the last look.
    pub(super) fn last_state(&self) -> Option<State> {
        self.state.as_deref().and_then(State::from_word)
    }
}
