//! The files in volumes, where a provider gives access (cli.md §2, `volumes ls|put|get|rm`; paracloud.md §6).

use std::collections::BTreeMap;
use std::fmt;

use async_trait::async_trait;

use crate::error::Result;
use crate::http::BodySource;
use crate::model::{FileEntry, FilePath, ResourceRef, Timestamp, TransferCredentials};

/// Access to files. Every failure names the file; one that does not exist is `not-found`.
#[async_trait]
pub trait Files: Send + Sync {
    /// The file or folder at a path.
    async fn stat(&self, volume: &ResourceRef, path: &FilePath) -> Result<FileEntry>;

    /// What lies in a folder, by name; of a file, the file itself.
    async fn list(&self, volume: &ResourceRef, path: &FilePath) -> Result<Vec<FileEntry>>;

    /// Puts a file in place of what is there, and makes the folders above it. Until it is whole it has another name.
    async fn put(
        &self,
        volume: &ResourceRef,
        path: &FilePath,
        source: &dyn BodySource,
    ) -> Result<FileEntry>;

    /// Hands a file's bytes on as they come, each once and in order; a broken connection is taken up where it broke.
    async fn get(
        &self,
        volume: &ResourceRef,
        path: &FilePath,
        sink: &mut dyn FileSink,
    ) -> Result<FileEntry>;

    /// Removes a file; a folder, with all that is in it, only with `recursive`.
    async fn remove(&self, volume: &ResourceRef, path: &FilePath, recursive: bool) -> Result<()>;
}

/// Where a file's bytes go.
pub trait FileSink: Send {
    /// How long the file is, as far as that is told, before its first bytes.
    fn begin(&mut self, length: Option<u64>);

    /// Takes the next bytes; `false` when nobody wants more.
    fn write(&mut self, bytes: &[u8]) -> Result<bool>;
}

/// Transfer credentials that this machine keeps; the provider shows them once (paracloud.md §6.1).
pub trait KeptCredentials: fmt::Debug + Send + Sync {
    /// Those of a volume; `None` if there are none here.
    fn of(&self, volume: &ResourceRef) -> Result<Option<KeptAccess>>;
}

/// Kept credentials, and since when.
#[derive(Debug, Clone)]
pub struct KeptAccess {
    pub credentials: TransferCredentials,
    /// When they were stored, which is when the volume was created.
    pub kept_at: Option<Timestamp>,
}

/// Credentials at hand, for those who keep none on disk.
impl KeptCredentials for BTreeMap<ResourceRef, KeptAccess> {
    fn of(&self, volume: &ResourceRef) -> Result<Option<KeptAccess>> {
        Ok(self.get(volume).cloned())
    }
}
