//! The thirteen states, the flags, and who ended a job (pai-dlc.md §4; job-model.md §6).

use rstest::rstest;
use serde_json::{Value, json};

use crate::model::{Flag, Job, State};
use crate::provider::pai_dlc::parse::{self, Memory, Origin};

const ORIGIN: Origin<'static> = Origin {
    provider: "pai-dlc",
    region: "cn-hangzhou",
};

fn told(cancelled: bool, limit: Option<u64>) -> Memory {
    Memory::Told {
        cancel_requested_at: cancelled.then(|| "2026-01-12T10:00:00Z".parse().unwrap()),
        time_limit_s: limit,
    }
}

fn read(value: &Value, memory: Memory) -> Job {
    parse::job(value, ORIGIN, memory).unwrap()
}

#[rstest]
#[case("Creating", State::Pending, false, None)]
#[case("Queuing", State::Pending, false, None)]
#[case("Bidding", State::Pending, false, None)]
#[case("EnvPreparing", State::Starting, false, None)]
#[case("SanityChecking", State::Starting, false, None)]
#[case("Running", State::Running, false, None)]
#[case("Restarting", State::Running, false, Some(Flag::Restarting))]
#[case("Stopping", State::Running, false, Some(Flag::Cancelling))]
#[case("SucceededReserving", State::Succeeded, true, Some(Flag::Reserving))]
#[case("FailedReserving", State::Failed, true, Some(Flag::Reserving))]
#[case("Succeeded", State::Succeeded, true, None)]
#[case("Failed", State::Failed, true, None)]
#[case("Stopped", State::Cancelled, true, None)]
#[case("Hibernating", State::Unknown, false, None)]
#[case("succeeded", State::Unknown, false, None)]
fn every_status_has_its_state(
    #[case] status: &str,
    #[case] state: State,
    #[case] terminal: bool,
    #[case] flag: Option<Flag>,
) {
    let job = read(
        &json!({"JobId": "dlcx", "Status": status}),
        told(false, None),
    );
    assert_eq!((job.state, job.terminal), (state, terminal));
    assert_eq!(
        job.flags.into_iter().collect::<Vec<_>>(),
        Vec::from_iter(flag)
    );
    assert_eq!(job.raw_state, json!(status));
}

#[test]
fn a_missing_status_is_unknown_and_ends_nothing() {
    let job = read(&json!({"JobId": "dlcx"}), told(false, None));
    assert_eq!((job.state, job.terminal), (State::Unknown, false));
    assert_eq!(job.raw_state, Value::Null);
}

#[test]
fn a_sub_status_stands_beside_the_status() {
    let value = json!({"JobId": "dlcx", "Status": "Running", "SubStatus": "Restarting"});
    let job = read(&value, told(false, None));
    assert_eq!(
        job.raw_state,
        json!({"Status": "Running", "SubStatus": "Restarting"})
    );
}

#[test]
fn a_cancel_that_was_asked_for_shows_until_the_job_has_ended() {
    let running = json!({"JobId": "dlcx", "Status": "Running"});
    assert!(
        read(&running, told(true, None))
            .flags
            .contains(&Flag::Cancelling)
    );
    assert!(read(&running, told(false, None)).flags.is_empty());
    let stopped = json!({"JobId": "dlcx", "Status": "Stopped"});
    let job = read(&stopped, told(true, None));
    assert!(job.flags.is_empty());
    assert_eq!(job.message, None);
    let job = read(&stopped, told(false, None));
    assert_eq!(job.message.as_deref(), Some("not cancelled by this client"));
}

fn ended(status: &str, reason: &str, run_s: i64) -> Value {
    let start: jiff::Timestamp = "2026-01-12T09:00:00Z".parse().unwrap();
    let end = start + jiff::SignedDuration::from_secs(run_s);
    json!({
        "JobId": "dlcx", "Status": status, "ReasonCode": reason, "Duration": 7,
        "GmtRunningTime": start.to_string(), "GmtFinishTime": end.to_string(),
    })
}

#[rstest]
#[case::reached("Stopped", 3600, false, Some(3600), State::Failed, "timeout")]
#[case::within_a_minute("Stopped", 3540, false, Some(3600), State::Failed, "timeout")]
#[case::with_grace("Stopped", 3700, false, Some(3600), State::Failed, "timeout")]
#[case::before("Stopped", 3539, false, Some(3600), State::Cancelled, "X")]
#[case::ours("Stopped", 3600, true, Some(3600), State::Cancelled, "X")]
#[case::no_limit("Stopped", 3600, false, None, State::Cancelled, "X")]
#[case::failed_at_its_limit("Failed", 3600, false, Some(3600), State::Failed, "timeout")]
#[case::failed_before("Failed", 3590, false, Some(3600), State::Failed, "X")]
fn a_job_stopped_at_its_limit_has_failed(
    #[case] status: &str,
    #[case] run_s: i64,
    #[case] cancelled: bool,
    #[case] limit: Option<u64>,
    #[case] state: State,
    #[case] reason: &str,
) {
    let job = read(&ended(status, "X", run_s), told(cancelled, limit));
    assert_eq!((job.state, job.reason.as_deref()), (state, Some(reason)));
    assert!(job.terminal);
}

#[test]
fn the_lists_own_limit_counts_where_the_journal_has_none() {
    let mut value = ended("Stopped", "X", 3600);
    value["JobMaxRunningTimeMinutes"] = json!(60);
    assert_eq!(read(&value, told(false, None)).state, State::Failed);
    assert_eq!(read(&value, Memory::Untold).state, State::Failed);
    assert_eq!(parse::time_limit(&value), Some(3600));
    value["JobMaxRunningTimeMinutes"] = json!(0);
    assert_eq!(read(&value, told(false, None)).state, State::Cancelled);
    assert_eq!(parse::time_limit(&value), None);
}

#[test]
fn without_the_journal_both_spellings_of_a_persons_stop_are_a_cancel() {
    for reason in ["StoppedByUser", "JobStoppedByUser"] {
        let mut value = ended("Stopped", reason, 3600);
        value["JobMaxRunningTimeMinutes"] = json!(60);
        assert_eq!(
            read(&value, Memory::Untold).state,
            State::Cancelled,
            "{reason}"
        );
    }
}
