//! How one backend says yes and no: a pure reading of an answer, which the send loop asks before it believes anything.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use http::StatusCode;

use crate::error::{Error, Kind};
use crate::model::Timestamp;

use super::Answer;

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

/// The reading for requests that a user writes (cli.md §10, `api`): the status decides, and what a success must hold is
/// not known. An error envelope inside a success is a refusal; a web page is not this API.
#[derive(Debug, Clone)]
pub struct Plain(pub Arc<dyn Dialect>);

impl Dialect for Plain {
    fn judge(&self, operation: &'static str, answer: &Answer) -> Verdict {
        match self.0.judge(operation, answer) {
            Verdict::Failure { error, .. }
                if answer.status.is_success() && error.details().provider_code.is_some() =>
            {
                Verdict::Failure {
                    error: error.with_kind(Kind::Rejected),
                    repeat: Repeat::Useless,
                }
            }
            Verdict::Failure { .. } if answer.status.is_success() && !answer.looks_like_html() => {
                Verdict::Success
            }
            verdict @ (Verdict::Success | Verdict::Failure { .. }) => verdict,
        }
    }
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

    /// Finds fault with everything.
    #[derive(Debug)]
    struct Strict(Option<&'static str>);

    impl Dialect for Strict {
        fn judge(&self, _operation: &'static str, answer: &Answer) -> Verdict {
            let code = self.0.map(str::to_owned);
            Verdict::Failure {
                error: Error::new(Kind::Protocol, "x", "no list").with_http(
                    answer.status.as_u16(),
                    code,
                    None,
                ),
                repeat: Repeat::Helpful { after: None },
            }
        }
    }

    #[test]
    fn a_users_own_request_is_judged_by_its_status_and_its_envelope() {
        let judge = |code, status: u16, body: &'static str| {
            let answer = Answer {
                status: StatusCode::from_u16(status).unwrap(),
                headers: http::HeaderMap::new(),
                body: body.into(),
            };
            match Plain(Arc::new(Strict(code))).judge("api", &answer) {
                Verdict::Success => None,
                Verdict::Failure { error, repeat } => Some((error.kind(), repeat)),
            }
        };
        assert_eq!(judge(None, 200, "{}"), None);
        assert_eq!(judge(None, 204, ""), None);
        assert_eq!(
            judge(Some("C999"), 200, "{}"),
            Some((Kind::Rejected, Repeat::Useless))
        );
        let passed_on = Some((Kind::Protocol, Repeat::Helpful { after: None }));
        assert_eq!(judge(None, 200, "<html>"), passed_on);
        assert_eq!(judge(Some("C999"), 503, "{}"), passed_on);
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
