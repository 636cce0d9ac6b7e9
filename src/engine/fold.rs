//! What this machine remembers, folded into what a provider answers (job-model.md §5 and §6). Pure.

use serde_json::Value;

use crate::error::{Error, Kind};
use crate::journal::Memory;
use crate::model::{Flag, Job, ResourceRef, State, Timestamp};
use crate::provider::{Observation, Tracked};

/// How long after a create a "not found" may be replication delay (job-model.md §6).
const SETTLING_S: i64 = 15;
const MASK: &str = "••••";

/// The name of the time of creation among a record's approximate values.
pub const CREATED_AT: &str = "created_at";

/// What a provider needs to know to observe a job.
pub fn tracked(job_ref: &ResourceRef, memory: Option<&Memory>) -> Tracked {
    Tracked {
        job_ref: job_ref.clone(),
        cancel_requested_at: memory.and_then(|memory| memory.cancel_requested_at),
        time_limit_s: memory.and_then(|memory| memory.time_limit_s),
        reading: memory.and_then(|memory| memory.reading.clone()),
        start_by: None,
    }
}

/// The job record of one observation; a job nobody ever saw is `not-found`, and one that was not read fails as it did.
pub fn fold(
    job_ref: &ResourceRef,
    observation: Observation,
    memory: Option<&Memory>,
    now: Timestamp,
) -> Result<Job, Error> {
    let mut job = match (observation, memory) {
        (Observation::Seen(job), _) => *job,
        (Observation::Missing, Some(memory)) => missing(job_ref, memory, now),
        (Observation::Missing, None) => return Err(not_found(job_ref)),
        (Observation::Unread(error), _) => return Err(error),
    };
    if let Some(memory) = memory {
        remember(&mut job, memory);
        estimate_cost(&mut job, memory, now);
    }
    Ok(job)
}

/// What a job has cost so far where its provider does not say: the price it was submitted at, for the time that it ran.
pub fn estimate_cost(job: &mut Job, memory: &Memory, now: Timestamp) {
    let (None, Some(price)) = (&job.cost, &memory.price_per_hour) else {
        return;
    };
    let seconds = match (
        job.terminal,
        job.duration_s,
        job.started_at,
        job.finished_at,
    ) {
        (true, Some(seconds), ..) => seconds,
        (true, None, Some(started), Some(finished)) => finished.duration_since(started).as_secs(),
        (false, _, Some(started), _) => now.duration_since(started).as_secs(),
        (true, None, ..) | (false, _, None, _) => return,
    };
    job.cost = Some(price.for_seconds(u64::try_from(seconds).unwrap_or(0)));
    job.cost_is_estimate = true;
}

/// Fills in what only this machine knows.
pub fn remember(job: &mut Job, memory: &Memory) {
    if let Some(name) = &memory.name {
        job.name = Some(name.clone());
    }
    job.key.clone_from(&memory.key);
    job.raw = mask_named(&job.raw, &memory.secret_names);
    if job.marker.is_none() {
        job.marker = memory.marker.as_ref().map(ToString::to_string);
    }
    if job.created_at.is_none()
        && let Some(created_at) = memory.created_at
    {
        created_by_our_clock(job, created_at);
    }
}

/// The provider's object without the values of these variables, in every form a provider repeats them: a member of
/// that name, a pair of name and value, or a word `NAME=value`.
pub fn mask_named(value: &Value, names: &[String]) -> Value {
    if names.is_empty() {
        return value.clone();
    }
    let is_named = |text: &str| names.iter().any(|name| name == text);
    match value {
        Value::String(text) => match text.split_once('=') {
            Some((name, _)) if is_named(name) => Value::String(format!("{name}={MASK}")),
            Some(_) | None => value.clone(),
        },
        Value::Array(items) => items.iter().map(|item| mask_named(item, names)).collect(),
        Value::Object(members) => {
            let is_pair = ["name", "Name", "key", "Key"]
                .iter()
                .filter_map(|key| members.get(*key)?.as_str())
                .any(is_named);
            members
                .iter()
                .map(|(key, member)| {
                    let hidden = is_named(key) || is_pair && key.eq_ignore_ascii_case("value");
                    let member = if hidden {
                        MASK.into()
                    } else {
                        mask_named(member, names)
                    };
                    (key.clone(), member)
                })
                .collect()
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => value.clone(),
    }
}

/// Fills in a time of creation that no provider told (job-model.md §5: the client's clock at submit).
pub fn created_by_our_clock(job: &mut Job, at: Timestamp) {
    job.created_at = Some(at);
    if !job.approximate.contains(&CREATED_AT) {
        job.approximate.push(CREATED_AT);
    }
}

/// The error for a job that is unknown here and there.
pub fn not_found(job_ref: &ResourceRef) -> Error {
    Error::new(
        Kind::NotFound,
        "job_not_found",
        format!("no job `{job_ref}` is known to the provider"),
    )
    .with_provider(&job_ref.provider)
    .with_job(job_ref.to_string())
    .with_hint("`gpujob status --all` lists the jobs there are")
}

/// What became of a job that was seen once and is not any more. One that was seen running is no replica behind.
fn missing(job_ref: &ResourceRef, memory: &Memory, now: Timestamp) -> Job {
    let has_run = memory.last_state == Some(State::Running);
    let fresh = !has_run
        && memory
            .created_at
            .is_some_and(|created| now.duration_since(created).as_secs() < SETTLING_S);
    let mut job = Job::new(job_ref.clone(), job_ref.id(), State::Unknown);
    job.reading.clone_from(&memory.reading);
    if memory.cancel_requested_at.is_some() {
        job.set_state(State::Cancelled);
        job.flags.insert(Flag::Gone);
        job.message = Some("no longer known to the provider after the cancel".to_owned());
    } else if let Some(ended) = memory.last_state.filter(|state| state.is_terminal()) {
        job.set_state(ended);
        job.flags.insert(Flag::Gone);
        job.message =
            Some("no longer known to the provider; this is its last known state".to_owned());
    } else if fresh {
        job.set_state(State::Pending);
        job.message = Some("created moments ago; the provider does not list it yet".to_owned());
    } else {
        job.terminal = true;
        job.flags.insert(Flag::Gone);
        let last = memory.last_state.map_or("never seen", State::as_str);
        job.message = Some(format!(
            "no longer known to the provider; last known state: {last}"
        ));
    }
    job
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reference() -> ResourceRef {
        ResourceRef::new("paracloud", ["k8r2wq", "NC-N30", "p6vd2hcn"])
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn memory() -> Memory {
        Memory {
            created_at: Some(at(1_000)),
            ..Memory::default()
        }
    }

    #[test]
    fn a_job_never_seen_is_not_found() {
        let error = fold(&reference(), Observation::Missing, None, at(0)).unwrap_err();
        assert_eq!(error.kind(), Kind::NotFound);
    }

    #[test]
    fn a_fresh_job_that_is_not_listed_yet_is_pending() {
        let job = fold(
            &reference(),
            Observation::Missing,
            Some(&memory()),
            at(1_010),
        )
        .unwrap();
        assert_eq!((job.state, job.terminal), (State::Pending, false));
    }

    #[test]
    fn a_fresh_job_that_was_seen_running_is_no_replica_behind() {
        let memory = Memory {
            last_state: Some(State::Running),
            ..memory()
        };
        let job = fold(&reference(), Observation::Missing, Some(&memory), at(1_010)).unwrap();
        assert_eq!((job.state, job.terminal), (State::Unknown, true));
    }

    #[test]
    fn a_job_that_vanished_is_over_with_its_result_unknown() {
        let job = fold(
            &reference(),
            Observation::Missing,
            Some(&memory()),
            at(1_100),
        )
        .unwrap();
        assert_eq!((job.state, job.terminal), (State::Unknown, true));
        assert!(job.flags.contains(&Flag::Gone));
    }

    #[test]
    fn a_job_that_vanished_after_our_cancel_is_cancelled() {
        let memory = Memory {
            cancel_requested_at: Some(at(1_050)),
            ..memory()
        };
        let job = fold(&reference(), Observation::Missing, Some(&memory), at(1_100)).unwrap();
        assert_eq!((job.state, job.terminal), (State::Cancelled, true));
    }

    #[test]
    fn a_job_that_vanished_after_it_ended_keeps_its_end() {
        let memory = Memory {
            last_state: Some(State::Succeeded),
            ..memory()
        };
        let job = fold(&reference(), Observation::Missing, Some(&memory), at(9_000)).unwrap();
        assert_eq!((job.state, job.terminal), (State::Succeeded, true));
    }

    #[test]
    fn what_the_provider_wanted_to_be_told_is_kept_of_a_job_that_vanished() {
        let reading = serde_json::json!({"folder": "/.gpujob/m"});
        let memory = Memory {
            reading: Some(reading.clone()),
            ..memory()
        };
        let job = fold(&reference(), Observation::Missing, Some(&memory), at(9_000)).unwrap();
        assert_eq!(job.reading, Some(reading));
    }

    #[test]
    fn values_of_secret_variables_are_masked_however_they_are_repeated() {
        let raw = serde_json::json!({
            "Envs": {"WANDB_KEY": "hush", "LR": "1"},
            "env": [{"name": "WANDB_KEY", "value": "hush"}, {"name": "LR", "value": "1"}],
            "command": ["env", "WANDB_KEY=hush", "LR=1"],
        });
        let masked = mask_named(&raw, &["WANDB_KEY".to_owned()]).to_string();
        assert!(!masked.contains("hush"), "{masked}");
        assert_eq!(masked.matches(MASK).count(), 3);
        assert!(masked.contains("LR=1"));
    }

    #[test]
    fn the_cost_so_far_is_estimated_where_the_provider_tells_none() {
        let memory = Memory {
            price_per_hour: Some("3.6 USD".parse().unwrap()),
            ..memory()
        };
        let cost = |change: &dyn Fn(&mut Job)| {
            let mut job = Job::new(reference(), "p6vd2hcn", State::Running);
            change(&mut job);
            estimate_cost(&mut job, &memory, at(2_000));
            (job.cost.map(|cost| cost.to_string()), job.cost_is_estimate)
        };
        let estimated = |amount: &str| (Some(amount.to_owned()), true);
        assert_eq!(cost(&|_| {}), (None, false));
        assert_eq!(
            cost(&|job| job.started_at = Some(at(1_900))),
            estimated("0.1 USD")
        );
        assert_eq!(
            cost(&|job| job.started_at = Some(at(2_001))),
            estimated("0 USD")
        );
        let ended = |job: &mut Job| {
            job.set_state(State::Failed);
            job.started_at = Some(at(1_000));
            job.finished_at = Some(at(1_010));
        };
        assert_eq!(cost(&ended), estimated("0.01 USD"));
        assert_eq!(
            cost(&|job| {
                ended(job);
                job.duration_s = Some(20);
            }),
            estimated("0.02 USD")
        );
        assert_eq!(cost(&|job| job.set_state(State::Failed)), (None, false));
        let told = |job: &mut Job| {
            job.started_at = Some(at(1_900));
            job.cost = Some("7 CNY".parse().unwrap());
        };
        assert_eq!(cost(&told), (Some("7 CNY".to_owned()), false));
    }

    #[test]
    fn the_users_name_and_the_clients_clock_fill_the_record() {
        let memory = Memory {
            name: Some("bert finetune".to_owned()),
            ..memory()
        };
        let seen = Job::new(reference(), "p6vd2hcn", State::Running);
        let job = fold(
            &reference(),
            Observation::Seen(Box::new(seen)),
            Some(&memory),
            at(1_100),
        )
        .unwrap();
        assert_eq!(job.name.as_deref(), Some("bert finetune"));
        assert_eq!(job.created_at, Some(at(1_000)));
        assert_eq!(job.approximate, ["created_at"]);
    }
}
