//! A pod's log, and which of its lines came when: the file has no times, the API asks by time (pai-dlc.md §3.6).

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use super::query::Period;
use crate::model::Timestamp;

/// How much of the end is searched for a line feed at a time, and how much an answer reads at most.
const CHUNK: u64 = 64 * 1024;
const MOST: u64 = 16 * 1024 * 1024;

/// Knows up to where whole lines reached by the end of each second in which some came.
#[derive(Debug, Default)]
pub(super) struct PodLog {
    path: Option<PathBuf>,
    /// Second, and the end of the last line that had come by then. Both ascend.
    marks: Vec<(i64, u64)>,
    /// Length of the file that was looked at.
    seen: u64,
    is_complete: bool,
}

/// Which lines of a period are wanted.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wanted {
    pub(super) period: Period,
    pub(super) most_lines: usize,
    pub(super) keeps_newest: bool,
    pub(super) oldest_first: bool,
}

impl PodLog {
    /// Whether nothing more will come.
    pub(super) fn is_complete(&self) -> bool {
        self.is_complete
    }

    /// Takes note of what came since the last time. A line without its line feed counts once the process is over.
    pub(super) fn observe(&mut self, path: &Path, now: Timestamp, is_over: bool) {
        self.path = Some(path.to_owned());
        self.is_complete = is_over;
        let Ok(length) = std::fs::metadata(path).map(|metadata| metadata.len()) else {
            return;
        };
        let known = self.marks.last().map_or(0, |(_, end)| *end);
        let end = if is_over {
            length
        } else if length > self.seen {
            last_line_end(path, self.seen, length).unwrap_or(known)
        } else {
            known
        };
        self.seen = length;
        if end <= known {
            return;
        }
        // A clock that was set back must not disturb the order.
        let second = now.as_second();
        match self.marks.last_mut() {
            Some((last, last_end)) if *last >= second => *last_end = end,
            Some(_) | None => self.marks.push((second, end)),
        }
    }

    /// The lines that came in a period.
    pub(super) fn lines(&self, wanted: Wanted) -> io::Result<Vec<String>> {
        let Some(path) = &self.path else {
            return Ok(Vec::new());
        };
        let end_of = |is_before: &dyn Fn(i64) -> bool| {
            self.marks
                .iter()
                .take_while(|(second, _)| is_before(*second))
                .last()
                .map_or(0, |(_, end)| *end)
        };
        let mut from = end_of(&|second| second < wanted.period.start);
        let mut to = end_of(&|second| second <= wanted.period.end);
        let is_cut = to.saturating_sub(from) > MOST;
        if is_cut && wanted.keeps_newest {
            from = to - MOST;
        } else if is_cut {
            to = from + MOST;
        }
        if wanted.keeps_newest {
            from = last_lines(path, from, to, wanted.most_lines)?;
        }
        let bytes = read(path, from, to)?;
        let text = String::from_utf8_lossy(&bytes);
        let mut lines: Vec<&str> = text.split_terminator('\n').collect();
        let surplus = lines.len().saturating_sub(wanted.most_lines);
        if wanted.keeps_newest {
            lines.drain(..surplus);
        } else {
            lines.truncate(wanted.most_lines);
        }
        if !wanted.oldest_first {
            lines.reverse();
        }
        Ok(lines.into_iter().map(str::to_owned).collect())
    }
}

/// Where the last so many lines between two places begin, searched from the end: a poll costs what it answers.
fn last_lines(path: &Path, from: u64, to: u64, most: usize) -> io::Result<u64> {
    let mut end = to;
    // The line feed of the last line ends it and begins none.
    let mut left = most.saturating_add(1);
    while end > from {
        let start = end.saturating_sub(CHUNK).max(from);
        let bytes = read(path, start, end)?;
        for (position, byte) in bytes.iter().enumerate().rev() {
            let place = start + u64::try_from(position).unwrap_or_default() + 1;
            let is_feed = *byte == b'\n';
            // A last line without its line feed counts too.
            if is_feed || place == to {
                left = left.saturating_sub(1);
            }
            if left == 0 {
                return Ok(if is_feed { place } else { to });
            }
        }
        end = start;
    }
    Ok(from)
}

/// The place behind the last line feed between two places, searched from the end.
fn last_line_end(path: &Path, from: u64, to: u64) -> Option<u64> {
    let mut end = to;
    while end > from {
        let start = end.saturating_sub(CHUNK).max(from);
        let bytes = read(path, start, end).ok()?;
        if let Some(position) = bytes.iter().rposition(|byte| *byte == b'\n') {
            return Some(start + u64::try_from(position).ok()? + 1);
        }
        end = start;
    }
    None
}

fn read(path: &Path, from: u64, to: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    if to > from {
        let mut file = File::open(path)?;
        file.seek(SeekFrom::Start(from))?;
        file.take(to - from).read_to_end(&mut bytes)?;
    }
    Ok(bytes)
}
