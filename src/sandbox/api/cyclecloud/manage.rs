//! What is done to chosen nodes (cyclecloud.md §7 and §11, 8).

use serde_json::{Value, json};

use crate::sandbox::clock::Clock;
use crate::sandbox::process::Launcher;

use super::boot;
use super::catalogue::ClusterPlan;
use super::filter::Filter;
use super::record;
use super::reply::Refusal;
use super::request::ManageRequest;
use super::route::Action;
use super::world::{Ending, Node, Phase, World};

/// Where nodes are managed.
#[derive(Debug)]
pub(super) struct Management<'a> {
    pub(super) world: &'a mut World,
    pub(super) cluster: &'a ClusterPlan,
    pub(super) clock: &'a Clock,
    pub(super) launcher: &'a Launcher,
}

impl Management<'_> {
    /// Acts on every node that a selector names, and gives the answer's body. Names that match nothing are not listed.
    pub(super) fn act(
        &mut self,
        action: Action,
        request: &ManageRequest,
    ) -> Result<Value, Refusal> {
        if let Some(id) = &request.request_id
            && self.world.used.contains(id)
        {
            return Err(Refusal::conflict(format!(
                "A request with id {id} was already made"
            )));
        }
        let filter = request
            .filter
            .as_deref()
            .map(Filter::parse)
            .transpose()
            .map_err(|error| Refusal::invalid(format!("Invalid filter: {error}")))?;
        let switches = self.world.switches.clone();
        let mut entries = Vec::new();
        let mut chosen = Vec::new();
        for node in &mut self.world.nodes {
            let fits = |node: &Node| {
                let record = || record::stored(node, &switches);
                is_named(node, request)
                    || filter
                        .as_ref()
                        .is_some_and(|filter| filter.accepts(&record()))
            };
            if node.cluster != self.cluster.name || !fits(node) {
                continue;
            }
            chosen.push(node.id.clone());
            entries.push(match apply(node, action, self.clock, self.launcher) {
                Ok(()) => json!({ "id": node.id, "name": node.name, "status": "OK" }),
                Err(error) => {
                    json!({ "id": node.id, "name": node.name, "status": "Error", "error": error })
                }
            });
        }
        let id = self.world.accept(
            action.as_str(),
            &self.cluster.name,
            request.request_id.clone(),
            chosen,
            self.clock,
        );
        Ok(json!({ "operationId": id, "nodes": entries }))
    }
}

/// Whether one of the lists names it; several lists are a union.
fn is_named(node: &Node, request: &ManageRequest) -> bool {
    let has = |list: &Option<Vec<String>>, value: &str| {
        list.iter().flatten().any(|wanted| wanted == value)
    };
    has(&request.ids, &node.id)
        || has(&request.names, &node.name)
        || node.vm.as_ref().is_some_and(|vm| {
            has(&request.ip_addresses, &vm.address())
                || vm
                    .hostname
                    .as_deref()
                    .is_some_and(|name| has(&request.hostnames, name))
        })
}

fn apply(
    node: &mut Node,
    action: Action,
    clock: &Clock,
    launcher: &Launcher,
) -> Result<(), &'static str> {
    match action {
        Action::Terminate => terminate(node, false, clock),
        Action::Remove => terminate(node, true, clock),
        Action::Shutdown => shut_down(node, clock),
        Action::Deallocate => deallocate(node, clock),
        Action::Start => start(node, clock),
        Action::Restart => reboot(node, clock),
        Action::Reimage => {
            reboot(node, clock)?;
            launcher.forget(&node.job());
            boot::clear(node, launcher);
            node.has_run = false;
            Ok(())
        }
    }
}

/// Shuts a node down as its policy says; what a node asks for itself comes here too.
pub(super) fn shut_down(node: &mut Node, clock: &Clock) -> Result<(), &'static str> {
    if node.attribute("ShutdownPolicy").and_then(Value::as_str) == Some("Deallocate") {
        deallocate(node, clock)
    } else {
        terminate(node, false, clock)
    }
}

fn terminate(node: &mut Node, remove: bool, clock: &Clock) -> Result<(), &'static str> {
    protected(node)?;
    let stays = node.array.is_none() || (node.flag("Fixed") && !remove);
    match node.phase {
        Phase::Terminating(_) | Phase::Off => Ok(()),
        Phase::Acquiring
        | Phase::Preparing
        | Phase::Ready
        | Phase::Failed
        | Phase::Deallocating
        | Phase::Deallocated => {
            let ending = if stays {
                Ending::KeepOff
            } else {
                Ending::Remove
            };
            end(node, ending, clock);
            Ok(())
        }
    }
}

/// Begins to delete the VM; its processes end with it.
pub(super) fn end(node: &mut Node, ending: Ending, clock: &Clock) {
    if let Some(process) = &node.process {
        process.kill();
    }
    node.enter(Phase::Terminating(ending), clock);
}

/// Stops the VM and releases it; what a node asks for itself comes here too.
pub(super) fn deallocate(node: &mut Node, clock: &Clock) -> Result<(), &'static str> {
    protected(node)?;
    match node.phase {
        Phase::Deallocating | Phase::Deallocated => Ok(()),
        Phase::Terminating(_) | Phase::Off => Err("Node is terminated"),
        Phase::Acquiring => Err("Node has no VM yet"),
        Phase::Preparing | Phase::Ready | Phase::Failed => {
            if let Some(process) = &node.process {
                process.kill();
            }
            node.enter(Phase::Deallocating, clock);
            Ok(())
        }
    }
}

fn start(node: &mut Node, clock: &Clock) -> Result<(), &'static str> {
    match node.phase {
        Phase::Deallocated | Phase::Off => {
            node.vm = None;
            node.message = None;
            node.phase_map = None;
            node.state = "Allocation";
            node.enter(Phase::Acquiring, clock);
            Ok(())
        }
        Phase::Deallocating => Err("Node is deallocating"),
        Phase::Terminating(_) => Err("Node is terminating"),
        Phase::Acquiring | Phase::Preparing | Phase::Ready | Phase::Failed => Ok(()),
    }
}

fn reboot(node: &mut Node, clock: &Clock) -> Result<(), &'static str> {
    if node.array.is_none() {
        return Err("Only nodes of arrays can be restarted or reimaged");
    }
    match node.phase {
        Phase::Preparing | Phase::Ready | Phase::Failed => {
            if let Some(process) = &node.process {
                process.kill();
            }
            node.message = None;
            node.phase_map = None;
            node.state = "Allocation";
            node.enter(Phase::Preparing, clock);
            Ok(())
        }
        Phase::Acquiring
        | Phase::Deallocating
        | Phase::Deallocated
        | Phase::Terminating(_)
        | Phase::Off => Err("Node is not running"),
    }
}

fn protected(node: &Node) -> Result<(), &'static str> {
    if node.flag("KeepAlive") {
        Err("Node is protected by KeepAlive")
    } else {
        Ok(())
    }
}
