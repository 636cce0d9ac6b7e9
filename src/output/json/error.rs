//! Kind `error` (cli.md §4): one line, the last of stderr, whenever a JSON format is asked for.

use serde::Serialize;

use crate::error::{Error, Result};
use crate::model::Refusal;
use crate::output::redact::Redactor;
use crate::output::sanitize;

use super::job::ReceiptV1;

/// The `error` object; also an item of `errors`.
#[derive(Debug, Clone, Serialize)]
pub struct ErrorV1<'a> {
    kind: &'static str,
    code: &'a str,
    /// The sentence and its causes, joined by colons: the schema has no key for causes.
    message: String,
    hint: Option<&'a str>,
    provider: Option<&'a str>,
    http_status: Option<u16>,
    provider_code: Option<&'a str>,
    request_id: Option<&'a str>,
    retryable: bool,
    job: Option<&'a str>,
    marker: Option<&'a str>,
    refusals: Vec<RefusalV1>,
    candidates: &'a [String],
    receipts: Vec<ReceiptV1<'a>>,
}

/// One refusal.
#[derive(Debug, Clone, Serialize)]
pub struct RefusalV1 {
    code: &'static str,
    field: String,
    message: String,
    alternative: Option<String>,
}

impl<'a> ErrorV1<'a> {
    /// The object of an error.
    pub fn new(error: &'a Error) -> Self {
        let details = error.details();
        let mut message = details.message.clone();
        for cause in &details.causes {
            message.push_str(": ");
            message.push_str(cause);
        }
        Self {
            kind: details.kind.as_str(),
            code: &details.code,
            message,
            hint: details.hint.as_deref(),
            provider: details.provider.as_deref(),
            http_status: details.http_status,
            provider_code: details.provider_code.as_deref(),
            request_id: details.request_id.as_deref(),
            retryable: details.retryable,
            job: details.job.as_deref(),
            marker: details.marker.as_deref(),
            refusals: details.refusals.iter().map(RefusalV1::new).collect(),
            candidates: &details.candidates,
            receipts: details.receipts.iter().map(ReceiptV1::from).collect(),
        }
    }
}

impl RefusalV1 {
    /// The object of a refusal.
    pub fn new(refusal: &Refusal) -> Self {
        Self {
            code: refusal.code.as_str(),
            field: refusal.field.clone(),
            message: refusal.message.clone(),
            alternative: refusal.alternative.clone(),
        }
    }

    /// The same with secrets masked, for plans, which are built where secrets are known.
    pub(super) fn masked(refusal: &Refusal, redactor: &Redactor) -> Self {
        Self {
            code: refusal.code.as_str(),
            field: redactor.text(&refusal.field),
            message: redactor.text(&refusal.message),
            alternative: refusal
                .alternative
                .as_deref()
                .map(|text| redactor.text(text)),
        }
    }
}

#[derive(Serialize)]
struct ErrorDocument<'a> {
    schema: String,
    error: ErrorV1<'a>,
}

/// The whole document on one line, without its line feed.
pub fn error_line(error: &Error) -> Result<String> {
    let document = ErrorDocument {
        schema: super::schema("error"),
        error: ErrorV1::new(error),
    };
    let text = serde_json::to_string(&document)
        .map_err(|error| Error::internal(format!("an error cannot be written as JSON: {error}")))?;
    Ok(sanitize::json(&text).into_owned())
}
