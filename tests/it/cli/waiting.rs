//! `wait` and `submit --wait`: what ends them, early or in time, and what they say meanwhile.

use std::io::{BufRead as _, BufReader};
use std::process::Stdio;

use rstest::rstest;
use rustix::process::{Pid, Signal, kill_process};

use crate::cli::JOB;
use crate::support::environment::TestEnvironment;
use crate::support::relay::Relay;

/// A job that runs for longer than any test, and its ref.
fn submitted(environment: &TestEnvironment, provider: &str, command: &[&str]) -> String {
    let job = environment.file("job.yaml", JOB);
    let submit = ["submit", &job, "-p", provider, "-q", "--"];
    let run = environment.run(&[&submit, command].concat()).expect(0);
    run.stdout.trim().to_owned()
}

fn hold(environment: &TestEnvironment, provider: &str, state: &str) {
    let body = format!(r#"{{"backend": "{provider}", "state": {state}}}"#);
    environment.control("hold", &body);
}

#[rstest]
#[case::paracloud("paracloud")]
#[case::cyclecloud("cyclecloud")]
#[case::gongji("gongji")]
#[case::pai_dlc("pai-dlc")]
fn a_job_that_gets_no_resources_fails_the_wait_and_may_be_stopped(#[case] provider: &str) {
    let environment = TestEnvironment::with_sandbox();
    hold(&environment, provider, "\"pending\"");
    let job_ref = submitted(&environment, provider, &["sleep", "600"]);
    let wait = ["wait", &job_ref, "--fail-if", "pending>150ms", "-o", "json"];
    let run = environment.run(&wait).expect(90);
    assert_eq!(run.json()["terminal"], false);
    let error = run.error();
    assert_eq!(error["error"]["code"], "fail_if");
    assert_eq!(error["error"]["kind"], "job-failed");
    assert_eq!(error["error"]["job"], job_ref);
    // What the provider tells stands before it.
    let told = ["what happened to", "has no events"];
    assert!(
        told.iter().any(|words| run.stderr.contains(words)),
        "{}",
        run.stderr
    );

    let run = environment
        .run(&[&wait[..], &["--cancel"]].concat())
        .expect(90);
    assert!(
        run.error()["error"]["hint"]
            .as_str()
            .unwrap()
            .contains("asked to stop")
    );
    hold(&environment, provider, "null");
    environment.run(&["wait", &job_ref]).expect(91);
}

#[test]
fn a_submit_that_waits_gives_up_as_a_wait_does() {
    let environment = TestEnvironment::with_sandbox();
    hold(&environment, "pai-dlc", "\"pending\"");
    let job = environment.file("job.yaml", JOB);
    let submit = ["submit", &job, "-p", "pai-dlc", "--wait", "--cancel"];
    let run = environment.run(&[&submit[..], &["--fail-if", "pending>100ms"]].concat());
    assert!(
        run.stderr.contains("`--fail-if pending>100ms`"),
        "{}",
        run.stderr
    );
    let job_ref = run.stdout.trim();
    environment.run(&["wait", job_ref]).expect(91);
    run.expect(90);
}

#[rstest]
#[case::word(&["--fail-if", "running>2m"], "bad_condition")]
#[case::duration(&["--fail-if", "pending>20"], "bad_duration")]
#[case::state(&["--until", "done"], "unknown_state")]
#[case::both(&["--any", "--all"], "")]
#[case::cancel_alone(&["--cancel"], "")]
fn bad_terms_are_usage_errors(#[case] terms: &[&str], #[case] code: &str) {
    let environment = TestEnvironment::with_sandbox();
    let wait = ["wait", "gongji/1", "-o", "json"];
    let run = environment.run(&[&wait, terms].concat());
    if !code.is_empty() {
        let error = run.error();
        let found = error["error"]["code"].as_str().unwrap();
        assert!(found.contains(code) || code == "bad_duration", "{error}");
        assert!(!error["error"]["hint"].is_null(), "{error}");
    }
    run.expect(80);
}

#[rstest]
#[case::paracloud("paracloud")]
#[case::cyclecloud("cyclecloud")]
#[case::gongji("gongji")]
#[case::pai_dlc("pai-dlc")]
fn a_wait_until_running_succeeds_there_and_tells_the_truth_of_an_end(#[case] provider: &str) {
    let environment = TestEnvironment::with_sandbox();
    let job_ref = submitted(&environment, provider, &["sleep", "600"]);
    let until = ["wait", &job_ref, "--until", "running", "-o", "json"];
    let run = environment.run(&until).expect(0);
    assert_eq!(run.json()["state"], "running");
    environment.run(&["cancel", &job_ref]).expect(0);
    environment.run(&["wait", &job_ref]).expect(91);
    environment.run(&until).expect(91);
}

#[test]
fn any_ends_with_the_first_job_though_another_provider_never_answers() {
    let mut environment = TestEnvironment::with_sandbox();
    let slow = submitted(&environment, "paracloud", &["sleep", "600"]);
    let other = submitted(&environment, "gongji", &["sleep", "600"]);
    let quick = submitted(&environment, "gongji", &["true"]);
    let upstream = environment.sandbox_variable("GPUJOB_PARACLOUD_BASE_URL");
    let relay = Relay::start(&upstream, "GET /api/v1beta2/namespaces/");
    environment.set("GPUJOB_PARACLOUD_BASE_URL", &relay.url);
    let run = environment
        .run(&["wait", "--any", &slow, &other, &quick, "-o", "name"])
        .expect(0);
    assert_eq!(run.stdout.trim(), quick);
    let run = environment
        .run(&["wait", "--any", &slow, &other, &quick])
        .expect(0);
    assert!(
        run.stderr.contains("2 of 3 jobs were left alone"),
        "{}",
        run.stderr
    );
}

#[rstest]
#[case::paracloud("paracloud")]
#[case::cyclecloud("cyclecloud")]
#[case::gongji("gongji")]
#[case::pai_dlc("pai-dlc")]
fn a_throttled_poll_is_not_repeated_before_the_service_wishes(#[case] provider: &str) {
    let environment = TestEnvironment::with_sandbox();
    let job_ref = submitted(&environment, provider, &["sleep", "600"]);
    environment
        .run(&["wait", &job_ref, "--until", "running"])
        .expect(0);
    // The catalogue is no poll.
    let polls = || {
        let mut requests = environment.requests(provider);
        requests.remove("ListInstanceTypes");
        requests
    };
    let before = polls();
    let rules = format!(r#"{{"faults": ["{provider}:*:429:retry-after=3600:times=1"]}}"#);
    environment.control("faults", &rules);
    let wait = ["wait", &job_ref, "--retries", "0", "--timeout", "600ms"];
    let run = environment.run(&wait).expect(124);
    assert!(run.stderr.contains("they may be fine"), "{}", run.stderr);
    assert_eq!(before, polls(), "{}", run.stderr);
}

#[test]
fn an_outage_and_its_end_are_told_once_and_cost_nothing() {
    let environment = TestEnvironment::with_sandbox();
    let job_ref = submitted(&environment, "pai-dlc", &["true"]);
    let rules = r#"{"faults": ["pai-dlc:get:503:times=4"]}"#;
    environment.control("faults", rules);
    let run = environment
        .run(&["wait", &job_ref, "--retries", "0"])
        .expect(0);
    for (words, count) in [("they may be fine", 1), ("answers again", 1)] {
        assert_eq!(run.stderr.matches(words).count(), count, "{}", run.stderr);
    }
}

#[test]
fn changes_are_printed_as_they_come() {
    let environment = TestEnvironment::with_sandbox();
    let job_ref = submitted(&environment, "pai-dlc", &["sleep", "600"]);
    let mut waiting = environment
        .command(&["wait", &job_ref, "-o", "ndjson"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(waiting.stdout.take().unwrap()).lines();
    let mut states = Vec::new();
    while states.last().is_none_or(|state| state != "running") {
        let line = lines.next().unwrap().unwrap();
        let object: serde_json::Value = serde_json::from_str(&line).unwrap();
        assert_eq!(object["ref"], job_ref);
        states.push(object["state"].as_str().unwrap().to_owned());
    }
    kill_process(Pid::from_child(&waiting), Signal::INT).unwrap();
    let output = waiting.wait_with_output().unwrap();
    let text = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(130), "{text}");
    assert!(text.contains(&format!("gpujob wait {job_ref}")), "{text}");
}
