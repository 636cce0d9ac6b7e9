//! Exit files of jobs, where the shared directory is mounted on this machine (cyclecloud.md §8.2, §8.5).
//!
//! The one place of this backend that reads files. Reads only; an unreadable directory is no error, just no knowledge.

use std::collections::BTreeMap;
use std::fmt;
use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use crate::model::Timestamp;

/// The files that the runner writes output to (§8.2).
const OUTPUTS: [&str; 2] = ["stdout", "stderr"];
/// What the runner leaves of a node: by any of it a directory is one's, and not the job's own.
const TRACES: [&str; 4] = ["exit_code", "stdout", "stderr", "address"];

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

    /// Whether a directory of results can be seen from here at all.
    fn is_here(&self, result_dir: &str) -> bool;

    /// What the nodes of a job wrote so far, by node, standard output first; nothing where it cannot be seen.
    fn outputs(&self, result_dir: &str, job_id: &str) -> Vec<Output>;

    /// At most so many bytes of a file from a place on; none at its end.
    fn read(&self, path: &Path, from: u64, most: usize) -> io::Result<Vec<u8>>;
}

/// A file that a node writes its output to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Output {
    pub node: String,
    pub path: PathBuf,
    /// Whether the node's exit file is there, which is written last.
    pub has_ended: bool,
}

/// Results on the file system of this machine, at the same path as on the nodes.
#[derive(Debug, Clone, Copy, Default)]
pub struct MountedResults;

impl Results for MountedResults {
    fn exits(&self, result_dir: &str, job_id: &str) -> Option<Exits> {
        let nodes = std::fs::read_dir(directory(result_dir, job_id)?).ok()?;
        Some(
            nodes
                .filter_map(Result::ok)
                .filter(|node| TRACES.iter().any(|file| node.path().join(file).exists()))
                .filter_map(|node| {
                    let name = node.file_name().into_string().ok()?;
                    Some((name, exit(&node.path().join("exit_code"))))
                })
                .collect(),
        )
    }

    fn is_here(&self, result_dir: &str) -> bool {
        result_dir.starts_with('/') && Path::new(result_dir).is_dir()
    }

    fn outputs(&self, result_dir: &str, job_id: &str) -> Vec<Output> {
        let Some(directory) = directory(result_dir, job_id) else {
            return Vec::new();
        };
        let nodes = self.exits(result_dir, job_id).unwrap_or_default();
        let outputs = nodes.into_iter().flat_map(|(node, exit)| {
            let folder = directory.join(&node);
            OUTPUTS.map(|name| Output {
                path: folder.join(name),
                node: node.clone(),
                has_ended: exit.is_some(),
            })
        });
        outputs.filter(|output| output.path.is_file()).collect()
    }

    fn read(&self, path: &Path, from: u64, most: usize) -> io::Result<Vec<u8>> {
        let mut file = File::open(path)?;
        file.seek(SeekFrom::Start(from))?;
        let mut bytes = Vec::new();
        let most = u64::try_from(most).unwrap_or(u64::MAX);
        file.take(most).read_to_end(&mut bytes)?;
        Ok(bytes)
    }
}

/// A job's own directory. The id comes from a ref that somebody typed: it must name a directory, and not another place.
fn directory(result_dir: &str, job_id: &str) -> Option<PathBuf> {
    let is_plain = !job_id.is_empty()
        && job_id
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    (is_plain && result_dir.starts_with('/')).then(|| Path::new(result_dir).join(job_id))
}

fn exit(path: &Path) -> Option<Exit> {
    let code = std::fs::read_to_string(path).ok()?.trim().parse().ok()?;
    let at = std::fs::metadata(path)
        .and_then(|metadata| metadata.modified())
        .ok()
        .and_then(|modified| modified.duration_since(UNIX_EPOCH).ok())
        .and_then(|since| jiff::SignedDuration::try_from(since).ok())
        .and_then(|since| Timestamp::from_duration(since).ok());
    Some(Exit { code, at })
}
