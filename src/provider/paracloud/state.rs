//! What a group's state words mean, with and without our own cancel (paracloud.md §5.2 and §5.3).
//!
//! Pure. Never branches on `reason` or `message`: they are for people.

use jiff::SignedDuration;

use crate::model::{State, Timestamp};

/// A group that ended longer than this before the cancel was sent failed by itself (cli.md §10, "Small print").
const CANCEL_SLACK: SignedDuration = SignedDuration::from_secs(5);

/// A group's state, folded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Folded {
    pub(super) state: State,
    /// A cancel was sent and the group has not ended.
    pub(super) cancelling: bool,
    /// It succeeded before the cancel reached it.
    pub(super) won_the_race: bool,
}

/// Folds the provider's word; unknown and missing ones are in progress, never over.
pub(super) fn fold(
    word: Option<&str>,
    ended: Option<Timestamp>,
    cancel_requested_at: Option<Timestamp>,
) -> Folded {
    let own = own_state(word);
    let state = if own == State::Failed && was_cancelled(ended, cancel_requested_at) {
        State::Cancelled
    } else {
        own
    };
    let asked = cancel_requested_at.is_some();
    Folded {
        state,
        cancelling: asked && !state.is_terminal(),
        won_the_race: asked && state == State::Succeeded,
    }
}

/// The state of the word alone, compared without case.
fn own_state(word: Option<&str>) -> State {
    let word = word.unwrap_or_default().trim().to_ascii_lowercase();
    match word.as_str() {
        "pending" => State::Pending,
        "running" => State::Running,
        "succeeded" => State::Succeeded,
        "failed" => State::Failed,
        _ => State::Unknown,
    }
}

/// There is no `Cancelled`: a killed group reads `Failed`.
fn was_cancelled(ended: Option<Timestamp>, requested: Option<Timestamp>) -> bool {
    match (ended, requested) {
        (_, None) => false,
        (None, Some(_)) => true,
        (Some(ended), Some(requested)) => requested.duration_since(ended) <= CANCEL_SLACK,
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn at(text: &str) -> Option<Timestamp> {
        text.parse().ok()
    }

    #[rstest]
    #[case("Pending", State::Pending)]
    #[case(" running ", State::Running)]
    #[case("SUCCEEDED", State::Succeeded)]
    #[case("Failed", State::Failed)]
    #[case("Unknown", State::Unknown)]
    #[case("Cancelled", State::Unknown)]
    #[case("", State::Unknown)]
    fn words_fold_without_regard_to_case(#[case] word: &str, #[case] state: State) {
        assert_eq!(fold(Some(word), None, None).state, state);
    }

    #[test]
    fn a_missing_status_is_unknown_and_not_over() {
        let folded = fold(None, None, None);
        assert_eq!(folded.state, State::Unknown);
        assert!(!folded.state.is_terminal());
    }

    #[rstest]
    #[case(at("2024-03-08T02:00:00Z"), State::Cancelled)]
    #[case(at("2024-03-08T01:59:55Z"), State::Cancelled)]
    #[case(at("2024-03-08T01:59:54.999Z"), State::Failed)]
    #[case(None, State::Cancelled)]
    fn a_failure_after_our_cancel_is_a_cancelled_job(
        #[case] ended: Option<Timestamp>,
        #[case] state: State,
    ) {
        let folded = fold(Some("Failed"), ended, at("2024-03-08T02:00:00Z"));
        assert_eq!((folded.state, folded.cancelling), (state, false));
    }

    #[test]
    fn a_cancel_that_came_too_late_leaves_the_success() {
        let folded = fold(Some("Succeeded"), None, at("2024-03-08T02:00:00Z"));
        assert_eq!(folded.state, State::Succeeded);
        assert!(folded.won_the_race);
    }

    #[rstest]
    #[case("Pending")]
    #[case("Running")]
    #[case("Unknown")]
    fn what_has_not_ended_after_a_cancel_is_being_cancelled(#[case] word: &str) {
        assert!(fold(Some(word), None, at("2024-03-08T02:00:00Z")).cancelling);
        assert!(!fold(Some(word), None, None).cancelling);
    }
}
