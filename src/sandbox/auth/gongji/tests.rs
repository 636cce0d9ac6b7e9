use http::{HeaderMap, HeaderName, HeaderValue, Method};
use ring::rand::SystemRandom;
use ring::signature::{RSA_PKCS1_SHA256, RSA_PKCS1_SHA512, RsaEncoding, RsaKeyPair};
use rstest::rstest;
use serde::Deserialize;
use sha2::{Digest, Sha256};

use super::*;

const PRIVATE: &str = include_str!("../../api/gongji/data/public-test-key.private.pem");
const PUBLIC: &str = include_str!("../../api/gongji/data/public-test-key.public.pem");
const UNKNOWN: &str =
    include_str!("../../../../tests/vectors/gongji/public-test-key-unknown.private.pem");
const VECTORS: &str = include_str!("../../../../tests/vectors/gongji/signed-requests.json");

const TOKEN: &str = "11111111-2222-3333-4444-555555555555-20260401120000";
const SECOND_TOKEN: &str = "22222222-2222-3333-4444-555555555555-20260401120000";
const SIMPLE_TOKEN: &str = "33333333-2222-3333-4444-555555555555-20260401120000";
const TARGET: &str = "/api/task/job/search?status=Running,Pending&search_value=a%20b&page=1";
const STAMP: &str = "1775016000001";

#[derive(Deserialize)]
struct Vectors {
    token: String,
    version: String,
    #[serde(rename = "vectors")]
    requests: Vec<Vector>,
}

#[derive(Deserialize)]
struct Vector {
    method: String,
    target: String,
    timestamp: String,
    body: String,
    length: usize,
    sha256: String,
    sign_str: String,
}

fn keys() -> Vec<ApiKey> {
    let key = |token: &str, mode| ApiKey {
        token: Secret::new(token),
        tenant: token.chars().take(8).collect(),
        mode,
    };
    let public = PublicKey::from_pem(PUBLIC).unwrap();
    vec![
        key(TOKEN, Mode::Rsa(public.clone())),
        key(SECOND_TOKEN, Mode::Rsa(public)),
        key(SIMPLE_TOKEN, Mode::Simple),
    ]
}

fn now() -> Timestamp {
    Timestamp::from_millisecond(STAMP.parse().unwrap()).unwrap()
}

fn sign_with(pem: &str, scheme: &'static dyn RsaEncoding, text: &[u8]) -> String {
    let block = pem.split("-----").nth(2).unwrap();
    let der = STANDARD
        .decode(block.split_whitespace().collect::<String>())
        .unwrap();
    let pair = RsaKeyPair::from_pkcs8(&der).unwrap();
    let mut signature = vec![0; pair.public().modulus_len()];
    pair.sign(scheme, &SystemRandom::new(), text, &mut signature)
        .unwrap();
    STANDARD.encode(signature)
}

fn sign(text: &str) -> String {
    sign_with(PRIVATE, &RSA_PKCS1_SHA256, text.as_bytes())
}

fn request(method: &str, target: &str, headers: &[(&str, &str)], body: &str) -> RawRequest {
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        map.append(
            HeaderName::from_bytes(name.as_bytes()).unwrap(),
            HeaderValue::from_str(value).unwrap(),
        );
    }
    RawRequest {
        method: Method::from_bytes(method.as_bytes()).unwrap(),
        target: target.to_owned(),
        headers: map,
        body: body.to_owned().into(),
        upload: None,
    }
}

/// A request whose signature is over `text`, whatever was sent.
fn signed_over(text: &str, target: &str, body: &str) -> RawRequest {
    let signature = sign(text);
    request(
        "GET",
        target,
        &[
            ("host", "127.0.0.1:9"),
            ("token", TOKEN),
            ("timestamp", STAMP),
            ("version", VERSION),
            ("sign_str", &signature),
        ],
        body,
    )
}

fn text(target: &str, timestamp: &str, body: &str) -> String {
    format!("{target}\n1.0.0\n{timestamp}\n{TOKEN}\n{body}")
}

fn check(request: &RawRequest) -> Result<String, Fault> {
    check_with(request, Tolerance::default())
}

fn check_with(request: &RawRequest, tolerance: Tolerance) -> Result<String, Fault> {
    verify(request, now(), &keys(), tolerance).map(|key| key.tenant.clone())
}

#[test]
fn the_contracts_check_values_are_let_in() {
    let vectors: Vectors = serde_json::from_str(VECTORS).unwrap();
    assert_eq!(vectors.requests.len(), 4);
    for vector in &vectors.requests {
        let canonical = Signed {
            target: &vector.target,
            version: &vectors.version,
            timestamp: &vector.timestamp,
            token: &vectors.token,
            body: vector.body.as_bytes(),
        }
        .text();
        let digest = crate::sandbox::auth::acs3::hex(&Sha256::digest(&canonical));
        assert_eq!(
            (canonical.len(), digest.as_str()),
            (vector.length, vector.sha256.as_str())
        );
        let request = request(
            &vector.method,
            &vector.target,
            &[
                ("token", &vectors.token),
                ("timestamp", &vector.timestamp),
                ("version", &vectors.version),
                ("sign_str", &vector.sign_str),
            ],
            &vector.body,
        );
        assert_eq!(check(&request), Ok("11111111".to_owned()));
    }
}

/// Each part that is changed after the signing, and the code of its refusal. The method is not signed: a request with
/// another one is refused by the route.
#[rstest]
#[case::path(
    "target",
    "/api/task/job/detail?status=Running,Pending&search_value=a%20b&page=1",
    "C004"
)]
#[case::query(
    "target",
    "/api/task/job/search?status=Running,Pending&search_value=a%20b&page=2",
    "C004"
)]
#[case::query_order(
    "target",
    "/api/task/job/search?page=1&status=Running,Pending&search_value=a%20b",
    "C004"
)]
#[case::query_encoding(
    "target",
    "/api/task/job/search?status=Running%2CPending&search_value=a%20b&page=1",
    "C004"
)]
#[case::no_query("target", "/api/task/job/search", "C004")]
#[case::body("body", "{}", "C004")]
#[case::timestamp("timestamp", "1775016000002", "C004")]
#[case::old("timestamp", "1775015700001", "C001")]
#[case::far("timestamp", "1775016300001", "C001")]
#[case::seconds("timestamp", "1775016000", "C001")]
#[case::text("timestamp", "17750160000x1", "C001")]
#[case::no_timestamp("timestamp", "", "C001")]
#[case::version("version", "0.0.1", "C002")]
#[case::other_token("token", SECOND_TOKEN, "C004")]
#[case::unknown_token("token", "44444444-2222-3333-4444-555555555555-20260401120000", "C003")]
#[case::empty_token("token", "", "C003")]
#[case::simple_token("token", SIMPLE_TOKEN, "C004")]
#[case::no_signature("sign_str", "", "C004")]
#[case::no_base64("sign_str", "not base64!", "C004")]
#[case::short_signature("sign_str", "AAAA", "C004")]
fn a_part_that_was_changed_after_signing_is_refused(
    #[case] part: &str,
    #[case] value: &str,
    #[case] code: &str,
) {
    let mut request = signed_over(&text(TARGET, STAMP, ""), TARGET, "");
    assert_eq!(check(&request), Ok("11111111".to_owned()));
    match part {
        "target" => value.clone_into(&mut request.target),
        "body" => request.body = value.to_owned().into(),
        header => {
            let name = HeaderName::from_bytes(header.as_bytes()).unwrap();
            request
                .headers
                .insert(name, HeaderValue::from_str(value).unwrap());
        }
    }
    assert_eq!(check(&request).unwrap_err().code(), code);
}

#[test]
fn a_changed_signature_and_another_key_are_refused() {
    let right = text(TARGET, STAMP, "");
    let mut signature = STANDARD.decode(sign(&right)).unwrap();
    signature[100] ^= 1;
    for sign_str in [
        STANDARD.encode(signature),
        sign_with(UNKNOWN, &RSA_PKCS1_SHA256, right.as_bytes()),
    ] {
        let mut request = signed_over(&right, TARGET, "");
        request
            .headers
            .insert("sign_str", HeaderValue::from_str(&sign_str).unwrap());
        let fault = check(&request).unwrap_err();
        assert_eq!(fault.code(), "C004");
        assert!(fault.reason().contains("another private key"), "{fault:?}");
    }
}

#[rstest]
#[case("token")]
#[case("timestamp")]
#[case("version")]
#[case("sign_str")]
fn a_header_is_needed_once(#[case] name: &'static str) {
    let right = signed_over(&text(TARGET, STAMP, ""), TARGET, "");
    let mut missing = right.clone();
    let value = missing.headers.remove(name).unwrap();
    assert!(check(&missing).is_err());
    let mut twice = right;
    twice.headers.append(name, value);
    let fault = check(&twice).unwrap_err();
    assert!(fault.reason().contains("more than one"), "{fault:?}");
}

#[rstest]
#[case::just_before("1775015700002")]
#[case::just_after("1775016300000")]
fn a_clock_may_differ_by_less_than_five_minutes(#[case] stamp: &str) {
    let mut request = signed_over(&text(TARGET, stamp, ""), TARGET, "");
    request
        .headers
        .insert("timestamp", HeaderValue::from_str(stamp).unwrap());
    assert!(check(&request).is_ok());
}

#[rstest]
#[case::without_query("/api/task/job/search\n1.0.0\n{S}\n{T}\n", "path without its query")]
#[case::object("{P}\n1.0.0\n{S}\n{T}\n{}", "the body `{}`")]
#[case::both(
    "/api/task/job/search\n1.0.0\n{S}\n{T}\n{}",
    "without its query and the body `{}`"
)]
#[case::without_api(
    "/task/job/search?status=Running,Pending&search_value=a%20b&page=1\n1.0.0\n{S}\n{T}\n",
    "without `/api`"
)]
#[case::seconds("{P}\n1.0.0\n1775016000\n{T}\n", "timestamp in seconds")]
#[case::end("{P}\n1.0.0\n{S}\n{T}\n\n", "line feed at the end")]
#[case::url("http://127.0.0.1:9{P}\n1.0.0\n{S}\n{T}\n", "whole URL")]
#[case::comma(
    "/api/task/job/search?status=Running%2CPending&search_value=a%20b&page=1\n1.0.0\n{S}\n{T}\n",
    "encoded in another way"
)]
#[case::form(
    "/api/task/job/search?status=Running%2CPending&search_value=a+b&page=1\n1.0.0\n{S}\n{T}\n",
    "encoded as a form"
)]
#[case::decoded(
    "/api/task/job/search?status=Running,Pending&search_value=a b&page=1\n1.0.0\n{S}\n{T}\n",
    "without its percent encoding"
)]
#[case::literal("{P}\\n1.0.0\\n{S}\\n{T}\\n", "a literal")]
fn the_log_names_the_mistake_and_no_secret(#[case] form: &str, #[case] expected: &str) {
    let over = form
        .replace("{P}", TARGET)
        .replace("{S}", STAMP)
        .replace("{T}", TOKEN);
    let fault = check(&signed_over(&over, TARGET, "")).unwrap_err();
    assert_eq!(
        (fault.code(), fault.message()),
        ("C004", "sign verification failed")
    );
    assert!(fault.reason().contains(expected), "{}", fault.reason());
    assert!(!fault.reason().contains(TOKEN));
}

#[test]
fn a_body_that_was_serialised_twice_and_another_digest_are_named() {
    let body = "{ \"task_id\": 42 }";
    let fault = check(&signed_over(
        &text(TARGET, STAMP, "{\"task_id\":42}"),
        TARGET,
        body,
    ));
    assert!(fault.unwrap_err().reason().contains("serialised again"));
    let right = text(TARGET, STAMP, "");
    let mut request = signed_over(&right, TARGET, "");
    let sign_str = sign_with(PRIVATE, &RSA_PKCS1_SHA512, right.as_bytes());
    request
        .headers
        .insert("sign_str", HeaderValue::from_str(&sign_str).unwrap());
    assert!(
        check(&request)
            .unwrap_err()
            .reason()
            .contains("with SHA-512")
    );
}

#[test]
fn the_two_wrong_variants_are_let_in_only_by_a_switch() {
    let object = signed_over(&text(TARGET, STAMP, "{}"), TARGET, "");
    let path = signed_over(&text("/api/task/job/search", STAMP, ""), TARGET, "");
    let object_allowed = Tolerance {
        empty_object_body: true,
        ..Tolerance::default()
    };
    let path_allowed = Tolerance {
        path_only: true,
        ..Tolerance::default()
    };
    assert!(check_with(&object, object_allowed).is_ok());
    assert!(check_with(&object, path_allowed).is_err());
    assert!(check_with(&path, path_allowed).is_ok());
    assert!(check_with(&path, object_allowed).is_err());
    // A body that was sent counts, whatever is let in for requests without one.
    let sent = signed_over(&text(TARGET, STAMP, "{}"), TARGET, "{\"task_id\":1}");
    assert!(check_with(&sent, object_allowed).is_err());
}

#[test]
fn a_simple_key_needs_its_token_alone_and_no_signature() {
    let simple = |headers: &[(&str, &str)]| {
        let headers: Vec<(&str, &str)> = [("token", SIMPLE_TOKEN)]
            .into_iter()
            .chain(headers.iter().copied())
            .collect();
        request("GET", TARGET, &headers, "")
    };
    let code = |request: &RawRequest| check(request).map_err(|fault| fault.code());
    assert_eq!(code(&simple(&[])), Ok("33333333".to_owned()));
    assert!(
        code(&simple(&[
            ("sign_str", ""),
            ("timestamp", STAMP),
            ("version", VERSION)
        ]))
        .is_ok()
    );
    assert_eq!(code(&simple(&[("timestamp", "1775016000")])), Err("C001"));
    assert_eq!(code(&simple(&[("version", "2")])), Err("C002"));
    let needless = simple(&[("sign_str", "AAAA")]);
    assert_eq!(code(&needless), Err("C004"));
    let ignoring = Tolerance {
        needless_signature: true,
        ..Tolerance::default()
    };
    assert!(check_with(&needless, ignoring).is_ok());
}

#[rstest]
#[case::none("no key", PublicKeyError::Pem)]
#[case::private(PRIVATE, PublicKeyError::Pem)]
#[case::text(
    "-----BEGIN PUBLIC KEY-----\n!\n-----END PUBLIC KEY-----",
    PublicKeyError::Base64
)]
#[case::der(
    "-----BEGIN PUBLIC KEY-----\nMAA=\n-----END PUBLIC KEY-----",
    PublicKeyError::Der
)]
fn what_is_no_public_key_is_refused(#[case] pem: &str, #[case] error: PublicKeyError) {
    assert_eq!(PublicKey::from_pem(pem), Err(error));
}
