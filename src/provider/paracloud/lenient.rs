//! Reading JSON whose types are not promised: numbers as text, text as numbers, null and absent alike.
//!
//! Pure, and it never fails: a member that cannot be read is absent (paracloud.md §3.2 and §8). For serde's
//! `deserialize_with`, and for single values.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

/// A text that is not empty; numbers become their digits (`runID`, `userID`).
pub(super) fn text_of(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.trim().to_owned()).filter(|text| !text.is_empty()),
        Value::Number(number) => Some(number.to_string()),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    }
}

/// A finite number: integer, float or numeric text.
pub(super) fn number_of(value: &Value) -> Option<f64> {
    let number = match value {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => text.trim().parse().ok(),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    };
    number.filter(|number| number.is_finite())
}

/// For `deserialize_with`: see [`text_of`].
pub(super) fn text<'de, D: Deserializer<'de>>(source: D) -> Result<Option<String>, D::Error> {
    Ok(text_of(&Value::deserialize(source)?))
}

/// For `deserialize_with`: see [`number_of`].
pub(super) fn number<'de, D: Deserializer<'de>>(source: D) -> Result<Option<f64>, D::Error> {
    Ok(number_of(&Value::deserialize(source)?))
}

/// For `deserialize_with`: an object, or nothing.
pub(super) fn object<'de, D, T>(source: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: DeserializeOwned,
{
    Ok(match Value::deserialize(source)? {
        object @ Value::Object(_) => serde_json::from_value(object).ok(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
            None
        }
    })
}

/// For `deserialize_with`: the objects of an array; anything else is an empty list.
pub(super) fn objects<'de, D, T>(source: D) -> Result<Vec<T>, D::Error>
where
    D: Deserializer<'de>,
    T: DeserializeOwned,
{
    Ok(items(Value::deserialize(source)?)
        .into_iter()
        .filter(Value::is_object)
        .filter_map(|item| serde_json::from_value(item).ok())
        .collect())
}

/// For `deserialize_with`: the words of an array, blanks and all.
pub(super) fn words<'de, D: Deserializer<'de>>(source: D) -> Result<Vec<String>, D::Error> {
    Ok(items(Value::deserialize(source)?)
        .into_iter()
        .filter_map(|item| match item {
            Value::String(word) => Some(word),
            Value::Number(number) => Some(number.to_string()),
            Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
        })
        .collect())
}

fn items(value: Value) -> Vec<Value> {
    match value {
        Value::Array(items) => items,
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Object(_) => {
            Vec::new()
        }
    }
}
