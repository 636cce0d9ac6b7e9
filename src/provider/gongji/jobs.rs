//! Jobs over the wire: create, find, observe, list, stop (gongji.md §2, §5.1; cli.md §10).

use std::collections::{BTreeMap, BTreeSet};

use jiff::SignedDuration;
use serde::Deserialize;
use serde_json::Value;

use crate::error::{Error, Kind, Result};
use crate::http::Template;
use crate::model::{Flag, Job, Marker, ResourceRef, State, Timestamp};
use crate::provider::{Creation, ListFilter, Listing, Observation, Plan, Tracked};

use super::pages::{Identity, Next, Pages};
use super::parse::{self, Memory};
use super::wire::Created;
use super::{Gongji, data_of, offers};

/// How far back of the intent a marker is looked for: more than two clocks may differ (§1.2).
const CLOCK_MARGIN: SignedDuration = SignedDuration::from_mins(15);

/// A job that waits longer may wait for ever: what becomes of a mark nobody knows is not documented (§2.3).
const LONG_WAIT: SignedDuration = SignedDuration::from_mins(10);

/// How jobs, and their pods, are told apart in lists.
const JOBS: Identity = Identity::Member("task_id");
pub(super) const POINTS: Identity = Identity::Member("point_id");

/// The rows of a list, and whether there are more than are ever read.
#[derive(Debug)]
pub(super) struct Rows {
    pub(super) rows: Vec<Value>,
    pub(super) is_cut: bool,
}

impl Gongji {
    /// All rows of a list in pages.
    pub(super) async fn rows(
        &self,
        identity: Identity,
        request: impl Fn(usize) -> Template,
    ) -> Result<Rows> {
        let mut pages = Pages::new(identity);
        let mut number = 1;
        loop {
            let data = self.read(&request(number)).await?;
            number = match pages.add(&data) {
                Next::Page(number) => number,
                end @ (Next::Whole | Next::TooLong) => {
                    return Ok(Rows {
                        rows: pages.into_rows(),
                        is_cut: end == Next::TooLong,
                    });
                }
            };
        }
    }

    /// Sends the one create of a plan.
    pub(super) async fn create_job(&self, plan: &Plan) -> Creation<Job> {
        let [request] = plan.requests.as_slice() else {
            return Creation::Refused(Error::internal("a plan for Gongji holds one request"));
        };
        let answer = match self.session.send(request).await {
            Ok(answer) => answer,
            Err(failure) => {
                return match self.unsuccessful(failure) {
                    Creation::Refused(error) => {
                        Creation::Refused(self.with_look_at_stock(error, plan).await)
                    }
                    other @ (Creation::Accepted(_) | Creation::Ambiguous(_)) => other,
                };
            }
        };
        let data = data_of(&answer);
        let id = Created::deserialize(&data)
            .ok()
            .and_then(|created| created.task_id);
        match id {
            Some(id) => Creation::Accepted(self.accepted(plan, id, data)),
            None => Creation::Ambiguous(self.unreadable("createJob", "holds no `task_id`")),
        }
    }

    /// The record of a job of which only the id is known, and what was asked for.
    fn accepted(&self, plan: &Plan, id: i64, raw: Value) -> Job {
        let id = id.to_string();
        let mut job = Job::new(
            ResourceRef::new(self.name.as_str(), [id.as_str()]),
            id.clone(),
            State::Pending,
        );
        job.created_at = Some(self.now());
        job.approximate.push("created_at");
        job.marker = Some(plan.marker.as_str().to_owned());
        job.nodes = plan.nodes;
        job.instance_type = plan.offer.as_ref().map(|offer| offer.id.clone());
        job.gpu = plan.offer.as_ref().and_then(|offer| offer.gpu.clone());
        job.name = plan
            .requests
            .first()
            .and_then(|request| serde_json::from_slice::<Value>(request.body_bytes()).ok())
            .and_then(|body| parse::given_name(body.get("task_name")?.as_str()?));
        job.raw = raw;
        job
    }

    /// A refusal may mean that the mark sold out between look and create. No code says so, and words decide nothing
    /// (cli.md §10), so one more look at the catalogue does.
    async fn with_look_at_stock(&self, error: Error, plan: &Plan) -> Error {
        let wanted = match &plan.offer {
            Some(offer) if error.kind() == Kind::Rejected => offer,
            Some(_) | None => return error,
        };
        let Ok(offers) = self.catalogue().await else {
            return error;
        };
        let now = offers.iter().find(|offer| offer.id == wanted.id);
        let is_there = now.is_some_and(|offer| offer.available != Some(false));
        if is_there {
            return if now.and_then(offers::mark) == offers::mark(wanted) {
                error
            } else {
                error.with_hint("the offer's mark has changed since the look: run the submit again")
            };
        }
        let details = error.details().clone();
        let sold_out = Error::new(
            Kind::Capacity,
            "capacity",
            format!("`{}` sold out between the look and the create", wanted.id),
        );
        let sold_out = match details.http_status {
            Some(status) => sold_out.with_http(status, details.provider_code, details.request_id),
            None => sold_out,
        };
        self.named(sold_out)
            .with_cause(details.message)
            .with_hint("run the submit again to take what is free now; nothing was created")
            .with_retryable(true)
    }

    /// Jobs that carry the marker. The service's search is vague, so the unfiltered list decides (cli.md §10).
    pub(super) async fn find_jobs(&self, marker: &Marker, since: Timestamp) -> Result<Vec<Job>> {
        let since = since.checked_sub(CLOCK_MARGIN).unwrap_or(since);
        let list = self.rows(JOBS, |page| self.api.search_jobs(page)).await?;
        let found: Vec<Job> = list
            .rows
            .iter()
            .filter_map(|row| parse::job(row, &self.name, Memory::Untold))
            .filter(|job| carries(job, marker))
            .filter(|job| job.created_at.is_none_or(|created| created >= since))
            .collect();
        if found.is_empty() && list.is_cut {
            return Err(self.too_long());
        }
        Ok(found)
    }

    /// One job by its detail; many by the list for as long as that is cheaper, and a detail for each of the rest.
    pub(super) async fn observe_jobs(&self, jobs: &[Tracked]) -> Result<Vec<Observation>> {
        let mut wanted = BTreeSet::new();
        for tracked in jobs {
            wanted.insert(self.job_id(&tracked.job_ref)?);
        }
        let listed = self.listed(&wanted).await?;
        let mut observations = Vec::with_capacity(jobs.len());
        for tracked in jobs {
            let id = self.job_id(&tracked.job_ref)?;
            let value = match listed.get(&id) {
                Some(row) => Some(row.clone()),
                None => self.look_up(id).await?,
            };
            let job = value.and_then(|value| {
                let memory = Memory::Told {
                    cancel_requested_at: tracked.cancel_requested_at,
                    time_limit_s: tracked.time_limit_s,
                };
                parse::job(&value, &self.name, memory)
            });
            observations
                .push(job.map_or(Observation::Missing, |job| Observation::Seen(Box::new(job))));
        }
        self.add_pods(&mut observations).await?;
        for observation in &mut observations {
            if let Observation::Seen(job) = observation {
                parse::mention_charges(job);
                self.mention_long_wait(job);
            }
        }
        Ok(observations)
    }

    /// Rows of the wanted jobs, read while fewer pages are left than jobs are missing.
    pub(super) async fn listed(&self, wanted: &BTreeSet<i64>) -> Result<BTreeMap<i64, Value>> {
        let mut listed = BTreeMap::new();
        let mut pages = Pages::new(JOBS);
        let mut number = 1;
        if wanted.len() < 2 {
            return Ok(listed);
        }
        loop {
            let data = self.read(&self.api.search_jobs(number)).await?;
            let next = pages.add(&data);
            for row in pages.rows() {
                if let Some(id) = parse::id_of(row).filter(|id| wanted.contains(id)) {
                    listed.entry(id).or_insert_with(|| row.clone());
                }
            }
            let missing = wanted.len().saturating_sub(listed.len());
            match next {
                Next::Page(next) if pages.pages_left(&data) < missing => number = next,
                Next::Page(_) | Next::Whole | Next::TooLong => return Ok(listed),
            }
        }
    }

    /// The detail of a job. One that is refused is unknown only if the list does not have it either (cli.md §10).
    pub(super) async fn look_up(&self, id: i64) -> Result<Option<Value>> {
        let error = match self.read(&self.api.get_job(id)).await {
            Ok(data) => return Ok(parse::id_of(&data).map(|_| data)),
            Err(error) if matches!(error.kind(), Kind::Rejected | Kind::NotFound) => error,
            Err(error) => return Err(error),
        };
        let list = self.rows(JOBS, |page| self.api.search_jobs(page)).await?;
        let row = list
            .rows
            .into_iter()
            .find(|row| parse::id_of(row) == Some(id));
        if row.is_none() && list.is_cut {
            return Err(error);
        }
        Ok(row)
    }

    fn mention_long_wait(&self, job: &mut Job) {
        let is_queued = job.flags.contains(&Flag::QueuedSpot);
        let waits_long = job
            .created_at
            .is_some_and(|created| self.now().duration_since(created) >= LONG_WAIT);
        let is_told = job.reason.is_some() || job.message.is_some();
        if job.state == State::Pending && !is_queued && waits_long && !is_told {
            job.message = Some(
                "waits for long: what it was to run on may have sold out; `gpujob types` shows the stock"
                    .to_owned(),
            );
        }
    }

    /// Recent jobs, newest first; the service's own order is not documented.
    pub(super) async fn list_jobs(&self, filter: &ListFilter) -> Result<Listing> {
        self.refuse_namespace(filter.namespace.as_deref())?;
        let list = self.rows(JOBS, |page| self.api.search_jobs(page)).await?;
        let mut jobs: Vec<Job> = list
            .rows
            .iter()
            .filter_map(|row| parse::job(row, &self.name, Memory::Untold))
            .filter(|job| filter.states.is_empty() || filter.states.contains(&job.state))
            .filter(|job| {
                filter
                    .since
                    .zip(job.created_at)
                    .is_none_or(|(since, created)| created >= since)
            })
            .collect();
        jobs.sort_by_key(|job| std::cmp::Reverse(job.created_at));
        if let Some(limit) = filter.limit {
            jobs.truncate(limit);
        }
        Ok(Listing {
            jobs,
            truncated: list
                .is_cut
                .then(|| format!("the account has more than {} jobs", list.rows.len())),
            forgets_ended: false,
            left_out: Vec::new(),
        })
    }

    /// A bare id.
    pub(super) async fn resolve_job(&self, id: &str) -> Result<Vec<ResourceRef>> {
        let Ok(number) = id.parse() else {
            return Ok(Vec::new());
        };
        let found = self.look_up(number).await?;
        Ok(found
            .map(|_| ResourceRef::new(self.name.as_str(), [id]))
            .into_iter()
            .collect())
    }

    /// The number in a job's ref.
    pub(super) fn job_id(&self, job: &ResourceRef) -> Result<i64> {
        if let [id] = job.parts().as_slice()
            && job.provider == self.name
            && let Ok(id) = id.parse()
        {
            return Ok(id);
        }
        Err(self.named(
            Error::new(
                Kind::Usage,
                "bad_ref",
                format!("`{job}` is no `{}/TASK`, with the task's number", self.name),
            )
            .with_hint("`gpujob status` shows the refs there are"),
        ))
    }

    fn too_long(&self) -> Error {
        self.named(
            Error::new(
                Kind::Protocol,
                "list_too_long",
                "the account has more jobs than can be looked through, so the absence of one cannot be told",
            )
            .with_hint("look for the job in the console"),
        )
    }
}

/// Whether a job's name ends with the marker's ten identifying characters and its four of a spec.
fn carries(job: &Job, marker: &Marker) -> bool {
    job.marker
        .as_deref()
        .and_then(Marker::parse)
        .is_some_and(|found| found.identity() == marker.identity())
}
