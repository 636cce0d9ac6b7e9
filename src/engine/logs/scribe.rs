//! Reads a job's logs: several at a time, printed in the order of their pods.

use std::fmt;
use std::time::Duration;

use futures_util::future::join_all;

use crate::ambient::Reporter;
use crate::error::{Error, Kind, Result};
use crate::model::Job;
use crate::provider::{LogLook, LogPiece, LogSource, LogStart, Logs, Provider};

use super::choice::Choice;
use super::frame::{Form, Framer, Sink};
use super::patience::Patience;
use super::track::Tracks;
use super::waiting::Waiting;

/// Logs that are read at the same time. Each may have one piece in memory.
const AT_ONCE: usize = 6;

/// What of which logs is wanted, and how.
#[derive(Debug, Clone)]
pub struct Request {
    pub start: LogStart,
    /// Names of pods, or of a stream; empty is all.
    pub pods: Vec<String>,
    pub form: Form,
    /// Between two looks.
    pub pace: Duration,
    /// How long looks may fail (`--poll-failures`).
    pub tolerance: Duration,
}

/// Reads the logs of one job.
pub struct Scribe<'a> {
    pub(super) provider: &'a dyn Provider,
    logs: &'a dyn Logs,
    pub(super) reporter: &'a dyn Reporter,
    pub(super) request: Request,
    pub(super) choice: Choice,
    start: LogStart,
    pub(super) tracks: Tracks<'a>,
    pub(super) framer: Framer,
    /// Whether the job has written anything.
    pub(super) has_written: bool,
    /// Whether a reader had something to say about a log that it could not give.
    has_notes: bool,
    /// Every log of the last listing, chosen or not.
    listed: Vec<LogSource>,
    /// Of listings.
    pub(super) patience: Patience,
    pub(super) waiting: Waiting,
    /// Whether people were told that looks fail.
    pub(super) is_failing: bool,
    /// Why a log was given up; of several the first.
    pub(super) lost: Option<Error>,
}

impl fmt::Debug for Scribe<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Scribe")
            .field("provider", &self.provider)
            .field("request", &self.request)
            .field("tracks", &self.tracks)
            .finish_non_exhaustive()
    }
}

impl<'a> Scribe<'a> {
    /// Nothing is sent before the first read.
    pub fn new(
        provider: &'a dyn Provider,
        logs: &'a dyn Logs,
        reporter: &'a dyn Reporter,
        request: Request,
    ) -> Self {
        Self {
            provider,
            logs,
            reporter,
            choice: Choice::new(request.pods.clone()),
            start: request.start,
            framer: Framer::new(request.form),
            request,
            tracks: Tracks::default(),
            has_written: false,
            has_notes: false,
            listed: Vec::new(),
            patience: Patience::default(),
            waiting: Waiting::default(),
            is_failing: false,
            lost: None,
        }
    }

    /// Everything there is now. A log that cannot be read does not hide the others: its failure comes after them.
    pub async fn history(mut self, job: &Job, sink: &mut dyn Sink) -> Result<()> {
        match self.list(job, sink).await {
            Ok(()) => {}
            // A job that was just created may not be known everywhere (job-model.md §6).
            Err(error) if error.kind() == Kind::NotFound && !job.terminal => {}
            Err(error) => return Err(error),
        }
        self.refuse_unknown_pods(job)?;
        let looks: Vec<_> = self
            .tracks
            .all
            .iter()
            .map(|track| {
                let is_over = job.terminal || track.source.ended;
                Some(if is_over {
                    LogLook::Last
                } else {
                    LogLook::Usual
                })
            })
            .collect();
        let failures = self.read(&looks, sink).await?;
        if sink.is_closed() {
            return Ok(());
        }
        self.finish(sink)?;
        let is_one = self.tracks.all.len() == 1;
        for (index, error) in &failures {
            if let (false, Some(track)) = (is_one, self.tracks.all.get(*index)) {
                let name = &track.source.name;
                self.reporter
                    .warning(&format!("the log of {name} could not be read: {error}"));
            }
        }
        if let Some((_, error)) = failures.into_iter().next() {
            return Err(error);
        }
        if !self.has_written {
            self.tell_waiting(job).await;
        }
        Ok(())
    }

    /// Asks which logs there are now.
    pub(super) async fn list(&mut self, job: &Job, sink: &mut dyn Sink) -> Result<()> {
        self.listed = self.logs.sources(job).await?;
        self.tracks
            .take(&self.listed, &self.choice, self.logs, &self.start);
        if !self.tracks.all.is_empty() {
            // What appears later is new as a whole.
            self.start.tail = None;
        }
        let are_several = self.tracks.are_several();
        let is_one = self.choice.pods().len() == 1 && !are_several;
        if are_several || (job.nodes > 1 && !is_one) {
            self.framer.name_pods(sink)?;
        }
        Ok(())
    }

    /// Reads logs as far as they go now, each as hard as `looks` says in its place, and tells which could not be read.
    ///
    /// The error is one of the sink's.
    pub(super) async fn read(
        &mut self,
        looks: &[Option<LogLook>],
        sink: &mut dyn Sink,
    ) -> Result<Vec<(usize, Error)>> {
        let wanted: Vec<(usize, LogLook)> = looks
            .iter()
            .enumerate()
            .filter_map(|(index, look)| Some((index, (*look)?)))
            .collect();
        let mut failures = Vec::new();
        for some in wanted.chunks(AT_ONCE) {
            for (index, look, piece) in self.first_pieces(some).await {
                let outcome = self.read_on(index, look, piece, sink).await?;
                failures.extend(outcome.err().map(|error| (index, error)));
                if sink.is_closed() {
                    return Ok(failures);
                }
            }
            let is_refused = |(_, error): &(usize, Error)| {
                matches!(error.kind(), Kind::Auth | Kind::Config | Kind::Timeout)
            };
            if failures.iter().any(is_refused) {
                // All others would be refused too, and some services lock out who tries too often.
                break;
            }
        }
        if let Some(most) = self.request.start.tail {
            for (index, bytes) in self.tracks.tails(most) {
                if let Some(track) = self.tracks.all.get(index) {
                    self.framer.push(index, &track.source, &bytes, sink)?;
                }
            }
        }
        Ok(failures)
    }

    /// The next piece of some logs, asked for at the same time.
    async fn first_pieces(
        &mut self,
        wanted: &[(usize, LogLook)],
    ) -> Vec<(usize, LogLook, Result<LogPiece>)> {
        let tracks = self.tracks.all.iter_mut().enumerate();
        let reads = tracks.filter_map(|(index, track)| {
            let (_, look) = wanted.iter().find(|(wanted, _)| *wanted == index)?;
            Some(async move { (index, *look, track.reader.read(*look).await) })
        });
        join_all(reads).await
    }

    /// Hands one log on, to where it ends now. The inner failure is one of the reader's.
    async fn read_on(
        &mut self,
        index: usize,
        look: LogLook,
        first: Result<LogPiece>,
        sink: &mut dyn Sink,
    ) -> Result<Result<()>> {
        let mut piece = match first {
            Ok(piece) => piece,
            Err(error) => return Ok(Err(error)),
        };
        loop {
            let Some(track) = self.tracks.all.get_mut(index) else {
                return Ok(Ok(()));
            };
            for note in &piece.notes {
                self.reporter
                    .warning(&format!("{}: {note}", track.source.name));
            }
            self.has_notes |= !piece.notes.is_empty();
            self.has_written |= !piece.bytes.is_empty();
            match &mut track.tail {
                Some(tail) => tail.push(&piece.bytes),
                None => self.framer.push(index, &track.source, &piece.bytes, sink)?,
            }
            if sink.is_closed() {
                return Ok(Ok(()));
            }
            if !piece.more {
                track.was_read(look);
                return Ok(Ok(()));
            }
            piece = match track.reader.read(look).await {
                Ok(piece) => piece,
                Err(error) => return Ok(Err(error)),
            };
        }
    }

    /// Lines that were never ended, and what waited for another's end.
    pub(super) fn finish(&mut self, sink: &mut dyn Sink) -> Result<()> {
        for (index, track) in self.tracks.all.iter().enumerate() {
            self.framer.finish(index, &track.source, sink)?;
        }
        self.framer.end(sink)
    }

    /// A pod that was asked for and is not there: it may come while the job has not ended and shows no pod.
    pub(super) fn refuse_unknown_pods(&self, job: &Job) -> Result<()> {
        let missing = self
            .choice
            .missing(&self.listed, &job.node_names)
            .filter(|_| job.terminal || !self.listed.is_empty());
        let Some(missing) = missing else {
            return Ok(());
        };
        let mut pods: Vec<String> = self
            .listed
            .iter()
            .map(|source| source.name.clone())
            .collect();
        pods.dedup();
        Err(Error::new(
            Kind::NotFound,
            "pod_not_found",
            format!("{} has no pod `{missing}` that wrote a log", job.job_ref),
        )
        .with_candidates(pods)
        .with_provider(&job.job_ref.provider)
        .with_job(job.job_ref.to_string()))
    }

    /// Says why there is no log yet, or none at all.
    pub(super) async fn tell_waiting(&mut self, job: &Job) {
        let is_sure = !self.has_notes && self.lost.is_none();
        self.waiting
            .tell(job, &self.choice, is_sure, self.provider, self.reporter)
            .await;
    }
}
