//! The contents of Alibaba Cloud's credential files (pai-dlc.md §2.9); pure.

use serde_json::{Map, Value};

use crate::model::Timestamp;
use crate::secret::Secret;

use super::ini::Ini;

/// What a profile offers.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Offer {
    Key {
        id: String,
        secret: Secret,
        token: Option<Secret>,
    },
    /// It holds no key that can be used as it is, for this reason.
    Nothing(String),
}

/// One profile of `~/.aliyun/config.json`.
#[derive(Debug, Clone)]
pub(super) struct CliProfile {
    pub(super) name: String,
    pub(super) region: Option<String>,
    mode: String,
    id: Option<String>,
    secret: Option<Secret>,
    token: Option<Secret>,
    /// Epoch seconds.
    expires: Option<i64>,
}

/// Picks a profile: the wanted one, else the file's current one, else `default`. The error says what is wrong.
pub(super) fn cli_profile(text: &str, wanted: Option<&str>) -> Result<CliProfile, String> {
    let root: Value =
        serde_json::from_str(text.trim_start_matches('\u{feff}')).map_err(|error| {
            format!(
                "is no JSON (line {}, column {})",
                error.line(),
                error.column()
            )
        })?;
    let current = root
        .get("current")
        .and_then(Value::as_str)
        .filter(|name| !name.is_empty());
    let name = wanted.or(current).unwrap_or("default");
    let profile = root
        .get("profiles")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(Value::as_object)
        .find(|profile| text_of(profile, "name").is_some_and(|known| known == name))
        .ok_or_else(|| format!("has no profile `{name}`"))?;
    Ok(CliProfile {
        name: name.to_owned(),
        region: text_of(profile, "region_id"),
        mode: text_of(profile, "mode").unwrap_or_default(),
        id: text_of(profile, "access_key_id"),
        secret: text_of(profile, "access_key_secret").map(Secret::new),
        token: text_of(profile, "sts_token").map(Secret::new),
        expires: profile.get("sts_expiration").and_then(|value| {
            value
                .as_i64()
                .or_else(|| value.as_str()?.trim().parse().ok())
        }),
    })
}

impl CliProfile {
    /// The profile's key, if it can be used without an exchange.
    pub(super) fn offer(self, now: Timestamp) -> Offer {
        let nothing = |why: &str| Offer::Nothing(format!("mode `{}` {why}", self.mode));
        // Mode names are compared without case, as the vendor's command line does.
        let temporary = match self.mode.to_ascii_lowercase().as_str() {
            "ak" => false,
            "ststoken" => true,
            "cloudsso" | "oauth" => match self.expires {
                Some(expires) if expires > now.as_second() => true,
                Some(_) => {
                    return nothing(
                        "has a cached key that has expired; log in again with the vendor's command line",
                    );
                }
                None => return nothing("has no cached key; log in with the vendor's command line"),
            },
            "" => return Offer::Nothing("has no mode".to_owned()),
            _ => return nothing("needs an exchange, which is not supported"),
        };
        match (self.id, self.secret, self.token) {
            (Some(id), Some(secret), token) if !temporary => {
                // A leftover token of an earlier mode is not part of a permanent key.
                drop(token);
                Offer::Key {
                    id,
                    secret,
                    token: None,
                }
            }
            (Some(id), Some(secret), Some(token)) => Offer::Key {
                id,
                secret,
                token: Some(token),
            },
            (Some(_), Some(_), None) => {
                Offer::Nothing(format!("mode `{}` lacks `sts_token`", self.mode))
            }
            _ => Offer::Nothing(format!(
                "mode `{}` lacks `access_key_id` or `access_key_secret`",
                self.mode
            )),
        }
    }
}

/// A section of the SDKs' credential file; `None` if there is no such section.
pub(super) fn section_offer(ini: &Ini, section: &str) -> Option<Offer> {
    if !ini.has_section(section) {
        return None;
    }
    let kind = ini.get(section, "type").unwrap_or_default();
    if kind != "access_key" {
        return Some(Offer::Nothing(match kind {
            "" => "has no `type`".to_owned(),
            other => format!("type `{other}` needs an exchange, which is not supported"),
        }));
    }
    let id = ini.get(section, "access_key_id");
    let secret = ini.get(section, "access_key_secret");
    Some(match (id, secret) {
        (Some(id), Some(secret)) => Offer::Key {
            id: id.to_owned(),
            secret: Secret::new(secret),
            token: None,
        },
        _ => Offer::Nothing("lacks `access_key_id` or `access_key_secret`".to_owned()),
    })
}

/// A member's text; unset, null and empty are alike.
fn text_of(object: &Map<String, Value>, name: &str) -> Option<String> {
    object
        .get(name)
        .and_then(Value::as_str)
        .filter(|text| !text.is_empty())
        .map(ToOwned::to_owned)
}
