//! Where a planned job goes: says what was chosen, sends the create once, and tells of the job what the plan knows.

use crate::ambient::Reporter as _;
use crate::app::App;
use crate::engine::submit::{Request, Submitter};
use crate::error::Result;
use crate::model::{Job, Level};
use crate::provider::{Plan, Provider};

use super::super::lookup_pauses;
use super::super::spec::Prepared;
use super::super::wait::Pace;

/// Submits `plan` to `provider`.
pub(super) async fn place(
    app: &App,
    provider: &dyn Provider,
    plan: &Plan,
    prepared: &Prepared,
    pace: &Pace,
) -> Result<Job> {
    announce(app, plan);
    let pauses = lookup_pauses(&provider.polling(), pace.poll);
    let submitter = Submitter {
        journal: app.writable_journal()?,
        clock: &*app.clock,
        reporter: &*app.ui,
        interrupt: app.interrupt()?,
        deadline: app.deadline,
        pauses: &pauses,
    };
    let request = Request {
        name: prepared.spec.name.as_deref(),
        labels: &prepared.spec.labels,
        spec_hash: prepared.hash,
        secret_names: &prepared.spec.secrets,
    };
    let text = format!("submitting to {}", provider.name());
    let submitting = submitter.submit(provider, plan, &request);
    let mut job = app.with_progress(&text, submitting).await?;
    complete(&mut job, plan);
    Ok(job)
}

/// Says what was chosen and every emulation, local field and caution, on stderr.
fn announce(app: &App, plan: &Plan) {
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
fn complete(job: &mut Job, plan: &Plan) {
    if let Some(offer) = &plan.offer {
        job.instance_type.get_or_insert_with(|| offer.name.clone());
        if job.gpu.is_none() {
            job.gpu.clone_from(&offer.gpu);
        }
    }
    job.nodes = plan.nodes;
}
