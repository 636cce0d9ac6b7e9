//! Which certificate authorities the system trusts.
//!
//! A bundle file comes first and alone: reading the directory beside it costs twice the time and adds nothing
//! (measured, design.md §4). `SSL_CERT_FILE` and `SSL_CERT_DIR` replace both; what they name must be readable.

use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls_native_certs::{CertificateResult, load_certs_from_paths, load_native_certs};

use crate::ambient::Reporter;
use crate::error::{Error, Kind, Result};

/// Where the usual systems keep all roots in one file.
const BUNDLES: &[&str] = if cfg!(all(unix, not(target_os = "macos"))) {
    &[
        "/etc/ssl/certs/ca-certificates.crt",
        "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
        "/etc/pki/tls/certs/ca-bundle.crt",
        "/etc/ssl/ca-bundle.pem",
        "/etc/ssl/cert.pem",
        "/usr/local/share/certs/ca-root-nss.crt",
    ]
} else {
    // Elsewhere the roots are not files, or the files lack what the user added to the key chain.
    &[]
};

/// Where roots may come from.
#[derive(Debug, Clone)]
pub(super) struct Sources {
    /// `SSL_CERT_FILE`.
    pub(super) file: Option<PathBuf>,
    /// `SSL_CERT_DIR`: one folder or several.
    pub(super) folders: Vec<PathBuf>,
    /// Bundles of which the first that exists is read.
    pub(super) bundles: Vec<PathBuf>,
    /// Asks the platform when there is no bundle.
    pub(super) platform: fn() -> CertificateResult,
}

impl Sources {
    pub(super) fn of_this_machine() -> Self {
        let set = |name: &str| env::var_os(name).filter(|value| !value.is_empty());
        Self {
            file: set("SSL_CERT_FILE").map(PathBuf::from),
            folders: set("SSL_CERT_DIR").map_or_else(Vec::new, |value: OsString| {
                env::split_paths(&value)
                    .filter(|path| !path.as_os_str().is_empty())
                    .collect()
            }),
            bundles: BUNDLES.iter().map(PathBuf::from).collect(),
            platform: load_native_certs,
        }
    }
}

/// The roots; the bundled ones, with a note, if the system has none.
pub(super) fn load(sources: &Sources, reporter: &dyn Reporter) -> Result<RootCertStore> {
    let mut store = RootCertStore::empty();
    if sources.file.is_some() || !sources.folders.is_empty() {
        store.add_parsable_certificates(named_by_the_user(sources)?);
        return Ok(store);
    }
    let bundle = sources.bundles.iter().find(|path| path.is_file());
    let found = match bundle {
        Some(bundle) => load_certs_from_paths(Some(bundle), None),
        None => (sources.platform)(),
    };
    store.add_parsable_certificates(found.certs);
    if store.is_empty() {
        reporter.note(
            "this system has no certificate authorities that can be read; using the bundled ones \
             (`SSL_CERT_FILE` names others)",
        );
        store.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    }
    Ok(store)
}

/// What `SSL_CERT_FILE` and `SSL_CERT_DIR` name. Nothing else is trusted then, so nothing found is an error.
fn named_by_the_user(sources: &Sources) -> Result<Vec<CertificateDer<'static>>> {
    let parts = sources
        .file
        .iter()
        .map(|file| load_certs_from_paths(Some(file), None))
        .chain(
            sources
                .folders
                .iter()
                .map(|folder| load_certs_from_paths(None, Some(folder))),
        );
    let mut certificates = Vec::new();
    let mut errors = Vec::new();
    for part in parts {
        certificates.extend(part.certs);
        errors.extend(part.errors);
    }
    if !certificates.is_empty() {
        return Ok(certificates);
    }
    let (name, path) = match (&sources.file, sources.folders.first()) {
        (Some(file), _) => ("SSL_CERT_FILE", file.as_path()),
        (None, Some(folder)) => ("SSL_CERT_DIR", folder.as_path()),
        (None, None) => ("SSL_CERT_FILE", Path::new("")),
    };
    let error = Error::new(
        Kind::Config,
        "bad_ssl_cert",
        format!(
            "`{name}` names `{}`, which holds no certificate that can be read",
            path.display()
        ),
    )
    .with_hint(format!(
        "unset `{name}` to use the certificate authorities of the system"
    ));
    Err(errors.into_iter().fold(error, Error::with_cause))
}
