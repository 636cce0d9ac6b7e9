//! What a job's pods tell beside its own record, and how often they are worth asking (gongji.md §5.1; cli.md §10).
//!
//! The exit code is told by the pods alone, and their rows may come later than the job's own word for its end.

use std::time::Duration;

use futures_util::{StreamExt as _, stream};
use jiff::SignedDuration;

use crate::error::{Error, Kind, Result};
use crate::model::{Job, ResourceRef, State, Timestamp};
use crate::provider::Observation;

use super::events::is_refusal;
use super::jobs::{POINTS, Rows};
use super::{Gongji, parse};

/// Pauses before the further looks at the pods of a job that has just failed.
const PAUSES: [Duration; 3] = [
    Duration::from_millis(500),
    Duration::from_secs(1),
    Duration::from_secs(2),
];

/// So long after its end, more may be told of a job; afterwards its pods may be forgotten (§5.1).
const FRESH: SignedDuration = SignedDuration::from_mins(10);

/// Jobs whose pods are asked for at once.
const JOBS_AT_ONCE: usize = 8;

impl Gongji {
    /// Adds to the records what their pods tell, where that is worth a request: of a job that was asked for alone, and
    /// of one that ended badly.
    ///
    /// # Errors
    /// Refused credentials; and of a job that failed whatever hides its pods, since its exit code is worth another try.
    /// Of several jobs only that one is then unread.
    pub(super) async fn add_pods(&self, observations: &mut [Observation]) -> Result<()> {
        let alone = observations.len() == 1;
        let mut unread: Vec<(ResourceRef, Error)> = Vec::new();
        let mut open: Vec<&mut Job> = observations
            .iter_mut()
            .filter_map(|observation| match observation {
                Observation::Seen(job) => Some(&mut **job),
                Observation::Missing | Observation::Unread(_) => None,
            })
            .filter(|job| alone || job.state == State::Failed)
            .collect();
        let mut pauses = PAUSES.iter();
        loop {
            let questions: Vec<_> = open.iter().map(|job| self.pods_of(job)).collect();
            let answers: Vec<Result<Rows>> = stream::iter(questions)
                .buffered(JOBS_AT_ONCE)
                .collect()
                .await;
            let pause = pauses.next();
            let mut unsettled = Vec::new();
            for (job, answer) in open.into_iter().zip(answers) {
                if pause.is_some() && may_tell_more(job, &answer, self.now()) {
                    unsettled.push(job);
                } else {
                    match self.take_pods(job, answer) {
                        Ok(()) => {}
                        Err(error) if alone || error.kind() == Kind::Auth => return Err(error),
                        Err(error) => unread.push((job.job_ref.clone(), error)),
                    }
                }
            }
            let Some(pause) = pause.filter(|_| !unsettled.is_empty()) else {
                break;
            };
            open = unsettled;
            tokio::time::sleep(*pause).await;
        }
        // One whose code is hidden now hides no other.
        for observation in observations {
            let error = match observation {
                Observation::Seen(job) => unread
                    .iter()
                    .position(|(job_ref, _)| *job_ref == job.job_ref),
                Observation::Missing | Observation::Unread(_) => None,
            };
            if let Some(position) = error {
                let (_, error) = unread.swap_remove(position);
                *observation = Observation::Unread(error);
            }
        }
        Ok(())
    }

    async fn pods_of(&self, job: &Job) -> Result<Rows> {
        let id = self.job_id(&job.job_ref)?;
        self.rows(POINTS, |page| self.api.list_points(id, page))
            .await
    }

    fn take_pods(&self, job: &mut Job, answer: Result<Rows>) -> Result<()> {
        let error = match answer {
            Ok(nodes) => {
                parse::add_nodes(job, &nodes.rows);
                return Ok(());
            }
            Err(error) => error,
        };
        let hides_the_code = job.state == State::Failed
            // Of a job that ended long ago, a refusal says that its pods are forgotten.
            && (!is_refusal(error.kind()) || ended_lately(job, self.now()));
        if hides_the_code || error.kind() == Kind::Auth {
            return Err(error.with_job(job.job_ref.to_string()));
        }
        let text = format!("the pods of {} are not known: {error}", job.job_ref);
        self.session.reporter.detail(1, &text);
        Ok(())
    }
}

/// Whether another look may tell how a job failed: no pod does yet, and it has failed a moment ago.
fn may_tell_more(job: &Job, answer: &Result<Rows>, now: Timestamp) -> bool {
    let is_open = job.state == State::Failed
        && job
            .reason
            .as_deref()
            .is_none_or(|reason| reason == parse::TIMEOUT)
        && (job.finished_at.is_none() || ended_lately(job, now));
    is_open
        && match answer {
            Ok(nodes) => !parse::tell_an_end(&nodes.rows),
            Err(error) => is_refusal(error.kind()),
        }
}

fn ended_lately(job: &Job, now: Timestamp) -> bool {
    job.finished_at
        .is_some_and(|end| now.duration_since(end).abs() < FRESH)
}
