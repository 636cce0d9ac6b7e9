//! Where a log that comes whole each time goes on (gongji.md §5.2): compared by its beginning, not by its length.
//!
//! Pure. What was handed out is remembered by fingerprints of blocks and its last bytes, so that a large log is not kept
//! twice. The log may have lost its beginning (rotated), or be another one (the container began again).

use std::hash::{DefaultHasher, Hasher as _};

/// One fingerprint for so many bytes.
const BLOCK: usize = 4 << 10;

/// So many last bytes are kept, to find them again in a log that lost its beginning.
const KEPT: usize = 64 << 10;

/// A rotated log overlaps by a whole line, or by so many bytes: less may be chance.
const CERTAIN: usize = 64;

/// What was handed out of a log.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Printed {
    /// Of every whole block from the start.
    blocks: Vec<u64>,
    length: usize,
    end: Vec<u8>,
}

/// A log that comes in pieces, held against the beginning of what was handed out.
#[derive(Debug, Default)]
pub(super) struct Walk {
    position: usize,
    /// What was read since the last block that fits.
    block: Vec<u8>,
}

/// How far a piece fits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// All of it is known.
    Known,
    /// Everything that was handed out has passed; from this byte of the piece on it is new.
    New(usize),
    /// It has another beginning than what was handed out; so many bytes of the piece were looked at.
    Differs(usize),
}

/// How a log stands to what was handed out of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Joint {
    /// From this byte on it is new; at its end, nothing is.
    GoesOn(usize),
    /// It lost its beginning; from this byte on it is new.
    Rotated(usize),
    /// Only a beginning of what was handed out: a late answer, or a container that began again and says the same.
    Shorter,
    /// Another log, or one that has gone on by more than is kept.
    Other,
}

impl Printed {
    /// Where this log goes on.
    pub(super) fn joint(&self, text: &[u8]) -> Joint {
        if self.is_beginning_of(text) {
            return Joint::GoesOn(self.length);
        }
        if self.begins_with(text) {
            return Joint::Shorter;
        }
        match self.end_within(text) {
            Some(at) => Joint::Rotated(at),
            None => Joint::Other,
        }
    }

    /// All of this log was handed out, which goes on from what was before if `goes_on`.
    pub(super) fn take(&mut self, text: &[u8], goes_on: bool) {
        if !goes_on {
            self.blocks.clear();
        }
        let known = self.blocks.len() * BLOCK;
        let new = text.get(known..).unwrap_or_default();
        self.blocks.extend(new.chunks_exact(BLOCK).map(fingerprint));
        self.length = text.len();
        self.end = last(text, KEPT).to_vec();
    }

    /// These bytes were handed out behind what was before.
    pub(super) fn extend(&mut self, bytes: &[u8]) {
        let known = self.length % BLOCK;
        let begun = [last(&self.end, known), bytes].concat();
        self.blocks
            .extend(begun.chunks_exact(BLOCK).map(fingerprint));
        self.length += bytes.len();
        self.end.extend_from_slice(last(bytes, KEPT));
        let superfluous = self.end.len().saturating_sub(KEPT);
        self.end.drain(..superfluous);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.length == 0
    }

    /// Whether the last byte is that of a line's end; so it is before the first.
    pub(super) fn ends_a_line(&self) -> bool {
        self.end.last().is_none_or(|byte| *byte == b'\n')
    }

    fn is_beginning_of(&self, text: &[u8]) -> bool {
        let whole = self.blocks.len() * BLOCK;
        let Some(known) = text.get(..self.length) else {
            return false;
        };
        let rest = known.get(whole..).unwrap_or_default();
        self.end.ends_with(rest) && self.blocks_match(known)
    }

    /// Whether this text is a beginning of what was handed out, as far as that is still known.
    fn begins_with(&self, text: &[u8]) -> bool {
        if text.len() >= self.length || !self.blocks_match(text) {
            return false;
        }
        let whole = text.len() / BLOCK * BLOCK;
        self.has_at(whole, text.get(whole..).unwrap_or_default())
    }

    /// Whether this is what was handed out from a place on, as far as that is still known.
    fn has_at(&self, whole: usize, rest: &[u8]) -> bool {
        let kept_from = self.length - self.end.len();
        match whole.checked_sub(kept_from) {
            Some(from) => self
                .end
                .get(from..)
                .is_some_and(|kept| kept.starts_with(rest)),
            // Of this block only the fingerprint is known.
            None => true,
        }
    }

    fn blocks_match(&self, text: &[u8]) -> bool {
        text.chunks_exact(BLOCK)
            .zip(&self.blocks)
            .all(|(block, known)| fingerprint(block) == *known)
    }

    /// Behind the last bytes that were handed out, if this log holds them, or begins within them.
    fn end_within(&self, text: &[u8]) -> Option<usize> {
        if self.end.is_empty() {
            return None;
        }
        if self.end.len() >= CERTAIN
            && let Some(at) = rfind(text, &self.end)
        {
            return Some(at + self.end.len());
        }
        (1..=self.end.len().min(text.len()))
            .rev()
            .filter(|length| text.starts_with(last(&self.end, *length)))
            .find(|length| self.is_certain(*length))
    }

    /// Whether an overlap of so many bytes is no chance: long, or a whole line with what stands around it.
    fn is_certain(&self, length: usize) -> bool {
        let from = self.end.len() - length;
        let begins_a_line = from == 0 || self.end.get(from - 1) == Some(&b'\n');
        let mut lines = last(&self.end, length).split(|byte| *byte == b'\n');
        let before_first = usize::from(!begins_a_line);
        let holds_one = lines.clone().count() > before_first + 1
            && (begins_a_line || lines.by_ref().skip(1).any(|line| !line.is_empty()));
        length >= CERTAIN || holds_one
    }
}

impl Walk {
    /// Takes the next piece of the log.
    pub(super) fn step(&mut self, printed: &Printed, piece: &[u8]) -> Step {
        let mut used = 0;
        loop {
            let left = printed.length - self.position;
            let rest = piece.get(used..).unwrap_or_default();
            if left == 0 {
                return if printed.end.ends_with(&self.block) {
                    Step::New(used)
                } else {
                    Step::Differs(used)
                };
            }
            if rest.is_empty() {
                return Step::Known;
            }
            let size = rest.len().min(left).min(BLOCK - self.block.len());
            self.block
                .extend_from_slice(rest.get(..size).unwrap_or_default());
            self.position += size;
            used += size;
            if self.block.len() == BLOCK {
                let index = self.position / BLOCK - 1;
                if printed.blocks.get(index) != Some(&fingerprint(&self.block)) {
                    return Step::Differs(used);
                }
                self.block.clear();
            }
        }
    }

    /// Everything that was read, as long as no block of it has passed.
    pub(super) fn beginning(self) -> Option<Vec<u8>> {
        (self.position == self.block.len()).then_some(self.block)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.position == 0
    }

    /// Whether the log, which has ended, was only a beginning of what was handed out.
    pub(super) fn is_shorter(&self, printed: &Printed) -> bool {
        self.position < printed.length
            && printed.has_at(self.position - self.block.len(), &self.block)
    }
}

fn last(bytes: &[u8], most: usize) -> &[u8] {
    bytes
        .get(bytes.len().saturating_sub(most)..)
        .unwrap_or_default()
}

fn fingerprint(block: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    hasher.write(block);
    hasher.finish()
}

/// The last place of a text in another. What repeats itself is taken to have been handed out.
fn rfind(text: &[u8], wanted: &[u8]) -> Option<usize> {
    let last = *wanted.last()?;
    let mut end = text.len();
    while end >= wanted.len() {
        let found = text.get(..end)?.iter().rposition(|byte| *byte == last)?;
        let from = (found + 1).checked_sub(wanted.len())?;
        if text.get(from..=found)? == wanted {
            return Some(from);
        }
        end = found;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(range: std::ops::Range<u32>) -> String {
        let lines: Vec<String> = range.map(|number| format!("line {number:06}\n")).collect();
        lines.concat()
    }

    fn printed(text: &str) -> Printed {
        let mut printed = Printed::default();
        printed.take(text.as_bytes(), false);
        printed
    }

    #[test]
    fn a_log_that_grows_goes_on() {
        for length in [0, 1, 100, 315, 10_000] {
            let text = lines(0..length);
            let grown = lines(0..length + 7);
            let joint = printed(&text).joint(grown.as_bytes());
            assert_eq!(joint, Joint::GoesOn(text.len()), "{length}");
            let mut step = printed(&text);
            step.take(grown.as_bytes(), true);
            assert_eq!(step, printed(&grown), "{length}");
        }
    }

    #[test]
    fn a_log_that_lost_its_beginning_goes_on_behind_what_is_known() {
        for (known, now) in [
            (0..50, 10..60),
            (0..50, 49..60),
            (0..20_000, 5..20_001),
            // Nearly everything that is kept has gone.
            (0..20_000, 19_990..30_000),
        ] {
            let text = lines(now.clone());
            let wanted = lines(now.start..known.end).len();
            let joint = printed(&lines(known)).joint(text.as_bytes());
            assert_eq!(joint, Joint::Rotated(wanted), "{now:?}");
        }
    }

    #[test]
    fn a_log_that_was_cut_inside_a_line_goes_on_too() {
        let text = lines(0..50);
        let now = format!("{}{}", text.split_at(7).1, lines(50..52));
        let joint = printed(&text).joint(now.as_bytes());
        assert_eq!(joint, Joint::Rotated(text.len() - 7));
    }

    #[test]
    fn another_log_is_another() {
        let known = printed(&lines(0..5_000));
        for other in [lines(5_000..6_000), "nine".to_owned(), lines(1..3)] {
            assert_eq!(known.joint(other.as_bytes()), Joint::Other, "{other}");
        }
        // One letter in common is chance.
        assert_eq!(printed("b a").joint(b"a b"), Joint::Other);
    }

    #[test]
    fn a_shorter_log_with_the_same_beginning_is_told_apart() {
        for known in [20, 5_000, 50_000] {
            let printed = printed(&lines(0..known));
            for short in [String::new(), lines(0..10), lines(0..known - 1)] {
                assert_eq!(printed.joint(short.as_bytes()), Joint::Shorter, "{known}");
            }
        }
    }

    #[test]
    fn what_repeats_itself_was_handed_out() {
        let text = "x\n".repeat(100);
        assert_eq!(printed(&text).joint(text.as_bytes()), Joint::GoesOn(200));
        let rotated = format!("y\n{text}");
        assert_eq!(
            printed(&text).joint(rotated.as_bytes()),
            Joint::Rotated(202)
        );
    }

    #[test]
    fn an_overlap_may_end_in_a_line_that_is_not_whole() {
        let known = format!("{}line 0000", lines(0..50));
        let now = lines(48..60);
        let overlap = known.len() - lines(0..48).len();
        assert_eq!(
            printed(&known).joint(now.as_bytes()),
            Joint::Rotated(overlap)
        );
        // Cut inside a line, with a whole one behind.
        let cut = printed("line 1\nline 2\nline 3\n");
        assert_eq!(cut.joint(b"2\nline 3\nline 4\n"), Joint::Rotated(9));
        assert_eq!(cut.joint(b"3\nother\n"), Joint::Other);
        // Without a line's end in it, it may be chance.
        assert_eq!(printed("x\nab").joint(b"abc\n"), Joint::Other);
    }

    #[test]
    fn what_is_handed_out_bit_by_bit_is_known_as_the_whole_is() {
        let text = lines(0..20_000);
        for size in [1000, 4096, 10_000, 70_000, 200_000] {
            let mut grown = Printed::default();
            for piece in text.as_bytes().chunks(size) {
                grown.extend(piece);
            }
            assert_eq!(grown, printed(&text), "{size}");
        }
    }

    /// Where a walk over a log in pieces ends: in the text behind what is known, or with the last step.
    fn walk(printed: &Printed, text: &str, size: usize) -> (Walk, Result<usize, Step>) {
        let mut walk = Walk::default();
        let mut begun = 0;
        for piece in text.as_bytes().chunks(size) {
            match walk.step(printed, piece) {
                Step::Known => begun += piece.len(),
                Step::New(from) => return (walk, Ok(begun + from)),
                Step::Differs(used) => return (walk, Err(Step::Differs(begun + used))),
            }
        }
        (walk, Err(Step::Known))
    }

    #[test]
    fn a_log_in_pieces_goes_on_where_the_whole_does() {
        for length in [1, 100, 315, 10_000] {
            let (text, grown) = (lines(0..length), lines(0..length + 7));
            for size in [100, 4096, 9999] {
                assert_eq!(
                    walk(&printed(&text), &grown, size).1,
                    Ok(text.len()),
                    "{length}"
                );
            }
        }
    }

    #[test]
    fn a_log_in_pieces_is_shorter_or_differs_as_the_whole_does() {
        let known = printed(&lines(0..10_000));
        for size in [100, 4096, 9999] {
            let (short, end) = walk(&known, &lines(0..9_000), size);
            assert_eq!(end, Err(Step::Known));
            assert!(short.is_shorter(&known));
            let (other, end) = walk(&known, &lines(7..9_000), size);
            assert_eq!(end, Err(Step::Differs(BLOCK)));
            assert_eq!(
                other.beginning().unwrap(),
                lines(7..9_000).as_bytes()[..BLOCK]
            );
            let late = format!("{}{}", lines(0..5_000), lines(0..5_000));
            let (late, end) = walk(&known, &late, size);
            assert!(matches!(end, Err(Step::Differs(_))), "{end:?}");
            assert_eq!(late.beginning(), None);
        }
        let (cut, _) = walk(&known, &format!("{}other", lines(0..9_999)), 100);
        assert!(!cut.is_shorter(&known));
    }
}
