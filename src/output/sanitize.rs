//! Makes foreign text harmless before it reaches a terminal or a pipe (cli.md §3, §10 "Output, small print").
//!
//! Control characters, escape sequences, bidi controls, zero-width characters, line and paragraph separators and tag
//! characters become visible escapes such as `\u{1b}`. Nothing is ever dropped, and what is printable stays as it is.

use std::borrow::Cow;
use std::fmt::Write as _;

use anstream::adapter::StripBytes;

/// Whether a character can move the cursor, reorder or hide text; line feed and tab included.
pub fn is_dangerous(character: char) -> bool {
    character.is_control()
        || matches!(character,
            // Soft hyphen, combining grapheme joiner, Arabic letter mark, Hangul fillers, Mongolian separators.
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
            | '\u{180b}'..='\u{180f}' | '\u{3164}' | '\u{ffa0}'
            // Zero-width and direction marks; line and paragraph separators; embeddings, overrides and isolates;
            // word joiner and invisible operators.
            | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
            // Byte order mark, interlinear annotations, shorthand and musical format controls.
            | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}'
            // Tag characters and supplementary variation selectors: text nobody sees.
            | '\u{e0000}'..='\u{e0fff}')
}

/// Text of several lines: line feeds and tabs stay, everything else dangerous is escaped; `\r\n` is a line feed.
pub fn text(text: &str) -> Cow<'_, str> {
    let kept = |character: char| matches!(character, '\n' | '\t');
    if !text
        .chars()
        .any(|character| is_dangerous(character) && !kept(character))
    {
        return Cow::Borrowed(text);
    }
    Cow::Owned(escaped(&text.replace("\r\n", "\n"), kept))
}

/// Text for one line: runs of line breaks and tabs become one blank, everything else dangerous is escaped.
pub fn line(text: &str) -> Cow<'_, str> {
    if !text.chars().any(is_dangerous) {
        return Cow::Borrowed(text);
    }
    let is_break = |character: char| matches!(character, '\n' | '\r' | '\t');
    let mut flat = String::with_capacity(text.len());
    let mut after_break = false;
    for character in text.trim_end_matches(is_break).chars() {
        match (is_break(character), after_break) {
            (true, true) => {}
            (true, false) => flat.push(' '),
            (false, _) => flat.push(character),
        }
        after_break = is_break(character);
    }
    Cow::Owned(escaped(&flat, |_| false))
}

/// JSON text: what stands raw inside strings becomes `\uXXXX`, so the document means the same.
///
/// Between members line feeds and tabs stay, and carriage returns go: there they are blanks, and no escapes.
pub fn json(document: &str) -> Cow<'_, str> {
    let escapes = |character: char| is_dangerous(character) && character != '\n';
    if !document.chars().any(escapes) {
        return Cow::Borrowed(document);
    }
    let mut safe = String::with_capacity(document.len());
    let mut is_inside = false;
    let mut after_backslash = false;
    for character in document.chars() {
        match character {
            '\t' if !is_inside => safe.push('\t'),
            '\r' if !is_inside => {}
            other if escapes(other) => {
                let mut units = [0; 2];
                for unit in other.encode_utf16(&mut units) {
                    // Writing to a string cannot fail.
                    let _ = write!(safe, "\\u{unit:04x}");
                }
            }
            other => safe.push(other),
        }
        if character == '"' && !after_backslash {
            is_inside = !is_inside;
        }
        after_backslash = character == '\\' && !after_backslash;
    }
    Cow::Owned(safe)
}

fn escaped(text: &str, keep: impl Fn(char) -> bool) -> String {
    let mut safe = String::with_capacity(text.len());
    for character in text.chars() {
        if is_dangerous(character) && !keep(character) {
            safe.extend(character.escape_unicode());
        } else {
            safe.push(character);
        }
    }
    safe
}

/// Makes a job's output harmless for a terminal, chunk by chunk; a pipe gets the bytes themselves instead.
///
/// Escape sequences, such as the colours of a progress bar, are stripped whole with the other control characters
/// (cli.md §3); what else is dangerous becomes visible. Characters cut in two by a chunk border are kept until the rest arrives. A lone carriage return, as progress bars
/// write it, starts a new line: it may not overwrite what stands there.
#[derive(Debug, Default)]
pub struct LogSanitizer {
    strip: StripBytes,
    cut: Vec<u8>,
    after_return: bool,
}

impl LogSanitizer {
    /// The next bytes, as safe text.
    pub fn push(&mut self, bytes: &[u8]) -> String {
        let mut all = std::mem::take(&mut self.cut);
        all.extend_from_slice(bytes);
        let mut text = String::with_capacity(all.len());
        let mut chunks = all.utf8_chunks().peekable();
        while let Some(chunk) = chunks.next() {
            text.push_str(chunk.valid());
            let invalid = chunk.invalid();
            if invalid.is_empty() {
                continue;
            }
            let is_incomplete =
                std::str::from_utf8(invalid).is_err_and(|error| error.error_len().is_none());
            if is_incomplete && chunks.peek().is_none() {
                self.cut = invalid.to_vec();
            } else {
                text.push('\u{fffd}');
            }
        }
        let mut safe = String::with_capacity(text.len());
        let plain: Vec<u8> = self
            .strip
            .strip_next(text.as_bytes())
            .flatten()
            .copied()
            .collect();
        for character in String::from_utf8_lossy(&plain).chars() {
            push_safe(character, &mut self.after_return, &mut safe);
        }
        safe
    }

    /// What is left when the log has ended: a character that was never completed.
    pub fn finish(&mut self) -> String {
        if std::mem::take(&mut self.cut).is_empty() {
            String::new()
        } else {
            "\u{fffd}".to_owned()
        }
    }
}

/// One character of a log that is no escape sequence.
fn push_safe(character: char, after_return: &mut bool, safe: &mut String) {
    match character {
        '\n' if *after_return => {}
        '\r' | '\n' => safe.push('\n'),
        '\t' => safe.push('\t'),
        other if is_dangerous(other) => safe.extend(other.escape_unicode()),
        other => safe.push(other),
    }
    *after_return = character == '\r';
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn escape_sequences_become_visible() {
        assert_eq!(text("a\u{1b}[31mb"), "a\\u{1b}[31mb");
        assert_eq!(line("\u{9b}2J\u{7f}"), "\\u{9b}2J\\u{7f}");
    }

    #[test]
    fn hidden_and_reordering_characters_become_visible() {
        for hidden in [
            '\u{202e}',
            '\u{2066}',
            '\u{200b}',
            '\u{200d}',
            '\u{2028}',
            '\u{feff}',
            '\u{e0041}',
            '\u{ad}',
            '\u{e0101}',
        ] {
            let shown = format!("a{hidden}b");
            assert_eq!(
                line(&shown),
                format!("a{}b", hidden.escape_unicode()),
                "{hidden:?}"
            );
        }
    }

    #[test]
    fn ordinary_text_is_not_touched() {
        for plain in ["训练 ✓ ❤️ é", "C:\\temp", "مرحبا"] {
            assert!(matches!(line(plain), Cow::Borrowed(same) if same == plain));
            assert!(matches!(text(plain), Cow::Borrowed(same) if same == plain));
        }
    }

    #[test]
    fn one_line_stays_one_line() {
        assert_eq!(line("a\r\n\tb\n"), "a b");
        assert_eq!(text("a\r\nb\tc\rd"), "a\nb\tc\\u{d}d");
    }

    #[test]
    fn json_means_the_same_afterwards() {
        let value = serde_json::json!({"a": "x\u{9b}\u{202e}\u{e0041}\n"});
        let document = serde_json::to_string_pretty(&value).unwrap();
        let safe = json(&document);
        assert!(safe.contains("\\u009b\\u202e\\udb40\\udc41\\n"), "{safe}");
        assert_eq!(
            serde_json::from_str::<serde_json::Value>(&safe).unwrap(),
            value
        );
    }

    #[test]
    fn blanks_between_members_are_no_text() {
        assert_eq!(
            json("{\r\n\t\"a\\\"\u{9b}\\\\\":\t\"\u{200b}\"\r\n}"),
            "{\n\t\"a\\\"\\u009b\\\\\":\t\"\\u200b\"\n}"
        );
    }

    #[test]
    fn a_log_cut_inside_a_character_is_whole_again() {
        let mut sanitizer = LogSanitizer::default();
        let bytes = "é训\u{1b}[0m".as_bytes();
        let shown: String = bytes
            .iter()
            .map(|byte| sanitizer.push(std::slice::from_ref(byte)))
            .collect();
        assert_eq!(shown + &sanitizer.finish(), "é训");
    }

    #[test]
    fn colours_titles_and_bells_of_a_log_are_stripped_whole() {
        let mut sanitizer = LogSanitizer::default();
        assert_eq!(
            sanitizer.push(b"a\x1b[1;31mred\x1b[0m\x07 \x1b]0;ti"),
            "ared "
        );
        assert_eq!(sanitizer.push(b"tle\x07b\x00\x1b[2J\n"), "b\n");
        assert_eq!(sanitizer.push("\u{202e}c".as_bytes()), "\\u{202e}c");
    }

    #[test]
    fn a_log_keeps_its_lines_whatever_ends_them() {
        let mut sanitizer = LogSanitizer::default();
        assert_eq!(sanitizer.push(b"10%\r20%\r"), "10%\n20%\n");
        assert_eq!(sanitizer.push(b"\ndone\xff\xe8"), "done\u{fffd}");
        assert_eq!(sanitizer.finish(), "\u{fffd}");
    }

    proptest! {
        #[test]
        fn nothing_dangerous_survives(
            characters in proptest::collection::vec(prop_oneof![any::<char>(), dangerous()], 0..60)
        ) {
            let foreign: String = characters.into_iter().collect();
            prop_assert!(!line(&foreign).chars().any(is_dangerous));
            prop_assert!(!text(&foreign)
                .chars()
                .any(|character| is_dangerous(character) && !matches!(character, '\n' | '\t')));
            let document = serde_json::to_string(&foreign).unwrap();
            let safe = json(&document);
            prop_assert!(!safe.chars().any(is_dangerous));
            prop_assert_eq!(serde_json::from_str::<String>(&safe).unwrap(), foreign);
        }

        #[test]
        fn no_log_byte_escapes(bytes in proptest::collection::vec(any::<u8>(), 0..80), cut in 0_usize..80) {
            let (head, tail) = bytes.split_at(cut.min(bytes.len()));
            let mut sanitizer = LogSanitizer::default();
            let shown = sanitizer.push(head) + &sanitizer.push(tail) + &sanitizer.finish();
            prop_assert!(!shown
                .chars()
                .any(|character| is_dangerous(character) && !matches!(character, '\n' | '\t')));
        }
    }

    /// Characters from the dangerous ranges, which `any::<char>` seldom hits.
    fn dangerous() -> impl Strategy<Value = char> {
        prop_oneof![
            proptest::char::range('\0', '\u{9f}'),
            proptest::char::range('\u{2000}', '\u{206f}'),
            proptest::char::range('\u{e0000}', '\u{e01ff}'),
        ]
    }
}
