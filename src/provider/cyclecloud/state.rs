//! The state of a job from its nodes, its exit files and what was seen before (cyclecloud.md §8.5; job-model.md §6).
//!
//! Pure. Readiness, failure and disappearance need two looks in a row: nodes have been seen to flip within seconds, and
//! lists lag. What nobody saw is never guessed.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::{Flag, State, Timestamp};

use super::history::{History, Remembered};
use super::node::{Node, Phase, order_of};
use super::results::Exits;

/// Looks in a row that make a fact.
const CONFIRMED: u32 = 2;
/// How long nodes may take to become ready, unless somebody says otherwise (§5.4).
pub(super) const START_TIMEOUT_S: u64 = 3600;
/// Right after a create an absent job may be lag (job-model.md §6).
pub(super) const LAG_S: i64 = 15;
/// A job may have come, run and gone between two looks that are further apart.
const BLIND_S: i64 = 300;
/// The runner's exit code for a job that reached its limit.
const TIME_LIMIT_CODE: i64 = 124;

/// One look at a job.
#[derive(Debug, Clone, Copy)]
pub(super) struct Look<'a> {
    /// As listed, in any order.
    pub(super) nodes: &'a [Node],
    pub(super) exits: Option<&'a Exits>,
    pub(super) cancel_requested_at: Option<Timestamp>,
    pub(super) now: Timestamp,
}

/// What a look means.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Verdict {
    pub(super) state: State,
    pub(super) terminal: bool,
    pub(super) reason: Option<&'static str>,
    pub(super) message: Option<String>,
    pub(super) flags: BTreeSet<Flag>,
    pub(super) exit_code: Option<i64>,
    pub(super) finished_at: Option<Timestamp>,
    /// Whether `finished_at` is when it was noticed, not when it happened.
    pub(super) is_approximate: bool,
}

impl Verdict {
    pub(super) fn of(state: State) -> Self {
        Self {
            state,
            terminal: state.is_terminal(),
            reason: None,
            message: None,
            flags: BTreeSet::new(),
            exit_code: None,
            finished_at: None,
            is_approximate: false,
        }
    }

    fn because(mut self, reason: &'static str, message: impl Into<String>) -> Self {
        self.reason = Some(reason);
        self.message = Some(message.into());
        self
    }

    fn flagged(mut self, flag: Flag) -> Self {
        self.flags.insert(flag);
        self
    }

    /// Over, and its result can never be learned.
    fn never_learned(mut self) -> Self {
        self.terminal = true;
        self.flagged(Flag::ResultUnknown)
    }

    fn noticed(mut self, at: Option<Timestamp>) -> Self {
        self.finished_at = at;
        self.is_approximate = at.is_some();
        self
    }
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

    fn none_can_run(&self) -> bool {
        self.failed > 0 && self.ready == 0
    }
}

/// Judges a look, and remembers it.
pub(super) fn judge(history: &mut History, look: &Look<'_>) -> Verdict {
    let count = Count::of(look.nodes);
    remember(history, look, &count);
    let mut verdict =
        by_exit_files(history, look, &count).unwrap_or_else(|| by_nodes(history, look, &count));
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
    history.state = Some(verdict.state.as_str().to_owned());
    verdict
}

fn remember(history: &mut History, look: &Look<'_>, count: &Count) {
    for node in look.nodes {
        let remembered = Remembered {
            name: node.name.clone(),
            status: node.word(),
            failed: node.phase() == Phase::Failed,
        };
        match history
            .nodes
            .iter_mut()
            .find(|known| known.name == node.name)
        {
            Some(known) => *known = remembered,
            None => history.nodes.push(remembered),
        }
    }
    let counted = |holds: bool, so_far: u32| if holds { so_far.saturating_add(1) } else { 0 };
    history.gone_polls = counted(count.live == 0, history.gone_polls);
    history.ready_polls = counted(count.all_ready(), history.ready_polls);
    history.failed_polls = counted(count.none_can_run(), history.failed_polls);
    if count.live == 0 {
        history.gone_at.get_or_insert(look.now);
    } else {
        history.gone_at = None;
        history.nodes_seen_at = Some(look.now);
    }
    if !history.seen_ready {
        match history.ready_polls {
            0 => history.started_at = None,
            1 => history.started_at = Some(look.now),
            _ => history.seen_ready = true,
        }
    }
}

/// Exit codes by the order of nodes; `None` for a node that has left none.
type Codes<'a> = BTreeMap<(u64, &'a str), Option<i64>>;

/// Exit files end a job as soon as every node has written one or is gone (§8.5).
fn by_exit_files(history: &History, look: &Look<'_>, count: &Count) -> Option<Verdict> {
    let exits = look.exits?;
    if exits.values().all(Option::is_none) {
        return None;
    }
    let codes: Codes<'_> = history
        .nodes
        .iter()
        .map(|node| node.name.as_str())
        .chain(exits.keys().map(String::as_str))
        .map(|name| {
            let code = exits.get(name).copied().flatten().map(|exit| exit.code);
            ((order_of(name).0, name), code)
        })
        .collect();
    let is_live = |name: &str| {
        look.nodes.iter().any(|node| {
            let can_end = matches!(node.phase(), Phase::Gone | Phase::Stopped | Phase::Failed);
            node.name == name && !can_end
        })
    };
    let all_ended = codes
        .iter()
        .all(|((_, name), code)| code.is_some() || !is_live(name));
    let target = history
        .added
        .or(history.wanted.map(u64::from))
        .and_then(|nodes| usize::try_from(nodes).ok())
        .unwrap_or(1);
    let is_whole = codes.len() >= target;
    if !all_ended || !(is_whole || count.live == 0) {
        return None;
    }
    let last = exits.values().flatten().filter_map(|exit| exit.at).max();
    let mut verdict = of_codes(&codes, is_whole, last, history, look)?;
    verdict.finished_at = last;
    Some(verdict)
}

/// The end that the codes of all nodes make.
fn of_codes(
    codes: &Codes<'_>,
    is_whole: bool,
    last: Option<Timestamp>,
    history: &History,
    look: &Look<'_>,
) -> Option<Verdict> {
    if let Some(code) = codes.values().flatten().find(|code| **code != 0).copied() {
        let by_cancel = look
            .cancel_requested_at
            .is_some_and(|asked| last.is_none_or(|last| last >= asked));
        let mut verdict = if by_cancel {
            Verdict::of(State::Cancelled)
        } else if code == TIME_LIMIT_CODE && history.time_limit_s.is_some() {
            Verdict::of(State::Failed)
                .because("timeout", "the runner ended the job at its time limit")
        } else {
            Verdict::of(State::Failed)
        };
        verdict.exit_code = Some(code);
        return Some(verdict);
    }
    if is_whole && codes.values().all(Option::is_some) {
        let mut verdict = Verdict::of(State::Succeeded);
        verdict.exit_code = Some(0);
        return Some(verdict);
    }
    if look.cancel_requested_at.is_some() {
        return Some(Verdict::of(State::Cancelled));
    }
    if let Some(message) = failure(look.nodes).or_else(|| remembered_failure(history)) {
        return Some(Verdict::of(State::Failed).because("node_failed", message));
    }
    // Files on a share may appear late.
    (history.gone_polls >= CONFIRMED).then(|| {
        Verdict::of(State::Unknown)
            .because(
                "no_exit_code",
                "nodes are gone that have left no exit code; the others ended with 0",
            )
            .never_learned()
    })
}

fn by_nodes(history: &History, look: &Look<'_>, count: &Count) -> Verdict {
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
    if count.pending == count.live {
        return Verdict::of(State::Pending);
    }
    let mut verdict = Verdict::of(State::Starting);
    verdict.message = Some(format!("{} of {} nodes are ready", count.ready, count.live));
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
    if look.cancel_requested_at.is_some() {
        return Verdict::of(State::Cancelled).noticed(history.gone_at);
    }
    if history.nodes.is_empty() {
        let is_new = history
            .created_at
            .is_some_and(|created| seconds_between(created, look.now) < LAG_S);
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
    let waited = seconds_between(history.created_at?, now);
    let is_late = !history.seen_ready && u64::try_from(waited).is_ok_and(|waited| waited > limit);
    is_late.then(|| {
        Verdict::of(State::Failed).because(
            "start_timeout",
            format!("not all nodes were ready within {limit} s; `gpujob cancel` ends them"),
        )
    })
}

/// The state of the last look, as long as it was no end.
fn before(history: &History) -> Option<State> {
    history.last_state().filter(|state| !state.is_terminal())
}

/// What the first bad node says.
fn failure(nodes: &[Node]) -> Option<String> {
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
fn remembered_failure(history: &History) -> Option<String> {
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
