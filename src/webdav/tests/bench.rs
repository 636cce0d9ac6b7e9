//! A client whose server is a script of exchanges.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::stream::{self, BoxStream};
use futures_util::{StreamExt as _, TryStreamExt as _};

use crate::error::Result;
use crate::http::dialect::{Dialect, Verdict};
use crate::http::{Answer, BaseUrl, BodySource, Incoming, Signed, Streaming, TransportError};
use crate::model::FilePath;
use crate::provider::FileSink;
use crate::secret::Secret;
use crate::sign::Bearer;
use crate::testing::{Desk, Exchange, Paper, Scripted};
use crate::webdav::{Access, Client};

pub(super) const PASSWORD: &str = "hunter2-dav";

#[async_trait]
impl Streaming for Paper {
    async fn upload(
        &self,
        request: &Signed,
        source: &dyn BodySource,
        patience: Duration,
    ) -> Scripted {
        let pieces: Vec<Bytes> = source.open().unwrap().try_collect().await.unwrap();
        self.exchange(request, pieces.concat().into(), Some(patience))
            .whole()
    }

    async fn download(
        &self,
        request: &Signed,
        patience: Duration,
    ) -> Result<Incoming, TransportError> {
        let exchange = self.exchange(request, Bytes::new(), Some(patience));
        let (answer, end) = exchange.in_pieces()?;
        let pieces: Vec<Result<Bytes, TransportError>> = answer
            .body
            .chunks(3)
            .map(|piece| Ok(Bytes::copy_from_slice(piece)))
            .chain(end.map(Err))
            .collect();
        Ok(Incoming {
            status: answer.status,
            headers: answer.headers,
            pieces: stream::iter(pieces).boxed(),
        })
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
    desk: Desk,
}

impl Bench {
    pub(super) fn new(script: Vec<Exchange>) -> Self {
        Self::created(None, script)
    }

    /// Of a volume that was created then.
    pub(super) fn created(at: Option<&str>, script: Vec<Exchange>) -> Self {
        let paper = Paper::in_order(script)
            .checking(|request| assert!(request.headers().contains_key("authorization")));
        let desk = Desk::new("2026-11-29T09:15:00Z", paper);
        let signer = Bearer::new(&Secret::new("token")).unwrap();
        let mut account = desk.session("para", signer, Nothing);
        account.patience.retries = 2;
        let access = Access {
            base: BaseUrl::parse("https://dav.example/vol").unwrap(),
            username: "user".to_owned(),
            password: Secret::new(PASSWORD),
            label: "para/n/C/v".to_owned(),
            created_at: at.map(|at| at.parse().unwrap()),
        };
        let streaming = Arc::<Paper>::clone(&desk.paper);
        Self {
            client: Client::new(&account, streaming, access).unwrap(),
            desk,
        }
    }

    /// The bodies that were sent, by request line.
    pub(super) fn sent(&self) -> Vec<(String, Bytes)> {
        let calls = self.desk.paper.calls();
        calls
            .into_iter()
            .map(|call| (call.line, call.body))
            .collect()
    }

    pub(super) fn told(&self) -> String {
        self.desk.notebook.notes().join("\n")
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
