//! What commands share, each part built by the first who asks for it (design.md §4, rule 2).

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use tokio::time::Instant;

use crate::ambient::{Clock as _, OsEntropy, Reporter as _, SystemClock};
use crate::cli::GlobalArgs;
use crate::config::{Config, Environment, Prices, ProviderSettings};
use crate::engine::fanout::Candidate;
use crate::engine::interrupt::Interrupt;
use crate::error::{Error, Kind, Result};
use crate::journal::{CredentialStore, Journal, Locks};
use crate::model::ResourceRef;
use crate::provider::{KeptAccess, KeptCredentials, Kit, Provider, connect};
use crate::spec::units;
use crate::ui::Ui;

/// Work that takes longer shows that it goes on.
const PATIENCE: Duration = Duration::from_millis(400);

/// One run of gpujob.
#[derive(Debug)]
pub struct App {
    pub global: GlobalArgs,
    pub environment: Environment,
    pub ui: Arc<Ui>,
    pub clock: Arc<SystemClock>,
    pub entropy: Arc<OsEntropy>,
    /// The end of the whole command.
    pub deadline: Option<Instant>,
    connect_timeout: Duration,
    config: OnceLock<Config>,
    prices: OnceLock<Prices>,
    journal: OnceLock<Journal>,
    locks: OnceLock<Locks>,
    read_journal: OnceLock<Journal>,
    interrupt: OnceLock<Interrupt>,
}

impl App {
    /// Reads nothing but the global flags; `environment` is a snapshot of the process's.
    pub fn new(global: GlobalArgs, environment: Environment, ui: Arc<Ui>) -> Result<Self> {
        let deadline = match &global.timeout {
            Some(text) => Some(Instant::now() + flag_duration("--timeout", text)?),
            None => None,
        };
        let connect_timeout = flag_duration("--connect-timeout", &global.connect_timeout)?;
        Ok(Self {
            global,
            environment,
            ui,
            clock: Arc::new(SystemClock),
            entropy: Arc::new(OsEntropy),
            deadline,
            connect_timeout,
            config: OnceLock::new(),
            prices: OnceLock::new(),
            journal: OnceLock::new(),
            locks: OnceLock::new(),
            read_journal: OnceLock::new(),
            interrupt: OnceLock::new(),
        })
    }

    /// The configuration; its warnings are said once.
    pub fn config(&self) -> Result<&Config> {
        if let Some(config) = self.config.get() {
            return Ok(config);
        }
        let config = Config::load(self.config_choice(), &self.environment)?;
        for warning in config.warnings() {
            self.ui.warning(&warning);
        }
        Ok(self.config.get_or_init(|| config))
    }

    /// The user's own prices, for offers whose provider tells none.
    pub fn prices(&self) -> Result<&Prices> {
        if let Some(prices) = self.prices.get() {
            return Ok(prices);
        }
        let prices = Prices::load(self.config()?)?;
        Ok(self.prices.get_or_init(|| prices))
    }

    /// `--config`.
    pub fn config_choice(&self) -> Option<&Path> {
        self.global.config.as_deref()
    }

    /// The journal for looking: one that cannot be written is read, and one that cannot be read is empty, since losing
    /// it loses convenience only (cli.md §7).
    pub fn journal(&self) -> &Journal {
        if let Some(journal) = self.read_journal.get() {
            return journal;
        }
        match self.writable_journal() {
            Ok(journal) => return journal,
            Err(error) => self
                .ui
                .detail(1, &format!("the journal is only read: {error}")),
        }
        let directory = self.environment.state_directory();
        let opened = directory.and_then(|directory| {
            Journal::open_for_reading(&directory).or_else(|error| {
                self.ui.warning(&format!(
                    "{error}; going on without what it knows: names, prefixes and cancels from here"
                ));
                Ok(Journal::empty(&directory))
            })
        });
        let journal = opened.unwrap_or_else(|error: Error| {
            self.ui.warning(&format!("there is no journal: {error}"));
            Journal::empty(Path::new(""))
        });
        self.read_journal.get_or_init(|| journal)
    }

    /// The journal, made if there is none; without one nothing may be created (cli.md §10, "Never twice").
    pub fn writable_journal(&self) -> Result<&Journal> {
        if let Some(journal) = self.journal.get() {
            return Ok(journal);
        }
        let journal = Journal::open(&self.environment.state_directory()?)?;
        Ok(self.journal.get_or_init(|| journal))
    }

    /// The locks beside the journal.
    pub fn locks(&self) -> Result<Option<&Locks>> {
        if self.locks.get().is_none() {
            let locks = Locks::new(&self.environment.state_directory()?);
            return Ok(Some(self.locks.get_or_init(|| locks)));
        }
        Ok(self.locks.get())
    }

    /// Ctrl-C and SIGTERM, listened for from the first call on; needs a runtime.
    pub fn interrupt(&self) -> Result<&Interrupt> {
        if let Some(interrupt) = self.interrupt.get() {
            return Ok(interrupt);
        }
        let interrupt = Interrupt::listen()
            .map_err(|error| Error::internal(format!("signals cannot be listened for: {error}")))?;
        Ok(self.interrupt.get_or_init(|| interrupt))
    }

    /// Does `work` unless a signal comes first; `what` says how that leaves things.
    pub async fn unless_interrupted<T>(
        &self,
        what: &str,
        work: impl Future<Output = Result<T>>,
    ) -> Result<T> {
        tokio::select! {
            outcome = work => outcome,
            signal = self.interrupt()?.came() => Err(signal.error(what)),
        }
    }

    /// Asks several providers, with progress, unless a signal comes first.
    pub async fn asking<T>(
        &self,
        candidates: &[Candidate],
        work: impl Future<Output = T>,
    ) -> Result<T> {
        let names: Vec<&str> = candidates
            .iter()
            .map(|candidate| candidate.name.as_str())
            .collect();
        let text = format!("asking {}", names.join(", "));
        let work = async { Ok(self.with_progress(&text, work).await) };
        self.unless_interrupted("interrupted", work).await
    }

    /// Shows on stderr that `work` goes on; what is done in a moment shows nothing (cli.md §3).
    pub async fn with_progress<T>(&self, text: &str, work: impl Future<Output = T>) -> T {
        let mut work = std::pin::pin!(work);
        tokio::select! {
            outcome = &mut work => return outcome,
            () = tokio::time::sleep(PATIENCE) => {}
        }
        let mut task = self.ui.task(text, self.clock.now());
        loop {
            tokio::select! {
                outcome = &mut work => return outcome,
                () = tokio::time::sleep(PATIENCE) => task.update(text, self.clock.now()),
            }
        }
    }

    /// Runs what blocks, such as reading standard input, where a signal and `--timeout` still end it.
    pub async fn blocking<T: Send + 'static>(
        &self,
        what: &str,
        work: impl FnOnce() -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let timed_out = async {
            match self.deadline {
                Some(deadline) => tokio::time::sleep_until(deadline).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            outcome = tokio::task::spawn_blocking(work) => {
                outcome.map_err(|error| Error::internal(format!("a blocking task was lost: {error}")))?
            }
            signal = self.interrupt()?.came() => Err(signal.error(what)),
            () = timed_out => Err(Error::new(
                Kind::Timeout,
                "timeout",
                "`--timeout` ran out before standard input gave an answer",
            )),
        }
    }

    /// One provider by its configured name, connected.
    pub fn provider(&self, name: &str) -> Result<Box<dyn Provider>> {
        self.connect(&self.config()?.provider(name)?)
    }

    /// The providers of `-p`, else all that are configured, in the configuration's order.
    pub fn candidates(&self) -> Result<Vec<Candidate>> {
        self.candidates_named(&self.asked_names()?)
    }

    /// The providers of these names, each with its own failure to connect.
    pub fn candidates_named(&self, names: &[String]) -> Result<Vec<Candidate>> {
        let config = self.config()?;
        for name in names {
            config.provider(name)?;
        }
        Ok(names
            .iter()
            .map(|name| Candidate {
                provider: self.provider(name),
                name: name.clone(),
            })
            .collect())
    }

    /// The one provider a command acts on: `-p`, else `wanted` by the spec, else the default, else the only one.
    pub fn one_provider(&self, wanted: &[String]) -> Result<Box<dyn Provider>> {
        let config = self.config()?;
        let choice = if self.global.provider.is_empty() {
            wanted
        } else {
            self.global.provider.as_slice()
        };
        match choice {
            [name] => return self.provider(name),
            [] => {}
            several => {
                return Err(Error::new(
                    Kind::Usage,
                    "several_providers",
                    format!(
                        "this command acts on one provider, and {} were named",
                        several.len()
                    ),
                )
                .with_candidates(several.to_vec())
                .with_hint("name one with `-p NAME`"));
            }
        }
        if let Some(name) = &config.default_provider {
            return self.provider(name);
        }
        let names = names(config);
        match names.as_slice() {
            [only] => self.provider(only),
            [] => Err(nothing_configured()),
            several => Err(Error::new(
                Kind::Usage,
                "no_provider_chosen",
                format!(
                    "{} providers are configured and none was chosen",
                    several.len()
                ),
            )
            .with_candidates(several.to_vec())
            .with_hint("name one with `-p NAME`, or set `default-provider` in the configuration")),
        }
    }

    /// The providers that some refs name, connected, by name.
    pub fn providers_of<'a>(
        &self,
        names: impl IntoIterator<Item = &'a str>,
    ) -> Result<BTreeMap<String, Box<dyn Provider>>> {
        let mut providers = BTreeMap::new();
        for name in names {
            if !providers.contains_key(name) {
                providers.insert(name.to_owned(), self.provider(name)?);
            }
        }
        Ok(providers)
    }

    /// The names of `-p`, each once and in the configuration's order, which is also the order of failures (cli.md §10,
    /// "Errors among several"); else all that are configured.
    fn asked_names(&self) -> Result<Vec<String>> {
        let config = self.config()?;
        let names = names(config);
        if !self.global.provider.is_empty() {
            let mut asked: Vec<String> = Vec::new();
            for name in &self.global.provider {
                if !asked.contains(name) {
                    asked.push(name.clone());
                }
            }
            let place = |name: &String| names.iter().position(|known| known == name);
            // What is asked for without being configured, by its backend's name, comes last.
            asked.sort_by_key(|name| place(name).unwrap_or(names.len()));
            return Ok(asked);
        }
        if names.is_empty() {
            return Err(nothing_configured());
        }
        Ok(names)
    }

    fn connect(&self, settings: &ProviderSettings) -> Result<Box<dyn Provider>> {
        let kit = Kit {
            clock: Arc::<SystemClock>::clone(&self.clock),
            entropy: Arc::<OsEntropy>::clone(&self.entropy),
            reporter: Arc::<Ui>::clone(&self.ui),
            retries: self.global.retries,
            deadline: self.deadline,
            connect_timeout: self.connect_timeout,
            kept: match self.environment.state_directory() {
                Ok(directory) => Arc::new(CredentialStore::new(&directory)),
                Err(error) => Arc::new(Unkept(error)),
            },
        };
        connect(settings, &kit).map_err(|error| error.with_provider(&settings.name))
    }
}

/// No state directory, so no credentials: told to whoever asks for some.
#[derive(Debug)]
struct Unkept(Error);

impl KeptCredentials for Unkept {
    fn of(&self, _volume: &ResourceRef) -> Result<Option<KeptAccess>> {
        Err(self.0.clone())
    }
}

/// A duration given as a flag: a wrong one is a usage error that names the flag. Pauses may be milliseconds (`200ms`).
pub fn flag_duration(flag: &str, text: &str) -> Result<Duration> {
    if let Some(count) = text.strip_suffix("ms").and_then(|count| count.parse().ok()) {
        return Ok(Duration::from_millis(count));
    }
    units::parse_duration(text)
        .map(Duration::from_secs)
        .map_err(|error| {
            Error::new(
                Kind::Usage,
                error.code,
                format!("{flag}: {}", error.message),
            )
            .with_hint(error.hint)
        })
}

fn names(config: &Config) -> Vec<String> {
    config
        .configured()
        .into_iter()
        .map(|settings| settings.name)
        .collect()
}

fn nothing_configured() -> Error {
    Error::new(Kind::Config, "no_provider", "no provider is configured").with_hint(
        "write one into the file that `gpujob config path` prints, or try `gpujob sandbox -- sh`",
    )
}
