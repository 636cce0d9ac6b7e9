//! A relay before the sandbox that keeps every request as it came over the wire.

use std::io::Write as _;
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use super::relay::{Received, receive};

/// A running recorder; it serves until the test process ends.
#[derive(Debug)]
pub(crate) struct Recorder {
    pub(crate) url: String,
    received: Arc<Mutex<Vec<Received>>>,
}

impl Recorder {
    /// Relays everything to `upstream`.
    pub(crate) fn start(upstream: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let upstream = upstream.trim_start_matches("http://").to_owned();
        let received = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&received);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let (upstream, kept) = (upstream.clone(), Arc::clone(&kept));
                std::thread::spawn(move || {
                    let mut client = stream.unwrap();
                    let Some(request) = receive(&client) else {
                        return;
                    };
                    let mut server = TcpStream::connect(upstream).unwrap();
                    server.write_all(&request.closing()).unwrap();
                    kept.lock().unwrap().push(request);
                    drop(std::io::copy(&mut server, &mut client));
                });
            }
        });
        Self { url, received }
    }

    /// What came since the last time this was asked.
    pub(crate) fn take(&self) -> Vec<Received> {
        std::mem::take(&mut self.received.lock().unwrap())
    }
}
