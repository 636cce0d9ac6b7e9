//! How a spec field reaches a provider (job-model.md §0).

use std::fmt;

/// What becomes of one generic field on one provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// Sent as a provider field.
    Native,
    /// Achieved by rewriting another field, usually the command.
    Emulated,
    /// Kept only in gpujob's own store.
    Local,
    /// Not expressible: nothing is submitted.
    Refused,
}

impl Level {
    /// The word in `explain` and JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Native => "native",
            Self::Emulated => "emulated",
            Self::Local => "local",
            Self::Refused => "refused",
        }
    }
}

impl fmt::Display for Level {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// One line of the level report: the field, its level and how it is achieved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldReport {
    /// Path of the spec field, such as `resources.gpu`.
    pub field: String,
    pub level: Level,
    /// Where it went or how it was emulated, in one phrase.
    pub how: String,
}

impl FieldReport {
    /// A line of the report.
    pub fn new(field: impl Into<String>, level: Level, how: impl Into<String>) -> Self {
        Self {
            field: field.into(),
            level,
            how: how.into(),
        }
    }
}
