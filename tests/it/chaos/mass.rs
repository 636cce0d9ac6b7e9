//! Many submits through the engine, in this process.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use gpujob::ambient::{OsEntropy, SystemClock};
use gpujob::config::{Config, Environment};
use gpujob::engine::interrupt::Interrupt;
use gpujob::engine::submit::{Request, Submitter, Turn};
use gpujob::error::Kind;
use gpujob::journal::Journal;
use gpujob::model::{Backend, Marker, Timestamp};
use gpujob::provider::{Kit, PlanInput, Policy, Provider, connect};
use gpujob::sandbox::{Options, Sandbox};
use gpujob::spec::{JobSpec, parse_document, spec_hash};
use serde_json::json;

use super::{FAULTS, SEED, is_named};
use crate::contract::Silent;

const BACKENDS: [Backend; 4] = [
    Backend::Paracloud,
    Backend::Cyclecloud,
    Backend::Gongji,
    Backend::PaiDlc,
];

/// Submits of one sandbox and backend: lists stay short, and the smallest array of CycleCloud has room.
const BATCH: usize = 10;

/// What came of it.
#[derive(Debug, Default)]
struct Tally {
    submits: usize,
    /// By exit code.
    codes: BTreeMap<u8, usize>,
    /// By rule.
    faults: BTreeMap<String, u64>,
    creates: u64,
    doubled: usize,
    lost: usize,
    untrue: Vec<String>,
}

#[tokio::test]
async fn submits_under_faults_are_neither_doubled_nor_lost() {
    let tally = run(2, SEED).await;
    assert_eq!(tally.submits, 80);
    check(&tally);
}

#[tokio::test]
#[ignore = "minutes: the long form"]
async fn ten_thousand_submits_under_faults_are_neither_doubled_nor_lost() {
    let seed = std::env::var("GPUJOB_CHAOS_SEED").map_or(SEED, |text| text.parse().unwrap());
    let begin = Instant::now();
    let tally = run(250, seed).await;
    println!("seed {seed}, {:.0?}: {tally:#?}", begin.elapsed());
    assert_eq!(tally.submits, 10_000);
    check(&tally);
}

fn check(tally: &Tally) {
    assert_eq!(
        (tally.doubled, tally.lost, tally.untrue.as_slice()),
        (0, 0, [].as_slice()),
        "{tally:#?}"
    );
    let fired: u64 = tally.faults.values().sum();
    assert!(fired > 0, "nothing went wrong: {tally:#?}");
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

async fn one_round(seed: u64, backend: Backend, tally: &mut Tally) {
    let sandbox = Sandbox::start(Options {
        speed: 1000.0,
        port: 0,
        image_root: env!("CARGO_MANIFEST_DIR").into(),
        seed: Some(seed),
        hold: vec![(backend.as_str().to_owned(), "pending".to_owned())],
        faults: Vec::new(),
    })
    .await
    .unwrap();
    unlimited(&sandbox);
    let home = tempfile::TempDir::new().unwrap();
    let journal = Journal::open(home.path()).unwrap();
    let provider = provider(&sandbox, backend);
    let survey = provider.survey(&spec("survey")).await.unwrap();
    let rules = FAULTS.map(str::to_owned);
    sandbox.faults().set(&rules, sandbox.services()).unwrap();
    for number in 0..BATCH {
        let name = format!("chaos-{number}");
        let spec = spec(&name);
        let hash = spec_hash(&spec);
        let marker = Marker::random(fastrand::u128(..).to_be_bytes(), &hash);
        let input = PlanInput {
            spec: &spec,
            marker: &marker,
            policy: &Policy::default(),
            secrets: &BTreeMap::new(),
            registry_password: None,
        };
        let plan = provider.plan(&input, &survey).unwrap();
        let submitter = Submitter {
            journal: &journal,
            locks: None,
            clock: &SystemClock,
            reporter: &Silent,
            interrupt: &Interrupt::never(),
            deadline: None,
            pauses: &[Duration::from_millis(1); 3],
        };
        let request = Request {
            name: Some(&name),
            labels: &BTreeMap::new(),
            spec_hash: hash,
            secret_names: &[],
        };
        let turn = Turn::fresh();
        let outcome = submitter
            .submit(provider.as_ref(), &plan, &request, &turn)
            .await;
        let code = outcome
            .as_ref()
            .map_or_else(|error| error.kind().exit_code(), |_| 0);
        let error = outcome.err().map(|error| error.to_string());
        tally.submits += 1;
        *tally.codes.entry(code).or_default() += 1;
        judge(&sandbox, backend, &name, code, tally, error.as_deref());
    }
    for shown in sandbox.faults().shown().as_array().unwrap() {
        let rule = shown["rule"].as_str().unwrap().to_owned();
        *tally.faults.entry(rule).or_default() += shown["fired"].as_u64().unwrap();
    }
    sandbox.faults().clear();
    settled(&sandbox, backend, provider.as_ref(), &journal, tally).await;
    sandbox.stop().await;
}

/// Compares an exit code with the jobs that the sandbox holds.
fn judge(
    sandbox: &Sandbox,
    backend: Backend,
    name: &str,
    code: u8,
    tally: &mut Tally,
    error: Option<&str>,
) {
    let count = jobs(sandbox, backend, name).len();
    tally.doubled += usize::from(count > 1);
    tally.lost += usize::from(code == 0 && count == 0);
    let is_true = match code {
        0 => count == 1,
        code if code == Kind::OutcomeUnknown.exit_code() => count <= 1,
        _ => count == 0,
    };
    if !is_true {
        tally.untrue.push(format!(
            "{backend} {name}: {code} and {count} jobs: {error:?}"
        ));
    }
}

/// Once the faults are over, every submit that ended in doubt finds its job by the marker, if there is one.
async fn settled(
    sandbox: &Sandbox,
    backend: Backend,
    provider: &dyn Provider,
    journal: &Journal,
    tally: &mut Tally,
) {
    let held: usize = held(sandbox, backend).len();
    let found = journal_markers(journal, backend);
    let mut present = 0;
    for (marker, scope, since) in found {
        let jobs = provider.find(&marker, &scope, since).await.unwrap();
        present += jobs.len();
        tally.doubled += usize::from(jobs.len() > 1);
    }
    if present != held {
        tally.lost += held.abs_diff(present);
        tally.untrue.push(format!(
            "{backend}: the journal finds {present} of {held} jobs"
        ));
    }
    tally.creates += u64::try_from(held).unwrap();
}

/// What the journal knows of creates that were sent: marker, scope and time.
fn journal_markers(journal: &Journal, backend: Backend) -> Vec<(Marker, String, Timestamp)> {
    let entries = journal.list(usize::from(u16::MAX)).unwrap();
    entries
        .into_iter()
        .filter(|entry| entry.backend == Some(backend))
        .map(|entry| {
            (
                entry.marker.unwrap(),
                entry.scope.unwrap(),
                entry.created_at.unwrap(),
            )
        })
        .collect()
}

fn held(sandbox: &Sandbox, backend: Backend) -> Vec<gpujob::sandbox::operation::Held> {
    let services = sandbox.services().iter();
    let mut meant = services.filter(|service| service.backend() == backend.as_str());
    meant.next().unwrap().held()
}

fn jobs(sandbox: &Sandbox, backend: Backend, name: &str) -> Vec<String> {
    let held = held(sandbox, backend).into_iter();
    held.filter(|held| is_named(&held.names, name))
        .map(|held| held.id)
        .collect()
}

/// Takes away what would refuse many jobs at once.
fn unlimited(sandbox: &Sandbox) {
    for service in sandbox.services() {
        if service.backend() == Backend::Cyclecloud.as_str() {
            let quota = json!({"region_quota_cores": 1_000_000});
            service.configure(&quota).unwrap();
        }
    }
}

fn provider(sandbox: &Sandbox, backend: Backend) -> Box<dyn Provider> {
    let environment = Environment::for_tests(std::iter::empty::<(&str, &str)>());
    let config = Config::load(Some(&sandbox.config_path()), &environment).unwrap();
    let kit = Kit {
        clock: Arc::new(SystemClock),
        entropy: Arc::new(OsEntropy),
        reporter: Arc::new(Silent),
        retries: 0,
        deadline: None,
        connect_timeout: Duration::from_secs(5),
        kept: Arc::new(BTreeMap::new()),
    };
    connect(&config.provider(backend.as_str()).unwrap(), &kit).unwrap()
}

fn spec(name: &str) -> JobSpec {
    let text = format!(
        "name: {name}\nimage: tool:1\ncommand: [\"true\"]\nresources: {{gpu: {{model: V100, count: 1}}}}\ntimeout: 5m\n"
    );
    parse_document("job.yaml", &text, None).unwrap()
}
