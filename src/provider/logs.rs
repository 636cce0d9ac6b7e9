//! What jobs wrote, where a provider tells it (job-model.md §7, `logs`; cli.md §2).
//!
//! A provider names the logs there are, in order, and gives a reader for each. A reader is the cursor: it remembers what
//! it handed out, so that nothing is lost and nothing comes twice, whatever the API lacks. It never sleeps, never prints,
//! and never ends by itself; the engine knows when the job has ended and looks a last time.

use std::fmt;

use async_trait::async_trait;

use crate::error::Result;
use crate::model::{Job, Timestamp};
use crate::spec::JobSpec;

/// Access to what jobs wrote.
#[async_trait]
pub trait Logs: Send + Sync {
    /// Refuses a job whose log could never be had from here, before it is created with `--follow`.
    fn check(&self, _spec: &JobSpec) -> Result<()> {
        Ok(())
    }

    /// The logs of a job as it was just observed, in the order of its pods, nodes or files, older incarnations first.
    ///
    /// Empty while nothing has begun to write. A job whose log cannot be had at all, such as one without script mode, is
    /// a `spec` error that names the alternative.
    async fn sources(&self, job: &Job) -> Result<Vec<LogSource>>;

    /// A reader at the start asked for. Nothing is sent before its first read.
    fn open<'a>(&'a self, source: &LogSource, start: &LogStart) -> Box<dyn LogReader + 'a>;

    /// Whether a log can be read from an instant on (`--since`); without it, such a start is refused before any read.
    fn knows_times(&self) -> bool;

    /// The exit code that a log read from here told of a job, where only logs tell it. Nothing is read for it.
    async fn told_code(&self, _job: &Job) -> Option<i64> {
        None
    }
}

/// One log: of one incarnation of a pod, of one node, or one file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogSource {
    /// What people call the pod, as in `--pod NAME` and in the prefix `[NAME] `.
    pub name: String,
    /// Which of the pod's streams it is, where they are kept apart: both are that pod's log, and share its name.
    pub stream: Option<LogStream>,
    /// Tells this log from every other of the job, a later incarnation of the same name included; for the provider to
    /// find it again.
    pub locator: Vec<String>,
    /// When it began, where that is told.
    pub began_at: Option<Timestamp>,
    /// Whether it is known that nothing more will be written to it.
    pub ended: bool,
}

/// One of the two streams of a program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogStream {
    Output,
    Errors,
}

impl LogStream {
    /// What people call it, as in `--pod stderr`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Output => "stdout",
            Self::Errors => "stderr",
        }
    }

    /// The stream of that name.
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Output, Self::Errors]
            .into_iter()
            .find(|stream| stream.as_str() == name)
    }
}

/// Where to begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct LogStart {
    /// Only what came since (`--since`); for providers that know times.
    pub since: Option<Timestamp>,
    /// So many last lines will be shown (`--tail`). A reader may begin as late as that allows, and may give more: the
    /// caller counts.
    pub tail: Option<usize>,
}

/// How hard to look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogLook {
    /// What is new.
    Usual,
    /// What is new, and what came late: the job has ended, and this is the last look.
    Last,
}

/// A place in one log.
#[async_trait]
pub trait LogReader: fmt::Debug + Send {
    /// What came since the last read. After an error, or when the future is dropped, the next read asks for the same.
    async fn read(&mut self, look: LogLook) -> Result<LogPiece>;
}

/// What one read gave.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LogPiece {
    /// The job's bytes. Where the API tells lines, each ends with a line feed.
    pub bytes: Vec<u8>,
    /// There is more to be had at once; without it, what comes now is all there is for the moment.
    pub more: bool,
    /// What people should know, such as lines that the service no longer has.
    pub notes: Vec<String>,
}
