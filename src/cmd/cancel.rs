//! `cancel`: idempotent; what has ended already is a success (job-model.md §6.2).

use crate::ambient::{Clock as _, Reporter as _};
use crate::app::App;
use crate::cli::CancelArgs;
use crate::engine::drive::Driver;
use crate::error::{Error, Kind, Result};
use crate::model::{Flag, Job, ResourceRef};

use super::show::Show;
use super::status::finish;
use super::{driver, refs};

/// Runs `cancel` on every job named; one failure does not spare the others.
pub async fn run(app: &App, args: &CancelArgs) -> Result<u8> {
    let asked = app
        .unless_interrupted(
            "interrupted; nothing was stopped",
            refs::asked(app, &args.refs),
        )
        .await?;
    let driver = driver(app, &asked.providers, app.interrupt()?);
    let mut jobs = Vec::new();
    let mut errors = Vec::new();
    for named in asked.jobs.iter().cloned() {
        let outcome = match named {
            Ok(job_ref) => {
                app.unless_interrupted("interrupted; a stop that was sent goes on", async {
                    Ok(one(app, &driver, &job_ref)
                        .await
                        .map_err(|error| error.with_job(job_ref.to_string())))
                })
                .await?
            }
            Err(error) => Err(error),
        };
        match outcome {
            Ok(job) => jobs.push(job),
            Err(error) => errors.push(error),
        }
    }
    Show::new(app).cancelled(&jobs, &errors)?;
    Ok(finish(app, &errors, false))
}

/// Reads, notes the wish, asks, reads again. The note comes first: a provider may hide that a cancel happened.
pub async fn one(app: &App, driver: &Driver<'_>, job_ref: &ResourceRef) -> Result<Job> {
    let before = read(driver, job_ref).await?;
    if has_ended(&before) {
        app.ui
            .note(&format!("{job_ref} has ended already: {}", before.state));
        return Ok(before);
    }
    let provider = driver.providers.get(&job_ref.provider).ok_or_else(|| {
        Error::internal(format!("provider `{}` was not opened", job_ref.provider))
    })?;
    if let Some(loss) = provider.cancel_means().filter(|_| app.ui.facts().can_ask()) {
        app.ui.note(&format!("cancelling {job_ref}: {loss}"));
    }
    let requested_at = app.clock.now();
    // What gives back the resources of an ended job changes nothing about its end.
    if !before.terminal {
        let recorded = app
            .writable_journal()
            .and_then(|journal| journal.record_cancel(job_ref, requested_at));
        if let Err(error) = recorded {
            app.ui.warning(&format!(
                "the cancel could not be noted in the journal: {error}"
            ));
        }
    }
    let asked = provider.cancel(job_ref).await;
    let after = read(driver, job_ref).await;
    match (asked, after) {
        (Ok(()), Ok(mut job)) => {
            if !job.terminal {
                job.flags.insert(Flag::Cancelling);
            } else if before.terminal {
                app.ui.note(&format!(
                    "{job_ref} has ended already: {}; what it still holds was asked to go",
                    job.state
                ));
            }
            Ok(job)
        }
        // The stop was taken; that the read after it failed is told, not an error.
        (Ok(()), Err(error)) => {
            app.ui.warning(&format!(
                "the stop was taken, but {job_ref} could not be read again: {error}"
            ));
            let mut job = before;
            if !job.terminal {
                job.flags.insert(Flag::Cancelling);
            }
            Ok(job)
        }
        // Refused because it ended in the meantime: done (pai-dlc.md §3.5).
        (Err(error), Ok(job)) if has_ended(&job) && error.kind() != Kind::Auth => Ok(job),
        (Err(error), _) => {
            if !before.terminal
                && let Ok(journal) = app.writable_journal()
            {
                drop(journal.withdraw_cancel(job_ref, requested_at));
            }
            Err(error)
        }
    }
}

/// Whether there is nothing left to stop: a job whose resources are kept has its result, and still costs (cli.md §10).
fn has_ended(job: &Job) -> bool {
    job.terminal && !job.flags.contains(&Flag::Reserving)
}

async fn read(driver: &Driver<'_>, job_ref: &ResourceRef) -> Result<Job> {
    driver
        .look(std::slice::from_ref(job_ref))
        .await
        .into_iter()
        .next()
        .unwrap_or_else(|| Err(Error::internal("a look at one job gave none")))
}
