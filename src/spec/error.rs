//! What is wrong with a spec, and where it stands: in a file, or in a flag.

use std::sync::Arc;

use thiserror::Error;

use crate::error::{Error as PublicError, Kind};

/// A place in a document; both count from 1, columns in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Position {
    pub(crate) line: usize,
    pub(crate) column: usize,
}

/// Where a value came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Origin {
    Document(Position),
    /// The flag as a user would name it: `--gpu`, `--set resources.gpu`.
    Flag(Arc<str>),
}

impl Origin {
    /// The origin of what a flag gave.
    pub(crate) fn flag(name: impl Into<Arc<str>>) -> Self {
        Self::Flag(name.into())
    }

    /// Whether a flag gave it: flags win over the file.
    pub(crate) fn is_flag(&self) -> bool {
        matches!(self, Self::Flag(_))
    }
}

/// One fault of a spec. It becomes the crate's error once the document's name is known.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{message}")]
pub(crate) struct SpecError {
    /// Such as `unknown_key`, `wrong_type`, `bad_unit`, `bad_value`, `conflicting_fields`, `missing_field`.
    pub(crate) code: &'static str,
    pub(crate) origin: Origin,
    pub(crate) message: String,
    pub(crate) hint: Option<String>,
}

impl SpecError {
    pub(crate) fn new(code: &'static str, origin: &Origin, message: impl Into<String>) -> Self {
        Self {
            code,
            origin: origin.clone(),
            message: message.into(),
            hint: None,
        }
    }

    pub(crate) fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The crate's error: `spec` 81 from a document, `usage` 80 from a flag (cli.md §10).
    pub(crate) fn into_error(self, source: &str) -> PublicError {
        let (kind, message) = match &self.origin {
            Origin::Document(Position { line, column }) => (
                Kind::Spec,
                format!("{source}:{line}:{column}: {}", self.message),
            ),
            Origin::Flag(flag) => (Kind::Usage, format!("`{flag}`: {}", self.message)),
        };
        let error = PublicError::new(kind, self.code, message);
        match self.hint {
            Some(hint) => error.with_hint(hint),
            None => error,
        }
    }
}
