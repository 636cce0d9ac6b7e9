//! Submits under keys, broken off at random instants and run again: one key is one job, whatever happens between.
//!
//! Breaking off is dropping the submit where it waits, with its locks; `kills` does the same to whole processes.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use gpujob::ambient::SystemClock;
use gpujob::engine::interrupt::Interrupt;
use gpujob::engine::submit::{Place, Request, Standing, Submitter, Wish};
use gpujob::error::{Kind, Result};
use gpujob::journal::{Journal, Locks};
use gpujob::model::{Backend, Job};
use gpujob::provider::{PlanInput, Policy, Provider, Survey};
use gpujob::sandbox::Sandbox;
use gpujob::spec::{JobSpec, spec_hash};

use super::mass::{self, BACKENDS};
use super::{FAULTS, SEED};
use crate::contract::Silent;

/// Keys of one sandbox and backend.
const BATCH: usize = 10;
/// Runs under one key while things go wrong.
const RUNS: usize = 4;

#[derive(Debug, Default)]
struct Tally {
    keys: usize,
    submits: usize,
    broken_off: usize,
    /// By exit code.
    codes: BTreeMap<u8, usize>,
    resubmitted: usize,
    doubled: usize,
    lost: usize,
    untrue: Vec<String>,
}

#[tokio::test]
async fn one_key_is_one_job_whatever_breaks_off() {
    let tally = run(1, SEED).await;
    assert_eq!(tally.keys, 40);
    check(&tally);
}

#[tokio::test]
#[ignore = "minutes: the long form"]
async fn ten_thousand_submits_under_keys_leave_one_job_each() {
    let seed = std::env::var("GPUJOB_CHAOS_SEED").map_or(SEED, |text| text.parse().unwrap());
    let begin = Instant::now();
    let tally = run(60, seed).await;
    println!("seed {seed}, {:.0?}: {tally:#?}", begin.elapsed());
    assert!(tally.submits >= 10_000, "{}", tally.submits);
    check(&tally);
}

fn check(tally: &Tally) {
    assert_eq!(
        (tally.doubled, tally.lost, tally.untrue.as_slice()),
        (0, 0, [].as_slice()),
        "{tally:#?}"
    );
    assert!(tally.broken_off > 0, "nothing was broken off: {tally:#?}");
}

async fn run(rounds: u64, seed: u64) -> Tally {
    let mut tally = Tally::default();
    for round in 0..rounds {
        for (backend, place) in BACKENDS.into_iter().zip(0..) {
            let own = seed.wrapping_add(round * 4 + place);
            one_round(own, backend, &mut tally).await;
        }
    }
    tally
}

/// What a submit of one round works with.
struct World<'a> {
    provider: &'a dyn Provider,
    survey: &'a Survey,
    journal: &'a Journal,
    locks: &'a Locks,
}

async fn one_round(seed: u64, backend: Backend, tally: &mut Tally) {
    let sandbox = mass::sandbox(seed, backend).await;
    let home = tempfile::TempDir::new().unwrap();
    let provider = mass::provider(&sandbox, backend);
    let survey = provider.survey(&mass::spec("survey")).await.unwrap();
    let journal = Journal::open(home.path()).unwrap();
    let locks = Locks::new(home.path());
    let world = World {
        provider: provider.as_ref(),
        survey: &survey,
        journal: &journal,
        locks: &locks,
    };
    let mut random = fastrand::Rng::with_seed(seed);
    let rules = FAULTS.map(str::to_owned);
    sandbox.faults().set(&rules, sandbox.services()).unwrap();
    let mut told: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for number in 0..BATCH {
        let name = format!("key-{number}");
        let refs = told.entry(name.clone()).or_default();
        for _ in 0..RUNS {
            one_run(&world, &sandbox, (backend, &name), &mut random, refs, tally).await;
        }
    }
    sandbox.faults().clear();
    for (name, refs) in &mut told {
        tally.keys += 1;
        let mut outcome = submit(&world, name, false).await;
        tally.submits += 1;
        if is_unknown(&outcome) {
            let count = mass::jobs(&sandbox, backend, name).len();
            if count > 0 {
                let text = format!("{backend} {name}: 88 at rest, and {count} jobs");
                tally.untrue.push(text);
            }
            tally.resubmitted += 1;
            tally.submits += 1;
            outcome = submit(&world, name, true).await;
        }
        match outcome {
            Ok(job) => drop(refs.insert(job.job_ref.to_string())),
            Err(error) => tally.untrue.push(format!("{backend} {name}: {error}")),
        }
        let count = mass::jobs(&sandbox, backend, name).len();
        tally.doubled += usize::from(count > 1 || refs.len() > 1);
        tally.lost += usize::from(count == 0);
    }
    sandbox.stop().await;
}

/// One run, broken off or not, compared with the jobs that the sandbox holds before and after.
async fn one_run(
    world: &World<'_>,
    sandbox: &Sandbox,
    (backend, name): (Backend, &str),
    random: &mut fastrand::Rng,
    refs: &mut BTreeSet<String>,
    tally: &mut Tally,
) {
    let before = mass::jobs(sandbox, backend, name).len();
    tally.submits += 1;
    let instant = Duration::from_micros(random.u64(0..12_000));
    let is_broken_off = random.bool();
    let outcome = tokio::select! {
        outcome = submit(world, name, false) => Some(outcome),
        () = tokio::time::sleep(instant), if is_broken_off => None,
    };
    let Some(outcome) = outcome else {
        tally.broken_off += 1;
        // What was on its way arrives.
        tokio::time::sleep(Duration::from_millis(5)).await;
        tally.doubled += usize::from(mass::jobs(sandbox, backend, name).len() > 1);
        return;
    };
    let count = mass::jobs(sandbox, backend, name).len();
    let code = outcome
        .as_ref()
        .map_or_else(|error| error.kind().exit_code(), |_| 0);
    *tally.codes.entry(code).or_default() += 1;
    tally.doubled += usize::from(count > 1);
    tally.lost += usize::from(code == 0 && count == 0);
    let is_true = match &outcome {
        Ok(job) => {
            refs.insert(job.job_ref.to_string());
            count == 1
        }
        Err(error) if error.kind() == Kind::OutcomeUnknown => count <= 1,
        // Nothing came of this run; an earlier one may have left a job.
        Err(_) => count == before,
    };
    if !is_true {
        let error = outcome.err().map(|error| error.to_string());
        tally.untrue.push(format!(
            "{backend} {name}: {code}, {before} and then {count} jobs: {error:?}"
        ));
    }
}

fn is_unknown(outcome: &Result<Job>) -> bool {
    matches!(outcome, Err(error) if error.kind() == Kind::OutcomeUnknown)
}

/// What `submit --key` does.
async fn submit(world: &World<'_>, name: &str, resubmit: bool) -> Result<Job> {
    let spec: JobSpec = mass::spec(name);
    let hash = spec_hash(&spec);
    let interrupt = Interrupt::never();
    let submitter = Submitter {
        journal: world.journal,
        locks: Some(world.locks),
        clock: &SystemClock,
        reporter: &Silent,
        interrupt: &interrupt,
        deadline: None,
        pauses: &[Duration::from_millis(1); 3],
    };
    let request = Request {
        name: Some(name),
        labels: &BTreeMap::new(),
        spec_hash: hash,
        secret_names: &[],
    };
    let wish = Wish {
        key: name,
        rerun_failed: false,
        resubmit,
        is_ours: false,
    };
    let scope = world.provider.scope(&spec).await?;
    let places = [Place {
        provider: world.provider,
        scope: scope.clone(),
    }];
    let turn = match submitter.standing(&places, &wish, &request).await? {
        Standing::Adopted(job) => return Ok(*job),
        Standing::Free(turn) => turn,
    };
    let marker = turn.marker(&scope, &hash, [0; 16]);
    let input = PlanInput {
        spec: &spec,
        marker: &marker,
        policy: &Policy::default(),
        secrets: &BTreeMap::new(),
        registry_password: None,
    };
    let plan = world.provider.plan(&input, world.survey).unwrap();
    submitter
        .submit(world.provider, &plan, &request, &turn)
        .await
}
