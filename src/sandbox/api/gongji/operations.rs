//! What each operation does to the state.

mod jobs;
mod nodes;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::billing::Books;
use super::catalogue::{self, Catalogue, Marks, Stock};
use super::decode;
use super::job::{Ending, Job, Moment, NodeStatus, Phase};
use super::nas::NasVolumes;
use super::query::Query;
use super::reply::{Data, Refusal};
use super::routes::Operation;
use super::storage;
use super::switches::{JobResources, Switches};
use super::walk::{self, Walk};
use crate::sandbox::clock::Clock;
use crate::sandbox::process::Launcher;
use crate::sandbox::trouble::Trouble;

/// Ids begin here: above 2^53, where floating-point numbers skip the odd ones.
const FIRST_ID: i64 = 9_007_199_254_740_993;

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

    /// Lets trouble befall a job.
    pub(super) fn befall(
        &mut self,
        id: &str,
        trouble: Trouble,
        now: Moment,
        launcher: &Launcher,
    ) -> Result<(), &'static str> {
        let index = self
            .jobs
            .iter()
            .position(|job| job.id.to_string() == id)
            .ok_or("there is no such job")?;
        if trouble == Trouble::Vanishes {
            let job = self.jobs.remove(index);
            launcher.forget(&job.launch_name());
            return Ok(());
        }
        let job = self
            .jobs
            .get_mut(index)
            .filter(|job| job.phase == Phase::Running)
            .ok_or("it does not run")?;
        match trouble {
            Trouble::Vanishes => {}
            Trouble::TimesOut => job.is_overdue = true,
            Trouble::NodeFails => {
                if !walk::lose_node(job, now) {
                    return Err("none of its nodes runs");
                }
            }
            // The platform gives it another pod (§5.4).
            Trouble::Restarts => job.end_nodes(
                &Ending {
                    status: NodeStatus::End,
                    reason: "Evicted",
                    message: "the pod is replaced by another one",
                    is_warning: true,
                },
                now,
            ),
        }
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
        Stock::new(
            catalogue,
            &sold_out,
            self.switches.no_stock,
            self.switches.inventory,
            held,
        )
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
}
