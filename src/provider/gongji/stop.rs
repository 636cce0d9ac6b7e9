//! Stopping a job, and looking whether it stopped (gongji.md §2.6).

use std::time::Duration;

use crate::error::{Kind, Result};
use crate::model::ResourceRef;

use super::Gongji;
use super::parse::{self, Memory};

/// Pauses before the looks that follow a stop. The first look comes at once.
const PAUSES: [Duration; 4] = [
    Duration::ZERO,
    Duration::from_millis(500),
    Duration::from_secs(1),
    Duration::from_millis(1500),
];

/// What a stop came to, by the job's detail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Halt {
    /// Over, and no longer charged.
    Done,
    /// It runs on for the moment.
    Running,
    /// Over, and so many pods are charged.
    Charged(i64),
}

impl Gongji {
    /// Asks for a stop; a refusal of what has ended is a success. What still runs or costs some seconds later is told.
    pub(super) async fn stop(&self, job: &ResourceRef) -> Result<()> {
        let id = self.job_id(job)?;
        let Err(failure) = self.session.send(&self.api.stop_job(id)?).await else {
            self.confirm_stop(job, id).await;
            return Ok(());
        };
        let error = self.named(failure.error);
        if !matches!(error.kind(), Kind::Rejected | Kind::NotFound) {
            return Err(error);
        }
        let Some(value) = self.look_up(id).await? else {
            return Err(self.unknown_job(job).with_cause(error));
        };
        match parse::job(&value, &self.name, Memory::Untold) {
            Some(job) if job.terminal => Ok(()),
            Some(_) | None => Err(error),
        }
    }

    /// Polls the detail for some seconds. The stop was taken, so nothing here is an error.
    async fn confirm_stop(&self, job: &ResourceRef, id: i64) {
        let mut last = Halt::Done;
        for pause in PAUSES {
            tokio::time::sleep(pause).await;
            let value = match self.look_up(id).await {
                Ok(Some(value)) => value,
                // It is gone with its stop.
                Ok(None) => return,
                Err(error) => {
                    let text = format!("whether {job} has stopped is not known: {error}");
                    self.session.reporter.detail(1, &text);
                    return;
                }
            };
            let Some(seen) = parse::job(&value, &self.name, Memory::Untold) else {
                return;
            };
            last = match (seen.terminal, parse::charged(&seen)) {
                (true, None) => return,
                (true, Some(pods)) => Halt::Charged(pods),
                (false, _) => Halt::Running,
            };
        }
        match last {
            Halt::Done => {}
            Halt::Running => self.warn(&format!(
                "the stop of {job} was taken, but it still runs and is charged; `gpujob wait {job}` tells when it has \
                 stopped"
            )),
            Halt::Charged(pods) => self.warn(&format!(
                "{job} has stopped, but {}; `gpujob status {job}` tells when that ends",
                parse::charges(pods)
            )),
        }
    }
}
