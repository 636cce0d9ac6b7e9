//! Certificates over a real socket: what is refused, what the message says, what the pin allows.

use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use gpujob::error::Kind;
use gpujob::http::{Fate, Safety, TrustSettings};
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, KeyPair};
use rustls::pki_types::PrivateKeyDer;
use rustls::{ServerConfig, ServerConnection, Stream};
use tempfile::TempDir;

use super::bench::{Bench, Setting};
use crate::support::scripted::Scripted;

/// A TLS server with the certificate that `openssl req -x509` makes; answers a number of connections.
struct TlsServer {
    address: SocketAddr,
    pem: String,
    running: JoinHandle<()>,
}

impl TlsServer {
    fn start(connections: usize) -> Self {
        let mut params = CertificateParams::default();
        params
            .distinguished_name
            .push(DnType::CommonName, "cc.example");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let certificate = params.self_signed(&key).unwrap();
        let config =
            ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
                .with_safe_default_protocol_versions()
                .unwrap()
                .with_no_client_auth()
                .with_single_cert(
                    vec![certificate.der().clone()],
                    PrivateKeyDer::try_from(key.serialize_der()).unwrap(),
                )
                .unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let running = thread::spawn(move || {
            let config = Arc::new(config);
            for _ in 0..connections {
                answer_one(&listener, &config);
            }
        });
        Self {
            address,
            pem: certificate.pem(),
            running,
        }
    }

    fn url(&self) -> String {
        format!("https://{}", self.address)
    }
}

/// A client that refuses the certificate ends the handshake: that is no failure of the server.
fn answer_one(listener: &TcpListener, config: &Arc<ServerConfig>) {
    let (mut socket, _) = listener.accept().unwrap();
    let mut connection = ServerConnection::new(Arc::clone(config)).unwrap();
    let mut stream = Stream::new(&mut connection, &mut socket);
    let mut request = [0; 4096];
    if stream.read(&mut request).is_ok() {
        let answer = b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\n{}";
        stream.write_all(answer).unwrap();
        stream.conn.send_close_notify();
        stream.flush().unwrap();
    }
}

fn setting(ca_cert: Option<&str>, verify: bool) -> (Setting, TempDir) {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("ca.pem");
    if let Some(text) = ca_cert {
        fs::write(&file, text).unwrap();
    }
    let setting = Setting {
        trust: TrustSettings {
            ca_cert: ca_cert.map(|_| file),
            verify,
        },
        ..Setting::default()
    };
    (setting, folder)
}

#[tokio::test(start_paused = true)]
async fn an_unknown_certificate_is_a_matter_of_configuration_and_names_ca_cert() {
    let server = TlsServer::start(1);
    let (setting, _folder) = setting(None, true);
    let bench = Bench::new(&server.url(), &setting);
    let failure = bench.send(Safety::Once).await.unwrap_err();
    let details = failure.error.details();
    assert_eq!(
        (details.kind, failure.error.code()),
        (Kind::Config, "certificate_refused")
    );
    assert_eq!((failure.fate, failure.attempts), (Fate::Unsent, 0));
    let hint = details.hint.as_deref().unwrap();
    assert!(hint.contains("`ca-cert`"), "{hint}");
    assert!(hint.contains("`verify-certificates = false`"), "{hint}");
    assert!(bench.said("note").is_empty(), "not tried again");
    server.running.join().unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_pinned_certificate_is_accepted_and_another_is_not() {
    let server = TlsServer::start(1);
    let (own, _own_folder) = setting(Some(&server.pem), true);
    Bench::new(&server.url(), &own)
        .send(Safety::Once)
        .await
        .unwrap();
    server.running.join().unwrap();

    let server = TlsServer::start(1);
    let others = TlsServer::start(0);
    let (wrong, _wrong_folder) = setting(Some(&others.pem), true);
    let failure = Bench::new(&server.url(), &wrong)
        .send(Safety::Once)
        .await
        .unwrap_err();
    assert_eq!(failure.error.code(), "certificate_refused");
    server.running.join().unwrap();
}

#[tokio::test(start_paused = true)]
async fn verification_turned_off_is_warned_of_once_a_run() {
    let server = TlsServer::start(2);
    let (setting, _folder) = setting(None, false);
    let bench = Bench::new(&server.url(), &setting);
    bench.send(Safety::Once).await.unwrap();
    bench.send(Safety::Repeatable).await.unwrap();
    let warnings = bench.said("warning");
    assert_eq!(warnings.len(), 1);
    assert!(
        warnings[0].starts_with("`verify-certificates = false`"),
        "{warnings:?}"
    );
    server.running.join().unwrap();
}

#[tokio::test(start_paused = true)]
async fn an_unreadable_ca_cert_is_told_before_anything_is_sent() {
    let (mut setting, folder) = setting(None, true);
    setting.trust.ca_cert = Some(folder.path().join("absent.pem"));
    let server = Scripted::start([]);
    let bench = Bench::new(&format!("https://{}", server.authority()), &setting);
    let failure = bench.send(Safety::Repeatable).await.unwrap_err();
    assert_eq!(failure.error.code(), "bad_ca_cert");
    assert_eq!(failure.fate, Fate::Unsent);
    assert!(server.finish().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_server_without_tls_is_not_this_api() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("https://{}", listener.local_addr().unwrap());
    let running = thread::spawn(move || {
        let (mut socket, _) = listener.accept().unwrap();
        let mut greeting = [0; 16];
        socket.read_exact(&mut greeting).unwrap();
        socket
            .write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n")
            .unwrap();
        let _rest = socket.read_to_end(&mut Vec::new());
    });
    let bench = Bench::new(&url, &Setting::default());
    let failure = bench.send(Safety::Once).await.unwrap_err();
    assert_eq!(
        (failure.error.kind(), failure.error.code()),
        (Kind::Protocol, "not_tls")
    );
    assert_eq!(failure.fate, Fate::Unsent);
    running.join().unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_handshake_that_never_ends_is_a_connection_not_made() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("https://{}", listener.local_addr().unwrap());
    let setting = Setting {
        connect_limit: Duration::from_millis(100),
        retries: 0,
        ..Setting::default()
    };
    let bench = Bench::new(&url, &setting);
    let failure = bench.send(Safety::Once).await.unwrap_err();
    assert_eq!(
        (failure.error.kind(), failure.error.code()),
        (Kind::Temporary, "connect_timeout")
    );
    assert_eq!((failure.fate, failure.attempts), (Fate::Unsent, 0));
    drop(listener);
}

#[tokio::test(start_paused = true)]
async fn a_create_that_runs_out_of_time_while_connecting_was_not_sent() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("https://{}", listener.local_addr().unwrap());
    let setting = Setting {
        read_limit: Duration::from_millis(100),
        retries: 0,
        ..Setting::default()
    };
    let failure = Bench::new(&url, &setting)
        .send(Safety::Once)
        .await
        .unwrap_err();
    assert_eq!(failure.error.code(), "no_answer");
    assert_eq!((failure.fate, failure.attempts), (Fate::Unsent, 0));
    drop(listener);
}
