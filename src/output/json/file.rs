//! Kinds `files` and `file`: what lies in a volume (cli.md §2, `volumes ls`).

use serde::Serialize;

use crate::model::{FileEntry, ResourceRef};

use super::time;

/// Columns of csv and tsv.
pub const FILE_COLUMNS: &[&str] = &[
    "volume",
    "path",
    "name",
    "type",
    "size_bytes",
    "modified_at",
];

/// One file or folder.
#[derive(Debug, Clone, Serialize)]
pub struct FileV1<'a> {
    volume: String,
    path: String,
    name: &'a str,
    #[serde(rename = "type")]
    kind: &'static str,
    size_bytes: Option<u64>,
    modified_at: Option<String>,
}

impl<'a> FileV1<'a> {
    /// The record of an entry of a volume.
    pub fn new(volume: &ResourceRef, entry: &'a FileEntry) -> Self {
        Self {
            volume: volume.to_string(),
            path: entry.path.to_string(),
            name: entry.path.name(),
            kind: if entry.is_folder { "folder" } else { "file" },
            size_bytes: entry.size_bytes,
            modified_at: entry.modified_at.map(time),
        }
    }
}
