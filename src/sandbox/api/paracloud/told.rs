//! What fault rules and tests ask of this service: names of requests, answers in its words, and the jobs it holds.

use http::header::RETRY_AFTER;
use http::{HeaderValue, StatusCode};
use serde_json::Value;

use crate::sandbox::operation::{Deed, Held, Operation, Script};
use crate::sandbox::service::{RawAnswer, RawRequest};

use super::model::World;
use super::render::Failure;
use super::route::{Call, route};
use super::transfer;

/// Every call of §3, and what the transfer service does (§6).
pub(super) const OPERATIONS: [Operation; 18] = [
    Operation::new("CreateNamespace", Deed::Namespaces),
    Operation::new("ListNamespaces", Deed::Namespaces),
    Operation::new("DeleteNamespace", Deed::Namespaces),
    Operation::new("ListInstanceTypes", Deed::Types),
    Operation::new("CreateVolume", Deed::Volumes),
    Operation::new("ListVolumes", Deed::Volumes),
    Operation::new("DeleteVolume", Deed::Volumes),
    Operation::new("CreateContainerGroup", Deed::Create),
    Operation::new("ListContainerGroups", Deed::List),
    Operation::new("GetContainerGroup", Deed::Get),
    Operation::new("CancelContainerGroup", Deed::Cancel),
    Operation::new("ReadFile", Deed::Files),
    Operation::new("WriteFile", Deed::Files),
    Operation::new("ListFiles", Deed::Files),
    Operation::new("MakeFolder", Deed::Files),
    Operation::new("MoveFile", Deed::Files),
    Operation::new("DeleteFile", Deed::Files),
    Operation::new("TransferOptions", Deed::Files),
];

/// The call that a request is.
pub(super) fn operation(request: &RawRequest) -> Operation {
    let name = if transfer::is_transfer(request) {
        transfer::operation_name(&request.method)
    } else {
        route(&request.method, request.path()).map_or("", |call: Call<'_>| call.name())
    };
    OPERATIONS
        .into_iter()
        .find(|operation| operation.name == name)
        .unwrap_or(Operation::UNKNOWN)
}

/// The service's words. Stock is not in its API: what cannot start stays `Pending` (§5.2), so nothing says "sold out".
pub(super) fn scripted(script: Script) -> Option<RawAnswer> {
    let answer = match script {
        Script::Throttled { retry_after } => {
            let answer =
                Failure::new(StatusCode::TOO_MANY_REQUESTS, "rate limit exceeded").answer();
            match retry_after {
                Some(wait) => answer.with_header(
                    RETRY_AFTER,
                    HeaderValue::from(crate::sandbox::faults::whole_seconds(wait)),
                ),
                None => answer,
            }
        }
        Script::Failed(status) => {
            Failure::new(status, "the service is in trouble, by a fault rule").answer()
        }
        Script::NotFound => {
            Failure::new(StatusCode::NOT_FOUND, "containerGroup not found").answer()
        }
        Script::SoldOut | Script::Partly { .. } => return None,
    };
    Some(answer)
}

/// The id of a new group.
pub(super) fn created(answer: &RawAnswer) -> Vec<String> {
    if !answer.status.is_success() {
        return Vec::new();
    }
    serde_json::from_slice::<Value>(&answer.body)
        .ok()
        .and_then(|body| Some(body.get("id")?.as_str()?.to_owned()))
        .into_iter()
        .collect()
}

/// Every group with the names of its containers.
pub(super) fn held(world: &World) -> Vec<Held> {
    world
        .groups
        .iter()
        .map(|group| Held {
            id: group.id.clone(),
            names: group
                .containers
                .iter()
                .map(|container| container.name.clone())
                .collect(),
        })
        .collect()
}
