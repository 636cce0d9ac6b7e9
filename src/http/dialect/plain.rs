//! The reading for requests that a user writes (cli.md §10, `api`): the HTTP status decides, by one table for all four
//! backends. What a success must hold is not known; an error envelope inside one is a refusal all the same.

use std::sync::Arc;

use http::StatusCode;
use serde_json::Value;

use crate::error::{Error, Kind};
use crate::http::Answer;
use crate::http::retry::advice_of_status;

use super::{Dialect, Repeat, Verdict, kind_of_status};

const NOT_THE_API: &str = "check `base-url` and any proxy between here and the service";

/// A backend's dialect, which gives the words and the codes; the class of a failure is the status's.
#[derive(Debug, Clone)]
pub struct Plain {
    /// The backend's own reading.
    pub dialect: Arc<dyn Dialect>,
    /// The answer to a HEAD has no body: only its content type tells what it would be.
    pub is_head: bool,
    /// Whether a success on this path always has the envelope, so that one without it is another service's.
    pub wants_envelope: bool,
}

impl Dialect for Plain {
    fn judge(&self, operation: &'static str, answer: &Answer) -> Verdict {
        let verdict = self.dialect.judge(operation, answer);
        let Verdict::Failure { error, repeat } = verdict else {
            return Verdict::Success;
        };
        let has_code = error.details().provider_code.is_some();
        if answer.status.is_success() {
            return if has_code {
                useless(classed(error, Kind::Rejected, answer))
            } else if answer.looks_like_html() || (self.wants_envelope && !self.is_head) {
                useless(classed(error, Kind::Protocol, answer))
            } else {
                Verdict::Success
            };
        }
        let form = if has_code {
            Form::Json
        } else {
            self.form_of(answer)
        };
        let kind = kind_of(answer.status, form, error.kind());
        let repeat = match (kind == error.kind(), kind) {
            (true, _) => repeat,
            (false, Kind::Temporary) => advice_of_status(answer.status),
            (false, _) => Repeat::Useless,
        };
        Verdict::Failure {
            error: classed(error, kind, answer),
            repeat,
        }
    }
}

impl Plain {
    fn form_of(&self, answer: &Answer) -> Form {
        if answer.looks_like_html() {
            return Form::Page;
        }
        let is_json = if self.is_head {
            answer
                .header("content-type")
                .is_some_and(|value| value.to_ascii_lowercase().contains("json"))
        } else {
            // A bare word or number is text of a framework, even where it happens to be JSON: `404`.
            matches!(answer.json(), Ok(Value::Object(_) | Value::Array(_)))
        };
        if is_json { Form::Json } else { Form::Other }
    }
}

/// What a failed answer is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    /// JSON, or whatever else the backend reads a code of its own in.
    Json,
    /// A web page.
    Page,
    /// Text or nothing.
    Other,
}

/// The class of a failure: the status's, but for codes of credentials, room and throttling inside a 400, 404 or the like.
fn kind_of(status: StatusCode, form: Form, told: Kind) -> Kind {
    let by_status = kind_of_status(status, form == Form::Json);
    match (by_status, told) {
        (Kind::Rejected | Kind::NotFound, Kind::Auth | Kind::Capacity | Kind::Temporary) => told,
        (Kind::Rejected, _) if form == Form::Page => Kind::Protocol,
        (_, _) => by_status,
    }
}

/// The error in its class; where that is another than the backend's reading gave it, with that class's word and hint.
fn classed(error: Error, kind: Kind, answer: &Answer) -> Error {
    if error.kind() == kind {
        return error;
    }
    let details = error.details();
    let mut classed = Error::new(kind, word_of(kind), details.message.clone()).with_http(
        answer.status.as_u16(),
        details.provider_code.clone(),
        details.request_id.clone(),
    );
    for cause in &details.causes {
        classed = classed.with_cause(cause);
    }
    let hint = if kind == Kind::Protocol {
        Some(NOT_THE_API)
    } else {
        // A hint about a code of the provider's own stays right.
        let has_code = details.provider_code.is_some();
        details.hint.as_deref().filter(|_| has_code)
    };
    match hint {
        Some(hint) => classed.with_hint(hint),
        None => classed,
    }
}

const fn word_of(kind: Kind) -> &'static str {
    match kind {
        Kind::NotFound => "not_found",
        Kind::Auth => "credentials_refused",
        Kind::Temporary => "temporary",
        Kind::Protocol => "unexpected_answer",
        Kind::Usage
        | Kind::Spec
        | Kind::Capacity
        | Kind::Config
        | Kind::OutcomeUnknown
        | Kind::Internal
        | Kind::JobFailed
        | Kind::JobCancelled
        | Kind::ResultUnknown
        | Kind::Rejected
        | Kind::Timeout
        | Kind::Interrupted
        | Kind::Terminated => "rejected",
    }
}

fn useless(error: Error) -> Verdict {
    Verdict::Failure {
        error,
        repeat: Repeat::Useless,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Tells this of every answer.
    #[derive(Debug)]
    struct Told(Kind, Option<&'static str>);

    impl Dialect for Told {
        fn judge(&self, _operation: &'static str, answer: &Answer) -> Verdict {
            let status = answer.status.as_u16();
            Verdict::Failure {
                error: Error::new(self.0, "x", "no list")
                    .with_http(status, self.1.map(str::to_owned), None)
                    .with_hint("told"),
                repeat: Repeat::Helpful { after: None },
            }
        }
    }

    fn answer(status: u16, content_type: &'static str, body: &'static str) -> Answer {
        let mut headers = http::HeaderMap::new();
        headers.insert("content-type", http::HeaderValue::from_static(content_type));
        Answer {
            status: StatusCode::from_u16(status).unwrap(),
            headers,
            body: body.into(),
        }
    }

    fn plain(told: Told) -> Plain {
        Plain {
            dialect: Arc::new(told),
            is_head: false,
            wants_envelope: false,
        }
    }

    fn judged(plain: &Plain, answer: &Answer) -> Option<(Kind, Repeat)> {
        match plain.judge("api", answer) {
            Verdict::Success => None,
            Verdict::Failure { error, repeat } => Some((error.kind(), repeat)),
        }
    }

    #[test]
    fn a_success_is_judged_by_its_status_and_its_envelope() {
        let useless = |kind| Some((kind, Repeat::Useless));
        let lenient = plain(Told(Kind::Protocol, None));
        for (status, body) in [(200, "{}"), (200, "text"), (204, "")] {
            assert_eq!(judged(&lenient, &answer(status, "", body)), None, "{body}");
        }
        assert_eq!(
            judged(&lenient, &answer(200, "", "<html>")),
            useless(Kind::Protocol)
        );
        let coded = plain(Told(Kind::Auth, Some("C999")));
        assert_eq!(
            judged(&coded, &answer(200, "", "{}")),
            useless(Kind::Rejected)
        );
        let strict = Plain {
            wants_envelope: true,
            ..lenient
        };
        for body in ["", "{}", "text"] {
            assert_eq!(
                judged(&strict, &answer(200, "", body)),
                useless(Kind::Protocol),
                "{body}"
            );
        }
        let head = Plain {
            is_head: true,
            ..strict
        };
        assert_eq!(judged(&head, &answer(200, "application/json", "")), None);
    }

    #[test]
    fn a_failure_keeps_what_a_code_says_inside_a_refusal_alone() {
        for (status, told, kind) in [
            (302, Kind::Auth, Kind::Protocol),
            (400, Kind::Auth, Kind::Auth),
            (400, Kind::Temporary, Kind::Temporary),
            (400, Kind::NotFound, Kind::Rejected),
            (400, Kind::Protocol, Kind::Rejected),
            (401, Kind::NotFound, Kind::Auth),
            (402, Kind::Capacity, Kind::Capacity),
            (403, Kind::Temporary, Kind::Auth),
            (404, Kind::Auth, Kind::Auth),
            (404, Kind::Protocol, Kind::NotFound),
            (404, Kind::Config, Kind::NotFound),
            (405, Kind::Protocol, Kind::Rejected),
            (409, Kind::NotFound, Kind::Rejected),
            (429, Kind::NotFound, Kind::Temporary),
            (500, Kind::Auth, Kind::Temporary),
        ] {
            let judged = judged(&plain(Told(told, Some("code"))), &answer(status, "", "{}"));
            assert_eq!(judged.unwrap().0, kind, "{status} {told}");
        }
    }

    #[test]
    fn another_class_has_another_word_and_no_hint_of_the_first() {
        let told = plain(Told(Kind::Rejected, None));
        let Verdict::Failure { error, .. } = told.judge("api", &answer(404, "text/html", ""))
        else {
            panic!("a success");
        };
        assert_eq!(
            (error.kind(), error.code()),
            (Kind::Protocol, "unexpected_answer")
        );
        assert_eq!(error.details().hint.as_deref(), Some(NOT_THE_API));
        let told = plain(Told(Kind::Protocol, None));
        let Verdict::Failure { error, .. } = told.judge("api", &answer(404, "", "{}")) else {
            panic!("a success");
        };
        assert_eq!(
            (error.code(), error.details().hint.as_deref()),
            ("not_found", None)
        );
    }
}
