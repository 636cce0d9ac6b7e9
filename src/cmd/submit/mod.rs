//! `submit`: one create, sent once; with `--wait`, to the job's end.

mod id_file;
mod place;
mod price;

use std::time::Duration;

use crate::ambient::Reporter as _;
use crate::app::App;
use crate::cli::SubmitArgs;
use crate::error::Result;
use crate::output::{PriceCheck, Told};

use super::explain;
use super::plan::{Planned, plan, refusal};
use super::show::{Show, Submitted};
use super::spec::prepare;
use super::wait::{Pace, Waiting, wait_for};

use id_file::IdFile;

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
    let job = place::place(app, &*provider, &plan, &prepared, &pace).await?;
    let price = price::check(app, &*provider, &plan, &job).await?;
    let submitted = Submitted {
        job,
        told: Told {
            receipts: Vec::new(),
            price,
        },
    };
    let Submitted { job, told } = &submitted;
    let show = Show::new(app);
    let written = id_file.as_mut().map_or(Ok(()), |file| file.write(job));
    if args.cancel_if_dearer && told.price.as_ref().is_none_or(|price| price.now.is_none()) {
        app.ui.note(&format!(
            "`{}` does not tell what {} costs now: nothing was compared",
            provider.name(),
            job.job_ref
        ));
    }
    if args.cancel_if_dearer && told.price.as_ref().is_some_and(PriceCheck::is_dearer) {
        show.submitted(job, told)?;
        return Err(price::cancel(app, job).await);
    }
    if !args.wait {
        show.submitted(job, told)?;
        return written.map(|()| 0);
    }
    if show.is_streaming_text() {
        show.submitted(job, told)?;
    }
    if let Err(error) = written {
        app.ui.warning(&error.to_string());
    }
    let waiting = Waiting {
        refs: vec![job.job_ref.clone()],
        pace,
        cancel_on_interrupt: args.cancel_on_interrupt,
        after_submit: Some(&submitted),
    };
    wait_for(app, waiting).await
}
