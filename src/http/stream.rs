//! Bodies too large to hold: sent as they are read, handed on as they come.
//!
//! Only transfers of files need it; answers of an API are read whole ([`Transport`]).

use std::fmt;
use std::io;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::stream::BoxStream;
use http::{HeaderMap, StatusCode};

use super::send::{Transport, TransportError};
use super::{Answer, Signed};

/// Bytes of a known length that can be read from the start as often as a request is repeated.
pub trait BodySource: fmt::Debug + Send + Sync {
    /// How many bytes there are.
    fn length(&self) -> u64;

    /// The bytes, from the first.
    fn open(&self) -> io::Result<BoxStream<'static, io::Result<Bytes>>>;
}

/// An answer whose body is still on its way.
pub struct Incoming {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub pieces: BoxStream<'static, Result<Bytes, TransportError>>,
}

impl fmt::Debug for Incoming {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Incoming")
            .field("status", &self.status)
            .finish_non_exhaustive()
    }
}

/// A transport that can stream.
#[async_trait]
pub trait Streaming: Transport {
    /// Sends a request with the source's bytes as its body; `patience` is how long nothing may move.
    async fn upload(
        &self,
        request: &Signed,
        source: &dyn BodySource,
        patience: Duration,
    ) -> Result<Answer, TransportError>;

    /// Sends a request and hands the answer's body on as it comes; `patience` is how long nothing may come.
    async fn download(
        &self,
        request: &Signed,
        patience: Duration,
    ) -> Result<Incoming, TransportError>;
}
