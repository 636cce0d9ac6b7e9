//! What jobs wrote, where the shared directory of results is mounted on this machine (cyclecloud.md §8.1, §8.2): the API
//! itself tells no logs.

use std::path::PathBuf;

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
        let directory = history.result_dir.as_deref().or(self.result_dir.as_deref());
        let directory = directory
            .filter(|directory| self.results.is_here(directory))
            .ok_or_else(|| {
                self.without_logs(directory)
                    .with_job(job.job_ref.to_string())
            })?;
        let outputs = self.results.outputs(directory, id);
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
            results: &*self.results,
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
struct Reader<'a> {
    results: &'a dyn Results,
    path: PathBuf,
    done: u64,
}

#[async_trait]
impl LogReader for Reader<'_> {
    async fn read(&mut self, _look: LogLook) -> Result<LogPiece> {
        let bytes = self
            .results
            .read(&self.path, self.done, PIECE)
            .map_err(|error| {
                Error::new(
                    Kind::Temporary,
                    "unreadable_result",
                    format!("`{}` cannot be read: {error}", self.path.display()),
                )
            })?;
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
