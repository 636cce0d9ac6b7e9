//! Many writers at once: threads with connections of their own, and processes, some of them killed.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use super::*;

/// Tells the child test where to write, and as whom.
const CHILD: &str = "GPUJOB_TEST_JOURNAL_CHILD";

/// What a child prints before each key that is durable.
const DONE: &str = "durable:";

#[test]
fn threads_with_their_own_connections_lose_nothing() {
    let folder = folder();
    let state = folder.path().join("gpujob");
    std::thread::scope(|scope| {
        for writer in 0..6 {
            let state = &state;
            scope.spawn(move || {
                // The first to come creates folder, file and tables; all others are at it in the same moment.
                let journal = Journal::open(state).unwrap();
                for number in 0..4 {
                    let name = format!("w{writer}n{number}");
                    submit(&journal, &name, &name);
                    journal
                        .record_state(&job(&name), State::Running, at(number))
                        .unwrap();
                }
            });
        }
    });
    let journal = Journal::open_for_reading(&state).unwrap();
    let all = journal.unfinished().unwrap();
    assert_eq!(all.len(), 24);
    assert!(
        all.iter().all(|entry| entry.phase == Some(Phase::Submitted)
            && entry.last_state == Some(State::Running))
    );
}

#[test]
fn of_many_threads_under_one_key_exactly_one_may_send() {
    let folder = folder();
    for round in 0..2 {
        let key = format!("round-{round}");
        let allowed: usize = std::thread::scope(|scope| {
            let racers: Vec<_> = (0..8)
                .map(|_| {
                    scope.spawn(|| {
                        let journal = Journal::open(folder.path()).unwrap();
                        let intent = intent(&key, 1);
                        journal.prepare(&intent).unwrap();
                        usize::from(journal.mark_sending(&intent.marker).unwrap())
                    })
                })
                .collect();
            racers.into_iter().map(|racer| racer.join().unwrap()).sum()
        });
        assert_eq!(allowed, 1, "{key}");
    }
}

#[test]
fn processes_that_are_killed_lose_nothing_they_have_called_durable() {
    let folder = folder();
    let mut children: Vec<Child> = (0..4)
        .map(|number| child(folder.path(), &format!("c{number}")))
        .collect();
    let mut durable = Vec::new();
    for (number, child) in children.iter_mut().enumerate() {
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let wanted = 2 + number;
        let keys = lines
            .map(Result::unwrap)
            .filter_map(|line| Some(line.split_once(DONE)?.1.to_owned()))
            .take(wanted);
        durable.extend(keys);
        // In the middle of whatever it is doing now: SIGKILL.
        child.kill().unwrap();
        child.wait().unwrap();
    }
    assert_eq!(durable.len(), 2 + 3 + 4 + 5);
    let journal = Journal::open(folder.path()).unwrap();
    for key in &durable {
        let found = journal.find_by_key(key).unwrap();
        assert_eq!(found.len(), 1, "{key}");
        assert_eq!(found[0].phase, Some(Phase::Sending), "{key}");
    }
    let connection = rusqlite::Connection::open(journal.path()).unwrap();
    let verdict: String = connection
        .query_row("PRAGMA integrity_check", [], |row| row.get(0))
        .unwrap();
    assert_eq!(verdict, "ok");
}

fn child(folder: &Path, name: &str) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "--ignored",
            "--nocapture",
            "journal::tests::crowd::child_that_writes_until_it_is_killed",
        ])
        .env(CHILD, format!("{name}:{}", folder.display()))
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

#[test]
#[ignore = "it is started by the test above, as a process of its own"]
fn child_that_writes_until_it_is_killed() {
    let Ok(task) = std::env::var(CHILD) else {
        return;
    };
    let (name, folder) = task.split_once(':').unwrap();
    let journal = Journal::open(folder.as_ref()).unwrap();
    // Bounded: a child whose parent is gone must not write for ever.
    for number in 0..2000 {
        let intent = intent(&format!("{name}-{number}"), 1);
        journal.prepare(&intent).unwrap();
        assert!(journal.mark_sending(&intent.marker).unwrap());
        println!("{DONE}{name}-{number}");
    }
}
