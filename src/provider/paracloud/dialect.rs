//! How Paracloud says yes and no (paracloud.md §7).
//!
//! Pure. Errors are undocumented, so every shape of the vendor's family is read; an HTML page is never this API.
//! The token and known passwords are taken out of every text.

use http::StatusCode;
use serde_json::Value;

use crate::error::{Error, Kind};
use crate::http::Answer;
use crate::http::dialect::{Dialect, Repeat, Verdict, kind_of_status};
use crate::secret::Secret;

use super::lenient;
use super::routes::Operation;

/// At most so much of a failed answer is read (§7.2).
const READ_AT_MOST: usize = 64 * 1024;
/// At most so much of a plain text is shown.
const SHOWN_AT_MOST: usize = 200;
/// The envelope code that a third-party client takes for "not ready yet" (§7.1).
const NOT_READY: &str = "4000";

const HTML_HINT: &str =
    "check `base-url` and the proxy; the service may have retired this version of its API";

/// Paracloud's reading of answers.
#[derive(Debug, Clone, Default)]
pub struct ParacloudDialect {
    /// Never shown, even if the service repeats them.
    secrets: Vec<Secret>,
}

impl ParacloudDialect {
    /// A dialect that takes these texts (the token, stored passwords) out of what it tells.
    pub fn new(secrets: Vec<Secret>) -> Self {
        Self { secrets }
    }
}

impl Dialect for ParacloudDialect {
    fn judge(&self, operation: &'static str, answer: &Answer) -> Verdict {
        if answer.status.is_success() {
            self.judge_success(operation, answer)
        } else {
            self.judge_failure(operation, answer)
        }
    }
}

/// What a success must look like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Expected {
    /// Deletes: any body or none (§7.4).
    Anything,
    /// An object; missing lists are empty lists.
    List(&'static str),
    /// An object with one of these members, without which it is of no use.
    Members(&'static [&'static str]),
}

impl Expected {
    const fn of(operation: Option<Operation>) -> Self {
        match operation {
            Some(Operation::ListNamespaces) => Self::List("namespaces"),
            Some(Operation::ListInstanceTypes) => Self::List("instanceTypes"),
            Some(Operation::ListVolumes) => Self::List("volumes"),
            Some(Operation::ListContainerGroups) => Self::List("containerGroups"),
            Some(
                Operation::CreateNamespace
                | Operation::CreateContainerGroup
                | Operation::GetContainerGroup,
            ) => Self::Members(&["id"]),
            // Credentials are shown once: an answer with them is never thrown away (§6.1).
            Some(Operation::CreateVolume) => Self::Members(&["id", "service"]),
            Some(
                Operation::DeleteNamespace
                | Operation::DeleteVolume
                | Operation::CancelContainerGroup,
            )
            | None => Self::Anything,
        }
    }

    fn has_a_member(self, body: &Value) -> bool {
        let has = |key: &str| body.get(key).is_some_and(|value| !value.is_null());
        match self {
            Self::Anything => false,
            Self::List(key) => body.get(key).is_some(),
            Self::Members(keys) => keys.iter().any(|key| has(key)),
        }
    }
}

impl ParacloudDialect {
    fn judge_success(&self, operation: &'static str, answer: &Answer) -> Verdict {
        if answer.looks_like_html() {
            return useless(html_error(operation, answer));
        }
        let expected = Expected::of(Operation::from_name(operation));
        let body = match answer.json() {
            Ok(body) => body,
            Err(_) if expected == Expected::Anything => return Verdict::Success,
            Err(error) => {
                let what = if answer.body.is_empty() {
                    "an empty body"
                } else {
                    "no JSON"
                };
                return useless(protocol(operation, answer, what).with_cause(error));
            }
        };
        if expected.has_a_member(&body) {
            return Verdict::Success;
        }
        if let Some(code) = error_code(&body).filter(|code| is_error(code)) {
            return self.judge_envelope(operation, answer, &body, &code);
        }
        match expected {
            Expected::Anything => Verdict::Success,
            Expected::List(_) if body.is_object() => Verdict::Success,
            Expected::List(_) => useless(protocol(operation, answer, "JSON that is no object")),
            Expected::Members(keys) => useless(protocol(
                operation,
                answer,
                &format!("JSON without `{}`", keys.join("` or `")),
            )),
        }
    }

    /// A failure inside a 2xx: like 400, but `4000` like 503 (§7.3).
    fn judge_envelope(
        &self,
        operation: &'static str,
        answer: &Answer,
        body: &Value,
        code: &str,
    ) -> Verdict {
        let (kind, word, repeat) = if code == NOT_READY {
            (
                Kind::Temporary,
                "not_ready",
                Repeat::Helpful { after: None },
            )
        } else {
            (Kind::Rejected, "rejected", Repeat::Useless)
        };
        let text = error_text(body).map_or_else(
            || format!("code {code} with no details"),
            |text| format!("code {code}: {}", self.shown(&text, usize::MAX)),
        );
        let error = Error::new(kind, word, format!("`{operation}` was refused: {text}")).with_http(
            answer.status.as_u16(),
            Some(code.to_owned()),
            request_id(answer),
        );
        Verdict::Failure { error, repeat }
    }

    fn judge_failure(&self, operation: &'static str, answer: &Answer) -> Verdict {
        let status = answer.status;
        let repeat = repeat(answer);
        if answer.looks_like_html() {
            // A gateway's error page is trouble on the way or a login; any other page is not this API.
            let kind = kind_of_status(status, false);
            let error = if matches!(kind, Kind::Temporary | Kind::Auth) {
                failure(operation, answer, kind, None, None)
            } else {
                html_error(operation, answer)
            };
            return Verdict::Failure { error, repeat };
        }
        let head = answer.body.get(..READ_AT_MOST).unwrap_or(&answer.body);
        // A bare word or number is text of a framework, even where it happens to be JSON: `404`.
        let body: Option<Value> = serde_json::from_slice(head)
            .ok()
            .filter(|body: &Value| body.is_object() || body.is_array());
        let code = body.as_ref().and_then(error_code);
        let text = match &body {
            Some(body @ Value::Object(_)) => {
                error_text(body).map(|text| self.shown(&text, usize::MAX))
            }
            Some(_) | None => Some(self.shown(&String::from_utf8_lossy(head), SHOWN_AT_MOST)),
        }
        .filter(|text| !text.is_empty());
        let kind = if status == StatusCode::PAYMENT_REQUIRED {
            Kind::Capacity
        } else {
            kind_of_status(status, body.is_some())
        };
        let error = failure(operation, answer, kind, code, text);
        Verdict::Failure { error, repeat }
    }

    /// The first line without control characters and secrets.
    fn shown(&self, text: &str, limit: usize) -> String {
        let clean: String = text
            .trim_start()
            .lines()
            .next()
            .unwrap_or_default()
            .chars()
            .filter(|character| !character.is_control())
            .collect();
        let clean = self
            .secrets
            .iter()
            .filter(|secret| !secret.is_empty())
            .fold(clean, |text, secret| text.replace(secret.expose(), "••••"));
        clean.trim_end().chars().take(limit).collect()
    }
}

fn useless(error: Error) -> Verdict {
    Verdict::Failure {
        error,
        repeat: Repeat::Useless,
    }
}

/// What a failed status says, with the provider's own code and text.
fn failure(
    operation: &'static str,
    answer: &Answer,
    kind: Kind,
    code: Option<String>,
    text: Option<String>,
) -> Error {
    let status = answer.status.as_u16();
    let details = match (&code, text) {
        (Some(code), Some(text)) if *code != status.to_string() => format!("{code}: {text}"),
        (_, Some(text)) => text,
        (Some(code), None) if *code != status.to_string() => format!("code {code}"),
        (_, None) => "no details".to_owned(),
    };
    let error = Error::new(
        kind,
        code_word(status),
        format!("`{operation}` failed with HTTP {status}: {details}"),
    )
    .with_http(status, code, request_id(answer));
    match hint(status, kind) {
        Some(hint) => error.with_hint(hint),
        None => error,
    }
}

/// Whether a repeat could help (§7.3); the loop reads `Retry-After` itself.
fn repeat(answer: &Answer) -> Repeat {
    match answer.status.as_u16() {
        // A create is repeated only if the refusal is plainly one of rate (§7.3).
        429 if answer.header("retry-after").is_some() && says_rate_limit(answer) => {
            Repeat::HarmlessAndHelpful { after: None }
        }
        408 | 425 | 429 | 500 | 502 | 503 | 504 => Repeat::Helpful { after: None },
        _ => Repeat::Useless,
    }
}

fn html_error(operation: &str, answer: &Answer) -> Error {
    Error::new(
        Kind::Protocol,
        "not_the_api",
        format!(
            "`{operation}` got an HTML page (HTTP {}) instead of the API",
            answer.status.as_u16()
        ),
    )
    .with_hint(HTML_HINT)
    .with_http(answer.status.as_u16(), None, request_id(answer))
}

fn protocol(operation: &str, answer: &Answer, what: &str) -> Error {
    Error::new(
        Kind::Protocol,
        "unexpected_answer",
        format!(
            "`{operation}` was answered with HTTP {} and {what}",
            answer.status.as_u16()
        ),
    )
    .with_hint(HTML_HINT)
    .with_http(answer.status.as_u16(), None, request_id(answer))
}

/// The first of the family's places for a code (§7.2).
fn error_code(body: &Value) -> Option<String> {
    ["code", "Code", "errorCode"]
        .iter()
        .find_map(|key| body.get(key).and_then(lenient::text_of))
        .or_else(|| body.get("error")?.get("code").and_then(lenient::text_of))
}

/// The first of the family's places for a text that is not empty (§7.2).
fn error_text(body: &Value) -> Option<String> {
    let text = |value: &Value| {
        value
            .as_str()
            .map(|text| text.split_whitespace().collect::<Vec<_>>().join(" "))
            .filter(|text| !text.is_empty())
    };
    ["message", "Message", "msg", "error"]
        .iter()
        .find_map(|key| body.get(key).and_then(text))
        .or_else(|| body.get("error")?.get("message").and_then(text))
        .or_else(|| {
            ["detail", "reason"]
                .iter()
                .find_map(|key| body.get(key).and_then(text))
        })
}

/// Zero is no error; the prototype repeats the HTTP status, so `200` is none either (§7.1).
fn is_error(code: &str) -> bool {
    match code.parse::<f64>() {
        Ok(number) => number.abs() > f64::EPSILON && !(200.0..300.0).contains(&number),
        Err(_) => true,
    }
}

/// None is documented; gateways often add one.
fn request_id(answer: &Answer) -> Option<String> {
    answer.header("x-request-id").map(str::to_owned)
}

fn says_rate_limit(answer: &Answer) -> bool {
    let head = answer.body.get(..READ_AT_MOST).unwrap_or(&answer.body);
    let text = String::from_utf8_lossy(head).to_ascii_lowercase();
    ["rate limit", "ratelimit", "too many requests", "throttl"]
        .iter()
        .any(|words| text.contains(words))
}

const fn code_word(status: u16) -> &'static str {
    match status {
        300..=399 => "redirect",
        401 => "unauthorized",
        402 => "balance",
        403 => "forbidden",
        404 => "not_found",
        409 => "conflict",
        429 => "rate_limited",
        408 | 500..=599 => "server_error",
        _ => "rejected",
    }
}

fn hint(status: u16, kind: Kind) -> Option<&'static str> {
    match status {
        300..=399 => Some("redirects are never followed with a credential: correct `base-url`"),
        401 => {
            Some("the token is missing, expired or revoked: fetch a new one and set it as `token`")
        }
        402 => Some("this is likely the account's balance: see the provider's console"),
        403 => Some(
            "the token has no right to that namespace or cluster, or the account is in arrears",
        ),
        404 | 405 | 410 if kind == Kind::Protocol => Some(HTML_HINT),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
