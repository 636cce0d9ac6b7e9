//! A folder of this machine as a WebDAV share of class 1 without locks (RFC 4918; paracloud.md §6.2 and §10).
//!
//! Who may use it is decided before: a [`Share`] authenticates nobody. Nothing outside its folder can be reached, whatever
//! a path says and wherever a job's symbolic links lead.

mod copy;
mod path;
mod propfind;
mod range;
mod read;
mod scan;
#[cfg(test)]
mod tests;
mod write;

use std::io;
use std::path::Path;

use http::header::{ALLOW, HeaderName};
use http::{HeaderValue, StatusCode};

use self::path::{Entry, Names, Spot};
use super::service::{RawAnswer, RawRequest};

/// Every method of a share.
const METHODS: &str = "OPTIONS, GET, HEAD, PUT, DELETE, PROPFIND, MKCOL, COPY, MOVE";

/// What a request comes to.
type Outcome = Result<RawAnswer, Refusal>;

/// A folder and where it is served.
#[derive(Debug, Clone, Copy)]
pub struct Share<'a> {
    /// The path before the folder's own, such as `/webdav`, without a slash at the end.
    pub prefix: &'a str,
    /// The folder; it exists.
    pub root: &'a Path,
    /// What a write into a missing folder is answered: 409, or 404 as an older library does.
    pub missing_parent: StatusCode,
}

/// Why a request is not done.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Refusal {
    status: StatusCode,
    message: String,
}

impl Refusal {
    fn new(status: StatusCode, message: impl Into<String>) -> Self {
        Self {
            status,
            message: message.into(),
        }
    }

    fn bad(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, message)
    }

    fn missing() -> Self {
        Self::new(StatusCode::NOT_FOUND, "there is no such file or folder")
    }

    fn precondition(message: impl Into<String>) -> Self {
        Self::new(StatusCode::PRECONDITION_FAILED, message)
    }

    /// 405: not on what there is.
    fn not_allowed(message: impl Into<String>) -> Self {
        Self::new(StatusCode::METHOD_NOT_ALLOWED, message)
    }

    fn answer(&self) -> RawAnswer {
        let answer = RawAnswer::text(self.status, format!("{}\n", self.message));
        if self.status == StatusCode::METHOD_NOT_ALLOWED {
            return answer.with_header(ALLOW, HeaderValue::from_static(METHODS));
        }
        answer
    }
}

impl From<io::Error> for Refusal {
    fn from(error: io::Error) -> Self {
        let kind = error.kind();
        let status = if matches!(kind, io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) {
            return Self::missing();
        } else if matches!(
            kind,
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded
        ) {
            StatusCode::INSUFFICIENT_STORAGE
        } else if matches!(
            kind,
            io::ErrorKind::AlreadyExists | io::ErrorKind::IsADirectory
        ) {
            StatusCode::METHOD_NOT_ALLOWED
        } else if kind == io::ErrorKind::InvalidFilename {
            StatusCode::BAD_REQUEST
        } else if kind == io::ErrorKind::PermissionDenied {
            StatusCode::FORBIDDEN
        } else {
            StatusCode::INTERNAL_SERVER_ERROR
        };
        Self::new(status, error.to_string())
    }
}

impl Share<'_> {
    /// Answers one request of somebody who may use the share.
    pub fn answer(&self, request: &RawRequest) -> RawAnswer {
        self.act(request).unwrap_or_else(|refusal| refusal.answer())
    }

    fn act(&self, request: &RawRequest) -> Outcome {
        let names = Names::of_path(request.path(), self.prefix)
            .ok_or_else(|| Refusal::bad("the path is not percent-encoded names below the share"))?;
        if request
            .header("if")
            .is_some_and(|condition| condition.contains('<'))
        {
            return Err(Refusal::precondition("there are no locks on this share"));
        }
        match request.method.as_str() {
            "OPTIONS" => Ok(options()),
            "GET" | "HEAD" => read::file(&self.readable(&names)?, request),
            "PROPFIND" => propfind::answer(self, &names, &self.readable(&names)?, request),
            "PUT" => write::put(self, &names, request),
            "MKCOL" => write::make_folder(self, &names, request),
            "DELETE" => write::delete(self, &names, request),
            "COPY" => copy::copy(self, &names, request),
            "MOVE" => copy::rename(self, &names, request),
            other => Err(Refusal::not_allowed(format!(
                "this share does not know {other}"
            ))),
        }
    }

    /// What is there to be read.
    fn readable(&self, names: &Names) -> Result<Entry, Refusal> {
        let spot = Spot::find(self.root, names)?.ok_or_else(Refusal::missing)?;
        spot.entry.ok_or_else(Refusal::missing)
    }

    /// Where something is to be written: its folder is there.
    fn writable(&self, names: &Names) -> Result<Spot, Refusal> {
        Spot::find(self.root, names)?.ok_or_else(|| {
            Refusal::new(
                self.missing_parent,
                "the folder that it belongs to is missing",
            )
        })
    }
}

fn options() -> RawAnswer {
    RawAnswer::empty(StatusCode::OK)
        .with_header(ALLOW, HeaderValue::from_static(METHODS))
        .with_header(
            HeaderName::from_static("dav"),
            HeaderValue::from_static("1"),
        )
        .with_header(
            HeaderName::from_static("ms-author-via"),
            HeaderValue::from_static("DAV"),
        )
}
