//! What reaches the streams, and when (cli.md §3 and §4).

use std::io::{BufRead as _, BufReader};
use std::process::Stdio;

use rstest::rstest;

use crate::cli::JOB;
use crate::support::environment::TestEnvironment;
use crate::support::relay::Relay;

#[rstest]
#[case::types(&["types"])]
#[case::status(&["status"])]
#[case::namespaces(&["namespaces", "list"])]
fn under_ndjson_the_rows_of_the_quick_come_before_the_slow_has_answered(#[case] command: &[&str]) {
    let mut environment = TestEnvironment::with_sandbox();
    environment.file("job.yaml", JOB);
    environment
        .run(&["submit", "job.yaml", "-p", "pai-dlc"])
        .expect(0);
    let upstream = environment.sandbox_variable("GPUJOB_PARACLOUD_BASE_URL");
    let relay = Relay::start(&upstream, "GET");
    environment.set("GPUJOB_PARACLOUD_BASE_URL", &relay.url);
    let mut child = environment
        .command(&[command, &["-o", "ndjson", "-p", "paracloud,pai-dlc"]].concat())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap())
        .read_line(&mut line)
        .unwrap();
    // It still waits for the other.
    assert!(child.try_wait().unwrap().is_none());
    child.kill().unwrap();
    child.wait().unwrap();
    let row: serde_json::Value = serde_json::from_str(&line).unwrap();
    assert_eq!(row["provider"], "pai-dlc");
}

#[rstest]
#[case::types(&["types"])]
#[case::status(&["status"])]
#[case::volumes(&["volumes", "list"])]
#[case::namespaces(&["namespaces", "list"])]
#[case::config(&["config", "show"])]
#[case::config_path(&["config", "path"])]
#[case::explain(&["explain", "job.yaml"])]
#[case::dry_run(&["submit", "job.yaml", "-p", "pai-dlc", "--dry-run"])]
#[case::submit(&["submit", "job.yaml", "-p", "pai-dlc"])]
fn every_command_speaks_json(#[case] command: &[&str]) {
    let environment = TestEnvironment::with_sandbox();
    environment.file("job.yaml", JOB);
    let run = environment
        .run(&[command, &["-o", "json"]].concat())
        .expect(0);
    let schema = run.json()["schema"].as_str().unwrap().to_owned();
    assert!(schema.starts_with("gpujob/"), "{schema}");
    let run = environment
        .run(&[command, &["--jq", ".schema"]].concat())
        .expect(0);
    assert_eq!(run.stdout.trim(), schema, "strings are printed raw");
}
