//! Jobs that only this machine remembers: CycleCloud knows nodes, so its ended jobs stand in the journal alone.

use crate::ambient::{Clock as _, Reporter as _};
use crate::app::App;
use crate::engine::fold;
use crate::error::Result;
use crate::journal::{Entry, Memory, Subject};
use crate::model::{Flag, Job, ResourceRef, State};
use crate::provider::{ListFilter, Observation, Provider, Tracked};

use super::status::REMEMBERED;

/// What a list adds to that of the provider.
#[derive(Debug, Default)]
pub(super) struct Forgotten {
    /// The jobs to show.
    pub(super) jobs: Vec<Job>,
    /// Those that were looked at for it, shown or not.
    pub(super) looked_at: Vec<Job>,
}

/// Jobs of the journal that a provider has forgotten, since it knows nodes and not jobs: what has ended is told from the
/// record, what had not is looked at once more.
pub(super) async fn forgotten(
    app: &App,
    provider: &dyn Provider,
    listed: &[Job],
    filter: &ListFilter,
) -> Result<Forgotten> {
    let is_listed = |job_ref: &ResourceRef| listed.iter().any(|job| job.job_ref == *job_ref);
    let entries = app.journal().list(REMEMBERED)?;
    let entries = entries
        .into_iter()
        .filter(|entry| entry.subject == Subject::Job && entry.provider == provider.name())
        .filter(|entry| filter.since <= entry.created_at || entry.created_at.is_none())
        .filter_map(|entry| Some((entry.job_ref.clone()?, entry)))
        .filter(|(job_ref, _)| !is_listed(job_ref))
        .take(filter.limit.unwrap_or(usize::MAX));
    let (ended, open): (Vec<_>, Vec<_>) = entries.partition(|(_, entry)| entry.finished);
    let mut found = Forgotten {
        jobs: ended
            .into_iter()
            .map(|(job_ref, entry)| recalled(provider, &job_ref, entry))
            .collect(),
        looked_at: Vec::new(),
    };
    let (refs, entries): (Vec<ResourceRef>, Vec<Entry>) = open.into_iter().unzip();
    let memories: Vec<Memory> = entries.iter().cloned().map(Memory::from).collect();
    let tracked: Vec<Tracked> = refs
        .iter()
        .zip(&memories)
        .map(|(job_ref, memory)| fold::tracked(job_ref, Some(memory)))
        .collect();
    if !tracked.is_empty() {
        let now = app.clock.now();
        let seen = provider.observe(&tracked).await?;
        for (((job_ref, entry), memory), observation) in
            refs.iter().zip(entries).zip(&memories).zip(seen)
        {
            let is_seen = matches!(observation, Observation::Seen(_));
            match fold::fold(job_ref, observation, Some(memory), now) {
                Ok(job) => {
                    found.looked_at.extend(is_seen.then(|| job.clone()));
                    found.jobs.push(job);
                }
                Err(error) => {
                    app.ui.warning(&format!(
                        "{job_ref} could not be read, and is shown as it was last seen: {error}"
                    ));
                    found.jobs.push(last_seen(job_ref, &entry));
                }
            }
        }
    }
    let jobs = &mut found.jobs;
    jobs.retain(|job| filter.states.is_empty() || filter.states.contains(&job.state));
    Ok(found)
}

/// The record of an ended job: as the provider's last look saw it, else what the journal says.
fn recalled(provider: &dyn Provider, job_ref: &ResourceRef, entry: Entry) -> Job {
    let unread = last_seen(job_ref, &entry);
    let tracked = fold::tracked(job_ref, Some(&Memory::from(entry)));
    provider.recall(&tracked).unwrap_or_else(|| {
        let mut job = unread;
        job.terminal = true;
        job.flags.insert(Flag::Gone);
        job
    })
}

fn last_seen(job_ref: &ResourceRef, entry: &Entry) -> Job {
    let state = entry.last_state.unwrap_or(State::Unknown);
    Job::new(job_ref.clone(), job_ref.id(), state)
}
