//! Many jobs from one list of their cluster (cyclecloud.md §4.2): a poll of many costs one request.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::error::Result;
use crate::model::ResourceRef;
use crate::provider::Tracked;

use super::Cyclecloud;
use super::answers::NodeList;
use super::history::History;
use super::node::Node;
use super::routes::NodesOf;

impl Cyclecloud {
    /// The nodes of jobs that were made or looked at here before, from one list of their cluster where there are several.
    /// A job that has no node there is left out: only its own list tells what that means. So is one of which nothing is
    /// known: only its own list tells when it was made. A list that cannot be had fails for its jobs.
    pub(super) async fn listed_together(
        &self,
        jobs: &[Tracked],
    ) -> BTreeMap<ResourceRef, Result<NodeList>> {
        let mut clusters: BTreeMap<&str, BTreeMap<&str, &ResourceRef>> = BTreeMap::new();
        for tracked in jobs {
            let Ok((cluster, id)) = self.parts(&tracked.job_ref) else {
                continue;
            };
            let history = History::read(tracked.reading.as_ref());
            if history.created_at.is_some() || !history.nodes.is_empty() {
                let ids = clusters.entry(cluster).or_default();
                ids.insert(id, &tracked.job_ref);
            }
        }
        let mut together = BTreeMap::new();
        for (cluster, ids) in clusters.iter().filter(|(_, ids)| ids.len() > 1) {
            match self.list_nodes(cluster, NodesOf::WholeCluster).await {
                Ok(list) => {
                    for (id, list) in by_job(list) {
                        if let Some(job_ref) = ids.get(id.as_str()) {
                            together.insert((*job_ref).clone(), Ok(list));
                        }
                    }
                }
                Err(error) => {
                    let failed = |job_ref: &&ResourceRef| ((*job_ref).clone(), Err(error.clone()));
                    together.extend(ids.values().map(failed));
                }
            }
        }
        together
    }
}

/// The nodes of a list by the job that each belongs to; nodes of no job are left out.
pub(super) fn by_job(list: NodeList) -> BTreeMap<String, NodeList> {
    let mut nodes_of: BTreeMap<String, Vec<Node>> = BTreeMap::new();
    for node in list.nodes {
        if let Some(id) = node.job_id() {
            nodes_of.entry(id).or_default().push(node);
        }
    }
    let listed = nodes_of.into_iter().map(|(id, nodes)| {
        let raw = nodes.iter().map(|node| node.raw.clone()).collect();
        let list = NodeList {
            nodes,
            operation: None,
            raw: Value::Array(raw),
        };
        (id, list)
    });
    listed.collect()
}
