//! Over hands made of paper, in paused time.

use std::cell::RefCell;
use std::collections::BTreeSet;

use super::*;
use crate::model::State;

#[derive(Debug, Default)]
struct Seen {
    submitted: Vec<u32>,
    flying: usize,
    most_flying: usize,
    held: Vec<Duration>,
    ended: BTreeSet<ResourceRef>,
    /// What the first submits of an index end with.
    errors: BTreeMap<u32, Vec<Error>>,
}

/// A submit takes 50 ms; a job ends at the first look at it.
#[derive(Debug, Default)]
struct Paper(RefCell<Seen>);

fn job_ref(index: u32) -> ResourceRef {
    ResourceRef::new("gongji", [index.to_string()])
}

fn record(job_ref: &ResourceRef, state: State) -> Job {
    Job::new(job_ref.clone(), job_ref.id(), state)
}

impl Hands for Paper {
    fn submit(&self, index: u32) -> LocalBoxFuture<'_, Result<Job>> {
        Box::pin(async move {
            {
                let mut seen = self.0.borrow_mut();
                seen.flying += 1;
                seen.most_flying = seen.most_flying.max(seen.flying);
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
            let mut seen = self.0.borrow_mut();
            seen.flying -= 1;
            if let Some(error) = seen.errors.get_mut(&index).and_then(Vec::pop) {
                return Err(error);
            }
            seen.submitted.push(index);
            Ok(record(&job_ref(index), State::Running))
        })
    }

    fn look<'a>(&'a self, jobs: &'a [ResourceRef]) -> LocalBoxFuture<'a, Vec<Result<Job>>> {
        Box::pin(async move {
            let mut seen = self.0.borrow_mut();
            jobs.iter()
                .map(|job| {
                    seen.ended.insert(job.clone());
                    Ok(record(job, State::Succeeded))
                })
                .collect()
        })
    }

    fn came(&self, _index: u32, _job: &Job) {}

    fn held(&self, pause: Duration) {
        self.0.borrow_mut().held.push(pause);
    }

    fn progressed(&self, _jobs: usize) {}
}

async fn run(hands: &Paper, machine: Machine, live: Vec<ResourceRef>) -> (Driven, Duration) {
    let start = Instant::now();
    let poll = Duration::from_secs(10);
    let driven = drive(machine, hands, live, poll, &Interrupt::never(), None).await;
    (driven, start.elapsed())
}

fn throttled(pause: u64) -> Error {
    Error::new(Kind::Temporary, "rate_limited", "slower")
        .with_http(429, None, None)
        .with_retry_after(Some(Duration::from_secs(pause)))
}

#[tokio::test(start_paused = true)]
async fn so_many_are_on_their_way_and_no_time_is_lost() {
    let hands = Paper::default();
    let (driven, took) = run(&hands, Machine::new(0..500, 32, false, 0), Vec::new()).await;
    assert_eq!(driven.jobs.len(), 500);
    assert_eq!((driven.left, driven.failures.len()), (0, 0));
    let seen = hands.0.borrow();
    assert_eq!(seen.most_flying, 32);
    assert_eq!(took, Duration::from_millis(16 * 50), "500 / 32, rounded up");
}

#[tokio::test(start_paused = true)]
async fn a_driven_array_waits_for_its_jobs_those_of_an_earlier_run_too() {
    let hands = Paper::default();
    let earlier = job_ref(99);
    let machine = Machine::new(0..5, 2, true, 1);
    let (driven, _) = run(&hands, machine, vec![earlier.clone()]).await;
    assert_eq!(driven.jobs.len(), 5);
    let seen = hands.0.borrow();
    assert!(seen.most_flying <= 2);
    assert!(seen.ended.contains(&earlier), "its place was needed");
    assert!(seen.ended.len() >= 4, "{:?}", seen.ended);
}

#[tokio::test(start_paused = true)]
async fn a_refusal_for_the_rate_slows_the_whole_array() {
    let hands = Paper::default();
    hands.0.borrow_mut().errors.insert(1, vec![throttled(7)]);
    let (driven, took) = run(&hands, Machine::new(0..6, 2, false, 0), Vec::new()).await;
    assert_eq!(driven.jobs.len(), 6);
    assert!(driven.failures.is_empty());
    let seen = hands.0.borrow();
    assert_eq!(seen.held, [Duration::from_secs(7)]);
    assert!(took >= Duration::from_secs(7), "{took:?}");
    let submits: BTreeSet<_> = seen.submitted.iter().collect();
    assert_eq!(submits.len(), seen.submitted.len(), "each once");
}

#[tokio::test(start_paused = true)]
async fn a_definite_refusal_ends_the_rest_and_a_doubt_does_not() {
    let hands = Paper::default();
    let doubt = Error::new(Kind::OutcomeUnknown, "outcome_unknown", "nobody knows");
    let refused = Error::new(Kind::Capacity, "capacity", "sold out");
    hands.0.borrow_mut().errors = BTreeMap::from([(1, vec![doubt]), (4, vec![refused])]);
    let (driven, _) = run(&hands, Machine::new(0..9, 1, false, 0), Vec::new()).await;
    let jobs: Vec<u32> = driven.jobs.keys().copied().collect();
    assert_eq!(jobs, [0, 2, 3]);
    let failures: Vec<u32> = driven.failures.keys().copied().collect();
    assert_eq!((failures, driven.left), (vec![1, 4], 4));
}

#[tokio::test(start_paused = true)]
async fn the_end_of_the_command_lets_what_is_under_way_come_back() {
    let hands = Paper::default();
    let deadline = Instant::now() + Duration::from_millis(60);
    let machine = Machine::new(0..9, 2, false, 0);
    let poll = Duration::from_secs(10);
    let never = Interrupt::never();
    let driven = drive(machine, &hands, Vec::new(), poll, &never, Some(deadline)).await;
    assert_eq!((driven.jobs.len(), driven.left), (4, 5));
}
