//! Requests that a user writes, for `api` (cli.md §10): any method, path and query, with the provider's own signature.
//!
//! Pure up to [`RawCall::send`]. What goes on the wire is encoded once by the strict encoder, as for every other request:
//! a `%XX` in the path argument is an escape that stays one, a `%` before anything else and a `+` stand for themselves,
//! and what a user gives as a parameter of its own is literal text.

use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Method};

use crate::error::{Error, Kind, Result};
use crate::http::dialect::Plain;
use crate::http::{Answer, BaseUrl, Failure, Safety, Session, Target, Template, encode};

/// The operation in messages and traces: what the path means is not known here.
const OPERATION: &str = "api";

/// Headers that the transport makes.
const OF_THE_TRANSPORT: [&str; 4] = ["host", "content-length", "transfer-encoding", "connection"];

/// A request as it was written.
#[derive(Debug, Clone)]
pub struct RawRequest {
    pub method: Method,
    pub path: RawPath,
    /// In order; a name may come twice.
    pub headers: Vec<(HeaderName, HeaderValue)>,
    pub body: Option<Bytes>,
    /// The operation's name, which PAI-DLC wants to be told.
    pub action: Option<String>,
}

/// A path from the root of the service, normalised, and its query decoded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RawPath {
    segments: Vec<String>,
    pub query: Vec<(String, String)>,
}

/// What differs between providers.
#[derive(Debug, Clone, Copy)]
pub(super) struct Manner {
    /// The content type of a body for which none is given.
    pub(super) content_type: &'static str,
    /// Whether a POST, PUT or PATCH has it without a body too.
    pub(super) types_every_write: bool,
    /// The first segment of the paths on which every answer has an envelope.
    pub(super) enveloped: Option<&'static str>,
    /// Headers of the signer.
    pub(super) signed: &'static [&'static str],
    /// Headers of every request, unless the user gives others.
    pub(super) fixed: &'static [(&'static str, &'static str)],
    /// Whether the operation is told by name.
    pub(super) takes_action: bool,
    /// Whether everything but unreserved characters is escaped, and the query sorted (pai-dlc.md §2.3, §2.4).
    pub(super) is_canonical: bool,
}

/// A request that can be sent, with what signs and sends it.
#[derive(Debug, Clone)]
pub struct RawCall {
    pub session: Session,
    pub template: Template,
}

impl RawPath {
    /// Reads `/path?name=value`; `parameters` come after those of the path.
    pub fn parse(text: &str, parameters: &[(String, String)]) -> Result<Self> {
        let bad = |why: &str| Error::new(Kind::Usage, "bad_path", format!("PATH `{text}` {why}"));
        let (path, query) = text.split_once('?').unwrap_or((text, ""));
        if text.contains("://") && !text.starts_with('/') {
            return Err(bad("is a whole URL").with_hint(
                "give the path from the root of the service; the host is the provider's `base-url`",
            ));
        }
        let Some(path) = path.strip_prefix('/') else {
            return Err(bad("does not begin with `/`")
                .with_hint("give the path as it stands on the server, such as `/api/v1/jobs`"));
        };
        let segments = path
            .split('/')
            .map(|segment| segment_of(segment).ok_or_else(|| bad("is no UTF-8 once decoded")))
            .collect::<Result<Vec<_>>>()?;
        if segments
            .iter()
            .any(|segment| matches!(segment.as_str(), "." | ".."))
        {
            return Err(bad(
                "holds a `.` or `..` segment, which servers resolve differently",
            ));
        }
        let mut pairs = query
            .split('&')
            .filter(|pair| !pair.is_empty())
            .map(|pair| {
                let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
                decoded(name)
                    .zip(decoded(value))
                    .ok_or_else(|| bad("has a query that is no UTF-8 once decoded"))
            })
            .collect::<Result<Vec<_>>>()?;
        pairs.extend(parameters.iter().cloned());
        Ok(Self {
            segments,
            query: pairs,
        })
    }

    /// The path's segments, as they stand on the server: with escapes where a character has two meanings.
    pub fn segments(&self) -> &[String] {
        &self.segments
    }

    fn target(&self, manner: Manner) -> Target {
        let path: String = self
            .segments
            .iter()
            .flat_map(|segment| {
                let bare = if manner.is_canonical { "" } else { PATH_MARKS };
                ["/".to_owned(), escaped(segment, bare)]
            })
            .collect();
        let mut pairs: Vec<&(String, String)> = self.query.iter().collect();
        if manner.is_canonical {
            pairs.sort();
        }
        pairs
            .iter()
            .fold(Target::new(&path), |target, (name, value)| {
                target.query(name, value)
            })
    }
}

impl RawCall {
    /// The request on a base URL, to be sent by a copy of a session that judges it by its status alone.
    pub(super) fn new(
        session: &Session,
        base: &BaseUrl,
        request: RawRequest,
        manner: Manner,
    ) -> Result<Self> {
        if request.action.is_some() && !manner.takes_action {
            return Err(Error::new(
                Kind::Usage,
                "no_action",
                format!(
                    "--action: `{}` is not told an operation's name",
                    session.provider
                ),
            )
            .with_hint("leave it out: method and path say it all"));
        }
        let is_read = matches!(request.method, Method::GET | Method::HEAD);
        if is_read && request.body.is_some() {
            return Err(Error::new(
                Kind::Usage,
                "body_of_a_read",
                format!("-d: a {} request has no body", request.method),
            )
            .with_hint("give parameters with `-q NAME=VALUE`"));
        }
        // Nothing to send is no body, however it was given.
        let body = request.body.filter(|body| !body.is_empty());
        let plain = Plain {
            dialect: Arc::clone(&session.dialect),
            is_head: request.method == Method::HEAD,
            wants_envelope: manner.enveloped.is_some()
                && request.path.segments.first().map(String::as_str) == manner.enveloped,
        };
        let is_typed = body.is_some()
            || (manner.types_every_write
                && matches!(request.method, Method::POST | Method::PUT | Method::PATCH));
        let target = request.path.target(manner);
        let mut template = Template::new(OPERATION, request.method, base, target);
        template.safety = if is_read {
            Safety::Repeatable
        } else {
            Safety::Once
        };
        if is_typed {
            let content_type = HeaderValue::from_static(manner.content_type);
            template = template.with_header(http::header::CONTENT_TYPE, content_type);
        }
        for (name, value) in manner.fixed {
            template = template.with_header(
                HeaderName::from_static(name),
                HeaderValue::from_static(value),
            );
        }
        template.body = body;
        add_headers(&mut template, request.headers, manner.signed)?;
        let mut session = session.clone();
        session.dialect = Arc::new(plain);
        if !is_read {
            session.patience.retries = 0;
        }
        Ok(Self { session, template })
    }

    /// Sends it; what is no read is sent once.
    pub async fn send(&self) -> Result<Answer, Failure> {
        self.session.send(&self.template).await
    }
}

/// Adds the user's headers; the first of a name replaces ours, and those of the signature cannot be given.
fn add_headers(
    template: &mut Template,
    headers: Vec<(HeaderName, HeaderValue)>,
    signed: &[&str],
) -> Result<()> {
    let mut given: Vec<HeaderName> = Vec::new();
    for (name, value) in headers {
        if signed.contains(&name.as_str()) || OF_THE_TRANSPORT.contains(&name.as_str()) {
            return Err(Error::new(
                Kind::Usage,
                "header_of_ours",
                format!("-H: `{name}` is made by gpujob for every request"),
            )
            .with_hint("leave it out; the credential is that of the configured provider"));
        }
        if given.contains(&name) {
            template.headers.append(name, value);
        } else {
            template.headers.insert(name.clone(), value);
            given.push(name);
        }
    }
    Ok(())
}

/// What may stand bare in a path beside unreserved characters (RFC 3986 §3.3).
const PATH_MARKS: &str = "!$&'()*+,;=:@";

/// A segment with every escape that is none needed undone; an escaped `/` and `%` stay escapes.
fn segment_of(text: &str) -> Option<String> {
    let mut segment = String::new();
    for piece in pieces(text) {
        match piece {
            Piece::Bare(bare) => segment.push_str(&bare.replace('%', "%25")),
            Piece::Escaped(run) => {
                let plain = encode::decode(run)?;
                segment.push_str(&plain.replace('%', "%25").replace('/', "%2F"));
            }
        }
    }
    Some(segment)
}

/// The text of a query's name or value: escapes decoded, everything else as it is.
fn decoded(text: &str) -> Option<String> {
    let mut plain = String::new();
    for piece in pieces(text) {
        match piece {
            Piece::Bare(bare) => plain.push_str(bare),
            Piece::Escaped(run) => plain.push_str(&encode::decode(run)?),
        }
    }
    Some(plain)
}

/// A segment as it goes on the wire; its `%25` and `%2F` are escapes already.
fn escaped(segment: &str, bare: &str) -> String {
    let mut text = String::new();
    for piece in pieces(segment) {
        match piece {
            Piece::Escaped(run) => text.push_str(run),
            Piece::Bare(plain) => {
                for character in plain.chars() {
                    if bare.contains(character) {
                        text.push(character);
                    } else {
                        text.push_str(&encode::component(character.encode_utf8(&mut [0; 4])));
                    }
                }
            }
        }
    }
    text
}

enum Piece<'a> {
    Bare(&'a str),
    /// A run of `%XX`.
    Escaped(&'a str),
}

/// Runs of escapes, and what stands between them.
fn pieces(text: &str) -> impl Iterator<Item = Piece<'_>> {
    let mut rest = text;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let escapes = escapes_at(rest);
        let (length, is_escaped) = if escapes > 0 {
            (escapes, true)
        } else {
            let ends = rest.char_indices().skip(1).map(|(index, _)| index);
            let mut ends =
                ends.filter(|index| rest.get(*index..).is_some_and(|tail| escapes_at(tail) > 0));
            (ends.next().unwrap_or(rest.len()), false)
        };
        let (piece, tail) = rest.split_at_checked(length)?;
        rest = tail;
        Some(if is_escaped {
            Piece::Escaped(piece)
        } else {
            Piece::Bare(piece)
        })
    })
}

/// The length of the run of `%XX` that a text begins with.
fn escapes_at(text: &str) -> usize {
    let mut length = 0;
    let mut bytes = text.bytes();
    while let (Some(b'%'), Some(high), Some(low)) = (bytes.next(), bytes.next(), bytes.next()) {
        if !(high.is_ascii_hexdigit() && low.is_ascii_hexdigit()) {
            break;
        }
        length += 3;
    }
    length
}

#[cfg(test)]
mod tests;
