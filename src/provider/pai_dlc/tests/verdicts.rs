//! What each answer means (pai-dlc.md §7; cli.md §10).

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use proptest::prelude::*;
use rstest::rstest;
use serde_json::json;

use super::recorded;
use crate::error::{Error, Kind};
use crate::http::Answer;
use crate::http::dialect::{Dialect, Repeat, Verdict};
use crate::provider::pai_dlc::PaiDlcDialect;

const USELESS: Repeat = Repeat::Useless;
const HELPFUL: Repeat = Repeat::Helpful { after: None };
const HARMLESS: Repeat = Repeat::HarmlessAndHelpful { after: None };

fn answer(status: u16, headers: &[(&'static str, &'static str)], body: &str) -> Answer {
    Answer {
        status: StatusCode::from_u16(status).unwrap(),
        headers: headers
            .iter()
            .map(|(name, value)| {
                (
                    HeaderName::from_static(name),
                    HeaderValue::from_static(value),
                )
            })
            .collect::<HeaderMap>(),
        body: Bytes::copy_from_slice(body.as_bytes()),
    }
}

fn failure(operation: &'static str, answer: &Answer) -> (Error, Repeat) {
    match PaiDlcDialect.judge(operation, answer) {
        Verdict::Failure { error, repeat } => (error, repeat),
        Verdict::Success => panic!("a success: {answer:?}"),
    }
}

#[rstest]
#[case(400, "InvalidParameter", Kind::Rejected, USELESS)]
#[case(400, "MissingParameter", Kind::Rejected, USELESS)]
#[case(400, "BadRequest", Kind::Rejected, USELESS)]
#[case(409, "Conflict", Kind::Rejected, USELESS)]
#[case(422, "Unprocessable", Kind::Rejected, USELESS)]
#[case(400, "IncompleteSignature", Kind::Auth, USELESS)]
#[case(400, "SignatureDoesNotMatch", Kind::Auth, USELESS)]
#[case(400, "InvalidSignatureMethod", Kind::Auth, USELESS)]
#[case(404, "InvalidAccessKeyId.NotFound", Kind::Auth, USELESS)]
#[case(400, "InvalidAccessKeyId.Inactive", Kind::Auth, USELESS)]
#[case(400, "InvalidTimeStamp.Format", Kind::Auth, USELESS)]
#[case(400, "InvalidTimeStamp.Expired", Kind::Auth, USELESS)]
#[case(400, "MissingSecurityToken", Kind::Auth, USELESS)]
#[case(400, "InvalidSecurityToken.Expired", Kind::Auth, USELESS)]
#[case(400, "InvalidSecurityToken.MismatchWithAccessKey", Kind::Auth, USELESS)]
#[case(403, "Forbidden.RAM", Kind::Auth, USELESS)]
#[case(403, "Forbidden", Kind::Auth, USELESS)]
#[case(400, "Forbidden.AccessKeyDisabled", Kind::Auth, USELESS)]
#[case(403, "NoPermission", Kind::Auth, USELESS)]
#[case(403, "Something", Kind::Auth, USELESS)]
#[case(401, "Something", Kind::Auth, USELESS)]
#[case(400, "SignatureNonceUsed", Kind::Temporary, Repeat::WithFreshNonce)]
#[case(404, "NotFound", Kind::NotFound, USELESS)]
#[case(400, "NotFound", Kind::NotFound, USELESS)]
#[case(403, "NotFound", Kind::Auth, USELESS)]
#[case(409, "NotFound", Kind::Rejected, USELESS)]
#[case(404, "JobMissing", Kind::NotFound, USELESS)]
#[case(404, "InvalidApi.NotFound", Kind::Protocol, USELESS)]
#[case(400, "InvalidVersion", Kind::Protocol, USELESS)]
#[case(404, "InvalidRegion.NotFound", Kind::Config, USELESS)]
#[case(400, "Throttling", Kind::Temporary, HARMLESS)]
#[case(429, "Throttling.User", Kind::Temporary, HARMLESS)]
#[case(503, "Throttling.Api", Kind::Temporary, HARMLESS)]
#[case(400, "ThrottlingUser", Kind::Temporary, HARMLESS)]
#[case(429, "Something", Kind::Temporary, HELPFUL)]
#[case(503, "ServiceUnavailable", Kind::Temporary, HELPFUL)]
#[case(400, "ServiceUnavailable", Kind::Temporary, HELPFUL)]
#[case(500, "InternalError", Kind::Temporary, HELPFUL)]
#[case(400, "ResourceAllocateFailed", Kind::Capacity, USELESS)]
#[case(400, "QuotaExceeded", Kind::Capacity, USELESS)]
#[case(400, "EcsSpec.NoStock", Kind::Capacity, USELESS)]
#[case(400, "InvalidQuotaId", Kind::Rejected, USELESS)]
#[case(404, "Quota.NotFound", Kind::NotFound, USELESS)]
#[case(302, "Moved", Kind::Protocol, USELESS)]
fn a_refusal_is_classed_by_status_and_first_word(
    #[case] status: u16,
    #[case] code: &str,
    #[case] kind: Kind,
    #[case] repeat: Repeat,
) {
    let body = json!({"Code": code, "Message": "m", "RequestId": "R-1"}).to_string();
    let (error, advice) = failure("GetJob", &answer(status, &[], &body));
    assert_eq!((error.kind(), advice), (kind, repeat));
    let details = error.details();
    assert_eq!(details.http_status, Some(status));
    assert_eq!(details.provider_code.as_deref(), Some(code));
    assert_eq!(details.request_id.as_deref(), Some("R-1"));
    assert_eq!(details.retryable, kind == Kind::Temporary);
}

#[test]
fn the_recorded_errors_keep_their_codes_and_request_ids() {
    let body = recorded("error-signature").to_string();
    let (error, _) = failure("ListJobs", &answer(400, &[], &body));
    assert_eq!(error.kind(), Kind::Auth);
    assert_eq!(
        error.message(),
        "`ListJobs` was answered with 400: Specified signature does not match our calculation (`SignatureDoesNotMatch`)"
    );
    assert_eq!(
        error.details().request_id.as_deref(),
        Some("2D4C6B8A-0E1F-5A3B-9C5D-7E9F1A3B5C7D")
    );

    let body = recorded("error-not-found").to_string();
    let (error, _) = failure("GetJob", &answer(404, &[], &body));
    assert_eq!(error.kind(), Kind::NotFound);
    assert!(
        error
            .message()
            .contains("Job dlcnosuchjob0000 is not found")
    );

    let body = recorded("error-throttling").to_string();
    let (error, repeat) = failure(
        "CreateJob",
        &answer(429, &[("x-acs-retry-after", "2000")], &body),
    );
    assert_eq!(error.kind(), Kind::Temporary);
    assert_eq!(
        repeat,
        Repeat::HarmlessAndHelpful {
            after: Some(Duration::from_secs(2))
        }
    );

    let body = recorded("error-access-key").to_string();
    let (error, _) = failure("GetJob", &answer(404, &[], &body));
    assert_eq!(error.kind(), Kind::Auth);
    assert!(error.details().hint.is_some());
}

#[test]
fn an_echoed_security_token_is_not_repeated() {
    let body = json!({
        "Code": "SignatureDoesNotMatch",
        "Message": "Specified signature does not match our calculation. server StringToSign is [..] server CanonicalRequest is [x-acs-security-token:CAIS-hunter2]",
    })
    .to_string();
    let (error, _) = failure("GetJob", &answer(400, &[], &body));
    assert!(!format!("{error:?}").contains("hunter2"));
}

#[test]
fn a_clock_that_is_off_is_corrected_from_the_answers_date() {
    let body = json!({"Code": "InvalidTimeStamp.Expired", "Message": "m"}).to_string();
    let dated = answer(400, &[("date", "Tue, 06 Jan 2026 08:09:10 GMT")], &body);
    let (error, repeat) = failure("CreateJob", &dated);
    assert_eq!(error.kind(), Kind::Auth);
    assert_eq!(
        repeat,
        Repeat::WithServerTime("2026-01-06T08:09:10Z".parse().unwrap())
    );
    let hint = error.details().hint.clone().unwrap();
    assert!(hint.contains("2026-01-06T08:09:10Z"), "{hint}");
}

#[rstest]
#[case("2000", Some(2))]
#[case("600000", Some(120))]
#[case("0", None)]
#[case("-5", None)]
#[case("soon", None)]
fn a_wanted_wait_counts_milliseconds_and_has_an_end(
    #[case] text: &'static str,
    #[case] seconds: Option<u64>,
) {
    let after = seconds.map(Duration::from_secs);
    let body = json!({"Code": "Throttling"}).to_string();
    let (_, repeat) = failure(
        "GetJob",
        &answer(400, &[("x-acs-retry-after", text)], &body),
    );
    assert_eq!(repeat, Repeat::HarmlessAndHelpful { after });
}

#[test]
fn any_refusal_that_asks_to_wait_is_throttling() {
    let waits = answer(400, &[("x-acs-retry-after", "500")], r#"{"Code":"Odd"}"#);
    let (error, repeat) = failure("GetJob", &waits);
    assert_eq!(error.kind(), Kind::Temporary);
    assert_eq!(
        repeat,
        Repeat::Helpful {
            after: Some(Duration::from_millis(500))
        }
    );
}

#[test]
fn lower_case_members_and_xml_are_read_too() {
    let body = r#"{"code":"InvalidParameter","message":"bad","requestId":"R-2"}"#;
    let (error, _) = failure("GetJob", &answer(400, &[], body));
    assert_eq!(
        error.details().provider_code.as_deref(),
        Some("InvalidParameter")
    );
    assert_eq!(error.details().request_id.as_deref(), Some("R-2"));

    let xml = "<?xml version='1.0'?><Error><RequestId>R-3</RequestId><Code>NotFound</Code><Message>a &lt;b&gt;</Message></Error>";
    let typed = [("content-type", "text/xml;charset=utf-8")];
    let (error, _) = failure("GetJob", &answer(404, &typed, xml));
    assert_eq!(error.kind(), Kind::NotFound);
    assert!(error.message().contains("a <b>"), "{error}");
    assert_eq!(error.details().request_id.as_deref(), Some("R-3"));
}

#[test]
fn a_web_page_is_not_this_api() {
    let typed = [("content-type", "text/html")];
    for (status, kind, repeat) in [
        (200, Kind::Protocol, USELESS),
        (302, Kind::Protocol, USELESS),
        (400, Kind::Protocol, USELESS),
        (404, Kind::Protocol, USELESS),
        (405, Kind::Protocol, USELESS),
        (403, Kind::Auth, USELESS),
        (407, Kind::Temporary, USELESS),
        (429, Kind::Temporary, HELPFUL),
        (502, Kind::Temporary, HELPFUL),
    ] {
        let page = answer(status, &typed, "<html><body>Sorry</body></html>");
        let (error, advice) = failure("GetJob", &page);
        assert_eq!((error.kind(), advice), (kind, repeat), "{status}");
    }
}

#[test]
fn a_code_inside_200_is_an_error_unless_the_id_is_there() {
    let (error, repeat) = failure(
        "CreateJob",
        &answer(
            200,
            &[],
            r#"{"Code":"InvalidParameter","Message":"m","RequestId":"R"}"#,
        ),
    );
    assert_eq!((error.kind(), repeat), (Kind::Rejected, USELESS));
    let (error, _) = failure("ListJobs", &answer(200, &[], r#"{"Code":"Forbidden.RAM"}"#));
    assert_eq!(error.kind(), Kind::Auth);
    for body in [
        r#"{"JobId":"dlcx","Code":"OK"}"#,
        r#"{"JobId":"dlcx","RequestId":"R"}"#,
        r#"{"RequestId":"R"}"#,
    ] {
        assert_eq!(
            PaiDlcDialect.judge("CreateJob", &answer(200, &[], body)),
            Verdict::Success,
            "{body}"
        );
    }
    assert_eq!(
        PaiDlcDialect.judge("ListJobs", &answer(200, &[], r#"{"Jobs":[],"Code":""}"#)),
        Verdict::Success
    );
    for body in ["", "[]", "null", "oops"] {
        let (error, _) = failure("ListJobs", &answer(200, &[], body));
        assert_eq!(error.kind(), Kind::Protocol, "{body}");
    }
}

#[test]
fn recorded_answers_of_later_verbs_are_successes() {
    for name in ["pod-logs", "job-events"] {
        let body = recorded(name).to_string();
        assert_eq!(
            PaiDlcDialect.judge("GetPodLogs", &answer(200, &[], &body)),
            Verdict::Success,
            "{name}"
        );
    }
}

#[test]
fn a_missing_permission_tells_who_lacked_what() {
    let body = json!({
        "Code": "NoPermission", "Message": "m", "AccessDeniedDetail": {"AuthAction": "pai:CreateJob"},
    })
    .to_string();
    let (error, _) = failure("CreateJob", &answer(403, &[], &body));
    assert!(error.details().causes[0].contains("pai:CreateJob"));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_bytes_panic(
        status in 100_u16..600,
        body in prop::collection::vec(any::<u8>(), 0..200),
        xml in any::<bool>(),
    ) {
        let mut told = answer(status, if xml { &[("content-type", "text/xml")] } else { &[] }, "");
        told.body = body.into();
        drop(PaiDlcDialect.judge("CreateJob", &told));
    }

    #[test]
    fn no_tags_panic(text in "(<Code>|</Code>|<Message>|<Error|[a-z<>/&;]){0,12}") {
        drop(PaiDlcDialect.judge("GetJob", &answer(400, &[("content-type", "text/xml")], &text)));
    }
}
