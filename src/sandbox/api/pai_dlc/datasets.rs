//! Datasets of `AIWorkspace`: registrations of storage (pai-dlc.md §6.2, §6.3). Deleting one leaves its data alone.

use serde_json::{Map, Value, json};

use super::catalogue::{Catalogue, counted};
use super::mounting::USUAL_MOUNT_PATH;
use super::query::Query;
use super::reply::{Body, Refusal};
use super::times;
use crate::model::Timestamp;

/// A registered dataset.
#[derive(Debug, Clone)]
pub(super) struct Dataset {
    id: String,
    workspace: String,
    owner: String,
    created: Timestamp,
    /// As asked for, with the defaults filled in.
    members: Map<String, Value>,
}

/// All datasets, oldest first.
#[derive(Debug, Default)]
pub(super) struct Datasets {
    all: Vec<Dataset>,
}

impl Dataset {
    fn text(&self, name: &str) -> &str {
        text(&self.members, name)
    }

    /// Where its data is.
    pub(super) fn uri(&self) -> &str {
        self.text("Uri")
    }

    /// `mountPath` of its Options.
    pub(super) fn mount_path(&self) -> Option<String> {
        let options: Value = serde_json::from_str(self.text("Options")).ok()?;
        let path = options.get("mountPath")?.as_str()?;
        Some(path.to_owned()).filter(|path| !path.is_empty())
    }

    /// As `GetDataset` and `ListDatasets` answer it to a user.
    fn shown(&self, user: &str) -> Body {
        let mut body = Body::new();
        body.insert("DatasetId".to_owned(), json!(self.id));
        body.insert("WorkspaceId".to_owned(), json!(self.workspace));
        body.extend(self.members.clone());
        let roles = self.members.get("MountAccessReadWriteRoleIdList");
        let for_all = roles
            .and_then(Value::as_array)
            .is_some_and(|roles| roles.contains(&json!("*")));
        let access = if for_all || self.owner == user {
            "RW"
        } else {
            "RO"
        };
        let time = times::milliseconds(self.created);
        let version = json!({
            "VersionName": "v1",
            "Uri": self.uri(),
            "Options": self.text("Options"),
            "DataSourceType": self.text("DataSourceType"),
            "MountAccess": access,
        });
        for (name, value) in [
            ("MountAccess", json!(access)),
            ("UserId", json!(self.owner)),
            ("OwnerId", json!(self.owner)),
            ("IsShared", json!(false)),
            ("LatestVersion", version),
            ("GmtCreateTime", json!(time)),
            ("GmtModifiedTime", json!(time)),
        ] {
            body.insert(name.to_owned(), value);
        }
        body
    }
}

impl Datasets {
    /// A dataset by its id, in a workspace if one is named.
    pub(super) fn find(&self, id: &str, workspace: Option<&str>) -> Result<&Dataset, Refusal> {
        self.all
            .iter()
            .find(|dataset| {
                dataset.id == id && workspace.is_none_or(|workspace| dataset.workspace == workspace)
            })
            .ok_or_else(|| Refusal::not_found("Dataset", id))
    }

    /// `GetDataset`.
    pub(super) fn show(&self, id: &str, user: &str) -> Result<Body, Refusal> {
        Ok(self.find(id, None)?.shown(user))
    }

    /// `DeleteDataset`: the registration goes, the data stays.
    pub(super) fn delete(&mut self, id: &str) -> Result<Body, Refusal> {
        self.find(id, None)?;
        self.all.retain(|dataset| dataset.id != id);
        Ok(Body::new())
    }

    /// `CreateDataset`.
    pub(super) fn create(
        &mut self,
        mut members: Map<String, Value>,
        id: String,
        user: &str,
        now: Timestamp,
        catalogue: &Catalogue,
    ) -> Result<Body, Refusal> {
        check(&members)?;
        let workspace = Some(text(&members, "WorkspaceId")).filter(|id| !id.is_empty());
        let workspace = catalogue.workspace(workspace)?.id.clone();
        let is_trial = members.shift_remove("DryRun") == Some(json!(true));
        members.shift_remove("WorkspaceId");
        members.shift_remove("UserId");
        for (name, default) in [
            ("Accessibility", "PRIVATE"),
            ("DataType", "COMMON"),
            ("ProviderType", "Ecs"),
            ("SourceType", "USER"),
            ("Edition", "BASIC"),
            ("Options", ""),
            ("Description", ""),
        ] {
            members
                .entry(name.to_owned())
                .or_insert_with(|| json!(default));
        }
        if text(&members, "Options").is_empty() {
            let options = json!({ "mountPath": USUAL_MOUNT_PATH }).to_string();
            members.insert("Options".to_owned(), json!(options));
        }
        let mut body = Body::new();
        body.insert("DatasetId".to_owned(), json!(id));
        if !is_trial {
            self.all.push(Dataset {
                id,
                workspace,
                owner: user.to_owned(),
                created: now,
                members,
            });
        }
        Ok(body)
    }

    /// `ListDatasets`.
    pub(super) fn list(
        &self,
        query: &Query,
        user: &str,
        catalogue: &Catalogue,
    ) -> Result<Body, Refusal> {
        let workspace = &catalogue.workspace(query.text("WorkspaceId"))?.id;
        // Nothing changes a dataset here, so both times are one and the order is that of creation.
        query.word("SortBy", &["GmtCreateTime", "GmtModifiedTime"])?;
        let ascending = query.ascending(true)?;
        let page = query.page(10)?;
        let label = query.text("Label").map(label).transpose()?;
        let mut found: Vec<&Dataset> = self
            .all
            .iter()
            .filter(|dataset| {
                dataset.workspace == *workspace
                    && query
                        .list("DatasetIds")
                        .is_none_or(|ids| ids.contains(&dataset.id.as_str()))
                    && fits(dataset, query)
                    && label.as_ref().is_none_or(|label| has_label(dataset, label))
            })
            .collect();
        if !ascending {
            found.reverse();
        }
        let shown: Vec<Value> = found
            .iter()
            .map(|dataset| Value::Object(dataset.shown(user)))
            .collect();
        Ok(counted("Datasets", shown.len(), page.of(shown)))
    }

    /// How many there are.
    pub(super) fn count(&self) -> usize {
        self.all.len()
    }

    /// Forgets all.
    pub(super) fn clear(&mut self) {
        self.all.clear();
    }
}

fn fits(dataset: &Dataset, query: &Query) -> bool {
    let among = |parameter: &str, member: &str| {
        query
            .list(parameter)
            .is_none_or(|words| words.contains(&dataset.text(member)))
    };
    query
        .text("Name")
        .is_none_or(|part| dataset.text("Name").contains(part))
        && among("DataSourceTypes", "DataSourceType")
        && among("DataTypes", "DataType")
        && among("Properties", "Property")
        && among("SourceTypes", "SourceType")
        && among("SourceId", "SourceId")
        && among("Provider", "Provider")
        && among("Edition", "Edition")
        && among("Accessibility", "Accessibility")
}

/// `k` or `k=v`.
fn label(text: &str) -> Result<(String, Option<String>), Refusal> {
    let (key, value) = match text.split_once('=') {
        Some((key, value)) => (key, Some(value.to_owned())),
        None => (text, None),
    };
    if key.is_empty() {
        return Err(Refusal::invalid("Label has no key."));
    }
    Ok((key.to_owned(), value))
}

fn has_label(dataset: &Dataset, (key, value): &(String, Option<String>)) -> bool {
    let labels = dataset.members.get("Labels").and_then(Value::as_array);
    labels.into_iter().flatten().any(|label| {
        let member = |name: &str| label.get(name).and_then(Value::as_str);
        member("Key") == Some(key)
            && value
                .as_deref()
                .is_none_or(|value| member("Value") == Some(value))
    })
}

fn text<'a>(members: &'a Map<String, Value>, name: &str) -> &'a str {
    members
        .get(name)
        .and_then(Value::as_str)
        .unwrap_or_default()
}

/// What `CreateDataset` needs (§6.3).
fn check(members: &Map<String, Value>) -> Result<(), Refusal> {
    for name in ["Name", "DataSourceType", "Uri", "Property"] {
        if text(members, name).is_empty() {
            return Err(Refusal::invalid(format!("{name} is required.")));
        }
    }
    let name = text(members, "Name");
    let is_letter = |character: char| {
        character.is_ascii_alphanumeric() || ('\u{4e00}'..='\u{9fff}').contains(&character)
    };
    let starts_well = name.chars().next().is_some_and(is_letter);
    if name.chars().count() > 127
        || !starts_well
        || !name
            .chars()
            .all(|character| is_letter(character) || matches!(character, '_' | '-'))
    {
        return Err(Refusal::invalid(
            "Name must be 1 to 127 letters, digits, Chinese characters, underscores or hyphens and begin with one of the \
             first three.",
        ));
    }
    for (name, words) in [
        ("Property", ["FILE", "DIRECTORY"].as_slice()),
        ("Accessibility", &["PRIVATE", "PUBLIC"]),
        (
            "DataType",
            &["COMMON", "PIC", "TEXT", "Video", "VIDEO", "AUDIO"],
        ),
        ("ProviderType", &["Ecs", "Lingjun"]),
    ] {
        let value = text(members, name);
        if !value.is_empty() && !words.contains(&value) {
            return Err(Refusal::invalid(format!(
                "{name} must be one of {}, not `{value}`.",
                words.join(", ")
            )));
        }
    }
    let uri = text(members, "Uri");
    let place = match text(members, "DataSourceType") {
        "OSS" => uri.strip_prefix("oss://"),
        "NAS" => uri.strip_prefix("nas://"),
        // Newer kinds have other type names and forms.
        _ => uri.split_once("://").map(|(_, place)| place),
    };
    if place.is_none_or(|place| place.is_empty() || place.starts_with('/')) {
        return Err(Refusal::invalid(format!(
            "Uri `{uri}` does not fit DataSourceType {}.",
            text(members, "DataSourceType")
        )));
    }
    for name in ["Options", "ImportInfo"] {
        let value = text(members, name);
        let is_object =
            || serde_json::from_str::<Value>(value).is_ok_and(|value| value.is_object());
        if !value.is_empty() && !is_object() {
            return Err(Refusal::invalid(format!("{name} must be a JSON text.")));
        }
    }
    Ok(())
}
