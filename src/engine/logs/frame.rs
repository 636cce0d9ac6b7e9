//! Several logs in one stream: the bytes as they are, or whole lines each with the name of its pod. Pure.

use std::collections::BTreeMap;

use crate::error::Result;
use crate::provider::{LogSource, LogStream};

/// A line longer than this is handed on in parts, so that a log without line feeds cannot fill the memory; no more is
/// held back.
const LONGEST_LINE: usize = 1 << 20;

/// What is held back until the other stream ends its line is let go after so many rounds.
const ROUNDS_HELD: u32 = 2;

/// Takes what is to be printed.
pub trait Sink: Send {
    /// Bytes as the job wrote them.
    fn bytes(&mut self, bytes: &[u8]) -> Result<()>;

    /// One line of one pod, without its line feed; of which of its streams, where they are kept apart.
    fn line(&mut self, pod: &str, stream: Option<LogStream>, line: &[u8]) -> Result<()>;

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
///
/// The two streams of one pod are its log: none of their bytes is changed and none is added. They take turns where a line
/// ends, for as long as the one that is in the middle of a line does not keep the other waiting.
#[derive(Debug)]
pub(super) struct Framer {
    by_line: bool,
    /// The log that wrote last, if its line has not ended.
    open: Option<usize>,
    /// What waits until the line of another stream has ended.
    held: BTreeMap<usize, Held>,
    /// Of each log, what has come of a line that has not ended.
    begun: BTreeMap<usize, Vec<u8>>,
}

/// Bytes of a stream that wait.
#[derive(Debug)]
struct Held {
    source: LogSource,
    bytes: Vec<u8>,
    rounds: u32,
}

impl Framer {
    pub(super) fn new(form: Form) -> Self {
        Self {
            by_line: form == Form::Lines,
            open: None,
            held: BTreeMap::new(),
            begun: BTreeMap::new(),
        }
    }

    /// From now on there are several pods: every line has its name.
    pub(super) fn name_pods(&mut self, sink: &mut dyn Sink) -> Result<()> {
        self.by_line = true;
        self.end_line(sink)?;
        for (log, held) in std::mem::take(&mut self.held) {
            self.push_lines(log, &held.source, &held.bytes, sink)?;
        }
        Ok(())
    }

    /// The next bytes of a log, which a number tells from the others.
    pub(super) fn push(
        &mut self,
        log: usize,
        source: &LogSource,
        bytes: &[u8],
        sink: &mut dyn Sink,
    ) -> Result<()> {
        if bytes.is_empty() {
            return Ok(());
        }
        if self.by_line {
            return self.push_lines(log, source, bytes, sink);
        }
        if self.open.is_some_and(|other| other != log) {
            if source.stream.is_some() {
                return self.hold(log, source, bytes, sink);
            }
            // Another run of the pod began: its log is another text.
            self.end_line(sink)?;
        }
        // Whoever waits has its turn as soon as this line ends.
        let first = match bytes.iter().position(|byte| *byte == b'\n') {
            Some(end) if !self.held.is_empty() => end + 1,
            Some(_) | None => bytes.len(),
        };
        let (now, then) = bytes.split_at_checked(first).unwrap_or((bytes, &[]));
        self.write(log, now, sink)?;
        self.let_go(sink)?;
        self.push(log, source, then, sink)
    }

    /// A round of looks is over: what has waited for long enough waits no longer.
    pub(super) fn round_is_over(&mut self, sink: &mut dyn Sink) -> Result<()> {
        for held in self.held.values_mut() {
            held.rounds += 1;
        }
        if self.held.values().any(|held| held.rounds > ROUNDS_HELD) {
            self.open = None;
            self.let_go(sink)?;
        }
        Ok(())
    }

    /// A log has ended: what it left without a line feed is a line too, where lines have names.
    pub(super) fn finish(
        &mut self,
        log: usize,
        source: &LogSource,
        sink: &mut dyn Sink,
    ) -> Result<()> {
        match self.begun.remove(&log) {
            Some(line) if !line.is_empty() => sink.line(&source.name, source.stream, &line),
            Some(_) | None => Ok(()),
        }
    }

    /// All logs have ended: what still waits is all there is.
    pub(super) fn end(&mut self, sink: &mut dyn Sink) -> Result<()> {
        while !self.held.is_empty() {
            self.open = None;
            self.let_go(sink)?;
        }
        Ok(())
    }

    fn push_lines(
        &mut self,
        log: usize,
        source: &LogSource,
        bytes: &[u8],
        sink: &mut dyn Sink,
    ) -> Result<()> {
        let (pod, stream) = (&source.name, source.stream);
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            let begun = self.begun.entry(log).or_default();
            match piece.strip_suffix(b"\n") {
                Some(line) if begun.is_empty() => sink.line(pod, stream, line)?,
                Some(rest) => {
                    begun.extend_from_slice(rest);
                    let line = std::mem::take(begun);
                    sink.line(pod, stream, &line)?;
                }
                None => {
                    begun.extend_from_slice(piece);
                    if begun.len() > LONGEST_LINE {
                        let line = std::mem::take(begun);
                        sink.line(pod, stream, &line)?;
                    }
                }
            }
        }
        Ok(())
    }

    /// Keeps bytes back while the other stream is in the middle of a line.
    fn hold(
        &mut self,
        log: usize,
        source: &LogSource,
        bytes: &[u8],
        sink: &mut dyn Sink,
    ) -> Result<()> {
        let held = self.held.entry(log).or_insert_with(|| Held {
            source: source.clone(),
            bytes: Vec::new(),
            rounds: 0,
        });
        held.bytes.extend_from_slice(bytes);
        if held.bytes.len() > LONGEST_LINE {
            self.open = None;
            self.let_go(sink)?;
        }
        Ok(())
    }

    /// Writes what waits, if no line is open, up to one that is left open itself.
    fn let_go(&mut self, sink: &mut dyn Sink) -> Result<()> {
        while self.open.is_none()
            && let Some((log, held)) = self.held.pop_first()
        {
            self.write(log, &held.bytes, sink)?;
        }
        Ok(())
    }

    fn write(&mut self, log: usize, bytes: &[u8], sink: &mut dyn Sink) -> Result<()> {
        self.open = (bytes.last() != Some(&b'\n')).then_some(log);
        sink.bytes(bytes)
    }

    /// Two logs may not share a line.
    fn end_line(&mut self, sink: &mut dyn Sink) -> Result<()> {
        match self.open.take() {
            Some(_) => sink.bytes(b"\n"),
            None => Ok(()),
        }
    }
}
