//! One running sandbox: its services on ports of their own, the control port, the ticker and the job processes.
//!
//! All state is in the value; any number of sandboxes live in one process (style.md §12).

use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;
use thiserror::Error;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{MissedTickBehavior, interval, timeout};

use crate::model::Backend;
use crate::secret::Secret;

use super::clock::Clock;
use super::control::{Control, Controlled};
use super::faults::Faults;
use super::listen::{Answering, Port};
use super::process::Launcher;
use super::service::{Intake, RawAnswer, RawRequest, Service, Setup};
use super::services;
use super::settings::{self, Client};

/// How often jobs are moved on.
const TICK: Duration = Duration::from_millis(20);

/// How long open connections may take to end at a stop.
const STOP_GRACE: Duration = Duration::from_millis(500);

/// How a sandbox is started.
#[derive(Debug, Clone)]
pub struct Options {
    /// Seconds of a state's delay that pass in one second.
    pub speed: f64,
    /// The control port; 0 takes a free one.
    pub port: u16,
    /// The folder that stands in for the image's `/workspace`.
    pub image_root: PathBuf,
    /// Fixes the ids that services hand out; `None` draws one.
    pub seed: Option<u64>,
    /// Backends and the generic states in which their jobs stay.
    pub hold: Vec<(String, String)>,
    /// Fault rules (`faults/`).
    pub faults: Vec<String>,
    /// Backends, and switches of theirs.
    pub settings: Vec<(String, Value)>,
}

/// Why a sandbox does not start.
#[derive(Debug, Error)]
pub enum StartError {
    #[error("{0}")]
    Option(String),
    #[error("the control port {port} of 127.0.0.1 cannot be bound: {error}")]
    Port { port: u16, error: io::Error },
    #[error("the sandbox cannot set up its files and ports: {0}")]
    Io(#[from] io::Error),
    #[error("this machine gives no random numbers: {0}")]
    Random(#[from] getrandom::Error),
}

/// A running sandbox. Dropping it ends its ports and kills its jobs; [`Sandbox::stop`] also waits for that.
#[derive(Debug)]
pub struct Sandbox {
    clients: Vec<Client>,
    services: Vec<Arc<dyn Service>>,
    control_url: String,
    clock: Clock,
    faults: Arc<Faults>,
    launcher: Launcher,
    stop: watch::Sender<()>,
    tasks: Vec<JoinHandle<()>>,
    folder: TempDir,
}

impl Sandbox {
    /// Binds the ports, makes credentials, and serves.
    pub async fn start(options: Options) -> Result<Self, StartError> {
        // Logs and environments of jobs are in it.
        let folder = tempfile::Builder::new()
            .prefix("gpujob-sandbox-")
            .permissions(Permissions::from_mode(0o700))
            .tempdir()?;
        let clock = Clock::real();
        clock.set_speed(options.speed).map_err(StartError::Option)?;
        let seed = match options.seed {
            Some(seed) => seed,
            None => getrandom::u64()?,
        };
        let files = folder.path().join("files");
        fs::create_dir(&files)?;
        let launcher = Launcher::new(files, options.image_root);
        let registrations = services::all(&Setup {
            clock: clock.clone(),
            launcher: launcher.clone(),
            seed,
        });
        let control_port = Port::bind(options.port)
            .await
            .map_err(|error| StartError::Port {
                port: options.port,
                error,
            })?;
        let control_url = control_port.url();
        let (stop, stopped) = watch::channel(());
        let mut sandbox = Self {
            clients: Vec::new(),
            services: Vec::new(),
            control_url,
            faults: Arc::new(Faults::new(seed, clock.clone())),
            clock: clock.clone(),
            launcher,
            stop,
            tasks: Vec::new(),
            folder,
        };
        for registration in registrations {
            let port = Port::bind(0).await?;
            sandbox.clients.push(Client {
                provider: registration.service.backend(),
                base_url: port.url(),
                environment: registration.environment,
                settings: registration.settings,
            });
            sandbox.services.push(Arc::clone(&registration.service));
            let answering = Arc::new(Emulated {
                service: registration.service,
                faults: Arc::clone(&sandbox.faults),
            });
            sandbox.tasks.push(port.serve(answering, stopped.clone()));
        }
        for (backend, state) in &options.hold {
            sandbox.configure(backend, &json!({ "hold": state }))?;
        }
        for (backend, settings) in &options.settings {
            sandbox.configure(backend, settings)?;
        }
        for (client, service) in sandbox.clients.iter_mut().zip(&sandbox.services) {
            client.base_url.push_str(&service.context_path());
        }
        let rules = sandbox.faults.set(&options.faults, &sandbox.services);
        rules.map_err(StartError::Option)?;
        settings::write_secrets(&sandbox.secrets_folder(), &sandbox.clients)?;
        settings::write_private(&sandbox.config_path(), &sandbox.config_toml())?;
        let faults = Arc::clone(&sandbox.faults);
        let control = Arc::new(Control::new(
            clock,
            Arc::clone(&faults),
            sandbox.controlled(),
        ));
        sandbox
            .tasks
            .push(control_port.serve(control, stopped.clone()));
        let ticking = tick(sandbox.services.clone(), faults, stopped);
        sandbox.tasks.push(ticking);
        Ok(sandbox)
    }

    /// The base URL of a backend; `None` while the sandbox does not imitate it.
    pub fn base_url(&self, backend: Backend) -> Option<&str> {
        self.clients
            .iter()
            .find(|client| client.provider == backend.as_str())
            .map(|client| client.base_url.as_str())
    }

    /// Where the control route is, without a slash at the end.
    pub fn control_url(&self) -> &str {
        &self.control_url
    }

    /// A credential of the seeded users, by the name that the vendor's own client reads, such as `PARA_TOKEN`.
    pub fn credential(&self, name: &str) -> Option<&Secret> {
        self.clients
            .iter()
            .flat_map(|client| &client.environment)
            .find(|(known, _)| *known == name)
            .map(|(_, secret)| secret)
    }

    /// The services themselves, for tests inside the process.
    pub fn services(&self) -> &[Arc<dyn Service>] {
        &self.services
    }

    /// The rules of faults, which can be changed while it runs.
    pub fn faults(&self) -> &Faults {
        &self.faults
    }

    /// The sandbox's clock.
    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    /// The variables of cli.md §9, and the poll interval that a fast sandbox wants.
    pub fn environment(&self) -> Vec<(String, String)> {
        settings::environment(&self.control_url, &self.clients)
    }

    /// gpujob's configuration for this sandbox; secrets are references to files of [`Sandbox::folder`].
    pub fn config_toml(&self) -> String {
        settings::config_toml(&self.secrets_folder(), &self.clients)
    }

    /// Where [`Sandbox::config_toml`] is written.
    pub fn config_path(&self) -> PathBuf {
        self.folder.path().join("config.toml")
    }

    /// The sandbox's own folder, private to the user and removed at the end.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Ends every job process, then the ports, and removes the folder.
    pub async fn stop(mut self) {
        self.launcher.stop().await;
        self.stop.send_replace(());
        for mut task in std::mem::take(&mut self.tasks) {
            if timeout(STOP_GRACE, &mut task).await.is_err() {
                task.abort();
            }
        }
        // A job that was submitted in between.
        self.launcher.stop().await;
    }

    fn secrets_folder(&self) -> PathBuf {
        self.folder.path().join("secrets")
    }

    fn controlled(&self) -> Vec<Controlled> {
        self.services
            .iter()
            .zip(&self.clients)
            .map(|(service, client)| Controlled {
                service: Arc::clone(service),
                base_url: client.base_url.clone(),
            })
            .collect()
    }

    fn configure(&self, backend: &str, settings: &Value) -> Result<(), StartError> {
        let service = self
            .services
            .iter()
            .find(|service| service.backend() == backend)
            .ok_or_else(|| {
                let known: Vec<&str> = self.clients.iter().map(|client| client.provider).collect();
                StartError::Option(format!(
                    "the sandbox has no backend `{backend}`; it has {}",
                    known.join(", ")
                ))
            })?;
        service.configure(settings).map_err(StartError::Option)
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        self.launcher.kill_all();
        for task in &self.tasks {
            task.abort();
        }
    }
}

/// A service on its port.
#[derive(Debug)]
struct Emulated {
    service: Arc<dyn Service>,
    faults: Arc<Faults>,
}

impl Answering for Emulated {
    fn intake(&self, head: &RawRequest) -> Intake {
        self.service.intake(head)
    }

    fn answer(&self, request: &RawRequest) -> RawAnswer {
        let service = self.service.as_ref();
        self.faults.tick(service);
        let answer = self.faults.answer(service, request);
        log::debug!(
            "{}: {} {} -> {}",
            service.backend(),
            request.method,
            request.path(),
            answer.status.as_u16()
        );
        answer
    }
}

fn tick(
    services: Vec<Arc<dyn Service>>,
    faults: Arc<Faults>,
    mut stop: watch::Receiver<()>,
) -> JoinHandle<()> {
    tokio::spawn(async move {
        let mut ticks = interval(TICK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
        loop {
            tokio::select! {
                _ = ticks.tick() => {}
                _ = stop.changed() => return,
            }
            for service in &services {
                faults.tick(service.as_ref());
            }
        }
    })
}
