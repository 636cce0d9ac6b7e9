//! Ctrl-C and SIGTERM as an input: the engine decides what to say, nothing is killed by being dropped.

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

use crate::error::{Error, Kind};

/// Which signal came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signal {
    Interrupt,
    Terminate,
}

/// Tells when somebody wants this command to end.
#[derive(Debug, Clone)]
pub struct Interrupt(watch::Receiver<Heard>);

/// What came so far.
#[derive(Debug, Clone, Copy, Default)]
struct Heard {
    first: Option<Signal>,
    again: bool,
}

impl Interrupt {
    /// Listens for SIGINT and SIGTERM; needs a runtime.
    pub fn listen() -> std::io::Result<Self> {
        let (sender, receiver) = watch::channel(Heard::default());
        let mut interrupts = signal(SignalKind::interrupt())?;
        let mut terminations = signal(SignalKind::terminate())?;
        tokio::spawn(async move {
            loop {
                let came = tokio::select! {
                    _ = interrupts.recv() => Signal::Interrupt,
                    _ = terminations.recv() => Signal::Terminate,
                };
                sender.send_modify(|heard| {
                    heard.again = heard.first.is_some();
                    heard.first.get_or_insert(came);
                });
            }
        });
        Ok(Self(receiver))
    }

    /// An interrupt that never comes, for tests.
    pub fn never() -> Self {
        Self(watch::channel(Heard::default()).1)
    }

    /// Returns when a signal comes.
    pub async fn came(&self) -> Signal {
        self.until(|heard| heard.first.is_some()).await
    }

    /// Returns when a second signal comes.
    pub async fn came_again(&self) -> Signal {
        self.until(|heard| heard.again).await
    }

    async fn until(&self, enough: impl Fn(&Heard) -> bool) -> Signal {
        let mut receiver = self.0.clone();
        let heard = receiver
            .wait_for(enough)
            .await
            .ok()
            .and_then(|heard| heard.first);
        match heard {
            Some(signal) => signal,
            None => std::future::pending().await,
        }
    }
}

impl Signal {
    /// The error a command ends with; `what` says what was left as it is.
    pub fn error(self, what: &str) -> Error {
        let (kind, code) = match self {
            Self::Interrupt => (Kind::Interrupted, "interrupted"),
            Self::Terminate => (Kind::Terminated, "terminated"),
        };
        Error::new(kind, code, what)
    }
}
