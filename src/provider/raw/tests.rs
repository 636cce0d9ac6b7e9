use rstest::rstest;

use super::*;

const LOOSE: Manner = Manner {
    content_type: "application/json",
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
