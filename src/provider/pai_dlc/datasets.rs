//! Datasets as volumes (pai-dlc.md §6.2, §6.3; job-model.md §4).
//!
//! A dataset is a registration of a place that exists: creating one makes no storage, deleting one loses no data.

use async_trait::async_trait;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::error::{Error, Kind, Result};
use crate::http::Failure;
use crate::model::{ResourceRef, Volume};
use crate::provider::{CreatedVolume, Creation, VolumeRequest, Volumes};
use crate::spec::hint;

use super::PaiDlc;
use super::jobs::refused_or_ambiguous;
use super::pages::Pages;
use super::wire::{CreateDataset, DatasetAnswer, DatasetCreated, DatasetPage};

/// Keys of `--set`.
const SETTINGS: [&str; 4] = ["uri", "mount_path", "property", "data_type"];
const PROPERTIES: [&str; 2] = ["FILE", "DIRECTORY"];
/// The service's own mixture of cases.
const DATA_TYPES: [&str; 5] = ["COMMON", "PIC", "TEXT", "Video", "AUDIO"];
const LONGEST_NAME: usize = 127;

/// One dataset as a volume; `None` without an id.
pub(super) fn volume(value: &Value, provider: &str, region: &str) -> Option<Volume> {
    let dataset = DatasetAnswer::deserialize(value).ok()?;
    let id = dataset.dataset_id?;
    Some(Volume {
        volume_ref: ResourceRef::new(provider, [region, id.as_str()]),
        id,
        kind: "dataset".to_owned(),
        name: dataset.name,
        scope: Some(match dataset.workspace_id {
            Some(workspace) => format!("{region}/{workspace}"),
            None => region.to_owned(),
        }),
        size_bytes: None,
        used_bytes: None,
        status: None,
        mountable: true,
        transfer: None,
        raw: value.clone(),
    })
}

/// The request of a registration, or the first thing that is wrong with it.
fn registration(request: &VolumeRequest, workspace: &str) -> Result<CreateDataset> {
    if request.cluster.is_some() {
        return Err(wrong(
            "unsupported_field",
            "a dataset has no cluster".to_owned(),
            "leave out `--cluster`",
        ));
    }
    if request.size_bytes.is_some() {
        return Err(wrong(
            "unsupported_field",
            "a dataset has no size of its own: it registers a place that exists".to_owned(),
            "leave out `--size`",
        ));
    }
    let name = request.name.clone().ok_or_else(|| {
        wrong(
            "missing_field",
            "a dataset needs a name".to_owned(),
            "give it with `--name`",
        )
    })?;
    check_name(&name)?;
    let mut dataset = CreateDataset {
        name,
        workspace_id: workspace.to_owned(),
        property: "DIRECTORY".to_owned(),
        ..CreateDataset::default()
    };
    for (key, value) in &request.settings {
        match key.as_str() {
            "uri" => dataset.uri.clone_from(value),
            "mount_path" => {
                if !value.starts_with('/') {
                    return Err(wrong(
                        "unsupported_value",
                        format!("mount path `{value}` is not absolute"),
                        "begin it with `/`, such as `/mnt/data`",
                    ));
                }
                dataset.options = Some(json!({ "mountPath": value }).to_string());
            }
            "property" => dataset.property = one_of(key, value, &PROPERTIES)?,
            "data_type" => dataset.data_type = Some(one_of(key, value, &DATA_TYPES)?),
            _ => return Err(unknown_setting(key)),
        }
    }
    source_type(&dataset.uri)?.clone_into(&mut dataset.data_source_type);
    Ok(dataset)
}

/// 1 to 127 characters; a letter, digit or Chinese character first, then also `_` and `-` (§6.3).
fn check_name(name: &str) -> Result<()> {
    let is_letter = |character: char| {
        character.is_ascii_alphanumeric()
            || matches!(character, '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}')
    };
    let starts_well = name.chars().next().is_some_and(is_letter);
    let goes_on_well = name
        .chars()
        .all(|character| is_letter(character) || matches!(character, '_' | '-'));
    if starts_well && goes_on_well && name.chars().count() <= LONGEST_NAME {
        return Ok(());
    }
    Err(wrong(
        "unsupported_value",
        format!("`{name}` is no dataset name"),
        "write 1 to 127 letters, digits, `_` or `-`, the first a letter or digit",
    ))
}

fn one_of(key: &str, value: &str, allowed: &[&str]) -> Result<String> {
    allowed
        .iter()
        .find(|word| word.eq_ignore_ascii_case(value))
        .map(|word| (*word).to_owned())
        .ok_or_else(|| {
            wrong(
                "unsupported_value",
                format!("`{value}` is no `{key}` of a dataset"),
                &format!("write one of `{}`", allowed.join("`, `")),
            )
        })
}

/// CPFS counts as NAS (§6.3); the other kinds have type names that the contract does not tell.
fn source_type(uri: &str) -> Result<&'static str> {
    match uri.split_once("://") {
        Some((scheme, place)) if !place.is_empty() && !place.starts_with('/') => match scheme {
            "oss" => Ok("OSS"),
            "nas" | "cpfs" => Ok("NAS"),
            other => Err(wrong(
                "unsupported_value",
                format!("a place of the kind `{other}` cannot be registered"),
                "register an `oss://`, `nas://` or `cpfs://` place, or mount the URI itself",
            )),
        },
        _ if uri.is_empty() => Err(wrong(
            "missing_field",
            "a dataset needs the place that it registers".to_owned(),
            "give it with `--set uri=oss://BUCKET.ENDPOINT/PATH/`",
        )),
        Some(_) | None => Err(wrong(
            "unsupported_value",
            format!("`{uri}` is no place"),
            "write `oss://BUCKET.ENDPOINT/PATH/` or `nas://FILE-SYSTEM.REGION/PATH/`",
        )),
    }
}

fn unknown_setting(key: &str) -> Error {
    let alternative = hint::nearest(key, SETTINGS).map_or_else(
        || format!("the settings are `{}`", SETTINGS.join("`, `")),
        |nearest| format!("did you mean `{nearest}`"),
    );
    wrong(
        "unsupported_field",
        format!("`{key}` is no setting of a dataset"),
        &alternative,
    )
}

fn wrong(code: &'static str, message: String, hint: &str) -> Error {
    Error::new(Kind::Spec, code, message).with_hint(hint)
}

#[async_trait]
impl Volumes for PaiDlc {
    async fn list(&self, namespace: Option<&str>) -> Result<Vec<Volume>> {
        let workspace = self.workspace(namespace)?;
        let mut pages = Pages::new("DatasetId");
        let mut number = 1;
        loop {
            let value = self
                .read(&self.home.list_datasets(workspace, number))
                .await?;
            let page = DatasetPage::deserialize(&value)
                .map_err(|error| self.unreadable("ListDatasets", &error.to_string()))?;
            if !pages.add(page.datasets, page.total_count) {
                break;
            }
            number += 1;
        }
        Ok(pages
            .into_items()
            .iter()
            .filter_map(|value| volume(value, &self.name, &self.home.region))
            .collect())
    }

    async fn get(&self, volume_ref: &ResourceRef) -> Result<Volume> {
        let (site, id) = self.parts(volume_ref)?;
        let value = self.read(&site.get_dataset(id)).await?;
        volume(&value, &self.name, &site.region)
            .ok_or_else(|| self.unreadable("GetDataset", "holds no `DatasetId`"))
    }

    async fn resolve(&self, id: &str) -> Result<Vec<ResourceRef>> {
        let found = self.look_up_dataset(&self.home, id).await?;
        Ok(found.into_iter().map(|volume| volume.volume_ref).collect())
    }

    async fn create(&self, request: &VolumeRequest) -> Creation<CreatedVolume> {
        let body = self
            .workspace(request.namespace.as_deref())
            .and_then(|workspace| registration(request, workspace));
        let template = body.and_then(|body| Ok((self.home.create_dataset(&body)?, body)));
        let (template, body) = match template {
            Ok(both) => both,
            Err(error) => return Creation::Refused(error.with_provider(&self.name)),
        };
        let answer = match self.session.send(&template).await {
            Ok(answer) => answer,
            Err(failure) => return refused_or_ambiguous(failure, &self.name),
        };
        let raw = answer.json().unwrap_or(Value::Null);
        let Some(id) = DatasetCreated::deserialize(&raw)
            .ok()
            .and_then(|answer| answer.dataset_id)
        else {
            return Creation::Ambiguous(self.unreadable("CreateDataset", "holds no `DatasetId`"));
        };
        let region = &self.home.region;
        Creation::Accepted(CreatedVolume {
            volume: Volume {
                volume_ref: ResourceRef::new(self.name.as_str(), [region.as_str(), id.as_str()]),
                id,
                kind: "dataset".to_owned(),
                name: Some(body.name),
                scope: Some(format!("{region}/{}", body.workspace_id)),
                size_bytes: None,
                used_bytes: None,
                status: None,
                mountable: true,
                transfer: None,
                raw,
            },
            credentials: None,
            missing_credentials: false,
        })
    }

    async fn obstacles(&self, _volume: &ResourceRef) -> Result<Vec<String>> {
        // No operation tells which jobs mount a dataset.
        Ok(Vec::new())
    }

    fn deletion_means(&self) -> &'static str {
        "the registration is removed; the data stays where it is"
    }

    async fn delete(&self, volume_ref: &ResourceRef, _force: bool) -> Result<()> {
        let (site, id) = self.parts(volume_ref)?;
        match self.session.send(&site.delete_dataset(id)).await {
            Ok(_) => Ok(()),
            // The first attempt took, and its answer was lost.
            Err(Failure {
                error, attempts, ..
            }) if error.kind() == Kind::NotFound && attempts > 1 => Ok(()),
            Err(failure) => Err(failure.error.with_provider(&self.name)),
        }
    }
}

#[cfg(test)]
mod tests;
