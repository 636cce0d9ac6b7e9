//! Transfer credentials of volumes, which the provider shows once and never again (paracloud.md §6.1).
//!
//! One 0600 file per volume in a 0700 folder, written whole or not at all: a temporary file, its bytes forced to disk,
//! an atomic rename, the folder forced to disk. The password never gets into a message.

use std::io;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use zeroize::Zeroizing;

use crate::config::{create_private_directory, write_private_file};
use crate::error::{Error, Kind, Result};
use crate::http::encode;
use crate::model::{ResourceRef, Timestamp, TransferCredentials};
use crate::provider::{KeptAccess, KeptCredentials};
use crate::secret::Secret;

const SCHEMA: &str = "gpujob/volume-credentials/v1";

/// The stored credentials of one state directory.
#[derive(Debug, Clone)]
pub struct CredentialStore {
    folder: PathBuf,
}

impl CredentialStore {
    /// The store of a state directory; touches nothing.
    pub fn new(state_directory: &Path) -> Self {
        Self {
            folder: state_directory.join("volumes"),
        }
    }

    /// Keeps the credentials of a volume, durable when it returns. 85 if they cannot be kept: then they must be shown.
    pub fn save(&self, volume: &ResourceRef, credentials: &TransferCredentials) -> Result<PathBuf> {
        let path = self.path_of(volume);
        self.write(&path, volume, credentials).map_err(|error| {
            Error::new(
                Kind::Config,
                "credentials_unwritable",
                format!(
                    "the transfer credentials of {volume} cannot be kept in {}: {error}",
                    path.display()
                ),
            )
            .with_hint("note them down now: no call shows them again")
        })?;
        Ok(path)
    }

    /// The kept credentials of a volume; `None` if there are none.
    pub fn load(&self, volume: &ResourceRef) -> Result<Option<TransferCredentials>> {
        let path = self.path_of(volume);
        let unreadable = |why: &str| {
            Error::new(
                Kind::Config,
                "credentials_unreadable",
                format!(
                    "the stored transfer credentials of {volume} in {} {why}",
                    path.display()
                ),
            )
        };
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => Zeroizing::new(text),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(unreadable(&format!("cannot be read: {error}"))),
        };
        // The parser's own message could quote the file.
        let root: Value = serde_json::from_str(&text).map_err(|_| unreadable("are no JSON"))?;
        let text_of = |name: &str| {
            root.get(name)
                .and_then(Value::as_str)
                .map(ToOwned::to_owned)
        };
        match (text_of("username"), text_of("password")) {
            (Some(username), Some(password)) => Ok(Some(TransferCredentials {
                username,
                password: Secret::new(password),
                webdav_url: text_of("webdav_url"),
                sftp_address: text_of("sftp_address"),
            })),
            _ => Err(unreadable("lack `username` or `password`")),
        }
    }

    /// Whether credentials of a volume are kept, without reading them.
    pub fn has(&self, volume: &ResourceRef) -> bool {
        self.path_of(volume).is_file()
    }

    /// Forgets the credentials of a volume that is no more; having none is a success.
    pub fn remove(&self, volume: &ResourceRef) -> Result<()> {
        let path = self.path_of(volume);
        match std::fs::remove_file(&path) {
            Ok(()) => Ok(()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(Error::new(
                Kind::Config,
                "credentials_unwritable",
                format!(
                    "the stored transfer credentials of {volume} in {} cannot be removed: {error}",
                    path.display()
                ),
            )),
        }
    }

    /// One file name per ref: the ref's text, with its slashes encoded.
    fn path_of(&self, volume: &ResourceRef) -> PathBuf {
        let name = encode::component(&volume.to_string());
        self.folder.join(format!("{name}.json"))
    }

    fn write(
        &self,
        path: &Path,
        volume: &ResourceRef,
        credentials: &TransferCredentials,
    ) -> io::Result<()> {
        if let Some(state_directory) = self.folder.parent() {
            create_private_directory(state_directory)?;
        }
        create_private_directory(&self.folder)?;
        let text = Zeroizing::new(
            json!({
                "schema": SCHEMA,
                "volume": volume.to_string(),
                "username": credentials.username,
                "password": credentials.password.expose(),
                "webdav_url": credentials.webdav_url,
                "sftp_address": credentials.sftp_address,
            })
            .to_string(),
        );
        let file = write_private_file(&self.folder, text.as_bytes())?;
        file.as_file().sync_all()?;
        file.persist(path).map_err(|error| error.error)?;
        // The new name itself must outlast a power failure.
        #[cfg(unix)]
        std::fs::File::open(&self.folder)?.sync_all()?;
        Ok(())
    }
}

impl KeptCredentials for CredentialStore {
    /// The file's own time tells since when: it is written once, and never again.
    fn of(&self, volume: &ResourceRef) -> Result<Option<KeptAccess>> {
        let Some(credentials) = self.load(volume)? else {
            return Ok(None);
        };
        let written = std::fs::metadata(self.path_of(volume)).and_then(|file| file.modified());
        Ok(Some(KeptAccess {
            credentials,
            kept_at: written.ok().and_then(|time| Timestamp::try_from(time).ok()),
        }))
    }
}
