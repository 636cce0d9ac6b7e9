//! A clock that stands still unless somebody sleeps, a writer on it, and a sink that counts.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

use crate::ambient::{Clock, Entropy};
use crate::engine::logs::{Form, Request, Scribe, Sink};
use crate::error::{Error, Kind, Result};
use crate::http::dialect::Dialect;
use crate::http::{Patience, Session, Transport, TransportError};
use crate::model::{Job, State, Timestamp};
use crate::provider::{LogStart, LogStream, Provider};
use crate::sign::Signer;
use crate::testing::Notebook;

/// Tokio's paused time as the time of day.
#[derive(Debug, Clone, Copy)]
pub(super) struct Virtual {
    start: Instant,
    origin: Timestamp,
}

impl Virtual {
    pub(super) fn new() -> Self {
        Self {
            start: Instant::now(),
            origin: "2026-01-12T10:00:00Z".parse().unwrap(),
        }
    }

    pub(super) fn elapsed(&self) -> Duration {
        self.start.elapsed()
    }
}

impl Clock for Virtual {
    fn now(&self) -> Timestamp {
        self.at(self.elapsed())
    }
}

impl Virtual {
    /// The time of day when so much has passed.
    pub(super) fn at(&self, elapsed: Duration) -> Timestamp {
        self.origin.checked_add(elapsed).unwrap()
    }
}

#[derive(Debug)]
pub(super) struct Seeded(Mutex<fastrand::Rng>);

impl Seeded {
    pub(super) fn new(seed: u64) -> Self {
        Self(Mutex::new(fastrand::Rng::with_seed(seed)))
    }

    /// One connection in so many is lost, before or after the service did its work.
    pub(super) fn loses(&self, one_in: u32) -> Option<TransportError> {
        let mut random = self.0.lock().unwrap();
        (random.u32(..one_in) == 0).then(|| TransportError {
            sent: random.bool(),
            error: Error::new(Kind::Temporary, "reset", "the connection was reset"),
        })
    }
}

impl Entropy for Seeded {
    fn bytes(&self) -> [u8; 16] {
        self.0.lock().unwrap().u128(..).to_be_bytes()
    }
}

/// Lines with numbers, each with the moment it was written, at a speed that changes.
#[derive(Debug)]
pub(super) struct Writer {
    /// Milliseconds from the start, ascending.
    moments: Vec<u64>,
}

impl Writer {
    /// A burst of so many lines at once may come, then a pause.
    pub(super) fn new(seed: u64, lines: usize, largest_burst: usize) -> Self {
        let mut random = fastrand::Rng::with_seed(seed);
        let mut moments = Vec::with_capacity(lines);
        let mut now = 40_000;
        while moments.len() < lines {
            let burst = random.usize(1..=largest_burst).min(lines - moments.len());
            moments.extend(std::iter::repeat_n(now, burst));
            now += match random.u32(..10) {
                0 => random.u64(..20_000),
                1..=4 => random.u64(..1_500),
                _ => random.u64(..50),
            };
        }
        Self { moments }
    }

    pub(super) fn line(number: usize) -> String {
        format!("line {number:06}")
    }

    /// How many lines there are after so many milliseconds.
    pub(super) fn written(&self, elapsed: Duration) -> usize {
        let now = u64::try_from(elapsed.as_millis()).unwrap();
        self.moments.partition_point(|moment| *moment <= now)
    }

    /// When a line was written.
    pub(super) fn moment(&self, number: usize) -> Duration {
        Duration::from_millis(self.moments[number])
    }

    /// When all are.
    pub(super) fn end(&self) -> Duration {
        self.moment(self.moments.len() - 1)
    }
}

/// Demands the lines one by one.
#[derive(Debug, Default)]
struct Numbers {
    next: usize,
    rest: Vec<u8>,
}

impl Numbers {
    /// All of them came.
    fn expect(&self, count: usize) {
        assert_eq!(self.next, count);
        assert!(self.rest.is_empty());
    }
}

impl Sink for Numbers {
    fn bytes(&mut self, bytes: &[u8]) -> Result<()> {
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            self.rest.extend_from_slice(piece);
            if let Some(line) = self.rest.strip_suffix(b"\n") {
                let line = String::from_utf8_lossy(line);
                assert_eq!(line, Writer::line(self.next));
                self.next += 1;
                self.rest.clear();
            }
        }
        Ok(())
    }

    fn line(&mut self, _pod: &str, _stream: Option<LogStream>, line: &[u8]) -> Result<()> {
        self.bytes(line)?;
        self.bytes(b"\n")
    }

    fn is_closed(&self) -> bool {
        false
    }
}

/// A session with a service on this clock.
pub(super) fn session(
    provider: &str,
    service: impl Transport + 'static,
    signer: impl Signer + 'static,
    dialect: impl Dialect + 'static,
    clock: Virtual,
    seed: u64,
) -> Session {
    Session {
        provider: provider.to_owned(),
        transport: Arc::new(service),
        signer: Arc::new(signer),
        dialect: Arc::new(dialect),
        clock: Arc::new(clock),
        entropy: Arc::new(Seeded::new(seed)),
        reporter: Arc::new(Notebook::default()),
        patience: Patience {
            retries: 1,
            deadline: None,
            read_limit: Duration::from_secs(30),
        },
    }
}

/// Follows a job to its end, whose record `record` tells at any time, and demands each of so many lines once; what
/// people were told comes back.
pub(super) async fn follow(
    provider: &dyn Provider,
    record: impl Fn(Duration) -> Job,
    lines: usize,
) -> Vec<String> {
    let mut numbers = Numbers::default();
    let clock = Virtual::new();
    let notebook = Notebook::default();
    let polling = provider.polling();
    let request = Request {
        start: LogStart::default(),
        pods: Vec::new(),
        form: Form::Bytes,
        pace: polling.first,
        tolerance: Duration::from_secs(600),
    };
    let scribe = Scribe::new(provider, provider.logs().unwrap(), &notebook, request);
    let (sender, receiver) = watch::channel(None);
    let watching = async {
        loop {
            let job = record(clock.elapsed());
            let is_over = job.terminal;
            sender.send_replace(Some(job));
            if is_over {
                return std::future::pending::<()>().await;
            }
            tokio::time::sleep(polling.cap).await;
        }
    };
    tokio::select! {
        outcome = scribe.follow(receiver, &mut numbers) => outcome.unwrap(),
        () = watching => {}
    }
    numbers.expect(lines);
    let told = notebook.notes();
    let first = &told[0];
    assert!(first.contains("is pending; it has not begun"), "{first}");
    told
}

/// Pending, then running, then a success.
pub(super) fn state_at(elapsed: Duration, writer: &Writer) -> State {
    if elapsed < Duration::from_secs(30) {
        State::Pending
    } else if elapsed <= writer.end() {
        State::Running
    } else {
        State::Succeeded
    }
}
