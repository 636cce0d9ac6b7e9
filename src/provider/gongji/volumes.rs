//! Volumes over the wire: three lists, and NAS volumes that come and go (gongji.md §4).
//!
//! A create is never repeated: each one makes another volume, and only a look can tell what an unclear one did.

use async_trait::async_trait;
use serde::Deserialize;
use serde_json::Value;

use crate::error::{Error, Kind, Result};
use crate::model::{ResourceRef, Volume};
use crate::provider::{CreatedVolume, Creation, VolumeRequest, Volumes};

use super::api::StorageType;
use super::pages::Identity;
use super::storage::StorageKind;
use super::wire::{CreateNas, NasCreated, NasOffers};
use super::{Gongji, nas, storage};

impl Gongji {
    /// All volumes of one kind.
    pub(super) async fn volumes_of(&self, kind: StorageKind) -> Result<Vec<Volume>> {
        let rows = self
            .rows(Identity::Member("storage_id"), |page| match kind {
                StorageKind::Object => self.api.list_storage(StorageType::Object, page),
                StorageKind::Share => self.api.list_storage(StorageType::Share, page),
                StorageKind::Nas => self.api.list_nas(page),
            })
            .await?;
        if rows.is_cut {
            self.warn(&format!(
                "the list of {} volumes is not whole",
                kind.as_str()
            ));
        }
        Ok(rows
            .rows
            .iter()
            .filter_map(|row| storage::volume(row, kind, &self.name))
            .collect())
    }

    /// Volumes of every kind. One kind may be closed to an account: that is said, and the others are shown.
    async fn all_volumes(&self) -> Result<Vec<Volume>> {
        let mut volumes = Vec::new();
        let mut refused = Vec::new();
        for kind in StorageKind::ALL {
            match self.volumes_of(kind).await {
                Ok(found) => volumes.extend(found),
                Err(error) if matches!(error.kind(), Kind::Rejected | Kind::NotFound) => {
                    refused.push((kind, error));
                }
                Err(error) => return Err(error),
            }
        }
        if refused.len() == StorageKind::ALL.len()
            && let Some((_, error)) = refused.pop()
        {
            return Err(error);
        }
        for (kind, error) in refused {
            self.warn(&format!("{} volumes are not shown: {error}", kind.as_str()));
        }
        Ok(volumes)
    }

    /// Kind and id of a volume's ref.
    fn volume_parts(&self, volume: &ResourceRef) -> Result<(StorageKind, i64)> {
        if let [kind, id] = volume.parts().as_slice()
            && volume.provider == self.name
            && let (Some(kind), Ok(id)) = (StorageKind::from_word(kind), id.parse())
        {
            return Ok((kind, id));
        }
        Err(self.named(
            Error::new(
                Kind::Usage,
                "bad_ref",
                format!("`{volume}` is no `{}/object|share|nas/ID`", self.name),
            )
            .with_hint("`gpujob volumes list` shows the refs there are"),
        ))
    }

    async fn create_volume(&self, request: &VolumeRequest) -> Creation<CreatedVolume> {
        let wish = match nas::wish(request, self.region.as_deref()) {
            Ok(wish) => wish,
            Err(refusals) => return Creation::Refused(Error::refused(&self.name, refusals)),
        };
        // The look before is the check of the token, and makes an unclear end comparable.
        let prepared = async {
            let before = self.volumes_of(StorageKind::Nas).await?;
            let data = self.read(&self.api.list_nas_offers()).await?;
            let offers = NasOffers::deserialize(&data).unwrap_or_default();
            let body = nas::body(&wish, &offers.configs)
                .map_err(|refusal| Error::refused(&self.name, vec![refusal]))?;
            let template = self.api.create_nas(&body)?;
            Ok((before, body, template))
        };
        let (before, body, template) = match prepared.await {
            Ok(prepared) => prepared,
            Err(error) => return Creation::Refused(self.named(error)),
        };
        let unclear = match self.session.send(&template).await {
            Ok(answer) => {
                let data = super::data_of(&answer);
                match created(&data, &body, &self.name) {
                    Some(volume) => {
                        return Creation::Accepted(CreatedVolume {
                            volume,
                            credentials: None,
                            missing_credentials: false,
                        });
                    }
                    None => self.unreadable("createNas", "holds no `storage_id`"),
                }
            }
            Err(failure) => match self.unsuccessful(failure) {
                Creation::Ambiguous(error) => error,
                settled @ (Creation::Accepted(_) | Creation::Refused(_)) => return settled,
            },
        };
        Creation::Ambiguous(self.with_newcomers(unclear, &body.name, &before).await)
    }

    /// Names the volumes of that name that were not there before.
    async fn with_newcomers(&self, error: Error, name: &str, before: &[Volume]) -> Error {
        let Ok(after) = self.volumes_of(StorageKind::Nas).await else {
            return error;
        };
        let newcomers: Vec<String> = after
            .iter()
            .filter(|volume| volume.name.as_deref() == Some(name))
            .filter(|volume| before.iter().all(|old| old.id != volume.id))
            .map(|volume| volume.volume_ref.to_string())
            .collect();
        if newcomers.is_empty() {
            return error.with_hint("`gpujob volumes list` shows whether it came to be after all");
        }
        error
            .with_hint(format!(
                "there is a new volume of that name, which is likely this one: {}",
                newcomers.join(", ")
            ))
            .with_candidates(newcomers)
    }

    async fn delete_nas(&self, volume: &ResourceRef, id: i64, force: bool) -> Result<()> {
        let template = self.api.delete_nas(id, force)?;
        let Err(failure) = self.session.send(&template).await else {
            return Ok(());
        };
        if failure.attempts > 1 && failure.error.kind() != Kind::Auth && self.is_gone(volume).await
        {
            // The first attempt took, and its answer was lost.
            return Ok(());
        }
        let error = self.named(failure.error);
        Err(if error.kind() == Kind::Rejected && !force {
            error.with_hint("cancel the jobs that mount it first, or delete it with `--force`")
        } else {
            error
        })
    }

    /// Whether a look shows that a volume is no more, or on its way there.
    async fn is_gone(&self, volume: &ResourceRef) -> bool {
        match self.volumes_of(StorageKind::Nas).await {
            Ok(volumes) => volumes
                .iter()
                .find(|found| found.volume_ref == *volume)
                .is_none_or(|found| found.status.as_deref() == Some("Deleting")),
            Err(_) => false,
        }
    }
}

#[async_trait]
impl Volumes for Gongji {
    async fn list(&self, namespace: Option<&str>) -> Result<Vec<Volume>> {
        self.refuse_namespace(namespace)?;
        self.all_volumes().await
    }

    async fn get(&self, volume: &ResourceRef) -> Result<Volume> {
        let (kind, _) = self.volume_parts(volume)?;
        self.volumes_of(kind)
            .await?
            .into_iter()
            .find(|found| found.volume_ref == *volume)
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

    async fn resolve(&self, id: &str) -> Result<Vec<ResourceRef>> {
        Ok(self
            .all_volumes()
            .await?
            .into_iter()
            .filter(|volume| volume.id == id)
            .map(|volume| volume.volume_ref)
            .collect())
    }

    async fn create(&self, request: &VolumeRequest) -> Creation<CreatedVolume> {
        self.create_volume(request).await
    }

    async fn obstacles(&self, volume: &ResourceRef) -> Result<Vec<String>> {
        let found = Volumes::get(self, volume).await?;
        Ok(storage::users(&found.raw))
    }

    fn deletion_means(&self) -> &'static str {
        "the NAS volume and all files in it are lost"
    }

    async fn delete(&self, volume: &ResourceRef, force: bool) -> Result<()> {
        let (kind, id) = self.volume_parts(volume)?;
        match kind {
            StorageKind::Nas => self.delete_nas(volume, id, force).await,
            StorageKind::Object | StorageKind::Share => Err(self.named(
                Error::new(
                    Kind::Spec,
                    "unsupported_value",
                    format!("`{volume}` cannot be deleted here: only NAS volumes can"),
                )
                .with_hint("delete it in the console"),
            )),
        }
    }
}

/// A new NAS volume from the answer to its create; `None` without an id.
fn created(data: &Value, body: &CreateNas, provider: &str) -> Option<Volume> {
    let answer = NasCreated::deserialize(data).ok()?;
    let id = answer.storage_id?.to_string();
    let mut volume = storage::volume(data, StorageKind::Nas, provider)?;
    volume.volume_ref = ResourceRef::new(provider, [StorageKind::Nas.as_str(), id.as_str()]);
    volume.id = id;
    volume.name = Some(body.name.clone());
    volume.size_bytes = Some(body.total_size);
    Some(volume)
}
