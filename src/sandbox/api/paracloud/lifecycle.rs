//! How groups move on (paracloud.md §10, lifecycle): `Creating`, `ImagePulling`, `Running`, ended; and cancels.

use std::io;
use std::path::PathBuf;

use crate::model::{State, Timestamp};
use crate::sandbox::clock::Clock;
use crate::sandbox::process::{Launch, Launcher, ProcessStatus};
use crate::sandbox::trouble::{cannot_be_pulled, pull_error};

use super::model::{Container, Ending, Group, Phase, Run, SERVICE, World};
use super::program::program;
use super::switches::{AfterPullFailure, Cancel, PullFailure, Switches, seconds};

/// The container's home directory; a volume is often mounted there (§3.4's sample).
const HOME: &str = "/root";

/// Moves every group as far as its time has come.
pub(super) fn advance(world: &mut World, clock: &Clock, launcher: &Launcher) {
    let World {
        switches,
        groups,
        random,
        next_run,
        ..
    } = world;
    for group in groups.iter_mut() {
        while step(group, switches, clock, launcher) {
            if matches!(group.phase, Phase::ImagePulling) && group.run.is_none() {
                group.run = Some(next_run.to_string());
                *next_run += 1;
                let rack = group.cluster.to_ascii_lowercase();
                group.node = Some(format!("paraai-{rack}-agent-{}", random.u16(1..200)));
            }
        }
    }
    if switches.cancel == Cancel::Remove {
        groups.retain(|group| !was_cancelled(group));
    }
}

/// Ends a group for a cancel: at once, or after the switch's delay when it runs.
pub(super) fn cancel(group: &mut Group, switches: &Switches, clock: &Clock, launcher: &Launcher) {
    group.cancel_asked.get_or_insert_with(|| clock.elapsed());
    // A group that does not run yet has nothing to wind down.
    if switches.cancel_delay_s <= 0.0 || !matches!(group.phase, Phase::Running(_)) {
        end_cancelled(group, clock, launcher);
    }
}

/// Takes one step; false when there is none to take.
fn step(group: &mut Group, switches: &Switches, clock: &Clock, launcher: &Launcher) -> bool {
    let held = switches.held();
    let passed = |delay: f64| clock.has_passed(group.since, seconds(delay));
    let next = match &group.phase {
        Phase::Ended(_) => return false,
        Phase::Creating if held == Some(State::Pending) || !passed(switches.creating_s) => {
            return false;
        }
        Phase::ImagePulling
            if held == Some(State::Starting) || !passed(switches.image_pulling_s) =>
        {
            return false;
        }
        Phase::ImagePulling => match pull_failure(group, switches) {
            None => {
                group.start = Some(clock.now());
                Phase::Running(start(group, switches, launcher))
            }
            Some(failure) => match failure.then {
                AfterPullFailure::Stay => Phase::PullFailed(failure.message),
                AfterPullFailure::Fail => {
                    group.end = Some(clock.now());
                    Phase::Ended(Ending {
                        succeeded: false,
                        reason: "ImagePullFailed",
                        message: Some(failure.message),
                    })
                }
            },
        },
        Phase::PullFailed(_) if pull_failure(group, switches).is_some() => return false,
        // Its time has come, or the registry is back.
        Phase::Creating | Phase::PullFailed(_) => Phase::ImagePulling,
        Phase::Running(_) => return step_running(group, switches, clock, launcher),
    };
    group.phase = next;
    group.since = clock.elapsed();
    true
}

fn step_running(
    group: &mut Group,
    switches: &Switches,
    clock: &Clock,
    launcher: &Launcher,
) -> bool {
    if let Some(asked) = group.cancel_asked
        && clock.has_passed(asked, seconds(switches.cancel_delay_s))
    {
        end_cancelled(group, clock, launcher);
        return true;
    }
    let Phase::Running(runs) = &group.phase else {
        return false;
    };
    if let Some(lost) = group.lost {
        let is_given_up = switches
            .lost_s
            .is_some_and(|patience| clock.has_passed(lost, seconds(patience)));
        if is_given_up {
            give_up(group, clock);
        }
        return is_given_up;
    }
    let held = matches!(switches.held(), Some(State::Running | State::Unknown));
    let played_out = clock.has_passed(group.since, seconds(switches.played_run_s));
    if held || !runs.iter().all(|run| is_over(run, played_out)) {
        return false;
    }
    let message = runs
        .iter()
        .zip(&group.containers)
        .find_map(|(run, container)| failure(run, &container.name));
    let last = runs.iter().filter_map(finished_at).max();
    group.end = Some(last.map_or_else(|| clock.now(), |instant| clock.seen_by_service(instant)));
    group.phase = Phase::Ended(Ending {
        succeeded: message.is_none(),
        reason: if message.is_none() {
            "Succeeded"
        } else {
            "Error"
        },
        message,
    });
    true
}

/// Why the group's images cannot be pulled, and what becomes of it.
fn pull_failure(group: &Group, switches: &Switches) -> Option<PullFailure> {
    switches.pull_failure.clone().or_else(|| {
        let mut images = group
            .containers
            .iter()
            .map(|container| &container.request.image);
        images
            .find(|image| cannot_be_pulled(image))
            .map(|image| PullFailure {
                message: pull_error(image),
                then: switches.unpullable,
            })
    })
}

/// The node of a running group dies: the state is `Unknown` from then on, as for any trouble below the service (§5.2).
pub(super) fn lose_node(group: &mut Group, clock: &Clock) -> bool {
    let Phase::Running(runs) = &group.phase else {
        return false;
    };
    for run in runs {
        match run {
            Run::Process(process) => process.crash(),
            Run::Played(_) => {}
        }
    }
    group.lost = Some(clock.elapsed());
    true
}

/// The service takes the group for failed, since its node stays away.
fn give_up(group: &mut Group, clock: &Clock) {
    group.end = Some(clock.now());
    group.phase = Phase::Ended(Ending {
        succeeded: false,
        reason: "NodeLost",
        message: Some("the node of the group did not come back".to_owned()),
    });
}

fn end_cancelled(group: &mut Group, clock: &Clock, launcher: &Launcher) {
    // Only mounted volumes survive a cancel (§3.6): the processes end and their files go.
    launcher.forget(&group.job());
    group.end = Some(clock.now());
    group.phase = Phase::Ended(Ending {
        succeeded: false,
        reason: "Cancelled",
        message: None,
    });
}

fn was_cancelled(group: &Group) -> bool {
    matches!(&group.phase, Phase::Ended(ending) if ending.reason == "Cancelled")
}

/// Starts every container of a group.
fn start(group: &Group, switches: &Switches, launcher: &Launcher) -> Vec<Run> {
    group
        .containers
        .iter()
        .map(
            |container| match switches.results.get(&container.request.image) {
                Some(code) => Run::Played(*code),
                None => Run::Process(launcher.launch(launch(group, container, switches, launcher))),
            },
        )
        .collect()
}

fn launch(
    group: &Group,
    container: &Container,
    switches: &Switches,
    launcher: &Launcher,
) -> Launch {
    let ports = container.request.ports.iter().flatten();
    let variables: Vec<(String, String)> = ports
        .zip(&container.ports)
        .map(|(port, number)| (format!("BAT_PORT_{}", port.name), number.to_string()))
        .collect();
    let command = container.request.command.clone().unwrap_or_default();
    let mounts = mounts(container, launcher).unwrap_or_else(|error| {
        log::warn!(
            "{SERVICE}: volumes of {} are not mounted: {error}",
            group.id
        );
        Vec::new()
    });
    let mut env = variables.clone();
    if mounts
        .iter()
        .any(|(path, _)| path.trim_end_matches('/') == HOME)
    {
        env.push(("HOME".to_owned(), HOME.to_owned()));
    }
    Launch {
        job: group.job(),
        program: program(switches.argv, &command, &variables),
        env,
        mounts,
        working_directory: None,
        time_limit: None,
    }
}

fn mounts(container: &Container, launcher: &Launcher) -> io::Result<Vec<(String, PathBuf)>> {
    container
        .request
        .volume_mounts
        .iter()
        .flatten()
        .map(|mount| {
            let directory = launcher.volume_directory(SERVICE, &mount.volume)?;
            Ok((mount.path.clone(), directory))
        })
        .collect()
}

fn is_over(run: &Run, played_out: bool) -> bool {
    match run {
        Run::Process(process) => process.status().is_finished(),
        Run::Played(_) => played_out,
    }
}

fn finished_at(run: &Run) -> Option<Timestamp> {
    match run {
        Run::Process(process) => process.finished_at(),
        Run::Played(_) => None,
    }
}

/// What a container that did not exit 0 did; the wording is a placeholder (§8).
fn failure(run: &Run, name: &str) -> Option<String> {
    let code = match run {
        Run::Played(code) => *code,
        Run::Process(process) => match process.status() {
            ProcessStatus::NotStarted(reason) => {
                return Some(format!("container {name} cannot be started: {reason}"));
            }
            status @ (ProcessStatus::Running
            | ProcessStatus::Exited(_)
            | ProcessStatus::Signalled(_)
            | ProcessStatus::TimedOut) => status.exit_code()?,
        },
    };
    (code != 0).then(|| format!("container {name} exited with code {code}"))
}
