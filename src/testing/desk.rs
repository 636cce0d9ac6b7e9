//! What stands around a paper service: a clock, fixed randomness, a notebook, and the session that joins them.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::Paper;
use crate::ambient::{Clock, Entropy, Reporter};
use crate::http::dialect::Dialect;
use crate::http::{Patience, Session};
use crate::model::Timestamp;
use crate::sign::Signer;

/// A service made of paper, the time it is, and what people are told.
#[derive(Debug)]
pub(crate) struct Desk {
    pub(crate) paper: Arc<Paper>,
    clock: Arc<Still>,
    pub(crate) notebook: Arc<Notebook>,
}

impl Desk {
    pub(crate) fn new(now: &str, paper: Paper) -> Self {
        Self {
            paper: Arc::new(paper),
            clock: Arc::new(Still::at(now)),
            notebook: Arc::new(Notebook::default()),
        }
    }

    /// A session with the service that repeats once and waits a minute for an answer.
    pub(crate) fn session(
        &self,
        provider: &str,
        signer: impl Signer + 'static,
        dialect: impl Dialect + 'static,
    ) -> Session {
        Session {
            provider: provider.to_owned(),
            transport: Arc::<Paper>::clone(&self.paper),
            signer: Arc::new(signer),
            dialect: Arc::new(dialect),
            clock: Arc::<Still>::clone(&self.clock),
            entropy: Arc::new(Sevens),
            reporter: Arc::<Notebook>::clone(&self.notebook),
            patience: Patience {
                retries: 1,
                deadline: None,
                read_limit: Duration::from_secs(60),
            },
        }
    }
}

/// A clock that stands still.
#[derive(Debug)]
pub(crate) struct Still(Timestamp);

impl Still {
    pub(crate) fn at(now: &str) -> Self {
        Self(now.parse().unwrap())
    }
}

impl Clock for Still {
    fn now(&self) -> Timestamp {
        self.0
    }
}

/// The same bytes every time.
#[derive(Debug)]
struct Sevens;

impl Entropy for Sevens {
    fn bytes(&self) -> [u8; 16] {
        [7; 16]
    }
}

/// Writes down what people are told.
#[derive(Debug, Default)]
pub(crate) struct Notebook {
    told: Mutex<Vec<String>>,
    details: Mutex<Vec<(u8, String)>>,
    traces: Mutex<Vec<String>>,
    is_tracing: bool,
}

/// Stands before a warning among the notes.
const WARNING: &str = "warning: ";

impl Notebook {
    /// One that wants the traffic too.
    pub(crate) fn tracing() -> Self {
        Self {
            is_tracing: true,
            ..Self::default()
        }
    }

    /// Notes, and warnings with that word before them.
    pub(crate) fn notes(&self) -> Vec<String> {
        self.told.lock().unwrap().clone()
    }

    /// The warnings alone, a line each.
    pub(crate) fn warnings(&self) -> String {
        let told = self.told.lock().unwrap();
        let warnings: Vec<&str> = told
            .iter()
            .filter_map(|text| text.strip_prefix(WARNING))
            .collect();
        warnings.join("\n")
    }

    /// Details, each with its level.
    pub(crate) fn details(&self) -> Vec<(u8, String)> {
        self.details.lock().unwrap().clone()
    }

    pub(crate) fn traces(&self) -> Vec<String> {
        self.traces.lock().unwrap().clone()
    }
}

impl Reporter for Notebook {
    fn note(&self, text: &str) {
        self.told.lock().unwrap().push(text.to_owned());
    }
    fn warning(&self, text: &str) {
        self.told.lock().unwrap().push(format!("{WARNING}{text}"));
    }
    fn detail(&self, level: u8, text: &str) {
        self.details.lock().unwrap().push((level, text.to_owned()));
    }
    fn trace(&self, text: &str) {
        self.traces.lock().unwrap().push(text.to_owned());
    }
    fn is_tracing(&self) -> bool {
        self.is_tracing
    }
}
