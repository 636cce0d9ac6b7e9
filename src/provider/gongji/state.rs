//! Three status fields to one generic state (gongji.md §2.5; job-model.md §6).
//!
//! Pure. The outcome comes first; `End` means deleted, never succeeded; an unknown word ends nothing.

use std::collections::BTreeSet;

use crate::model::{Flag, State};

/// The table of §2.5, row by row.
pub(super) fn of_words(
    status: Option<&str>,
    outcome: Option<&str>,
    schedule: Option<&str>,
) -> (State, BTreeSet<Flag>) {
    let mut flags = BTreeSet::new();
    let state = match (status, outcome) {
        (_, Some("Complete")) => State::Succeeded,
        // Rows 2 and 4: `Other` is an abnormal end, and excludes the words of row 3.
        (_, Some("Failed")) | (Some("Other"), _) => State::Failed,
        (Some("Paused" | "End"), _) => State::Cancelled,
        (Some("Running"), _) | (_, Some("Running")) => State::Running,
        (Some("Pending"), _) => {
            if schedule == Some("Queued") {
                flags.insert(Flag::QueuedSpot);
            }
            State::Pending
        }
        (_, _) => State::Unknown,
    };
    (state, flags)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    // Row 1 and 2: the outcome decides, whatever the life cycle says.
    #[case(Some("Running"), Some("Complete"), None, State::Succeeded)]
    #[case(Some("Paused"), Some("Complete"), None, State::Succeeded)]
    #[case(Some("End"), Some("Complete"), None, State::Succeeded)]
    #[case(Some("Running"), Some("Failed"), None, State::Failed)]
    #[case(Some("End"), Some("Failed"), None, State::Failed)]
    #[case(None, Some("Failed"), None, State::Failed)]
    // Row 3: stopped or deleted before there was an outcome.
    #[case(Some("Paused"), Some("Running"), None, State::Cancelled)]
    #[case(Some("End"), Some("Pending"), None, State::Cancelled)]
    #[case(Some("Paused"), Some("Manual"), None, State::Cancelled)]
    #[case(Some("End"), None, None, State::Cancelled)]
    // Row 4.
    #[case(Some("Other"), Some("Running"), None, State::Failed)]
    #[case(Some("Other"), None, None, State::Failed)]
    // Rows 5 and 6.
    #[case(Some("Running"), Some("Pending"), None, State::Running)]
    #[case(Some("Running"), Some("Manual"), None, State::Running)]
    #[case(Some("Running"), Some("Brand-New"), None, State::Running)]
    #[case(Some("Running"), None, None, State::Running)]
    #[case(Some("Pending"), Some("Running"), None, State::Running)]
    #[case(Some("Brand-New"), Some("Running"), None, State::Running)]
    // Row 8.
    #[case(Some("Pending"), Some("Pending"), None, State::Pending)]
    #[case(Some("Pending"), Some("Pending"), Some("Scheduled"), State::Pending)]
    #[case(Some("Pending"), Some("Manual"), None, State::Pending)]
    // Row 9.
    #[case(Some("Brand-New"), Some("Pending"), None, State::Unknown)]
    #[case(None, Some("Manual"), None, State::Unknown)]
    #[case(None, None, None, State::Unknown)]
    #[case(Some("complete"), None, None, State::Unknown)]
    fn the_rows_of_the_table(
        #[case] status: Option<&str>,
        #[case] outcome: Option<&str>,
        #[case] schedule: Option<&str>,
        #[case] expected: State,
    ) {
        assert_eq!(
            of_words(status, outcome, schedule),
            (expected, BTreeSet::new())
        );
    }

    #[test]
    fn a_spot_job_in_its_queue_is_pending_with_a_flag() {
        let queued = of_words(Some("Pending"), Some("Pending"), Some("Queued"));
        assert_eq!(queued, (State::Pending, [Flag::QueuedSpot].into()));
        // Once it runs, an old word of the scheduler says nothing.
        let running = of_words(Some("Running"), Some("Running"), Some("Queued"));
        assert_eq!(running, (State::Running, BTreeSet::new()));
    }
}
