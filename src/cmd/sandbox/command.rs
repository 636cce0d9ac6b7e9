//! COMMAND under a sandbox: its environment, its signals, its code (cli.md §9).

use std::ffi::{OsStr, OsString};
use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, symlink};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::ExitStatus;

use rustix::process::{Pid, Signal, kill_process};
use tokio::process::{Child, Command};
use tokio::sync::mpsc;

use crate::error::{Error, Kind, Result};
use crate::sandbox::Sandbox;

use super::{Surroundings, say};

/// Variables of the caller that would lead gpujob or a vendor's client to a real account; the sandbox's own replace
/// those it needs.
const DROPPED_PREFIXES: [&str; 5] = [
    "GPUJOB_",
    "ALIBABA_CLOUD_",
    "SUANLI_",
    "CYCLECLOUD_",
    "PARA_TOKEN",
];

/// Hosts that no proxy may be asked for.
const LOOPBACK: &str = "127.0.0.1,localhost";

/// Runs COMMAND to its end and gives its code: 128 + n for a signal, 127 or 126 when it cannot be started.
pub(super) async fn run(
    command: &[OsString],
    sandbox: &Sandbox,
    surroundings: &Surroundings,
    signals: &mut mpsc::Receiver<Signal>,
    err: &mut dyn Write,
) -> Result<u8> {
    let (program, arguments) = command
        .split_first()
        .ok_or_else(|| Error::internal("there is no command to run"))?;
    let places = Places::make(sandbox.folder(), &surroundings.executable).map_err(|error| {
        Error::new(
            Kind::Config,
            "sandbox_files",
            "the sandbox's files cannot be made",
        )
        .with_cause(error)
    })?;
    let environment = environment(&surroundings.environment, sandbox, &places);
    let started = Command::new(program)
        .args(arguments)
        .current_dir(&surroundings.directory)
        .env_clear()
        .envs(environment)
        .spawn();
    match started {
        Ok(child) => wait(child, surroundings.at_terminal, signals).await,
        Err(error) => {
            say(
                err,
                &format!(
                    "error: `{}` cannot be started: {error}\n",
                    program.display()
                ),
            )?;
            Ok(code_of_failed_start(&error))
        }
    }
}

/// Folders of the sandbox that the command uses.
#[derive(Debug)]
struct Places {
    /// Holds `gpujob`, a link to this very executable.
    programs: PathBuf,
    /// The command's own journal: the user's is left alone.
    state: PathBuf,
    cache: PathBuf,
}

impl Places {
    fn make(folder: &Path, executable: &Path) -> io::Result<Self> {
        let places = Self {
            programs: folder.join("bin"),
            state: folder.join("state"),
            cache: folder.join("cache"),
        };
        for place in [&places.programs, &places.state, &places.cache] {
            fs::DirBuilder::new().mode(0o700).create(place)?;
        }
        symlink(executable, places.programs.join("gpujob"))?;
        Ok(places)
    }
}

/// The caller's environment, without its own accounts and with the sandbox's.
fn environment(
    inherited: &[(OsString, OsString)],
    sandbox: &Sandbox,
    places: &Places,
) -> Vec<(OsString, OsString)> {
    let find = |wanted: &str| {
        let found = inherited.iter().find(|(name, _)| name == wanted);
        found.map(|(_, value)| value.clone())
    };
    let is_dropped = |name: &OsStr| {
        let name = name.to_string_lossy();
        DROPPED_PREFIXES
            .iter()
            .any(|prefix| name.starts_with(prefix))
    };
    let kept = inherited.iter().filter(|(name, _)| !is_dropped(name));
    let mut environment: Vec<(OsString, OsString)> = kept.cloned().collect();
    let mut set = |name: &str, value: OsString| {
        environment.retain(|(known, _)| known != name);
        environment.push((name.into(), value));
    };
    for (name, value) in sandbox.environment() {
        set(&name, value.into());
    }
    set("GPUJOB_CONFIG", sandbox.config_path().into());
    set("XDG_STATE_HOME", places.state.clone().into());
    set("XDG_CACHE_HOME", places.cache.clone().into());
    set(
        "PATH",
        joined(places.programs.as_os_str(), find("PATH"), ":"),
    );
    // Vendors' clients, unlike gpujob, would ask a proxy for 127.0.0.1.
    for name in ["NO_PROXY", "no_proxy"] {
        let known = find(name)
            .or_else(|| find("NO_PROXY"))
            .or_else(|| find("no_proxy"));
        set(name, joined(OsStr::new(LOOPBACK), known, ","));
    }
    environment
}

fn joined(first: &OsStr, rest: Option<OsString>, separator: &str) -> OsString {
    let mut text = first.to_owned();
    if let Some(rest) = rest.filter(|rest| !rest.is_empty()) {
        text.push(separator);
        text.push(rest);
    }
    text
}

/// Waits for the child and passes signals on to it.
async fn wait(
    mut child: Child,
    at_terminal: bool,
    signals: &mut mpsc::Receiver<Signal>,
) -> Result<u8> {
    let id = child
        .id()
        .and_then(|id| i32::try_from(id).ok())
        .and_then(Pid::from_raw);
    loop {
        tokio::select! {
            status = child.wait() => {
                return status
                    .map(code_of)
                    .map_err(|error| Error::internal(format!("the command was lost: {error}")));
            }
            Some(signal) = signals.recv() => {
                // A terminal sends Ctrl-C to its whole foreground group: a second one would mean "at once" to many.
                let already_sent = at_terminal && signal == Signal::INT;
                if let Some(id) = id.filter(|_| !already_sent) {
                    // It may have ended in between.
                    let _ignored = kill_process(id, signal);
                }
            }
        }
    }
}

/// 127 for what is not there, 126 for what cannot be run, as shells have it.
fn code_of_failed_start(error: &io::Error) -> u8 {
    if error.kind() == io::ErrorKind::NotFound {
        127
    } else {
        126
    }
}

fn code_of(status: ExitStatus) -> u8 {
    let code = status
        .code()
        .or_else(|| status.signal().map(|signal| 128 + signal))
        .unwrap_or(1);
    u8::try_from(code).unwrap_or(1)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case(0, 0)]
    #[case(7 << 8, 7)]
    #[case(15, 143)]
    #[case(9, 137)]
    fn a_wait_status_becomes_a_shells_code(#[case] raw: i32, #[case] code: u8) {
        assert_eq!(code_of(ExitStatus::from_raw(raw)), code);
    }
}
