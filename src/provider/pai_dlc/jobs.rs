//! Jobs over the wire: create, find, observe, list, stop (pai-dlc.md §3.2 to §3.5, §7.5).

use std::collections::BTreeMap;

use jiff::SignedDuration;
use serde::Deserialize;
use serde_json::Value;

use crate::error::{Error, Kind, Result};
use crate::http::{Failure, Fate};
use crate::model::{Job, Marker, ResourceRef, State, Timestamp};
use crate::provider::{Creation, ListFilter, Listing, Observation, Plan, Tracked};

use super::api::{JobFilter, PAGE_SIZE, Site};
use super::pages::Pages;
use super::parse::{self, Memory, Origin, TAG_NAME};
use super::wire::{CreateJob, Created, JobAnswer, JobPage};
use super::{PaiDlc, plan as planning, state};

/// How far back of the intent a marker is looked for: as far as the service lets two clocks differ (§2.8).
const CLOCK_MARGIN: SignedDuration = SignedDuration::from_mins(15);

impl PaiDlc {
    /// Sends the one create of a plan.
    pub(super) async fn create_job(&self, plan: &Plan) -> Creation<Job> {
        let [request] = plan.requests.as_slice() else {
            return Creation::Refused(Error::internal("a plan for PAI-DLC holds one request"));
        };
        let answer = match self.session.send(request).await {
            Ok(answer) => answer,
            Err(failure) => return refused_or_ambiguous(failure, &self.name),
        };
        let raw = answer.json().unwrap_or(Value::Null);
        let Some(id) = Created::deserialize(&raw)
            .ok()
            .and_then(|answer| answer.job_id)
        else {
            return Creation::Ambiguous(self.unreadable("CreateJob", "holds no `JobId`"));
        };
        Creation::Accepted(self.accepted(plan, &id, raw))
    }

    /// The record of a job of which only the id is known, and what was asked for.
    fn accepted(&self, plan: &Plan, id: &str, raw: Value) -> Job {
        let (region, workspace) =
            place_of(&plan.scope).unwrap_or_else(|| (self.home.region.clone(), String::new()));
        let mut job = Job::new(
            ResourceRef::new(self.name.as_str(), [region.as_str(), id]),
            id,
            State::Pending,
        );
        job.raw_state = Value::String("Creating".to_owned());
        job.created_at = Some(self.now());
        job.approximate.push("created_at");
        job.marker = Some(plan.marker.as_str().to_owned());
        job.nodes = plan.nodes;
        job.instance_type = planning::type_of(plan.offer.as_ref());
        job.gpu = plan.offer.as_ref().and_then(|offer| offer.gpu.clone());
        job.console_url = Some(parse::console_url(&region, &workspace, id));
        let body = plan
            .requests
            .first()
            .and_then(|request| serde_json::from_slice::<CreateJob>(request.body_bytes()).ok());
        job.name = body
            .and_then(|body| body.settings)
            .and_then(|settings| settings.tags.get(TAG_NAME).cloned());
        job.raw = raw;
        job
    }

    /// Jobs that carry the marker, compared on this side: the server's search is by substring.
    pub(super) async fn find_jobs(
        &self,
        marker: &Marker,
        scope: &str,
        since: Timestamp,
    ) -> Result<Vec<Job>> {
        let (region, workspace) = place_of(scope).ok_or_else(|| {
            Error::internal(format!("`{scope}` is no scope of PAI-DLC")).with_provider(&self.name)
        })?;
        let site = self.site(&region)?;
        let filter = JobFilter {
            workspace,
            since: since.checked_sub(CLOCK_MARGIN).ok(),
            display_name: Some(marker.identity().to_owned()),
            job_ids: Vec::new(),
        };
        let found = self.all_jobs(&site, &filter, |_| true).await?;
        Ok(found
            .iter()
            .filter(|value| carries(value, marker))
            .filter_map(|value| parse::job(value, self.origin(&site.region), Memory::Untold))
            .collect())
    }

    /// One `GetJob` for one job; one `ListJobs` for many of one region, and a `GetJob` for each it does not show.
    pub(super) async fn observe_jobs(&self, jobs: &[Tracked]) -> Result<Vec<Observation>> {
        let mut by_region: BTreeMap<&str, Vec<(&str, &Tracked)>> = BTreeMap::new();
        for tracked in jobs {
            let (_, id) = self.parts(&tracked.job_ref)?;
            let region = tracked.job_ref.path.first().map_or("", String::as_str);
            by_region.entry(region).or_default().push((id, tracked));
        }
        let mut seen: BTreeMap<&ResourceRef, Observation> = BTreeMap::new();
        for (region, group) in by_region {
            let site = self.site(region)?;
            let listed = self.listed(&site, &group).await?;
            let mut observed = Vec::new();
            for (id, tracked) in group {
                let observation = match listed.get(id) {
                    Some(value) => self.observed("ListJobs", value, &site, tracked)?,
                    None => self.observe_one(&site, id, tracked).await?,
                };
                observed.push((&tracked.job_ref, observation));
            }
            let mut found: Vec<&mut Job> = observed
                .iter_mut()
                .filter_map(|(_, observation)| seen_in(observation))
                .collect();
            self.add_cards(&site, &mut found).await;
            seen.extend(observed);
        }
        let carried = jobs
            .iter()
            .map(|tracked| (&tracked.job_ref, tracked.reading.as_ref()));
        let mut readings: BTreeMap<&ResourceRef, Option<&Value>> = carried.collect();
        let ended = seen.iter_mut().filter_map(|(job_ref, observation)| {
            let job = seen_in(observation)?;
            Some((job, readings.remove(*job_ref).flatten()))
        });
        self.add_carried_codes(ended.collect()).await?;
        Ok(jobs
            .iter()
            .map(|tracked| {
                seen.get(&tracked.job_ref)
                    .cloned()
                    .unwrap_or(Observation::Missing)
            })
            .collect())
    }

    /// What `ListJobs` shows of a group; nothing where one `GetJob` is as cheap, or no workspace is known.
    async fn listed(
        &self,
        site: &Site,
        group: &[(&str, &Tracked)],
    ) -> Result<BTreeMap<String, Value>> {
        let mut listed = BTreeMap::new();
        let Some(workspace) = self.workspace.as_deref().filter(|_| group.len() > 1) else {
            return Ok(listed);
        };
        for chunk in group.chunks(PAGE_SIZE) {
            let filter = JobFilter {
                workspace: workspace.to_owned(),
                job_ids: chunk.iter().map(|(id, _)| (*id).to_owned()).collect(),
                ..JobFilter::default()
            };
            for value in self.all_jobs(site, &filter, |_| true).await? {
                if let Some(id) = id_of(&value) {
                    listed.insert(id, value);
                }
            }
        }
        Ok(listed)
    }

    async fn observe_one(&self, site: &Site, id: &str, tracked: &Tracked) -> Result<Observation> {
        let value = match self.read(&site.get_job(id)).await {
            Ok(value) => value,
            Err(error) if error.kind() == Kind::NotFound => return Ok(Observation::Missing),
            Err(error) => return Err(error),
        };
        let mut observation = self.observed("GetJob", &value, site, tracked)?;
        // Only the list tells the limit, and only a stop that nobody here asked for needs it (cli.md §10).
        let needs_limit = matches!(&observation, Observation::Seen(job)
            if job.state == State::Cancelled)
            && tracked.time_limit_s.is_none()
            && tracked.cancel_requested_at.is_none();
        if needs_limit && let Some(limit) = self.limit_if_told(site, id, &value).await {
            let told = Tracked {
                time_limit_s: Some(limit),
                ..tracked.clone()
            };
            observation = self.observed("GetJob", &value, site, &told)?;
        }
        Ok(observation)
    }

    /// The limit as far as it can be had: a key that may read the job need not be one that may list jobs.
    async fn limit_if_told(&self, site: &Site, id: &str, value: &Value) -> Option<u64> {
        match self.limit_of(site, id, value).await {
            Ok(limit) => limit,
            Err(error) => {
                let text = format!("the time limit of `{id}` is not known: {error}");
                self.session.reporter.detail(1, &text);
                None
            }
        }
    }

    /// The limit that the list tells of one job.
    async fn limit_of(&self, site: &Site, id: &str, value: &Value) -> Result<Option<u64>> {
        let home = JobAnswer::deserialize(value)
            .ok()
            .and_then(|answer| answer.workspace_id);
        let Some(workspace) = home.or_else(|| self.workspace.clone()) else {
            return Ok(None);
        };
        let filter = JobFilter {
            workspace,
            job_ids: vec![id.to_owned()],
            ..JobFilter::default()
        };
        let jobs = self.all_jobs(site, &filter, |_| true).await?;
        Ok(jobs
            .iter()
            .find(|value| id_of(value).as_deref() == Some(id))
            .and_then(parse::time_limit))
    }

    /// A deleted job is missing; an answer without an id says nothing of the job.
    fn observed(
        &self,
        operation: &str,
        value: &Value,
        site: &Site,
        tracked: &Tracked,
    ) -> Result<Observation> {
        match parse::job(value, self.origin(&site.region), Memory::of(tracked)) {
            Some(job) => Ok(Observation::Seen(Box::new(job))),
            None if parse::is_deleted(value) => Ok(Observation::Missing),
            None => Err(self.unreadable(operation, "holds no `JobId`")),
        }
    }

    /// Recent jobs of a workspace, newest first.
    pub(super) async fn list_jobs(&self, filter: &ListFilter) -> Result<Listing> {
        let request = JobFilter {
            workspace: self.workspace(filter.namespace.as_deref())?.to_owned(),
            since: filter.since,
            ..JobFilter::default()
        };
        let read =
            |value: &Value, memory| parse::job(value, self.origin(&self.home.region), memory);
        let wanted = |value: &Value| {
            read(value, Memory::Untold)
                .and_then(|job| match filter.memory_of(&job.job_ref) {
                    Some(tracked) => read(value, Memory::of(tracked)),
                    None => Some(job),
                })
                .filter(|job| filter.states.is_empty() || filter.states.contains(&job.state))
        };
        let enough = |values: &[Value]| {
            filter
                .limit
                .is_none_or(|limit| values.iter().filter_map(wanted).count() < limit)
        };
        let values = self.all_jobs(&self.home, &request, enough).await?;
        let mut jobs: Vec<Job> = values.iter().filter_map(wanted).collect();
        jobs.sort_by_key(|job| std::cmp::Reverse(job.created_at));
        if let Some(limit) = filter.limit {
            jobs.truncate(limit);
        }
        let mut found: Vec<&mut Job> = jobs.iter_mut().collect();
        self.add_cards(&self.home, &mut found).await;
        Ok(Listing {
            jobs,
            truncated: None,
            forgets_ended: false,
            left_out: Vec::new(),
        })
    }

    /// A bare id of the configured region.
    pub(super) async fn resolve_job(&self, id: &str) -> Result<Vec<ResourceRef>> {
        match self.read(&self.home.get_job(id)).await {
            Ok(value) if id_of(&value).is_none() => {
                Err(self.unreadable("GetJob", "holds no `JobId`"))
            }
            Ok(_) => Ok(vec![ResourceRef::new(
                self.name.as_str(),
                [self.home.region.as_str(), id],
            )]),
            Err(error) if error.kind() == Kind::NotFound => Ok(Vec::new()),
            Err(error) => Err(error),
        }
    }

    /// Asks for a stop; a refusal of what has ended, or is ending, is a success (§3.5).
    pub(super) async fn stop_job(&self, job: &ResourceRef) -> Result<()> {
        let (site, id) = self.parts(job)?;
        let Err(error) = self.ask(&site.stop_job(id)).await else {
            return Ok(());
        };
        if !matches!(error.kind(), Kind::Rejected | Kind::Capacity) {
            return Err(error);
        }
        let value = self.read(&site.get_job(id)).await?;
        let status = JobAnswer::deserialize(&value)
            .ok()
            .and_then(|answer| answer.status)
            .unwrap_or_default();
        if state::is_stopped_or_stopping(&status) {
            Ok(())
        } else {
            Err(error)
        }
    }

    /// All pages of a list, for as long as `more` of what is there so far.
    async fn all_jobs(
        &self,
        site: &Site,
        filter: &JobFilter,
        more: impl Fn(&[Value]) -> bool,
    ) -> Result<Vec<Value>> {
        let mut pages = Pages::new("JobId");
        let mut number = 1;
        loop {
            let value = self.read(&site.list_jobs(filter, number)).await?;
            let page = JobPage::deserialize(&value)
                .map_err(|error| self.unreadable("ListJobs", &error.to_string()))?;
            if !pages.add(page.jobs, page.total_count) || !more(pages.items()) {
                return Ok(pages.into_items());
            }
            number += 1;
        }
    }

    fn origin<'a>(&'a self, region: &'a str) -> Origin<'a> {
        Origin {
            provider: &self.name,
            region,
        }
    }
}

/// Whether a job's tag or display name holds the marker's ten identifying characters.
fn carries(value: &Value, marker: &Marker) -> bool {
    JobAnswer::deserialize(value).is_ok_and(|answer| {
        parse::marker_of(&answer).is_some_and(|found| found.identity() == marker.identity())
    })
}

fn seen_in(observation: &mut Observation) -> Option<&mut Job> {
    match observation {
        Observation::Seen(job) => Some(job.as_mut()),
        Observation::Missing | Observation::Unread(_) => None,
    }
}

fn id_of(value: &Value) -> Option<String> {
    value.get("JobId")?.as_str().map(str::to_owned)
}

/// Region and workspace of a plan's scope.
fn place_of(scope: &str) -> Option<(String, String)> {
    let scope: ResourceRef = scope.parse().ok()?;
    match scope.path.as_slice() {
        [region, workspace] => Some((region.clone(), workspace.clone())),
        _ => None,
    }
}

/// A create that failed. A nonce that was seen may be our own first attempt, carried twice: looked up, never judged.
pub(super) fn refused_or_ambiguous<T>(failure: Failure, provider: &str) -> Creation<T> {
    let error = failure.error.with_provider(provider);
    let nonce_was_used = error.details().provider_code.as_deref() == Some("SignatureNonceUsed");
    match failure.fate {
        Fate::Refused if nonce_was_used => Creation::Ambiguous(error),
        Fate::Unsent | Fate::Refused => Creation::Refused(error),
        Fate::Unclear => Creation::Ambiguous(error),
    }
}
