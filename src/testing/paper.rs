//! A transport made of paper: it answers from a script and writes down what was asked.

use std::collections::VecDeque;
use std::sync::Mutex;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use serde_json::Value;
use tokio::time::Instant;

use crate::error::{Error, Kind};
use crate::http::{Answer, Signed, Transport, TransportError};

/// Headers that say which part or whereto; they stand behind the request line.
const SHOWN: [&str; 3] = ["range", "if-range", "destination"];

/// What comes of a request.
pub(crate) type Scripted = Result<Answer, TransportError>;

/// An answer without headers.
#[expect(
    clippy::needless_pass_by_value,
    clippy::unnecessary_wraps,
    reason = "a script of literals reads better without references, and holds answers and failures alike"
)]
pub(crate) fn answer(status: u16, body: impl ToString) -> Scripted {
    Ok(Answer {
        status: StatusCode::from_u16(status).unwrap(),
        headers: HeaderMap::new(),
        body: body.to_string().into(),
    })
}

/// The request was sent, and nothing came back.
pub(crate) fn lost() -> Scripted {
    Err(TransportError {
        sent: true,
        error: Error::new(Kind::Temporary, "reset", "the connection was reset"),
    })
}

/// An answer to this request line.
pub(crate) fn said(line: &str, status: u16, body: impl ToString) -> Exchange {
    (line, answer(status, body)).into()
}

/// A request line, and what comes of it.
#[derive(Debug, Clone)]
pub(crate) struct Exchange {
    /// The line that must come; any may where there is none.
    line: Option<String>,
    outcome: Scripted,
    /// The connection breaks behind the body.
    breaks: bool,
}

impl From<Scripted> for Exchange {
    fn from(outcome: Scripted) -> Self {
        Self {
            line: None,
            outcome,
            breaks: false,
        }
    }
}

impl From<(&str, Scripted)> for Exchange {
    fn from((line, outcome): (&str, Scripted)) -> Self {
        Self {
            line: Some(line.to_owned()),
            ..outcome.into()
        }
    }
}

impl Exchange {
    /// With a header in the answer.
    pub(crate) fn with(mut self, name: &'static str, value: &'static str) -> Self {
        if let Ok(answer) = &mut self.outcome {
            answer.headers.append(
                HeaderName::from_static(name),
                HeaderValue::from_static(value),
            );
        }
        self
    }

    /// The connection breaks behind the body.
    pub(crate) fn broken(mut self) -> Self {
        self.breaks = true;
        self
    }

    /// What a caller gets who reads the body whole.
    pub(crate) fn whole(self) -> Scripted {
        if self.breaks { lost() } else { self.outcome }
    }

    /// The answer as far as it came, and what broke it off.
    pub(crate) fn in_pieces(self) -> Result<(Answer, Option<TransportError>), TransportError> {
        let end = if self.breaks { lost().err() } else { None };
        Ok((self.outcome?, end))
    }
}

/// A request that came.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    /// Method and target, and the headers of [`SHOWN`].
    pub(crate) line: String,
    /// As they were signed.
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    pub(crate) limit: Option<Duration>,
    pub(crate) at: Instant,
}

impl Call {
    /// The body; null where it is no JSON.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }
}

/// Answers from a script. A request that is not in it fails the test, and so does an answer that nobody asked for.
#[derive(Debug)]
pub(crate) struct Paper {
    script: Mutex<VecDeque<Exchange>>,
    in_order: bool,
    check: fn(&Signed),
    takes: Duration,
    calls: Mutex<Vec<Call>>,
}

impl Paper {
    /// The requests come in the order of the script.
    pub(crate) fn in_order<E: Into<Exchange>>(script: impl IntoIterator<Item = E>) -> Self {
        Self {
            script: Mutex::new(script.into_iter().map(Into::into).collect()),
            in_order: true,
            check: |_| {},
            takes: Duration::ZERO,
            calls: Mutex::default(),
        }
    }

    /// In any order, since independent reads may overtake each other; each line takes the first exchange it has.
    pub(crate) fn in_any_order<E: Into<Exchange>>(script: impl IntoIterator<Item = E>) -> Self {
        let mut paper = Self::in_order(script);
        paper.in_order = false;
        paper
    }

    /// Looks at every request as well.
    pub(crate) fn checking(mut self, check: fn(&Signed)) -> Self {
        self.check = check;
        self
    }

    /// Every call takes so long.
    pub(crate) fn taking(mut self, takes: Duration) -> Self {
        self.takes = takes;
        self
    }

    /// What was asked.
    pub(crate) fn calls(&self) -> Vec<Call> {
        self.calls.lock().unwrap().clone()
    }

    /// The request lines of it.
    pub(crate) fn lines(&self) -> Vec<String> {
        let calls = self.calls.lock().unwrap();
        calls.iter().map(|call| call.line.clone()).collect()
    }

    /// Writes a request down and takes its exchange out of the script.
    pub(crate) fn exchange(
        &self,
        request: &Signed,
        body: Bytes,
        limit: Option<Duration>,
    ) -> Exchange {
        (self.check)(request);
        let template = request.template();
        let mut line = format!("{} {}", template.method, template.full_target());
        for name in SHOWN {
            if let Some(value) = template.headers.get(name) {
                line = format!("{line} {name}={}", value.to_str().unwrap());
            }
        }
        self.calls.lock().unwrap().push(Call {
            line: line.clone(),
            headers: request.headers().clone(),
            body,
            limit,
            at: Instant::now(),
        });
        let mut script = self.script.lock().unwrap();
        let fits = |exchange: &Exchange| exchange.line.as_ref().is_none_or(|it| *it == line);
        let index = if self.in_order {
            script.front().filter(|next| fits(next)).map(|_| 0)
        } else {
            script.iter().position(fits)
        };
        index
            .and_then(|index| script.remove(index))
            .unwrap_or_else(|| panic!("`{line}` is not what comes next in the script: {script:?}"))
    }
}

#[async_trait]
impl Transport for Paper {
    async fn call(&self, request: &Signed, limit: Option<Duration>) -> Scripted {
        let body = request.template().body.clone().unwrap_or_default();
        let exchange = self.exchange(request, body, limit);
        if !self.takes.is_zero() {
            tokio::time::sleep(self.takes).await;
        }
        exchange.whole()
    }
}

impl Drop for Paper {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            let left = self.script.get_mut().unwrap();
            assert!(left.is_empty(), "not asked for: {left:?}");
        }
    }
}
