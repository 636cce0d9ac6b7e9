//! Exit codes of script-mode jobs, from the file that the script leaves (paracloud.md §9.2; job-model.md §10).

use serde_json::json;

use crate::error::Kind;
use crate::model::{Job, State};
use crate::provider::Tracked;

use super::Paracloud;
use super::record::Group;
use super::script;

/// The member of a job's reading.
const READING: &str = "exit_code";
/// More than any number takes.
const READ_AT_MOST: usize = 64;

impl Paracloud {
    /// The job with the code of its program, where it failed and a script kept it; without credentials it stays unknown.
    pub(super) async fn with_exit_code(
        &self,
        mut job: Job,
        group: &Group,
        tracked: &Tracked,
    ) -> Job {
        if job.state != State::Failed || job.exit_code.is_some() {
            return job;
        }
        let remembered = tracked
            .reading
            .as_ref()
            .and_then(|reading| reading.get(READING)?.as_i64());
        job.exit_code = match remembered {
            Some(code) => Some(code),
            None => self.read_exit_code(&job, group).await,
        };
        job.reading = job.exit_code.map(|code| json!({ READING: code }));
        job
    }

    async fn read_exit_code(&self, job: &Job, group: &Group) -> Option<i64> {
        let (volume, folder) = script::place_of(group, &job.job_ref)?;
        let path = folder.join(script::EXIT_CODE);
        let read = async {
            self.files_of(&volume)?
                .read_from(&path, 0, READ_AT_MOST)
                .await
        };
        match read.await {
            Ok(text) => script::exit_code(&text),
            // The job was ended before its script could write it.
            Err(error) if error.kind() == Kind::NotFound => None,
            Err(error) => {
                self.session.reporter.note(&format!(
                    "the exit code of {} cannot be read: {error}",
                    job.job_ref
                ));
                None
            }
        }
    }
}
