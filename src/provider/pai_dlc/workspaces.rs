//! Workspaces as namespaces (pai-dlc.md §6).

use async_trait::async_trait;
use serde::Deserialize;
use serde_json::Value;

use crate::error::{Error, Kind, Result};
use crate::model::Namespace;
use crate::provider::{Creation, Namespaces};

use super::PaiDlc;
use super::pages::Pages;
use super::wire::{WorkspaceAnswer, WorkspacePage};

/// One workspace; `None` without an id.
pub(super) fn namespace(value: &Value) -> Option<Namespace> {
    let workspace = WorkspaceAnswer::deserialize(value).ok()?;
    Some(Namespace {
        id: workspace.workspace_id?,
        name: workspace.workspace_name,
        default: workspace.is_default,
        raw: value.clone(),
    })
}

#[async_trait]
impl Namespaces for PaiDlc {
    async fn list(&self) -> Result<Vec<Namespace>> {
        let mut pages = Pages::new("WorkspaceId");
        let mut number = 1;
        loop {
            let value = self.read(&self.home.list_workspaces(number)).await?;
            let page = WorkspacePage::deserialize(&value)
                .map_err(|error| self.unreadable("ListWorkspaces", &error.to_string()))?;
            if !pages.add(page.workspaces, page.total_count) {
                break;
            }
            number += 1;
        }
        Ok(pages.into_items().iter().filter_map(namespace).collect())
    }

    async fn create(
        &self,
        _name: Option<&str>,
        _settings: &[(String, String)],
    ) -> Creation<Namespace> {
        Creation::Refused(self.console_only("created"))
    }

    async fn obstacles(&self, _id: &str) -> Result<Vec<String>> {
        Ok(Vec::new())
    }

    async fn delete(&self, _id: &str, _force: bool) -> Result<()> {
        Err(self.console_only("deleted"))
    }
}

impl PaiDlc {
    fn console_only(&self, verb: &str) -> Error {
        Error::new(
            Kind::Spec,
            "unsupported_field",
            format!("workspaces are not {verb} through PAI-DLC's API"),
        )
        .with_hint("use the console")
        .with_provider(&self.name)
    }
}
