//! How PAI-DLC and AIWorkspace say yes and no (pai-dlc.md §7; cli.md §10).
//!
//! Pure. The HTTP status decides first and the first word of the code second, never the message.

use std::time::Duration;

use http::StatusCode;
use serde_json::Value;

use crate::error::{Error, Kind};
use crate::http::Answer;
use crate::http::dialect::{Dialect, Repeat, Verdict, kind_of_status};
use crate::http::retry::server_time;

use super::envelope::Envelope;
use super::lenient;

/// The longest wait a server may ask for (§7.4).
const LONGEST_WAIT: Duration = Duration::from_secs(120);

/// The reading of both products' answers.
#[derive(Debug, Clone, Copy, Default)]
pub struct PaiDlcDialect;

impl Dialect for PaiDlcDialect {
    fn judge(&self, operation: &'static str, answer: &Answer) -> Verdict {
        if answer.status.is_success() {
            judge_success(operation, answer)
        } else {
            judge_failure(operation, answer)
        }
    }
}

/// The member that a success of the operation must have.
pub(super) fn expected_member(operation: &str) -> Option<&'static str> {
    match operation {
        "CreateJob" | "GetJob" | "StopJob" | "DeleteJob" | "UpdateJob" => Some("JobId"),
        "ListJobs" => Some("Jobs"),
        "GetJobEvents" | "GetPodEvents" => Some("Events"),
        "ListEcsSpecs" => Some("EcsSpecs"),
        "ListWorkspaces" => Some("Workspaces"),
        "GetWorkspace" => Some("WorkspaceId"),
        "ListDatasets" => Some("Datasets"),
        "GetDataset" | "CreateDataset" => Some("DatasetId"),
        _ => None,
    }
}

/// Some old products put their code into a 200 (§7.1).
fn judge_success(operation: &'static str, answer: &Answer) -> Verdict {
    if answer.looks_like_html() {
        return not_this_api(operation, answer, "a web page");
    }
    let Ok(Value::Object(members)) = lenient::json(answer) else {
        return not_this_api(operation, answer, "an answer that is no JSON object");
    };
    let is_there = expected_member(operation).map(|name| {
        members
            .get(name)
            .is_some_and(|value| !value.is_null() && value.as_str() != Some(""))
    });
    let envelope = Envelope::read(answer);
    match (is_there, &envelope.code) {
        (Some(true), _) | (_, None) => Verdict::Success,
        (Some(false) | None, Some(_)) => judge_envelope(operation, answer, &envelope),
    }
}

fn judge_failure(operation: &'static str, answer: &Answer) -> Verdict {
    let envelope = Envelope::read(answer);
    if envelope.code.is_none() && answer.looks_like_html() && !is_passing(answer.status) {
        return not_this_api(operation, answer, "a web page");
    }
    judge_envelope(operation, answer, &envelope)
}

/// Statuses that a proxy's web page may carry without meaning that this is another service.
fn is_passing(status: StatusCode) -> bool {
    matches!(
        status.as_u16(),
        401 | 403 | 407 | 408 | 425 | 429 | 500..=599
    )
}

fn judge_envelope(operation: &'static str, answer: &Answer, envelope: &Envelope) -> Verdict {
    let status = answer.status;
    let code = envelope.code.as_deref().unwrap_or_default();
    let after = asked_wait(answer);
    let (kind, repeat) = classify(status, code, envelope.is_structured, after, answer);
    let mut error = Error::new(kind, word_of(kind), sentence(operation, status, envelope))
        .with_http(
            status.as_u16(),
            envelope.code.clone(),
            envelope.request_id.clone(),
        )
        .with_retryable(kind == Kind::Temporary);
    if let Some(hint) = hint(code, status, answer) {
        error = error.with_hint(hint);
    }
    if let Some(detail) = &envelope.access_denied {
        error = error.with_cause(format!("access denied: {detail}"));
    }
    Verdict::Failure { error, repeat }
}

/// Kind and repeat: credentials and throttling by their codes, everything else by the status (§7.2, §7.3).
fn classify(
    status: StatusCode,
    code: &str,
    is_structured: bool,
    after: Option<Duration>,
    answer: &Answer,
) -> (Kind, Repeat) {
    let word = first_word(code);
    if word.starts_with("Throttling") {
        // A definite refusal before anything was done: may be repeated even for a create (§7.5).
        return (Kind::Temporary, Repeat::HarmlessAndHelpful { after });
    }
    if code == "InvalidTimeStamp.Expired" {
        let repeat = server_time(answer).map_or(Repeat::Useless, Repeat::WithServerTime);
        return (Kind::Auth, repeat);
    }
    if word == "SignatureNonceUsed" {
        return (Kind::Temporary, Repeat::WithFreshNonce);
    }
    if is_credential_word(word) {
        return (Kind::Auth, Repeat::Useless);
    }
    match word {
        "InvalidApi" | "InvalidVersion" | "UnsupportedHTTPMethod" => {
            return (Kind::Protocol, Repeat::Useless);
        }
        "InvalidRegion" | "InvalidProduct" | "InvalidProtocol" => {
            return (Kind::Config, Repeat::Useless);
        }
        "ServiceUnavailable" | "ServiceUnavailableTemporary" => {
            return (Kind::Temporary, Repeat::Helpful { after });
        }
        // Inside a 401, 403, 409 or 429 the status says more (§7.3).
        "NotFound" if status.is_success() || matches!(status.as_u16(), 400 | 404) => {
            return (Kind::NotFound, Repeat::Useless);
        }
        _ => {}
    }
    let kind = if status.is_success() {
        Kind::Rejected
    } else {
        kind_of_status(status, is_structured)
    };
    let is_passing = kind == Kind::Temporary && status != StatusCode::PROXY_AUTHENTICATION_REQUIRED;
    if kind == Kind::Rejected && names_capacity(code) {
        (Kind::Capacity, Repeat::Useless)
    } else if is_passing || (kind == Kind::Rejected && after.is_some()) {
        // An answer that asks to wait is throttling, whatever its status (§7.4).
        (Kind::Temporary, Repeat::Helpful { after })
    } else {
        (kind, Repeat::Useless)
    }
}

fn first_word(code: &str) -> &str {
    code.split('.').next().unwrap_or_default()
}

/// Codes about keys, signatures, tokens, times and permissions: `auth`, although their status may be 400 or 404.
fn is_credential_word(word: &str) -> bool {
    matches!(
        word,
        "IncompleteSignature"
            | "SignatureDoesNotMatch"
            | "InvalidSignatureMethod"
            | "InvalidAccessKeyId"
            | "InvalidTimeStamp"
            | "MissingSecurityToken"
            | "InvalidSecurityToken"
            | "NoPermission"
    ) || word.starts_with("Forbidden")
}

/// Whether a refusal is about room: `ResourceAllocateFailed` and codes that name stock or quota (cli.md §10).
fn names_capacity(code: &str) -> bool {
    if code == "ResourceAllocateFailed" {
        return true;
    }
    // `InvalidQuotaId` and `Quota.NotFound` are about a name, not about room.
    let lower = code.to_ascii_lowercase();
    let about_a_name = ["invalid", "missing", "notfound", "notexist"]
        .iter()
        .any(|word| lower.contains(word));
    !about_a_name && (lower.contains("stock") || lower.contains("quota"))
}

/// How long the server wants us to wait: milliseconds in `x-acs-retry-after`, else seconds in `retry-after`.
fn asked_wait(answer: &Answer) -> Option<Duration> {
    let whole = |name: &str| answer.header(name)?.trim().parse::<u64>().ok();
    whole("x-acs-retry-after")
        .filter(|milliseconds| *milliseconds > 0)
        .map(Duration::from_millis)
        .or_else(|| whole("retry-after").map(Duration::from_secs))
        .map(|wait| wait.min(LONGEST_WAIT))
}

const fn word_of(kind: Kind) -> &'static str {
    match kind {
        Kind::Auth => "credentials_refused",
        Kind::NotFound => "not_found",
        Kind::Capacity => "capacity",
        Kind::Temporary => "temporary",
        Kind::Protocol => "unexpected_answer",
        Kind::Config => "wrong_endpoint",
        Kind::Rejected
        | Kind::Usage
        | Kind::Spec
        | Kind::OutcomeUnknown
        | Kind::Internal
        | Kind::JobFailed
        | Kind::JobCancelled
        | Kind::ResultUnknown
        | Kind::Timeout
        | Kind::Interrupted
        | Kind::Terminated => "rejected",
    }
}

fn sentence(operation: &str, status: StatusCode, envelope: &Envelope) -> String {
    let what = match (&envelope.code, &envelope.message) {
        (Some(code), Some(message)) => format!("{message} (`{code}`)"),
        (Some(code), None) => format!("`{code}`"),
        (None, Some(message)) => message.clone(),
        (None, None) if envelope.first_line.is_empty() => "an empty answer".to_owned(),
        (None, None) => envelope.first_line.clone(),
    };
    format!(
        "`{operation}` was answered with {}: {what}",
        status.as_u16()
    )
}

fn not_this_api(operation: &str, answer: &Answer, what: &str) -> Verdict {
    Verdict::Failure {
        error: Error::new(
            Kind::Protocol,
            "not_this_api",
            format!(
                "`{operation}` was answered with {} and {what}: {}",
                answer.status.as_u16(),
                answer.first_line()
            ),
        )
        .with_http(answer.status.as_u16(), None, None)
        .with_hint("check `base-url` and any proxy between here and the service"),
        repeat: Repeat::Useless,
    }
}

fn hint(code: &str, status: StatusCode, answer: &Answer) -> Option<String> {
    let fixed = match first_word(code) {
        "SignatureDoesNotMatch" | "IncompleteSignature" => {
            "check the access key secret; `--trace-http` shows what was signed"
        }
        "InvalidAccessKeyId" => "check the access key id, and that it is not disabled",
        "InvalidTimeStamp" => {
            return Some(server_time(answer).map_or_else(
                || "set this machine's clock: the service allows 15 minutes".to_owned(),
                |time| {
                    format!(
                        "set this machine's clock: the service allows 15 minutes, and its own clock says {time}"
                    )
                },
            ));
        }
        "MissingSecurityToken" | "InvalidSecurityToken" => {
            "fetch new temporary credentials: this security token does not go with the key, or has run out"
        }
        "NoPermission" => "ask for the RAM permission that the message names",
        word if word.starts_with("Throttling") => "wait, and ask less often",
        "ResourceAllocateFailed" => {
            "try another type or region, `spot` without a low limit, or a quota"
        }
        "InvalidApi"
        | "InvalidVersion"
        | "UnsupportedHTTPMethod"
        | "InvalidRegion"
        | "InvalidProduct"
        | "InvalidProtocol" => "check `region` and `base-url`",
        word if word.starts_with("Forbidden") => {
            "ask for the RAM permission that the message names"
        }
        _ if status == StatusCode::FORBIDDEN => "ask for the RAM permission that the message names",
        _ => return None,
    };
    Some(fixed.to_owned())
}
