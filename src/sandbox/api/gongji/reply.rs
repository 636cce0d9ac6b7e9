//! What the service says: the envelope of every answer, and refusals with their codes (gongji.md §7.1, §11).
//!
//! The pairing of codes and texts is the emulator's choice; no client may depend on it (§7.2).

use http::{HeaderValue, StatusCode, header};
use serde_json::{Value, json};

use super::switches::Statuses;
use super::times;
use crate::model::Timestamp;
use crate::sandbox::auth::gongji::Fault;
use crate::sandbox::service::RawAnswer;

/// The `data` of a success.
#[derive(Debug)]
pub(super) enum Data {
    Value(Value),
    /// Null, as after a stop.
    Null,
    /// No member at all, as after the delete of a node (§5.4).
    Absent,
}

impl From<Value> for Data {
    fn from(value: Value) -> Self {
        Self::Value(value)
    }
}

/// Which step of §11 refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    Authentication,
    Decryption,
    Parameters,
    Existence,
    Rule,
}

/// A request that is not served.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refusal {
    step: Step,
    code: String,
    message: String,
}

impl Refusal {
    fn new(step: Step, code: &str, message: String) -> Self {
        Self {
            step,
            code: code.to_owned(),
            message,
        }
    }

    /// Step 5: the body of an encrypted operation cannot be read.
    pub(super) fn decryption() -> Self {
        Self::new(Step::Decryption, "C005", "decrypt failed".to_owned())
    }

    /// Step 6: a parameter is missing or wrong.
    pub(super) fn parameter(what: impl AsRef<str>) -> Self {
        Self::new(
            Step::Parameters,
            "C006",
            format!("parameter error: {}", what.as_ref()),
        )
    }

    /// Step 7: there is no such thing, or it is somebody else's.
    pub(super) fn not_found() -> Self {
        Self::new(Step::Existence, "C007", "not exist".to_owned())
    }

    /// Step 8: stock, state, balance.
    pub(super) fn rule(message: impl Into<String>) -> Self {
        Self::new(Step::Rule, "C999", message.into())
    }

    /// A code that a test wants to see.
    pub(super) fn scripted(code: &str, message: &str) -> Self {
        Self::new(Step::Rule, code, message.to_owned())
    }

    fn status(&self, statuses: Statuses) -> StatusCode {
        match (statuses, self.step) {
            (Statuses::Ok, _) => StatusCode::OK,
            (Statuses::Mapped, Step::Authentication) => StatusCode::UNAUTHORIZED,
            (Statuses::Mapped, Step::Decryption | Step::Parameters) => StatusCode::BAD_REQUEST,
            (Statuses::Mapped, Step::Existence) => StatusCode::NOT_FOUND,
            (Statuses::Mapped, Step::Rule) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }
}

impl From<Fault> for Refusal {
    fn from(fault: Fault) -> Self {
        Self::new(
            Step::Authentication,
            fault.code(),
            fault.message().to_owned(),
        )
    }
}

/// Puts an outcome into an envelope.
pub(super) fn render(outcome: Result<Data, Refusal>, statuses: Statuses) -> RawAnswer {
    match outcome {
        Ok(data) => {
            let body = match data {
                Data::Value(value) => success(&value),
                Data::Null => success(&Value::Null),
                Data::Absent => json!({ "code": "0000", "message": "success" }),
            };
            RawAnswer::json(StatusCode::OK, &body)
        }
        Err(refusal) => RawAnswer::json(
            refusal.status(statuses),
            &json!({ "code": refusal.code, "message": refusal.message, "data": null }),
        ),
    }
}

fn success(data: &Value) -> Value {
    json!({ "code": "0000", "message": "success", "data": data })
}

/// An answer with the service's own time, by which a client tells the difference of the clocks (§1.4).
pub(super) fn dated(answer: RawAnswer, now: Timestamp) -> RawAnswer {
    match HeaderValue::from_str(&times::http_date(now)) {
        Ok(date) => answer.with_header(header::DATE, date),
        Err(_) => answer,
    }
}
