//! Which seconds of a log to ask for, and what of an answer is new (pai-dlc.md §3.6).
//!
//! Pure. The service knows no cursor and no time of a line. Whether a period's last second belongs to it is not
//! documented, nor which end of a full answer is missing. So a full answer counts for nothing and its period is halved,
//! and a period begins with the second that the one before ended with: how many lines from there on were handed out
//! already is asked for and not guessed, since lines may be alike.

use std::collections::VecDeque;
use std::hash::{DefaultHasher, Hasher as _};

/// Lines asked for: what the service gives by itself.
const USUAL_LINES: usize = 2_000;

/// A full second is asked for again with so many times as many lines, and at most so often: more lines than a machine
/// writes.
const MORE_LINES: usize = 10;
const MOST_LINES: usize = 20_000_000;

/// A second that is not so many seconds past may still get lines.
const OVERLAP: i64 = 5;

/// The last look goes back so many seconds: what came late is found again.
const WIDE: i64 = 60;

/// A later beginning is looked for when so many lines, or seconds, are asked for at every look.
const FULL_ENOUGH: usize = 500;
const LONG_ENOUGH: i64 = 120;

/// One question: a period in whole seconds, and at most so many lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Ask {
    pub(super) from: i64,
    pub(super) to: i64,
    pub(super) most_lines: usize,
    /// However large the answer is: the period cannot be made smaller.
    pub(super) any_size: bool,
    /// Its period begins and ends at once; a service that refuses that has nothing there.
    pub(super) is_seam: bool,
}

/// What an answer gave.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct News {
    /// Which lines of the answer are new, by position.
    pub(super) lines: Vec<usize>,
    /// The service would not tell all lines of this one second.
    pub(super) is_cut: bool,
}

/// A place in a log that is read by time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Windows {
    now: i64,
    /// Fingerprints of the lines that were handed out, in the service's order.
    seen: Vec<u64>,
    /// Where questions may begin, ascending. There is always one.
    starts: VecDeque<Start>,
    /// How far this round has to go, the nearest last; empty between rounds.
    ends: Vec<i64>,
    /// How far any round went.
    reached: i64,
    /// The next question is about the seam behind this end, up to which so many lines were seen.
    seam: Option<(i64, usize)>,
    /// The next question is about one second alone: where questions began before, and how many lines it must tell.
    alone: Option<(Start, usize)>,
    most_lines: usize,
    /// How many lines came when fewer were asked for.
    before: Option<usize>,
    any_size: bool,
}

/// A second from which on may be asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Start {
    second: i64,
    /// The first of `seen` that an answer from there on holds.
    offset: usize,
    /// How many lines the seam itself held.
    held: usize,
    /// Nothing comes late before it any more.
    is_settled: bool,
}

impl Windows {
    /// At the first second that counts.
    pub(super) fn new(start: i64) -> Self {
        Self {
            now: start,
            seen: Vec::new(),
            starts: VecDeque::from([Start {
                second: start,
                offset: 0,
                held: 0,
                is_settled: true,
            }]),
            ends: Vec::new(),
            reached: i64::MIN,
            seam: None,
            alone: None,
            most_lines: USUAL_LINES,
            before: None,
            any_size: false,
        }
    }

    /// Begins a round of questions that reaches to the service's present; the last one goes back for what came late.
    pub(super) fn begin(&mut self, now: i64, is_last: bool) {
        self.now = self.now.max(now);
        self.ask_anew();
        self.seam = None;
        let wide = self.now - WIDE;
        while self.starts.len() > 1
            && self
                .starts
                .back()
                .is_some_and(|start| !start.is_settled || is_last && start.second > wide)
        {
            self.starts.pop_back();
        }
        self.ends.clear();
        let start = self.start();
        if start.second > self.now {
            return;
        }
        // One second more: the present one may be left out of a period that ends with it.
        self.ends.push(self.now + 1);
        let is_first = self.reached == i64::MIN;
        let is_much = self.seen.len().saturating_sub(start.offset) >= FULL_ENOUGH
            || self.now - start.second >= LONG_ENOUGH;
        let settled = self.now - OVERLAP - 1;
        if !is_first && !is_last && is_much && settled > start.second {
            self.ends.push(settled);
        }
    }

    /// The next question of the round.
    pub(super) fn ask(&self) -> Option<Ask> {
        let end = *self.ends.last()?;
        let (from, to) = match self.seam {
            Some((second, _)) => (second, second),
            None => (self.start().second, end),
        };
        Some(Ask {
            from,
            to,
            most_lines: self.most_lines,
            any_size: self.any_size,
            is_seam: self.seam.is_some(),
        })
    }

    /// Takes the answer to the last question.
    pub(super) fn answer(&mut self, lines: &[String]) -> News {
        let Some(end) = self.ends.last().copied() else {
            return News::default();
        };
        if let Some((before, expected)) = self.alone.take()
            && lines.len() < expected
        {
            // The second is not in a period that ends with it.
            self.begin_again(Start { held: 0, ..before });
            return News::default();
        }
        let is_full = lines.len() >= self.most_lines;
        if is_full && self.ask_for_less_or_more(lines.len()) {
            return News::default();
        }
        // More were asked for, and no more came.
        let is_cut = is_full || self.before == Some(lines.len());
        let answer: Vec<u64> = lines.iter().map(|line| fingerprint(line)).collect();
        if let Some((second, position)) = self.seam.take() {
            self.begin_at(second, position, &answer);
            self.ask_anew();
            return News::default();
        }
        let start = self.start();
        if is_cut && start.held > 0 && start.second < end {
            // The seam held lines: it may be that a period's last second belongs to it, and can be asked for alone.
            self.alone = Some((start, lines.len().saturating_sub(start.held) / 2));
            self.begin_again(Start {
                second: end,
                offset: start.offset + start.held,
                held: 0,
                ..start
            });
            return News::default();
        }
        let (lines, position) = self.take(answer, end < self.reached);
        self.ask_anew();
        self.reached = self.reached.max(end);
        self.ends.pop();
        if !self.ends.is_empty() {
            self.seam = Some((end, position));
        }
        News { lines, is_cut }
    }

    /// The answer to the last question was too large to be read; whether another question can be asked instead.
    pub(super) fn is_too_large(&mut self) -> bool {
        if self.halve() {
            return true;
        }
        !std::mem::replace(&mut self.any_size, true)
    }

    fn start(&self) -> Start {
        self.starts.back().copied().unwrap_or(Start {
            second: self.now,
            offset: self.seen.len(),
            held: 0,
            is_settled: true,
        })
    }

    fn begin_again(&mut self, start: Start) {
        if let Some(last) = self.starts.back_mut() {
            *last = start;
        }
        self.ask_anew();
    }

    fn ask_anew(&mut self) {
        self.most_lines = USUAL_LINES;
        self.before = None;
        self.any_size = false;
    }

    /// After a full answer: half of the period, or as it is one second, more lines.
    fn ask_for_less_or_more(&mut self, count: usize) -> bool {
        if self.halve() {
            return true;
        }
        let is_more = self.before != Some(count) && self.most_lines < MOST_LINES;
        if is_more {
            self.before = Some(count);
            self.most_lines = self.most_lines.saturating_mul(MORE_LINES);
        }
        is_more
    }

    /// Goes half as far first, where there is a second between.
    fn halve(&mut self) -> bool {
        let (None, Some(end)) = (self.seam, self.ends.last().copied()) else {
            return false;
        };
        let from = self.start().second;
        let is_divisible = end - from > 1;
        if is_divisible {
            self.ends.push(from + (end - from) / 2);
            self.ask_anew();
        }
        is_divisible
    }

    /// Questions begin at this second from now on: of what was seen up to `position`, the seam holds the last.
    fn begin_at(&mut self, second: i64, position: usize, seam: &[u64]) {
        let first = self.start().offset;
        let mut offset = position.min(self.seen.len());
        for line in seam.iter().rev() {
            if offset > first && self.seen.get(offset - 1) == Some(line) {
                offset -= 1;
            }
        }
        self.starts.push_back(Start {
            second,
            offset,
            held: position.saturating_sub(offset),
            is_settled: second < self.now - OVERLAP,
        });
        self.forget();
    }

    /// Drops what no look goes back to any more.
    fn forget(&mut self) {
        let wide = self.now - WIDE;
        while self
            .starts
            .get(1)
            .is_some_and(|next| next.is_settled && next.second <= wide)
        {
            self.starts.pop_front();
        }
        let gone = self.starts.front().map_or(0, |start| start.offset);
        if gone > 0 {
            self.seen.drain(..gone.min(self.seen.len()));
            for start in &mut self.starts {
                start.offset -= gone;
            }
        }
    }

    /// The lines of an answer that were not seen yet, and how many were seen up to its end.
    fn take(&mut self, answer: Vec<u64>, is_part: bool) -> (Vec<usize>, usize) {
        let offset = self.start().offset.min(self.seen.len());
        let seen = self.seen.split_off(offset);
        let mut fit = Fit::of(&seen, 0, &answer);
        let lacks_some = fit.end < seen.len();
        if !is_part && lacks_some && fit.new.is_empty() {
            // An answer that lacks some and has nothing new is late: what was seen counts.
            self.seen.extend(seen);
            return (fit.new, self.seen.len());
        }
        if lacks_some && !fit.new.is_empty() {
            // The service has lost lines, or tells only the newest: it begins somewhere in what was seen.
            let overlap = (1..=seen.len().min(answer.len()))
                .rev()
                .filter(|_| !is_part)
                .find(|length| seen.ends_with(answer.get(..*length).unwrap_or_default()));
            let first = || seen.iter().position(|line| Some(line) == answer.first());
            let skipped = overlap.map(|length| seen.len() - length).or_else(first);
            let other = skipped.map(|skipped| Fit::of(&seen, skipped, &answer));
            fit = other
                .filter(|other| other.new.len() < fit.new.len())
                .unwrap_or(fit);
        }
        self.seen
            .extend_from_slice(seen.get(..fit.skipped).unwrap_or_default());
        self.seen.extend(answer);
        let end = self.seen.len();
        if is_part {
            // What was seen and is not in it comes behind.
            self.seen
                .extend_from_slice(seen.get(fit.end..).unwrap_or_default());
        }
        (fit.new, end)
    }
}

/// How an answer fits what was seen.
#[derive(Debug)]
struct Fit {
    /// Lines seen that the answer does not begin with.
    skipped: usize,
    /// Lines seen up to its end.
    end: usize,
    /// Which of its lines are new, by position.
    new: Vec<usize>,
}

impl Fit {
    fn of(seen: &[u64], skipped: usize, answer: &[u64]) -> Self {
        let mut end = skipped;
        let mut new = Vec::new();
        for (position, line) in answer.iter().enumerate() {
            if seen.get(end) == Some(line) {
                end += 1;
            } else {
                new.push(position);
            }
        }
        Self { skipped, end, new }
    }
}

fn fingerprint(line: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    hasher.write(line.as_bytes());
    hasher.finish()
}

#[cfg(test)]
mod tests;
