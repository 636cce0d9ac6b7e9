//! What answers mean (cyclecloud.md §3.1, §1.4; cli.md §10).

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, StatusCode};
use rstest::rstest;

use super::super::*;
use crate::http::dialect::{Dialect, Repeat, Verdict};

fn answer(status: u16, content_type: &'static str, body: &str) -> Answer {
    let mut headers = HeaderMap::new();
    headers.insert("content-type", HeaderValue::from_static(content_type));
    Answer {
        status: StatusCode::from_u16(status).unwrap(),
        headers,
        body: Bytes::copy_from_slice(body.as_bytes()),
    }
}

fn failure(operation: &'static str, answer: &Answer) -> (Error, Repeat) {
    match CyclecloudDialect.judge(operation, answer) {
        Verdict::Failure { error, repeat } => (error, repeat),
        Verdict::Success => panic!("a success"),
    }
}

const JSON: &str = "application/json";
const HTML: &str = "text/html;charset=utf-8";

#[rstest]
#[case::wrong_password(401, JSON, r#"{"Code":401,"Message":"bad login"}"#, Kind::Auth)]
#[case::wrong_password_without_body(401, "text/plain", "", Kind::Auth)]
#[case::a_login_page(401, HTML, "<html>login</html>", Kind::Auth)]
#[case::forbidden(403, JSON, "{}", Kind::Auth)]
#[case::bad_query(400, JSON, r#"{"Code":400,"Message":"both given"}"#, Kind::Rejected)]
#[case::conflict(409, JSON, r#"{"Message":"used"}"#, Kind::Rejected)]
#[case::conflict_without_body(409, "text/plain", "", Kind::Rejected)]
#[case::unknown(404, JSON, r#"{"Code":404,"Message":"no cluster"}"#, Kind::NotFound)]
#[case::unknown_without_body(404, "text/plain", "", Kind::NotFound)]
#[case::unknown_request_as_text(
    404,
    "text/plain",
    "No operation found for request id x",
    Kind::NotFound
)]
#[case::another_server(404, "text/plain", "404 page not found", Kind::Protocol)]
#[case::another_servers_page(404, HTML, "<html>nginx</html>", Kind::Protocol)]
#[case::wrong_method(405, JSON, "{}", Kind::Protocol)]
#[case::redirect(302, HTML, "", Kind::Protocol)]
#[case::too_slow(408, "text/plain", "", Kind::Temporary)]
#[case::throttled(429, "text/plain", "", Kind::Temporary)]
#[case::internal(
    500,
    JSON,
    r#"{"Code":500,"Message":"npe","Detail":"at java.lang"}"#,
    Kind::Temporary
)]
#[case::restarting(503, HTML, "<html>unavailable</html>", Kind::Temporary)]
fn a_failed_status_has_one_kind(
    #[case] status: u16,
    #[case] content_type: &'static str,
    #[case] body: &str,
    #[case] kind: Kind,
) {
    let (error, _) = failure(LIST_NODES, &answer(status, content_type, body));
    assert_eq!(error.kind(), kind, "{error}");
    assert_eq!(error.details().http_status, Some(status));
    assert!(
        !error.message().contains("java"),
        "the detail is never shown"
    );
}

#[rstest]
#[case(401, false)]
#[case(403, false)]
#[case(404, false)]
#[case(409, false)]
#[case(408, true)]
#[case(429, true)]
#[case(500, true)]
#[case(503, true)]
fn only_what_may_pass_is_worth_a_repeat(#[case] status: u16, #[case] helps: bool) {
    let (_, repeat) = failure(LIST_NODES, &answer(status, "text/plain", ""));
    assert_eq!(repeat != Repeat::Useless, helps);
}

#[test]
fn a_401_warns_of_the_lock_out() {
    let (error, repeat) = failure(CLUSTER_STATUS, &answer(401, "text/plain", ""));
    assert_eq!(repeat, Repeat::Useless);
    let hint = error.details().hint.as_deref().unwrap();
    assert!(hint.contains("lock the account for five minutes"), "{hint}");
}

#[rstest]
#[case(r#"{"Code":409,"Message":"in capitals"}"#, "in capitals")]
#[case(r#"{"message":"in small letters"}"#, "in small letters")]
#[case(r#"{"error":{"message":"nested"}}"#, "nested")]
#[case("two\nlines", "two")]
#[case(r#"{"Message":"ev\u001b[31mil\nline"}"#, "ev [31mil line")]
#[case("", "the input is invalid, or the request id was used before")]
fn the_text_is_found_wherever_it_stands(#[case] body: &str, #[case] text: &str) {
    let (error, _) = failure(CREATE_NODES, &answer(409, JSON, body));
    assert_eq!(
        error.message(),
        format!("`CreateNodes` failed with HTTP 409: {text}")
    );
}

#[test]
fn a_redirect_names_its_target_and_is_not_followed() {
    let mut redirect = answer(301, HTML, "");
    redirect.headers.insert(
        "location",
        HeaderValue::from_static("https://cc.example/login"),
    );
    let (error, repeat) = failure(CLUSTER_STATUS, &redirect);
    assert!(error.message().contains("https://cc.example/login"));
    assert_eq!(repeat, Repeat::Useless);
}

#[rstest]
#[case::status(CLUSTER_STATUS, r#"{"nodearrays":[]}"#, true)]
#[case::status_of_something_else(CLUSTER_STATUS, r#"{"status":"ok"}"#, false)]
#[case::nodes(LIST_NODES, r#"{"nodes":[]}"#, true)]
#[case::no_nodes(LIST_NODES, "{}", false)]
#[case::created(CREATE_NODES, r#"{"operationId":"o","sets":[{"added":0}]}"#, true)]
#[case::created_empty(CREATE_NODES, "", false)]
#[case::created_torn(CREATE_NODES, r#"{"operationId":"o","se"#, false)]
#[case::terminated(TERMINATE_NODES, r#"{"operationId":"o","nodes":[]}"#, true)]
#[case::terminated_empty(TERMINATE_NODES, "", true)]
#[case::raw("api", "[]", true)]
fn a_success_must_hold_what_it_is_about(
    #[case] operation: &'static str,
    #[case] body: &str,
    #[case] is_success: bool,
) {
    let verdict = CyclecloudDialect.judge(operation, &answer(202, JSON, body));
    match verdict {
        Verdict::Success => assert!(is_success),
        Verdict::Failure { error, .. } => {
            assert!(!is_success);
            assert_eq!(error.kind(), Kind::Protocol);
        }
    }
}

#[test]
fn a_login_page_with_200_is_not_this_api() {
    let (error, _) = failure(CLUSTER_STATUS, &answer(200, HTML, "<html>Log in</html>"));
    assert_eq!(error.kind(), Kind::Protocol);
    assert!(
        error
            .message()
            .starts_with("this does not look like a CycleCloud API")
    );
}

#[test]
fn the_error_body_of_the_contract_is_read() {
    let body = super::recorded("error-unknown-request").to_string();
    let (error, _) = failure(LIST_NODES, &answer(404, JSON, &body));
    assert_eq!(error.kind(), Kind::NotFound);
    assert!(
        error
            .message()
            .contains("No operation found for request id")
    );
    assert_eq!(error.details().provider_code.as_deref(), Some("404"));
}
