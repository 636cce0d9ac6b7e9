//! A relay before the sandbox that lets most requests through and never answers some: what a silent server is like.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{self, Receiver, Sender};
use std::time::Duration;

/// A request that is not there by then never comes.
const PATIENCE: Duration = Duration::from_secs(30);

/// A running relay; it serves until the test process ends.
#[derive(Debug)]
pub(crate) struct Relay {
    pub(crate) url: String,
    held: Receiver<String>,
}

impl Relay {
    /// Relays to `upstream`; a request whose first line begins with `silent_for` is taken and never answered.
    pub(crate) fn start(upstream: &str, silent_for: &'static str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let upstream = upstream.trim_start_matches("http://").to_owned();
        let (sender, held) = mpsc::channel();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let (upstream, sender) = (upstream.clone(), sender.clone());
                std::thread::spawn(move || relay(stream.unwrap(), &upstream, silent_for, &sender));
            }
        });
        Self { url, held }
    }

    /// Returns when a request was taken that will not be answered: its first line.
    pub(crate) fn wait_for_silence(&self) -> String {
        self.held.recv_timeout(PATIENCE).unwrap()
    }
}

/// One request as it came over the wire.
#[derive(Debug, Clone)]
pub(crate) struct Received {
    /// The request line.
    pub(crate) first: String,
    /// The lines of the header.
    pub(crate) rest: String,
    pub(crate) body: Vec<u8>,
}

impl Received {
    /// The first value of a header.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.rest
            .lines()
            .filter_map(|line| line.split_once(':'))
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.trim())
    }

    /// The same request, asking for the connection to end with its answer.
    pub(super) fn closing(&self) -> Vec<u8> {
        let head = format!("{}\r\nConnection: close\r\n{}", self.first, self.rest);
        [head.as_bytes(), &self.body].concat()
    }
}

/// Reads one request; `None` if the connection ends before.
pub(super) fn receive(client: &TcpStream) -> Option<Received> {
    let mut reader = BufReader::new(client.try_clone().unwrap());
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if reader.read_line(&mut head).unwrap_or(0) == 0 {
            return None;
        }
    }
    let (first, rest) = head.split_once("\r\n").unwrap();
    let mut request = Received {
        first: first.to_owned(),
        rest: rest.to_owned(),
        body: Vec::new(),
    };
    let length = request.header("content-length");
    request.body = vec![0; length.map_or(0, |length| length.parse().unwrap())];
    reader.read_exact(&mut request.body).unwrap();
    Some(request)
}

fn relay(mut client: TcpStream, upstream: &str, silent_for: &str, silences: &Sender<String>) {
    let Some(request) = receive(&client) else {
        return;
    };
    if request.first.starts_with(silent_for) {
        // The test may have ended.
        drop(silences.send(request.first));
        // Returns when the client gives up.
        drop(client.read(&mut [0]));
        return;
    }
    let mut server = TcpStream::connect(upstream).unwrap();
    server.write_all(&request.closing()).unwrap();
    drop(std::io::copy(&mut server, &mut client));
}
