//! From ended jobs to an exit code (cli.md §6 and §10, "Codes of jobs"). Pure.

use crate::error::{Error, Kind};
use crate::model::{Job, State};

/// How a waiting command ends.
#[derive(Debug, Clone, PartialEq)]
pub enum Verdict {
    /// Every job succeeded.
    Succeeded,
    /// The one job's own exit code, mirrored, and what it means.
    OwnCode { code: u8, error: Error },
    /// One of gpujob's own codes, with its error.
    Failed(Error),
}

/// The verdict on one job mirrors its own code; on several it is all or nothing. A job that has not ended is one that
/// reached what was awaited of it (`--until`): a success.
pub fn verdict(jobs: &[&Job]) -> Verdict {
    match jobs {
        [only] => verdict_of_one(only),
        several => verdict_of_several(several),
    }
}

fn verdict_of_one(job: &Job) -> Verdict {
    let about = |error: Error| {
        let error = error
            .with_provider(&job.job_ref.provider)
            .with_job(job.job_ref.to_string());
        match &job.marker {
            Some(marker) => error.with_marker(marker),
            None => error,
        }
    };
    match judged(job) {
        Verdict::Succeeded => Verdict::Succeeded,
        Verdict::OwnCode { code, error } => Verdict::OwnCode {
            code,
            error: about(error),
        },
        Verdict::Failed(error) => Verdict::Failed(about(error)),
    }
}

fn judged(job: &Job) -> Verdict {
    let named = &job.job_ref;
    let because = reason(job);
    match job.state {
        State::Succeeded => Verdict::Succeeded,
        State::Failed => {
            let error = Error::new(Kind::JobFailed, "job_failed", failed_message(job, &because));
            match job.exit_code.and_then(mirrored) {
                Some(code) => Verdict::OwnCode { code, error },
                None => Verdict::Failed(error),
            }
        }
        State::Cancelled => Verdict::Failed(Error::new(
            Kind::JobCancelled,
            "job_cancelled",
            format!("job {named} was cancelled{because}"),
        )),
        State::Unknown | State::Pending | State::Starting | State::Running if !job.terminal => {
            Verdict::Succeeded
        }
        State::Unknown | State::Pending | State::Starting | State::Running => {
            Verdict::Failed(Error::new(
                Kind::ResultUnknown,
                "result_unknown",
                format!("job {named} is over and its result can never be learned{because}"),
            ))
        }
    }
}

fn verdict_of_several(jobs: &[&Job]) -> Verdict {
    let others: Vec<String> = jobs
        .iter()
        .filter(|job| job.terminal && job.state != State::Succeeded)
        .map(|job| format!("{} {}", job.job_ref, job.state))
        .collect();
    if others.is_empty() {
        return Verdict::Succeeded;
    }
    Verdict::Failed(
        Error::new(
            Kind::JobFailed,
            "jobs_failed",
            format!("{} of {} jobs did not succeed", others.len(), jobs.len()),
        )
        .with_candidates(others),
    )
}

fn failed_message(job: &Job, because: &str) -> String {
    match job.exit_code {
        Some(code) => format!("job {} failed with exit code {code}{because}", job.job_ref),
        None => format!(
            "job {} failed, and the provider does not tell its exit code{because}",
            job.job_ref
        ),
    }
}

fn reason(job: &Job) -> String {
    let words: Vec<&str> = [job.reason.as_deref(), job.message.as_deref()]
        .into_iter()
        .flatten()
        .filter(|text| !text.is_empty())
        .collect();
    if words.is_empty() {
        String::new()
    } else {
        format!(": {}", words.join(": "))
    }
}

/// A job's code that can be gpujob's own exit code: not 0, not above 255, and outside the block that gpujob keeps.
fn mirrored(code: i64) -> Option<u8> {
    let code = u8::try_from(code).ok()?;
    (code != 0 && !(80..=93).contains(&code) && code != 124 && code != 130).then_some(code)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::ResourceRef;

    fn job(state: State, exit_code: Option<i64>) -> Job {
        let mut job = Job::new(ResourceRef::new("gongji", ["1"]), "1", state);
        job.exit_code = exit_code;
        job.terminal = true;
        job
    }

    #[test]
    fn the_error_names_the_job_its_provider_and_its_marker() {
        let mut job = job(State::Cancelled, None);
        job.marker = Some("bcdfghjklmnpqr".to_owned());
        let Verdict::Failed(error) = verdict(&[&job]) else {
            panic!("a cancelled job is no success");
        };
        let details = error.details();
        assert_eq!(details.job.as_deref(), Some("gongji/1"));
        assert_eq!(details.provider.as_deref(), Some("gongji"));
        assert_eq!(details.marker.as_deref(), Some("bcdfghjklmnpqr"));
    }

    fn code_of(verdict: &Verdict) -> u8 {
        match verdict {
            Verdict::Succeeded => 0,
            Verdict::OwnCode { code, .. } => *code,
            Verdict::Failed(error) => error.kind().exit_code(),
        }
    }

    #[test]
    fn one_job_ends_the_command_as_it_ended() {
        for (state, exit_code, expected) in [
            (State::Succeeded, Some(0), 0),
            (State::Succeeded, Some(7), 0),
            (State::Failed, Some(3), 3),
            (State::Failed, Some(137), 137),
            (State::Failed, None, 90),
            (State::Failed, Some(0), 90),
            (State::Failed, Some(81), 90),
            (State::Failed, Some(124), 90),
            (State::Failed, Some(130), 90),
            (State::Failed, Some(256), 90),
            (State::Failed, Some(-1), 90),
            (State::Cancelled, Some(143), 91),
            (State::Unknown, None, 92),
        ] {
            let job = job(state, exit_code);
            assert_eq!(
                code_of(&verdict(&[&job])),
                expected,
                "{state} {exit_code:?}"
            );
        }
    }

    #[test]
    fn a_job_that_lives_has_reached_what_was_awaited() {
        let mut living = job(State::Running, None);
        living.terminal = false;
        assert_eq!(code_of(&verdict(&[&living])), 0);
        let (good, bad) = (job(State::Succeeded, Some(0)), job(State::Failed, Some(3)));
        assert_eq!(code_of(&verdict(&[&living, &good])), 0);
        assert_eq!(code_of(&verdict(&[&living, &bad])), 90);
    }

    #[test]
    fn several_jobs_succeed_together_or_fail_together() {
        let (good, bad) = (job(State::Succeeded, Some(0)), job(State::Failed, Some(3)));
        assert_eq!(code_of(&verdict(&[&good, &good])), 0);
        assert_eq!(code_of(&verdict(&[&good, &bad])), 90);
    }
}
