//! The canonical form, and how a mismatch shows it.

use super::*;

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
