//! Logs of a job's containers (gongji.md §5.2): one text with everything the platform keeps, asked for again each time.
//!
//! There is no cursor, no time and no tail. Each retry is a new pod with a log of its own, unless a container begins again
//! in its place: then its log does, and the pod counts.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;
use serde::Deserialize;

use crate::error::{Error, Kind, Result};
use crate::model::{Job, State};
use crate::provider::{LogReader, LogSource, LogStart, Logs};

use super::Gongji;
use super::jobs::POINTS;
use super::log_reader::Reader;
use super::wire::{JobAnswer, Node, ServiceAnswer};

/// How often the containers of pods began again in their places, as the last listings told it.
#[derive(Debug, Default)]
pub(super) struct Restarts(Mutex<BTreeMap<i64, Restarted>>);

/// How often the containers of one pod did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Restarted {
    pub(super) times: i64,
    /// The pod has one container, so that it is the one that began again.
    pub(super) is_only: bool,
}

impl Restarts {
    fn note(&self, nodes: &[Node], is_only: bool) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for node in nodes {
            if let (Some(point), Some(times)) = (node.point_id, node.describe_dto.restart_count) {
                known.insert(point, Restarted { times, is_only });
            }
        }
    }

    /// What is known of a pod.
    pub(super) fn of(&self, point: i64) -> Option<Restarted> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(&point).copied()
    }
}

#[async_trait]
impl Logs for Gongji {
    async fn sources(&self, job: &Job) -> Result<Vec<LogSource>> {
        let id = self.job_id(&job.job_ref)?;
        let Some(services) = self.services(job, id).await? else {
            // Whoever watches the job knows whether it is only unseen for a moment (cli.md §10, "Small print").
            return Ok(Vec::new());
        };
        let rows = self
            .rows(POINTS, |page| self.api.list_points(id, page))
            .await;
        let mut nodes: Vec<Node> = match rows {
            Ok(rows) => rows
                .rows
                .iter()
                .filter_map(|row| Node::deserialize(row).ok())
                .filter(|node| node.status.as_deref() != Some("Pending"))
                .collect(),
            // How soon and how long the pods are known is not documented (§5.1).
            Err(error) if matches!(error.kind(), Kind::Rejected | Kind::NotFound) => Vec::new(),
            Err(error) => return Err(error.with_job(job.job_ref.to_string())),
        };
        // Each retry is a new pod with a higher number.
        nodes.sort_by_key(|node| node.point_id);
        let ids: Vec<(i64, &ServiceAnswer)> = services
            .iter()
            .filter_map(|service| Some((service.service_id?, service)))
            .collect();
        if ids.is_empty() && !nodes.is_empty() && job.state != State::Pending {
            return Err(self.without_service(job));
        }
        self.restarts.note(&nodes, ids.len() == 1);
        let sources = nodes.iter().filter_map(|node| {
            let point = node.point_id?;
            let pod = node.name.clone().unwrap_or_else(|| point.to_string());
            let is_one = ids.len() == 1;
            Some(ids.iter().map(move |(service_id, service)| LogSource {
                name: match &service.service_name {
                    Some(service) if !is_one => format!("{pod}/{service}"),
                    Some(_) | None => pod.clone(),
                },
                stream: None,
                locator: [id, point, *service_id].map(|part| part.to_string()).into(),
                began_at: None,
                ended: matches!(node.status.as_deref(), Some("Succeeded" | "Failed" | "End")),
            }))
        });
        Ok(sources.flatten().collect())
    }

    fn open<'a>(&'a self, source: &LogSource, _start: &LogStart) -> Box<dyn LogReader + 'a> {
        let mut parts = source.locator.iter().map(|part| part.parse().unwrap_or(0));
        let mut next = || parts.next().unwrap_or(0);
        let (job, point, service) = (next(), next(), next());
        let request = self.api.point_log(job, point, service);
        Box::new(Reader::new(self, request, point))
    }

    fn knows_times(&self) -> bool {
        false
    }
}

impl Gongji {
    /// The containers of a job: the detail tells them, a row of the list may not. `None` of a job that is not seen.
    async fn services(&self, job: &Job, id: i64) -> Result<Option<Vec<ServiceAnswer>>> {
        let known = JobAnswer::deserialize(&job.raw)
            .unwrap_or_default()
            .services;
        if known.iter().any(|service| service.service_id.is_some()) {
            return Ok(Some(known));
        }
        let detail = self.look_up(id).await?;
        Ok(detail.map(|detail| JobAnswer::deserialize(&detail).unwrap_or_default().services))
    }

    fn without_service(&self, job: &Job) -> Error {
        self.named(
            Error::new(
                Kind::Spec,
                "no_log",
                format!(
                    "the logs of {} cannot be asked for: the service tells no `service_id` of its container",
                    job.job_ref
                ),
            )
            .with_hint("the console shows them")
            .with_job(job.job_ref.to_string()),
        )
    }
}
