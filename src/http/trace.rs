//! What `--trace-http` prints of one exchange: `>` what went out, `<` what came back, `*` what happened instead.
//!
//! Pure texts, redacted (design.md §2.5); where they go is the reporter's business.

use std::fmt::Write;
use std::time::Duration;

use super::{Answer, Signed, credentials, redact};

/// The request line, the headers and the body of an attempt.
pub fn request(request: &Signed, attempt: u32) -> String {
    let template = request.template();
    let mut text = format!(
        "> {} {} HTTP/1.1 ({}, attempt {attempt})",
        template.method,
        redact::target(&template.full_target()),
        template.operation
    );
    add_lines(&mut text, '>', redact::headers(request.headers()));
    add_lines(&mut text, '>', redact::body(template.body_bytes()));
    text
}

/// The status, the headers and the body of an answer, and how long it took.
///
/// Credentials of the request that the service repeats are masked like the rest.
pub fn answer(request: &Signed, answer: &Answer, took: Duration) -> String {
    let mut text = format!("< {} after {} ms", answer.status, took.as_millis());
    add_lines(&mut text, '<', redact::headers(&answer.headers));
    add_lines(
        &mut text,
        '<',
        redact::body_of_answer(&answer.body, &credentials::of(request)),
    );
    text
}

/// Why no answer came.
pub fn failure(message: &str, took: Duration) -> String {
    format!("* no answer after {} ms: {message}", took.as_millis())
}

fn add_lines(text: &mut String, mark: char, lines: impl IntoIterator<Item = String>) {
    for line in lines {
        let _infallible = write!(text, "\n{mark} {line}");
    }
}

#[cfg(test)]
mod tests {
    use http::{HeaderMap, HeaderValue, Method, StatusCode};
    use serde_json::json;

    use super::*;
    use crate::http::{BaseUrl, Target, Template};
    use crate::secret::Secret;
    use crate::sign::{Bearer, SignContext, Signer};

    #[test]
    fn a_request_is_shown_without_its_secrets() {
        let base = BaseUrl::parse("https://eci.example/p").unwrap();
        let target = Target::new("/jobs").query("token", "hunter2");
        let template = Template::new("createJob", Method::POST, &base, target)
            .with_json(
                "application/json",
                &json!({ "password": "hunter2", "n": 1 }),
            )
            .unwrap();
        let context = SignContext {
            now: "2026-01-06T08:09:10Z".parse().unwrap(),
            nonce: String::new(),
        };
        let signed = Bearer::new(&Secret::new("hunter2"))
            .unwrap()
            .sign(&template, &context)
            .unwrap();
        let mask = redact::masked(b"hunter2");
        assert_eq!(
            request(&signed, 2),
            format!(
                "> POST /p/jobs?token={mask} HTTP/1.1 (createJob, attempt 2)\n\
                 > accept: application/json\n\
                 > content-type: application/json\n\
                 > authorization: {}\n\
                 > {{\"password\":\"{mask}\",\"n\":1}}",
                redact::masked(b"Bearer hunter2")
            )
        );
    }

    fn signed() -> Signed {
        let base = BaseUrl::parse("https://eci.example").unwrap();
        let context = SignContext {
            now: "2026-01-06T08:09:10Z".parse().unwrap(),
            nonce: String::new(),
        };
        let template = Template::new("listJobs", Method::GET, &base, Target::new("/jobs"));
        Bearer::new(&Secret::new("hunter2"))
            .unwrap()
            .sign(&template, &context)
            .unwrap()
    }

    #[test]
    fn a_credential_that_the_service_repeats_is_masked() {
        let told = Answer {
            status: StatusCode::UNAUTHORIZED,
            headers: HeaderMap::new(),
            body: "{\"message\":\"no user hunter2\"}".into(),
        };
        assert_eq!(
            answer(&signed(), &told, Duration::from_millis(12)),
            format!(
                "< 401 Unauthorized after 12 ms\n< {{\"message\":\"no user {}\"}}",
                redact::masked(b"hunter2")
            )
        );
    }

    #[test]
    fn an_answer_is_shown_with_its_status_and_time() {
        let mut headers = HeaderMap::new();
        headers.insert("retry-after", HeaderValue::from_static("7"));
        let told = Answer {
            status: StatusCode::TOO_MANY_REQUESTS,
            headers,
            body: "{\"Code\":\"Throttling\"}".into(),
        };
        assert_eq!(
            answer(&signed(), &told, Duration::from_millis(12)),
            "< 429 Too Many Requests after 12 ms\n< retry-after: 7\n< {\"Code\":\"Throttling\"}"
        );
    }
}
