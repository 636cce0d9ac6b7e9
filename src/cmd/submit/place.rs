//! Where a planned job goes: says what was chosen, sends the create once, and tells of the job what the plan knows.

use std::time::Duration;

use crate::ambient::Reporter as _;
use crate::app::App;
use crate::engine::submit::{Request, Submitter, Turn};
use crate::error::Result;
use crate::model::{Job, Level};
use crate::provider::{Plan, Provider};

use super::super::lookup_pauses;
use super::super::spec::Prepared;
use super::super::wait::Pace;

/// Submits `plan` to `provider`, under the turn it was planned with.
pub(super) async fn place(
    app: &App,
    provider: &dyn Provider,
    plan: &Plan,
    prepared: &Prepared,
    pace: &Pace,
    turn: &Turn,
) -> Result<Job> {
    announce(app, plan);
    let pauses = lookup_pauses(&provider.polling(), pace.poll);
    let submitter = submitter(app, &pauses)?;
    let request = request(prepared);
    let text = format!("submitting to {}", provider.name());
    let submitting = submitter.submit(provider, plan, &request, turn);
    let mut job = app.with_progress(&text, submitting).await?;
    complete(&mut job, plan);
    Ok(job)
}

/// What submits for this run. Fails with 85 where the journal cannot be written (cli.md §10, "More codes").
pub(super) fn submitter<'a>(app: &'a App, pauses: &'a [Duration]) -> Result<Submitter<'a>> {
    Ok(Submitter {
        journal: app.writable_journal()?,
        locks: app.locks()?,
        clock: &*app.clock,
        reporter: &*app.ui,
        interrupt: app.interrupt()?,
        deadline: app.deadline,
        pauses,
    })
}

/// What the journal keeps of a spec.
pub(super) fn request(prepared: &Prepared) -> Request<'_> {
    Request {
        name: prepared.spec.name.as_deref(),
        labels: &prepared.spec.labels,
        spec_hash: prepared.hash,
        secret_names: &prepared.spec.secrets,
    }
}

/// Says what was chosen and every emulation, local field and caution, on stderr.
pub(super) fn announce(app: &App, plan: &Plan) {
    let cautions = &plan.assessment.notes;
    for line in &plan.assessment.report {
        // A caution that begins with the same words says it already, and more.
        let said = format!("`{}` is {}", line.field, line.level);
        match line.level {
            Level::Emulated | Level::Local
                if cautions.iter().any(|note| note.starts_with(&said)) => {}
            Level::Emulated | Level::Local => {
                app.ui
                    .note(&format!("{} is {}: {}", line.field, line.level, line.how));
            }
            Level::Native | Level::Refused => {}
        }
    }
    for note in cautions {
        app.ui.note(note);
    }
}

/// What the create's answer did not tell but the plan knows.
pub(super) fn complete(job: &mut Job, plan: &Plan) {
    if let Some(offer) = &plan.offer {
        job.instance_type.get_or_insert_with(|| offer.name.clone());
        if job.gpu.is_none() {
            job.gpu.clone_from(&offer.gpu);
        }
    }
    job.nodes = plan.nodes;
}
