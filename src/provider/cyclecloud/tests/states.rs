//! From looks at nodes to the state of a job, poll by poll (cyclecloud.md §8.5; job-model.md §6).

use rstest::rstest;
use serde_json::json;

use super::super::history::History;
use super::super::record::Sight;
use super::super::*;
use crate::model::{Flag, State};

pub(super) const ID: &str = "3f0c1a52-9f1b-4f6e-8f53-0d4f8f4c2a10";

pub(super) fn at(seconds: i64) -> Timestamp {
    let start: Timestamp = "2026-03-02T09:30:11Z".parse().unwrap();
    start
        .checked_add(SignedDuration::from_secs(seconds))
        .unwrap()
}

/// A record in one word: `p`ending, `s`tarting, `r`eady, `f`ailed, stopping `x`, `d`eallocated, no target `u`.
pub(super) fn record_of(name: &str, word: char) -> Value {
    let (target, status, instance, address) = match word {
        'p' => (json!("Started"), "Acquiring", Value::Null, Value::Null),
        's' => (json!("Started"), "Preparing", json!("i"), json!("10.0.0.1")),
        'r' => (json!("Started"), "Ready", json!("i"), json!("10.0.0.1")),
        'f' => (json!("Started"), "Failed", json!("i"), Value::Null),
        'x' => (json!("Terminated"), "Terminating", json!("i"), Value::Null),
        'd' => (
            json!("Deallocated"),
            "Deallocated",
            Value::Null,
            Value::Null,
        ),
        'u' => (Value::Null, "Ready", json!("i"), Value::Null),
        other => panic!("no word `{other}`"),
    };
    json!({
        "Name": name, "TargetState": target, "Status": status, "InstanceId": instance,
        "PrivateIp": address, "MachineType": "Standard_NC24ads_A100_v4", "Template": "gpu",
        "StatusMessage": if word == 'f' { json!("Timeout awaiting system boot-up") } else { Value::Null },
    })
}

/// Watches one job through its polls.
pub(super) struct Watch {
    pub(super) reading: Option<Value>,
    exits: Option<Exits>,
    pub(super) cancelled: Option<Timestamp>,
    pub(super) now: i64,
    pub(super) apart: SignedDuration,
}

impl Watch {
    /// A job of two nodes that was accepted just now.
    pub(super) fn of_two() -> Self {
        let history = History {
            accepted: true,
            wanted: Some(2),
            added: Some(2),
            created_at: Some(at(0)),
            ..History::default()
        };
        Self {
            reading: history.reading(),
            exits: None,
            cancelled: None,
            now: 0,
            apart: SignedDuration::ZERO,
        }
    }

    pub(super) fn stranger() -> Self {
        Self {
            reading: None,
            ..Self::of_two()
        }
    }

    /// A look, 30 seconds after the one before.
    pub(super) fn look(&mut self, words: &str) -> Job {
        self.now += 30;
        self.look_now(words)
    }

    pub(super) fn look_now(&mut self, words: &str) -> Job {
        let nodes: Vec<Value> = words
            .chars()
            .enumerate()
            .filter(|(_, word)| *word != '-')
            .map(|(index, word)| record_of(&format!("gpu-{}", index + 1), word))
            .collect();
        let list = NodeList::read(&json!({ "nodes": nodes })).unwrap();
        let sight = Sight {
            provider: "cc",
            cluster: "lab",
            request_id: ID,
            exits: self.exits.as_ref(),
            cancel_requested_at: self.cancelled,
            now: at(self.now),
            apart: self.apart,
        };
        let job = record::job(&sight, &list, History::read(self.reading.as_ref()));
        self.reading.clone_from(&job.reading);
        job
    }

    pub(super) fn exit(&mut self, node: &str, code: Option<i64>) {
        let exit = code.map(|code| Exit {
            code,
            at: Some(at(self.now)),
        });
        self.exits
            .get_or_insert_with(Exits::new)
            .insert(node.to_owned(), exit);
    }
}

/// Polls with the state that each shows; `!` marks an end.
#[rstest]
#[case::life_of_a_job("pp:pending ps:starting sr:starting rr:starting rr:running rr:running")]
#[case::a_flip("rr:starting ss:starting rr:starting rr:running")]
#[case::ready_again_after_it_was("rr:starting rr:running rs:starting rr:running")]
#[case::failure_needs_two("pf:starting pf:failed!")]
#[case::failure_may_pass("ps:starting ff:starting ss:starting rr:starting rr:running")]
#[case::failure_of_a_running_job("rr:starting rr:running ff:running ff:failed!")]
#[case::degraded("rf:starting rf:running")]
#[case::vanished_before_ready("pp:pending ss:starting --:unknown --:failed!")]
#[case::vanished_after_ready("rr:starting rr:running --:unknown --:unknown!")]
#[case::back_after_a_lag("rr:starting rr:running --:unknown rr:running")]
#[case::stopping_keeps_the_state("rr:starting rr:running xx:running xr:running")]
#[case::stopping_before_ready("pp:pending xx:pending")]
#[case::no_target("uu:unknown")]
#[case::deallocated_after_ready("rr:starting rr:running dd:unknown dd:unknown!")]
#[case::one_of_two_gone("rr:starting rr:running r-:running")]
fn states_follow_the_polls(#[case] story: &str) {
    let mut watch = Watch::of_two();
    for step in story.split(' ') {
        let (words, expected) = step.split_once(':').unwrap();
        let job = watch.look(words);
        let shown = format!("{}{}", job.state, if job.terminal { "!" } else { "" });
        assert_eq!(shown, expected, "{step} in {story}");
    }
}

#[test]
fn flags_tell_what_the_state_cannot() {
    let flags = |words: &[&str]| {
        let mut watch = Watch::of_two();
        let jobs: Vec<Job> = words.iter().map(|words| watch.look(words)).collect();
        jobs.last()
            .unwrap()
            .flags
            .iter()
            .copied()
            .collect::<Vec<_>>()
    };
    assert_eq!(flags(&["rf", "rf"]), [Flag::Degraded]);
    assert_eq!(flags(&["rr", "rr", "xx"]), [Flag::Cancelling]);
    assert_eq!(flags(&["rr", "rr", "r-"]), [Flag::Partial]);
    assert_eq!(flags(&["rr", "rr", "--", "--"]), [Flag::ResultUnknown]);
}

#[test]
fn the_text_of_the_first_bad_node_is_the_message() {
    let mut watch = Watch::of_two();
    watch.look("pf");
    let job = watch.look("pf");
    assert_eq!(job.reason.as_deref(), Some("node_failed"));
    assert_eq!(
        job.message.as_deref(),
        Some("gpu-2: Timeout awaiting system boot-up")
    );
    assert_eq!(
        job.raw_state,
        json!({"gpu-1": "Acquiring", "gpu-2": "Failed"})
    );
}

#[test]
fn a_failed_node_that_was_removed_is_still_the_reason() {
    let mut watch = Watch::of_two();
    for words in ["pf", "--"] {
        watch.look(words);
    }
    let job = watch.look("--");
    assert_eq!(
        (job.state, job.reason.as_deref()),
        (State::Failed, Some("node_failed"))
    );
}

#[test]
fn vanishing_says_what_was_seen_last() {
    let mut watch = Watch::of_two();
    for words in ["pp", "--"] {
        watch.look(words);
    }
    let job = watch.look("--");
    assert_eq!(job.reason.as_deref(), Some("nodes_gone"));
    assert_eq!(
        job.message.as_deref(),
        Some(
            "nodes disappeared before becoming ready (capacity, quota or eviction); last seen `Acquiring`"
        )
    );
    assert_eq!(job.finished_at, Some(at(60)), "when it was first seen");
    assert_eq!(job.approximate, ["finished_at", "created_at"]);
    assert_eq!(job.raw_state, json!({"gpu-1": "gone", "gpu-2": "gone"}));
}

#[test]
fn what_happened_between_two_distant_looks_is_not_guessed() {
    let mut watch = Watch::of_two();
    watch.look("ss");
    watch.now += 1200;
    watch.look("--");
    let job = watch.look("--");
    assert_eq!((job.state, job.terminal), (State::Unknown, true));
    assert!(job.flags.contains(&Flag::ResultUnknown));
}

#[test]
fn an_empty_answer_without_history_is_unknown_and_no_end() {
    let mut stranger = Watch::stranger();
    for _ in 0..3 {
        let job = stranger.look("--");
        assert_eq!((job.state, job.terminal), (State::Unknown, false));
    }
    // Just created: the list may lag.
    let mut new = Watch::of_two();
    assert_eq!(new.look_now("--").state, State::Pending);
    new.now = 20;
    assert_eq!(new.look_now("--").state, State::Unknown);
}

#[test]
fn gone_after_our_cancel_is_cancelled() {
    for story in [&["rr", "rr", "xx", "--"][..], &["pp", "--"], &["--"]] {
        let mut watch = Watch::of_two();
        watch.cancelled = Some(at(10));
        let jobs: Vec<Job> = story.iter().map(|words| watch.look(words)).collect();
        let last = jobs.last().unwrap();
        assert_eq!(
            (last.state, last.terminal),
            (State::Cancelled, true),
            "{story:?}"
        );
        assert!(last.finished_at.is_some());
    }
}

#[test]
fn a_start_that_takes_too_long_has_failed() {
    let mut watch = Watch::of_two();
    watch.now = 3500;
    assert_eq!(watch.look("pr").state, State::Starting);
    watch.now = 3600;
    let job = watch.look("pr");
    assert_eq!(
        (job.state, job.reason.as_deref()),
        (State::Failed, Some("start_timeout"))
    );
    assert!(job.message.unwrap().contains("gpujob cancel"));
}

#[test]
fn the_start_timeout_of_the_submit_travels_as_a_tag() {
    let node = |tags: Value| {
        let mut record = record_of("gpu-1", 'p');
        record["Tags"] = tags;
        NodeList::read(
            &json!({"nodes": [record], "operation": {"startTime": "2026-03-02T09:30:11Z"}}),
        )
        .unwrap()
    };
    let sight = Sight {
        provider: "cc",
        cluster: "lab",
        request_id: ID,
        exits: None,
        cancel_requested_at: None,
        now: at(700),
        apart: SignedDuration::ZERO,
    };
    let state = |tags| record::job(&sight, &node(tags), History::default()).state;
    assert_eq!(state(json!({})), State::Pending);
    assert_eq!(state(json!({ TAG_START_TIMEOUT: "600" })), State::Failed);
}

#[test]
fn exit_files_end_a_job_whatever_its_nodes_do() {
    let mut watch = Watch::of_two();
    for words in ["rr", "rr"] {
        watch.look(words);
    }
    watch.exit("gpu-1", Some(0));
    watch.exit("gpu-2", None);
    assert_eq!(watch.look("rr").state, State::Running, "one still runs");
    assert_eq!(
        watch.look("-r").state,
        State::Running,
        "and the other has gone"
    );
    watch.exit("gpu-2", Some(0));
    let job = watch.look("-r");
    assert_eq!((job.state, job.exit_code), (State::Succeeded, Some(0)));
    assert_eq!(job.finished_at, Some(at(120)));
    assert_eq!(job.started_at, Some(at(30)));
    assert_eq!(job.duration_s, Some(90));
}

#[test]
fn the_first_code_that_is_not_zero_counts() {
    let mut watch = Watch::of_two();
    watch.look("rr");
    watch.exit("gpu-2", Some(9));
    assert_eq!(
        watch.look("rr").state,
        State::Running,
        "the other has not ended"
    );
    watch.exit("gpu-1", Some(3));
    let job = watch.look("--");
    assert_eq!((job.state, job.exit_code), (State::Failed, Some(3)));
}

#[test]
fn another_machine_learns_the_end_from_the_files_alone() {
    let mut stranger = Watch::stranger();
    stranger.exit("gpu-10", Some(4));
    stranger.exit("gpu-9", Some(5));
    let job = stranger.look("--");
    assert_eq!(
        (job.state, job.exit_code),
        (State::Failed, Some(5)),
        "by number"
    );
}

#[test]
fn a_degraded_job_ends_when_every_live_node_has_ended() {
    let mut watch = Watch::of_two();
    for words in ["rf", "rf"] {
        watch.look(words);
    }
    watch.exit("gpu-1", Some(0));
    let job = watch.look("rf");
    assert_eq!((job.state, job.exit_code), (State::Failed, None));
    assert_eq!(job.reason.as_deref(), Some("node_failed"));
}

#[test]
fn a_node_that_left_no_code_leaves_the_result_unknown() {
    let mut watch = Watch::of_two();
    for words in ["rr", "rr"] {
        watch.look(words);
    }
    watch.exit("gpu-1", Some(0));
    assert!(
        !watch.look("--").terminal,
        "files on a share may appear late"
    );
    let job = watch.look("--");
    assert_eq!(
        (job.state, job.terminal, job.exit_code),
        (State::Unknown, true, None)
    );
    assert!(job.flags.contains(&Flag::ResultUnknown));
}

#[test]
fn the_time_limit_is_told_where_there_was_one() {
    let mut watch = Watch::of_two();
    let mut history = History::read(watch.reading.as_ref());
    history.time_limit_s = Some(60);
    watch.reading = history.reading();
    watch.exit("gpu-1", Some(124));
    watch.exit("gpu-2", Some(124));
    let job = watch.look("rr");
    assert_eq!(
        (job.state, job.reason.as_deref()),
        (State::Failed, Some("timeout"))
    );
    assert_eq!(job.exit_code, Some(124));
}

#[test]
fn a_code_that_our_cancel_caused_is_a_cancel() {
    let mut watch = Watch::of_two();
    watch.look("rr");
    watch.cancelled = Some(at(40));
    watch.now = 45;
    watch.exit("gpu-1", Some(143));
    watch.exit("gpu-2", Some(143));
    let job = watch.look("--");
    assert_eq!((job.state, job.exit_code), (State::Cancelled, Some(143)));
    // Ended before the cancel was asked for.
    watch.cancelled = Some(at(60));
    assert_eq!(watch.look("--").state, State::Failed);
}

#[test]
fn the_records_of_the_contract_make_a_job() {
    let list = NodeList::read(&super::recorded("nodes-of-a-request")).unwrap();
    let sight = Sight {
        provider: "cyclecloud",
        cluster: "lab",
        request_id: ID,
        exits: None,
        cancel_requested_at: None,
        now: at(1800),
        apart: SignedDuration::ZERO,
    };
    let job = record::job(&sight, &list, History::default());
    assert_eq!(job.job_ref.to_string(), format!("cyclecloud/lab/{ID}"));
    assert_eq!(job.provider_id, ID);
    assert_eq!(job.state, State::Starting, "one look is no readiness");
    assert_eq!(
        job.flags.iter().copied().collect::<Vec<_>>(),
        [Flag::Degraded]
    );
    assert_eq!(job.created_at, Some(at(0)));
    assert!(job.approximate.is_empty(), "{:?}", job.approximate);
    assert_eq!(
        job.instance_type.as_deref(),
        Some("Standard_NC24ads_A100_v4")
    );
    assert_eq!(job.gpu.as_ref().unwrap().model.as_deref(), Some("A100"));
    assert_eq!(job.nodes, 2);
    assert_eq!(job.node_names, ["gpu-2 (10.20.1.12)", "gpu-3 (10.20.1.13)"]);
    assert_eq!(job.raw_state, json!({"gpu-2": "Ready", "gpu-3": "Failed"}));
    assert_eq!(job.marker, None);
    assert!(job.raw["nodes"].is_array());
    let again = record::job(&sight, &list, History::read(job.reading.as_ref()));
    assert_eq!(again.state, State::Running);
}

#[test]
fn what_the_server_forgot_is_unknown_unless_files_tell() {
    let history = History {
        accepted: true,
        wanted: Some(1),
        created_at: Some(at(0)),
        ..History::default()
    };
    let sight = |now, exits| Sight {
        provider: "cc",
        cluster: "lab",
        request_id: ID,
        exits,
        cancel_requested_at: None,
        now: at(now),
        apart: SignedDuration::ZERO,
    };
    let lag = record::forgotten(&sight(10, None), history.clone());
    assert_eq!(lag.state, State::Pending);
    let late = record::forgotten(&sight(100, None), history.clone());
    assert_eq!((late.state, late.terminal), (State::Unknown, false));
    assert!(late.flags.contains(&Flag::Gone));
    let exits = Exits::from([(
        "gpu-1".to_owned(),
        Some(Exit {
            code: 0,
            at: Some(at(60)),
        }),
    )]);
    let told = record::forgotten(&sight(100, Some(&exits)), history);
    assert_eq!((told.state, told.exit_code), (State::Succeeded, Some(0)));
}
