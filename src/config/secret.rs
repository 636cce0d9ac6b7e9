//! Fetching a text from where the configuration or a spec says it is: variable, file, or a command's output.
//!
//! Errors name the setting and the source, never the content (cli.md §8).

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use zeroize::Zeroize;

use crate::error::{Error, Kind, Result};
use crate::secret::Secret;
use crate::spec::SecretSource;

use super::Environment;

/// Fetches a secret. `what` names the setting in messages; relative files are looked for in `folder`.
pub fn resolve(
    source: &SecretSource,
    what: &str,
    environment: &Environment,
    folder: Option<&Path>,
) -> Result<Secret> {
    match source {
        SecretSource::Environment(name) => environment
            .variable(name)
            .map(|value| Secret::new(trimmed(value)))
            .ok_or_else(|| {
                failure(
                    what,
                    &format!("the variable `{name}` is not set or is empty"),
                )
                .with_hint(format!("set `{name}`, or name another source for it"))
            }),
        SecretSource::File(path) => from_file(&file_path(path, environment, folder), what),
        SecretSource::Command(words) => from_command(words, what, environment),
    }
}

/// Where a `file` source lies.
pub(super) fn file_path(path: &str, environment: &Environment, folder: Option<&Path>) -> PathBuf {
    let expanded = environment.expand(path);
    match folder {
        Some(folder) if expanded.is_relative() => folder.join(expanded),
        Some(_) | None => expanded,
    }
}

fn from_file(path: &Path, what: &str) -> Result<Secret> {
    let shown = path.display();
    let bytes = std::fs::read(path)
        .map_err(|error| failure(what, &format!("the file {shown} cannot be read: {error}")))?;
    into_secret(bytes).map_err(|why| failure(what, &format!("the file {shown} {why}")))
}

fn from_command(words: &[String], what: &str, environment: &Environment) -> Result<Secret> {
    let (program, arguments) = words
        .split_first()
        .ok_or_else(|| failure(what, "its command has no words"))?;
    // Standard input belongs to gpujob (`submit -`, `@-`); what the command tells people goes to standard error.
    let output = Command::new(program)
        .args(arguments)
        .env_clear()
        .envs(environment.all())
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .map_err(|error| {
            failure(
                what,
                &format!("the command `{program}` cannot be started: {error}"),
            )
        })?;
    if !output.status.success() {
        return Err(failure(
            what,
            &format!("the command `{program}` failed: {}", output.status),
        ));
    }
    into_secret(output.stdout).map_err(|why| {
        failure(
            what,
            &format!("the output of the command `{program}` {why}"),
        )
    })
}

/// Text without the newline that editors and `echo` put at the end.
fn into_secret(bytes: Vec<u8>) -> Result<Secret, &'static str> {
    let mut text = String::from_utf8(bytes).map_err(|_| "is not UTF-8 text")?;
    let secret = Secret::new(trimmed(&text));
    text.zeroize();
    if secret.is_empty() {
        return Err("is empty");
    }
    Ok(secret)
}

fn trimmed(text: &str) -> &str {
    text.trim_end_matches(['\n', '\r'])
}

fn failure(what: &str, why: &str) -> Error {
    Error::new(Kind::Config, "secret_unreadable", format!("{what}: {why}"))
}
