//! Generic job states and flags (job-model.md §6).

use std::fmt;

/// What a job is doing, in gpujob's words; the provider's own word stands beside it as `raw_state`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum State {
    /// Accepted, waiting for resources.
    Pending,
    /// Resources are there, the program has not begun; waiters treat it as `Pending`.
    Starting,
    Running,
    Succeeded,
    Failed,
    Cancelled,
    /// Not known; terminal only together with [`Job::terminal`](super::Job::terminal).
    Unknown,
}

impl State {
    /// Every state.
    pub const ALL: [Self; 7] = [
        Self::Pending,
        Self::Starting,
        Self::Running,
        Self::Succeeded,
        Self::Failed,
        Self::Cancelled,
        Self::Unknown,
    ];

    /// The word in output and specs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Starting => "starting",
            Self::Running => "running",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
            Self::Unknown => "unknown",
        }
    }

    /// Whether the state itself says that the job is over.
    pub const fn is_terminal(self) -> bool {
        matches!(self, Self::Succeeded | Self::Failed | Self::Cancelled)
    }

    /// The state of a word, without regard to case.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|state| state.as_str().eq_ignore_ascii_case(word))
    }
}

impl fmt::Display for State {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// What refines a state (job-model.md §5, `flags`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Flag {
    /// A cancel was asked for and the job has not ended.
    Cancelling,
    /// No longer known to the provider.
    Gone,
    /// Some nodes failed, others run.
    Degraded,
    /// Fewer nodes than wanted.
    Partial,
    /// Over, and its result can never be learned.
    ResultUnknown,
    /// Waits in a spot queue.
    QueuedSpot,
    /// The provider is restarting it.
    Restarting,
    /// Ended, but its resources are kept and cost.
    Reserving,
}

impl Flag {
    /// The word in output.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Cancelling => "cancelling",
            Self::Gone => "gone",
            Self::Degraded => "degraded",
            Self::Partial => "partial",
            Self::ResultUnknown => "result_unknown",
            Self::QueuedSpot => "queued_spot",
            Self::Restarting => "restarting",
            Self::Reserving => "reserving",
        }
    }
}
