//! One process, one connection; `crash` and `crowd` have the rest.

mod crash;
mod crowd;
mod volumes;

use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use serde_json::json;
use tempfile::TempDir;

use crate::error::Kind;
use crate::model::{Backend, Marker, ResourceRef, State, Timestamp};

use super::*;

fn folder() -> TempDir {
    TempDir::new().unwrap()
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_775_000_000 + seconds).unwrap()
}

fn intent(key: &str, spec: u8) -> Intent {
    let spec_hash = [spec; 32];
    Intent {
        subject: Subject::Job,
        marker: Marker::from_key(key, "paracloud/k8r2wq", 1, &spec_hash),
        key: Some(key.to_owned()),
        attempt: 1,
        provider: "paracloud".to_owned(),
        backend: Backend::Paracloud,
        scope: "k8r2wq".to_owned(),
        spec_hash,
        name: Some("bert finetune".to_owned()),
        labels: [("team".to_owned(), "视觉 \"x\"".to_owned())].into(),
        created_at: at(0),
        time_limit_s: Some(5400),
        secret_names: vec!["WANDB_KEY".to_owned()],
    }
}

fn job(id: &str) -> ResourceRef {
    ResourceRef::new("paracloud", ["k8r2wq", "bj a/1", id])
}

/// A submission under `key` that became the job `id`.
fn submit(journal: &Journal, key: &str, id: &str) -> Intent {
    let intent = intent(key, 1);
    assert_eq!(journal.prepare(&intent).unwrap(), Prepared::New);
    assert!(journal.mark_sending(&intent.marker).unwrap());
    journal
        .mark_submitted(&intent.marker, &job(id), id)
        .unwrap();
    intent
}

fn ids(entries: &[Entry]) -> Vec<&str> {
    entries
        .iter()
        .map(|entry| entry.provider_id.as_deref().unwrap_or("-"))
        .collect()
}

#[test]
fn reading_an_absent_journal_finds_nothing_and_creates_nothing() {
    let folder = folder();
    let state = folder.path().join("state/gpujob");
    let journal = Journal::open_for_reading(&state).unwrap();
    assert!(journal.list(10).unwrap().is_empty());
    assert!(journal.unfinished().unwrap().is_empty());
    assert_eq!(journal.memory(&job("p6vd2hcn")).unwrap(), None);
    assert_eq!(journal.prune(at(0)).unwrap(), 0);
    assert!(!state.exists());
    assert!(journal.mark_unknown(&intent("k", 1).marker).is_err());
}

#[test]
fn folder_and_file_are_the_owners_alone() {
    let folder = folder();
    let state = folder.path().join("new/gpujob");
    let journal = Journal::open(&state).unwrap();
    let mode = |path: &std::path::Path| path.metadata().unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&state), 0o700);
    assert_eq!(mode(journal.path()), 0o600);
    assert_eq!(journal.path(), state.join("journal.sqlite3"));
}

#[test]
fn an_intent_is_read_back_whole() {
    let folder = folder();
    let journal = Journal::open(folder.path()).unwrap();
    let intent = intent("nightly-7", 3);
    journal.prepare(&intent).unwrap();
    let found = journal.find_by_key("nightly-7").unwrap();
    let [entry] = found.as_slice() else {
        panic!("{found:?}");
    };
    assert_eq!(entry.subject, Subject::Job);
    assert_eq!(entry.marker.as_ref(), Some(&intent.marker));
    assert_eq!(entry.provider, "paracloud");
    assert_eq!(entry.backend, Some(Backend::Paracloud));
    assert_eq!(entry.scope.as_deref(), Some("k8r2wq"));
    assert_eq!(entry.spec_hash, Some([3; 32]));
    assert_eq!(entry.name, intent.name);
    assert_eq!(entry.labels, intent.labels);
    assert_eq!(entry.secret_names, intent.secret_names);
    assert_eq!(entry.created_at, Some(at(0)));
    assert_eq!(entry.time_limit_s, Some(5400));
    assert_eq!(entry.phase, Some(Phase::Prepared));
    assert_eq!((entry.sends, &entry.job_ref), (0, &None));
}

#[test]
fn a_submission_goes_through_its_phases_and_is_found_in_every_way() {
    let folder = folder();
    let journal = Journal::open(folder.path()).unwrap();
    let intent = submit(&journal, "k1", "p6vd2hcn");
    for found in [
        journal.find_by_key("k1").unwrap(),
        journal.find_by_name("bert finetune").unwrap(),
        journal.find_by_id_prefix("p6vd2h").unwrap(),
        journal.find_by_id_prefix("p6vd2hcn").unwrap(),
        journal.unfinished().unwrap(),
        journal.list(5).unwrap(),
        journal
            .entry(&job("p6vd2hcn"))
            .unwrap()
            .into_iter()
            .collect(),
        journal
            .find_by_identity(&intent.marker)
            .unwrap()
            .into_iter()
            .collect(),
    ] {
        assert_eq!(ids(&found), ["p6vd2hcn"]);
        assert_eq!(found[0].phase, Some(Phase::Submitted));
        assert_eq!(found[0].job_ref, Some(job("p6vd2hcn")));
        assert_eq!(found[0].sends, 1);
    }
    assert!(journal.unsettled().unwrap().is_empty());
    assert!(journal.find_by_key("k").unwrap().is_empty());
    assert!(journal.find_by_name("bert").unwrap().is_empty());
}

#[test]
fn a_prefix_needs_six_characters_and_is_taken_literally() {
    let folder = folder();
    let journal = Journal::open(folder.path()).unwrap();
    submit(&journal, "a", "abcdef1");
    submit(&journal, "b", "abcdef2");
    submit(&journal, "c", "ABCDEF3");
    submit(&journal, "d", "abc%ef4");
    let find = |prefix: &str| {
        let found = journal.find_by_id_prefix(prefix).unwrap();
        let mut ids: Vec<String> = ids(&found).into_iter().map(ToOwned::to_owned).collect();
        ids.sort();
        ids
    };
    assert!(find("abcde").is_empty());
    assert_eq!(find("abcdef"), ["abcdef1", "abcdef2"]);
    assert_eq!(find("abcdef2"), ["abcdef2"]);
    assert_eq!(find("abc%ef"), ["abc%ef4"]);
    assert!(find("abcdefg").is_empty());
}

#[test]
fn only_one_may_send_and_the_others_are_told() {
    let folder = folder();
    let (one, two) = (
        Journal::open(folder.path()).unwrap(),
        Journal::open(folder.path()).unwrap(),
    );
    let intent = intent("k", 1);
    assert_eq!(one.prepare(&intent).unwrap(), Prepared::New);
    let Prepared::Existing(existing) = two.prepare(&intent).unwrap() else {
        panic!("prepared twice");
    };
    assert_eq!(existing.phase, Some(Phase::Prepared));
    assert!(two.mark_sending(&intent.marker).unwrap());
    assert!(!one.mark_sending(&intent.marker).unwrap());
}

#[test]
fn the_same_key_with_another_spec_is_handed_back_once_something_was_sent() {
    let folder = folder();
    let journal = Journal::open(folder.path()).unwrap();
    let (first, second) = (intent("k", 1), intent("k", 2));
    journal.prepare(&first).unwrap();
    // Nothing was sent: the newer wish wins, and who wrote the older one may not send any more.
    assert_eq!(journal.prepare(&second).unwrap(), Prepared::New);
    assert!(!journal.mark_sending(&first.marker).unwrap());
    assert!(journal.mark_sending(&second.marker).unwrap());
    let Prepared::Existing(existing) = journal.prepare(&first).unwrap() else {
        panic!("a sent submission was replaced");
    };
    assert_eq!(existing.marker, Some(second.marker.clone()));
    // A definite refusal made nothing: the key is free again.
    journal.mark_rejected(&second.marker, "no stock").unwrap();
    let rejected = journal.find_by_key("k").unwrap();
    assert_eq!(rejected[0].error.as_deref(), Some("no stock"));
    assert_eq!(journal.prepare(&first).unwrap(), Prepared::New);
    assert_eq!(journal.find_by_key("k").unwrap().len(), 1);
}

#[test]
fn a_submission_in_doubt_is_kept_open_until_it_is_settled() {
    let folder = folder();
    let journal = Journal::open(folder.path()).unwrap();
    let intent = intent("k", 1);
    journal.prepare(&intent).unwrap();
    assert!(journal.unsettled().unwrap().is_empty());
    journal.mark_sending(&intent.marker).unwrap();
    assert_eq!(journal.unsettled().unwrap().len(), 1);
    journal.mark_unknown(&intent.marker).unwrap();
    let open = journal.unsettled().unwrap();
    assert_eq!(open[0].phase, Some(Phase::Unknown));
    assert!(matches!(
        journal.prepare(&intent).unwrap(),
        Prepared::Existing(_)
    ));
    assert!(!journal.mark_sending(&intent.marker).unwrap());

    assert!(journal.mark_resubmitted(&open[0]).unwrap());
    assert!(
        !journal.mark_resubmitted(&open[0]).unwrap(),
        "two users said so on the same reading"
    );
    let again = journal.unsettled().unwrap();
    assert_eq!(
        (again[0].phase, again[0].sends),
        (Some(Phase::Resubmitted), 2)
    );
    journal
        .mark_submitted(&intent.marker, &job("late"), "late")
        .unwrap();
    assert!(journal.unsettled().unwrap().is_empty());
    // A slower process that found nothing does not undo what is known.
    journal.mark_unknown(&intent.marker).unwrap();
    let phase = journal.find_by_key("k").unwrap()[0].phase;
    assert_eq!(phase, Some(Phase::Submitted));
}

#[test]
fn attempts_under_a_key_come_newest_first() {
    let folder = folder();
    let journal = Journal::open(folder.path()).unwrap();
    for attempt in [1, 3, 2] {
        let mut intent = intent("k", 1);
        intent.attempt = attempt;
        intent.marker = Marker::from_key("k", "s", attempt, &intent.spec_hash);
        journal.prepare(&intent).unwrap();
    }
    let attempts: Vec<u32> = journal
        .find_by_key("k")
        .unwrap()
        .iter()
        .map(|entry| entry.attempt)
        .collect();
    assert_eq!(attempts, [3, 2, 1]);
}

#[test]
fn states_are_remembered_with_since_when_and_how_lately() {
    let folder = folder();
    let journal = Journal::open(folder.path()).unwrap();
    submit(&journal, "k", "p6vd2hcn");
    let job = job("p6vd2hcn");
    let memory = |journal: &Journal| journal.memory(&job).unwrap().unwrap();
    assert_eq!(memory(&journal).last_state, None);
    journal.record_state(&job, State::Running, at(10)).unwrap();
    journal.record_state(&job, State::Running, at(20)).unwrap();
    journal.record_state(&job, State::Pending, at(15)).unwrap();
    let running = memory(&journal);
    assert_eq!(running.last_state, Some(State::Running));
    assert_eq!(running.last_state_at, Some(at(10)));
    assert_eq!(running.last_seen_at, Some(at(20)));
    assert!(!running.finished);
    journal.record_state(&job, State::Failed, at(30)).unwrap();
    assert!(memory(&journal).finished);
    assert!(journal.unfinished().unwrap().is_empty());
    journal.record_state(&job, State::Unknown, at(40)).unwrap();
    assert!(memory(&journal).finished, "`unknown` undid an end");
    journal.record_state(&job, State::Running, at(50)).unwrap();
    assert!(!memory(&journal).finished);
    let gone = Observation {
        job_ref: job.clone(),
        state: State::Unknown,
        terminal: true,
    };
    journal.record_observations(&[gone], at(60)).unwrap();
    let memory = memory(&journal);
    assert!(memory.finished);
    assert_eq!(memory.name.as_deref(), Some("bert finetune"));
    assert_eq!(memory.time_limit_s, Some(5400));
    assert_eq!(memory.phase, Some(Phase::Submitted));
}

#[test]
fn a_job_from_elsewhere_gets_a_light_record() {
    let folder = folder();
    let journal = Journal::open(folder.path()).unwrap();
    let job = ResourceRef::new("gongji", ["4711002"]);
    journal.record_state(&job, State::Running, at(5)).unwrap();
    let memory = journal.memory(&job).unwrap().unwrap();
    assert_eq!(memory.last_state, Some(State::Running));
    assert_eq!((memory.marker, memory.phase), (None, None));
    // Seen is not made: nobody here knows when that was.
    assert_eq!(memory.created_at, None);
    assert_eq!(
        ids(&journal.find_by_id_prefix("471100").unwrap()),
        ["4711002"]
    );
    assert!(journal.list(10).unwrap().is_empty(), "it is no submission");
}

#[test]
fn the_first_cancel_counts_and_a_refused_one_can_be_taken_back() {
    let folder = folder();
    let journal = Journal::open(folder.path()).unwrap();
    let job = job("p6vd2hcn");
    journal.record_cancel(&job, at(7)).unwrap();
    let memory = journal.memory(&job).unwrap().unwrap();
    assert_eq!(memory.cancel_requested_at, Some(at(7)));
    submit(&journal, "k", "p6vd2hcn");
    journal.record_cancel(&job, at(9)).unwrap();
    let cancelled = || journal.memory(&job).unwrap().unwrap().cancel_requested_at;
    assert_eq!(cancelled(), Some(at(7)));
    journal.withdraw_cancel(&job, at(7)).unwrap();
    assert_eq!(cancelled(), Some(at(9)));
    journal.withdraw_cancel(&job, at(9)).unwrap();
    assert_eq!(cancelled(), None);
}

#[test]
fn what_a_provider_keeps_between_looks_is_read_back() {
    let folder = folder();
    let journal = Journal::open(folder.path()).unwrap();
    let job = ResourceRef::new("cyclecloud", ["lab", "3f0c1a52"]);
    let reading = json!({"failed_polls": 1, "nodes": ["gpu-1"]});
    journal.record_reading(&job, &reading).unwrap();
    journal.record_state(&job, State::Starting, at(1)).unwrap();
    let memory = journal.memory(&job).unwrap().unwrap();
    assert_eq!(memory.reading, Some(reading));
    assert_eq!(memory.last_state, Some(State::Starting));
}

#[test]
fn what_a_job_costs_per_hour_is_read_back_until_its_submit_is_forgotten() {
    let folder = folder();
    let journal = Journal::open(folder.path()).unwrap();
    let job = ResourceRef::new("cyclecloud", ["lab", "3f0c1a52"]);
    journal.record_state(&job, State::Starting, at(1)).unwrap();
    for amount in ["3 USD", "3.25 USD"] {
        let price = amount.parse().unwrap();
        journal.record_price(&job, &price).unwrap();
        let memory = journal.memory(&job).unwrap().unwrap();
        assert_eq!(memory.price_per_hour, Some(price));
    }
    journal.prune(at(0)).unwrap();
    let memory = journal.memory(&job).unwrap().unwrap();
    assert_eq!(memory.price_per_hour, None);
}

#[test]
fn volumes_and_namespaces_are_no_jobs() {
    let folder = folder();
    let journal = Journal::open(folder.path()).unwrap();
    let mut volume = intent("v", 1);
    volume.subject = Subject::Volume;
    journal.prepare(&volume).unwrap();
    journal.mark_sending(&volume.marker).unwrap();
    journal
        .mark_submitted(&volume.marker, &job("x7m4tzb9"), "x7m4tzb9")
        .unwrap();
    assert!(journal.unfinished().unwrap().is_empty());
    assert!(journal.find_by_id_prefix("x7m4tzb9").unwrap().is_empty());
    assert!(journal.find_by_name("bert finetune").unwrap().is_empty());
    assert_eq!(
        journal.find_by_key("v").unwrap()[0].subject,
        Subject::Volume
    );
}

#[test]
fn pruning_takes_what_rests_and_leaves_what_is_in_doubt() {
    let folder = folder();
    let journal = Journal::open(folder.path()).unwrap();
    submit(&journal, "old", "old-job");
    journal.record_cancel(&job("old-job"), at(1)).unwrap();
    submit(&journal, "seen-lately", "seen-job");
    journal
        .record_state(&job("seen-job"), State::Running, at(500))
        .unwrap();
    let doubtful = intent("doubtful", 1);
    journal.prepare(&doubtful).unwrap();
    journal.mark_sending(&doubtful.marker).unwrap();
    journal.prepare(&intent("never-sent", 1)).unwrap();
    let mut young = intent("young", 1);
    young.created_at = at(200);
    journal.prepare(&young).unwrap();

    assert_eq!(journal.prune(at(100)).unwrap(), 2);
    let mut keys: Vec<_> = journal
        .list(10)
        .unwrap()
        .into_iter()
        .filter_map(|entry| entry.key)
        .collect();
    keys.sort();
    assert_eq!(keys, ["doubtful", "seen-lately", "young"]);
    assert_eq!(journal.memory(&job("old-job")).unwrap(), None);
}

#[test]
fn a_place_that_cannot_be_written_is_85_and_says_so() {
    let folder = folder();
    let blocked = folder.path().join("file");
    std::fs::write(&blocked, "x").unwrap();
    let error = Journal::open(&blocked.join("gpujob")).unwrap_err();
    assert_eq!(
        (error.kind(), error.code()),
        (Kind::Config, "journal_unwritable")
    );
    assert!(error.message().contains("journal.sqlite3"), "{error}");
    assert!(
        error
            .details()
            .hint
            .as_ref()
            .unwrap()
            .contains("XDG_STATE_HOME")
    );
}

#[test]
fn a_file_that_is_no_journal_and_one_from_the_future_are_85() {
    let place = folder();
    std::fs::write(
        Journal::path_in(place.path()),
        "not a database, ".repeat(100),
    )
    .unwrap();
    let error = Journal::open(place.path()).unwrap_err();
    assert_eq!(error.kind(), Kind::Config);
    assert!(Journal::open_for_reading(place.path()).is_err());

    let place = folder();
    drop(Journal::open(place.path()).unwrap());
    let connection = rusqlite::Connection::open(Journal::path_in(place.path())).unwrap();
    connection
        .pragma_update(None, "user_version", 9999)
        .unwrap();
    let error = Journal::open(place.path()).unwrap_err();
    assert_eq!(error.code(), "journal_too_new");
    assert!(Journal::open_for_reading(place.path()).is_err());
}

#[test]
fn every_word_in_the_file_is_read_back() {
    for phase in Phase::ALL {
        assert_eq!(Phase::from_word(phase.as_str()), Some(phase));
    }
    for subject in Subject::ALL {
        assert_eq!(Subject::from_word(subject.as_str()), Some(subject));
    }
}

/// The file as the first released version wrote it; later versions must go on reading it.
const VERSION_1: &str = include_str!("../../../tests/vectors/journal/v1.sql");

#[test]
fn a_file_of_version_1_is_taken_over_with_everything_in_it() {
    let folder = folder();
    rusqlite::Connection::open(Journal::path_in(folder.path()))
        .unwrap()
        .execute_batch(VERSION_1)
        .unwrap();
    for journal in [
        Journal::open_for_reading(folder.path()).unwrap(),
        Journal::open(folder.path()).unwrap(),
    ] {
        let found = journal.find_by_key("nightly-7").unwrap();
        assert_eq!(ids(&found), ["dlc1abcdefgh2345"]);
        assert_eq!(found[0].labels.get("team").unwrap(), "vision");
        assert_eq!(found[0].last_state, Some(State::Running));
        assert!(found[0].cancel_requested_at.is_some());
        assert_eq!(journal.unsettled().unwrap().len(), 1);
    }
}

#[test]
fn migration_takes_the_missing_steps_once_and_all_or_none() {
    let steps = [
        "CREATE TABLE a (x INTEGER);",
        "INSERT INTO a VALUES (1);",
        "INSERT INTO a VALUES (2);",
    ];
    let mut connection = rusqlite::Connection::open_in_memory().unwrap();
    let rows = |connection: &rusqlite::Connection| -> i64 {
        connection
            .query_row("SELECT count(*) FROM a", [], |row| row.get(0))
            .unwrap()
    };
    schema::migrate(&mut connection, &steps[..2]).unwrap();
    schema::migrate(&mut connection, &steps).unwrap();
    schema::migrate(&mut connection, &steps).unwrap();
    assert_eq!(rows(&connection), 2);
    assert_eq!(schema::version(&connection).unwrap(), 3);
    let broken = [steps[0], steps[1], steps[2], "DELETE FROM a;", "NONSENSE;"];
    assert!(schema::migrate(&mut connection, &broken).is_err());
    assert_eq!(rows(&connection), 2);
    assert_eq!(schema::version(&connection).unwrap(), 3);
}

#[test]
fn a_journal_can_be_shared_between_tasks() {
    fn shared<T: Send + Sync>() {}
    shared::<Journal>();
    shared::<CredentialStore>();
}

#[test]
fn the_list_is_newest_first_and_limited() {
    let folder = folder();
    let journal = Journal::open(folder.path()).unwrap();
    for second in 0..5 {
        let mut intent = intent(&format!("k{second}"), 1);
        intent.created_at = at(second);
        journal.prepare(&intent).unwrap();
    }
    let keys: Vec<_> = journal
        .list(2)
        .unwrap()
        .into_iter()
        .filter_map(|entry| entry.key)
        .collect();
    assert_eq!(keys, ["k4", "k3"]);
}

fn journal_files(folder: &std::path::Path) -> (PathBuf, PathBuf) {
    let file = Journal::path_in(folder);
    let mut rollback = file.clone().into_os_string();
    rollback.push("-journal");
    (file, rollback.into())
}
