//! Renderers: records in, text for stdout out (cli.md §3, §4; design.md §2.7).
//!
//! Pure: a terminal is a [`Style`], never a global; time and zone are arguments. Nothing here prints, and foreign text
//! never leaves without passing [`sanitize`]. Secrets leave only as the credentials of a volume just created.

pub mod curl;
mod delimited;
mod document;
pub mod error;
mod jq;
pub mod json;
mod name;
mod ndjson;
pub mod redact;
mod render;
pub mod sanitize;
pub mod table;

#[cfg(test)]
mod samples;
#[cfg(test)]
mod tests;

use std::fmt;
use std::str::FromStr;

use jiff::tz::TimeZone;

use crate::error::{Error, Kind, Result};
use crate::model::Backend;

pub use document::ndjson_line;
pub use jq::{Jq, Reader};
pub use json::{DoctorRow, PlanEntry, PlanOutcome, PriceCheck, Told, error_line};
pub use render::{
    job_line, log_line, render_config, render_costs, render_created_namespace,
    render_created_volume, render_curl, render_curl_of, render_doctor, render_events, render_file,
    render_files, render_job, render_jobs, render_journal, render_namespaces, render_plans,
    render_submitted, render_types, render_value, render_volumes,
};

/// Whether a table tells everything of each record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Detailed {
    Yes,
    No,
}

/// What `-o` takes (cli.md §4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Format {
    #[default]
    Table,
    /// The table with further columns.
    Wide,
    Json,
    Ndjson,
    Csv,
    Tsv,
    /// One ref or id a line.
    Name,
}

impl Format {
    /// Every format, in the order of the documentation.
    pub const ALL: [Self; 7] = [
        Self::Table,
        Self::Wide,
        Self::Json,
        Self::Ndjson,
        Self::Csv,
        Self::Tsv,
        Self::Name,
    ];

    /// The word on the command line.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Table => "table",
            Self::Wide => "wide",
            Self::Json => "json",
            Self::Ndjson => "ndjson",
            Self::Csv => "csv",
            Self::Tsv => "tsv",
            Self::Name => "name",
        }
    }

    /// Whether failures are told as JSON on stderr.
    pub const fn is_json(self) -> bool {
        matches!(self, Self::Json | Self::Ndjson)
    }

    /// The format that flags ask for: `--jq` filters JSON and so implies it, `-q` is short for `-o name`.
    pub fn choose(output: Option<Self>, quiet: bool, has_jq: bool) -> Result<Self> {
        match (output, has_jq) {
            (Some(format), false) => Ok(format),
            (Some(format), true) if format.is_json() => Ok(format),
            (Some(format), true) => Err(Error::new(
                Kind::Usage,
                "jq_needs_json",
                format!("`--jq` filters JSON, and the output asked for is `{format}`"),
            )
            .with_hint("use `--jq` with `-o json` or `-o ndjson`, or without `-o`")),
            (None, true) => Ok(Self::Json),
            (None, false) if quiet => Ok(Self::Name),
            (None, false) => Ok(Self::Table),
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

impl FromStr for Format {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|format| format.as_str() == text)
            .ok_or_else(|| {
                let words: Vec<&str> = Self::ALL.iter().map(|format| format.as_str()).collect();
                format!(
                    "`{text}` is no output format; there are {}",
                    words.join(", ")
                )
            })
    }
}

/// How results look.
#[derive(Debug, Clone)]
pub struct Style {
    pub format: Format,
    pub colour: bool,
    /// The terminal's width in columns; `None` is a pipe: nothing is truncated.
    pub width: Option<u16>,
    /// For the times in tables; JSON is always UTC.
    pub time_zone: TimeZone,
    pub jq: Option<Jq>,
}

impl Style {
    /// What a pipe gets: no colour, no truncation, times in UTC.
    pub fn plain(format: Format) -> Self {
        Self {
            format,
            colour: false,
            width: None,
            time_zone: TimeZone::UTC,
            jq: None,
        }
    }
}

/// A record and the provider it came from.
#[derive(Debug)]
pub struct Row<'a, T> {
    /// The configured name.
    pub provider: &'a str,
    pub backend: Backend,
    pub item: &'a T,
}

impl<'a, T> Row<'a, T> {
    /// One record of a provider.
    pub fn new(provider: &'a str, backend: Backend, item: &'a T) -> Self {
        Self {
            provider,
            backend,
            item,
        }
    }

    /// All records of one provider.
    pub fn all(
        provider: &'a str,
        backend: Backend,
        items: &'a [T],
    ) -> impl Iterator<Item = Row<'a, T>> {
        items
            .iter()
            .map(move |item| Row::new(provider, backend, item))
    }
}

// Derived, these would ask `T` to be `Clone` and `Copy`, though only a reference is copied.
impl<T> Clone for Row<'_, T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Row<'_, T> {}
