//! What a wrong signature was made over, as far as known mistakes explain it (gongji.md §1.4, §11): for the log only.
//!
//! It tries variants of each field, at most two at a time, and names the first that verifies. No text it returns holds
//! a token or a body.

use serde_json::Value;

use super::{PublicKey, Signed};

/// Combinations with more mistakes than this are not tried: each costs a verification.
const MOST_MISTAKES: usize = 2;

/// A value of a field that a mistaken client may have signed; the right one has no name.
type Variant = (Option<&'static str>, Vec<u8>);

/// Says how the client's text differs.
pub(super) fn explain(
    signed: &Signed<'_>,
    host: &str,
    signature: &[u8],
    public_key: &PublicKey,
) -> String {
    let mut candidates = candidates(signed, host);
    candidates.sort_by_key(|candidate| candidate.mistakes.len());
    for candidate in candidates {
        if !candidate.mistakes.is_empty() && public_key.verifies(&candidate.text, signature) {
            return format!("signed was {}", candidate.mistakes.join(" and "));
        }
    }
    if let Some(scheme) = public_key.other_scheme(&signed.text(), signature) {
        return format!(
            "the right text was signed with {scheme} and not with PKCS#1 v1.5 and SHA-256"
        );
    }
    "no known mistake explains it: another private key, or other bytes than those that came"
        .to_owned()
}

struct Candidate {
    mistakes: Vec<&'static str>,
    text: Vec<u8>,
}

fn candidates(signed: &Signed<'_>, host: &str) -> Vec<Candidate> {
    let (targets, timestamps, bodies) = (targets(signed, host), timestamps(signed), bodies(signed));
    let mut candidates = Vec::new();
    for target in &targets {
        for timestamp in &timestamps {
            for body in &bodies {
                for separator in &separators() {
                    for end in &ends() {
                        let variants = [target, timestamp, body, separator, end];
                        let mistakes: Vec<&str> =
                            variants.iter().filter_map(|(name, _)| *name).collect();
                        if mistakes.len() > MOST_MISTAKES {
                            continue;
                        }
                        let fields: [&[u8]; 5] = [
                            &target.1,
                            signed.version.as_bytes(),
                            &timestamp.1,
                            signed.token.as_bytes(),
                            &body.1,
                        ];
                        let mut text = fields.join(separator.1.as_slice());
                        text.extend(&end.1);
                        candidates.push(Candidate { mistakes, text });
                    }
                }
            }
        }
    }
    candidates
}

fn targets(signed: &Signed<'_>, host: &str) -> Vec<Variant> {
    let target = signed.target;
    let mut variants = vec![right(target)];
    let mut add = |name, text: String| {
        if text != target {
            variants.push((Some(name), text.into_bytes()));
        }
    };
    if let Some((path, query)) = target.split_once('?') {
        add("the path without its query", path.to_owned());
        let decoded = percent_decoded(query);
        let with = |query: &str| format!("{path}?{query}");
        add("the query without its percent encoding", with(&decoded));
        add(
            "the query encoded in another way",
            with(&encoded(&decoded, "%20")),
        );
        add(
            "the query encoded as a form, with `+` for blanks",
            with(&encoded(&decoded, "+")),
        );
        let mut parameters: Vec<&str> = query.split('&').collect();
        parameters.sort_unstable();
        add("the query in alphabetic order", with(&parameters.join("&")));
    }
    if let Some(rest) = target.strip_prefix("/api") {
        add("the path without `/api`", rest.to_owned());
    }
    for scheme in ["http", "https"] {
        add("the whole URL", format!("{scheme}://{host}{target}"));
    }
    variants
}

fn timestamps(signed: &Signed<'_>) -> Vec<Variant> {
    let mut variants = vec![right(signed.timestamp)];
    if let Some((seconds, _)) = signed.timestamp.split_at_checked(10) {
        variants.push((Some("the timestamp in seconds"), seconds.into()));
    }
    variants
}

fn bodies(signed: &Signed<'_>) -> Vec<Variant> {
    let mut variants = vec![(None, signed.body.to_vec())];
    let mut add = |name, bytes: Vec<u8>| {
        if bytes != signed.body {
            variants.push((Some(name), bytes));
        }
    };
    add("the body `{}`", b"{}".to_vec());
    add("the body `null`", b"null".to_vec());
    add("an empty body", Vec::new());
    if let Ok(value) = serde_json::from_slice::<Value>(signed.body) {
        add(
            "the body serialised again, compactly",
            value.to_string().into_bytes(),
        );
        if let Ok(pretty) = serde_json::to_vec_pretty(&value) {
            add("the body serialised again, with indents", pretty);
        }
    }
    variants
}

fn separators() -> Vec<Variant> {
    vec![
        right("\n"),
        (Some("CR LF between the fields"), b"\r\n".to_vec()),
        (Some("a literal `\\n` between the fields"), b"\\n".to_vec()),
        (Some("nothing between the fields"), Vec::new()),
    ]
}

fn ends() -> Vec<Variant> {
    vec![right(""), (Some("a line feed at the end"), b"\n".to_vec())]
}

fn right(text: &str) -> Variant {
    (None, text.as_bytes().to_vec())
}

fn percent_decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let escape = after
            .split_at_checked(2)
            .filter(|_| *first == b'%')
            .and_then(|(digits, after)| {
                let digits = std::str::from_utf8(digits).ok()?;
                Some((u8::from_str_radix(digits, 16).ok()?, after))
            });
        let (byte, after) = escape.unwrap_or((*first, after));
        bytes.push(byte);
        rest = after;
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Encodes a decoded query as a library would do it with all but unreserved characters.
fn encoded(query: &str, blank: &str) -> String {
    let mut text = String::with_capacity(query.len());
    for byte in query.bytes() {
        match byte {
            b' ' => text.push_str(blank),
            b'=' | b'&' | b'_' | b'.' | b'-' | b'~' => text.push(char::from(byte)),
            _ if byte.is_ascii_alphanumeric() => text.push(char::from(byte)),
            _ => {
                text.push('%');
                for nibble in [byte >> 4, byte & 0xF] {
                    text.extend(
                        char::from_digit(u32::from(nibble), 16)
                            .map(|digit| digit.to_ascii_uppercase()),
                    );
                }
            }
        }
    }
    text
}
