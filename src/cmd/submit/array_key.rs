//! Which array this is: the user's key, one that an unfinished run of the same command left, or a new one.

use std::collections::{BTreeMap, BTreeSet};

use crate::ambient::Entropy as _;
use crate::app::App;
use crate::cli::SubmitArgs;
use crate::engine::array::identity::{array_of, generated, generated_stem, index_of};
use crate::engine::submit::other_hash;
use crate::error::Result;
use crate::journal::{Entry, Held, Subject};
use crate::model::{Job, ResourceRef, State};
use crate::provider::Provider;
use crate::spec::{Array, JobSpec, spec_hash};

use super::super::spec::Prepared;

/// An array's key, and what this machine knows of its jobs.
#[derive(Debug)]
pub(super) struct ArrayKey {
    pub(super) key: String,
    /// The jobs of earlier runs, by index, that are not to be submitted again.
    pub(super) known: BTreeMap<u32, ResourceRef>,
    /// Held as long as a generated key is at work, so that two runs at once are two arrays.
    _held: Option<Held>,
    is_ours: bool,
}

impl ArrayKey {
    /// Reads the journal. `spec` (81) where the user's key stands for jobs of another spec.
    pub(super) fn of(
        app: &App,
        args: &SubmitArgs,
        prepared: &Prepared,
        provider: &dyn Provider,
        array: &Array,
    ) -> Result<Self> {
        if let Some(key) = &args.key {
            let entries = app
                .writable_journal()?
                .find_by_key_start(&format!("{key}["))?;
            let known = known(key, entries, array, args.rerun_failed);
            for (index, entry) in &known {
                let hash = prepared.job_of(*index)?.hash;
                if let Some(error) = entry
                    .spec_hash
                    .and_then(|known| other_hash(key, &known, &hash))
                {
                    let job = entry.job_ref.as_ref().map(ToString::to_string);
                    return Err(job.into_iter().fold(error, crate::error::Error::with_job));
                }
            }
            return Ok(Self {
                key: key.clone(),
                known: refs(known),
                _held: None,
                is_ours: false,
            });
        }
        let hash = hash_of(&prepared.spec);
        let journal = app.writable_journal()?;
        let entries = journal.find_by_key_start(&generated_stem(&hash))?;
        let keys: BTreeSet<String> = entries
            .iter()
            .filter(|entry| entry.provider == provider.name())
            .filter_map(|entry| array_of(entry.key.as_deref()?))
            .map(str::to_owned)
            .collect();
        let count = usize::try_from(array.count()).unwrap_or(usize::MAX);
        for key in keys {
            let known = refs(known(&key, entries.clone(), array, args.rerun_failed));
            if known.len() < count
                && let Some(held) = hold(app, &key)?
            {
                return Ok(Self {
                    key,
                    known,
                    _held: Some(held),
                    is_ours: true,
                });
            }
        }
        let key = generated(&hash, app.entropy.bytes());
        Ok(Self {
            _held: hold(app, &key)?,
            key,
            known: BTreeMap::new(),
            is_ours: true,
        })
    }

    /// Whether nobody else can have the key.
    pub(super) const fn is_ours(&self) -> bool {
        self.is_ours
    }

    /// Whether an index is to be submitted.
    pub(super) fn is_open(&self, index: u32) -> bool {
        !self.known.contains_key(&index)
    }

    /// Every job there is, by index.
    pub(super) fn refs(&self, jobs: &BTreeMap<u32, Job>) -> Vec<ResourceRef> {
        let mut all = self.known.clone();
        all.extend(
            jobs.iter()
                .map(|(index, job)| (*index, job.job_ref.clone())),
        );
        all.into_values().collect()
    }
}

/// The lock of a whole array; `None` while another process drives it.
fn hold(app: &App, key: &str) -> Result<Option<Held>> {
    match app.locks()? {
        Some(locks) => locks.try_hold_array(key),
        None => Ok(None),
    }
}

/// What an array is called by: how many of it run at a time changes none of its jobs.
fn hash_of(spec: &JobSpec) -> [u8; 32] {
    let mut spec = spec.clone();
    if let Some(array) = &mut spec.array {
        array.parallel = array.count();
    }
    spec_hash(&spec)
}

/// The newest submission of every index that has a job. With `rerun_failed` only of those that may still succeed or did.
fn known(
    key: &str,
    entries: Vec<Entry>,
    array: &Array,
    rerun_failed: bool,
) -> BTreeMap<u32, Entry> {
    let mut known: BTreeMap<u32, Entry> = BTreeMap::new();
    for entry in entries {
        let index = entry.key.as_deref().and_then(|own| index_of(key, own));
        let Some(index) = index.filter(|index| (array.first..=array.last).contains(index)) else {
            continue;
        };
        let is_job = entry.subject == Subject::Job && entry.job_ref.is_some();
        let is_newer = known
            .get(&index)
            .is_none_or(|other| other.attempt < entry.attempt);
        if is_job && is_newer {
            known.insert(index, entry);
        }
    }
    if rerun_failed {
        known.retain(|_, entry| !entry.finished || entry.last_state == Some(State::Succeeded));
    }
    known
}

fn refs(known: BTreeMap<u32, Entry>) -> BTreeMap<u32, ResourceRef> {
    known
        .into_iter()
        .filter_map(|(index, entry)| Some((index, entry.job_ref?)))
        .collect()
}
