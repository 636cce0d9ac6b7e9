//! What nodes of an array mount: the file systems and disks in its definition (cyclecloud.md §8.4).
//!
//! Pure. A view: the API neither makes nor removes any of them.

use serde_json::Value;

use crate::model::{ResourceRef, Volume};

use super::fields::{count, flag, path, text};
use super::status::{ClusterStatus, NodeArray};

/// An entry of `Configuration.cyclecloud.mounts`.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Share {
    pub(super) name: String,
    pub(super) kind: Option<String>,
    pub(super) address: Option<String>,
    pub(super) export_path: Option<String>,
    /// The export path where none is given, and the other way round.
    pub(super) mountpoint: Option<String>,
    pub(super) options: Option<String>,
    pub(super) disabled: bool,
    pub(super) raw: Value,
}

impl Share {
    /// Whether it is NFS that can be mounted.
    pub(super) fn is_nfs(&self) -> bool {
        self.kind
            .as_deref()
            .is_none_or(|kind| kind.eq_ignore_ascii_case("nfs"))
    }

    /// Whether its options say read-only.
    pub(super) fn is_readonly(&self) -> bool {
        self.options
            .as_deref()
            .is_some_and(|options| options.split(',').any(|option| option.trim() == "ro"))
    }
}

/// The file systems of an array, in its order.
pub(super) fn shares(array: &NodeArray) -> Vec<Share> {
    entries(&array.record, &["Configuration", "cyclecloud", "mounts"])
        .map(|(name, raw)| {
            let mountpoint = text(raw, "mountpoint");
            let export_path = text(raw, "export_path").or_else(|| mountpoint.clone());
            Share {
                name: name.clone(),
                kind: text(raw, "type"),
                address: text(raw, "address"),
                mountpoint,
                export_path,
                options: text(raw, "options"),
                disabled: flag(raw, "disabled").unwrap_or_default(),
                raw: raw.clone(),
            }
        })
        .collect()
}

/// All of a cluster as volumes: shares first, then disks, of every array.
pub(super) fn volumes(provider: &str, cluster: &str, status: &ClusterStatus) -> Vec<Volume> {
    status
        .nodearrays
        .iter()
        .flat_map(|array| of_array(provider, cluster, array))
        .collect()
}

fn of_array(provider: &str, cluster: &str, array: &NodeArray) -> Vec<Volume> {
    let row = |name: &str, kind: &str, raw: &Value| Volume {
        volume_ref: ResourceRef::new(provider, [cluster, array.name.as_str(), name]),
        id: name.to_owned(),
        kind: kind.to_owned(),
        name: Some(name.to_owned()),
        scope: Some(format!("{cluster}/{}", array.name)),
        size_bytes: None,
        used_bytes: None,
        status: None,
        mountable: false,
        transfer: None,
        raw: raw.clone(),
    };
    let status = |is_disabled: bool| is_disabled.then(|| "disabled".to_owned());
    let shares = shares(array);
    let disks: Vec<Volume> = entries(&array.record, &["Volumes"])
        // A disk that a share is linked to is that share.
        .filter(|(name, _)| !shares.iter().any(|share| share.name == **name))
        .map(|(name, raw)| Volume {
            size_bytes: count(raw, "Size").and_then(|size| size.checked_mul(1 << 30)),
            status: status(flag(raw, "Disabled").unwrap_or_default()),
            ..row(name, "disk", raw)
        })
        .collect();
    shares
        .iter()
        .map(|share| Volume {
            status: status(share.disabled),
            mountable: share.is_nfs() && !share.disabled,
            ..row(
                &share.name,
                if share.is_nfs() { "nfs" } else { "volume" },
                &share.raw,
            )
        })
        .chain(disks)
        .collect()
}

fn entries<'a>(record: &'a Value, names: &[&str]) -> impl Iterator<Item = (&'a String, &'a Value)> {
    path(record, names)
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
        .filter(|(_, value)| value.is_object())
}
