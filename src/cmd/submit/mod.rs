//! `submit`: one create, sent once; with `--wait`, to the job's end.

mod array;
mod array_key;
mod id_file;
mod keyed;
mod place;
mod price;

use std::time::Duration;

use crate::ambient::Reporter as _;
use crate::app::App;
use crate::cli::SubmitArgs;
use crate::engine::submit::{Standing, Turn};
use crate::engine::wait::Goal;
use crate::error::Result;
use crate::output::{PriceCheck, Told};
use crate::provider::Provider;
use crate::spec::Array;

use super::explain;
use super::plan::{Planned, assess, plan_as, refusal};
use super::show::{Show, Submitted};
use super::spec::{Prepared, prepare};
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
    keyed::check(args, &prepared.spec)?;
    if args.dry_run.is_none()
        && let Some(array) = driven_array(&*provider, &prepared)
    {
        let wanted = array::Wanted {
            args,
            prepared: &prepared,
            provider: &*provider,
            pace: &pace,
            array,
        };
        let refs = array::submit(app, wanted).await?;
        if !args.wait {
            return Ok(0);
        }
        let waiting = Waiting {
            refs,
            pace,
            goal: Goal::default(),
            early,
            cancel_on_interrupt: args.cancel_on_interrupt,
            after_submit: None,
        };
        return wait_for(app, waiting).await;
    }
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
                    let adopted = Submitted {
                        job: *job,
                        told: Told::default(),
                    };
                    return submitted(app, args, (pace, early), &adopted, id_file).await;
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
    let price = price::check(app, &*provider, &plan, &job).await?;
    let told = Told {
        receipts: Vec::new(),
        price,
    };
    let new = Submitted { job, told };
    submitted(app, args, (pace, early), &new, id_file).await
}

/// The array that has to be driven from this side, if the spec has one and nothing speaks against it.
fn driven_array(provider: &dyn Provider, prepared: &Prepared) -> Option<Array> {
    let array = prepared.spec.array.as_ref()?;
    let assessment = assess(provider, prepared);
    (assessment.refusals.is_empty() && assessment.drives_array()).then(|| array.clone())
}

/// Tells of the job, and waits for its end if that was asked.
async fn submitted(
    app: &App,
    args: &SubmitArgs,
    (pace, early): (Pace, Early),
    submitted: &Submitted,
    mut id_file: Option<IdFile<'_>>,
) -> Result<u8> {
    let Submitted { job, told } = submitted;
    let show = Show::new(app);
    let written = id_file.as_mut().map_or(Ok(()), |file| file.write(job));
    if args.cancel_if_dearer {
        match &told.price {
            Some(price) if price.is_dearer() => {
                show.submitted(job, told)?;
                return Err(price::cancel(app, job).await);
            }
            Some(PriceCheck { now: Some(_), .. }) => {}
            None if job.adopted => {}
            Some(_) | None => app.ui.note(&format!(
                "`{}` does not tell what {} costs now: nothing was compared",
                job.job_ref.provider, job.job_ref
            )),
        }
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
        goal: Goal::default(),
        early,
        cancel_on_interrupt: args.cancel_on_interrupt,
        after_submit: Some(submitted),
    };
    wait_for(app, waiting).await
}
