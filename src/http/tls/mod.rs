//! TLS as we want it, explicitly: the ring provider, TLS 1.2 and 1.3, our own choice of roots, and the pin.
//!
//! Nothing here weakens verification but the setting that says so (cli.md §8, design.md §2.5). A `ca-cert` adds trust
//! and pins: the very certificate in the file is accepted even in a form that verifiers refuse, since that is what
//! `openssl req -x509` makes and what a CycleCloud server is born with.

mod roots;
#[cfg(test)]
mod tests;
mod verify;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore, version};

use crate::ambient::Reporter;
use crate::error::{Error, Kind, Result};

use roots::Sources;
pub(super) use verify::is_about_time;
use verify::{Anyone, PinnedOrTrusted};

/// Whom a connection trusts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrustSettings {
    /// A PEM file whose certificates are trusted beside the system's, and pinned (`ca-cert`).
    pub ca_cert: Option<PathBuf>,
    /// Whether certificates are verified at all (`verify-certificates`).
    pub verify: bool,
}

impl Default for TrustSettings {
    fn default() -> Self {
        Self {
            ca_cert: None,
            verify: true,
        }
    }
}

/// The configuration for connections with TLS. Reads the system's roots, so it is made on first use only.
pub fn client_config(trust: &TrustSettings, reporter: &dyn Reporter) -> Result<ClientConfig> {
    client_config_from(trust, &Sources::of_this_machine(), reporter)
}

/// The configuration for plain HTTP to loopback: trusts nobody and reads nothing.
pub fn without_roots() -> Result<ClientConfig> {
    Ok(builder(&provider())?
        .with_root_certificates(RootCertStore::empty())
        .with_no_client_auth())
}

fn client_config_from(
    trust: &TrustSettings,
    sources: &Sources,
    reporter: &dyn Reporter,
) -> Result<ClientConfig> {
    let provider = provider();
    if !trust.verify {
        return Ok(builder(&provider)?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(Anyone::new(&provider)))
            .with_no_client_auth());
    }
    let mut store = roots::load(sources, reporter)?;
    let Some(file) = &trust.ca_cert else {
        return Ok(builder(&provider)?
            .with_root_certificates(store)
            .with_no_client_auth());
    };
    let pins = certificates_of(file)?;
    store.add_parsable_certificates(pins.iter().cloned());
    let verifier = PinnedOrTrusted::new(store, pins, &provider).map_err(|error| {
        Error::internal(format!("no verifier of certificates can be made: {error}"))
    })?;
    Ok(builder(&provider)?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier))
        .with_no_client_auth())
}

/// All certificates of a PEM file; at least one.
fn certificates_of(file: &Path) -> Result<Vec<CertificateDer<'static>>> {
    let bad = |why: String| {
        Error::new(
            Kind::Config,
            "bad_ca_cert",
            format!("`ca-cert` file `{}` {why}", file.display()),
        )
        .with_hint("`ca-cert` names a PEM file with `-----BEGIN CERTIFICATE-----` blocks")
    };
    let certificates = CertificateDer::pem_file_iter(file)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|error| bad(format!("cannot be read: {error}")))?;
    if certificates.is_empty() {
        return Err(bad("holds no certificate".to_owned()));
    }
    Ok(certificates)
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(ring::default_provider())
}

/// TLS 1.2 stays in: CycleCloud needs it (design.md §2.5).
fn builder(
    provider: &Arc<CryptoProvider>,
) -> Result<rustls::ConfigBuilder<ClientConfig, rustls::WantsVerifier>> {
    ClientConfig::builder_with_provider(Arc::clone(provider))
        .with_protocol_versions(&[&version::TLS13, &version::TLS12])
        .map_err(|error| Error::internal(format!("TLS cannot be set up: {error}")))
}
