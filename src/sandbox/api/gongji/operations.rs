//! What each operation does to the state.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

use serde_json::{Value, json};

use super::admission;
use super::billing::Books;
use super::catalogue::{self, Catalogue, Marks, Stock};
use super::decode;
use super::job::{Ending, Job, Moment, Node, NodeStatus, Phase, Run};
use super::nas::NasVolumes;
use super::query::{Page, Query};
use super::reply::{Data, Refusal};
use super::routes::Operation;
use super::show::{self, Form};
use super::storage;
use super::switches::{
    Accept, JobResources, ListOrder, NotFound, Search, StoppedOutcome, StoppedStatus, Switches,
    seconds,
};
use super::walk::{self, Walk};
use super::wire::{CreateJob, DeleteNode, StopJob};
use crate::sandbox::clock::Clock;
use crate::sandbox::process::Launcher;

/// Ids begin here: above 2^53, where floating-point numbers skip the odd ones.
const FIRST_ID: i64 = 9_007_199_254_740_993;

/// An answer holds at most so much of a log's end.
const LONGEST_LOG: u64 = 16 * 1024 * 1024;

const JOB_STATUSES: [&str; 4] = ["Pending", "Running", "Paused", "End"];

const NODE_STATUSES: [&str; 6] = [
    "Pending",
    "Running",
    "Succeeded",
    "Failed",
    "End",
    "Unknown",
];

/// Everything that a reset takes back.
#[derive(Debug)]
pub(super) struct State {
    pub(super) random: fastrand::Rng,
    next_id: i64,
    finished: usize,
    pub(super) jobs: Vec<Job>,
    marks: Marks,
    /// Offers that somebody else took, beside those of the switch.
    taken: BTreeSet<String>,
    pub(super) nas: NasVolumes,
    pub(super) switches: Switches,
    /// By the path behind `/api/`.
    pub(super) requests: BTreeMap<&'static str, u64>,
    /// When bills were last brought up to date.
    billed: std::time::Duration,
}

/// One request that was let in.
#[derive(Debug)]
pub(super) struct Call<'a> {
    pub(super) catalogue: &'a Catalogue,
    pub(super) clock: &'a Clock,
    pub(super) tenant: &'a str,
    pub(super) now: Moment,
    pub(super) query: &'a Query,
    pub(super) body: &'a [u8],
}

impl State {
    pub(super) fn new(seed: u64, now: Moment) -> Self {
        Self {
            random: fastrand::Rng::with_seed(seed),
            next_id: FIRST_ID,
            finished: 0,
            jobs: Vec::new(),
            marks: Marks::default(),
            taken: BTreeSet::new(),
            nas: NasVolumes::new(now),
            switches: Switches::default(),
            requests: BTreeMap::new(),
            billed: now.elapsed,
        }
    }

    /// Moves everything as far as its time has come.
    pub(super) fn advance(
        &mut self,
        now: Moment,
        clock: &Clock,
        catalogue: &Catalogue,
        launcher: &Launcher,
    ) {
        let speed = clock.speed();
        let passed = now.elapsed.saturating_sub(self.billed);
        self.billed = now.elapsed;
        let stock = self.stock(catalogue);
        let mut walk = Walk {
            now,
            speed,
            switches: &self.switches,
            catalogue,
            launcher,
            stock,
            random: &mut self.random,
            next_id: &mut self.next_id,
            finished: &mut self.finished,
        };
        for job in &mut self.jobs {
            for node in &mut job.nodes {
                if node.status == NodeStatus::Running {
                    node.billable = node.billable.saturating_add(passed.mul_f64(speed));
                }
            }
            walk.advance(job);
        }
        self.nas.advance(now, clock, &self.switches, launcher);
    }

    /// Answers one operation.
    pub(super) fn perform(
        &mut self,
        operation: Operation,
        call: &Call<'_>,
    ) -> Result<Data, Refusal> {
        match operation {
            Operation::SearchJobs => self.search_jobs(call).map(Data::from),
            Operation::JobDetail => self.job_detail(call),
            Operation::CreateJob => self.create_job(call).map(Data::from),
            Operation::StopJob => self.stop_job(call),
            Operation::SearchResources => self.search_resources(call).map(Data::from),
            Operation::ListNodes => self.list_nodes(call).map(Data::from),
            Operation::NodeLog => self.node_log(call),
            Operation::NodeEvents => self.node_events(call).map(Data::from),
            Operation::DeleteNode => self.delete_node(call),
            Operation::ListStorage => {
                storage::list(call.query, call.tenant, &self.jobs).map(Data::from)
            }
            Operation::ListNas => self
                .nas
                .list(call.query, call.tenant, &self.jobs)
                .map(Data::from),
            Operation::NasSummary => Ok(self.nas.summary(call.tenant).into()),
            Operation::NasDictionaries => Ok(self.nas.dictionaries().into()),
            Operation::NasOffers => Ok(self.nas.offers().into()),
            Operation::CreateNas => {
                let wanted = self.decode(call)?;
                self.nas
                    .create(wanted, call.tenant, call.now)
                    .map(Data::from)
            }
            Operation::ExpandNas => {
                let wanted = self.decode(call)?;
                self.nas.expand(&wanted, call.tenant, call.now)?;
                Ok(Data::Null)
            }
            Operation::RenameNas => {
                let wanted = self.decode(call)?;
                self.nas.rename(wanted, call.tenant, call.now)?;
                Ok(Data::Null)
            }
            Operation::DeleteNas => {
                let wanted = self.decode(call)?;
                self.nas
                    .delete(&wanted, call.tenant, call.now, &self.jobs)?;
                Ok(Data::Null)
            }
            Operation::BillingRecord => self.books(call).by_time(call.query).map(Data::from),
            Operation::TaskBillingRecord => self.books(call).by_task(call.query).map(Data::from),
        }
    }

    /// A Spot job loses its nodes and queues again.
    pub(super) fn preempt(&mut self, id: &Value, now: Moment) -> Result<(), String> {
        let job = self
            .jobs
            .iter_mut()
            .find(|job| Some(job.id) == id.as_i64())
            .ok_or_else(|| format!("`preempt`: there is no job {id}"))?;
        if !job.is_spot() || job.phase.is_over() {
            return Err(format!("`preempt`: job {id} is no Spot job that runs"));
        }
        job.end_nodes(
            &Ending {
                status: NodeStatus::End,
                reason: "Preempted",
                message: "the device was taken back",
                is_warning: true,
            },
            now,
        );
        job.enter(Phase::Queued, now);
        Ok(())
    }

    fn decode<T: serde::de::DeserializeOwned>(&self, call: &Call<'_>) -> Result<T, Refusal> {
        decode::body(call.body, self.switches.lenient)
    }

    fn stock(&self, catalogue: &Catalogue) -> Stock {
        let sold_out = self.switches.sold_out.union(&self.taken).cloned().collect();
        let held = self
            .jobs
            .iter()
            .flat_map(|job| job.live_nodes().map(|node| node.offer));
        Stock::new(catalogue, &sold_out, self.switches.no_stock, held)
    }

    fn books<'a>(&'a self, call: &'a Call<'_>) -> Books<'a> {
        Books {
            jobs: &self.jobs,
            tenant: call.tenant,
            catalogue: call.catalogue,
            switches: &self.switches,
        }
    }

    fn search_resources(&mut self, call: &Call<'_>) -> Result<Value, Refusal> {
        let task = call
            .query
            .word("task_type", &["Deployment", "Job", "ImagePreHeat"])?;
        let devices = call
            .query
            .words("device_type", &["GpuDevice", "CpuDevice"])?;
        match (task, self.switches.job_resources) {
            (Some("Job"), JobResources::Refused) => {
                return Err(Refusal::parameter("task_type knows Deployment, not `Job`"));
            }
            (Some("Job"), JobResources::Empty) => return Ok(json!({ "count": 0, "results": [] })),
            (Some(_) | None, _) => {}
        }
        let stock = self.stock(call.catalogue);
        let mut rows = catalogue::rows(
            call.catalogue,
            devices.as_deref(),
            &stock,
            &mut self.marks,
            call.now.elapsed,
            &mut self.random,
        );
        if !self.jobs.is_empty() {
            catalogue::reprice(&mut rows, self.switches.price_percent_after_create);
        }
        // Whoever looks is told of stock that is gone a moment later.
        let sold = std::mem::take(&mut self.switches.sell_out_after_look);
        self.taken.extend(sold);
        Ok(json!({ "count": rows.len(), "results": rows }))
    }

    fn create_job(&mut self, call: &Call<'_>) -> Result<Value, Refusal> {
        let request: CreateJob = self.decode(call)?;
        admission::check_form(&request)?;
        let stock = self.stock(call.catalogue);
        let candidates = admission::admit(
            &request,
            &admission::World {
                tenant: call.tenant,
                catalogue: call.catalogue,
                marks: &self.marks,
                stock: &stock,
                nas: &self.nas,
                switches: &self.switches,
                clock: call.clock,
            },
        )?;
        let id = walk::fresh_id(&mut self.next_id, &mut self.random);
        let service_ids = request
            .services
            .iter()
            .map(|_| walk::fresh_id(&mut self.next_id, &mut self.random))
            .collect();
        let number = self.random.u32(10_000..100_000);
        let is_spot = request.sub_type.is_some();
        self.jobs.push(Job {
            id,
            tenant: call.tenant.to_owned(),
            is_stuck: candidates.iter().all(|candidate| candidate.offer.is_none()),
            candidates,
            service_ids,
            deployment_name: format!("job-{number}-{}", walk::letters(&mut self.random, 8)),
            phase: if is_spot {
                Phase::Queued
            } else {
                Phase::Pending
            },
            since: call.now.elapsed,
            created: call.now,
            updated: call.now.time,
            started: None,
            completed: None,
            offer: None,
            nodes: Vec::new(),
            succeeded: Vec::new(),
            failures: BTreeMap::new(),
            failed_indexes: Vec::new(),
            reads: 0,
            request,
        });
        Ok(json!({ "task_id": id }))
    }

    /// A job of the caller that can be seen already.
    fn job(&self, id: i64, call: &Call<'_>) -> Result<usize, Refusal> {
        let lag = seconds(self.switches.detail_lag_s);
        self.jobs
            .iter()
            .position(|job| {
                job.tenant == call.tenant
                    && job.id == id
                    && call.clock.has_passed(job.created.elapsed, lag)
            })
            .ok_or_else(Refusal::not_found)
    }

    fn known(&self, id: i64, call: &Call<'_>) -> Result<&Job, Refusal> {
        let index = self.job(id, call)?;
        self.jobs.get(index).ok_or_else(Refusal::not_found)
    }

    fn job_mut(&mut self, id: i64, call: &Call<'_>) -> Result<&mut Job, Refusal> {
        let index = self.job(id, call)?;
        self.jobs.get_mut(index).ok_or_else(Refusal::not_found)
    }

    fn job_detail(&mut self, call: &Call<'_>) -> Result<Data, Refusal> {
        let id = call.query.id("task_id")?;
        let not_found = self.switches.not_found;
        let job = match (self.job_mut(id, call), not_found) {
            (Err(_), NotFound::NullData) => return Ok(Data::Null),
            (found, NotFound::NullData | NotFound::Code) => found?,
        };
        job.reads = job.reads.saturating_add(1);
        let job = self.known(id, call)?;
        Ok(show::detail(job, &self.books(call), call.now).into())
    }

    fn search_jobs(&mut self, call: &Call<'_>) -> Result<Value, Refusal> {
        let query = call.query;
        let statuses = query.words("status", &JOB_STATUSES)?;
        // No job of the sandbox belongs to a queue group.
        let _shown_anyway = query.word("group_task", &["true", "false"])?;
        let is_of_group = query.integer("group_id")?.is_some();
        let page = Page::read(query)?;
        let lag = seconds(self.switches.list_lag_s);
        let mut found: Vec<usize> = (0..self.jobs.len()).collect();
        found.retain(|index| {
            self.jobs.get(*index).is_some_and(|job| {
                !is_of_group
                    && job.tenant == call.tenant
                    && call.clock.has_passed(job.created.elapsed, lag)
                    && statuses
                        .as_ref()
                        .is_none_or(|statuses| statuses.contains(&job.phase.status()))
                    && query
                        .text("search_value")
                        .is_none_or(|name| self.is_found(job, name))
            })
        });
        match self.switches.list_order {
            ListOrder::Oldest => {}
            ListOrder::Newest => found.reverse(),
            ListOrder::Shuffled => self.random.shuffle(&mut found),
        }
        let count = found.len();
        let found = page.of(found);
        for index in &found {
            if let Some(job) = self.jobs.get_mut(*index) {
                job.reads = job.reads.saturating_add(1);
            }
        }
        let books = self.books(call);
        let rows: Vec<Value> = found
            .into_iter()
            .filter_map(|index| self.jobs.get(index))
            .map(|job| show::row(job, &books))
            .collect();
        Ok(json!({ "count": count, "results": rows }))
    }

    fn is_found(&self, job: &Job, name: &str) -> bool {
        match self.switches.search {
            Search::Contains => job.request.task_name.contains(name),
            Search::Exact => job.request.task_name == name,
            Search::Ignored => true,
        }
    }

    fn stop_job(&mut self, call: &Call<'_>) -> Result<Data, Refusal> {
        let wanted: StopJob = self.decode(call)?;
        let accepts_finished = self.switches.stop_finished == Accept::Accept;
        let status = match self.switches.stopped_status {
            StoppedStatus::Paused => "Paused",
            StoppedStatus::End => "End",
        };
        let manual = self.switches.stopped_outcome == StoppedOutcome::Manual;
        let job = self.job_mut(wanted.task_id, call)?;
        if job.phase.is_over() {
            return if accepts_finished {
                Ok(Data::Null)
            } else {
                Err(Refusal::rule("the job cannot be stopped in its state"))
            };
        }
        job.end_nodes(
            &Ending {
                status: NodeStatus::End,
                reason: "Killing",
                message: "the job was stopped",
                is_warning: false,
            },
            call.now,
        );
        let outcome = if manual {
            "Manual"
        } else {
            job.phase.outcome()
        };
        job.enter(Phase::Stopped { status, outcome }, call.now);
        Ok(Data::Null)
    }

    fn list_nodes(&mut self, call: &Call<'_>) -> Result<Value, Refusal> {
        let id = call.query.id("task_id")?;
        let statuses = call.query.words("status", &NODE_STATUSES)?;
        let page = Page::read(call.query)?;
        let turn = self
            .requests
            .get("deployment/task/points")
            .copied()
            .unwrap_or_default()
            .saturating_sub(1);
        let form = Form::of(self.switches.number_forms, turn);
        let job = self.known(id, call)?;
        let is_hidden = self.switches.hide_finished_nodes && job.phase.is_over();
        let books = self.books(call);
        let rows: Vec<Value> = job
            .nodes
            .iter()
            .filter(|_| !is_hidden)
            .filter(|node| {
                statuses
                    .as_ref()
                    .is_none_or(|statuses| statuses.contains(&node.status.word()))
            })
            .map(|node| show::node(job, node, &books, call.now, form))
            .collect();
        Ok(json!({ "count": rows.len(), "results": page.of(rows) }))
    }

    fn node_log(&mut self, call: &Call<'_>) -> Result<Data, Refusal> {
        let (task, point, service) = (
            call.query.id("task_id")?,
            call.query.id("point_id")?,
            call.query.id("service_id")?,
        );
        let job = self.known(task, call)?;
        let node = job
            .nodes
            .iter()
            .find(|node| node.id == point)
            .ok_or_else(Refusal::not_found)?;
        let position = job
            .service_ids
            .iter()
            .position(|id| *id == service)
            .ok_or_else(Refusal::not_found)?;
        let run = node
            .containers
            .get(position)
            .and_then(|container| container.run.as_ref());
        let logs = match run {
            // Nothing was started yet: there is no log.
            None => return Ok(Data::Null),
            Some(Run::Played(played, _)) => played.log.clone(),
            Some(Run::Process(process)) => {
                tail(&process.log_path()).map_err(|error| Refusal::rule(error.to_string()))?
            }
        };
        Ok(json!({ "logs": logs }).into())
    }

    fn node(&self, id: i64, call: &Call<'_>) -> Result<&Node, Refusal> {
        self.jobs
            .iter()
            .filter(|job| job.tenant == call.tenant)
            .flat_map(|job| &job.nodes)
            .find(|node| node.id == id)
            .ok_or_else(Refusal::not_found)
    }

    fn node_events(&mut self, call: &Call<'_>) -> Result<Value, Refusal> {
        let node = self.node(call.query.id("point_id")?, call)?;
        Ok(show::events(node, self.switches.event_order))
    }

    fn delete_node(&mut self, call: &Call<'_>) -> Result<Data, Refusal> {
        let wanted: DeleteNode = self.decode(call)?;
        let node = self
            .jobs
            .iter_mut()
            .filter(|job| job.tenant == call.tenant)
            .flat_map(|job| &mut job.nodes)
            .find(|node| node.id == wanted.point_id)
            .ok_or_else(Refusal::not_found)?;
        if !node.status.is_live() {
            return Err(Refusal::rule("the node is over"));
        }
        node.end(
            &Ending {
                status: NodeStatus::End,
                reason: "Killing",
                message: "the node was deleted",
                is_warning: false,
            },
            call.now,
        );
        Ok(Data::Absent)
    }
}

/// The end of a log.
fn tail(path: &Path) -> io::Result<String> {
    let mut file = match File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(String::new()),
        opened => opened?,
    };
    let length = file.metadata()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(LONGEST_LOG)))?;
    let mut bytes = Vec::new();
    file.take(LONGEST_LOG).read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
