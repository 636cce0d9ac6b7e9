//! Reads a job's logs once, or follows them beside whoever watches the job, to a last look after its end.

use std::collections::HashSet;
use std::fmt;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

use crate::ambient::Reporter;
use crate::engine::wait::{is_tolerated, out_of_patience};
use crate::error::{Error, Kind, Result};
use crate::model::{Event, Job, State};
use crate::provider::{LogLook, LogStart, Logs, Provider};

use super::frame::{Form, Framer, Sink};
use super::track::{Tracks, is_wanted};

/// What comes late comes within this after a job's end (pai-dlc.md §3.6: "some seconds").
const AFTERWARDS: Duration = Duration::from_secs(5);

/// Of a job that waits, events are asked for in one round of so many: they cost a request for each pod.
const EVENT_ROUNDS: u32 = 6;

/// What of which logs is wanted, and how.
#[derive(Debug, Clone)]
pub struct Request {
    pub start: LogStart,
    /// Names of pods; empty is all.
    pub pods: Vec<String>,
    pub form: Form,
    /// Between two looks.
    pub pace: Duration,
    /// How long looks may fail (`--poll-failures`).
    pub tolerance: Duration,
}

/// Reads the logs of one job.
pub struct Scribe<'a> {
    provider: &'a dyn Provider,
    logs: &'a dyn Logs,
    reporter: &'a dyn Reporter,
    request: Request,
    start: LogStart,
    tracks: Tracks<'a>,
    framer: Framer,
    /// Whether the job has written anything.
    has_written: bool,
    /// Every pod of the last listing, chosen or not.
    pods: Vec<String>,
    patience: Patience,
    waiting: Waiting,
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

/// Since when looks fail.
#[derive(Debug, Default)]
struct Patience {
    failing_since: Option<Instant>,
}

/// What people were told while nothing had begun to write.
#[derive(Debug, Default)]
struct Waiting {
    said: Option<String>,
    events: HashSet<Event>,
    rounds: u32,
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
            start: request.start,
            framer: Framer::new(request.form),
            request,
            tracks: Tracks::default(),
            has_written: false,
            pods: Vec::new(),
            patience: Patience::default(),
            waiting: Waiting::default(),
        }
    }

    /// Everything there is now. The first failure ends it.
    pub async fn history(mut self, job: &Job, sink: &mut dyn Sink) -> Result<()> {
        self.list(job, sink).await?;
        self.refuse_unknown_pods(job)?;
        for index in 0..self.tracks.all.len() {
            let ended = job.terminal || self.source_has_ended(index);
            let look = if ended { LogLook::Last } else { LogLook::Usual };
            self.read(index, look, sink).await?;
            if sink.is_closed() {
                return Ok(());
            }
        }
        if !self.has_written {
            self.tell_waiting(job).await;
        }
        self.finish(sink)
    }

    /// Everything until the end of the job, whose records come from `jobs`; returns early when nobody reads any more,
    /// or when the watcher has gone.
    ///
    /// A look that fails is tried again like a poll, until the request's tolerance is used up.
    pub async fn follow(
        mut self,
        mut jobs: watch::Receiver<Option<Job>>,
        sink: &mut dyn Sink,
    ) -> Result<()> {
        loop {
            let Ok(job) = jobs
                .wait_for(Option::is_some)
                .await
                .map(|job| (*job).clone())
            else {
                return self.finish(sink);
            };
            let Some(job) = job else {
                return self.finish(sink);
            };
            let is_whole = self.round(&job, LogLook::Usual, sink).await?;
            if sink.is_closed() {
                return Ok(());
            }
            if job.terminal && is_whole {
                return self.end(&job, sink).await;
            }
            if !self.has_written {
                self.tell_waiting(&job).await;
            }
            let has_ended = |job: &Option<Job>| job.as_ref().is_some_and(|job| job.terminal);
            tokio::select! {
                () = tokio::time::sleep(self.request.pace) => {}
                // Whoever watched has stopped: what was read so far is all.
                ended = jobs.wait_for(has_ended), if !job.terminal => if ended.is_err() {
                    return self.finish(sink);
                },
            }
        }
    }

    /// The last looks, some seconds after the end.
    async fn end(mut self, job: &Job, sink: &mut dyn Sink) -> Result<()> {
        self.refuse_unknown_pods(job)?;
        tokio::time::sleep(self.request.pace.min(AFTERWARDS)).await;
        while !self.round(job, LogLook::Last, sink).await? {
            if sink.is_closed() {
                return Ok(());
            }
            tokio::time::sleep(self.request.pace).await;
        }
        self.finish(sink)
    }

    /// One look at every log; whether all of them answered.
    async fn round(&mut self, job: &Job, look: LogLook, sink: &mut dyn Sink) -> Result<bool> {
        let mut failure = self.list(job, sink).await.err();
        for index in 0..self.tracks.all.len() {
            let Some(track) = self.tracks.all.get(index) else {
                break;
            };
            if track.closed && look == LogLook::Usual {
                continue;
            }
            let (look, is_unlisted) = (track.look(look), track.is_unlisted());
            match self.read(index, look, sink).await {
                Ok(()) => {}
                // What the service does not name any more it need not tell any more.
                Err(error)
                    if is_unlisted && matches!(error.kind(), Kind::NotFound | Kind::Rejected) =>
                {
                    self.was_read(index, LogLook::Last);
                }
                Err(error) => failure = failure.or(Some(error)),
            }
            if sink.is_closed() {
                return Ok(true);
            }
        }
        let is_whole = failure.is_none();
        self.patience
            .judge(failure, self.request.tolerance, job, self.reporter)?;
        Ok(is_whole)
    }

    /// Asks which logs there are now.
    async fn list(&mut self, job: &Job, sink: &mut dyn Sink) -> Result<()> {
        let sources = self.logs.sources(job).await?;
        self.pods = sources.iter().map(|source| source.name.clone()).collect();
        self.pods.dedup();
        self.tracks
            .take(sources, &self.request.pods, self.logs, &self.start);
        if !self.tracks.all.is_empty() {
            // What appears later is new as a whole.
            self.start.tail = None;
        }
        let is_one = self.request.pods.len() == 1 && !self.tracks.are_several();
        if self.tracks.are_several() || (job.nodes > 1 && !is_one) {
            self.framer.name_pods(sink)?;
        }
        Ok(())
    }

    /// Reads one log as far as it goes now.
    async fn read(&mut self, index: usize, look: LogLook, sink: &mut dyn Sink) -> Result<()> {
        loop {
            let Some(track) = self.tracks.all.get_mut(index) else {
                return Ok(());
            };
            let piece = track.reader.read(look).await?;
            for note in &piece.notes {
                self.reporter
                    .warning(&format!("{}: {note}", track.source.name));
            }
            self.has_written |= !piece.bytes.is_empty();
            match &mut track.tail {
                Some(tail) => tail.push(&piece.bytes),
                None => self
                    .framer
                    .push(index, &track.source.name, &piece.bytes, sink)?,
            }
            if sink.is_closed() {
                return Ok(());
            }
            if !piece.more {
                break;
            }
        }
        if let Some(track) = self.tracks.all.get_mut(index)
            && let Some(tail) = track.tail.take()
        {
            self.framer
                .push(index, &track.source.name, &tail.finish(), sink)?;
        }
        self.was_read(index, look);
        Ok(())
    }

    fn was_read(&mut self, index: usize, look: LogLook) {
        if let Some(track) = self.tracks.all.get_mut(index) {
            track.was_read(look);
        }
    }

    fn source_has_ended(&self, index: usize) -> bool {
        let track = self.tracks.all.get(index);
        track.is_some_and(|track| track.source.ended)
    }

    /// Lines that were never ended.
    fn finish(&mut self, sink: &mut dyn Sink) -> Result<()> {
        for (index, track) in self.tracks.all.iter().enumerate() {
            self.framer.finish(index, &track.source.name, sink)?;
        }
        Ok(())
    }

    /// A pod that was asked for and is not there: it may come while the job has not ended and shows no pod.
    fn refuse_unknown_pods(&self, job: &Job) -> Result<()> {
        let missing = self
            .request
            .pods
            .iter()
            .find(|wanted| {
                let wanted = std::slice::from_ref(*wanted);
                !self.pods.iter().any(|pod| is_wanted(pod, wanted))
            })
            .filter(|_| job.terminal || !self.pods.is_empty());
        match missing {
            None => Ok(()),
            Some(missing) => Err(Error::new(
                Kind::NotFound,
                "pod_not_found",
                format!("{} has no pod `{missing}` that wrote a log", job.job_ref),
            )
            .with_candidates(self.pods.clone())
            .with_provider(&job.job_ref.provider)
            .with_job(job.job_ref.to_string())),
        }
    }

    /// Says why there is no log yet: the state with its reason, and what happened so far. No error.
    async fn tell_waiting(&mut self, job: &Job) {
        let why = match (&job.reason, &job.message) {
            (Some(reason), Some(message)) => format!(" ({reason}: {message})"),
            (Some(text), None) | (None, Some(text)) => format!(" ({text})"),
            (None, None) => String::new(),
        };
        let so_far = match job.state {
            State::Pending | State::Starting => "it has not begun to write",
            State::Running | State::Unknown => "nothing has been written so far",
            State::Succeeded | State::Failed | State::Cancelled => "it has written nothing",
        };
        let said = format!("{} is {}{why}; {so_far}", job.job_ref, job.state);
        let is_news = self.waiting.said.as_ref() != Some(&said);
        if is_news {
            self.reporter.note(&said);
            self.waiting.said = Some(said);
        }
        let is_turn = self.waiting.rounds.is_multiple_of(EVENT_ROUNDS);
        self.waiting.rounds = self.waiting.rounds.wrapping_add(1);
        if !matches!(job.state, State::Pending | State::Starting) || !(is_news || is_turn) {
            return;
        }
        let Some(events) = self.provider.events() else {
            return;
        };
        match events.events_of(&job.job_ref).await {
            Ok(events) => {
                for event in events {
                    if self.waiting.events.insert(event.clone()) {
                        self.reporter.note(&sentence(&event));
                    }
                }
            }
            Err(error) => self
                .reporter
                .detail(1, &format!("what happened so far is not known: {error}")),
        }
    }
}

impl Patience {
    /// What a round's failure means: nothing for a while, then the end.
    fn judge(
        &mut self,
        failure: Option<Error>,
        tolerance: Duration,
        job: &Job,
        reporter: &dyn Reporter,
    ) -> Result<()> {
        let Some(error) = failure else {
            if self.failing_since.take().is_some() {
                reporter.note("the log can be read again");
            }
            return Ok(());
        };
        let error = error.with_job(job.job_ref.to_string());
        if !is_tolerated(error.kind()) {
            return Err(error);
        }
        let now = Instant::now();
        let is_first = self.failing_since.is_none();
        let since = *self.failing_since.get_or_insert(now);
        if now.saturating_duration_since(since) >= tolerance {
            return Err(out_of_patience(error));
        }
        if is_first {
            reporter.warning(&format!(
                "could not read the log of {} ({error}); asking again",
                job.job_ref
            ));
        }
        Ok(())
    }
}

/// One event as people read it.
fn sentence(event: &Event) -> String {
    let mut words = Vec::new();
    words.extend(
        event
            .time
            .map(|time| time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()),
    );
    words.extend(event.source.clone());
    words.extend(event.reason.clone());
    let head = words.join(" ");
    match &event.message {
        Some(message) if head.is_empty() => message.clone(),
        Some(message) => format!("{head}: {message}"),
        None => head,
    }
}
