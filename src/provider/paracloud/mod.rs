//! Paracloud ECI: jobs are container groups on one node (paracloud.md).
//!
//! This file is thin glue: it sends what the pure modules built and hands answers to the pure parsers. It never judges
//! an unclear create, never guesses a route, and never uses the cluster wildcard where §2.2 does not allow it.

mod caps;
mod catalogue;
mod dialect;
mod echo;
mod exit_codes;
mod files;
mod ids;
mod jobs;
mod lenient;
mod logs;
mod namespaces;
mod options;
mod parse;
mod plan;
mod reading;
mod record;
mod routes;
mod script;
mod staging;
mod state;
mod volumes;
mod wire;

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use futures_util::future;
use serde_json::Value;
use tokio::sync::OnceCell;

use crate::error::{Error, Kind, Result};
use crate::http::{BaseUrl, Failure, Fate, Session, Streaming, Template};
use crate::model::{Backend, Job, Marker, Offer, ResourceRef, Timestamp};
use crate::sign::Scheme;
use crate::spec::JobSpec;

use super::raw::Manner;
use super::{
    Assessment, Capabilities, Costs, Creation, Events, Files, KeptCredentials, ListFilter, Listing,
    Logs, Namespaces, Observation, Plan, PlanInput, PlanRefusal, Policy, Polling, Provider,
    RawCall, RawRequest, Survey, Tracked, Volumes,
};

pub use caps::CAPABILITIES;
pub use dialect::ParacloudDialect;

/// Where the service is, unless `base-url` says otherwise (§1.1).
pub const DEFAULT_BASE_URL: &str = "https://eci.paracloud.com";

/// How a request that a user wrote is sent.
const MANNER: Manner = Manner {
    content_type: "application/json",
    // The service answers 415 without (paracloud.md §1.5).
    types_every_write: true,
    enveloped: None,
    signed: &["authorization"],
    fixed: &[],
    takes_action: false,
    is_canonical: false,
};

/// What a configured Paracloud account is made of.
#[derive(Debug, Clone)]
pub struct Connection {
    /// The name in the configuration.
    pub name: String,
    /// Sends with the account's token and [`ParacloudDialect`].
    pub session: Session,
    pub base: BaseUrl,
    /// The configured namespace.
    pub namespace: Option<String>,
    pub transfer: Transfer,
}

/// What moving files needs beside the account (§6).
#[derive(Debug, Clone)]
pub struct Transfer {
    pub streaming: Arc<dyn Streaming>,
    pub kept: Arc<dyn KeptCredentials>,
}

/// A configured Paracloud account.
#[derive(Debug)]
pub struct Paracloud {
    name: String,
    session: Session,
    routes: routes::Routes,
    namespace: Option<String>,
    transfer: Transfer,
    /// Read once, for the GPUs in job records; empty when it could not be read.
    offers: OnceCell<Vec<Offer>>,
    /// Jobs that took a cancel from here: what they have not read yet they need not read.
    stopped: Mutex<BTreeSet<ResourceRef>>,
}

impl Paracloud {
    /// A provider over a connection; nothing is sent.
    pub fn new(connection: Connection) -> Self {
        Self {
            name: connection.name,
            session: connection.session,
            routes: routes::Routes::new(connection.base),
            namespace: connection.namespace,
            transfer: connection.transfer,
            offers: OnceCell::new(),
            stopped: Mutex::default(),
        }
    }

    /// Whether a cancel of the job was taken from here.
    fn was_stopped(&self, job: &ResourceRef) -> bool {
        let stopped = self.stopped.lock().unwrap_or_else(PoisonError::into_inner);
        stopped.contains(job)
    }

    fn planner(&self) -> plan::Planner<'_> {
        plan::Planner {
            provider: &self.name,
            namespace: self.namespace.as_deref(),
            routes: &self.routes,
        }
    }

    /// Sends a read and returns the object in its answer.
    async fn read(&self, template: &Template) -> Result<Value> {
        let answer = self
            .session
            .send(template)
            .await
            .map_err(|failure| self.named(failure.error))?;
        parse::object(&answer, template.operation).map_err(|error| self.named(error))
    }

    /// Sends a read of a list.
    async fn read_list(&self, template: &Template, key: &str) -> Result<parse::List> {
        let body = self.read(template).await?;
        parse::list(&body, key).map_err(|error| self.named(error))
    }

    /// Sends a delete; "not found" on a repeat means that the lost answer was a success (§7.4).
    async fn send_delete(&self, template: &Template) -> Result<()> {
        match self.session.send(template).await {
            Ok(_) => Ok(()),
            Err(failure) if failure.attempts > 1 && failure.error.kind() == Kind::NotFound => {
                Ok(())
            }
            Err(failure) => Err(self.named(failure.error)),
        }
    }

    /// The catalogue, fresh; entries that could not be read are told.
    async fn read_catalogue(&self) -> Result<Vec<Offer>> {
        let list = self
            .read_list(&self.routes.list_instance_types(), "instanceTypes")
            .await?;
        let catalogue = catalogue::catalogue(&list, Some(self.session.clock.now()));
        if catalogue.unreadable > 0 {
            self.session.reporter.warning(&format!(
                "`{}`: {} instance types could not be read and are not shown",
                self.name, catalogue.unreadable
            ));
        }
        if list.truncated {
            self.session.reporter.warning(&format!(
                "`{}`: the list of instance types is not whole",
                self.name
            ));
        }
        Ok(catalogue.offers)
    }

    /// The catalogue for job records. Without it a record lacks its GPU, which is no reason to fail.
    async fn known_offers(&self) -> &[Offer] {
        self.offers
            .get_or_init(|| async {
                match self.read_catalogue().await {
                    Ok(offers) => offers,
                    Err(error) => {
                        self.session.reporter.detail(
                            1,
                            &format!("`{}`: no catalogue, so no GPUs: {error}", self.name),
                        );
                        Vec::new()
                    }
                }
            })
            .await
    }

    /// A create that did not succeed: nothing happened, or nobody can tell.
    fn unsuccessful<T>(&self, failure: Failure) -> Creation<T> {
        let error = self.named(failure.error);
        match failure.fate {
            Fate::Unsent | Fate::Refused => Creation::Refused(error),
            Fate::Unclear => Creation::Ambiguous(error),
        }
    }

    fn named(&self, error: Error) -> Error {
        error.with_provider(&self.name)
    }
}

#[async_trait]
impl Provider for Paracloud {
    fn name(&self) -> &str {
        &self.name
    }

    fn backend(&self) -> Backend {
        Backend::Paracloud
    }

    fn scheme(&self) -> Scheme {
        self.session.signer.scheme()
    }

    fn capabilities(&self) -> &'static Capabilities {
        &CAPABILITIES
    }

    /// §5.4; no limit is documented.
    fn polling(&self) -> Polling {
        Polling {
            first: Duration::from_secs(2),
            cap: Duration::from_secs(15),
            late_cap: Duration::from_secs(30),
            floor: Duration::from_secs(2),
            misses: 2,
            loopback: self.routes.is_loopback(),
        }
    }

    fn assess(&self, spec: &JobSpec, policy: &Policy) -> Assessment {
        self.planner().assess(spec, *policy)
    }

    async fn scope(&self, spec: &JobSpec) -> Result<String> {
        let asked = spec.placement.namespace.as_deref();
        let namespace = self.choose_namespace(asked).await?;
        Ok(plan::scope(&namespace.id))
    }

    /// The namespaces come first: they are the check of the token (§9.4).
    async fn survey(&self, spec: &JobSpec) -> Result<Survey> {
        let namespace = self
            .choose_namespace(spec.placement.namespace.as_deref())
            .await?;
        let (offers, volumes) = future::try_join(self.read_catalogue(), async {
            if spec.mounts.is_empty() && !plan::names_script_volume(spec) {
                Ok(Vec::new())
            } else {
                self.volumes_of(&namespace.id).await
            }
        })
        .await?;
        Ok(Survey {
            as_of: Some(self.session.clock.now()),
            namespace: Some(namespace),
            offers,
            transfer: self.reachable(&volumes),
            volumes,
        })
    }

    fn plan(&self, input: &PlanInput<'_>, survey: &Survey) -> Result<Plan, PlanRefusal> {
        self.planner().plan(input, survey)
    }

    async fn stage(&self, plan: &Plan) -> Result<()> {
        self.stage_files(plan).await
    }

    async fn unstage(&self, plan: &Plan) {
        self.unstage_files(plan).await;
    }

    async fn create(&self, plan: &Plan) -> Creation<Job> {
        self.create_job(plan).await
    }

    /// The API tells no time of creation, so `since` cannot narrow the search; the marker is enough.
    async fn find(&self, marker: &Marker, scope: &str, _since: Timestamp) -> Result<Vec<Job>> {
        self.find_jobs(marker, scope).await
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
        self.cancel_job(job).await?;
        let mut stopped = self.stopped.lock().unwrap_or_else(PoisonError::into_inner);
        stopped.insert(job.clone());
        Ok(())
    }

    /// §3.6.
    fn cancel_means(&self) -> Option<&'static str> {
        Some("what it wrote elsewhere than to a mounted volume is lost")
    }

    async fn types(&self) -> Result<Vec<Offer>> {
        self.read_catalogue().await
    }

    fn raw(&self, request: RawRequest) -> Result<RawCall> {
        RawCall::new(&self.session, self.routes.base(), request, MANNER)
            .map_err(|error| self.named(error))
    }

    fn volumes(&self) -> Option<&dyn Volumes> {
        Some(self)
    }

    fn namespaces(&self) -> Option<&dyn Namespaces> {
        Some(self)
    }

    fn files(&self) -> Option<&dyn Files> {
        Some(self)
    }

    fn logs(&self) -> Option<&dyn Logs> {
        Some(self)
    }

    fn events(&self) -> Option<&dyn Events> {
        None
    }

    fn cost(&self) -> Option<&dyn Costs> {
        None
    }
}

#[cfg(test)]
mod tests;
