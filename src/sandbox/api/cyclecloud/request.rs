//! Bodies of the writing calls (cyclecloud.md §6.1 and §7). Pure.
//!
//! Unknown members are ignored and null is as good as absent (§11, 3); wrong types are not.

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::reply::Refusal;

/// `NodeCreationRequest`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct CreateRequest {
    pub(super) request_id: Option<String>,
    pub(super) sets: Vec<SetRequest>,
}

/// One of its sets.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct SetRequest {
    pub(super) nodearray: String,
    pub(super) count: u64,
    pub(super) definition: Option<Map<String, Value>>,
    pub(super) placement_group_id: Option<String>,
    pub(super) name_format: Option<String>,
    pub(super) name_offset: Option<u64>,
    pub(super) node_attributes: Option<Map<String, Value>>,
}

/// `NodeManagementRequest`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
pub(super) struct ManageRequest {
    #[serde(rename = "requestId")]
    pub(super) request_id: Option<String>,
    pub(super) ids: Option<Vec<String>>,
    pub(super) names: Option<Vec<String>>,
    pub(super) hostnames: Option<Vec<String>>,
    pub(super) ip_addresses: Option<Vec<String>>,
    pub(super) filter: Option<String>,
}

/// The body of a create.
pub(super) fn create(body: &[u8]) -> Result<CreateRequest, Refusal> {
    let value = object(body)?;
    let sets = value.get("sets").and_then(Value::as_array);
    // Serde would take a list of values for a set.
    if sets.is_some_and(|sets| !sets.iter().all(Value::is_object)) {
        return Err(Refusal::invalid("Every one of sets must be an object"));
    }
    let request: CreateRequest = decoded(value)?;
    if request.sets.is_empty() {
        return Err(Refusal::invalid("sets must not be empty"));
    }
    check_request_id(request.request_id.as_deref())?;
    Ok(request)
}

/// The body of a call on chosen nodes.
pub(super) fn manage(body: &[u8]) -> Result<ManageRequest, Refusal> {
    let request: ManageRequest = decoded(object(body)?)?;
    check_request_id(request.request_id.as_deref())?;
    let lists = [
        &request.ids,
        &request.names,
        &request.hostnames,
        &request.ip_addresses,
    ];
    if lists.iter().all(|list| list.is_none()) && request.filter.is_none() {
        return Err(Refusal::invalid(
            "No nodes are selected: give ids, names, hostnames, ip_addresses or filter",
        ));
    }
    Ok(request)
}

fn object(body: &[u8]) -> Result<Value, Refusal> {
    let value: Value = serde_json::from_slice(body)
        .map_err(|error| Refusal::invalid(format!("The body is not JSON: {error}")))?;
    if value.is_object() {
        Ok(value)
    } else {
        Err(Refusal::invalid("The body must be an object"))
    }
}

fn decoded<T: DeserializeOwned>(value: Value) -> Result<T, Refusal> {
    serde_json::from_value(value)
        .map_err(|error| Refusal::invalid(format!("Invalid input: {error}")))
}

fn check_request_id(id: Option<&str>) -> Result<(), Refusal> {
    if id == Some("") {
        return Err(Refusal::invalid("requestId must not be empty"));
    }
    Ok(())
}
