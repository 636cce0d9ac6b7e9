//! Job records from nodes (job-model.md §5, column CycleCloud).
//!
//! Pure. What the API does not tell and nobody remembered stays empty.

use jiff::SignedDuration;
use serde_json::{Map, Value, json};

use crate::http::redact;
use crate::model::{Job, ResourceRef, State, Timestamp};

use super::answers::NodeList;
use super::fields::as_text;
use super::gpus;
use super::history::History;
use super::node::{Node, Phase};
use super::payload::{TAG_NAME, TAG_SPEC, TAG_START_TIMEOUT};
use super::request_id;
use super::results::Exits;
use super::state::{self, Look};
use super::verdict::Verdict;

/// The member of a node that holds its settings.
const SETTINGS: &str = "Configuration";
/// What stands for a secret.
const HIDDEN: &str = "••••";

/// Which job is looked at, with what, and when.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sight<'a> {
    pub(super) provider: &'a str,
    pub(super) cluster: &'a str,
    pub(super) request_id: &'a str,
    /// Results as they can be seen from here.
    pub(super) exits: Option<&'a Exits>,
    pub(super) cancel_requested_at: Option<Timestamp>,
    pub(super) now: Timestamp,
    /// Looks that are closer together than this are one.
    pub(super) apart: SignedDuration,
}

/// Takes over what the nodes tell about the submit itself.
pub(super) fn learn(history: &mut History, list: &NodeList) {
    for node in &list.nodes {
        let number = |key: &str| {
            node.job_setting(key)
                .and_then(as_text)
                .and_then(|text| text.parse::<u64>().ok())
        };
        let wanted = number("nodes").and_then(|nodes| u32::try_from(nodes).ok());
        history.wanted = history.wanted.or(wanted);
        history.time_limit_s = history.time_limit_s.or_else(|| number("time_limit_s"));
        let result_dir = || node.job_setting("result_dir").and_then(as_text);
        history.result_dir = history.result_dir.take().or_else(result_dir);
        history.nodearray = history.nodearray.take().or_else(|| node.template.clone());
        history.machine_type = history
            .machine_type
            .take()
            .or_else(|| node.machine_type.clone());
        history.name = history.name.take().or_else(|| node.tag(TAG_NAME));
        history.start_timeout_s = history
            .start_timeout_s
            .or_else(|| node.tag(TAG_START_TIMEOUT)?.parse().ok());
        let marker = || {
            let spec_part = node.tag(TAG_SPEC)?;
            let marker = request_id::marker_of(&node.job_id()?, &spec_part)?;
            Some(marker.as_str().to_owned())
        };
        history.marker = history.marker.take().or_else(marker);
    }
    let told = list
        .operation
        .as_ref()
        .and_then(|operation| operation.start_time);
    history.created_at = told.or(history.created_at);
}

/// The record of a job whose nodes were listed.
pub(super) fn job(sight: &Sight<'_>, list: &NodeList, mut history: History) -> Job {
    learn(&mut history, list);
    let verdict = state::judge(
        &mut history,
        &Look {
            nodes: &list.nodes,
            exits: sight.exits,
            cancel_requested_at: sight.cancel_requested_at,
            now: sight.now,
            apart: sight.apart,
        },
    );
    let mut job = assemble(sight, &list.nodes, &history, verdict);
    let is_exact = list
        .operation
        .as_ref()
        .is_some_and(|operation| operation.start_time.is_some());
    if job.created_at.is_none() {
        job.created_at = list.nodes.iter().filter_map(|node| node.launch_time).min();
    }
    if job.created_at.is_some() && !is_exact {
        job.approximate.push("created_at");
    }
    job.raw = without_secrets(&list.raw);
    job
}

/// The record of a job that the server has forgotten: exit files may still tell how it ended (§6.3, §13).
pub(super) fn forgotten(sight: &Sight<'_>, mut history: History) -> Job {
    let mut by_files = history.clone();
    let verdict = state::judge(
        &mut by_files,
        &Look {
            nodes: &[],
            exits: sight.exits,
            cancel_requested_at: sight.cancel_requested_at,
            now: sight.now,
            apart: sight.apart,
        },
    );
    if verdict.exit_code.is_some() {
        return assemble(sight, &[], &by_files, verdict);
    }
    history.gone_polls = by_files.gone_polls;
    history.counted_at = by_files.counted_at;
    let is_new = history
        .begun_at()
        .is_some_and(|begun| sight.now.duration_since(begun).as_secs() < state::LAG_S);
    let mut verdict = Verdict::of(if is_new {
        State::Pending
    } else {
        State::Unknown
    });
    if !is_new {
        verdict.reason = Some("forgotten".to_owned());
        verdict.message =
            Some("the server accepted the request and does not know it any more".to_owned());
        verdict.flags.insert(crate::model::Flag::Gone);
    }
    history.state = Some(verdict.state.as_str().to_owned());
    assemble(sight, &[], &history, verdict)
}

/// The record of an ended job as its last look saw it; `None` if that saw no end.
pub(super) fn recalled(sight: &Sight<'_>, history: &History) -> Option<Job> {
    let end = history.end.as_ref()?;
    Some(assemble(sight, &[], history, end.verdict()))
}

/// The record of a create that was answered with 202.
pub(super) fn accepted(sight: &Sight<'_>, history: &History, raw: Value) -> Job {
    let mut verdict = Verdict::of(State::Pending);
    if history
        .added
        .zip(history.wanted)
        .is_some_and(|(added, wanted)| added < u64::from(wanted))
    {
        verdict.flags.insert(crate::model::Flag::Partial);
    }
    let mut job = assemble(sight, &[], history, verdict);
    job.approximate.push("created_at");
    job.raw = raw;
    job
}

fn assemble(sight: &Sight<'_>, nodes: &[Node], history: &History, verdict: Verdict) -> Job {
    let mut nodes: Vec<&Node> = nodes.iter().collect();
    nodes.sort_by_key(|node| node.order());
    let live = nodes
        .iter()
        .filter(|node| node.phase() != Phase::Gone)
        .count();
    let mut job = Job::new(
        ResourceRef::new(sight.provider, [sight.cluster, sight.request_id]),
        sight.request_id,
        verdict.state,
    );
    job.terminal = verdict.terminal;
    job.name.clone_from(&history.name);
    job.raw_state = raw_state(&nodes, history);
    job.reason = verdict.reason;
    job.message = verdict.message;
    job.created_at = history.created_at;
    job.started_at = history.started_at.filter(|_| history.seen_ready);
    if job.started_at.is_some() {
        job.approximate.push("started_at");
    }
    job.finished_at = verdict.finished_at;
    if verdict.is_approximate {
        job.approximate.push("finished_at");
    }
    job.duration_s = job
        .started_at
        .zip(job.finished_at)
        .map(|(from, to)| to.duration_since(from).as_secs().max(0));
    if job.duration_s.is_some() {
        job.approximate.push("duration_s");
    }
    job.exit_code = verdict.exit_code;
    job.gpu = history
        .machine_type
        .as_deref()
        .and_then(|machine_type| gpus::gpu(machine_type, None));
    job.instance_type.clone_from(&history.machine_type);
    job.nodes = history
        .wanted
        .or_else(|| u32::try_from(live.max(history.nodes.len())).ok())
        .unwrap_or(1)
        .max(1);
    job.node_names = nodes
        .iter()
        .map(|node| match &node.private_ip {
            Some(address) => format!("{} ({address})", node.name),
            None => node.name.clone(),
        })
        .collect();
    job.flags = verdict.flags;
    job.marker.clone_from(&history.marker);
    job.reading = history.reading();
    job
}

/// The server's own object; the settings of a node, where templates keep passwords, without what is named a secret
/// (cyclecloud.md §2.1; job-model.md §0 no. 4).
fn without_secrets(raw: &Value) -> Value {
    fn copied(value: &Value, is_setting: bool) -> Value {
        match value {
            Value::Object(members) => {
                let copied = members.iter().map(|(name, member)| {
                    let is_text = member.is_string() || member.is_number();
                    let member = if is_setting && is_text && redact::is_secret_name(name) {
                        Value::from(HIDDEN)
                    } else {
                        copied(member, is_setting || name.eq_ignore_ascii_case(SETTINGS))
                    };
                    (name.clone(), member)
                });
                Value::Object(copied.collect())
            }
            Value::Array(items) => items.iter().map(|item| copied(item, is_setting)).collect(),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value.clone(),
        }
    }
    copied(raw, false)
}

/// The words of the nodes; of nodes that are gone, the last ones.
fn raw_state(nodes: &[&Node], history: &History) -> Value {
    let words: Map<String, Value> = nodes
        .iter()
        .map(|node| (node.name.clone(), json!(node.word())))
        .collect();
    let gone = history
        .nodes
        .iter()
        .filter(|known| !words.contains_key(&known.name))
        .map(|known| (known.name.clone(), json!("gone")))
        .collect::<Vec<_>>();
    Value::Object(words.into_iter().chain(gone).collect())
}

/// Nodes that a terminate would change: all whose target is not `Terminated` yet (§7).
pub(super) fn to_terminate(list: &NodeList) -> Vec<&Node> {
    list.nodes
        .iter()
        .filter(|node| {
            !node
                .target_state
                .as_deref()
                .is_some_and(|target| target.eq_ignore_ascii_case("Terminated"))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_among_a_nodes_settings_are_not_shown() {
        let raw = json!({"nodes": [{
            "Name": "gpu-1", "Credentials": "azure",
            "Configuration": {
                "cyclecloud": {"config": {"username": "ops", "password": "hunter2"}},
                "tokens": ["x"], "gpujob": {"job_id": "a"},
            },
        }]});
        let shown = without_secrets(&raw);
        assert!(!shown.to_string().contains("hunter2"), "{shown}");
        let settings = &shown["nodes"][0]["Configuration"];
        assert_eq!(settings["cyclecloud"]["config"]["username"], "ops");
        assert_eq!(settings["cyclecloud"]["config"]["password"], HIDDEN);
        assert_eq!(settings["gpujob"]["job_id"], "a");
        assert_eq!(shown["nodes"][0]["Credentials"], "azure");
    }
}
