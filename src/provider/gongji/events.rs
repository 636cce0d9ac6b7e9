//! Events of a job's pods (gongji.md §5.3): the job as a whole has none.

use async_trait::async_trait;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use serde::Deserialize;

use crate::error::{Error, Kind, Result};
use crate::model::{Event, ResourceRef, event};
use crate::provider::{Events, time};

use super::Gongji;
use super::wire::{Events as EventsAnswer, Node};

/// Pods asked at once.
const PODS_AT_ONCE: usize = 8;

#[async_trait]
impl Events for Gongji {
    async fn events_of(&self, job: &ResourceRef) -> Result<Vec<Event>> {
        let id = self.job_id(job)?;
        let rows = self
            .rows("point_id", |page| self.api.list_points(id, page))
            .await;
        let nodes: Vec<Node> = match rows {
            Ok(rows) => rows
                .rows
                .iter()
                .filter_map(|row| Node::deserialize(row).ok())
                .collect(),
            Err(error) if matches!(error.kind(), Kind::Rejected | Kind::NotFound) => Vec::new(),
            Err(error) => return Err(error.with_job(job.to_string())),
        };
        // Without a pod nothing has happened yet, unless there is no such job.
        if nodes.is_empty() && self.look_up(id).await?.is_none() {
            return Err(self.unknown_job(job));
        }
        let questions: Vec<_> = nodes.iter().map(|node| self.events_of_node(node)).collect();
        let told: Vec<Vec<Event>> = stream::iter(questions)
            .buffered(PODS_AT_ONCE)
            .try_collect()
            .await?;
        Ok(event::in_order(told, None))
    }
}

impl Gongji {
    async fn events_of_node(&self, node: &Node) -> Result<Vec<Event>> {
        let Some(point) = node.point_id else {
            return Ok(Vec::new());
        };
        let name = node.name.clone().unwrap_or_else(|| point.to_string());
        let data = match self.read(&self.api.pod_events(point)).await {
            Ok(data) => data,
            // How long the pods of an ended job stay is not documented (§5.1).
            Err(error) if matches!(error.kind(), Kind::Rejected | Kind::NotFound) => {
                let text = format!("the events of the pod `{name}` are not known: {error}");
                self.session.reporter.detail(1, &text);
                return Ok(Vec::new());
            }
            Err(error) => return Err(error),
        };
        let answer = EventsAnswer::deserialize(&data).unwrap_or_default();
        Ok(answer
            .events
            .into_iter()
            .map(|event| Event {
                time: time::read(&event.event_time, time::CHINA),
                kind: event.severity,
                reason: event.reason,
                message: event.message,
                source: Some(match event.service {
                    Some(service) => format!("{name}/{service}"),
                    None => name.clone(),
                }),
            })
            .collect())
    }

    /// The service does not know this job.
    pub(super) fn unknown_job(&self, job: &ResourceRef) -> Error {
        self.named(
            Error::new(
                Kind::NotFound,
                "job_not_found",
                format!("there is no job `{job}`"),
            )
            .with_job(job.to_string()),
        )
    }
}
