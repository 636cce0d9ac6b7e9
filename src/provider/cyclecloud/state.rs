//! The state of a job from its nodes, its exit files and what was seen before (cyclecloud.md §8.5; job-model.md §6).
//!
//! Pure. Readiness, failure and disappearance need two looks in a row: nodes have been seen to flip within seconds, and
//! lists lag. What nobody saw is never guessed.

use std::collections::BTreeSet;

use jiff::SignedDuration;

use crate::model::{Flag, State, Timestamp};

use super::by_files;
use super::history::{History, Remembered};
use super::node::{Node, Phase};
use super::results::Exits;
use super::verdict::Verdict;

/// Looks in a row that make a fact.
pub(super) const CONFIRMED: u32 = 2;
/// How long nodes may take to become ready, unless somebody says otherwise (§5.4).
pub(super) const START_TIMEOUT_S: u64 = 3600;
/// Right after a create an absent job may be lag (job-model.md §6).
pub(super) const LAG_S: i64 = 15;
/// A job may have come, run and gone between two looks that are further apart.
const BLIND_S: i64 = 300;

/// One look at a job.
#[derive(Debug, Clone, Copy)]
pub(super) struct Look<'a> {
    /// As listed, in any order.
    pub(super) nodes: &'a [Node],
    pub(super) exits: Option<&'a Exits>,
    pub(super) cancel_requested_at: Option<Timestamp>,
    pub(super) now: Timestamp,
    /// Looks that are closer together than this are one.
    pub(super) apart: SignedDuration,
}

/// How many nodes are in which phase.
struct Count {
    live: usize,
    ready: usize,
    failed: usize,
    pending: usize,
    stopping: usize,
    unknown: usize,
    stopped: usize,
}

impl Count {
    fn of(nodes: &[Node]) -> Self {
        let of = |phase: Phase| nodes.iter().filter(|node| node.phase() == phase).count();
        let stopped = of(Phase::Stopped);
        Self {
            live: nodes.len() - of(Phase::Gone) - stopped,
            ready: of(Phase::Ready),
            failed: of(Phase::Failed),
            pending: of(Phase::Pending),
            stopping: of(Phase::Stopping),
            unknown: of(Phase::Unknown),
            stopped,
        }
    }

    /// All that have not failed are ready, and there is one.
    fn all_ready(&self) -> bool {
        self.ready > 0 && self.ready + self.failed == self.live
    }

    /// Nothing is left that runs, or may run yet.
    fn is_over(&self) -> bool {
        self.live == self.failed + self.stopping
    }

    fn none_can_run(&self) -> bool {
        self.failed > 0 && self.ready == 0
    }
}

/// Judges a look, and remembers it.
pub(super) fn judge(history: &mut History, look: &Look<'_>) -> Verdict {
    let count = Count::of(look.nodes);
    remember(history, look, &count);
    let mut verdict =
        by_files::end(history, look).unwrap_or_else(|| by_nodes(history, look, &count));
    let wanted = history
        .wanted
        .and_then(|wanted| usize::try_from(wanted).ok());
    let is_short = count.live > 0 && wanted.is_some_and(|wanted| count.live < wanted);
    let was_short = match (history.added, history.wanted) {
        (Some(added), Some(wanted)) => added < u64::from(wanted),
        (_, _) => false,
    };
    if !verdict.terminal && (is_short || was_short) {
        verdict.flags.insert(Flag::Partial);
    }
    // A node that is left costs, whatever became of the job: `cancel` ends it.
    if verdict.terminal && count.live + count.stopped > 0 {
        verdict.flags.insert(Flag::Reserving);
    }
    history.state = Some(verdict.state.as_str().to_owned());
    history.end = verdict.end();
    verdict
}

fn remember(history: &mut History, look: &Look<'_>, count: &Count) {
    let is_apart = history.counted_at.is_none_or(|last| {
        let since = look.now.duration_since(last);
        since.is_negative() || since >= look.apart
    });
    let mut has_begun = false;
    let mut counted = |holds: bool, so_far: u32| {
        has_begun |= holds && so_far == 0;
        match (holds, so_far) {
            (false, _) => 0,
            (true, 0) => 1,
            (true, _) if is_apart => so_far.saturating_add(1),
            (true, _) => so_far,
        }
    };
    for node in look.nodes {
        let is_known = history.nodes.iter().any(|known| known.name == node.name);
        if !is_known {
            history.nodes.push(Remembered::new(&node.name));
        }
    }
    for known in &mut history.nodes {
        let node = look.nodes.iter().find(|node| node.name == known.name);
        if let Some(node) = node {
            known.status = node.word();
            known.failed = node.phase() == Phase::Failed;
        }
        let is_lost = node.is_none_or(|node| {
            matches!(node.phase(), Phase::Gone | Phase::Stopped | Phase::Failed)
        });
        known.lost_polls = counted(is_lost, known.lost_polls);
    }
    history.gone_polls = counted(count.live == 0, history.gone_polls);
    history.ready_polls = counted(count.all_ready(), history.ready_polls);
    history.failed_polls = counted(count.none_can_run(), history.failed_polls);
    if is_apart || has_begun {
        history.counted_at = Some(look.now);
    }
    if count.live == 0 {
        history.gone_at.get_or_insert(look.now);
    } else {
        history.gone_at = None;
        history.nodes_seen_at = Some(look.now);
    }
    if !history.seen_ready {
        match history.ready_polls {
            0 => history.started_at = None,
            1 => {
                history.started_at.get_or_insert(look.now);
            }
            _ => history.seen_ready = true,
        }
    }
}

/// When a cancel was asked for, unless the nodes had gone by themselves before.
pub(super) fn cancel_of(history: &History, look: &Look<'_>) -> Option<Timestamp> {
    let had_gone = |asked: &Timestamp| {
        !history.nodes.is_empty() && history.gone_at.is_some_and(|gone| gone < *asked)
    };
    look.cancel_requested_at.filter(|asked| !had_gone(asked))
}

fn by_nodes(history: &History, look: &Look<'_>, count: &Count) -> Verdict {
    // An end stands while its nodes leave: what ends them is no news about the job.
    if let Some(end) = history.end.as_ref().filter(|_| count.is_over()) {
        return end.verdict();
    }
    if count.live == 0 {
        return without_nodes(history, look, count);
    }
    if count.none_can_run() {
        let message = failure(look.nodes).unwrap_or_else(|| "a node has failed".to_owned());
        let state = if history.failed_polls >= CONFIRMED {
            State::Failed
        } else {
            before(history).unwrap_or(State::Starting)
        };
        return Verdict::of(state).because("node_failed", message);
    }
    let is_confirmed = history.seen_ready || history.ready_polls >= CONFIRMED;
    if count.failed > 0 {
        let message = failure(look.nodes).unwrap_or_else(|| "a node has failed".to_owned());
        let state = if is_confirmed {
            State::Running
        } else {
            State::Starting
        };
        return Verdict::of(state)
            .because("node_failed", message)
            .flagged(Flag::Degraded);
    }
    if count.stopping > 0 {
        return Verdict::of(before(history).unwrap_or(State::Unknown)).flagged(Flag::Cancelling);
    }
    if count.unknown > 0 {
        return Verdict::of(State::Unknown).because(
            "no_target_state",
            "the server does not say where a node is to go",
        );
    }
    if count.all_ready() {
        return Verdict::of(if is_confirmed {
            State::Running
        } else {
            State::Starting
        });
    }
    if let Some(late) = too_late(history, look.now) {
        return late;
    }
    let held_up = held_up(look.nodes);
    if count.pending == count.live {
        let mut verdict = Verdict::of(State::Pending);
        verdict.message = held_up;
        return verdict;
    }
    let mut verdict = Verdict::of(State::Starting);
    let words = held_up.map_or_else(String::new, |words| format!("; {words}"));
    let ready = format!("{} of {} nodes are ready{words}", count.ready, count.live);
    verdict.message = Some(ready);
    verdict
}

/// No node is left: what that means depends on what was seen before (§8.5, §0 no. 5).
fn without_nodes(history: &History, look: &Look<'_>, count: &Count) -> Verdict {
    let is_confirmed = history.gone_polls >= CONFIRMED;
    let left = if count.stopped > 0 {
        "the nodes are deallocated, and their disks still cost: `gpujob cancel` removes them"
    } else {
        "the nodes are gone"
    };
    if cancel_of(history, look).is_some() {
        return Verdict::of(State::Cancelled).noticed(history.gone_at);
    }
    if history.nodes.is_empty() {
        let is_new = history
            .begun_at()
            .is_some_and(|begun| seconds_between(begun, look.now) < LAG_S);
        return if history.accepted && is_new {
            Verdict::of(State::Pending)
        } else {
            Verdict::of(State::Unknown).because(
                "no_nodes",
                "the request has no nodes now, and nobody has seen what became of them",
            )
        };
    }
    if !is_confirmed {
        return Verdict::of(State::Unknown)
            .because("nodes_gone", format!("{left}; a second look will decide"));
    }
    if history.seen_ready {
        return Verdict::of(State::Unknown)
            .because(
                "no_exit_code",
                format!("{left}, and no exit code can be read from here"),
            )
            .never_learned()
            .noticed(history.gone_at);
    }
    let blind = history
        .nodes_seen_at
        .zip(history.gone_at)
        .is_some_and(|(seen, gone)| seconds_between(seen, gone) > BLIND_S);
    if let Some(message) = remembered_failure(history) {
        return Verdict::of(State::Failed)
            .because("node_failed", message)
            .noticed(history.gone_at);
    }
    if blind {
        return Verdict::of(State::Unknown)
            .because(
                "no_exit_code",
                format!("{left}, and nobody looked while they may have been ready"),
            )
            .never_learned()
            .noticed(history.gone_at);
    }
    Verdict::of(State::Failed)
        .because(
            "nodes_gone",
            format!(
                "nodes disappeared before becoming ready (capacity, quota or eviction){}",
                last_words(history)
            ),
        )
        .noticed(history.gone_at)
}

/// Not ready in time; the nodes may go on costing.
fn too_late(history: &History, now: Timestamp) -> Option<Verdict> {
    let limit = history.start_timeout_s.unwrap_or(START_TIMEOUT_S);
    let begun = history.begun_at();
    let by = history.start_by.or_else(|| {
        let limit = SignedDuration::from_secs(i64::try_from(limit).ok()?);
        begun?.checked_add(limit).ok()
    })?;
    if history.seen_ready || now < by {
        return None;
    }
    let within = begun.map_or_else(String::new, |begun| {
        format!(" within {} s", seconds_between(begun, by))
    });
    let message = format!("not all nodes were ready{within}; `gpujob cancel` ends them");
    Some(Verdict::of(State::Failed).because("start_timeout", message))
}

/// The state of the last look, as long as it was no end.
fn before(history: &History) -> Option<State> {
    history.last_state().filter(|state| !state.is_terminal())
}

/// What the first node says that is not usable yet (§5.4: a stuck node tells why).
fn held_up(nodes: &[Node]) -> Option<String> {
    let mut nodes: Vec<&Node> = nodes
        .iter()
        .filter(|node| matches!(node.phase(), Phase::Pending | Phase::Starting))
        .collect();
    nodes.sort_by_key(|node| node.order());
    nodes.iter().find_map(|node| {
        let text = node.status_message.as_deref()?;
        Some(format!("{}: {text}", node.name))
    })
}

/// What the first bad node says.
pub(super) fn failure(nodes: &[Node]) -> Option<String> {
    nodes
        .iter()
        .filter(|node| node.phase() == Phase::Failed)
        .min_by_key(|node| node.order())
        .map(|node| match node.failure() {
            Some(text) => format!("{}: {text}", node.name),
            None => format!("{} is `{}`", node.name, node.word()),
        })
}

/// A node that had failed before it went.
pub(super) fn remembered_failure(history: &History) -> Option<String> {
    history
        .nodes
        .iter()
        .find(|node| node.failed)
        .map(|node| format!("{} had failed before it was removed", node.name))
}

fn last_words(history: &History) -> String {
    let words: BTreeSet<&str> = history
        .nodes
        .iter()
        .map(|node| node.status.as_str())
        .collect();
    let words: Vec<&str> = words.into_iter().collect();
    format!("; last seen `{}`", words.join("`, `"))
}

fn seconds_between(from: Timestamp, to: Timestamp) -> i64 {
    to.duration_since(from).as_secs()
}
