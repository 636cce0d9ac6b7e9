//! Blocks that are kept as they were written: provider options and health checks (job-model.md §2.6).

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::model::Backend;
use crate::spec::error::SpecError;
use crate::spec::tree::{Content, Entry, Node};

use super::fields::Field;

/// One block per backend; the keys inside are for the backend's planner to judge.
pub(super) fn provider_options(
    field: &Field<'_>,
) -> Result<BTreeMap<Backend, Map<String, Value>>, SpecError> {
    let known = Backend::ALL.map(Backend::as_str);
    field
        .entries()?
        .iter()
        .map(|entry| {
            let backend = entry
                .key
                .parse::<Backend>()
                .map_err(|()| field.unknown_key(entry, &known))?;
            Ok((backend, object(field.entry(entry).entries()?)))
        })
        .collect()
}

pub(super) fn health_checks(field: &Field<'_>) -> Result<Value, SpecError> {
    Ok(Value::Object(object(field.entries()?)))
}

fn object(entries: &[Entry]) -> Map<String, Value> {
    entries
        .iter()
        .map(|entry| (entry.key.clone(), value(&entry.node)))
        .collect()
}

fn value(node: &Node) -> Value {
    match &node.content {
        Content::Null => Value::Null,
        Content::Bool { value, .. } => Value::Bool(*value),
        Content::Number(text) => number(text),
        Content::Text(text) => Value::String(text.clone()),
        // A flag's word is read as YAML would read it bare.
        Content::Word(text) => match text.as_str() {
            "true" => Value::Bool(true),
            "false" => Value::Bool(false),
            "null" => Value::Null,
            other => number(other),
        },
        Content::List(items) => Value::Array(items.iter().map(value).collect()),
        Content::Map(entries) => Value::Object(object(entries)),
    }
}

/// The number a text is; the text itself where JSON knows no such number.
fn number(text: &str) -> Value {
    serde_json::from_str::<Value>(text)
        .ok()
        .filter(Value::is_number)
        .unwrap_or_else(|| Value::String(text.to_owned()))
}
