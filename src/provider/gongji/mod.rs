//! Gongji (共绩算力, suanli.cn): jobs are tasks with pods called points (gongji.md).
//!
//! Thin glue: `api` builds requests, `plan` decides what a job becomes, `parse` reads answers, `dialect` judges them.
//! A create is never sent twice from here, and no mark is ever used that was not just read.

pub mod api;
mod caps;
mod choose;
mod costs;
mod dialect;
mod draft;
mod events;
mod jobs;
mod joint;
mod log_reader;
mod logs;
mod money;
mod mounts;
mod nas;
pub mod offers;
mod options;
mod pages;
pub mod parse;
pub mod plan;
mod pods;
mod program;
mod shape;
mod sift;
mod state;
mod stop;
mod storage;
mod survey;
mod volumes;
pub mod wire;

use std::time::Duration;

use async_trait::async_trait;
use serde_json::Value;

use crate::error::{Error, Kind, Result};
use crate::http::{Answer, BaseUrl, Failure, Fate, Session};
use crate::model::{Backend, Job, Marker, Offer, ResourceRef, Timestamp};
use crate::sign::Scheme;
use crate::spec::JobSpec;

use super::raw::Manner;
use super::{
    Assessment, Capabilities, Costs, Creation, Events, Files, ListFilter, Listing, Logs,
    Namespaces, Observation, Plan, PlanInput, PlanRefusal, Policy, Polling, Provider, RawCall,
    RawRequest, Survey, Tracked, Volumes,
};

pub use api::DEFAULT_BASE_URL;
pub use caps::CAPABILITIES;
pub use dialect::GongjiDialect;
pub use draft::Account;
pub use options::KEYS;
pub use storage::StorageKind;

/// No answer takes longer, says the contract (§7.4): the session's read limit.
pub const READ_LIMIT: Duration = Duration::from_secs(30);

/// How a request that a user wrote is sent.
const MANNER: Manner = Manner {
    content_type: "application/json",
    types_every_write: true,
    // Every answer has one (gongji.md §0).
    enveloped: Some("api"),
    signed: &["token", "timestamp", "version", "sign_str"],
    fixed: &[],
    takes_action: false,
    is_canonical: false,
};

/// What a provider is made of.
#[derive(Debug, Clone)]
pub struct Connection {
    /// The name in the configuration.
    pub name: String,
    /// Signs with the account's token and key, judges with [`GongjiDialect`], and reads for [`READ_LIMIT`].
    pub session: Session,
    pub base: BaseUrl,
    /// The region of offers for jobs that name none.
    pub region: Option<String>,
}

/// One account on Gongji.
#[derive(Debug)]
pub struct Gongji {
    name: String,
    session: Session,
    api: api::Api,
    region: Option<String>,
    restarts: logs::Restarts,
}

impl Gongji {
    /// A provider on a connection; nothing is sent.
    pub fn new(connection: Connection) -> Self {
        Self {
            name: connection.name,
            session: connection.session,
            api: api::Api::new(connection.base),
            region: connection.region.filter(|region| !region.is_empty()),
            restarts: logs::Restarts::default(),
        }
    }

    fn account(&self) -> Account<'_> {
        Account {
            name: &self.name,
            api: &self.api,
            region: self.region.as_deref(),
        }
    }

    fn named(&self, error: Error) -> Error {
        error.with_provider(&self.name)
    }

    fn now(&self) -> Timestamp {
        self.session.clock.now()
    }

    fn warn(&self, text: &str) {
        self.session
            .reporter
            .warning(&format!("`{}`: {text}", self.name));
    }

    /// A create that did not succeed, by its fate alone.
    fn unsuccessful<T>(&self, failure: Failure) -> Creation<T> {
        let error = self.named(failure.error);
        match failure.fate {
            Fate::Unsent | Fate::Refused => Creation::Refused(error),
            Fate::Unclear => Creation::Ambiguous(error),
        }
    }

    fn refuse_namespace(&self, namespace: Option<&str>) -> Result<()> {
        match namespace {
            None => Ok(()),
            Some(namespace) => Err(self.named(
                Error::new(
                    Kind::Spec,
                    "unsupported_field",
                    format!("there is no namespace `{namespace}`: accounts on Gongji have none"),
                )
                .with_hint("leave out `--namespace`"),
            )),
        }
    }
}

/// The `data` of an envelope; null where there is none.
fn data_of(answer: &Answer) -> Value {
    match answer.json() {
        Ok(Value::Object(mut members)) => members.remove("data").unwrap_or_default(),
        Ok(_) | Err(_) => Value::Null,
    }
}

#[async_trait]
impl Provider for Gongji {
    fn name(&self) -> &str {
        &self.name
    }

    fn backend(&self) -> Backend {
        Backend::Gongji
    }

    fn scheme(&self) -> Scheme {
        self.session.signer.scheme()
    }

    fn capabilities(&self) -> &'static Capabilities {
        &CAPABILITIES
    }

    fn polling(&self) -> Polling {
        Polling {
            first: Duration::from_secs(10),
            cap: Duration::from_secs(30),
            late_cap: Duration::from_secs(30),
            // The vendor's own advice (§2.5).
            floor: Duration::from_secs(10),
            // Three times in a row (cli.md §10, "Small print").
            misses: 3,
            loopback: self.api.base().is_loopback(),
        }
    }

    fn assess(&self, spec: &JobSpec, policy: &Policy) -> Assessment {
        plan::assess(self.account(), spec, policy)
    }

    async fn scope(&self, _spec: &JobSpec) -> Result<String> {
        Ok(plan::scope().to_owned())
    }

    async fn survey(&self, spec: &JobSpec) -> Result<Survey> {
        self.look_around(spec).await
    }

    fn plan(&self, input: &PlanInput<'_>, survey: &Survey) -> Result<Plan, PlanRefusal> {
        plan::plan(self.account(), input, survey)
    }

    /// Plans have no files here.
    async fn stage(&self, _plan: &Plan) -> Result<()> {
        Ok(())
    }

    async fn unstage(&self, _plan: &Plan) {}

    async fn create(&self, plan: &Plan) -> Creation<Job> {
        self.create_job(plan).await
    }

    async fn find(&self, marker: &Marker, _scope: &str, since: Timestamp) -> Result<Vec<Job>> {
        self.find_jobs(marker, since).await
    }

    async fn observe(&self, jobs: &[Tracked]) -> Result<Vec<Observation>> {
        self.observe_jobs(jobs).await
    }

    async fn list(&self, filter: &ListFilter) -> Result<Listing> {
        self.list_jobs(filter).await
    }

    async fn resolve(&self, id: &str) -> Result<Vec<ResourceRef>> {
        self.resolve_job(id).await
    }

    async fn cancel(&self, job: &ResourceRef) -> Result<()> {
        self.stop(job).await
    }

    async fn types(&self) -> Result<Vec<Offer>> {
        self.catalogue().await
    }

    fn raw(&self, request: RawRequest) -> Result<RawCall> {
        RawCall::new(&self.session, self.api.base(), request, MANNER)
            .map_err(|error| self.named(error))
    }

    fn volumes(&self) -> Option<&dyn Volumes> {
        Some(self)
    }

    fn namespaces(&self) -> Option<&dyn Namespaces> {
        None
    }

    fn files(&self) -> Option<&dyn Files> {
        None
    }

    fn logs(&self) -> Option<&dyn Logs> {
        Some(self)
    }

    fn events(&self) -> Option<&dyn Events> {
        Some(self)
    }

    fn cost(&self) -> Option<&dyn Costs> {
        Some(self)
    }
}

#[cfg(test)]
mod tests;
