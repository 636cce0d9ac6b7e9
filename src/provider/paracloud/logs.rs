//! What script-mode jobs wrote: two files in a volume (paracloud.md §9.2). The only logs there are on Paracloud.

use std::fmt;

use async_trait::async_trait;

use crate::error::{Error, Kind, Result};
use crate::model::{FilePath, Job, ResourceRef};
use crate::provider::{LogLook, LogPiece, LogReader, LogSource, LogStart, LogStream, Logs};
use crate::spec::JobSpec;
use crate::webdav::{Client, Part};

use super::Paracloud;
use super::reading::Reading;
use super::record::Group;
use super::{plan, script};

/// Read at once.
const PIECE: usize = 1 << 20;
/// So much of a file's end is searched for its last lines.
const SPANS: [usize; 2] = [1 << 16, 1 << 20];

#[async_trait]
impl Logs for Paracloud {
    fn check(&self, spec: &JobSpec) -> Result<()> {
        if plan::may_keep_logs(spec) {
            return Ok(());
        }
        Err(self.named(no_script("this job")))
    }

    /// Standard output, once it exists, and standard error, once something is in it.
    async fn sources(&self, job: &Job) -> Result<Vec<LogSource>> {
        let place = Group::read(&job.raw).and_then(|group| script::place_of(&group, &job.job_ref));
        // The group may have gone; its files have not.
        let place = place.or_else(|| Reading::read(job.reading.as_ref()).place());
        let Some((volume, folder)) = place else {
            let what = job.job_ref.to_string();
            return Err(self.named(no_script(&what)).with_job(what));
        };
        let entries = match self.files_of(&volume)?.list(&folder).await {
            Ok(entries) => entries,
            Err(error) if error.kind() == Kind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(error.with_job(job.job_ref.to_string())),
        };
        let size_of = |file: &str| {
            let entry = entries.iter().find(|entry| entry.path.name() == file)?;
            Some(entry.size_bytes.unwrap_or(1))
        };
        let source = |stream: LogStream, file: &str| LogSource {
            name: job.job_ref.id().to_owned(),
            stream: Some(stream),
            locator: vec![volume.to_string(), folder.join(file).to_string()],
            began_at: job.started_at,
            ended: job.terminal,
        };
        let output = size_of(script::STDOUT).map(|_| source(LogStream::Output, script::STDOUT));
        let errors = size_of(script::STDERR)
            .filter(|size| *size > 0)
            .map(|_| source(LogStream::Errors, script::STDERR));
        Ok(output.into_iter().chain(errors).collect())
    }

    fn open<'a>(&'a self, source: &LogSource, start: &LogStart) -> Box<dyn LogReader + 'a> {
        let place = match source.locator.as_slice() {
            [volume, path] => volume.parse().ok().zip(FilePath::parse(path).ok()),
            _ => None,
        };
        Box::new(FileLog {
            provider: self,
            place,
            client: None,
            offset: 0,
            tail: start.tail,
        })
    }

    /// The files hold no times.
    fn knows_times(&self) -> bool {
        false
    }
}

/// A file that grows.
struct FileLog<'a> {
    provider: &'a Paracloud,
    place: Option<(ResourceRef, FilePath)>,
    client: Option<Client>,
    /// Bytes that were handed out, or passed over.
    offset: u64,
    /// So many last lines are wanted, and where they begin is not known yet.
    tail: Option<usize>,
}

impl fmt::Debug for FileLog<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("FileLog")
            .field("place", &self.place)
            .field("offset", &self.offset)
            .finish_non_exhaustive()
    }
}

#[async_trait]
impl LogReader for FileLog<'_> {
    async fn read(&mut self, _look: LogLook) -> Result<LogPiece> {
        let (volume, path) = self
            .place
            .as_ref()
            .ok_or_else(|| Error::internal("a log's locator is none of ours"))?;
        let client = match self.client.take() {
            Some(client) => client,
            None => self.provider.files_of(volume)?,
        };
        let client = self.client.insert(client);
        if let Some(lines) = self.tail {
            self.offset = beginning(client, path, lines).await?;
            self.tail = None;
        }
        let part = match client.read_part(path, self.offset, PIECE).await {
            Ok(part) => part,
            // It was there when it was named; whoever removed it left nothing to read.
            Err(error) if error.kind() == Kind::NotFound => Part::default(),
            Err(error) => return Err(error),
        };
        self.offset += u64::try_from(part.bytes.len()).unwrap_or_default();
        Ok(LogPiece {
            more: part.more,
            bytes: part.bytes,
            notes: Vec::new(),
        })
    }
}

/// A place before so many last lines, so that the rest of a long file need not be read; the start if they are long.
async fn beginning(client: &Client, path: &FilePath, lines: usize) -> Result<u64> {
    let size = match client.stat(path).await {
        Ok(entry) => entry.size_bytes.unwrap_or_default(),
        Err(error) if error.kind() == Kind::NotFound => 0,
        Err(error) => return Err(error),
    };
    for span in SPANS {
        let Some(start) = u64::try_from(span)
            .ok()
            .and_then(|span| size.checked_sub(span))
        else {
            break;
        };
        let part = client.read_part(path, start, span).await?;
        // The first line of the span may be a part of one.
        if part.bytes.split(|byte| *byte == b'\n').count() > lines + 1 {
            return Ok(start);
        }
    }
    Ok(0)
}

/// The API has no logs, and nothing kept this job's.
fn no_script(what: &str) -> Error {
    Error::new(
        Kind::Spec,
        "unsupported_verb",
        format!(
            "Paracloud has no logs, and {what} does not run through a script that would keep them"
        ),
    )
    .with_hint(
        "submit with `provider_options.paracloud.script_volume`, a volume from `gpujob volumes create`: then logs and \
         exit codes are kept there",
    )
}
