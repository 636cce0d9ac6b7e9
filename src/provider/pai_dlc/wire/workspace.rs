//! Answers of AIWorkspace: workspaces and datasets (pai-dlc.md §6.2).

use serde::Deserialize;
use serde_json::Value;

use super::lenient;

/// One page of `ListWorkspaces`.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct WorkspacePage {
    #[serde(deserialize_with = "lenient::items")]
    pub workspaces: Vec<Value>,
    #[serde(deserialize_with = "lenient::integer")]
    pub total_count: Option<i64>,
}

/// One workspace.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct WorkspaceAnswer {
    #[serde(deserialize_with = "lenient::text")]
    pub workspace_id: Option<String>,
    #[serde(deserialize_with = "lenient::text")]
    pub workspace_name: Option<String>,
    /// `ENABLED`, or why it cannot be used.
    #[serde(deserialize_with = "lenient::text")]
    pub status: Option<String>,
    #[serde(deserialize_with = "lenient::flag")]
    pub is_default: Option<bool>,
}

/// One page of `ListDatasets`.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct DatasetPage {
    #[serde(deserialize_with = "lenient::items")]
    pub datasets: Vec<Value>,
    #[serde(deserialize_with = "lenient::integer")]
    pub total_count: Option<i64>,
}

/// One dataset: an item of `ListDatasets`, or the top level of `GetDataset`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct DatasetAnswer {
    #[serde(deserialize_with = "lenient::text")]
    pub dataset_id: Option<String>,
    #[serde(deserialize_with = "lenient::text")]
    pub name: Option<String>,
    #[serde(deserialize_with = "lenient::text")]
    pub workspace_id: Option<String>,
    #[serde(deserialize_with = "lenient::text")]
    pub uri: Option<String>,
    /// `RO` or `RW`.
    #[serde(deserialize_with = "lenient::text")]
    pub mount_access: Option<String>,
    /// `USER`, `ITAG` or `PAI_PUBLIC_DATASET`.
    #[serde(deserialize_with = "lenient::text")]
    pub source_type: Option<String>,
    #[serde(deserialize_with = "lenient::flag")]
    pub is_shared: Option<bool>,
}

/// The answer of `CreateDataset`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct DatasetCreated {
    #[serde(deserialize_with = "lenient::text")]
    pub dataset_id: Option<String>,
}
