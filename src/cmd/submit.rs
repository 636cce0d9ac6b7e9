//! `submit`: one create, sent once; with `--wait`, to the job's end.

use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::path::Path;
use std::time::Duration;

use crate::ambient::Reporter as _;
use crate::app::App;
use crate::cli::SubmitArgs;
use crate::engine::submit::{Request, Submitter};
use crate::error::{Error, Kind, Result};
use crate::model::{Job, Level};
use crate::provider::Plan;

use super::plan::{Planned, plan, refusal};
use super::show::Show;
use super::spec::prepare;
use super::wait::{Pace, Waiting, wait_for};
use super::{explain, lookup_pauses};

/// Runs `submit`.
pub async fn run(app: &App, args: &SubmitArgs) -> Result<u8> {
    let prepared = prepare(app, &args.spec)?;
    let provider = app.one_provider(&prepared.spec.provider)?;
    let pace = Pace {
        start_within: prepared.spec.start_timeout.map(Duration::from_secs),
        ..Pace::of(args.poll.as_deref(), &args.poll_failures)?
    };
    let text = format!("asking {}", provider.name());
    let planning = app.with_progress(&text, plan(app, &*provider, &prepared));
    let planned = app
        .unless_interrupted("interrupted; nothing was submitted", planning)
        .await?;
    if let Some(form) = args.dry_run {
        return explain::show(app, &[(&*provider, planned)], &[], form);
    }
    let plan = match planned {
        Planned::Ready(plan) => plan,
        Planned::Refused(assessment) => return Err(refusal(&*provider, assessment)),
    };
    let mut id_file = args.id_file.as_deref().map(IdFile::open).transpose()?;
    announce(app, &plan);
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
    let mut job = {
        let text = format!("submitting to {}", provider.name());
        let submitting = submitter.submit(&*provider, &plan, &request);
        app.with_progress(&text, submitting).await?
    };
    complete(&mut job, &plan);
    let show = Show::new(app);
    let written = id_file.as_mut().map_or(Ok(()), |file| file.write(&job));
    if !args.wait {
        show.submitted(&job)?;
        return written.map(|()| 0);
    }
    if show.is_streaming_text() {
        show.submitted(&job)?;
    }
    if let Err(error) = written {
        app.ui.warning(&error.to_string());
    }
    let waiting = Waiting {
        refs: vec![job.job_ref.clone()],
        pace,
        cancel_on_interrupt: args.cancel_on_interrupt,
        after_submit: Some(&job),
    };
    wait_for(app, waiting).await
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

/// `--id-file`, opened before the create leaves: a place that cannot be written is told while nothing has happened yet.
#[derive(Debug)]
struct IdFile<'a> {
    path: &'a Path,
    file: File,
}

impl<'a> IdFile<'a> {
    fn open(path: &'a Path) -> Result<Self> {
        // What it holds stays until there is a ref to put in its place.
        OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .open(path)
            .map(|file| Self { path, file })
            .map_err(|error| unwritable(path, &error).with_hint("nothing was submitted"))
    }

    fn write(&mut self, job: &Job) -> Result<()> {
        // Devices and pipes, such as `/dev/fd/3`, have no length.
        let emptied = match self.file.metadata() {
            Ok(metadata) if metadata.is_file() => self.file.set_len(0),
            Ok(_) | Err(_) => Ok(()),
        };
        emptied
            .and_then(|()| self.file.write_all(format!("{}\n", job.job_ref).as_bytes()))
            .map_err(|error| {
                unwritable(self.path, &error)
                    .with_job(job.job_ref.to_string())
                    .with_hint("the job was submitted all the same")
            })
    }
}

fn unwritable(path: &Path, error: &io::Error) -> Error {
    Error::new(
        Kind::Usage,
        "id_file",
        format!("--id-file: `{}` cannot be written: {error}", path.display()),
    )
}
