//! Handshakes in memory: a client of ours and a rustls server, no socket between them.

use std::fs;

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, Issuer, KeyPair,
    date_time_ymd,
};
use rstest::rstest;
use rustls::pki_types::{PrivateKeyDer, ServerName};
use rustls::{ClientConnection, ServerConfig, ServerConnection};
use rustls_native_certs::CertificateResult;
use tempfile::TempDir;

use super::*;
use crate::testing::Notebook;

const HOST: &str = "cc.example";

/// A certificate and its key, as a server has them.
struct Identity {
    certificate: CertificateDer<'static>,
    pem: String,
    key: KeyPair,
}

impl Identity {
    fn of(params: &CertificateParams) -> Self {
        let key = KeyPair::generate().unwrap();
        let certificate = params.self_signed(&key).unwrap();
        Self {
            pem: certificate.pem(),
            certificate: certificate.der().clone(),
            key,
        }
    }

    fn signed_by(params: &CertificateParams, issuer: &Issuer<'_, KeyPair>) -> Self {
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, issuer).unwrap();
        Self {
            pem: certificate.pem(),
            certificate: certificate.der().clone(),
            key,
        }
    }

    fn server(&self, version: &'static rustls::SupportedProtocolVersion) -> ServerConfig {
        let key = PrivateKeyDer::try_from(self.key.serialize_der()).unwrap();
        ServerConfig::builder_with_provider(provider())
            .with_protocol_versions(&[version])
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![self.certificate.clone()], key)
            .unwrap()
    }
}

/// What `openssl req -x509` makes by default: an authority that serves, without a SAN.
fn openssl_default() -> CertificateParams {
    let mut params = common_name_only();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params
}

fn common_name_only() -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, HOST);
    params
}

fn usual() -> CertificateParams {
    CertificateParams::new(vec![HOST.to_owned()]).unwrap()
}

fn authority() -> CertifiedIssuer<'static, KeyPair> {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

fn no_platform() -> CertificateResult {
    CertificateResult::default()
}

/// A machine whose only root is the given PEM text.
fn machine(folder: &TempDir, roots: &str) -> Sources {
    let bundle = folder.path().join("bundle.pem");
    fs::write(&bundle, roots).unwrap();
    Sources {
        file: None,
        folders: Vec::new(),
        bundles: vec![folder.path().join("absent.pem"), bundle],
        platform: no_platform,
    }
}

fn handshake(client: &ClientConfig, server: &ServerConfig) -> Result<(), rustls::Error> {
    let name = ServerName::try_from(HOST).unwrap();
    let mut client = ClientConnection::new(Arc::new(client.clone()), name)?;
    let mut server = ServerConnection::new(Arc::new(server.clone()))?;
    while client.is_handshaking() || server.is_handshaking() {
        let mut wire = Vec::new();
        while client.wants_write() {
            client.write_tls(&mut wire).unwrap();
        }
        let mut rest = wire.as_slice();
        while !rest.is_empty() {
            server.read_tls(&mut rest).unwrap();
            server.process_new_packets().unwrap();
        }
        let mut wire = Vec::new();
        while server.wants_write() {
            server.write_tls(&mut wire).unwrap();
        }
        let mut rest = wire.as_slice();
        while !rest.is_empty() {
            client.read_tls(&mut rest).unwrap();
            client.process_new_packets()?;
        }
    }
    Ok(())
}

/// A handshake of a client with this `ca-cert` text, on a machine with one unrelated root.
fn with_ca_cert(ca_cert: Option<&str>, server: &ServerConfig) -> Result<(), rustls::Error> {
    let folder = TempDir::new().unwrap();
    let sources = machine(&folder, &authority().pem());
    let file = folder.path().join("ca.pem");
    if let Some(text) = ca_cert {
        fs::write(&file, text).unwrap();
    }
    let trust = TrustSettings {
        ca_cert: ca_cert.map(|_| file),
        verify: true,
    };
    let config = client_config_from(&trust, &sources, &Notebook::default()).unwrap();
    handshake(&config, server)
}

fn is_refused(result: &Result<(), rustls::Error>) -> bool {
    matches!(result, Err(rustls::Error::InvalidCertificate(_)))
}

#[rstest]
#[case::openssl_default(openssl_default())]
#[case::common_name_only(common_name_only())]
#[case::self_signed_with_a_name(usual())]
fn a_pinned_certificate_is_accepted_whatever_its_form(
    #[case] params: CertificateParams,
    #[values(&version::TLS12, &version::TLS13)] version: &'static rustls::SupportedProtocolVersion,
) {
    let identity = Identity::of(&params);
    let server = identity.server(version);
    assert!(is_refused(&with_ca_cert(None, &server)), "without a pin");
    with_ca_cert(Some(&identity.pem), &server).unwrap();
    let others = Identity::of(&params);
    let two = format!("{}{}", others.pem, identity.pem);
    with_ca_cert(Some(&two), &server).unwrap();
}

#[rstest]
#[case::openssl_default(openssl_default())]
#[case::common_name_only(common_name_only())]
fn another_certificate_of_the_same_form_is_refused(#[case] params: CertificateParams) {
    let served = Identity::of(&params).server(&version::TLS13);
    let pinned = Identity::of(&params);
    assert!(is_refused(&with_ca_cert(Some(&pinned.pem), &served)));
}

#[test]
fn a_pinned_certificate_is_useless_without_its_key() {
    let identity = Identity::of(&openssl_default());
    let thief = Identity {
        certificate: identity.certificate.clone(),
        pem: identity.pem.clone(),
        key: KeyPair::generate().unwrap(),
    };
    // A server library refuses the mismatch by itself; built by hand, the signature must not hold.
    let key = PrivateKeyDer::try_from(thief.key.serialize_der()).unwrap();
    let signing = provider().key_provider.load_private_key(key).unwrap();
    let certified = rustls::sign::CertifiedKey::new(vec![thief.certificate], signing);
    let server = ServerConfig::builder_with_provider(provider())
        .with_protocol_versions(&[&version::TLS13])
        .unwrap()
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(rustls::sign::SingleCertAndKey::from(certified)));
    assert!(is_refused(&with_ca_cert(Some(&identity.pem), &server)));
}

#[test]
fn a_certificate_of_a_trusted_authority_is_accepted_if_its_name_fits() {
    let authority = authority();
    let good = Identity::signed_by(&usual(), &authority).server(&version::TLS13);
    with_ca_cert(Some(&authority.pem()), &good).unwrap();

    let unnamed = Identity::signed_by(&common_name_only(), &authority).server(&version::TLS13);
    let refused = with_ca_cert(Some(&authority.pem()), &unnamed);
    assert!(is_refused(&refused), "{refused:?}");
}

#[test]
fn the_systems_own_authorities_are_trusted_with_and_without_a_ca_cert() {
    let folder = TempDir::new().unwrap();
    let authority = authority();
    let sources = machine(&folder, &authority.pem());
    let server = Identity::signed_by(&usual(), &authority).server(&version::TLS12);
    let ca_cert = folder.path().join("ca.pem");
    fs::write(&ca_cert, Identity::of(&openssl_default()).pem).unwrap();
    for ca_cert in [None, Some(ca_cert)] {
        let trust = TrustSettings {
            ca_cert,
            verify: true,
        };
        let config = client_config_from(&trust, &sources, &Notebook::default()).unwrap();
        handshake(&config, &server).unwrap();
    }
}

#[test]
fn an_expired_certificate_is_refused_even_if_pinned() {
    let mut params = openssl_default();
    params.not_after = date_time_ymd(2020, 1, 1);
    let identity = Identity::of(&params);
    let refused = with_ca_cert(Some(&identity.pem), &identity.server(&version::TLS13));
    let Err(rustls::Error::InvalidCertificate(reason)) = refused else {
        panic!("{refused:?}");
    };
    assert!(is_about_time(&reason), "{reason:?}");
}

#[test]
fn without_verification_anyone_is_accepted() {
    let folder = TempDir::new().unwrap();
    let trust = TrustSettings {
        ca_cert: None,
        verify: false,
    };
    let sources = machine(&folder, "");
    let config = client_config_from(&trust, &sources, &Notebook::default()).unwrap();
    let mut params = openssl_default();
    params.not_after = date_time_ymd(2020, 1, 1);
    for version in [&version::TLS12, &version::TLS13] {
        handshake(&config, &Identity::of(&params).server(version)).unwrap();
    }
}

#[test]
fn plain_http_needs_no_roots_and_trusts_nobody() {
    let server = Identity::of(&usual()).server(&version::TLS13);
    assert!(is_refused(&handshake(&without_roots().unwrap(), &server)));
}

#[rstest]
#[case::absent(None, "cannot be read")]
#[case::empty(Some(""), "holds no certificate")]
#[case::a_key(
    Some("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"),
    "holds no certificate"
)]
#[case::broken(
    Some("-----BEGIN CERTIFICATE-----\n%%%\n-----END CERTIFICATE-----\n"),
    "cannot be read"
)]
fn a_ca_cert_file_without_certificates_is_a_matter_of_configuration(
    #[case] text: Option<&str>,
    #[case] why: &str,
) {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("ca.pem");
    if let Some(text) = text {
        fs::write(&file, text).unwrap();
    }
    let trust = TrustSettings {
        ca_cert: Some(file),
        verify: true,
    };
    let sources = machine(&folder, &authority().pem());
    let error = client_config_from(&trust, &sources, &Notebook::default()).unwrap_err();
    assert_eq!((error.kind(), error.code()), (Kind::Config, "bad_ca_cert"));
    assert!(error.message().contains(why), "{error}");
}

#[test]
fn a_system_without_roots_uses_the_bundled_ones_and_says_so_once() {
    let folder = TempDir::new().unwrap();
    let notes = Notebook::default();
    let store = roots::load(&machine(&folder, ""), &notes).unwrap();
    assert_eq!(store.len(), webpki_roots::TLS_SERVER_ROOTS.len());
    let notes = notes.notes();
    assert_eq!(notes.len(), 1);
    assert!(notes[0].contains("using the bundled ones"));
}

#[test]
fn what_the_user_names_replaces_the_systems_roots() {
    let folder = TempDir::new().unwrap();
    let mut sources = machine(&folder, &authority().pem());
    let own = folder.path().join("own");
    fs::create_dir(&own).unwrap();
    fs::write(own.join("a.pem"), authority().pem()).unwrap();
    fs::write(own.join("b.pem"), authority().pem()).unwrap();
    sources.file = Some(own.join("a.pem"));
    assert_eq!(
        roots::load(&sources, &Notebook::default()).unwrap().len(),
        1
    );
    sources.file = None;
    sources.folders = vec![own];
    assert_eq!(
        roots::load(&sources, &Notebook::default()).unwrap().len(),
        2
    );
}

#[test]
fn a_named_file_that_cannot_be_read_is_an_error_and_nothing_else_is_trusted() {
    let folder = TempDir::new().unwrap();
    let mut sources = machine(&folder, &authority().pem());
    sources.file = Some(folder.path().join("absent.pem"));
    let error = roots::load(&sources, &Notebook::default()).unwrap_err();
    assert_eq!((error.kind(), error.code()), (Kind::Config, "bad_ssl_cert"));
    assert!(error.message().contains("`SSL_CERT_FILE` names"), "{error}");
    assert_eq!(error.details().causes.len(), 1);
}
