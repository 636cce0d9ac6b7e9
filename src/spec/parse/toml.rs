//! TOML to tree, through the toml crate's spanned tables.

use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::position::Lines;
use super::syntax_error;
use crate::spec::error::{Origin, SpecError};
use crate::spec::tree::{Content, Entry, Node};

/// Reads a TOML document.
pub(super) fn parse(text: &str) -> Result<Node, SpecError> {
    let lines = Lines::new(text);
    let table = DeTable::parse(text).map_err(|error| {
        let start = error.span().map_or(0, |span| span.start);
        syntax_error(lines.position(start), error.message().trim())
    })?;
    Ok(Node::new(
        Origin::Document(lines.position(0)),
        map(&lines, table.get_ref()),
    ))
}

fn origin(lines: &Lines<'_>, span: &Range<usize>) -> Origin {
    Origin::Document(lines.position(span.start))
}

fn map(lines: &Lines<'_>, table: &DeTable<'_>) -> Content {
    let mut entries: Vec<(usize, Entry)> = table
        .iter()
        .map(|(key, value)| {
            let entry = Entry {
                key: key.get_ref().to_string(),
                origin: origin(lines, &key.span()),
                node: node(lines, value),
            };
            (key.span().start, entry)
        })
        .collect();
    // The crate sorts by name; the reader wants the order of the file.
    entries.sort_by_key(|(start, _)| *start);
    Content::Map(entries.into_iter().map(|(_, entry)| entry).collect())
}

fn node(lines: &Lines<'_>, value: &Spanned<DeValue<'_>>) -> Node {
    let content = match value.get_ref() {
        DeValue::String(text) => Content::Text(text.to_string()),
        DeValue::Integer(number) => Content::Number(number.to_string()),
        DeValue::Float(number) => Content::Number(number.to_string()),
        DeValue::Boolean(value) => Content::Bool {
            value: *value,
            text: value.to_string(),
        },
        // `timeout = 01:30:00` is a local time to TOML and a duration to us.
        DeValue::Datetime(instant) => Content::Text(instant.to_string()),
        DeValue::Array(items) => {
            Content::List(items.iter().map(|item| node(lines, item)).collect())
        }
        DeValue::Table(table) => map(lines, table),
    };
    Node::new(origin(lines, &value.span()), content)
}
