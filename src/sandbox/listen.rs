//! One loopback port: raw bytes in, raw bytes out. No routing and no decoding happens here, so that a service can
//! authenticate over exactly what came (style.md §12).

use std::fmt;
use std::future::ready;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::response::Response;
use bytes::Bytes;
use http::StatusCode;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::service::{RawAnswer, RawRequest};

/// The largest body that is read.
const BODY_LIMIT: usize = 64 * 1024 * 1024;

/// What answers on a port.
pub trait Answering: fmt::Debug + Send + Sync + 'static {
    /// Answers one request that was read whole.
    fn answer(&self, request: &RawRequest) -> RawAnswer;
}

/// A bound port; nothing is answered before [`Port::serve`].
#[derive(Debug)]
pub struct Port {
    listener: TcpListener,
    address: SocketAddr,
}

impl Port {
    /// Binds a port of 127.0.0.1, a free one for 0. No other address can be bound.
    pub async fn bind(port: u16) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
        let address = listener.local_addr()?;
        Ok(Self { listener, address })
    }

    /// The port's base URL, without a slash at the end.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Answers requests until `stop` changes or its sender is gone.
    pub fn serve(
        self,
        answering: Arc<dyn Answering>,
        mut stop: watch::Receiver<()>,
    ) -> JoinHandle<()> {
        let router = Router::new().fallback(move |request: Request| {
            let answering = Arc::clone(&answering);
            async move { respond(answering.as_ref(), request).await }
        });
        tokio::spawn(async move {
            let stopped = async move {
                let _told_or_gone = stop.changed().await.is_ok();
            };
            let served = axum::serve(self.listener, router)
                .with_graceful_shutdown(stopped)
                .await;
            if let Err(error) = served {
                log::warn!("a sandbox port stopped: {error}");
            }
        })
    }
}

async fn respond(answering: &dyn Answering, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    // hyper keeps the request line's text; a target in absolute form is cut to its path and query.
    let target = parts
        .uri
        .path_and_query()
        .map_or_else(|| parts.uri.path().to_owned(), ToString::to_string);
    let answer = match to_bytes(body, BODY_LIMIT).await {
        Ok(body) => answering.answer(&RawRequest {
            method: parts.method,
            target,
            headers: parts.headers,
            body,
        }),
        Err(error) => RawAnswer::text(
            StatusCode::PAYLOAD_TOO_LARGE,
            format!("the body cannot be read, or is larger than {BODY_LIMIT} bytes: {error}\n"),
        ),
    };
    if answer.delivery.delay > Duration::ZERO {
        tokio::time::sleep(answer.delivery.delay).await;
    }
    let body = if answer.delivery.lost {
        // A body that fails before its first byte: hyper closes the connection without having sent the head.
        let lost = io::Error::other("this answer is lost, by a switch");
        Body::from_stream(futures_util::stream::once(ready(Err::<Bytes, _>(lost))))
    } else {
        Body::from(answer.body)
    };
    let mut response = Response::new(body);
    *response.status_mut() = answer.status;
    *response.headers_mut() = answer.headers;
    response
}
