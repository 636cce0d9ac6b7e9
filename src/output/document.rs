//! One result in every format: the seam between records and renderers.

use serde_json::Value;

use crate::error::{Error, Result};

use super::{Format, Style, delimited, json, name, ndjson, sanitize};

/// A result that is ready to be written in any format.
#[derive(Debug)]
pub(super) struct Document<'a> {
    /// The schema kind: `jobs`.
    pub(super) kind: &'static str,
    pub(super) shape: Shape<'a>,
    /// Columns of csv and tsv, nested keys with dots.
    pub(super) columns: Vec<&'static str>,
    /// What `-o name` prints, a line each.
    pub(super) names: Vec<String>,
}

/// A list or a single record.
#[derive(Debug)]
pub(super) enum Shape<'a> {
    List {
        items: Vec<Value>,
        errors: &'a [Error],
    },
    Single(Value),
}

impl Document<'_> {
    /// The text for stdout; `human` makes the table when one is asked for.
    pub(super) fn render(self, style: &Style, human: impl FnOnce() -> String) -> Result<String> {
        match style.format {
            Format::Table | Format::Wide => Ok(human()),
            Format::Name => Ok(name::lines(&self.names)),
            Format::Csv => Ok(delimited::csv(&self.columns, self.items())),
            Format::Tsv => Ok(delimited::tsv(&self.columns, self.items())),
            Format::Json => {
                let document = self.json()?;
                match &style.jq {
                    Some(jq) => jq.run(&document),
                    None => pretty(&document),
                }
            }
            Format::Ndjson => match &style.jq {
                Some(jq) => self.lines()?.iter().map(|line| jq.run(line)).collect(),
                None => ndjson::lines(&self.lines()?),
            },
        }
    }

    /// The whole document.
    fn json(self) -> Result<Value> {
        match self.shape {
            Shape::List { items, errors } => json::list(self.kind, items, errors),
            Shape::Single(item) => Ok(json::single(self.kind, item)),
        }
    }

    /// One object a line: the items of a list, or the document of a single record.
    fn lines(self) -> Result<Vec<Value>> {
        match self.shape {
            Shape::List { items, .. } => Ok(items),
            Shape::Single(_) => Ok(vec![self.json()?]),
        }
    }

    fn items(&self) -> &[Value] {
        match &self.shape {
            Shape::List { items, .. } => items,
            Shape::Single(item) => std::slice::from_ref(item),
        }
    }
}

/// A document for people and programs alike: indented, with a line feed at its end.
pub(super) fn pretty(document: &Value) -> Result<String> {
    let mut text = serde_json::to_string_pretty(document)
        .map_err(|error| Error::internal(format!("a result cannot be written as JSON: {error}")))?;
    text.push('\n');
    Ok(sanitize::json(&text).into_owned())
}

/// One object on a line of its own, through `--jq` if there is one: for records that are printed as they come.
pub fn ndjson_line(value: &Value, style: &Style) -> Result<String> {
    match &style.jq {
        Some(jq) => jq.run(value),
        None => ndjson::lines(std::slice::from_ref(value)),
    }
}
