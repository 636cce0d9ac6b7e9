//! Answers of every shape of the family, classified (paracloud.md §7).

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue};
use proptest::prelude::*;
use rstest::rstest;

use super::*;
use crate::provider::paracloud::tests::recorded_text;

fn answer(status: u16, body: impl Into<Vec<u8>>) -> Answer {
    Answer {
        status: StatusCode::from_u16(status).unwrap(),
        headers: HeaderMap::new(),
        body: Bytes::from(body.into()),
    }
}

fn judge(operation: &'static str, status: u16, body: &str) -> Verdict {
    ParacloudDialect::default().judge(operation, &answer(status, body))
}

fn failure_of(verdict: Verdict) -> (Error, Repeat) {
    match verdict {
        Verdict::Failure { error, repeat } => (error, repeat),
        Verdict::Success => panic!("a success"),
    }
}

const HELPFUL: Repeat = Repeat::Helpful { after: None };
const HTML: &str = "<!DOCTYPE html><html><body>x</body></html>";

#[rstest]
#[case(400, "{}", Kind::Rejected, Repeat::Useless)]
#[case(
    401,
    r#"{"code":401,"message":"unauthorized"}"#,
    Kind::Auth,
    Repeat::Useless
)]
#[case(401, HTML, Kind::Auth, Repeat::Useless)]
#[case(402, "{}", Kind::Capacity, Repeat::Useless)]
#[case(403, "", Kind::Auth, Repeat::Useless)]
#[case(404, r#"{"code":404}"#, Kind::NotFound, Repeat::Useless)]
#[case(404, "404: Page Not Found", Kind::Protocol, Repeat::Useless)]
#[case(404, HTML, Kind::Protocol, Repeat::Useless)]
#[case(405, HTML, Kind::Protocol, Repeat::Useless)]
#[case(410, "", Kind::Protocol, Repeat::Useless)]
#[case(409, r#"{"error":"in use"}"#, Kind::Rejected, Repeat::Useless)]
#[case(415, "415: Unsupported Media Type", Kind::Rejected, Repeat::Useless)]
#[case(422, "{}", Kind::Rejected, Repeat::Useless)]
#[case(302, "", Kind::Protocol, Repeat::Useless)]
#[case(400, HTML, Kind::Protocol, Repeat::Useless)]
#[case(408, "", Kind::Temporary, HELPFUL)]
#[case(429, "{}", Kind::Temporary, HELPFUL)]
#[case(500, "{}", Kind::Temporary, HELPFUL)]
#[case(502, HTML, Kind::Temporary, HELPFUL)]
#[case(503, "busy", Kind::Temporary, HELPFUL)]
#[case(504, "", Kind::Temporary, HELPFUL)]
#[case(404, "404", Kind::Protocol, Repeat::Useless)]
#[case(405, "405", Kind::Protocol, Repeat::Useless)]
#[case(
    400,
    r#"{"code":4000,"message":"not ready"}"#,
    Kind::Rejected,
    Repeat::Useless
)]
fn a_failed_status_has_a_class(
    #[case] status: u16,
    #[case] body: &str,
    #[case] kind: Kind,
    #[case] repeat: Repeat,
) {
    let (error, told) = failure_of(judge("ListNamespaces", status, body));
    assert_eq!((error.kind(), told), (kind, repeat), "{error}");
    assert_eq!(error.details().http_status, Some(status));
}

#[rstest]
#[case("ListVolumes", 200, r#"{"volumes":null}"#)]
#[case("ListVolumes", 200, "{}")]
#[case("ListVolumes", 200, r#"{"code":0,"message":"ok"}"#)]
#[case("ListVolumes", 200, r#"{"code":200}"#)]
#[case("CreateNamespace", 201, r#"{"id":"k8r2wq","code":7}"#)]
#[case("CreateVolume", 201, r#"{"service":{"password":"p"}}"#)]
#[case("CancelContainerGroup", 204, "")]
#[case("CancelContainerGroup", 202, "accepted")]
#[case("DeleteVolume", 200, r#"{"id":"x7m4tzb9"}"#)]
#[case("DeleteVolume", 200, "[]")]
#[case("Raw", 200, "anything")]
fn these_are_successes(#[case] operation: &'static str, #[case] status: u16, #[case] body: &str) {
    assert_eq!(judge(operation, status, body), Verdict::Success);
}

#[rstest]
#[case("ListNamespaces", "", Kind::Protocol)]
#[case("ListNamespaces", HTML, Kind::Protocol)]
#[case("ListNamespaces", "[]", Kind::Protocol)]
#[case("ListNamespaces", r#"{"namespaces":["#, Kind::Protocol)]
#[case("CreateContainerGroup", "{}", Kind::Protocol)]
#[case("CreateContainerGroup", r#"{"id":null}"#, Kind::Protocol)]
#[case("CreateContainerGroup", HTML, Kind::Protocol)]
#[case("CancelContainerGroup", HTML, Kind::Protocol)]
#[case("ListNamespaces", r#"{"code":17,"message":"no"}"#, Kind::Rejected)]
#[case(
    "CreateContainerGroup",
    r#"{"code":"Quota","msg":"no"}"#,
    Kind::Rejected
)]
#[case("DeleteVolume", r#"{"code":17}"#, Kind::Rejected)]
#[case("ListNamespaces", r#"{"code":4000,"message":"wait"}"#, Kind::Temporary)]
fn a_2xx_can_be_a_failure(#[case] operation: &'static str, #[case] body: &str, #[case] kind: Kind) {
    let (error, repeat) = failure_of(judge(operation, 200, body));
    assert_eq!(error.kind(), kind, "{error}");
    assert_eq!(repeat == HELPFUL, kind == Kind::Temporary);
}

#[rstest]
#[case(r#"{"code":17,"message":"m"}"#, Some("17"), "17: m")]
#[case(r#"{"Code":"E7","Message":"m"}"#, Some("E7"), "E7: m")]
#[case(r#"{"code":404,"msg":"m"}"#, Some("404"), "HTTP 404: m")]
#[case(r#"{"error":"m"}"#, None, "HTTP 404: m")]
#[case(r#"{"error":{"code":3,"message":"m"}}"#, Some("3"), "3: m")]
#[case(r#"{"errorCode":"X","detail":"m"}"#, Some("X"), "X: m")]
#[case(r#"{"message":" ","reason":"m"}"#, None, "HTTP 404: m")]
#[case(r#"{"message":"a\n\tb"}"#, None, "HTTP 404: a b")]
#[case("{}", None, "HTTP 404: no details")]
#[case("", None, "HTTP 404: no details")]
#[case("not here\nsecond line", None, "HTTP 404: not here")]
#[case("\u{1b}[31mred", None, "HTTP 404: [31mred")]
fn code_and_text_are_found_in_every_shape(
    #[case] body: &str,
    #[case] code: Option<&str>,
    #[case] end: &str,
) {
    let (error, _) = failure_of(judge("GetContainerGroup", 404, body));
    assert_eq!(error.details().provider_code.as_deref(), code);
    assert!(error.message().ends_with(end), "{error}");
}

#[test]
fn the_contracts_example_is_not_found_with_its_text() {
    let body = recorded_text("error-group-not-found");
    let (error, _) = failure_of(judge("GetContainerGroup", 404, &body));
    assert_eq!(error.kind(), Kind::NotFound);
    assert_eq!(
        error.message(),
        "`GetContainerGroup` failed with HTTP 404: container group p6vd2hcn not found"
    );
}

#[test]
fn a_create_is_throttled_harmlessly_only_if_the_answer_plainly_says_so() {
    let harmless = Repeat::HarmlessAndHelpful { after: None };
    for (header, body, repeat) in [
        (true, r#"{"message":"rate limit exceeded"}"#, harmless),
        (true, "Too Many Requests", harmless),
        (true, r#"{"message":"busy"}"#, HELPFUL),
        (false, r#"{"message":"rate limit exceeded"}"#, HELPFUL),
    ] {
        let mut answer = answer(429, body);
        if header {
            answer.headers.insert(
                HeaderName::from_static("retry-after"),
                HeaderValue::from_static("3"),
            );
        }
        let verdict = ParacloudDialect::default().judge("CreateContainerGroup", &answer);
        assert_eq!(failure_of(verdict).1, repeat, "{header} {body}");
    }
}

#[rstest]
#[case(401, r#"{"message":"bad token hunter2-token"}"#)]
#[case(500, "hunter2-token is wrong")]
#[case(200, r#"{"code":9,"message":"for hunter2-token"}"#)]
fn the_token_is_taken_out_of_every_text(#[case] status: u16, #[case] body: &str) {
    let dialect = ParacloudDialect::new(vec![Secret::new(""), Secret::new("hunter2-token")]);
    let (error, _) = failure_of(dialect.judge("ListNamespaces", &answer(status, body)));
    assert!(!format!("{error:?}").contains("hunter2"), "{error}");
    assert!(error.message().contains("••••"), "{error}");
}

#[test]
fn a_long_text_is_cut_and_a_long_body_is_not_read() {
    let (error, _) = failure_of(judge("ListNamespaces", 500, &"x".repeat(1 << 20)));
    assert!(error.message().len() < 300, "{}", error.message().len());
    let padded = format!("{{\"message\":\"{}\"}}", "y".repeat(READ_AT_MOST));
    let (error, _) = failure_of(judge("ListNamespaces", 500, &padded));
    assert!(error.message().len() < 300, "{}", error.message().len());
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_answer_panics(status in 200_u16..600, body in prop::collection::vec(any::<u8>(), 0..200)) {
        for operation in ["ListVolumes", "CreateVolume", "CancelContainerGroup", "Raw"] {
            drop(ParacloudDialect::default().judge(operation, &answer(status, body.clone())));
        }
    }
}
