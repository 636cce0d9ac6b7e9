use http::{HeaderMap, StatusCode};
use rstest::rstest;

use crate::ambient::SystemClock;
use crate::http::dialect::{Dialect, Verdict};
use crate::provider::{cyclecloud, gongji, pai_dlc, paracloud};

use super::*;

const LOOSE: Manner = Manner {
    content_type: "application/json",
    types_every_write: false,
    enveloped: None,
    signed: &["authorization"],
    fixed: &[],
    takes_action: false,
    is_canonical: false,
};
const CANONICAL: Manner = Manner {
    is_canonical: true,
    takes_action: true,
    ..LOOSE
};

fn wire(text: &str, parameters: &[(&str, &str)], manner: Manner) -> String {
    let parameters: Vec<_> = parameters
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
    RawPath::parse(text, &parameters)
        .unwrap()
        .target(manner)
        .as_str()
        .to_owned()
}

#[rstest]
#[case::of_the_issue("/api/v1/jobs?DisplayName=a b+c", "/api/v1/jobs?DisplayName=a%20b%2Bc")]
#[case::escapes_are_escapes("/jobs?x=a%20b%2Bc%2fd", "/jobs?x=a%20b%2Bc%2Fd")]
#[case::a_percent_alone_is_one("/jobs?x=100%&y=%zz", "/jobs?x=100%25&y=%25zz")]
#[case::no_value("/jobs?a&b=&&c==", "/jobs?a=&b=&c=%3D")]
#[case::an_escaped_slash_stays_one("/d/a%2fb%25/c", "/d/a%2Fb%25/c")]
#[case::needless_escapes("/%6Aobs/%7Ex", "/jobs/~x")]
#[case::a_verb_behind_a_colon("/groups/g1:cancel", "/groups/g1:cancel")]
#[case::beyond_ascii("/训练?名=值#1", "/%E8%AE%AD%E7%BB%83?%E5%90%8D=%E5%80%BC%231")]
#[case::blanks_and_quotes("/a b/\"c\"", "/a%20b/%22c%22")]
#[case::the_root("/", "/")]
#[case::a_slash_at_the_end("/operations/", "/operations/")]
fn a_target_is_encoded_once(#[case] text: &str, #[case] expected: &str) {
    assert_eq!(wire(text, &[], LOOSE), expected);
}

#[test]
fn parameters_are_literal_and_come_last() {
    assert_eq!(
        wire("/jobs?b=1", &[("a", "50%25"), ("b", "x+y")], LOOSE),
        "/jobs?b=1&a=50%2525&b=x%2By"
    );
}

#[test]
fn the_canonical_form_is_sorted_and_strict() {
    assert_eq!(
        wire("/api/a:b?b=1&B=2", &[("a", "")], CANONICAL),
        "/api/a%3Ab?B=2&a=&b=1"
    );
}

#[rstest]
#[case("api/v1/jobs")]
#[case("https://host/api")]
#[case("")]
#[case("/a/../b")]
#[case("/a/%2e%2E/b")]
#[case("/a/%ff")]
#[case("/a?x=%ff")]
fn what_is_no_path_is_a_usage_error(#[case] text: &str) {
    let error = RawPath::parse(text, &[]).unwrap_err();
    assert_eq!((error.kind(), error.code()), (Kind::Usage, "bad_path"));
}

proptest::proptest! {
    #[test]
    fn nothing_leaves_unencoded(path in ".*", query in ".*") {
        if let Ok(parsed) = RawPath::parse(&format!("/{path}?{query}"), &[]) {
            let target = parsed.target(LOOSE);
            let again = RawPath::parse(target.as_str(), &[]).unwrap().target(LOOSE);
            proptest::prop_assert_eq!(target.as_str(), again.as_str());
            let url = url::Url::parse(&format!("https://h{}", target.as_str())).unwrap();
            let sent = match url.query() {
                Some(query) => format!("{}?{query}", url.path()),
                None => url.path().to_owned(),
            };
            proptest::prop_assert_eq!(target.as_str(), sent);
        }
    }
}

fn of<D: Dialect + Default + 'static>() -> Arc<dyn Dialect> {
    Arc::new(D::default())
}

/// The four dialects, each with the error envelope of its backend.
fn dialects() -> [(Arc<dyn Dialect>, &'static str); 4] {
    let gongji = gongji::GongjiDialect::new(Vec::new(), false, Arc::new(SystemClock));
    [
        (
            of::<paracloud::ParacloudDialect>(),
            r#"{"code":7,"message":"no"}"#,
        ),
        (
            of::<cyclecloud::CyclecloudDialect>(),
            r#"{"Code":7,"Message":"no"}"#,
        ),
        (Arc::new(gongji), r#"{"code":"C999","message":"no"}"#),
        (
            of::<pai_dlc::PaiDlcDialect>(),
            r#"{"Code":"NotFound","Message":"no"}"#,
        ),
    ]
}

fn exit_code(
    dialect: &Arc<dyn Dialect>,
    method: &Method,
    status: u16,
    content_type: &'static str,
    body: &str,
) -> u8 {
    let plain = Plain {
        dialect: Arc::clone(dialect),
        is_head: *method == Method::HEAD,
        wants_envelope: false,
    };
    let content_type = HeaderValue::from_static(content_type);
    let answer = Answer {
        status: StatusCode::from_u16(status).unwrap(),
        headers: HeaderMap::from_iter([(http::header::CONTENT_TYPE, content_type)]),
        body: body.to_owned().into(),
    };
    match plain.judge(OPERATION, &answer) {
        Verdict::Success => 0,
        Verdict::Failure { error, .. } => error.kind().exit_code(),
    }
}

/// The table of cli.md §10, the same for all four: the status, and the code for JSON, a web page, text and nothing.
#[rstest]
#[case(302, [87; 4])]
#[case(304, [87; 4])]
#[case(400, [93, 87, 93, 93])]
#[case(401, [84; 4])]
#[case(403, [84; 4])]
#[case(404, [82, 87, 87, 87])]
#[case(405, [93, 87, 87, 87])]
#[case(407, [86; 4])]
#[case(408, [86; 4])]
#[case(409, [93, 87, 93, 93])]
#[case(410, [93, 87, 87, 87])]
#[case(415, [93, 87, 93, 93])]
#[case(422, [93, 87, 93, 93])]
#[case(425, [86; 4])]
#[case(429, [86; 4])]
#[case(451, [93, 87, 93, 93])]
#[case(500, [86; 4])]
#[case(503, [86; 4])]
fn the_status_decides_alike_on_all_four(#[case] status: u16, #[case] codes: [u8; 4]) {
    for (dialect, envelope) in dialects() {
        let shapes = [
            ("application/json", envelope),
            ("text/html", "<!DOCTYPE html><p>no"),
            ("text/plain", "404: Page Not Found"),
            ("application/json", ""),
        ];
        let told = shapes.map(|(kind, body)| exit_code(&dialect, &Method::GET, status, kind, body));
        assert_eq!(told, codes, "{dialect:?}");
    }
}

#[test]
fn the_content_type_stands_for_the_body_that_a_head_has_not() {
    for (dialect, _) in dialects() {
        let told = |status, kind| exit_code(&dialect, &Method::HEAD, status, kind, "");
        assert_eq!(
            told(404, "application/json;charset=utf-8"),
            82,
            "{dialect:?}"
        );
        assert_eq!(told(404, "text/plain"), 87, "{dialect:?}");
        assert_eq!(told(400, "application/json"), 93, "{dialect:?}");
        assert_eq!(told(200, "application/json"), 0, "{dialect:?}");
        assert_eq!(told(200, "text/html"), 87, "{dialect:?}");
    }
}

#[rstest]
#[case(404, "InvalidAccessKeyId.NotFound", 84)]
#[case(400, "SignatureDoesNotMatch", 84)]
#[case(400, "Throttling.User", 86)]
#[case(400, "ResourceAllocateFailed", 83)]
#[case(409, "QuotaExceeded", 83)]
#[case(400, "NotFound", 93)]
#[case(404, "InvalidApi.NotFound", 82)]
#[case(404, "InvalidRegion.NotFound", 82)]
#[case(400, "UnsupportedHTTPMethod", 93)]
#[case(400, "InvalidVersion", 93)]
#[case(302, "Forbidden.RAM", 87)]
fn codes_of_credentials_room_and_rate_say_more_than_a_refusal(
    #[case] status: u16,
    #[case] code: &str,
    #[case] expected: u8,
) {
    let dialect = of::<pai_dlc::PaiDlcDialect>();
    let body = format!(r#"{{"RequestId":"R","Code":"{code}","Message":"no"}}"#);
    let told = exit_code(&dialect, &Method::GET, status, "application/json", &body);
    assert_eq!(told, expected);
}
