//! Mounts of the three kinds of storage (gongji.md §4; job-model.md §2.5 and §4).
//!
//! Pure. Ids are never crossed: each kind has a field of its own, and a bare id counts only if one kind has it.

use std::collections::{BTreeMap, BTreeSet};

use crate::error::Kind;
use crate::model::{Offer, Refusal, RefusalCode, Volume};
use crate::provider::Assessment;
use crate::spec::{JobSpec, MountSource};

use super::storage::{self, StorageKind};
use super::wire::{Mount, Named, Service, SharedMemory};

/// Where shared memory is mounted.
const SHARED_MEMORY: &str = "/dev/shm";
const SHARED_MEMORY_NAME: &str = "shm";
const MIB: u64 = 1 << 20;

const ALTERNATIVE: &str = "mount `object:ID`, `share:ID` or `nas:ID`";

/// A volume and the place for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Wanted {
    /// `None` for a bare id.
    kind: Option<StorageKind>,
    id: i64,
    target: String,
    field: String,
}

/// The kinds whose lists a submit needs: all of them for a bare id.
pub(super) fn kinds(spec: &JobSpec) -> BTreeSet<StorageKind> {
    let mut kinds = BTreeSet::new();
    for mount in &spec.mounts {
        let kind = match &mount.source {
            MountSource::Ref(reference) => reference
                .path
                .first()
                .and_then(|kind| StorageKind::from_word(kind)),
            MountSource::Typed { kind, .. } => StorageKind::from_word(kind),
            MountSource::Id(_) => {
                kinds.extend(StorageKind::ALL);
                None
            }
            MountSource::Uri(_) => None,
        };
        kinds.extend(kind);
    }
    kinds
}

/// What the spec wants mounted; what cannot be is refused.
pub(super) fn wanted(spec: &JobSpec, provider: &str, assessment: &mut Assessment) -> Vec<Wanted> {
    let mut wanted = Vec::new();
    let mut targets: BTreeMap<String, String> = BTreeMap::new();
    if spec.resources.shm.is_some() {
        targets.insert(SHARED_MEMORY.to_owned(), "resources.shm".to_owned());
    }
    for (index, mount) in spec.mounts.iter().enumerate() {
        let field = format!("mounts[{index}]");
        let before = assessment.refusals.len();
        let source = source(&mount.source, &field, provider, assessment);
        if mount.readonly {
            assessment.unsupported(
                &format!("{field}.readonly"),
                "Gongji mounts volumes for reading and writing only",
                "leave it out",
            );
        }
        if mount.subpath.is_some() {
            assessment.unsupported(
                &format!("{field}.subpath"),
                "Gongji mounts a volume whole",
                "use the folder's path inside the mount",
            );
        }
        let target = target(mount.path.as_deref(), &field, &mut targets, assessment);
        if let (Some((kind, id)), Some(target)) = (source, target)
            && assessment.refusals.len() == before
        {
            let how = kind.map_or("the field of its kind", StorageKind::field);
            assessment.native(&field, how);
            wanted.push(Wanted {
                kind,
                id,
                target,
                field,
            });
        }
    }
    wanted
}

/// The place of a mount, which no other may have.
fn target(
    path: Option<&str>,
    field: &str,
    targets: &mut BTreeMap<String, String>,
    assessment: &mut Assessment,
) -> Option<String> {
    let place = format!("{field}.path");
    let Some(path) = path else {
        assessment.refuse(
            Refusal::new(
                RefusalCode::MissingField,
                place,
                "a volume on Gongji has no mount path of its own",
            )
            .with_alternative("say where to mount it, such as `path: /mnt/data`"),
        );
        return None;
    };
    let key = path.trim_end_matches('/').to_owned();
    if let Some(other) = targets.insert(key, field.to_owned()) {
        assessment.refuse(
            Refusal::new(
                RefusalCode::ConflictingFields,
                place,
                format!("`{path}` is the place of `{other}` too"),
            )
            .with_alternative("give each mount a path of its own"),
        );
    }
    Some(path.to_owned())
}

/// Kind and id of a source.
fn source(
    source: &MountSource,
    field: &str,
    provider: &str,
    assessment: &mut Assessment,
) -> Option<(Option<StorageKind>, i64)> {
    let mut refuse = |code: RefusalCode, message: String| {
        assessment.refuse(
            Refusal::new(code, format!("{field}.source"), message).with_alternative(ALTERNATIVE),
        );
    };
    let (kind, id) = match source {
        MountSource::Id(id) => (None, id.as_str()),
        MountSource::Typed {
            version: Some(version),
            ..
        } => {
            refuse(
                RefusalCode::UnsupportedValue,
                format!("volumes on Gongji have no versions such as `{version}`"),
            );
            return None;
        }
        MountSource::Typed { kind, id, .. } => {
            let Some(kind) = StorageKind::from_word(kind) else {
                refuse(
                    RefusalCode::UnsupportedValue,
                    format!("Gongji mounts no `{kind}`"),
                );
                return None;
            };
            (Some(kind), id.as_str())
        }
        MountSource::Ref(reference) if reference.provider != provider => {
            refuse(
                RefusalCode::VolumeMismatch,
                format!("`{reference}` is a volume of another provider"),
            );
            return None;
        }
        MountSource::Ref(reference) => match reference.parts().as_slice() {
            [kind, _] if StorageKind::from_word(kind).is_some() => {
                (StorageKind::from_word(kind), reference.id())
            }
            _ => {
                refuse(
                    RefusalCode::UnsupportedValue,
                    format!("`{reference}` is no `{provider}/object|share|nas/ID`"),
                );
                return None;
            }
        },
        MountSource::Uri(uri) => {
            refuse(
                RefusalCode::UnsupportedValue,
                format!("Gongji mounts volumes by their ids, not places such as `{uri}`"),
            );
            return None;
        }
    };
    match id.trim().parse::<i64>() {
        Ok(number) if number > 0 => Some((kind, number)),
        Ok(_) | Err(_) => {
            refuse(
                RefusalCode::UnsupportedValue,
                format!("`{id}` is no id of a volume: ids on Gongji are numbers"),
            );
            None
        }
    }
}

/// The volumes of all mounts, found and usable; refusals are noted.
pub(super) fn found<'a>(
    wanted: &'a [Wanted],
    volumes: &'a [Volume],
    assessment: &mut Assessment,
) -> Vec<(&'a Wanted, &'a Volume)> {
    let mut found = Vec::new();
    for mount in wanted {
        let id = mount.id.to_string();
        let meant: Vec<&Volume> = volumes
            .iter()
            .filter(|volume| volume.id == id)
            .filter(|volume| mount.kind.is_none_or(|kind| kind.as_str() == volume.kind))
            .collect();
        let refusal = match meant.as_slice() {
            [volume] if volume.mountable => {
                found.push((mount, *volume));
                continue;
            }
            [volume] => Refusal::new(
                RefusalCode::VolumeMismatch,
                format!("{}.source", mount.field),
                format!(
                    "{} `{id}` cannot be mounted: it is `{}`",
                    volume.kind,
                    volume.status.as_deref().unwrap_or("without a status")
                ),
            )
            .with_alternative("wait until it is active, or activate it in the console"),
            [] => Refusal::new(
                RefusalCode::VolumeMismatch,
                format!("{}.source", mount.field),
                match mount.kind {
                    Some(kind) => format!("there is no {} volume `{id}`", kind.as_str()),
                    None => format!("there is no volume `{id}` of any kind"),
                },
            )
            .with_kind(Kind::NotFound)
            .with_alternative("`gpujob volumes list` shows those there are"),
            several => Refusal::new(
                RefusalCode::UnsupportedValue,
                format!("{}.source", mount.field),
                format!(
                    "`{id}` is ambiguous: it may be {}",
                    several
                        .iter()
                        .map(|volume| format!("`{}:{id}`", volume.kind))
                        .collect::<Vec<_>>()
                        .join(", ")
                ),
            )
            .with_alternative(ALTERNATIVE),
        };
        assessment.refuse(refusal);
    }
    found
}

/// Whether all volumes can be used where an offer is.
pub(super) fn reach(offer: &Offer, found: &[(&Wanted, &Volume)]) -> bool {
    found.iter().all(|(_, volume)| {
        let regions = storage::regions(volume);
        regions.is_empty()
            || offer
                .region
                .as_ref()
                .is_some_and(|region| regions.contains(region))
    })
}

/// The volumes and their regions, for a refusal.
pub(super) fn places(found: &[(&Wanted, &Volume)]) -> String {
    let words: Vec<String> = found
        .iter()
        .map(|(_, volume)| {
            format!(
                "{} `{}` in `{}`",
                volume.kind,
                volume.id,
                volume.scope.as_deref().unwrap_or("any region")
            )
        })
        .collect();
    words.join(", ")
}

/// The field of the first mount.
pub(super) fn first_field(found: &[(&Wanted, &Volume)]) -> String {
    found.first().map_or_else(
        || "mounts".to_owned(),
        |(mount, _)| format!("{}.source", mount.field),
    )
}

/// Puts each volume into the field of its kind.
pub(super) fn mount(service: &mut Service, found: &[(&Wanted, &Volume)]) {
    for (wanted, volume) in found {
        let entry = Mount {
            storage_id: wanted.id,
            target_dir: wanted.target.clone(),
        };
        match StorageKind::from_word(&volume.kind) {
            Some(StorageKind::Object) => service.storage_config.push(entry),
            Some(StorageKind::Share) => service.share_storage_config.push(entry),
            Some(StorageKind::Nas) => service.nas_storage_config.push(entry),
            None => {}
        }
    }
}

/// Shared memory as a volume of the job, in whole Mi.
pub(super) fn shared_memory(
    spec: &JobSpec,
    service: &mut Service,
    assessment: &mut Assessment,
) -> Option<SharedMemory> {
    let bytes = spec.resources.shm?;
    let size_limit = bytes.div_ceil(MIB);
    let rounded = if bytes.is_multiple_of(MIB) {
        ""
    } else {
        ", rounded up"
    };
    assessment.native(
        "resources.shm",
        format!("`share_mem_volumes` of {size_limit} Mi{rounded} at `{SHARED_MEMORY}`"),
    );
    service.share_mem_config.push(Named {
        volume_name: SHARED_MEMORY_NAME.to_owned(),
        target_dir: SHARED_MEMORY.to_owned(),
    });
    Some(SharedMemory {
        name: SHARED_MEMORY_NAME.to_owned(),
        size_limit,
    })
}
