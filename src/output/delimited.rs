//! `-o csv` and `-o tsv`: a header, then a line per record (cli.md §10 "Output, small print").
//!
//! csv is quoted as in RFC 4180. tsv is escaped as jq's `@tsv` does it, so that a record is a line, and a tab is a border
//! between two cells, for `cut` and `read` too.
//!
//! Columns are fixed per kind, so that a header never depends on the data. `gpu.model` is a key inside a key; whatever
//! lies deeper is JSON text.

use serde_json::Value;

use super::sanitize;

/// Comma-separated.
pub(super) fn csv(columns: &[&str], items: &[Value]) -> String {
    table(columns, items, ",", quoted)
}

/// Tab-separated.
pub(super) fn tsv(columns: &[&str], items: &[Value]) -> String {
    table(columns, items, "\t", escaped)
}

/// How a cell is written.
type Cell = fn(String) -> String;

fn table(columns: &[&str], items: &[Value], separator: &str, cell: Cell) -> String {
    let mut text = String::new();
    let mut push_record = |cells: Vec<String>| {
        text.push_str(&cells.join(separator));
        text.push('\n');
    };
    push_record(
        columns
            .iter()
            .map(|column| cell((*column).to_owned()))
            .collect(),
    );
    for item in items {
        push_record(
            columns
                .iter()
                .map(|column| cell(field(item, column)))
                .collect(),
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

fn quoted(cell: String) -> String {
    if cell.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", cell.replace('"', "\"\""))
    } else {
        cell
    }
}

fn escaped(cell: String) -> String {
    if !cell.contains(['\\', '\t', '\n', '\r']) {
        return cell;
    }
    cell.replace('\\', "\\\\")
        .replace('\t', "\\t")
        .replace('\n', "\\n")
        .replace('\r', "\\r")
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
    }

    #[test]
    fn a_record_of_tsv_is_one_line_and_only_borders_are_tabs() {
        let items =
            [json!({"a": "x\ty", "b": "one\ntwo", "c": "p,q \"r\"", "d": "C:\\n", "e": ["s\t"]})];
        assert_eq!(
            tsv(&["a", "b", "c", "d", "e"], &items),
            "a\tb\tc\td\te\nx\\ty\tone\\ntwo\tp,q \"r\"\tC:\\\\n\t[\"s\\\\t\"]\n"
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
