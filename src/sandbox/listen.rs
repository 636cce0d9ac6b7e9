//! One loopback port: raw bytes in, raw bytes out. No routing and no decoding happens here, so that a service can
//! authenticate over exactly what came (style.md §12).

use std::fmt;
use std::fs::File;
use std::future::ready;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::os::unix::fs::FileExt;
use std::path::Path;
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
use tokio::io::AsyncWriteExt;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::service::{Delivery, FilePart, Intake, RawAnswer, RawRequest, Upload};
use super::socket::{Fuse, Resettable};

/// The largest body that is read.
const BODY_LIMIT: usize = 64 * 1024 * 1024;

/// How much of a file is read at a time.
const FILE_PIECE: usize = 256 * 1024;

/// In how many pieces a slow body comes.
const PIECES: u16 = 20;

/// How long the first half of a torn body has to leave.
const FLUSH: Duration = Duration::from_millis(10);

/// What answers on a port.
pub trait Answering: fmt::Debug + Send + Sync + 'static {
    /// Where the body of a request goes, by its head alone.
    fn intake(&self, _head: &RawRequest) -> Intake {
        Intake::Memory
    }

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
    let head = RawRequest {
        method: parts.method,
        target,
        headers: parts.headers,
        body: Bytes::new(),
        upload: None,
    };
    let mut answer = match taken_in(answering, head, body).await {
        Ok(request) => answering.answer(&request),
        Err(refusal) => refusal,
    };
    if answer.delivery.delay > Duration::ZERO {
        tokio::time::sleep(answer.delivery.delay).await;
    }
    if answer.delivery.reset {
        fuse.light();
    }
    let is_whole = answer.delivery.spread.is_zero() && !answer.delivery.torn;
    if let Some(part) = answer.file.take() {
        if is_whole && !answer.delivery.lost && !answer.delivery.reset {
            let mut response = Response::new(file_body(part));
            *response.status_mut() = answer.status;
            *response.headers_mut() = answer.headers;
            return response;
        }
        answer.body = in_memory(part).await;
    }
    let length = answer.body.len();
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

/// The request with its body, where the service wants it.
async fn taken_in(
    answering: &dyn Answering,
    mut request: RawRequest,
    body: Body,
) -> Result<RawRequest, RawAnswer> {
    match answering.intake(&request) {
        Intake::Memory => {
            request.body = to_bytes(body, BODY_LIMIT).await.map_err(|error| {
                RawAnswer::text(
                    StatusCode::PAYLOAD_TOO_LARGE,
                    format!(
                        "the body cannot be read, or is larger than {BODY_LIMIT} bytes: {error}\n"
                    ),
                )
            })?;
        }
        Intake::File(folder) => {
            let upload = received(body, &folder).await.map_err(|error| {
                let is_full = matches!(
                    error.kind(),
                    io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded
                );
                let status = if is_full {
                    StatusCode::INSUFFICIENT_STORAGE
                } else {
                    StatusCode::BAD_REQUEST
                };
                RawAnswer::text(status, format!("the body cannot be taken in: {error}\n"))
            })?;
            request.upload = Some(Arc::new(upload));
        }
        Intake::Nowhere => {
            // Read all the same: a client that still sends would not see the answer.
            let mut pieces = body.into_data_stream();
            while let Some(Ok(_)) = pieces.next().await {}
        }
    }
    Ok(request)
}

/// A body in a file of its own, piece by piece; of one that breaks off nothing stays.
async fn received(body: Body, folder: &Path) -> io::Result<Upload> {
    let (file, path) = tempfile::Builder::new()
        .prefix("upload-")
        .tempfile_in(folder)?
        .into_parts();
    let mut file = tokio::fs::File::from_std(file);
    let mut pieces = body.into_data_stream();
    while let Some(piece) = pieces.next().await {
        file.write_all(&piece.map_err(io::Error::other)?).await?;
    }
    file.flush().await?;
    Ok(Upload::new(path))
}

/// A part of a file, read as it is sent.
fn file_body(part: FilePart) -> Body {
    let pieces = stream::try_unfold((part.start, part.length), move |(start, left)| {
        let file = Arc::clone(&part.file);
        async move {
            if left == 0 {
                return Ok::<_, io::Error>(None);
            }
            let piece = tokio::task::spawn_blocking(move || read_piece(&file, start, left))
                .await
                .map_err(io::Error::other)??;
            let length = u64::try_from(piece.len()).unwrap_or(left);
            Ok(Some((piece, (start + length, left - length))))
        }
    });
    Body::from_stream(pieces)
}

/// As much of a file as one piece takes.
fn read_piece(file: &File, start: u64, left: u64) -> io::Result<Bytes> {
    let size = usize::try_from(left).unwrap_or(FILE_PIECE).min(FILE_PIECE);
    let mut bytes = vec![0; size];
    let length = file.read_at(&mut bytes, start)?;
    if length == 0 {
        return Err(io::Error::new(
            io::ErrorKind::UnexpectedEof,
            "the file has become shorter",
        ));
    }
    bytes.truncate(length);
    Ok(bytes.into())
}

/// A part of a file at once, for deliveries that cut it up.
async fn in_memory(part: FilePart) -> Bytes {
    to_bytes(file_body(part), usize::MAX)
        .await
        .unwrap_or_default()
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
