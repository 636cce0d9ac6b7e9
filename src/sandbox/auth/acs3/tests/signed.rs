//! What is signed: method, path, query, headers and body, each refused when it is another.

use super::*;

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
