//! Readers of open JSON objects: any case of a key, any kind of a value (cyclecloud.md §5.1, §13).
//!
//! None of them fails: a member of an unexpected kind reads as absent, null and empty text are absent too, and the
//! original stays in `raw`.

use serde_json::Value;

/// A member by name: as spelled if it is there, else in any case.
pub(super) fn member<'a>(object: &'a Value, name: &str) -> Option<&'a Value> {
    let members = object.as_object()?;
    members
        .get(name)
        .or_else(|| {
            members
                .iter()
                .find(|(key, _)| key.eq_ignore_ascii_case(name))
                .map(|(_, value)| value)
        })
        .filter(|value| !value.is_null())
}

/// A member of a member, and so on.
pub(super) fn path<'a>(object: &'a Value, names: &[&str]) -> Option<&'a Value> {
    names
        .iter()
        .try_fold(object, |value, name| member(value, name))
}

/// A text; numbers and booleans are written out, empty text is nothing.
pub(super) fn text(object: &Value, name: &str) -> Option<String> {
    member(object, name).and_then(as_text)
}

/// The text of a value.
pub(super) fn as_text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if text.is_empty() => None,
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

/// A number, also inside a text.
pub(super) fn number(object: &Value, name: &str) -> Option<f64> {
    let value = member(object, name)?;
    let number = match value {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => text.trim().parse().ok(),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    };
    number.filter(|number| number.is_finite())
}

/// A whole number that counts something: a fraction is cut off, and less than nothing is nothing.
pub(super) fn count(object: &Value, name: &str) -> Option<u64> {
    let number = number(object, name)?;
    // A detour over text: the language has no checked conversion from a float.
    format!("{:.0}", number.max(0.0).trunc()).parse().ok()
}

/// A truth value, also as a word.
pub(super) fn flag(object: &Value, name: &str) -> Option<bool> {
    as_flag(member(object, name)?)
}

/// The truth of a value.
pub(super) fn as_flag(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(flag) => Some(*flag),
        Value::String(text) => match text.to_ascii_lowercase().as_str() {
            "true" | "yes" | "1" => Some(true),
            "false" | "no" | "0" => Some(false),
            _ => None,
        },
        Value::Null | Value::Number(_) | Value::Array(_) | Value::Object(_) => None,
    }
}

/// The entries of a list; none where there is no list.
pub(super) fn items<'a>(object: &'a Value, name: &str) -> &'a [Value] {
    member(object, name)
        .and_then(Value::as_array)
        .map_or(&[], Vec::as_slice)
}

/// Texts, as an array or joined by commas.
pub(super) fn texts(object: &Value, name: &str) -> Vec<String> {
    match member(object, name) {
        Some(Value::Array(items)) => items.iter().filter_map(as_text).collect(),
        Some(Value::String(text)) => text
            .split(',')
            .map(str::trim)
            .filter(|part| !part.is_empty())
            .map(str::to_owned)
            .collect(),
        Some(Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_)) | None => {
            Vec::new()
        }
    }
}

/// A text of the server without control characters, in one line of reasonable length (§3.1).
pub(super) fn shown(text: &str) -> String {
    const LONGEST: usize = 400;
    let one_line: String = text
        .chars()
        .map(|character| {
            if character.is_control() {
                ' '
            } else {
                character
            }
        })
        .take(LONGEST)
        .collect();
    one_line.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_key_is_found_in_any_case_and_as_spelled_first() {
        let object = json!({"nodeid": "lower", "NodeId": "exact", "status": "Ready"});
        assert_eq!(text(&object, "NodeId").as_deref(), Some("exact"));
        assert_eq!(text(&object, "Status").as_deref(), Some("Ready"));
        assert_eq!(text(&json!({"A": {"b": {"C": "x"}}}), "a"), None);
        assert_eq!(
            path(&json!({"A": {"b": {"C": "x"}}}), &["a", "B", "c"]),
            Some(&json!("x"))
        );
    }

    #[test]
    fn null_empty_and_missing_are_alike() {
        let object = json!({"a": null, "b": "", "c": []});
        for name in ["a", "b", "c", "d"] {
            assert_eq!(text(&object, name), None, "{name}");
        }
    }

    #[test]
    fn counts_take_floats_and_texts_and_are_never_negative() {
        let object = json!({"a": 6.0, "b": "7", "c": -1.0, "d": "x", "e": 1e300});
        assert_eq!(count(&object, "a"), Some(6));
        assert_eq!(count(&object, "b"), Some(7));
        assert_eq!(count(&object, "c"), Some(0));
        assert_eq!(count(&object, "d"), None);
        assert_eq!(count(&object, "e"), None);
    }

    #[test]
    fn machine_types_are_a_list_or_joined_by_commas() {
        assert_eq!(
            texts(&json!({"MachineType": ["a", "b"]}), "MachineType"),
            ["a", "b"]
        );
        assert_eq!(
            texts(&json!({"MachineType": "a, b"}), "MachineType"),
            ["a", "b"]
        );
    }

    #[test]
    fn text_of_the_server_loses_control_characters() {
        assert_eq!(shown("a\u{1b}[31m\r\n b\t"), "a [31m b");
    }
}
