//! The operations, over the state of one service.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use serde_json::{Value, json};

use super::admission::{self, LARGEST_BODY};
use super::catalogue::{Catalogue, User, counted};
use super::datasets::Datasets;
use super::decode::{self, Decoded, Member};
use super::ids;
use super::job::{Job, Moment, NewJob, Pod};
use super::launching;
use super::listing::Listing;
use super::members;
use super::pod_log::{PodLog, Wanted};
use super::query::Query;
use super::reply::{Body, Refusal};
use super::request::JobRequest;
use super::routes::{Operation, Route};
use super::show;
use super::status::Status;
use super::switches::Switches;
use super::walk::{self, Effect, Rules};
use crate::model::Timestamp;
use crate::sandbox::auth::acs3::NonceMemory;
use crate::sandbox::process::Launcher;
use crate::sandbox::trouble::Trouble;

/// Lines and events that are answered unless the request says otherwise (§3.6).
const USUAL_LINES: usize = 2000;

/// Everything that requests change.
#[derive(Debug)]
pub(super) struct State {
    pub(super) switches: Switches,
    pub(super) nonces: NonceMemory,
    pub(super) random: fastrand::Rng,
    /// Oldest first.
    pub(super) jobs: Vec<Job>,
    datasets: Datasets,
    /// How often each operation was asked for.
    pub(super) requests: BTreeMap<&'static str, u64>,
}

/// An authenticated, routed request.
#[derive(Debug)]
pub(super) struct Call<'a> {
    pub(super) catalogue: &'a Catalogue,
    pub(super) launcher: &'a Launcher,
    pub(super) user: &'a User,
    pub(super) now: Timestamp,
    /// The same instant, by the clock that no skew moves.
    pub(super) elapsed: Duration,
    pub(super) query: &'a Query,
    pub(super) body: &'a Bytes,
    pub(super) content_type: Option<&'a str>,
    pub(super) route: &'a Route,
}

impl Call<'_> {
    const fn moment(&self) -> Moment {
        Moment {
            time: self.now,
            elapsed: self.elapsed,
        }
    }

    /// The body, which must be JSON and say so.
    fn decode(&self, known: &'static [Member]) -> Result<Decoded, Refusal> {
        let is_json = self
            .content_type
            .and_then(|value| value.split(';').next())
            .is_some_and(|media| media.trim().eq_ignore_ascii_case("application/json"));
        if !is_json {
            return Err(Refusal::invalid(
                "the content type of the body must be application/json.",
            ));
        }
        let decoded = decode::body(self.body, known)?;
        for path in &decoded.unknown {
            log::info!(
                "pai-dlc: {}: unknown member `{path}` ignored",
                self.route.operation.action()
            );
        }
        Ok(decoded)
    }
}

impl State {
    /// An empty state.
    pub(super) fn new(random: fastrand::Rng) -> Self {
        Self {
            switches: Switches::default(),
            nonces: NonceMemory::default(),
            random,
            jobs: Vec::new(),
            datasets: Datasets::default(),
            requests: BTreeMap::new(),
        }
    }

    /// Moves every job on and does what that asks for.
    pub(super) fn advance(&mut self, now: Moment, speed: f64, launcher: &Launcher) {
        let Self { jobs, switches, .. } = self;
        let rules = Rules { switches, speed };
        for job in jobs.iter_mut() {
            job.observe(now.time);
            for effect in walk::advance(job, now, rules) {
                perform(effect, job, launcher, rules.switches);
            }
        }
    }

    /// Ends all processes, forgets jobs and datasets and takes the switches back. Keys and nonces stay.
    pub(super) fn clear(&mut self, launcher: &Launcher) {
        for job in self.jobs.drain(..) {
            launcher.forget(&job.id);
        }
        self.datasets.clear();
        self.requests.clear();
        self.switches = Switches::default();
    }

    /// Counts a request.
    pub(super) fn count(&mut self, operation: Operation) {
        *self.requests.entry(operation.action()).or_default() += 1;
    }

    /// Numbers of jobs by the service's own words.
    pub(super) fn job_counts(&self) -> BTreeMap<&'static str, u64> {
        let mut counts = BTreeMap::new();
        for job in &self.jobs {
            *counts.entry(job.status().word()).or_default() += 1;
        }
        counts
    }

    /// How many datasets are registered.
    pub(super) fn dataset_count(&self) -> usize {
        self.datasets.count()
    }

    /// Does what a call asks for.
    pub(super) fn perform(&mut self, call: &Call<'_>) -> Result<Body, Refusal> {
        let id = call.route.id();
        match call.route.operation {
            Operation::CreateJob => self.create_job(call),
            Operation::GetJob => self.get_job(call),
            Operation::ListJobs => self.list_jobs(call),
            Operation::UpdateJob => self.update_job(call),
            Operation::StopJob => self.stop_job(call),
            Operation::DeleteJob => self.delete_job(call),
            Operation::GetJobEvents => self.events(call, None),
            Operation::GetPodEvents => self.events(call, Some(call.route.pod())),
            Operation::GetPodLogs => self.pod_logs(call),
            Operation::ListEcsSpecs => call
                .catalogue
                .list_specs(call.query, self.switches.no_stock),
            Operation::ListWorkspaces => call.catalogue.list_workspaces(call.query),
            Operation::GetWorkspace => call.catalogue.show_workspace(Some(id)),
            Operation::GetDefaultWorkspace => call.catalogue.show_workspace(None),
            Operation::ListDatasets => {
                self.datasets
                    .list(call.query, &call.user.id, call.catalogue)
            }
            Operation::GetDataset => self.datasets.show(id, &call.user.id),
            Operation::CreateDataset => {
                let decoded = call.decode(members::CREATE_DATASET)?;
                let id = ids::dataset(&mut self.random);
                self.datasets
                    .create(decoded.members, id, &call.user.id, call.now, call.catalogue)
            }
            Operation::DeleteDataset => self.datasets.delete(id),
        }
    }

    /// Lets trouble befall a job.
    pub(super) fn befall(
        &mut self,
        id: &str,
        trouble: Trouble,
        now: Moment,
        launcher: &Launcher,
    ) -> Result<(), &'static str> {
        let Self { jobs, random, .. } = self;
        let index = jobs
            .iter()
            .position(|job| job.id == id)
            .ok_or("there is no such job")?;
        if trouble == Trouble::Vanishes {
            launcher.forget(&jobs.remove(index).id);
            return Ok(());
        }
        let job = jobs
            .get_mut(index)
            .filter(|job| job.status() == Status::Running)
            .ok_or("it does not run")?;
        let is_done = match trouble {
            Trouble::NodeFails => job.lose_node(now.time),
            Trouble::Restarts => walk::restart(job, now, random),
            Trouble::TimesOut => {
                job.is_overdue = true;
                true
            }
            Trouble::Vanishes => true,
        };
        is_done.then_some(()).ok_or("none of its pods runs")
    }

    fn job(&mut self, id: &str) -> Result<&mut Job, Refusal> {
        self.jobs
            .iter_mut()
            .find(|job| job.id == id)
            .ok_or_else(|| Refusal::not_found("Job", id))
    }

    fn known(&self, id: &str) -> Result<&Job, Refusal> {
        self.jobs
            .iter()
            .find(|job| job.id == id)
            .ok_or_else(|| Refusal::not_found("Job", id))
    }

    fn create_job(&mut self, call: &Call<'_>) -> Result<Body, Refusal> {
        if call.body.len() > LARGEST_BODY {
            return Err(Refusal::invalid(format!(
                "the parameters have {} bytes, more than {LARGEST_BODY}.",
                call.body.len()
            )));
        }
        let decoded = call.decode(members::CREATE_JOB)?;
        let request = JobRequest::read(&decoded.members)?;
        let admission = admission::check(
            &request,
            call.catalogue,
            &self.datasets,
            self.switches.no_stock,
        )?;
        let job = Job::new(
            NewJob {
                id: ids::job(&mut self.random),
                owner: call.user.clone(),
                asked: decoded.members,
                request,
                admission,
                first_worker_is_master: self.switches.first_worker_is_master,
                created: call.moment(),
            },
            &mut self.random,
        );
        let body = named(&job.id);
        self.jobs.push(job);
        Ok(body)
    }

    fn get_job(&mut self, call: &Call<'_>) -> Result<Body, Refusal> {
        let detail = call.query.flag("NeedDetail")?.unwrap_or(true);
        let job = self.job(call.route.id())?;
        job.reads = job.reads.saturating_add(1);
        let job = self.known(call.route.id())?;
        Ok(show::detail(job, detail, call.now, &self.switches))
    }

    fn list_jobs(&mut self, call: &Call<'_>) -> Result<Body, Refusal> {
        let listing = Listing::parse(call.query, &call.user.id, call.catalogue, call.now)?;
        let found = listing.select(&self.jobs, call.now, &self.switches);
        let total = found.len();
        let page = listing.page.of(found);
        let ids: Vec<String> = page.iter().map(|job| job.id.clone()).collect();
        let items: Vec<Value> = page
            .into_iter()
            .map(|job| show::item(job, call.now, &self.switches))
            .collect();
        for job in &mut self.jobs {
            if ids.contains(&job.id) {
                job.reads = job.reads.saturating_add(1);
            }
        }
        Ok(counted("Jobs", total, items))
    }

    fn update_job(&mut self, call: &Call<'_>) -> Result<Body, Refusal> {
        let decoded = call.decode(members::UPDATE_JOB)?;
        let job = self.job(call.route.id())?;
        let text = |name: &str| decoded.members.get(name).and_then(Value::as_str);
        if decoded.members.contains_key("JobSpecs") {
            return Err(Refusal::invalid(
                "JobSpecs can only be changed for elastic jobs.",
            ));
        }
        let accessibility = text("Accessibility")
            .unwrap_or(&job.accessibility)
            .to_owned();
        match (job.accessibility.as_str(), accessibility.as_str()) {
            (_, "PUBLIC") | ("PRIVATE", "PRIVATE") => {}
            _ => {
                return Err(Refusal::invalid(
                    "Accessibility can only be changed to PUBLIC.",
                ));
            }
        }
        let priority = decoded.members.get("Priority").and_then(Value::as_i64);
        if priority.is_some_and(|priority| !(1..=9).contains(&priority)) {
            return Err(Refusal::invalid("Priority must be from 1 to 9."));
        }
        job.accessibility = accessibility;
        if let Some(description) = text("Description") {
            description.clone_into(&mut job.description);
        }
        let can_change = matches!(
            job.status(),
            Status::Creating | Status::Queuing | Status::EnvPreparing
        );
        if let Some(command) = text("UserCommand")
            && can_change
        {
            command.clone_into(&mut job.user_command);
        }
        // Otherwise the service answers 200 and does nothing (§3.5).
        if let Some(priority) = priority
            && can_change
            && job.request.is_on_quota()
        {
            job.next_priority = Some((priority, call.elapsed));
        }
        job.modified = call.now;
        Ok(named(&job.id))
    }

    fn stop_job(&mut self, call: &Call<'_>) -> Result<Body, Refusal> {
        let switches = self.switches.clone();
        let job = self.job(call.route.id())?;
        if job.status().is_terminal() {
            return Err(Refusal::bad_request(format!(
                "Job {} is already {}.",
                job.id,
                job.status().word()
            )));
        }
        if let Some(effect) = walk::stop(job, call.moment(), &switches) {
            perform(effect, job, call.launcher, &switches);
        }
        Ok(named(&job.id))
    }

    fn delete_job(&mut self, call: &Call<'_>) -> Result<Body, Refusal> {
        let job = self.job(call.route.id())?;
        if !job.status().is_terminal() {
            return Err(Refusal::bad_request(format!(
                "Job {} is {}: stop it first.",
                job.id,
                job.status().word()
            )));
        }
        let id = job.id.clone();
        self.jobs.retain(|job| job.id != id);
        call.launcher.forget(&id);
        Ok(named(&id))
    }

    fn events(&mut self, call: &Call<'_>, pod: Option<&str>) -> Result<Body, Refusal> {
        let most = call.query.count("MaxEventsNum", USUAL_LINES)?;
        let period = call.query.period(call.now)?;
        let job = self.job(call.route.id())?;
        let mut body = named(&job.id);
        if let Some(name) = pod {
            let pod = visible_pod(job, name, call.query)?;
            body.insert("PodId".to_owned(), json!(pod.name));
            body.insert("PodUid".to_owned(), json!(pod.uid));
        }
        let found: Vec<&str> = job
            .events
            .iter()
            .filter(|event| {
                (pod.is_none() || event.pod.as_deref() == pod) && period.contains(event.time)
            })
            .map(|event| event.text.as_str())
            .collect();
        let newest = found.get(found.len().saturating_sub(most)..);
        body.insert("Events".to_owned(), json!(newest.unwrap_or_default()));
        Ok(body)
    }

    fn pod_logs(&mut self, call: &Call<'_>) -> Result<Body, Refusal> {
        let most_lines = call.query.count("MaxLines", USUAL_LINES)?;
        let wanted = Wanted {
            most_lines: most_lines.min(self.switches.log_most_lines.unwrap_or(usize::MAX)),
            period: call.query.period(call.now)?,
            keeps_newest: self.switches.log_keeps_newest,
            oldest_first: self.switches.log_oldest_first,
        };
        call.query.flag("DownloadToFile")?;
        let job = self.job(call.route.id())?;
        job.observe(call.now);
        let (pod, uid, log) = incarnation(job, call.route.pod(), call.query)?;
        let lines = log.lines(wanted).map_err(|error| {
            log::warn!("pai-dlc: the log of {} cannot be read: {error}", pod.name);
            Refusal::gateway(
                http::StatusCode::INTERNAL_SERVER_ERROR,
                "InternalError",
                "The request processing has failed due to some unknown error.",
            )
        })?;
        let mut body = named(&job.id);
        body.insert("PodId".to_owned(), json!(pod.name));
        body.insert("PodUid".to_owned(), json!(uid));
        body.insert("Logs".to_owned(), json!(lines));
        let container = json!({ "MainContainer": pod.role, "SidecarContainers": [] });
        body.insert("ContainerInfo".to_owned(), container);
        Ok(body)
    }
}

/// A pod of the path, which must be the incarnation that `PodUid` names.
fn visible_pod<'j>(job: &'j Job, name: &str, query: &Query) -> Result<&'j Pod, Refusal> {
    job.pod(name)
        .filter(|pod| query.text("PodUid").is_none_or(|uid| uid == pod.uid))
        .ok_or_else(|| Refusal::not_found("Pod", name))
}

/// The same for logs, which are there for pods that were replaced too.
fn incarnation<'j>(
    job: &'j Job,
    name: &str,
    query: &Query,
) -> Result<(&'j Pod, &'j str, &'j PodLog), Refusal> {
    let pod = job
        .pod(name)
        .ok_or_else(|| Refusal::not_found("Pod", name))?;
    let old = query
        .text("PodUid")
        .and_then(|uid| pod.history.iter().find(|old| old.uid == uid));
    if let Some(old) = old {
        return Ok((pod, &old.uid, &old.log));
    }
    visible_pod(job, name, query).map(|pod| (pod, pod.uid.as_str(), &pod.log))
}

fn named(job: &str) -> Body {
    let mut body = Body::new();
    body.insert("JobId".to_owned(), json!(job));
    body
}

fn perform(effect: Effect, job: &mut Job, launcher: &Launcher, switches: &Switches) {
    match effect {
        Effect::Launch => launching::launch(job, launcher, switches),
        Effect::Kill => job.kill(),
    }
}
