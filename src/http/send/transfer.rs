//! Requests whose bodies stream, through the same loop as all others (paracloud.md §6.2).

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use bytes::BytesMut;
use futures_util::StreamExt as _;
use tokio::time::{Instant, timeout_at};

use crate::error::{Error, Kind};
use crate::http::stream::{BodySource, Incoming, Streaming};
use crate::http::{Answer, Signed, Template};

use super::{Carrier, Failure, Session, TransportError};

/// So much of a failed answer is read.
const READ_AT_MOST: usize = 64 * 1024;

impl Session {
    /// Sends a request with a source's bytes as its body, from the first byte at every attempt.
    pub async fn upload(
        &self,
        streaming: &dyn Streaming,
        template: &Template,
        source: &dyn BodySource,
    ) -> Result<Answer, Failure> {
        let upload = Upload {
            streaming,
            source,
            deadline: self.patience.deadline,
        };
        self.carry(template, &upload).await
    }

    /// Sends a request until its answer begins well; the body is the caller's to read.
    pub async fn download(
        &self,
        streaming: &dyn Streaming,
        template: &Template,
    ) -> Result<Incoming, Failure> {
        let download = Download {
            streaming,
            begun: Mutex::new(None),
        };
        let answer = self.carry(template, &download).await?;
        let begun = download
            .begun
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner);
        Ok(begun.unwrap_or_else(|| Incoming {
            status: answer.status,
            headers: answer.headers,
            pieces: futures_util::stream::empty().boxed(),
        }))
    }

    /// The end of `--timeout` while bytes still flow.
    pub async fn before_deadline<T>(
        &self,
        operation: &str,
        work: impl Future<Output = T>,
    ) -> Result<T, Error> {
        match self.patience.deadline {
            None => Ok(work.await),
            Some(deadline) => timeout_at(deadline, work).await.map_err(|_elapsed| {
                Error::new(
                    Kind::Timeout,
                    "timeout",
                    format!("`--timeout` ran out during `{operation}`"),
                )
                .with_provider(&self.provider)
            }),
        }
    }
}

struct Upload<'a> {
    streaming: &'a dyn Streaming,
    source: &'a dyn BodySource,
    deadline: Option<Instant>,
}

#[async_trait]
impl Carrier for Upload<'_> {
    async fn carry(&self, signed: &Signed, limit: Duration) -> Result<Answer, TransportError> {
        let upload = self.streaming.upload(signed, self.source, limit);
        match self.deadline {
            None => upload.await,
            Some(deadline) => timeout_at(deadline, upload)
                .await
                .unwrap_or_else(|_elapsed| Err(too_late())),
        }
    }
}

struct Download<'a> {
    streaming: &'a dyn Streaming,
    /// The answer that began well.
    begun: Mutex<Option<Incoming>>,
}

#[async_trait]
impl Carrier for Download<'_> {
    async fn carry(&self, signed: &Signed, limit: Duration) -> Result<Answer, TransportError> {
        let incoming = self.streaming.download(signed, limit).await?;
        let (status, headers) = (incoming.status, incoming.headers.clone());
        let mut body = BytesMut::new();
        if status.is_success() {
            let mut begun = self.begun.lock().unwrap_or_else(PoisonError::into_inner);
            *begun = Some(incoming);
        } else {
            let mut pieces = incoming.pieces;
            while let Some(Ok(piece)) = pieces.next().await {
                body.extend_from_slice(&piece);
                if body.len() >= READ_AT_MOST {
                    break;
                }
            }
        }
        Ok(Answer {
            status,
            headers,
            body: body.freeze(),
        })
    }
}

/// Temporary, so that the loop looks at the clock and says what really ran out.
fn too_late() -> TransportError {
    TransportError {
        sent: true,
        error: Error::new(Kind::Temporary, "no_answer", "no answer in time"),
    }
}
