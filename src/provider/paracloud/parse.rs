//! Answers to the model: lists, namespaces, volumes (paracloud.md §3.1, §3.3, §3.5, §6.1).
//!
//! Pure. Lists are read entry by entry: one that cannot be read never hides the rest, and is counted.

use serde_json::Value;

use crate::error::{Error, Kind, Result};
use crate::http::Answer;
use crate::model::{Namespace, ResourceRef, TransferCredentials, Volume};
use crate::secret::Secret;

use super::lenient;
use super::wire;

/// What stands in place of a password in `raw`.
const MASK: &str = "••••";

/// The entries of a list answer.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct List {
    /// The objects of the list, as they came.
    pub(super) items: Vec<Value>,
    /// Entries that are no objects.
    pub(super) unreadable: usize,
    /// A page token: there is more, and no documented way to ask for it (§3.5).
    pub(super) truncated: bool,
}

impl List {
    /// Why the list is not whole, if it is not.
    pub(super) fn incompleteness(&self, what: &str) -> Option<String> {
        if self.truncated {
            Some(format!(
                "the service says that there are more {what}, and documents no way to ask for them"
            ))
        } else if self.unreadable > 0 {
            Some(format!("{} {what} could not be read", self.unreadable))
        } else {
            None
        }
    }
}

/// The JSON object of an answer; anything else is not this API.
pub(super) fn object(answer: &Answer, what: &str) -> Result<Value> {
    match answer.json() {
        Ok(object @ Value::Object(_)) => Ok(object),
        Ok(
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_),
        ) => Err(unexpected(format!(
            "the answer to {what} is no JSON object"
        ))),
        Err(error) => Err(unexpected(format!("the answer to {what} is no JSON")).with_cause(error)),
    }
}

/// The list under `key`; missing, `null` and `[]` are alike (§3.5).
pub(super) fn list(body: &Value, key: &str) -> Result<List> {
    let entries = match body.get(key) {
        None | Some(Value::Null) => &[][..],
        Some(Value::Array(entries)) => entries.as_slice(),
        Some(Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Object(_)) => {
            return Err(unexpected(format!("`{key}` in the answer is no list")));
        }
    };
    let items: Vec<Value> = entries
        .iter()
        .filter(|entry| entry.is_object())
        .cloned()
        .collect();
    Ok(List {
        unreadable: entries.len() - items.len(),
        items,
        truncated: ["nextPageToken", "next_page_token", "nextToken"]
            .iter()
            .any(|key| body.get(key).and_then(lenient::text_of).is_some()),
    })
}

/// An answer that lacks what must be in it.
pub(super) fn unexpected(message: String) -> Error {
    Error::new(Kind::Protocol, "unexpected_answer", message)
        .with_hint("check `base-url`, and whether the service still speaks this version of its API")
}

/// The namespaces of a list; `configured` or else the only one is where jobs go by default.
pub(super) fn namespaces(list: &List, configured: Option<&str>) -> Vec<Namespace> {
    let mut namespaces: Vec<Namespace> = list.items.iter().filter_map(namespace).collect();
    let only = namespaces.len() == 1 && !list.truncated;
    for namespace in &mut namespaces {
        namespace.default = Some(configured.map_or(only, |configured| configured == namespace.id));
    }
    namespaces
}

/// One namespace, of a list or from a create.
pub(super) fn namespace(raw: &Value) -> Option<Namespace> {
    Some(Namespace {
        id: raw.get("id").and_then(lenient::text_of)?,
        name: None,
        default: None,
        raw: raw.clone(),
    })
}

/// Where an object lives when the object itself does not say.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place<'a> {
    pub(super) provider: &'a str,
    pub(super) namespace: &'a str,
    pub(super) cluster: Option<&'a str>,
}

/// The volumes of a list.
pub(super) fn volumes(list: &List, place: Place<'_>) -> Vec<Volume> {
    list.items
        .iter()
        .filter_map(|raw| volume(raw, place))
        .collect()
}

/// One volume; nobody can tell later whether it has transfer access (§3.3).
pub(super) fn volume(raw: &Value, place: Place<'_>) -> Option<Volume> {
    let wire: wire::Volume = serde_json::from_value(raw.clone()).ok()?;
    let id = wire.id?;
    let cluster = wire.cluster.or_else(|| place.cluster.map(str::to_owned));
    let namespace = wire.namespace.as_deref().unwrap_or(place.namespace);
    Some(Volume {
        volume_ref: ResourceRef::new(
            place.provider,
            [namespace, cluster.as_deref().unwrap_or("-"), &id],
        ),
        id,
        kind: "volume".to_owned(),
        name: None,
        scope: cluster,
        size_bytes: None,
        used_bytes: None,
        status: None,
        mountable: true,
        transfer: None,
        raw: without_password(raw),
    })
}

/// The transfer access in the answer to a volume's create; `None` without a password.
///
/// Whatever else is missing stays empty: the password is shown this once, so it must not be lost (§6.1).
pub(super) fn credentials(raw: &Value) -> Option<TransferCredentials> {
    let service = raw.get("service")?;
    let member = |name: &str| service.get(name).and_then(lenient::text_of);
    let address = |name: &str| {
        service
            .get("address")
            .and_then(|address| address.get(name))
            .and_then(lenient::text_of)
    };
    Some(TransferCredentials {
        password: Secret::new(member("password")?),
        username: member("username").unwrap_or_default(),
        webdav_url: address("webdav"),
        sftp_address: address("sftp"),
    })
}

/// The object with every member called `password` masked, whatever its type.
fn without_password(raw: &Value) -> Value {
    match raw {
        Value::Object(members) => members
            .iter()
            .map(|(key, value)| {
                let value = if key.eq_ignore_ascii_case("password") {
                    Value::from(MASK)
                } else {
                    without_password(value)
                };
                (key.clone(), value)
            })
            .collect(),
        Value::Array(items) => items.iter().map(without_password).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => raw.clone(),
    }
}
