//! A hermetic home for one test: empty environment, own folders, fixed zone and width, and a sandbox if wanted.
//!
//! Every run of the binary is searched for the sandbox's secrets: none may appear in its output (style.md §11).

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::mpsc;
use std::thread::JoinHandle;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use gpujob::http::encode;
use gpujob::sandbox::{Options, Sandbox};
use tempfile::TempDir;
use tokio::sync::oneshot;

/// One test's world.
#[derive(Debug)]
pub(crate) struct TestEnvironment {
    home: TempDir,
    sandbox: Option<RunningSandbox>,
    variables: Vec<(String, String)>,
}

/// What one run of the binary left behind.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// A sandbox on a thread of its own; stopped when dropped.
#[derive(Debug)]
struct RunningSandbox {
    environment: Vec<(String, String)>,
    config: PathBuf,
    control_url: String,
    secrets: Vec<String>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl TestEnvironment {
    /// Without any provider.
    pub(crate) fn empty() -> Self {
        Self {
            home: TempDir::new().unwrap(),
            sandbox: None,
            variables: Vec::new(),
        }
    }

    /// With a fast sandbox and the configuration it writes.
    pub(crate) fn with_sandbox() -> Self {
        let sandbox = RunningSandbox::start();
        Self {
            home: TempDir::new().unwrap(),
            sandbox: Some(sandbox),
            variables: Vec::new(),
        }
    }

    /// Sets a variable for later runs.
    pub(crate) fn set(&mut self, name: &str, value: &str) {
        self.variables.push((name.to_owned(), value.to_owned()));
    }

    /// The test's own folder.
    pub(crate) fn home(&self) -> &Path {
        self.home.path()
    }

    /// Writes a file into the test's folder and gives its path as text.
    pub(crate) fn file(&self, name: &str, text: &str) -> String {
        let path = self.home.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    }

    /// The value of a variable that the sandbox gives its clients.
    pub(crate) fn sandbox_variable(&self, name: &str) -> String {
        let sandbox = self.sandbox.as_ref().unwrap();
        let found = sandbox.environment.iter().find(|(key, _)| key == name);
        found.unwrap().1.clone()
    }

    /// The configuration that the sandbox wrote.
    pub(crate) fn sandbox_config(&self) -> &Path {
        &self.sandbox.as_ref().unwrap().config
    }

    /// Posts JSON to the sandbox's control route; panics unless it is taken.
    pub(crate) fn control(&self, route: &str, body: &str) {
        let url = format!(
            "{}/__sandbox/{route}",
            self.sandbox.as_ref().unwrap().control_url
        );
        let status = super::wire::post(&url, body);
        assert_eq!(status, 200, "control {route} {body}");
    }

    /// Every job that the sandbox holds, by backend: the truth, whatever gpujob says.
    pub(crate) fn jobs(&self) -> serde_json::Value {
        let url = &self.sandbox.as_ref().unwrap().control_url;
        let body = super::wire::get(&format!("{url}/__sandbox/jobs"));
        serde_json::from_str::<serde_json::Value>(&body).unwrap()["jobs"].take()
    }

    /// How many requests a service of the sandbox has answered, by operation.
    pub(crate) fn requests(&self, backend: &str) -> serde_json::Map<String, serde_json::Value> {
        let url = &self.sandbox.as_ref().unwrap().control_url;
        let body = super::wire::get(&format!("{url}/__sandbox/state"));
        let state: serde_json::Value = serde_json::from_str(&body).unwrap();
        let counts = &state["services"][backend]["summary"]["requests"];
        counts.as_object().unwrap().clone()
    }

    /// A command in this world, ready to run.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_gpujob"));
        command
            .args(arguments)
            .env_clear()
            .env("PATH", "/usr/local/bin:/usr/bin:/bin")
            .env("HOME", self.home.path())
            .env("TZ", "UTC")
            .env("COLUMNS", "120")
            .current_dir(self.home.path())
            .stdin(Stdio::null());
        if let Some(sandbox) = &self.sandbox {
            command
                .env("GPUJOB_CONFIG", &sandbox.config)
                .env("GPUJOB_POLL", "20ms");
        }
        command.envs(self.variables.iter().map(|(name, value)| (name, value)));
        command
    }

    /// Runs the binary and checks that no secret got out.
    pub(crate) fn run(&self, arguments: &[&str]) -> Run {
        self.finish(self.command(arguments).output().unwrap())
    }

    /// Runs the binary with text on standard input.
    pub(crate) fn run_with_input(&self, arguments: &[&str], input: &str) -> Run {
        use std::io::Write as _;
        let mut child = self
            .command(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        child
            .stdin
            .take()
            .unwrap()
            .write_all(input.as_bytes())
            .unwrap();
        self.finish(child.wait_with_output().unwrap())
    }

    fn finish(&self, output: Output) -> Run {
        let run = Run {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        };
        self.assert_no_secret(&run.stdout, "stdout");
        self.assert_no_secret(&run.stderr, "stderr");
        run
    }

    /// The canary: no secret of the sandbox in the text, plain, base64 or percent-encoded.
    pub(crate) fn assert_no_secret(&self, text: &str, place: &str) {
        for secret in self.sandbox.iter().flat_map(|sandbox| &sandbox.secrets) {
            for form in [
                secret.clone(),
                STANDARD.encode(secret),
                encode::component(secret),
            ] {
                assert!(!text.contains(&form), "a secret got into {place}:\n{text}");
            }
        }
    }
}

impl RunningSandbox {
    fn start() -> Self {
        let (ready, started) = mpsc::channel();
        let (stop, stopped) = oneshot::channel();
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap();
            runtime.block_on(async move {
                let sandbox = Sandbox::start(Options {
                    speed: 200.0,
                    port: 0,
                    image_root: env!("CARGO_MANIFEST_DIR").into(),
                    seed: None,
                    hold: Vec::new(),
                    faults: Vec::new(),
                    settings: Vec::new(),
                })
                .await
                .unwrap();
                let facts = (
                    sandbox.environment(),
                    sandbox.config_path(),
                    sandbox.control_url().to_owned(),
                );
                ready.send(facts).unwrap();
                drop(stopped.await);
                sandbox.stop().await;
            });
        });
        let (environment, config, control_url) = started.recv().unwrap();
        let is_secret = |name: &str| {
            name.contains("TOKEN") || name.contains("SECRET") || name.contains("PASSWORD")
        };
        let secrets = environment
            .iter()
            .filter(|(name, _)| is_secret(name))
            .map(|(_, value)| value.clone())
            .collect();
        Self {
            environment,
            config,
            control_url,
            secrets,
            stop: Some(stop),
            thread: Some(thread),
        }
    }
}

impl Drop for RunningSandbox {
    fn drop(&mut self) {
        if let Some(stop) = self.stop.take() {
            // The thread may have ended by itself.
            let _ended = stop.send(());
        }
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}

impl Run {
    /// Standard output as JSON.
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.stdout)
            .unwrap_or_else(|error| panic!("{error}: {}", self.stdout))
    }

    /// The last line of standard error as JSON: the error object of cli.md §4.
    pub(crate) fn error(&self) -> serde_json::Value {
        let line = self.stderr.lines().last().unwrap_or_default();
        serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {}", self.stderr))
    }

    /// Panics with everything unless the exit code is as expected.
    pub(crate) fn expect(self, code: i32) -> Self {
        assert_eq!(
            self.code, code,
            "stdout:\n{}\nstderr:\n{}",
            self.stdout, self.stderr
        );
        self
    }
}
