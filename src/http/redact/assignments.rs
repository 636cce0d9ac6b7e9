//! Values assigned inside texts: `NAME=value` in a shell command, and the token in an echoed canonical request.
//!
//! Where a provider has no field for the environment it travels in the command (cli.md §10, Paracloud), so any
//! assignment may hold a secret; a gateway may send a canonical request back in its message (pai-dlc.md §2.8).

use super::masked;

const ECHOED_TOKEN: &str = "x-acs-security-token:";

/// The text with assigned values masked; `None` when there are none.
pub(super) fn scrubbed(text: &str) -> Option<String> {
    let mut result = String::with_capacity(text.len());
    let mut rest = text;
    let mut at_word_start = true;
    let mut changed = false;
    while let Some(character) = rest.chars().next() {
        let name = if at_word_start {
            name_before_value(rest)
        } else {
            0
        };
        if name == 0 {
            result.push(character);
            rest = rest.get(character.len_utf8()..).unwrap_or_default();
            at_word_start = is_word_border(character);
            continue;
        }
        let (head, tail) = rest.split_at_checked(name)?;
        let (value, after) = tail.split_at_checked(value_length(tail, head))?;
        result.push_str(head);
        if !value.is_empty() {
            result.push_str(&masked(value.as_bytes()));
            changed = true;
        }
        rest = after;
        at_word_start = false;
    }
    changed.then_some(result)
}

/// The bytes of `NAME=` or of the echoed token's name at the start of `text`; 0 if there is neither.
fn name_before_value(text: &str) -> usize {
    if text.starts_with(ECHOED_TOKEN) {
        return ECHOED_TOKEN.len();
    }
    let name: usize = text
        .bytes()
        .take_while(|byte| byte.is_ascii_alphanumeric() || *byte == b'_')
        .count();
    let starts_well = text
        .bytes()
        .next()
        .is_some_and(|byte| byte.is_ascii_alphabetic() || byte == b'_');
    if starts_well && text.as_bytes().get(name) == Some(&b'=') {
        name + 1
    } else {
        0
    }
}

/// The bytes of a shell word, quotes and escapes included; of an echoed header, up to the end of its line.
fn value_length(text: &str, name: &str) -> usize {
    if name == ECHOED_TOKEN {
        return text.find(['\n', ']']).unwrap_or(text.len());
    }
    let mut quote = None;
    let mut escaped = false;
    for (index, character) in text.char_indices() {
        if escaped {
            escaped = false;
        } else if character == '\\' && quote != Some('\'') {
            escaped = true;
        } else if quote == Some(character) {
            quote = None;
        } else if quote.is_none() {
            if matches!(character, '\'' | '"') {
                quote = Some(character);
            } else if character.is_whitespace() || matches!(character, ';' | '&' | '|' | ')') {
                return index;
            }
        }
    }
    text.len()
}

/// After these a shell begins a new word; quotes too, since a whole command may stand in them (`sh -c '…'`).
fn is_word_border(character: char) -> bool {
    character.is_whitespace() || matches!(character, ';' | '&' | '|' | '(' | '?' | '\'' | '"' | '[')
}
