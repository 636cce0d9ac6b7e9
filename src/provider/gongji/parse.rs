//! Answers about jobs to the generic record (gongji.md §2, §5.1, §6.3; job-model.md §5 and §6).
//!
//! Pure; never fails on a strange member, and drops nothing: `raw` is the service's own object, passwords masked.

use jiff::tz::Offset;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::model::{Flag, Job, Marker, ResourceRef, State, Timestamp};
use crate::provider::time;

use super::wire::{Container, JobAnswer, Node, lenient};
use super::{money, offers, state};

/// What a task's name begins with when the user gave none.
pub const NAMELESS: &str = "gpujob";

/// Times without an offset are Chinese (§10, "Lenient decoding rules").
const ZONE: Offset = time::CHINA;
const MASK: &str = "••••";

/// The generic reason of a job that reached its time limit, and a pod's word for it.
pub(super) const TIMEOUT: &str = "timeout";
const DEADLINE: &str = "DeadlineExceeded";

/// Exit codes of a program that was told to stop, or killed: what a time limit leaves behind.
const KILLED: [i64; 2] = [137, 143];

/// What this machine remembers of a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Memory {
    /// Nobody looked: nothing is said about who stopped it.
    Untold,
    /// The journal was asked.
    Told {
        cancel_requested_at: Option<Timestamp>,
        time_limit_s: Option<u64>,
    },
}

/// The record of one job; `None` for an object without an id.
pub fn job(value: &Value, provider: &str, memory: Memory) -> Option<Job> {
    let answer = JobAnswer::deserialize(value).ok()?;
    let id = answer.task_id?.to_string();
    let outcome = answer.job_status.status.as_deref();
    let (state, flags) = state::of_words(
        answer.status.as_deref(),
        outcome,
        answer.schedule_status.as_deref(),
    );
    let mut job = Job::new(ResourceRef::new(provider, [id.as_str()]), id.clone(), state);
    job.flags = flags;
    job.raw_state = json!({
        "status": answer.status,
        "job_status": outcome,
        "schedule_status": answer.schedule_status,
    });
    job.created_at = time::read(&answer.create_time, ZONE);
    job.finished_at = time::read(&answer.job_status.completion_time, ZONE);
    job.exit_code = (state == State::Succeeded).then_some(0);
    fill_shape(&mut job, &answer);
    let marker = answer.task_name.as_deref().and_then(Marker::from_suffix);
    job.name = name_of(answer.task_name.as_deref(), marker.as_ref());
    job.marker = marker.map(|marker| marker.as_str().to_owned());
    job.cost = answer
        .billing_value
        .filter(|points| *points >= 0)
        .map(money::of_points);
    // Bills are made every five minutes: while it runs, more is to come (§6.3).
    job.cost_is_estimate = job.cost.is_some() && !job.terminal;
    judge_the_end(&mut job, &answer, memory);
    job.raw = masked(value);
    Some(job)
}

/// A job's own id, as a number.
pub fn id_of(value: &Value) -> Option<i64> {
    JobAnswer::deserialize(value).ok()?.task_id
}

fn fill_shape(job: &mut Job, answer: &JobAnswer) {
    job.nodes = answer
        .points
        .and_then(|points| u32::try_from(points).ok())
        .filter(|points| *points > 0)
        .unwrap_or(1);
    if let Some(candidate) = answer.resources.first() {
        let spec = &candidate.resource;
        job.instance_type = offers::type_id(spec);
        job.gpu = offers::cards(spec.gpu_name.as_deref(), spec.gpu_count, spec.gpu_memory);
    }
    job.endpoints = answer
        .services
        .iter()
        .flat_map(|service| &service.remote_ports)
        .filter_map(|port| port.url.clone())
        .collect();
}

/// What the user called a task of this name.
pub(super) fn given_name(task_name: &str) -> Option<String> {
    name_of(Some(task_name), Marker::from_suffix(task_name).as_ref())
}

/// The task's name without a marker of ours.
fn name_of(task_name: Option<&str>, marker: Option<&Marker>) -> Option<String> {
    let task_name = task_name?;
    let Some(marker) = marker else {
        return Some(task_name.to_owned());
    };
    let name = task_name.strip_suffix(marker.as_str())?.strip_suffix('-')?;
    (name != NAMELESS && !name.is_empty()).then(|| name.to_owned())
}

/// Who or what ended the job: a cancel of ours, its limit, somebody else (job-model.md §6).
fn judge_the_end(job: &mut Job, answer: &JobAnswer, memory: Memory) {
    let (asked, remembered) = match memory {
        Memory::Untold => (None, None),
        Memory::Told {
            cancel_requested_at,
            time_limit_s,
        } => (Some(cancel_requested_at), time_limit_s),
    };
    if matches!(asked, Some(Some(_))) && !job.terminal {
        job.flags.insert(Flag::Cancelling);
    }
    match job.state {
        State::Cancelled => match asked {
            // The service tells no time of a stop: ours is as near as it gets (job-model.md §5).
            Some(Some(instant)) if job.finished_at.is_none() => {
                job.finished_at = Some(instant);
                job.approximate.push("finished_at");
            }
            Some(None) => {
                job.message = Some("not cancelled by this client".to_owned());
                stopped_by_somebody(job, answer);
            }
            Some(Some(_)) => {}
            None => stopped_by_somebody(job, answer),
        },
        State::Failed => {
            let limit = answer
                .job_support
                .timeout_sec
                .filter(|seconds| *seconds > 0)
                .or_else(|| remembered.and_then(|seconds| i64::try_from(seconds).ok()));
            let begin = time::read(&answer.job_status.create_time, ZONE);
            let reached = begin
                .zip(job.finished_at)
                .zip(limit)
                .is_some_and(|((begin, end), limit)| end.as_second() - begin.as_second() >= limit);
            if reached {
                job.reason = Some(TIMEOUT.to_owned());
            }
        }
        State::Pending | State::Starting | State::Running | State::Succeeded | State::Unknown => {}
    }
}

/// When somebody else stopped it: about the last change that the detail tells (job-model.md §5).
fn stopped_by_somebody(job: &mut Job, answer: &JobAnswer) {
    if job.finished_at.is_none()
        && let Some(changed) = time::read(&answer.last_update_time, ZONE)
    {
        job.finished_at = Some(changed);
        job.approximate.push("finished_at");
    }
}

/// How many pods of a job are charged still; `None` for none, which is "no longer charged" (§2.6).
pub(super) fn charged(job: &Job) -> Option<i64> {
    let pods = job.raw.get("billing_points").and_then(lenient::integer_of);
    pods.filter(|pods| *pods > 0)
}

/// `2 pods are still charged`.
pub(super) fn charges(pods: i64) -> String {
    match pods {
        1 => "1 pod is still charged".to_owned(),
        pods => format!("{pods} pods are still charged"),
    }
}

/// Says behind everything else why a job that is over still costs.
pub fn mention_charges(job: &mut Job) {
    let Some(told) = charged(job).filter(|_| job.terminal).map(charges) else {
        return;
    };
    job.message = Some(match job.message.take() {
        Some(message) => format!("{message}; {told}"),
        None if job.state == State::Failed => format!("no message; {told}"),
        None => told,
    });
}

/// Whether a pod of these tells how its program ended.
pub(super) fn tell_an_end(nodes: &[Value]) -> bool {
    let nodes: Vec<Node> = nodes
        .iter()
        .filter_map(|node| Node::deserialize(node).ok())
        .collect();
    failed_containers(&nodes).any(|container| {
        container.exit_code.is_some() || container.reason.as_deref().is_some_and(never_ran)
    })
}

/// Whether a container's reason says that its program never began, so that no code will come. What was killed while it
/// ran, at its time limit or with its node, has one a moment later.
fn never_ran(reason: &str) -> bool {
    const BEFORE: [&str; 5] = ["Start", "Create", "Config", "Image", "CannotRun"];
    BEFORE.iter().any(|word| reason.contains(word))
}

/// Adds what only the pods tell: their names, the run time, the exit code, and why they ended (§5.1).
pub fn add_nodes(job: &mut Job, nodes: &[Value]) {
    let nodes: Vec<Node> = nodes
        .iter()
        .filter_map(|node| Node::deserialize(node).ok())
        .collect();
    job.node_names = nodes.iter().filter_map(|node| node.name.clone()).collect();
    let longest = nodes
        .iter()
        .filter_map(|node| node.runing_time)
        .filter(|seconds| *seconds >= 0)
        .max();
    if job.duration_s.is_none() && longest.is_some() {
        job.duration_s = longest;
        job.approximate.push("duration_s");
    }
    if job.terminal && job.state != State::Succeeded {
        job.exit_code = failed_containers(&nodes)
            .filter_map(|container| container.exit_code)
            .find(|code| *code != 0);
    }
    if job.state == State::Succeeded {
        return;
    }
    let by_itself = job.exit_code.is_some_and(|code| !KILLED.contains(&code));
    if by_itself && job.reason.as_deref() == Some(TIMEOUT) {
        // It ended on its own, as late as that was.
        job.reason = None;
    }
    let containers = || nodes.iter().flat_map(|node| &node.containers);
    if job.reason.is_none() {
        job.reason = failed_containers(&nodes)
            .chain(containers())
            .find_map(|container| container.reason.clone())
            .map(|reason| match reason.as_str() {
                // The word of a pod for its job's time limit (job-model.md §6).
                DEADLINE if job.terminal => TIMEOUT.to_owned(),
                _ => reason,
            });
    }
    if job.message.is_none() {
        job.message = failed_containers(&nodes)
            .chain(containers())
            .find_map(|container| container.message.clone());
    }
}

fn failed_containers(nodes: &[Node]) -> impl Iterator<Item = &Container> {
    nodes
        .iter()
        .filter(|node| node.status.as_deref() == Some("Failed"))
        .flat_map(|node| &node.containers)
}

/// The object with registry passwords masked.
pub(super) fn masked(value: &Value) -> Value {
    match value {
        Value::Object(members) => members
            .iter()
            .map(|(name, member)| {
                let is_filled = member.as_str().is_some_and(|text| !text.is_empty());
                let member = if name == "repository_password" && is_filled {
                    Value::String(MASK.to_owned())
                } else {
                    masked(member)
                };
                (name.clone(), member)
            })
            .collect(),
        Value::Array(items) => items.iter().map(masked).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value.clone(),
    }
}
