//! `submit`: one create, sent once; with `--wait`, to the job's end.

use std::path::Path;

use crate::ambient::Reporter as _;
use crate::app::{App, flag_duration};
use crate::cli::SubmitArgs;
use crate::engine::submit::{Request, Submitter};
use crate::error::{Error, Kind, Result};
use crate::model::{Job, Level};
use crate::provider::Plan;

use super::plan::{Planned, plan, refusal};
use super::show::Show;
use super::spec::prepare;
use super::wait::{Waiting, wait_for};
use super::{explain, lookup_pauses};

/// Runs `submit`.
pub async fn run(app: &App, args: &SubmitArgs) -> Result<u8> {
    let prepared = prepare(app, &args.spec)?;
    let provider = app.one_provider(&prepared.spec.provider)?;
    let poll = args.poll.as_deref().map(|text| flag_duration("--poll", text)).transpose()?;
    let interrupt = app.interrupt()?;
    let planned = tokio::select! {
        planned = plan(app, &*provider, &prepared) => planned?,
        signal = interrupt.came() => return Err(signal.error("interrupted; nothing was submitted")),
    };
    if let Some(form) = args.dry_run {
        return explain::show(app, &[(&*provider, planned)], &[], form);
    }
    let plan = match planned {
        Planned::Ready(plan) => plan,
        Planned::Refused(assessment) => return Err(refusal(&*provider, assessment)),
    };
    announce(app, &plan);
    let pauses = lookup_pauses(&provider.polling(), poll);
    let submitter = Submitter {
        journal: app.writable_journal()?,
        clock: &*app.clock,
        reporter: &*app.ui,
        interrupt: &interrupt,
        pauses: &pauses,
    };
    let request = Request {
        name: prepared.spec.name.as_deref(),
        labels: &prepared.spec.labels,
        spec_hash: prepared.hash,
    };
    let mut job = submitter.submit(&*provider, &plan, &request).await?;
    complete(&mut job, &plan);
    if let Some(path) = &args.id_file {
        write_id_file(path, &job)?;
    }
    let show = Show::new(app);
    if !args.wait {
        show.submitted(&job)?;
        return Ok(0);
    }
    if show.is_streaming_text() {
        show.submitted(&job)?;
    }
    let waiting = Waiting {
        refs: vec![job.job_ref.clone()],
        poll,
        poll_failures: flag_duration("--poll-failures", &args.poll_failures)?,
        cancel_on_interrupt: args.cancel_on_interrupt,
        after_submit: Some(&job),
    };
    wait_for(app, &interrupt, waiting).await
}

/// Says what was chosen and every emulation, local field and caution, on stderr.
fn announce(app: &App, plan: &Plan) {
    for line in &plan.assessment.report {
        match line.level {
            Level::Emulated | Level::Local => {
                app.ui.note(&format!("{} is {}: {}", line.field, line.level, line.how));
            }
            Level::Native | Level::Refused => {}
        }
    }
    for note in &plan.assessment.notes {
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

fn write_id_file(path: &Path, job: &Job) -> Result<()> {
    std::fs::write(path, format!("{}\n", job.job_ref)).map_err(|error| {
        Error::new(
            Kind::Usage,
            "id_file",
            format!("--id-file: `{}` cannot be written: {error}", path.display()),
        )
        .with_job(job.job_ref.to_string())
        .with_hint("the job was submitted all the same")
    })
}
