//! What is to be sent: base URLs, targets, templates; and what has been signed.

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use serde::Serialize;
use url::{Host, Url};

use crate::error::{Error, Kind, Result};
use crate::secret::Secret;

use super::encode;

/// A service's origin and the path prefix before its own paths, such as `https://cc.example:8443/cyclecloud`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BaseUrl {
    scheme: String,
    authority: String,
    prefix: String,
    loopback: bool,
}

impl BaseUrl {
    /// Reads a base URL; plain `http://` is taken for loopback hosts only (cli.md §8).
    pub fn parse(text: &str) -> Result<Self> {
        let bad = |why: &str| {
            Error::new(
                Kind::Config,
                "bad_base_url",
                format!("base URL `{text}` {why}"),
            )
            .with_hint("write `base-url` as `https://HOST[:PORT][/PREFIX]`")
        };
        let url = Url::parse(text.trim()).map_err(|error| bad(&format!("is no URL: {error}")))?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err(bad(
                "holds a user name or password; put credentials in their own settings",
            ));
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err(bad("holds a query or fragment"));
        }
        let host = url.host().ok_or_else(|| bad("has no host"))?;
        let loopback = is_loopback(&host);
        match url.scheme() {
            "https" => {}
            "http" if loopback => {}
            "http" => {
                return Err(Error::new(
                    Kind::Config,
                    "plain_http",
                    format!("base URL `{text}` is plain http to a host that is not loopback"),
                )
                .with_hint("credentials never travel unencrypted: use `https://`"));
            }
            other => return Err(bad(&format!("has the scheme `{other}`"))),
        }
        let authority = url
            .port()
            .map_or_else(|| host.to_string(), |port| format!("{host}:{port}"));
        Ok(Self {
            scheme: url.scheme().to_owned(),
            authority,
            prefix: url.path().trim_end_matches('/').to_owned(),
            loopback,
        })
    }

    /// `host` or `host:port`, as it goes into the `Host` header and the signature.
    pub fn authority(&self) -> &str {
        &self.authority
    }

    /// Whether the host is this machine.
    pub fn is_loopback(&self) -> bool {
        self.loopback
    }

    /// Whether the scheme is `https`.
    pub fn is_tls(&self) -> bool {
        self.scheme == "https"
    }

    /// The full request target: prefix, path and query, exactly as on the request line.
    pub fn target(&self, target: &Target) -> String {
        format!("{}{}", self.prefix, target.as_str())
    }

    /// The whole URL of a target string made by [`Self::target`].
    pub fn url(&self, full_target: &str) -> String {
        format!("{}://{}{full_target}", self.scheme, self.authority)
    }
}

impl fmt::Display for BaseUrl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "{}://{}{}",
            self.scheme, self.authority, self.prefix
        )
    }
}

fn is_loopback(host: &Host<&str>) -> bool {
    match host {
        Host::Domain(name) => *name == "localhost" || name.ends_with(".localhost"),
        Host::Ipv4(address) => address.is_loopback(),
        Host::Ipv6(address) => address.is_loopback(),
    }
}

/// Path and query under a base URL, encoded once: the same text is signed and sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    path: String,
    query: Vec<(String, String)>,
    text: String,
}

impl Target {
    /// A fixed path that needs no encoding, such as `/api/v1/jobs`.
    pub fn new(path: &str) -> Self {
        Self {
            path: path.to_owned(),
            query: Vec::new(),
            text: path.to_owned(),
        }
    }

    /// Appends one path segment, percent-encoded.
    #[must_use]
    pub fn segment(self, segment: &str) -> Self {
        let encoded = encode::component(segment);
        self.append(&format!("/{encoded}"))
    }

    /// Appends path text as it stands, such as `/stop` or `:cancel`.
    #[must_use]
    pub fn literal(self, text: &str) -> Self {
        self.append(text)
    }

    /// Appends a query parameter. Pairs keep their order; a signer that needs another order sorts a copy.
    #[must_use]
    pub fn query(mut self, name: &str, value: impl AsRef<str>) -> Self {
        let value = value.as_ref();
        self.text
            .push(if self.query.is_empty() { '?' } else { '&' });
        self.text.push_str(&encode::component(name));
        self.text.push('=');
        self.text.push_str(&encode::component(value));
        self.query.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Appends a query parameter if there is a value.
    #[must_use]
    pub fn query_opt(self, name: &str, value: Option<impl AsRef<str>>) -> Self {
        match value {
            Some(value) => self.query(name, value),
            None => self,
        }
    }

    /// Path and query as they go on the request line.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The encoded path alone.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The decoded query pairs, in order.
    pub fn pairs(&self) -> &[(String, String)] {
        &self.query
    }

    fn append(mut self, text: &str) -> Self {
        debug_assert!(self.query.is_empty(), "a path grows before its query");
        self.path.push_str(text);
        self.text.push_str(text);
        self
    }
}

/// What may be done with a request whose fate is unclear. A property of the request, not of its verb.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Safety {
    /// May be repeated: reads, and deletes and cancels that are idempotent.
    Repeatable,
    /// Must never be sent a second time once a byte has left: creates.
    Once,
}

/// A request before it is signed. Headers of the signer (date, nonce, authorization) are not in it.
#[derive(Debug, Clone)]
pub struct Template {
    /// The provider's name of the operation, such as `CreateJob`; used in messages and by the sandbox's faults.
    pub operation: &'static str,
    pub method: Method,
    pub base: BaseUrl,
    pub target: Target,
    pub headers: HeaderMap,
    /// Serialised once; the same bytes are hashed and sent. `None` sends no body and no content type.
    pub body: Option<Bytes>,
    pub safety: Safety,
    /// Whether the answer is taken however large it is: a log (cli.md §10).
    pub any_size: bool,
}

impl Template {
    /// A request without a body; `GET` and `DELETE` may be repeated, all else is sent once.
    pub fn new(operation: &'static str, method: Method, base: &BaseUrl, target: Target) -> Self {
        let safety = if method == Method::GET || method == Method::DELETE || method == Method::HEAD
        {
            Safety::Repeatable
        } else {
            Safety::Once
        };
        let mut headers = HeaderMap::new();
        headers.insert(
            http::header::ACCEPT,
            HeaderValue::from_static("application/json"),
        );
        Self {
            operation,
            method,
            base: base.clone(),
            target,
            headers,
            body: None,
            safety,
            any_size: false,
        }
    }

    /// Adds a JSON body and its content type.
    pub fn with_json(mut self, content_type: &'static str, body: &impl Serialize) -> Result<Self> {
        let bytes = serde_json::to_vec(body).map_err(|error| {
            Error::internal(format!("a request body cannot be written: {error}"))
        })?;
        self.headers.insert(
            http::header::CONTENT_TYPE,
            HeaderValue::from_static(content_type),
        );
        self.body = Some(bytes.into());
        Ok(self)
    }

    /// Adds a header whose value is known to be valid.
    #[must_use]
    pub fn with_header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.insert(name, value);
        self
    }

    /// Overrides what may be done when the request's fate is unclear.
    #[must_use]
    pub fn with_safety(mut self, safety: Safety) -> Self {
        self.safety = safety;
        self
    }

    /// Takes an answer of any size: a part of a log that cannot be asked for in smaller parts.
    #[must_use]
    pub fn with_answer_of_any_size(mut self) -> Self {
        self.any_size = true;
        self
    }

    /// The exact request target, prefix included.
    pub fn full_target(&self) -> String {
        self.base.target(&self.target)
    }

    /// The bytes of the body; empty when there is none.
    pub fn body_bytes(&self) -> &[u8] {
        self.body.as_deref().unwrap_or_default()
    }
}

/// A request that carries its signature. Only `sign/` can make one, and only one can be sent.
#[derive(Debug, Clone)]
pub struct Signed {
    pub(crate) template: Template,
    /// Every header to send, the signer's included; secret values are marked sensitive.
    pub(crate) headers: HeaderMap,
    /// What the signature was made from.
    hidden: Arc<[Secret]>,
}

impl Signed {
    /// Made by signers alone: hence the token that only `sign/` can build.
    pub(crate) fn new(_proof: crate::sign::Proof, template: Template, headers: HeaderMap) -> Self {
        Self {
            template,
            headers,
            hidden: Arc::default(),
        }
    }

    /// Names what must not be shown though no header holds it as it is, such as a password or a key.
    pub(crate) fn hiding(self, secrets: impl IntoIterator<Item = Secret>) -> Self {
        Self {
            hidden: secrets.into_iter().collect(),
            ..self
        }
    }

    /// What must not be shown beside the sensitive headers.
    pub(super) fn hidden(&self) -> &[Secret] {
        &self.hidden
    }

    /// The headers that travel.
    pub fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    /// The request they were made for.
    pub fn template(&self) -> &Template {
        &self.template
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_http_goes_to_loopback_only() {
        for good in [
            "http://127.0.0.1:8080",
            "http://localhost:1",
            "http://[::1]:9/x/",
        ] {
            assert!(BaseUrl::parse(good).is_ok(), "{good}");
        }
        let error = BaseUrl::parse("http://eci.example").unwrap_err();
        assert_eq!((error.kind(), error.code()), (Kind::Config, "plain_http"));
    }

    #[test]
    fn credentials_queries_and_other_schemes_are_refused() {
        for bad in [
            "https://u:p@h",
            "https://h/?a=b",
            "https://h/#f",
            "ftp://h",
            "h:80",
            "",
        ] {
            assert_eq!(
                BaseUrl::parse(bad).unwrap_err().code(),
                "bad_base_url",
                "{bad}"
            );
        }
    }

    #[test]
    fn prefix_path_and_query_make_one_target() {
        let base = BaseUrl::parse("https://cc.example:8443/cycle/").unwrap();
        let target = Target::new("/clusters")
            .segment("my lab")
            .literal(":cancel")
            .query("a", "b c")
            .query("d", "");
        assert_eq!(
            base.target(&target),
            "/cycle/clusters/my%20lab:cancel?a=b%20c&d="
        );
        assert_eq!(base.authority(), "cc.example:8443");
    }
}
