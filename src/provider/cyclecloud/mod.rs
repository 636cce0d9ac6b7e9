//! Azure CycleCloud: the client (cyclecloud.md; job-model.md, column CycleCloud).
//!
//! The API starts and stops nodes; what a job is, is gpujob's own convention: a create of nodes under a request id, and a
//! runner on the nodes. Thin glue: `routes` builds requests, `plan` decides what a job becomes, `record` and `state` read
//! what nodes say, `dialect` judges answers. A create is never sent twice from here, and nothing at all is sent after a 401.

mod answers;
mod by_files;
mod caps;
mod dialect;
mod fields;
mod gpus;
mod history;
mod jobs;
mod logs;
mod namespaces;
mod node;
mod observing;
mod offers;
mod options;
mod payload;
mod plan;
mod record;
mod request_id;
mod results;
mod routes;
mod runner;
mod shares;
mod state;
mod status;
mod together;
mod verdict;
mod volumes;

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use async_trait::async_trait;
use jiff::SignedDuration;
use serde_json::Value;

use crate::error::{Error, Kind, Result};
use crate::http::{Answer, BaseUrl, Failure, Fate, Session, Template};
use crate::model::{Backend, Job, Marker, Namespace, Offer, ResourceRef, Timestamp};
use crate::sign::Scheme;
use crate::spec::JobSpec;

use super::raw::Manner;
use super::{
    Assessment, Capabilities, Costs, Creation, Events, Files, ListFilter, Listing, Logs,
    Namespaces, Observation, Plan, PlanInput, PlanRefusal, Policy, Polling, Provider, RawCall,
    RawRequest, Survey, Tracked, Volumes,
};

pub use answers::{
    ClusterUsage, Created, CreatedSet, Interval, Managed, ManagedNode, NodeList, Operation,
    UsageDetail, UsageItem,
};
pub use caps::CAPABILITIES;
pub use dialect::CyclecloudDialect;
pub use gpus::{MACHINES, Machine};
pub use node::{Node, Phase};
pub use options::{KEYS, Mode};
pub use payload::{Payload, TAG_ID, TAG_NAME, TAG_SPEC, TAG_START_TIMEOUT};
pub use results::{Exit, Exits, MountedResults, Output, Results};
pub use routes::{CLUSTER_STATUS, CREATE_NODES, LIST_NODES, Routes, TERMINATE_NODES, Termination};
pub use runner::{RUNNER, instructions};
pub use status::{Bucket, ClusterStatus, NodeArray, PlacementGroup, Quota, VirtualMachine};

/// Polls are no closer together (§1.4).
const FLOOR: SignedDuration = SignedDuration::from_secs(5);
/// The pauses of polls go by another clock than the times of looks.
const CLOCK_SLEW: SignedDuration = SignedDuration::from_millis(100);

/// How a request that a user wrote is sent.
const MANNER: Manner = Manner {
    content_type: "application/json",
    types_every_write: false,
    enveloped: None,
    signed: &["authorization"],
    fixed: &[("x-cycle-client-version", routes::CLIENT)],
    takes_action: false,
    is_canonical: false,
};

/// What a provider is made of.
#[derive(Debug, Clone)]
pub struct Connection {
    /// The name in the configuration.
    pub name: String,
    /// Signs with [`crate::sign::Basic`] or [`crate::sign::Bearer`], and judges with [`CyclecloudDialect`].
    pub session: Session,
    pub base: BaseUrl,
    /// The cluster of jobs that name none.
    pub cluster: Option<String>,
    /// The nodearray of jobs that name none.
    pub nodearray: Option<String>,
    /// The shared directory for output, as the nodes see it.
    pub result_dir: Option<String>,
    pub mode: Mode,
    /// Where exit files are looked for; usually [`MountedResults`].
    pub results: Arc<dyn Results>,
}

/// One account on one CycleCloud server.
#[derive(Debug)]
pub struct Cyclecloud {
    name: String,
    session: Session,
    routes: Routes,
    cluster: Option<String>,
    nodearray: Option<String>,
    result_dir: Option<String>,
    mode: Mode,
    results: Arc<dyn Results>,
    /// The first 401: nothing is sent after it, since five of them lock the account (§2.1).
    refused: OnceLock<Error>,
    /// Directories of results that were here at some look: when one is not, it will be back.
    shares: Mutex<BTreeSet<String>>,
}

impl Cyclecloud {
    /// A provider over a connection; nothing is sent.
    pub fn new(connection: Connection) -> Self {
        let set = |text: Option<String>| text.filter(|text| !text.is_empty());
        Self {
            name: connection.name,
            session: connection.session,
            routes: Routes::new(connection.base),
            cluster: set(connection.cluster),
            nodearray: set(connection.nodearray),
            result_dir: set(connection.result_dir),
            mode: connection.mode,
            results: connection.results,
            refused: OnceLock::new(),
            shares: Mutex::default(),
        }
    }

    fn account(&self) -> plan::Account<'_> {
        plan::Account {
            name: &self.name,
            routes: &self.routes,
            cluster: self.cluster.as_deref(),
            nodearray: self.nodearray.as_deref(),
            result_dir: self.result_dir.as_deref(),
            mode: self.mode,
        }
    }

    /// Sends, unless the credentials were refused before.
    async fn send(&self, template: &Template) -> Result<Answer, Failure> {
        if let Some(error) = self.refused.get() {
            return Err(Failure {
                fate: Fate::Unsent,
                error: error.clone(),
                answer: None,
                attempts: 0,
            });
        }
        let result = self.session.send(template).await;
        if let Err(failure) = &result
            && failure.error.details().http_status == Some(401)
        {
            self.refused.get_or_init(|| failure.error.clone());
        }
        result
    }

    /// Sends a read and returns the JSON in its answer.
    async fn read(&self, template: &Template) -> Result<Value> {
        let answer = self
            .send(template)
            .await
            .map_err(|failure| self.named(failure.error))?;
        answer.json().map_err(|error| {
            self.named(
                Error::new(
                    Kind::Protocol,
                    "unexpected_answer",
                    format!("the answer to `{}` is no JSON", template.operation),
                )
                .with_cause(error),
            )
        })
    }

    /// The cluster that is asked for, else the configured one.
    fn chosen_cluster<'a>(&'a self, asked: Option<&'a str>) -> Result<&'a str> {
        asked
            .filter(|cluster| !cluster.is_empty())
            .or(self.cluster.as_deref())
            .ok_or_else(|| {
                self.named(
                    Error::new(
                        Kind::Config,
                        "missing_cluster",
                        format!(
                            "`{}` has no cluster, and the API does not list them",
                            self.name
                        ),
                    )
                    .with_hint("set `cluster` in the configuration"),
                )
            })
    }

    fn job_ref(&self, cluster: &str, request_id: &str) -> ResourceRef {
        ResourceRef::new(self.name.as_str(), [cluster, request_id])
    }

    /// Cluster and request id of a job ref of this provider.
    fn parts<'a>(&self, reference: &'a ResourceRef) -> Result<(&'a str, &'a str)> {
        match reference.path.as_slice() {
            [cluster, id] if reference.provider == self.name => Ok((cluster, id)),
            _ => Err(self.named(Error::new(
                Kind::Usage,
                "bad_ref",
                format!("`{reference}` is no `{}/CLUSTER/REQUEST-ID`", self.name),
            ))),
        }
    }

    fn named(&self, error: Error) -> Error {
        error.with_provider(&self.name)
    }

    fn now(&self) -> Timestamp {
        self.session.clock.now()
    }

    /// Reads results off this thread: a share may hang, and that must make nobody deaf to Ctrl-C or the end of a time.
    async fn on_share<T: Send + 'static>(
        &self,
        read: impl FnOnce(&dyn Results) -> T + Send + 'static,
    ) -> Result<T> {
        let results = Arc::clone(&self.results);
        tokio::task::spawn_blocking(move || read(&*results))
            .await
            .map_err(|error| self.named(Error::internal(format!("reading results: {error}"))))
    }

    /// Looks count as two when a poll could lie between them (§1.4), against this machine always.
    fn apart(&self) -> SignedDuration {
        if self.routes.base().is_loopback() {
            SignedDuration::ZERO
        } else {
            FLOOR - CLOCK_SLEW
        }
    }
}

#[async_trait]
impl Provider for Cyclecloud {
    fn name(&self) -> &str {
        &self.name
    }

    fn backend(&self) -> Backend {
        Backend::Cyclecloud
    }

    fn scheme(&self) -> Scheme {
        self.session.signer.scheme()
    }

    fn capabilities(&self) -> &'static Capabilities {
        &CAPABILITIES
    }

    /// §1.4: no limit is documented, and official clients take 5 s at least.
    fn polling(&self) -> Polling {
        Polling {
            first: Duration::from_secs(5),
            cap: Duration::from_secs(30),
            late_cap: Duration::from_secs(30),
            floor: FLOOR.unsigned_abs(),
            misses: 2,
            loopback: self.routes.base().is_loopback(),
        }
    }

    fn assess(&self, spec: &JobSpec, policy: &Policy) -> Assessment {
        plan::assess(&self.account(), spec, *policy)
    }

    async fn scope(&self, spec: &JobSpec) -> Result<String> {
        let asked = plan::cluster(&self.account(), spec);
        self.chosen_cluster(asked.as_deref()).map(plan::scope)
    }

    /// One read: the status tells state, nodearrays, buckets and mounts.
    async fn survey(&self, spec: &JobSpec) -> Result<Survey> {
        let cluster = self
            .chosen_cluster(plan::cluster(&self.account(), spec).as_deref())?
            .to_owned();
        let raw = self.read(&self.routes.status(&cluster)).await?;
        let status = ClusterStatus::read(&raw);
        let as_of = Some(self.now());
        Ok(Survey {
            offers: offers::offers(&status, &cluster, as_of),
            volumes: shares::volumes(&self.name, &cluster, &status),
            namespace: Some(Namespace {
                default: Some(self.cluster.as_ref() == Some(&cluster)),
                name: Some(cluster.clone()),
                id: cluster,
                raw,
            }),
            as_of,
            ..Survey::default()
        })
    }

    fn plan(&self, input: &PlanInput<'_>, survey: &Survey) -> Result<Plan, PlanRefusal> {
        plan::plan(&self.account(), input, survey)
    }

    /// Plans have no files here.
    async fn stage(&self, _plan: &Plan) -> Result<()> {
        Ok(())
    }

    async fn unstage(&self, _plan: &Plan) {}

    async fn create(&self, plan: &Plan) -> Creation<Job> {
        self.create_job(plan).await
    }

    /// The request id is made from the marker, so there is nothing to search and no time to narrow it by.
    async fn find(&self, marker: &Marker, scope: &str, _since: Timestamp) -> Result<Vec<Job>> {
        self.find_jobs(marker, scope).await
    }

    async fn observe(&self, jobs: &[Tracked]) -> Result<Vec<Observation>> {
        self.observe_jobs(jobs).await
    }

    fn recall(&self, job: &Tracked) -> Option<Job> {
        self.recall_job(job)
    }

    async fn list(&self, filter: &ListFilter) -> Result<Listing> {
        self.list_jobs(filter).await
    }

    async fn resolve(&self, id: &str) -> Result<Vec<ResourceRef>> {
        self.resolve_job(id).await
    }

    async fn cancel(&self, job: &ResourceRef) -> Result<()> {
        self.cancel_job(job).await
    }

    async fn types(&self) -> Result<Vec<Offer>> {
        let cluster = self.chosen_cluster(None)?;
        let status = self.read(&self.routes.status(cluster)).await?;
        Ok(offers::offers(
            &ClusterStatus::read(&status),
            cluster,
            Some(self.now()),
        ))
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
        None
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
