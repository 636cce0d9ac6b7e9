//! Exit codes of script-mode jobs, from the file that the script leaves (paracloud.md §9.2; job-model.md §10).

use jiff::SignedDuration;

use crate::error::{Error, Kind, Result};
use crate::model::{FilePath, Flag, Job, Offer, ResourceRef, State};
use crate::provider::{Observation, Tracked};

use super::Paracloud;
use super::reading::Reading;
use super::record::Group;
use super::script;

/// More than any number takes.
const READ_AT_MOST: usize = 64;
/// A cancel takes no longer than this (paracloud.md §5.3).
const CANCEL_TAKES: SignedDuration = SignedDuration::from_secs(120);

/// What the file tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Told {
    Code(i64),
    /// There is no file, or no number in it.
    Nothing,
    /// It cannot be had from here, now or later.
    Never,
}

impl Paracloud {
    /// The record of a group that was seen, with the code of its program where it failed and a script kept it.
    ///
    /// A code that cannot be read now is a failed look; one that is not there yet leaves the job not over for a while.
    pub(super) async fn seen(
        &self,
        mut job: Job,
        group: &Group,
        tracked: &Tracked,
    ) -> Result<Observation> {
        self.doubt_cancel(&mut job, tracked);
        let mut reading = Reading::read(tracked.reading.as_ref());
        if let Some((volume, folder)) = script::place_of(group, &job.job_ref) {
            reading.at(&volume, &folder);
        }
        if job.state == State::Failed {
            job.exit_code = reading.exit_code;
        }
        reading.learn(&job);
        if let (State::Failed, None, Some(place)) = (job.state, job.exit_code, reading.place()) {
            match self.read_exit_code(&job.job_ref, &place).await? {
                Told::Code(code) => {
                    job.exit_code = Some(code);
                    reading.exit_code = Some(code);
                }
                Told::Nothing if reading.may_come(self.session.clock.now()) => {
                    job.terminal = false;
                    add_message(&mut job, "its exit code is not there yet");
                }
                Told::Nothing | Told::Never => {}
            }
        }
        if let (true, Some(place)) = (reading.has_secrets, reading.place())
            && (job.terminal || self.was_stopped(&job.job_ref))
        {
            reading.has_secrets = !self.remove_secrets(&place).await;
        }
        job.reading = reading.kept();
        Ok(Observation::Seen(Box::new(job)))
    }

    /// A cancel that has not taken effect for long may have been lost (§5.3).
    fn doubt_cancel(&self, job: &mut Job, tracked: &Tracked) {
        let asked = tracked
            .cancel_requested_at
            .filter(|_| job.flags.contains(&Flag::Cancelling));
        let since = asked.map(|asked| self.session.clock.now().duration_since(asked));
        if since.is_some_and(|since| since >= CANCEL_TAKES) {
            add_message(
                job,
                "a cancel was sent minutes ago and has not taken effect; cancel it again",
            );
        }
    }

    /// A group that is not there: its script may have told how it ended (§3.5).
    pub(super) async fn unseen(&self, tracked: &Tracked, offers: &[Offer]) -> Result<Observation> {
        let reading = Reading::read(tracked.reading.as_ref());
        let Some(place) = reading.place() else {
            return Ok(Observation::Missing);
        };
        let told = match reading.exit_code {
            Some(code) => Told::Code(code),
            None => self.read_exit_code(&tracked.job_ref, &place).await?,
        };
        Ok(match told {
            Told::Code(code) => {
                let cancelled = tracked.cancel_requested_at;
                let job = reading.gone(&tracked.job_ref, code, cancelled, offers);
                Observation::Seen(Box::new(job))
            }
            Told::Nothing | Told::Never => {
                if reading.has_secrets && self.was_stopped(&tracked.job_ref) {
                    self.remove_secrets(&place).await;
                }
                Observation::Missing
            }
        })
    }

    /// Without credentials it stays unknown. Fails when another look may tell it.
    async fn read_exit_code(
        &self,
        job: &ResourceRef,
        (volume, folder): &(ResourceRef, FilePath),
    ) -> Result<Told> {
        let path = folder.join(script::EXIT_CODE);
        let read = async { self.files_of(volume)?.read_small(&path, READ_AT_MOST).await };
        let error = match read.await {
            Ok(text) => {
                return Ok(script::exit_code(&text).map_or(Told::Nothing, Told::Code));
            }
            Err(error) => error,
        };
        let what = || format!("the exit code of {job} cannot be read: {error}");
        if error.kind() == Kind::NotFound {
            // The job was ended before its script could write it, or it is not seen here yet.
            return Ok(Told::Nothing);
        }
        if matches!(error.kind(), Kind::Auth | Kind::Config) {
            self.session.reporter.note(&what());
            return Ok(Told::Never);
        }
        if error.kind() == Kind::Timeout {
            return Err(error);
        }
        Err(passing(&error, what()).with_job(job.to_string()))
    }
}

/// Says something beside what the service says.
fn add_message(job: &mut Job, text: &str) {
    job.message = Some(match job.message.take() {
        Some(message) => format!("{message}; {text}"),
        None => text.to_owned(),
    });
}

/// A look that failed: the state is known, the whole result is not.
fn passing(error: &Error, message: String) -> Error {
    let kind = if error.kind() == Kind::Protocol {
        Kind::Protocol
    } else {
        Kind::Temporary
    };
    error.clone().with_kind(kind).with_message(message)
}
