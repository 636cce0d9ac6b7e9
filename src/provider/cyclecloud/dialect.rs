//! How CycleCloud says yes and no (cyclecloud.md §3.1, §1.4, §2.1).
//!
//! Pure. The status decides; texts only enrich. Error bodies are undocumented: an object with `PascalCase` keys, plain
//! text and nothing at all are met. `Detail` may be a stack trace and is never shown.

use http::StatusCode;
use serde_json::Value;

use crate::error::{Error, Kind};
use crate::http::Answer;
use crate::http::dialect::{Dialect, Repeat, Verdict, kind_of_status};
use crate::http::retry::advice_of_status;

use super::answers::{Created, NodeList};
use super::fields::{member, path, shown, text};
use super::routes::{CLUSTER_STATUS, CREATE_NODES, LIST_NODES, TERMINATE_NODES};

/// At most so much of a failed answer is read.
const READ_AT_MOST: usize = 64 * 1024;

/// The one text that Microsoft's own clients look for (§3.1).
const UNKNOWN_REQUEST: &str = "No operation found for request id";

/// CycleCloud's reading of answers.
#[derive(Debug, Clone, Copy, Default)]
pub struct CyclecloudDialect;

impl Dialect for CyclecloudDialect {
    fn judge(&self, operation: &'static str, answer: &Answer) -> Verdict {
        if answer.status.is_success() {
            judge_success(operation, answer)
        } else {
            judge_failure(operation, answer)
        }
    }
}

/// A login page or another service answers 200 as well.
fn judge_success(operation: &'static str, answer: &Answer) -> Verdict {
    if answer.looks_like_html() {
        return not_this_api(operation, answer, "a web page");
    }
    let body = answer.json().ok();
    let is_whole = match (&body, operation) {
        (Some(body), CLUSTER_STATUS) => member(body, "nodearrays").is_some_and(Value::is_array),
        (Some(body), LIST_NODES) => NodeList::read(body).is_some(),
        (Some(body), CREATE_NODES) => Created::read(body).is_some(),
        // An accepted terminate that tells nothing is accepted all the same (§12, "JSON trouble").
        (_, TERMINATE_NODES) => true,
        (body, _) => body.is_some(),
    };
    if is_whole {
        return Verdict::Success;
    }
    let what = match body {
        None if answer.body.is_empty() => "an empty body",
        None => "no JSON",
        Some(_) => "JSON without what must be in it",
    };
    not_this_api(operation, answer, what)
}

fn judge_failure(operation: &'static str, answer: &Answer) -> Verdict {
    let status = answer.status;
    let head = answer.body.get(..READ_AT_MOST).unwrap_or(&answer.body);
    let body: Option<Value> = serde_json::from_slice(head).ok().filter(Value::is_object);
    let is_page = answer.looks_like_html();
    let told = match &body {
        Some(body) => message_of(body),
        None if is_page => None,
        None => Some(shown(&answer.first_line())).filter(|text| !text.is_empty()),
    };
    // An empty body is what the reference itself declares for errors, so it is no sign of another service (§3.1).
    let speaks_like_the_api = body.is_some()
        || answer.body.is_empty()
        || told
            .as_deref()
            .is_some_and(|text| text.contains(UNKNOWN_REQUEST));
    let kind = match status.as_u16() {
        405 => Kind::Protocol,
        _ => kind_of_status(status, speaks_like_the_api),
    };
    if is_page && kind == Kind::Protocol && !status.is_redirection() {
        return not_this_api(operation, answer, "a web page");
    }
    let mut error = Error::new(
        kind,
        word_of(status),
        sentence(operation, answer, told.as_deref()),
    )
    .with_http(
        status.as_u16(),
        body.as_ref().and_then(|body| text(body, "Code")),
        None,
    );
    if let Some(hint) = hint(status) {
        error = error.with_hint(hint);
    }
    Verdict::Failure {
        error,
        repeat: advice_of_status(status),
    }
}

fn sentence(operation: &str, answer: &Answer, told: Option<&str>) -> String {
    let status = answer.status;
    if status.is_redirection() {
        let to = answer
            .header("location")
            .map_or(String::new(), |location| format!(" to {}", shown(location)));
        return format!(
            "`{operation}` was redirected{to}, which is never followed with a credential"
        );
    }
    let told = told.map_or_else(
        || match status.as_u16() {
            401 => "the user name or the password is wrong".to_owned(),
            403 => "the account may not do this".to_owned(),
            404 => "not found, or no access".to_owned(),
            409 => "the input is invalid, or the request id was used before".to_owned(),
            _ => status
                .canonical_reason()
                .unwrap_or("no reason is given")
                .to_ascii_lowercase(),
        },
        str::to_owned,
    );
    format!("`{operation}` failed with HTTP {}: {told}", status.as_u16())
}

/// `Message` in any case, else `error.message` (§3.1).
fn message_of(body: &Value) -> Option<String> {
    text(body, "Message")
        .or_else(|| path(body, &["error", "message"]).and_then(super::fields::as_text))
        .or_else(|| text(body, "error"))
        .map(|message| shown(&message))
        .filter(|message| !message.is_empty())
}

fn not_this_api(operation: &str, answer: &Answer, what: &str) -> Verdict {
    let status = answer.status.as_u16();
    Verdict::Failure {
        error: Error::new(
            Kind::Protocol,
            "not_this_api",
            format!(
                "this does not look like a CycleCloud API: `{operation}` was answered with HTTP {status} and {what}"
            ),
        )
        .with_hint("check `base-url`: its port, and the path that the server is mounted under")
        .with_http(status, None, None),
        // A gateway's page may pass; kind_of_status has said `temporary` for it already.
        repeat: Repeat::Useless,
    }
}

fn word_of(status: StatusCode) -> &'static str {
    match status.as_u16() {
        300..=399 => "redirect",
        401 => "unauthorized",
        403 => "forbidden",
        404 => "not_found",
        405 => "not_this_api",
        409 => "conflict",
        429 => "throttled",
        408 | 425 | 500..=599 => "server_error",
        _ => "rejected",
    }
}

fn hint(status: StatusCode) -> Option<&'static str> {
    match status.as_u16() {
        300..=399 => {
            Some("write `base-url` with the scheme, port and path of the redirect's target")
        }
        401 => Some(
            "nothing was tried again: five failures, each within 60 s of the last, lock the account for five minutes; correct `username` and `password`, and if they are right, wait five minutes",
        ),
        403 => Some("ask the cluster's owner for access"),
        404 => Some("check the cluster's name, and that the account has access to it"),
        405 => Some("check `base-url`: its port, and the path that the server is mounted under"),
        500..=599 => Some("a restart of the server takes some minutes"),
        _ => None,
    }
}
