//! The rows of `config show [--origin]`: every setting in force, secrets as dots.

use crate::model::{Backend, Timestamp};
use crate::spec::SecretSource;

use super::document::Value;
use super::settings::Setting;
use super::{Config, Credential, Origin, ProviderSettings, keys};

/// What stands for a secret.
const HIDDEN: &str = "••••";

/// One line of `config show`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// The full key, such as `providers.paracloud.namespace`.
    pub key: String,
    /// The value, or dots for a secret.
    pub value: String,
    pub origin: Origin,
    /// Where the origin sends the reader on to: a variable, a file, a command.
    pub source: Option<String>,
}

impl Config {
    /// All rows, in the order of the file and of the key tables; `now` tells whether a cached key still holds.
    pub fn rows(&self, now: Timestamp) -> Vec<Row> {
        let default =
            self.default_provider
                .iter()
                .zip(&self.default_origin)
                .map(|(provider, origin)| Row {
                    key: "default-provider".to_owned(),
                    value: provider.clone(),
                    origin: origin.clone(),
                    source: None,
                });
        let providers = self.configured();
        default
            .chain(providers.iter().flat_map(|settings| settings.rows(now)))
            .collect()
    }
}

impl ProviderSettings {
    /// The rows of this provider.
    pub fn rows(&self, now: Timestamp) -> Vec<Row> {
        let backend = Row {
            key: format!("providers.{}.{}", self.name, keys::BACKEND_KEY),
            value: self.backend.to_string(),
            origin: self.backend_origin.clone(),
            source: None,
        };
        let settings = keys::keys_of(self.backend)
            .iter()
            .filter_map(|key| Some((key, self.values.get(key.name)?)))
            .map(|(key, setting)| row(&self.name, key, setting));
        std::iter::once(backend)
            .chain(settings)
            .chain(self.chain_rows(now))
            .collect()
    }

    /// What the credential chain of PAI-DLC finds when the configuration itself has no key.
    fn chain_rows(&self, now: Timestamp) -> Vec<Row> {
        let own = self.backend != Backend::PaiDlc
            || self.has("access-key-id")
            || self.has("access-key-secret");
        if own {
            return Vec::new();
        }
        let Ok(found) = self.access_key(now) else {
            return Vec::new();
        };
        let row = |key: &str, value: &str, source: &str| Row {
            key: format!("providers.{}.{key}", self.name),
            value: value.to_owned(),
            origin: Origin::Native(source.to_owned()),
            source: None,
        };
        match found.credential {
            Credential::Key(key) => {
                let mut rows = vec![
                    row("access-key-id", &key.id, &key.source),
                    row("access-key-secret", HIDDEN, &key.source),
                ];
                if key.token.is_some() {
                    rows.push(row("security-token", HIDDEN, &key.source));
                }
                rows
            }
            // The address may carry a token in its query.
            Credential::FromUri { source, .. } => vec![row("credentials", HIDDEN, &source)],
            Credential::EcsMetadata { .. } => Vec::new(),
        }
    }
}

fn row(provider: &str, key: &keys::Key, setting: &Setting) -> Row {
    let (value, source) = match &setting.value {
        Value::Text(text) if !key.is_secret() => (without_password(text), None),
        Value::Flag(flag) => (flag.to_string(), None),
        Value::Text(_) | Value::Literal(_) => (HIDDEN.to_owned(), None),
        Value::Source(source) => (HIDDEN.to_owned(), Some(describe(source))),
    };
    Row {
        key: format!("providers.{provider}.{}", key.name),
        value,
        origin: setting.origin.clone(),
        source,
    }
}

/// A URL that wrongly holds a password is refused where it is used; here it is shown without.
fn without_password(text: &str) -> String {
    match text.split_once("://") {
        Some((scheme, rest)) => match rest.rsplit_once('@') {
            Some((_, host)) => format!("{scheme}://{HIDDEN}@{host}"),
            None => text.to_owned(),
        },
        None => text.to_owned(),
    }
}

/// A source without what could itself be secret: of a command, its program alone.
fn describe(source: &SecretSource) -> String {
    match source {
        SecretSource::Environment(name) => format!("variable `{name}`"),
        SecretSource::File(path) => format!("file {path}"),
        SecretSource::Command(words) => {
            format!("command `{}`", words.first().map_or("", String::as_str))
        }
    }
}
