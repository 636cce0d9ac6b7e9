//! How one backend says yes and no: a pure reading of an answer, which the send loop asks before it believes anything.

mod plain;

use std::fmt;
use std::time::Duration;

use http::StatusCode;

use crate::error::{Error, Kind};
use crate::model::Timestamp;

use super::Answer;

pub use plain::Plain;

/// What an answer means.
#[derive(Debug, Clone, PartialEq)]
pub enum Verdict {
    /// A success whose body may be decoded.
    Success,
    /// A failure, told as an error, with what a repeat could do.
    Failure { error: Error, repeat: Repeat },
}

/// What a repeat of the same request could do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Repeat {
    /// Nothing: the answer would be the same.
    Useless,
    /// It may help a request that is safe to repeat; `after` is the server's wish.
    Helpful { after: Option<Duration> },
    /// The server refused before it did anything (throttling with a clear code): helps any request, creates too.
    HarmlessAndHelpful { after: Option<Duration> },
    /// The server's clock differs: once more with this time, for any request.
    WithServerTime(Timestamp),
    /// The nonce was seen already: sign anew; safe requests only.
    WithFreshNonce,
}

/// One backend's reading of answers.
pub trait Dialect: fmt::Debug + Send + Sync {
    /// Judges an answer to `operation`; looks at status, content type and envelope before the body.
    fn judge(&self, operation: &'static str, answer: &Answer) -> Verdict;
}

/// The class of a failed HTTP status, as cli.md §10 settles it. `json` tells whether the body was JSON.
pub fn kind_of_status(status: StatusCode, json: bool) -> Kind {
    match status.as_u16() {
        401 | 403 => Kind::Auth,
        404 if json => Kind::NotFound,
        404 | 405 | 410 if !json => Kind::Protocol,
        407 | 408 | 425 | 429 | 500..=599 => Kind::Temporary,
        400..=499 => Kind::Rejected,
        _ => Kind::Protocol,
    }
}

/// Whether a create answered with this status definitely did not happen (cli.md §10, "Creates").
pub fn is_definite_refusal(status: StatusCode) -> bool {
    matches!(status.as_u16(), 300..=407 | 409..=429)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statuses_fall_into_the_contracts_classes() {
        for (status, json, kind) in [
            (302, true, Kind::Protocol),
            (400, true, Kind::Rejected),
            (401, false, Kind::Auth),
            (403, true, Kind::Auth),
            (404, true, Kind::NotFound),
            (404, false, Kind::Protocol),
            (405, false, Kind::Protocol),
            (405, true, Kind::Rejected),
            (407, false, Kind::Temporary),
            (408, true, Kind::Temporary),
            (409, true, Kind::Rejected),
            (422, true, Kind::Rejected),
            (425, true, Kind::Temporary),
            (429, false, Kind::Temporary),
            (500, true, Kind::Temporary),
            (503, false, Kind::Temporary),
        ] {
            let status = StatusCode::from_u16(status).unwrap();
            assert_eq!(kind_of_status(status, json), kind, "{status} json={json}");
        }
    }

    #[test]
    fn a_create_is_unclear_after_408_and_5xx_only() {
        for status in [302_u16, 400, 401, 404, 407, 409, 422, 429] {
            assert!(
                is_definite_refusal(StatusCode::from_u16(status).unwrap()),
                "{status}"
            );
        }
        for status in [408_u16, 500, 502, 503, 504] {
            assert!(
                !is_definite_refusal(StatusCode::from_u16(status).unwrap()),
                "{status}"
            );
        }
    }
}
