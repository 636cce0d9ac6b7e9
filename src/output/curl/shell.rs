//! Shell words that hold secrets as variables.

use std::fmt::Write as _;

use crate::output::redact::{Fragment, Redactor};
use crate::output::sanitize;
use crate::spec::quote::quote_word;

/// One shell word, and the variables it reads.
pub(super) struct Words {
    pub(super) text: String,
    pub(super) variables: Vec<String>,
}

impl Words {
    /// One line of text as one word; every secret in it is a variable.
    ///
    /// A value inside base64 stands under `NAME_ENCODED`: the whole run with it.
    pub(super) fn new(text: &str, redactor: &Redactor) -> Self {
        let mut words = Self {
            text: String::new(),
            variables: Vec::new(),
        };
        let mut plain = String::new();
        for fragment in redactor.fragments(text) {
            let variable = match fragment {
                Fragment::Plain(piece) => {
                    plain.push_str(&sanitize::line(piece));
                    continue;
                }
                Fragment::Secret(name) => variable_name(name),
                Fragment::Encoded(name) => format!("{}_ENCODED", variable_name(name)),
            };
            words.push_plain(&mut plain);
            // Writing to a string cannot fail.
            let _ = write!(words.text, "\"${{{variable}}}\"");
            words.variables.push(variable);
        }
        words.push_plain(&mut plain);
        if words.text.is_empty() {
            words.text.push_str("''");
        }
        words
    }

    fn push_plain(&mut self, plain: &mut String) {
        if !plain.is_empty() {
            self.text.push_str(&in_quotes(plain));
            plain.clear();
        }
    }
}

/// The text in single quotes, needed or not: what is meant literally looks it.
pub(super) fn in_quotes(text: &str) -> String {
    let quoted = quote_word(text);
    if quoted.starts_with('\'') {
        quoted
    } else {
        format!("'{quoted}'")
    }
}

/// A name that a shell takes for a variable.
pub(super) fn variable_name(name: &str) -> String {
    let mut variable: String = name
        .chars()
        .map(|character| {
            if character.is_ascii_alphanumeric() {
                character
            } else {
                '_'
            }
        })
        .collect();
    if variable.starts_with(|character: char| character.is_ascii_digit()) || variable.is_empty() {
        variable.insert(0, '_');
    }
    variable
}

/// A comment line.
pub(super) fn comment(text: &str) -> String {
    format!("# {}\n", sanitize::line(text))
}
