//! NAS cluster volumes: list, offers, create, expand, rename, delete (gongji.md §4.2).
//!
//! Not imitated: SFTP access and S3 transfers, whose answers the contract does not show.

use serde::Deserialize;
use serde_json::{Value, json};

use super::credentials::OWN;
use super::job::{Job, Moment};
use super::query::{Page, Query};
use super::reply::Refusal;
use super::switches::{Switches, seconds};
use super::times;
use super::wire::{CreateNas, DeleteNas, ExpandNas, RenameNas};
use crate::model::Timestamp;
use crate::sandbox::clock::Clock;
use crate::sandbox::process::Launcher;

use super::launching::SERVICE;

const DATA: &str = include_str!("data/nas.json");

const STATUSES: [&str; 6] = [
    "Creating",
    "Active",
    "Expanding",
    "Deleting",
    "Deleted",
    "Exception",
];

const LONGEST_NAME: usize = 32;

#[derive(Debug, Deserialize)]
struct Data {
    configs: Vec<Config>,
    volume: Seed,
}

#[derive(Debug, Deserialize)]
struct Seed {
    id: i64,
    name: String,
    config: i64,
    total_size: i64,
}

/// What can be created.
#[derive(Debug, Clone, Deserialize)]
struct Config {
    id: i64,
    status: String,
    region: Region,
    storage_class: String,
    storage_class_name: String,
    unit_price: i64,
    display_unit_price: String,
    total_capacity: i64,
    allocated_capacity: i64,
}

#[derive(Debug, Clone, Deserialize)]
struct Region {
    tag: String,
    name: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Status {
    Creating,
    Active,
    Deleting,
}

impl Status {
    const fn word(self) -> &'static str {
        match self {
            Self::Creating => "Creating",
            Self::Active => "Active",
            Self::Deleting => "Deleting",
        }
    }
}

#[derive(Debug, Clone)]
struct Volume {
    id: i64,
    tenant: String,
    name: String,
    config: Config,
    total_size: i64,
    status: Status,
    since: std::time::Duration,
    created: Timestamp,
    updated: Timestamp,
}

/// All volumes.
#[derive(Debug)]
pub(super) struct NasVolumes {
    configs: Vec<Config>,
    volumes: Vec<Volume>,
    next_id: i64,
}

impl NasVolumes {
    /// The offers and the one volume that is there from the start.
    pub(super) fn new(now: Moment) -> Self {
        let Ok(data) = serde_json::from_str::<Data>(DATA) else {
            return Self {
                configs: Vec::new(),
                volumes: Vec::new(),
                next_id: 1,
            };
        };
        let config = data
            .configs
            .iter()
            .find(|config| config.id == data.volume.config);
        let volumes = config
            .map(|config| Volume {
                id: data.volume.id,
                tenant: OWN.to_owned(),
                name: data.volume.name.clone(),
                config: config.clone(),
                total_size: data.volume.total_size,
                status: Status::Active,
                since: now.elapsed,
                created: now.time,
                updated: now.time,
            })
            .into_iter()
            .collect();
        Self {
            next_id: data.volume.id + 1,
            configs: data.configs,
            volumes,
        }
    }

    pub(super) fn count(&self) -> usize {
        self.volumes.len()
    }

    /// Ends what takes its time.
    pub(super) fn advance(
        &mut self,
        now: Moment,
        clock: &Clock,
        switches: &Switches,
        launcher: &Launcher,
    ) {
        for volume in &mut self.volumes {
            if volume.status == Status::Creating
                && clock.has_passed(volume.since, seconds(switches.nas_creating_s))
            {
                volume.status = Status::Active;
                volume.updated = now.time;
            }
        }
        self.volumes.retain(|volume| {
            let is_gone = volume.status == Status::Deleting
                && clock.has_passed(volume.since, seconds(switches.nas_deleting_s));
            if is_gone
                && let Err(error) = launcher.remove_volume(SERVICE, &format!("nas-{}", volume.id))
            {
                log::warn!("gongji: files of NAS volume {} stay: {error}", volume.id);
            }
            !is_gone
        });
    }

    /// The region of a volume that can be mounted.
    pub(super) fn mountable(&self, tenant: &str, id: i64) -> Result<String, Refusal> {
        let volume = self
            .volumes
            .iter()
            .find(|volume| volume.tenant == tenant && volume.id == id)
            .ok_or_else(Refusal::not_found)?;
        if volume.status == Status::Active {
            Ok(volume.config.region.tag.clone())
        } else {
            Err(Refusal::rule("the NAS volume is not Active"))
        }
    }

    pub(super) fn list(&self, query: &Query, tenant: &str, jobs: &[Job]) -> Result<Value, Refusal> {
        let statuses = query.words("statuses", &STATUSES)?;
        let ids = query.integers("storage_ids")?;
        let page = Page::read_forgiving(query)?;
        let among = |name: &str, value: &str| {
            query
                .text(name)
                .is_none_or(|list| list.split(',').any(|part| part == value))
        };
        let found: Vec<Value> = self
            .of(tenant)
            .filter(|volume| among("regions", &volume.config.region.tag))
            .filter(|volume| among("storage_class", &volume.config.storage_class))
            .filter(|volume| ids.as_ref().is_none_or(|ids| ids.contains(&volume.id)))
            .filter(|volume| {
                // `Deleted` in the filter is ignored.
                statuses.as_ref().is_none_or(|statuses| {
                    statuses.iter().all(|status| *status == "Deleted")
                        || statuses.contains(&volume.status.word())
                })
            })
            .map(|volume| row(volume, jobs))
            .collect();
        Ok(json!({ "count": found.len(), "results": page.of(found) }))
    }

    pub(super) fn summary(&self, tenant: &str) -> Value {
        let count = self.of(tenant).count();
        let total: i64 = self.of(tenant).map(|volume| volume.total_size).sum();
        json!({
            "volume_count": count,
            "total_size": total,
            "used_size": -1,
            "estimated_price": null,
            "coin_sum_slice": 0,
        })
    }

    pub(super) fn dictionaries(&self) -> Value {
        let mut regions: Vec<Value> = Vec::new();
        let mut classes: Vec<Value> = Vec::new();
        for config in &self.configs {
            let region = json!({ "tag": config.region.tag, "name": config.region.name });
            let class = json!({
                "storage_class": config.storage_class,
                "storage_class_name": config.storage_class_name,
            });
            for (list, entry) in [(&mut regions, region), (&mut classes, class)] {
                if !list.contains(&entry) {
                    list.push(entry);
                }
            }
        }
        json!({ "regions": regions, "storage_classes": classes })
    }

    pub(super) fn offers(&self) -> Value {
        let configs: Vec<Value> = self
            .configs
            .iter()
            .map(|config| {
                json!({
                    "id": config.id,
                    "status": config.status,
                    "region": { "tag": config.region.tag, "name": config.region.name },
                    "storage_class_name": config.storage_class_name,
                    "display_unit_price": config.display_unit_price,
                    "total_capacity": config.total_capacity,
                    "allocated_capacity": config.allocated_capacity,
                })
            })
            .collect();
        json!({ "configs": configs })
    }

    pub(super) fn create(
        &mut self,
        wanted: CreateNas,
        tenant: &str,
        now: Moment,
    ) -> Result<Value, Refusal> {
        check_name(&wanted.name)?;
        if wanted.total_size < 1 {
            return Err(Refusal::parameter("total_size must be positive (bytes)"));
        }
        let config = self
            .configs
            .iter()
            .find(|config| config.id == wanted.nas_config_id)
            .ok_or_else(Refusal::not_found)?;
        if config.status != "Available" {
            return Err(Refusal::rule("the NAS configuration is not available"));
        }
        let free = config
            .total_capacity
            .saturating_sub(config.allocated_capacity);
        if wanted.total_size > free {
            return Err(Refusal::rule("容量不足: not enough capacity"));
        }
        let id = self.next_id;
        self.next_id += 1;
        self.volumes.push(Volume {
            id,
            tenant: tenant.to_owned(),
            name: wanted.name,
            config: config.clone(),
            total_size: wanted.total_size,
            status: Status::Creating,
            since: now.elapsed,
            created: now.time,
            updated: now.time,
        });
        Ok(json!({ "storage_id": id, "status": Status::Creating.word() }))
    }

    /// The sandbox needs no time to expand: `Expanding` is not seen.
    pub(super) fn expand(
        &mut self,
        wanted: &ExpandNas,
        tenant: &str,
        now: Moment,
    ) -> Result<(), Refusal> {
        let volume = self.active(wanted.id, tenant)?;
        if wanted.total_size <= volume.total_size {
            return Err(Refusal::parameter("total_size must be larger than now"));
        }
        volume.total_size = wanted.total_size;
        volume.updated = now.time;
        Ok(())
    }

    pub(super) fn rename(
        &mut self,
        wanted: RenameNas,
        tenant: &str,
        now: Moment,
    ) -> Result<(), Refusal> {
        check_name(&wanted.name)?;
        let volume = self.active(wanted.id, tenant)?;
        volume.name = wanted.name;
        volume.updated = now.time;
        Ok(())
    }

    pub(super) fn delete(
        &mut self,
        wanted: &DeleteNas,
        tenant: &str,
        now: Moment,
        jobs: &[Job],
    ) -> Result<(), Refusal> {
        if let Some(reason) = &wanted.reason {
            log::info!("gongji: NAS volume {} is deleted: {reason}", wanted.id);
        }
        let volume = self
            .volumes
            .iter_mut()
            .find(|volume| volume.tenant == tenant && volume.id == wanted.id)
            .ok_or_else(Refusal::not_found)?;
        if volume.status == Status::Deleting {
            return Err(Refusal::rule("the NAS volume is being deleted"));
        }
        if !wanted.force && !instances(volume.id, jobs).is_empty() {
            return Err(Refusal::rule("the NAS volume is mounted"));
        }
        volume.status = Status::Deleting;
        volume.since = now.elapsed;
        volume.updated = now.time;
        Ok(())
    }

    fn of(&self, tenant: &str) -> impl Iterator<Item = &Volume> {
        self.volumes
            .iter()
            .filter(move |volume| volume.tenant == tenant)
    }

    fn active(&mut self, id: i64, tenant: &str) -> Result<&mut Volume, Refusal> {
        let volume = self
            .volumes
            .iter_mut()
            .find(|volume| volume.tenant == tenant && volume.id == id)
            .ok_or_else(Refusal::not_found)?;
        if volume.status == Status::Active {
            Ok(volume)
        } else {
            Err(Refusal::rule("the NAS volume is not Active"))
        }
    }
}

fn check_name(name: &str) -> Result<(), Refusal> {
    if (1..=LONGEST_NAME).contains(&name.chars().count()) {
        Ok(())
    } else {
        Err(Refusal::parameter("name must have 1 to 32 characters"))
    }
}

/// The jobs that use a volume.
fn instances(id: i64, jobs: &[Job]) -> Vec<Value> {
    jobs.iter()
        .filter(|job| !job.phase.is_over())
        .flat_map(|job| {
            job.request
                .services
                .iter()
                .flat_map(|service| service.nas_storage_config.iter().flatten())
                .filter(|mount| mount.storage_id == id)
                .map(move |mount| {
                    json!({
                        "instance_id": job.id,
                        "instance_name": job.request.task_name,
                        "instance_type": "Job",
                        "mount_path": mount.target_dir,
                    })
                })
        })
        .collect()
}

fn row(volume: &Volume, jobs: &[Job]) -> Value {
    let instances = instances(volume.id, jobs);
    json!({
        "storage_id": volume.id,
        "name": volume.name,
        "region": { "tag": volume.config.region.tag, "name": volume.config.region.name },
        "storage_class": volume.config.storage_class,
        "storage_class_name": volume.config.storage_class_name,
        "unit_price": volume.config.unit_price,
        "display_unit_price": volume.config.display_unit_price,
        "total_size": volume.total_size,
        "used_size": -1,
        "status": volume.status.word(),
        "namespace": "ns-1",
        "claim_name": format!("pvc-{}", volume.id),
        "instance_count": instances.len(),
        "instances": instances,
        "create_time": times::bare(volume.created),
        "last_update_time": times::bare(volume.updated),
        "error_code": null,
        "error_message": null,
    })
}
