//! `gpujob sandbox`: serve until a signal, or run one command against a sandbox of its own (cli.md §9).

mod command;
#[cfg(test)]
mod tests;

use std::ffi::OsString;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use rustix::process::Signal;
use serde_json::{Value, json};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc;

use crate::cli::SandboxArgs;
use crate::error::{Error, Kind, Result};
use crate::sandbox::{Options, Sandbox, StartError};

/// The speed of a served sandbox: the providers' own.
const SERVED_SPEED: f64 = 1.0;

/// The speed under a command: a job starts well within a second.
const COMMAND_SPEED: f64 = 20.0;

/// What the command learns from its process; handed in by tests.
#[derive(Debug)]
struct Surroundings {
    directory: PathBuf,
    executable: PathBuf,
    environment: Vec<(OsString, OsString)>,
    /// Whether Ctrl-C reaches a child without our help, from the terminal.
    at_terminal: bool,
}

/// Runs the command; the code is 0 after a signal, and COMMAND's own when there is one.
pub async fn run(args: SandboxArgs, out: &mut dyn Write, err: &mut dyn Write) -> Result<u8> {
    let surroundings = Surroundings::of_this_process()?;
    let signals = signals()?;
    run_in(args, &surroundings, signals, out, err).await
}

async fn run_in(
    args: SandboxArgs,
    surroundings: &Surroundings,
    mut signals: mpsc::Receiver<Signal>,
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> Result<u8> {
    let options = options(&args, &surroundings.directory)?;
    let sandbox = Sandbox::start(options).await.map_err(start_error)?;
    let exports = exports(&sandbox);
    if let Some(path) = &args.env_file {
        write_env_file(path, &exports)?;
    }
    say(
        err,
        &format!(
            "sandbox: a test double of foreign services, never for real use; jobs run as processes of this machine\n\
             sandbox: images are not pulled; `/workspace` is {}\n\
             sandbox: listens on 127.0.0.1 alone; no request leaves this machine\n",
            surroundings.directory.display()
        ),
    )?;
    let outcome = if args.command.is_empty() {
        say(out, &format!("{}\n{exports}", sandbox.config_toml()))?;
        say(err, "sandbox: serves until Ctrl-C\n")?;
        signals.recv().await;
        Ok(0)
    } else {
        command::run(&args.command, &sandbox, surroundings, &mut signals, err).await
    };
    sandbox.stop().await;
    outcome
}

impl Surroundings {
    fn of_this_process() -> Result<Self> {
        let unknown = |what: &str, error: &io::Error| {
            Error::new(
                Kind::Config,
                "surroundings",
                format!("{what} of this process cannot be found"),
            )
            .with_cause(error)
        };
        Ok(Self {
            directory: std::env::current_dir()
                .map_err(|error| unknown("the current folder", &error))?,
            executable: std::env::current_exe()
                .map_err(|error| unknown("the executable", &error))?,
            environment: std::env::vars_os().collect(),
            at_terminal: io::IsTerminal::is_terminal(&io::stdin()),
        })
    }
}

fn options(args: &SandboxArgs, directory: &Path) -> Result<Options> {
    let usual = if args.command.is_empty() {
        SERVED_SPEED
    } else {
        COMMAND_SPEED
    };
    let hold = args
        .hold
        .iter()
        .map(|text| match text.split_once('=') {
            Some((backend, state)) => Ok((backend.to_owned(), state.to_owned())),
            None => Err(Error::new(
                Kind::Usage,
                "bad_hold",
                format!("`--hold {text}` names no state"),
            )
            .with_hint("write a backend and a state, as in `--hold paracloud=pending`")),
        })
        .collect::<Result<_>>()?;
    Ok(Options {
        speed: args.speed.unwrap_or(usual),
        port: args.port,
        image_root: directory.to_owned(),
        seed: args.seed,
        hold,
        faults: args.fault.clone(),
        settings: args
            .set
            .iter()
            .map(|text| setting(text))
            .collect::<Result<_>>()?,
    })
}

/// `BACKEND:SWITCH=VALUE`, read.
fn setting(text: &str) -> Result<(String, Value)> {
    let parts = text
        .split_once('=')
        .and_then(|(place, value)| Some((place.split_once(':')?, value)));
    let Some(((backend, name), value)) = parts else {
        return Err(Error::new(
            Kind::Usage,
            "bad_switch",
            format!("`--set {text}` is not BACKEND:SWITCH=VALUE"),
        )
        .with_hint("write it as in `--set cyclecloud:capacity=200`"));
    };
    let value = serde_json::from_str(value).unwrap_or_else(|_| Value::from(value));
    Ok((backend.to_owned(), json!({ name: value })))
}

fn start_error(error: StartError) -> Error {
    match error {
        StartError::Option(message) => Error::new(Kind::Usage, "bad_option", message),
        error @ StartError::Port { .. } => {
            Error::new(Kind::Config, "port_taken", error.to_string())
                .with_hint("leave `--port` out to take a free one")
        }
        error @ (StartError::Io(_) | StartError::Random(_)) => {
            Error::new(Kind::Config, "sandbox_start", error.to_string())
        }
    }
}

/// The variables of cli.md §9 as lines for a shell.
fn exports(sandbox: &Sandbox) -> String {
    let config = (
        "GPUJOB_CONFIG".to_owned(),
        sandbox.config_path().to_string_lossy().into_owned(),
    );
    let variables = std::iter::once(config).chain(sandbox.environment());
    let lines: Vec<String> = variables
        .map(|(name, value)| format!("export {name}='{}'\n", value.replace('\'', r"'\''")))
        .collect();
    lines.concat()
}

/// Replaces the file in one step, so that nobody reads half of it or reads it before it is private.
fn write_env_file(path: &Path, exports: &str) -> Result<()> {
    let folder = match path.parent() {
        Some(folder) if folder != Path::new("") => folder,
        Some(_) | None => Path::new("."),
    };
    // Temporary files are made with mode 0600, and keep it.
    tempfile::NamedTempFile::new_in(folder)
        .and_then(|mut file| {
            file.write_all(exports.as_bytes())?;
            file.persist(path).map_err(|error| error.error)?;
            Ok(())
        })
        .map_err(|error| {
            Error::new(
                Kind::Config,
                "env_file",
                format!("`{}` cannot be written", path.display()),
            )
            .with_cause(error)
        })
}

/// Writes and flushes; a reader that has gone is no error (cli.md §3).
fn say(stream: &mut dyn Write, text: &str) -> Result<()> {
    match stream
        .write_all(text.as_bytes())
        .and_then(|()| stream.flush())
    {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(
                Error::new(Kind::Config, "output", "the output cannot be written")
                    .with_cause(error),
            )
        }
        Ok(()) | Err(_) => Ok(()),
    }
}

/// The signals that end a sandbox, from now on; a hang-up counts, or job processes would outlive their terminal.
fn signals() -> Result<mpsc::Receiver<Signal>> {
    let (sender, receiver) = mpsc::channel(8);
    for (kind, number) in [
        (SignalKind::interrupt(), Signal::INT),
        (SignalKind::terminate(), Signal::TERM),
        (SignalKind::hangup(), Signal::HUP),
    ] {
        let mut arrivals = signal(kind)
            .map_err(|error| Error::internal(format!("signals cannot be heard: {error}")))?;
        let sender = sender.clone();
        tokio::spawn(async move {
            while arrivals.recv().await.is_some() {
                if sender.send(number).await.is_err() {
                    return;
                }
            }
        });
    }
    Ok(receiver)
}
