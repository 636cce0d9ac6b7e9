//! Durations and sizes as text: `1h30m`, `2-12:00:00`, `64GiB` (cli.md §2.2).
//!
//! A number without a unit is never guessed at. All arithmetic is checked; seconds and bytes are whole numbers.

mod duration;
mod size;

pub use duration::{format_duration, parse_duration};
pub use size::{format_size, parse_gpu_memory, parse_size};

use thiserror::Error;

/// Why a text is no duration or size.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{message}")]
pub struct UnitError {
    /// `bad_unit` where the unit is missing or wrong, `bad_value` for everything else.
    pub code: &'static str,
    /// What was found, and why it will not do.
    pub message: String,
    /// What would do.
    pub hint: String,
}

impl UnitError {
    fn unit(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self {
            code: "bad_unit",
            message: message.into(),
            hint: hint.into(),
        }
    }

    fn value(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self {
            code: "bad_value",
            message: message.into(),
            hint: hint.into(),
        }
    }
}

/// Splits after the leading digits and decimal points.
fn split_number(text: &str) -> (&str, &str) {
    let end = text
        .find(|character: char| !character.is_ascii_digit() && character != '.')
        .unwrap_or(text.len());
    text.split_at(end)
}

/// Whether the text is a number and nothing else.
fn is_bare_number(text: &str) -> bool {
    !text.is_empty()
        && text
            .bytes()
            .all(|byte| byte.is_ascii_digit() || byte == b'.' || byte == b'_')
}

#[cfg(test)]
mod tests;
