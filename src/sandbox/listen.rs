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
use axum::extract::{ConnectInfo, Request};
use axum::response::Response;
use bytes::Bytes;
use futures_util::stream::{self, StreamExt};
use http::header::CONTENT_LENGTH;
use http::{HeaderValue, StatusCode};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::service::{Delivery, RawAnswer, RawRequest};
use super::socket::{Fuse, Resettable};

/// The largest body that is read.
const BODY_LIMIT: usize = 64 * 1024 * 1024;

/// In how many pieces a slow body comes.
const PIECES: u16 = 20;

/// How long the first half of a torn body has to leave.
const FLUSH: Duration = Duration::from_millis(10);

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
        let router = Router::new().fallback(
            move |ConnectInfo(fuse): ConnectInfo<Fuse>, request: Request| {
                let answering = Arc::clone(&answering);
                async move { respond(answering.as_ref(), request, &fuse).await }
            },
        );
        tokio::spawn(async move {
            let stopped = async move {
                let _told_or_gone = stop.changed().await.is_ok();
            };
            let service = router.into_make_service_with_connect_info::<Fuse>();
            let served = axum::serve(Resettable(self.listener), service)
                .with_graceful_shutdown(stopped)
                .await;
            if let Err(error) = served {
                log::warn!("a sandbox port stopped: {error}");
            }
        })
    }
}

async fn respond(answering: &dyn Answering, request: Request, fuse: &Fuse) -> Response {
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
    if answer.delivery.reset {
        fuse.light();
    }
    let length = answer.body.len();
    let is_whole = answer.delivery.spread.is_zero() && !answer.delivery.torn;
    let mut response = Response::new(travelling(answer.body, answer.delivery));
    *response.status_mut() = answer.status;
    *response.headers_mut() = answer.headers;
    if !is_whole {
        response
            .headers_mut()
            .insert(CONTENT_LENGTH, HeaderValue::from(length));
    }
    response
}

/// The body as it is to be sent: whole, in pieces, in part, or not at all.
fn travelling(body: Bytes, delivery: Delivery) -> Body {
    let Delivery {
        delay: _,
        lost,
        reset,
        torn,
        spread,
    } = delivery;
    if lost || reset {
        // A body that fails before its first byte: hyper closes the connection without having sent the head.
        return Body::from_stream(stream::once(ready(Err::<Bytes, _>(gone()))));
    }
    if spread.is_zero() && !torn {
        return Body::from(body);
    }
    let sent = if torn {
        body.slice(..body.len() / 2)
    } else {
        body
    };
    let pieces = if spread.is_zero() { 1 } else { PIECES };
    let pause = spread / u32::from(pieces);
    let size = sent.len().div_ceil(usize::from(pieces)).max(1);
    let mut chunks: Vec<Result<Bytes, io::Error>> = sent
        .chunks(size)
        .map(|chunk| Ok(Bytes::copy_from_slice(chunk)))
        .collect();
    if torn {
        chunks.push(Err(gone()));
    }
    Body::from_stream(stream::iter(chunks).then(move |chunk| async move {
        // What was sent before must have left when the connection fails.
        let wait = if chunk.is_err() {
            pause.max(FLUSH)
        } else {
            pause
        };
        if !wait.is_zero() {
            tokio::time::sleep(wait).await;
        }
        chunk
    }))
}

fn gone() -> io::Error {
    io::Error::other("this answer is lost, by a switch or a fault rule")
}
