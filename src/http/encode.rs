//! The one percent-encoder: everything but RFC 3986 unreserved characters becomes `%XX` in upper case.
//!
//! Wire and signature both use it, so that they cannot differ (pai-dlc.md §2.3, gongji.md §1.4).

const HEX: &[u8; 16] = b"0123456789ABCDEF";

/// Encodes one path segment, query name or query value.
pub fn component(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if is_unreserved(byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push('%');
            for nibble in [byte >> 4, byte & 0xF] {
                let digit = HEX.get(usize::from(nibble)).copied().unwrap_or(b'0');
                encoded.push(char::from(digit));
            }
        }
    }
    encoded
}

/// The text behind percent escapes; `None` for a broken escape or bytes that are not UTF-8.
pub fn decode(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        rest = tail;
        if *first != b'%' {
            bytes.push(*first);
            continue;
        }
        let [high, low, tail @ ..] = rest else {
            return None;
        };
        let (high, low) = (
            char::from(*high).to_digit(16)?,
            char::from(*low).to_digit(16)?,
        );
        bytes.push(u8::try_from(high * 16 + low).ok()?);
        rest = tail;
    }
    String::from_utf8(bytes).ok()
}

/// RFC 3986 unreserved: letters, digits, `-`, `.`, `_` and `~`.
fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn reserved_characters_are_encoded_in_upper_case() {
        assert_eq!(
            component("a b+c*d/e~f!'()"),
            "a%20b%2Bc%2Ad%2Fe~f%21%27%28%29"
        );
        assert_eq!(component("视"), "%E8%A7%86");
    }

    #[test]
    fn broken_escapes_are_refused() {
        assert_eq!(decode("%"), None);
        assert_eq!(decode("%4"), None);
        assert_eq!(decode("%zz"), None);
        assert_eq!(decode("%ff"), None);
    }

    proptest! {
        #[test]
        fn decoding_gives_the_text_back(text in ".*") {
            prop_assert_eq!(decode(&component(&text)), Some(text));
        }
    }
}
