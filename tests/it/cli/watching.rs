//! `status --watch` in a pipe: a line or an object for each change.

use std::io::{BufRead as _, BufReader, Lines};
use std::process::{Child, ChildStdout, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::cli::JOB;
use crate::support::environment::TestEnvironment;

fn submitted(environment: &TestEnvironment, provider: &str, command: &[&str]) -> String {
    let job = environment.file("job.yaml", JOB);
    let submit = ["submit", &job, "-p", provider, "-q", "--"];
    let run = environment.run(&[&submit, command].concat()).expect(0);
    run.stdout.trim().to_owned()
}

fn watching(
    environment: &TestEnvironment,
    arguments: &[&str],
) -> (Child, Lines<BufReader<ChildStdout>>) {
    let mut child = environment
        .command(&[&["status", "--watch"], arguments].concat())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    (child, lines)
}

#[test]
fn jobs_of_every_provider_are_told_as_they_change() {
    let environment = TestEnvironment::with_sandbox();
    let early = submitted(&environment, "paracloud", &["sleep", "600"]);
    let (child, mut lines) = watching(&environment, &["-o", "ndjson"]);
    let mut next = || -> Value { serde_json::from_str(&lines.next().unwrap().unwrap()).unwrap() };
    while next()["ref"] != early.as_str() {}
    let late = submitted(&environment, "gongji", &["true"]);
    let mut states = Vec::new();
    while states.last() != Some(&Value::from("succeeded")) {
        let change = next();
        if change["ref"] == late.as_str() {
            states.push(change["state"].clone());
        }
    }
    let mut once = states.clone();
    once.dedup();
    assert!(states.len() <= once.len() + 1, "{states:?}");
    kill_process(Pid::from_child(&child), Signal::INT).unwrap();
    assert_eq!(child.wait_with_output().unwrap().status.code(), Some(130));
}

#[test]
fn named_jobs_are_watched_to_their_end_which_is_a_success() {
    let environment = TestEnvironment::with_sandbox();
    let one = submitted(&environment, "pai-dlc", &["true"]);
    let other = submitted(&environment, "gongji", &["false"]);
    let run = environment
        .run(&["status", &one, &other, "--watch"])
        .expect(0);
    let told = |job_ref: &str, state: &str| {
        let words = format!(" {job_ref} {state}");
        run.stdout.lines().any(|line| line.contains(&words))
    };
    assert!(
        told(&one, "succeeded") && told(&other, "failed"),
        "{}",
        run.stdout
    );
    assert!(!run.stdout.contains('\u{1b}'));

    let run = environment
        .run(&["status", &one, &other, "--watch", "-o", "csv"])
        .expect(0);
    let headers = run.stdout.lines().filter(|line| line.starts_with("ref,"));
    assert_eq!(
        (headers.count(), run.stdout.lines().count()),
        (1, 3),
        "{}",
        run.stdout
    );
    let run = environment
        .run(&["status", &one, &other, "--watch", "-q"])
        .expect(0);
    let mut refs: Vec<&str> = run.stdout.lines().collect();
    refs.sort_unstable();
    let mut named = [one.as_str(), other.as_str()];
    named.sort_unstable();
    assert_eq!(refs, named);
}

#[test]
fn what_cannot_be_watched_is_said() {
    let mut environment = TestEnvironment::with_sandbox();
    let run = environment.run(&["status", "--watch", "-o", "json"]);
    assert_eq!(run.error()["error"]["code"], "endless_document");
    run.expect(80);
    environment
        .run(&["status", "gongji/1", "--watch"])
        .expect(82);
    environment.set("GPUJOB_GONGJI_TOKEN", "sk-not-a-token");
    environment
        .run(&["status", "--watch", "-p", "gongji"])
        .expect(84);
    environment
        .run(&["status", "--watch", "-p", "pai-dlc", "--timeout", "300ms"])
        .expect(124);
}
