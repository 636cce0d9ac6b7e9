//! What one command has seen of its jobs: it does not depend on a journal that may be lost (cli.md §7).

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::journal::Memory;
use crate::model::{Flag, Job, ResourceRef, Timestamp};

/// The last record of each job that this command looked at.
#[derive(Debug, Default)]
pub struct Recall(Mutex<BTreeMap<ResourceRef, Seen>>);

/// One job, as it was seen last.
#[derive(Debug, Clone)]
struct Seen {
    job: Job,
    /// When this command made it.
    created_at: Option<Timestamp>,
}

impl Recall {
    /// Takes the record that a submit of this command returned.
    pub fn submitted(&self, job: &Job, at: Timestamp) {
        self.lock().insert(
            job.job_ref.clone(),
            Seen {
                job: job.clone(),
                created_at: Some(at),
            },
        );
    }

    /// Takes what a look found; a job that is missing leaves its last record as it was.
    pub(super) fn saw(&self, asked: &ResourceRef, job: &Job) {
        let mut seen = self.lock();
        let created_at = seen.get(asked).and_then(|seen| seen.created_at);
        let job = job.clone();
        seen.insert(asked.clone(), Seen { job, created_at });
    }

    /// The journal's memory of a job, with what was seen since: the journal may be out of reach.
    pub(super) fn completed(&self, asked: &ResourceRef, memory: Option<Memory>) -> Option<Memory> {
        let seen = self.lock().get(asked).cloned();
        let Some(Seen { job, created_at }) = seen else {
            return memory;
        };
        let mut memory = memory.unwrap_or_default();
        memory.created_at = memory.created_at.or(created_at);
        memory.last_state = Some(job.state);
        memory.reading = job.reading.or(memory.reading);
        Some(memory)
    }

    /// The record of a job that is missing now: what was known of it, and that it is gone.
    pub(super) fn kept(&self, asked: &ResourceRef, missing: Job) -> Job {
        let Some(Seen { job: last, .. }) = self.lock().get(asked).cloned() else {
            return missing;
        };
        if last.terminal {
            return gone(last);
        }
        Job {
            state: missing.state,
            terminal: missing.terminal,
            reason: None,
            message: missing.message,
            exit_code: None,
            flags: missing.flags,
            ..last
        }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<ResourceRef, Seen>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A job that had ended before it went.
fn gone(mut job: Job) -> Job {
    job.flags.insert(Flag::Gone);
    job
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::model::State;

    fn reference() -> ResourceRef {
        ResourceRef::new("gongji", ["42"])
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn running() -> Job {
        let mut job = Job::new(reference(), "42", State::Running);
        job.name = Some("train".to_owned());
        job.started_at = Some(at(10));
        job.reading = Some(json!({"polls": 1}));
        job
    }

    #[test]
    fn a_look_needs_no_journal_to_build_on_the_one_before() {
        let recall = Recall::default();
        assert_eq!(recall.completed(&reference(), None), None);
        recall.submitted(&running(), at(5));
        let memory = recall.completed(&reference(), None).unwrap();
        assert_eq!(memory.created_at, Some(at(5)));
        assert_eq!(memory.last_state, Some(State::Running));
        assert_eq!(memory.reading, Some(json!({"polls": 1})));
        let kept = Memory {
            created_at: Some(at(1)),
            reading: Some(json!({"polls": 0})),
            ..Memory::default()
        };
        let memory = recall.completed(&reference(), Some(kept)).unwrap();
        assert_eq!(memory.created_at, Some(at(1)));
        assert_eq!(memory.reading, Some(json!({"polls": 1})));
    }

    #[test]
    fn what_was_known_of_a_job_outlives_it() {
        let recall = Recall::default();
        let mut missing = Job::new(reference(), "42", State::Unknown);
        missing.terminal = true;
        missing.flags.insert(Flag::Gone);
        assert_eq!(recall.kept(&reference(), missing.clone()), missing);
        recall.saw(&reference(), &running());
        let job = recall.kept(&reference(), missing.clone());
        assert_eq!((job.state, job.terminal), (State::Unknown, true));
        assert_eq!(job.name.as_deref(), Some("train"));
        assert!(job.flags.contains(&Flag::Gone));
        let mut ended = running();
        ended.set_state(State::Failed);
        ended.exit_code = Some(3);
        recall.saw(&reference(), &ended);
        let job = recall.kept(&reference(), missing);
        assert_eq!((job.state, job.exit_code), (State::Failed, Some(3)));
    }
}
