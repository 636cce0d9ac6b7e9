//! Several logs in one stream: the bytes as they are, or whole lines each with the name of its pod.

use std::collections::BTreeMap;

use crate::error::Result;

/// A line longer than this is handed on in parts, so that a log without line feeds cannot fill the memory.
const LONGEST_LINE: usize = 1 << 20;

/// Takes what is to be printed.
pub trait Sink: Send {
    /// Bytes as the job wrote them.
    fn bytes(&mut self, bytes: &[u8]) -> Result<()>;

    /// One line of one pod, without its line feed.
    fn line(&mut self, pod: &str, line: &[u8]) -> Result<()>;

    /// Whether nobody reads any more.
    fn is_closed(&self) -> bool;
}

/// How logs are handed on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// The bytes themselves for as long as there is one pod, else lines.
    Bytes,
    /// Always lines.
    Lines,
}

/// Puts the pieces of several logs together.
#[derive(Debug)]
pub(super) struct Framer {
    by_line: bool,
    /// The log that wrote last, if its line has not ended.
    open: Option<usize>,
    /// Of each log, what has come of a line that has not ended.
    begun: BTreeMap<usize, Vec<u8>>,
}

impl Framer {
    pub(super) fn new(form: Form) -> Self {
        Self {
            by_line: form == Form::Lines,
            open: None,
            begun: BTreeMap::new(),
        }
    }

    /// From now on there are several pods: every line has its name.
    pub(super) fn name_pods(&mut self, sink: &mut dyn Sink) -> Result<()> {
        self.by_line = true;
        self.end_line(sink)
    }

    /// The next bytes of a log, which a number tells from the others.
    pub(super) fn push(
        &mut self,
        log: usize,
        pod: &str,
        bytes: &[u8],
        sink: &mut dyn Sink,
    ) -> Result<()> {
        if bytes.is_empty() {
            return Ok(());
        }
        if !self.by_line {
            if self.open.is_some_and(|other| other != log) {
                self.end_line(sink)?;
            }
            self.open = (bytes.last() != Some(&b'\n')).then_some(log);
            return sink.bytes(bytes);
        }
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            let begun = self.begun.entry(log).or_default();
            match piece.strip_suffix(b"\n") {
                Some(line) if begun.is_empty() => sink.line(pod, line)?,
                Some(rest) => {
                    begun.extend_from_slice(rest);
                    let line = std::mem::take(begun);
                    sink.line(pod, &line)?;
                }
                None => {
                    begun.extend_from_slice(piece);
                    if begun.len() > LONGEST_LINE {
                        let line = std::mem::take(begun);
                        sink.line(pod, &line)?;
                    }
                }
            }
        }
        Ok(())
    }

    /// A log has ended: what it left without a line feed is a line too.
    pub(super) fn finish(&mut self, log: usize, pod: &str, sink: &mut dyn Sink) -> Result<()> {
        match self.begun.remove(&log) {
            Some(line) if !line.is_empty() => sink.line(pod, &line),
            Some(_) | None => Ok(()),
        }
    }

    /// Two logs may not share a line.
    fn end_line(&mut self, sink: &mut dyn Sink) -> Result<()> {
        match self.open.take() {
            Some(_) => sink.bytes(b"\n"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Writes down what it takes.
    #[derive(Debug, Default)]
    struct Page(String);

    impl Sink for Page {
        fn bytes(&mut self, bytes: &[u8]) -> Result<()> {
            self.0.push_str(&String::from_utf8_lossy(bytes));
            Ok(())
        }

        fn line(&mut self, pod: &str, line: &[u8]) -> Result<()> {
            for part in ["[", pod, "] ", &String::from_utf8_lossy(line), "\n"] {
                self.0.push_str(part);
            }
            Ok(())
        }

        fn is_closed(&self) -> bool {
            false
        }
    }

    #[test]
    fn the_bytes_of_one_log_are_not_touched() {
        let (mut framer, mut page) = (Framer::new(Form::Bytes), Page::default());
        for piece in ["a", "b\r\nc", "", "\n", "end"] {
            framer.push(0, "x", piece.as_bytes(), &mut page).unwrap();
        }
        framer.finish(0, "x", &mut page).unwrap();
        assert_eq!(page.0, "ab\r\nc\nend");
    }

    #[test]
    fn a_log_that_follows_another_begins_on_a_line_of_its_own() {
        let (mut framer, mut page) = (Framer::new(Form::Bytes), Page::default());
        for (log, piece) in [(0, "killed"), (1, "again\n"), (0, "x\n"), (1, "y")] {
            framer.push(log, "x", piece.as_bytes(), &mut page).unwrap();
        }
        assert_eq!(page.0, "killed\nagain\nx\ny");
    }

    #[test]
    fn lines_of_several_pods_are_never_mixed() {
        let (mut framer, mut page) = (Framer::new(Form::Lines), Page::default());
        for (log, piece) in [(0, "a1"), (1, "b1\nb"), (0, "\n\na3"), (1, "2\n")] {
            let pod = ["a", "b"][log];
            framer.push(log, pod, piece.as_bytes(), &mut page).unwrap();
        }
        framer.finish(0, "a", &mut page).unwrap();
        framer.finish(1, "b", &mut page).unwrap();
        assert_eq!(page.0, "[b] b1\n[a] a1\n[a] \n[b] b2\n[a] a3\n");
    }

    #[test]
    fn a_second_pod_that_comes_later_ends_the_line_of_the_first() {
        let (mut framer, mut page) = (Framer::new(Form::Bytes), Page::default());
        framer.push(0, "a", b"one", &mut page).unwrap();
        framer.name_pods(&mut page).unwrap();
        framer.push(1, "b", b"two\n", &mut page).unwrap();
        assert_eq!(page.0, "one\n[b] two\n");
    }

    #[test]
    fn a_line_without_end_is_handed_on_in_parts() {
        let (mut framer, mut page) = (Framer::new(Form::Lines), Page::default());
        for _ in 0..5 {
            framer
                .push(0, "a", &vec![b'x'; LONGEST_LINE / 2], &mut page)
                .unwrap();
        }
        framer.finish(0, "a", &mut page).unwrap();
        assert_eq!(page.0.lines().count(), 2);
        assert_eq!(page.0.matches('x').count(), LONGEST_LINE / 2 * 5);
    }
}
