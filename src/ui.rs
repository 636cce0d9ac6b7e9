//! The only place that writes to the streams, shows progress and asks questions (cli.md §3, style.md §8).
//!
//! stdout carries the result and nothing else; everything for people goes to stderr, sanitised. Streams are trait
//! objects, so that tests can look at what was written.

mod facts;
mod progress;
mod streams;

#[cfg(test)]
mod tests;

use std::fmt;
use std::io::{self, BufRead, IsTerminal as _, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use indicatif::{MultiProgress, ProgressDrawTarget};
use jiff::tz::TimeZone;

use crate::ambient::Reporter;
use crate::error::{Error, Kind, Result};
use crate::model::{Receipt, Timestamp};
use crate::output::error::{error_text, labelled};
use crate::output::sanitize::{self, LogSanitizer};
use crate::output::table::{Tone, receipts};
use crate::output::{Format, Jq, Style, error_line};
use crate::secret::Secret;

pub use facts::{ColourChoice, Facts, Terminals};
pub use progress::Task;
pub use streams::Streams;

use streams::{Silence, columns};

/// What the global flags say about talking.
#[derive(Debug, Clone, Default)]
pub struct Options {
    pub format: Format,
    pub jq: Option<Jq>,
    pub colour: ColourChoice,
    pub answers: Answers,
    /// How often `-v` was given.
    pub verbosity: u8,
    /// `-q`: no notes, no progress.
    pub quiet: bool,
    /// `--trace-http`.
    pub traces: bool,
}

/// Who answers questions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Answers {
    /// The user, on a terminal.
    #[default]
    Ask,
    /// `-y`: yes to everything.
    Yes,
    /// `--no-input`: nobody.
    Nobody,
}

/// Where a job's log goes: to stdout, or to stderr when stdout carries a record (cli.md §10, "Output, small print").
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogTarget {
    Output,
    Errors,
}

/// Talks to the user.
pub struct Ui {
    options: Options,
    facts: Facts,
    zone: TimeZone,
    output: Mutex<Box<dyn Write + Send>>,
    errors: Mutex<Box<dyn Write + Send>>,
    input: Mutex<Box<dyn BufRead + Send>>,
    /// Nobody reads stdout any more.
    closed: AtomicBool,
    /// A question stands at the end of the last line on stderr.
    asking: AtomicBool,
    bars: MultiProgress,
}

impl fmt::Debug for Ui {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Ui")
            .field("options", &self.options)
            .field("facts", &self.facts)
            .finish_non_exhaustive()
    }
}

impl Ui {
    /// Over the process's own streams, with the facts found about them.
    pub fn standard(options: Options) -> Self {
        let terminals = Terminals {
            input: io::stdin().is_terminal(),
            output: io::stdout().is_terminal(),
            errors: io::stderr().is_terminal(),
        };
        let facts = Facts::new(terminals, columns(), |name| std::env::var(name).ok());
        let ui = Self::new(options, facts, TimeZone::system(), Streams::standard());
        if ui.draws() {
            ui.bars.set_draw_target(ProgressDrawTarget::stderr());
        }
        ui
    }

    /// Over any streams; nothing is drawn.
    pub fn new(options: Options, facts: Facts, zone: TimeZone, streams: Streams) -> Self {
        Self {
            options,
            facts,
            zone,
            output: Mutex::new(streams.output),
            errors: Mutex::new(streams.errors),
            input: Mutex::new(streams.input),
            closed: AtomicBool::new(false),
            asking: AtomicBool::new(false),
            bars: MultiProgress::with_draw_target(ProgressDrawTarget::hidden()),
        }
    }

    /// How results on stdout look.
    pub fn style(&self) -> Style {
        Style {
            format: self.options.format,
            colour: self
                .facts
                .colour(self.options.colour, self.facts.terminals.output),
            width: self.facts.table_width(),
            time_zone: self.zone.clone(),
            jq: self.options.jq.clone(),
        }
    }

    /// The format asked for.
    pub fn format(&self) -> Format {
        self.options.format
    }

    /// The facts about the streams.
    pub fn facts(&self) -> &Facts {
        &self.facts
    }

    /// Writes a result and flushes it. A reader that has gone is no error: nothing more is written, see
    /// [`Self::is_closed`].
    pub fn print(&self, text: &str) -> Result<()> {
        self.print_bytes(text.as_bytes())
    }

    /// The same for bytes that must not be touched, such as a downloaded file's.
    pub fn print_bytes(&self, bytes: &[u8]) -> Result<()> {
        if self.is_closed() || bytes.is_empty() {
            return Ok(());
        }
        let written = self.bars.suspend(|| {
            let mut output = self.output.lock().unwrap_or_else(PoisonError::into_inner);
            output.write_all(bytes).and_then(|()| output.flush())
        });
        match written {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
                self.closed.store(true, Ordering::Relaxed);
                Ok(())
            }
            Err(error) => Err(Error::new(
                Kind::Internal,
                "output_failed",
                "the result cannot be written to standard output",
            )
            .with_cause(error)
            .with_hint("what the command did has been done; look before running it again")),
            Ok(()) => Ok(()),
        }
    }

    /// The ref of a new job on stderr, where stdout is its log's (cli.md §10, "Output, small print"); under `--quiet` the
    /// ref alone.
    pub fn submitted(&self, job_ref: &str) {
        if self.options.quiet {
            self.say("", job_ref, Tone::Faint);
        } else {
            self.note(&format!("submitted {job_ref}"));
        }
    }

    /// Whether nobody reads stdout any more: a command that only prints may stop, with exit code 0.
    pub fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Relaxed)
    }

    /// A piece of a job's log: a pipe gets the bytes unchanged, a terminal gets them harmless (cli.md §3).
    pub fn log(&self, target: LogTarget, bytes: &[u8], sanitizer: &mut LogSanitizer) -> Result<()> {
        match target {
            LogTarget::Output if self.facts.terminals.output => self.print(&sanitizer.push(bytes)),
            LogTarget::Output => self.print_bytes(bytes),
            LogTarget::Errors if self.facts.terminals.errors => {
                self.write_error_bytes(sanitizer.push(bytes).as_bytes());
                Ok(())
            }
            LogTarget::Errors => {
                self.write_error_bytes(bytes);
                Ok(())
            }
        }
    }

    /// The error that ends the command: text, or under a JSON format the one object on the last line of stderr.
    pub fn fail(&self, error: &Error) {
        let text = match error_line(error) {
            Ok(line) if self.options.format.is_json() => line + "\n",
            Ok(_) | Err(_) => error_text(error, self.colours_errors()),
        };
        self.write_error_bytes(text.as_bytes());
    }

    /// The end with a job's own code: under a JSON format one of 80 and above has its object too (cli.md §10, "Errors
    /// among several").
    pub fn mirrored(&self, code: u8, error: &Error) {
        if self.options.format.is_json() && code >= Kind::Usage.exit_code() {
            self.fail(error);
        }
    }

    /// Names what failed beside other providers' answers; the first failure comes last under a JSON format, since the
    /// last line is the one that scripts read. With `--best-effort` nothing failed: these are warnings.
    pub fn partial_failures(&self, errors: &[Error], best_effort: bool) {
        let warn = |error: &Error| {
            let text = labelled("warning:", error, self.colours_errors());
            self.write_error_bytes(text.as_bytes());
        };
        match errors {
            [] => {}
            all if best_effort => all.iter().for_each(warn),
            [first, others @ ..] if self.options.format.is_json() => {
                others.iter().for_each(warn);
                self.fail(first);
            }
            all => all.iter().for_each(|error| self.fail(error)),
        }
    }

    /// What became of each candidate provider (cli.md §2.1).
    pub fn receipts(&self, shown: &[Receipt], now: Timestamp) {
        for line in receipts(shown, now) {
            self.note(&line);
        }
    }

    /// Asks a question that is answered yes or no; `flag` is what answers it without a terminal.
    pub fn ask(&self, question: &str, flag: &str) -> Result<bool> {
        match self.options.answers {
            Answers::Yes => return Ok(true),
            Answers::Ask if self.facts.can_ask() => {}
            Answers::Ask | Answers::Nobody => return Err(self.unanswered(question, flag)),
        }
        let answer = self.prompt(&format!("{} [y/N] ", sanitize::line(question)))?;
        Ok(matches!(
            answer.trim().to_ascii_lowercase().as_str(),
            "y" | "yes"
        ))
    }

    /// Asks for a secret without showing it; `flag` is the other way to give it.
    pub fn ask_secret(&self, question: &str, flag: &str) -> Result<Secret> {
        if self.options.answers == Answers::Nobody || !self.facts.can_ask() {
            return Err(self.unanswered(question, flag));
        }
        let silence = Silence::begin();
        let answer = self.prompt(&format!("{}: ", sanitize::line(question)))?;
        drop(silence);
        self.write_error_bytes(b"\n");
        Ok(Secret::new(answer.trim_end_matches(['\r', '\n'])))
    }

    /// Long work that begins.
    pub fn task(&self, text: &str, now: Timestamp) -> Task<'_> {
        Task::spinner(self, text, now)
    }

    /// A transfer that begins.
    pub fn transfer(&self, text: &str, bytes: Option<u64>, now: Timestamp) -> Task<'_> {
        Task::transfer(self, text, bytes, now)
    }

    /// A line that shows a CI log that the command is alive.
    fn heartbeat(&self, text: &str) {
        if !self.options.quiet {
            self.say("", text, Tone::Faint);
        }
    }

    fn draws(&self) -> bool {
        self.facts.can_draw() && !self.options.quiet
    }

    fn colours_errors(&self) -> bool {
        self.facts
            .colour(self.options.colour, self.facts.terminals.errors)
    }

    fn unanswered(&self, question: &str, flag: &str) -> Error {
        let why = match self.options.answers {
            Answers::Nobody => "`--no-input` forbids to ask",
            Answers::Ask | Answers::Yes => "there is no terminal to ask on",
        };
        Error::new(
            Kind::Usage,
            "needs_answer",
            format!("this needs an answer, and {why}: {question}"),
        )
        .with_hint(format!("to answer beforehand, use {flag}"))
    }

    fn prompt(&self, text: &str) -> Result<String> {
        self.write_error_bytes(text.as_bytes());
        self.asking.store(true, Ordering::Relaxed);
        let mut answer = String::new();
        // The bars are not held meanwhile: a signal has to be told while this still waits.
        let read = {
            let mut input = self.input.lock().unwrap_or_else(PoisonError::into_inner);
            input.read_line(&mut answer)
        };
        self.asking.store(false, Ordering::Relaxed);
        read.map(|_| answer).map_err(|error| {
            Error::new(
                Kind::Usage,
                "needs_answer",
                "the answer cannot be read from standard input",
            )
            .with_cause(error)
        })
    }

    /// A labelled text on stderr; its later lines are indented, so that foreign text cannot pass for a line of ours.
    fn say(&self, label: &str, text: &str, tone: Tone) {
        let colour = self.colours_errors();
        let text = sanitize::text(text).trim_end().replace('\n', "\n  ");
        let line = if label.is_empty() {
            format!("{}\n", tone.paint(&text, colour))
        } else {
            format!("{} {text}\n", tone.paint(label, colour))
        };
        self.write_error_bytes(line.as_bytes());
    }

    /// Writes to stderr; if that fails there is nowhere left to say so.
    fn write_error_bytes(&self, bytes: &[u8]) {
        self.bars.suspend(|| {
            let mut errors = self.errors.lock().unwrap_or_else(PoisonError::into_inner);
            if self.asking.swap(false, Ordering::Relaxed) {
                // Below the question that was not answered.
                errors.write_all(b"\n").ok();
            }
            errors.write_all(bytes).and_then(|()| errors.flush()).ok()
        });
    }
}

impl Reporter for Ui {
    fn note(&self, text: &str) {
        if !self.options.quiet {
            self.say("note:", text, Tone::Active);
        }
    }

    fn warning(&self, text: &str) {
        self.say("warning:", text, Tone::Waiting);
    }

    fn detail(&self, level: u8, text: &str) {
        if self.options.verbosity >= level {
            self.say("", text, Tone::Faint);
        }
    }

    fn trace(&self, text: &str) {
        if self.options.traces {
            self.say("", text, Tone::Faint);
        }
    }

    fn is_tracing(&self) -> bool {
        self.options.traces
    }
}
