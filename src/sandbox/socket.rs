//! Connections that can be reset: what fault rules need of a socket, and HTTP servers do not offer.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use axum::extract::connect_info::Connected;
use axum::serve::{IncomingStream, Listener};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};

/// A listener whose connections can be reset.
#[derive(Debug)]
pub(super) struct Resettable(pub(super) TcpListener);

/// One of its connections.
#[derive(Debug)]
pub(super) struct Connection {
    stream: TcpStream,
    fuse: Fuse,
}

/// Makes a connection end with a reset.
#[derive(Debug, Clone, Default)]
pub(super) struct Fuse(Arc<AtomicBool>);

impl Fuse {
    /// From now on nothing more is sent, and the end of the connection is a reset.
    pub(super) fn light(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    fn is_lit(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

impl Listener for Resettable {
    type Io = Connection;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Connection, SocketAddr) {
        let (stream, address) = Listener::accept(&mut self.0).await;
        let fuse = Fuse::default();
        (Connection { stream, fuse }, address)
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.0.local_addr()
    }
}

impl Connected<IncomingStream<'_, Resettable>> for Fuse {
    fn connect_info(stream: IncomingStream<'_, Resettable>) -> Self {
        stream.io().fuse.clone()
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        if self.fuse.is_lit()
            && let Err(error) = self.stream.set_zero_linger()
        {
            log::warn!("a connection of the sandbox ends without a reset: {error}");
        }
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.fuse.is_lit() {
            // An orderly end first would not be a reset.
            return Poll::Ready(Ok(()));
        }
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
