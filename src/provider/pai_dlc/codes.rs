//! The codes that carriers told (cli.md §6, §10): found by whoever reads a log, wanted by whoever judges an end.
//!
//! A log comes some seconds late (pai-dlc.md §3.6). So a job that failed is not over before its code was told, or before
//! that had its time; each poll looks once, and what the next has to know travels as [`Job::reading`].

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use futures_util::{StreamExt as _, stream};
use jiff::SignedDuration;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::error::{Error, Kind, Result};
use crate::model::{Job, State, Timestamp};
use crate::provider::{LogLook, LogReader as _, LogSource, LogStart, Logs as _};

use super::{PaiDlc, carrier};

/// How long a code may come after the end was seen from here.
const PATIENCE: SignedDuration = SignedDuration::from_secs(8);

/// A job that nobody saw alive from here, and that ended so long ago, has told its code or never will. Two clocks may
/// differ by as much (§2.8).
const LONG_AGO: SignedDuration = SignedDuration::from_mins(15);

/// The carrier's line is among the last: others may come from what goes on in the background.
const LAST_LINES: usize = 100;

/// Jobs, and pods of one job, asked about at the same time.
const JOBS_AT_ONCE: usize = 8;
const PODS_AT_ONCE: usize = 4;

/// What the logs that were read from here told, by the log's locator, and about which jobs people were warned.
#[derive(Debug, Default)]
pub(super) struct Codes(Mutex<Known>);

#[derive(Debug, Default)]
struct Known {
    told: BTreeMap<Vec<String>, i64>,
    warned: Vec<String>,
}

impl Codes {
    /// A carrier told its code in this log.
    pub(super) fn tell(&self, locator: &[String], code: i64) {
        self.with(|known| known.told.insert(locator.to_vec(), code));
    }

    fn of(&self, locator: &[String]) -> Option<i64> {
        self.with(|known| known.told.get(locator).copied())
    }

    /// Whether this is the first warning about a job.
    fn is_first_warning(&self, job: &str) -> bool {
        self.with(|known| {
            let is_first = known.warned.iter().all(|other| other != job);
            if is_first {
                known.warned.push(job.to_owned());
            }
            is_first
        })
    }

    fn with<T>(&self, use_it: impl FnOnce(&mut Known) -> T) -> T {
        use_it(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// What one look at a job with a carrier leaves for the next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
struct Reading {
    /// It was seen before it ended.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    alive: bool,
    /// When its end was first seen from here.
    #[serde(skip_serializing_if = "Option::is_none")]
    ended_at: Option<Timestamp>,
    /// Its code, once it was told.
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<i64>,
}

impl Reading {
    fn of(value: Option<&Value>) -> Self {
        value
            .and_then(|value| Self::deserialize(value).ok())
            .unwrap_or_default()
    }

    fn value(self) -> Option<Value> {
        serde_json::to_value(self).ok()
    }

    /// The reading behind a look at a job that has failed, and whether its code may still come.
    fn ended(self, finished_at: Option<Timestamp>, now: Timestamp) -> (Self, bool) {
        let is_old = finished_at.is_some_and(|finished| now.duration_since(finished) > LONG_AGO);
        if self.ended_at.is_none() && !self.alive && is_old {
            return (self, false);
        }
        let ended_at = self.ended_at.unwrap_or(now);
        let reading = Self {
            ended_at: Some(ended_at),
            ..self
        };
        (reading, now.duration_since(ended_at) < PATIENCE)
    }
}

/// What one look at the logs of a job gave, pod by pod.
#[derive(Debug, Default)]
struct Look {
    codes: Vec<Option<i64>>,
    /// Why a log tells nothing.
    notes: Vec<String>,
}

impl Look {
    /// The first code that is not zero, in the order of the pods.
    fn code(&self) -> Option<i64> {
        self.codes.iter().flatten().copied().find(|code| *code != 0)
    }

    /// Whether another look cannot tell more.
    fn is_whole(&self) -> bool {
        self.code().is_some() || !self.codes.is_empty() && self.codes.iter().all(Option::is_some)
    }
}

impl PaiDlc {
    /// One look at the codes of the jobs whose carriers must tell them, each with its last reading. What is worth
    /// another try fails; all else is not worth the record.
    pub(super) async fn add_carried_codes(
        &self,
        jobs: Vec<(&mut Job, Option<&Value>)>,
    ) -> Result<()> {
        let looks: Vec<_> = jobs
            .into_iter()
            .filter(|(job, _)| carrier::marker_of(&job.raw).is_some())
            .map(|(job, reading)| self.add_carried_code(job, Reading::of(reading)))
            .collect();
        let looks: Vec<Result<()>> = stream::iter(looks)
            .buffer_unordered(JOBS_AT_ONCE)
            .collect()
            .await;
        looks.into_iter().collect()
    }

    async fn add_carried_code(&self, job: &mut Job, reading: Reading) -> Result<()> {
        if !job.state.is_terminal() {
            let alive = Reading {
                alive: true,
                ..Reading::default()
            };
            job.reading = alive.value();
            return Ok(());
        }
        if job.state != State::Failed || job.exit_code.is_some() {
            return Ok(());
        }
        if let Some(code) = reading.code {
            job.exit_code = Some(code);
            job.reading = reading.value();
            return Ok(());
        }
        let (mut reading, mut is_open) = reading.ended(job.finished_at, self.now());
        let why = match self.look(job).await {
            Ok(look) => {
                job.exit_code = look.code();
                reading.code = look.code();
                is_open &= !look.is_whole();
                look.notes.into_iter().next()
            }
            Err(error) if error.kind() == Kind::Temporary => return Err(error),
            Err(error) => {
                // A service that is not this API for a moment may be it again; a missing permission stays missing.
                is_open &= error.kind() == Kind::Protocol;
                Some(error.to_string())
            }
        };
        job.terminal = !is_open;
        job.reading = reading.value();
        if let (Some(why), None, false) = (why, job.exit_code, is_open) {
            let named = job.job_ref.to_string();
            if self.codes.is_first_warning(&named) {
                let text = format!("the exit code of {named} is not known: {why}");
                self.session.reporter.warning(&text);
            }
        }
        Ok(())
    }

    /// The code that the logs read so far tell of a job, without another look.
    pub(super) async fn known_code(&self, job: &Job) -> Option<i64> {
        let sources = self.present_sources(job).await.ok()?;
        let codes = sources.iter().map(|source| self.codes.of(&source.locator));
        let look = Look {
            codes: codes.collect(),
            ..Look::default()
        };
        look.code()
    }

    /// What the carrier told in the last incarnation of each pod.
    async fn look(&self, job: &Job) -> Result<Look> {
        let sources = self.present_sources(job).await?;
        let looks: Vec<_> = sources.iter().map(|source| self.look_at(source)).collect();
        let told: Vec<_> = stream::iter(looks).buffered(PODS_AT_ONCE).collect().await;
        let mut look = Look::default();
        let mut failure: Option<Error> = None;
        for told in told {
            match told {
                Ok((code, notes)) => {
                    look.codes.push(code);
                    look.notes.extend(notes);
                }
                Err(error) => {
                    look.codes.push(None);
                    failure = failure.or(Some(error));
                }
            }
        }
        match failure {
            Some(error) if look.code().is_none() => Err(error),
            Some(_) | None => Ok(look),
        }
    }

    async fn look_at(&self, source: &LogSource) -> Result<(Option<i64>, Vec<String>)> {
        if let Some(code) = self.codes.of(&source.locator) {
            return Ok((Some(code), Vec::new()));
        }
        let start = LogStart {
            tail: Some(LAST_LINES),
            ..LogStart::default()
        };
        let mut reader = self.reader(source, &start);
        let mut notes = Vec::new();
        loop {
            let piece = reader.read(LogLook::Last).await?;
            notes.extend(piece.notes);
            if !piece.more {
                return Ok((self.codes.of(&source.locator), notes));
            }
        }
    }

    /// The logs of the last incarnation of each pod, in the order of the pods.
    async fn present_sources(&self, job: &Job) -> Result<Vec<LogSource>> {
        let mut present: Vec<LogSource> = Vec::new();
        for source in self.sources(job).await? {
            // Older incarnations come first.
            match present.last_mut() {
                Some(last) if last.name == source.name => *last = source,
                Some(_) | None => present.push(source),
            }
        }
        Ok(present)
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::json;

    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[rstest]
    #[case::just_ended(json!({}), Some(0), 1, true)]
    #[case::no_time_of_its_end(json!({}), None, 1, true)]
    #[case::clocks_differ(json!({}), Some(0), 120, true)]
    #[case::ended_yesterday(json!({}), Some(0), 86_400, false)]
    #[case::was_seen_alive(json!({"alive": true}), Some(0), 86_400, true)]
    #[case::still_in_time(json!({"ended_at": at(100)}), Some(0), 107, true)]
    #[case::had_its_time(json!({"ended_at": at(100)}), Some(99), 108, false)]
    #[case::had_its_time_and_no_end(json!({"ended_at": at(100)}), None, 108, false)]
    #[case::no_reading_of_ours(json!([1]), None, 108, true)]
    fn a_code_may_come_for_some_seconds_after_the_end_was_seen(
        #[case] reading: Value,
        #[case] finished: Option<i64>,
        #[case] now: i64,
        #[case] open: bool,
    ) {
        let reading = Reading::of(Some(&reading));
        let (next, is_open) = reading.ended(finished.map(at), at(now));
        assert_eq!(is_open, open);
        // It survives the journal.
        assert_eq!(Reading::of(next.value().as_ref()), next);
    }

    #[rstest]
    #[case(&[], None, false)]
    #[case(&[None], None, false)]
    #[case(&[Some(0)], None, true)]
    #[case(&[Some(0), None], None, false)]
    #[case(&[Some(0), Some(0)], None, true)]
    #[case(&[None, Some(3)], Some(3), true)]
    #[case(&[Some(0), Some(5), Some(3)], Some(5), true)]
    fn the_first_code_that_is_not_zero_counts(
        #[case] codes: &[Option<i64>],
        #[case] code: Option<i64>,
        #[case] is_whole: bool,
    ) {
        let look = Look {
            codes: codes.to_vec(),
            ..Look::default()
        };
        assert_eq!((look.code(), look.is_whole()), (code, is_whole));
    }
}
