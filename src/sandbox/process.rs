//! The job's command as a real process of this machine (cli.md §9): its own directory, environment, output, exit code,
//! process group and time limit.
//!
//! Nothing is isolated: this is a test double, never a scheduler. Mounts are directories whose container paths are
//! rewritten in words, shell text, values ([`paths`]) and scripts (`script`); a program that leaves its process group
//! (`setsid`) is not reached by [`Process::kill`].

pub mod paths;
mod script;
#[cfg(test)]
mod tests;
mod watch;

use std::collections::BTreeMap;
use std::fmt;
use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::process::Command;
use tokio::runtime::Handle;

use self::paths::PathMap;
pub use self::watch::{Process, ProcessStatus};

/// Where the image's own files would be; the folder the sandbox was started in stands in for it.
pub const IMAGE_DIRECTORY: &str = "/workspace";

/// The search path of a job when the sandbox itself has none.
const DEFAULT_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// Starts processes and keeps their directories; one per sandbox, cheap to clone.
#[derive(Debug, Clone)]
pub struct Launcher {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    root: PathBuf,
    image_root: PathBuf,
    processes: Mutex<BTreeMap<String, Vec<Process>>>,
}

/// What to run.
#[derive(Clone)]
pub struct Launch {
    /// The job's id: names its directory, and is what [`Launcher::forget`] takes.
    pub job: String,
    pub program: Program,
    /// Added to the minimal environment; may replace it.
    pub env: Vec<(String, String)>,
    /// Container paths and the real directories behind them.
    pub mounts: Vec<(String, PathBuf)>,
    /// A container path, or one relative to the job's own directory.
    pub working_directory: Option<String>,
    /// After this the whole group is stopped and the status is [`ProcessStatus::TimedOut`].
    pub time_limit: Option<Duration>,
}

impl fmt::Debug for Launch {
    /// Values of the environment may be secret: their names are enough.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.env.iter().map(|(name, _)| name.as_str()).collect();
        formatter
            .debug_struct("Launch")
            .field("job", &self.job)
            .field("program", &self.program)
            .field("env", &names)
            .field("mounts", &self.mounts)
            .field("working_directory", &self.working_directory)
            .field("time_limit", &self.time_limit)
            .finish()
    }
}

/// The job's command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Program {
    /// Exact words.
    Words(Vec<String>),
    /// Text for `sh -c`.
    Shell(String),
}

impl Launcher {
    /// A launcher that keeps all its files under `root`; `image_root` stands in for [`IMAGE_DIRECTORY`].
    pub fn new(root: PathBuf, image_root: PathBuf) -> Self {
        Self {
            inner: Arc::new(Inner {
                root,
                image_root,
                processes: Mutex::default(),
            }),
        }
    }

    /// Starts a process. Whatever prevents that is the process's status, as it would be in a container.
    ///
    /// Callable from synchronous code, but only inside a tokio runtime.
    pub fn launch(&self, launch: Launch) -> Process {
        let job = launch.job.clone();
        let process = match self.place(&job) {
            Ok((directory, log)) => {
                self.start(launch, &directory, &log)
                    .unwrap_or_else(|reason| {
                        // The log is where people look first.
                        let _ignored = fs::write(&log, format!("{reason}\n"));
                        Process::not_started(directory, log, reason)
                    })
            }
            Err(error) => Process::not_started(
                self.inner.root.clone(),
                self.inner.root.join("log"),
                format!("the job's directory cannot be made: {error}"),
            ),
        };
        self.processes()
            .entry(job)
            .or_default()
            .push(process.clone());
        process
    }

    /// The directory behind a volume: created on first use, kept when jobs end.
    pub fn volume_directory(&self, service: &str, id: &str) -> io::Result<PathBuf> {
        let directory = self.volume_path(service, id);
        fs::create_dir_all(&directory)?;
        Ok(directory)
    }

    /// A folder on the file system of the volumes, for files that are not complete yet.
    pub fn upload_directory(&self) -> io::Result<PathBuf> {
        let directory = self.inner.root.join("uploads");
        fs::create_dir_all(&directory)?;
        Ok(directory)
    }

    /// The paths that a job with these mounts sees, for text that reaches it on another way than its own words.
    pub fn path_map(&self, mounts: &[(String, PathBuf)]) -> io::Result<PathMap> {
        Ok(with_image(mounts, &self.image_link()?))
    }

    /// Removes a volume and what is in it; one that was never used is no error.
    pub fn remove_volume(&self, service: &str, id: &str) -> io::Result<()> {
        remove(&self.volume_path(service, id))
    }

    /// Removes all volumes of one service.
    pub fn remove_volumes(&self, service: &str) -> io::Result<()> {
        remove(&self.inner.root.join("volumes").join(file_name(service)))
    }

    /// Ends every process of a job, then removes their directories and logs. Does not block.
    pub fn forget(&self, job: &str) {
        let processes = self.processes().remove(job).unwrap_or_default();
        for process in processes {
            process.kill();
            let Ok(runtime) = Handle::try_current() else {
                continue;
            };
            runtime.spawn(async move {
                process.finished().await;
                if let Some(place) = process.log_path().parent()
                    && process.directory().starts_with(place)
                    && place != process.directory()
                {
                    let _ignored = remove(place);
                }
            });
        }
    }

    /// Asks every process to end; does not wait.
    pub fn kill_all(&self) {
        for process in self.processes().values().flatten() {
            process.kill();
        }
    }

    /// Ends every process and waits until all are gone.
    pub async fn stop(&self) {
        self.kill_all();
        let processes: Vec<Process> = self.processes().values().flatten().cloned().collect();
        for process in &processes {
            process.finished().await;
        }
    }

    fn processes(&self) -> MutexGuard<'_, BTreeMap<String, Vec<Process>>> {
        self.inner
            .processes
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn volume_path(&self, service: &str, id: &str) -> PathBuf {
        self.inner
            .root
            .join("volumes")
            .join(file_name(service))
            .join(file_name(id))
    }

    /// A directory and a log path of its own for one process; a job may have several.
    fn place(&self, job: &str) -> io::Result<(PathBuf, PathBuf)> {
        let jobs = self.inner.root.join("jobs");
        fs::create_dir_all(&jobs)?;
        let name = file_name(job);
        let mut attempt = 1_u32;
        loop {
            let place = if attempt == 1 {
                jobs.join(&name)
            } else {
                // An encoded name holds no `_` that is not followed by hex, so this is nobody else's.
                jobs.join(format!("{name}_try{attempt}"))
            };
            match fs::create_dir(&place) {
                Ok(()) => {
                    let directory = place.join("files");
                    fs::create_dir(&directory)?;
                    return Ok((directory, place.join("log")));
                }
                Err(error) if error.kind() == ErrorKind::AlreadyExists => attempt += 1,
                Err(error) => return Err(error),
            }
        }
    }

    /// A path to the image's stand-in that holds no blank, whatever the user's folder is called: rewritten shell text
    /// must keep its words.
    fn image_link(&self) -> io::Result<PathBuf> {
        let link = self.inner.root.join("image");
        match std::os::unix::fs::symlink(&self.inner.image_root, &link) {
            Err(error) if error.kind() != ErrorKind::AlreadyExists => Err(error),
            Ok(()) | Err(_) => Ok(link),
        }
    }

    fn start(&self, launch: Launch, directory: &Path, log: &Path) -> Result<Process, String> {
        let runtime = Handle::try_current()
            .map_err(|_| "a process can only be started inside the sandbox's runtime".to_owned())?;
        let image = self
            .image_link()
            .map_err(|error| format!("`{IMAGE_DIRECTORY}` cannot be set up: {error}"))?;
        let map = with_image(&launch.mounts, &image);
        let working_directory =
            working_directory(launch.working_directory.as_deref(), directory, &map, &image)?;
        let mut words = match launch.program {
            Program::Words(words) => script::rewritten(&words, &map, &working_directory),
            Program::Shell(text) => vec!["sh".to_owned(), "-c".to_owned(), map.rewrite(&text)],
        }
        .into_iter();
        let program = words
            .next()
            .filter(|program| !program.is_empty())
            .ok_or("the job has no command to run")?;
        let output = File::options()
            .create(true)
            .append(true)
            .open(log)
            .map_err(|error| format!("the job's log cannot be opened: {error}"))?;
        let errors = output
            .try_clone()
            .map_err(|error| format!("the job's log cannot be opened: {error}"))?;
        let mut command = Command::new(&program);
        command
            .args(words)
            .current_dir(working_directory)
            .env_clear()
            .env(
                "PATH",
                std::env::var_os("PATH").unwrap_or_else(|| DEFAULT_PATH.into()),
            )
            .env("HOME", directory)
            .env("LANG", "C.UTF-8")
            .env("LC_ALL", "C.UTF-8")
            .envs(
                launch
                    .env
                    .iter()
                    .filter(|(name, _)| {
                        // The standard library refuses the whole start for such names.
                        !name.is_empty() && !name.contains(['=', '\0'])
                    })
                    .map(|(name, value)| (name, map.rewrite(value))),
            )
            .stdin(Stdio::null())
            .stdout(output)
            .stderr(errors)
            .process_group(0)
            .kill_on_drop(true);
        let child = command
            .spawn()
            .map_err(|error| format!("`{program}` cannot be started: {error}"))?;
        Ok(watch::watch(
            &runtime,
            child,
            directory.to_owned(),
            log.to_owned(),
            launch.time_limit,
        ))
    }
}

fn with_image(mounts: &[(String, PathBuf)], image: &Path) -> PathMap {
    let image = (IMAGE_DIRECTORY.to_owned(), image.to_owned());
    PathMap::new(mounts.iter().cloned().chain([image]))
}

/// Where the process starts: in its own directory unless the job says otherwise.
fn working_directory(
    wanted: Option<&str>,
    own: &Path,
    map: &PathMap,
    image: &Path,
) -> Result<PathBuf, String> {
    let Some(wanted) = wanted else {
        return Ok(own.to_owned());
    };
    let (directory, create) = if let Some((directory, mount)) = map.resolve(wanted) {
        // A container runtime makes a missing directory; the user's own folder is not the place for that.
        (directory, mount != image)
    } else {
        (own.join(wanted), !wanted.starts_with('/'))
    };
    if create {
        fs::create_dir_all(&directory)
            .map_err(|error| format!("the working directory `{wanted}` cannot be made: {error}"))?;
    }
    if directory.is_dir() {
        Ok(directory)
    } else {
        Err(format!(
            "the working directory `{wanted}` does not exist on this machine (the image is not pulled)"
        ))
    }
}

/// An id as one file name; different ids have different names.
fn file_name(id: &str) -> String {
    let mut name = String::with_capacity(id.len());
    for (index, byte) in id.bytes().enumerate() {
        if byte.is_ascii_alphanumeric() || byte == b'-' || (byte == b'.' && index > 0) {
            name.push(char::from(byte));
        } else {
            name.push('_');
            for nibble in [byte >> 4, byte & 0xF] {
                name.extend(char::from_digit(u32::from(nibble), 16));
            }
        }
    }
    if name.is_empty() {
        name.push('_');
    }
    name
}

fn remove(directory: &Path) -> io::Result<()> {
    match fs::remove_dir_all(directory) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        Ok(()) | Err(_) => Ok(()),
    }
}
