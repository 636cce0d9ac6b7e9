//! Who signed, with which key, token and nonce, and when.

use super::*;

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
