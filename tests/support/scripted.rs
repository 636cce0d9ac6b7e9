//! A server that follows a script: one step for each connection, faults included, every request recorded raw.
//!
//! A step that was not used fails the test, and so does reading what is not a request. No timers: slow steps wait for
//! the client, never for a clock.

use std::collections::VecDeque;
use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};

/// What the server does with one connection.
#[derive(Debug, Clone)]
pub(crate) enum Step {
    /// Reads the request, writes these bytes, closes.
    Answer(Vec<u8>),
    /// Reads the request, writes these bytes one at a time, closes.
    ByteByByte(Vec<u8>),
    /// Reads the request, writes these bytes, then holds the connection open.
    Stall(Vec<u8>),
    /// Resets the connection without having read the request.
    ResetUnread,
    /// Reads the request (all but its last byte, so that closing resets), then resets.
    ResetAfterReading,
}

impl Step {
    /// A whole answer with the right length.
    pub(crate) fn answer(status: &str, headers: &[(&str, &str)], body: &str) -> Self {
        Self::Answer(answer_bytes(status, headers, body.len(), body))
    }

    /// An answer whose body ends before its announced length.
    pub(crate) fn half_body(status: &str, length: usize, body: &str) -> Self {
        Self::Answer(answer_bytes(status, &[], length, body))
    }
}

/// The bytes of an answer that closes its connection.
pub(crate) fn answer_bytes(
    status: &str,
    headers: &[(&str, &str)],
    length: usize,
    body: &str,
) -> Vec<u8> {
    let mut text =
        format!("HTTP/1.1 {status}\r\nconnection: close\r\ncontent-length: {length}\r\n");
    for (name, value) in headers {
        text.extend([name, ": ", value, "\r\n"]);
    }
    text.extend(["\r\n", body]);
    text.into_bytes()
}

#[derive(Debug, Default)]
struct Shared {
    script: Mutex<VecDeque<Step>>,
    /// The requests as they came, in order of their connections.
    requests: Mutex<Vec<String>>,
    stopping: AtomicBool,
    /// Connections that are held open; ended with the server, since a client's runtime may be too busy to end them.
    stalled: Mutex<Vec<TcpStream>>,
}

/// The running server.
#[derive(Debug)]
pub(crate) struct Scripted {
    address: SocketAddr,
    shared: Arc<Shared>,
    accepting: Option<JoinHandle<()>>,
}

impl Scripted {
    /// Starts on a free port of loopback.
    pub(crate) fn start(script: impl IntoIterator<Item = Step>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared {
            script: Mutex::new(script.into_iter().collect()),
            ..Shared::default()
        });
        let accepting = thread::spawn({
            let shared = Arc::clone(&shared);
            move || accept_all(&listener, &shared)
        });
        Self {
            address,
            shared,
            accepting: Some(accepting),
        }
    }

    /// `http://127.0.0.1:PORT`.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// `127.0.0.1:PORT`.
    pub(crate) fn authority(&self) -> String {
        self.address.to_string()
    }

    /// Ends the server; the requests it saw, each with head and body.
    pub(crate) fn finish(mut self) -> Vec<String> {
        self.stop();
        self.shared.requests.lock().unwrap().clone()
    }

    fn stop(&mut self) {
        if let Some(accepting) = self.accepting.take() {
            self.shared.stopping.store(true, Ordering::SeqCst);
            // Wakes the thread out of `accept`.
            drop(TcpStream::connect(self.address));
            for stream in self.shared.stalled.lock().unwrap().iter() {
                let _closed_already = stream.shutdown(Shutdown::Both);
            }
            assert!(accepting.join().is_ok(), "the scripted server failed");
        }
    }
}

impl Drop for Scripted {
    fn drop(&mut self) {
        if !thread::panicking() {
            self.stop();
            let left = self.shared.script.lock().unwrap().len();
            assert_eq!(left, 0, "{left} scripted steps were not used");
        }
    }
}

fn accept_all(listener: &TcpListener, shared: &Arc<Shared>) {
    let mut connections = Vec::new();
    for stream in listener.incoming() {
        if shared.stopping.load(Ordering::SeqCst) {
            break;
        }
        let Some(step) = shared.script.lock().unwrap().pop_front() else {
            shared
                .requests
                .lock()
                .unwrap()
                .push("unexpected".to_owned());
            continue;
        };
        let slot = {
            let mut requests = shared.requests.lock().unwrap();
            requests.push(String::new());
            requests.len() - 1
        };
        let shared = Arc::clone(shared);
        connections.push(thread::spawn(move || {
            play(stream.unwrap(), &step, slot, &shared);
        }));
    }
    for connection in connections {
        assert!(connection.join().is_ok(), "a scripted connection failed");
    }
}

fn play(mut stream: TcpStream, step: &Step, slot: usize, shared: &Shared) {
    let unread = match step {
        Step::ResetUnread => {
            // Closing with unread bytes resets; so wait for the first one, without taking it.
            stream.peek(&mut [0]).unwrap();
            return;
        }
        Step::ResetAfterReading => 1,
        Step::Answer(_) | Step::ByteByByte(_) | Step::Stall(_) => 0,
    };
    let request = read_request(&mut stream, unread);
    shared.requests.lock().unwrap()[slot] = String::from_utf8(request).unwrap();
    match step {
        Step::Answer(bytes) => write(&mut stream, bytes),
        Step::ByteByByte(bytes) => {
            stream.set_nodelay(true).unwrap();
            bytes.chunks(1).for_each(|byte| write(&mut stream, byte));
        }
        Step::Stall(bytes) => {
            shared
                .stalled
                .lock()
                .unwrap()
                .push(stream.try_clone().unwrap());
            write(&mut stream, bytes);
            if !shared.stopping.load(Ordering::SeqCst) {
                let _gone = stream.read(&mut [0]);
            }
        }
        Step::ResetUnread | Step::ResetAfterReading => return,
    }
    let _closed = stream.shutdown(Shutdown::Both);
}

/// A client may be gone already, as when it refuses a body that is too large.
fn write(stream: &mut TcpStream, bytes: &[u8]) {
    if let Err(error) = stream.write_all(bytes) {
        let gone = [ErrorKind::BrokenPipe, ErrorKind::ConnectionReset];
        assert!(gone.contains(&error.kind()), "{error}");
    }
}

/// Head and body, but for the last `unread` bytes.
fn read_request(stream: &mut TcpStream, unread: usize) -> Vec<u8> {
    let mut request = Vec::new();
    // The end of the head is recognised `unread` bytes early; so as many bytes of the whole request are left.
    let end = b"\r\n\r\n";
    while !request.ends_with(&end[..end.len() - unread]) {
        request.push(read_byte(stream));
    }
    let head = String::from_utf8_lossy(&request).to_ascii_lowercase();
    let length: usize = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length: "))
        .map_or(0, |length| length.trim().parse().unwrap());
    for _ in 0..length {
        request.push(read_byte(stream));
    }
    request
}

fn read_byte(stream: &mut TcpStream) -> u8 {
    let mut byte = [0];
    stream.read_exact(&mut byte).unwrap();
    byte[0]
}
