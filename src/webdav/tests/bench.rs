//! A client whose server is a script of exchanges.

use std::collections::VecDeque;
use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::stream::{self, BoxStream};
use futures_util::{StreamExt as _, TryStreamExt as _};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};

use crate::ambient::{Clock, Entropy, Reporter};
use crate::error::{Error, Kind, Result};
use crate::http::dialect::{Dialect, Verdict};
use crate::http::{
    Answer, BaseUrl, BodySource, Incoming, Patience, Session, Signed, Streaming, Transport,
    TransportError,
};
use crate::model::{FilePath, Timestamp};
use crate::provider::FileSink;
use crate::secret::Secret;
use crate::sign::Bearer;
use crate::webdav::{Access, Client};

pub(super) const PASSWORD: &str = "hunter2-dav";

/// An exchange: the request line that must come, and what it gets.
#[derive(Debug)]
pub(super) struct Exchange {
    line: &'static str,
    status: u16,
    headers: Vec<(&'static str, &'static str)>,
    body: String,
    breaks: bool,
}

/// An exchange without a fault.
pub(super) fn said(line: &'static str, status: u16, body: impl Into<String>) -> Exchange {
    Exchange {
        line,
        status,
        headers: Vec::new(),
        body: body.into(),
        breaks: false,
    }
}

impl Exchange {
    /// With a header in the answer.
    pub(super) fn with(mut self, name: &'static str, value: &'static str) -> Self {
        self.headers.push((name, value));
        self
    }

    /// The connection breaks behind the body.
    pub(super) fn broken(mut self) -> Self {
        self.breaks = true;
        self
    }
}

#[derive(Debug, Default)]
struct Paper {
    script: Mutex<VecDeque<Exchange>>,
    /// Request lines, `Range` and `If-Range` included, and bodies.
    sent: Mutex<Vec<(String, Bytes)>>,
}

impl Paper {
    fn next(&self, request: &Signed, body: Bytes) -> Exchange {
        let template = request.template();
        let mut line = format!("{} {}", template.method, template.full_target());
        assert!(request.headers().contains_key("authorization"));
        for name in ["range", "if-range", "destination"] {
            if let Some(value) = template.headers.get(name) {
                line = format!("{line} {name}={}", value.to_str().unwrap());
            }
        }
        self.sent.lock().unwrap().push((line.clone(), body));
        let exchange = self.script.lock().unwrap().pop_front();
        let exchange = exchange.unwrap_or_else(|| panic!("`{line}` is beyond the script"));
        assert_eq!(exchange.line, line);
        exchange
    }
}

fn head(exchange: &Exchange) -> (StatusCode, HeaderMap) {
    let headers = exchange
        .headers
        .iter()
        .map(|(name, value)| {
            (
                HeaderName::from_static(name),
                HeaderValue::from_static(value),
            )
        })
        .collect();
    (StatusCode::from_u16(exchange.status).unwrap(), headers)
}

fn lost() -> TransportError {
    TransportError {
        sent: true,
        error: Error::new(Kind::Temporary, "test", "the line is dead"),
    }
}

#[async_trait]
impl Transport for Paper {
    async fn call(
        &self,
        request: &Signed,
        _limit: Option<Duration>,
    ) -> Result<Answer, TransportError> {
        let body = request.template().body.clone().unwrap_or_default();
        let exchange = self.next(request, body);
        if exchange.breaks {
            return Err(lost());
        }
        let (status, headers) = head(&exchange);
        Ok(Answer {
            status,
            headers,
            body: exchange.body.into(),
        })
    }
}

#[async_trait]
impl Streaming for Paper {
    async fn upload(
        &self,
        request: &Signed,
        source: &dyn BodySource,
        _patience: Duration,
    ) -> Result<Answer, TransportError> {
        let pieces: Vec<Bytes> = source.open().unwrap().try_collect().await.unwrap();
        let exchange = self.next(request, pieces.concat().into());
        if exchange.breaks {
            return Err(lost());
        }
        let (status, headers) = head(&exchange);
        Ok(Answer {
            status,
            headers,
            body: exchange.body.into(),
        })
    }

    async fn download(
        &self,
        request: &Signed,
        _patience: Duration,
    ) -> Result<Incoming, TransportError> {
        let exchange = self.next(request, Bytes::new());
        let (status, headers) = head(&exchange);
        let mut pieces: Vec<Result<Bytes, TransportError>> = exchange
            .body
            .as_bytes()
            .chunks(3)
            .map(|piece| Ok(Bytes::copy_from_slice(piece)))
            .collect();
        if exchange.breaks {
            pieces.push(Err(lost()));
        }
        Ok(Incoming {
            status,
            headers,
            pieces: stream::iter(pieces).boxed(),
        })
    }
}

/// A quarter past nine.
#[derive(Debug)]
struct Still;

impl Clock for Still {
    fn now(&self) -> Timestamp {
        "2026-11-29T09:15:00Z".parse().unwrap()
    }
}

impl Entropy for Still {
    fn bytes(&self) -> [u8; 16] {
        [7; 16]
    }
}

#[derive(Debug, Default)]
struct Notebook(Mutex<Vec<String>>);

impl Reporter for Notebook {
    fn note(&self, text: &str) {
        self.0.lock().unwrap().push(text.to_owned());
    }
    fn warning(&self, text: &str) {
        self.0.lock().unwrap().push(text.to_owned());
    }
    fn detail(&self, _level: u8, _text: &str) {}
    fn trace(&self, _text: &str) {}
    fn is_tracing(&self) -> bool {
        false
    }
}

/// The account's dialect, which a volume's answers never reach.
#[derive(Debug)]
struct Nothing;

impl Dialect for Nothing {
    fn judge(&self, operation: &'static str, _answer: &Answer) -> Verdict {
        panic!("`{operation}` was judged by the account's dialect")
    }
}

/// A client, its server, and what was said.
pub(super) struct Bench {
    pub(super) client: Client,
    paper: Arc<Paper>,
    notebook: Arc<Notebook>,
}

impl Bench {
    pub(super) fn new(script: Vec<Exchange>) -> Self {
        Self::created(None, script)
    }

    /// Of a volume that was created then.
    pub(super) fn created(at: Option<&str>, script: Vec<Exchange>) -> Self {
        let paper = Arc::new(Paper {
            script: Mutex::new(script.into()),
            sent: Mutex::default(),
        });
        let notebook = Arc::new(Notebook::default());
        let account = Session {
            provider: "para".to_owned(),
            transport: Arc::<Paper>::clone(&paper),
            signer: Arc::new(Bearer::new(&Secret::new("token")).unwrap()),
            dialect: Arc::new(Nothing),
            clock: Arc::new(Still),
            entropy: Arc::new(Still),
            reporter: Arc::<Notebook>::clone(&notebook),
            patience: Patience {
                retries: 2,
                deadline: None,
                read_limit: Duration::from_secs(60),
            },
        };
        let access = Access {
            base: BaseUrl::parse("https://dav.example/vol").unwrap(),
            username: "user".to_owned(),
            password: Secret::new(PASSWORD),
            label: "para/n/C/v".to_owned(),
            created_at: at.map(|at| at.parse().unwrap()),
        };
        let streaming = Arc::<Paper>::clone(&paper);
        Self {
            client: Client::new(&account, streaming, access).unwrap(),
            paper,
            notebook,
        }
    }

    /// The bodies that were sent, by request line.
    pub(super) fn sent(&self) -> Vec<(String, Bytes)> {
        self.paper.sent.lock().unwrap().clone()
    }

    pub(super) fn told(&self) -> String {
        self.notebook.0.lock().unwrap().join("\n")
    }
}

/// A step of the script that was not used fails the test.
impl Drop for Bench {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            let left = self.paper.script.lock().unwrap();
            assert!(left.is_empty(), "not asked for: {left:?}");
        }
    }
}

/// Bytes to send.
#[derive(Debug)]
pub(super) struct Text(pub(super) &'static str);

impl BodySource for Text {
    fn length(&self) -> u64 {
        self.0.len().try_into().unwrap()
    }

    fn open(&self) -> io::Result<BoxStream<'static, io::Result<Bytes>>> {
        let pieces = self.0.as_bytes().chunks(4).map(Bytes::from_static).map(Ok);
        Ok(stream::iter(pieces).boxed())
    }
}

/// Takes what comes, up to a limit.
#[derive(Debug, Default)]
pub(super) struct Basket {
    pub(super) length: Option<u64>,
    pub(super) bytes: Vec<u8>,
    pub(super) most: Option<usize>,
}

impl FileSink for Basket {
    fn begin(&mut self, length: Option<u64>) {
        assert!(self.bytes.is_empty());
        self.length = length;
    }

    fn write(&mut self, bytes: &[u8]) -> Result<bool> {
        self.bytes.extend_from_slice(bytes);
        Ok(self.most.is_none_or(|most| self.bytes.len() < most))
    }
}

pub(super) fn path(text: &str) -> FilePath {
    FilePath::parse(text).unwrap()
}
