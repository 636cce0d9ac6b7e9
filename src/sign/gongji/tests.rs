//! The check values of gongji.md §1.4 and the cases of style.md §5.

use http::Method;
use rstest::rstest;
use serde::Deserialize;
use sha2::{Digest, Sha256};

use super::*;
use crate::http::{BaseUrl, Target};
use crate::model::Timestamp;
use crate::sign::hex;

const TOKEN_TEXT: &str = "11111111-2222-3333-4444-555555555555-20260401120000";

#[derive(Deserialize)]
struct Vector {
    source: String,
    method: String,
    target: String,
    timestamp: String,
    token: String,
    body: String,
    canonical_length: usize,
    canonical_sha256: String,
    sign_str: String,
}

fn data(name: &str) -> String {
    let path = format!("{}/tests/vectors/{name}", env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(path).unwrap()
}

fn key() -> Secret {
    Secret::new(data("keys/rsa-2048-pkcs8.pem"))
}

fn rsa() -> GongjiSigner {
    GongjiSigner::new(&Secret::new(TOKEN_TEXT), Some(&key())).unwrap()
}

fn simple() -> GongjiSigner {
    GongjiSigner::new(&Secret::new(TOKEN_TEXT), None).unwrap()
}

fn at(milliseconds: &str) -> SignContext {
    SignContext {
        now: Timestamp::from_millisecond(milliseconds.parse().unwrap()).unwrap(),
        nonce: "8f14e45fceea167a5a36dedd4bea2543".to_owned(),
    }
}

fn template(base: &str, method: Method, target: Target, body: &str) -> Template {
    let base = BaseUrl::parse(base).unwrap();
    let mut template = Template::new("test", method, &base, target);
    if !body.is_empty() {
        template.body = Some(body.to_owned().into());
    }
    template
}

fn sign_str(signer: &GongjiSigner, template: &Template, context: &SignContext) -> String {
    let request = signer.sign(template, context).unwrap();
    request.headers()["sign_str"].to_str().unwrap().to_owned()
}

#[rstest]
#[case("gongji-get-detail.json")]
#[case("gongji-get-search-with-raw-comma.json")]
#[case("gongji-post-stop.json")]
#[case("gongji-get-billing-with-encoded-plus.json")]
fn the_contracts_check_values_reproduce(#[case] file: &str) {
    let vector: Vector = serde_json::from_str(&data(file)).unwrap();
    assert!(vector.source.contains("gongji.md §1.4"));
    let text = string_to_sign(
        &vector.target,
        &vector.timestamp,
        &vector.token,
        vector.body.as_bytes(),
    );
    assert_eq!(text.len(), vector.canonical_length);
    assert_eq!(hex::encode(&Sha256::digest(&text)), vector.canonical_sha256);
    // And through the signer, with the signature that openssl makes.
    let request = template(
        "https://openapi.suanli.cn",
        vector.method.parse().unwrap(),
        Target::new(&vector.target),
        &vector.body,
    );
    assert_eq!(vector.token, TOKEN_TEXT);
    let context = at(&vector.timestamp);
    assert_eq!(sign_str(&rsa(), &request, &context), vector.sign_str);
    let shown = rsa().canonical(&request, &context).unwrap();
    let full = String::from_utf8(text.to_vec()).unwrap();
    assert_eq!(shown, full.replace(TOKEN_TEXT, "<masked>"));
}

#[test]
fn a_simple_token_goes_with_its_time_and_without_a_signature() {
    let request = template("https://h.example", Method::GET, Target::new("/api/x"), "");
    let signed = simple().sign(&request, &at("1775016000007")).unwrap();
    let headers = signed.headers();
    assert_eq!(headers["token"], TOKEN_TEXT);
    assert!(headers["token"].is_sensitive());
    assert_eq!(headers["timestamp"], "1775016000007");
    assert_eq!(headers["version"], "1.0.0");
    assert!(!headers.contains_key("sign_str"));
    assert_eq!(headers["accept"], "application/json");
    assert_eq!(simple().canonical(&request, &at("1775016000007")), None);
    assert!(!simple().signs() && rsa().signs());
}

#[test]
fn the_target_is_signed_as_it_travels() {
    let target = Target::new("/api/task/job/search")
        .query("search_value", "a b,c:d+é/?&=#%")
        .query("empty", "")
        .query("twice", "1")
        .query("twice", "1");
    let request = template("https://h.example:8443/prefix/", Method::GET, target, "");
    let context = at("1775016000000");
    let expected = string_to_sign(
        "/prefix/api/task/job/search?search_value=a%20b%2Cc%3Ad%2B%C3%A9%2F%3F%26%3D%23%25&empty=&twice=1&twice=1",
        "1775016000000",
        TOKEN_TEXT,
        b"",
    );
    assert_eq!(
        sign_str(&rsa(), &request, &context),
        RsaKey::parse(&key()).unwrap().sign(&expected).unwrap()
    );
}

#[test]
fn every_part_changes_the_signature() {
    let base = "https://h.example";
    let make = |target: &str, body: &str| template(base, Method::POST, Target::new(target), body);
    let context = at("1775016000000");
    let other_token = GongjiSigner::new(&Secret::new("other"), Some(&key())).unwrap();
    let mut seen = vec![
        sign_str(&rsa(), &make("/api/a", "{}"), &context),
        sign_str(&rsa(), &make("/api/b", "{}"), &context),
        sign_str(&rsa(), &make("/api/a?x=1", "{}"), &context),
        sign_str(&rsa(), &make("/api/a", "{ }"), &context),
        sign_str(&rsa(), &make("/api/a", ""), &context),
        sign_str(&rsa(), &make("/api/a", "{\"名\":\"é\"}"), &context),
        sign_str(&rsa(), &make("/api/a", "{}"), &at("1775016000001")),
        sign_str(&other_token, &make("/api/a", "{}"), &context),
    ];
    let count = seen.len();
    seen.sort();
    seen.dedup();
    assert_eq!(seen.len(), count);
}

#[test]
fn a_body_is_signed_byte_by_byte_and_shown_without_its_secrets() {
    let body = r#"{"名":"é","repository_account":{"repository_password":"hunter2"}}"#;
    let request = template(
        "https://h.example",
        Method::POST,
        Target::new("/api/a"),
        body,
    );
    let context = at("1775016000000");
    let expected = string_to_sign("/api/a", "1775016000000", TOKEN_TEXT, body.as_bytes());
    assert_eq!(
        sign_str(&rsa(), &request, &context),
        RsaKey::parse(&key()).unwrap().sign(&expected).unwrap()
    );
    let shown = rsa().canonical(&request, &context).unwrap();
    assert!(
        shown.contains("\"名\":\"é\"") && !shown.contains("hunter2"),
        "{shown}"
    );
    assert!(!shown.contains(TOKEN_TEXT));
}

#[rstest]
#[case::nothing(" \n", SignError::EmptyCredential)]
#[case::a_space_inside("one two", SignError::UnsendableCredential)]
#[case::a_letter_that_is_not_ascii("tökén", SignError::UnsendableCredential)]
fn a_token_that_cannot_travel_is_refused(#[case] token: &str, #[case] expected: SignError) {
    assert_eq!(
        GongjiSigner::new(&Secret::new(token), None).unwrap_err(),
        expected
    );
}

#[test]
fn a_wrong_key_is_refused_before_anything_is_sent() {
    let public = Secret::new(data("keys/rsa-public.pem"));
    let error = GongjiSigner::new(&Secret::new("t"), Some(&public)).unwrap_err();
    assert!(matches!(&error, SignError::Key(message) if message.contains("public key")));
    let error = crate::Error::from(error);
    assert_eq!(
        (error.kind(), error.code()),
        (crate::Kind::Config, "bad_key")
    );
}

#[test]
fn debug_shows_nothing() {
    assert_eq!(format!("{:?}", rsa()), "GongjiSigner { signs: true, .. }");
}
