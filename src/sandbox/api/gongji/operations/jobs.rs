//! Jobs: made, shown, searched and stopped (gongji.md §2).

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::super::admission;
use super::super::job::{Ending, Job, NodeStatus, Phase};
use super::super::query::Page;
use super::super::reply::{Data, Refusal};
use super::super::show;
use super::super::switches::{
    Accept, ListOrder, NotFound, Search, StoppedOutcome, StoppedStatus, seconds,
};
use super::super::walk;
use super::super::wire::{CreateJob, StopJob};
use super::{Call, State};

const JOB_STATUSES: [&str; 4] = ["Pending", "Running", "Paused", "End"];

impl State {
    pub(super) fn create_job(&mut self, call: &Call<'_>) -> Result<Value, Refusal> {
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
            is_overdue: false,
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

    pub(super) fn known(&self, id: i64, call: &Call<'_>) -> Result<&Job, Refusal> {
        let index = self.job(id, call)?;
        self.jobs.get(index).ok_or_else(Refusal::not_found)
    }

    fn job_mut(&mut self, id: i64, call: &Call<'_>) -> Result<&mut Job, Refusal> {
        let index = self.job(id, call)?;
        self.jobs.get_mut(index).ok_or_else(Refusal::not_found)
    }

    pub(super) fn job_detail(&mut self, call: &Call<'_>) -> Result<Data, Refusal> {
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

    pub(super) fn search_jobs(&mut self, call: &Call<'_>) -> Result<Value, Refusal> {
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
                        .is_none_or(|statuses| statuses.contains(&job.status()))
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

    pub(super) fn stop_job(&mut self, call: &Call<'_>) -> Result<Data, Refusal> {
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
        let outcome = if manual { "Manual" } else { job.outcome() };
        job.enter(Phase::Stopped { status, outcome }, call.now);
        Ok(Data::Null)
    }
}
