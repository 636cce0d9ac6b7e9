//! What fault rules and tests ask of this service: names of requests, answers in its words, and the jobs it holds.

use http::header::RETRY_AFTER;
use http::{HeaderValue, StatusCode};
use serde_json::Value;

use crate::sandbox::operation::{Deed, Held, Operation, Script};
use crate::sandbox::service::{RawAnswer, RawRequest};

use super::reply::Refusal;
use super::route::route;
use super::world::{Node, World};

/// Every call of §3.
pub(super) const OPERATIONS: [Operation; 15] = [
    Operation::new("metadata", Deed::Other),
    Operation::new("status", Deed::Types),
    Operation::new("nodes", Deed::List),
    Operation::new("create", Deed::Create),
    Operation::new("terminate", Deed::Cancel),
    Operation::new("remove", Deed::Cancel),
    Operation::new("shutdown", Deed::Other),
    Operation::new("deallocate", Deed::Other),
    Operation::new("start", Deed::Other),
    Operation::new("restart", Deed::Other),
    Operation::new("reimage", Deed::Other),
    Operation::new("scale", Deed::Other),
    Operation::new("usage", Deed::Cost),
    Operation::new("operations", Deed::Get),
    Operation::new("operation", Deed::Get),
];

/// The call that a request is.
pub(super) fn operation(request: &RawRequest, context_path: &str) -> Operation {
    let call = route(&request.method, request.path(), context_path);
    let name = call.as_ref().map_or("", |call| call.name());
    OPERATIONS
        .into_iter()
        .find(|operation| operation.name == name)
        .unwrap_or(Operation::UNKNOWN)
}

/// The service's words, but for a create with fewer nodes, which is a create all the same.
pub(super) fn scripted(script: Script, world: &World) -> Option<RawAnswer> {
    let refusal = match script {
        Script::Throttled { .. } => {
            Refusal::with_status(StatusCode::TOO_MANY_REQUESTS, "Too many requests")
        }
        Script::Failed(status) => {
            Refusal::with_status(status, "The server is in trouble, by a fault rule")
        }
        Script::NotFound => Refusal::not_found("No such request"),
        Script::SoldOut | Script::Partly { .. } => return None,
    };
    let answer = refusal.answer(&world.switches);
    Some(match script {
        Script::Throttled {
            retry_after: Some(wait),
        } => answer.with_header(
            RETRY_AFTER,
            HeaderValue::from(crate::sandbox::faults::whole_seconds(wait)),
        ),
        Script::Throttled { retry_after: None }
        | Script::Failed(_)
        | Script::NotFound
        | Script::SoldOut
        | Script::Partly { .. } => answer,
    })
}

/// Everything under which a create shows: its request id, its operation, its nodes.
pub(super) fn created(request: &RawRequest, answer: &RawAnswer, world: &World) -> Vec<String> {
    if !answer.status.is_success() {
        return Vec::new();
    }
    let Some(id) = serde_json::from_slice::<Value>(&answer.body)
        .ok()
        .and_then(|body| Some(body.get("operationId")?.as_str()?.to_owned()))
    else {
        return Vec::new();
    };
    let asked = serde_json::from_slice::<Value>(&request.body).ok();
    let request_id = asked.and_then(|body| Some(body.get("requestId")?.as_str()?.to_owned()));
    let nodes = world
        .operations
        .iter()
        .filter(|operation| operation.id == id)
        .flat_map(|operation| operation.nodes.clone());
    request_id
        .into_iter()
        .chain([id.clone()])
        .chain(nodes)
        .collect()
}

/// Every create, with its request id and the tags of its nodes.
pub(super) fn held(world: &World) -> Vec<Held> {
    world
        .operations
        .iter()
        .filter(|operation| operation.action == "create" && !operation.nodes.is_empty())
        .map(|operation| {
            let nodes = world
                .nodes
                .iter()
                .filter(|node| operation.nodes.contains(&node.id));
            let mut names: Vec<String> = nodes.flat_map(tags).collect();
            names.sort();
            names.dedup();
            names.extend(operation.request_id.clone());
            Held {
                id: operation.id.clone(),
                names,
            }
        })
        .collect()
}

fn tags(node: &Node) -> Vec<String> {
    let tags = node.attributes.get("Tags").and_then(Value::as_object);
    tags.into_iter()
        .flat_map(|tags| tags.values())
        .filter_map(|value| Some(value.as_str()?.to_owned()))
        .collect()
}
