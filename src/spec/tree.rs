//! A spec as it was written, in whatever format: values that know where they stand.
//!
//! Three formats and the flags meet here, so that one reader checks them all and every fault can be placed.

use super::error::{Origin, SpecError};

/// One value.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Node {
    pub(crate) origin: Origin,
    pub(crate) content: Content,
}

/// What a value is.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Content {
    Null,
    /// The text is the one that was written: `True`.
    Bool {
        value: bool,
        text: String,
    },
    /// As written: `3e-5` stays `3e-5`.
    Number(String),
    Text(String),
    /// From a flag: a number, a truth value or a text, as the field wants it.
    Word(String),
    List(Vec<Node>),
    Map(Vec<Entry>),
}

/// One key with its value.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Entry {
    pub(crate) key: String,
    pub(crate) origin: Origin,
    pub(crate) node: Node,
}

impl Node {
    pub(crate) fn new(origin: Origin, content: Content) -> Self {
        Self { origin, content }
    }

    /// A value that a flag gave.
    pub(crate) fn word(origin: &Origin, text: impl Into<String>) -> Self {
        Self::new(origin.clone(), Content::Word(text.into()))
    }

    /// A map from a flag.
    pub(crate) fn map(origin: &Origin, entries: Vec<(&str, Node)>) -> Self {
        let entries = entries
            .into_iter()
            .map(|(key, node)| Entry {
                key: key.to_owned(),
                origin: origin.clone(),
                node,
            })
            .collect();
        Self::new(origin.clone(), Content::Map(entries))
    }

    /// What it is, for messages.
    pub(crate) fn describe(&self) -> String {
        match &self.content {
            Content::Null => "nothing (null)".to_owned(),
            Content::Bool { text, .. } => format!("the truth value `{text}`"),
            Content::Number(text) => format!("the number `{text}`"),
            Content::Text(text) | Content::Word(text) => format!("the text `{}`", shorten(text)),
            Content::List(_) => "a list".to_owned(),
            Content::Map(_) => "a map".to_owned(),
        }
    }

    /// The value of a key, if this is a map that has it.
    pub(crate) fn get(&self, key: &str) -> Option<&Self> {
        match &self.content {
            Content::Map(entries) => entries
                .iter()
                .find(|entry| entry.key == key)
                .map(|entry| &entry.node),
            Content::Null
            | Content::Bool { .. }
            | Content::Number(_)
            | Content::Text(_)
            | Content::Word(_)
            | Content::List(_) => None,
        }
    }

    /// Puts a value under a key of a map, in place of one that is there; false if this is no map.
    pub(crate) fn set(&mut self, key: &str, node: Self) -> bool {
        let Content::Map(entries) = &mut self.content else {
            return false;
        };
        let origin = node.origin.clone();
        if let Some(entry) = entries.iter_mut().find(|entry| entry.key == key) {
            entry.origin = origin;
            entry.node = node;
        } else {
            entries.push(Entry {
                key: key.to_owned(),
                origin,
                node,
            });
        }
        true
    }

    /// Takes a key away, if this is a map that has it.
    pub(crate) fn remove(&mut self, key: &str) {
        if let Content::Map(entries) = &mut self.content {
            entries.retain(|entry| entry.key != key);
        }
    }

    /// Says of the whole tree that a flag gave it.
    pub(crate) fn with_origin(self, origin: &Origin) -> Self {
        let content = match self.content {
            Content::List(items) => Content::List(
                items
                    .into_iter()
                    .map(|item| item.with_origin(origin))
                    .collect(),
            ),
            Content::Map(entries) => Content::Map(
                entries
                    .into_iter()
                    .map(|entry| Entry {
                        key: entry.key,
                        origin: origin.clone(),
                        node: entry.node.with_origin(origin),
                    })
                    .collect(),
            ),
            scalar @ (Content::Null
            | Content::Bool { .. }
            | Content::Number(_)
            | Content::Text(_)
            | Content::Word(_)) => scalar,
        };
        Self::new(origin.clone(), content)
    }

    /// Refuses NUL bytes anywhere: no argv, no environment and no provider can carry them.
    pub(crate) fn refuse_nul(&self) -> Result<(), SpecError> {
        let refuse = |text: &str, origin: &Origin| {
            if text.contains('\0') {
                Err(SpecError::new(
                    "bad_value",
                    origin,
                    "a text holds a NUL byte, which no program can be given",
                ))
            } else {
                Ok(())
            }
        };
        match &self.content {
            Content::Null | Content::Bool { .. } | Content::Number(_) => Ok(()),
            Content::Text(text) | Content::Word(text) => refuse(text, &self.origin),
            Content::List(items) => items.iter().try_for_each(Self::refuse_nul),
            Content::Map(entries) => entries.iter().try_for_each(|entry| {
                refuse(&entry.key, &entry.origin)?;
                entry.node.refuse_nul()
            }),
        }
    }
}

/// Enough of a text to recognise it in a message of one line.
pub(crate) fn shorten(text: &str) -> String {
    const LIMIT: usize = 40;
    let line: String = text
        .chars()
        .map(|character| {
            if character.is_control() {
                ' '
            } else {
                character
            }
        })
        .take(LIMIT)
        .collect();
    if text.chars().count() > LIMIT {
        format!("{line}…")
    } else {
        line
    }
}
