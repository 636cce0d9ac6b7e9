//! What a wait is for: the end of jobs, or a state on the way (`--until`), of all of them or of any. Pure.

use crate::error::{Error, Kind, Result};
use crate::model::{Flag, Job, State};

/// The word of a job that has ended and whose resources are given back (job-model.md §6).
const RELEASED: &str = "released";

/// What a wait is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Goal {
    pub until: Until,
    /// The first job is enough (`--any`).
    pub any: bool,
}

/// What is awaited of each job. Its end is always enough.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Until {
    /// The end; its resources may be kept, and cost, a while longer.
    #[default]
    Ended,
    /// The end, and the resources given back: not one of PAI-DLC's `…Reserving`.
    Released,
    /// This state, or a later one.
    State(State),
}

impl Until {
    /// Reads `--until`.
    pub fn parse(word: &str) -> Result<Self> {
        if word.eq_ignore_ascii_case(RELEASED) {
            return Ok(Self::Released);
        }
        State::from_word(word).map(Self::State).ok_or_else(|| {
            let states: Vec<&str> = State::ALL.iter().map(|state| state.as_str()).collect();
            Error::new(
                Kind::Usage,
                "unknown_state",
                format!("--until: `{word}` is no state"),
            )
            .with_hint(format!("the states are {}, {RELEASED}", states.join(", ")))
        })
    }

    /// The word of `--until` that means this; none for what `wait` does anyway.
    pub(super) fn word(self) -> Option<&'static str> {
        match self {
            Self::Ended => None,
            Self::Released => Some(RELEASED),
            Self::State(state) => Some(state.as_str()),
        }
    }

    /// Whether nothing more is awaited of a job. States may go backwards, so the caller keeps a `true`.
    pub(super) fn is_reached(self, job: &Job) -> bool {
        match self {
            Self::Ended => job.terminal,
            Self::Released => job.terminal && !job.flags.contains(&Flag::Reserving),
            Self::State(State::Unknown) => job.terminal || job.state == State::Unknown,
            Self::State(wanted) => {
                job.terminal || job.state != State::Unknown && job.state >= wanted
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::ResourceRef;

    fn job(state: State) -> Job {
        Job::new(ResourceRef::new("pai-dlc", ["r", "1"]), "1", state)
    }

    #[test]
    fn a_state_is_reached_by_itself_by_a_later_one_and_by_the_end() {
        for (until, state, reached) in [
            ("pending", State::Pending, true),
            ("starting", State::Pending, false),
            ("starting", State::Running, true),
            ("running", State::Starting, false),
            ("running", State::Running, true),
            ("running", State::Unknown, false),
            ("running", State::Succeeded, true),
            ("running", State::Failed, true),
            ("running", State::Cancelled, true),
            ("succeeded", State::Running, false),
            ("succeeded", State::Failed, true),
            ("unknown", State::Running, false),
            ("unknown", State::Unknown, true),
            ("UNKNOWN", State::Failed, true),
        ] {
            let goal = Until::parse(until).unwrap();
            assert_eq!(goal.is_reached(&job(state)), reached, "{until} {state}");
        }
        let mut lost = job(State::Unknown);
        lost.terminal = true;
        assert!(Until::parse("running").unwrap().is_reached(&lost));
    }

    #[test]
    fn kept_resources_are_not_released() {
        let mut kept = job(State::Succeeded);
        kept.flags.insert(Flag::Reserving);
        assert!(Until::Ended.is_reached(&kept));
        assert!(!Until::parse("released").unwrap().is_reached(&kept));
        assert!(Until::Released.is_reached(&job(State::Succeeded)));
    }

    #[test]
    fn another_word_is_refused_with_the_states() {
        let error = Until::parse("done").unwrap_err();
        assert_eq!((error.kind(), error.code()), (Kind::Usage, "unknown_state"));
        assert!(
            error
                .details()
                .hint
                .as_deref()
                .unwrap()
                .contains("released")
        );
    }
}
