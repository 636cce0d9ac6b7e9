//! Vectors of pai-dlc.md §2.7 and the cases of style.md §5.

use std::collections::BTreeMap;

use http::Method;
use proptest::prelude::*;
use rstest::rstest;
use serde::Deserialize;

use super::*;
use crate::http::{BaseUrl, Target};

const EMPTY: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

#[derive(Deserialize)]
struct Vector {
    name: String,
    source: String,
    method: String,
    target: String,
    headers: BTreeMap<String, String>,
    body: String,
    secret: String,
    expect: Expected,
}

#[derive(Deserialize)]
struct Expected {
    canonical_request: String,
    string_to_sign: String,
    signature: String,
}

impl Vector {
    fn read(text: &str) -> Self {
        let vector: Self = serde_json::from_str(text).unwrap();
        assert!(
            vector.source.contains("pai-dlc.md §2.7"),
            "{} names no source",
            vector.name
        );
        vector
    }

    fn header_map(&self) -> HeaderMap {
        self.headers
            .iter()
            .map(|(name, value)| {
                (
                    HeaderName::from_bytes(name.as_bytes()).unwrap(),
                    HeaderValue::from_str(value).unwrap(),
                )
            })
            .collect()
    }

    /// A part of the `Authorization` header, such as `Credential`.
    fn authorization(&self, part: &str) -> &str {
        self.headers["Authorization"]
            .split([' ', ','])
            .find_map(|piece| piece.strip_prefix(part)?.strip_prefix('='))
            .unwrap()
    }
}

fn context(now: &str, nonce: &str) -> SignContext {
    SignContext {
        now: now.parse().unwrap(),
        nonce: nonce.to_owned(),
    }
}

fn template(base: &str, method: Method, target: Target) -> Template {
    Template::new("Test", method, &BaseUrl::parse(base).unwrap(), target)
        .with_header(ACTION, HeaderValue::from_static("Test"))
        .with_header(VERSION, HeaderValue::from_static("2020-12-03"))
}

fn key() -> AccessKey {
    AccessKey {
        id: "LTAI5tEXAMPLE".to_owned(),
        secret: Secret::new("exampleSecret"),
        token: None,
    }
}

fn any_context() -> SignContext {
    context("2026-01-06T08:09:10Z", "8f14e45fceea167a5a36dedd4bea2543")
}

#[rstest]
#[case::doc_0(include_str!("../../../tests/vectors/acs3-doc-0.json"))]
#[case::doc_1(include_str!("../../../tests/vectors/acs3-doc-1.json"))]
#[case::doc_2(include_str!("../../../tests/vectors/acs3-doc-2.json"))]
#[case::doc_3(include_str!("../../../tests/vectors/acs3-doc-3.json"))]
fn a_published_vector_is_reproduced_with_its_own_set_of_signed_headers(#[case] text: &str) {
    let vector = Vector::read(text);
    let names = vector.authorization("SignedHeaders").to_owned();
    let payload_hash = hash(vector.body.as_bytes());
    assert_eq!(vector.headers["x-acs-content-sha256"], payload_hash);

    let canonical = canonical_request(
        &vector.method,
        &vector.target,
        &vector.header_map(),
        |name| names.split(';').any(|signed| signed == name),
        &payload_hash,
    )
    .unwrap();
    assert_eq!(canonical.text, vector.expect.canonical_request);
    assert_eq!(canonical.signed_headers, names);
    let string = string_to_sign(&canonical.text);
    assert_eq!(string, vector.expect.string_to_sign);
    let made = signature(&Secret::new(vector.secret.as_str()), &string).unwrap();
    assert_eq!(made, vector.expect.signature);
    assert_eq!(made, vector.authorization("Signature"));
}

#[rstest]
#[case::doc_0(include_str!("../../../tests/vectors/acs3-doc-0.json"))]
#[case::doc_1(include_str!("../../../tests/vectors/acs3-doc-1.json"))]
fn the_signer_makes_the_header_of_a_vector_that_signs_the_go_set(#[case] text: &str) {
    let vector = Vector::read(text);
    let base = BaseUrl::parse(&format!("https://{}", vector.headers["host"])).unwrap();
    let method = Method::from_bytes(vector.method.as_bytes()).unwrap();
    let mut template = Template::new("Vector", method, &base, Target::new(&vector.target));
    for name in [ACTION, VERSION] {
        let value = HeaderValue::from_str(&vector.headers[name.as_str()]).unwrap();
        template = template.with_header(name, value);
    }
    let acs3 = Acs3::new(&AccessKey {
        id: vector.authorization("Credential").to_owned(),
        secret: Secret::new(vector.secret.as_str()),
        token: None,
    })
    .unwrap();
    let context = context(
        &vector.headers["x-acs-date"],
        &vector.headers["x-acs-signature-nonce"],
    );
    let signed = acs3.sign(&template, &context).unwrap();
    let authorization = signed.headers().get(AUTHORIZATION).unwrap();
    assert_eq!(authorization, vector.headers["Authorization"].as_str());
    assert!(authorization.is_sensitive());
    for (name, value) in &vector.headers {
        assert_eq!(
            signed.headers().get(name).unwrap(),
            value.as_str(),
            "{name}"
        );
    }
    assert_eq!(
        acs3.canonical(&template, &context).unwrap(),
        vector.expect.canonical_request
    );
}

#[test]
fn a_temporary_key_sends_and_signs_its_token_and_id() {
    let vector = Vector::read(include_str!("../../../tests/vectors/acs3-doc-3.json"));
    let acs3 = Acs3::new(&AccessKey {
        id: vector.headers["x-acs-accesskey-id"].clone(),
        secret: Secret::new(vector.secret.as_str()),
        token: Some(Secret::new(vector.headers["x-acs-security-token"].as_str())),
    })
    .unwrap();
    let template = template("https://h", Method::POST, Target::new("/stop"));
    let signed = acs3.sign(&template, &any_context()).unwrap();
    let token = signed.headers().get(SECURITY_TOKEN).unwrap();
    assert_eq!(token, vector.headers["x-acs-security-token"].as_str());
    assert!(token.is_sensitive());
    let authorization = signed.headers().get(AUTHORIZATION).unwrap();
    assert!(authorization.to_str().unwrap().contains(
        "SignedHeaders=host;x-acs-accesskey-id;x-acs-action;x-acs-content-sha256;x-acs-date;\
         x-acs-security-token;x-acs-signature-nonce;x-acs-version,"
    ));

    let canonical = acs3.canonical(&template, &any_context()).unwrap();
    assert!(canonical.contains("\nx-acs-security-token:<masked>\n"));
    assert!(!canonical.contains("CAISexampleToken"));
    assert!(!format!("{acs3:?}").contains("CAIS"));
}

#[test]
fn an_empty_body_has_the_hash_of_nothing_and_no_content_type() {
    let template = template("https://h", Method::POST, Target::new("/x"));
    let acs3 = Acs3::new(&key()).unwrap();
    let signed = acs3.sign(&template, &any_context()).unwrap();
    assert_eq!(signed.headers().get(CONTENT_HASH).unwrap(), EMPTY);
    assert!(!signed.headers().contains_key("content-type"));
    let canonical = acs3.canonical(&template, &any_context()).unwrap();
    assert!(
        canonical.starts_with("POST\n/x\n\nhost:h\nx-acs-action:Test\n"),
        "{canonical}"
    );
    assert!(canonical.ends_with(EMPTY));
}

#[test]
fn a_body_that_is_not_ascii_is_hashed_as_its_bytes_and_its_type_is_signed() {
    let body = serde_json::json!({ "UserCommand": "echo 训练 ✓" });
    let template = template("https://h", Method::POST, Target::new("/x"))
        .with_json("application/json; charset=utf-8", &body)
        .unwrap();
    let acs3 = Acs3::new(&key()).unwrap();
    let signed = acs3.sign(&template, &any_context()).unwrap();
    // printf '%s' '{"UserCommand":"echo 训练 ✓"}' | sha256sum
    assert_eq!(
        signed.headers().get(CONTENT_HASH).unwrap(),
        "3fb827f928af2cbf59027ad9d088bbf6254d25731a5b9db2c8805e37b6a6e67a"
    );
    let canonical = acs3.canonical(&template, &any_context()).unwrap();
    assert!(canonical.contains("\ncontent-type:application/json; charset=utf-8\nhost:h\n"));
}

#[test]
fn every_reserved_character_is_encoded_in_path_and_query() {
    let reserved = ":/?#[]@!$&'()*+,;= %\"<>^`{|}~é";
    let encoded = "%3A%2F%3F%23%5B%5D%40%21%24%26%27%28%29%2A%2B%2C%3B%3D%20%25%22%3C%3E%5E%60%7B%7C%7D~%C3%A9";
    let target = Target::new("/jobs").segment(reserved).query("a", reserved);
    let template = template("https://h/prefix", Method::GET, target);
    let canonical = Acs3::new(&key())
        .unwrap()
        .canonical(&template, &any_context())
        .unwrap();
    let mut lines = canonical.lines();
    assert_eq!(lines.next(), Some("GET"));
    assert_eq!(lines.next().unwrap(), format!("/prefix/jobs/{encoded}"));
    assert_eq!(lines.next().unwrap(), format!("a={encoded}"));
}

#[rstest]
#[case::sorted_by_byte_value("/?a=1&B=2&b=3&A=4", "A=4&B=2&a=1&b=3")]
#[case::empty_values("/?b=&a", "a=&b=")]
#[case::form_encoding("/?q=a+b%2Bc%20d", "q=a%20b%2Bc%20d")]
#[case::lower_case_escapes("/?q=%e8%a7%86", "q=%E8%A7%86")]
#[case::a_value_with_an_equals_sign("/?q=a=b", "q=a%3Db")]
#[case::nothing_behind_the_mark("/?", "")]
fn the_query_has_one_canonical_form(#[case] target: &str, #[case] expected: &str) {
    let canonical = canonical_request("GET", target, &HeaderMap::new(), |_| true, EMPTY).unwrap();
    assert_eq!(canonical.text, format!("GET\n/\n{expected}\n\n\n{EMPTY}"));
}

#[rstest]
#[case::a_name_given_twice("/?a=1&b=2&a=3")]
#[case::a_name_given_twice_in_two_spellings("/?a=1&%61=3")]
#[case::a_broken_escape("/?a=%zz")]
#[case::bytes_that_are_not_utf_8("/?a=%ff")]
fn a_query_without_a_canonical_form_is_refused(#[case] target: &str) {
    let refused = canonical_request("GET", target, &HeaderMap::new(), |_| true, EMPTY);
    assert!(matches!(refused, Err(SignError::Request(_))), "{refused:?}");
    let template = template("https://h", Method::GET, Target::new(target));
    assert!(
        Acs3::new(&key())
            .unwrap()
            .sign(&template, &any_context())
            .is_err()
    );
}

#[test]
fn an_empty_path_is_a_slash() {
    let canonical = canonical_request("GET", "", &HeaderMap::new(), |_| true, EMPTY).unwrap();
    assert!(canonical.text.starts_with("GET\n/\n\n"));
}

#[test]
fn the_port_is_part_of_the_host_unless_it_is_the_usual_one() {
    for (base, host) in [
        ("https://h.example:8443", "h.example:8443"),
        ("https://h.example:443", "h.example"),
        ("http://127.0.0.1:9000", "127.0.0.1:9000"),
    ] {
        let template = template(base, Method::GET, Target::new("/x"));
        let signed = Acs3::new(&key())
            .unwrap()
            .sign(&template, &any_context())
            .unwrap();
        assert_eq!(signed.headers().get(HOST).unwrap(), host);
    }
}

#[test]
fn header_values_are_trimmed_and_several_of_one_name_are_sorted_and_joined() {
    let mut headers = HeaderMap::new();
    headers.append("x-acs-b", HeaderValue::from_static("  two  words "));
    headers.append("x-acs-a", HeaderValue::from_static("z"));
    headers.append("x-acs-a", HeaderValue::from_static(" y"));
    headers.append("accept", HeaderValue::from_static("*/*"));
    let canonical = canonical_request("GET", "/", &headers, is_signed_by_go, EMPTY).unwrap();
    assert_eq!(
        canonical.text,
        format!("GET\n/\n\nx-acs-a:y,z\nx-acs-b:two  words\n\nx-acs-a;x-acs-b\n{EMPTY}")
    );
}

#[test]
fn a_fraction_of_a_second_does_not_travel() {
    let template = template("https://h", Method::GET, Target::new("/x"));
    let signed = Acs3::new(&key())
        .unwrap()
        .sign(&template, &context("2026-01-06T08:09:10.987654Z", "n"))
        .unwrap();
    assert_eq!(signed.headers().get(DATE).unwrap(), "2026-01-06T08:09:10Z");
}

#[rstest]
#[case::no_id("", "s", None, SignError::EmptyCredential)]
#[case::no_secret("i", " \n", None, SignError::EmptyCredential)]
#[case::an_empty_token("i", "s", Some(""), SignError::EmptyCredential)]
#[case::a_line_feed_in_the_token("i", "s", Some("a\nb"), SignError::UnsendableCredential)]
fn a_key_that_cannot_travel_is_refused(
    #[case] id: &str,
    #[case] secret: &str,
    #[case] token: Option<&str>,
    #[case] expected: SignError,
) {
    let refused = Acs3::new(&AccessKey {
        id: id.to_owned(),
        secret: Secret::new(secret),
        token: token.map(Secret::new),
    });
    assert_eq!(refused.unwrap_err(), expected);
}

#[test]
fn a_template_without_action_or_version_is_refused_and_stays_as_it_was() {
    let base = BaseUrl::parse("https://h").unwrap();
    let template = Template::new("ListJobs", Method::GET, &base, Target::new("/x"));
    let refused = Acs3::new(&key())
        .unwrap()
        .sign(&template, &any_context())
        .unwrap_err();
    assert!(
        refused
            .to_string()
            .contains("`ListJobs` has no header `x-acs-action`")
    );
    assert_eq!(template.headers.len(), 1);
}

#[test]
fn each_signed_part_changes_the_signature() {
    let plain = || template("https://h", Method::GET, Target::new("/x").query("a", "1"));
    let signed_with = |template: &Template, context: &SignContext, key: &AccessKey| {
        let signed = Acs3::new(key).unwrap().sign(template, context).unwrap();
        signed.headers().get(AUTHORIZATION).unwrap().clone()
    };
    let original = signed_with(&plain(), &any_context(), &key());
    let mut other_action = plain();
    other_action
        .headers
        .insert(ACTION, HeaderValue::from_static("Tess"));
    let mut with_body = plain();
    with_body.body = Some("x".into());
    let mut other_method = plain();
    other_method.method = Method::PUT;
    let templates = [
        template("https://i", Method::GET, Target::new("/x").query("a", "1")),
        template("https://h", Method::GET, Target::new("/y").query("a", "1")),
        template("https://h", Method::GET, Target::new("/x").query("a", "2")),
        template("https://h", Method::GET, Target::new("/x").query("b", "1")),
        other_action,
        other_method,
        with_body,
    ];
    for changed in &templates {
        assert_ne!(signed_with(changed, &any_context(), &key()), original);
    }
    let later = context("2026-01-06T08:09:11Z", &any_context().nonce);
    assert_ne!(signed_with(&plain(), &later, &key()), original);
    let fresh = context("2026-01-06T08:09:10Z", "other");
    assert_ne!(signed_with(&plain(), &fresh, &key()), original);
    let other_key = AccessKey {
        secret: Secret::new("exampleSecreu"),
        ..key()
    };
    assert_ne!(signed_with(&plain(), &any_context(), &other_key), original);
}

proptest! {
    #[test]
    fn the_canonical_form_does_not_depend_on_the_order_of_parameters(
        pairs in proptest::collection::btree_map("[A-Za-z ü+&=]{1,6}", ".{0,8}", 0..6),
    ) {
        let forward = pairs
            .iter()
            .fold(Target::new("/x"), |target, (name, value)| target.query(name, value));
        let backward = pairs
            .iter()
            .rev()
            .fold(Target::new("/x"), |target, (name, value)| target.query(name, value));
        let canonical = |target: &Target| {
            canonical_request("GET", target.as_str(), &HeaderMap::new(), |_| true, EMPTY).unwrap()
        };
        prop_assert_eq!(canonical(&forward), canonical(&backward));
    }

    #[test]
    fn no_target_makes_it_panic(target in ".*") {
        let outcome = canonical_request("GET", &target, &HeaderMap::new(), |_| true, EMPTY);
        prop_assert!(outcome.is_ok() || matches!(outcome, Err(SignError::Request(_))));
    }
}
