//! What of a request or answer may be shown: an allow-list of headers, and bodies with their secrets scrubbed.
//!
//! Pure. A masked value carries a short digest, so that two runs can be compared; 16 bits of a salted hash tell
//! nothing about the value itself (design.md §2.5).

mod assignments;
#[cfg(test)]
mod tests;

use http::{HeaderMap, HeaderName, HeaderValue};
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::sign::hex;

use crate::secret::Secret;

use super::{credentials, encode};

/// The most of a body that a trace shows, in bytes.
const BODY_SHOWN: usize = 4096;
/// Above this a body is not even read for a trace.
const BODY_READ: usize = 1 << 20;
/// Keeps the digests apart from plain hashes; the same in every run, for comparing.
const SALT: &[u8] = b"gpujob trace\0";

/// Headers that say nothing about who is asking.
const SHOWN_HEADERS: &[&str] = &[
    "accept",
    "allow",
    "cache-control",
    "connection",
    "content-encoding",
    "content-length",
    "content-range",
    "content-type",
    "date",
    "dav",
    "depth",
    "destination",
    "etag",
    "eagleeye-traceid",
    "host",
    "if-range",
    "keep-alive",
    "last-modified",
    "overwrite",
    "range",
    "retry-after",
    "server",
    "timestamp",
    "transfer-encoding",
    "user-agent",
    "vary",
    "version",
    "via",
    "x-acs-action",
    "x-acs-content-sha256",
    "x-acs-date",
    "x-acs-request-id",
    "x-acs-retry-after",
    "x-acs-signature-nonce",
    "x-acs-trace-id",
    "x-acs-version",
    "x-cycle-client-version",
    "x-request-id",
];

/// Parts of a member's or parameter's name that mark its value as secret; compared without case, `-` and `_`.
const SECRET_WORDS: &[&str] = &[
    "accesskey",
    "apikey",
    "authorization",
    "authtoken",
    "cookie",
    "credential",
    "passphrase",
    "passwd",
    "password",
    "privatekey",
    "pwd",
    "secret",
    "signature",
    "token",
];

/// Members that hold the environment of a job: any value in it may be a secret.
const ENVIRONMENTS: &[&str] = &["env", "envs", "environment", "environmentvariables"];

/// The lines of headers, masked where they are not on the allow-list.
pub fn headers(headers: &HeaderMap) -> Vec<String> {
    headers
        .iter()
        .map(|(name, value)| format!("{name}: {}", header(name, value)))
        .collect()
}

fn header(name: &HeaderName, value: &HeaderValue) -> String {
    match value.to_str() {
        Ok(text) if !value.is_sensitive() && SHOWN_HEADERS.contains(&name.as_str()) => {
            text.to_owned()
        }
        Ok(_) | Err(_) => masked(value.as_bytes()),
    }
}

/// A request target whose query values are masked where their names say so.
pub fn target(full_target: &str) -> String {
    let Some((path, query)) = full_target.split_once('?') else {
        return full_target.to_owned();
    };
    let pairs: Vec<String> = query
        .split('&')
        .map(|pair| match pair.split_once('=') {
            Some((name, value)) if !value.is_empty() && is_secret_parameter(name) => {
                format!("{name}={}", masked(value.as_bytes()))
            }
            Some(_) | None => pair.to_owned(),
        })
        .collect();
    format!("{path}?{}", pairs.join("&"))
}

fn is_secret_parameter(name: &str) -> bool {
    encode::decode(name).is_none_or(|name| is_secret_name(&name) || is_environment(&name))
}

/// A body for people: JSON without its secrets, at most 4 KiB; `None` when there is none to show.
///
/// What is no JSON cannot be scrubbed, so only its size is told.
pub fn body(bytes: &[u8]) -> Option<String> {
    body_of_answer(bytes, &[])
}

/// The body of an answer, without the credentials of its request too.
pub fn body_of_answer(bytes: &[u8], secrets: &[Secret]) -> Option<String> {
    if bytes.is_empty() {
        return None;
    }
    // First of all: what is found by its form could tear a credential apart.
    let text = std::str::from_utf8(bytes)
        .ok()
        .filter(|_| bytes.len() <= BODY_READ)
        .map(|text| credentials::replaced(text, secrets, |secret| masked(secret.as_bytes())));
    let value = text.and_then(|text| serde_json::from_str::<Value>(&text).ok());
    let Some(mut value) = value else {
        return Some(format!(
            "({} bytes that are not JSON or too many, not shown)",
            bytes.len()
        ));
    };
    scrub(&mut value);
    Some(shortened(value.to_string()))
}

fn shortened(text: String) -> String {
    if text.len() <= BODY_SHOWN {
        return text;
    }
    let end = (0..=BODY_SHOWN)
        .rev()
        .find(|index| text.is_char_boundary(*index))
        .unwrap_or_default();
    let start = text.get(..end).unwrap_or_default();
    format!("{start}… ({} bytes)", text.len())
}

/// Masks secrets in place, at every depth.
fn scrub(value: &mut Value) {
    match value {
        Value::Object(members) => {
            let names_a_secret = members
                .iter()
                .any(|(name, value)| is_label(name) && value.as_str().is_some_and(is_secret_name));
            for (name, member) in members.iter_mut() {
                if is_environment(name) {
                    mask_environment(member);
                } else if is_secret_name(name) || (names_a_secret && fold(name) == "value") {
                    mask_all(member);
                } else {
                    scrub(member);
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(scrub),
        Value::String(text) => {
            if let Some(scrubbed) = assignments::scrubbed(text) {
                *text = scrubbed;
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// Masks the values of an environment, be it `{NAME: value}` or `[{name, value}]`; the names stay.
fn mask_environment(value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(mask_environment),
        Value::Object(members) => {
            for (name, member) in members.iter_mut() {
                if !is_label(name) {
                    mask_all(member);
                }
            }
        }
        Value::String(_) | Value::Null | Value::Bool(_) | Value::Number(_) => mask_all(value),
    }
}

fn mask_all(value: &mut Value) {
    match value {
        Value::Object(members) => members.values_mut().for_each(mask_all),
        Value::Array(items) => items.iter_mut().for_each(mask_all),
        Value::String(text) => {
            if !text.is_empty() {
                *text = masked(text.as_bytes());
            }
        }
        Value::Number(number) => *value = Value::String(masked(number.to_string().as_bytes())),
        Value::Null | Value::Bool(_) => {}
    }
}

/// Stands for a value that is not shown; equal values have equal marks.
pub fn masked(value: &[u8]) -> String {
    let digest = Sha256::new()
        .chain_update(SALT)
        .chain_update(value)
        .finalize();
    let short = digest.get(..2).unwrap_or_default();
    format!("<masked {}>", hex::encode(short))
}

/// Whether a name says that what it names is secret, such as `AccessKeySecret` or `HF_TOKEN`.
pub fn is_secret_name(name: &str) -> bool {
    let folded = fold(name);
    SECRET_WORDS.iter().any(|word| folded.contains(word))
}

fn is_environment(name: &str) -> bool {
    ENVIRONMENTS.contains(&fold(name).as_str())
}

/// Members that name what their sibling `value` holds.
fn is_label(name: &str) -> bool {
    matches!(fold(name).as_str(), "name" | "key")
}

fn fold(name: &str) -> String {
    name.chars()
        .filter(|character| !matches!(character, '-' | '_' | '.'))
        .map(|character| character.to_ascii_lowercase())
        .collect()
}
