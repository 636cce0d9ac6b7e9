//! A transport made of paper: expected requests with their answers, in order; one that is left over fails the test.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use http::{HeaderMap, StatusCode};
use serde_json::{Value, json};

use super::super::{Connection, Gongji, GongjiDialect};
use crate::ambient::{Clock, Entropy, Reporter};
use crate::error::{Error, Kind};
use crate::http::{Answer, BaseUrl, Patience, Session, Signed, Transport, TransportError};
use crate::model::Timestamp;
use crate::secret::Secret;
use crate::sign::GongjiSigner;

/// What follows a request.
#[derive(Debug, Clone)]
pub(super) enum Reply {
    Body(u16, String),
    /// Sent, and nothing came back.
    Lost,
}

/// A success with this `data`.
pub(super) fn ok(data: &Value) -> Reply {
    Reply::Body(
        200,
        json!({"code": "0000", "message": "success", "data": data}).to_string(),
    )
}

/// An envelope of failure inside a 200.
pub(super) fn refused(message: &str) -> Reply {
    Reply::Body(
        200,
        json!({"code": "C999", "message": message, "data": null}).to_string(),
    )
}

#[derive(Debug)]
struct Paper {
    script: Mutex<VecDeque<(String, Reply)>>,
    sent: Mutex<Vec<(HeaderMap, Vec<u8>)>>,
}

#[async_trait]
impl Transport for Paper {
    async fn call(
        &self,
        request: &Signed,
        _limit: Option<Duration>,
    ) -> Result<Answer, TransportError> {
        let template = request.template();
        let line = format!("{} {}", template.method, template.full_target());
        let body = template.body_bytes().to_vec();
        self.sent
            .lock()
            .unwrap()
            .push((request.headers().clone(), body));
        let next = self.script.lock().unwrap().pop_front();
        let (expected, reply) = next.unwrap_or_else(|| panic!("one call too many: {line}"));
        assert_eq!(line, expected);
        match reply {
            Reply::Body(status, body) => Ok(Answer {
                status: StatusCode::from_u16(status).unwrap(),
                headers: HeaderMap::new(),
                body: body.into(),
            }),
            Reply::Lost => Err(TransportError {
                sent: true,
                error: Error::new(Kind::Temporary, "lost", "the connection was reset"),
            }),
        }
    }
}

/// Stands at 04:00:00 on the day of the contract's examples.
#[derive(Debug)]
pub(super) struct StoppedClock;

impl Clock for StoppedClock {
    fn now(&self) -> Timestamp {
        "2026-05-10T04:00:00Z".parse().unwrap()
    }
}

#[derive(Debug)]
struct Fixed;

impl Entropy for Fixed {
    fn bytes(&self) -> [u8; 16] {
        [0x80; 16]
    }
}

#[derive(Debug, Default)]
struct Notebook(Mutex<Vec<String>>);

impl Reporter for Notebook {
    fn note(&self, text: &str) {
        self.0.lock().unwrap().push(text.to_owned());
    }
    fn warning(&self, text: &str) {
        self.0.lock().unwrap().push(format!("warning: {text}"));
    }
    fn detail(&self, _level: u8, _text: &str) {}
    fn trace(&self, _text: &str) {}
    fn is_tracing(&self) -> bool {
        false
    }
}

/// A provider, and both ends of it.
#[derive(Debug)]
pub(super) struct Bench {
    pub(super) gongji: Gongji,
    paper: Arc<Paper>,
    notebook: Arc<Notebook>,
}

impl Bench {
    pub(super) fn new<const N: usize>(script: [(&str, Reply); N]) -> Self {
        Self::of(script.into())
    }

    pub(super) fn of(script: Vec<(&str, Reply)>) -> Self {
        let paper = Arc::new(Paper {
            script: Mutex::new(
                script
                    .into_iter()
                    .map(|(line, reply)| (line.to_owned(), reply))
                    .collect(),
            ),
            sent: Mutex::default(),
        });
        let notebook = Arc::new(Notebook::default());
        let token = Secret::new("token-1");
        let clock = Arc::new(StoppedClock);
        let gongji = Gongji::new(Connection {
            name: "gongji".to_owned(),
            session: Session {
                provider: "gongji".to_owned(),
                transport: Arc::<Paper>::clone(&paper),
                signer: Arc::new(GongjiSigner::new(&token, None).unwrap()),
                dialect: Arc::new(GongjiDialect::new(
                    vec![token],
                    false,
                    Arc::<StoppedClock>::clone(&clock),
                )),
                clock,
                entropy: Arc::new(Fixed),
                reporter: Arc::<Notebook>::clone(&notebook),
                patience: Patience {
                    retries: 1,
                    deadline: None,
                    read_limit: super::super::READ_LIMIT,
                },
            },
            base: BaseUrl::parse("https://openapi.suanli.cn").unwrap(),
            region: None,
        });
        Self {
            gongji,
            paper,
            notebook,
        }
    }

    pub(super) fn notes(&self) -> Vec<String> {
        self.notebook.0.lock().unwrap().clone()
    }

    /// Headers and JSON bodies that were sent.
    pub(super) fn sent(&self) -> Vec<(HeaderMap, Value)> {
        let sent = self.paper.sent.lock().unwrap();
        sent.iter()
            .map(|(headers, body)| {
                (
                    headers.clone(),
                    serde_json::from_slice(body).unwrap_or_default(),
                )
            })
            .collect()
    }
}

impl Drop for Bench {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            let left = self.paper.script.lock().unwrap();
            assert!(left.is_empty(), "never asked for: {left:?}");
        }
    }
}
