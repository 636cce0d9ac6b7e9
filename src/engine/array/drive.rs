//! Does what the machine says: submits side by side, looks at jobs that hold a place, stops at a signal.

use std::collections::BTreeMap;
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::future::LocalBoxFuture;
use futures_util::stream::FuturesUnordered;
use tokio::time::Instant;

use crate::engine::interrupt::{Interrupt, Signal};
use crate::error::{Error, Kind, Result};
use crate::model::{Job, ResourceRef};

use super::{Machine, Next};

/// What driving needs of its surroundings.
pub trait Hands {
    /// Submits the job of one index, or finds it.
    fn submit(&self, index: u32) -> LocalBoxFuture<'_, Result<Job>>;

    /// The present records of jobs, in the order asked.
    fn look<'a>(&'a self, jobs: &'a [ResourceRef]) -> LocalBoxFuture<'a, Vec<Result<Job>>>;

    /// Hears of every job as it comes, and of pauses.
    fn came(&self, index: u32, job: &Job);

    /// The service asks to slow down, until then.
    fn held(&self, pause: Duration);

    /// Something has moved: so many jobs are there.
    fn progressed(&self, jobs: usize);
}

/// How an array's submits ended.
#[derive(Debug, Default)]
pub struct Driven {
    /// The jobs, by index.
    pub jobs: BTreeMap<u32, Job>,
    /// Indices whose submit failed or is in doubt, with the reason.
    pub failures: BTreeMap<u32, Error>,
    /// Indices that were not tried.
    pub left: usize,
    pub signal: Option<Signal>,
}

enum Came {
    Submitted(u32, Box<Result<Job>>),
    Looked(Vec<(ResourceRef, Result<Job>)>),
    /// The pause is over.
    Rested,
}

/// Submits until everything is there, or nothing more can be done.
///
/// `live` are jobs of an earlier run that may hold a place; they are looked at every `poll`.
pub async fn drive(
    mut machine: Machine,
    hands: &dyn Hands,
    mut live: Vec<ResourceRef>,
    poll: Duration,
    interrupt: &Interrupt,
    deadline: Option<Instant>,
) -> Driven {
    let start = Instant::now();
    let mut driven = Driven::default();
    let mut under_way: FuturesUnordered<LocalBoxFuture<'_, Came>> = FuturesUnordered::new();
    let (mut looks, mut rests, mut is_late) = (false, false, false);
    loop {
        match machine.next(start.elapsed()) {
            Next::Submit(index) => {
                under_way.push(Box::pin(async move {
                    Came::Submitted(index, Box::new(hands.submit(index).await))
                }));
                continue;
            }
            Next::Done => break,
            Next::Hold(until) if !rests => {
                rests = true;
                let instant = start + until;
                under_way.push(Box::pin(async move {
                    tokio::time::sleep_until(instant).await;
                    Came::Rested
                }));
            }
            Next::Hold(_) | Next::Wait => {}
        }
        if machine.waits_for_jobs() && !looks {
            looks = true;
            let asked = live.clone();
            under_way.push(Box::pin(async move {
                tokio::time::sleep(poll).await;
                let records = hands.look(&asked).await;
                Came::Looked(asked.into_iter().zip(records).collect())
            }));
        }
        let came = tokio::select! {
            came = under_way.next() => came,
            signal = interrupt.came(), if driven.signal.is_none() => {
                driven.signal = Some(signal);
                machine.stop();
                continue;
            }
            () = until(deadline), if !is_late => {
                // Every request under way has the same end.
                is_late = true;
                machine.stop();
                continue;
            }
        };
        match came {
            Some(Came::Submitted(index, outcome)) => {
                take(
                    &mut machine,
                    &mut driven,
                    &mut live,
                    hands,
                    start,
                    (index, *outcome),
                );
            }
            Some(Came::Looked(records)) => {
                looks = false;
                let before = live.len();
                live.retain(|job| {
                    !records
                        .iter()
                        .any(|(asked, record)| asked == job && is_over(record))
                });
                machine.ended(before - live.len());
            }
            Some(Came::Rested) => rests = false,
            // The machine waits for what is not under way: never, but a loop without an end would be worse.
            None => break,
        }
    }
    driven.left = machine.left();
    driven
}

fn take(
    machine: &mut Machine,
    driven: &mut Driven,
    live: &mut Vec<ResourceRef>,
    hands: &dyn Hands,
    start: Instant,
    (index, outcome): (u32, Result<Job>),
) {
    match outcome {
        Ok(job) => {
            hands.came(index, &job);
            machine.accepted(job.terminal, start.elapsed());
            if !job.terminal {
                live.push(job.job_ref.clone());
            }
            driven.jobs.insert(index, job);
            hands.progressed(driven.jobs.len());
        }
        Err(error) if is_throttling(&error) => {
            let wish = error.details().retry_after;
            if machine.throttled(index, wish, start.elapsed()) {
                driven.failures.insert(index, error);
            } else {
                hands.held(wish.unwrap_or_default());
            }
        }
        Err(error) if error.kind() == Kind::OutcomeUnknown => {
            machine.doubtful(start.elapsed());
            driven.failures.insert(index, error);
        }
        Err(error) => {
            machine.refused();
            driven.failures.insert(index, error);
        }
    }
}

/// Whether a job gives its place free: it is over, or nobody knows it any more.
fn is_over(record: &Result<Job>) -> bool {
    match record {
        Ok(job) => job.terminal,
        Err(error) => error.kind() == Kind::NotFound,
    }
}

fn is_throttling(error: &Error) -> bool {
    error.kind() == Kind::Temporary
        && (error.details().http_status == Some(429)
            || error
                .details()
                .provider_code
                .as_deref()
                .is_some_and(|code| code.starts_with("Throttling")))
}

async fn until(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => tokio::time::sleep_until(deadline).await,
        None => std::future::pending().await,
    }
}

#[cfg(test)]
mod tests;
