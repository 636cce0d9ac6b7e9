//! Refusals and their bodies (cyclecloud.md §3.1).

use http::StatusCode;
use serde_json::json;

use crate::sandbox::service::RawAnswer;

use super::switches::Switches;

/// Why a call is not done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refusal {
    kind: Kind,
    message: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// A malformed query.
    BadRequest,
    /// Input whose status a switch decides (§11, 3).
    Invalid,
    /// A request id that was used, or a state that forbids the call.
    Conflict,
    NotFound,
    Forbidden,
    Status(StatusCode),
}

impl Refusal {
    /// 400.
    pub(super) fn bad_request(message: impl Into<String>) -> Self {
        Self::new(Kind::BadRequest, message)
    }

    /// Invalid input: 409, or 400 by a switch.
    pub(super) fn invalid(message: impl Into<String>) -> Self {
        Self::new(Kind::Invalid, message)
    }

    /// 409.
    pub(super) fn conflict(message: impl Into<String>) -> Self {
        Self::new(Kind::Conflict, message)
    }

    /// 404.
    pub(super) fn not_found(message: impl Into<String>) -> Self {
        Self::new(Kind::NotFound, message)
    }

    /// 403.
    pub(super) fn forbidden(message: impl Into<String>) -> Self {
        Self::new(Kind::Forbidden, message)
    }

    /// Any other status.
    pub(super) fn with_status(status: StatusCode, message: impl Into<String>) -> Self {
        Self::new(Kind::Status(status), message)
    }

    fn new(kind: Kind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
        }
    }

    /// The four-key object, or nothing at all.
    pub(super) fn answer(&self, switches: &Switches) -> RawAnswer {
        let status = match self.kind {
            Kind::BadRequest => StatusCode::BAD_REQUEST,
            Kind::Invalid => {
                StatusCode::from_u16(switches.invalid_status).unwrap_or(StatusCode::CONFLICT)
            }
            Kind::Conflict => StatusCode::CONFLICT,
            Kind::NotFound => StatusCode::NOT_FOUND,
            Kind::Forbidden => StatusCode::FORBIDDEN,
            Kind::Status(status) => status,
        };
        if switches.empty_errors {
            return RawAnswer::empty(status);
        }
        let (exception, detail) = if switches.stack_traces {
            (
                "java.lang.IllegalStateException",
                "java.lang.IllegalStateException\n\tat com.cyclecomputing.Sandbox.act(Sandbox.java:1)",
            )
        } else {
            ("", "")
        };
        let body = json!({
            "Code": status.as_u16(),
            "Message": self.message,
            "Exception": exception,
            "Detail": detail,
        });
        RawAnswer::json(status, &body)
    }
}
