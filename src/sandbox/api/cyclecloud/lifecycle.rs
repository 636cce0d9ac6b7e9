//! How nodes move on (cyclecloud.md §11, 7, 8 and 12).

use serde_json::json;

use crate::model::State;
use crate::sandbox::clock::Clock;
use crate::sandbox::process::Launcher;
use crate::sandbox::trouble::Trouble;

use super::boot::{self, Wish};
use super::catalogue::{Catalogue, ClusterPlan};
use super::manage;
use super::record::date;
use super::switches::{FaultKind, seconds};
use super::world::{Ending, Node, Phase, World};

/// What nodes move on with.
#[derive(Debug)]
pub(super) struct Surroundings<'a> {
    pub(super) catalogue: &'a Catalogue,
    pub(super) clock: &'a Clock,
    pub(super) launcher: &'a Launcher,
    /// The text of the runner on the arrays' nodes.
    pub(super) runner: &'a str,
}

/// What a step did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    Stay,
    Moved,
    Gone,
}

/// Moves every node as far as its time has come.
pub(super) fn advance(world: &mut World, around: &Surroundings<'_>) {
    let nodes = std::mem::take(&mut world.nodes);
    let mut staying = Vec::with_capacity(nodes.len());
    for mut node in nodes {
        let mut step = Step::Moved;
        while step == Step::Moved {
            step = take_step(&mut node, world, around);
        }
        if step == Step::Gone {
            vanish(&mut node, world, around);
        } else {
            staying.push(node);
        }
    }
    world.nodes = staying;
}

/// Takes a node away at once, as Azure does: eviction, or a VM deleted in the portal.
pub(super) fn evict(node: &mut Node, clock: &Clock) {
    let ending = if node.array.is_some() {
        Ending::Remove
    } else {
        Ending::KeepOff
    };
    manage::end(node, ending, clock);
}

/// Lets trouble befall the nodes of one create.
pub(super) fn befall(
    world: &mut World,
    operation: &str,
    trouble: Trouble,
    around: &Surroundings<'_>,
) -> Result<(), &'static str> {
    let ids: Vec<String> = world
        .operations
        .iter()
        .filter(|known| known.id == operation)
        .flat_map(|known| known.nodes.clone())
        .collect();
    let mut nodes = std::mem::take(&mut world.nodes);
    let mut own = nodes.iter_mut().filter(|node| ids.contains(&node.id));
    let done = match trouble {
        Trouble::NodeFails => own
            .find(|node| node.phase == Phase::Ready)
            .map(|node| {
                if let Some(process) = &node.process {
                    process.crash();
                }
                fail(node, "Node failed a health check", around.clock);
            })
            .ok_or("none of its nodes is ready"),
        Trouble::TimesOut => own
            .find(|node| matches!(node.phase, Phase::Acquiring | Phase::Preparing))
            .map(|node| time_out(node, world, around.clock))
            .ok_or("none of its nodes is starting"),
        Trouble::Vanishes => {
            for mut node in nodes.extract_if(.., |node| ids.contains(&node.id)) {
                vanish(&mut node, world, around);
            }
            world.operations.retain(|known| known.id != operation);
            Ok(())
        }
        Trouble::Restarts => Err("CycleCloud knows no pods; its nodes are restarted by its API"),
    };
    world.nodes = nodes;
    done
}

fn take_step(node: &mut Node, world: &mut World, around: &Surroundings<'_>) -> Step {
    let clock = around.clock;
    let passed = |node: &Node, delay: f64| clock.has_passed(node.since, seconds(delay));
    match node.phase {
        Phase::Acquiring => acquire(node, world, around),
        Phase::Preparing => {
            if world.switches.held() == Some(State::Starting)
                || !passed(node, world.switches.prepare_s)
            {
                return Step::Stay;
            }
            if has_fault(node, FaultKind::BootTimeout) {
                time_out(node, world, clock);
                return Step::Moved;
            }
            node.report_host();
            be_ready(node, clock);
            if boot::has_job(node) && !node.has_run {
                boot::boot(node, around.launcher, &world.switches, around.runner);
            }
            Step::Moved
        }
        Phase::Ready => be_used(node, world, around),
        Phase::Failed => {
            let recovers = node.fault.as_ref().and_then(|fault| fault.recovers_after_s);
            if let Some(after) = recovers
                && passed(node, after)
            {
                node.fault = None;
                node.message = None;
                node.phase_map = None;
                node.report_host();
                be_ready(node, clock);
                if boot::has_job(node) && !node.has_run {
                    boot::boot(node, around.launcher, &world.switches, around.runner);
                }
                return Step::Moved;
            }
            fulfil_wish(node, clock)
        }
        Phase::Terminating(ending) => {
            if !passed(node, world.switches.terminate_s) {
                return Step::Stay;
            }
            match ending {
                Ending::Remove => Step::Gone,
                Ending::KeepOff => {
                    release(node, world, around);
                    boot::clear(node, around.launcher);
                    node.has_run = false;
                    node.state = "Terminated";
                    node.enter(Phase::Off, clock);
                    Step::Moved
                }
            }
        }
        Phase::Deallocating => {
            if !passed(node, world.switches.terminate_s) {
                return Step::Stay;
            }
            release(node, world, around);
            node.state = "Deallocated";
            node.enter(Phase::Deallocated, clock);
            Step::Moved
        }
        Phase::Deallocated | Phase::Off => Step::Stay,
    }
}

fn acquire(node: &mut Node, world: &mut World, around: &Surroundings<'_>) -> Step {
    let clock = around.clock;
    let starts = around
        .catalogue
        .cluster(&node.cluster)
        .is_some_and(ClusterPlan::is_started);
    // A message while it acquires is what keeps it out of its scale set for ever.
    let is_stuck = !starts || node.message.is_some();
    if is_stuck
        || world.switches.held() == Some(State::Pending)
        || !clock.has_passed(node.since, seconds(world.switches.acquire_s))
    {
        return Step::Stay;
    }
    if has_fault(node, FaultKind::Capacity) {
        if let Some(key) = node.bucket() {
            world.capacity_failures.insert(key, clock.elapsed());
        }
        return Step::Gone;
    }
    world.give_vm(node, clock.now());
    node.enter(Phase::Preparing, clock);
    Step::Moved
}

/// One step of a ready node: its own wish to end, the end of a played run, or a fault.
fn be_used(node: &mut Node, world: &mut World, around: &Surroundings<'_>) -> Step {
    let clock = around.clock;
    let passed = |node: &Node, delay: f64| clock.has_passed(node.since, seconds(delay));
    if world.switches.held() == Some(State::Running) {
        return Step::Stay;
    }
    if let Some(fault) = &node.fault
        && passed(node, fault.after_s)
    {
        match fault.kind {
            FaultKind::Flip => {
                fail(node, "Node failed a health check", clock);
                return Step::Moved;
            }
            FaultKind::Eviction => {
                evict(node, clock);
                return Step::Moved;
            }
            FaultKind::Capacity | FaultKind::BootTimeout => {}
        }
    }
    if let Some(played) = world.switches.played
        && boot::has_job(node)
        && node.process.is_none()
        && passed(node, played.run_s)
    {
        if let Err(error) = boot::play(node, around.launcher, played) {
            log::warn!("the played run of {} left nothing: {error}", node.name);
        }
        return match manage::shut_down(node, clock) {
            Ok(()) => Step::Moved,
            Err(_) => Step::Stay,
        };
    }
    fulfil_wish(node, clock)
}

/// Does what the node asked for with `jetpack shutdown`; a kept node stays.
fn fulfil_wish(node: &mut Node, clock: &Clock) -> Step {
    let done = match boot::take_wish(node) {
        None => return Step::Stay,
        Some(Wish::Terminate) => manage::shut_down(node, clock),
        Some(Wish::Deallocate) => manage::deallocate(node, clock),
    };
    match done {
        Ok(()) => Step::Moved,
        Err(why) => {
            log::info!("{} does not shut down: {why}", node.name);
            Step::Stay
        }
    }
}

fn be_ready(node: &mut Node, clock: &Clock) {
    node.state = "Started";
    node.enter(Phase::Ready, clock);
}

fn fail(node: &mut Node, message: &str, clock: &Clock) {
    node.message = Some(message.to_owned());
    node.state = "Failed";
    node.enter(Phase::Failed, clock);
}

fn time_out(node: &mut Node, world: &World, clock: &Clock) {
    let began = node.vm.as_ref().map(|vm| vm.launched);
    node.phase_map = Some(json!({ "Cloud.AwaitBootup": {
        "Status": "Failed",
        "Message": "Timeout awaiting system boot-up",
        "StartTime": date(began.unwrap_or_else(|| clock.now()), &world.switches),
        "EndTime": date(clock.now(), &world.switches),
    } }));
    fail(node, "Timeout awaiting system boot-up", clock);
}

fn has_fault(node: &Node, kind: FaultKind) -> bool {
    node.fault.as_ref().is_some_and(|fault| fault.kind == kind)
}

/// The VM is gone: its processes have ended and its bill too.
fn release(node: &mut Node, world: &mut World, around: &Surroundings<'_>) {
    around.launcher.forget(&node.job());
    node.vm = None;
    world.end_billing(&node.id, around.clock.now());
}

fn vanish(node: &mut Node, world: &mut World, around: &Surroundings<'_>) {
    release(node, world, around);
    boot::clear(node, around.launcher);
}
