//! Logs of a job's containers (gongji.md §5.2): one text with everything the platform keeps, asked for again each time.
//!
//! There is no cursor, no time and no tail. Each retry is a new pod with a log of its own.

use async_trait::async_trait;
use serde::Deserialize;

use crate::error::{Error, Kind, Result};
use crate::http::Template;
use crate::model::{Job, State};
use crate::provider::{LogLook, LogPiece, LogReader, LogSource, LogStart, Logs};

use super::Gongji;
use super::joint::{Joint, Printed};
use super::wire::{JobAnswer, LogsAnswer, Node, ServiceAnswer};

/// So much is handed on at a time.
const PIECE: usize = 256 << 10;

/// What stands for a character whose other bytes were not there yet.
const INCOMPLETE: &str = "\u{fffd}";

#[async_trait]
impl Logs for Gongji {
    async fn sources(&self, job: &Job) -> Result<Vec<LogSource>> {
        let id = self.job_id(&job.job_ref)?;
        let services = self.services(job, id).await?;
        let rows = self
            .rows("point_id", |page| self.api.list_points(id, page))
            .await;
        let mut nodes: Vec<Node> = match rows {
            Ok(rows) => rows
                .rows
                .iter()
                .filter_map(|row| Node::deserialize(row).ok())
                .filter(|node| node.status.as_deref() != Some("Pending"))
                .collect(),
            // How soon and how long the pods are known is not documented (§5.1).
            Err(error) if matches!(error.kind(), Kind::Rejected | Kind::NotFound) => Vec::new(),
            Err(error) => return Err(error.with_job(job.job_ref.to_string())),
        };
        // Each retry is a new pod with a higher number.
        nodes.sort_by_key(|node| node.point_id);
        let ids: Vec<(i64, &ServiceAnswer)> = services
            .iter()
            .filter_map(|service| Some((service.service_id?, service)))
            .collect();
        if ids.is_empty() && !nodes.is_empty() && job.state != State::Pending {
            return Err(self.without_service(job));
        }
        let sources = nodes.iter().filter_map(|node| {
            let point = node.point_id?;
            let pod = node.name.clone().unwrap_or_else(|| point.to_string());
            let is_one = ids.len() == 1;
            Some(ids.iter().map(move |(service_id, service)| LogSource {
                name: match &service.service_name {
                    Some(service) if !is_one => format!("{pod}/{service}"),
                    Some(_) | None => pod.clone(),
                },
                stream: None,
                locator: [id, point, *service_id].map(|part| part.to_string()).into(),
                began_at: None,
                ended: matches!(node.status.as_deref(), Some("Succeeded" | "Failed" | "End")),
            }))
        });
        Ok(sources.flatten().collect())
    }

    fn open<'a>(&'a self, source: &LogSource, _start: &LogStart) -> Box<dyn LogReader + 'a> {
        let mut parts = source.locator.iter().map(|part| part.parse().unwrap_or(0));
        let mut next = || parts.next().unwrap_or(0);
        let request = self.api.point_log(next(), next(), next());
        Box::new(Reader {
            gongji: self,
            request,
            printed: Printed::default(),
            pending: Pending::default(),
        })
    }

    fn knows_times(&self) -> bool {
        false
    }
}

impl Gongji {
    /// The containers of a job: the detail tells them, a row of the list may not.
    async fn services(&self, job: &Job, id: i64) -> Result<Vec<ServiceAnswer>> {
        let known = JobAnswer::deserialize(&job.raw)
            .unwrap_or_default()
            .services;
        if known.iter().any(|service| service.service_id.is_some()) {
            return Ok(known);
        }
        let detail = self.look_up(id).await?;
        let detail = detail.ok_or_else(|| self.unknown_job(&job.job_ref))?;
        Ok(JobAnswer::deserialize(&detail).unwrap_or_default().services)
    }

    fn without_service(&self, job: &Job) -> Error {
        self.named(
            Error::new(
                Kind::Spec,
                "no_log",
                format!(
                    "the logs of {} cannot be asked for: the service tells no `service_id` of its container",
                    job.job_ref
                ),
            )
            .with_hint("the console shows them")
            .with_job(job.job_ref.to_string()),
        )
    }
}

/// What was handed out of one container's log.
#[derive(Debug)]
struct Reader<'a> {
    gongji: &'a Gongji,
    request: Template,
    printed: Printed,
    pending: Pending,
}

/// A log that is being handed on.
#[derive(Debug, Default)]
struct Pending {
    text: String,
    /// So many bytes of it were handed on.
    done: usize,
}

#[async_trait]
impl LogReader for Reader<'_> {
    async fn read(&mut self, look: LogLook) -> Result<LogPiece> {
        if let Some(piece) = self.pending.next() {
            return Ok(piece);
        }
        let text = match self.text().await {
            Ok(text) => text,
            // No container yet, or no longer.
            Err(error) if matches!(error.kind(), Kind::Rejected | Kind::NotFound) => {
                let mut piece = LogPiece::default();
                if look == LogLook::Last && self.printed.is_empty() {
                    piece.notes.push(format!("its log cannot be had: {error}"));
                }
                return Ok(piece);
            }
            Err(error) => return Err(error),
        };
        Ok(self.take(text, look))
    }
}

impl Reader<'_> {
    /// Everything the service keeps; null where there is nothing yet.
    async fn text(&self) -> Result<String> {
        let answer = self
            .gongji
            .session
            .send(&self.request)
            .await
            .map_err(|failure| self.gongji.named(failure.error))?;
        let read: Result<LogsAnswer, _> = answer.decode();
        // The text may be large: the answer goes before anything is made of it.
        drop(answer);
        let read = read.map_err(|error| {
            let why = format!("cannot be read: {error}");
            self.gongji.unreadable("pointLog", &why)
        })?;
        Ok(read.data.and_then(|data| data.logs).unwrap_or_default())
    }

    /// What is new in a text that was just read.
    fn take(&mut self, text: String, look: LogLook) -> LogPiece {
        let is_last = look == LogLook::Last;
        let mut text = text;
        if !is_last && text.ends_with(INCOMPLETE) {
            text.truncate(text.trim_end_matches(INCOMPLETE).len());
        }
        let mut notes = Vec::new();
        let joint = self.printed.joint(text.as_bytes());
        let from = match joint {
            Joint::GoesOn(from) | Joint::Rotated(from) => from,
            // Perhaps the whole of it comes back; by the end it was another after all.
            Joint::Shorter if !is_last || text.is_empty() => return LogPiece::default(),
            Joint::Shorter => 0,
            Joint::Other => {
                notes.push(
                    "the log has another beginning: its container began again, or it lost more lines than were read"
                        .to_owned(),
                );
                0
            }
        };
        self.printed
            .take(text.as_bytes(), matches!(joint, Joint::GoesOn(_)));
        self.pending = Pending { text, done: from };
        let mut piece = self.pending.next().unwrap_or_default();
        piece.notes = notes;
        piece
    }
}

impl Pending {
    /// The next part, if there is one.
    fn next(&mut self) -> Option<LogPiece> {
        let rest = self.text.as_bytes().get(self.done..).unwrap_or_default();
        if rest.is_empty() {
            // The memory is given back at once: a follower lives long.
            *self = Self::default();
            return None;
        }
        let bytes = rest.get(..PIECE.min(rest.len())).unwrap_or(rest).to_vec();
        let more = bytes.len() < rest.len();
        if more {
            self.done += bytes.len();
        } else {
            *self = Self::default();
        }
        Some(LogPiece {
            bytes,
            more,
            notes: Vec::new(),
        })
    }
}
