//! The canonical request and the string to sign (pai-dlc.md §2.2 to §2.5), worked out from the wire bytes.

use std::fmt::Write as _;

use http::HeaderMap;
use sha2::{Digest, Sha256};

use super::authorization::ALGORITHM;
use crate::sandbox::service::RawRequest;

/// What the signature must have been made over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Canonical {
    /// Bytes, since a header value need not be UTF-8.
    request: Vec<u8>,
}

impl Canonical {
    /// Builds the canonical form over `signed` headers, which are lower-case and ascending.
    pub fn of(request: &RawRequest, signed: &[&str]) -> Self {
        let path = match request.path() {
            "" => "/",
            path => path,
        };
        let mut bytes = Vec::new();
        for part in [
            request.method.as_str().to_ascii_uppercase(),
            path.to_owned(),
            canonical_query(request.raw_query()),
        ] {
            bytes.extend_from_slice(part.as_bytes());
            bytes.push(b'\n');
        }
        for name in signed {
            bytes.extend_from_slice(name.as_bytes());
            bytes.push(b':');
            bytes.extend_from_slice(&header_value(&request.headers, name));
            bytes.push(b'\n');
        }
        bytes.push(b'\n');
        bytes.extend_from_slice(signed.join(";").as_bytes());
        bytes.push(b'\n');
        bytes.extend_from_slice(&header_value(&request.headers, "x-acs-content-sha256"));
        Self { request: bytes }
    }

    /// The text, with a security token blanked out wherever it stands.
    pub fn shown(&self, token: Option<&str>) -> String {
        let text = String::from_utf8_lossy(&self.request).into_owned();
        match token.map(str::trim) {
            Some(token) if !token.is_empty() => text
                .replace(token, "***")
                .replace(&encode(token.as_bytes()), "***"),
            Some(_) | None => text,
        }
    }

    /// The string to sign.
    pub fn string_to_sign(&self) -> String {
        format!("{ALGORITHM}\n{}", sha256_hex(&self.request))
    }
}

/// Lower-case hexadecimal SHA-256.
pub fn sha256_hex(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

/// The pairs of a wire query, decoded as `application/x-www-form-urlencoded`, in their order.
///
/// The wire form is not the canonical form: the official Python SDK writes a blank as `+` (§2.4).
pub fn decode_query(raw: &str) -> Vec<(Vec<u8>, Vec<u8>)> {
    raw.split('&')
        .filter(|piece| !piece.is_empty())
        .map(|piece| {
            let (name, value) = piece.split_once('=').unwrap_or((piece, ""));
            (form_decode(name), form_decode(value))
        })
        .collect()
}

/// The first query name that stands twice: such a query has no canonical form (§2.4).
pub(super) fn repeated_name(raw: &str) -> Option<String> {
    let mut names: Vec<Vec<u8>> = decode_query(raw)
        .into_iter()
        .map(|(name, _)| name)
        .collect();
    names.sort();
    names.windows(2).find_map(|pair| match pair {
        [left, right] if left == right => Some(String::from_utf8_lossy(left).into_owned()),
        _ => None,
    })
}

/// Lower-case hexadecimal digits to bytes; `None` for anything else, upper-case digits too (§2.5).
pub(super) fn unhex(text: &str) -> Option<Vec<u8>> {
    if text.bytes().any(|byte| byte.is_ascii_uppercase()) {
        return None;
    }
    let digits: Option<Vec<u8>> = text.chars().map(hex_digit).collect();
    let (pairs, rest) = digits.as_deref()?.as_chunks::<2>();
    rest.is_empty()
        .then(|| pairs.iter().map(|[high, low]| high << 4 | low).collect())
}

fn canonical_query(raw: &str) -> String {
    let mut pairs = decode_query(raw);
    // By byte value of the name: `B` comes before `a`.
    pairs.sort_by(|left, right| left.0.cmp(&right.0));
    let encoded: Vec<String> = pairs
        .iter()
        .map(|(name, value)| format!("{}={}", encode(name), encode(value)))
        .collect();
    encoded.join("&")
}

/// Values of one name: each trimmed, sorted, joined by a comma (§2.2).
fn header_value(headers: &HeaderMap, name: &str) -> Vec<u8> {
    let mut values: Vec<&[u8]> = headers
        .get_all(name)
        .iter()
        .map(|value| value.as_bytes().trim_ascii())
        .collect();
    values.sort_unstable();
    values.join(&b',')
}

/// Percent-encodes all but `A-Z a-z 0-9 - _ . ~`, with upper-case digits (§2.3).
fn encode(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                text.push(char::from(*byte));
            }
            other => write_hex(&mut text, "%", *other, true),
        }
        text
    })
}

fn form_decode(text: &str) -> Vec<u8> {
    let mut decoded = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    loop {
        rest = match rest {
            [] => return decoded,
            [b'+', tail @ ..] => {
                decoded.push(b' ');
                tail
            }
            [b'%', high, low, tail @ ..] => {
                let digits = hex_digit(char::from(*high)).zip(hex_digit(char::from(*low)));
                if let Some((high, low)) = digits {
                    decoded.push(high << 4 | low);
                    tail
                } else {
                    // Not an escape: it stands for itself, and a signature over it cannot fit by accident.
                    decoded.push(b'%');
                    rest.get(1..).unwrap_or_default()
                }
            }
            [byte, tail @ ..] => {
                decoded.push(*byte);
                tail
            }
        };
    }
}

/// Lower-case hexadecimal digits.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        write_hex(&mut text, "", *byte, false);
        text
    })
}

fn write_hex(text: &mut String, before: &str, byte: u8, upper: bool) {
    // Writing to a string cannot fail.
    let _infallible = if upper {
        write!(text, "{before}{byte:02X}")
    } else {
        write!(text, "{before}{byte:02x}")
    };
}

fn hex_digit(digit: char) -> Option<u8> {
    u8::try_from(digit.to_digit(16)?).ok()
}
