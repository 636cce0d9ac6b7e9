//! `logs`, on the backends whose API tells them and on those whose does not (cli.md §2, §3, §6).

use std::process::Stdio;

use rstest::rstest;
use rstest_reuse::{apply, template};
use serde_json::json;

use crate::cli::JOB;
use crate::support::environment::TestEnvironment;

/// Prints, then ends as its first argument says.
const PRINTS: &str =
    "printf 'one\\n\\ntwo \\033[31mred\\033[0m\\n'; sleep 0.2; echo three >&2; exit $0";

#[template]
#[rstest]
#[case::gongji("gongji")]
#[case::pai_dlc("pai-dlc")]
#[case::cyclecloud("cyclecloud")]
fn backends_with_logs(#[case] provider: &str) {}

/// Submits a job and gives its ref.
fn submitted(environment: &TestEnvironment, provider: &str, code: &str) -> String {
    let job = environment.file("job.yaml", JOB);
    let run = environment.run(&[
        "submit", &job, "-p", provider, "--", "sh", "-c", PRINTS, code,
    ]);
    run.expect(0).stdout.trim().to_owned()
}

#[apply(backends_with_logs)]
fn a_pipe_gets_the_jobs_bytes_and_nothing_else(#[case] provider: &str) {
    let environment = TestEnvironment::with_sandbox();
    let job = submitted(&environment, provider, "0");
    let all = "one\n\ntwo \u{1b}[31mred\u{1b}[0m\nthree\n";
    // Followed from before its start, whatever it is doing now.
    let run = environment.run(&["logs", "-f", &job]).expect(0);
    assert_eq!(run.stdout, all);
    for arguments in [
        vec!["logs", &job],
        vec!["logs", &job, "-q"],
        vec!["logs", "--follow", &job],
        vec!["logs", &job, "--tail", "10"],
    ] {
        let run = environment.run(&arguments).expect(0);
        assert_eq!(run.stdout, all, "{arguments:?}");
        assert_eq!(run.stderr, "", "{arguments:?}");
    }
    for (lines, left) in [("2", "two \u{1b}[31mred\u{1b}[0m\nthree\n"), ("0", "")] {
        let run = environment.run(&["logs", &job, "--tail", lines]).expect(0);
        assert_eq!(run.stdout, left);
    }
}

#[apply(backends_with_logs)]
fn the_log_of_a_failed_job_ends_well(#[case] provider: &str) {
    let environment = TestEnvironment::with_sandbox();
    let job = submitted(&environment, provider, "3");
    let run = environment.run(&["logs", "-f", &job]).expect(0);
    assert!(run.stdout.ends_with("three\n"), "{}", run.stdout);
}

#[apply(backends_with_logs)]
fn ndjson_has_one_object_a_line(#[case] provider: &str) {
    let environment = TestEnvironment::with_sandbox();
    let job = submitted(&environment, provider, "0");
    let run = environment
        .run(&["logs", "-f", &job, "-o", "ndjson"])
        .expect(0);
    let lines: Vec<serde_json::Value> = run
        .stdout
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let texts: Vec<&str> = lines
        .iter()
        .map(|line| line["line"].as_str().unwrap())
        .collect();
    assert_eq!(texts, ["one", "", "two \u{1b}[31mred\u{1b}[0m", "three"]);
    assert!(lines.iter().all(|line| line["time"] == json!(null)));
    let pod = lines[0]["pod"].as_str().unwrap();
    let run = environment
        .run(&["logs", &job, "--pod", pod, "-o", "ndjson", "--jq", ".line"])
        .expect(0);
    assert_eq!(run.stdout.lines().next(), Some("one"));
}

#[apply(backends_with_logs)]
fn what_cannot_be_had_is_refused(#[case] provider: &str) {
    let environment = TestEnvironment::with_sandbox();
    let job = submitted(&environment, provider, "0");
    environment.run(&["wait", &job]).expect(0);
    let run = environment
        .run(&["logs", &job, "--timestamps", "-o", "ndjson"])
        .expect(81);
    assert_eq!(run.error()["error"]["code"], "unsupported_field");
    let run = environment.run(&["logs", &job, "-o", "json"]).expect(80);
    assert_eq!(run.error()["error"]["code"], "bad_format");
    let run = environment
        .run(&["logs", &job, "--pod", "nobody"])
        .expect(82);
    assert!(run.stderr.contains("has no pod `nobody`"), "{}", run.stderr);
    let since = environment.run(&["logs", &job, "--since", "1h"]);
    if provider == "pai-dlc" {
        assert!(since.expect(0).stdout.starts_with("one\n"));
    } else {
        let since = since.expect(81);
        assert!(since.stderr.contains("--tail N"), "{}", since.stderr);
    }
    let unknown = ["logs", "pai-dlc/cn-hangzhou/dlcunknown0000000"];
    environment.run(&unknown).expect(82);
}

#[rstest]
#[case::paracloud("paracloud")]
#[case::cyclecloud("cyclecloud")]
fn a_backend_without_logs_says_what_else_there_is(#[case] provider: &str) {
    let mut environment = TestEnvironment::with_sandbox();
    // What the nodes mount there is not mounted here.
    environment.set(
        "GPUJOB_CYCLECLOUD_RESULT_DIR",
        "/mnt/results/not-mounted-here",
    );
    let job = environment.file("job.yaml", JOB);
    let run = environment.run(&["submit", &job, "-p", provider]).expect(0);
    let run = environment
        .run(&["logs", run.stdout.trim(), "-o", "ndjson"])
        .expect(81);
    assert!(run.error()["error"]["hint"].is_string(), "{}", run.stderr);
}

#[test]
fn lines_of_several_pods_have_their_names() {
    let environment = TestEnvironment::with_sandbox();
    let job = environment.file("job.yaml", &format!("{JOB}nodes: 2\nframework: pytorch\n"));
    let run = environment.run(&[
        "submit",
        &job,
        "-p",
        "pai-dlc",
        "--",
        "sh",
        "-c",
        "echo of $0; echo more",
        "mine",
    ]);
    let job = run.expect(0).stdout.trim().to_owned();
    let run = environment.run(&["logs", "-f", &job]).expect(0);
    let id = job.rsplit('/').next().unwrap();
    for pod in ["master-0", "worker-0"] {
        let lines = format!("[{id}-{pod}] of mine\n[{id}-{pod}] more\n");
        assert!(run.stdout.contains(&lines), "{}", run.stdout);
    }
    assert_eq!(run.stdout.lines().count(), 4);
    let run = environment
        .run(&["logs", &job, "--node", "worker-0"])
        .expect(0);
    assert_eq!(run.stdout, "of mine\nmore\n");
}

#[apply(backends_with_logs)]
fn a_reader_that_goes_is_no_failure(#[case] provider: &str) {
    let environment = TestEnvironment::with_sandbox();
    let job = environment.file("job.yaml", JOB);
    let endless = "while echo on and on; do sleep 0.01; done";
    let run = environment.run(&["submit", &job, "-p", provider, "--", "sh", "-c", endless]);
    let job = run.expect(0).stdout.trim().to_owned();
    let mut child = environment
        .command(&["logs", "-f", &job])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut pipe = child.stdout.take().unwrap();
    std::io::Read::read_exact(&mut pipe, &mut [0; 10]).unwrap();
    drop(pipe);
    assert_eq!(child.wait().unwrap().code(), Some(0));
}
