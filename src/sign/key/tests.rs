//! Every form a key may come in, and every wrong kind by its name. The keys are data files made for these tests.

use rstest::rstest;

use super::*;

fn file(name: &str) -> String {
    let path = format!(
        "{}/tests/vectors/keys/{name}.pem",
        env!("CARGO_MANIFEST_DIR")
    );
    std::fs::read_to_string(path).unwrap()
}

/// The base64 between the dashes, on one line.
fn one_line(name: &str) -> String {
    let text = file(name);
    let block = Block::find(&text).unwrap().unwrap();
    block.body.split_whitespace().collect()
}

fn parse(text: &str) -> Result<RsaKey, SignError> {
    RsaKey::parse(&Secret::new(text))
}

fn refusal(text: &str) -> String {
    parse(text).unwrap_err().to_string()
}

/// The same key, whatever it was written as.
fn expected() -> String {
    parse(&file("rsa-2048-pkcs8")).unwrap().sign(b"x").unwrap()
}

#[rstest]
#[case::pkcs8(file("rsa-2048-pkcs8"))]
#[case::pkcs1(file("rsa-2048-pkcs1"))]
#[case::carriage_returns(file("rsa-2048-pkcs8").replace('\n', "\r\n"))]
#[case::literal_line_feeds(file("rsa-2048-pkcs8").replace('\n', "\\n"))]
#[case::literal_carriage_returns(file("rsa-2048-pkcs1").replace('\n', "\\r\\n"))]
#[case::spaces_for_line_feeds(file("rsa-2048-pkcs1").replace('\n', " "))]
#[case::quotes(format!("\"{}\"", file("rsa-2048-pkcs8").replace('\n', "\\n")))]
#[case::byte_order_mark(format!("\u{feff}{}", file("rsa-2048-pkcs8")))]
#[case::base64_of_pkcs8(one_line("rsa-2048-pkcs8"))]
#[case::base64_of_pkcs1(one_line("rsa-2048-pkcs1"))]
#[case::base64_without_padding(one_line("rsa-2048-pkcs8").trim_end_matches('=').to_owned())]
#[case::after_its_certificate(format!("{}{}", file("certificate"), file("rsa-2048-pkcs8")))]
fn a_key_is_the_same_in_every_form(#[case] text: String) {
    assert_eq!(parse(&text).unwrap().sign(b"x").unwrap(), expected());
}

#[rstest]
#[case::too_small("rsa-1024-pkcs8", "is an RSA key of 1024 bits")]
#[case::too_large("rsa-3072-pkcs8", "is an RSA key of 3072 bits")]
#[case::pss("rsa-pss-pkcs8", "is an RSA key for PSS signatures only")]
#[case::ec("ec-pkcs8", "is an EC key")]
#[case::ec_sec1("ec-sec1-with-parameters", "is an EC key")]
#[case::ed25519("ed25519-pkcs8", "is an Ed25519 key")]
#[case::public("rsa-public", "is a public key")]
#[case::public_pkcs1("rsa-public-pkcs1", "is a public key")]
#[case::certificate("certificate", "is a certificate;")]
#[case::request("certificate-request", "is a certificate request")]
#[case::encrypted_pkcs8("encrypted-pkcs8", "is protected by a passphrase")]
#[case::encrypted_pkcs1("encrypted-pkcs1", "is protected by a passphrase")]
#[case::openssh("openssh", "is in OpenSSH's own form")]
fn a_wrong_kind_is_named(#[case] name: &str, #[case] expected: &str) {
    let message = refusal(&file(name));
    assert!(
        message.starts_with(&format!("the private key {expected}")),
        "{message}"
    );
}

/// Without a label only the structure tells.
#[rstest]
#[case::too_small("rsa-1024-pkcs8", "is an RSA key of 1024 bits")]
#[case::ec("ec-pkcs8", "is an EC key")]
#[case::public("rsa-public", "is a public key")]
#[case::public_pkcs1("rsa-public-pkcs1", "is a public key")]
#[case::certificate("certificate", "is a certificate;")]
#[case::request("certificate-request", "is a certificate request")]
#[case::encrypted("encrypted-pkcs8", "is protected by a passphrase")]
fn a_wrong_kind_is_named_in_base64_too(#[case] name: &str, #[case] expected: &str) {
    let message = refusal(&one_line(name));
    assert!(message.contains(expected), "{message}");
}

#[rstest]
#[case::nothing("", "is empty")]
#[case::blanks(" \n", "is empty")]
#[case::a_path("/home/me/suanli.pem", "looks like the name of a file")]
#[case::a_home_path("~/suanli.pem", "looks like the name of a file")]
#[case::words("not a key!", "is neither PEM nor base64")]
#[case::other_base64("aGVsbG8gd29ybGQ=", "is no key of a known form")]
#[case::no_end("-----BEGIN PRIVATE KEY-----\nMIIE", "is cut off")]
#[case::no_end_of_the_first_line("-----BEGIN PRIVATE KEY", "is cut off")]
#[case::no_base64_inside(
    "-----BEGIN PRIVATE KEY-----\n????\n-----END PRIVATE KEY-----",
    "is PEM whose text is no base64"
)]
fn what_is_no_key_is_said_so(#[case] text: &str, #[case] expected: &str) {
    let message = refusal(text);
    assert!(message.contains(expected), "{message}");
}

#[test]
fn a_damaged_key_is_refused_and_never_shown() {
    // One letter in the middle of the primes.
    let mut line = one_line("rsa-2048-pkcs1").into_bytes();
    let middle = line.len() / 2;
    line[middle] = if line[middle] == b'A' { b'B' } else { b'A' };
    let text = String::from_utf8(line).unwrap();
    let message = refusal(&text);
    assert!(message.contains("damaged RSA key"), "{message}");
    assert!(!message.contains(text.get(100..110).unwrap()));
}

#[test]
fn a_signature_is_one_line_of_344_characters() {
    let signature = parse(&file("rsa-2048-pkcs8")).unwrap().sign(b"").unwrap();
    assert_eq!(signature.len(), 344);
    assert!(signature.bytes().all(|byte| byte.is_ascii_graphic()));
}

#[test]
fn debug_shows_nothing() {
    let key = parse(&file("rsa-2048-pkcs8")).unwrap();
    assert_eq!(format!("{key:?}"), "RsaKey(…)");
}
