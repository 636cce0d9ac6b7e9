//! Strict decoding of bodies: a known member must have its type, an unknown one is ignored and noted (pai-dlc.md §1.3).

use serde_json::{Map, Value};

use super::reply::Refusal;

/// The type of a member.
#[derive(Debug, Clone, Copy)]
pub(super) enum Shape {
    Text,
    Integer,
    Number,
    Flag,
    Texts,
    /// An object of texts with free names.
    TextMap,
    Object(&'static [Member]),
    List(&'static [Member]),
    /// Anything: the contract does not tell its inside.
    Free,
}

/// A member's name and type.
pub(super) type Member = (&'static str, Shape);

/// A decoded body: only known members, none of them null, no empty list of objects.
#[derive(Debug, Default)]
pub(super) struct Decoded {
    pub(super) members: Map<String, Value>,
    /// Paths of members that no model has.
    pub(super) unknown: Vec<String>,
}

/// Decodes a body that must be an object of `members`.
pub(super) fn body(bytes: &[u8], members: &'static [Member]) -> Result<Decoded, Refusal> {
    let value: Value = serde_json::from_slice(bytes)
        .map_err(|error| Refusal::invalid(format!("the body is not JSON: {error}")))?;
    let Value::Object(found) = value else {
        return Err(Refusal::invalid("the body must be a JSON object."));
    };
    let mut unknown = Vec::new();
    let members = object(found, members, "", &mut unknown)?;
    Ok(Decoded { members, unknown })
}

fn object(
    found: Map<String, Value>,
    members: &'static [Member],
    path: &str,
    unknown: &mut Vec<String>,
) -> Result<Map<String, Value>, Refusal> {
    let mut kept = Map::new();
    for (name, value) in found {
        let place = if path.is_empty() {
            name.clone()
        } else {
            format!("{path}.{name}")
        };
        let Some((_, shape)) = members.iter().find(|(known, _)| *known == name) else {
            unknown.push(place);
            continue;
        };
        if let Some(value) = member(value, *shape, &place, unknown)? {
            kept.insert(name, value);
        }
    }
    Ok(kept)
}

/// A member's value; `None` if it counts as absent.
fn member(
    value: Value,
    shape: Shape,
    path: &str,
    unknown: &mut Vec<String>,
) -> Result<Option<Value>, Refusal> {
    let wrong = |wanted: &str| Err(Refusal::invalid(format!("{path} must be {wanted}.")));
    match (shape, value) {
        (_, Value::Null) => Ok(None),
        (Shape::Text, value @ Value::String(_))
        | (Shape::Flag, value @ Value::Bool(_))
        | (Shape::Number, value @ Value::Number(_))
        | (Shape::Free, value) => Ok(Some(value)),
        (Shape::Integer, Value::Number(number)) if number.is_i64() => {
            Ok(Some(Value::Number(number)))
        }
        (Shape::Texts, Value::Array(items)) if items.iter().all(Value::is_string) => {
            Ok(Some(Value::Array(items)))
        }
        (Shape::TextMap, Value::Object(items)) if items.values().all(Value::is_string) => {
            Ok(Some(Value::Object(items)))
        }
        (Shape::Object(members), Value::Object(found)) => {
            let kept = object(found, members, path, unknown)?;
            Ok(if kept.is_empty() {
                None
            } else {
                Some(Value::Object(kept))
            })
        }
        // The official Python SDK always writes three empty lists, which mean nothing.
        (Shape::List(_), Value::Array(items)) if items.is_empty() => Ok(None),
        (Shape::List(members), Value::Array(items)) => {
            let mut kept = Vec::with_capacity(items.len());
            for (index, item) in items.into_iter().enumerate() {
                let Value::Object(found) = item else {
                    return Err(Refusal::invalid(format!(
                        "{path}[{index}] must be an object."
                    )));
                };
                let place = format!("{path}[{index}]");
                kept.push(Value::Object(object(found, members, &place, unknown)?));
            }
            Ok(Some(Value::Array(kept)))
        }
        (Shape::Text, _) => wrong("a string"),
        (Shape::Integer, _) => wrong("an integer"),
        (Shape::Number, _) => wrong("a number"),
        (Shape::Flag, _) => wrong("true or false"),
        (Shape::Texts, _) => wrong("a list of strings"),
        (Shape::TextMap, _) => wrong("an object of strings"),
        (Shape::Object(_), _) => wrong("an object"),
        (Shape::List(_), _) => wrong("a list of objects"),
    }
}
