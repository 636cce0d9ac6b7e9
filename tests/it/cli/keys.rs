//! `--key`: one job for one key, from whatever process or machine (cli.md §7, §10 "Never twice" and "Creates").

use std::process::{Child, Stdio};

use rstest::rstest;

use crate::support::environment::{Run, TestEnvironment};

const BACKENDS: [&str; 4] = ["paracloud", "cyclecloud", "gongji", "pai-dlc"];

/// A submit that every backend takes.
fn arguments<'a>(provider: &'a str, flags: &[&'a str], command: &[&'a str]) -> Vec<&'a str> {
    let job = [
        "--name", "keyed", "--gpu", "V100:1", "--image", "tool:1", "--time", "5m",
    ];
    [
        &["submit", "-p", provider],
        flags,
        &job[..],
        &["--"],
        command,
    ]
    .concat()
}

fn submit(environment: &TestEnvironment, provider: &str, flags: &[&str]) -> Run {
    let flags = [&["-o", "json"], flags].concat();
    environment.run(&arguments(provider, &flags, &["true"]))
}

fn count(environment: &TestEnvironment, provider: &str) -> usize {
    environment.jobs()[provider].as_array().unwrap().len()
}

/// Another machine: the same account, nothing in the journal.
fn elsewhere(environment: &mut TestEnvironment) {
    let state = environment.home().join("elsewhere");
    environment.set("XDG_STATE_HOME", state.to_str().unwrap());
}

fn hold(environment: &TestEnvironment, provider: &str, state: &str) {
    let rule = serde_json::json!({"backend": provider, "state": state});
    environment.control("hold", &rule.to_string());
}

fn faults(environment: &TestEnvironment, rules: &[&str]) {
    let rules = serde_json::json!({ "faults": rules });
    environment.control("faults", &rules.to_string());
}

#[rstest]
fn the_second_submit_gives_the_first_ones_job(
    #[values("paracloud", "cyclecloud", "gongji", "pai-dlc")] provider: &str,
    #[values(false, true)] on_another_machine: bool,
) {
    let mut environment = TestEnvironment::with_sandbox();
    hold(&environment, provider, "pending");
    let first = submit(&environment, provider, &["--key", "nightly 7"]).expect(0);
    assert_eq!(first.json()["adopted"], false);
    assert_eq!(first.json()["key"], "nightly 7");
    if on_another_machine {
        elsewhere(&mut environment);
    }
    for _ in 0..2 {
        let second = submit(&environment, provider, &["--key", "nightly 7"]).expect(0);
        assert_eq!(second.json()["ref"], first.json()["ref"]);
        assert_eq!(second.json()["adopted"], true);
        assert_eq!(second.json()["key"], "nightly 7");
        assert_eq!(second.json()["marker"], first.json()["marker"]);
        assert_eq!(second.json()["name"], "keyed");
    }
    assert_eq!(count(&environment, provider), 1);
    let shown = environment.run(&["status", "key:nightly 7", "-o", "json"]);
    assert_eq!(shown.expect(0).json()["ref"], first.json()["ref"]);
    let other = submit(&environment, provider, &["--key", "nightly 8"]).expect(0);
    assert_eq!(other.json()["adopted"], false);
    assert_eq!(count(&environment, provider), 2);
}

#[rstest]
fn a_key_of_another_spec_is_refused_with_both_hashes(
    #[values("paracloud", "cyclecloud", "gongji", "pai-dlc")] provider: &str,
    #[values(false, true)] on_another_machine: bool,
) {
    let mut environment = TestEnvironment::with_sandbox();
    hold(&environment, provider, "pending");
    let first = submit(&environment, provider, &["--key", "k"]).expect(0);
    let marker = first.json()["marker"].as_str().unwrap().to_owned();
    if on_another_machine {
        elsewhere(&mut environment);
    }
    let other = environment.run(&arguments(
        provider,
        &["--key", "k", "-o", "json"],
        &["false"],
    ));
    let other = other.expect(81);
    let error = &other.error()["error"];
    assert_eq!(error["code"], "key_of_another_spec");
    assert_eq!(error["job"], first.json()["ref"]);
    let message = error["message"].as_str().unwrap();
    assert!(
        !on_another_machine || message.contains(marker.get(10..).unwrap()),
        "{message}"
    );
    assert_eq!(count(&environment, provider), 1);
}

#[rstest]
fn a_failed_job_is_adopted_until_it_is_to_run_again(
    #[values("paracloud", "gongji", "pai-dlc")] provider: &str,
) {
    let mut environment = TestEnvironment::with_sandbox();
    let failing = |environment: &TestEnvironment, flags: &[&str]| {
        let flags = [&["--key", "k", "--wait", "-o", "json"], flags].concat();
        environment.run(&arguments(provider, &flags, &["sh", "-c", "exit 3"]))
    };
    let first = failing(&environment, &[]).json();
    assert_eq!(first["state"], "failed");
    assert_eq!(failing(&environment, &[]).json()["ref"], first["ref"]);
    let second = failing(&environment, &["--rerun-failed"]).json();
    assert_ne!(second["ref"], first["ref"]);
    assert_eq!(second["adopted"], false);
    assert_eq!(count(&environment, provider), 2);
    // The key means the newest attempt, here and elsewhere.
    assert_eq!(failing(&environment, &[]).json()["ref"], second["ref"]);
    elsewhere(&mut environment);
    assert_eq!(failing(&environment, &[]).json()["ref"], second["ref"]);
    assert_eq!(count(&environment, provider), 2);
}

#[test]
fn a_job_that_runs_is_not_run_again() {
    let environment = TestEnvironment::with_sandbox();
    hold(&environment, "pai-dlc", "pending");
    let first = submit(&environment, "pai-dlc", &["--key", "k"]).expect(0);
    let again = submit(&environment, "pai-dlc", &["--key", "k", "--rerun-failed"]).expect(0);
    assert_eq!(again.json()["ref"], first.json()["ref"]);
}

#[rstest]
fn a_doubt_stays_one_until_the_job_is_found_or_the_user_has_looked(
    #[values("paracloud", "gongji", "pai-dlc")] provider: &str,
) {
    let environment = TestEnvironment::with_sandbox();
    hold(&environment, provider, "pending");
    faults(&environment, &["*:create:reset"]);
    submit(&environment, provider, &["--key", "k"]).expect(88);
    faults(&environment, &[]);
    let again = submit(&environment, provider, &["--key", "k"]).expect(88);
    assert!(again.stderr.contains("--resubmit"), "{}", again.stderr);
    assert_eq!(count(&environment, provider), 0);
    let sent = submit(&environment, provider, &["--key", "k", "--resubmit"]).expect(0);
    assert_eq!(sent.json()["adopted"], false);
    assert_eq!(count(&environment, provider), 1);
    let adopted = submit(&environment, provider, &["--key", "k", "--resubmit"]).expect(0);
    assert_eq!(adopted.json()["ref"], sent.json()["ref"]);
    assert_eq!(count(&environment, provider), 1);
}

#[rstest]
fn a_create_that_did_take_is_found_by_the_next_run(
    #[values("paracloud", "cyclecloud", "gongji", "pai-dlc")] provider: &str,
) {
    let environment = TestEnvironment::with_sandbox();
    hold(&environment, provider, "pending");
    faults(
        &environment,
        &["*:create:reset-after", "*:list:503", "*:get:503"],
    );
    let flags = ["--key", "k", "--retries", "0"];
    // The look before the create is answered by nobody either: nothing is sent.
    submit(&environment, provider, &flags).expect(86);
    assert_eq!(count(&environment, provider), 0);
    faults(&environment, &["*:create:reset-after"]);
    let found = submit(&environment, provider, &flags).expect(0);
    assert_eq!(found.json()["adopted"], true);
    let again = submit(&environment, provider, &flags).expect(0);
    assert_eq!(again.json()["ref"], found.json()["ref"]);
    assert_eq!(count(&environment, provider), 1);
}

#[rstest]
#[case::nothing(&["--key", ""])]
#[case::no_key_to_run_again(&["--rerun-failed"])]
#[case::no_key_to_send_again(&["--resubmit"])]
fn flags_without_a_key_are_a_usage_error(#[case] flags: &[&str]) {
    let environment = TestEnvironment::empty();
    environment
        .run(&arguments("paracloud", flags, &["true"]))
        .expect(80);
}

#[test]
fn what_would_be_sent_under_a_key_is_the_same_each_time() {
    let environment = TestEnvironment::with_sandbox();
    let shown = || {
        let run = submit(&environment, "pai-dlc", &["--key", "k", "--dry-run=json"]).expect(0);
        run.json()["items"][0]["requests"].clone()
    };
    assert_eq!(shown(), shown());
    assert_eq!(count(&environment, "pai-dlc"), 0);
}

#[test]
fn twenty_processes_with_one_key_make_one_job() {
    let environment = TestEnvironment::with_sandbox();
    for provider in BACKENDS {
        hold(&environment, provider, "pending");
    }
    let children: Vec<Child> = (0..20)
        .map(|_| {
            let mut command =
                environment.command(&arguments("gongji", &["--key", "k", "-q"], &["true"]));
            command
                .stdout(Stdio::piped())
                .stderr(Stdio::piped())
                .spawn()
                .unwrap()
        })
        .collect();
    let mut refs: Vec<String> = Vec::new();
    for child in children {
        let output = child.wait_with_output().unwrap();
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(0), "{told}");
        refs.push(String::from_utf8(output.stdout).unwrap());
    }
    refs.sort();
    refs.dedup();
    assert_eq!(refs.len(), 1, "{refs:?}");
    assert_eq!(count(&environment, "gongji"), 1);
}
