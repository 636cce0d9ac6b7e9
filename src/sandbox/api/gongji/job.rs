//! A job, its nodes and their containers as the emulator keeps them (gongji.md §2, §5).

use std::collections::BTreeMap;
use std::time::Duration;

use super::admission::ResolvedCandidate;
use super::switches::Played;
use super::wire::{CreateJob, RestartPolicy};
use crate::model::Timestamp;
use crate::sandbox::process::{Process, ProcessStatus};

/// An instant: what the service's clock shows, and how long it has been going. Delays are measured with the second.
#[derive(Debug, Clone, Copy)]
pub(super) struct Moment {
    pub(super) time: Timestamp,
    pub(super) elapsed: Duration,
}

/// One job.
#[derive(Debug)]
pub(super) struct Job {
    pub(super) id: i64,
    pub(super) tenant: String,
    pub(super) request: CreateJob,
    pub(super) candidates: Vec<ResolvedCandidate>,
    /// One per container, in their order.
    pub(super) service_ids: Vec<i64>,
    pub(super) deployment_name: String,
    pub(super) phase: Phase,
    /// The start of the phase.
    pub(super) since: Duration,
    pub(super) created: Moment,
    pub(super) updated: Timestamp,
    /// The first time it ran: the time limit counts from here.
    pub(super) started: Option<Duration>,
    pub(super) completed: Option<Timestamp>,
    /// Index of the offer it runs on.
    pub(super) offer: Option<usize>,
    pub(super) nodes: Vec<Node>,
    /// Completions that succeeded; with their indexes in index mode.
    pub(super) succeeded: Vec<Option<i64>>,
    /// Failures by index; in default mode all under `None`.
    pub(super) failures: BTreeMap<Option<i64>, i64>,
    pub(super) failed_indexes: Vec<i64>,
    /// Reads since the phase began, for the rule "after N reads".
    pub(super) reads: u32,
    /// An unknown mark that was accepted: never scheduled.
    pub(super) is_stuck: bool,
    /// Its time limit counts as reached.
    pub(super) is_overdue: bool,
}

/// Where a job stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    /// Spot: waits for its turn.
    Queued,
    Pending,
    Running,
    /// Ended by itself, with the life-cycle word of the finish profile.
    Complete(&'static str),
    Failed(&'static str),
    /// Stopped by its user, with both words.
    Stopped {
        status: &'static str,
        outcome: &'static str,
    },
}

impl Phase {
    pub(super) const fn is_over(self) -> bool {
        match self {
            Self::Queued | Self::Pending | Self::Running => false,
            Self::Complete(_) | Self::Failed(_) | Self::Stopped { .. } => true,
        }
    }

    /// The life-cycle word (§2.5).
    pub(super) const fn status(self) -> &'static str {
        match self {
            Self::Queued | Self::Pending => "Pending",
            Self::Running => "Running",
            Self::Complete(status) | Self::Failed(status) | Self::Stopped { status, .. } => status,
        }
    }

    /// The outcome word (§2.5).
    pub(super) const fn outcome(self) -> &'static str {
        match self {
            Self::Queued | Self::Pending => "Pending",
            Self::Running => "Running",
            Self::Complete(_) => "Complete",
            Self::Failed(_) => "Failed",
            Self::Stopped { outcome, .. } => outcome,
        }
    }
}

/// One pod of a job: a "point".
#[derive(Debug)]
pub(super) struct Node {
    pub(super) id: i64,
    pub(super) name: String,
    pub(super) ip: String,
    /// In index mode.
    pub(super) index: Option<i64>,
    pub(super) offer: usize,
    pub(super) status: NodeStatus,
    /// When it appeared.
    pub(super) since: Duration,
    /// When it began to run, for the bill by time.
    pub(super) started: Option<Moment>,
    pub(super) ended: Option<Duration>,
    /// How long it has been running at the sandbox's speed: what is billed.
    pub(super) billable: Duration,
    pub(super) containers: Vec<Container>,
    pub(super) restarts: i64,
    pub(super) last_restart: Option<Timestamp>,
    pub(super) events: Vec<Event>,
    /// Whether its memory volumes are gone.
    pub(super) is_swept: bool,
}

/// §5.1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NodeStatus {
    Pending,
    Running,
    Succeeded,
    Failed,
    End,
}

impl NodeStatus {
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Pending => "Pending",
            Self::Running => "Running",
            Self::Succeeded => "Succeeded",
            Self::Failed => "Failed",
            Self::End => "End",
        }
    }

    pub(super) const fn is_live(self) -> bool {
        matches!(self, Self::Pending | Self::Running)
    }
}

/// One container of a node.
#[derive(Debug, Default)]
pub(super) struct Container {
    pub(super) run: Option<Run>,
    /// What became of it, once that is known.
    pub(super) outcome: Option<ProcessStatus>,
    /// The platform's word for its end, if the platform ended it.
    pub(super) reason: Option<&'static str>,
}

/// What runs in a container.
#[derive(Debug)]
pub(super) enum Run {
    Process(Process),
    /// Nothing: a switch says what it would have done.
    Played(Played, Duration),
}

/// Kubernetes' word for an image that cannot be pulled.
pub(super) const PULL_BACK_OFF: &str = "ImagePullBackOff";

/// A line of `pod_event`.
#[derive(Debug, Clone)]
pub(super) struct Event {
    pub(super) reason: &'static str,
    pub(super) message: String,
    pub(super) is_warning: bool,
    pub(super) time: Timestamp,
    pub(super) service: Option<String>,
}

impl Job {
    /// The name under which the launcher keeps its processes.
    pub(super) fn launch_name(&self) -> String {
        format!("gongji-{}", self.id)
    }

    /// The life-cycle word: a job whose pods all wait for their image still waits (§2.5).
    pub(super) fn status(&self) -> &'static str {
        if self.pulls_in_vain() {
            return Phase::Pending.status();
        }
        self.phase.status()
    }

    /// The outcome word.
    pub(super) fn outcome(&self) -> &'static str {
        if self.pulls_in_vain() {
            return Phase::Pending.outcome();
        }
        self.phase.outcome()
    }

    fn pulls_in_vain(&self) -> bool {
        self.phase == Phase::Running
            && self.live_nodes().count() > 0
            && self.live_nodes().all(Node::pulls_in_vain)
    }

    pub(super) fn is_spot(&self) -> bool {
        self.request.sub_type.is_some()
    }

    pub(super) fn is_indexed(&self) -> bool {
        self.request.job_support.mod_param.index.is_some()
    }

    pub(super) fn restart_policy(&self) -> RestartPolicy {
        self.request
            .job_support
            .mod_param
            .default
            .as_ref()
            .map_or(RestartPolicy::Never, |mode| mode.restart_policy)
    }

    /// How often a node, or in index mode an index, may fail.
    pub(super) fn backoff_limit(&self) -> i64 {
        let modes = &self.request.job_support.mod_param;
        let default = modes.default.as_ref().map(|mode| mode.backoff_limit);
        let index = modes.index.as_ref().map(|mode| mode.index_backoff_limit);
        default.or(index).unwrap_or_default()
    }

    pub(super) fn live_nodes(&self) -> impl Iterator<Item = &Node> {
        self.nodes.iter().filter(|node| node.status.is_live())
    }

    pub(super) fn count(&self, status: NodeStatus) -> usize {
        self.nodes
            .iter()
            .filter(|node| node.status == status)
            .count()
    }

    /// Changes the phase.
    pub(super) fn enter(&mut self, phase: Phase, now: Moment) {
        self.phase = phase;
        self.since = now.elapsed;
        self.updated = now.time;
        self.reads = 0;
    }

    /// Ends all live nodes.
    pub(super) fn end_nodes(&mut self, ending: &Ending<'_>, now: Moment) {
        for node in self.nodes.iter_mut().filter(|node| node.status.is_live()) {
            node.end_by_platform(ending, now);
        }
    }

    /// Takes note of processes that ended.
    pub(super) fn observe(&mut self, now: Moment, speed: f64) {
        let services = &self.request.services;
        for node in &mut self.nodes {
            let names = services.iter().map(|service| service.service_name.as_str());
            node.observe(names, now, speed);
        }
    }
}

/// How the platform ends a node.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ending<'a> {
    pub(super) status: NodeStatus,
    /// The event's reason, and the containers'.
    pub(super) reason: &'static str,
    pub(super) message: &'a str,
    pub(super) is_warning: bool,
}

impl Node {
    /// Whether a container's image cannot be pulled.
    pub(super) fn pulls_in_vain(&self) -> bool {
        self.status == NodeStatus::Pending
            && self
                .containers
                .iter()
                .any(|container| container.reason == Some(PULL_BACK_OFF))
    }

    pub(super) fn record(&mut self, event: Event) {
        self.events.push(event);
    }

    /// Whole seconds since it began to run.
    pub(super) fn running_seconds(&self, now: Duration) -> u64 {
        self.started.map_or(0, |started| {
            let end = self.ended.unwrap_or(now);
            end.saturating_sub(started.elapsed).as_secs()
        })
    }

    /// Points of all full billing cycles (§6.3).
    pub(super) fn bill(&self, rate: i64, cycle_seconds: u64) -> i64 {
        let cycles = self
            .billable
            .as_secs()
            .checked_div(cycle_seconds)
            .unwrap_or_default();
        i64::try_from(cycles.saturating_mul(cycle_seconds))
            .unwrap_or(i64::MAX)
            .saturating_mul(rate)
    }

    /// Whether all its containers are over.
    pub(super) fn is_quiet(&self) -> bool {
        self.containers
            .iter()
            .all(|container| container.run.is_none() || container.outcome.is_some())
    }

    /// Whether all its containers ended well.
    pub(super) fn is_success(&self) -> bool {
        self.containers
            .iter()
            .all(|container| container.outcome == Some(ProcessStatus::Exited(0)))
    }

    fn end_by_platform(&mut self, ending: &Ending<'_>, now: Moment) {
        self.status = ending.status;
        self.ended = Some(now.elapsed);
        for container in &mut self.containers {
            if container.outcome.is_none() {
                container.reason = Some(ending.reason);
                match &container.run {
                    Some(Run::Process(process)) => process.kill(),
                    Some(Run::Played(..)) => container.outcome = Some(ProcessStatus::Signalled(15)),
                    None => {}
                }
            }
        }
        self.record(Event {
            reason: ending.reason,
            message: ending.message.to_owned(),
            is_warning: ending.is_warning,
            time: now.time,
            service: None,
        });
    }

    /// The same for one node.
    pub(super) fn end(&mut self, ending: &Ending<'_>, now: Moment) {
        self.end_by_platform(ending, now);
    }

    fn observe<'a>(&mut self, names: impl Iterator<Item = &'a str>, now: Moment, speed: f64) {
        let mut ended = Vec::new();
        for (container, name) in self.containers.iter_mut().zip(names) {
            if container.outcome.is_some() {
                continue;
            }
            let status = match &container.run {
                None => continue,
                Some(Run::Process(process)) => process.status(),
                Some(Run::Played(played, since)) => {
                    let passed = now.elapsed.saturating_sub(*since).as_secs_f64() * speed;
                    if passed < played.duration_s {
                        continue;
                    }
                    ProcessStatus::Exited(played.exit_code)
                }
            };
            if status.is_finished() {
                ended.push((name.to_owned(), status.clone()));
                container.outcome = Some(status);
            }
        }
        for (service, status) in ended {
            let (reason, message) = ending_text(&status);
            self.record(Event {
                reason,
                message,
                is_warning: status != ProcessStatus::Exited(0),
                time: now.time,
                service: Some(service),
            });
        }
    }
}

fn ending_text(status: &ProcessStatus) -> (&'static str, String) {
    match status {
        ProcessStatus::NotStarted(why) => {
            ("Failed", format!("container could not be started: {why}"))
        }
        ProcessStatus::Exited(0) => ("Completed", "container completed".to_owned()),
        ProcessStatus::Running
        | ProcessStatus::Exited(_)
        | ProcessStatus::Signalled(_)
        | ProcessStatus::TimedOut => (
            "Failed",
            format!(
                "container exited with code {}",
                status.exit_code().unwrap_or_default()
            ),
        ),
    }
}
