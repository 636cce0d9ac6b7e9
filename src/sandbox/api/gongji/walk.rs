//! How jobs move on (gongji.md §2.5, §11): Spot queues, `Pending`, one node per pod, retries, the end.

use std::time::Duration;

use super::catalogue::{Catalogue, Stock};
use super::job::{
    Container, Ending, Event, Job, Moment, Node, NodeStatus, PULL_BACK_OFF, Phase, Run,
};
use super::launching;
use super::switches::{Advance, FinishedStatus, Hold, Switches, seconds};
use super::wire::RestartPolicy;
use crate::sandbox::process::Launcher;
use crate::sandbox::trouble::{cannot_be_pulled, pull_error};

/// What the walk depends on beside the job.
#[derive(Debug)]
pub(super) struct Walk<'a> {
    pub(super) now: Moment,
    pub(super) speed: f64,
    pub(super) switches: &'a Switches,
    pub(super) catalogue: &'a Catalogue,
    pub(super) launcher: &'a Launcher,
    pub(super) stock: Stock,
    pub(super) random: &'a mut fastrand::Rng,
    pub(super) next_id: &'a mut i64,
    /// How many jobs have ended by themselves, for the finish profiles.
    pub(super) finished: &'a mut usize,
}

impl Walk<'_> {
    /// Moves a job as far as it goes at this instant.
    pub(super) fn advance(&mut self, job: &mut Job) {
        job.observe(self.now, self.speed);
        self.sweep(job);
        while self.step(job) {}
    }

    /// Takes one step; false when there is none to take.
    fn step(&mut self, job: &mut Job) -> bool {
        match job.phase {
            Phase::Queued => {
                let free = self.free_offer(job).is_some();
                if self.holds(Hold::Queued) || !free || !self.is_due(job, self.switches.queued_s) {
                    return false;
                }
                job.enter(Phase::Pending, self.now);
                true
            }
            Phase::Pending => {
                if self.holds(Hold::Pending) || !self.is_due(job, self.switches.pending_s) {
                    return false;
                }
                let Some(offer) = self.free_offer(job) else {
                    return false;
                };
                job.offer = Some(offer);
                job.started.get_or_insert(self.now.elapsed);
                job.enter(Phase::Running, self.now);
                true
            }
            Phase::Running => self.step_running(job),
            Phase::Complete(_) | Phase::Failed(_) | Phase::Stopped { .. } => false,
        }
    }

    fn step_running(&mut self, job: &mut Job) -> bool {
        let limit = u64::try_from(job.request.job_support.timeout_sec).unwrap_or_default();
        // A limit is real time, whatever the speed: the command is real too.
        let ran = job.started.map_or(Duration::ZERO, |start| {
            self.now.elapsed.saturating_sub(start)
        });
        if job.is_overdue || ran >= Duration::from_secs(limit) {
            job.end_nodes(
                &Ending {
                    status: NodeStatus::Failed,
                    reason: "DeadlineExceeded",
                    message: "the job ran longer than timeout_sec",
                    is_warning: true,
                },
                self.now,
            );
            return self.finish(job, false);
        }
        for index in 0..job.nodes.len() {
            if self.step_node(job, index) {
                return true;
            }
        }
        if is_failed(job) {
            job.end_nodes(
                &Ending {
                    status: NodeStatus::End,
                    reason: "Killing",
                    message: "the job has failed",
                    is_warning: false,
                },
                self.now,
            );
            return self.finish(job, false);
        }
        let wanted = job.request.points;
        let done = count(job.succeeded.len() + job.failed_indexes.len());
        if done >= wanted {
            return self.finish(job, job.failed_indexes.is_empty());
        }
        self.start_node(job)
    }

    /// Ends the job, unless it is held.
    fn finish(&mut self, job: &mut Job, succeeded: bool) -> bool {
        if self.holds(Hold::Running) {
            return false;
        }
        let words = ["Paused", "End", "Running"];
        let status = match self.switches.finished_status {
            FinishedStatus::Paused => "Paused",
            FinishedStatus::End => "End",
            FinishedStatus::Running => "Running",
            FinishedStatus::Cycle => words
                .iter()
                .cycle()
                .nth(*self.finished % words.len())
                .copied()
                .unwrap_or("Paused"),
        };
        *self.finished += 1;
        job.completed = Some(self.now.time);
        job.enter(
            if succeeded {
                Phase::Complete(status)
            } else {
                Phase::Failed(status)
            },
            self.now,
        );
        true
    }

    /// Moves one node on; whether it moved.
    fn step_node(&mut self, job: &mut Job, index: usize) -> bool {
        let Some(node) = job.nodes.get(index) else {
            return false;
        };
        match node.status {
            NodeStatus::Pending => {
                let is_due = self.switches.advance != Advance::Time
                    || self.passed(node.since, self.switches.node_pending_s);
                if is_due && pulls_in_vain(job, index, self.now) {
                    return false;
                }
                if is_due {
                    self.start_containers(job, index, false);
                }
                is_due
            }
            NodeStatus::Running if node.is_quiet() => {
                self.end_node(job, index);
                true
            }
            NodeStatus::Running | NodeStatus::Succeeded | NodeStatus::Failed | NodeStatus::End => {
                false
            }
        }
    }

    fn end_node(&mut self, job: &mut Job, index: usize) {
        let now = self.now;
        let policy = job.restart_policy();
        let limit = job.backoff_limit();
        let Some(node) = job.nodes.get_mut(index) else {
            return;
        };
        job.updated = now.time;
        let key = node.index;
        if node.is_success() {
            node.status = NodeStatus::Succeeded;
            node.ended = Some(now.elapsed);
            job.succeeded.push(key);
            return;
        }
        let failures = job.failures.entry(key).or_default();
        *failures += 1;
        let is_final = *failures > limit;
        if policy == RestartPolicy::OnFailure && !is_final {
            node.restarts += 1;
            node.last_restart = Some(now.time);
            node.record(Event {
                reason: "BackOff",
                message: "container exited, restarting it".to_owned(),
                is_warning: true,
                time: now.time,
                service: None,
            });
            self.start_containers(job, index, true);
            return;
        }
        node.status = NodeStatus::Failed;
        node.ended = Some(now.elapsed);
        if let (true, Some(index)) = (is_final, key) {
            job.failed_indexes.push(index);
        }
    }

    /// Starts a node's containers; of a restarted one only those that failed.
    fn start_containers(&mut self, job: &mut Job, index: usize, again: bool) {
        let now = self.now;
        let Some(node) = job.nodes.get_mut(index) else {
            return;
        };
        node.status = NodeStatus::Running;
        node.started.get_or_insert(now);
        let Some(offer) = self.catalogue.offer(node.offer) else {
            return;
        };
        let Some(node) = job.nodes.get(index) else {
            return;
        };
        let runs: Vec<_> = job
            .request
            .services
            .iter()
            .zip(&node.containers)
            .map(|(service, container)| {
                let is_done = container
                    .outcome
                    .as_ref()
                    .is_some_and(|outcome| outcome.exit_code() == Some(0));
                (!again || !is_done).then(|| {
                    let run =
                        launching::run(job, node, service, offer, self.switches, self.launcher);
                    (run, service.service_name.clone())
                })
            })
            .collect();
        let Some(node) = job.nodes.get_mut(index) else {
            return;
        };
        for (position, started) in runs.into_iter().enumerate() {
            let (Some((run, service)), Some(container)) =
                (started, node.containers.get_mut(position))
            else {
                continue;
            };
            *container = Container {
                run: Some(run),
                outcome: None,
                reason: None,
            };
            for (reason, message) in [
                ("Pulled", "image ready (the sandbox pulls none)"),
                ("Started", "started container"),
            ] {
                node.record(Event {
                    reason,
                    message: message.to_owned(),
                    is_warning: false,
                    time: now.time,
                    service: Some(service.clone()),
                });
            }
        }
    }

    /// Adds one more node if the job wants one and there is stock.
    fn start_node(&mut self, job: &mut Job) -> bool {
        let live = count(job.live_nodes().count());
        let left = job.request.points - count(job.succeeded.len() + job.failed_indexes.len());
        if live >= job.request.job_support.parallelism.min(left) {
            return false;
        }
        let Some(offer) = job.offer else {
            return false;
        };
        if !self.stock.take(offer) {
            return false;
        }
        let index = if job.is_indexed() {
            next_index(job)
        } else {
            None
        };
        let id = self.fresh_id();
        let suffix = letters(self.random, 5);
        let number = index.map_or_else(String::new, |index| format!("{index}-"));
        let mut node = Node {
            id,
            name: format!("{}-{number}{suffix}", job.deployment_name),
            ip: format!("10.42.{}.{}", self.random.u8(..), self.random.u8(1..=254)),
            index,
            offer,
            status: NodeStatus::Pending,
            since: self.now.elapsed,
            started: None,
            ended: None,
            billable: Duration::ZERO,
            containers: job
                .request
                .services
                .iter()
                .map(|_| Container::default())
                .collect(),
            restarts: 0,
            last_restart: None,
            events: Vec::new(),
            is_swept: false,
        };
        node.record(Event {
            reason: "Scheduled",
            message: format!("assigned {}", node.name),
            is_warning: false,
            time: self.now.time,
            service: None,
        });
        job.nodes.push(node);
        true
    }

    fn sweep(&self, job: &mut Job) {
        let quiet: Vec<usize> = job
            .nodes
            .iter()
            .enumerate()
            .filter(|(_, node)| !node.status.is_live() && !node.is_swept && node.is_quiet())
            .map(|(index, _)| index)
            .collect();
        for index in quiet {
            if let Some(node) = job.nodes.get(index) {
                launching::sweep(job, node, self.launcher);
            }
            if let Some(node) = job.nodes.get_mut(index) {
                node.is_swept = true;
            }
        }
    }

    /// A candidate with stock: the heaviest, then the first.
    fn free_offer(&self, job: &Job) -> Option<usize> {
        if job.is_stuck {
            return None;
        }
        let mut candidates: Vec<_> = job.candidates.iter().collect();
        candidates.sort_by_key(|candidate| std::cmp::Reverse(candidate.weight.unwrap_or_default()));
        candidates
            .into_iter()
            .filter_map(|candidate| candidate.offer)
            .find(|offer| self.stock.free(*offer) > 0)
    }

    fn holds(&self, hold: Hold) -> bool {
        self.switches.hold == Some(hold)
    }

    fn is_due(&self, job: &Job, delay: f64) -> bool {
        match self.switches.advance {
            Advance::AtOnce => true,
            Advance::Reads(reads) => job.reads >= reads,
            Advance::Time => self.passed(job.since, delay),
        }
    }

    fn passed(&self, since: Duration, delay: f64) -> bool {
        let passed = self.now.elapsed.saturating_sub(since).as_secs_f64() * self.speed;
        passed >= seconds(delay).as_secs_f64()
    }

    fn fresh_id(&mut self) -> i64 {
        fresh_id(self.next_id, self.random)
    }
}

/// Whether an image of the node cannot be pulled; told by its events, once.
fn pulls_in_vain(job: &mut Job, index: usize, now: Moment) -> bool {
    let Some(node) = job.nodes.get_mut(index) else {
        return false;
    };
    let mut is_vain = false;
    let mut told = Vec::new();
    for (service, container) in job.request.services.iter().zip(&mut node.containers) {
        let image = &service.service_image;
        if !cannot_be_pulled(image) {
            continue;
        }
        is_vain = true;
        if container.reason.is_some() {
            continue;
        }
        container.reason = Some(PULL_BACK_OFF);
        for (reason, message, is_warning) in [
            ("Pulling", format!("Pulling image \"{image}\""), false),
            ("Failed", pull_error(image), true),
            ("Failed", "Error: ErrImagePull".to_owned(), true),
            (
                "BackOff",
                format!("Back-off pulling image \"{image}\""),
                true,
            ),
            ("Failed", format!("Error: {PULL_BACK_OFF}"), true),
        ] {
            told.push(Event {
                reason,
                message,
                is_warning,
                time: now.time,
                service: Some(service.service_name.clone()),
            });
        }
    }
    for event in told {
        node.record(event);
    }
    is_vain
}

/// The machine of a running node dies. It counts as a failure, and what may be retried gets a new node.
pub(super) fn lose_node(job: &mut Job, now: Moment) -> bool {
    let limit = job.backoff_limit();
    let Some(node) = job
        .nodes
        .iter_mut()
        .find(|node| node.status == NodeStatus::Running)
    else {
        return false;
    };
    for container in &node.containers {
        match &container.run {
            Some(Run::Process(process)) => process.crash(),
            Some(Run::Played(..)) | None => {}
        }
    }
    let key = node.index;
    node.end(
        &Ending {
            status: NodeStatus::Failed,
            reason: "NodeLost",
            message: "the node of the pod is not ready",
            is_warning: true,
        },
        now,
    );
    let failures = job.failures.entry(key).or_default();
    *failures += 1;
    if let (true, Some(index)) = (*failures > limit, key) {
        job.failed_indexes.push(index);
    }
    true
}

/// Whether nothing can save the job any more.
fn is_failed(job: &Job) -> bool {
    match &job.request.job_support.mod_param.index {
        None => {
            let failures = job.failures.get(&None).copied().unwrap_or_default();
            failures > job.backoff_limit()
        }
        Some(mode) => mode
            .max_failed_index
            .is_some_and(|most| count(job.failed_indexes.len()) >= most.max(1)),
    }
}

/// The next id: 64-bit, odd and growing, so that no floating-point number can hold it.
pub(super) fn fresh_id(next: &mut i64, random: &mut fastrand::Rng) -> i64 {
    *next += random.i64(1..=500) * 2;
    *next
}

/// Lower-case letters for names.
pub(super) fn letters(random: &mut fastrand::Rng, length: usize) -> String {
    std::iter::repeat_with(|| random.lowercase())
        .take(length)
        .collect()
}

/// The smallest index that neither succeeded nor failed for good nor runs.
fn next_index(job: &Job) -> Option<i64> {
    (0..job.request.points).find(|index| {
        !job.succeeded.contains(&Some(*index))
            && !job.failed_indexes.contains(index)
            && !job.live_nodes().any(|node| node.index == Some(*index))
    })
}

fn count(number: usize) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
