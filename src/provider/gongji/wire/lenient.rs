//! Readers for answers whose types are documented one way and seen another (gongji.md §10, "Lenient decoding rules").
//!
//! None of them fails: a member of an unexpected kind reads as absent, and the original stays in `raw`.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

/// A text without blanks around it; numbers are written out, empty text is nothing.
pub(in crate::provider::gongji) fn text_of(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.trim().to_owned()).filter(|text| !text.is_empty()),
        Value::Number(number) => Some(number.to_string()),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    }
}

/// A whole number: an integer, a float without a fraction, or either as text.
pub(in crate::provider::gongji) fn integer_of(value: &Value) -> Option<i64> {
    match value {
        Value::Number(number) => number.as_i64().or_else(|| number.as_f64().and_then(whole)),
        Value::String(text) => {
            let text = text.trim();
            text.parse()
                .ok()
                .or_else(|| text.parse::<f64>().ok().and_then(whole))
        }
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    }
}

/// For `deserialize_with`: see [`text_of`].
pub(super) fn text<'de, D: Deserializer<'de>>(source: D) -> Result<Option<String>, D::Error> {
    Ok(text_of(&Value::deserialize(source)?))
}

/// For `deserialize_with`: see [`integer_of`].
pub(super) fn integer<'de, D: Deserializer<'de>>(source: D) -> Result<Option<i64>, D::Error> {
    Ok(integer_of(&Value::deserialize(source)?))
}

/// For `deserialize_with`: an object; null and everything else is an absent one.
pub(super) fn object<'de, T, D>(source: D) -> Result<T, D::Error>
where
    T: DeserializeOwned + Default,
    D: Deserializer<'de>,
{
    Ok(match Value::deserialize(source)? {
        object @ Value::Object(_) => T::deserialize(object).unwrap_or_default(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
            T::default()
        }
    })
}

/// For `deserialize_with`: the objects of an array; null and everything else is an empty list.
pub(super) fn objects<'de, T, D>(source: D) -> Result<Vec<T>, D::Error>
where
    T: DeserializeOwned,
    D: Deserializer<'de>,
{
    Ok(match Value::deserialize(source)? {
        Value::Array(items) => items
            .into_iter()
            .filter(Value::is_object)
            .filter_map(|item| T::deserialize(item).ok())
            .collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Object(_) => {
            Vec::new()
        }
    })
}

/// A float without a fraction, by way of its text: the language has no checked conversion.
fn whole(number: f64) -> Option<i64> {
    (number.is_finite() && number.fract() == 0.0)
        .then(|| format!("{number:.0}").parse().ok())
        .flatten()
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::json;

    use super::*;

    #[rstest]
    #[case(json!(7), Some(7))]
    #[case(json!(7.0), Some(7))]
    #[case(json!(" 7 "), Some(7))]
    #[case(json!("7.0"), Some(7))]
    #[case(json!(-1), Some(-1))]
    #[case(json!(9_007_199_254_740_993_i64), Some(9_007_199_254_740_993))]
    #[case(json!("9007199254740993"), Some(9_007_199_254_740_993))]
    #[case(json!(7.5), None)]
    #[case(json!(""), None)]
    #[case(json!("seven"), None)]
    #[case(json!("inf"), None)]
    #[case(json!(null), None)]
    #[case(json!(true), None)]
    #[case(json!([7]), None)]
    fn whole_numbers_come_in_many_forms(#[case] value: Value, #[case] expected: Option<i64>) {
        assert_eq!(integer_of(&value), expected);
    }
}
