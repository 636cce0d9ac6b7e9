//! What jobs wrote, where the shared directory of results is mounted on this machine (cyclecloud.md §8.1, §8.2): the API
//! itself tells no logs.

use std::path::PathBuf;
use std::sync::{Arc, PoisonError};

use async_trait::async_trait;

use crate::error::{Error, Kind, Result};
use crate::model::{Backend, Job};
use crate::provider::{LogLook, LogPiece, LogReader, LogSource, LogStart, LogStream, Logs};
use crate::spec::JobSpec;

use super::Cyclecloud;
use super::history::History;
use super::results::Results;

/// So much is read at a time.
const PIECE: usize = 256 << 10;

#[async_trait]
impl Logs for Cyclecloud {
    fn check(&self, spec: &JobSpec) -> Result<()> {
        let options = spec.provider_options.get(&Backend::Cyclecloud);
        let own = options
            .and_then(|options| options.get("result_dir"))
            .and_then(|value| value.as_str());
        match own.or(self.result_dir.as_deref()) {
            Some(directory) if self.results.is_here(directory) => Ok(()),
            directory => Err(self.without_logs(directory)),
        }
    }

    async fn sources(&self, job: &Job) -> Result<Vec<LogSource>> {
        let (_, id) = self.parts(&job.job_ref)?;
        let history = History::read(job.reading.as_ref());
        let directory = history.result_dir.or_else(|| self.result_dir.clone());
        let Some(directory) = directory else {
            return Err(self.without_logs(None).with_job(job.job_ref.to_string()));
        };
        let (share, id) = (directory.clone(), id.to_owned());
        let outputs = self
            .on_share(move |results| {
                let is_here = results.is_here(&share);
                is_here.then(|| results.outputs(&share, &id))
            })
            .await?;
        let mut shares = self.shares.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(outputs) = outputs else {
            let error = if shares.contains(&directory) {
                self.share_is_away(&directory)
            } else {
                self.without_logs(Some(&directory))
            };
            return Err(error.with_job(job.job_ref.to_string()));
        };
        shares.insert(directory);
        Ok(outputs
            .into_iter()
            .map(|output| LogSource {
                name: output.node,
                stream: output
                    .path
                    .file_name()
                    .and_then(|name| LogStream::parse(name.to_str()?)),
                locator: vec![output.path.to_string_lossy().into_owned()],
                began_at: None,
                ended: job.terminal || output.has_ended,
            })
            .collect())
    }

    fn open<'a>(&'a self, source: &LogSource, _start: &LogStart) -> Box<dyn LogReader + 'a> {
        Box::new(Reader {
            results: Arc::clone(&self.results),
            path: source
                .locator
                .first()
                .map(PathBuf::from)
                .unwrap_or_default(),
            done: 0,
        })
    }

    fn knows_times(&self) -> bool {
        false
    }
}

impl Cyclecloud {
    /// A share that was here a moment ago: it is mounted, and does not answer.
    fn share_is_away(&self, directory: &str) -> Error {
        self.named(
            Error::new(
                Kind::Temporary,
                "share_away",
                format!("`{directory}` was mounted on this machine, and is not any more"),
            )
            .with_retryable(true),
        )
    }

    /// The refusal that names what else there is (§8.1).
    fn without_logs(&self, directory: Option<&str>) -> Error {
        let why = match directory {
            Some(directory) => format!("and `{directory}` is not mounted on this machine"),
            None => "and no `result_dir` is known".to_owned(),
        };
        self.named(
            Error::new(
                Kind::Spec,
                "unsupported_verb",
                format!("CycleCloud's API has no log access, {why}"),
            )
            .with_hint(
                "read RESULT_DIR/JOBID/NODE on the shared file system, run `jetpack report_issue` on the node, \
                 or connect with `cyclecloud connect NODE -c CLUSTER`",
            ),
        )
    }
}

/// A place in one file of one node.
#[derive(Debug)]
struct Reader {
    results: Arc<dyn Results>,
    path: PathBuf,
    done: u64,
}

#[async_trait]
impl LogReader for Reader {
    async fn read(&mut self, _look: LogLook) -> Result<LogPiece> {
        let (results, path, done) = (Arc::clone(&self.results), self.path.clone(), self.done);
        let unreadable = |error: String| {
            Error::new(
                Kind::Temporary,
                "unreadable_result",
                format!("`{}` cannot be read: {error}", self.path.display()),
            )
        };
        let bytes = tokio::task::spawn_blocking(move || results.read(&path, done, PIECE))
            .await
            .map_err(|error| unreadable(error.to_string()))?
            .map_err(|error| unreadable(error.to_string()))?;
        self.done += u64::try_from(bytes.len()).unwrap_or_default();
        Ok(LogPiece {
            more: bytes.len() == PIECE,
            bytes,
            notes: Vec::new(),
        })
    }
}

#[cfg(test)]
mod tests;
