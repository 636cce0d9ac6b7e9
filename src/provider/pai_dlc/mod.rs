//! PAI-DLC and AIWorkspace: the client (pai-dlc.md §1 to §7, §10; job-model.md, column PAI-DLC).
//!
//! Thin glue: `api` builds requests, `plan` decides what a job becomes, `parse` reads answers, `dialect` judges them.
//! A create is never sent twice from here, and a workspace is always named.

mod actions;
pub mod api;
mod caps;
mod carrier;
mod choose;
mod codes;
mod command;
mod datasets;
mod dialect;
mod draft;
mod envelope;
mod events;
mod extras;
mod jobs;
mod lenient;
mod logs;
mod mounts;
pub mod offers;
mod options;
mod pages;
pub mod parse;
pub mod plan;
mod raw;
mod resources;
mod state;
mod survey;
mod windows;
pub mod wire;
mod workspaces;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;

use crate::error::{Error, Kind, Result};
use crate::http::{BaseUrl, Session, Template};
use crate::model::{Backend, Gpu, Job, Marker, Offer, ResourceRef, Timestamp};
use crate::sign::Scheme;
use crate::spec::JobSpec;

use super::{
    Assessment, Capabilities, Costs, Creation, Events, Files, ListFilter, Listing, Logs,
    Namespaces, Observation, Plan, PlanInput, PlanRefusal, Policy, Polling, Provider, RawCall,
    RawRequest, Survey, Tracked, Volumes,
};

pub use api::default_endpoints;
pub use caps::CAPABILITIES;
pub use dialect::PaiDlcDialect;
pub use draft::{Account, BODY_LIMIT};
pub use mounts::SCHEMES;
pub use options::{JOB_TYPES, KEYS};

use api::Site;
use codes::Codes;

/// What a provider is made of.
#[derive(Debug, Clone)]
pub struct Connection {
    /// The name in the configuration.
    pub name: String,
    /// Signs with ACS3 and judges with [`PaiDlcDialect`].
    pub session: Session,
    pub dlc: BaseUrl,
    pub aiworkspace: BaseUrl,
    pub region: String,
    /// The workspace for everything that names none.
    pub workspace: Option<String>,
}

/// One account on PAI-DLC.
#[derive(Debug)]
pub struct PaiDlc {
    name: String,
    session: Session,
    home: Site,
    workspace: Option<String>,
    /// Cards of instance types that were looked up before.
    cards: Mutex<BTreeMap<String, Option<Gpu>>>,
    codes: Codes,
}

impl PaiDlc {
    /// A provider on a connection.
    pub fn new(connection: Connection) -> Self {
        let Connection {
            name,
            session,
            dlc,
            aiworkspace,
            region,
            workspace,
        } = connection;
        Self {
            name,
            session,
            home: Site {
                region,
                dlc,
                aiworkspace,
            },
            workspace: workspace.filter(|workspace| !workspace.is_empty()),
            cards: Mutex::new(BTreeMap::new()),
            codes: Codes::default(),
        }
    }

    /// The site of a region. Another region than the configured one is reached only where the endpoints are the
    /// public ones: a `base-url` is one place.
    fn site(&self, region: &str) -> Result<Site> {
        if region == self.home.region {
            return Ok(self.home.clone());
        }
        let is_public = Site::public(&self.home.region).is_ok_and(|public| public == self.home);
        if is_public {
            return Site::public(region);
        }
        Err(Error::new(
            Kind::Config,
            "wrong_region",
            format!(
                "`{}` is set to `{}` in the region `{}`, and `{region}` is elsewhere",
                self.name, self.home.dlc, self.home.region
            ),
        )
        .with_hint("configure a provider of its own for that region")
        .with_provider(&self.name))
    }

    /// The workspace that is asked for, else the configured one.
    fn workspace<'a>(&'a self, asked: Option<&'a str>) -> Result<&'a str> {
        asked
            .filter(|workspace| !workspace.is_empty())
            .or(self.workspace.as_deref())
            .ok_or_else(|| {
                Error::new(
                    Kind::Config,
                    "missing_workspace",
                    format!(
                        "`{}` has no workspace, and the service would silently take a default one",
                        self.name
                    ),
                )
                .with_hint("set `workspace`; `gpujob namespaces list` shows them")
                .with_provider(&self.name)
            })
    }

    /// Region and id of a job or dataset ref of this provider.
    fn parts<'a>(&self, reference: &'a ResourceRef) -> Result<(Site, &'a str)> {
        match reference.path.as_slice() {
            [region, id] if reference.provider == self.name => Ok((self.site(region)?, id)),
            _ => Err(Error::new(
                Kind::Usage,
                "bad_ref",
                format!("`{reference}` is no `{}/REGION/ID`", self.name),
            )
            .with_provider(&self.name)),
        }
    }

    /// Sends a request that may fail, with this provider named in the error.
    async fn ask(&self, template: &Template) -> Result<crate::http::Answer> {
        self.session
            .send(template)
            .await
            .map_err(|failure| failure.error.with_provider(&self.name))
    }

    /// The answer could not be read as what it must be.
    fn unreadable(&self, operation: &str, why: &str) -> Error {
        Error::new(
            Kind::Protocol,
            "unexpected_answer",
            format!("the answer to `{operation}` {why}"),
        )
        .with_hint("check `base-url`, and what `--trace-http` shows")
        .with_provider(&self.name)
    }
}

#[async_trait]
impl Provider for PaiDlc {
    fn name(&self) -> &str {
        &self.name
    }

    fn backend(&self) -> Backend {
        Backend::PaiDlc
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
            cap: Duration::from_secs(60),
            late_cap: Duration::from_secs(60),
            floor: Duration::from_secs(5),
            misses: 2,
            loopback: self.home.dlc.is_loopback(),
        }
    }

    fn assess(&self, spec: &JobSpec, policy: &Policy) -> Assessment {
        self.with_account(spec, |account| plan::assess(account, spec, *policy))
    }

    async fn scope(&self, spec: &JobSpec) -> Result<String> {
        let (site, workspace) = self.place(spec)?;
        Ok(plan::scope(&site.region, workspace))
    }

    async fn survey(&self, spec: &JobSpec) -> Result<Survey> {
        self.look_around(spec).await
    }

    fn plan(&self, input: &PlanInput<'_>, survey: &Survey) -> Result<Plan, PlanRefusal> {
        self.with_account(input.spec, |account| plan::plan(account, input, survey))
    }

    /// Plans have no files here.
    async fn stage(&self, _plan: &Plan) -> Result<()> {
        Ok(())
    }

    async fn unstage(&self, _plan: &Plan) {}

    async fn create(&self, plan: &Plan) -> Creation<Job> {
        self.create_job(plan).await
    }

    async fn find(&self, marker: &Marker, scope: &str, since: Timestamp) -> Result<Vec<Job>> {
        self.find_jobs(marker, scope, since).await
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
        self.stop_job(job).await
    }

    async fn types(&self) -> Result<Vec<Offer>> {
        self.catalogue(&self.home, &[]).await
    }

    fn raw(&self, request: RawRequest) -> Result<RawCall> {
        self.raw_call(request)
            .map_err(|error| error.with_provider(&self.name))
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
        Some(self)
    }

    fn cost(&self) -> Option<&dyn Costs> {
        None
    }
}

impl PaiDlc {
    /// Calls a planner with this account, as the spec's own region sees it.
    fn with_account<T>(&self, spec: &JobSpec, plan: impl FnOnce(Account<'_>) -> T) -> T {
        let site = match spec.placement.region.as_deref() {
            Some(region) => self.site(region),
            None => Ok(self.home.clone()),
        };
        plan(Account {
            name: &self.name,
            site: site.as_ref().map_err(Error::message),
            workspace: self.workspace.as_deref(),
        })
    }

    /// The session's clock.
    fn now(&self) -> Timestamp {
        Arc::clone(&self.session.clock).now()
    }
}

#[cfg(test)]
mod tests;
