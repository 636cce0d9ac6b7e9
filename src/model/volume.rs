//! Storage that a job can mount (job-model.md §4).

use serde_json::Value;

use crate::secret::Secret;

use super::ResourceRef;

/// One volume row.
#[derive(Debug, Clone, PartialEq)]
pub struct Volume {
    pub volume_ref: ResourceRef,
    pub id: String,
    /// `volume`, `nfs`, `disk`, `object`, `share`, `nas` or `dataset`.
    pub kind: String,
    pub name: Option<String>,
    /// The cluster, region or workspace it is bound to.
    pub scope: Option<String>,
    pub size_bytes: Option<u64>,
    pub used_bytes: Option<u64>,
    pub status: Option<String>,
    pub mountable: bool,
    /// How files get in and out: `webdav`, `sftp`; `None` where nobody can tell or there is no way.
    pub transfer: Option<String>,
    /// The provider's own object, secrets redacted.
    pub raw: Value,
}

/// Transfer access of a volume: shown once at creation, never again by the provider (paracloud.md §6.1).
#[derive(Debug, Clone)]
pub struct TransferCredentials {
    pub username: String,
    pub password: Secret,
    pub webdav_url: Option<String>,
    pub sftp_address: Option<String>,
}
