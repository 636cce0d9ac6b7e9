//! Keys: which marker a submit gets, which of several jobs is the one, and when a key does not fit. Pure.
//!
//! cli.md §7 and §10 ("Never twice", "Creates").

use crate::error::{Error, Kind};
use crate::journal::Held;
use crate::model::{Job, Marker, State, Timestamp};
use crate::sign::hex;

use super::super::array::identity::index_key;
use super::super::fold;

/// No job is older: where nothing tells when a key was used, everything is searched.
pub(super) const BEGINNING: Timestamp = Timestamp::constant(946_684_800, 0);

/// `--key`, with what may be done under it.
#[derive(Debug, Clone, Copy)]
pub struct Wish<'a> {
    pub key: &'a str,
    /// `--rerun-failed`: a newest attempt that is over without success makes way for another.
    pub rerun_failed: bool,
    /// `--resubmit`: the user has looked, and wants the create sent again whose fate is unknown.
    pub resubmit: bool,
    /// The key was made on this machine and nobody else can have it: the journal alone tells what it stands for.
    pub is_ours: bool,
}

/// The right to create one job: under a key for as long as this lives, since no other process has it meanwhile.
#[derive(Debug)]
pub struct Turn {
    key: Option<String>,
    attempt: u32,
    resubmits: bool,
    is_ours: bool,
    _held: Option<Held>,
}

impl Turn {
    /// A submit without a key.
    pub const fn fresh() -> Self {
        Self {
            key: None,
            attempt: 1,
            resubmits: false,
            is_ours: true,
            _held: None,
        }
    }

    /// The first attempt under a key, for showing what would be sent.
    pub fn first(wish: &Wish<'_>) -> Self {
        Self::of(wish, 1, None)
    }

    /// The turn of a key's attempt.
    pub(super) fn of(wish: &Wish<'_>, attempt: u32, held: Option<Held>) -> Self {
        Self {
            key: Some(wish.key.to_owned()),
            attempt,
            resubmits: wish.resubmit,
            is_ours: wish.is_ours,
            _held: held,
        }
    }

    /// The turn of one job of an array, for showing what would be sent.
    #[must_use]
    pub fn of_index(&self, index: u32) -> Self {
        Self {
            key: self.key.as_deref().map(|key| index_key(key, index)),
            attempt: self.attempt,
            resubmits: self.resubmits,
            is_ours: self.is_ours,
            _held: None,
        }
    }

    /// The marker for one place: that of the key, else a random one.
    pub fn marker(&self, scope: &str, spec_hash: &[u8; 32], random: [u8; 16]) -> Marker {
        match &self.key {
            Some(key) => Marker::from_key(key, scope, self.attempt, spec_hash),
            None => Marker::random(random, spec_hash),
        }
    }

    /// The key, if there is one.
    pub fn key(&self) -> Option<&str> {
        self.key.as_deref()
    }

    /// Whether no other machine can have submitted under this turn's marker.
    pub const fn is_ours(&self) -> bool {
        self.is_ours
    }

    /// 1, and one more for each job that was run again.
    pub const fn attempt(&self) -> u32 {
        self.attempt
    }

    /// Whether a create in doubt is sent once more.
    pub const fn resubmits(&self) -> bool {
        self.resubmits
    }
}

/// Whether a job makes way for another attempt.
pub(super) fn is_over_in_vain(job: &Job) -> bool {
    // One that has failed may not be over before its code was told.
    (job.terminal || job.state == State::Failed) && job.state != State::Succeeded
}

/// The jobs of one marker, the oldest first: on every machine the same order. What was created in the same second, or
/// nobody knows when, is ordered by its id.
pub fn by_age(mut jobs: Vec<Job>) -> Vec<Job> {
    jobs.sort_by_key(|job| {
        let told = !job.approximate.contains(&fold::CREATED_AT);
        let second = job.created_at.filter(|_| told).map(Timestamp::as_second);
        let id = job.job_ref.id().to_owned();
        // A shorter number is a smaller one.
        (second, id.len(), id)
    });
    jobs.dedup_by(|one, other| one.job_ref == other.job_ref);
    jobs
}

/// The refusal of a key that stands for another spec, if the job's marker says so.
pub(super) fn other_spec(key: &str, marker: &Marker, job: &Job) -> Option<Error> {
    let found = Marker::parse(job.marker.as_deref()?)?;
    let differs = found.identity() == marker.identity() && found.spec_part() != marker.spec_part();
    differs.then(|| {
        conflict(key, found.spec_part(), marker.spec_part())
            .with_provider(&job.job_ref.provider)
            .with_job(job.job_ref.to_string())
    })
}

/// The same from the journal, which knows whole hashes.
pub fn other_hash(key: &str, known: &[u8; 32], hash: &[u8; 32]) -> Option<Error> {
    (known != hash).then(|| conflict(key, &hex::encode(known), &hex::encode(hash)))
}

fn conflict(key: &str, known: &str, asked: &str) -> Error {
    Error::new(
        Kind::Spec,
        "key_of_another_spec",
        format!("the key `{key}` stands for a job of another spec: its hash is {known}, that of this one {asked}"),
    )
    .with_hint("a changed job needs another `--key`")
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::model::ResourceRef;

    fn job(id: &str, second: Option<i64>) -> Job {
        let mut job = Job::new(ResourceRef::new("gongji", [id]), id, State::Running);
        job.created_at = second.map(|second| Timestamp::from_second(second).unwrap());
        job
    }

    #[rstest]
    #[case::by_time(&[("7", Some(9)), ("8", Some(3))], &["8", "7"])]
    #[case::same_second(&[("12", Some(3)), ("9", Some(3))], &["9", "12"])]
    #[case::no_time(&[("zz", None), ("ab", None)], &["ab", "zz"])]
    #[case::twice(&[("a", None), ("a", None)], &["a"])]
    fn the_oldest_comes_first(#[case] jobs: &[(&str, Option<i64>)], #[case] order: &[&str]) {
        let jobs = jobs.iter().map(|(id, second)| job(id, *second)).collect();
        let ordered = by_age(jobs);
        let ids: Vec<&str> = ordered.iter().map(|job| job.job_ref.id()).collect();
        assert_eq!(ids, order);
    }

    #[test]
    fn a_time_by_this_machines_clock_does_not_count() {
        let mut ours = job("b", Some(1));
        ours.approximate.push(fold::CREATED_AT);
        let first = by_age(vec![ours, job("a", None)]).remove(0);
        assert_eq!(first.job_ref.id(), "a");
    }

    #[test]
    fn a_key_fits_its_own_spec_only() {
        let marker = Marker::from_key("k", "gongji", 1, &[1; 32]);
        let mut found = job("1", None);
        assert_eq!(other_spec("k", &marker, &found), None);
        found.marker = Some(marker.to_string());
        assert_eq!(other_spec("k", &marker, &found), None);
        let other = Marker::from_key("k", "gongji", 1, &[2; 32]);
        found.marker = Some(other.to_string());
        let error = other_spec("k", &marker, &found).unwrap();
        assert_eq!(error.kind(), Kind::Spec);
        assert!(error.message().contains(marker.spec_part()));
        assert!(error.message().contains(other.spec_part()));
        assert!(other_hash("k", &[1; 32], &[1; 32]).is_none());
        assert!(other_hash("k", &[1; 32], &[2; 32]).is_some());
    }

    #[test]
    fn only_what_is_over_without_success_makes_way() {
        for (state, makes_way) in [
            (State::Running, false),
            (State::Succeeded, false),
            (State::Failed, true),
            (State::Cancelled, true),
            (State::Unknown, false),
        ] {
            let mut seen = job("1", None);
            seen.set_state(state);
            assert_eq!(is_over_in_vain(&seen), makes_way, "{state:?}");
        }
        let mut gone = job("1", None);
        gone.set_state(State::Unknown);
        gone.terminal = true;
        assert!(is_over_in_vain(&gone));
    }
}
