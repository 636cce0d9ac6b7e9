//! Jobs that only this machine remembers: CycleCloud knows nodes, so its ended jobs stand in the journal alone.

use crate::ambient::Clock as _;
use crate::app::App;
use crate::engine::fold;
use crate::error::Result;
use crate::journal::{Memory, Subject};
use crate::model::{Flag, Job, ResourceRef, State};
use crate::provider::{ListFilter, Listing, Provider, Tracked};

use super::status::REMEMBERED;

/// Jobs of the journal that a provider has forgotten, since it knows nodes and not jobs: what has ended is told from the
/// record, what had not is looked at once more.
pub(super) async fn forgotten(
    app: &App,
    provider: &dyn Provider,
    listing: &Listing,
    filter: &ListFilter,
) -> Result<Vec<Job>> {
    let is_listed = |job_ref: &ResourceRef| listing.jobs.iter().any(|job| job.job_ref == *job_ref);
    let entries = app.journal().list(REMEMBERED)?;
    let entries = entries
        .into_iter()
        .filter(|entry| entry.subject == Subject::Job && entry.provider == provider.name())
        .filter(|entry| filter.since <= entry.created_at || entry.created_at.is_none())
        .filter_map(|entry| Some((entry.job_ref.clone()?, entry)))
        .filter(|(job_ref, _)| !is_listed(job_ref))
        .take(filter.limit.unwrap_or(usize::MAX));
    let (ended, open): (Vec<_>, Vec<_>) = entries.partition(|(_, entry)| entry.finished);
    let mut jobs: Vec<Job> = ended
        .into_iter()
        .map(|(job_ref, entry)| {
            let state = entry.last_state.unwrap_or(State::Unknown);
            let mut job = Job::new(job_ref.clone(), job_ref.id(), state);
            job.terminal = true;
            job.flags.insert(Flag::Gone);
            job
        })
        .collect();
    let (refs, memories): (Vec<ResourceRef>, Vec<Memory>) = open
        .into_iter()
        .map(|(job_ref, entry)| (job_ref, Memory::from(entry)))
        .unzip();
    let tracked: Vec<Tracked> = refs
        .iter()
        .zip(&memories)
        .map(|(job_ref, memory)| fold::tracked(job_ref, Some(memory)))
        .collect();
    if !tracked.is_empty() {
        let now = app.clock.now();
        let seen = provider.observe(&tracked).await?;
        for ((job_ref, memory), observation) in refs.iter().zip(&memories).zip(seen) {
            jobs.push(fold::fold(job_ref, observation, Some(memory), now)?);
        }
    }
    jobs.retain(|job| filter.states.is_empty() || filter.states.contains(&job.state));
    Ok(jobs)
}
