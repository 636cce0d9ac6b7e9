//! The body as a shell function that prints it to the byte, whatever it holds.
//!
//! A function, and not a variable: a variable holds no NUL, an argument of a program has a length limit, and a signature
//! needs the very bytes that are sent. `printf` is part of the shell, so it has no such limit.

use std::fmt::Write as _;

use crate::output::redact::{Fragment, Redactor};
use crate::output::sanitize::is_dangerous;

use super::shell::{in_quotes, variable_name};

/// A `printf` command, and the variables it reads.
pub(super) struct Printed {
    pub(super) command: String,
    pub(super) variables: Vec<String>,
}

/// A part of the body.
enum Piece {
    /// Bytes that stand there.
    Plain(Vec<u8>),
    /// A secret, under its variable's name.
    Variable(String),
}

/// The command that prints these bytes, with secrets as variables.
///
/// What could not stand in a script as it is, is written in octal; secrets inside base64 stand under `NAME_ENCODED`.
pub(super) fn printed(body: &[u8], redactor: &Redactor) -> Printed {
    let pieces = pieces(body, redactor);
    let is_literal = pieces.iter().all(|piece| match piece {
        Piece::Plain(bytes) => literal(bytes).is_some(),
        Piece::Variable(_) => true,
    });
    let mut formats = String::new();
    let mut words = Vec::new();
    let mut variables = Vec::new();
    for piece in pieces {
        let (format, word) = match piece {
            Piece::Variable(name) => {
                let word = format!("\"${{{name}}}\"");
                variables.push(name);
                ("%s", word)
            }
            Piece::Plain(bytes) => match literal(&bytes) {
                Some(text) => ("%s", in_quotes(text)),
                None => ("%b", in_quotes(&escaped(&bytes))),
            },
        };
        formats.push_str(format);
        words.push(word);
    }
    // All literal: one word, which reads like the body.
    let command = if is_literal {
        format!("printf '%s' {}", words.concat())
    } else {
        format!("printf '{formats}' {}", words.join(" "))
    };
    Printed { command, variables }
}

fn pieces(body: &[u8], redactor: &Redactor) -> Vec<Piece> {
    let mut pieces: Vec<Piece> = Vec::new();
    let mut plain = Vec::new();
    for chunk in body.utf8_chunks() {
        for fragment in redactor.fragments(chunk.valid()) {
            let variable = match fragment {
                Fragment::Plain(text) => {
                    plain.extend_from_slice(text.as_bytes());
                    continue;
                }
                Fragment::Secret(name) => variable_name(name),
                Fragment::Encoded(name) => format!("{}_ENCODED", variable_name(name)),
            };
            if !plain.is_empty() {
                pieces.push(Piece::Plain(std::mem::take(&mut plain)));
            }
            pieces.push(Piece::Variable(variable));
        }
        plain.extend_from_slice(chunk.invalid());
    }
    if !plain.is_empty() || pieces.is_empty() {
        pieces.push(Piece::Plain(plain));
    }
    pieces
}

/// The bytes as text, if they may stand in a script as they are.
fn literal(bytes: &[u8]) -> Option<&str> {
    let text = std::str::from_utf8(bytes).ok()?;
    let is_harmless = |character| character == '\n' || !is_dangerous(character);
    text.chars().all(is_harmless).then_some(text)
}

/// The bytes as `%b` reads them.
fn escaped(bytes: &[u8]) -> String {
    let mut text = String::new();
    let octal = |text: &mut String, bytes: &[u8]| {
        for byte in bytes {
            // Writing to a string cannot fail.
            let _ = write!(text, "\\0{byte:03o}");
        }
    };
    for chunk in bytes.utf8_chunks() {
        for character in chunk.valid().chars() {
            match character {
                '\\' => text.push_str("\\\\"),
                '\n' => text.push('\n'),
                other if is_dangerous(other) => {
                    octal(&mut text, other.encode_utf8(&mut [0; 4]).as_bytes());
                }
                other => text.push(other),
            }
        }
        octal(&mut text, chunk.invalid());
    }
    text
}
