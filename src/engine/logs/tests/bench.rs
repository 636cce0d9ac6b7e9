//! Logs that are made up: each read does what a script says. The provider beside them tells events only.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use http::{HeaderMap, StatusCode};
use serde_json::json;
use tokio::sync::watch;

use super::fakes::{Seeded, Virtual};
use crate::engine::logs::{Form, Request, Scribe, Sink};
use crate::error::{Error, Kind, Result};
use crate::http::{Answer, BaseUrl, Patience, Session, Signed, Transport, TransportError};
use crate::model::{Job, ResourceRef, State};
use crate::provider::gongji::{Connection, Gongji, GongjiDialect};
use crate::provider::{LogLook, LogPiece, LogReader, LogSource, LogStart, LogStream, Logs};
use crate::secret::Secret;
use crate::sign::GongjiSigner;
use crate::testing::Notebook;

/// What one read, or one listing, does.
#[derive(Debug, Clone, Copy)]
pub(super) enum Act {
    Writes(&'static str),
    Fails(Kind),
}

/// One log: its pod, its stream, and its reads; the last one is repeated, if it fails.
type Script<'s> = (&'s str, Option<LogStream>, &'s [Act]);

/// The logs of one job.
pub(super) struct Made {
    sources: Vec<LogSource>,
    /// Failures of listings, one after another; then they work.
    listings: Mutex<VecDeque<Kind>>,
    reads: Mutex<BTreeMap<String, VecDeque<Act>>>,
    pub(super) looks: Mutex<Vec<String>>,
}

impl Made {
    pub(super) fn new(scripts: &[Script<'_>]) -> Self {
        let mut reads = BTreeMap::new();
        let sources = scripts.iter().enumerate().map(|(number, script)| {
            let locator = number.to_string();
            reads.insert(locator.clone(), script.2.iter().copied().collect());
            LogSource {
                name: script.0.to_owned(),
                stream: script.1,
                locator: vec![locator],
                began_at: None,
                ended: false,
            }
        });
        Self {
            sources: sources.collect(),
            listings: Mutex::new(VecDeque::new()),
            reads: Mutex::new(reads),
            looks: Mutex::new(Vec::new()),
        }
    }

    /// From now on the provider does not know the job.
    pub(super) fn forget(&self) {
        let gone = std::iter::repeat_n(Kind::NotFound, 99);
        self.listings.lock().unwrap().extend(gone);
    }

    /// Listings fail so at first.
    pub(super) fn listing(self, kinds: &[Kind]) -> Self {
        self.listings.lock().unwrap().extend(kinds.iter().copied());
        self
    }
}

#[async_trait]
impl Logs for Made {
    async fn sources(&self, _job: &Job) -> Result<Vec<LogSource>> {
        match self.listings.lock().unwrap().pop_front() {
            Some(kind) => Err(failure(kind)),
            None => Ok(self.sources.clone()),
        }
    }

    fn open<'a>(&'a self, source: &LogSource, _start: &LogStart) -> Box<dyn LogReader + 'a> {
        Box::new(Reader {
            made: self,
            log: source.locator.concat(),
        })
    }

    fn knows_times(&self) -> bool {
        false
    }
}

struct Reader<'a> {
    made: &'a Made,
    log: String,
}

impl fmt::Debug for Reader<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Reader")
    }
}

#[async_trait]
impl LogReader for Reader<'_> {
    async fn read(&mut self, _look: LogLook) -> Result<LogPiece> {
        self.made
            .looks
            .lock()
            .unwrap()
            .push(format!("{} asked", self.log));
        // An answer takes a second, the same for every log.
        tokio::time::sleep(Duration::from_secs(1)).await;
        let mut reads = self.made.reads.lock().unwrap();
        let acts = reads.get_mut(&self.log).unwrap();
        let act = match acts.front() {
            Some(Act::Fails(kind)) if acts.len() == 1 => Act::Fails(*kind),
            _ => acts.pop_front().unwrap_or(Act::Writes("")),
        };
        match act {
            Act::Writes(text) => Ok(LogPiece {
                bytes: text.as_bytes().to_vec(),
                ..LogPiece::default()
            }),
            Act::Fails(kind) => Err(failure(kind)),
        }
    }
}

fn failure(kind: Kind) -> Error {
    Error::new(kind, "made_up", "made up")
}

/// Tells one event of every job.
#[derive(Debug)]
struct Events;

#[async_trait]
impl Transport for Events {
    async fn call(
        &self,
        request: &Signed,
        _limit: Option<Duration>,
    ) -> Result<Answer, TransportError> {
        let target = request.template().full_target();
        let data = if target.contains("/points?") {
            json!({"count": 0, "results": []})
        } else {
            json!({"task_id": 1, "status": "Pending"})
        };
        Ok(Answer {
            status: StatusCode::OK,
            headers: HeaderMap::new(),
            body: json!({"code": "0000", "data": data}).to_string().into(),
        })
    }
}

fn provider() -> Gongji {
    let token = Secret::new("token-1");
    let clock = Arc::new(Virtual::new());
    Gongji::new(Connection {
        name: "gongji".to_owned(),
        session: Session {
            provider: "gongji".to_owned(),
            transport: Arc::new(Events),
            signer: Arc::new(GongjiSigner::new(&token, None).unwrap()),
            dialect: Arc::new(GongjiDialect::new(
                vec![token],
                false,
                Arc::<Virtual>::clone(&clock),
            )),
            clock,
            entropy: Arc::new(Seeded::new(1)),
            reporter: Arc::new(Notebook::default()),
            patience: Patience {
                retries: 0,
                deadline: None,
                read_limit: Duration::from_secs(30),
            },
        },
        base: BaseUrl::parse("https://openapi.suanli.cn").unwrap(),
        region: None,
    })
}

/// The text that comes out.
#[derive(Debug, Default)]
struct Page(String);

impl Sink for Page {
    fn bytes(&mut self, bytes: &[u8]) -> Result<()> {
        self.0.push_str(&String::from_utf8_lossy(bytes));
        Ok(())
    }

    fn line(&mut self, pod: &str, _stream: Option<LogStream>, line: &[u8]) -> Result<()> {
        let line = String::from_utf8_lossy(line);
        for piece in ["[", pod, "] ", &line, "\n"] {
            self.0.push_str(piece);
        }
        Ok(())
    }

    fn is_closed(&self) -> bool {
        false
    }
}

/// What became of a read.
#[derive(Debug)]
pub(super) struct Outcome {
    pub(super) printed: String,
    pub(super) told: Vec<String>,
    pub(super) failure: Option<Kind>,
    /// Seconds that passed.
    pub(super) took: u64,
}

pub(super) fn job(state: State) -> Job {
    Job::new(ResourceRef::new("gongji", ["1"]), "1", state)
}

fn request(pods: &[&str], tail: Option<usize>) -> Request {
    Request {
        start: LogStart { since: None, tail },
        pods: pods.iter().map(|&pod| pod.to_owned()).collect(),
        form: Form::Bytes,
        pace: Duration::from_secs(10),
        tolerance: Duration::from_secs(600),
    }
}

/// `logs` of a job in this state.
pub(super) async fn history(
    made: &Made,
    job: &Job,
    (pods, tail): (&[&str], Option<usize>),
) -> Outcome {
    let (provider, notebook, clock) = (provider(), Notebook::default(), Virtual::new());
    let mut page = Page::default();
    let scribe = Scribe::new(&provider, made, &notebook, request(pods, tail));
    let outcome = scribe.history(job, &mut page).await;
    Outcome {
        printed: page.0,
        told: notebook.notes(),
        failure: outcome.err().map(|error| error.kind()),
        took: clock.elapsed().as_secs(),
    }
}

/// `logs -f` of a job that goes through these states, each from a second on.
pub(super) async fn follow(made: &Made, life: &[(u64, Job)]) -> Outcome {
    let (provider, notebook, clock) = (provider(), Notebook::default(), Virtual::new());
    let mut page = Page::default();
    let scribe = Scribe::new(&provider, made, &notebook, request(&[], None));
    let (sender, receiver) = watch::channel(None);
    let watching = async {
        for (from, job) in life {
            let pause = Duration::from_secs(*from).saturating_sub(clock.elapsed());
            tokio::time::sleep(pause).await;
            sender.send_replace(Some(job.clone()));
        }
        std::future::pending::<()>().await;
    };
    let outcome = tokio::select! {
        outcome = scribe.follow(receiver, &mut page) => outcome,
        () = watching => unreachable!(),
    };
    Outcome {
        printed: page.0,
        told: notebook.notes(),
        failure: outcome.err().map(|error| error.kind()),
        took: clock.elapsed().as_secs(),
    }
}
