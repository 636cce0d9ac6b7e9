//! How long a log that cannot be read is asked for again (cli.md §10, "poll failures"). Pure.

use std::time::Duration;

use tokio::time::Instant;

use crate::engine::wait::{is_tolerated, out_of_patience};
use crate::error::{Error, Kind};

/// After the end of the job, what repeating does not mend is asked for so often.
const LOOKS_AFTER_THE_END: u32 = 3;

/// How long something has failed.
#[derive(Debug, Default)]
pub(super) struct Patience {
    failing_since: Option<Instant>,
    looks_after_the_end: u32,
}

/// When a look failed.
#[derive(Debug, Clone, Copy)]
pub(super) struct Failed {
    pub(super) at: Instant,
    /// Whether the job has ended.
    pub(super) is_over: bool,
    /// `--poll-failures`.
    pub(super) tolerance: Duration,
}

/// What a failure means.
#[derive(Debug, PartialEq)]
pub(super) enum Verdict {
    /// There is nothing yet.
    Nothing,
    /// It may pass.
    Again(Error),
    /// This log will not be had.
    GiveUp(Error),
    /// Nothing will be had: no log of the job.
    Stop(Error),
}

impl Patience {
    /// A look worked.
    pub(super) fn worked(&mut self) {
        *self = Self::default();
    }

    /// A look failed.
    pub(super) fn judge(&mut self, error: Error, failed: Failed) -> Verdict {
        let kind = error.kind();
        if kind == Kind::NotFound {
            // Only the job's record tells that the job is gone (job-model.md §6).
            return if failed.is_over {
                Verdict::GiveUp(error)
            } else {
                Verdict::Nothing
            };
        }
        // Credentials that are not here will not come by waiting.
        if kind == Kind::Config || !is_tolerated(kind) {
            return Verdict::Stop(error);
        }
        let since = *self.failing_since.get_or_insert(failed.at);
        if failed.at.saturating_duration_since(since) >= failed.tolerance {
            return Verdict::GiveUp(out_of_patience(error));
        }
        if failed.is_over && matches!(kind, Kind::Protocol | Kind::Rejected) {
            self.looks_after_the_end += 1;
            if self.looks_after_the_end >= LOOKS_AFTER_THE_END {
                return Verdict::GiveUp(error);
            }
        }
        Verdict::Again(error)
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    /// The verdicts on failures of a kind, one every 10 seconds: `n`othing, `a`gain, `g`ive up, `s`top.
    fn verdicts(kind: Kind, looks: u64, ended_at: u64) -> String {
        let start = Instant::now();
        let mut patience = Patience::default();
        let mut told = String::new();
        for look in 0..looks {
            let failed = Failed {
                at: start + Duration::from_secs(10 * look),
                is_over: look >= ended_at,
                tolerance: Duration::from_secs(60),
            };
            told.push(match patience.judge(Error::new(kind, "x", "x"), failed) {
                Verdict::Nothing => 'n',
                Verdict::Again(_) => 'a',
                Verdict::GiveUp(_) => 'g',
                Verdict::Stop(_) => 's',
            });
        }
        told
    }

    #[rstest]
    #[case::the_network_may_come_back(Kind::Temporary, 7, 0, "aaaaaag")]
    #[case::while_the_job_runs_all_may_pass(Kind::Protocol, 7, 99, "aaaaaag")]
    #[case::after_its_end_a_few_looks_are_enough(Kind::Protocol, 3, 0, "aag")]
    #[case::they_count_from_the_end(Kind::Rejected, 5, 2, "aaaag")]
    #[case::not_there_yet(Kind::NotFound, 3, 2, "nng")]
    #[case::no_credentials(Kind::Config, 1, 99, "s")]
    #[case::refused_credentials(Kind::Auth, 1, 99, "s")]
    #[case::no_log_at_all(Kind::Spec, 1, 99, "s")]
    fn what_may_pass_is_asked_for_again(
        #[case] kind: Kind,
        #[case] looks: u64,
        #[case] ended_at: u64,
        #[case] told: &str,
    ) {
        assert_eq!(verdicts(kind, looks, ended_at), told);
    }

    #[test]
    fn a_look_that_works_gives_new_patience() {
        let failed = Failed {
            at: Instant::now(),
            is_over: true,
            tolerance: Duration::from_secs(60),
        };
        let mut patience = Patience::default();
        for _ in 0..5 {
            let error = Error::new(Kind::Protocol, "x", "x");
            let verdict = patience.judge(error, failed);
            assert!(matches!(verdict, Verdict::Again(_)), "{verdict:?}");
            patience.worked();
        }
    }
}
