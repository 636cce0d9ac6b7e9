//! Exit files of jobs, where the shared directory is mounted on this machine (cyclecloud.md §8.2, §8.5).
//!
//! The one place of this backend that reads files. Reads only; an unreadable directory is no error, just no knowledge.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;
use std::time::UNIX_EPOCH;

use crate::model::Timestamp;

/// What a node's directory holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Exit {
    pub code: i64,
    /// When the file was written.
    pub at: Option<Timestamp>,
}

/// The nodes of a job by name, each with its exit file if there is one.
pub type Exits = BTreeMap<String, Option<Exit>>;

/// Looks at the results of jobs.
pub trait Results: fmt::Debug + Send + Sync {
    /// What `RESULT_DIR/JOB_ID` holds; `None` where it cannot be seen from here.
    fn exits(&self, result_dir: &str, job_id: &str) -> Option<Exits>;
}

/// Results on the file system of this machine, at the same path as on the nodes.
#[derive(Debug, Clone, Copy, Default)]
pub struct MountedResults;

impl Results for MountedResults {
    fn exits(&self, result_dir: &str, job_id: &str) -> Option<Exits> {
        // The id comes from a ref that somebody typed: it must name a directory, and not another place.
        let is_plain = !job_id.is_empty()
            && job_id
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        if !is_plain || !result_dir.starts_with('/') {
            return None;
        }
        let directory = Path::new(result_dir).join(job_id);
        let nodes = std::fs::read_dir(directory).ok()?;
        Some(
            nodes
                .filter_map(Result::ok)
                .filter(|node| node.path().is_dir())
                .filter_map(|node| {
                    let name = node.file_name().into_string().ok()?;
                    Some((name, exit(&node.path().join("exit_code"))))
                })
                .collect(),
        )
    }
}

fn exit(path: &Path) -> Option<Exit> {
    let code = std::fs::read_to_string(path).ok()?.trim().parse().ok()?;
    let at = std::fs::metadata(path)
        .and_then(|metadata| metadata.modified())
        .ok()
        .and_then(|modified| modified.duration_since(UNIX_EPOCH).ok())
        .and_then(|since| i64::try_from(since.as_secs()).ok())
        .and_then(|seconds| Timestamp::from_second(seconds).ok());
    Some(Exit { code, at })
}
