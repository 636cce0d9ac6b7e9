//! What every emulated service is to the server: raw bytes in, raw bytes out, and a clock tick.

use std::fmt;

use bytes::Bytes;
use http::{HeaderMap, Method, StatusCode};
use serde_json::Value;

/// One request exactly as it came over the wire.
#[derive(Debug, Clone)]
pub struct RawRequest {
    pub method: Method,
    /// Path and query as on the request line, undecoded.
    pub target: String,
    pub headers: HeaderMap,
    pub body: Bytes,
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
}

/// One emulated service, listening on a loopback port of its own.
///
/// The server calls [`Self::answer`] with the raw bytes; the service authenticates over them first, then routes, then
/// decodes strictly. State lives in the value, behind its own lock; no lock is held across an await.
pub trait Service: fmt::Debug + Send + Sync {
    /// The backend's id, such as `pai-dlc`.
    fn backend(&self) -> &'static str;

    /// Answers one request.
    fn answer(&self, request: &RawRequest) -> RawAnswer;

    /// Moves jobs on: called every few milliseconds and before every answer.
    fn tick(&self);

    /// Changes a switch of this service from the control route; the error names what is wrong.
    fn configure(&self, settings: &Value) -> Result<(), String>;

    /// Forgets all jobs, volumes and namespaces and ends their processes.
    fn reset(&self);
}
