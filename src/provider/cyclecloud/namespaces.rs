//! Clusters as namespaces: the configured one, since the API lists none (cyclecloud.md §3, §8.1).

use async_trait::async_trait;
use serde_json::Value;

use crate::error::Result;
use crate::model::Namespace;
use crate::provider::{Creation, Namespaces, Verb};

use super::Cyclecloud;

#[async_trait]
impl Namespaces for Cyclecloud {
    async fn list(&self) -> Result<Vec<Namespace>> {
        Ok(self
            .cluster
            .iter()
            .map(|cluster| Namespace {
                id: cluster.clone(),
                name: Some(cluster.clone()),
                default: Some(true),
                raw: Value::Null,
            })
            .collect())
    }

    async fn create(
        &self,
        _name: Option<&str>,
        _settings: &[(String, String)],
    ) -> Creation<Namespace> {
        Creation::Refused(self.cannot(Verb::NamespacesCreate))
    }

    async fn obstacles(&self, _id: &str) -> Result<Vec<String>> {
        Ok(Vec::new())
    }

    async fn delete(&self, _id: &str, _force: bool) -> Result<()> {
        Err(self.cannot(Verb::NamespacesDelete))
    }
}
