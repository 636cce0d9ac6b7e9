//! `submit`: one create, sent once; with `--wait`, to the job's end.

mod id_file;
mod keyed;
mod place;

use std::time::Duration;

use crate::ambient::Reporter as _;
use crate::app::App;
use crate::cli::SubmitArgs;
use crate::engine::submit::{Standing, Turn};
use crate::engine::wait::Goal;
use crate::error::Result;
use crate::model::Job;

use super::explain;
use super::plan::{Planned, plan_as, refusal};
use super::show::Show;
use super::spec::prepare;
use super::wait::{Early, Pace, Waiting, wait_for};

use id_file::IdFile;

/// Runs `submit`.
pub async fn run(app: &App, args: &SubmitArgs) -> Result<u8> {
    let prepared = prepare(app, &args.spec)?;
    let provider = app.one_provider(&prepared.spec.provider)?;
    let pace = Pace {
        start_within: prepared.spec.start_timeout.map(Duration::from_secs),
        ..Pace::of(args.poll.as_deref(), &args.poll_failures)?
    };
    let early = Early::of(&args.fail_if, args.cancel)?;
    let wish = keyed::wish(args);
    let turn = match (&wish, args.dry_run) {
        (None, _) => Turn::fresh(),
        (Some(wish), Some(_)) => Turn::first(wish),
        (Some(wish), None) => {
            let candidates = [&*provider];
            let looking = keyed::standing(app, &candidates, wish, &prepared, &pace);
            let text = format!("looking for the key on {}", provider.name());
            let looking = app.with_progress(&text, looking);
            let standing = app
                .unless_interrupted("interrupted; nothing was submitted", looking)
                .await?;
            match standing {
                Standing::Free(turn) => turn,
                Standing::Adopted(job) => {
                    app.ui.note(&format!(
                        "the key `{}` stands for {}: nothing was submitted",
                        wish.key, job.job_ref
                    ));
                    let id_file = args.id_file.as_deref().map(IdFile::open).transpose()?;
                    return submitted(app, args, (pace, early), &job, id_file).await;
                }
            }
        }
    };
    let text = format!("asking {}", provider.name());
    let planning = app.with_progress(&text, plan_as(app, &*provider, &prepared, &turn));
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
    let id_file = args.id_file.as_deref().map(IdFile::open).transpose()?;
    let job = place::place(app, &*provider, &plan, &prepared, &pace, &turn).await?;
    // Others with this key need not wait for this one's job.
    drop(turn);
    submitted(app, args, (pace, early), &job, id_file).await
}

/// Tells of the job, and waits for its end if that was asked.
async fn submitted(
    app: &App,
    args: &SubmitArgs,
    (pace, early): (Pace, Early),
    job: &Job,
    mut id_file: Option<IdFile<'_>>,
) -> Result<u8> {
    let show = Show::new(app);
    let written = id_file.as_mut().map_or(Ok(()), |file| file.write(job));
    if !args.wait {
        show.submitted(job)?;
        return written.map(|()| 0);
    }
    if show.is_streaming_text() {
        show.submitted(job)?;
    }
    if let Err(error) = written {
        app.ui.warning(&error.to_string());
    }
    let waiting = Waiting {
        refs: vec![job.job_ref.clone()],
        pace,
        goal: Goal::default(),
        early,
        cancel_on_interrupt: args.cancel_on_interrupt,
        after_submit: Some(job),
    };
    wait_for(app, waiting).await
}
