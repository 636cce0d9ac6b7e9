//! Providers: one folder per backend behind one trait (design.md §2.3).
//!
//! A planner (`plan.rs`, pure) turns a spec into request templates and a level report, or into *all* its refusals; a
//! parser (`parse.rs`, pure) folds answers into the model; `mod.rs` of each backend is the thin shell that sends.
//! Rarer abilities are separate traits behind accessors: absent means unsupported, and [`Capabilities`] says why.
//! A backend never imports another's folder.

mod caps;
pub mod chooser;
mod connect;
pub mod cyclecloud;
mod files;
pub mod gongji;
mod logs;
pub mod money;
pub mod pai_dlc;
pub mod paracloud;
mod plan;
mod raw;
pub mod time;

use std::fmt;

use async_trait::async_trait;
use serde_json::Value;

use crate::error::{Error, Result};
use crate::model::{
    Backend, Event, Job, JobCost, Marker, Namespace, Offer, ResourceRef, State, Timestamp,
    TransferCredentials, Volume,
};
use crate::sign::Scheme;
use crate::spec::JobSpec;

pub use caps::{Capabilities, Support, Verb, table};
pub use connect::{Kit, capabilities, connect};
pub use files::{FileSink, Files, KeptAccess, KeptCredentials};
pub use logs::{LogLook, LogPiece, LogReader, LogSource, LogStart, LogStream, Logs};
pub use plan::{ARRAY, Assessment, Plan, PlanInput, PlanRefusal, Policy, Survey, Upload};
pub use raw::{RawCall, RawPath, RawRequest};

/// A configured account on one backend.
#[async_trait]
pub trait Provider: fmt::Debug + Send + Sync {
    /// The name in the configuration, which is the first part of its refs.
    fn name(&self) -> &str;

    fn backend(&self) -> Backend;

    /// How its requests are authenticated.
    fn scheme(&self) -> Scheme;

    /// What it can do, and for the rest why not and what instead.
    fn capabilities(&self) -> &'static Capabilities;

    /// First and later pauses between polls (job-model.md §6.1).
    fn polling(&self) -> Polling;

    /// What the spec alone shows: the level of every field, and every refusal. Pure; nothing is sent.
    fn assess(&self, spec: &JobSpec, policy: &Policy) -> Assessment;

    /// Where the marker of a job of this spec would be looked up: what a key is searched in before anything is surveyed.
    async fn scope(&self, spec: &JobSpec) -> Result<String>;

    /// The reads before a create: authentication, catalogue, volumes.
    async fn survey(&self, spec: &JobSpec) -> Result<Survey>;

    /// Spec and survey to requests, or all refusals. Pure; what it returns is what `explain` shows and `submit` sends.
    fn plan(&self, input: &PlanInput<'_>, survey: &Survey) -> Result<Plan, PlanRefusal>;

    /// Puts the plan's files where the job will read them. It comes before the create, and creates nothing that runs.
    async fn stage(&self, plan: &Plan) -> Result<()>;

    /// Takes the plan's files away again, after a create that was definitely refused. What fails here is only told.
    async fn unstage(&self, plan: &Plan);

    /// Sends the create of a plan, once.
    async fn create(&self, plan: &Plan) -> Creation<Job>;

    /// Jobs that carry the marker's ten identifying characters, created since about `since`.
    async fn find(&self, marker: &Marker, scope: &str, since: Timestamp) -> Result<Vec<Job>>;

    /// The present state of many jobs with as few requests as the provider allows, in the order asked.
    async fn observe(&self, jobs: &[Tracked]) -> Result<Vec<Observation>>;

    /// The record of a job that has ended, from its reading alone; `None` where readings hold none. Nothing is sent.
    fn recall(&self, _job: &Tracked) -> Option<Job> {
        None
    }

    /// Recent jobs, newest first.
    async fn list(&self, filter: &ListFilter) -> Result<Listing>;

    /// Full refs of a bare provider id; several when it is ambiguous, none when it is unknown.
    async fn resolve(&self, id: &str) -> Result<Vec<ResourceRef>>;

    /// Asks for a job's end. The engine has read the job before and reads it again after.
    async fn cancel(&self, job: &ResourceRef) -> Result<()>;

    /// What a cancel destroys beside the run, for people who are about to ask for one.
    fn cancel_means(&self) -> Option<&'static str> {
        None
    }

    /// Everything that can be rented.
    async fn types(&self) -> Result<Vec<Offer>>;

    /// A request that a user wrote, as this provider signs and sends its own (cli.md §10, `api`). Pure.
    fn raw(&self, request: RawRequest) -> Result<RawCall>;

    /// Storage, where the provider has it.
    fn volumes(&self) -> Option<&dyn Volumes>;

    /// Namespaces, where the provider has them.
    fn namespaces(&self) -> Option<&dyn Namespaces>;

    /// The files in volumes, where the provider gives access.
    fn files(&self) -> Option<&dyn Files>;

    /// What jobs wrote, where the provider tells it.
    fn logs(&self) -> Option<&dyn Logs>;

    /// What happened to jobs, where the provider tells it.
    fn events(&self) -> Option<&dyn Events>;

    /// What jobs have cost, where the provider tells it.
    fn cost(&self) -> Option<&dyn Costs>;
}

/// The outcome of a create. Only the engine may turn `Ambiguous` into something else.
#[derive(Debug)]
pub enum Creation<T> {
    Accepted(T),
    /// Definite: nothing was created.
    Refused(Error),
    /// Sent, and nobody can tell.
    Ambiguous(Error),
}

/// A job to observe, with what this machine remembers of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Tracked {
    pub job_ref: ResourceRef,
    /// When a cancel was first asked for from this machine.
    pub cancel_requested_at: Option<Timestamp>,
    /// The time limit that was asked for at submit, in seconds.
    pub time_limit_s: Option<u64>,
    /// What the provider handed back as [`Job::reading`] at its last look, or at the create.
    pub reading: Option<Value>,
    /// By when it must have its resources, where a wait has said so (`--start-timeout`).
    pub start_by: Option<Timestamp>,
}

/// One poll's result for one job.
#[derive(Debug, Clone, PartialEq)]
pub enum Observation {
    Seen(Box<Job>),
    /// The provider does not know it; the engine decides what that means.
    Missing,
    /// It could not be read, while others could: a failed poll, and no state (job-model.md §6).
    Unread(Error),
}

/// What `status` without refs asks for.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ListFilter {
    /// Created since; `None` is everything.
    pub since: Option<Timestamp>,
    /// At most so many; `None` is all.
    pub limit: Option<usize>,
    /// Only these states; empty is all.
    pub states: Vec<State>,
    /// A namespace or workspace other than the configured one.
    pub namespace: Option<String>,
    /// What this machine remembers of the provider's jobs: some APIs hide that a cancel or a limit ended a job.
    pub remembered: Vec<Tracked>,
}

impl ListFilter {
    /// What this machine remembers of a listed job.
    pub fn memory_of(&self, job_ref: &ResourceRef) -> Option<&Tracked> {
        self.remembered
            .iter()
            .find(|tracked| tracked.job_ref == *job_ref)
    }
}

/// A list, and whether it is whole.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Listing {
    pub jobs: Vec<Job>,
    /// Why the list is known to be incomplete.
    pub truncated: Option<String>,
    /// Whether the provider forgets jobs that have ended: those of the journal must be added (job-model.md §7).
    pub forgets_ended: bool,
    /// Jobs that were looked at and that the filter leaves out; what was seen of them counts as a look.
    pub left_out: Vec<Job>,
}

/// Pauses between polls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Polling {
    pub first: std::time::Duration,
    pub cap: std::time::Duration,
    /// The cap once a job has been watched for ten minutes.
    pub late_cap: std::time::Duration,
    /// Never faster than this, except against loopback.
    pub floor: std::time::Duration,
    /// How many looks in a row must miss a job that was seen before it counts as gone.
    pub misses: u32,
    /// Whether the service is on this machine.
    pub loopback: bool,
}

/// Storage that jobs can mount.
#[async_trait]
pub trait Volumes: Send + Sync {
    async fn list(&self, namespace: Option<&str>) -> Result<Vec<Volume>>;

    /// One volume by ref.
    async fn get(&self, volume: &ResourceRef) -> Result<Volume>;

    /// What a bare id can mean.
    async fn resolve(&self, id: &str) -> Result<Vec<ResourceRef>>;

    /// What the request alone shows to be impossible, without any request to the provider.
    fn check(&self, _request: &VolumeRequest) -> Result<()> {
        Ok(())
    }

    /// Checks the request and makes the one create; refusals are `spec` errors before anything is sent.
    async fn create(&self, request: &VolumeRequest) -> Creation<CreatedVolume>;

    /// Why the volume should not be deleted now, such as jobs that mount it; empty when nothing speaks against it.
    async fn obstacles(&self, volume: &ResourceRef) -> Result<Vec<String>>;

    /// What deleting means here, for the question and the note: data lost, or a registration removed.
    fn deletion_means(&self) -> &'static str;

    async fn delete(&self, volume: &ResourceRef, force: bool) -> Result<()>;
}

/// `volumes create`.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct VolumeRequest {
    pub namespace: Option<String>,
    pub cluster: Option<String>,
    pub name: Option<String>,
    pub size_bytes: Option<u64>,
    /// Whether transfer access is wanted where the provider offers it.
    pub transfer: bool,
    /// `--set k=v`, in order.
    pub settings: Vec<(String, String)>,
}

/// A created volume.
#[derive(Debug, Clone)]
pub struct CreatedVolume {
    pub volume: Volume,
    /// Shown once by the provider; the command stores and prints them before anything else.
    pub credentials: Option<TransferCredentials>,
    /// Set when asked-for credentials were not in the answer: the volume exists all the same.
    pub missing_credentials: bool,
}

/// The containers of jobs.
#[async_trait]
pub trait Namespaces: Send + Sync {
    async fn list(&self) -> Result<Vec<Namespace>>;

    /// What the arguments of a create alone show to be impossible, without any request to the provider.
    fn check(&self, _name: Option<&str>, _settings: &[(String, String)]) -> Result<()> {
        Ok(())
    }

    /// `None` where the provider's API cannot create one (then `Capabilities` says so).
    async fn create(
        &self,
        name: Option<&str>,
        settings: &[(String, String)],
    ) -> Creation<Namespace>;

    /// What would be lost or speaks against deleting it.
    async fn obstacles(&self, id: &str) -> Result<Vec<String>>;

    async fn delete(&self, id: &str, force: bool) -> Result<()>;
}

/// What happened to jobs.
#[async_trait]
pub trait Events: Send + Sync {
    /// Everything that is told about a job and its pods, by time; empty before anything has happened, `not-found` for a
    /// job that the provider does not know.
    async fn events_of(&self, job: &ResourceRef) -> Result<Vec<Event>>;

    /// What is given as reasons why a job that waits does so, for `--fail-if reason=…`.
    async fn reasons_of(&self, job: &ResourceRef) -> Result<Vec<String>> {
        let events = self.events_of(job).await?;
        let reasons = events.iter().flat_map(Event::reasons);
        Ok(reasons.map(str::to_owned).collect())
    }
}

/// What jobs have cost.
#[async_trait]
pub trait Costs: Send + Sync {
    /// What jobs have cost so far, in the order asked; `None` for a job that the provider does not know.
    async fn costs_of(&self, jobs: &[ResourceRef]) -> Result<Vec<Option<JobCost>>>;
}

/// The provider's object with values of the given secrets replaced, for `raw`.
pub fn redacted(value: &Value, secrets: &[&str]) -> Value {
    match value {
        Value::String(text) => Value::String(mask(text, secrets)),
        Value::Array(items) => items.iter().map(|item| redacted(item, secrets)).collect(),
        Value::Object(members) => members
            .iter()
            .map(|(key, item)| (key.clone(), redacted(item, secrets)))
            .collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) => value.clone(),
    }
}

/// The text with every occurrence of a secret replaced.
fn mask(text: &str, secrets: &[&str]) -> String {
    secrets
        .iter()
        .filter(|secret| !secret.is_empty())
        .fold(text.to_owned(), |text, secret| text.replace(secret, "••••"))
}
