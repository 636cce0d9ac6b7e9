//! Jobs, nodes and events as the answers show them (gongji.md §2.1, §2.2, §2.4, §5, §9).

use serde_json::{Map, Value, json};

use super::billing::Books;
use super::catalogue::Offer;
use super::job::{Container, Event, Job, Moment, Node, NodeStatus, PULL_BACK_OFF, Phase};
use super::switches::{EventOrder, NumberForms, Switches};
use super::times;
use super::wire::ServiceSpec;
use crate::sandbox::process::ProcessStatus;

/// A row of the list.
pub(super) fn row(job: &Job, books: &Books<'_>) -> Value {
    let mut row = common(job, books);
    row.insert("task_type".to_owned(), json!("Job"));
    row.insert(
        "create_time".to_owned(),
        json!(times::spaced(job.created.time)),
    );
    let services: Vec<Value> = services(job, books.switches)
        .into_iter()
        .map(shortened)
        .collect();
    row.insert("services".to_owned(), json!(services));
    Value::Object(row)
}

/// The whole job.
pub(super) fn detail(job: &Job, books: &Books<'_>, now: Moment) -> Value {
    let mut detail = common(job, books);
    let billed = job
        .nodes
        .iter()
        .map(|node| node.running_seconds(now.elapsed))
        .max()
        .unwrap_or_default();
    let more = json!({
        "deployment_name": job.deployment_name,
        "billing_points": job.count(NodeStatus::Running),
        "billing_time": billed,
        "services": services(job, books.switches),
        "task_tags": null,
        "share_disk_volumes": job.request.share_disk_volumes,
        "share_mem_volumes": job.request.share_mem_volumes,
        "task_qos": job.request.task_qos,
        "create_time": times::detail(job.created.time),
        "last_update_time": times::detail(job.updated),
    });
    if let Value::Object(more) = more {
        detail.extend(more);
    }
    Value::Object(detail)
}

fn common(job: &Job, books: &Books<'_>) -> Map<String, Value> {
    let switches = books.switches;
    let running = job.count(NodeStatus::Running);
    let rate = job
        .offer
        .and_then(|offer| books.catalogue.offer(offer))
        .map_or(0, Offer::rate);
    let forecast = rate.saturating_mul(i64::try_from(running).unwrap_or_default());
    let schedule = match (job.is_spot(), job.phase) {
        (false, _) => Value::Null,
        (true, Phase::Queued) => json!("Queued"),
        (true, _) => json!("Scheduled"),
    };
    let resources: Vec<Value> = job
        .candidates
        .iter()
        .map(|candidate| {
            json!({
                "resource": candidate.spec,
                "region_name": candidate.region_name,
                "mark": candidate.mark,
                "weight": candidate.weight,
            })
        })
        .collect();
    let value = json!({
        "task_id": job.id,
        "task_name": job.request.task_name,
        "sub_type": job.request.sub_type,
        "schedule_status": schedule,
        "resources": resources,
        "status": switches.status_word.as_deref().unwrap_or(job.status()),
        "points": job.request.points,
        "runing_points": running,
        "billing_value": books.bill_of_job(job),
        "forecast_value": forecast,
        "job_support": job.request.job_support,
        "job_status": job_status(job, switches),
        "job_group": null,
        "termination_grace_period_seconds": null,
    });
    match value {
        Value::Object(members) => members,
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
            Map::new()
        }
    }
}

fn job_status(job: &Job, switches: &Switches) -> Value {
    let active = job.live_nodes().count();
    let has_begun = job.started.is_some();
    json!({
        "create_time": has_begun.then(|| times::utc(job.created.time)),
        "status": switches.outcome_word.as_deref().unwrap_or(job.outcome()),
        "completion_time": job.completed.map(times::utc),
        "active_pods": (active > 0).then_some(active),
        "succeeded_pods": job.count(NodeStatus::Succeeded),
        "failed_pods": job.count(NodeStatus::Failed),
        "completion_mode": has_begun.then_some(if job.is_indexed() { "Indexed" } else { "NonIndexed" }),
    })
}

/// The containers, with what the platform adds.
fn services(job: &Job, switches: &Switches) -> Vec<Value> {
    job.request
        .services
        .iter()
        .zip(&job.service_ids)
        .map(|(service, id)| {
            let mut shown = json!(service);
            let id = if switches.null_service_ids {
                Value::Null
            } else {
                json!(id)
            };
            if let Some(members) = shown.as_object_mut() {
                members.insert("service_id".to_owned(), id);
                members.insert("registered_ports".to_owned(), Value::Null);
                members.insert("remote_ports".to_owned(), ports(job, service));
            }
            shown
        })
        .collect()
}

fn ports(job: &Job, service: &ServiceSpec) -> Value {
    json!(service.remote_ports.as_ref().map(|ports| {
        ports
            .iter()
            .map(|port| {
                let url = format!(
                    "https://{}-{}.550w.link",
                    job.deployment_name, port.service_port
                );
                json!({ "service_port": port.service_port, "url": url })
            })
            .collect::<Vec<_>>()
    }))
}

/// In lists most of a service is null.
fn shortened(mut service: Value) -> Value {
    const KEPT: [&str; 4] = [
        "service_id",
        "service_name",
        "service_image",
        "resource_weight",
    ];
    if let Some(members) = service.as_object_mut() {
        for (name, value) in members.iter_mut() {
            if !KEPT.contains(&name.as_str()) {
                *value = Value::Null;
            }
        }
    }
    service
}

/// How numbers of one answer are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    Text,
    Integer,
    /// A text, and nothing for an exit code of 0.
    Sparse,
}

impl Form {
    /// The form of the `turn`-th answer.
    pub(super) fn of(forms: NumberForms, turn: u64) -> Self {
        match (forms, turn % 3) {
            (NumberForms::Text, _) | (NumberForms::Alternate, 0) => Self::Text,
            (NumberForms::Integer, _) | (NumberForms::Alternate, 1) => Self::Integer,
            (NumberForms::Alternate, _) => Self::Sparse,
        }
    }

    fn number(self, number: i64) -> Value {
        match self {
            Self::Text | Self::Sparse => json!(number.to_string()),
            Self::Integer => json!(number),
        }
    }

    fn exit_code(self, code: Option<i32>) -> Value {
        match code {
            None => Value::Null,
            Some(0) if self == Self::Sparse => Value::Null,
            Some(code) => self.number(i64::from(code)),
        }
    }
}

/// A row of the nodes.
pub(super) fn node(job: &Job, node: &Node, books: &Books<'_>, now: Moment, form: Form) -> Value {
    let offer = books.catalogue.offer(node.offer);
    let cards = offer.map_or(0, |offer| offer.spec.gpu_count);
    let weights: i64 = job
        .request
        .services
        .iter()
        .map(|service| service.resource_weight.gpu_weight)
        .sum();
    let containers: Vec<Value> = job
        .request
        .services
        .iter()
        .zip(&node.containers)
        .zip(&job.service_ids)
        .map(|((service, container), id)| {
            let share = cards.saturating_mul(service.resource_weight.gpu_weight);
            self::container(service, container, *id, share.checked_div(weights), form)
        })
        .collect();
    json!({
        "point_id": node.id,
        "name": node.name,
        "status": node.status.word(),
        "region": offer.map(|offer| &offer.spec.region),
        "region_name": offer.map(|offer| &offer.region_name),
        "resource": {
            "gpu_name": offer.and_then(|offer| offer.spec.gpu_name.as_ref()),
            "gpu_count": form.number(cards),
            "cpu_cores": form.number(offer.map_or(0, |offer| offer.spec.cpu_cores)),
        },
        "containers": containers,
        "runing_time": node.running_seconds(now.elapsed),
        "billing_value": books.bill(node),
        "port_mappings": null,
        "describe_dto": {
            "restart_count": node.restarts,
            "last_restart_time": node.last_restart.map(times::detail),
        },
    })
}

fn container(
    service: &ServiceSpec,
    container: &Container,
    id: i64,
    cards: Option<i64>,
    form: Form,
) -> Value {
    let (reason, message) = match (&container.outcome, container.reason) {
        (None, Some(PULL_BACK_OFF)) => {
            let message = format!("Back-off pulling image \"{}\"", service.service_image);
            (json!(PULL_BACK_OFF), json!(message))
        }
        (_, Some(reason)) => (json!(reason), Value::Null),
        (None | Some(ProcessStatus::Running), None) => (Value::Null, Value::Null),
        (Some(ProcessStatus::Exited(0)), None) => (json!("Completed"), Value::Null),
        (Some(ProcessStatus::NotStarted(why)), None) => (json!("StartError"), json!(why)),
        (
            Some(ProcessStatus::Exited(_) | ProcessStatus::Signalled(_) | ProcessStatus::TimedOut),
            None,
        ) => (json!("Error"), Value::Null),
    };
    let code = container
        .outcome
        .as_ref()
        .and_then(ProcessStatus::exit_code);
    json!({
        "service_name": service.service_name,
        "name": format!("c-{id}"),
        "image": service.service_image,
        "gpu_limit": cards.unwrap_or_default(),
        "reason": reason,
        "message": message,
        "exit_code": form.exit_code(code),
    })
}

/// The events of a node.
pub(super) fn events(node: &Node, order: EventOrder) -> Value {
    let mut events: Vec<Value> = node.events.iter().map(event).collect();
    match order {
        EventOrder::OldestFirst => {}
        EventOrder::NewestFirst => events.reverse(),
    }
    json!({ "events": events })
}

fn event(event: &Event) -> Value {
    json!({
        "reason": event.reason,
        "message": event.message,
        "type": if event.is_warning { "Warning" } else { "Normal" },
        "event_time": times::seconds(event.time),
        "service": event.service,
    })
}
