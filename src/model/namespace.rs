//! The account-level container of jobs: Paracloud namespace, PAI workspace, CycleCloud cluster (cli.md §1).

use serde_json::Value;

/// One namespace.
#[derive(Debug, Clone, PartialEq)]
pub struct Namespace {
    pub id: String,
    pub name: Option<String>,
    /// Whether jobs go here when none is chosen; `None` where the provider has no such notion.
    pub default: Option<bool>,
    /// The provider's own object.
    pub raw: Value,
}
