//! The fields of a map: known keys only, each value under its path.

use crate::spec::error::{Origin, SpecError};
use crate::spec::hint::nearest;
use crate::spec::tree::{Content, Entry, Node};

/// A map whose keys are all known.
#[derive(Debug)]
pub(super) struct Fields<'a> {
    path: String,
    entries: &'a [Entry],
    origin: &'a Origin,
}

/// One value and the path that leads to it.
#[derive(Debug, Clone)]
pub(super) struct Field<'a> {
    pub(super) path: String,
    pub(super) node: &'a Node,
}

impl<'a> Fields<'a> {
    /// The fields of the document itself.
    pub(super) fn of_root(root: &'a Node, known: &[&str]) -> Result<Self, SpecError> {
        Field {
            path: String::new(),
            node: root,
        }
        .fields(known)
    }

    /// The value of a key, if it is there.
    pub(super) fn get(&self, key: &str) -> Option<Field<'a>> {
        self.entries
            .iter()
            .find(|entry| entry.key == key)
            .map(|entry| Field {
                path: join(&self.path, key),
                node: &entry.node,
            })
    }

    /// The value of a key, read; `None` where the key is absent.
    pub(super) fn read<T>(
        &self,
        key: &str,
        read: impl FnOnce(&Field<'a>) -> Result<T, SpecError>,
    ) -> Result<Option<T>, SpecError> {
        self.get(key).as_ref().map(read).transpose()
    }

    /// The value of a key that must be there.
    pub(super) fn require(&self, key: &str) -> Result<Field<'a>, SpecError> {
        self.get(key).ok_or_else(|| {
            SpecError::new(
                "missing_field",
                self.origin,
                format!("`{}` is missing", join(&self.path, key)),
            )
        })
    }

    /// Two ways of saying one thing: an error where both are there.
    pub(super) fn refuse_both(&self, one: &str, other: &str, hint: &str) -> Result<(), SpecError> {
        let (Some(first), Some(second)) = (self.get(one), self.get(other)) else {
            return Ok(());
        };
        // The flag, or else the later one in the document, is where the eye should go.
        let origin = match (&first.node.origin, &second.node.origin) {
            (flag @ Origin::Flag(_), Origin::Document(_) | Origin::Flag(_))
            | (Origin::Document(_), flag @ Origin::Flag(_)) => flag,
            (Origin::Document(left), Origin::Document(right)) => {
                if left > right {
                    &first.node.origin
                } else {
                    &second.node.origin
                }
            }
        };
        Err(SpecError::new(
            "conflicting_fields",
            origin,
            format!("`{}` and `{}` exclude each other", first.path, second.path),
        )
        .with_hint(hint))
    }
}

impl<'a> Field<'a> {
    /// The value as a map with known keys only.
    pub(super) fn fields(&self, known: &[&str]) -> Result<Fields<'a>, SpecError> {
        let entries = self.entries()?;
        for entry in entries {
            if !known.contains(&entry.key.as_str()) {
                return Err(self.unknown_key(entry, known));
            }
        }
        Ok(Fields {
            path: self.path.clone(),
            entries,
            origin: &self.node.origin,
        })
    }

    /// The value as a map with any keys.
    pub(super) fn entries(&self) -> Result<&'a [Entry], SpecError> {
        match &self.node.content {
            Content::Map(entries) => Ok(entries),
            Content::Null
            | Content::Bool { .. }
            | Content::Number(_)
            | Content::Text(_)
            | Content::Word(_)
            | Content::List(_) => Err(self.wrong_type("a map")),
        }
    }

    /// The value as a list.
    pub(super) fn items(&self) -> Result<Vec<Self>, SpecError> {
        match &self.node.content {
            Content::List(items) => Ok(items
                .iter()
                .enumerate()
                .map(|(index, node)| Self {
                    path: format!("{}[{index}]", self.path),
                    node,
                })
                .collect()),
            Content::Null
            | Content::Bool { .. }
            | Content::Number(_)
            | Content::Text(_)
            | Content::Word(_)
            | Content::Map(_) => Err(self.wrong_type("a list")),
        }
    }

    /// The field of one entry of this map.
    pub(super) fn entry(&self, entry: &'a Entry) -> Self {
        Self {
            path: join(&self.path, &entry.key),
            node: &entry.node,
        }
    }

    /// An error about this value.
    pub(super) fn error(&self, code: &'static str, message: impl Into<String>) -> SpecError {
        SpecError::new(code, &self.node.origin, message)
    }

    /// An error about a value that has the right type.
    pub(super) fn bad_value(&self, why: &str, hint: &str) -> SpecError {
        self.error("bad_value", format!("`{}` {why}", self.path))
            .with_hint(hint)
    }

    /// An error about the type of this value.
    pub(super) fn wrong_type(&self, wanted: &str) -> SpecError {
        let subject = if self.path.is_empty() {
            "a job spec".to_owned()
        } else {
            format!("`{}`", self.path)
        };
        self.error(
            "wrong_type",
            format!(
                "{subject} is {wanted}, but this is {}",
                self.node.describe()
            ),
        )
    }

    pub(super) fn unknown_key(&self, entry: &Entry, known: &[&str]) -> SpecError {
        let whole = join(&self.path, &entry.key);
        let error = SpecError::new(
            "unknown_key",
            &entry.origin,
            format!("`{whole}` is no key of a job spec"),
        );
        if let Some(near) = nearest(&entry.key, known.iter().copied()) {
            return error.with_hint(format!("did you mean `{}`?", join(&self.path, near)));
        }
        let place = if self.path.is_empty() {
            "a job spec".to_owned()
        } else {
            format!("`{}`", self.path)
        };
        error.with_hint(format!("the keys of {place} are {}", known.join(", ")))
    }
}

fn join(path: &str, key: &str) -> String {
    if path.is_empty() {
        key.to_owned()
    } else {
        format!("{path}.{key}")
    }
}
