//! A session over the real transport with the smallest dialect; pauses take no time, calls take theirs.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use gpujob::ambient::{OsEntropy, Reporter, SystemClock};
use gpujob::error::{Error, Kind};
use gpujob::http::dialect::{Dialect, Repeat, Verdict, kind_of_status};
use gpujob::http::retry::advice_of_status;
use gpujob::http::{
    Answer, BaseUrl, Failure, Live, Patience, Safety, Session, Signed, Target, Template, Transport,
    TransportError, TrustSettings,
};
use gpujob::secret::Secret;
use gpujob::sign::Bearer;
use http::Method;
use serde_json::json;

/// The token that must show up nowhere.
pub(super) const TOKEN: &str = "hunter2-100000001";

/// Lets real time pass during calls only: paused time would jump to a limit while a socket is waited for.
#[derive(Debug)]
struct RealWhileCalling(Live);

#[async_trait]
impl Transport for RealWhileCalling {
    async fn call(
        &self,
        request: &Signed,
        limit: Option<Duration>,
    ) -> Result<Answer, TransportError> {
        tokio::time::resume();
        let result = self.0.call(request, limit).await;
        tokio::time::pause();
        result
    }
}

/// JSON or nothing; `{"error": …}` inside a success is a refusal.
#[derive(Debug)]
struct Plain;

impl Dialect for Plain {
    fn judge(&self, operation: &'static str, answer: &Answer) -> Verdict {
        let body = answer.json().ok();
        let failure = |kind, repeat| Verdict::Failure {
            error: Error::new(kind, "test", format!("`{operation}`: {}", answer.status)),
            repeat,
        };
        match &body {
            None if answer.status.is_success() => failure(Kind::Protocol, Repeat::Useless),
            Some(body) if answer.status.is_success() => match body.get("error") {
                Some(_) => failure(Kind::Rejected, Repeat::Useless),
                None => Verdict::Success,
            },
            Some(_) | None => failure(
                kind_of_status(answer.status, body.is_some()),
                advice_of_status(answer.status),
            ),
        }
    }
}

/// Keeps everything that was said.
#[derive(Debug, Default)]
pub(super) struct Notebook(Mutex<Vec<String>>);

impl Notebook {
    pub(super) fn all(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }

    fn keep(&self, word: &str, text: &str) {
        self.0.lock().unwrap().push(format!("{word}: {text}"));
    }
}

impl Reporter for Notebook {
    fn note(&self, text: &str) {
        self.keep("note", text);
    }
    fn warning(&self, text: &str) {
        self.keep("warning", text);
    }
    fn detail(&self, level: u8, text: &str) {
        self.keep(&format!("detail {level}"), text);
    }
    fn trace(&self, text: &str) {
        self.keep("trace", text);
    }
    fn is_tracing(&self) -> bool {
        true
    }
}

/// How a bench differs from the usual one.
#[derive(Debug, Clone)]
pub(super) struct Setting {
    pub(super) trust: TrustSettings,
    pub(super) retries: u32,
    pub(super) connect_limit: Duration,
    pub(super) read_limit: Duration,
    pub(super) body_limit: usize,
}

impl Default for Setting {
    fn default() -> Self {
        Self {
            trust: TrustSettings::default(),
            retries: 4,
            connect_limit: Duration::from_secs(10),
            read_limit: Duration::from_secs(60),
            body_limit: 64 << 20,
        }
    }
}

/// A session and what it said.
pub(super) struct Bench {
    pub(super) session: Session,
    pub(super) notebook: Arc<Notebook>,
    base: BaseUrl,
}

impl Bench {
    pub(super) fn new(base: &str, setting: &Setting) -> Self {
        let notebook = Arc::new(Notebook::default());
        let live = Live::new(
            setting.trust.clone(),
            setting.connect_limit,
            Arc::<Notebook>::clone(&notebook),
        )
        .with_body_limit(setting.body_limit);
        let session = Session {
            provider: "paracloud".to_owned(),
            transport: Arc::new(RealWhileCalling(live)),
            signer: Arc::new(Bearer::new(&Secret::new(TOKEN)).unwrap()),
            dialect: Arc::new(Plain),
            clock: Arc::new(SystemClock),
            entropy: Arc::new(OsEntropy),
            reporter: Arc::<Notebook>::clone(&notebook),
            patience: Patience {
                retries: setting.retries,
                deadline: None,
                read_limit: setting.read_limit,
            },
        };
        Self {
            session,
            notebook,
            base: BaseUrl::parse(base).unwrap(),
        }
    }

    /// A read with a query that needs encoding.
    pub(super) fn read(&self) -> Template {
        let target = Target::new("/jobs").segment("a/b").query("q", "x y+z");
        Template::new("listJobs", Method::GET, &self.base, target)
    }

    /// A create with a body.
    pub(super) fn create(&self) -> Template {
        Template::new("createJob", Method::POST, &self.base, Target::new("/jobs"))
            .with_json(
                "application/json",
                &json!({ "name": "训练", "password": TOKEN }),
            )
            .unwrap()
    }

    pub(super) async fn send(&self, safety: Safety) -> Result<Answer, Failure> {
        let template = match safety {
            Safety::Repeatable => self.read(),
            Safety::Once => self.create(),
        };
        self.session.send(&template).await
    }

    /// What was said under a word, such as `note`.
    pub(super) fn said(&self, word: &str) -> Vec<String> {
        let start = format!("{word}: ");
        self.notebook
            .all()
            .iter()
            .filter_map(|line| line.strip_prefix(&start))
            .map(str::to_owned)
            .collect()
    }
}
