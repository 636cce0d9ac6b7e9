//! Ctrl-C, SIGTERM and `--timeout` at each moment of a command (cli.md §6 and §10).

use std::io::Write as _;
use std::process::{Output, Stdio};

use rstest::rstest;
use rustix::process::{Pid, Signal, kill_process};

use crate::cli::JOB;
use crate::support::environment::TestEnvironment;
use crate::support::relay::Relay;

const SUBMIT: [&str; 4] = ["submit", "job.yaml", "-p", "paracloud"];

/// A world whose Paracloud never answers requests that begin like this.
fn silent(first_line: &'static str) -> (TestEnvironment, Relay) {
    let mut environment = TestEnvironment::with_sandbox();
    environment.file("job.yaml", JOB);
    let upstream = environment.sandbox_variable("GPUJOB_PARACLOUD_BASE_URL");
    let relay = Relay::start(&upstream, first_line);
    environment.set("GPUJOB_PARACLOUD_BASE_URL", &relay.url);
    (environment, relay)
}

/// Runs until the server is silent, sends the signal, and gives what is left.
fn interrupted(
    environment: &TestEnvironment,
    relay: &Relay,
    arguments: &[&str],
    signal: Signal,
) -> Output {
    let child = environment
        .command(arguments)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    relay.wait_for_silence();
    kill_process(Pid::from_child(&child), signal).unwrap();
    child.wait_with_output().unwrap()
}

#[rstest]
#[case::submit(&SUBMIT)]
#[case::types(&["types"])]
#[case::status(&["status"])]
#[case::status_of_a_bare_id(&["status", "abcdefgh", "-p", "paracloud"])]
#[case::wait_for_a_bare_id(&["wait", "abcdefgh", "-p", "paracloud"])]
#[case::cancel_of_a_bare_id(&["cancel", "abcdefgh", "-p", "paracloud"])]
#[case::explain(&["explain", "job.yaml"])]
#[case::volumes(&["volumes", "list"])]
#[case::namespaces(&["namespaces", "list"])]
#[case::volume_before_the_create(&["volumes", "create", "-p", "paracloud", "--cluster", "NC-N30"])]
fn a_read_that_is_never_answered_ends_with_the_signal(
    #[case] arguments: &[&str],
    #[values((Signal::INT, 130), (Signal::TERM, 143))] (signal, code): (Signal, i32),
) {
    let (environment, relay) = silent("GET");
    let output = interrupted(&environment, &relay, arguments, signal);
    let text = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(code), "{text}");
    assert!(text.contains("interrupted"), "{text}");
    assert!(!text.contains("may have taken"), "{text}");
}

#[rstest]
#[case::job(&SUBMIT)]
#[case::volume(&["volumes", "create", "-p", "paracloud", "--cluster", "NC-N30"])]
#[case::namespace(&["namespaces", "create", "-p", "paracloud"])]
fn a_create_on_its_way_has_an_unknown_outcome(
    #[case] arguments: &[&str],
    #[values(Signal::INT, Signal::TERM)] signal: Signal,
) {
    let (environment, relay) = silent("POST");
    let output = interrupted(&environment, &relay, arguments, signal);
    let text = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(88), "{text}");
    assert!(text.contains("hint: look"), "{text}");
}

#[rstest]
#[case::job(&SUBMIT)]
#[case::volume(&["volumes", "create", "-p", "paracloud", "--cluster", "NC-N30"])]
fn the_timeout_of_a_create_is_an_unknown_outcome_too(#[case] arguments: &[&str]) {
    let (environment, _relay) = silent("POST");
    let arguments = [arguments, &["--timeout", "400ms"]].concat();
    environment.run(&arguments).expect(88);
}

#[test]
fn the_timeout_of_a_read_is_a_timeout() {
    let (environment, _relay) = silent("GET");
    for arguments in [["types", "-p", "paracloud"].as_slice(), &SUBMIT] {
        let run = environment.run(&[arguments, &["--timeout", "300ms", "-o", "json"]].concat());
        assert_eq!(run.error()["error"]["kind"], "timeout");
        run.expect(124);
    }
}

#[test]
fn an_interrupted_wait_leaves_the_job_alone_and_tells_how_to_wait_again() {
    let (environment, relay) = silent("GET /api/v1beta2/namespaces/");
    let submit = ["submit", "job.yaml", "-p", "paracloud", "--wait"];
    let output = interrupted(&environment, &relay, &submit, Signal::TERM);
    let (stdout, stderr) = (
        String::from_utf8(output.stdout).unwrap(),
        String::from_utf8(output.stderr).unwrap(),
    );
    assert_eq!(output.status.code(), Some(143), "{stderr}");
    let again = format!("gpujob wait {}", stdout.trim());
    assert!(stderr.contains(&again), "{stderr}");
    assert!(stderr.contains("left alone"), "{stderr}");
}

#[test]
fn a_second_signal_ends_a_stop_that_is_never_answered() {
    let (environment, relay) = silent("DELETE");
    let run = environment
        .run(&[
            "submit",
            "job.yaml",
            "-p",
            "paracloud",
            "-q",
            "--",
            "sleep",
            "60",
        ])
        .expect(0);
    let job_ref = run.stdout.trim();
    let waiting = environment
        .command(&["wait", job_ref, "--cancel-on-interrupt", "-o", "ndjson"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut waiting = waiting;
    // The first state on stdout shows that it waits.
    let mut line = String::new();
    let mut reader = std::io::BufReader::new(waiting.stdout.take().unwrap());
    std::io::BufRead::read_line(&mut reader, &mut line).unwrap();
    kill_process(Pid::from_child(&waiting), Signal::INT).unwrap();
    relay.wait_for_silence();
    kill_process(Pid::from_child(&waiting), Signal::INT).unwrap();
    assert_eq!(waiting.wait().unwrap().code(), Some(130));
    environment.run(&["status", job_ref]).expect(0);
}

#[test]
fn a_job_that_was_asked_to_stop_is_not_said_to_be_left_alone() {
    let environment = TestEnvironment::with_sandbox();
    environment.file("job.yaml", JOB);
    let run = environment
        .run(&[
            "submit",
            "job.yaml",
            "-p",
            "paracloud",
            "-q",
            "--",
            "sleep",
            "60",
        ])
        .expect(0);
    let job_ref = run.stdout.trim();
    let mut waiting = environment
        .command(&["wait", job_ref, "--cancel-on-interrupt", "-o", "ndjson"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    let mut reader = std::io::BufReader::new(waiting.stdout.take().unwrap());
    std::io::BufRead::read_line(&mut reader, &mut line).unwrap();
    kill_process(Pid::from_child(&waiting), Signal::INT).unwrap();
    let output = waiting.wait_with_output().unwrap();
    let text = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(130), "{text}");
    assert!(text.contains("asked to stop"), "{text}");
    assert!(!text.contains("left alone"), "{text}");
    environment.run(&["wait", job_ref]).expect(91);
}

#[test]
fn a_list_of_refs_that_never_comes_can_be_interrupted() {
    let environment = TestEnvironment::with_sandbox();
    let mut child = environment
        .command(&["status", "@-", "--timeout", "300ms"])
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    input.write_all(b"paracloud/").unwrap();
    // The pipe stays open; only the deadline can end the wait.
    let output = child.wait_with_output().unwrap();
    drop(input);
    assert_eq!(output.status.code(), Some(124));
}
