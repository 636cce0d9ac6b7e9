//! Where a setting's value came from (`config show --origin`).

use std::fmt;

/// The place a value was taken from; its text is fit for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// A flag of the command line, with its dashes.
    Flag(String),
    /// An environment variable.
    Variable(String),
    /// gpujob's own file.
    File { path: String, line: usize },
    /// A file of the provider's own tools.
    Native(String),
    /// Nobody said anything.
    Default,
}

impl fmt::Display for Origin {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag(flag) => write!(formatter, "flag `{flag}`"),
            Self::Variable(name) => write!(formatter, "variable `{name}`"),
            Self::File { path, line } => write!(formatter, "{path}, line {line}"),
            Self::Native(path) => formatter.write_str(path),
            Self::Default => formatter.write_str("default"),
        }
    }
}
