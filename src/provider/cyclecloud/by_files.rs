//! The end of a job from the exit files of its nodes (cyclecloud.md §8.2, §8.5; cli.md §10, "Codes of jobs"). Pure.
//!
//! A node counts as unable to end only when two looks in a row found it failed or gone. What else lies in the directory
//! of results is the job's own business.

use std::collections::BTreeMap;

use jiff::SignedDuration;

use crate::model::{State, Timestamp};

use super::history::History;
use super::node::order_of;
use super::results::Exits;
use super::state::{CONFIRMED, Look, cancel_of, failure, remembered_failure};
use super::verdict::Verdict;

/// The runner's exit code for a job that reached its limit.
const TIME_LIMIT_CODE: i64 = 124;
/// The clock of a share, and the time between a cancel's note and its call: so much earlier than the cancel a file may
/// seem to be written and be its effect all the same.
const SKEW: SignedDuration = SignedDuration::from_secs(5);

/// Exit codes by the order of nodes; `None` for a node that has left none.
type Codes<'a> = BTreeMap<(u64, &'a str), Option<i64>>;

/// Exit files end a job as soon as every node has written one or can write none any more (§8.5).
pub(super) fn end(history: &History, look: &Look<'_>) -> Option<Verdict> {
    let exits = look.exits?;
    let target = history
        .added
        .or(history.wanted.map(u64::from))
        .and_then(|nodes| usize::try_from(nodes).ok());
    let codes = codes_of(history, exits, target);
    if codes.values().all(Option::is_none) {
        return None;
    }
    let lost_polls = |name: &str| {
        let seen = history.nodes.iter().find(|node| node.name == name);
        seen.map_or(history.gone_polls, |node| node.lost_polls)
    };
    let is_open = |((_, name), code): (&(u64, &str), &Option<i64>)| {
        code.is_none() && lost_polls(name) < CONFIRMED
    };
    let is_whole = codes.len() >= target.unwrap_or(1);
    // A list that is empty once may lag.
    if codes.iter().any(is_open) || !(is_whole || history.gone_polls >= CONFIRMED) {
        return None;
    }
    let last = exits.values().flatten().filter_map(|exit| exit.at).max();
    let mut verdict = of_codes(&codes, is_whole, last, history, look);
    verdict.finished_at = last;
    Some(verdict)
}

/// The codes of the nodes that were seen, and of those that only left a directory, as long as there can be such nodes:
/// other directories are the job's own.
fn codes_of<'a>(history: &'a History, exits: &'a Exits, target: Option<usize>) -> Codes<'a> {
    let code = |name: &str| exits.get(name).copied().flatten().map(|exit| exit.code);
    let seen = history.nodes.iter().map(|node| node.name.as_str());
    let may_be_more = target.is_none_or(|target| history.nodes.len() < target);
    let unseen = exits.keys().map(String::as_str).filter(|_| may_be_more);
    seen.chain(unseen)
        .map(|name| ((order_of(name).0, name), code(name)))
        .collect()
}

/// The end that the codes of all nodes make.
fn of_codes(
    codes: &Codes<'_>,
    is_whole: bool,
    last: Option<Timestamp>,
    history: &History,
    look: &Look<'_>,
) -> Verdict {
    let asked = cancel_of(history, look);
    let all_told = is_whole && codes.values().all(Option::is_some);
    if let Some(code) = codes.values().flatten().find(|code| **code != 0).copied() {
        let by_cancel = asked.is_some_and(|asked| {
            let since = |last: Timestamp| last.duration_since(asked);
            !all_told || last.is_none_or(|last| since(last) >= -SKEW)
        });
        let mut verdict = if by_cancel {
            Verdict::of(State::Cancelled)
        } else if code == TIME_LIMIT_CODE && history.time_limit_s.is_some() {
            Verdict::of(State::Failed)
                .because("timeout", "the runner ended the job at its time limit")
        } else {
            Verdict::of(State::Failed)
        };
        verdict.exit_code = Some(code);
        return verdict;
    }
    if all_told {
        let mut verdict = Verdict::of(State::Succeeded);
        verdict.exit_code = Some(0);
        return verdict;
    }
    if asked.is_some() {
        return Verdict::of(State::Cancelled);
    }
    if let Some(message) = failure(look.nodes).or_else(|| remembered_failure(history)) {
        return Verdict::of(State::Failed).because("node_failed", message);
    }
    Verdict::of(State::Unknown)
        .because(
            "no_exit_code",
            "nodes are gone that have left no exit code; the others ended with 0",
        )
        .never_learned()
}
