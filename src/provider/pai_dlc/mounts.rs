//! Mounts as `DataSources`: datasets and URIs (pai-dlc.md §5.5; job-model.md §2.5 and §4).
//!
//! Pure. A source of the generic spec is a dataset or a URI by its type, so that an entry with both cannot be written;
//! access is always said.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::error::Kind;
use crate::model::{Refusal, RefusalCode, Volume};
use crate::provider::Assessment;
use crate::spec::{JobSpec, Mount, MountSource};

use super::wire::{DataSource, DatasetAnswer};

/// Schemes that PAI-DLC mounts.
pub const SCHEMES: [&str; 4] = ["oss", "nas", "cpfs", "bmcpfs"];

const ALTERNATIVE: &str = "mount `dataset:ID[:VERSION]` or a URI that begins with `oss://`, `nas://`, `cpfs://` or `bmcpfs://`";

/// What a mount's source means here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Source<'a> {
    Dataset {
        id: &'a str,
        version: Option<&'a str>,
    },
    Uri(&'a str),
}

/// Ids of all datasets that the spec mounts, each once.
pub(super) fn dataset_ids(spec: &JobSpec) -> Vec<&str> {
    let mut ids: Vec<&str> = Vec::new();
    for mount in &spec.mounts {
        if let Some(id) = dataset_id(&mount.source)
            && !ids.contains(&id)
        {
            ids.push(id);
        }
    }
    ids
}

fn dataset_id(source: &MountSource) -> Option<&str> {
    match source {
        MountSource::Ref(reference) => Some(reference.id()),
        MountSource::Id(id) => Some(id),
        MountSource::Typed { kind, id, .. } if kind == "dataset" => Some(id),
        MountSource::Typed { .. } | MountSource::Uri(_) => None,
    }
}

/// The data sources of a spec; what cannot be mounted is refused.
pub(super) fn data_sources(
    spec: &JobSpec,
    provider: &str,
    region: &str,
    assessment: &mut Assessment,
) -> Vec<DataSource> {
    let mut sources = Vec::new();
    let mut paths: BTreeMap<&str, usize> = BTreeMap::new();
    for (index, mount) in spec.mounts.iter().enumerate() {
        let field = format!("mounts[{index}]");
        let before = assessment.refusals.len();
        let source = read_source(&mount.source, &field, provider, region, assessment);
        check_place(mount, source, &field, assessment);
        if let Some(path) = mount.path.as_deref()
            && let Some(other) = paths.insert(path.trim_end_matches('/'), index)
        {
            assessment.refuse(
                Refusal::new(
                    RefusalCode::ConflictingFields,
                    format!("{field}.path"),
                    format!("`{path}` is the path of `mounts[{other}]` too"),
                )
                .with_alternative("give each mount a path of its own"),
            );
        }
        if let Some(source) = source
            && assessment.refusals.len() == before
        {
            assessment.native(&field, how(source, mount.readonly));
            sources.push(entry(source, mount));
        }
    }
    sources
}

fn read_source<'a>(
    source: &'a MountSource,
    field: &str,
    provider: &str,
    region: &str,
    assessment: &mut Assessment,
) -> Option<Source<'a>> {
    match source {
        MountSource::Id(id) => Some(Source::Dataset { id, version: None }),
        MountSource::Typed { kind, id, version } if kind == "dataset" => Some(Source::Dataset {
            id,
            version: version.as_deref(),
        }),
        MountSource::Typed { kind, .. } => {
            assessment.refuse(
                Refusal::new(
                    RefusalCode::UnsupportedValue,
                    format!("{field}.source"),
                    format!("PAI-DLC mounts no `{kind}`"),
                )
                .with_alternative(ALTERNATIVE),
            );
            None
        }
        MountSource::Ref(reference) => {
            let wrong = match reference.parts().as_slice() {
                _ if reference.provider != provider => {
                    Some(format!("`{reference}` is a volume of another provider"))
                }
                [place, _] if *place == region => None,
                [place, _] => Some(format!(
                    "`{reference}` is in the region `{place}`, the job in `{region}`"
                )),
                _ => Some(format!("`{reference}` is no `{provider}/REGION/DATASET`")),
            };
            match wrong {
                None => Some(Source::Dataset {
                    id: reference.id(),
                    version: None,
                }),
                Some(message) => {
                    assessment.refuse(mismatch(field, message));
                    None
                }
            }
        }
        MountSource::Uri(uri) => {
            let place = uri.split_once("://");
            let known = place.is_some_and(|(scheme, rest)| {
                SCHEMES.contains(&scheme) && !rest.is_empty() && !rest.starts_with('/')
            });
            if !known {
                assessment.refuse(
                    Refusal::new(
                        RefusalCode::UnsupportedValue,
                        format!("{field}.source"),
                        format!("PAI-DLC cannot mount `{uri}`"),
                    )
                    .with_alternative(ALTERNATIVE),
                );
                return None;
            }
            if let Some(place) = region_of_uri(uri)
                && place != region
            {
                assessment.refuse(mismatch(
                    field,
                    format!("`{uri}` is in the region `{place}`, the job in `{region}`"),
                ));
                return None;
            }
            Some(Source::Uri(uri))
        }
    }
}

/// The region that a URI names, where it can only be reached from there (§5.5).
fn region_of_uri(uri: &str) -> Option<&str> {
    let (scheme, rest) = uri.split_once("://")?;
    let host = rest.split('/').next()?;
    let (_, domain) = host.split_once('.')?;
    if scheme == "oss" {
        // The public endpoint of another region can be reached; an internal one cannot.
        return domain
            .split('.')
            .next()?
            .strip_prefix("oss-")?
            .strip_suffix("-internal");
    }
    let place = domain.split('.').next()?;
    (place.contains('-') && !domain.contains('.')).then_some(place)
}

fn check_place(
    mount: &Mount,
    source: Option<Source<'_>>,
    field: &str,
    assessment: &mut Assessment,
) {
    if mount.subpath.is_some() {
        assessment.unsupported(
            &format!("{field}.subpath"),
            "PAI-DLC mounts a source whole",
            "name the folder in the URI, or register it as a dataset of its own",
        );
    }
    if matches!(source, Some(Source::Uri(_))) && mount.path.is_none() {
        assessment.refuse(
            Refusal::new(
                RefusalCode::MissingField,
                format!("{field}.path"),
                "a URI has no mount path of its own",
            )
            .with_alternative("say where to mount it, such as `path: /mnt/data`"),
        );
    }
}

fn how(source: Source<'_>, readonly: bool) -> String {
    let what = match source {
        Source::Dataset { .. } => "`DataSources[].DataSourceId`",
        Source::Uri(_) => "`DataSources[].Uri`",
    };
    format!("{what} with `MountAccess` {}", access(readonly))
}

const fn access(readonly: bool) -> &'static str {
    if readonly { "RO" } else { "RW" }
}

fn entry(source: Source<'_>, mount: &Mount) -> DataSource {
    let mut entry = DataSource {
        mount_path: mount.path.clone(),
        mount_access: access(mount.readonly).to_owned(),
        ..DataSource::default()
    };
    match source {
        Source::Dataset { id, version } => {
            entry.data_source_id = Some(id.to_owned());
            entry.data_source_version = version.map(str::to_owned);
        }
        Source::Uri(uri) => entry.uri = Some(uri.to_owned()),
    }
    entry
}

/// Whether the datasets that were looked up can be mounted: they exist, and belong to the job's workspace.
pub(super) fn check_datasets(
    spec: &JobSpec,
    volumes: &[Volume],
    workspace: &str,
    assessment: &mut Assessment,
) {
    for (index, mount) in spec.mounts.iter().enumerate() {
        let Some(id) = dataset_id(&mount.source) else {
            continue;
        };
        let field = format!("mounts[{index}]");
        let Some(volume) = volumes.iter().find(|volume| volume.id == id) else {
            assessment.refuse(
                Refusal::new(
                    RefusalCode::VolumeMismatch,
                    format!("{field}.source"),
                    format!("there is no dataset `{id}`"),
                )
                .with_kind(Kind::NotFound)
                .with_alternative("`gpujob volumes list` shows the datasets of the workspace"),
            );
            continue;
        };
        let dataset = DatasetAnswer::deserialize(&volume.raw).unwrap_or_default();
        let is_common = dataset.is_shared == Some(true)
            || dataset.source_type.as_deref() == Some("PAI_PUBLIC_DATASET");
        if let Some(home) = dataset.workspace_id.as_deref()
            && home != workspace
            && !is_common
        {
            assessment.refuse(mismatch(
                &field,
                format!("dataset `{id}` belongs to workspace `{home}`, the job to `{workspace}`"),
            ));
        }
        if dataset.mount_access.as_deref() == Some("RO") && !mount.readonly {
            assessment.note(format!(
                "dataset `{id}` is registered read-only; writing to it may be refused by the service"
            ));
        }
    }
}

fn mismatch(field: &str, message: String) -> Refusal {
    Refusal::new(
        RefusalCode::VolumeMismatch,
        format!("{field}.source"),
        message,
    )
    .with_alternative("`gpujob volumes list` shows the datasets that this job can mount")
}
