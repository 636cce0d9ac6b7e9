//! What every emulated service is to the server: raw bytes in, raw bytes out, and a clock tick.

use std::fmt;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use serde_json::Value;
use tempfile::TempPath;

use super::clock::Clock;
use super::operation::{Held, Operation, Script};
use super::process::Launcher;
use super::trouble::Trouble;

/// One request exactly as it came over the wire.
#[derive(Debug, Clone)]
pub struct RawRequest {
    pub method: Method,
    /// Path and query as on the request line, undecoded.
    pub target: String,
    pub headers: HeaderMap,
    pub body: Bytes,
    /// The body as a file, where the service wants it so ([`Intake::File`]); `body` is empty then.
    pub upload: Option<Arc<Upload>>,
}

/// A body that was received into a file; the file goes with the value unless somebody takes it away.
#[derive(Debug)]
pub struct Upload(TempPath);

impl Upload {
    /// A body that is in this file.
    pub fn new(file: TempPath) -> Self {
        Self(file)
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.0
    }
}

/// Where the body of a request goes before the request is answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Intake {
    /// Into memory, up to a limit.
    Memory,
    /// Into a file of this folder, however large.
    File(PathBuf),
    /// Nowhere: the request will be refused for its head.
    Nowhere,
}

impl RawRequest {
    /// The path, undecoded.
    pub fn path(&self) -> &str {
        self.target
            .split_once('?')
            .map_or(self.target.as_str(), |(path, _)| path)
    }

    /// The query after the `?`, undecoded; empty when there is none.
    pub fn raw_query(&self) -> &str {
        self.target.split_once('?').map_or("", |(_, query)| query)
    }

    /// The first value of a header, if it is text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}

/// One answer.
#[derive(Debug, Clone)]
pub struct RawAnswer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Bytes,
    /// Sent instead of `body`; the service says its length in a header.
    pub file: Option<FilePart>,
    pub delivery: Delivery,
}

/// A part of an open file.
#[derive(Debug, Clone)]
pub struct FilePart {
    pub file: Arc<File>,
    pub start: u64,
    /// In bytes; a file that has become shorter is sent as far as it goes, and the connection is closed.
    pub length: u64,
}

/// How an answer travels: usually at once and whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Delivery {
    /// How long the client waits for it, whatever the sandbox's speed.
    pub delay: Duration,
    /// The connection is closed and nothing of the answer is sent.
    pub lost: bool,
    /// The same with a reset instead of an orderly close.
    pub reset: bool,
    /// The head promises the whole body, and the connection closes after half of it.
    pub torn: bool,
    /// How long the body trickles, piece by piece.
    pub spread: Duration,
}

impl RawAnswer {
    /// An answer without a body.
    pub fn empty(status: StatusCode) -> Self {
        Self {
            status,
            headers: HeaderMap::new(),
            body: Bytes::new(),
            file: None,
            delivery: Delivery::default(),
        }
    }

    /// An answer in JSON.
    pub fn json(status: StatusCode, body: &Value) -> Self {
        Self::with_type(status, "application/json", body.to_string())
    }

    /// An answer in plain text.
    pub fn text(status: StatusCode, body: impl Into<String>) -> Self {
        Self::with_type(status, "text/plain; charset=utf-8", body.into())
    }

    /// A web page, as a gateway or a wrong address answers.
    pub fn html(status: StatusCode, body: impl Into<String>) -> Self {
        Self::with_type(status, "text/html; charset=utf-8", body.into())
    }

    /// Adds a header.
    #[must_use]
    pub fn with_header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.insert(name, value);
        self
    }

    /// Says how it travels.
    #[must_use]
    pub fn delivered(mut self, delivery: Delivery) -> Self {
        self.delivery = delivery;
        self
    }

    fn with_type(status: StatusCode, content_type: &'static str, body: String) -> Self {
        Self {
            status,
            headers: HeaderMap::new(),
            body: body.into(),
            file: None,
            delivery: Delivery::default(),
        }
        .with_header(
            http::header::CONTENT_TYPE,
            HeaderValue::from_static(content_type),
        )
    }
}

/// One emulated service, listening on a loopback port of its own.
///
/// The server calls [`Self::answer`] with the raw bytes; the service authenticates over them first, then routes, then
/// decodes strictly. State lives in the value, behind its own lock; no lock is held across an await.
pub trait Service: fmt::Debug + Send + Sync {
    /// The backend's id, such as `pai-dlc`.
    fn backend(&self) -> &'static str;

    /// Where the body of a request goes, by its head alone.
    fn intake(&self, _head: &RawRequest) -> Intake {
        Intake::Memory
    }

    /// Answers one request.
    fn answer(&self, request: &RawRequest) -> RawAnswer;

    /// What a request is called; nothing of it is authenticated or decoded beyond method and path.
    fn operation(&self, request: &RawRequest) -> Operation;

    /// Every operation that it serves, for fault rules that name one.
    fn operations(&self) -> Vec<Operation>;

    /// An answer in the words of this service, as a fault rule wants it; `None` where the contract gives it no such
    /// answer. [`Script::Partly`] does what the request asks for, the others do nothing.
    fn scripted(&self, request: &RawRequest, script: Script) -> Option<RawAnswer>;

    /// The ids under which a job shows that this create, just answered so, has made; empty if it made none.
    fn created(&self, request: &RawRequest, answer: &RawAnswer) -> Vec<String>;

    /// Every job it holds, also of creates whose answer was lost.
    fn held(&self) -> Vec<Held>;

    /// Moves jobs on: called every few milliseconds and before every answer.
    fn tick(&self);

    /// Changes switches of this service from the control route: all of them or, with an error that names what is wrong,
    /// none. Every service knows `hold`: the word of a generic state in which jobs stay, or null.
    fn configure(&self, settings: &Value) -> Result<(), String>;

    /// Lets trouble befall the job of this id, or of one of the names in [`Self::held`].
    fn befall(&self, job: &str, trouble: Trouble) -> Result<(), String>;

    /// Forgets all jobs, volumes and namespaces, ends their processes and takes its switches back.
    fn reset(&self);

    /// The path under which it is served, to be added to its base URL; begins with a slash unless it is empty.
    fn context_path(&self) -> String {
        String::new()
    }

    /// What it holds, for `GET /__sandbox/state`: numbers of jobs by state, of requests by operation, and its switches.
    fn summary(&self) -> Value {
        Value::Null
    }
}

/// What every service is made from.
#[derive(Debug, Clone)]
pub struct Setup {
    pub clock: Clock,
    pub launcher: Launcher,
    /// Fixes the ids a service hands out; credentials are fresh for every run all the same.
    pub seed: u64,
}
