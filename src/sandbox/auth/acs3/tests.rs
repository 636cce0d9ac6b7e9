use http::{HeaderMap, HeaderName, HeaderValue, Method};
use jiff::ToSpan;
use proptest::prelude::*;
use serde::Deserialize;

use super::authorization::ALGORITHM;
use super::*;
use crate::model::Timestamp;
use crate::sandbox::service::RawRequest;
use crate::secret::Secret;

const VECTORS: [&str; 4] = [
    include_str!("../../../../tests/vectors/acs3-doc-0-run-instances.json"),
    include_str!("../../../../tests/vectors/acs3-doc-1-list-jobs.json"),
    include_str!("../../../../tests/vectors/acs3-doc-2-create-job.json"),
    include_str!("../../../../tests/vectors/acs3-doc-3-stop-job.json"),
];

const ALWAYS_SIGNED: [&str; 6] = [
    "host",
    "x-acs-action",
    "x-acs-version",
    "x-acs-date",
    "x-acs-signature-nonce",
    "x-acs-content-sha256",
];

#[derive(Deserialize)]
struct Vector {
    name: String,
    method: String,
    target: String,
    headers: serde_json::Map<String, serde_json::Value>,
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

/// One vector, ready to be verified at its own instant with its own key.
struct Case {
    name: String,
    request: RawRequest,
    now: Timestamp,
    key: AccessKey,
    expect: Expected,
}

impl Case {
    fn store(&self) -> KeyStore {
        KeyStore::new(vec![self.key.clone()])
    }

    fn code_of(&self, request: &RawRequest) -> &'static str {
        verify(request, self.now, &self.store()).unwrap_err().code()
    }

    fn header(&self, name: &str) -> &str {
        self.request.header(name).unwrap()
    }

    fn signed(&self) -> Vec<String> {
        signed_names(self.header("authorization"))
    }
}

fn signed_names(authorization: &str) -> Vec<String> {
    let (_, rest) = authorization.split_once("SignedHeaders=").unwrap();
    let (names, _) = rest.split_once(',').unwrap();
    names.split(';').map(str::to_owned).collect()
}

fn cases() -> Vec<Case> {
    VECTORS
        .map(|text| case(serde_json::from_str(text).unwrap()))
        .into()
}

fn case(vector: Vector) -> Case {
    let mut headers = HeaderMap::new();
    for (name, value) in &vector.headers {
        headers.insert(
            HeaderName::try_from(name.as_str()).unwrap(),
            HeaderValue::from_str(value.as_str().unwrap()).unwrap(),
        );
    }
    let request = RawRequest {
        method: Method::from_bytes(vector.method.as_bytes()).unwrap(),
        target: vector.target,
        headers,
        body: vector.body.into(),
        upload: None,
    };
    let now: Timestamp = request.header("x-acs-date").unwrap().parse().unwrap();
    let authorization = request.header("authorization").unwrap();
    let (_, rest) = authorization.split_once("Credential=").unwrap();
    let key = AccessKey {
        id: rest.split_once(',').unwrap().0.to_owned(),
        secret: Secret::new(vector.secret),
        user_id: "1204455667788990".to_owned(),
        enabled: true,
        token: request.header("x-acs-security-token").map(|token| Token {
            text: Secret::new(token),
            expires: now + 1.hour(),
        }),
    };
    Case {
        name: vector.name,
        request,
        now,
        key,
        expect: vector.expect,
    }
}

/// The list of jobs: a query, no body, no token.
fn list() -> Case {
    cases().remove(1)
}

/// A create: a body and a content type.
fn create() -> Case {
    cases().remove(2)
}

/// A stop with a temporary key.
fn stop() -> Case {
    cases().remove(3)
}

fn with_header(request: &RawRequest, name: &str, value: &str) -> RawRequest {
    let mut changed = request.clone();
    changed.headers.insert(
        HeaderName::try_from(name).unwrap(),
        HeaderValue::from_str(value).unwrap(),
    );
    changed
}

/// Signs `request` anew over `names`, so that nothing but what a test changed can be wrong.
fn signed_again(request: &RawRequest, names: &[&str], key: &AccessKey) -> RawRequest {
    use hmac::{Hmac, KeyInit, Mac};
    let text = Canonical::of(request, names).string_to_sign();
    let mut mac = Hmac::<sha2::Sha256>::new_from_slice(key.secret.expose().as_bytes()).unwrap();
    mac.update(text.as_bytes());
    let signature = hex(&mac.finalize().into_bytes());
    let authorization = format!(
        "{ALGORITHM} Credential={},SignedHeaders={},Signature={signature}",
        key.id,
        names.join(";")
    );
    with_header(request, "authorization", &authorization)
}

#[test]
fn every_vector_verifies_with_its_canonical_form() {
    for case in cases() {
        let names = case.signed();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let canonical = Canonical::of(&case.request, &names);
        assert_eq!(
            canonical.shown(None),
            case.expect.canonical_request,
            "{}",
            case.name
        );
        assert_eq!(canonical.string_to_sign(), case.expect.string_to_sign);
        assert!(
            case.header("authorization")
                .ends_with(&case.expect.signature)
        );
        let verified = verify(&case.request, case.now, &case.store()).unwrap();
        assert_eq!(verified.key_id, case.key.id);
        assert_eq!(verified.user_id, case.key.user_id);
        assert_eq!(verified.nonce, case.header("x-acs-signature-nonce"));
    }
}

#[test]
fn another_method_is_refused() {
    for case in cases() {
        let mut changed = case.request.clone();
        changed.method = Method::PUT;
        assert_eq!(case.code_of(&changed), "SignatureDoesNotMatch");
    }
}

#[test]
fn another_path_is_refused_byte_by_byte() {
    let case = stop();
    let path = case.request.path().to_owned();
    for position in 1..path.len() {
        let mut changed = case.request.clone();
        let mut bytes = path.clone().into_bytes();
        bytes[position] = if bytes[position] == b'x' { b'y' } else { b'x' };
        changed.target = String::from_utf8(bytes).unwrap();
        assert_eq!(
            case.code_of(&changed),
            "SignatureDoesNotMatch",
            "{position}"
        );
    }
    // The path is neither encoded again nor are dot segments removed.
    for other in [
        "/api/v1/jobs/./dlc1k2m3n4p5q6r7/stop",
        "/api/v1/jobs/%64lc1k2m3n4p5q6r7/stop",
        "/api/v1/jobs/dlc1k2m3n4p5q6r7/stop/",
    ] {
        let mut changed = case.request.clone();
        other.clone_into(&mut changed.target);
        assert_eq!(case.code_of(&changed), "SignatureDoesNotMatch");
    }
}

#[test]
fn another_query_is_refused() {
    let case = list();
    let query = case.request.raw_query().to_owned();
    for changed_query in [
        query.replace("PageSize=50", "PageSize=51"),
        query.replace("PageSize", "pageSize"),
        query.replace("night+run", "night%2Brun"),
        query.replace("&ShowOwn=true", ""),
        format!("{query}&JobType=PyTorchJob"),
        String::new(),
    ] {
        let mut changed = case.request.clone();
        changed.target = format!("/api/v1/jobs?{changed_query}");
        assert_eq!(
            case.code_of(&changed),
            "SignatureDoesNotMatch",
            "{changed_query}"
        );
    }
}

#[test]
fn the_same_query_in_another_wire_form_is_accepted() {
    let case = list();
    let query = case.request.raw_query().to_owned();
    let mut pieces: Vec<&str> = query.split('&').collect();
    pieces.reverse();
    for same in [
        pieces.join("&"),
        query.replace("night+run", "night%20run"),
        query.replace("%7B", "%7b").replace("%2A", "*"),
    ] {
        let mut changed = case.request.clone();
        changed.target = format!("/api/v1/jobs?{same}");
        assert!(verify(&changed, case.now, &case.store()).is_ok(), "{same}");
    }
}

#[test]
fn a_query_name_given_twice_is_refused_though_rightly_signed() {
    let case = list();
    let mut changed = case.request.clone();
    changed.target = "/api/v1/jobs?PageSize=50&PageSize=50".to_owned();
    let changed = signed_again(&changed, &ALWAYS_SIGNED_SORTED, &case.key);
    let fault = verify(&changed, case.now, &case.store()).unwrap_err();
    assert_eq!(fault.code(), "SignatureDoesNotMatch");
    assert!(fault.reason().contains("PageSize"));
}

const ALWAYS_SIGNED_SORTED: [&str; 6] = [
    "host",
    "x-acs-action",
    "x-acs-content-sha256",
    "x-acs-date",
    "x-acs-signature-nonce",
    "x-acs-version",
];

#[test]
fn each_changed_signed_header_is_refused() {
    let mut seen = 0;
    for case in cases() {
        for name in case.signed() {
            let changed = match name.as_str() {
                // Still inside the clock's window.
                "x-acs-date" => {
                    let later = case.now + 1.second();
                    with_header(&case.request, &name, &later.to_string())
                }
                name => {
                    let value = format!("{}0", case.header(name));
                    with_header(&case.request, name, &value)
                }
            };
            let wanted = if name == "x-acs-security-token" {
                "InvalidSecurityToken.Malformed"
            } else {
                "SignatureDoesNotMatch"
            };
            assert_eq!(case.code_of(&changed), wanted, "{}: {name}", case.name);
            seen += 1;
        }
    }
    assert_eq!(seen, 6 + 6 + 10 + 11);
}

#[test]
fn each_removed_signed_header_is_refused() {
    for case in cases() {
        for name in case.signed() {
            let mut changed = case.request.clone();
            changed.headers.remove(name.as_str());
            let wanted = match name.as_str() {
                "x-acs-date" => "InvalidTimeStamp.Format",
                "x-acs-security-token" => "MissingSecurityToken",
                _ => "SignatureDoesNotMatch",
            };
            assert_eq!(case.code_of(&changed), wanted, "{}: {name}", case.name);
        }
    }
}

#[test]
fn a_must_sign_header_left_out_is_refused_though_rightly_signed() {
    for case in cases() {
        for left_out in case.signed() {
            let names = case.signed();
            let names: Vec<&str> = names
                .iter()
                .map(String::as_str)
                .filter(|name| *name != left_out)
                .collect();
            let changed = signed_again(&case.request, &names, &case.key);
            let answer = verify(&changed, case.now, &case.store());
            // Only these two are signed by choice.
            if left_out == "accept" || left_out == "user-agent" {
                assert!(answer.is_ok(), "{}: {left_out}", case.name);
                continue;
            }
            let fault = answer.unwrap_err();
            assert_eq!(fault.code(), "SignatureDoesNotMatch", "{left_out}");
            assert!(fault.reason().contains(&left_out), "{}", fault.reason());
        }
    }
}

#[test]
fn an_unsigned_acs_header_that_was_added_is_refused() {
    let case = list();
    for name in [
        "x-acs-security-group",
        "x-acs-retry-attempts",
        "content-type",
    ] {
        let changed = with_header(&case.request, name, "1");
        assert_eq!(case.code_of(&changed), "SignatureDoesNotMatch", "{name}");
    }
    let harmless = with_header(&case.request, "x-forwarded-for", "10.0.0.1");
    assert!(verify(&harmless, case.now, &case.store()).is_ok());
}

#[test]
fn an_always_signed_header_that_is_absent_altogether_is_refused_though_rightly_signed() {
    let case = list();
    for left_out in ALWAYS_SIGNED {
        let mut changed = case.request.clone();
        changed.headers.remove(left_out);
        let names: Vec<&str> = ALWAYS_SIGNED_SORTED
            .into_iter()
            .filter(|name| *name != left_out)
            .collect();
        let changed = signed_again(&changed, &names, &case.key);
        let wanted = if left_out == "x-acs-date" {
            "InvalidTimeStamp.Format"
        } else {
            "SignatureDoesNotMatch"
        };
        assert_eq!(case.code_of(&changed), wanted, "{left_out}");
    }
}

#[test]
fn another_body_is_refused_with_and_without_its_hash_mended() {
    let case = create();
    let mut changed = case.request.clone();
    changed.body = b"{}".as_slice().into();
    assert_eq!(case.code_of(&changed), "SignatureDoesNotMatch");
    let mended = with_header(&changed, "x-acs-content-sha256", &sha256_hex(b"{}"));
    assert_eq!(case.code_of(&mended), "SignatureDoesNotMatch");
}

#[test]
fn a_body_hash_that_is_not_that_of_the_body_is_refused_though_rightly_signed() {
    let case = create();
    let names = case.signed();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let upper = case.header("x-acs-content-sha256").to_uppercase();
    for hash in [sha256_hex(b"other"), upper, "UNSIGNED-PAYLOAD".to_owned()] {
        let changed = with_header(&case.request, "x-acs-content-sha256", &hash);
        let changed = signed_again(&changed, &names, &case.key);
        assert_eq!(case.code_of(&changed), "SignatureDoesNotMatch", "{hash}");
    }
}

#[test]
fn another_signature_or_secret_is_refused() {
    for case in cases() {
        let authorization = case.header("authorization").to_owned();
        let signature = &case.expect.signature;
        for other in [
            format!("{signature}0"),
            signature.chars().take(62).collect(),
            signature.to_uppercase(),
            "0".repeat(64),
            "zz".repeat(32),
            signature.chars().rev().collect(),
        ] {
            let changed = with_header(
                &case.request,
                "authorization",
                &authorization.replace(signature, &other),
            );
            assert_eq!(case.code_of(&changed), "SignatureDoesNotMatch", "{other}");
        }
        let mut key = case.key.clone();
        key.secret = Secret::new("another secret");
        let fault = verify(&case.request, case.now, &KeyStore::new(vec![key])).unwrap_err();
        assert_eq!(fault.code(), "SignatureDoesNotMatch");
    }
}

#[test]
fn an_unknown_key_is_404_and_a_disabled_one_400() {
    let case = list();
    let authorization = case.header("authorization");
    let changed = with_header(
        &case.request,
        "authorization",
        &authorization.replace("LTAI5t", "LTAI5x"),
    );
    let fault = verify(&changed, case.now, &case.store()).unwrap_err();
    assert_eq!(fault.code(), "InvalidAccessKeyId.NotFound");
    assert_eq!(fault.status(), 404);
    assert_eq!(fault.message(), "Specified access key is not found.");

    let mut key = case.key.clone();
    key.enabled = false;
    let fault = verify(&case.request, case.now, &KeyStore::new(vec![key])).unwrap_err();
    assert_eq!(fault.code(), "InvalidAccessKeyId.Inactive");
    assert_eq!(fault.status(), 400);
}

#[test]
fn an_authorization_of_another_form_is_incomplete() {
    let case = list();
    let good = case.header("authorization").to_owned();
    let names = case.signed().join(";");
    let mut missing = case.request.clone();
    missing.headers.remove("authorization");
    assert_eq!(case.code_of(&missing), "IncompleteSignature");
    for bad in [
        "",
        "ACS3-HMAC-SHA256",
        "Bearer",
        "Bearer abc",
        &good.replace("Credential", "Credentials"),
        &good.replace(",Signature", ", Signature"),
        &good.replace("ACS3-HMAC-SHA256 ", "ACS3-HMAC-SHA256  "),
        &good.replace(",SignedHeaders", ";SignedHeaders"),
        &good.replace("Credential=LTAI5tEXAMPLEgpujob01", "Credential="),
        &format!("{good},More=1"),
        &good.replace(&names, ""),
        &good.replace(&names, &names.replace("host", "Host")),
        &good.replace(&names, &format!("x-acs-date;{names}")),
        &good.replace(&names, &names.replace("host;", "host;host;")),
        good.split(",Signature").next().unwrap(),
    ] {
        let changed = with_header(&case.request, "authorization", bad);
        assert_eq!(case.code_of(&changed), "IncompleteSignature", "{bad}");
    }
    let mut twice = case.request.clone();
    let value = HeaderValue::from_str(&good).unwrap();
    twice.headers.append("authorization", value);
    assert_eq!(case.code_of(&twice), "IncompleteSignature");
}

#[test]
fn the_other_algorithms_are_refused_before_the_key_is_looked_up() {
    let case = list();
    let good = case.header("authorization").replace("LTAI5t", "LTAI5x");
    for algorithm in ["ACS3-HMAC-SM3", "ACS3-RSA-SHA256", "acs3-hmac-sha256"] {
        let changed = with_header(
            &case.request,
            "authorization",
            &good.replace("ACS3-HMAC-SHA256", algorithm),
        );
        assert_eq!(case.code_of(&changed), "InvalidSignatureMethod");
    }
}

#[test]
fn a_date_of_another_form_is_refused() {
    let case = list();
    for bad in [
        "2026-01-06T08:09:10.000Z",
        "2026-01-06T08:09:10+00:00",
        "2026-01-06 08:09:10Z",
        "2026-13-06T08:09:10Z",
        "20260106T080910Z",
        "Tue, 06 Jan 2026 08:09:10 GMT",
        "",
    ] {
        let changed = with_header(&case.request, "x-acs-date", bad);
        let changed = signed_again(&changed, &ALWAYS_SIGNED_SORTED, &case.key);
        assert_eq!(case.code_of(&changed), "InvalidTimeStamp.Format", "{bad}");
    }
}

#[test]
fn the_clock_may_be_fifteen_minutes_away_to_either_side() {
    let case = list();
    for (seconds, accepted) in [
        (0, true),
        (900, true),
        (-900, true),
        (901, false),
        (-901, false),
        (86_400, false),
    ] {
        let answer = verify(&case.request, case.now + seconds.seconds(), &case.store());
        assert_eq!(answer.is_ok(), accepted, "{seconds}");
        if let Err(fault) = answer {
            assert_eq!(fault.code(), "InvalidTimeStamp.Expired");
            assert_eq!(
                fault.message(),
                "Specified time stamp or date value is expired."
            );
        }
    }
}

#[test]
fn a_temporary_key_needs_its_own_unexpired_token() {
    let case = stop();
    let mut other = case.key.clone();
    other.id = "STS.other".to_owned();
    other.token = Some(Token {
        text: Secret::new("tokenOfAnotherKey"),
        expires: case.now + 1.hour(),
    });
    let keys = KeyStore::new(vec![case.key.clone(), other]);
    let code = |request: &RawRequest, now| verify(request, now, &keys).unwrap_err().code();

    let names = case.signed();
    let names: Vec<&str> = names
        .iter()
        .map(String::as_str)
        .filter(|name| *name != "x-acs-security-token")
        .collect();
    let mut missing = case.request.clone();
    missing.headers.remove("x-acs-security-token");
    let missing = signed_again(&missing, &names, &case.key);
    assert_eq!(code(&missing, case.now), "MissingSecurityToken");

    let foreign = with_header(&case.request, "x-acs-security-token", "tokenOfAnotherKey");
    assert_eq!(
        code(&foreign, case.now),
        "InvalidSecurityToken.MismatchWithAccessKey"
    );
    let garbled = with_header(&case.request, "x-acs-security-token", "CAIS");
    assert_eq!(code(&garbled, case.now), "InvalidSecurityToken.Malformed");

    let mut ended = case.key.clone();
    ended.token.as_mut().unwrap().expires = case.now;
    let fault = verify(&case.request, case.now, &KeyStore::new(vec![ended])).unwrap_err();
    assert_eq!(fault.code(), "InvalidSecurityToken.Expired");
}

#[test]
fn a_permanent_key_with_a_token_is_refused() {
    let case = list();
    let temporary = stop().key;
    let token = temporary.token.clone().unwrap();
    let keys = KeyStore::new(vec![case.key.clone(), temporary]);
    let foreign = with_header(&case.request, "x-acs-security-token", token.text.expose());
    let fault = verify(&foreign, case.now, &keys).unwrap_err();
    assert_eq!(fault.code(), "InvalidSecurityToken.MismatchWithAccessKey");
}

#[test]
fn the_access_key_id_header_is_not_demanded() {
    let case = stop();
    let mut changed = case.request.clone();
    changed.headers.remove("x-acs-accesskey-id");
    let names = case.signed();
    let names: Vec<&str> = names
        .iter()
        .map(String::as_str)
        .filter(|name| *name != "x-acs-accesskey-id")
        .collect();
    let changed = signed_again(&changed, &names, &case.key);
    assert!(verify(&changed, case.now, &case.store()).is_ok());
}

#[test]
fn a_mismatch_echoes_both_strings_without_the_token() {
    let case = stop();
    let changed = with_header(&case.request, "x-acs-action", "DeleteJob");
    let fault = verify(&changed, case.now, &case.store()).unwrap_err();
    let message = fault.message();
    assert!(message.starts_with("Specified signature does not match our calculation."));
    assert!(message.contains("server StringToSign is [ACS3-HMAC-SHA256\n"));
    assert!(
        message.contains("server CanonicalRequest is [POST\n/api/v1/jobs/dlc1k2m3n4p5q6r7/stop\n")
    );
    assert!(message.contains("x-acs-action:DeleteJob\n"));
    assert!(message.contains("x-acs-security-token:***\n"));
    for shown in [message, format!("{fault:?}")] {
        assert!(!shown.contains("CAISexampleToken"), "{shown}");
        assert!(!shown.contains(case.key.secret.expose()), "{shown}");
    }
}

#[test]
fn host_is_taken_with_its_port() {
    let case = list();
    let changed = with_header(&case.request, "host", "127.0.0.1:8080");
    let signed = signed_again(&changed, &ALWAYS_SIGNED_SORTED, &case.key);
    assert!(verify(&signed, case.now, &case.store()).is_ok());
    let without_port = with_header(&signed, "host", "127.0.0.1");
    assert_eq!(case.code_of(&without_port), "SignatureDoesNotMatch");
}

#[test]
fn repeated_and_padded_header_values_are_trimmed_sorted_and_joined() {
    let case = list();
    let mut changed = with_header(&case.request, "x-acs-extra", " b  c ");
    changed
        .headers
        .append("x-acs-extra", HeaderValue::from_static("a\t"));
    let text = Canonical::of(&changed, &["host", "x-acs-extra"]).shown(None);
    assert!(
        text.contains("\nx-acs-extra:a,b  c\n\nhost;x-acs-extra\n"),
        "{text}"
    );
}

#[test]
fn empty_paths_values_and_names_have_a_canonical_form() {
    let request = |target: &str| RawRequest {
        method: Method::GET,
        target: target.to_owned(),
        headers: HeaderMap::new(),
        body: bytes::Bytes::new(),
        upload: None,
    };
    let canonical = |target: &str| Canonical::of(&request(target), &[]).shown(None);
    assert_eq!(canonical(""), "GET\n/\n\n\n\n");
    assert_eq!(canonical("/?"), "GET\n/\n\n\n\n");
    assert_eq!(
        canonical("/?b&a=&&B=%zz%"),
        "GET\n/\nB=%25zz%25&a=&b=\n\n\n"
    );
    assert_eq!(
        canonical("/?a=%21'()*+%2b/~"),
        "GET\n/\na=%21%27%28%29%2A%20%2B%2F~\n\n\n"
    );
}

#[test]
fn the_wire_query_is_form_decoded() {
    let text = |raw| {
        decode_query(raw)
            .into_iter()
            .map(|(name, value)| {
                (
                    String::from_utf8(name).unwrap(),
                    String::from_utf8(value).unwrap(),
                )
            })
            .collect::<Vec<_>>()
    };
    assert_eq!(
        text("DisplayName=a+b%2Bc&Tags=%7B%22k%22%3A%22%E8%A7%86%22%7D"),
        [
            ("DisplayName".to_owned(), "a b+c".to_owned()),
            ("Tags".to_owned(), "{\"k\":\"视\"}".to_owned())
        ]
    );
}

#[test]
fn a_nonce_is_admitted_once_for_thirty_minutes_and_per_key() {
    let now: Timestamp = "2026-01-06T08:09:10Z".parse().unwrap();
    let mut memory = NonceMemory::default();
    memory.admit("a", "1", now).unwrap();
    memory.admit("b", "1", now).unwrap();
    memory.admit("a", "2", now).unwrap();
    let again = memory.admit("a", "1", now + 30.minutes()).unwrap_err();
    assert_eq!(again.code(), "SignatureNonceUsed");
    assert_eq!(
        again.message(),
        "Specified signature nonce was used already."
    );
    memory
        .admit("a", "1", now + 30.minutes() + 1.second())
        .unwrap();
}

proptest! {
    #[test]
    fn the_canonical_query_does_not_depend_on_the_order(
        pairs in proptest::collection::btree_map("[A-Za-z]{1,6}", "[ -~]{0,8}", 0..6),
        seed in any::<u64>(),
    ) {
        let form = |text: &str| text.replace('%', "%25").replace('+', "%2B").replace('&', "%26").replace(' ', "+");
        let mut pieces: Vec<String> = pairs
            .iter()
            .map(|(name, value)| format!("{name}={}", form(value)))
            .collect();
        let canonical = |pieces: &[String]| {
            let request = RawRequest {
                method: Method::GET,
                target: format!("/?{}", pieces.join("&")),
                headers: HeaderMap::new(),
                body: bytes::Bytes::new(),
                upload: None,
            };
            Canonical::of(&request, &[]).shown(None)
        };
        let sorted = canonical(&pieces);
        fastrand::Rng::with_seed(seed).shuffle(&mut pieces);
        prop_assert_eq!(canonical(&pieces), sorted);
    }

    #[test]
    fn no_authorization_target_or_date_makes_the_verifier_panic(
        authorization in "(ACS3-HMAC-SHA256 Credential=LTAI5tEXAMPLEgpujob01,SignedHeaders=)?[ -~]{0,40}",
        target in "[!-~]{0,40}",
        date in "[0-9TZ:.-]{0,24}",
    ) {
        let case = list();
        let mut request = with_header(&case.request, "authorization", &authorization);
        request.target = target;
        let request = with_header(&request, "x-acs-date", &date);
        prop_assert!(verify(&request, case.now, &case.store()).is_err());
    }
}
