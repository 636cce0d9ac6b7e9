//! `submit --array` where the provider has no arrays: one job for each index, from this side (cli.md §10, "Arrays").
//!
//! Every index is a submission of its own under the array's key and its number, `KEY[7]`, so that the same command
//! continues what an earlier one left, and nothing is submitted twice. One survey serves all of them.

use std::cell::RefCell;
use std::time::Duration;

use futures_util::future::LocalBoxFuture;

use crate::ambient::{Clock as _, Entropy as _, Reporter as _};
use crate::app::App;
use crate::cli::SubmitArgs;
use crate::engine::array::identity::index_key;
use crate::engine::array::{Driven, Hands, Machine, drive};
use crate::engine::drive::Driver;
use crate::engine::interrupt::Signal;
use crate::engine::submit::{Place, Standing, Submitter, Wish};
use crate::error::{Error, Kind, Result};
use crate::model::{Job, ResourceRef};
use crate::output::Told;
use crate::provider::{Plan, Provider};
use crate::spec::Array;
use crate::ui::Task;

use super::super::plan::{Planned, Surveyed, refusal};
use super::super::show::Show;
use super::super::spec::Prepared;
use super::super::wait::{Pace, stop_all};
use super::super::{driver, lookup_pauses};
use super::array_key::ArrayKey;
use super::id_file::IdFile;
use super::place::{announce, complete, request, submitter};

/// An array that is to be driven.
#[derive(Debug)]
pub(super) struct Wanted<'a> {
    pub(super) args: &'a SubmitArgs,
    pub(super) prepared: &'a Prepared,
    pub(super) provider: &'a dyn Provider,
    pub(super) pace: &'a Pace,
    pub(super) array: Array,
}

/// Submits every index that is not there yet, and tells of all. The jobs' refs, for whoever waits for them.
pub(super) async fn submit(app: &App, wanted: Wanted<'_>) -> Result<Vec<ResourceRef>> {
    let Wanted {
        args,
        prepared,
        provider,
        pace,
        array,
    } = wanted;
    let mut id_file = args.id_file.as_deref().map(IdFile::open).transpose()?;
    let key = ArrayKey::of(app, args, prepared, provider, &array)?;
    let text = format!("asking {}", provider.name());
    let reading = app.with_progress(&text, read(app, prepared, provider));
    let (surveyed, whole, scope) = app
        .unless_interrupted("interrupted; nothing was submitted", reading)
        .await?;
    let interrupt = app.interrupt()?;
    let providers = app.providers_of([provider.name()].into_iter())?;
    let driver = driver(app, &providers, interrupt);
    let known = known_jobs(app, &driver, &key, &array).await;
    let live: Vec<ResourceRef> = key
        .known
        .values()
        .filter(|job_ref| {
            !known
                .iter()
                .any(|job| job.job_ref == **job_ref && job.terminal)
        })
        .cloned()
        .collect();
    let pauses = lookup_pauses(&provider.polling(), pace.poll);
    let hands = Creating {
        app,
        args,
        prepared,
        provider,
        surveyed,
        whole,
        scope,
        submitter: submitter(app, &pauses)?,
        driver: &driver,
        key: &key,
        total: array.count(),
        task: RefCell::new(app.ui.task("submitting the array", app.clock.now())),
    };
    let todo = (array.first..=array.last).filter(|index| key.is_open(*index));
    let holds_places = array.parallel < array.count() && !args.detach_array;
    let machine = Machine::new(todo, array.parallel, holds_places, live.len());
    let poll = pace.poll.unwrap_or(provider.polling().first);
    let driven = drive(machine, &hands, live, poll, interrupt, app.deadline).await;
    drop(hands);

    let mut jobs = known;
    jobs.extend(driven.jobs.values().cloned());
    let show = Show::new(app);
    if !show.is_streaming_text() && !args.wait {
        show.jobs(&jobs, &[])?;
    }
    let refs = key.refs(&driven.jobs);
    if let Some(file) = id_file.as_mut() {
        file.write_refs(&refs)?;
    }
    summary(app, &key, &array, &driven, refs.len());
    match failure(&key, &array, driven, refs.len()) {
        Some((_, Some(signal))) if args.cancel_on_interrupt => {
            Err(stop_all(app, &driver, &refs, signal).await)
        }
        Some((error, _)) => Err(error),
        None => Ok(refs),
    }
}

/// What every job of the array is made from, its whole plan and the scope of its markers.
type Read = (Surveyed, Box<Plan>, String);

/// Reads before any create, and says what was chosen.
async fn read(app: &App, prepared: &Prepared, provider: &dyn Provider) -> Result<Read> {
    let surveyed = Surveyed::by(app, provider, &prepared.spec).await?;
    let scope = provider.scope(&prepared.spec).await?;
    match surveyed.whole(app, provider, prepared) {
        Planned::Ready(whole) => {
            announce(app, &whole);
            Ok((surveyed, whole, scope))
        }
        Planned::Refused(assessment) => Err(refusal(provider, assessment)),
    }
}

/// The present records of the jobs that an earlier run submitted; their refs are printed first.
async fn known_jobs(app: &App, driver: &Driver<'_>, key: &ArrayKey, array: &Array) -> Vec<Job> {
    if key.known.is_empty() {
        return Vec::new();
    }
    app.ui.note(&format!(
        "the array `key:{}` is continued: {} of its {} jobs are there already",
        key.key,
        key.known.len(),
        array.count()
    ));
    let refs: Vec<ResourceRef> = key.known.values().cloned().collect();
    let show = Show::new(app);
    let mut jobs = Vec::new();
    for (job_ref, record) in refs.iter().zip(driver.look(&refs).await) {
        match record {
            Ok(mut job) => {
                job.adopted = true;
                show_one(app, &show, &job);
                jobs.push(job);
            }
            Err(error) => app.ui.warning(&format!("{job_ref}: {error}")),
        }
    }
    jobs
}

/// A job as it comes, where results are text or lines.
fn show_one(app: &App, show: &Show<'_>, job: &Job) {
    if !show.is_streaming_text() {
        return;
    }
    if let Err(error) = show.submitted(job, &Told::default()) {
        app.ui
            .warning(&format!("{} could not be printed: {error}", job.job_ref));
    }
}

/// What the drive needs of this run.
struct Creating<'a> {
    app: &'a App,
    args: &'a SubmitArgs,
    prepared: &'a Prepared,
    provider: &'a dyn Provider,
    surveyed: Surveyed,
    whole: Box<Plan>,
    scope: String,
    submitter: Submitter<'a>,
    driver: &'a Driver<'a>,
    key: &'a ArrayKey,
    total: u32,
    task: RefCell<Task<'a>>,
}

impl Creating<'_> {
    async fn job(&self, index: u32) -> Result<Job> {
        let prepared = self.prepared.job_of(index)?;
        let key = index_key(&self.key.key, index);
        let wish = Wish {
            key: &key,
            rerun_failed: self.args.rerun_failed,
            resubmit: self.args.resubmit,
            is_ours: self.key.is_ours(),
        };
        let places = [Place {
            provider: self.provider,
            scope: self.scope.clone(),
        }];
        let request = request(&prepared);
        let turn = match self.submitter.standing(&places, &wish, &request).await? {
            Standing::Adopted(job) => return Ok(*job),
            Standing::Free(turn) => turn,
        };
        let marker = turn.marker(&self.scope, &prepared.hash, self.app.entropy.bytes());
        let plan = match self
            .surveyed
            .of_array(self.provider, &self.whole, &prepared, &marker)
        {
            Planned::Ready(plan) => plan,
            Planned::Refused(assessment) => return Err(refusal(self.provider, assessment)),
        };
        let submitting = self.submitter.submit(self.provider, &plan, &request, &turn);
        let mut job = submitting.await?;
        complete(&mut job, &plan);
        Ok(job)
    }
}

impl Hands for Creating<'_> {
    fn submit(&self, index: u32) -> LocalBoxFuture<'_, Result<Job>> {
        Box::pin(self.job(index))
    }

    fn look<'a>(&'a self, jobs: &'a [ResourceRef]) -> LocalBoxFuture<'a, Vec<Result<Job>>> {
        Box::pin(self.driver.look(jobs))
    }

    fn came(&self, _index: u32, job: &Job) {
        show_one(self.app, &Show::new(self.app), job);
    }

    fn held(&self, pause: Duration) {
        self.app.ui.note(&format!(
            "`{}` asks to slow down: nothing more is submitted for {} s",
            self.provider.name(),
            pause.as_secs()
        ));
    }

    fn progressed(&self, jobs: usize) {
        let there = self.key.known.len() + jobs;
        let text = format!("{there} of {} jobs of the array are submitted", self.total);
        self.task.borrow_mut().update(&text, self.app.clock.now());
    }
}

/// One line on what there is now, and how to name it.
fn summary(app: &App, key: &ArrayKey, array: &Array, driven: &Driven, there: usize) {
    let adopted = driven.jobs.values().filter(|job| job.adopted).count() + key.known.len();
    let before = match adopted {
        0 => String::new(),
        count => format!(", {count} of them before"),
    };
    app.ui.note(&format!(
        "{there} of {} jobs of the array `key:{}` are submitted{before}",
        array.count(),
        key.key
    ));
}

/// Why the array is not whole, with the signal that stopped it.
fn failure(
    key: &ArrayKey,
    array: &Array,
    driven: Driven,
    there: usize,
) -> Option<(Error, Option<Signal>)> {
    let count = usize::try_from(array.count()).unwrap_or(usize::MAX);
    let missing = count.saturating_sub(there);
    if missing == 0 {
        return None;
    }
    let mut again = format!(
        "the same command continues the array; its jobs so far:\n  gpujob status key:{}",
        key.key
    );
    if let Some(signal) = driven.signal {
        let what = format!(
            "interrupted; {there} of {count} jobs of the array were submitted and left alone"
        );
        return Some((signal.error(&what).with_hint(again), Some(signal)));
    }
    // A create whose fate is unknown matters more than one that was refused.
    let is_doubt = |error: &Error| error.kind() == Kind::OutcomeUnknown;
    let mut failures: Vec<(u32, Error)> = driven.failures.into_iter().collect();
    failures.sort_by_key(|(_, error)| !is_doubt(error));
    let others = failures.len().saturating_sub(1);
    let error = match failures.into_iter().next() {
        Some((index, error)) => {
            if is_doubt(&error) {
                again.push_str(
                    "\nonce you have looked, and found no job of the marker, add `--resubmit`",
                );
            }
            let message = format!(
                "{missing} of {count} jobs of the array were not submitted; index {index}: {}",
                error.message()
            );
            error.with_message(message)
        }
        None => Error::new(
            Kind::Timeout,
            "timeout",
            format!("`--timeout` ran out; {there} of {count} jobs of the array were submitted"),
        ),
    };
    let error = match others {
        0 => error,
        more => error.with_cause(format!("{more} other indices failed too")),
    };
    Some((error.with_hint(again), None))
}
