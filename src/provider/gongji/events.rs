//! Events of a job's pods (gongji.md §5.3): the job as a whole has none.

use async_trait::async_trait;
use futures_util::{StreamExt as _, stream};
use serde::Deserialize;

use crate::error::{Error, Kind, Result};
use crate::model::{Event, ResourceRef, event};
use crate::provider::{Events, time};

use super::Gongji;
use super::jobs::POINTS;
use super::wire::{Event as EventAnswer, Events as EventsAnswer, Node, lenient};

/// Pods asked at once.
const PODS_AT_ONCE: usize = 8;

#[async_trait]
impl Events for Gongji {
    async fn events_of(&self, job: &ResourceRef) -> Result<Vec<Event>> {
        Ok(self.told(job).await?.1)
    }

    /// A pod that cannot begin says why in its containers, and its events may use other words (§5.1).
    async fn reasons_of(&self, job: &ResourceRef) -> Result<Vec<String>> {
        let (nodes, events) = self.told(job).await?;
        let containers = nodes.into_iter().flat_map(|node| node.containers);
        let of_events = events.iter().flat_map(Event::reasons).map(str::to_owned);
        Ok(containers
            .filter_map(|container| container.reason)
            .chain(of_events)
            .collect())
    }
}

impl Gongji {
    /// The pods of a job, and what happened to them.
    async fn told(&self, job: &ResourceRef) -> Result<(Vec<Node>, Vec<Event>)> {
        let id = self.job_id(job)?;
        let rows = self
            .rows(POINTS, |page| self.api.list_points(id, page))
            .await;
        let (nodes, refusal) = match rows {
            Ok(rows) => {
                let nodes = rows.rows.iter().map(Node::deserialize);
                (nodes.filter_map(Result::ok).collect(), None)
            }
            Err(error) if is_refusal(error.kind()) => (Vec::new(), Some(error)),
            Err(error) => return Err(error.with_job(job.to_string())),
        };
        // Without a pod nothing has happened yet, unless there is no such job.
        if nodes.is_empty() && self.look_up(id).await?.is_none() {
            return Err(self.unknown_job(job));
        }
        if let Some(error) = refusal {
            return Err(error.with_job(job.to_string()));
        }
        let questions: Vec<_> = nodes.iter().map(|node| self.events_of_node(node)).collect();
        let answers: Vec<Result<Vec<Event>>> = stream::iter(questions)
            .buffered(PODS_AT_ONCE)
            .collect()
            .await;
        let events = self
            .readable(&nodes, answers)
            .map_err(|error| error.with_job(job.to_string()))?;
        Ok((nodes, event::in_order(events, None)))
    }

    /// The answers of those pods whose events can be had. How long the pods of an ended job stay is not documented
    /// (§5.1): one that is refused is told; if all are, that is the answer.
    fn readable(
        &self,
        nodes: &[Node],
        answers: Vec<Result<Vec<Event>>>,
    ) -> Result<Vec<Vec<Event>>> {
        let mut told = Vec::new();
        let mut refusals = Vec::new();
        for (node, answer) in nodes.iter().zip(answers) {
            match answer {
                Ok(events) => told.push(events),
                Err(error) if is_refusal(error.kind()) => refusals.push((node_name(node), error)),
                Err(error) => return Err(error),
            }
        }
        if told.is_empty()
            && let Some((_, error)) = refusals.first()
        {
            return Err(error.clone());
        }
        for (name, error) in refusals {
            self.warn(&format!(
                "the events of the pod `{name}` are not known: {error}"
            ));
        }
        Ok(told)
    }

    async fn events_of_node(&self, node: &Node) -> Result<Vec<Event>> {
        let Some(point) = node.point_id else {
            return Ok(Vec::new());
        };
        let name = node_name(node);
        let data = self.read(&self.api.pod_events(point)).await?;
        let answer = EventsAnswer::deserialize(&data).unwrap_or_default();
        let events = answer.events.into_iter();
        Ok(events.map(|event| read_event(event, &name)).collect())
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

fn node_name(node: &Node) -> String {
    let number = || node.point_id.map(|point| point.to_string());
    node.name.clone().or_else(number).unwrap_or_default()
}

/// A time that cannot be read stands before the message (§10, "Lenient decoding rules").
fn read_event(event: EventAnswer, pod: &str) -> Event {
    let at = time::read(&event.event_time, time::CHINA);
    let odd = lenient::text_of(&event.event_time).filter(|_| at.is_none());
    Event {
        time: at,
        kind: event.severity.map(|word| word.to_lowercase()),
        reason: event.reason,
        message: match (odd, event.message) {
            (Some(odd), Some(message)) => Some(format!("{odd}: {message}")),
            (odd, message) => odd.or(message),
        },
        source: Some(match event.service {
            Some(service) => format!("{pod}/{service}"),
            None => pod.to_owned(),
        }),
    }
}

/// What an envelope of failure, or a 404, is.
pub(super) const fn is_refusal(kind: Kind) -> bool {
    matches!(kind, Kind::Rejected | Kind::NotFound)
}
