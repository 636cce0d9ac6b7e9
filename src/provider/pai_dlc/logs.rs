//! Logs of a job's pods (pai-dlc.md §3.6): read by time, in windows, since the service has no cursor.

use std::borrow::Cow;

use async_trait::async_trait;
use jiff::SignedDuration;
use serde::Deserialize;

use crate::error::{Error, Kind, Result};
use crate::http::retry::http_date;
use crate::model::{Job, Timestamp};
use crate::provider::{LogLook, LogPiece, LogReader, LogSource, LogStart, Logs};

use super::api::{BEGINNING, LogWindow, Site};
use super::events::incarnations;
use super::lenient;
use super::windows::{Ask, Windows};
use super::wire::{JobAnswer, LogsAnswer};
use super::{PaiDlc, carrier};

/// The code of the error for an answer that is larger than what is taken by default.
const TOO_LARGE: &str = "body_too_large";

/// Before the job's own time of creation nothing was written, but clocks differ.
const MARGIN: SignedDuration = SignedDuration::from_secs(60);

/// The first period that is searched backwards for last lines, and how much longer each further one is.
const TAIL_SECONDS: i64 = 60;
const TAIL_FACTOR: i64 = 8;

#[async_trait]
impl Logs for PaiDlc {
    async fn sources(&self, job: &Job) -> Result<Vec<LogSource>> {
        let (site, id) = self.parts(&job.job_ref)?;
        let mut answer = JobAnswer::deserialize(&job.raw).unwrap_or_default();
        if answer.pods.is_empty() {
            // A row of the list has no pods.
            let detail = self
                .read(&site.get_job(id))
                .await
                .map_err(|error| error.with_job(job.job_ref.to_string()))?;
            answer = JobAnswer::deserialize(&detail).unwrap_or_default();
        }
        // What this machine made up may be later than the first line.
        let began_at = job
            .created_at
            .filter(|_| !job.approximate.contains(&"created_at"))
            .and_then(|created| created.checked_sub(MARGIN).ok());
        let carrier = carrier::marker_of(&job.raw).unwrap_or_default();
        Ok(incarnations(&answer.pods)
            .into_iter()
            .map(|(pod, uid, is_present)| LogSource {
                name: pod.to_owned(),
                stream: None,
                locator: [
                    site.region.as_str(),
                    id,
                    pod,
                    uid.unwrap_or_default(),
                    carrier.as_str(),
                ]
                .map(str::to_owned)
                .into(),
                began_at,
                ended: job.terminal || !is_present,
            })
            .collect())
    }

    fn open<'a>(&'a self, source: &LogSource, start: &LogStart) -> Box<dyn LogReader + 'a> {
        Box::new(self.reader(source, start))
    }

    fn knows_times(&self) -> bool {
        true
    }

    async fn told_code(&self, job: &Job) -> Option<i64> {
        self.known_code(job).await
    }
}

impl PaiDlc {
    pub(super) fn reader(&self, source: &LogSource, start: &LogStart) -> Reader<'_> {
        let beginning = BEGINNING.parse().unwrap_or(Timestamp::UNIX_EPOCH);
        let from = start.since.or(source.began_at).unwrap_or(beginning);
        Reader {
            provider: self,
            locator: source.locator.clone(),
            from: from.as_second(),
            tail: start.tail.map(|lines| Tail {
                lines,
                seconds: TAIL_SECONDS,
            }),
            windows: None,
            round: None,
            ahead: SignedDuration::ZERO,
            has_read: false,
        }
    }
}

/// A place in the log of one incarnation of a pod.
#[derive(Debug)]
pub(super) struct Reader<'a> {
    provider: &'a PaiDlc,
    /// Region, job, pod, uid of the incarnation, and the marker of a carrier.
    locator: Vec<String>,
    from: i64,
    /// While the beginning is searched for.
    tail: Option<Tail>,
    windows: Option<Windows>,
    /// The look that the questions of the present round belong to.
    round: Option<LogLook>,
    /// The service's clock minus ours.
    ahead: SignedDuration,
    has_read: bool,
}

/// A search for the last lines.
#[derive(Debug, Clone, Copy)]
struct Tail {
    lines: usize,
    seconds: i64,
}

#[async_trait]
impl LogReader for Reader<'_> {
    async fn read(&mut self, look: LogLook) -> Result<LogPiece> {
        match self.step(look).await {
            Ok(piece) => Ok(piece),
            // The container has not started (§3.6), or the service keeps its log no longer.
            Err(error) if matches!(error.kind(), Kind::Rejected | Kind::NotFound) => {
                let mut piece = LogPiece::default();
                if look == LogLook::Last && !self.has_read {
                    piece.notes.push(format!("its log cannot be had: {error}"));
                }
                Ok(piece)
            }
            Err(error) => Err(error),
        }
    }
}

impl Reader<'_> {
    async fn step(&mut self, look: LogLook) -> Result<LogPiece> {
        let now = self.now();
        if let Some(tail) = self.tail {
            return self.search(tail, now).await;
        }
        let from = self.from;
        let round = self.round;
        let windows = self.windows.get_or_insert_with(|| Windows::new(from));
        if round.is_none() {
            windows.begin(now, look == LogLook::Last);
            self.round = Some(look);
        }
        let Some(ask) = windows.ask() else {
            self.round = None;
            return Ok(LogPiece::default());
        };
        let lines = match self.ask(ask).await {
            Ok(lines) => lines,
            Err(error) if ask.is_seam && error.kind() == Kind::Rejected => Vec::new(),
            Err(error) if error.code() == TOO_LARGE => {
                let can_ask_again = self.windows.as_mut().is_some_and(Windows::is_too_large);
                if !can_ask_again {
                    return Err(error);
                }
                return Ok(LogPiece {
                    more: true,
                    ..LogPiece::default()
                });
            }
            Err(error) => return Err(error),
        };
        let Some(windows) = &mut self.windows else {
            return Ok(LogPiece::default());
        };
        let news = windows.answer(&lines);
        let is_over = windows.ask().is_none();
        if is_over {
            // A last look that found a usual one under way follows it.
            self.round = None;
        }
        let missed = is_over && look == LogLook::Last && round == Some(LogLook::Usual);
        let mut piece = LogPiece {
            more: !is_over || missed,
            ..LogPiece::default()
        };
        let carrier = self.locator.last().filter(|marker| !marker.is_empty());
        for line in news
            .lines
            .iter()
            .filter_map(|position| lines.get(*position))
        {
            let (line, code) = match carrier {
                Some(marker) => carrier::cut(line, marker),
                None => (Some(Cow::Borrowed(line.as_str())), None),
            };
            if let Some(code) = code {
                self.provider.codes.tell(&self.locator, code);
            }
            if let Some(line) = line {
                piece.bytes.extend_from_slice(line.as_bytes());
                piece.bytes.push(b'\n');
            }
        }
        if news.is_cut {
            piece.notes.push(format!(
                "the service tells no more than {} lines of one second ({}): some may be missing",
                lines.len(),
                instant(ask.from)
            ));
        }
        self.has_read |= !piece.bytes.is_empty();
        Ok(piece)
    }

    /// One step back in search of the last lines; each goes further than the one before.
    async fn search(&mut self, tail: Tail, now: i64) -> Result<LogPiece> {
        let earliest = self.from;
        let from = (now - tail.seconds).max(earliest);
        let mut ask = Windows::new(from);
        ask.begin(now, false);
        let found = match ask.ask() {
            Some(ask) => {
                let ask = Ask {
                    any_size: true,
                    ..ask
                };
                self.ask(ask).await?.len()
            }
            None => 0,
        };
        if found >= tail.lines || from == earliest {
            self.from = from;
            self.tail = None;
        } else {
            self.tail = Some(Tail {
                seconds: tail.seconds.saturating_mul(TAIL_FACTOR),
                ..tail
            });
        }
        Ok(LogPiece {
            more: true,
            ..LogPiece::default()
        })
    }

    /// The lines of a period.
    async fn ask(&mut self, ask: Ask) -> Result<Vec<String>> {
        let [region, job, pod, uid, _] = self.locator.as_slice() else {
            return Err(Error::internal("a pod's log has five parts"));
        };
        let site: Site = self.provider.site(region)?;
        let window = LogWindow {
            start: instant(ask.from),
            end: instant(ask.to),
            most_lines: ask.most_lines,
        };
        let uid = Some(uid.as_str()).filter(|uid| !uid.is_empty());
        let mut request = site.pod_logs(job, pod, uid, &window);
        if ask.any_size {
            request = request.with_answer_of_any_size();
        }
        let answer = self.provider.ask(&request).await?;
        if let Some(served) = answer.header("date").and_then(http_date) {
            self.ahead = served.duration_since(self.provider.now());
        }
        let read = lenient::json(&answer).and_then(LogsAnswer::deserialize);
        drop(answer);
        match read {
            Ok(read) => Ok(read.logs),
            Err(error) => Err(self
                .provider
                .unreadable("GetPodLogs", &format!("cannot be read: {error}"))),
        }
    }

    /// The second that the service lives in, as far as it told.
    fn now(&self) -> i64 {
        let ours = self.provider.now();
        ours.checked_add(self.ahead).unwrap_or(ours).as_second()
    }
}

/// The service's own form: UTC, whole seconds (§1.3).
fn instant(second: i64) -> String {
    Timestamp::from_second(second)
        .unwrap_or(Timestamp::UNIX_EPOCH)
        .strftime("%Y-%m-%dT%H:%M:%SZ")
        .to_string()
}
