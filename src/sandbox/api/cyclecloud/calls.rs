//! What each call does, after authentication and routing (cyclecloud.md §4, §6, §7).

use http::header::LOCATION;
use http::{HeaderValue, StatusCode};
use serde_json::{Value, json};

use crate::sandbox::clock::Clock;
use crate::sandbox::process::Launcher;
use crate::sandbox::service::{RawAnswer, RawRequest};

use super::catalogue::{Catalogue, ClusterPlan};
use super::create::Creation;
use super::manage::Management;
use super::query::Query;
use super::record::{self, time};
use super::reply::Refusal;
use super::request::{self, CreateRequest, SetRequest};
use super::route::{Action, Call};
use super::status;
use super::switches;
use super::usage;
use super::world::{Operation, World};

/// One call's surroundings.
#[derive(Debug)]
pub(super) struct Caller<'a> {
    pub(super) world: &'a mut World,
    pub(super) catalogue: &'a Catalogue,
    pub(super) clock: &'a Clock,
    pub(super) launcher: &'a Launcher,
    pub(super) user: &'a str,
    pub(super) request: &'a RawRequest,
}

impl<'a> Caller<'a> {
    /// Does what the call asks for.
    pub(super) fn act(&mut self, call: &Call) -> Result<RawAnswer, Refusal> {
        match call {
            Call::Metadata => Ok(metadata(self.world.switches.entra)),
            Call::Status { cluster } => {
                let cluster = self.cluster(cluster)?;
                let with_nodes = self.query(&["nodes"])?.flag("nodes")?;
                let (world, catalogue) = (&*self.world, self.catalogue);
                Ok(ok(&status::status(
                    world, catalogue, cluster, self.clock, with_nodes,
                )))
            }
            Call::Nodes { cluster } => self.nodes(cluster),
            Call::Create { cluster } => {
                let cluster = self.cluster(cluster)?;
                self.query(&[])?;
                let request = request::create(&self.request.body)?;
                self.create(cluster, &request, "create")
            }
            Call::Manage { cluster, action } => self.manage(cluster, *action),
            Call::Scale { cluster, array } => self.scale(cluster, array),
            Call::Usage { cluster } => {
                let cluster = self.cluster(cluster)?;
                let query = self.query(&usage::PARAMETERS)?;
                let (spans, now) = (&self.world.spans, self.clock.now());
                Ok(ok(&usage::usage(
                    spans,
                    self.catalogue,
                    cluster,
                    &query,
                    now,
                )?))
            }
            Call::Operations { with_slash } => self.operations(*with_slash),
            Call::Operation { id } => {
                let operation = self
                    .operation(|operation| operation.id == *id)
                    .ok_or_else(|| Refusal::not_found(format!("No operation {id}")))?;
                Ok(ok(&shown(&operation)))
            }
        }
    }

    /// A cluster that the user may see (§2.3).
    fn cluster(&self, name: &str) -> Result<&'a ClusterPlan, Refusal> {
        let missing = || Refusal::not_found(format!("Cluster {name} not found"));
        let cluster = self.catalogue.cluster(name).ok_or_else(missing)?;
        if cluster.owner == self.user {
            return Ok(cluster);
        }
        if self.world.switches.foreign_cluster == 403 {
            return Err(Refusal::forbidden(format!(
                "Access to cluster {name} is denied"
            )));
        }
        Err(missing())
    }

    fn query(&self, known: &[&str]) -> Result<Query, Refusal> {
        Query::parse(self.request.raw_query(), known)
    }

    fn operation(&self, fits: impl Fn(&Operation) -> bool) -> Option<Operation> {
        let mut visible = self.world.visible_operations(self.clock);
        visible.find(|operation| fits(operation)).cloned()
    }

    fn nodes(&self, cluster: &str) -> Result<RawAnswer, Refusal> {
        let cluster = self.cluster(cluster)?;
        let query = self.query(&["operation", "request_id"])?;
        let operation = match (query.get("operation"), query.get("request_id")) {
            (None, None) => None,
            (Some(_), Some(_)) => {
                return Err(Refusal::bad_request(
                    "Only one of operation and request_id can be given",
                ));
            }
            (Some(id), None) => Some(
                self.operation(|known| known.id == id && known.cluster == cluster.name)
                    .ok_or_else(|| {
                        Refusal::not_found(format!("No operation found for operation id {id}"))
                    })?,
            ),
            (None, Some(id)) => Some(
                self.operation(|known| {
                    known.request_id.as_deref() == Some(id) && known.cluster == cluster.name
                })
                .ok_or_else(|| {
                    // Microsoft's own clients look for this phrase (§3.1).
                    Refusal::not_found(format!("No operation found for request id {id}"))
                })?,
            ),
        };
        let nodes: Vec<Value> = self
            .world
            .nodes
            .iter()
            .filter(|node| node.cluster == cluster.name)
            .filter(|node| {
                operation
                    .as_ref()
                    .is_none_or(|operation| operation.nodes.contains(&node.id))
            })
            .map(|node| record::shown(node, &self.world.switches))
            .collect();
        let mut body = json!({ "nodes": nodes });
        if let (Some(operation), Some(members)) = (operation, body.as_object_mut()) {
            members.insert("operation".to_owned(), shown(&operation));
        }
        Ok(ok(&body))
    }

    fn create(
        &mut self,
        cluster: &ClusterPlan,
        request: &CreateRequest,
        action: &'static str,
    ) -> Result<RawAnswer, Refusal> {
        let body = Creation {
            world: self.world,
            catalogue: self.catalogue,
            cluster,
            clock: self.clock,
        }
        .create(request, action)?;
        Ok(self.accepted(&body))
    }

    fn manage(&mut self, cluster: &str, action: Action) -> Result<RawAnswer, Refusal> {
        let cluster = self.cluster(cluster)?;
        self.query(&[])?;
        let request = request::manage(&self.request.body)?;
        let body = Management {
            world: self.world,
            cluster,
            clock: self.clock,
            launcher: self.launcher,
        }
        .act(action, &request)?;
        Ok(self.accepted(&body))
    }

    /// Adds what is missing to a total, once (§6.4).
    fn scale(&mut self, cluster: &str, name: &str) -> Result<RawAnswer, Refusal> {
        let cluster = self.cluster(cluster)?;
        let query = self.query(&["totalNodeCount", "totalCoreCount"])?;
        let number = |name: &str| {
            query
                .get(name)
                .map(|text| {
                    text.parse::<u64>().map_err(|_| {
                        Refusal::invalid(format!("{name} must be a whole number, not {text}"))
                    })
                })
                .transpose()
        };
        let array = cluster.array(name).ok_or_else(|| {
            Refusal::invalid(format!("No nodearray {name} in cluster {}", cluster.name))
        })?;
        let active = self
            .world
            .active(|node| node.cluster == cluster.name && node.array.as_deref() == Some(name));
        let vcpus = array
            .machine_types
            .iter()
            .find(|machine_type| self.world.invalid_reason(array, machine_type).is_none())
            .map_or(1, |machine_type| self.catalogue.size(machine_type).vcpus);
        let missing = match (number("totalNodeCount")?, number("totalCoreCount")?) {
            (Some(nodes), None) => nodes.saturating_sub(active.nodes),
            (None, Some(cores)) => cores.saturating_sub(active.cores).div_ceil(vcpus.max(1)),
            (Some(_), Some(_)) | (None, None) => {
                return Err(Refusal::invalid(
                    "Exactly one of totalNodeCount and totalCoreCount must be given",
                ));
            }
        };
        if missing == 0 {
            let (world, clock) = (&mut *self.world, self.clock);
            let id = world.accept("scale", &cluster.name, None, Vec::new(), clock);
            return Ok(self.accepted(&json!({ "operationId": id, "sets": [{ "added": 0 }] })));
        }
        let request = CreateRequest {
            request_id: None,
            sets: vec![SetRequest {
                nodearray: name.to_owned(),
                count: missing,
                ..SetRequest::default()
            }],
        };
        self.create(cluster, &request, "scale")
    }

    fn operations(&self, with_slash: bool) -> Result<RawAnswer, Refusal> {
        if !with_slash && self.world.switches.operations_redirect {
            let target = format!("{}/operations/", self.world.switches.context_path);
            return Ok(located(
                RawAnswer::empty(StatusCode::MOVED_PERMANENTLY),
                &target,
            ));
        }
        let query = self.query(&["request_id"])?;
        let wanted = query.get("request_id");
        let found: Vec<Value> = self
            .world
            .visible_operations(self.clock)
            .filter(|operation| self.may_see(operation))
            .filter(|operation| wanted.is_none() || operation.request_id.as_deref() == wanted)
            .map(shown)
            .collect();
        if let Some(id) = wanted
            && found.is_empty()
            && self.world.switches.unknown_request == 404
        {
            return Err(Refusal::not_found(format!(
                "No operation found for request id {id}"
            )));
        }
        Ok(ok(&json!(found)))
    }

    fn may_see(&self, operation: &Operation) -> bool {
        self.catalogue
            .cluster(&operation.cluster)
            .is_some_and(|cluster| cluster.owner == self.user)
    }

    /// 202 and where the operation is.
    fn accepted(&self, body: &Value) -> RawAnswer {
        let id = body.get("operationId").and_then(Value::as_str);
        let path = format!(
            "{}/operations/{}",
            self.world.switches.context_path,
            id.unwrap_or_default()
        );
        let target = match self.world.switches.location {
            switches::Location::Relative => path,
            switches::Location::Absolute => {
                let host = self.request.header("host").unwrap_or("127.0.0.1");
                format!("http://{host}{path}")
            }
        };
        located(RawAnswer::json(StatusCode::ACCEPTED, body), &target)
    }
}

/// What is told without credentials (§2.2).
pub(super) fn metadata(entra: bool) -> RawAnswer {
    let id = |text: &str| entra.then(|| text.to_owned());
    ok(&json!({ "entra": {
        "enabled": entra,
        "clientId": id("5d1f0e3a-0c53-4f7e-9d55-0f6f3f0f7a11"),
        "tenantId": id("9a3c7d52-64c8-4a0f-8b1d-7a2f5c1e4b22"),
        "endpoint": "https://login.microsoftonline.com",
    } }))
}

fn shown(operation: &Operation) -> Value {
    json!({ "action": operation.action, "startTime": time(operation.start) })
}

fn ok(body: &Value) -> RawAnswer {
    RawAnswer::json(StatusCode::OK, body)
}

fn located(answer: RawAnswer, target: &str) -> RawAnswer {
    match HeaderValue::from_str(target) {
        Ok(target) => answer.with_header(LOCATION, target),
        Err(_) => answer,
    }
}
