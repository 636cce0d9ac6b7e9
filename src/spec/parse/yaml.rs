//! YAML 1.2 to tree, through serde-saphyr's spans; scalars keep the text that was written.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_saphyr::{Error as YamlError, Location, NonFiniteFloatPolicy, Spanned};

use super::{duplicate_key, syntax_error};
use crate::spec::error::{Origin, Position, SpecError};
use crate::spec::tree::{Content, Entry, Node};

/// Reads one YAML document.
pub(super) fn parse(text: &str) -> Result<Node, SpecError> {
    let options = serde_saphyr::options! {
        // YAML 1.2: `yes` and `on` are texts, and so are `1_000` and `007`.
        strict_booleans: true,
        underscored_numbers_as_strings: true,
        leading_zero_numbers_as_strings: true,
        // A commit such as `123e4567` is an infinite number to YAML; its text is kept all the same.
        non_finite_float_policy: NonFiniteFloatPolicy::PassThrough,
        with_snippet: false,
    };
    let value: Spanned<Value> =
        serde_saphyr::from_str_with_options(text, options).map_err(|error| fault(&error))?;
    Ok(node(text, value))
}

/// A value without the place it stands at.
enum Value {
    Null,
    Bool(bool),
    Number(String),
    Text(String),
    List(Vec<Spanned<Value>>),
    Map(Vec<(Spanned<String>, Spanned<Value>)>),
}

fn position(location: Location) -> Position {
    let number = |number: u64| usize::try_from(number).unwrap_or(usize::MAX).max(1);
    Position {
        line: number(location.line()),
        column: number(location.column()),
    }
}

fn fault(error: &YamlError) -> SpecError {
    let at = error
        .location()
        .map_or(Position { line: 1, column: 1 }, position);
    let error = error.without_snippet();
    if let YamlError::DuplicateMappingKey { key: Some(key), .. } = error {
        return duplicate_key(at, key);
    }
    if let YamlError::MultipleDocuments { .. } = error {
        return syntax_error(
            at,
            "a second document begins here; a job spec is one document",
        )
        .with_hint("write one file per job");
    }
    let told = error.to_string();
    let message = told
        .rsplit_once(" at line ")
        .map_or(told.as_str(), |(message, _)| message);
    syntax_error(at, message.lines().next().unwrap_or("this is no YAML"))
}

fn node(text: &str, value: Spanned<Value>) -> Node {
    let written = |otherwise: String| source_text(text, value.defined).unwrap_or(otherwise);
    let content = match value.value {
        Value::Null => Content::Null,
        Value::Bool(flag) => Content::Bool {
            value: flag,
            text: written(flag.to_string()),
        },
        Value::Number(number) => Content::Number(written(number)),
        Value::Text(string) => Content::Text(string),
        Value::List(items) => {
            Content::List(items.into_iter().map(|item| node(text, item)).collect())
        }
        Value::Map(entries) => Content::Map(
            entries
                .into_iter()
                .map(|(key, value)| Entry {
                    origin: Origin::Document(position(key.referenced)),
                    key: key.value,
                    node: node(text, value),
                })
                .collect(),
        ),
    };
    Node::new(Origin::Document(position(value.referenced)), content)
}

/// The scalar as it stands in the document.
fn source_text(text: &str, location: Location) -> Option<String> {
    let span = location.span();
    let start = usize::try_from(span.byte_offset()?).ok()?;
    let length = usize::try_from(span.byte_len()?).ok()?;
    let written = text
        .get(start..start.checked_add(length)?)?
        .trim()
        .trim_matches(['"', '\'']);
    (!written.is_empty()).then(|| written.to_owned())
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ValueVisitor)
    }
}

struct ValueVisitor;

impl<'de> Visitor<'de> for ValueVisitor {
    type Value = Value;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a scalar, a list or a map")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_none<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Number(value.to_string()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Number(value.to_string()))
    }

    fn visit_i128<E>(self, value: i128) -> Result<Value, E> {
        Ok(Value::Number(value.to_string()))
    }

    fn visit_u128<E>(self, value: u128) -> Result<Value, E> {
        Ok(Value::Number(value.to_string()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Value::Number(value.to_string()))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::Text(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(Value::Text(value))
    }

    fn visit_bytes<E: serde::de::Error>(self, _: &[u8]) -> Result<Value, E> {
        Err(E::custom("binary data has no place in a job spec"))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = access.next_element()? {
            items.push(item);
        }
        Ok(Value::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let mut entries: Vec<(Spanned<String>, Spanned<Value>)> = Vec::new();
        while let Some((key, value)) = access.next_entry::<Spanned<String>, Spanned<Value>>()? {
            if entries.iter().any(|(known, _)| known.value == key.value) {
                return Err(A::Error::custom(format!(
                    "the key `{}` stands here a second time",
                    key.value
                )));
            }
            entries.push((key, value));
        }
        Ok(Value::Map(entries))
    }
}
