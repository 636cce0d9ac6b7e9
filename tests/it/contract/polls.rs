//! What waiting for many jobs costs: one list call for each page and poll, counted by the sandbox (job-model.md §6.1).

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use gpujob::ambient::{OsEntropy, SystemClock};
use gpujob::engine::drive::{Audience, Driver, Ending};
use gpujob::engine::interrupt::Interrupt;
use gpujob::engine::wait::{Goal, Settings};
use gpujob::journal::{Journal, Memory};
use gpujob::model::{Backend, Job, Marker, ResourceRef, State};
use gpujob::provider::{Creation, PlanInput, Policy};
use gpujob::spec::spec_hash;
use rstest::rstest;
use serde_json::{Value, json};
use tokio::sync::Notify;

use super::{Bench, Silent, spec};

/// So many polls are counted.
const POLLS: u64 = 3;

/// Counts polls, after each of which the audience hears that waiting goes on, and says when there were enough.
#[derive(Default)]
struct Counter {
    polls: u64,
    enough: Arc<Notify>,
}

impl Audience for Counter {
    fn changed(&mut self, _job: &Job) {}

    fn beat(&mut self, _jobs: &[&Job], _failing: &[&str]) {
        self.polls += 1;
        if self.polls == POLLS {
            self.enough.notify_one();
        }
    }
}

#[rstest]
#[case::paracloud(Backend::Paracloud, 200, &["ListContainerGroups"], 1)]
// The first look at each job is a request of its own here.
#[case::cyclecloud(Backend::Cyclecloud, 200, &["nodes"], 1)]
#[case::gongji(Backend::Gongji, 200, &["task/job/search"], 2)]
#[case::pai_dlc(Backend::PaiDlc, 200, &["ListJobs"], 4)]
#[tokio::test]
async fn many_jobs_cost_one_list_call_a_page_and_poll(
    #[case] backend: Backend,
    #[case] count: usize,
    #[case] lists: &[&str],
    #[case] pages: u64,
) {
    let bench = Bench::new(backend).await;
    if backend == Backend::Cyclecloud {
        configure(&bench, backend, &json!({ "capacity": 2 * count }));
    }
    configure(&bench, backend, &json!({ "hold": "pending" }));
    let home = tempfile::TempDir::new().unwrap();
    let journal = Journal::open(home.path()).unwrap();
    let refs = submitted(&bench, count).await;
    let backend_name = backend.as_str().to_owned();
    let Bench {
        sandbox, provider, ..
    } = bench;
    let providers = BTreeMap::from([(backend_name, provider)]);
    let wait = async |mut counter: Counter| {
        let interrupt = Interrupt::never();
        let driver = Driver {
            providers: &providers,
            journal: &journal,
            clock: &SystemClock,
            entropy: &OsEntropy,
            reporter: &Silent,
            interrupt: &interrupt,
            deadline: None,
            recall: gpujob::engine::drive::Recall::default(),
        };
        let settings = Settings {
            first: Some(Duration::from_millis(30)),
            tolerance: Duration::from_secs(60),
            start_within: None,
            goal: Goal::default(),
            fail_if: Vec::new(),
            begun_at: None,
        };
        driver.wait(&refs, settings, &mut counter).await.unwrap()
    };
    // The first look at every job.
    drop(driver_look(&providers, &journal, &refs).await);

    let before = requests(&sandbox, backend);
    let counter = Counter::default();
    let enough = Arc::clone(&counter.enough);
    tokio::select! {
        ending = wait(counter) => panic!("{ending:?}"),
        () = enough.notified() => {}
    }
    let made = difference(&before, &requests(&sandbox, backend));
    println!("{backend}: {count} jobs, {POLLS} polls, {made:?}");
    assert_eq!(total(&made, lists), POLLS * pages, "{made:?}");
    let others: u64 = made
        .iter()
        .filter(|(name, _)| !is_catalogue(name))
        .map(|(_, count)| count)
        .sum();
    assert_eq!(others, total(&made, lists), "{made:?}");

    let service = sandbox
        .services()
        .iter()
        .find(|service| service.backend() == backend.as_str());
    service
        .unwrap()
        .configure(&json!({ "hold": null }))
        .unwrap();
    let Ending::Ended(jobs) = wait(Counter::default()).await else {
        panic!("it ends otherwise");
    };
    assert_eq!(jobs.len(), count);
    let succeeded = jobs
        .iter()
        .filter(|job| job.state == State::Succeeded)
        .count();
    assert_eq!(succeeded, count);
    sandbox.stop().await;
}

/// Creates so many jobs after one survey.
async fn submitted(bench: &Bench, count: usize) -> Vec<ResourceRef> {
    let spec = spec(&["true"]);
    let survey = bench.provider.survey(&spec).await.unwrap();
    let mut refs = Vec::new();
    for _ in 0..count {
        let marker = Marker::random(fastrand::u128(..).to_be_bytes(), &spec_hash(&spec));
        let input = PlanInput {
            spec: &spec,
            marker: &marker,
            policy: &Policy::default(),
            secrets: &BTreeMap::new(),
            registry_password: None,
        };
        let plan = bench.provider.plan(&input, &survey).unwrap();
        match bench.provider.create(&plan).await {
            Creation::Accepted(job) => refs.push(job.job_ref),
            Creation::Refused(error) | Creation::Ambiguous(error) => {
                panic!("after {} jobs: {error:?}", refs.len())
            }
        }
    }
    refs
}

async fn driver_look(
    providers: &BTreeMap<String, Box<dyn gpujob::provider::Provider>>,
    journal: &Journal,
    refs: &[ResourceRef],
) -> Vec<Option<Memory>> {
    let interrupt = Interrupt::never();
    let driver = Driver {
        providers,
        journal,
        clock: &SystemClock,
        entropy: &OsEntropy,
        reporter: &Silent,
        interrupt: &interrupt,
        deadline: None,
        recall: gpujob::engine::drive::Recall::default(),
    };
    for seen in driver.look(refs).await {
        seen.unwrap();
    }
    let memories = refs.iter().map(|job_ref| journal.memory(job_ref).unwrap());
    memories.collect()
}

fn configure(bench: &Bench, backend: Backend, settings: &Value) {
    let mut services = bench.sandbox.services().iter();
    let service = services.find(|service| service.backend() == backend.as_str());
    service.unwrap().configure(settings).unwrap();
}

fn requests(sandbox: &gpujob::sandbox::Sandbox, backend: Backend) -> BTreeMap<String, u64> {
    let mut services = sandbox.services().iter();
    let service = services.find(|service| service.backend() == backend.as_str());
    let summary = service.unwrap().summary();
    let counts = summary["requests"].as_object().unwrap().iter();
    counts
        .map(|(name, count)| (name.clone(), count.as_u64().unwrap()))
        .collect()
}

fn difference(
    before: &BTreeMap<String, u64>,
    after: &BTreeMap<String, u64>,
) -> BTreeMap<String, u64> {
    after
        .iter()
        .map(|(name, count)| (name.clone(), count - before.get(name).unwrap_or(&0)))
        .filter(|(_, count)| *count > 0)
        .collect()
}

fn total(made: &BTreeMap<String, u64>, names: &[&str]) -> u64 {
    names.iter().filter_map(|name| made.get(*name)).sum()
}

/// The catalogue, read once for the cards of a type.
fn is_catalogue(name: &str) -> bool {
    ["ListInstanceTypes", "ListEcsSpecs", "status"].contains(&name)
}
