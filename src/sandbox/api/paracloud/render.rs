//! Answers in the service's words (paracloud.md §8), bent by the switches. Pure.

use http::StatusCode;
use jiff::tz::Offset;
use serde_json::{Map, Value, json};

use crate::model::{State, Timestamp};
use crate::sandbox::service::RawAnswer;

use super::model::{Container, Group, Phase, Volume, World};
use super::switches::{EmptyLists, ErrorPages, ListOrder, RunTime, Switches, Times};
use super::transfer;

/// What a call gives.
pub(super) type Outcome = Result<RawAnswer, Failure>;

/// An error in the family's shape (§7.1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Failure {
    pub(super) status: StatusCode,
    pub(super) message: String,
}

impl Failure {
    /// 400: what is wrong with the request.
    pub(super) fn invalid(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, message)
    }

    /// 404: what there is not.
    pub(super) fn not_found(kind: &str, id: &str) -> Self {
        Self::new(StatusCode::NOT_FOUND, format!("{kind} {id} not found"))
    }

    /// 409: what stands in the way.
    pub(super) fn conflict(message: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, message)
    }

    /// Any status.
    pub(super) fn new(status: StatusCode, message: impl Into<String>) -> Self {
        Self {
            status,
            message: message.into(),
        }
    }

    /// The answer.
    pub(super) fn answer(&self) -> RawAnswer {
        let body = json!({ "code": self.status.as_u16(), "message": self.message });
        RawAnswer::json(self.status, &body)
    }
}

/// An answer of the framework below the API: plain text, or a gateway's page (§7.1).
pub(super) fn framework_error(status: StatusCode, reason: &str, pages: ErrorPages) -> RawAnswer {
    let line = format!("{}: {reason}", status.as_u16());
    match pages {
        ErrorPages::Text => RawAnswer::text(status, line),
        ErrorPages::Html => RawAnswer::html(
            status,
            format!(
                "<!DOCTYPE html>\n<html><head><title>{line}</title></head><body><h1>{line}</h1></body></html>\n"
            ),
        ),
    }
}

/// A list, as the switches want it.
pub(super) fn list(world: &mut World, name: &str, mut items: Vec<Value>) -> RawAnswer {
    if world.switches.list_order == ListOrder::Shuffled {
        world.random.shuffle(&mut items);
    }
    let mut body = Map::new();
    if items.is_empty() {
        match world.switches.empty_lists {
            EmptyLists::Array => drop(body.insert(name.to_owned(), json!([]))),
            EmptyLists::Null => drop(body.insert(name.to_owned(), Value::Null)),
            EmptyLists::Missing => {}
        }
    } else {
        body.insert(name.to_owned(), Value::Array(items));
    }
    if world.switches.next_page_token {
        body.insert("nextPageToken".to_owned(), json!("b2Zmc2V0PTE"));
    }
    RawAnswer::json(StatusCode::OK, &Value::Object(body))
}

/// A volume as lists show it: without its service (§3.3).
pub(super) fn volume(volume: &Volume) -> Value {
    json!({
        "id": volume.id,
        "clusterID": volume.cluster,
        "namespaceID": volume.namespace,
    })
}

/// A volume as its create shows it, with the password, this once.
///
/// The addresses are this sandbox's own and not the vendor's: the password must not leave the machine.
pub(super) fn created_volume(created: &Volume, host: &str) -> Value {
    let mut body = volume(created);
    if let (Some(transfer), Some(members)) = (&created.transfer, body.as_object_mut()) {
        members.insert(
            "service".to_owned(),
            json!({
                "username": transfer.username,
                "password": transfer.password.expose(),
                "address": {
                    "webdav": format!("http://{host}{}", transfer::PREFIX),
                    "sftp": "127.0.0.1:2022",
                },
            }),
        );
    }
    body
}

/// A container group (§3.4, §5.1).
pub(super) fn group(group: &Group, switches: &Switches) -> Value {
    let mut body = Map::new();
    let mut put = |name: &str, value: Value| drop(body.insert(name.to_owned(), value));
    put("id", json!(group.id));
    put("clusterID", json!(group.cluster));
    put("namespaceID", json!(group.namespace));
    put("instanceType", json!(group.instance_type));
    let containers = group.containers.iter();
    put(
        "containers",
        containers
            .map(|container| self::container(group, container, switches))
            .collect(),
    );
    put("userID", number(&group.user, switches));
    let run = group.run.as_deref().map(|run| number(run, switches));
    let node = group.node.as_deref().map(|node| json!(node));
    let status = status(group, switches);
    put_optional(&mut body, "runID", run, switches);
    put_optional(&mut body, "nodeID", node, switches);
    body.insert("status".to_owned(), status);
    Value::Object(body)
}

/// The public name of a port: one DNS label before the domain (§3.7).
pub(super) fn public_label(group: &Group, container: &str, port: &str) -> String {
    format!(
        "{}-{}-{}-{container}-{port}",
        group.namespace,
        group.cluster.to_ascii_lowercase(),
        group.id
    )
}

fn container(group: &Group, container: &Container, switches: &Switches) -> Value {
    let mut body = Map::new();
    body.insert("name".to_owned(), json!(container.name));
    body.insert("image".to_owned(), json!(container.request.image));
    let command = container.request.command.as_ref().map(|words| json!(words));
    put_optional(&mut body, "command", command, switches);
    let unassigned = switches.late_ports && matches!(group.phase, Phase::Creating);
    let ports = container.request.ports.as_ref().map(|ports| {
        ports
            .iter()
            .zip(&container.ports)
            .map(|(port, number)| {
                let mut shown = json!({
                    "name": port.name,
                    "port": if unassigned { 0 } else { *number },
                });
                if port.https
                    && let Some(members) = shown.as_object_mut()
                {
                    let label = public_label(group, &container.name, &port.name);
                    let host = if unassigned {
                        String::new()
                    } else {
                        format!("{label}.eci.paracloud.com")
                    };
                    members.insert("https".to_owned(), json!({ "host": host }));
                }
                shown
            })
            .collect::<Value>()
    });
    put_optional(&mut body, "ports", ports, switches);
    let mounts = container.request.volume_mounts.as_ref().map(|mounts| {
        mounts
            .iter()
            .map(|mount| json!({ "name": mount.volume, "mountPath": mount.path }))
            .collect::<Value>()
    });
    put_optional(&mut body, "volumeMounts", mounts, switches);
    Value::Object(body)
}

fn status(group: &Group, switches: &Switches) -> Value {
    let (state, reason, message) = match &group.phase {
        Phase::Creating => ("Pending", "Creating", None),
        Phase::ImagePulling => ("Pending", "ImagePulling", None),
        Phase::PullFailed(message) => ("Pending", "ErrImagePull", Some(message.clone())),
        Phase::Running(_) if group.lost.is_some() => {
            let node = group.node.as_deref().unwrap_or("of the group");
            let message = format!("node {node} is not responding");
            ("Unknown", "NodeNotReady", Some(message))
        }
        Phase::Running(_) => ("Running", "Running", None),
        Phase::Ended(ending) => (
            if ending.succeeded {
                "Succeeded"
            } else {
                "Failed"
            },
            ending.reason,
            ending.message.clone(),
        ),
    };
    let state = if group.has_ended() {
        state
    } else if let Some(word) = &switches.state_word {
        word
    } else if switches.held() == Some(State::Unknown) && matches!(group.phase, Phase::Running(_)) {
        "Unknown"
    } else {
        state
    };
    let mut body = Map::new();
    body.insert("state".to_owned(), json!(state));
    body.insert("reason".to_owned(), json!(reason));
    put_optional(&mut body, "message", message.map(Value::String), switches);
    let shown = |instant: Option<Timestamp>| instant.map(|instant| time(instant, switches));
    let run_time = match (group.start, group.end) {
        (Some(start), Some(end)) => run_time(end.as_second() - start.as_second(), switches),
        _ => None,
    };
    put_optional(&mut body, "startTime", shown(group.start), switches);
    put_optional(&mut body, "endTime", shown(group.end), switches);
    put_optional(&mut body, "runTime", run_time, switches);
    Value::Object(body)
}

fn run_time(seconds: i64, switches: &Switches) -> Option<Value> {
    // A clock that was set back in between must not make a negative time.
    let seconds = seconds.max(0);
    match switches.run_time {
        RunTime::Seconds => Some(json!(seconds)),
        RunTime::Text => Some(json!(seconds.to_string())),
        RunTime::Milliseconds => Some(json!(seconds.saturating_mul(1000))),
        RunTime::Absent => None,
    }
}

fn time(instant: Timestamp, switches: &Switches) -> Value {
    let whole = Timestamp::from_second(instant.as_second()).unwrap_or(instant);
    match switches.times {
        Times::Utc => json!(whole.to_string()),
        Times::Offset => {
            let east = Offset::constant(8);
            json!(whole.display_with_offset(east).to_string())
        }
    }
}

fn number(text: &str, switches: &Switches) -> Value {
    match text.parse::<u64>() {
        Ok(number) if switches.numeric_ids => json!(number),
        Ok(_) | Err(_) => json!(text),
    }
}

fn put_optional(
    body: &mut Map<String, Value>,
    name: &str,
    value: Option<Value>,
    switches: &Switches,
) {
    if let Some(value) = value {
        body.insert(name.to_owned(), value);
    } else if switches.nulls {
        body.insert(name.to_owned(), Value::Null);
    }
}
