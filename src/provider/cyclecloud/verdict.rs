//! What a look at a job means, and the end of a job as it is remembered (cyclecloud.md §8.5; job-model.md §6). Pure.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::model::{Flag, State, Timestamp};

/// What a look means.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Verdict {
    pub(super) state: State,
    pub(super) terminal: bool,
    pub(super) reason: Option<String>,
    pub(super) message: Option<String>,
    pub(super) flags: BTreeSet<Flag>,
    pub(super) exit_code: Option<i64>,
    pub(super) finished_at: Option<Timestamp>,
    /// Whether `finished_at` is when it was noticed, not when it happened.
    pub(super) is_approximate: bool,
}

/// The end of a job at the last look, kept for when its nodes are gone.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct End {
    state: String,
    reason: Option<String>,
    message: Option<String>,
    exit_code: Option<i64>,
    finished_at: Option<Timestamp>,
    is_approximate: bool,
}

impl Verdict {
    pub(super) fn of(state: State) -> Self {
        Self {
            state,
            terminal: state.is_terminal(),
            reason: None,
            message: None,
            flags: BTreeSet::new(),
            exit_code: None,
            finished_at: None,
            is_approximate: false,
        }
    }

    pub(super) fn because(mut self, reason: &str, message: impl Into<String>) -> Self {
        self.reason = Some(reason.to_owned());
        self.message = Some(message.into());
        self
    }

    pub(super) fn flagged(mut self, flag: Flag) -> Self {
        self.flags.insert(flag);
        self
    }

    /// Over, and its result can never be learned.
    pub(super) fn never_learned(mut self) -> Self {
        self.terminal = true;
        self.flagged(Flag::ResultUnknown)
    }

    pub(super) fn noticed(mut self, at: Option<Timestamp>) -> Self {
        self.finished_at = at;
        self.is_approximate = at.is_some();
        self
    }

    /// What to remember of it; nothing of a job that goes on.
    pub(super) fn end(&self) -> Option<End> {
        self.terminal.then(|| End {
            state: self.state.as_str().to_owned(),
            reason: self.reason.clone(),
            message: self.message.clone(),
            exit_code: self.exit_code,
            finished_at: self.finished_at,
            is_approximate: self.is_approximate,
        })
    }
}

impl End {
    /// The verdict that was remembered.
    pub(super) fn verdict(&self) -> Verdict {
        let state = State::from_word(&self.state).unwrap_or(State::Unknown);
        let verdict = Verdict {
            reason: self.reason.clone(),
            message: self.message.clone(),
            exit_code: self.exit_code,
            finished_at: self.finished_at,
            is_approximate: self.is_approximate,
            ..Verdict::of(state)
        };
        if state.is_terminal() {
            verdict
        } else {
            verdict.never_learned()
        }
    }
}
