//! `--set PATH=VALUE`, and putting a value at a path of the tree.

use crate::spec::error::{Origin, SpecError};
use crate::spec::gpu::parse_gpu_request;
use crate::spec::parse;
use crate::spec::tree::{Content, Entry, Node, shorten};

/// Maps whose keys are the user's own: all that follows the first dot is one key.
const FREE_KEYS: [&str; 3] = ["env", "labels", "ulimits"];

/// Fields whose text may begin with a bracket and is still text.
const TEXTS: [&str; 4] = ["script", "description", "name", "workdir"];

/// One `PATH=VALUE`.
pub(super) fn apply(root: &mut Node, assignment: &str) -> Result<(), SpecError> {
    let Some((path, value)) = assignment
        .split_once('=')
        .filter(|(path, _)| !path.trim().is_empty())
    else {
        return Err(SpecError::new(
            "bad_value",
            &Origin::flag("--set"),
            format!("`{}` is no assignment", shorten(assignment)),
        )
        .with_hint("write `PATH=VALUE`, such as `resources.gpu.count=2`"));
    };
    let path = path.trim();
    let origin = Origin::flag(format!("--set {path}"));
    let keys: Vec<&str> = match path.split_once('.') {
        Some((first, rest)) if FREE_KEYS.contains(&first) => vec![first, rest],
        Some(_) | None => path.split('.').collect(),
    };
    let free = |key: &&str| FREE_KEYS.contains(key) && keys.len() > 1;
    let is_text = keys
        .first()
        .is_some_and(|first| TEXTS.contains(first) || free(first));
    let node = if !is_text && value.trim_start().starts_with(['[', '{']) {
        parse::inline(value, &origin)?
    } else {
        Node::word(&origin, value)
    };
    put(root, &keys, node, &origin)
}

/// Puts a value at a path, with maps on the way where there is nothing yet.
pub(super) fn put(
    root: &mut Node,
    path: &[&str],
    node: Node,
    origin: &Origin,
) -> Result<(), SpecError> {
    let Some((last, parents)) = path.split_last() else {
        return Err(SpecError::new("bad_value", origin, "the path is empty"));
    };
    let mut place = root;
    let mut walked = String::new();
    for key in parents {
        place = step(place, key, &walked, origin)?;
        if !walked.is_empty() {
            walked.push('.');
        }
        walked.push_str(key);
    }
    widen(place, &walked);
    match &mut place.content {
        Content::Map(_) => {
            place.set(last, node);
            Ok(())
        }
        Content::List(items) => {
            let length = items.len();
            match last.parse::<usize>() {
                Ok(index) if index == length => items.push(node),
                Ok(index) => match items.get_mut(index) {
                    Some(item) => *item = node,
                    None => return Err(no_such_item(last, length, &walked, origin)),
                },
                Err(_) => return Err(no_such_item(last, length, &walked, origin)),
            }
            Ok(())
        }
        Content::Null
        | Content::Bool { .. }
        | Content::Number(_)
        | Content::Text(_)
        | Content::Word(_) => Err(no_map(place, &walked, origin)),
    }
}

/// The list under a key of the document.
pub(super) fn list_mut<'a>(root: &'a mut Node, key: &str) -> Option<&'a mut Vec<Node>> {
    match &mut entry_mut(root, key)?.content {
        Content::List(items) => Some(items),
        Content::Null
        | Content::Bool { .. }
        | Content::Number(_)
        | Content::Text(_)
        | Content::Word(_)
        | Content::Map(_) => None,
    }
}

/// The value under a key of a map.
pub(super) fn entry_mut<'a>(node: &'a mut Node, key: &str) -> Option<&'a mut Node> {
    match &mut node.content {
        Content::Map(entries) => entries
            .iter_mut()
            .find(|entry| entry.key == key)
            .map(|entry| &mut entry.node),
        Content::Null
        | Content::Bool { .. }
        | Content::Number(_)
        | Content::Text(_)
        | Content::Word(_)
        | Content::List(_) => None,
    }
}

fn step<'a>(
    place: &'a mut Node,
    key: &str,
    walked: &str,
    origin: &Origin,
) -> Result<&'a mut Node, SpecError> {
    widen(place, walked);
    let described = no_map(place, walked, origin);
    match &mut place.content {
        Content::List(items) => {
            let length = items.len();
            let index = key.parse::<usize>().ok();
            if index == Some(length) {
                items.push(Node::map(origin, Vec::new()));
            }
            index
                .and_then(|index| items.get_mut(index))
                .ok_or_else(|| no_such_item(key, length, walked, origin))
        }
        Content::Map(entries) => {
            if !entries.iter().any(|entry| entry.key == key) {
                entries.push(Entry {
                    key: key.to_owned(),
                    origin: origin.clone(),
                    node: Node::map(origin, Vec::new()),
                });
            }
            entries
                .iter_mut()
                .find(|entry| entry.key == key)
                .map(|entry| &mut entry.node)
                .ok_or(described)
        }
        Content::Null
        | Content::Bool { .. }
        | Content::Number(_)
        | Content::Text(_)
        | Content::Word(_) => Err(described),
    }
}

/// The short forms of a spec become maps where a path leads into them: `gpu: A100:2`, `spot: true`.
fn widen(place: &mut Node, path: &str) {
    let origin = place.origin.clone();
    let entries = match (&place.content, path) {
        (Content::Null, _) | (Content::Bool { .. }, "spot") => Vec::new(),
        (Content::Word(word), "spot") if word == "true" || word == "false" => Vec::new(),
        (Content::Text(text) | Content::Word(text) | Content::Number(text), "resources.gpu") => {
            let Ok(request) = parse_gpu_request(text) else {
                return;
            };
            let mut entries = vec![("count", Node::word(&origin, request.count.to_string()))];
            if let Some(model) = request.model {
                entries.push(("model", Node::word(&origin, model)));
            }
            if let Some(memory) = request.memory_gib {
                entries.push(("memory", Node::word(&origin, format!("{memory}GiB"))));
            }
            entries
        }
        (Content::Text(text) | Content::Word(text) | Content::Number(text), "code") => {
            vec![("id", Node::word(&origin, text.clone()))]
        }
        (
            Content::Bool { .. }
            | Content::Number(_)
            | Content::Text(_)
            | Content::Word(_)
            | Content::List(_)
            | Content::Map(_),
            _,
        ) => return,
    };
    *place = Node::map(&origin, entries);
}

fn no_map(place: &Node, walked: &str, origin: &Origin) -> SpecError {
    SpecError::new(
        "bad_value",
        origin,
        format!("`{walked}` is {} and has no parts", place.describe()),
    )
    .with_hint(format!("set `{walked}` as a whole"))
}

fn no_such_item(key: &str, length: usize, walked: &str, origin: &Origin) -> SpecError {
    SpecError::new(
        "bad_value",
        origin,
        format!(
            "`{walked}` is a list of {length} and has no item `{}`",
            shorten(key)
        ),
    )
    .with_hint("items are counted from 0; the number after the last adds one")
}
