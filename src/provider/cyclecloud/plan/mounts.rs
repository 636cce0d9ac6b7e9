//! Mounts as entries of `Configuration.cyclecloud.mounts` (cyclecloud.md §8.4; job-model.md §2.5).
//!
//! Pure. A named mount of the array is there already: something is sent only where path, options or export differ.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::error::Kind;
use crate::model::{Refusal, RefusalCode, ResourceRef};
use crate::provider::Assessment;
use crate::spec::{JobSpec, Mount, MountSource, hint};

use super::super::shares::{Share, shares};
use super::super::status::NodeArray;

const ALTERNATIVE: &str =
    "mount `nfs://ADDRESS/EXPORT`, or a mount of the nodearray by its name (`gpujob volumes list`)";

/// What the spec alone shows: kinds, paths, sub-paths.
pub(super) fn assess(spec: &JobSpec, provider: &str, assessment: &mut Assessment) {
    let mut paths: BTreeMap<&str, usize> = BTreeMap::new();
    for (index, mount) in spec.mounts.iter().enumerate() {
        let place = format!("mounts[{index}]");
        let before = assessment.refusals.len();
        assess_source(mount, &place, provider, assessment);
        if let Some(path) = mount.path.as_deref()
            && let Some(other) = paths.insert(path.trim_end_matches('/'), index)
        {
            assessment.refuse(
                Refusal::new(
                    RefusalCode::ConflictingFields,
                    format!("{place}.path"),
                    format!("`{path}` is the path of `mounts[{other}]` too"),
                )
                .with_alternative("give each mount a path of its own"),
            );
        }
        if let Some(subpath) = mount.subpath.as_deref()
            && (subpath.starts_with('/') || subpath.split('/').any(|part| part == ".."))
        {
            assessment.refuse(
                Refusal::new(
                    RefusalCode::UnsupportedValue,
                    format!("{place}.subpath"),
                    format!("`{subpath}` is not below what is mounted"),
                )
                .with_alternative("write a path without `/` at its beginning and without `..`"),
            );
        }
        if assessment.refusals.len() == before {
            assessment.native(&place, "`Configuration.cyclecloud.mounts`");
        }
    }
}

fn assess_source(mount: &Mount, place: &str, provider: &str, assessment: &mut Assessment) {
    let message = match &mount.source {
        MountSource::Id(_) => return,
        MountSource::Uri(uri) => match export_of(uri) {
            Some(_) if mount.path.is_none() => {
                assessment.refuse(
                    Refusal::new(
                        RefusalCode::MissingField,
                        format!("{place}.path"),
                        "an export has no place of its own on a node",
                    )
                    .with_alternative("say where to mount it"),
                );
                return;
            }
            Some(_) => return,
            None => format!("CycleCloud does not mount `{uri}`"),
        },
        MountSource::Ref(reference) if reference.provider != provider => {
            format!("`{reference}` is a volume of another provider")
        }
        MountSource::Ref(reference) if is_ours(reference, provider) => return,
        MountSource::Ref(reference) => {
            format!("`{reference}` is no `{provider}/CLUSTER/NODEARRAY/MOUNT`")
        }
        MountSource::Typed { kind, .. } => format!("CycleCloud mounts no `{kind}`"),
    };
    assessment.refuse(
        Refusal::new(
            RefusalCode::UnsupportedValue,
            format!("{place}.source"),
            message,
        )
        .with_alternative(ALTERNATIVE),
    );
}

/// Address and export of `nfs://ADDRESS/EXPORT`.
fn export_of(uri: &str) -> Option<(&str, String)> {
    let (address, export) = uri.strip_prefix("nfs://")?.split_once('/')?;
    (!address.is_empty() && !export.is_empty())
        .then(|| (address, format!("/{}", export.trim_start_matches('/'))))
}

/// The entries to send; what cannot be found is refused. Unreadable sources were refused before.
pub(super) fn entries(
    spec: &JobSpec,
    provider: &str,
    cluster: &str,
    array: &NodeArray,
    assessment: &mut Assessment,
) -> Map<String, Value> {
    let known = shares(array);
    let mut entries = Map::new();
    for (index, mount) in spec.mounts.iter().enumerate() {
        let place = format!("mounts[{index}]");
        let name = match &mount.source {
            MountSource::Uri(uri) => {
                if let (Some((address, export)), Some(path)) = (export_of(uri), &mount.path) {
                    let mut entry = Map::new();
                    entry.insert("type".to_owned(), json!("nfs"));
                    entry.insert("address".to_owned(), json!(address));
                    entry.insert("export_path".to_owned(), json!(below(&export, mount)));
                    entry.insert("mountpoint".to_owned(), json!(path));
                    if mount.readonly {
                        entry.insert("options".to_owned(), json!("ro"));
                    }
                    entries.insert(own_name(index), Value::Object(entry));
                }
                continue;
            }
            MountSource::Typed { .. } => continue,
            MountSource::Id(name) => name.as_str(),
            MountSource::Ref(reference) if !is_ours(reference, provider) => continue,
            MountSource::Ref(reference) => match in_array(reference, cluster, &array.name) {
                Ok(name) => name,
                Err(message) => {
                    assessment.refuse(
                        Refusal::new(
                            RefusalCode::VolumeMismatch,
                            format!("{place}.source"),
                            message,
                        )
                        .with_alternative("choose the cluster and nodearray it belongs to"),
                    );
                    continue;
                }
            },
        };
        match known.iter().find(|share| share.name == name) {
            Some(share) => named(share, mount, index, &mut entries, assessment),
            None => assessment.refuse(unknown(name, &place, array, &known)),
        }
    }
    entries
}

/// The name of an entry that the array does not have; `shared` and `sched` are reserved (§8.4).
fn own_name(index: usize) -> String {
    format!("gpujob{index}")
}

/// A mount that the array has: untouched, changed, or a second time in another place.
fn named(
    share: &Share,
    mount: &Mount,
    index: usize,
    entries: &mut Map<String, Value>,
    assessment: &mut Assessment,
) {
    let place = format!("mounts[{index}]");
    if share.disabled {
        assessment.refuse(
            Refusal::new(
                RefusalCode::VolumeMismatch,
                format!("{place}.source"),
                format!("the mount `{}` is disabled in the nodearray", share.name),
            )
            .with_alternative("enable it in the cluster's template"),
        );
        return;
    }
    let is_elsewhere = mount.subpath.is_some()
        || mount
            .path
            .as_deref()
            .is_some_and(|path| share.mountpoint.as_deref() != Some(path));
    let options = (mount.readonly && !share.is_readonly()).then(|| match &share.options {
        Some(options) => format!("{options},ro"),
        None => "ro".to_owned(),
    });
    if is_elsewhere {
        if !share.is_nfs() {
            assessment.refuse(
                Refusal::new(
                    RefusalCode::UnsupportedValue,
                    format!("{place}.path"),
                    format!(
                        "`{}` is mounted at `{}` and, being no NFS, nowhere else",
                        share.name,
                        share.mountpoint.as_deref().unwrap_or("a place of its own")
                    ),
                )
                .with_alternative("use that path"),
            );
            return;
        }
        let mut entry = share.raw.as_object().cloned().unwrap_or_default();
        entry.insert("type".to_owned(), json!("nfs"));
        let export = share.export_path.as_deref().unwrap_or("/");
        entry.insert("export_path".to_owned(), json!(below(export, mount)));
        let path = mount.path.as_deref().or(share.mountpoint.as_deref());
        entry.insert("mountpoint".to_owned(), json!(path));
        if let Some(options) = options {
            entry.insert("options".to_owned(), json!(options));
        }
        entries.insert(own_name(index), Value::Object(entry));
    } else if let Some(options) = options {
        entries.insert(share.name.clone(), json!({ "options": options }));
    }
}

fn below(export: &str, mount: &Mount) -> String {
    match mount.subpath.as_deref() {
        Some(subpath) => format!("{}/{subpath}", export.trim_end_matches('/')),
        None => export.to_owned(),
    }
}

/// Whether a ref has the form of one of this provider's.
fn is_ours(reference: &ResourceRef, provider: &str) -> bool {
    reference.provider == provider && reference.path.len() == 3
}

fn in_array<'a>(reference: &'a ResourceRef, cluster: &str, array: &str) -> Result<&'a str, String> {
    match reference.parts().as_slice() {
        [its_cluster, its_array, _] if *its_cluster == cluster && *its_array == array => {
            Ok(reference.id())
        }
        _ => Err(format!(
            "`{reference}` is a mount of other nodes than those of `{cluster}/{array}`"
        )),
    }
}

fn unknown(name: &str, place: &str, array: &NodeArray, known: &[Share]) -> Refusal {
    let names: Vec<&str> = known.iter().map(|share| share.name.as_str()).collect();
    let alternative = match hint::nearest(name, names.iter().copied()) {
        Some(near) => format!("did you mean `{near}`"),
        None => ALTERNATIVE.to_owned(),
    };
    Refusal::new(
        RefusalCode::VolumeMismatch,
        format!("{place}.source"),
        format!("the nodearray `{}` has no mount `{name}`", array.name),
    )
    .with_kind(Kind::NotFound)
    .with_alternative(alternative)
}
