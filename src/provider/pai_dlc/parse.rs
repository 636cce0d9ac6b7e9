//! Answers about jobs to the generic record (pai-dlc.md §3.3, §4; job-model.md §5 and §6).
//!
//! Pure; never fails on a strange member, and drops nothing: `raw` is the service's own object, passwords masked.

use jiff::tz::Offset;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::http::encode;
use crate::model::{Flag, Gpu, Job, Marker, ResourceRef, State, Timestamp};
use crate::provider::Tracked;
use crate::provider::time;
use crate::spec::gpu::{GpuName, only_memory_size};

use super::state;
use super::wire::{JobAnswer, JobSpecAnswer};

/// The tag that carries the marker.
pub const TAG_RUN: &str = "gpujob-run";
/// The tag that carries the name as the user gave it.
pub const TAG_NAME: &str = "gpujob-name";
/// What a display name begins with when the user gave no name.
pub const NAMELESS: &str = "gpujob";

const GIB: u64 = 1 << 30;
const MASK: &str = "••••";

/// Whose answer it is.
#[derive(Debug, Clone, Copy)]
pub struct Origin<'a> {
    pub provider: &'a str,
    pub region: &'a str,
}

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

impl Memory {
    /// What the engine handed over.
    pub fn of(tracked: &Tracked) -> Self {
        Self::Told {
            cancel_requested_at: tracked.cancel_requested_at,
            time_limit_s: tracked.time_limit_s,
        }
    }
}

/// The record of one job, or `None` for an object without an id and for a deleted job.
pub fn job(value: &Value, origin: Origin<'_>, memory: Memory) -> Option<Job> {
    let answer = JobAnswer::deserialize(value).ok()?;
    let id = answer.job_id.clone()?;
    if answer.is_deleted == Some(true) {
        return None;
    }
    let status = answer.status.as_deref().unwrap_or_default();
    let (state, flags) = state::of_status(status);
    let mut job = Job::new(
        ResourceRef::new(origin.provider, [origin.region, id.as_str()]),
        id.clone(),
        state,
    );
    job.flags = flags;
    job.raw_state = raw_state(&answer);
    job.reason.clone_from(&answer.reason_code);
    job.message.clone_from(&answer.reason_message);
    fill_times(&mut job, &answer);
    fill_shape(&mut job, &answer);
    job.console_url = answer
        .workspace_id
        .as_deref()
        .map(|workspace| console_url(origin.region, workspace, &id));
    let marker = marker_of(&answer);
    job.name = name_of(&answer, marker.as_ref());
    job.marker = marker.map(|marker| marker.as_str().to_owned());
    judge_the_end(&mut job, &answer, memory);
    job.exit_code = exit_code(&job, &answer);
    job.raw = masked(value);
    Some(job)
}

/// Whether a row of the list is about a job that was deleted.
pub fn is_deleted(value: &Value) -> bool {
    JobAnswer::deserialize(value).is_ok_and(|answer| answer.is_deleted == Some(true))
}

/// The time limit that `ListJobs` tells, in seconds.
pub fn time_limit(value: &Value) -> Option<u64> {
    let answer = JobAnswer::deserialize(value).ok()?;
    let minutes = u64::try_from(answer.job_max_running_time_minutes?).ok()?;
    (minutes > 0).then(|| minutes.saturating_mul(60))
}

/// The marker in a job's tag, else at the end of its display name.
pub fn marker_of(answer: &JobAnswer) -> Option<Marker> {
    answer
        .settings
        .tags
        .get(TAG_RUN)
        .and_then(|tag| Marker::parse(tag))
        .or_else(|| Marker::from_suffix(answer.display_name.as_deref()?))
}

/// Where people look at a job.
pub fn console_url(region: &str, workspace: &str, job: &str) -> String {
    format!(
        "https://pai.console.aliyun.com/?regionId={}&workspaceId={}#/dlc/jobs/{}/overview",
        encode::component(region),
        encode::component(workspace),
        encode::component(job),
    )
}

/// The service's own word, or both where there are two.
fn raw_state(answer: &JobAnswer) -> Value {
    match (&answer.status, &answer.sub_status) {
        (Some(status), Some(sub)) if sub != status => {
            json!({"Status": status, "SubStatus": sub})
        }
        (Some(status), _) => Value::String(status.clone()),
        (None, Some(sub)) => json!({"Status": null, "SubStatus": sub}),
        (None, None) => Value::Null,
    }
}

fn fill_times(job: &mut Job, answer: &JobAnswer) {
    let read = |text: &Option<String>| time::read_text(text.as_deref()?, Offset::UTC);
    job.created_at = read(&answer.gmt_create_time);
    job.started_at = read(&answer.gmt_running_time);
    job.finished_at = read(&answer.gmt_finish_time)
        .or_else(|| read(&answer.gmt_successed_time))
        .or_else(|| read(&answer.gmt_failed_time))
        .or_else(|| read(&answer.gmt_stopped_time));
    job.duration_s = answer
        .duration
        .filter(|seconds| *seconds > 0)
        .or_else(|| run_time(job));
}

/// Seconds from the beginning of the run to its end.
fn run_time(job: &Job) -> Option<i64> {
    let seconds = job.finished_at?.as_second() - job.started_at?.as_second();
    (seconds >= 0).then_some(seconds)
}

fn fill_shape(job: &mut Job, answer: &JobAnswer) {
    let pods: i64 = answer
        .job_specs
        .iter()
        .filter_map(|spec| spec.pod_count)
        .filter(|count| *count > 0)
        .fold(0, i64::saturating_add);
    let nodes = if pods > 0 {
        Some(pods)
    } else {
        answer.node_count
    };
    job.nodes = nodes
        .and_then(|nodes| u32::try_from(nodes).ok())
        .filter(|nodes| *nodes > 0)
        .unwrap_or(1);
    job.node_names = if answer.pods.is_empty() {
        answer.node_names.clone()
    } else {
        answer
            .pods
            .iter()
            .filter_map(|pod| pod.node_name.clone().or_else(|| pod.pod_id.clone()))
            .collect()
    };
    let spec = answer.job_specs.first();
    job.instance_type = spec.and_then(size_text);
    let total = answer.request_gpu;
    job.gpu = spec.and_then(|spec| gpu_of(spec, total, job.nodes));
}

/// `EcsSpec`, or the words of `ResourceConfig`.
fn size_text(spec: &JobSpecAnswer) -> Option<String> {
    if let Some(ecs) = &spec.ecs_spec {
        return Some(ecs.clone());
    }
    let config = &spec.resource_config;
    let parts: Vec<String> = [
        ("CPU", &config.cpu),
        ("GPU", &config.gpu),
        ("GPUType", &config.gpu_type),
        ("Memory", &config.memory),
        ("SharedMemory", &config.shared_memory),
    ]
    .into_iter()
    .filter_map(|(name, value)| value.as_ref().map(|value| format!("{name}={value}")))
    .collect();
    (!parts.is_empty()).then(|| parts.join(","))
}

/// Cards of a node as far as the job itself tells; an ECS type's model is in the catalogue only.
fn gpu_of(spec: &JobSpecAnswer, total: Option<f64>, nodes: u32) -> Option<Gpu> {
    let config = &spec.resource_config;
    let count = config
        .gpu
        .as_deref()
        .and_then(|text| text.trim().parse::<f64>().ok())
        .or_else(|| total.map(|total| total / f64::from(nodes)))
        .filter(|count| count.is_finite() && *count > 0.0)?;
    let name = config.gpu_type.as_deref().map(GpuName::parse);
    Some(gpu(name.as_ref(), count, None))
}

/// Cards from a name, a count and what is told about one card's memory in GiB.
pub(super) fn gpu(name: Option<&GpuName>, count: f64, memory_gib: Option<u64>) -> Gpu {
    let memory = memory_gib.or_else(|| {
        let name = name?;
        name.memory_gib.or_else(|| only_memory_size(&name.model))
    });
    Gpu {
        model: name.map(|name| name.model.clone()),
        count,
        memory_bytes: memory.map(|gib| gib.saturating_mul(GIB)),
        form_factor: name
            .and_then(|name| name.form_factor)
            .map(|factor| factor.as_str().to_owned()),
    }
}

/// What the user called it: the tag, else the display name without a marker of ours.
fn name_of(answer: &JobAnswer, marker: Option<&Marker>) -> Option<String> {
    if let Some(name) = answer.settings.tags.get(TAG_NAME) {
        return Some(name.clone());
    }
    let display = answer.display_name.as_deref()?;
    match marker {
        None => Some(display.to_owned()),
        Some(marker) => {
            let name = display
                .strip_suffix(marker.as_str())
                .map_or(display, |name| name.trim_end_matches('-'));
            (name != NAMELESS && !name.is_empty()).then(|| name.to_owned())
        }
    }
}

/// Who or what ended the job: a cancel of ours, its limit, somebody else (job-model.md §6).
fn judge_the_end(job: &mut Job, answer: &JobAnswer, memory: Memory) {
    let (asked, remembered) = match memory {
        Memory::Untold => (None, None),
        Memory::Told {
            cancel_requested_at,
            time_limit_s,
        } => (Some(cancel_requested_at.is_some()), time_limit_s),
    };
    if asked == Some(true) && !job.terminal {
        job.flags.insert(Flag::Cancelling);
    }
    let limit = remembered.or_else(|| {
        let minutes = u64::try_from(answer.job_max_running_time_minutes?).ok()?;
        (minutes > 0).then(|| minutes.saturating_mul(60))
    });
    let run = run_time(job).or(job.duration_s);
    let by_user = answer
        .reason_code
        .as_deref()
        .is_some_and(state::is_stopped_by_user);
    // Without the journal only the service's word can tell a person's stop from the limit's.
    let ours = asked.unwrap_or(by_user);
    match job.state {
        State::Cancelled => {
            let limited = run
                .zip(limit)
                .is_some_and(|(run, limit)| state::reached_limit(run, limit));
            if !ours && limited {
                job.set_state(State::Failed);
                job.reason = Some("timeout".to_owned());
            } else if asked == Some(false) {
                job.message = Some(with_stranger(job.message.as_deref()));
            }
        }
        State::Failed
            if run
                .zip(limit)
                .is_some_and(|(run, limit)| state::exceeded_limit(run, limit)) =>
        {
            job.reason = Some("timeout".to_owned());
        }
        State::Pending
        | State::Starting
        | State::Running
        | State::Succeeded
        | State::Failed
        | State::Unknown => {}
    }
}

fn with_stranger(message: Option<&str>) -> String {
    const STRANGER: &str = "not cancelled by this client";
    match message {
        Some(message) => format!("{} ({STRANGER})", message.trim_end_matches('.')),
        None => STRANGER.to_owned(),
    }
}

/// Zero for a success; else the first non-zero code that a pod happens to tell; never a guess (§10 no. 20).
fn exit_code(job: &Job, answer: &JobAnswer) -> Option<i64> {
    match job.state {
        State::Succeeded => Some(0),
        State::Failed | State::Cancelled => answer
            .pods
            .iter()
            .filter_map(|pod| pod.status_detail.exit_code)
            .find(|code| *code != 0),
        State::Pending | State::Starting | State::Running | State::Unknown => None,
    }
}

/// The object with registry passwords masked.
fn masked(value: &Value) -> Value {
    match value {
        Value::Object(members) => members
            .iter()
            .map(|(name, member)| {
                let member = if name == "ImageConfig" {
                    without_login(member)
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

fn without_login(value: &Value) -> Value {
    match value {
        Value::Object(members) => members
            .iter()
            .map(|(name, member)| {
                let is_secret = matches!(name.as_str(), "Password" | "Auth");
                let filled = member.as_str().is_some_and(|text| !text.is_empty());
                let member = if is_secret && filled {
                    Value::String(MASK.to_owned())
                } else {
                    member.clone()
                };
                (name.clone(), member)
            })
            .collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
            value.clone()
        }
    }
}
