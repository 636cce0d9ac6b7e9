//! The storage that a job mounts (pai-dlc.md §5.5).

use serde_json::Value;

use super::admission::one_of;
use super::datasets::Datasets;
use super::reply::Refusal;
use super::request::{DataSource, JobRequest};

/// Where a dataset is mounted if neither job nor dataset says it.
pub(super) const USUAL_MOUNT_PATH: &str = "/mnt/data/";

/// A place of storage and where pods see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Mount {
    /// Empty if the job named the place itself.
    pub(super) dataset: String,
    pub(super) uri: String,
    pub(super) path: String,
}

/// The places that the job's pods see: a dataset or a Uri each, not both (§5.5).
pub(super) fn mounts(
    job: &JobRequest,
    workspace: &str,
    datasets: &Datasets,
) -> Result<Vec<Mount>, Refusal> {
    let mut mounts: Vec<Mount> = Vec::new();
    for (index, source) in job.data_sources.iter().enumerate() {
        let mount = mount(source, index, workspace, datasets)?;
        let same =
            |other: &Mount| other.path.trim_end_matches('/') == mount.path.trim_end_matches('/');
        if mounts.iter().any(same) {
            return Err(Refusal::invalid(format!(
                "DataSources[{index}].MountPath `{}` is taken.",
                mount.path
            )));
        }
        mounts.push(mount);
    }
    Ok(mounts)
}

fn mount(
    source: &DataSource,
    index: usize,
    workspace: &str,
    datasets: &Datasets,
) -> Result<Mount, Refusal> {
    let path = format!("DataSources[{index}]");
    one_of(
        &format!("{path}.MountAccess"),
        &source.mount_access,
        &["RO", "RW"],
    )?;
    let (uri, usual_path) = match (source.dataset.as_str(), source.uri.as_str()) {
        ("", "") => {
            return Err(Refusal::invalid(format!(
                "{path}: DataSourceId or Uri is required."
            )));
        }
        ("", uri) => {
            check_uri(uri, &path)?;
            (uri.to_owned(), None)
        }
        (id, "") => {
            let dataset = datasets.find(id, Some(workspace))?;
            (dataset.uri().to_owned(), dataset.mount_path())
        }
        (_, _) => {
            return Err(Refusal::invalid(format!(
                "{path}: DataSourceId and Uri exclude each other."
            )));
        }
    };
    if !source.options.is_empty() {
        let is_object =
            serde_json::from_str::<Value>(&source.options).is_ok_and(|options| options.is_object());
        if !is_object || !uri.starts_with("oss://") {
            return Err(Refusal::invalid(format!(
                "{path}.Options must be a JSON text and is for OSS only."
            )));
        }
    }
    let mount_path = match (source.mount_path.as_str(), usual_path) {
        ("", Some(usual)) => usual,
        ("", None) => USUAL_MOUNT_PATH.to_owned(),
        (path, _) => path.to_owned(),
    };
    if !mount_path.starts_with('/') || mount_path == "/" {
        return Err(Refusal::invalid(format!(
            "{path}.MountPath must be an absolute path, not `{mount_path}`."
        )));
    }
    Ok(Mount {
        dataset: source.dataset.clone(),
        uri,
        path: mount_path,
    })
}

/// The forms of §5.5.
fn check_uri(uri: &str, path: &str) -> Result<(), Refusal> {
    let known = ["oss://", "nas://", "cpfs://", "bmcpfs://"]
        .iter()
        .any(|scheme| {
            uri.strip_prefix(scheme)
                .is_some_and(|place| !place.is_empty() && !place.starts_with('/'))
        });
    if known {
        Ok(())
    } else {
        Err(Refusal::invalid(format!(
            "{path}.Uri must begin with oss://, nas://, cpfs:// or bmcpfs:// and name a place, not `{uri}`."
        )))
    }
}
