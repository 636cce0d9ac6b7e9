//! Whether a job may be created (gongji.md §2.3): first its form, then what exists, then stock and state (§11, 6 to 8).

use std::collections::BTreeSet;

use super::catalogue::{Catalogue, Marks, Stock};
use super::launching::{FIELD_PATHS, RESOURCES};
use super::nas::NasVolumes;
use super::reply::Refusal;
use super::storage;
use super::switches::{Accept, Switches, seconds};
use super::wire::{
    Candidate, CreateJob, DeviceSpec, JobSupport, ModParam, ServiceSpec, StorageMount, Variable,
};
use crate::sandbox::clock::Clock;

/// The longest run of a Spot job.
const LONGEST_ESTIMATE: i64 = 86_400;

/// A candidate whose mark was looked up.
#[derive(Debug, Clone)]
pub(super) struct ResolvedCandidate {
    pub(super) mark: String,
    /// `None` for an unknown mark that was accepted.
    pub(super) offer: Option<usize>,
    pub(super) spec: DeviceSpec,
    pub(super) region_name: Option<String>,
    pub(super) weight: Option<i64>,
}

/// What the job is held against.
#[derive(Debug)]
pub(super) struct World<'a> {
    pub(super) tenant: &'a str,
    pub(super) catalogue: &'a Catalogue,
    pub(super) marks: &'a Marks,
    pub(super) stock: &'a Stock,
    pub(super) nas: &'a NasVolumes,
    pub(super) switches: &'a Switches,
    pub(super) clock: &'a Clock,
}

fn wrong(what: impl AsRef<str>) -> Refusal {
    Refusal::parameter(what)
}

/// Step 6: everything that the body alone shows.
pub(super) fn check_form(job: &CreateJob) -> Result<(), Refusal> {
    if job.task_name.trim().is_empty() {
        return Err(wrong("task_name is empty"));
    }
    let is_spot = match job.sub_type.as_deref() {
        None => false,
        Some("Spot") => true,
        // The vendor never sends the word for on demand (§2.3).
        Some(other) => {
            return Err(wrong(format!(
                "sub_type can be Spot or absent, not `{other}`"
            )));
        }
    };
    if job.resources.is_empty() {
        return Err(wrong("resources is empty"));
    }
    if job.services.is_empty() {
        return Err(wrong("services is empty"));
    }
    let support = &job.job_support;
    for (name, value) in [
        ("points", job.points),
        ("job_support.timeout_sec", support.timeout_sec),
        ("job_support.parallelism", support.parallelism),
    ] {
        if value < 1 {
            return Err(wrong(format!("{name} must be 1 or more")));
        }
    }
    check_modes(&support.mod_param)?;
    if is_spot {
        check_estimate(support)?;
    }
    check_volumes(job)?;
    let names: BTreeSet<&str> = job
        .services
        .iter()
        .map(|service| service.service_name.as_str())
        .collect();
    if names.len() != job.services.len() || names.contains("") {
        return Err(wrong("services: each needs a service_name of its own"));
    }
    job.services
        .iter()
        .try_for_each(|service| check_service(job, service, &names))
}

fn check_modes(modes: &ModParam) -> Result<(), Refusal> {
    match (&modes.default, &modes.index) {
        (Some(_), None) | (None, Some(_)) => {}
        (None, None) | (Some(_), Some(_)) => {
            return Err(wrong(
                "job_support.mod_param takes exactly one of default and index",
            ));
        }
    }
    let default = modes.default.iter();
    let index = modes.index.iter();
    if default
        .map(|mode| mode.backoff_limit)
        .chain(index.clone().map(|mode| mode.index_backoff_limit))
        .chain(index.filter_map(|mode| mode.max_failed_index))
        .any(|number| number < 0)
    {
        return Err(wrong("job_support.mod_param: no number may be negative"));
    }
    Ok(())
}

/// How long a Spot job says that it will run.
fn check_estimate(support: &JobSupport) -> Result<(), Refusal> {
    let estimate = support
        .estimated_exec_sec
        .ok_or_else(|| wrong("job_support.estimated_exec_sec is required for Spot"))?;
    if !(1..=LONGEST_ESTIMATE).contains(&estimate) || estimate >= support.timeout_sec {
        return Err(wrong(
            "job_support.estimated_exec_sec must be 1 to 86400 and below timeout_sec",
        ));
    }
    Ok(())
}

fn check_volumes(job: &CreateJob) -> Result<(), Refusal> {
    for volume in job.share_mem_volumes.iter().flatten() {
        if volume.size_limit < 1 {
            return Err(wrong(
                "share_mem_volumes: size_limit must be 1 or more (Mi)",
            ));
        }
    }
    let names: Vec<&str> = memory_names(job).chain(disk_names(job)).collect();
    let distinct: BTreeSet<&str> = names.iter().copied().collect();
    if distinct.len() != names.len() || distinct.contains("") {
        return Err(wrong(
            "share_mem_volumes and share_disk_volumes: each needs a name of its own",
        ));
    }
    Ok(())
}

fn memory_names(job: &CreateJob) -> impl Iterator<Item = &str> {
    let volumes = job.share_mem_volumes.iter().flatten();
    volumes.map(|volume| volume.name.as_str())
}

fn disk_names(job: &CreateJob) -> impl Iterator<Item = &str> {
    let volumes = job.share_disk_volumes.iter().flatten();
    volumes.map(|volume| volume.name.as_str())
}

fn check_service(
    job: &CreateJob,
    service: &ServiceSpec,
    names: &BTreeSet<&str>,
) -> Result<(), Refusal> {
    let name = &service.service_name;
    let wrong = |what: &str| wrong(format!("services[{name}]: {what}"));
    if service.service_image.trim().is_empty() {
        return Err(wrong("service_image is empty"));
    }
    if service.service_id.is_some() {
        return Err(wrong("service_id is assigned by the service"));
    }
    let weight = &service.resource_weight;
    if weight.cpu_weight < 1 || weight.mem_weight < 1 || weight.gpu_weight < 0 {
        return Err(wrong(
            "resource_weight: cpu_weight and mem_weight must be positive, gpu_weight not negative",
        ));
    }
    if service
        .start_script
        .as_ref()
        .is_some_and(|script| script.command.is_empty() && script.args.is_empty())
    {
        return Err(wrong("start_script holds no word"));
    }
    for variable in service.env.iter().flatten() {
        check_variable(variable, names).map_err(|what| wrong(&what))?;
    }
    for port in service.remote_ports.iter().flatten() {
        if !(1..=65_535).contains(&port.service_port) {
            return Err(wrong("remote_ports: service_port must be 1 to 65535"));
        }
    }
    check_places(job, service)
}

/// Volumes of the job that its containers mount, and where all mounts go.
fn check_places(job: &CreateJob, service: &ServiceSpec) -> Result<(), Refusal> {
    let name = &service.service_name;
    let wrong = |what: &str| wrong(format!("services[{name}]: {what}"));
    let scratch = |mounts: &Option<Vec<_>>| mounts.clone().unwrap_or_default();
    for mount in scratch(&service.share_mem_config) {
        if !memory_names(job).any(|name| name == mount.volume_name) {
            return Err(wrong("share_mem_config names no share_mem_volumes entry"));
        }
    }
    for mount in scratch(&service.share_disk_config) {
        if !disk_names(job).any(|name| name == mount.volume_name) {
            return Err(wrong("share_disk_config names no share_disk_volumes entry"));
        }
    }
    let mut places = BTreeSet::new();
    for place in target_dirs(service) {
        if !place.starts_with('/') || place.trim_end_matches('/').is_empty() {
            return Err(wrong("target_dir must be an absolute path below /"));
        }
        if !places.insert(place.trim_end_matches('/')) {
            return Err(wrong("two mounts have the same target_dir"));
        }
    }
    Ok(())
}

fn target_dirs(service: &ServiceSpec) -> impl Iterator<Item = &str> {
    let scratch = [&service.share_mem_config, &service.share_disk_config];
    let stored = [
        &service.storage_config,
        &service.share_storage_config,
        &service.nas_storage_config,
    ];
    let stored = stored
        .into_iter()
        .flat_map(|mounts| mounts.iter().flatten())
        .map(|mount| mount.target_dir.as_str());
    let scratch = scratch
        .into_iter()
        .flat_map(|mounts| mounts.iter().flatten())
        .map(|mount| mount.target_dir.as_str());
    stored.chain(scratch)
}

fn check_variable(variable: &Variable, services: &BTreeSet<&str>) -> Result<(), String> {
    let name = &variable.name;
    if name.is_empty() || name.contains(['=', '\0']) {
        return Err(format!("env: `{name}` is no name of a variable"));
    }
    let source = match (&variable.value, &variable.value_from) {
        (Some(_), None) => return Ok(()),
        (None, Some(source)) => source,
        (None, None) | (Some(_), Some(_)) => {
            return Err(format!(
                "env: `{name}` takes exactly one of value and value_from"
            ));
        }
    };
    match (&source.field_ref, &source.resource_field_ref) {
        (Some(field), None) if FIELD_PATHS.contains(&field.field_path.as_str()) => Ok(()),
        (None, Some(reference))
            if RESOURCES.contains(&reference.resource.as_str())
                && reference
                    .service_name
                    .as_ref()
                    .is_none_or(|service| services.contains(service.as_str())) =>
        {
            Ok(())
        }
        (Some(_) | None, Some(_) | None) => Err(format!(
            "env: value_from of `{name}` takes one field_ref or resource_field_ref that exists"
        )),
    }
}

/// Steps 7 and 8, and what of step 6 needs the marks.
pub(super) fn admit(job: &CreateJob, world: &World<'_>) -> Result<Vec<ResolvedCandidate>, Refusal> {
    let candidates = job
        .resources
        .iter()
        .map(|candidate| resolve(candidate, world))
        .collect::<Result<Vec<_>, _>>()?;
    check_weights(job, &candidates)?;
    for service in &job.services {
        check_mounts(service, &candidates, world)?;
    }
    if world.switches.no_balance {
        return Err(Refusal::rule("余额不足: insufficient balance"));
    }
    let known: Vec<usize> = candidates
        .iter()
        .filter_map(|candidate| candidate.offer)
        .collect();
    let is_free = known.iter().any(|offer| world.stock.free(*offer) > 0);
    // A Spot job waits for stock.
    if !known.is_empty() && !is_free && job.sub_type.is_none() {
        return Err(Refusal::rule("库存不足: the resource is sold out"));
    }
    Ok(candidates)
}

fn resolve(candidate: &Candidate, world: &World<'_>) -> Result<ResolvedCandidate, Refusal> {
    let mark = world.marks.get(&candidate.mark).filter(|mark| {
        world
            .switches
            .mark_life_s
            .is_none_or(|life| !world.clock.has_passed(mark.since, seconds(life)))
    });
    let offer = mark.and_then(|mark| Some((mark.offer, world.catalogue.offer(mark.offer)?)));
    let Some((index, offer)) = offer else {
        return match (world.switches.unknown_mark, &candidate.resource) {
            (Accept::Accept, Some(spec)) => Ok(ResolvedCandidate {
                mark: candidate.mark.clone(),
                offer: None,
                spec: spec.clone(),
                region_name: candidate.region_name.clone(),
                weight: candidate.weight,
            }),
            (Accept::Accept | Accept::Refuse, _) => {
                Err(Refusal::rule("the mark is unknown or out of date"))
            }
        };
    };
    if candidate
        .resource
        .as_ref()
        .is_some_and(|spec| *spec != offer.spec)
    {
        return Err(wrong("resources: resource is not the one of its mark"));
    }
    Ok(ResolvedCandidate {
        mark: candidate.mark.clone(),
        offer: Some(index),
        spec: offer.spec.clone(),
        region_name: Some(offer.region_name.clone()),
        weight: candidate.weight,
    })
}

/// The sum of `gpu_weight` must be positive and divide the cards of every candidate.
fn check_weights(job: &CreateJob, candidates: &[ResolvedCandidate]) -> Result<(), Refusal> {
    let sum: i64 = job
        .services
        .iter()
        .map(|service| service.resource_weight.gpu_weight)
        .sum();
    let divides = |cards: i64| cards.checked_rem(sum) == Some(0);
    if sum > 0
        && candidates
            .iter()
            .all(|candidate| divides(candidate.spec.gpu_count))
    {
        Ok(())
    } else {
        Err(wrong(
            "resource_weight: the sum of gpu_weight must be positive and divide the number of cards",
        ))
    }
}

/// Mounts exist, are usable and are where the job may run.
fn check_mounts(
    service: &ServiceSpec,
    candidates: &[ResolvedCandidate],
    world: &World<'_>,
) -> Result<(), Refusal> {
    let mounts = |mounts: &Option<Vec<StorageMount>>| mounts.clone().unwrap_or_default();
    for mount in mounts(&service.storage_config) {
        let regions = storage::mountable(world.tenant, "Juicefs", mount.storage_id)?;
        check_regions(&regions, candidates)?;
    }
    for mount in mounts(&service.share_storage_config) {
        let regions = storage::mountable(world.tenant, "ShareStorage", mount.storage_id)?;
        check_regions(&regions, candidates)?;
    }
    for mount in mounts(&service.nas_storage_config) {
        let region = world.nas.mountable(world.tenant, mount.storage_id)?;
        check_regions(&[region], candidates)?;
    }
    Ok(())
}

fn check_regions(regions: &[String], candidates: &[ResolvedCandidate]) -> Result<(), Refusal> {
    if candidates
        .iter()
        .all(|candidate| regions.contains(&candidate.spec.region))
    {
        Ok(())
    } else {
        Err(Refusal::rule("the storage is not in the job's region"))
    }
}
