//! JSON that is none by the letter: what programs write to their logs comes through the service's hands as it may.
//!
//! Pure. One odd byte must not hide a whole log: what cannot be text becomes U+FFFD.

use std::borrow::Cow;

use serde_json::Value;

use crate::http::Answer;

/// Escapes of one letter.
const ESCAPES: [&str; 8] = ["\\\"", "\\\\", "\\/", "\\b", "\\f", "\\n", "\\r", "\\t"];

/// The body as JSON; one that is none is read again with its texts mended.
pub(super) fn json(answer: &Answer) -> Result<Value, serde_json::Error> {
    answer
        .json()
        .or_else(|error| serde_json::from_str(&mended(&answer.body)).map_err(|_still| error))
}

/// The same with what no JSON text may hold replaced: bytes that are no UTF-8, half a surrogate pair, bare control
/// characters, a backslash before nothing.
fn mended(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(body);
    let mut rest = text.trim_start_matches('\u{feff}');
    let mut mended = String::with_capacity(rest.len());
    let mut is_inside = false;
    while let Some(character) = rest.chars().next() {
        let length = character.len_utf8();
        let (written, length) = match character {
            '\\' if is_inside => escape(rest),
            control if is_inside && control < ' ' => {
                (Cow::Owned(format!("\\u{:04x}", u32::from(control))), length)
            }
            other => {
                is_inside ^= other == '"';
                (
                    Cow::Borrowed(rest.get(..length).unwrap_or_default()),
                    length,
                )
            }
        };
        mended.push_str(&written);
        rest = rest.get(length..).unwrap_or_default();
    }
    mended
}

/// What stands for the escape that a text begins with, and how many bytes of it that takes.
fn escape(text: &str) -> (Cow<'_, str>, usize) {
    let kept = |length: usize| {
        (
            Cow::Borrowed(text.get(..length).unwrap_or_default()),
            length,
        )
    };
    match unit(text) {
        Some(0xd800..=0xdbff) if matches!(text.get(6..).and_then(unit), Some(0xdc00..=0xdfff)) => {
            kept(12)
        }
        Some(0xd800..=0xdfff) => (Cow::Borrowed("\\ufffd"), 6),
        Some(_) => kept(6),
        None if text.get(..2).is_some_and(|two| ESCAPES.contains(&two)) => kept(2),
        None => (Cow::Borrowed("\\\\"), 1),
    }
}

/// The unit of a `\uXXXX`.
fn unit(text: &str) -> Option<u16> {
    let digits = text.strip_prefix("\\u")?.get(..4)?;
    let is_hex = digits.bytes().all(|digit| digit.is_ascii_hexdigit());
    is_hex.then(|| u16::from_str_radix(digits, 16).ok())?
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use http::{HeaderMap, StatusCode};
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;

    fn read(body: &[u8]) -> Option<Value> {
        json(&Answer {
            status: StatusCode::OK,
            headers: HeaderMap::new(),
            body: Bytes::copy_from_slice(body),
        })
        .ok()
    }

    #[rstest]
    #[case::as_it_is(br#"["a\n\"b\\","\ud83d\ude00"]"#, &["a\n\"b\\", "\u{1f600}"])]
    #[case::half_a_pair(br#"["a","\ud83d","\ude00\ud83d x","b"]"#, &["a", "\u{fffd}", "\u{fffd}\u{fffd} x", "b"])]
    #[case::high_and_no_low(br#"["\ud83d\u0041"]"#, &["\u{fffd}A"])]
    #[case::no_utf_8(b"[\"a\",\"\xff\xfe\",\"\xe4\xb8\",\"b\"]", &["a", "\u{fffd}\u{fffd}", "\u{fffd}", "b"])]
    #[case::bare_controls(b"[\"a\tb\",\n\"\x1b[0m\"]", &["a\tb", "\u{1b}[0m"])]
    #[case::no_escape(br#"["C:\x\u12"]"#, &["C:\\x\\u12"])]
    #[case::a_mark_of_the_byte_order(b"\xef\xbb\xbf[\"a\"]", &["a"])]
    fn odd_bytes_do_not_hide_the_rest(#[case] body: &[u8], #[case] expected: &[&str]) {
        assert_eq!(read(body), Some(serde_json::json!(expected)));
    }

    #[rstest]
    #[case(b"")]
    #[case(b"<html>x</html>")]
    #[case(b"[\"a\"")]
    #[case(b"[\"a]")]
    fn what_is_no_json_at_all_stays_so(#[case] body: &[u8]) {
        assert_eq!(read(body), None);
    }

    proptest! {
        #[test]
        fn no_bytes_panic(body in prop::collection::vec(any::<u8>(), 0..200)) {
            drop(read(&body));
        }

        #[test]
        fn no_text_is_changed_that_was_well_formed(text in "\\PC{0,40}") {
            let body = serde_json::to_string(&[&text]).unwrap();
            prop_assert_eq!(mended(body.as_bytes()), body.trim_start_matches('\u{feff}'));
        }
    }
}
