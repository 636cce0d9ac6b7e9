//! Kinds `namespaces` and `namespace` (cli.md §10 "Records").

use serde::Serialize;

use crate::model::Namespace;
use crate::output::Row;

/// Columns of csv and tsv.
pub const NAMESPACE_COLUMNS: &[&str] = &["provider", "backend", "id", "name", "default"];

/// One namespace.
#[derive(Debug, Clone, Serialize)]
pub struct NamespaceV1<'a> {
    provider: &'a str,
    backend: &'static str,
    id: &'a str,
    name: Option<&'a str>,
    default: Option<bool>,
}

impl<'a> NamespaceV1<'a> {
    /// The record of a namespace.
    pub fn new(row: &Row<'a, Namespace>) -> Self {
        Self {
            provider: row.provider,
            backend: row.backend.as_str(),
            id: &row.item.id,
            name: row.item.name.as_deref(),
            default: row.item.default,
        }
    }
}
