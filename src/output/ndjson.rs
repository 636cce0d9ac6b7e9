//! `-o ndjson`: one compact object a line.

use serde_json::Value;

use crate::error::{Error, Result};

use super::sanitize;

/// The values, a line each.
pub(super) fn lines(values: &[Value]) -> Result<String> {
    let mut text = String::new();
    for value in values {
        let line = serde_json::to_string(value).map_err(|error| {
            Error::internal(format!("a result cannot be written as JSON: {error}"))
        })?;
        text.push_str(&sanitize::json(&line));
        text.push('\n');
    }
    Ok(text)
}
