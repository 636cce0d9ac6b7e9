//! The settings of one provider: every value with its origin, merged from all layers.
//!
//! The merge is pure. Secrets are fetched when they are asked for, so that a provider whose credentials are broken
//! fails for itself alone (cli.md §10).

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use crate::error::{Error, Kind, Result};
use crate::model::Backend;
use crate::secret::Secret;
use crate::spec::SecretSource;

use super::document::{Table, Value};
use super::keys::{self, Key, KeyKind};
use super::native::Layer;
use super::{Environment, Origin, private, secret};

/// A value and where it came from.
#[derive(Debug, Clone)]
pub(super) struct Setting {
    pub(super) value: Value,
    pub(super) origin: Origin,
    /// The text of an identifier that has to be fetched, once it has been.
    fetched: OnceLock<Result<String>>,
}

impl Setting {
    fn new(value: Value, origin: Origin) -> Self {
        Self {
            value,
            origin,
            fetched: OnceLock::new(),
        }
    }
}

/// The file a table was read from.
#[derive(Debug, Clone, Default)]
pub(super) struct FileFacts {
    /// As shown to people.
    pub(super) shown: String,
    /// Relative paths in the file start here.
    pub(super) folder: Option<PathBuf>,
    /// Whether nobody but the owner can read it.
    pub(super) private: bool,
}

/// All settings of one provider.
#[derive(Debug, Clone)]
pub struct ProviderSettings {
    pub name: String,
    pub backend: Backend,
    pub(super) backend_origin: Origin,
    pub(super) values: BTreeMap<&'static str, Setting>,
    /// Why a key has no value, where there is more to say than that nobody gave one.
    absences: BTreeMap<&'static str, String>,
    notes: Vec<String>,
    /// What is wrong with a value that did not come from the file.
    fault: Option<Error>,
    file: FileFacts,
    environment: Environment,
}

/// Merges the layers of one provider, the strongest first (cli.md §8).
pub(super) fn merge(
    name: &str,
    backend: Backend,
    table: Option<&Table>,
    file: &FileFacts,
    environment: &Environment,
    native: Layer,
) -> ProviderSettings {
    let mut merged = ProviderSettings {
        name: name.to_owned(),
        backend,
        backend_origin: table.map_or(Origin::Default, |table| table.backend_origin.clone()),
        values: BTreeMap::new(),
        absences: native.absences,
        notes: native.notes,
        fault: None,
        file: file.clone(),
        environment: environment.clone(),
    };
    for key in keys::keys_of(backend) {
        let from_file = || {
            let entry = table?.entries.get(key.name)?;
            let origin = Origin::File {
                path: file.shown.clone(),
                line: entry.line,
            };
            Some(Setting::new(entry.value.clone(), origin))
        };
        let from_native = || {
            let (_, value, origin) = native
                .values
                .iter()
                .find(|(known, ..)| *known == key.name)?;
            Some(Setting::new(value.clone(), origin.clone()))
        };
        let own_variable = keys::environment_name(name, key.name);
        let found = merged
            .read_variable(key, &own_variable)
            .or_else(from_file)
            .or_else(|| {
                key.vendor_variables
                    .iter()
                    .find_map(|variable| merged.read_variable(key, variable))
            })
            .or_else(from_native)
            .or_else(|| {
                let value = parse_text(key, key.default?).ok()?;
                Some(Setting::new(value, Origin::Default))
            });
        if let Some(setting) = found {
            merged.values.insert(key.name, setting);
        }
    }
    if backend == Backend::Cyclecloud {
        super::native::cycle::keep_accounts_apart(&mut merged, &native.values);
    }
    merged
}

/// A value that came as text: from a variable, a flag or a default.
fn parse_text(key: &Key, text: &str) -> Result<Value, String> {
    match key.kind {
        KeyKind::Text | KeyKind::Path | KeyKind::Identifier => Ok(Value::Text(text.to_owned())),
        KeyKind::Choice(words) if words.contains(&text) => Ok(Value::Text(text.to_owned())),
        KeyKind::Choice(words) => Err(format!("does not hold one of `{}`", words.join("`, `"))),
        KeyKind::Flag => keys::boolean(text)
            .map(Value::Flag)
            .ok_or_else(|| "holds neither `true` nor `false`".to_owned()),
        KeyKind::Secret => Ok(Value::Literal(Secret::new(
            text.trim_end_matches(['\n', '\r']),
        ))),
    }
}

impl ProviderSettings {
    fn read_variable(&mut self, key: &Key, variable: &str) -> Option<Setting> {
        let text = self.environment.variable(variable)?;
        match parse_text(key, text) {
            Ok(value) => Some(Setting::new(value, Origin::Variable(variable.to_owned()))),
            Err(why) => {
                let error = Error::new(
                    Kind::Config,
                    "unknown_value",
                    format!("the variable `{variable}` {why}"),
                )
                .with_provider(&self.name);
                self.fault.get_or_insert(error);
                None
            }
        }
    }

    /// Puts the value of a flag above everything else; secrets are refused (cli.md §8).
    pub fn set_flag(&mut self, key: &str, value: &str, flag: &str) -> Result<()> {
        let known = keys::find(self.backend, key)
            .ok_or_else(|| Error::internal(format!("`{key}` is no key of {}", self.backend)))?;
        if known.is_secret() {
            return Err(Error::new(
                Kind::Usage,
                "secret_as_flag",
                format!("`{flag}` would put a secret on the command line, where every user of this machine can read it"),
            )
            .with_hint(format!("set `{}`", keys::environment_name(&self.name, key))));
        }
        let value = parse_text(known, value)
            .map_err(|why| Error::new(Kind::Usage, "unknown_value", format!("`{flag}` {why}")))?;
        let origin = Origin::Flag(flag.to_owned());
        self.values.insert(known.name, Setting::new(value, origin));
        Ok(())
    }

    /// A setting's text; a secret has none, and so has an identifier that cannot be fetched.
    pub fn text(&self, key: &str) -> Option<&str> {
        let (known, setting) = self.values.get_key_value(key)?;
        match &setting.value {
            Value::Text(text) => Some(text),
            Value::Source(_) => self.identifier(known, setting)?.as_deref().ok(),
            Value::Flag(_) | Value::Literal(_) => None,
        }
    }

    /// A setting's text; 85 where nobody gave one or it cannot be fetched.
    pub fn require(&self, key: &str) -> Result<&str> {
        self.check()?;
        let fetched = self
            .values
            .get_key_value(key)
            .and_then(|(known, setting)| self.identifier(known, setting));
        match fetched {
            Some(Err(error)) => Err(error.clone()),
            Some(Ok(text)) => Ok(text),
            None => self.text(key).ok_or_else(|| self.missing(key)),
        }
    }

    /// The text of an identifier given by a source, fetched at the first use; `None` for everything else.
    fn identifier<'s>(
        &'s self,
        key: &'static str,
        setting: &'s Setting,
    ) -> Option<&'s Result<String>> {
        let known = keys::find(self.backend, key)?;
        match &setting.value {
            Value::Source(source) if !known.is_secret() => {
                Some(setting.fetched.get_or_init(|| {
                    self.fetch(key, source, &setting.origin)
                        .map(|text| text.expose().to_owned())
                }))
            }
            Value::Source(_) | Value::Text(_) | Value::Flag(_) | Value::Literal(_) => None,
        }
    }

    fn fetch(&self, key: &str, source: &SecretSource, origin: &Origin) -> Result<Secret> {
        let what = format!("`{key}` of the provider `{}` ({origin})", self.name);
        let folder = self.folder_of(origin);
        secret::resolve(source, &what, &self.environment, folder)
            .map_err(|error| error.with_provider(&self.name))
    }

    /// A file's path, with `~` expanded; in the configuration relative ones start at its own folder.
    pub fn path(&self, key: &str) -> Option<PathBuf> {
        let setting = self.values.get(key)?;
        let text = self.text(key)?;
        Some(secret::file_path(
            text,
            &self.environment,
            self.folder_of(&setting.origin),
        ))
    }

    /// A switch.
    pub fn flag(&self, key: &str) -> Result<Option<bool>> {
        self.check()?;
        Ok(self
            .values
            .get(key)
            .and_then(|setting| match &setting.value {
                Value::Flag(flag) => Some(*flag),
                Value::Text(_) | Value::Literal(_) | Value::Source(_) => None,
            }))
    }

    /// A secret or identifier, fetched from its source now; `None` where nobody gave one.
    pub fn secret(&self, key: &str) -> Result<Option<Secret>> {
        self.check()?;
        let Some(setting) = self.values.get(key) else {
            return Ok(None);
        };
        match &setting.value {
            Value::Text(text) => Ok(Some(Secret::new(text.as_str()))),
            Value::Flag(_) => Err(Error::internal(format!("`{key}` is a switch, not a text"))),
            Value::Literal(secret) => {
                if matches!(setting.origin, Origin::File { .. }) && !self.file.private {
                    return Err(self.literal_in_the_open(key));
                }
                Ok(Some(secret.clone()).filter(|secret| !secret.is_empty()))
            }
            Value::Source(source) => self.fetch(key, source, &setting.origin).map(Some),
        }
    }

    /// A secret or identifier; 85 where nobody gave one.
    pub fn require_secret(&self, key: &str) -> Result<Secret> {
        self.secret(key)?.ok_or_else(|| self.missing(key))
    }

    /// Whether a key has a value, without fetching it.
    pub fn has(&self, key: &str) -> bool {
        self.values.contains_key(key)
    }

    /// Where a key's value came from; `None` where there is none.
    pub fn origin(&self, key: &str) -> Option<Origin> {
        Some(self.values.get(key)?.origin.clone())
    }

    /// The snapshot the settings were made from.
    pub fn environment(&self) -> &Environment {
        &self.environment
    }

    /// Whether the values given outside the file are of the right kind; 85 if not.
    pub fn check(&self) -> Result<()> {
        self.fault.clone().map_or(Ok(()), Err)
    }

    /// What the user should know before these settings are used; looks at the modes of secret files.
    pub fn warnings(&self) -> Vec<String> {
        let mut warnings = self.notes.clone();
        for (key, setting) in &self.values {
            match (&setting.value, &setting.origin) {
                (Value::Literal(_), Origin::File { path, line }) if self.file.private => {
                    warnings.push(format!(
                        "`{key}` of the provider `{}` stands in the clear in {path}, line {line}",
                        self.name
                    ));
                }
                (Value::Source(SecretSource::File(file)), origin) => {
                    let file = secret::file_path(file, &self.environment, self.folder_of(origin));
                    let open = std::fs::metadata(&file)
                        .is_ok_and(|metadata| private::others_can_read(&metadata));
                    if open {
                        warnings.push(format!(
                            "{}, which holds `{key}` of the provider `{}`, can be read by others; its mode should be 0600",
                            file.display(),
                            self.name
                        ));
                    }
                }
                (Value::Flag(false), origin) if *key == "verify-certificates" => {
                    warnings.push(format!(
                        "certificates of the provider `{}` are not verified ({origin})",
                        self.name
                    ));
                }
                _ => {}
            }
        }
        warnings
    }

    /// 85 for a key without a value: names the key, its table and its variables.
    pub fn missing(&self, key: &str) -> Error {
        let mut ways = vec![format!("`{key}` under `[providers.{}]`", self.name)];
        ways.push(format!(
            "the variable `{}`",
            keys::environment_name(&self.name, key)
        ));
        if let Some(known) = keys::find(self.backend, key) {
            ways.extend(
                known
                    .vendor_variables
                    .iter()
                    .map(|name| format!("the variable `{name}`")),
            );
        }
        let mut error = Error::new(
            Kind::Config,
            "missing_setting",
            format!("the provider `{}` has no `{key}`", self.name),
        )
        .with_provider(&self.name)
        .with_hint(format!("set {}", ways.join(" or ")));
        if let Some(why) = self.absences.get(key) {
            error = error.with_cause(why);
        }
        error
    }

    /// Removes a value that must not be used, and keeps the reason for the error that follows.
    pub(super) fn withdraw(&mut self, key: &'static str, why: String) {
        self.values.remove(key);
        self.absences.insert(key, why);
    }

    fn literal_in_the_open(&self, key: &str) -> Error {
        Error::new(
            Kind::Config,
            "secret_in_the_open",
            format!(
                "`{key}` of the provider `{}` stands in the clear in {}, which others can read",
                self.name, self.file.shown
            ),
        )
        .with_provider(&self.name)
        .with_hint(format!(
            "set the file's mode to 0600, or write `{key} = {{ env = \"NAME\" }}`"
        ))
    }

    /// Where relative paths of a value start: only what the file says is relative to the file.
    fn folder_of(&self, origin: &Origin) -> Option<&Path> {
        match origin {
            Origin::File { .. } => self.file.folder.as_deref(),
            Origin::Flag(_) | Origin::Variable(_) | Origin::Native(_) | Origin::Default => None,
        }
    }
}
