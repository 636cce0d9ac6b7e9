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
pub struct Interrupt(watch::Receiver<Option<Signal>>);

impl Interrupt {
    /// Listens for SIGINT and SIGTERM; needs a runtime.
    pub fn listen() -> std::io::Result<Self> {
        let (sender, receiver) = watch::channel(None);
        let mut interrupts = signal(SignalKind::interrupt())?;
        let mut terminations = signal(SignalKind::terminate())?;
        tokio::spawn(async move {
            let came = tokio::select! {
                _ = interrupts.recv() => Signal::Interrupt,
                _ = terminations.recv() => Signal::Terminate,
            };
            sender.send_replace(Some(came));
            std::future::pending::<()>().await;
        });
        Ok(Self(receiver))
    }

    /// An interrupt that never comes, for tests.
    pub fn never() -> Self {
        Self(watch::channel(None).1)
    }

    /// Returns when a signal comes.
    pub async fn came(&self) -> Signal {
        let mut receiver = self.0.clone();
        let signal = receiver.wait_for(Option::is_some).await.ok().and_then(|signal| *signal);
        match signal {
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
