//! `--env`, `--env-file` and `--secret`.

use crate::spec::error::{Origin, SpecError};
use crate::spec::tree::{Content, Node, shorten};

use super::{Overrides, set};

type Environment<'a> = &'a dyn Fn(&str) -> Option<String>;

pub(super) fn apply(
    root: &mut Node,
    overrides: &Overrides,
    environment: Environment<'_>,
) -> Result<(), SpecError> {
    for file in &overrides.env_files {
        for (index, line) in file.text.lines().enumerate() {
            let line = line.trim_start();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            // The value is taken as it stands, as docker does: quotes belong to it.
            let origin = Origin::flag(format!("--env-file {}:{}", file.name, index + 1));
            variable(root, line, &origin, environment)?;
        }
    }
    let origin = Origin::flag("--env");
    for text in &overrides.env {
        variable(root, text, &origin, environment)?;
    }
    secrets(root, &overrides.secrets)
}

/// `K=V`, or `K` to inherit.
fn variable(
    root: &mut Node,
    text: &str,
    origin: &Origin,
    environment: Environment<'_>,
) -> Result<(), SpecError> {
    let (name, value) = if let Some((name, value)) = text.split_once('=') {
        (name, value.to_owned())
    } else {
        let name = text.trim_end();
        let value = environment(name).ok_or_else(|| {
            SpecError::new(
                "missing_env",
                origin,
                format!("`{}` is not set in your environment", shorten(name)),
            )
            .with_hint(format!("set it, or write `{}=VALUE`", shorten(name)))
        })?;
        (name, value)
    };
    // The flag decides whether the variable is plain or secret, whatever the document says.
    if let Some(items) = set::list_mut(root, "secrets") {
        items.retain(|item| item.content != Content::Text(name.to_owned()));
    }
    set::put(root, &["env", name], Node::word(origin, value), origin)
}

fn secrets(root: &mut Node, names: &[String]) -> Result<(), SpecError> {
    let origin = Origin::flag("--secret");
    for name in names {
        if let Some((name, _)) = name.split_once('=') {
            return Err(SpecError::new(
                "bad_value",
                &origin,
                format!(
                    "a value was given for `{}`, where everybody on this machine can read it",
                    shorten(name)
                ),
            )
            .with_hint(format!(
                "write `--secret {}` and set the variable in your environment",
                shorten(name)
            )));
        }
        let in_document = root
            .get("env")
            .and_then(|env| env.get(name))
            .is_some_and(|node| !node.origin.is_flag());
        if in_document && let Some(env) = set::entry_mut(root, "env") {
            env.remove(name);
        }
        if root.get("secrets").is_none() {
            root.set(
                "secrets",
                Node::new(origin.clone(), Content::List(Vec::new())),
            );
        }
        if let Some(items) = set::list_mut(root, "secrets") {
            items.push(Node::word(&origin, name));
        }
    }
    Ok(())
}
