//! `submit --follow`: the wait with the log beside it (cli.md §2.1, §6, §10 "Output, small print").

use std::io::Read as _;
use std::process::Stdio;

use rstest::rstest;
use rstest_reuse::{apply, template};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::cli::JOB;
use crate::support::environment::TestEnvironment;

#[template]
#[rstest]
#[case::gongji("gongji")]
#[case::pai_dlc("pai-dlc")]
#[case::cyclecloud("cyclecloud")]
fn backends_with_logs(#[case] provider: &str) {}

const PRINTS: &str = "echo one; sleep 0.2; printf 'two\\033[0m\\n' >&2; exit $0";
const PRINTED: &str = "one\ntwo\u{1b}[0m\n";

#[apply(backends_with_logs)]
fn in_a_sandbox_the_file_holds_the_jobs_bytes_and_nothing_else(#[case] provider: &str) {
    let environment = TestEnvironment::empty();
    environment.file("job.yaml", JOB);
    let line = format!(
        "gpujob submit job.yaml --follow -p {provider} -- sh -c '{}' 0 > out.txt",
        PRINTS.replace('\'', "'\\''")
    );
    environment
        .run(&["sandbox", "--speed", "200", "--", "sh", "-c", &line])
        .expect(0);
    let written = std::fs::read_to_string(environment.home().join("out.txt")).unwrap();
    assert_eq!(written, PRINTED);
}

#[rstest]
#[case::success("gongji", "0", 0)]
#[case::own_code("gongji", "3", 3)]
#[case::code_of_a_file("cyclecloud", "3", 3)]
#[case::success_without_a_code("pai-dlc", "0", 0)]
#[case::failure_without_a_code("pai-dlc", "3", 90)]
fn it_exits_as_the_job_did(#[case] provider: &str, #[case] own: &str, #[case] code: i32) {
    let environment = TestEnvironment::with_sandbox();
    let job = environment.file("job.yaml", JOB);
    let run = environment
        .run(&[
            "submit", &job, "-p", provider, "--follow", "--", "sh", "-c", PRINTS, own,
        ])
        .expect(code);
    assert_eq!(run.stdout, PRINTED);
    assert!(
        run.stderr.contains(&format!("submitted {provider}/")),
        "{}",
        run.stderr
    );
}

#[test]
fn a_quiet_follow_still_tells_which_job_it_is() {
    let environment = TestEnvironment::with_sandbox();
    let job = environment.file("job.yaml", JOB);
    let run = environment
        .run(&[
            "submit", &job, "-p", "gongji", "--follow", "-q", "--", "true",
        ])
        .expect(0);
    let line = run.stderr.trim();
    assert!(
        line.starts_with("gongji/") && !line.contains(char::is_whitespace),
        "{line}"
    );
}

#[apply(backends_with_logs)]
fn with_json_the_record_is_on_stdout_and_the_log_on_stderr(#[case] provider: &str) {
    let environment = TestEnvironment::with_sandbox();
    let job = environment.file("job.yaml", JOB);
    let run = environment
        .run(&[
            "submit", &job, "-p", provider, "--follow", "-o", "json", "--", "sh", "-c", PRINTS, "0",
        ])
        .expect(0);
    assert_eq!(run.json()["state"], "succeeded");
    assert!(run.stderr.contains("one\n"), "{}", run.stderr);
}

#[apply(backends_with_logs)]
fn with_ndjson_log_lines_are_objects(#[case] provider: &str) {
    let environment = TestEnvironment::with_sandbox();
    let job = environment.file("job.yaml", JOB);
    let run = environment
        .run(&[
            "submit", &job, "-p", provider, "--follow", "-o", "ndjson", "--", "sh", "-c", PRINTS,
            "0",
        ])
        .expect(0);
    let lines: Vec<String> = run
        .stdout
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap())
        .filter_map(|object| Some(object.get("line")?.as_str()?.to_owned()))
        .collect();
    assert_eq!(lines, ["one", "two\u{1b}[0m"]);
}

#[rstest]
#[case::paracloud("paracloud")]
#[case::cyclecloud("cyclecloud")]
fn without_logs_nothing_is_created(#[case] provider: &str) {
    let mut environment = TestEnvironment::with_sandbox();
    environment.set(
        "GPUJOB_CYCLECLOUD_RESULT_DIR",
        "/mnt/results/not-mounted-here",
    );
    let job = environment.file("job.yaml", JOB);
    environment
        .run(&["submit", &job, "-p", provider, "--follow"])
        .expect(81);
    let jobs = environment.jobs();
    assert_eq!(jobs[provider].as_array().map_or(0, Vec::len), 0, "{jobs}");
}

#[apply(backends_with_logs)]
fn an_interrupt_leaves_the_job_alone_and_says_how_to_follow_it_again(#[case] provider: &str) {
    let environment = TestEnvironment::with_sandbox();
    let job = environment.file("job.yaml", JOB);
    let endless = "while echo on and on; do sleep 0.05; done";
    let mut child = environment
        .command(&[
            "submit", &job, "-p", provider, "--follow", "--", "sh", "-c", endless,
        ])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child
        .stdout
        .as_mut()
        .unwrap()
        .read_exact(&mut [0; 10])
        .unwrap();
    kill_process(Pid::from_child(&child), Signal::INT).unwrap();
    let output = child.wait_with_output().unwrap();
    let told = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(130), "{told}");
    assert!(
        told.contains(&format!("gpujob logs -f {provider}/")),
        "{told}"
    );
}

#[apply(backends_with_logs)]
fn a_reader_that_goes_ends_it_though_the_job_writes_nothing_more(#[case] provider: &str) {
    let environment = TestEnvironment::with_sandbox();
    let job = environment.file("job.yaml", JOB);
    let silent = "echo once; while :; do sleep 0.05; done";
    let mut child = environment
        .command(&[
            "submit", &job, "-p", provider, "--follow", "--", "sh", "-c", silent,
        ])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut pipe = child.stdout.take().unwrap();
    pipe.read_exact(&mut [0; 5]).unwrap();
    drop(pipe);
    let output = child.wait_with_output().unwrap();
    let told = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(0), "{told}");
    assert!(
        told.contains(&format!("gpujob logs -f {provider}/")),
        "{told}"
    );
    let jobs = environment.jobs();
    assert_eq!(jobs[provider].as_array().map_or(0, Vec::len), 1, "{jobs}");
}

#[test]
fn without_a_log_the_other_refusals_are_told_too() {
    let environment = TestEnvironment::with_sandbox();
    let job = environment.file("job.yaml", &format!("{JOB}nodes: 2\nretries: 1\n"));
    let run = environment
        .run(&["submit", &job, "-p", "paracloud", "--follow", "-o", "json"])
        .expect(81);
    let error = &run.error()["error"];
    assert_eq!(error["code"], "several");
    let fields: Vec<&str> = error["refusals"]
        .as_array()
        .unwrap()
        .iter()
        .map(|refusal| refusal["field"].as_str().unwrap())
        .collect();
    for field in ["--follow", "nodes", "retries"] {
        assert!(fields.contains(&field), "{fields:?}");
    }
}

#[test]
fn a_carrier_tells_the_code_that_the_api_hides_and_leaves_no_trace_in_the_log() {
    let environment = TestEnvironment::with_sandbox();
    let job = environment.file("job.yaml", JOB);
    let carrier = "--exit-code-carrier";
    let run = environment
        .run(&[
            "submit", &job, "-p", "pai-dlc", "--follow", carrier, "--", "sh", "-c", PRINTS, "3",
        ])
        .expect(3);
    assert_eq!(run.stdout, PRINTED);
    let (_, rest) = run.stderr.split_once("submitted ").unwrap();
    let job = rest.lines().next().unwrap();
    environment.run(&["wait", job]).expect(3);
    let run = environment.run(&["status", job, "-o", "json"]).expect(0);
    assert_eq!(run.json()["exit_code"], 3);
    let run = environment.run(&["logs", job]).expect(0);
    assert_eq!(run.stdout, PRINTED);
}

#[test]
fn of_several_pods_the_first_code_that_is_not_zero_counts() {
    let environment = TestEnvironment::with_sandbox();
    let text = format!("{JOB}nodes: 2\nframework: pytorch\nexit_code_carrier: true\n");
    let job = environment.file("job.yaml", &text);
    // Only the second pod fails.
    let fails = "case $RANK in 0) exit 0;; *) exit 5;; esac";
    let run = environment.run(&[
        "submit", &job, "-p", "pai-dlc", "--wait", "--", "sh", "-c", fails,
    ]);
    run.expect(5);
}
