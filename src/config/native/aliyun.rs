//! Where an access key for PAI-DLC comes from (cli.md §10, "PAI-DLC, small print"; pai-dlc.md §2.9).
//!
//! Order: the configuration's own keys, then `credentials = "ecs-metadata"` where the configuration asks for it, then
//! the vendor's variables, `~/.aliyun/config.json`, the SDKs' credential file, a credentials URI. Id, secret and token
//! always come from one source. What needs a request is described here and fetched by the caller.

use std::path::PathBuf;

use crate::config::document::Value;
use crate::config::{Environment, Origin, ProviderSettings};
use crate::error::{Error, Kind, Result};
use crate::model::Timestamp;
use crate::secret::Secret;

use super::Layer;
use super::ini::{Ini, TrailingComments};
use super::profile::{self, CliProfile, Offer};

const KEY_ID: &str = "ALIBABA_CLOUD_ACCESS_KEY_ID";
const KEY_SECRET: &str = "ALIBABA_CLOUD_ACCESS_KEY_SECRET";
const TOKEN: &str = "ALIBABA_CLOUD_SECURITY_TOKEN";
const PROFILE: &str = "ALIBABA_CLOUD_PROFILE";
const PROFILE_DISABLED: &str = "ALIBABA_CLOUD_CLI_PROFILE_DISABLED";
const CREDENTIALS_FILE: &str = "ALIBABA_CLOUD_CREDENTIALS_FILE";
const CREDENTIALS_URI: &str = "ALIBABA_CLOUD_CREDENTIALS_URI";
const METADATA_ROLE: &str = "ALIBABA_CLOUD_ECS_METADATA";
const METADATA_DISABLED: &str = "ALIBABA_CLOUD_ECS_METADATA_DISABLED";
const TOKENLESS_METADATA_DISABLED: &str = "ALIBABA_CLOUD_IMDSV1_DISABLED";

/// The vendor's variables that the chain reads, for the `environment` help topic.
pub const VARIABLES: &[(&str, &str)] = &[
    (KEY_ID, "access key id"),
    (KEY_SECRET, "access key secret"),
    (TOKEN, "token that belongs to a temporary access key"),
    (
        PROFILE,
        "profile of `~/.aliyun/config.json` and of the SDKs' credential file",
    ),
    (
        PROFILE_DISABLED,
        "`true` leaves `~/.aliyun/config.json` unread",
    ),
    (
        CREDENTIALS_FILE,
        "credential file, instead of `~/.alibabacloud/credentials`",
    ),
    (CREDENTIALS_URI, "address that answers with a temporary key"),
    (
        METADATA_ROLE,
        "role of the instance, with `credentials = \"ecs-metadata\"`",
    ),
    (
        METADATA_DISABLED,
        "`true` forbids the metadata of the instance",
    ),
    (
        TOKENLESS_METADATA_DISABLED,
        "`true` forbids metadata without a token",
    ),
];

/// An access key, and where it was found.
#[derive(Debug, Clone, PartialEq)]
pub struct AccessKey {
    pub id: String,
    pub secret: Secret,
    /// Present with temporary keys.
    pub token: Option<Secret>,
    pub source: String,
}

/// A usable credential.
#[derive(Debug, Clone, PartialEq)]
pub enum Credential {
    Key(AccessKey),
    /// A GET of this address answers with a temporary key; it may itself hold a token.
    FromUri {
        uri: Secret,
        source: String,
    },
    /// The metadata service of the instance has a temporary key.
    EcsMetadata {
        /// The role, if it need not be discovered.
        role: Option<String>,
        /// Whether to give up where the service hands out no token.
        token_required: bool,
    },
}

/// What the chain found, and what the user should know about sources that were passed over.
#[derive(Debug, Clone, PartialEq)]
pub struct Found {
    pub credential: Credential,
    pub notes: Vec<String>,
}

/// Where the search has been.
#[derive(Default)]
struct Search {
    looked: Vec<String>,
    notes: Vec<String>,
}

impl Search {
    fn end(self, credential: Credential) -> Found {
        Found {
            credential,
            notes: self.notes,
        }
    }

    /// Keeps an offered key, or the reason why there is none.
    fn take(&mut self, offer: Offer, place: String) -> Option<AccessKey> {
        match offer {
            Offer::Key { id, secret, token } => Some(AccessKey {
                id,
                secret,
                token,
                source: place,
            }),
            Offer::Nothing(why) => {
                self.notes.push(format!("{place}: {why}"));
                None
            }
        }
    }
}

impl ProviderSettings {
    /// The access key of a PAI-DLC provider; `now` tells whether a cached temporary key still holds.
    pub fn access_key(&self, now: Timestamp) -> Result<Found> {
        self.check()?;
        let environment = self.environment();
        let mut search = Search::default();
        if let Some(key) = configured_key(self)? {
            return Ok(search.end(Credential::Key(key)));
        }
        search
            .looked
            .push(format!("`access-key-id` under `[providers.{}]`", self.name));
        if self.text("credentials") == Some("ecs-metadata") {
            if environment.is_true(METADATA_DISABLED) {
                search.notes.push(format!(
                    "`{METADATA_DISABLED}` forbids what `credentials = \"ecs-metadata\"` asks for"
                ));
            } else {
                return Ok(search.end(Credential::EcsMetadata {
                    role: environment.variable(METADATA_ROLE).map(ToOwned::to_owned),
                    token_required: environment.is_true(TOKENLESS_METADATA_DISABLED),
                }));
            }
        }
        let key = from_variables(environment, &mut search)
            .or_else(|| from_cli_file(environment, now, &mut search))
            .or_else(|| from_credential_files(environment, &mut search));
        if let Some(key) = key {
            return Ok(search.end(Credential::Key(key)));
        }
        if let Some(uri) = environment.variable(CREDENTIALS_URI) {
            let source = format!("variable `{CREDENTIALS_URI}`");
            let uri = Secret::new(uri);
            return Ok(search.end(Credential::FromUri { uri, source }));
        }
        search.looked.push(format!("`{CREDENTIALS_URI}`"));
        Err(nothing_found(&self.name, search))
    }
}

/// Whether the vendor's variables alone lead to a key.
pub(in crate::config) fn has_variables(environment: &Environment) -> bool {
    let key = environment.variable(KEY_ID).is_some() && environment.variable(KEY_SECRET).is_some();
    key || environment.variable(CREDENTIALS_URI).is_some()
}

/// The region of the chosen profile, which counts when no other is set.
pub(super) fn read_region(environment: &Environment) -> Layer {
    let mut layer = Layer::default();
    // A broken file is told when a key is looked for in it.
    if let Some((place, Ok(profile))) = cli_profile(environment)
        && let Some(region) = profile.region
    {
        let origin = Origin::Native(format!("{place}, profile `{}`", profile.name));
        layer.values.push(("region", Value::Text(region), origin));
    }
    layer
}

/// The keys of gpujob's own configuration; half a pair is an error, never completed from elsewhere.
fn configured_key(settings: &ProviderSettings) -> Result<Option<AccessKey>> {
    let id = settings.secret("access-key-id")?;
    let secret = settings.secret("access-key-secret")?;
    match (id, secret) {
        (Some(id), Some(secret)) => Ok(Some(AccessKey {
            id: id.expose().to_owned(),
            secret,
            token: settings.secret("security-token")?,
            source: settings
                .origin("access-key-id")
                .map_or_else(String::new, |origin| origin.to_string()),
        })),
        (None, None) => Ok(None),
        (Some(_), None) => Err(settings.missing("access-key-secret")),
        (None, Some(_)) => Err(settings.missing("access-key-id")),
    }
}

fn from_variables(environment: &Environment, search: &mut Search) -> Option<AccessKey> {
    search.looked.push(format!("`{KEY_ID}`"));
    match (
        environment.variable(KEY_ID),
        environment.variable(KEY_SECRET),
    ) {
        (Some(id), Some(secret)) => Some(AccessKey {
            id: id.to_owned(),
            secret: Secret::new(secret),
            token: environment.variable(TOKEN).map(Secret::new),
            source: format!("variable `{KEY_ID}`"),
        }),
        (None, None) => None,
        (Some(_), None) => {
            search
                .notes
                .push(format!("`{KEY_ID}` is set, `{KEY_SECRET}` is not"));
            None
        }
        (None, Some(_)) => {
            search
                .notes
                .push(format!("`{KEY_SECRET}` is set, `{KEY_ID}` is not"));
            None
        }
    }
}

fn from_cli_file(
    environment: &Environment,
    now: Timestamp,
    search: &mut Search,
) -> Option<AccessKey> {
    let Some((place, profile)) = cli_profile(environment) else {
        search.looked.push("`~/.aliyun/config.json`".to_owned());
        return None;
    };
    search.looked.push(format!("`{place}`"));
    match profile {
        Ok(profile) => {
            let place = format!("{place}, profile `{}`", profile.name);
            search.take(profile.offer(now), place)
        }
        Err(why) => {
            search.notes.push(format!("{place} {why}"));
            None
        }
    }
}

/// The chosen profile of `~/.aliyun/config.json` and the file's name; `None` if there is no file or it is switched off.
fn cli_profile(environment: &Environment) -> Option<(String, Result<CliProfile, String>)> {
    if environment.is_true(PROFILE_DISABLED) {
        return None;
    }
    let path = environment.home()?.join(".aliyun").join("config.json");
    let place = environment.shorten(&path);
    match std::fs::read_to_string(&path) {
        Ok(text) => {
            let profile = profile::cli_profile(&text, environment.variable(PROFILE));
            Some((place, profile))
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
        Err(error) => Some((place, Err(format!("cannot be read: {error}")))),
    }
}

fn from_credential_files(environment: &Environment, search: &mut Search) -> Option<AccessKey> {
    let section = environment.variable(PROFILE).unwrap_or("default");
    let named = environment.variable(CREDENTIALS_FILE);
    for path in credential_files(environment) {
        let shown = environment.shorten(&path);
        search.looked.push(format!("`{shown}`"));
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound && named.is_none() => {
                continue;
            }
            Err(error) => {
                search
                    .notes
                    .push(format!("{shown} cannot be read: {error}"));
                continue;
            }
        };
        let ini = Ini::parse(&text, TrailingComments::Cut);
        let Some(offer) = profile::section_offer(&ini, section) else {
            search
                .notes
                .push(format!("{shown} has no section `{section}`"));
            continue;
        };
        if let Some(key) = search.take(offer, format!("{shown}, section `{section}`")) {
            return Some(key);
        }
    }
    None
}

/// The named file, else the Go SDK's name before the Python SDK's (pai-dlc.md §2.9).
fn credential_files(environment: &Environment) -> Vec<PathBuf> {
    if let Some(path) = environment.variable(CREDENTIALS_FILE) {
        return vec![environment.expand(path)];
    }
    environment.home().map_or_else(Vec::new, |home| {
        let folder = home.join(".alibabacloud");
        vec![folder.join("credentials"), folder.join("credentials.ini")]
    })
}

fn nothing_found(provider: &str, search: Search) -> Error {
    let error = Error::new(
        Kind::Config,
        "no_credentials",
        format!(
            "the provider `{provider}` has no access key; looked at {}",
            search.looked.join(", ")
        ),
    )
    .with_provider(provider)
    .with_hint(format!(
        "set `{KEY_ID}` and `{KEY_SECRET}`, or `access-key-id` and `access-key-secret` under `[providers.{provider}]`"
    ));
    search.notes.into_iter().fold(error, Error::with_cause)
}
