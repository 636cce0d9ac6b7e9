//! Kinds `volumes` and `volume` (job-model.md §4, cli.md §10 "Records").

use serde::Serialize;

use crate::model::{TransferCredentials, Volume};
use crate::output::Row;

/// Columns of csv and tsv.
pub const VOLUME_COLUMNS: &[&str] = &[
    "ref",
    "provider",
    "backend",
    "id",
    "kind",
    "name",
    "scope",
    "size_bytes",
    "used_bytes",
    "status",
    "mountable",
    "transfer",
];

/// Further columns for one just created.
pub const CREDENTIAL_COLUMNS: &[&str] = &[
    "credentials.username",
    "credentials.password",
    "credentials.webdav_url",
    "credentials.sftp_address",
];

/// One volume.
#[derive(Debug, Clone, Serialize)]
pub struct VolumeV1<'a> {
    #[serde(rename = "ref")]
    volume_ref: String,
    provider: &'a str,
    backend: &'static str,
    id: &'a str,
    kind: &'a str,
    name: Option<&'a str>,
    scope: Option<&'a str>,
    size_bytes: Option<u64>,
    used_bytes: Option<u64>,
    status: Option<&'a str>,
    mountable: bool,
    transfer: Option<&'a str>,
}

impl<'a> VolumeV1<'a> {
    /// The record of a volume.
    pub fn new(row: &Row<'a, Volume>) -> Self {
        let volume = row.item;
        Self {
            volume_ref: volume.volume_ref.to_string(),
            provider: row.provider,
            backend: row.backend.as_str(),
            id: &volume.id,
            kind: &volume.kind,
            name: volume.name.as_deref(),
            scope: volume.scope.as_deref(),
            size_bytes: volume.size_bytes,
            used_bytes: volume.used_bytes,
            status: volume.status.as_deref(),
            mountable: volume.mountable,
            transfer: volume.transfer.as_deref(),
        }
    }
}

/// Transfer access: the provider tells it once, at creation, so this is the one record that shows a secret.
#[derive(Serialize)]
pub(in crate::output) struct CredentialsV1<'a> {
    username: &'a str,
    password: &'a str,
    webdav_url: Option<&'a str>,
    sftp_address: Option<&'a str>,
}

impl<'a> CredentialsV1<'a> {
    pub(in crate::output) fn new(credentials: &'a TransferCredentials) -> Self {
        Self {
            username: &credentials.username,
            password: credentials.password.expose(),
            webdav_url: credentials.webdav_url.as_deref(),
            sftp_address: credentials.sftp_address.as_deref(),
        }
    }
}
