//! What takes two looks, and what an end does when its nodes leave (cyclecloud.md §5.3, §7, §8.5; cli.md §10).

use rstest::rstest;
use serde_json::json;

use super::super::history::History;
use super::super::record::Sight;
use super::super::*;
use super::states::{ID, Watch, at, record_of};
use crate::model::{Flag, State};

/// A job of two nodes, both of which are ready and confirmed.
fn running() -> Watch {
    let mut watch = Watch::of_two();
    for words in ["rr", "rr"] {
        watch.look(words);
    }
    watch
}

fn shown(job: &Job) -> (State, bool, Option<i64>) {
    (job.state, job.terminal, job.exit_code)
}

#[rstest]
#[case::without_a_code(None)]
#[case::with_a_code(Some(7))]
fn a_directory_of_the_job_among_the_results_is_no_node(#[case] code: Option<i64>) {
    let mut watch = running();
    watch.exit("ckpt-1", code);
    assert_eq!(watch.look("rr").state, State::Running);
    watch.exit("gpu-1", Some(0));
    watch.exit("gpu-2", Some(0));
    assert_eq!(shown(&watch.look("rr")), (State::Succeeded, true, Some(0)));
    assert_eq!(shown(&watch.look("--")), (State::Succeeded, true, Some(0)));
}

#[test]
fn a_node_that_failed_once_may_still_end() {
    let mut watch = running();
    watch.exit("gpu-1", Some(0));
    let job = watch.look("rf");
    assert_eq!((job.state, job.terminal), (State::Running, false));
    assert_eq!(watch.look("rr").state, State::Running);
    watch.exit("gpu-2", Some(0));
    assert_eq!(shown(&watch.look("rr")), (State::Succeeded, true, Some(0)));
}

#[test]
fn a_node_that_was_missing_once_may_still_end() {
    let mut watch = running();
    watch.exit("gpu-2", Some(3));
    assert!(!watch.look("-r").terminal);
    assert!(!watch.look("rr").terminal);
    watch.exit("gpu-1", Some(5));
    assert_eq!(shown(&watch.look("rr")), (State::Failed, true, Some(5)));
}

#[test]
fn a_node_that_was_missing_twice_ends_the_job_of_the_others() {
    let mut watch = running();
    watch.exit("gpu-2", Some(3));
    watch.look("-r");
    assert_eq!(shown(&watch.look("-r")), (State::Failed, true, Some(3)));
    // A kept node that succeeded beside one that was evicted.
    let mut watch = running();
    watch.exit("gpu-1", Some(0));
    assert!(!watch.look("r-").terminal);
    let job = watch.look("r-");
    assert_eq!(shown(&job), (State::Unknown, true, None));
    assert_eq!(job.reason.as_deref(), Some("no_exit_code"));
}

#[test]
fn looks_that_are_too_close_together_are_one() {
    let mut watch = Watch::of_two();
    watch.apart = SignedDuration::from_secs(5);
    let ended = [10, 11, 14, 15, 16].map(|now| {
        watch.now = now;
        watch.look_now("ff").terminal
    });
    assert_eq!(ended, [false, false, false, true, true]);
    // What is new is not counted by how long ago something else was.
    watch.now = 21;
    watch.look_now("rr");
    watch.now = 23;
    assert!(!watch.look_now("--").terminal);
    watch.now = 26;
    assert!(!watch.look_now("--").terminal);
    watch.now = 28;
    assert!(watch.look_now("--").terminal);
}

#[test]
fn an_end_stands_while_its_nodes_leave() {
    let mut watch = running();
    watch.look("rf");
    for words in ["ff", "ff"] {
        watch.look(words);
    }
    for (words, kept) in [("ff", true), ("xx", true), ("xf", true), ("--", false)] {
        let job = watch.look(words);
        assert_eq!((job.state, job.terminal), (State::Failed, true), "{words}");
        assert_eq!(job.reason.as_deref(), Some("node_failed"), "{words}");
        assert_eq!(job.flags.contains(&Flag::Reserving), kept, "{words}");
    }
    // A node that comes back is news.
    assert!(!watch.look("rr").terminal);
}

#[test]
fn a_start_that_took_too_long_stays_failed_when_its_nodes_are_ended() {
    let mut watch = Watch::of_two();
    watch.now = 3600;
    assert!(watch.look("ps").flags.contains(&Flag::Reserving));
    for words in ["xx", "x-", "--", "--"] {
        let job = watch.look(words);
        assert_eq!(job.reason.as_deref(), Some("start_timeout"), "{words}");
    }
}

#[test]
fn ended_nodes_that_are_left_are_told() {
    let mut watch = running();
    watch.exit("gpu-1", Some(0));
    watch.exit("gpu-2", Some(0));
    let kept = |job: Job| job.flags.contains(&Flag::Reserving);
    assert!(kept(watch.look("rr")));
    assert!(kept(watch.look("xd")));
    assert!(!kept(watch.look("--")));
}

#[rstest]
#[case::in_the_same_second(0, State::Cancelled)]
#[case::by_a_clock_that_is_behind(-5, State::Cancelled)]
#[case::long_before(-6, State::Failed)]
fn an_exit_file_about_the_time_of_the_cancel_is_its_effect(
    #[case] seconds: i64,
    #[case] expected: State,
) {
    let mut watch = running();
    watch.exit("gpu-1", Some(143));
    watch.exit("gpu-2", Some(143));
    watch.cancelled = Some(at(watch.now - seconds));
    watch.now += 30;
    assert_eq!(shown(&watch.look("--")), (expected, true, Some(143)));
}

#[test]
fn nodes_that_had_gone_by_themselves_were_not_cancelled() {
    let mut watch = Watch::of_two();
    watch.look("pp");
    watch.look("--");
    watch.cancelled = Some(at(watch.now + 1));
    let job = watch.look("--");
    assert_eq!(
        (job.state, job.reason.as_deref()),
        (State::Failed, Some("nodes_gone"))
    );
}

#[test]
fn a_stuck_node_tells_why() {
    let text = "This node does not match existing scaleset attributes: x";
    let mut stuck = record_of("gpu-2", 's');
    stuck["StatusMessage"] = json!(text);
    let look = |nodes: Value| {
        let list = NodeList::read(&json!({ "nodes": nodes })).unwrap();
        let sight = Sight {
            provider: "cc",
            cluster: "lab",
            request_id: ID,
            exits: None,
            cancel_requested_at: None,
            now: at(700),
            apart: SignedDuration::ZERO,
        };
        record::job(&sight, &list, History::default()).message
    };
    let told = format!("0 of 2 nodes are ready; gpu-2: {text}");
    assert_eq!(look(json!([record_of("gpu-1", 'p'), stuck])), Some(told));
    let mut waiting = record_of("gpu-1", 'p');
    waiting["StatusMessage"] = json!("no quota");
    assert_eq!(look(json!([waiting])), Some("gpu-1: no quota".to_owned()));
    assert_eq!(look(json!([record_of("gpu-1", 'p')])), None);
}

#[test]
fn a_start_is_timed_by_the_clock_of_the_submit_where_it_is_known() {
    let list = NodeList::read(&json!({
        "nodes": [record_of("gpu-1", 'p')],
        "operation": { "startTime": at(-7200).to_string() },
    }));
    let list = list.unwrap();
    let state = |submitted_at: Option<Timestamp>| {
        let history = History {
            submitted_at,
            ..History::default()
        };
        let sight = Sight {
            provider: "cc",
            cluster: "lab",
            request_id: ID,
            exits: None,
            cancel_requested_at: None,
            now: at(1),
            apart: SignedDuration::ZERO,
        };
        record::job(&sight, &list, history).state
    };
    assert_eq!(state(Some(at(0))), State::Pending);
    assert_eq!(state(Some(at(-3700))), State::Failed);
    assert_eq!(state(None), State::Failed);
}

#[test]
fn a_wait_may_say_until_when_nodes_must_be_ready() {
    let list = NodeList::read(&json!({
        "nodes": [record_of("gpu-1", 'p')],
        "operation": { "startTime": at(0).to_string() },
    }));
    let list = list.unwrap();
    let seen = |start_by: Option<Timestamp>| {
        let history = History {
            start_timeout_s: Some(60),
            start_by,
            ..History::default()
        };
        let sight = Sight {
            provider: "cc",
            cluster: "lab",
            request_id: ID,
            exits: None,
            cancel_requested_at: None,
            now: at(100),
            apart: SignedDuration::ZERO,
        };
        record::job(&sight, &list, history)
    };
    assert_eq!(seen(None).reason.as_deref(), Some("start_timeout"));
    let longer = seen(Some(at(101)));
    assert_eq!(longer.state, State::Pending);
    // It is that wait's own wish, and no other look's.
    assert_eq!(History::read(longer.reading.as_ref()).start_by, None);
    let shorter = seen(Some(at(30)));
    assert_eq!(
        shorter.message.as_deref(),
        Some("not all nodes were ready within 30 s; `gpujob cancel` ends them")
    );
}

#[test]
fn an_end_is_told_again_without_a_look() {
    let recalled = |watch: &Watch| {
        let sight = Sight {
            provider: "cc",
            cluster: "lab",
            request_id: ID,
            exits: None,
            cancel_requested_at: None,
            now: at(9_000),
            apart: SignedDuration::ZERO,
        };
        record::recalled(&sight, &History::read(watch.reading.as_ref()))
    };
    let mut watch = running();
    assert_eq!(recalled(&watch), None);
    watch.exit("gpu-1", Some(3));
    watch.exit("gpu-2", Some(0));
    let seen = watch.look("--");
    let told = recalled(&watch).unwrap();
    assert_eq!(shown(&told), (State::Failed, true, Some(3)));
    assert_eq!(told.finished_at, seen.finished_at);
    assert_eq!(told.started_at, seen.started_at);
    assert_eq!(told.instance_type, seen.instance_type);
    let mut lost = running();
    for words in ["--", "--"] {
        lost.look(words);
    }
    let told = recalled(&lost).unwrap();
    assert_eq!(shown(&told), (State::Unknown, true, None));
    assert!(told.flags.contains(&Flag::ResultUnknown));
}

#[test]
fn a_stranger_takes_two_looks_for_a_node_that_left_no_code() {
    let mut stranger = Watch::stranger();
    stranger.exit("gpu-1", Some(0));
    stranger.exit("gpu-2", None);
    assert!(!stranger.look("--").terminal);
    assert_eq!(shown(&stranger.look("--")), (State::Unknown, true, None));
    stranger.exit("gpu-2", Some(0));
    assert_eq!(
        shown(&stranger.look("--")),
        (State::Succeeded, true, Some(0))
    );
}

#[test]
fn a_directory_is_a_nodes_by_what_the_runner_left_there() {
    let folder = tempfile::TempDir::new().unwrap();
    for (directory, file) in [
        ("ckpt", "model.bin"),
        ("gpu-1", "exit_code"),
        ("gpu-2", "stdout"),
        ("gpu-3", "address"),
    ] {
        let directory = folder.path().join("id-1").join(directory);
        std::fs::create_dir_all(&directory).unwrap();
        std::fs::write(directory.join(file), "7").unwrap();
    }
    let exits = MountedResults.exits(folder.path().to_str().unwrap(), "id-1");
    let codes = exits.unwrap().into_iter();
    let codes: Vec<_> = codes
        .map(|(node, exit)| (node, exit.map(|exit| exit.code)))
        .collect();
    let node = |name: &str, code: Option<i64>| (name.to_owned(), code);
    assert_eq!(
        codes,
        [
            node("gpu-1", Some(7)),
            node("gpu-2", None),
            node("gpu-3", None)
        ]
    );
}
