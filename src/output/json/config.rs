//! Kind `config`: the settings in force and where each came from (cli.md §8).

use serde::Serialize;

use crate::config;

/// Columns of csv and tsv.
pub const CONFIG_COLUMNS: &[&str] = &["key", "value", "origin", "source"];

/// One setting as JSON; the configuration itself has put dots where a secret is.
#[derive(Debug, Clone, Serialize)]
pub struct ConfigV1<'a> {
    key: &'a str,
    value: &'a str,
    origin: String,
    /// Where the origin sends the reader on to: a variable, a file, a command.
    source: Option<&'a str>,
}

impl<'a> ConfigV1<'a> {
    /// The record of a setting.
    pub fn new(row: &'a config::Row) -> Self {
        Self {
            key: &row.key,
            value: &row.value,
            origin: row.origin.to_string(),
            source: row.source.as_deref(),
        }
    }
}
