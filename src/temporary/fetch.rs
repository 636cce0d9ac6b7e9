//! The requests that fetch a temporary key. Plain HTTP goes to loopback and to the metadata service alone.

use std::fmt;
use std::sync::OnceLock;
use std::time::Duration;

use http::header::CONTENT_LENGTH;
use http::{HeaderValue, Method};
use reqwest::{Client, RequestBuilder, redirect, retry};
use url::Url;

use crate::ambient::Reporter;
use crate::error::{Error, Kind, Result};
use crate::http::tls::{self, TrustSettings};
use crate::http::{BaseUrl, encode};
use crate::secret::Secret;

use super::answer::{self, TemporaryKey};

/// The metadata service: link-local, so that plain HTTP never leaves the host (pai-dlc.md §2.9).
const METADATA: &str = "http://100.100.100.200";
const METADATA_LIMIT: Duration = Duration::from_secs(1);
/// The list of roles; behind it, the key of one.
const ROLES: &str = "meta-data/ram/security-credentials/";
const TOKEN_SECONDS: &str = "21600";
/// What a credentials URI may take; the SDKs wait as long.
const URI_LIMIT: Duration = Duration::from_secs(10);
/// Much more than a key needs.
const BODY_LIMIT: usize = 64 << 10;

/// How long requests for a key may take.
#[derive(Debug, Clone, Copy)]
struct Limits {
    connect: Duration,
    /// From sending to the end of the answer.
    whole: Duration,
}

/// Where a key is fetched from.
pub struct Source {
    place: Place,
    /// What people call it.
    name: String,
    limits: Limits,
    trust: TrustSettings,
    client: OnceLock<Result<Client>>,
}

enum Place {
    Uri { uri: Secret, base: BaseUrl },
    Metadata(Metadata),
}

#[derive(Debug, Clone)]
struct Metadata {
    base: String,
    role: Option<String>,
    token_required: bool,
}

impl Source {
    /// A credentials URI: `https`, or `http` to loopback. `name` says where it was found.
    pub fn uri(uri: Secret, name: &str, connect: Duration, trust: TrustSettings) -> Result<Self> {
        let bad = |why: &str| {
            Error::new(
                Kind::Config,
                "bad_credentials_uri",
                format!("the credentials URI of {name} {why}"),
            )
            .with_hint("write it as `https://HOST/PATH`; plain `http://` is for this machine only")
        };
        let url = Url::parse(uri.expose().trim()).map_err(|_| bad("is no URL"))?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err(bad("holds a user name or password, which is not supported"));
        }
        let base = BaseUrl::parse(&url.origin().ascii_serialization()).map_err(|error| {
            bad(if error.code() == "plain_http" {
                "is plain http to a host that is not loopback"
            } else {
                "is not of http or https"
            })
        })?;
        Ok(Self {
            name: format!("`{}`, named by {name}", base.authority()),
            place: Place::Uri { uri, base },
            limits: Limits {
                connect,
                whole: URI_LIMIT,
            },
            trust,
            client: OnceLock::new(),
        })
    }

    /// The metadata service of the instance; `role` spares looking for it.
    pub fn metadata(role: Option<String>, token_required: bool) -> Self {
        Self::metadata_at(METADATA, role, token_required, METADATA_LIMIT)
    }

    /// The same at another address, for tests.
    pub(super) fn metadata_at(
        base: &str,
        role: Option<String>,
        token_required: bool,
        limit: Duration,
    ) -> Self {
        Self {
            place: Place::Metadata(Metadata {
                base: base.to_owned(),
                role,
                token_required,
            }),
            name: "the metadata of this instance".to_owned(),
            limits: Limits {
                connect: limit,
                whole: limit,
            },
            trust: TrustSettings::default(),
            client: OnceLock::new(),
        }
    }

    /// Asks for a key.
    pub(super) async fn fetch(&self, reporter: &dyn Reporter) -> Result<TemporaryKey> {
        let client = self.client(reporter)?;
        let body = match &self.place {
            Place::Uri { uri, .. } => self.text(client.get(uri.expose().trim())).await?,
            Place::Metadata(metadata) => self.ask_metadata(client, metadata).await?,
        };
        answer::read(body.expose().as_bytes()).map_err(|why| self.failed(&format!("which {why}")))
    }

    /// Token, role, key. Where there is no token the old way without one is gone, unless that is forbidden.
    async fn ask_metadata(&self, client: &Client, metadata: &Metadata) -> Result<Secret> {
        let url = |path: &str| format!("{}/latest/{path}", metadata.base);
        let ask_token = client
            .request(Method::PUT, url("api/token"))
            .header("x-aliyun-ecs-metadata-token-ttl-seconds", TOKEN_SECONDS)
            .header(CONTENT_LENGTH, HeaderValue::from_static("0"));
        let token = match self.text(ask_token).await {
            Ok(token) => Some(token),
            Err(error) if metadata.token_required => return Err(error),
            Err(_) => None,
        };
        let get = |path: &str| {
            let request = client.get(url(path));
            match &token {
                Some(token) => request.header("x-aliyun-ecs-metadata-token", token.expose().trim()),
                None => request,
            }
        };
        let role = if let Some(role) = &metadata.role {
            role.clone()
        } else {
            let roles = self.text(get(ROLES)).await?;
            let first = roles.expose().lines().map(str::trim).next();
            first
                .filter(|role| !role.is_empty())
                .ok_or_else(|| self.failed("which names no role"))?
                .to_owned()
        };
        self.text(get(&format!("{ROLES}{}", encode::component(&role))))
            .await
    }

    /// The body of a 200.
    async fn text(&self, request: RequestBuilder) -> Result<Secret> {
        let mut response = request
            .send()
            .await
            .map_err(|error| self.unreachable(error))?;
        if response.status() != http::StatusCode::OK {
            return Err(self.failed(&format!("which answered with {}", response.status())));
        }
        let mut body = Vec::new();
        while let Some(chunk) = response
            .chunk()
            .await
            .map_err(|error| self.unreachable(error))?
        {
            if body.len() + chunk.len() > BODY_LIMIT {
                return Err(self.failed("whose answer is too long"));
            }
            body.extend_from_slice(&chunk);
        }
        String::from_utf8(body)
            .map(Secret::new)
            .map_err(|_| self.failed("whose answer is no text"))
    }

    fn client(&self, reporter: &dyn Reporter) -> Result<&Client> {
        self.client
            .get_or_init(|| self.build(reporter))
            .as_ref()
            .map_err(Clone::clone)
    }

    fn build(&self, reporter: &dyn Reporter) -> Result<Client> {
        let remote = match &self.place {
            Place::Uri { base, .. } => Some(base).filter(|base| base.is_tls()),
            Place::Metadata(_) => None,
        };
        let config = match remote {
            Some(_) => tls::client_config(&self.trust, reporter)?,
            None => tls::without_roots()?,
        };
        let mut builder = Client::builder()
            .redirect(redirect::Policy::none())
            .retry(retry::never())
            .http1_only()
            .referer(false)
            .connect_timeout(self.limits.connect)
            .timeout(self.limits.whole)
            .tls_backend_preconfigured(config);
        if remote.is_none_or(BaseUrl::is_loopback) {
            builder = builder.no_proxy();
        }
        builder.build().map_err(|error| {
            self.failed("for which no HTTP client can be built")
                .with_cause(error.without_url())
        })
    }

    fn unreachable(&self, error: reqwest::Error) -> Error {
        let why = if error.is_timeout() {
            "which did not answer in time"
        } else {
            "which cannot be reached"
        };
        self.failed(why).with_cause(error.without_url())
    }

    fn failed(&self, why: &str) -> Error {
        Error::new(
            Kind::Config,
            "credential_not_fetched",
            format!("the access key would come from {self}, {why}"),
        )
        .with_hint("`gpujob config show --origin` tells where the credential comes from")
    }
}

impl fmt::Display for Source {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.name)
    }
}

impl fmt::Debug for Source {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("Source").field(&self.name).finish()
    }
}
