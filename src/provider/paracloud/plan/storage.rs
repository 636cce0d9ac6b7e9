//! Mounts: what the spec shows alone, and what the list of volumes shows (paracloud.md §4.3).
//!
//! Pure. A volume lives in one cluster and can be mounted nowhere else (§2), so mounts decide the cluster.

use crate::error::Kind;
use crate::model::{Refusal, RefusalCode, Volume};
use crate::provider::Assessment;
use crate::spec::{JobSpec, Mount, MountSource};

use super::super::ids;
use super::super::wire;
use super::{Home, refuse_once};

/// What a mount's source names, as far as the spec tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Source<'a> {
    namespace: Option<&'a str>,
    cluster: Option<&'a str>,
    id: &'a str,
}

/// Judges what needs no look at the account.
pub(super) fn assess(spec: &JobSpec, home: &Home<'_>, assessment: &mut Assessment) {
    for (index, mount) in spec.mounts.iter().enumerate() {
        let field = format!("mounts[{index}]");
        let before = assessment.refusals.len();
        if let Err(refusal) = source(mount, home, &field) {
            assessment.refuse(refusal);
        }
        if mount.readonly {
            assessment.unsupported(
                &format!("{field}.readonly"),
                "Paracloud has no read-only mounts",
                "mount it writable and do not write to it",
            );
        }
        if mount.subpath.is_some() {
            assessment.unsupported(
                &format!("{field}.subpath"),
                "Paracloud mounts whole volumes only",
                "mount the volume and use the path inside it",
            );
        }
        assess_path(mount, &format!("{field}.path"), assessment);
        if assessment.refusals.len() == before {
            assessment.native(&field, "containers[0].volumeMounts");
        }
    }
    assess_together(spec, home, assessment);
    assess_refs(spec, home, assessment);
}

/// Judges existence and cluster, and returns the cluster that the mounts ask for.
pub(super) fn assess_volumes(
    spec: &JobSpec,
    home: &Home<'_>,
    namespace: &str,
    volumes: &[Volume],
    assessment: &mut Assessment,
) -> Option<String> {
    let mut found: Option<(String, String)> = None;
    for (index, mount) in spec.mounts.iter().enumerate() {
        let field = format!("mounts[{index}]");
        let Ok(source) = source(mount, home, &field) else {
            continue;
        };
        if source.namespace.is_some_and(|named| named != namespace) {
            refuse_once(assessment, other_namespace(&field, &source, namespace));
            continue;
        }
        let Some(volume) = find(volumes, &source) else {
            refuse_once(
                assessment,
                unknown_volume(&field, source.id, namespace, volumes),
            );
            continue;
        };
        let Some(cluster) = volume.scope.as_deref() else {
            continue;
        };
        if source.cluster.is_some_and(|named| named != cluster) {
            refuse_once(
                assessment,
                mismatch(
                    &field,
                    format!(
                        "volume `{}` is in cluster `{cluster}`, not where its ref says",
                        volume.id
                    ),
                    format!("mount `{}`", volume.volume_ref),
                ),
            );
        }
        match &found {
            Some((first, id)) if first != cluster => refuse_once(
                assessment,
                two_clusters(&field, (id, first), (&volume.id, cluster)),
            ),
            Some(_) => {}
            None => found = Some((cluster.to_owned(), volume.id.clone())),
        }
        if let Some(chosen) = home.cluster
            && chosen != cluster
        {
            refuse_once(
                assessment,
                other_cluster(&field, &volume.id, cluster, chosen),
            );
        }
    }
    found.map(|(cluster, _)| cluster)
}

/// The volume of an id; where several clusters have the id, the one that the ref names.
fn find<'a>(volumes: &'a [Volume], source: &Source<'_>) -> Option<&'a Volume> {
    let mut of_id = volumes.iter().filter(|volume| volume.id == source.id);
    of_id
        .clone()
        .find(|volume| source.cluster.is_some() && volume.scope.as_deref() == source.cluster)
        .or_else(|| of_id.next())
}

/// The volume that a mount means, as far as it exists.
pub(super) fn volume_of<'a>(
    mount: &Mount,
    home: &Home<'_>,
    volumes: &'a [Volume],
) -> Option<&'a Volume> {
    find(volumes, &source(mount, home, "mounts").ok()?)
}

/// The mounts as they are sent.
pub(super) fn mounts(spec: &JobSpec, home: &Home<'_>) -> Vec<wire::CreateMount> {
    spec.mounts
        .iter()
        .filter_map(|mount| {
            Some(wire::CreateMount {
                volume: source(mount, home, "mounts").ok()?.id.to_owned(),
                path: mount.path.clone()?,
            })
        })
        .collect()
}

/// Only volumes of this provider can be mounted.
fn source<'a>(mount: &'a Mount, home: &Home<'_>, field: &str) -> Result<Source<'a>, Refusal> {
    let named = match &mount.source {
        MountSource::Ref(reference) if reference.provider != home.provider => {
            return Err(mismatch(
                field,
                format!(
                    "`{reference}` is a volume of another provider than `{}`",
                    home.provider
                ),
                format!(
                    "mount a volume of `{}`: `gpujob volumes list` shows them",
                    home.provider
                ),
            ));
        }
        MountSource::Ref(reference) => {
            let parts = ids::parts("volume", reference).map_err(|error| {
                unsupported_source(field, format!("the source cannot be mounted: {error}"))
            })?;
            Source {
                namespace: Some(parts.namespace),
                cluster: parts.cluster,
                id: parts.id,
            }
        }
        MountSource::Id(id) => Source {
            namespace: None,
            cluster: None,
            id,
        },
        MountSource::Typed {
            kind,
            id,
            version: None,
        } if kind == "volume" => Source {
            namespace: None,
            cluster: None,
            id,
        },
        MountSource::Typed { kind, id, version } => {
            let what = match version {
                Some(version) => format!("{kind}:{id}:{version}"),
                None => format!("{kind}:{id}"),
            };
            return Err(unsupported_source(
                field,
                format!("Paracloud mounts its own volumes only, not `{what}`"),
            ));
        }
        MountSource::Uri(uri) => {
            return Err(unsupported_source(
                field,
                format!("Paracloud mounts its own volumes only, not `{uri}`"),
            ));
        }
    };
    match ids::problem(named.id) {
        None => Ok(named),
        Some(problem) => Err(unsupported_source(
            field,
            format!("the volume `{}` {problem}", named.id.escape_debug()),
        )),
    }
}

/// Absolute, normalised, not the root; hidden image content is warned about.
fn assess_path(mount: &Mount, field: &str, assessment: &mut Assessment) {
    let Some(path) = mount.path.as_deref() else {
        assessment.refuse(
            Refusal::new(
                RefusalCode::MissingField,
                field,
                "a volume on Paracloud has no mount path of its own",
            )
            .with_alternative("say where to mount it, such as `/data`"),
        );
        return;
    };
    let bad = |problem: &str, alternative: String| {
        Refusal::new(
            RefusalCode::UnsupportedValue,
            field,
            format!("the mount path `{}` {problem}", path.escape_debug()),
        )
        .with_alternative(alternative)
    };
    let steps: Vec<&str> = path.split('/').skip(1).collect();
    let normal: Vec<&str> = steps
        .iter()
        .copied()
        .filter(|step| !step.is_empty() && *step != ".")
        .collect();
    if !path.starts_with('/') {
        assessment.refuse(bad("is not absolute", format!("`/{path}`")));
    } else if steps.contains(&"..") {
        assessment.refuse(bad("holds `..`", "write the path it leads to".to_owned()));
    } else if normal.is_empty() {
        assessment.refuse(bad("is the root", "`/data`".to_owned()));
    } else if normal != steps || path.chars().any(char::is_control) {
        assessment.refuse(bad(
            "is not in its shortest form",
            format!("`/{}`", normal.join("/")),
        ));
    } else if let Some(hidden) = ["root", "home"]
        .iter()
        .find(|top| normal.first() == Some(*top))
    {
        assessment.note(format!(
            "mounting at `{path}` hides what the image has under `/{hidden}`"
        ));
    }
}

/// Distinct paths, none inside another, no volume twice.
fn assess_together(spec: &JobSpec, home: &Home<'_>, assessment: &mut Assessment) {
    for (index, mount) in spec.mounts.iter().enumerate() {
        let field = format!("mounts[{index}]");
        let earlier = spec.mounts.iter().take(index);
        for (other_index, other) in earlier.enumerate() {
            if let (Some(path), Some(other_path)) = (&mount.path, &other.path)
                && overlap(path, other_path)
            {
                let problem = if path == other_path {
                    format!("`mounts[{other_index}]` is mounted at `{path}` too")
                } else {
                    format!(
                        "`{path}` and `{other_path}` of `mounts[{other_index}]` lie in each other"
                    )
                };
                refuse_once(
                    assessment,
                    Refusal::new(
                        RefusalCode::ConflictingFields,
                        format!("{field}.path"),
                        problem,
                    )
                    .with_alternative("mount each volume at a path of its own"),
                );
            }
            if let (Ok(source), Ok(other)) =
                (source(mount, home, &field), source(other, home, &field))
                && source.id == other.id
            {
                refuse_once(
                    assessment,
                    Refusal::new(
                        RefusalCode::ConflictingFields,
                        &field,
                        format!(
                            "volume `{}` is mounted by `mounts[{other_index}]` already",
                            source.id
                        ),
                    )
                    .with_alternative("mount it once and use paths inside it"),
                );
            }
        }
    }
}

/// What full refs tell about namespace and cluster without a look.
fn assess_refs(spec: &JobSpec, home: &Home<'_>, assessment: &mut Assessment) {
    let mut first: Option<Source<'_>> = None;
    for (index, mount) in spec.mounts.iter().enumerate() {
        let field = format!("mounts[{index}]");
        let Ok(source) = source(mount, home, &field) else {
            continue;
        };
        if let Some(namespace) = home.namespace
            && source.namespace.is_some_and(|named| named != namespace)
        {
            refuse_once(assessment, other_namespace(&field, &source, namespace));
        }
        let Some(cluster) = source.cluster else {
            continue;
        };
        if let Some(chosen) = home.cluster
            && chosen != cluster
        {
            refuse_once(
                assessment,
                other_cluster(&field, source.id, cluster, chosen),
            );
        }
        match first {
            Some(Source {
                cluster: Some(first_cluster),
                id,
                ..
            }) if first_cluster != cluster => refuse_once(
                assessment,
                two_clusters(&field, (id, first_cluster), (source.id, cluster)),
            ),
            Some(_) => {}
            None => first = Some(source),
        }
    }
}

fn overlap(one: &str, other: &str) -> bool {
    let inside = |inner: &str, outer: &str| {
        inner
            .strip_prefix(outer)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/') || outer.ends_with('/'))
    };
    inside(one, other) || inside(other, one)
}

fn mismatch(field: &str, message: String, alternative: String) -> Refusal {
    Refusal::new(RefusalCode::VolumeMismatch, field, message).with_alternative(alternative)
}

fn unsupported_source(field: &str, message: String) -> Refusal {
    Refusal::new(
        RefusalCode::UnsupportedValue,
        format!("{field}.source"),
        message,
    )
    .with_alternative("create a volume with `gpujob volumes create` first, and mount it by its id")
}

fn unknown_volume(field: &str, id: &str, namespace: &str, volumes: &[Volume]) -> Refusal {
    let known: Vec<&str> = volumes.iter().map(|volume| volume.id.as_str()).collect();
    let alternative = if known.is_empty() {
        "the namespace has no volumes: create one with `gpujob volumes create`".to_owned()
    } else {
        format!("the namespace has `{}`", known.join("`, `"))
    };
    mismatch(
        field,
        format!("namespace `{namespace}` has no volume `{id}`"),
        alternative,
    )
    .with_kind(Kind::NotFound)
}

fn other_namespace(field: &str, source: &Source<'_>, namespace: &str) -> Refusal {
    let named = source.namespace.unwrap_or_default();
    mismatch(
        field,
        format!(
            "volume `{}` is in namespace `{named}`, and the job goes to `{namespace}`",
            source.id
        ),
        format!("set `placement.namespace` to `{named}`, or mount a volume of `{namespace}`"),
    )
}

fn other_cluster(field: &str, id: &str, cluster: &str, chosen: &str) -> Refusal {
    mismatch(
        field,
        format!("volume `{id}` is in cluster `{cluster}`, and the job goes to `{chosen}`"),
        format!("set `placement.cluster` to `{cluster}`, or mount a volume of `{chosen}`"),
    )
}

fn two_clusters(field: &str, first: (&str, &str), second: (&str, &str)) -> Refusal {
    mismatch(
        field,
        format!(
            "volume `{}` is in cluster `{}` and volume `{}` in `{}`: no job can mount both",
            first.0, first.1, second.0, second.1
        ),
        "mount volumes of one cluster".to_owned(),
    )
}
