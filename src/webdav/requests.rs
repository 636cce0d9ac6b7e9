//! The requests, and where a path stands on the wire (paracloud.md §6.2): encoded segment by segment, once.
//!
//! All may be repeated: a file gets its name only by a MOVE of what arrived whole, and the rest is idempotent.

use bytes::Bytes;
use http::header::{ACCEPT, CONTENT_TYPE, IF_RANGE, RANGE};
use http::{HeaderName, HeaderValue, Method};

use crate::error::{Error, Result};
use crate::http::{BaseUrl, Safety, Target, Template, encode};
use crate::model::FilePath;

/// PROPFIND.
pub const READ_PROPERTIES: &str = "ReadProperties";
/// GET.
pub const GET_FILE: &str = "GetFile";
/// PUT.
pub const PUT_FILE: &str = "PutFile";
/// MOVE.
pub const MOVE_FILE: &str = "MoveFile";
/// MKCOL.
pub const MAKE_FOLDER: &str = "MakeFolder";
/// DELETE.
pub const DELETE_FILE: &str = "DeleteFile";

const DEPTH: HeaderName = HeaderName::from_static("depth");
const DESTINATION: HeaderName = HeaderName::from_static("destination");
const OVERWRITE: HeaderName = HeaderName::from_static("overwrite");

/// The properties that are read; what else a server has is none of our business.
const PROPERTIES: &str = concat!(
    r#"<?xml version="1.0" encoding="utf-8"?>"#,
    r#"<propfind xmlns="DAV:"><prop><resourcetype/><getcontentlength/><getlastmodified/></prop></propfind>"#,
);

/// Builds requests for one server.
#[derive(Debug, Clone)]
pub struct Requests {
    base: BaseUrl,
}

/// How far below a path is looked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Depth {
    Itself,
    Children,
}

/// Where an answer's href leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Place {
    Inside(FilePath),
    /// Not under this server's root.
    Outside,
    /// Under it, by a name that no path of ours can hold.
    Unspeakable,
}

impl Requests {
    /// Requests under a root.
    pub fn new(base: BaseUrl) -> Self {
        Self { base }
    }

    /// Properties of a path; `as_folder` writes it with the slash that some servers want for folders.
    pub(super) fn properties(&self, path: &FilePath, depth: Depth, as_folder: bool) -> Template {
        let method = extension(b"PROPFIND");
        let depth = match depth {
            Depth::Itself => "0",
            Depth::Children => "1",
        };
        let mut template = self
            .template(READ_PROPERTIES, method, path, as_folder)
            .with_header(DEPTH, HeaderValue::from_static(depth))
            .with_header(
                CONTENT_TYPE,
                HeaderValue::from_static("application/xml; charset=utf-8"),
            );
        template.body = Some(Bytes::from_static(PROPERTIES.as_bytes()));
        template
    }

    /// A file from `offset` on; with `validator` only if it is still the same, else from the start.
    pub(super) fn get(
        &self,
        path: &FilePath,
        offset: u64,
        validator: Option<&HeaderValue>,
    ) -> Template {
        let mut template = self.template(GET_FILE, Method::GET, path, false);
        if offset > 0 {
            if let Ok(range) = HeaderValue::from_str(&format!("bytes={offset}-")) {
                template = template.with_header(RANGE, range);
            }
            if let Some(validator) = validator {
                template = template.with_header(IF_RANGE, validator.clone());
            }
        }
        template
    }

    /// A file whose bytes stream.
    pub(super) fn put(&self, path: &FilePath) -> Template {
        self.template(PUT_FILE, Method::PUT, path, false)
            .with_header(
                CONTENT_TYPE,
                HeaderValue::from_static("application/octet-stream"),
            )
    }

    /// A small file with its bytes.
    pub fn put_text(&self, path: &FilePath, text: impl Into<Bytes>) -> Template {
        let mut template = self
            .template(PUT_FILE, Method::PUT, path, false)
            .with_header(
                CONTENT_TYPE,
                HeaderValue::from_static("text/plain; charset=utf-8"),
            );
        template.body = Some(text.into());
        template
    }

    /// One folder; its parent must be there.
    pub fn make_folder(&self, path: &FilePath) -> Template {
        self.template(MAKE_FOLDER, extension(b"MKCOL"), path, true)
    }

    /// A new name for a file, in place of what has it.
    pub(super) fn rename(&self, from: &FilePath, to: &FilePath) -> Result<Template> {
        let destination = self.base.url(&self.base.target(&target(to, false)));
        let destination = HeaderValue::from_str(&destination).map_err(|error| {
            Error::internal(format!("an encoded URL is no header value: {error}"))
        })?;
        Ok(self
            .template(MOVE_FILE, extension(b"MOVE"), from, false)
            .with_header(DESTINATION, destination)
            .with_header(OVERWRITE, HeaderValue::from_static("T")))
    }

    /// The end of a file, or of a folder with all that is in it.
    pub fn delete(&self, path: &FilePath, is_folder: bool) -> Template {
        self.template(DELETE_FILE, Method::DELETE, path, is_folder)
    }

    /// Where an href of an answer leads: absolute URLs and absolute paths are both usual.
    pub(super) fn place(&self, href: &str) -> Place {
        let path = match href.split_once("://") {
            Some((_, rest)) => rest.find('/').and_then(|start| rest.get(start..)),
            None => Some(href),
        };
        let path = path.unwrap_or("/");
        let steps = |text: &str| -> Option<Vec<String>> {
            text.split('/')
                .filter(|step| !step.is_empty())
                .map(encode::decode)
                .collect()
        };
        let root = steps(&self.base.target(&Target::new(""))).unwrap_or_default();
        let Some(found) = steps(path).filter(|_| path.starts_with('/')) else {
            return Place::Outside;
        };
        let Some(inside) = found.strip_prefix(root.as_slice()) else {
            return Place::Outside;
        };
        if inside.iter().any(|step| step.contains('/')) {
            return Place::Unspeakable;
        }
        match FilePath::parse(&inside.join("/")) {
            Ok(path) if path.steps() == inside => Place::Inside(path),
            Ok(_) | Err(_) => Place::Unspeakable,
        }
    }

    /// Whether an answer sends us to the same path with a slash at its end.
    pub(super) fn is_same_with_slash(&self, path: &FilePath, location: &str) -> bool {
        location.ends_with('/') && self.place(location) == Place::Inside(path.clone())
    }

    fn template(
        &self,
        operation: &'static str,
        method: Method,
        path: &FilePath,
        as_folder: bool,
    ) -> Template {
        Template::new(operation, method, &self.base, target(path, as_folder))
            .with_header(ACCEPT, HeaderValue::from_static("*/*"))
            .with_safety(Safety::Repeatable)
    }
}

fn target(path: &FilePath, as_folder: bool) -> Target {
    let target = path
        .steps()
        .iter()
        .fold(Target::new(""), |target, step| target.segment(step));
    if as_folder || path.is_root() {
        target.literal("/")
    } else {
        target
    }
}

/// A method of RFC 4918; that each is a token is tested.
fn extension(name: &'static [u8]) -> Method {
    Method::from_bytes(name).unwrap_or(Method::OPTIONS)
}
