//! What a process leaves behind that dies in the middle of a transaction.

use rusqlite::{Connection, params};

use super::*;

#[test]
fn a_torn_transaction_is_rolled_back_by_whoever_opens_next() {
    for reading in [true, false] {
        let place = folder();
        let journal = Journal::open(place.path()).unwrap();
        submit(&journal, "kept", "p6vd2hcn");
        drop(journal);

        // A transaction so large that half of it is in the file already, as the crash finds it.
        let (file, rollback) = journal_files(place.path());
        let torn = Connection::open(&file).unwrap();
        torn.execute_batch("PRAGMA cache_size = 5; BEGIN IMMEDIATE;")
            .unwrap();
        torn.execute("UPDATE submissions SET phase = 'rejected'", [])
            .unwrap();
        for number in 0..200 {
            torn.execute(
                "INSERT INTO seen (job_ref, provider, provider_id, finished, reading) VALUES (?1, 'p', ?1, 0, ?2)",
                params![format!("torn-{number}"), "x".repeat(2000)],
            )
            .unwrap();
        }
        let after = folder();
        let (copy, rollback_copy) = journal_files(after.path());
        std::fs::copy(&file, &copy).unwrap();
        std::fs::copy(&rollback, &rollback_copy).unwrap();
        drop(torn);
        assert!(
            std::fs::metadata(&copy).unwrap().len() > 200_000,
            "nothing of the transaction has reached the file: the test shows nothing"
        );

        let journal = if reading {
            Journal::open_for_reading(after.path()).unwrap()
        } else {
            Journal::open(after.path()).unwrap()
        };
        let all = journal.unfinished().unwrap();
        assert_eq!(ids(&all), ["p6vd2hcn"]);
        assert_eq!(all[0].phase, Some(Phase::Submitted));
        assert!(!rollback_copy.exists());
    }
}

#[test]
fn an_empty_file_left_by_a_killed_first_user_is_taken_over() {
    let folder = folder();
    std::fs::write(Journal::path_in(folder.path()), "").unwrap();
    let journal = Journal::open_for_reading(folder.path()).unwrap();
    assert!(journal.list(1).unwrap().is_empty());
    let journal = Journal::open(folder.path()).unwrap();
    submit(&journal, "k", "p6vd2hcn");
    assert_eq!(journal.list(9).unwrap().len(), 1);
}
