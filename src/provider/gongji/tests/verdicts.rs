//! What answers mean (gongji.md §7; cli.md §10).

use http::{HeaderMap, HeaderValue, StatusCode};
use rstest::rstest;

use super::super::GongjiDialect;
use super::script::stopped_clock;
use super::*;
use crate::error::{Error, Kind};
use crate::http::Answer;
use crate::http::dialect::{Dialect, Repeat, Verdict};

const TOKEN: &str = "11111111-2222-3333-4444-555555555555-20260401120000";

fn answer(status: u16, body: &str) -> Answer {
    Answer {
        status: StatusCode::from_u16(status).unwrap(),
        headers: HeaderMap::new(),
        body: body.to_owned().into(),
    }
}

fn judge(signs: bool, answer: &Answer) -> Verdict {
    let secrets = vec![Secret::new(format!("{TOKEN}\n"))];
    GongjiDialect::new(secrets, signs, stopped_clock()).judge("getJob", answer)
}

fn failure(status: u16, body: &str) -> (Error, Repeat) {
    match judge(false, &answer(status, body)) {
        Verdict::Failure { error, repeat } => (error, repeat),
        Verdict::Success => panic!("a success"),
    }
}

fn envelope(code: &str, message: &str) -> String {
    serde_json::json!({"code": code, "message": message, "data": null}).to_string()
}

#[rstest]
#[case(r#"{"code":"0000","message":"success","data":{}}"#)]
#[case(r#"{"code":"0000","message":null,"data":null}"#)]
#[case(r#"{"code":" 0000 "}"#)]
fn only_four_zeros_are_a_success(#[case] body: &str) {
    assert_eq!(judge(false, &answer(200, body)), Verdict::Success);
}

#[rstest]
#[case::bare_zero(200, r#"{"code":0,"message":"ok"}"#, Kind::Rejected)]
#[case::two_hundred(200, r#"{"code":"200","message":"ok"}"#, Kind::Rejected)]
#[case::unpublished(
    200,
    r#"{"code":"C999","message":"任务不存在","data":null}"#,
    Kind::Rejected
)]
#[case::rate_limit_nobody_documented(200, r#"{"code":"C008","message":null}"#, Kind::Rejected)]
#[case::expired_login(200, r#"{"code":"A003","message":"x"}"#, Kind::Auth)]
#[case::expired_login_too(200, r#"{"code":"C003","message":"token invalid"}"#, Kind::Auth)]
#[case::unauthorized(401, r#"{"code":"C004","message":"x"}"#, Kind::Auth)]
#[case::forbidden_page(403, "<html>", Kind::Auth)]
#[case::bad_request(400, r#"{"code":"C006","message":"x"}"#, Kind::Rejected)]
#[case::login_under_a_400(400, r#"{"code":"C003","message":"x"}"#, Kind::Auth)]
#[case::not_found(404, r#"{"code":"C007","message":"x"}"#, Kind::NotFound)]
#[case::wrong_path(404, "<html>", Kind::Protocol)]
#[case::redirect(302, "", Kind::Protocol)]
#[case::throttled(429, "", Kind::Temporary)]
#[case::server(500, r#"{"code":"C003","message":"x"}"#, Kind::Temporary)]
#[case::gateway(502, "<html>bad gateway</html>", Kind::Temporary)]
#[case::server_that_says_success(500, r#"{"code":"0000","message":"success"}"#, Kind::Temporary)]
#[case::empty(200, "", Kind::Protocol)]
#[case::html(200, "<!doctype html>", Kind::Protocol)]
#[case::no_envelope(200, r#"{"task_id":7}"#, Kind::Protocol)]
#[case::null_code(200, r#"{"code":null}"#, Kind::Protocol)]
#[case::cut_off(200, r#"{"code":"0000","da"#, Kind::Protocol)]
#[case::a_list(200, "[]", Kind::Protocol)]
fn failures_have_their_kind(#[case] status: u16, #[case] body: &str, #[case] kind: Kind) {
    let (error, repeat) = failure(status, body);
    assert_eq!(error.kind(), kind, "{error}");
    assert_eq!(error.details().http_status, Some(status));
    let may_pass = kind == Kind::Temporary;
    assert_eq!(matches!(repeat, Repeat::Helpful { .. }), may_pass);
    assert_eq!(error.details().retryable, may_pass);
}

#[test]
fn code_and_message_are_told_word_for_word() {
    let example = serde_json::to_string(&recorded("error-envelope")).unwrap();
    let (error, _) = failure(200, &example);
    assert_eq!(error.message(), "`getJob` was refused: 任务不存在 (`C999`)");
    assert_eq!(error.details().provider_code.as_deref(), Some("C999"));
    let (silent, _) = failure(200, r#"{"code":"C001","message":null}"#);
    assert_eq!(
        silent.message(),
        "`getJob` was refused: `C001` without a message"
    );
    let (gateway, _) = failure(500, r#"{"error":"upstream"}"#);
    assert_eq!(gateway.message(), "`getJob` failed with HTTP 500: upstream");
}

#[test]
fn known_secrets_are_taken_out() {
    let (error, _) = failure(200, &envelope("C001", &format!("bad\ntoken {TOKEN}")));
    assert!(!error.message().contains(TOKEN) && error.message().contains("bad token ••••"));
    let (page, _) = failure(200, &format!("token={TOKEN} was refused by this gateway"));
    assert!(!page.message().contains(TOKEN), "{page}");
}

#[rstest]
#[case("余额不足", "balance")]
#[case("库存不足", "stock")]
#[case("任务不存在", "check the id")]
#[case("token expired", "make a new API key")]
fn words_of_a_message_are_only_a_hint(#[case] message: &str, #[case] hint: &str) {
    let (error, repeat) = failure(200, &envelope("C999", message));
    assert_eq!((error.kind(), repeat), (Kind::Rejected, Repeat::Useless));
    assert!(error.details().hint.as_deref().unwrap().contains(hint));
}

#[test]
fn a_refused_signature_hints_at_the_mode() {
    let refused = answer(200, &envelope("C004", "sign verification failed"));
    let hint = |signs: bool| match judge(signs, &refused) {
        Verdict::Failure { error, .. } => error.details().hint.clone().unwrap(),
        Verdict::Success => panic!("a success"),
    };
    assert!(hint(false).contains("a token made in RSA mode needs `private-key`"));
    assert!(hint(true).contains("a simple token must go without it"));
}

#[test]
fn a_refused_time_tells_the_difference_of_the_clocks() {
    let mut refused = answer(200, &envelope("C001", "timestamp invalid or expired"));
    let hint = |answer: &Answer| match judge(true, answer) {
        Verdict::Failure { error, .. } => error.details().hint.clone().unwrap(),
        Verdict::Success => panic!("a success"),
    };
    assert!(hint(&refused).starts_with("set this machine's clock"));
    // The clock here stands at 04:00:00.
    let date = HeaderValue::from_static("Sun, 10 May 2026 04:10:00 GMT");
    refused.headers.insert("date", date);
    assert!(
        hint(&refused).starts_with("this machine's clock is 10m behind the service's"),
        "{}",
        hint(&refused)
    );
}
