//! Job status to generic state (pai-dlc.md §4; job-model.md §6).
//!
//! Pure. Only `Status` decides; an unknown word is shown as it is and ends nothing.

use std::collections::BTreeSet;

use crate::model::{Flag, State};

/// How near to its limit a stopped job counts as stopped by the limit, in seconds.
const NEAR_THE_LIMIT: i64 = 60;

/// The state and the flags of a `Status`.
pub(super) fn of_status(status: &str) -> (State, BTreeSet<Flag>) {
    let (state, flag) = match status {
        "Creating" | "Queuing" | "Bidding" => (State::Pending, None),
        "EnvPreparing" | "SanityChecking" => (State::Starting, None),
        "Running" => (State::Running, None),
        "Restarting" => (State::Running, Some(Flag::Restarting)),
        "Stopping" => (State::Running, Some(Flag::Cancelling)),
        "SucceededReserving" => (State::Succeeded, Some(Flag::Reserving)),
        "FailedReserving" => (State::Failed, Some(Flag::Reserving)),
        "Succeeded" => (State::Succeeded, None),
        "Failed" => (State::Failed, None),
        "Stopped" => (State::Cancelled, None),
        _ => (State::Unknown, None),
    };
    (state, flag.into_iter().collect())
}

/// Whether a stop would do nothing more: over, or on its way there.
pub(super) fn is_stopped_or_stopping(status: &str) -> bool {
    matches!(status, "Stopping" | "Stopped" | "Succeeded" | "Failed")
}

/// Whether the reason says that a person stopped the job; both spellings are real (§4.2).
pub(super) fn is_stopped_by_user(reason: &str) -> bool {
    matches!(reason, "StoppedByUser" | "JobStoppedByUser")
}

/// Whether a stopped job ran into its limit: within a minute of it, or beyond.
pub(super) fn reached_limit(run_s: i64, limit_s: u64) -> bool {
    i64::try_from(limit_s).is_ok_and(|limit| run_s.saturating_add(NEAR_THE_LIMIT) >= limit)
}

/// Whether a failed job surely ran into its limit: it ran at least as long.
pub(super) fn exceeded_limit(run_s: i64, limit_s: u64) -> bool {
    i64::try_from(limit_s).is_ok_and(|limit| run_s >= limit)
}
