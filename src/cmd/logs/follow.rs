//! A log that is read beside the wait for its job: the two end when both have.

use tokio::sync::watch;

use crate::app::App;
use crate::engine::drive::{Audience, Driver, Ending};
use crate::engine::logs::{Scribe, Sink};
use crate::engine::wait::Settings;
use crate::error::Result;
use crate::model::{Job, ResourceRef};

/// How the two ended.
#[derive(Debug)]
pub struct Followed {
    /// `None` when nobody reads the log any more, and the wait was given up with it.
    pub ending: Option<Ending>,
    /// `None` when the wait was stopped before the log had ended.
    pub log: Option<Result<()>>,
}

/// Waits for one job and reads its log, each at its own pace.
///
/// A signal or the end of `--timeout` stops both. When the log cannot be read, or nobody reads it, waiting ends too.
pub async fn beside(
    app: &App,
    driver: &Driver<'_>,
    refs: &[ResourceRef],
    settings: Settings,
    audience: &mut dyn Audience,
    scribe: Scribe<'_>,
    sink: &mut dyn Sink,
) -> Result<Followed> {
    let (sender, receiver) = watch::channel(None);
    let mut teller = Teller { sender, audience };
    let mut reading = std::pin::pin!(scribe.follow(receiver, sink));
    let ending = tokio::select! {
        ending = driver.wait(refs, settings, &mut teller) => ending?,
        log = &mut reading => return Ok(Followed { ending: None, log: Some(log) }),
    };
    match &ending {
        Ending::Ended(jobs) => {
            if let Some(job) = jobs.first() {
                teller.sender.send_replace(Some(job.clone()));
            }
        }
        Ending::Met { .. } | Ending::Stopped { .. } => {
            return Ok(Followed {
                ending: Some(ending),
                log: None,
            });
        }
    }
    let log = app
        .unless_interrupted("interrupted while the rest of the log was read", async {
            Ok(reading.await)
        })
        .await?;
    Ok(Followed {
        ending: Some(ending),
        log: Some(log),
    })
}

/// Tells the reader of the log what the wait sees.
struct Teller<'a> {
    sender: watch::Sender<Option<Job>>,
    audience: &'a mut dyn Audience,
}

impl Audience for Teller<'_> {
    fn changed(&mut self, job: &Job) {
        self.audience.changed(job);
    }

    fn beat(&mut self, jobs: &[&Job], failing: &[&str]) {
        self.audience.beat(jobs, failing);
        if let [job] = jobs {
            self.sender.send_replace(Some((*job).clone()));
        }
    }
}
