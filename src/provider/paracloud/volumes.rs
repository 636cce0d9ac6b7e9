//! Volumes: an id in a cluster, and transfer access that is shown once (paracloud.md §3.3 and §6.1).
//!
//! A create is never repeated: each one makes another volume. After a 2xx nothing here fails before the credentials
//! have been handed on.

use async_trait::async_trait;
use serde_json::Value;

use crate::error::{Error, Kind, Result};
use crate::model::{Refusal, RefusalCode, ResourceRef, Volume};
use crate::provider::{CreatedVolume, Creation, VolumeRequest, Volumes};

use super::namespaces::with_newcomers;
use super::parse::{self, Place};
use super::{Paracloud, ids};

/// The id in the record of a volume whose answer holds credentials and no id.
const UNKNOWN_ID: &str = "unknown";

impl Paracloud {
    /// The volumes of a namespace, in all clusters.
    pub(super) async fn volumes_of(&self, namespace: &str) -> Result<Vec<Volume>> {
        let list = self
            .read_list(&self.routes.list_volumes(namespace), "volumes")
            .await?;
        let place = Place {
            provider: &self.name,
            namespace,
            cluster: None,
        };
        let volumes = parse::volumes(&list, place);
        let unreadable = list.unreadable + list.items.len() - volumes.len();
        let list = parse::List { unreadable, ..list };
        if let Some(reason) = list.incompleteness("volumes") {
            self.session
                .reporter
                .warning(&format!("`{}`: {reason}", self.name));
        }
        Ok(volumes)
    }

    /// The volumes of one namespace (named or configured), else of every namespace of the account.
    async fn walk_volumes(&self, named: Option<&str>) -> Result<Vec<Volume>> {
        if let Some(namespace) = named.or(self.namespace.as_deref()) {
            ids::check("namespace", namespace, Kind::Usage).map_err(|error| self.named(error))?;
            return self.volumes_of(namespace).await;
        }
        let mut volumes = Vec::new();
        for namespace in self.namespace_ids().await? {
            match self.volumes_of(&namespace).await {
                // It has gone since it was listed.
                Err(error) if error.kind() == Kind::NotFound => {}
                found => volumes.extend(found?),
            }
        }
        Ok(volumes)
    }

    /// One volume by ref: there is no call for a single one.
    async fn volume(&self, volume: &ResourceRef) -> Result<Volume> {
        let parts = ids::parts("volume", volume).map_err(|error| self.named(error))?;
        self.volumes_of(parts.namespace)
            .await?
            .into_iter()
            .find(|found| {
                found.id == parts.id
                    && (parts.cluster.is_none() || found.scope.as_deref() == parts.cluster)
            })
            .ok_or_else(|| {
                self.named(
                    Error::new(
                        Kind::NotFound,
                        "volume_not_found",
                        format!("there is no volume `{volume}`"),
                    )
                    .with_hint("`gpujob volumes list` shows those there are"),
                )
            })
    }

    async fn create_volume(&self, request: &VolumeRequest) -> Creation<CreatedVolume> {
        let cluster = match check(request) {
            Ok(cluster) => cluster,
            Err(refusals) => return Creation::Refused(Error::refused(&self.name, refusals)),
        };
        // The look before is the check of the token, and makes an unclear end comparable (§6.1 point 7).
        let prepared = async {
            let namespace = self
                .choose_namespace(request.namespace.as_deref())
                .await?
                .id;
            let before = self.volumes_of(&namespace).await?;
            let template = self
                .routes
                .create_volume(&namespace, cluster, request.transfer)?;
            Ok((namespace, before, template))
        };
        let (namespace, before, template) = match prepared.await {
            Ok(prepared) => prepared,
            Err(error) => return Creation::Refused(self.named(error)),
        };
        let unclear = match self.session.send(&template).await {
            Ok(answer) => {
                let place = Place {
                    provider: &self.name,
                    namespace: &namespace,
                    cluster: Some(cluster),
                };
                let created = parse::object(&answer, template.operation)
                    .ok()
                    .and_then(|raw| created(&raw, place, request.transfer));
                match created {
                    Some(created) => {
                        return Creation::Accepted(
                            self.identified(created, &namespace, &before).await,
                        );
                    }
                    None => Creation::Ambiguous(self.named(parse::unexpected(
                        "the answer to the create holds no volume".to_owned(),
                    ))),
                }
            }
            Err(failure) => self.unsuccessful(failure),
        };
        match unclear {
            Creation::Ambiguous(error) => {
                let ids = |volumes: Vec<Volume>| volumes.into_iter().map(|volume| volume.id);
                let before: Vec<String> = ids(before).collect();
                let after = self.volumes_of(&namespace).await.unwrap_or_default();
                let error = with_newcomers(error, "volume", &before, ids(after).collect());
                Creation::Ambiguous(if request.transfer {
                    error.with_cause(
                        "the password of a volume whose answer was lost cannot be recovered",
                    )
                } else {
                    error
                })
            }
            settled @ (Creation::Accepted(_) | Creation::Refused(_)) => settled,
        }
    }
}

impl Paracloud {
    /// A volume whose answer held credentials and no id is the one that is new in the list, if there is just one.
    async fn identified(
        &self,
        created: CreatedVolume,
        namespace: &str,
        before: &[Volume],
    ) -> CreatedVolume {
        if created.volume.id != UNKNOWN_ID {
            return created;
        }
        let after = self.volumes_of(namespace).await.unwrap_or_default();
        let mut new = after
            .into_iter()
            .filter(|volume| before.iter().all(|known| known.id != volume.id));
        if let (Some(only), None) = (new.next(), new.next()) {
            return CreatedVolume {
                volume: Volume {
                    id: only.id,
                    volume_ref: only.volume_ref,
                    scope: only.scope.or_else(|| created.volume.scope.clone()),
                    ..created.volume
                },
                ..created
            };
        }
        self.session.reporter.warning(
            "the answer to the create holds no id: `gpujob volumes list` shows what there is",
        );
        created
    }
}

#[async_trait]
impl Volumes for Paracloud {
    async fn list(&self, namespace: Option<&str>) -> Result<Vec<Volume>> {
        self.walk_volumes(namespace).await
    }

    async fn get(&self, volume: &ResourceRef) -> Result<Volume> {
        self.volume(volume).await
    }

    async fn resolve(&self, id: &str) -> Result<Vec<ResourceRef>> {
        ids::check("volume", id, Kind::Usage).map_err(|error| self.named(error))?;
        Ok(self
            .walk_volumes(None)
            .await?
            .into_iter()
            .filter(|volume| volume.id == id)
            .map(|volume| volume.volume_ref)
            .collect())
    }

    fn check(&self, request: &VolumeRequest) -> Result<()> {
        check(request)
            .map(drop)
            .map_err(|refusals| Error::refused(&self.name, refusals))
    }

    async fn create(&self, request: &VolumeRequest) -> Creation<CreatedVolume> {
        self.create_volume(request).await
    }

    /// Jobs that have not ended and mount it; a list that is not whole proves nothing.
    async fn obstacles(&self, volume: &ResourceRef) -> Result<Vec<String>> {
        let parts = ids::parts("volume", volume).map_err(|error| self.named(error))?;
        let groups = self.groups(parts.namespace).await?;
        let mounting = groups
            .groups
            .iter()
            .filter(|group| group.mounts(parts.id) && !group.state().is_terminal())
            .filter(|group| {
                parts.cluster.is_none()
                    || group.cluster().is_none()
                    || group.cluster() == parts.cluster
            })
            .map(|group| format!("job `{}` ({}) mounts it", group.id, group.state()));
        Ok(mounting.chain(groups.incomplete).collect())
    }

    fn deletion_means(&self) -> &'static str {
        "the volume and all files in it are lost"
    }

    async fn delete(&self, volume: &ResourceRef, _force: bool) -> Result<()> {
        let parts = ids::parts("volume", volume).map_err(|error| self.named(error))?;
        let cluster = if let Some(cluster) = parts.cluster {
            cluster.to_owned()
        } else {
            self.volume(volume).await?.scope.ok_or_else(|| {
                self.named(parse::unexpected(format!(
                    "the list does not tell the cluster of volume `{volume}`"
                )))
            })?
        };
        let template = self
            .routes
            .delete_volume(parts.namespace, &cluster, parts.id);
        self.send_delete(&template).await.map_err(|error| {
            if error.kind() == Kind::Rejected {
                error.with_hint("cancel the job that mounts it first")
            } else {
                error
            }
        })
    }
}

/// Checks a request without a look: the cluster to create in, or all refusals (§2.2, §3.3).
fn check(request: &VolumeRequest) -> Result<&str, Vec<Refusal>> {
    let mut refusals = Vec::new();
    let mut unsupported = |field: String, alternative: &str| {
        let message = format!("a volume on Paracloud has no `{field}`");
        refusals.push(
            Refusal::new(RefusalCode::UnsupportedField, field, message)
                .with_alternative(alternative),
        );
    };
    if request.name.is_some() {
        unsupported(
            "name".to_owned(),
            "leave it out, and note the id that is printed",
        );
    }
    if request.size_bytes.is_some() {
        unsupported(
            "size".to_owned(),
            "leave it out: the service sets the limits",
        );
    }
    for (key, _) in &request.settings {
        unsupported(key.clone(), "leave it out: there are no settings");
    }
    let cluster = match request.cluster.as_deref() {
        None => {
            refusals.push(
                Refusal::new(
                    RefusalCode::MissingField,
                    "cluster",
                    "a volume lives in one cluster, and none is named",
                )
                .with_alternative("name one with `--cluster`: `gpujob types` shows them"),
            );
            ""
        }
        Some(cluster) => {
            if let Some(problem) = ids::problem(cluster) {
                refusals.push(
                    Refusal::new(
                        RefusalCode::UnsupportedValue,
                        "cluster",
                        format!("the cluster `{}` {problem}", cluster.escape_debug()),
                    )
                    .with_alternative("name one that `gpujob types` shows"),
                );
            }
            cluster
        }
    };
    if refusals.is_empty() {
        Ok(cluster)
    } else {
        Err(refusals)
    }
}

/// What a create's answer holds; `None` only if it holds neither an id nor credentials.
fn created(raw: &Value, place: Place<'_>, transfer: bool) -> Option<CreatedVolume> {
    let credentials = parse::credentials(raw);
    let mut volume = match parse::volume(raw, place) {
        Some(volume) => volume,
        None if credentials.is_some() => {
            let mut with_id = raw.clone();
            if let Value::Object(members) = &mut with_id {
                members.insert("id".to_owned(), Value::from(UNKNOWN_ID));
            }
            parse::volume(&with_id, place)?
        }
        None => return None,
    };
    volume.transfer = credentials.as_ref().map(|_| "webdav".to_owned());
    Some(CreatedVolume {
        volume,
        missing_credentials: transfer && credentials.is_none(),
        credentials,
    })
}
