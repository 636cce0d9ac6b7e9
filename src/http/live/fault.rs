//! What a failed exchange means, from the types of its errors, never from their words (style.md §6).
//!
//! Their words, without any URL, are kept as causes for people.

use std::error::Error as StdError;
use std::io;
use std::iter;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rustls::{AlertDescription, CertificateError};

use crate::error::{Error, Kind};
use crate::http::send::TransportError;
use crate::http::tls::is_about_time;

/// What is known beside the error itself.
#[derive(Debug)]
pub(super) struct Circumstances<'a> {
    /// `host` or `host:port`.
    pub(super) host: &'a str,
    pub(super) connect_limit: Duration,
    /// Whether a byte of the request may have left.
    pub(super) leaving: &'a AtomicBool,
}

impl Circumstances<'_> {
    /// No answer began.
    pub(super) fn transport_error(&self, error: reqwest::Error) -> TransportError {
        let error = error.without_url();
        let connecting = error.is_connect();
        let sent = !connecting && !error.is_builder() && self.has_left();
        let told = if let Some(tls) = find::<rustls::Error>(&error) {
            self.tls_refused(tls)
        } else if error.is_builder() {
            Error::internal("the HTTP library cannot build a request")
        } else if connecting {
            self.unreachable(&error)
        } else {
            self.broken(&error)
        };
        TransportError {
            sent,
            error: with_causes(told, &error),
        }
    }

    /// An answer began and did not end.
    pub(super) fn answer_broken(&self, error: reqwest::Error) -> TransportError {
        let error = error.without_url();
        TransportError {
            sent: true,
            error: with_causes(self.broken(&error), &error),
        }
    }

    /// The limit from sending to the end of the answer ran out.
    pub(super) fn too_slow(&self, limit: Duration) -> TransportError {
        TransportError {
            sent: self.has_left(),
            error: Error::new(
                Kind::Temporary,
                "no_answer",
                format!("no answer from `{}` within {}", self.host, seconds(limit)),
            ),
        }
    }

    /// The answer is larger than anything this API says.
    pub(super) fn too_large(&self, limit: usize) -> TransportError {
        TransportError {
            sent: true,
            error: Error::new(
                Kind::Protocol,
                "body_too_large",
                format!(
                    "the answer of `{}` is larger than {} MiB",
                    self.host,
                    limit >> 20
                ),
            ),
        }
    }

    fn has_left(&self) -> bool {
        self.leaving.load(Ordering::Acquire)
    }

    fn unreachable(&self, error: &reqwest::Error) -> Error {
        let host = self.host;
        if error.is_dns() {
            return Error::new(
                Kind::Temporary,
                "unknown_host",
                format!("the name of `{host}` cannot be resolved"),
            )
            .with_hint("check `base-url` and the network");
        }
        if error.is_timeout() {
            return Error::new(
                Kind::Temporary,
                "connect_timeout",
                format!(
                    "no connection to `{host}` within {}",
                    seconds(self.connect_limit)
                ),
            );
        }
        let refused = find::<io::Error>(error)
            .is_some_and(|error| error.kind() == io::ErrorKind::ConnectionRefused);
        if refused {
            Error::new(
                Kind::Temporary,
                "connection_refused",
                format!("`{host}` refused the connection"),
            )
            .with_hint("check `base-url`, and whether the service runs")
        } else {
            // A proxy that refuses ends up here too, and is temporary as well (cli.md §10).
            Error::new(
                Kind::Temporary,
                "no_connection",
                format!("no connection to `{host}`"),
            )
        }
    }

    fn broken(&self, error: &reqwest::Error) -> Error {
        let host = self.host;
        if find::<hyper::Error>(error).is_some_and(hyper::Error::is_parse) {
            return Error::new(
                Kind::Protocol,
                "not_http",
                format!("what `{host}` answers is not HTTP"),
            )
            .with_hint("check the host and port of `base-url`");
        }
        Error::new(
            Kind::Temporary,
            "connection_lost",
            format!("`{host}` ended the connection before its answer was complete"),
        )
    }

    fn tls_refused(&self, error: &rustls::Error) -> Error {
        let host = self.host;
        if let rustls::Error::InvalidCertificate(reason) = error {
            return certificate_refused(host, reason);
        }
        if matches!(error, rustls::Error::InvalidMessage(_)) {
            return Error::new(
                Kind::Protocol,
                "not_tls",
                format!("`{host}` does not speak TLS"),
            )
            .with_hint("check the host and port of `base-url`");
        }
        let nothing_in_common = matches!(
            error,
            rustls::Error::AlertReceived(
                AlertDescription::HandshakeFailure
                    | AlertDescription::ProtocolVersion
                    | AlertDescription::InsufficientSecurity,
            ) | rustls::Error::PeerIncompatible(_)
        );
        if nothing_in_common {
            return Error::new(
                Kind::Protocol,
                "no_common_tls",
                format!("`{host}` and gpujob have no kind of TLS in common"),
            )
            .with_hint(
                "gpujob speaks TLS 1.2 and 1.3 with ECDHE; a server that offers only RSA key exchange or older \
                 versions must be updated",
            );
        }
        Error::new(
            Kind::Protocol,
            "tls_handshake",
            format!("the TLS handshake with `{host}` failed"),
        )
    }
}

fn certificate_refused(host: &str, reason: &CertificateError) -> Error {
    let hint = if is_about_time(reason) {
        "check the clock of this machine and have the server's certificate renewed; time is what `ca-cert` does not \
         forgive, and only `verify-certificates = false` does"
    } else {
        "if this is the right server, save its certificate, or that of its authority, in a PEM file and name the file \
         as `ca-cert` in the provider's configuration: a certificate in it is accepted even without a subject \
         alternative name or marked as an authority; only `verify-certificates = false` turns the check off"
    };
    Error::new(
        Kind::Config,
        "certificate_refused",
        format!("the certificate of `{host}` is refused: {reason}"),
    )
    .with_hint(hint)
}

/// The error and what is behind it, outermost first.
fn chain<'a>(
    error: &'a (dyn StdError + 'static),
) -> impl Iterator<Item = &'a (dyn StdError + 'static)> {
    iter::successors(Some(error), |error| behind(*error))
}

/// The source of an `io::Error` skips the error that it wraps.
fn behind<'a>(error: &'a (dyn StdError + 'static)) -> Option<&'a (dyn StdError + 'static)> {
    match error
        .downcast_ref::<io::Error>()
        .and_then(io::Error::get_ref)
    {
        Some(wrapped) => Some(wrapped),
        None => error.source(),
    }
}

/// The innermost error of a type: the outer ones wrap it.
fn find<T: StdError + 'static>(error: &reqwest::Error) -> Option<&T> {
    chain(error).filter_map(|error| error.downcast_ref()).last()
}

fn with_causes(told: Error, error: &reqwest::Error) -> Error {
    let mut causes: Vec<String> = chain(error).skip(1).map(ToString::to_string).collect();
    causes.dedup();
    causes.into_iter().fold(told, Error::with_cause)
}

fn seconds(limit: Duration) -> String {
    if limit < Duration::from_secs(1) {
        format!("{} ms", limit.as_millis())
    } else {
        format!("{} s", limit.as_secs())
    }
}
