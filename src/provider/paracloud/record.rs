//! A container group to a job record (paracloud.md §5, job-model.md §5).
//!
//! Pure. Nothing is guessed: there is no creation time and no exit code beyond "all containers exited 0".

use jiff::tz::Offset;
use serde_json::Value;

use crate::model::{Flag, Job, Marker, Offer, ResourceRef, State, Timestamp};
use crate::provider::Tracked;
use crate::provider::time;

use super::catalogue;
use super::lenient;
use super::parse::Place;
use super::state;
use super::wire;

/// A group that ran for its whole limit, and ended within this many seconds after it, was stopped by it.
const LIMIT_SLACK_S: i64 = 60;

/// A group, read and as it came.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Group {
    pub(super) id: String,
    pub(super) wire: wire::Group,
    pub(super) raw: Value,
}

impl Group {
    /// Reads an object; `None` if it has no id.
    pub(super) fn read(raw: &Value) -> Option<Self> {
        let wire: wire::Group = serde_json::from_value(raw.clone()).ok()?;
        Some(Self {
            id: wire.id.clone()?,
            wire,
            raw: raw.clone(),
        })
    }

    /// The cluster, unless it is missing or the echo of a wildcard (§2.2).
    pub(super) fn cluster(&self) -> Option<&str> {
        self.wire.cluster.as_deref().filter(|name| *name != "-")
    }

    /// The marker in the first container's name.
    pub(super) fn marker(&self) -> Option<Marker> {
        Marker::from_suffix(self.container_name()?)
    }

    /// The state, without regard to a cancel of ours.
    pub(super) fn state(&self) -> State {
        let word = self.status().and_then(|status| status.state.as_deref());
        state::fold(word, None, None).state
    }

    /// Whether one of its containers mounts the volume.
    pub(super) fn mounts(&self, volume: &str) -> bool {
        self.wire
            .containers
            .iter()
            .flat_map(|container| &container.mounts)
            .any(|mount| mount.volume.as_deref() == Some(volume))
    }

    fn status(&self) -> Option<&wire::Status> {
        self.wire.status.as_ref()
    }

    fn container_name(&self) -> Option<&str> {
        self.wire.containers.first()?.name.as_deref()
    }

    /// The limit in front of the command, ours or the user's own: `timeout SECONDS …` (§9.2).
    fn limit_in_command(&self) -> Option<i64> {
        match self.wire.containers.first()?.command.as_slice() {
            [program, seconds, ..] if program == "timeout" => seconds.parse().ok(),
            _ => None,
        }
    }
}

/// What is known beside the group itself.
#[derive(Debug, Clone, Copy)]
pub(super) struct Context<'a> {
    pub(super) place: Place<'a>,
    pub(super) cancel_requested_at: Option<Timestamp>,
    pub(super) time_limit_s: Option<u64>,
    /// The catalogue, as far as it is known, for the GPUs.
    pub(super) offers: &'a [Offer],
}

impl<'a> Context<'a> {
    /// A group of a list, about which this machine remembers nothing.
    pub(super) fn unknown(place: Place<'a>, offers: &'a [Offer]) -> Self {
        Self {
            place,
            cancel_requested_at: None,
            time_limit_s: None,
            offers,
        }
    }

    /// The same with what this machine remembers of the job.
    pub(super) fn remembering(self, tracked: &Tracked) -> Self {
        Self {
            cancel_requested_at: tracked.cancel_requested_at,
            time_limit_s: tracked.time_limit_s,
            ..self
        }
    }
}

/// The record of a group.
pub(super) fn job(group: &Group, context: Context<'_>) -> Job {
    let place = context.place;
    let cluster = group.cluster().or(place.cluster);
    let namespace = group.wire.namespace.as_deref().unwrap_or(place.namespace);
    let job_ref = ResourceRef::new(
        place.provider,
        [namespace, cluster.unwrap_or("-"), &group.id],
    );
    let status = group.status().cloned().unwrap_or_default();
    let started = time::read(&status.start, Offset::UTC);
    let ended = time::read(&status.end, Offset::UTC);
    let folded = state::fold(status.state.as_deref(), ended, context.cancel_requested_at);

    let mut job = Job::new(job_ref, &group.id, folded.state);
    job.raw_state = status.state.clone().map_or(Value::Null, Value::from);
    job.reason = status.reason;
    job.message = status.message;
    job.started_at = started;
    job.finished_at = ended;
    set_duration(&mut job, &status.run_time);
    job.exit_code = (folded.state == State::Succeeded).then_some(0);
    job.instance_type.clone_from(&group.wire.instance_type);
    job.gpu = group
        .wire
        .instance_type
        .as_deref()
        .and_then(|name| catalogue::gpu_of(context.offers, cluster, name));
    job.node_names = group.wire.node.iter().cloned().collect();
    if folded.state == State::Running {
        job.endpoints = endpoints(&group.wire);
    }
    if folded.cancelling {
        job.flags.insert(Flag::Cancelling);
    }
    if folded.won_the_race && job.message.is_none() {
        job.message = Some("it ended before the cancel took effect".to_owned());
    }
    if ran_out(&job, group, context.time_limit_s) {
        job.reason = Some("timeout".to_owned());
    }
    let marker = group.marker();
    job.name = group
        .container_name()
        .map(|name| display_name(name, marker.as_ref()));
    job.marker = marker.map(|marker| marker.as_str().to_owned());
    job.raw = group.raw.clone();
    job
}

/// End minus start where both are told; `runTime` has lost its unit and only stands in, marked approximate (§5.1).
fn set_duration(job: &mut Job, run_time: &Value) {
    let told = lenient::number_of(run_time).filter(|seconds| *seconds >= 0.0);
    let derived = match (job.started_at, job.finished_at) {
        (Some(start), Some(end)) if end >= start => Some(end.duration_since(start)),
        _ => None,
    };
    job.duration_s = match derived {
        Some(duration) => Some(duration.as_secs()),
        None => told.and_then(|seconds| format!("{seconds:.0}").parse().ok()),
    };
    let doubtful = match (derived, told) {
        (Some(duration), Some(told)) => {
            let off = (duration.as_secs_f64() - told).abs();
            off > 2.0 && off > duration.as_secs_f64() / 100.0
        }
        (None, Some(_)) => true,
        (_, None) => false,
    };
    if doubtful {
        job.approximate.push("duration_s");
    }
}

/// Published addresses; they work only while the group runs (§3.7). Hosts are taken, never constructed.
fn endpoints(group: &wire::Group) -> Vec<String> {
    group
        .containers
        .iter()
        .flat_map(|container| &container.ports)
        .filter_map(|port| port.https.as_ref()?.host.as_deref())
        .map(|host| format!("https://{host}"))
        .collect()
}

/// Whether the emulated limit ended the run: the program's own code 124 is hidden, the run time is not.
fn ran_out(job: &Job, group: &Group, limit_s: Option<u64>) -> bool {
    let limit = limit_s
        .and_then(|limit| i64::try_from(limit).ok())
        .or_else(|| group.limit_in_command());
    match (job.state, limit, job.duration_s) {
        (State::Failed, Some(limit), Some(duration)) if limit > 0 => {
            job.approximate.is_empty()
                && duration >= limit
                && duration <= limit.saturating_add(LIMIT_SLACK_S)
        }
        _ => false,
    }
}

/// The container's name without our marker.
fn display_name(name: &str, marker: Option<&Marker>) -> String {
    marker
        .and_then(|marker| name.strip_suffix(marker.as_str()))
        .and_then(|name| name.strip_suffix('-'))
        .unwrap_or(name)
        .to_owned()
}
