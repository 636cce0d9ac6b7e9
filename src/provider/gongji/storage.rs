//! The three kinds of storage as volume rows (gongji.md §4; job-model.md §4).
//!
//! Pure. Ids of different kinds are never crossed: a ref names the kind.

use serde::Deserialize;
use serde_json::Value;

use crate::model::{ResourceRef, Volume};

use super::wire::{NasVolume, Place, Storage};

/// A kind of storage; each has a field of its own in a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum StorageKind {
    Object,
    Share,
    Nas,
}

impl StorageKind {
    /// Every kind.
    pub const ALL: [Self; 3] = [Self::Object, Self::Share, Self::Nas];

    /// The word in refs and specs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Object => "object",
            Self::Share => "share",
            Self::Nas => "nas",
        }
    }

    /// The kind of a word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word)
    }

    /// The field of a service that mounts it.
    pub(super) const fn field(self) -> &'static str {
        match self {
            Self::Object => "`storage_config`",
            Self::Share => "`share_storage_config`",
            Self::Nas => "`nas_storage_config`",
        }
    }

    /// The status in which it can be mounted.
    const fn usable(self) -> &'static str {
        match self {
            Self::Object | Self::Share => "Activate",
            Self::Nas => "Active",
        }
    }
}

/// One row as a volume; `None` without an id, and for what is deleted.
pub(super) fn volume(value: &Value, kind: StorageKind, provider: &str) -> Option<Volume> {
    match kind {
        StorageKind::Object | StorageKind::Share => of_storage(value, kind, provider),
        StorageKind::Nas => of_nas(value, provider),
    }
}

fn of_storage(value: &Value, kind: StorageKind, provider: &str) -> Option<Volume> {
    let row = Storage::deserialize(value).ok()?;
    let id = row.storage_id?.to_string();
    if row.status.as_deref() == Some("Delete") {
        return None;
    }
    Some(Volume {
        volume_ref: ResourceRef::new(provider, [kind.as_str(), id.as_str()]),
        id,
        kind: kind.as_str().to_owned(),
        name: row.storage_name,
        scope: joined(usable_places(&row.regions, &row.activate_regions)),
        size_bytes: row.size.and_then(|size| u64::try_from(size).ok()),
        used_bytes: row.use_size.and_then(|size| u64::try_from(size).ok()),
        mountable: row.status.as_deref() == Some(kind.usable()),
        status: row.status,
        transfer: None,
        raw: value.clone(),
    })
}

fn of_nas(value: &Value, provider: &str) -> Option<Volume> {
    let row = NasVolume::deserialize(value).ok()?;
    let id = row.storage_id?.to_string();
    if row.status.as_deref() == Some("Deleted") {
        return None;
    }
    let mountable = row.status.as_deref() == Some(StorageKind::Nas.usable());
    Some(Volume {
        volume_ref: ResourceRef::new(provider, [StorageKind::Nas.as_str(), id.as_str()]),
        id,
        kind: StorageKind::Nas.as_str().to_owned(),
        name: row.name,
        scope: row.region.tag.or(row.region.name),
        size_bytes: row.total_size.and_then(|size| u64::try_from(size).ok()),
        // -1 is unknown.
        used_bytes: row.used_size.and_then(|size| u64::try_from(size).ok()),
        mountable,
        status: row.status,
        // On demand, and only for what is ready (§4.2).
        transfer: mountable.then(|| "sftp".to_owned()),
        raw: value.clone(),
    })
}

/// Ids of the regions that a volume can be used in; empty where nobody tells.
pub(super) fn regions(volume: &Volume) -> Vec<String> {
    if volume.kind == StorageKind::Nas.as_str() {
        return NasVolume::deserialize(&volume.raw)
            .ok()
            .and_then(|row| row.region.tag)
            .into_iter()
            .collect();
    }
    let Ok(row) = Storage::deserialize(&volume.raw) else {
        return Vec::new();
    };
    usable_places(&row.regions, &row.activate_regions)
        .iter()
        .filter_map(|place| place.tag.clone())
        .collect()
}

/// What mounts a NAS volume, in words.
pub(super) fn users(raw: &Value) -> Vec<String> {
    let Ok(row) = NasVolume::deserialize(raw) else {
        return Vec::new();
    };
    let named: Vec<String> = row
        .instances
        .iter()
        .map(|instance| {
            let what = instance.instance_type.as_deref().unwrap_or("instance");
            let name = instance
                .instance_name
                .as_deref()
                .or(instance.instance_id.as_deref())
                .unwrap_or("without a name");
            match &instance.mount_path {
                Some(path) => format!("{what} `{name}` mounts it at `{path}`"),
                None => format!("{what} `{name}` mounts it"),
            }
        })
        .collect();
    match row.instance_count.filter(|count| *count > 0) {
        Some(count) if named.is_empty() => vec![format!("{count} instances mount it")],
        Some(_) | None => named,
    }
}

/// Where it is active now, if that is told; else where it is supported.
fn usable_places<'a>(regions: &'a [Place], active: &'a [Place]) -> &'a [Place] {
    if active.is_empty() { regions } else { active }
}

fn joined(places: &[Place]) -> Option<String> {
    let names: Vec<&str> = places
        .iter()
        .filter_map(|place| place.tag.as_deref().or(place.name.as_deref()))
        .collect();
    (!names.is_empty()).then(|| names.join(","))
}
