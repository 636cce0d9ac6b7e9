//! The configuration as a whole: finding and reading the file, and giving out settings by provider.

use std::path::{Path, PathBuf};

use crate::error::{Error, Kind, Result};
use crate::model::Backend;

use super::document::{self, Document, Table, Value};
use super::keys::{self, environment_name, environment_prefix, nearest};
use super::native;
use super::settings::{self, FileFacts, ProviderSettings};
use super::{Environment, Origin, private};

/// The variable that names the file.
const FILE_VARIABLE: &str = "GPUJOB_CONFIG";

/// The variable of the one setting that belongs to no provider.
const DEFAULT_PROVIDER_VARIABLE: &str = "GPUJOB_DEFAULT_PROVIDER";

/// Everything the configuration file and the environment say.
#[derive(Debug, Clone)]
pub struct Config {
    /// The provider taken when none is named.
    pub default_provider: Option<String>,
    pub(super) default_origin: Option<Origin>,
    path: Option<PathBuf>,
    document: Document,
    file: FileFacts,
    environment: Environment,
}

impl Config {
    /// Reads the file that `--config`, `$GPUJOB_CONFIG` or the XDG directory names; only the last may be absent.
    pub fn load(choice: Option<&Path>, environment: &Environment) -> Result<Self> {
        let (config, errors) = Self::load_lenient(choice, environment);
        let mut errors = errors.into_iter();
        match errors.next() {
            None => Ok(config),
            Some(first) => Err(errors.fold(first, Error::with_cause)),
        }
    }

    /// Reads as much as can be read, and everything that is wrong with the rest (`config show`).
    pub fn load_lenient(choice: Option<&Path>, environment: &Environment) -> (Self, Vec<Error>) {
        let mut config = Self {
            default_provider: None,
            default_origin: None,
            path: Self::locate(choice, environment),
            document: Document::default(),
            file: FileFacts::default(),
            environment: environment.clone(),
        };
        let named = choice.is_some() || environment.variable(FILE_VARIABLE).is_some();
        let mut errors = Vec::new();
        if let Some(path) = config.path.clone() {
            match read(&path) {
                Ok((text, private)) => {
                    config.file = FileFacts {
                        shown: environment.shorten(&path),
                        folder: path.parent().map(Path::to_owned),
                        private,
                    };
                    (config.document, errors) =
                        document::parse(&text, &config.file.shown, environment);
                }
                Err(error) if error.kind() == std::io::ErrorKind::NotFound && !named => {}
                Err(error) => errors.push(unreadable(&path, &error, choice.is_some())),
            }
        }
        config.choose_default(&mut errors);
        (config, errors)
    }

    /// The file that would be read, whether it is there or not; `None` without a home directory.
    pub fn locate(choice: Option<&Path>, environment: &Environment) -> Option<PathBuf> {
        choice
            .map(Path::to_owned)
            .or_else(|| {
                environment
                    .variable(FILE_VARIABLE)
                    .map(|path| environment.expand(path))
            })
            .or_else(|| environment.default_config_path())
    }

    /// The file that was read, or would have been.
    pub fn path(&self) -> Option<&Path> {
        self.path.as_deref()
    }

    /// The snapshot everything was merged from.
    pub fn environment(&self) -> &Environment {
        &self.environment
    }

    /// The settings of one provider: one of the file, or a backend by its own name.
    pub fn provider(&self, name: &str) -> Result<ProviderSettings> {
        let settings = self.settings(name).ok_or_else(|| self.unknown(name))?;
        settings.check()?;
        Ok(settings)
    }

    /// All providers that commands without `-p` ask: those of the file in its order, then backends whose environment
    /// is complete (cli.md §8).
    pub fn configured(&self) -> Vec<ProviderSettings> {
        let of_file = self
            .document
            .providers
            .iter()
            .map(|table| self.build(&table.name, table.backend, Some(table)));
        let of_environment = Backend::ALL
            .into_iter()
            .filter(|backend| self.table(backend.as_str()).is_none())
            .map(|backend| self.build(backend.as_str(), backend, None))
            .filter(|settings| self.is_implied(settings));
        of_file.chain(of_environment).collect()
    }

    /// What the user should know about the file itself, whichever provider is used.
    pub fn warnings(&self) -> Vec<String> {
        let mut warnings = Vec::new();
        for table in &self.document.providers {
            for (key, entry) in &table.entries {
                if matches!(entry.value, Value::Literal(_)) && !self.file.private {
                    warnings.push(format!(
                        "`{key}` of the provider `{}` stands in the clear in {}, line {}, which others can read; it will be refused",
                        table.name, self.file.shown, entry.line
                    ));
                }
            }
        }
        warnings.extend(self.unused_variables());
        warnings
    }

    /// Names of everything `-p` takes: the file's providers, then the backends.
    pub fn names(&self) -> Vec<&str> {
        let mut names: Vec<&str> = self
            .document
            .providers
            .iter()
            .map(|table| table.name.as_str())
            .collect();
        for backend in Backend::ALL {
            if !names.contains(&backend.as_str()) {
                names.push(backend.as_str());
            }
        }
        names
    }

    fn settings(&self, name: &str) -> Option<ProviderSettings> {
        match self.table(name) {
            Some(table) => Some(self.build(name, table.backend, Some(table))),
            None => Some(self.build(name, name.parse().ok()?, None)),
        }
    }

    fn build(&self, name: &str, backend: Backend, table: Option<&Table>) -> ProviderSettings {
        let native = native::layer(backend, &self.environment);
        settings::merge(name, backend, table, &self.file, &self.environment, native)
    }

    fn table(&self, name: &str) -> Option<&Table> {
        self.document
            .providers
            .iter()
            .find(|table| table.name == name)
    }

    /// Whether the environment alone makes a backend usable.
    ///
    /// Vendor variables do so only for a backend without any table: else `token = { env = "PARA_TOKEN" }` under another
    /// name would bring one account twice.
    fn is_implied(&self, settings: &ProviderSettings) -> bool {
        let backend = settings.backend;
        let own = |key: &str| {
            self.environment
                .variable(&environment_name(backend.as_str(), key))
                .is_some()
        };
        let vendor_counts = self
            .document
            .providers
            .iter()
            .all(|table| table.backend != backend);
        let given = |key: &str| {
            own(key)
                || vendor_counts
                    && match settings.origin(key) {
                        Some(Origin::Variable(_)) => true,
                        Some(
                            Origin::Flag(_)
                            | Origin::File { .. }
                            | Origin::Native(_)
                            | Origin::Default,
                        )
                        | None => false,
                    }
        };
        match backend {
            Backend::Paracloud | Backend::Gongji => given("token"),
            Backend::Cyclecloud => {
                settings.has("base-url")
                    && (given("token") || given("password") && settings.has("username"))
            }
            Backend::PaiDlc => {
                let own_key =
                    own("access-key-id") && own("access-key-secret") || own("credentials");
                let vendor_key = vendor_counts && native::aliyun::has_variables(&self.environment);
                settings.has("region") && (own_key || vendor_key)
            }
        }
    }

    fn choose_default(&mut self, errors: &mut Vec<Error>) {
        let found = match self.environment.variable(DEFAULT_PROVIDER_VARIABLE) {
            Some(name) => Some((
                name.to_owned(),
                Origin::Variable(DEFAULT_PROVIDER_VARIABLE.to_owned()),
            )),
            None => self.document.default_provider.clone().map(|(name, line)| {
                let path = self.file.shown.clone();
                (name, Origin::File { path, line })
            }),
        };
        let Some((name, origin)) = found else {
            return;
        };
        let names = self.names();
        if names.contains(&name.as_str()) {
            self.default_provider = Some(name);
            self.default_origin = Some(origin);
            return;
        }
        let hint = nearest(&name, names.iter().copied()).map_or_else(
            || format!("providers are `{}`", names.join("`, `")),
            |near| format!("the nearest provider is `{near}`"),
        );
        errors.push(
            Error::new(
                Kind::Config,
                "unknown_default_provider",
                format!("{origin}: the default provider `{name}` is not configured"),
            )
            .with_hint(hint),
        );
    }

    /// Variables that look like a setting of a provider and are none: most likely a slip.
    fn unused_variables(&self) -> Vec<String> {
        let mut warnings = Vec::new();
        let providers: Vec<(&str, Backend)> = self
            .names()
            .into_iter()
            .filter_map(|name| {
                let backend = match self.table(name) {
                    Some(table) => table.backend,
                    None => name.parse().ok()?,
                };
                Some((name, backend))
            })
            .collect();
        for variable in self.environment.names() {
            // The longest prefix decides: `GPUJOB_PAI_DLC_REGION` is no setting of a provider `pai`.
            let owner = providers
                .iter()
                .filter(|(name, _)| variable.starts_with(&environment_prefix(name)))
                .max_by_key(|(name, _)| name.len());
            let Some((name, backend)) = owner else {
                continue;
            };
            let known: Vec<String> = keys::keys_of(*backend)
                .iter()
                .map(|key| key.name)
                .chain([keys::BACKEND_KEY])
                .map(|key| environment_name(name, key))
                .collect();
            if known.iter().any(|known| known == variable) {
                continue;
            }
            if let Some(near) = nearest(variable, known.iter().map(String::as_str)) {
                warnings.push(format!(
                    "the variable `{variable}` is no setting of the provider `{name}` and is not used; the nearest is `{near}`"
                ));
            }
        }
        warnings
    }

    fn unknown(&self, name: &str) -> Error {
        let names = self.names();
        let hint = nearest(name, names.iter().copied()).map_or_else(
            || "name one of the candidates, or add its table to the configuration".to_owned(),
            |near| format!("the nearest provider is `{near}`"),
        );
        Error::new(
            Kind::NotFound,
            "unknown_provider",
            format!(
                "there is no provider `{name}`; there are `{}`",
                names.join("`, `")
            ),
        )
        .with_hint(hint)
        .with_candidates(names.iter().map(|name| (*name).to_owned()).collect())
    }
}

fn read(path: &Path) -> std::io::Result<(String, bool)> {
    let text = std::fs::read_to_string(path)?;
    let private = !private::others_can_read(&std::fs::metadata(path)?);
    Ok((text, private))
}

fn unreadable(path: &Path, error: &std::io::Error, by_flag: bool) -> Error {
    let missing = error.kind() == std::io::ErrorKind::NotFound;
    let (code, why) = if missing {
        ("config_missing", "does not exist".to_owned())
    } else {
        ("config_unreadable", format!("cannot be read: {error}"))
    };
    let namer = if by_flag {
        "`--config`"
    } else {
        "`GPUJOB_CONFIG`"
    };
    let error = Error::new(
        Kind::Config,
        code,
        format!("the configuration file {} {why}", path.display()),
    );
    if missing {
        error.with_hint(format!("it is named by {namer}"))
    } else {
        error
    }
}
