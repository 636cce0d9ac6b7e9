//! Volumes as a view of what nodearrays mount (cyclecloud.md §8.4; job-model.md §4).
//!
//! Nothing is created or deleted: the API has no such call.

use async_trait::async_trait;

use crate::error::{Error, Kind, Result};
use crate::model::{ResourceRef, Volume};
use crate::provider::{
    Capabilities, CreatedVolume, Creation, Support, Verb, VolumeRequest, Volumes,
};

use super::status::ClusterStatus;
use super::{Cyclecloud, caps, shares};

#[async_trait]
impl Volumes for Cyclecloud {
    async fn list(&self, namespace: Option<&str>) -> Result<Vec<Volume>> {
        let cluster = self.chosen_cluster(namespace)?;
        self.volumes_of(cluster).await
    }

    async fn get(&self, volume: &ResourceRef) -> Result<Volume> {
        let [cluster, _, _] = volume.path.as_slice() else {
            return Err(self.named(Error::new(
                Kind::Usage,
                "bad_ref",
                format!("`{volume}` is no `{}/CLUSTER/NODEARRAY/MOUNT`", self.name),
            )));
        };
        self.volumes_of(cluster)
            .await?
            .into_iter()
            .find(|known| known.volume_ref == *volume)
            .ok_or_else(|| {
                self.named(Error::new(
                    Kind::NotFound,
                    "not_found",
                    format!("there is no volume `{volume}`"),
                ))
            })
    }

    async fn resolve(&self, id: &str) -> Result<Vec<ResourceRef>> {
        let cluster = self.chosen_cluster(None)?;
        Ok(self
            .volumes_of(cluster)
            .await?
            .into_iter()
            .filter(|volume| volume.id == id)
            .map(|volume| volume.volume_ref)
            .collect())
    }

    async fn create(&self, _request: &VolumeRequest) -> Creation<CreatedVolume> {
        Creation::Refused(self.cannot(Verb::VolumesCreate))
    }

    async fn obstacles(&self, _volume: &ResourceRef) -> Result<Vec<String>> {
        Ok(Vec::new())
    }

    fn deletion_means(&self) -> &'static str {
        "CycleCloud's API removes no storage"
    }

    async fn delete(&self, _volume: &ResourceRef, _force: bool) -> Result<()> {
        Err(self.cannot(Verb::VolumesDelete))
    }
}

impl Cyclecloud {
    async fn volumes_of(&self, cluster: &str) -> Result<Vec<Volume>> {
        let status = self.read(&self.routes.status(cluster)).await?;
        Ok(shares::volumes(
            &self.name,
            cluster,
            &ClusterStatus::read(&status),
        ))
    }

    /// The refusal of a verb that the capability table does not have.
    pub(super) fn cannot(&self, verb: Verb) -> Error {
        let table: &Capabilities = &caps::CAPABILITIES;
        let (reason, alternative) = match table.support(verb) {
            Support::No {
                reason,
                alternative,
            } => (reason, alternative),
            Support::Yes | Support::With(_) => ("the call is missing", "none"),
        };
        self.named(
            Error::new(
                Kind::Spec,
                "unsupported_field",
                format!(
                    "`{}` is not possible on `{}`: {reason}",
                    verb.as_str(),
                    self.name
                ),
            )
            .with_hint(alternative),
        )
    }
}
