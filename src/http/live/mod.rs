//! The wire: one signed request over reqwest, and what its failures mean.
//!
//! Follows no redirect, repeats nothing, speaks HTTP/1.1, uses no proxy to loopback (design.md §2.5, style.md §6).
//! Never changes what was signed, never follows its own judgement on a create.

mod fault;
mod stream;

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use http::header::CONTENT_LENGTH;
use http::{HeaderValue, Method};
use http_body_util::{BodyExt, Full};
use reqwest::{Body, Client, redirect, retry};
use rustls::ClientConfig;
use url::Url;

use crate::ambient::Reporter;
use crate::error::{Error, Kind, Result};

use super::send::{Transport, TransportError};
use super::stream::Streaming;
use super::tls::{self, TrustSettings};
use super::{Answer, BaseUrl, Signed};

use fault::Circumstances;

/// What connecting may take unless `--connect-timeout` says otherwise.
pub const CONNECT_LIMIT: Duration = Duration::from_secs(10);
/// From sending to the end of the answer, unless the backend says otherwise.
pub const READ_LIMIT: Duration = Duration::from_secs(60);
/// The largest answer that is read (cli.md §10).
const BODY_LIMIT: usize = 64 << 20;
/// Shorter than what servers and address translators usually allow, so that a create rarely meets a dead connection.
const IDLE_LIMIT: Duration = Duration::from_secs(30);
const USER_AGENT: &str = concat!("gpujob/", env!("CARGO_PKG_VERSION"));

/// A transport with one trust setting; its clients are built on first use.
pub struct Live {
    trust: TrustSettings,
    connect_limit: Duration,
    body_limit: usize,
    reporter: Arc<dyn Reporter>,
    roots: OnceLock<Result<ClientConfig>>,
    plain: OnceLock<Result<Client>>,
    loopback: OnceLock<Result<Client>>,
    remote: OnceLock<Result<Client>>,
}

impl Live {
    /// A transport that has not read or opened anything yet.
    pub fn new(trust: TrustSettings, connect_limit: Duration, reporter: Arc<dyn Reporter>) -> Self {
        Self {
            trust,
            connect_limit,
            body_limit: BODY_LIMIT,
            reporter,
            roots: OnceLock::new(),
            plain: OnceLock::new(),
            loopback: OnceLock::new(),
            remote: OnceLock::new(),
        }
    }

    /// Reads at most so many bytes of an answer, instead of 64 MiB.
    #[must_use]
    pub fn with_body_limit(mut self, body_limit: usize) -> Self {
        self.body_limit = body_limit;
        self
    }

    /// The client for a base URL: without roots for plain HTTP, without a proxy for loopback.
    fn client(&self, base: &BaseUrl) -> Result<&Client> {
        let (cell, proxies) = match (base.is_tls(), base.is_loopback()) {
            (false, _) => (&self.plain, false),
            (true, true) => (&self.loopback, false),
            (true, false) => (&self.remote, true),
        };
        cell.get_or_init(|| {
            let config = if base.is_tls() {
                self.tls_config(base)?
            } else {
                tls::without_roots()?
            };
            self.build(config, proxies)
        })
        .as_ref()
        .map_err(Clone::clone)
    }

    fn tls_config(&self, base: &BaseUrl) -> Result<ClientConfig> {
        self.roots
            .get_or_init(|| {
                if !self.trust.verify {
                    self.reporter.warning(&format!(
                        "`verify-certificates = false`: the certificate of `{}` is not verified; whoever stands \
                         between here and there can read the credentials and change what is sent",
                        base.authority()
                    ));
                }
                tls::client_config(&self.trust, &*self.reporter)
            })
            .clone()
    }

    fn build(&self, config: ClientConfig, proxies: bool) -> Result<Client> {
        let mut builder = Client::builder()
            .user_agent(USER_AGENT)
            .redirect(redirect::Policy::none())
            .retry(retry::never())
            .http1_only()
            .referer(false)
            .connect_timeout(self.connect_limit)
            .pool_idle_timeout(IDLE_LIMIT)
            .tls_backend_preconfigured(config);
        if !proxies {
            builder = builder.no_proxy();
        }
        builder.build().map_err(|error| {
            // The one thing in it that comes from outside is a proxy's address in the environment.
            Error::new(
                Kind::Config,
                "no_client",
                "no HTTP client can be built from this environment",
            )
            .with_hint("check `HTTPS_PROXY` and `NO_PROXY`")
            .with_cause(error.without_url())
        })
    }

    /// The library's request without its body, after a look at whether it would send the very target that was signed.
    fn head(&self, signed: &Signed, length: u64) -> Result<reqwest::RequestBuilder> {
        let template = signed.template();
        let target = template.full_target();
        let url = Url::parse(&template.base.url(&target))
            .map_err(|error| Error::internal(format!("a request's URL cannot be read: {error}")))?;
        if request_target(&url) != target {
            return Err(Error::internal(format!(
                "the URL library changed the request target of `{}`, so its signature would not hold",
                template.operation
            )));
        }
        let mut headers = signed.headers().clone();
        let carries_body = matches!(template.method, Method::POST | Method::PUT | Method::PATCH);
        if length > 0 || carries_body {
            headers.insert(CONTENT_LENGTH, HeaderValue::from(length));
        }
        Ok(self
            .client(&template.base)?
            .request(template.method.clone(), url)
            .headers(headers))
    }

    /// The library's request with the template's own body.
    fn request(
        &self,
        signed: &Signed,
        leaving: &Arc<AtomicBool>,
    ) -> Result<reqwest::RequestBuilder> {
        let body = signed.template().body.as_ref();
        let length = body.map_or(0, Bytes::len);
        let request = self.head(signed, u64::try_from(length).unwrap_or(u64::MAX))?;
        Ok(match body {
            Some(body) if !body.is_empty() => request.body(watched(body.clone(), leaving)),
            Some(_) | None => request,
        })
    }

    async fn exchange(
        &self,
        request: reqwest::RequestBuilder,
        circumstances: &Circumstances<'_>,
        body_limit: usize,
    ) -> Result<Answer, TransportError> {
        let mut response = request
            .send()
            .await
            .map_err(|error| circumstances.transport_error(error))?;
        let (status, headers) = (response.status(), response.headers().clone());
        let announced = response.content_length().unwrap_or_default();
        if usize::try_from(announced).is_ok_and(|length| length > body_limit) {
            return Err(circumstances.too_large(body_limit));
        }
        let mut body = BytesMut::new();
        while let Some(chunk) = response
            .chunk()
            .await
            .map_err(|error| circumstances.answer_broken(error))?
        {
            if chunk.len() > body_limit - body.len() {
                return Err(circumstances.too_large(body_limit));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Answer {
            status,
            headers,
            body: body.freeze(),
        })
    }
}

impl fmt::Debug for Live {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Live")
            .field("trust", &self.trust)
            .field("connect_limit", &self.connect_limit)
            .finish_non_exhaustive()
    }
}

#[async_trait]
impl Transport for Live {
    async fn call(
        &self,
        request: &Signed,
        limit: Option<Duration>,
    ) -> Result<Answer, TransportError> {
        // Without a body there is no telling when the request left, so it counts as sent from the start.
        let has_body = !request.template().body_bytes().is_empty();
        let leaving = Arc::new(AtomicBool::new(!has_body));
        let prepared = self
            .request(request, &leaving)
            .map_err(|error| TransportError { sent: false, error })?;
        let circumstances = Circumstances {
            host: request.template().base.authority(),
            connect_limit: self.connect_limit,
            leaving: &leaving,
        };
        let body_limit = if request.template().any_size {
            usize::MAX
        } else {
            self.body_limit
        };
        let exchange = self.exchange(prepared, &circumstances, body_limit);
        match limit {
            None => exchange.await,
            Some(limit) => match tokio::time::timeout(limit, exchange).await {
                Ok(result) => result,
                Err(_elapsed) => Err(circumstances.too_slow(limit)),
            },
        }
    }

    fn streaming(&self) -> Option<&dyn Streaming> {
        Some(self)
    }
}

/// A body that tells when it is taken: before that, no byte of its request has left (hyper buffers the head until then).
fn watched(body: Bytes, leaving: &Arc<AtomicBool>) -> Body {
    let leaving = Arc::clone(leaving);
    Body::wrap(Full::new(body).map_frame(move |frame| {
        leaving.store(true, Ordering::Release);
        frame
    }))
}

/// Path and query as the library would put them on the request line.
fn request_target(url: &Url) -> String {
    match url.query() {
        Some(query) => format!("{}?{query}", url.path()),
        None => url.path().to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("/api/v1/jobs?a=b%20c&d=", true)]
    #[case("/jobs/a%2Fb:cancel", true)]
    #[case("/a/../b", false)]
    #[case("/a/%2e%2e/b", false)]
    #[case("/a b", false)]
    #[case("/a?b'c", false)]
    #[case("/a#b", false)]
    fn a_target_the_library_would_change_is_noticed(#[case] target: &str, #[case] kept: bool) {
        let base = BaseUrl::parse("https://h.example:8443").unwrap();
        let url = Url::parse(&base.url(target)).unwrap();
        assert_eq!(request_target(&url) == target, kept);
    }
}
