//! `status --orphans`: what may cost money without anybody waiting for it (cli.md §10, "Creates").

use std::collections::BTreeMap;
use std::fmt;

use crate::ambient::Reporter as _;
use crate::app::App;
use crate::engine::fanout::gather;
use crate::engine::fold;
use crate::engine::submit::by_age;
use crate::error::{Error, Kind, Result};
use crate::model::{Job, Marker, ResourceRef};
use crate::provider::ListFilter;

use super::settle::doubts;
use super::show::Show;
use super::status::{finish, remembered};

/// Why a job is an orphan.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Why {
    /// gpujob submitted it, but not from here.
    Unknown,
    /// Its submit has an older job, which counts.
    Newer(ResourceRef),
    /// It is over, and nodes of it are left.
    NodesLeft(usize),
}

impl fmt::Display for Why {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown => formatter.write_str("no submit of this machine knows it"),
            Self::Newer(older) => write!(formatter, "its submit has an older job, {older}"),
            Self::NodesLeft(count) => {
                write!(formatter, "it is over, and {count} of its nodes are left")
            }
        }
    }
}

/// Runs `status --orphans`: 90 if there is any, else 0.
pub(super) async fn run(app: &App, is_best_effort: bool) -> Result<u8> {
    let candidates = app.candidates()?;
    let remembered = remembered(app);
    let asking = gather(
        &candidates,
        |provider| {
            let own = remembered
                .iter()
                .filter(|tracked| tracked.job_ref.provider == provider.name());
            let filter = ListFilter {
                remembered: own.cloned().collect(),
                ..ListFilter::default()
            };
            async move {
                let listing = provider.list(&filter).await?;
                if let Some(why) = &listing.truncated {
                    app.ui.warning(&format!(
                        "the list of `{}` is not whole: {why}",
                        provider.name()
                    ));
                }
                let knows_nodes = listing.forgets_ended;
                Ok(orphans(listing.jobs, knows_nodes, &|job| is_ours(app, job)))
            }
        },
        |_| {},
    );
    let gathered = app.asking(&candidates, asking).await?;
    let mut jobs = Vec::new();
    for (mut job, why) in gathered.answers.into_iter().flat_map(|(_, found)| found) {
        if let Ok(Some(memory)) = app.journal().memory(&job.job_ref) {
            fold::remember(&mut job, &memory);
        }
        app.ui.note(&format!("{}: {why}", job.job_ref));
        jobs.push(job);
    }
    let doubts = doubts(app)?;
    let errors: Vec<Error> = gathered.errors.iter().chain(&doubts).cloned().collect();
    Show::new(app).jobs(&jobs, &errors)?;
    if jobs.is_empty() && doubts.is_empty() {
        return Ok(finish(app, &gathered.errors, is_best_effort));
    }
    app.ui.partial_failures(&errors, false);
    Err(Error::new(
        Kind::JobFailed,
        "orphans",
        format!(
            "{} jobs and {} creates in doubt are nobody's",
            jobs.len(),
            doubts.len()
        ),
    )
    .with_candidates(jobs.iter().map(|job| job.job_ref.to_string()).collect())
    .with_hint(
        "`gpujob cancel REF` ends a job, `gpujob settle --all` looks for what became of a create",
    ))
}

/// Whether a submit of this machine's journal made a job.
fn is_ours(app: &App, job: &Job) -> bool {
    let journal = app.journal();
    let by_ref = journal.entry(&job.job_ref).ok().flatten();
    let marker = job.marker.as_deref().and_then(Marker::parse);
    let by_marker = marker.and_then(|marker| journal.find_by_identity(&marker).ok().flatten());
    by_ref
        .into_iter()
        .chain(by_marker)
        .any(|entry| entry.phase.is_some())
}

/// The orphans among one provider's jobs. Jobs without a marker are none of gpujob's business.
fn orphans(jobs: Vec<Job>, knows_nodes: bool, is_ours: &dyn Fn(&Job) -> bool) -> Vec<(Job, Why)> {
    let mut found = Vec::new();
    let mut by_submit: BTreeMap<String, Vec<Job>> = BTreeMap::new();
    for job in jobs {
        match job.marker.as_deref().and_then(Marker::parse) {
            Some(marker) => {
                let identity = marker.identity().to_owned();
                by_submit.entry(identity).or_default().push(job);
            }
            None if is_ours(&job) => by_submit
                .entry(job.job_ref.to_string())
                .or_default()
                .push(job),
            None => {}
        }
    }
    for jobs in by_submit.into_values() {
        let mut older: Option<ResourceRef> = None;
        for job in by_age(jobs) {
            let why = match &older {
                _ if job.terminal && knows_nodes && !job.node_names.is_empty() => {
                    Some(Why::NodesLeft(job.node_names.len()))
                }
                _ if job.terminal => None,
                Some(older) => Some(Why::Newer(older.clone())),
                None if is_ours(&job) => None,
                None => Some(Why::Unknown),
            };
            older.get_or_insert_with(|| job.job_ref.clone());
            found.extend(why.map(|why| (job, why)));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::State;

    const ONE: &str = "bcdfghjklm2456";
    const OTHER: &str = "mlkjhgfdcb2456";

    fn job(id: &str, marker: Option<&str>, state: State) -> Job {
        let mut job = Job::new(ResourceRef::new("cloud", [id]), id, state);
        job.marker = marker.map(str::to_owned);
        job
    }

    fn told(jobs: Vec<Job>, knows_nodes: bool, ours: &[&str]) -> Vec<(String, Why)> {
        let is_ours = |job: &Job| ours.contains(&job.job_ref.id());
        orphans(jobs, knows_nodes, &is_ours)
            .into_iter()
            .map(|(job, why)| (job.job_ref.id().to_owned(), why))
            .collect()
    }

    #[test]
    fn jobs_of_ours_that_run_once_are_no_orphans() {
        let jobs = vec![
            job("a", Some(ONE), State::Running),
            job("b", None, State::Running),
            job("c", Some(OTHER), State::Failed),
        ];
        assert_eq!(told(jobs, false, &["a"]), []);
    }

    #[test]
    fn a_job_that_another_machine_submitted_is_one_while_it_runs() {
        let jobs = vec![job("a", Some(ONE), State::Running)];
        assert_eq!(told(jobs, false, &[]), [("a".to_owned(), Why::Unknown)]);
    }

    #[test]
    fn the_newer_of_two_jobs_of_one_submit_is_one() {
        let jobs = vec![
            job("b", Some(ONE), State::Running),
            job("a", Some(ONE), State::Succeeded),
        ];
        let older = ResourceRef::new("cloud", ["a"]);
        assert_eq!(
            told(jobs, false, &["a", "b"]),
            [("b".to_owned(), Why::Newer(older))]
        );
    }

    #[test]
    fn nodes_that_outlive_their_job_are_some() {
        let mut over = job("a", Some(ONE), State::Succeeded);
        over.node_names = vec!["gpu-1".to_owned()];
        assert_eq!(
            told(vec![over.clone()], true, &["a"]),
            [("a".to_owned(), Why::NodesLeft(1))]
        );
        assert_eq!(told(vec![over], false, &["a"]), []);
    }
}
