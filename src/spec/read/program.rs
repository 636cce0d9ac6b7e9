//! What runs: image, command or script, environment, secrets, source code (job-model.md §2.2).

use std::collections::BTreeMap;

use crate::spec::error::SpecError;
use crate::spec::model::{CodeSource, Program, RegistryAuth, SecretSource};
use crate::spec::tree::{Content, shorten};

use super::fields::{Field, Fields};

const ENV_HINT: &str = "begin with a letter or `_`, then letters, digits and `_`";

/// Whether a name can be an environment variable's: `[A-Za-z_][A-Za-z0-9_]*`.
pub(in crate::spec) fn is_env_name(name: &str) -> bool {
    name.bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        && name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
}

pub(super) fn image(field: &Field<'_>) -> Result<String, SpecError> {
    let image = field.text()?;
    if image.contains(char::is_whitespace) {
        return Err(field.bad_value(
            "holds a blank",
            "write one image reference, such as `registry.example/team/train:1`",
        ));
    }
    Ok(image)
}

/// `command`, or `script` with its `args`, or `args` for the image's own entry point.
pub(super) fn program(fields: &Fields<'_>) -> Result<Program, SpecError> {
    fields.refuse_both(
        "command",
        "script",
        "`command` is exact words, `script` is shell text; keep one of them",
    )?;
    fields.refuse_both(
        "command",
        "args",
        "put all words into `command`; `args` alone keeps the image's entry point",
    )?;
    let arguments = fields.read("args", arguments)?.unwrap_or_default();
    if let Some(field) = fields.get("command") {
        return command(&field);
    }
    if let Some(text) = fields.read("script", script)? {
        return Ok(Program::Script { text, arguments });
    }
    Ok(if arguments.is_empty() {
        Program::ImageDefault
    } else {
        Program::Arguments(arguments)
    })
}

fn command(field: &Field<'_>) -> Result<Program, SpecError> {
    if let Content::Text(_) | Content::Word(_) = &field.node.content {
        return Err(field.wrong_type("a list of words").with_hint(
            "write `[\"python\", \"train.py\"]`, or use `script` for a line of shell text",
        ));
    }
    let words = field.words()?;
    match words.first().map(String::as_str) {
        None => Err(field.bad_value("has no words", "name a program, or leave the key out")),
        Some("") => Err(field.bad_value("begins with an empty word", "name a program first")),
        Some(_) => Ok(Program::Command(words)),
    }
}

fn arguments(field: &Field<'_>) -> Result<Vec<String>, SpecError> {
    if let Content::Text(_) | Content::Word(_) = &field.node.content {
        return Err(field
            .wrong_type("a list of words")
            .with_hint("write `[\"--epochs\", \"3\"]`"));
    }
    field.words()
}

fn script(field: &Field<'_>) -> Result<String, SpecError> {
    if let Content::List(_) = &field.node.content {
        return Err(field
            .wrong_type("shell text")
            .with_hint("use `command` for a list of words"));
    }
    field.text()
}

pub(super) fn env(field: &Field<'_>) -> Result<BTreeMap<String, String>, SpecError> {
    let mut env = BTreeMap::new();
    for entry in field.entries()? {
        if !is_env_name(&entry.key) {
            return Err(SpecError::new(
                "bad_value",
                &entry.origin,
                format!(
                    "`{}` in `env` is no name of an environment variable",
                    shorten(&entry.key)
                ),
            )
            .with_hint(ENV_HINT));
        }
        let value = field.entry(entry);
        if let Content::Null = value.node.content {
            return Err(value.wrong_type("a text").with_hint(format!(
                "write `\"\"` for an empty value, or list `{}` under `secrets` to take it from your own environment",
                entry.key
            )));
        }
        env.insert(entry.key.clone(), value.scalar()?);
    }
    Ok(env)
}

/// Names only: the values come from gpujob's own environment when the job is submitted.
pub(super) fn secrets(
    field: &Field<'_>,
    env: &BTreeMap<String, String>,
) -> Result<Vec<String>, SpecError> {
    let mut names: Vec<String> = Vec::new();
    let Content::List(_) = &field.node.content else {
        // Said without the value: it may hold the secret itself.
        return Err(field
            .error(
                "wrong_type",
                format!("`{}` is a list of names and nothing else", field.path),
            )
            .with_hint(
                "write `[NAME, …]`; the values are taken from your environment and never stand in a spec",
            ));
    };
    for item in field.items()? {
        let name = item.text()?;
        if !is_env_name(&name) {
            let hint = if name.contains('=') {
                "write the name alone; the value is taken from your environment"
            } else {
                ENV_HINT
            };
            // Not the whole text: what follows a `=` may be the secret itself.
            let shown = name.split_once('=').map_or(name.as_str(), |(name, _)| name);
            return Err(item.bad_value(
                &format!(
                    "is no name of an environment variable: `{}`",
                    shorten(shown)
                ),
                hint,
            ));
        }
        if env.contains_key(&name) {
            return Err(item
                .error(
                    "conflicting_fields",
                    format!("`{name}` stands under `env` and under `secrets`"),
                )
                .with_hint("keep one of them"));
        }
        if !names.contains(&name) {
            names.push(name);
        }
    }
    Ok(names)
}

pub(super) fn registry_auth(field: &Field<'_>) -> Result<RegistryAuth, SpecError> {
    let fields = field.fields(&["username", "password", "registry"])?;
    Ok(RegistryAuth {
        username: fields.require("username")?.text()?,
        password: secret_source(&fields.require("password")?)?,
        registry: fields.read("registry", Field::text)?,
    })
}

fn secret_source(field: &Field<'_>) -> Result<SecretSource, SpecError> {
    const HINT: &str = "write `{ env: NAME }`, `{ file: PATH }` or `{ command: [PROGRAM, …] }`";
    if let Content::Text(_) | Content::Word(_) | Content::Number(_) = &field.node.content {
        // Said without the value: it may be the real password.
        return Err(field
            .error(
                "wrong_type",
                format!(
                    "`{}` holds a value, but a secret never stands in a spec",
                    field.path
                ),
            )
            .with_hint(HINT));
    }
    let fields = field.fields(&["env", "file", "command"])?;
    fields.refuse_both("env", "file", HINT)?;
    fields.refuse_both("env", "command", HINT)?;
    fields.refuse_both("file", "command", HINT)?;
    if let Some(name) = fields.get("env") {
        let text = name.text()?;
        return if is_env_name(&text) {
            Ok(SecretSource::Environment(text))
        } else {
            Err(name.bad_value("is no name of an environment variable", ENV_HINT))
        };
    }
    if let Some(path) = fields.read("file", Field::text)? {
        return Ok(SecretSource::File(path));
    }
    if let Some(command) = fields.get("command") {
        let words = command.words()?;
        return if words.first().is_some_and(|first| !first.is_empty()) {
            Ok(SecretSource::Command(words))
        } else {
            Err(command.bad_value("names no program", HINT))
        };
    }
    Err(field
        .error("missing_field", format!("`{}` names no source", field.path))
        .with_hint(HINT))
}

/// An id or URL alone, or with a revision.
pub(super) fn code(field: &Field<'_>) -> Result<CodeSource, SpecError> {
    if let Content::Map(_) = &field.node.content {
        let fields = field.fields(&["id", "branch", "commit", "path"])?;
        return Ok(CodeSource {
            id: fields.require("id")?.identifier()?,
            branch: fields.read("branch", Field::identifier)?,
            commit: fields.read("commit", Field::identifier)?,
            path: fields.read("path", Field::text)?,
        });
    }
    Ok(CodeSource {
        id: field.identifier()?,
        ..CodeSource::default()
    })
}
