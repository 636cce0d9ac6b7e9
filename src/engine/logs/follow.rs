//! Follows a job's logs beside whoever watches the job, to a last look after its end.

use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

use crate::error::{Error, Kind, Result};
use crate::model::{Job, State};
use crate::provider::LogLook;

use super::frame::Sink;
use super::patience::{Failed, Verdict};
use super::scribe::Scribe;

/// What comes late comes within this after a job's end (pai-dlc.md §3.6: "some seconds").
const AFTERWARDS: Duration = Duration::from_secs(5);

/// What a round of looks saw.
#[derive(Debug, Clone, Copy)]
struct Round {
    /// Whether nothing is to be asked for again.
    is_whole: bool,
    /// Whether the service told which logs there are.
    is_listed: bool,
}

impl Scribe<'_> {
    /// Everything until the end of the job, whose records come from `jobs`; returns early when nobody reads any more,
    /// or when the watcher has gone.
    ///
    /// A look that fails is tried again like a poll, until the request's tolerance is used up. Of several logs one that
    /// is given up does not end the others: its failure comes after them.
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
            let round = self.round_or_end(&job, LogLook::Usual, sink).await?;
            if sink.is_closed() {
                return Ok(());
            }
            if self.is_all_lost() {
                return self.conclude(sink);
            }
            if job.terminal && round.is_whole {
                return self.end(&job, round, sink).await;
            }
            let is_seen = round.is_listed || job.state != State::Running;
            if !self.has_written && round.is_whole && is_seen {
                self.tell_waiting(&job).await;
            }
            let pause = self.pause(&job);
            let has_ended = |job: &Option<Job>| job.as_ref().is_some_and(|job| job.terminal);
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                // Whoever watched has stopped: what was read so far is all.
                ended = jobs.wait_for(has_ended), if !job.terminal => if ended.is_err() {
                    return self.finish(sink);
                },
            }
        }
    }

    /// The last looks, some seconds after the end.
    async fn end(mut self, job: &Job, mut round: Round, sink: &mut dyn Sink) -> Result<()> {
        if round.is_listed {
            self.refuse_unknown_pods(job)?;
        }
        loop {
            tokio::time::sleep(self.pause(job)).await;
            round = self.round_or_end(job, LogLook::Last, sink).await?;
            if sink.is_closed() {
                return Ok(());
            }
            if round.is_whole {
                break;
            }
        }
        if !round.is_listed && self.lost.is_none() {
            self.reporter.warning(&format!(
                "{} is not known to the provider any more, nor is its log: what was printed is all there is",
                job.job_ref
            ));
        } else if !self.has_written {
            self.tell_waiting(job).await;
        }
        self.conclude(sink)
    }

    /// Between two looks. After the end nobody wants to wait for long.
    fn pause(&self, job: &Job) -> Duration {
        if job.terminal {
            self.request.pace.min(AFTERWARDS)
        } else {
            self.request.pace
        }
    }

    /// A round, after whose failure nothing comes: what was begun is printed.
    async fn round_or_end(
        &mut self,
        job: &Job,
        look: LogLook,
        sink: &mut dyn Sink,
    ) -> Result<Round> {
        let outcome = self.round(job, look, sink).await;
        if outcome.is_err() {
            self.finish(sink)?;
        }
        outcome
    }

    /// One look at every log.
    async fn round(&mut self, job: &Job, look: LogLook, sink: &mut dyn Sink) -> Result<Round> {
        let failed = Failed {
            at: Instant::now(),
            is_over: job.terminal,
            tolerance: self.request.tolerance,
        };
        let had_lost = self.lost.is_some();
        let mut again: Option<Error> = None;
        let is_listed = match self.list(job, sink).await {
            Ok(()) => {
                self.patience.worked();
                true
            }
            Err(error) => {
                let is_gone = error.kind() == Kind::NotFound;
                match self.patience.judge(about(error, job), failed) {
                    Verdict::Nothing => {}
                    Verdict::Again(error) => again = Some(error),
                    // A job that is gone takes its log along; its record says so.
                    Verdict::GiveUp(_) if is_gone => {}
                    Verdict::GiveUp(error) if job.terminal => {
                        self.lost.get_or_insert(error);
                    }
                    Verdict::GiveUp(error) | Verdict::Stop(error) => return Err(error),
                }
                false
            }
        };
        let looks: Vec<_> = self
            .tracks
            .all
            .iter()
            .map(|track| track.look(look))
            .collect();
        for (index, error) in self.read(&looks, sink).await? {
            let error = self.bear(index, about(error, job), failed)?;
            again = again.or(error);
        }
        self.framer.round_is_over(sink)?;
        let is_whole = again.is_none();
        match again {
            Some(error) if !self.is_failing => {
                self.is_failing = true;
                self.reporter.warning(&format!(
                    "could not read the log of {} ({error}); asking again",
                    job.job_ref
                ));
            }
            None if self.is_failing && had_lost == self.lost.is_some() => {
                self.is_failing = false;
                self.reporter.note("the log can be read again");
            }
            Some(_) | None => {}
        }
        Ok(Round {
            is_whole,
            is_listed,
        })
    }

    /// What it means that a log could not be read; it comes back if that may pass.
    fn bear(&mut self, index: usize, error: Error, failed: Failed) -> Result<Option<Error>> {
        let are_several = self.tracks.all.len() > 1;
        let Some(track) = self.tracks.all.get_mut(index) else {
            return Ok(None);
        };
        let is_refused = matches!(error.kind(), Kind::NotFound | Kind::Rejected);
        if is_refused && track.is_unlisted() {
            // What the service does not name any more it need not tell any more.
            track.was_read(LogLook::Last);
            return Ok(None);
        }
        match track.patience.judge(error, failed) {
            Verdict::Nothing => Ok(None),
            Verdict::Again(error) => Ok(Some(error)),
            Verdict::GiveUp(error) => {
                track.given_up = true;
                if are_several {
                    self.reporter.warning(&format!(
                        "the log of {} could not be read to its end: {error}",
                        track.source.name
                    ));
                }
                self.lost.get_or_insert(error);
                Ok(None)
            }
            Verdict::Stop(error) => Err(error),
        }
    }

    /// Whether every log that could still bring something was given up.
    fn is_all_lost(&self) -> bool {
        let mut open = self.tracks.all.iter().filter(|track| !track.closed);
        self.lost.is_some() && open.all(|track| track.given_up)
    }

    /// The end: what is left of lines, and then why not all could be read.
    fn conclude(mut self, sink: &mut dyn Sink) -> Result<()> {
        self.finish(sink)?;
        self.lost.take().map_or(Ok(()), Err)
    }
}

fn about(error: Error, job: &Job) -> Error {
    error.with_job(job.job_ref.to_string())
}
