//! From a node to the processes of its containers (gongji.md §2.3): words, environment and mounts.

use std::path::PathBuf;

use super::catalogue::Offer;
use super::job::{Job, Node, Run};
use super::switches::Switches;
use super::wire::{ResourceFieldRef, ServiceSpec, StorageMount, Variable, VolumeMount};
use crate::sandbox::process::{Launch, Launcher, Program};

/// The service's name towards the launcher.
pub(super) const SERVICE: &str = "gongji";

/// Kubernetes' name for the index of a pod; the vendor does not give one (§2.3).
const INDEX_VARIABLE: &str = "JOB_COMPLETION_INDEX";

/// The namespace that pods see.
const NAMESPACE: &str = "default";

/// What a variable can be taken from, and what that is.
pub(super) const FIELD_PATHS: [&str; 5] = [
    "metadata.name",
    "metadata.namespace",
    "spec.nodeName",
    "status.hostIP",
    "status.podIP",
];

/// The same for resources of a container.
pub(super) const RESOURCES: [&str; 4] = [
    "limits.cpu",
    "limits.memory",
    "requests.cpu",
    "requests.memory",
];

const MEBIBYTE: i64 = 1024 * 1024;

/// Starts one container of a node.
pub(super) fn run(
    job: &Job,
    node: &Node,
    service: &ServiceSpec,
    offer: &Offer,
    switches: &Switches,
    launcher: &Launcher,
) -> Run {
    if let Some(played) = switches.results.get(&service.service_image) {
        return Run::Played(
            played.clone(),
            node.started.map_or(node.since, |at| at.elapsed),
        );
    }
    Run::Process(launcher.launch(Launch {
        job: job.launch_name(),
        program: program(service),
        env: environment(job, node, service, offer),
        mounts: mounts(node, service, launcher),
        working_directory: None,
        // The platform's limit is the job's, not a container's.
        time_limit: None,
    }))
}

/// The words, exactly. Without any, the image's own command would run: images are not pulled, so nobody knows it, and
/// the launcher says that there is nothing to run.
fn program(service: &ServiceSpec) -> Program {
    let script = service.start_script.iter();
    Program::Words(
        script
            .flat_map(|script| script.command.iter().chain(&script.args))
            .cloned()
            .collect(),
    )
}

fn environment(
    job: &Job,
    node: &Node,
    service: &ServiceSpec,
    offer: &Offer,
) -> Vec<(String, String)> {
    let asked = service.env.iter().flatten().map(|variable| {
        (
            variable.name.clone(),
            value(variable, job, node, service, offer),
        )
    });
    let index = node
        .index
        .map(|index| (INDEX_VARIABLE.to_owned(), index.to_string()));
    asked.chain(index).collect()
}

fn value(
    variable: &Variable,
    job: &Job,
    node: &Node,
    service: &ServiceSpec,
    offer: &Offer,
) -> String {
    if let Some(value) = &variable.value {
        return value.clone();
    }
    let Some(source) = &variable.value_from else {
        return String::new();
    };
    if let Some(field) = &source.field_ref {
        return match field.field_path.as_str() {
            "metadata.name" => node.name.clone(),
            "metadata.namespace" => NAMESPACE.to_owned(),
            "spec.nodeName" => format!("{}-host", offer.spec.region),
            _ => node.ip.clone(),
        };
    }
    source
        .resource_field_ref
        .as_ref()
        .map(|reference| resource(reference, job, service, offer))
        .unwrap_or_default()
}

/// A container's share of the device, by its weight.
fn resource(
    reference: &ResourceFieldRef,
    job: &Job,
    service: &ServiceSpec,
    offer: &Offer,
) -> String {
    let services = &job.request.services;
    let named = reference.service_name.as_ref().and_then(|name| {
        services
            .iter()
            .find(|service| service.service_name == *name)
    });
    let weight = &named.unwrap_or(service).resource_weight;
    let is_cpu = matches!(reference.resource.as_str(), "limits.cpu" | "requests.cpu");
    let (amount, own, all): (i64, i64, i64) = if is_cpu {
        let all = services.iter().map(|s| s.resource_weight.cpu_weight).sum();
        (offer.spec.cpu_cores, weight.cpu_weight, all)
    } else {
        let all = services.iter().map(|s| s.resource_weight.mem_weight).sum();
        let bytes = offer.spec.memory.saturating_mul(MEBIBYTE);
        (bytes, weight.mem_weight, all)
    };
    amount
        .saturating_mul(own)
        .checked_div(all)
        .unwrap_or_default()
        .to_string()
}

fn mounts(node: &Node, service: &ServiceSpec, launcher: &Launcher) -> Vec<(String, PathBuf)> {
    let stored = |kind: &'static str, mounts: &Option<Vec<StorageMount>>| {
        let mounts = mounts.clone().unwrap_or_default().into_iter();
        mounts
            .map(move |mount| (mount.target_dir, format!("{kind}-{}", mount.storage_id)))
            .collect::<Vec<_>>()
    };
    let scratch = |mounts: &Option<Vec<VolumeMount>>| {
        let mounts = mounts.clone().unwrap_or_default().into_iter();
        mounts
            .map(|mount| (mount.target_dir, scratch_id(node.id, &mount.volume_name)))
            .collect::<Vec<_>>()
    };
    [
        stored("object", &service.storage_config),
        stored("share", &service.share_storage_config),
        stored("nas", &service.nas_storage_config),
        scratch(&service.share_mem_config),
        scratch(&service.share_disk_config),
    ]
    .into_iter()
    .flatten()
    .filter_map(|(path, id)| match launcher.volume_directory(SERVICE, &id) {
        Ok(directory) => Some((path, directory)),
        Err(error) => {
            log::warn!("gongji: no directory for `{path}`: {error}");
            None
        }
    })
    .collect()
}

/// Removes what belonged to one node only.
pub(super) fn sweep(job: &Job, node: &Node, launcher: &Launcher) {
    let memory = job.request.share_mem_volumes.iter().flatten();
    let disks = job.request.share_disk_volumes.iter().flatten();
    let names = memory
        .map(|volume| &volume.name)
        .chain(disks.map(|volume| &volume.name));
    for name in names {
        if let Err(error) = launcher.remove_volume(SERVICE, &scratch_id(node.id, name)) {
            log::warn!("gongji: files of the volume `{name}` stay: {error}");
        }
    }
}

fn scratch_id(node: i64, volume: &str) -> String {
    format!("scratch-{node}-{volume}")
}
