//! Strict decoding of bodies: an unknown member is refused with its path, except the four that the vendor's own
//! printed example carries although its schema lacks them (gongji.md §2.3).

use serde::de::DeserializeOwned;
use serde_json::Value;
use serde_path_to_error::{Path, Segment};

use super::reply::Refusal;

/// In the printed example, not in the schema.
const PRINTED: [&str; 4] = ["status", "schedule_status", "task_tags", "registered_ports"];

/// Reads a body. A leniently read one may have any unknown members.
pub(super) fn body<T: DeserializeOwned>(bytes: &[u8], lenient: bool) -> Result<T, Refusal> {
    let mut value: Value = serde_json::from_slice(bytes)
        .map_err(|error| Refusal::parameter(format!("the body is not JSON: {error}")))?;
    if !value.is_object() {
        return Err(Refusal::parameter("the body must be a JSON object"));
    }
    loop {
        let error = match serde_path_to_error::deserialize(&value) {
            Ok(decoded) => return Ok(decoded),
            Err(error) => error,
        };
        let path = error.path().clone();
        let text = error.inner().to_string();
        let ignored = unknown_member(&text)
            .filter(|name| lenient || PRINTED.contains(name))
            .is_some_and(|name| {
                let removed = remove(&mut value, &path, name);
                log::info!("gongji: unknown member `{name}` ignored");
                removed
            });
        if !ignored {
            return Err(Refusal::parameter(if path.iter().len() == 0 {
                text
            } else {
                format!("{path}: {text}")
            }));
        }
    }
}

/// The name in serde's words for an unknown member.
fn unknown_member(text: &str) -> Option<&str> {
    let rest = text.strip_prefix("unknown field `")?;
    rest.split_once('`').map(|(name, _)| name)
}

/// Removes a member of the object at a path, or at the path's parent if the path ends with the member itself.
fn remove(value: &mut Value, path: &Path, name: &str) -> bool {
    let segments: Vec<&Segment> = path.iter().collect();
    let parent = segments.split_last().map(|(_, parent)| parent.to_vec());
    for segments in [Some(segments), parent].into_iter().flatten() {
        if let Some(object) = at(value, &segments).and_then(Value::as_object_mut)
            && object.shift_remove(name).is_some()
        {
            return true;
        }
    }
    false
}

fn at<'a>(value: &'a mut Value, segments: &[&Segment]) -> Option<&'a mut Value> {
    segments
        .iter()
        .try_fold(value, |here, segment| match segment {
            Segment::Seq { index } => here.get_mut(*index),
            Segment::Map { key } => here.get_mut(key),
            Segment::Enum { .. } | Segment::Unknown => None,
        })
}
