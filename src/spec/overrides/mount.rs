//! `--mount SOURCE:PATH[:ro]` and `--port NAME[:https]|NUMBER`.

use crate::spec::error::{Origin, SpecError};
use crate::spec::tree::{Node, shorten};

/// Read from the right, since a source may hold colons and slashes: `nfs://host/x:/data:ro`.
pub(super) fn mount(text: &str, origin: &Origin) -> Result<Node, SpecError> {
    const HINT: &str = "write `SOURCE:PATH`, such as `volume:x7m4tzb9:/data`, and `:ro` after it to mount read-only";
    let (rest, mode) = match text.rsplit_once(':') {
        Some((rest, mode @ ("ro" | "rw"))) => (rest, Some(mode)),
        Some(_) | None => (text, None),
    };
    // The last `:/` begins the path, unless it is that of `nfs://`.
    let split = rest
        .rmatch_indices(":/")
        .map(|(index, _)| index)
        .find(|index| {
            !rest
                .get(*index..)
                .is_some_and(|tail| tail.starts_with("://"))
        });
    let Some((source, path)) = split.and_then(|index| {
        let (source, path) = rest.split_at_checked(index)?;
        Some((source, path.strip_prefix(':')?))
    }) else {
        return Err(SpecError::new(
            "bad_value",
            origin,
            format!("`{}` names no absolute path to mount at", shorten(text)),
        )
        .with_hint(HINT));
    };
    if source.is_empty() {
        return Err(SpecError::new(
            "bad_value",
            origin,
            format!("`{}` names no source", shorten(text)),
        )
        .with_hint(HINT));
    }
    let mut entries = vec![
        ("source", Node::word(origin, source)),
        ("path", Node::word(origin, path)),
    ];
    if let Some(mode) = mode {
        let readonly = if mode == "ro" { "true" } else { "false" };
        entries.push(("readonly", Node::word(origin, readonly)));
    }
    Ok(Node::map(origin, entries))
}

pub(super) fn port(text: &str, origin: &Origin) -> Result<Node, SpecError> {
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Ok(Node::map(origin, vec![("port", Node::word(origin, text))]));
    }
    let (name, https) = match text.split_once(':') {
        None => (text, None),
        Some((name, "https")) => (name, Some("true")),
        Some((name, "http")) => (name, Some("false")),
        Some((_, other)) => {
            return Err(SpecError::new(
                "bad_value",
                origin,
                format!(
                    "`{}` in `{}` is no kind of port",
                    shorten(other),
                    shorten(text)
                ),
            )
            .with_hint("write `NAME`, `NAME:https` or a number"));
        }
    };
    let mut entries = vec![("name", Node::word(origin, name))];
    if let Some(https) = https {
        entries.push(("https", Node::word(origin, https)));
    }
    Ok(Node::map(origin, entries))
}
