//! `-o csv` and `-o tsv`: a header, then a line per record; quoting as in RFC 4180 (cli.md §10 "Output, small print").
//!
//! Columns are fixed per kind, so that a header never depends on the data. `gpu.model` is a key inside a key; whatever
//! lies deeper is JSON text.

use serde_json::Value;

use super::sanitize;

/// Comma-separated.
pub(super) fn csv(columns: &[&str], items: &[Value]) -> String {
    table(columns, items, ',')
}

/// Tab-separated.
pub(super) fn tsv(columns: &[&str], items: &[Value]) -> String {
    table(columns, items, '\t')
}

fn table(columns: &[&str], items: &[Value], separator: char) -> String {
    let mut text = String::new();
    push_record(
        &mut text,
        columns.iter().map(|column| (*column).to_owned()),
        separator,
    );
    for item in items {
        push_record(
            &mut text,
            columns.iter().map(|column| field(item, column)),
            separator,
        );
    }
    text
}

/// The text of one column: empty for null and for what is missing.
fn field(item: &Value, column: &str) -> String {
    let value = column
        .split('.')
        .try_fold(item, |value, key| value.get(key))
        .unwrap_or(&Value::Null);
    match value {
        Value::Null => String::new(),
        Value::String(text) => sanitize::text(text).into_owned(),
        Value::Bool(_) | Value::Number(_) => value.to_string(),
        Value::Array(_) | Value::Object(_) => sanitize::json(&value.to_string()).into_owned(),
    }
}

fn push_record(text: &mut String, fields: impl Iterator<Item = String>, separator: char) {
    for (index, field) in fields.enumerate() {
        if index > 0 {
            text.push(separator);
        }
        let needs_quotes = field.contains([separator, '"', '\n', '\r']);
        if needs_quotes {
            text.push('"');
            text.push_str(&field.replace('"', "\"\""));
            text.push('"');
        } else {
            text.push_str(&field);
        }
    }
    text.push('\n');
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn separators_quotes_and_line_breaks_are_quoted() {
        let items = [json!({"a": "x,y", "b": "say \"hi\"", "c": "one\ntwo", "d": "plain"})];
        assert_eq!(
            csv(&["a", "b", "c", "d"], &items),
            "a,b,c,d\n\"x,y\",\"say \"\"hi\"\"\",\"one\ntwo\",plain\n"
        );
        assert_eq!(
            tsv(&["a", "d"], &[json!({"a": "x\ty", "d": "p,q"})]),
            "a\td\n\"x\ty\"\tp,q\n"
        );
    }

    #[test]
    fn one_level_is_flattened_and_deeper_values_are_json() {
        let items = [
            json!({"gpu": {"model": "A100", "more": [1, {"b": 2}]}, "flags": ["gone"]}),
            json!({"gpu": null, "flags": []}),
        ];
        assert_eq!(
            csv(&["gpu.model", "gpu.more", "flags"], &items),
            "gpu.model,gpu.more,flags\nA100,\"[1,{\"\"b\"\":2}]\",\"[\"\"gone\"\"]\"\n,,[]\n"
        );
    }

    #[test]
    fn escape_sequences_do_not_reach_a_spreadsheet() {
        assert_eq!(
            csv(&["a"], &[json!({"a": "\u{1b}[2J\u{202e}"})]),
            "a\n\\u{1b}[2J\\u{202e}\n"
        );
    }
}
