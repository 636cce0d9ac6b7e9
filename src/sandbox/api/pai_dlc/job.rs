//! A job and its pods as the emulator keeps them.

use std::time::Duration;

use serde_json::{Map, Value};

use super::admission::Admission;
use super::catalogue::User;
use super::ids;
use super::mounting::Mount;
use super::pod_log::PodLog;
use super::request::JobRequest;
use super::resources::Totals;
use super::status::Status;
use super::times;
use crate::model::Timestamp;
use crate::sandbox::process::{Process, ProcessStatus};
use crate::sandbox::trouble::cannot_be_pulled;

/// One job.
#[derive(Debug)]
pub(super) struct Job {
    pub(super) id: String,
    pub(super) owner: User,
    /// What was asked for, for the echo.
    pub(super) asked: Map<String, Value>,
    pub(super) request: JobRequest,
    pub(super) workspace_id: String,
    pub(super) workspace_name: String,
    pub(super) quota_name: String,
    pub(super) resource_level: String,
    pub(super) resource_type: String,
    pub(super) totals: Totals,
    pub(super) waits_for_stock: bool,
    pub(super) mounts: Vec<Mount>,
    /// `UpdateJob` changes these four.
    pub(super) accessibility: String,
    pub(super) description: String,
    pub(super) priority: i64,
    pub(super) user_command: String,
    /// A new priority shows some time after `UpdateJob` (§3.5).
    pub(super) next_priority: Option<(i64, Duration)>,
    /// Never empty: a job begins as `Creating`.
    pub(super) history: Vec<Stage>,
    pub(super) submitted: Option<Timestamp>,
    pub(super) running: Option<Timestamp>,
    pub(super) finished: Option<Timestamp>,
    pub(super) modified: Timestamp,
    pub(super) created: Timestamp,
    /// Why it is stopping.
    pub(super) ending: Option<Ending>,
    /// Reads since it came to its status, for the rule "after N reads".
    pub(super) reads: u32,
    /// Pods appear at `EnvPreparing` and vanish when a job is stopped before it ran.
    pub(super) pods_appeared: bool,
    /// How often its pods were replaced.
    pub(super) restarts: u32,
    /// Its time limit counts as reached.
    pub(super) is_overdue: bool,
    pub(super) pods: Vec<Pod>,
    pub(super) events: Vec<Event>,
}

/// What makes a job.
#[derive(Debug)]
pub(super) struct NewJob {
    pub(super) id: String,
    pub(super) owner: User,
    pub(super) asked: Map<String, Value>,
    pub(super) request: JobRequest,
    pub(super) admission: Admission,
    pub(super) first_worker_is_master: bool,
    pub(super) created: Moment,
}

/// An instant: what the service's clock shows, and how long it has been going. Delays are measured with the second.
#[derive(Debug, Clone, Copy)]
pub(super) struct Moment {
    pub(super) time: Timestamp,
    pub(super) elapsed: Duration,
}

/// A stay in one status.
#[derive(Debug, Clone)]
pub(super) struct Stage {
    pub(super) status: Status,
    pub(super) start: Timestamp,
    /// The start, as the clock's elapsed time.
    pub(super) since: Duration,
    pub(super) end: Option<Timestamp>,
    pub(super) reason: String,
    pub(super) message: String,
}

/// Why a job was stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ending {
    ByUser,
    TimeLimit,
}

/// One pod: a process of this machine.
#[derive(Debug)]
pub(super) struct Pod {
    /// `<JobId>-<role>-<i>`: the role is the pod's, which need not be the one that was asked for (§3.3).
    pub(super) name: String,
    pub(super) uid: String,
    /// The pod's role, in lower case.
    pub(super) role: String,
    /// The role of the `JobSpec`.
    pub(super) spec_role: String,
    /// The command of its role, if that has one of its own.
    pub(super) role_command: String,
    pub(super) ip: String,
    pub(super) status: PodStatus,
    pub(super) created: Option<Timestamp>,
    pub(super) started: Option<Timestamp>,
    pub(super) finished: Option<Timestamp>,
    pub(super) process: Option<Process>,
    /// What became of the process, once that is known.
    pub(super) outcome: Option<ProcessStatus>,
    pub(super) log: PodLog,
    /// What it was before it was replaced, oldest first.
    pub(super) history: Vec<Incarnation>,
}

/// A pod that was replaced by another of its name (`HistoryPods`).
#[derive(Debug)]
pub(super) struct Incarnation {
    pub(super) uid: String,
    pub(super) created: Option<Timestamp>,
    pub(super) started: Option<Timestamp>,
    pub(super) finished: Timestamp,
    pub(super) log: PodLog,
}

/// §4.3.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PodStatus {
    Pending,
    Running,
    Succeeded,
    Failed,
}

impl PodStatus {
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Pending => "Pending",
            Self::Running => "Running",
            Self::Succeeded => "Succeeded",
            Self::Failed => "Failed",
        }
    }
}

/// A line of `GetJobEvents`; those of a pod are lines of `GetPodEvents` too.
#[derive(Debug, Clone)]
pub(super) struct Event {
    pub(super) time: Timestamp,
    pub(super) pod: Option<String>,
    pub(super) text: String,
}

impl Job {
    /// A job that was just accepted.
    pub(super) fn new(new: NewJob, random: &mut fastrand::Rng) -> Self {
        let NewJob {
            id,
            owner,
            asked,
            request,
            admission,
            first_worker_is_master,
            created: Moment { time: now, elapsed },
        } = new;
        let (quota_name, resource_level) = admission
            .quota
            .map_or_else(Default::default, |quota| (quota.name, quota.level));
        let pods = pods(&id, &request, first_worker_is_master, random);
        let accessibility = if request.accessibility.is_empty() {
            "PRIVATE".to_owned()
        } else {
            request.accessibility.clone()
        };
        Self {
            owner,
            asked,
            workspace_id: admission.workspace.id,
            workspace_name: admission.workspace.name,
            quota_name,
            resource_level,
            resource_type: admission.resource_type,
            totals: admission.totals,
            waits_for_stock: admission.waits_for_stock,
            mounts: admission.mounts,
            accessibility,
            description: request.description.clone(),
            priority: request.priority.unwrap_or(1),
            user_command: request.user_command.clone(),
            next_priority: None,
            history: vec![Stage {
                status: Status::Creating,
                start: now,
                since: elapsed,
                end: None,
                reason: String::new(),
                message: String::new(),
            }],
            submitted: None,
            running: None,
            finished: None,
            modified: now,
            created: now,
            ending: None,
            reads: 0,
            pods_appeared: false,
            restarts: 0,
            is_overdue: false,
            pods,
            events: Vec::new(),
            id,
            request,
        }
    }

    /// Where it stands.
    pub(super) fn stage(&self) -> Option<&Stage> {
        self.history.last()
    }

    pub(super) fn status(&self) -> Status {
        self.stage().map_or(Status::Creating, |stage| stage.status)
    }

    /// The pods that can be seen.
    pub(super) fn visible_pods(&self) -> &[Pod] {
        if self.pods_appeared { &self.pods } else { &[] }
    }

    /// A pod that can be seen.
    pub(super) fn pod(&self, name: &str) -> Option<&Pod> {
        self.visible_pods().iter().find(|pod| pod.name == name)
    }

    /// Seconds since it began to run.
    pub(super) fn duration(&self, now: Timestamp) -> i64 {
        self.running.map_or(0, |running| {
            times::elapsed_seconds(running, self.finished.unwrap_or(now))
        })
    }

    /// Adds an event.
    pub(super) fn record(&mut self, time: Timestamp, pod: Option<&str>, text: &str) {
        self.events.push(Event {
            time,
            pod: pod.map(str::to_owned),
            text: format!("{} {text}", times::seconds(time)),
        });
    }

    /// Takes note of processes that ended and of what they wrote.
    pub(super) fn observe(&mut self, now: Timestamp) {
        let mut ended = Vec::new();
        for pod in &mut self.pods {
            let Some(process) = &pod.process else {
                continue;
            };
            // The status first: whatever was written before the end is then in the file.
            let status = process.status();
            let is_over = status.is_finished();
            if pod.finished.is_none() || !pod.log.is_complete() {
                pod.log.observe(&process.log_path(), now, is_over);
            }
            if is_over && pod.outcome.is_none() {
                pod.end(status.clone(), now);
                ended.push((pod.name.clone(), ending_text(&status)));
            }
        }
        for (pod, text) in ended {
            self.record(now, Some(&pod), &text);
        }
    }

    /// Asks all processes to end.
    pub(super) fn kill(&self) {
        for process in self.pods.iter().filter_map(|pod| pod.process.as_ref()) {
            if !process.status().is_finished() {
                process.kill();
            }
        }
    }

    /// The image that cannot be pulled, if there is one.
    pub(super) fn unpullable(&self) -> Option<&str> {
        let mut images = self.request.job_specs.iter().map(|spec| &spec.image);
        images
            .find(|image| cannot_be_pulled(image))
            .map(String::as_str)
    }

    /// Replaces every pod by a new one of its name, whose log is empty.
    pub(super) fn replace_pods(&mut self, now: Timestamp, random: &mut fastrand::Rng) {
        self.observe(now);
        let mut names = Vec::new();
        for pod in &mut self.pods {
            if let Some(process) = pod.process.take() {
                process.crash();
                pod.log.observe(&process.log_path(), now, true);
            }
            let uid = std::mem::replace(&mut pod.uid, ids::pod_uid(random));
            pod.history.push(Incarnation {
                uid,
                created: pod.created.replace(now),
                started: pod.started.take(),
                finished: now,
                log: std::mem::take(&mut pod.log),
            });
            pod.status = PodStatus::Pending;
            pod.finished = None;
            pod.outcome = None;
            names.push(pod.name.clone());
        }
        self.restarts += 1;
        for name in names {
            self.record(
                now,
                Some(&name),
                "Warning Evicted the pod is replaced by a new one",
            );
        }
    }

    /// The node of the first running pod dies with its processes.
    pub(super) fn lose_node(&mut self, now: Timestamp) -> bool {
        let Some(pod) = self
            .pods
            .iter()
            .find(|pod| pod.status == PodStatus::Running && pod.outcome.is_none())
        else {
            return false;
        };
        if let Some(process) = &pod.process {
            process.crash();
        }
        let name = pod.name.clone();
        self.record(
            now,
            Some(&name),
            "Warning NodeNotReady the node of the pod is not ready",
        );
        true
    }

    /// Whether no process is left.
    pub(super) fn is_quiet(&self) -> bool {
        self.pods
            .iter()
            .all(|pod| pod.status != PodStatus::Running || pod.outcome.is_some())
    }
}

impl Pod {
    /// The process is over.
    pub(super) fn end(&mut self, outcome: ProcessStatus, now: Timestamp) {
        self.status = if outcome == ProcessStatus::Exited(0) {
            PodStatus::Succeeded
        } else {
            PodStatus::Failed
        };
        self.outcome = Some(outcome);
        self.finished = Some(now);
    }

    /// Seconds since it started.
    pub(super) fn duration(&self, now: Timestamp) -> i64 {
        self.started.map_or(0, |started| {
            times::elapsed_seconds(started, self.finished.unwrap_or(now))
        })
    }
}

/// Exit codes are in no member of the API: the events carry them as text (§4.3).
fn ending_text(status: &ProcessStatus) -> String {
    match status {
        ProcessStatus::Running => "Normal Started started container".to_owned(),
        ProcessStatus::Exited(0) => "Normal Completed container exited with code 0".to_owned(),
        ProcessStatus::Exited(code) => {
            format!("Warning Failed container exited with code {code}")
        }
        ProcessStatus::Signalled(signal) => {
            format!("Warning Failed container exited with code {}", 128 + signal)
        }
        ProcessStatus::TimedOut => {
            "Warning Killing container ran longer than JobMaxRunningTimeMinutes".to_owned()
        }
        ProcessStatus::NotStarted(reason) => {
            format!("Warning Failed container could not be started: {reason}")
        }
    }
}

/// Plans the pods of a job, in the order of their ranks.
fn pods(
    job: &str,
    request: &JobRequest,
    first_worker_is_master: bool,
    random: &mut fastrand::Rng,
) -> Vec<Pod> {
    let mut specs: Vec<_> = request.job_specs.iter().collect();
    // The role that leads comes first and has rank 0; the others keep their order.
    specs.sort_by_key(|spec| !is_leading(&spec.role));
    let has_leader = specs.iter().any(|spec| is_leading(&spec.role));
    // Without a Master the first Worker becomes one, for these types (§5.2); TFJob keeps worker 0.
    let mut promote = first_worker_is_master
        && !has_leader
        && matches!(
            request.job_type.as_str(),
            "PyTorchJob" | "XGBoostJob" | "OneFlowJob" | "ElasticBatchJob"
        );
    let mut pods = Vec::new();
    for spec in specs {
        let mut index = 0;
        for _ in 0..spec.pod_count.unwrap_or(1) {
            let (role, number) = if promote {
                promote = false;
                ("master".to_owned(), 0)
            } else {
                index += 1;
                (spec.role.to_ascii_lowercase(), index - 1)
            };
            let ip = format!("10.20.{}.{}", random.u8(..), random.u8(1..=254));
            pods.push(Pod {
                name: format!("{job}-{role}-{number}"),
                uid: ids::pod_uid(random),
                role,
                spec_role: spec.role.clone(),
                role_command: spec.user_command.clone(),
                ip,
                status: PodStatus::Pending,
                created: None,
                started: None,
                finished: None,
                process: None,
                outcome: None,
                log: PodLog::default(),
                history: Vec::new(),
            });
        }
    }
    pods
}

fn is_leading(role: &str) -> bool {
    matches!(role, "Master" | "Chief" | "Head")
}
