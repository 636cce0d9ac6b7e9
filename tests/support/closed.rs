//! A port that refuses connections for as long as the value lives: bound, and never listened on.
//!
//! A port that was merely let go of may be taken by another test at any moment.

use std::net::SocketAddr;

use tokio::net::TcpSocket;

/// A reserved loopback port without a listener.
#[derive(Debug)]
pub(crate) struct ClosedPort(TcpSocket);

impl ClosedPort {
    /// Takes a free port.
    pub(crate) fn take() -> Self {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
        Self(socket)
    }

    /// Where nobody listens.
    pub(crate) fn address(&self) -> SocketAddr {
        self.0.local_addr().unwrap()
    }
}
