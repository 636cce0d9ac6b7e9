//! The files in volumes, by WebDAV with the credentials that this machine keeps (paracloud.md §6).

use async_trait::async_trait;

use crate::error::{Error, Kind, Result};
use crate::http::{BaseUrl, BodySource};
use crate::model::{FileEntry, FilePath, ResourceRef};
use crate::provider::{FileSink, Files, KeptAccess};
use crate::webdav::{Access, Client};

use super::Paracloud;

impl Paracloud {
    /// A client for a volume's files. 85 if this machine does not keep its credentials.
    pub(super) fn files_of(&self, volume: &ResourceRef) -> Result<Client> {
        let kept = self
            .transfer
            .kept
            .of(volume)
            .and_then(|kept| kept.ok_or_else(|| not_kept(volume)));
        let client = kept.and_then(|kept| {
            let access = access(volume, &kept)?;
            Client::new(
                &self.session,
                std::sync::Arc::clone(&self.transfer.streaming),
                access,
            )
        });
        client.map_err(|error| self.named(error))
    }
}

#[async_trait]
impl Files for Paracloud {
    async fn stat(&self, volume: &ResourceRef, path: &FilePath) -> Result<FileEntry> {
        self.files_of(volume)?.stat(path).await
    }

    async fn list(&self, volume: &ResourceRef, path: &FilePath) -> Result<Vec<FileEntry>> {
        self.files_of(volume)?.list(path).await
    }

    async fn put(
        &self,
        volume: &ResourceRef,
        path: &FilePath,
        source: &dyn BodySource,
    ) -> Result<FileEntry> {
        self.files_of(volume)?.put(path, source).await
    }

    async fn get(
        &self,
        volume: &ResourceRef,
        path: &FilePath,
        sink: &mut dyn FileSink,
    ) -> Result<FileEntry> {
        self.files_of(volume)?.get(path, sink).await
    }

    async fn remove(&self, volume: &ResourceRef, path: &FilePath, recursive: bool) -> Result<()> {
        self.files_of(volume)?.remove(path, recursive).await
    }
}

/// Where a volume's files are; all that is needed was told when it was created.
fn access(volume: &ResourceRef, kept: &KeptAccess) -> Result<Access> {
    let credentials = &kept.credentials;
    let address = credentials.webdav_url.as_deref().ok_or_else(|| {
        Error::new(
            Kind::Config,
            "no_webdav_address",
            format!("the kept credentials of volume {volume} do not tell its WebDAV address"),
        )
        .with_hint("use an SFTP program with them, or create another volume")
    })?;
    Ok(Access {
        base: BaseUrl::parse(address)?,
        username: credentials.username.clone(),
        password: credentials.password.clone(),
        label: volume.to_string(),
        created_at: kept.kept_at,
    })
}

/// The provider shows them once and has no call to show or reset them (§6.1).
fn not_kept(volume: &ResourceRef) -> Error {
    Error::new(
        Kind::Config,
        "no_transfer_credentials",
        format!("this machine keeps no transfer credentials of volume {volume}"),
    )
    .with_hint(
        "Paracloud shows them once, when `gpujob volumes create` makes the volume: work on the machine that made it, or \
         copy the volume's file from the folder `volumes` in that machine's state directory (`$XDG_STATE_HOME/gpujob`); \
         if they are lost, create another volume, or reach the files from inside a job",
    )
}
