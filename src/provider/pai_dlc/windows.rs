//! Which seconds of a log to ask for, and what of an answer is new (pai-dlc.md §3.6).
//!
//! Pure. The service knows no cursor and no time of a line; it answers the lines of a period of whole seconds, and of a
//! full answer nobody knows which end is missing. So a full answer counts for nothing and its window is halved; windows
//! never overlap, but each is asked again until its seconds lie behind, and what was handed out of it is remembered.

use std::collections::VecDeque;
use std::hash::{DefaultHasher, Hasher as _};

/// Lines asked for: what the service gives by itself.
const USUAL_LINES: usize = 2_000;

/// A full second is asked for again with so many times as many lines, and at most so often: more lines than a machine
/// writes.
const MORE_LINES: usize = 10;
const MOST_LINES: usize = 20_000_000;

/// A window whose end is not so many seconds past may still get lines.
const OVERLAP: i64 = 5;

/// The last look goes back so many seconds before the last: what came late is found again.
const WIDE: i64 = 60;

/// A window is not extended any more when it has so many lines, or is so many seconds long.
const FULL_ENOUGH: usize = 500;
const LONG_ENOUGH: i64 = 60;

/// One question: a period, both ends included, in whole seconds, and at most so many lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Ask {
    pub(super) from: i64,
    pub(super) to: i64,
    pub(super) most_lines: usize,
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
    start: i64,
    now: i64,
    all: VecDeque<Window>,
}

/// Some seconds, and what was handed out of them.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Window {
    ask: Ask,
    /// Fingerprints of the lines, in order.
    seen: Vec<u64>,
    /// How many lines came when fewer were asked for.
    before: Option<usize>,
    /// One half of a window: what was seen and is not in it belongs to the next.
    is_half: bool,
    /// Whether this round has asked for it.
    is_asked: bool,
    /// Whether it needs no further look.
    is_settled: bool,
}

impl Windows {
    /// At the first second that counts.
    pub(super) fn new(start: i64) -> Self {
        Self {
            start,
            now: start,
            all: VecDeque::new(),
        }
    }

    /// Begins a round of questions that reaches to the service's present; the last one goes back for what came late.
    pub(super) fn begin(&mut self, now: i64, is_last: bool) {
        self.now = self.now.max(now);
        while self
            .all
            .front()
            .is_some_and(|window| window.is_settled && window.ask.to < self.now - WIDE)
        {
            self.all.pop_front();
        }
        let next = match self.all.back_mut() {
            None => self.start,
            Some(last) if last.ask.to >= self.now => self.now + 1,
            Some(last)
                if last.is_settled
                    || last.seen.len() >= FULL_ENOUGH
                    || self.now - last.ask.from >= LONG_ENOUGH =>
            {
                last.ask.to + 1
            }
            Some(last) => {
                last.ask.to = self.now;
                last.before = None;
                self.now + 1
            }
        };
        if next <= self.now {
            self.all.push_back(Window::new(next, self.now));
        }
        // Should all of them be dropped, the next begins here.
        self.start = self.now + 1;
        for window in &mut self.all {
            window.is_asked = window.is_settled && !is_last;
        }
    }

    /// The next question of the round.
    pub(super) fn ask(&self) -> Option<Ask> {
        self.all
            .iter()
            .find(|window| !window.is_asked)
            .map(|window| window.ask)
    }

    /// Takes the answer to the last question.
    pub(super) fn answer(&mut self, lines: &[String]) -> News {
        let Some(index) = self.all.iter().position(|window| !window.is_asked) else {
            return News::default();
        };
        let settled_before = self.now - OVERLAP;
        let Some(window) = self.all.get_mut(index) else {
            return News::default();
        };
        let mut news = News::default();
        if lines.len() >= window.ask.most_lines {
            if window.ask.to > window.ask.from {
                let second = window.halve();
                self.all.insert(index + 1, second);
                return news;
            }
            if window.before != Some(lines.len()) && window.ask.most_lines < MOST_LINES {
                window.before = Some(lines.len());
                window.ask.most_lines = window.ask.most_lines.saturating_mul(MORE_LINES);
                return news;
            }
            news.is_cut = true;
        }
        // More were asked for, and no more came.
        news.is_cut |= window.before == Some(lines.len());
        let (new, rest) = window.take(lines);
        news.lines = new;
        window.is_asked = true;
        window.is_settled = window.ask.to < settled_before;
        window.before = None;
        if std::mem::take(&mut window.is_half)
            && let Some(next) = self.all.get_mut(index + 1)
        {
            next.seen.splice(0..0, rest);
        }
        news
    }
}

impl Window {
    fn new(from: i64, to: i64) -> Self {
        Self {
            ask: Ask {
                from,
                to,
                most_lines: USUAL_LINES,
            },
            seen: Vec::new(),
            before: None,
            is_half: false,
            is_asked: false,
            is_settled: false,
        }
    }

    /// Becomes its own first half, and gives the second.
    fn halve(&mut self) -> Self {
        let middle = self.ask.from + (self.ask.to - self.ask.from) / 2;
        let mut second = Self::new(middle + 1, self.ask.to);
        second.is_half = self.is_half;
        self.ask.to = middle;
        self.ask.most_lines = USUAL_LINES;
        self.is_half = true;
        second
    }

    /// The lines that were not seen yet, and what was seen and belongs to the next window.
    fn take(&mut self, lines: &[String]) -> (Vec<usize>, Vec<u64>) {
        let answer: Vec<u64> = lines.iter().map(|line| fingerprint(line)).collect();
        let mut matched = 0;
        let mut new = Vec::new();
        for (position, line) in answer.iter().enumerate() {
            if self.seen.get(matched) == Some(line) {
                matched += 1;
            } else {
                new.push(position);
            }
        }
        let rest = self.seen.get(matched..).unwrap_or_default().to_vec();
        if self.is_half {
            self.seen = answer;
            return (new, rest);
        }
        if rest.is_empty() {
            self.seen = answer;
        } else if !new.is_empty() {
            // The service has lost lines: what it tells begins somewhere in what was seen.
            let overlap = (1..=self.seen.len().min(answer.len()))
                .rev()
                .find(|length| {
                    self.seen
                        .ends_with(answer.get(..*length).unwrap_or_default())
                });
            if let Some(overlap) = overlap {
                new = (overlap..answer.len()).collect();
            }
            self.seen = answer;
        }
        // An answer that lacks some and has nothing new is late: what was seen counts.
        (new, Vec::new())
    }
}

fn fingerprint(line: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    hasher.write(line.as_bytes());
    hasher.finish()
}

#[cfg(test)]
mod tests;
