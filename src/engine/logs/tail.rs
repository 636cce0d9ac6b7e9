//! `--tail N`: of a history that comes in pieces, the last lines, in memory for no more than those.

use std::collections::VecDeque;

/// The last lines of what was pushed.
#[derive(Debug)]
pub(super) struct Tail {
    most: usize,
    /// Each with its line feed, except perhaps the last.
    lines: VecDeque<Vec<u8>>,
}

impl Tail {
    /// Keeps at most so many lines; one without its line feed counts.
    pub(super) fn new(most: usize) -> Self {
        Self {
            most,
            lines: VecDeque::new(),
        }
    }

    /// The next bytes of the history.
    pub(super) fn push(&mut self, bytes: &[u8]) {
        for line in bytes.split_inclusive(|byte| *byte == b'\n') {
            match self.lines.back_mut() {
                Some(open) if open.last() != Some(&b'\n') => open.extend_from_slice(line),
                Some(_) | None => {
                    self.lines.push_back(line.to_vec());
                    if self.lines.len() > self.most.max(1) {
                        self.lines.pop_front();
                    }
                }
            }
        }
    }

    /// How many lines are kept; one without its line feed counts.
    pub(super) fn count(&self) -> usize {
        self.lines.len().min(self.most)
    }

    /// Keeps no more than so many from now on.
    pub(super) fn limit(&mut self, most: usize) {
        self.most = self.most.min(most);
        while self.lines.len() > self.most.max(1) {
            self.lines.pop_front();
        }
    }

    /// The last lines. Of no lines at all nothing is left, not even one that goes on later.
    pub(super) fn finish(self) -> Vec<u8> {
        if self.most == 0 {
            return Vec::new();
        }
        self.lines.into_iter().flatten().collect()
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case(2, &["a\nb\nc\n"], "b\nc\n")]
    #[case(2, &["a\nb", "b\nc"], "bb\nc")]
    #[case(1, &["a", "b", "\n"], "ab\n")]
    #[case(5, &["a\n\n"], "a\n\n")]
    #[case(0, &["a\nb"], "")]
    #[case(3, &[], "")]
    fn the_last_lines_stay_however_they_come(
        #[case] most: usize,
        #[case] pieces: &[&str],
        #[case] left: &str,
    ) {
        let mut tail = Tail::new(most);
        for piece in pieces {
            tail.push(piece.as_bytes());
        }
        assert_eq!(String::from_utf8(tail.finish()).unwrap(), left);
    }

    #[rstest]
    #[case(3, 3, "a\nb\nc")]
    #[case(2, 2, "b\nc")]
    #[case(0, 0, "")]
    #[case(9, 3, "a\nb\nc")]
    fn a_limit_leaves_the_last_ones(
        #[case] limit: usize,
        #[case] count: usize,
        #[case] left: &str,
    ) {
        let mut tail = Tail::new(5);
        tail.push(b"a\nb\nc");
        tail.limit(limit);
        assert_eq!(tail.count(), count);
        assert_eq!(String::from_utf8(tail.finish()).unwrap(), left);
    }

    #[test]
    fn no_more_is_kept_than_is_asked_for() {
        let mut tail = Tail::new(3);
        for number in 0..10_000 {
            tail.push(format!("line {number}\n").as_bytes());
            assert!(tail.lines.len() <= 3);
        }
    }
}
