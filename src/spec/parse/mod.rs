//! Text to tree: YAML, TOML and JSON, each value with its line and column (cli.md §2.2).
//!
//! Only the format is judged here; what the keys mean is `read`'s business.

mod json;
mod position;
mod toml;
mod yaml;

use super::error::{Origin, Position, SpecError};
use super::tree::{Content, Node};

/// The formats a spec can have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    Yaml,
    Toml,
    Json,
}

impl Format {
    /// The format that a file name's extension tells.
    pub fn of_name(name: &str) -> Option<Self> {
        let (_, extension) = name.rsplit_once('.')?;
        match extension.to_ascii_lowercase().as_str() {
            "yaml" | "yml" => Some(Self::Yaml),
            "toml" => Some(Self::Toml),
            "json" => Some(Self::Json),
            _ => None,
        }
    }

    /// The format a text looks like: an object is JSON, a table header or `key = …` is TOML, all else is YAML.
    pub fn of_look(text: &str) -> Self {
        let text = text.trim_start_matches('\u{feff}').trim_start();
        if let Some(rest) = text.strip_prefix('{') {
            // YAML may begin with a brace too, but its keys are seldom in double quotes.
            return if rest.trim_start().starts_with(['"', '}']) {
                Self::Json
            } else {
                Self::Yaml
            };
        }
        let first = text
            .lines()
            .map(str::trim)
            .find(|line| !line.is_empty() && !line.starts_with('#'))
            .unwrap_or_default();
        let is_assignment = first.split_once('=').is_some_and(|(key, _)| {
            let key = key.trim();
            !key.is_empty()
                && key.chars().all(|character| {
                    character.is_ascii_alphanumeric() || "_-.\"' ".contains(character)
                })
        });
        if first.starts_with('[') || is_assignment {
            Self::Toml
        } else {
            Self::Yaml
        }
    }
}

/// Reads a document whose root is a map.
pub(crate) fn document(text: &str, format: Format) -> Result<Node, SpecError> {
    // Editors on Windows put a byte order mark first.
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let root = match format {
        Format::Yaml => yaml::parse(text),
        Format::Toml => toml::parse(text),
        Format::Json => json::parse(text),
    }?;
    match &root.content {
        Content::Map(entries) if !entries.is_empty() => Ok(root),
        Content::Null | Content::Map(_) => {
            Err(
                SpecError::new("empty_document", &root.origin, "the job spec is empty")
                    .with_hint("write at least what to run, such as `image` and `command`"),
            )
        }
        Content::Bool { .. }
        | Content::Number(_)
        | Content::Text(_)
        | Content::Word(_)
        | Content::List(_) => Err(SpecError::new(
            "wrong_type",
            &root.origin,
            format!(
                "a job spec is a map of keys, but this is {}",
                root.describe()
            ),
        )
        .with_hint("write `key: value` lines, such as `image: registry.example/team/train:1`")),
    }
}

/// Reads a list or map that stands in a flag.
pub(crate) fn inline(text: &str, origin: &Origin) -> Result<Node, SpecError> {
    match yaml::parse(text) {
        Ok(node) => Ok(node.with_origin(origin)),
        Err(error) => Err(SpecError {
            origin: origin.clone(),
            ..error
        }),
    }
}

fn syntax_error(position: Position, message: impl Into<String>) -> SpecError {
    SpecError::new("syntax", &Origin::Document(position), message)
}

fn duplicate_key(position: Position, key: &str) -> SpecError {
    SpecError::new(
        "duplicate_key",
        &Origin::Document(position),
        format!("the key `{key}` stands here a second time"),
    )
}

#[cfg(test)]
mod tests;
