//! Bodies that stream over the wire (paracloud.md §6.2). Their limit is not on the whole but on standing still.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::{StreamExt as _, stream};
use reqwest::{Body, Response};
use tokio::time::{Instant, sleep_until, timeout};

use crate::error::{Error, Kind};
use crate::http::send::TransportError;
use crate::http::stream::{BodySource, Incoming, Streaming};
use crate::http::{Answer, Signed};

use super::Live;
use super::fault::Circumstances;

/// What is seen of a body on its way out.
#[derive(Debug)]
struct Watch {
    /// When its last bytes were taken.
    moved: Mutex<Instant>,
    /// Why it could not be read on: a fault of this side, whatever the connection says then.
    unreadable: Mutex<Option<io::Error>>,
    leaving: AtomicBool,
}

impl Watch {
    fn new() -> Self {
        Self {
            moved: Mutex::new(Instant::now()),
            unreadable: Mutex::new(None),
            leaving: AtomicBool::new(false),
        }
    }

    fn last(&self) -> Instant {
        *self.moved.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes what one read of the body gave, and passes it on.
    fn saw(&self, read: io::Result<Bytes>) -> io::Result<Bytes> {
        self.leaving.store(true, Ordering::Release);
        *self.moved.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
        read.map_err(|error| {
            let kind = error.kind();
            *self
                .unreadable
                .lock()
                .unwrap_or_else(PoisonError::into_inner) = Some(error);
            kind.into()
        })
    }

    fn fault_of_this_side(&self) -> Option<Error> {
        let mut slot = self
            .unreadable
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        slot.take().map(|error| unreadable(&error))
    }
}

#[async_trait]
impl Streaming for Live {
    async fn upload(
        &self,
        request: &Signed,
        source: &dyn BodySource,
        patience: Duration,
    ) -> Result<Answer, TransportError> {
        let unsent = |error| TransportError { sent: false, error };
        let pieces = source.open().map_err(|error| unsent(unreadable(&error)))?;
        let watch = Arc::new(Watch::new());
        let body = Body::wrap_stream(pieces.map({
            let watch = Arc::clone(&watch);
            move |read| watch.saw(read)
        }));
        let prepared = self
            .head(request, source.length())
            .map_err(unsent)?
            .body(body);
        let circumstances = Circumstances {
            host: request.template().base.authority(),
            connect_limit: self.connect_limit,
            leaving: &watch.leaving,
        };
        let mut exchange = std::pin::pin!(self.exchange(prepared, &circumstances, self.body_limit));
        let result = loop {
            let until = watch.last() + patience;
            tokio::select! {
                result = &mut exchange => break result,
                () = sleep_until(until) => {
                    if watch.last() + patience <= Instant::now() {
                        break Err(circumstances.too_slow(patience));
                    }
                }
            }
        };
        match watch.fault_of_this_side() {
            Some(error) => Err(TransportError { sent: true, error }),
            None => result,
        }
    }

    async fn download(
        &self,
        request: &Signed,
        patience: Duration,
    ) -> Result<Incoming, TransportError> {
        let leaving = Arc::new(AtomicBool::new(true));
        let prepared = self
            .request(request, &leaving)
            .map_err(|error| TransportError { sent: false, error })?;
        let circumstances = Circumstances {
            host: request.template().base.authority(),
            connect_limit: self.connect_limit,
            leaving: &leaving,
        };
        let response = timeout(patience, prepared.send())
            .await
            .map_err(|_elapsed| circumstances.too_slow(patience))?
            .map_err(|error| circumstances.transport_error(error))?;
        let (status, headers) = (response.status(), response.headers().clone());
        let arriving = Arriving {
            response,
            host: circumstances.host.to_owned(),
            connect_limit: self.connect_limit,
            patience,
        };
        let pieces = stream::unfold(Some(arriving), |arriving| async {
            let mut arriving = arriving?;
            match arriving.next().await {
                Ok(Some(piece)) => Some((Ok(piece), Some(arriving))),
                Ok(None) => None,
                Err(error) => Some((Err(error), None)),
            }
        });
        Ok(Incoming {
            status,
            headers,
            pieces: pieces.boxed(),
        })
    }
}

/// A body on its way in.
struct Arriving {
    response: Response,
    host: String,
    connect_limit: Duration,
    patience: Duration,
}

impl Arriving {
    /// The next bytes; `None` at the end of the whole body.
    async fn next(&mut self) -> Result<Option<Bytes>, TransportError> {
        let leaving = AtomicBool::new(true);
        let circumstances = Circumstances {
            host: &self.host,
            connect_limit: self.connect_limit,
            leaving: &leaving,
        };
        timeout(self.patience, self.response.chunk())
            .await
            .map_err(|_elapsed| circumstances.too_slow(self.patience))?
            .map_err(|error| circumstances.answer_broken(error))
    }
}

/// What was to be sent cannot be read: no repeat helps.
fn unreadable(error: &io::Error) -> Error {
    Error::new(
        Kind::Usage,
        "unreadable_file",
        format!("what was to be sent cannot be read: {error}"),
    )
}
