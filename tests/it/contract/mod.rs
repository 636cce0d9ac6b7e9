//! One suite over every provider, against the in-process sandbox; gated by the capability table where verbs differ.

mod explained;
mod jobs;
mod polls;
mod storage;
mod told;
mod translations;
mod verbs;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use gpujob::ambient::{OsEntropy, Reporter, SystemClock};
use gpujob::config::{Config, Environment};
use gpujob::model::{Backend, Job, Marker, ResourceRef, State};
use gpujob::provider::{
    Creation, Kit, Observation, Plan, PlanInput, Policy, Provider, Tracked, connect,
};
use gpujob::sandbox::{Options, Sandbox};
use gpujob::spec::{JobSpec, parse_document, spec_hash};

/// A sandbox and a provider that talks to it.
struct Bench {
    sandbox: Sandbox,
    provider: Box<dyn Provider>,
    /// What the engine keeps between looks: some providers need their last reading back.
    readings: RefCell<BTreeMap<ResourceRef, serde_json::Value>>,
}

/// Says nothing.
#[derive(Debug)]
pub(crate) struct Silent;

impl Reporter for Silent {
    fn note(&self, _text: &str) {}
    fn warning(&self, _text: &str) {}
    fn detail(&self, _level: u8, _text: &str) {}
    fn trace(&self, _text: &str) {}
    fn is_tracing(&self) -> bool {
        false
    }
}

impl Bench {
    async fn new(backend: Backend) -> Self {
        let sandbox = Sandbox::start(Options {
            speed: 200.0,
            port: 0,
            image_root: env!("CARGO_MANIFEST_DIR").into(),
            seed: Some(7),
            hold: Vec::new(),
            faults: Vec::new(),
            settings: Vec::new(),
        })
        .await
        .unwrap();
        let provider = provider(&sandbox.config_path(), backend, &[]);
        Self {
            sandbox,
            provider,
            readings: RefCell::default(),
        }
    }

    /// The same account seen with other settings, such as a wrong secret.
    fn with(&self, backend: Backend, variables: &[(&str, &str)]) -> Box<dyn Provider> {
        provider(&self.sandbox.config_path(), backend, variables)
    }

    /// The same bench with a provider that has other settings, such as another address.
    fn through(self, backend: Backend, variables: &[(&str, &str)]) -> Self {
        Self {
            provider: self.with(backend, variables),
            ..self
        }
    }

    /// Keeps the sandbox's jobs in a state.
    fn hold(&self, backend: Backend, state: &str) {
        let mut services = self.sandbox.services().iter();
        let service = services.find(|service| service.backend() == backend.as_str());
        let settings = serde_json::json!({ "hold": state });
        service.unwrap().configure(&settings).unwrap();
    }

    /// Everything a submit does, without the engine: assess, survey, plan, create.
    async fn create(&self, spec: &JobSpec) -> (Plan, Job) {
        let plan = self.plan(spec).await;
        match self.provider.create(&plan).await {
            Creation::Accepted(job) => {
                self.keep(&job);
                (plan, job)
            }
            Creation::Refused(error) | Creation::Ambiguous(error) => panic!("{error:?}"),
        }
    }

    fn keep(&self, job: &Job) {
        if let Some(reading) = &job.reading {
            self.readings
                .borrow_mut()
                .insert(job.job_ref.clone(), reading.clone());
        }
    }

    async fn plan(&self, spec: &JobSpec) -> Plan {
        let policy = Policy::default();
        let assessment = self.provider.assess(spec, &policy);
        assert!(assessment.refusals.is_empty(), "{:?}", assessment.refusals);
        let survey = self.provider.survey(spec).await.unwrap();
        let marker = Marker::random(fastrand::u128(..).to_be_bytes(), &spec_hash(spec));
        let input = PlanInput {
            spec,
            marker: &marker,
            policy: &policy,
            secrets: &BTreeMap::new(),
            registry_password: None,
        };
        self.provider.plan(&input, &survey).unwrap()
    }

    /// Polls until the job has ended.
    async fn end_of(&self, job_ref: &ResourceRef, cancelled: bool) -> Job {
        for _ in 0..2_000 {
            let job = self.look(job_ref, cancelled).await.unwrap();
            if job.terminal {
                return job;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        panic!("{job_ref} does not end");
    }

    async fn look(&self, job_ref: &ResourceRef, cancelled: bool) -> Option<Job> {
        let tracked = Tracked {
            job_ref: job_ref.clone(),
            cancel_requested_at: cancelled.then(gpujob::model::Timestamp::now),
            time_limit_s: None,
            reading: self.readings.borrow().get(job_ref).cloned(),
            start_by: None,
        };
        let seen = self.provider.observe(&[tracked]).await.unwrap();
        match seen.into_iter().next().unwrap() {
            Observation::Seen(job) => {
                self.keep(&job);
                Some(*job)
            }
            Observation::Missing | Observation::Unread(_) => None,
        }
    }

    async fn reaches(&self, job_ref: &ResourceRef, state: State) {
        for _ in 0..2_000 {
            if self.look(job_ref, false).await.unwrap().state == state {
                return;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        panic!("{job_ref} does not become {state}");
    }
}

fn provider(config: &Path, backend: Backend, variables: &[(&str, &str)]) -> Box<dyn Provider> {
    let environment = Environment::for_tests(variables.iter().copied());
    let config = Config::load(Some(config), &environment).unwrap();
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

/// The job every backend can run, with this command.
fn spec(command: &[&str]) -> JobSpec {
    let words = serde_json::to_string(command).unwrap();
    let text = format!(
        "name: contract suite\nimage: tool:1\ncommand: {words}\nresources: {{gpu: {{model: V100, count: 1}}}}\ntimeout: 5m\n"
    );
    parse_document("job.yaml", &text, None).unwrap()
}
