//! `--array` driven from this side: one job for each index, no more, whatever interrupts it (cli.md §10, "Arrays").

use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader};
use std::process::Stdio;

use rstest::rstest;

use crate::support::environment::TestEnvironment;

fn arguments<'a>(provider: &'a str, flags: &[&'a str]) -> Vec<&'a str> {
    let job = [
        "--name", "sweep", "--gpu", "V100:1", "--image", "tool:1", "--time", "5m",
    ];
    [
        &["submit", "-p", provider],
        &job[..],
        flags,
        &["--", "sh", "-c", "exit $GPUJOB_ARRAY_INDEX"],
    ]
    .concat()
}

fn count(environment: &TestEnvironment, provider: &str) -> usize {
    environment.jobs()[provider].as_array().unwrap().len()
}

fn hold(environment: &TestEnvironment, provider: &str) {
    let rule = serde_json::json!({"backend": provider, "state": "pending"});
    environment.control("hold", &rule.to_string());
}

fn lines(text: &str) -> BTreeSet<String> {
    text.lines().map(str::to_owned).collect()
}

#[rstest]
fn every_index_is_a_job_and_the_arrays_ref_names_all(
    #[values("paracloud", "cyclecloud", "gongji", "pai-dlc")] provider: &str,
) {
    let environment = TestEnvironment::with_sandbox();
    let run = environment
        .run(&arguments(provider, &["--array", "3-6%2", "--key", "s"]))
        .expect(0);
    let refs = lines(&run.stdout);
    assert_eq!(refs.len(), 4, "{}", run.stdout);
    assert!(
        run.stderr.contains("4 of 4 jobs of the array `key:s`"),
        "{}",
        run.stderr
    );
    assert_eq!(count(&environment, provider), 4);

    // The first of these codes that is not 0 would be mirrored for one job; for several it is 90.
    let waited = environment.run(&["wait", "key:s", "-o", "json"]).expect(90);
    let items = waited.json()["items"].as_array().unwrap().clone();
    let found: BTreeSet<String> = items
        .iter()
        .map(|job| job["ref"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(found, refs);
    let names: Vec<&str> = items
        .iter()
        .map(|job| job["name"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["sweep-3", "sweep-4", "sweep-5", "sweep-6"]);
    if matches!(provider, "cyclecloud" | "gongji") {
        let codes: Vec<i64> = items
            .iter()
            .map(|job| job["exit_code"].as_i64().unwrap())
            .collect();
        assert_eq!(codes, [3, 4, 5, 6]);
    }
    environment.run(&["cancel", "key:s", "-q"]).expect(0);
}

#[test]
fn the_same_command_continues_what_was_killed_half_way() {
    let environment = TestEnvironment::with_sandbox();
    hold(&environment, "paracloud");
    for key in [&[][..], &["--key", "killed"]] {
        let before = count(&environment, "paracloud");
        let flags = [&["--array", "0-39%4", "--detach-array"][..], key].concat();
        let arguments = arguments("paracloud", &flags);
        let mut child = environment
            .command(&arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let told = BufReader::new(child.stdout.take().unwrap());
        let first: Vec<String> = told.lines().take(7).map(Result::unwrap).collect();
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(count(&environment, "paracloud") - before < 40);

        let mut run = environment.run(&arguments);
        assert!(run.stderr.contains("is continued: "), "{}", run.stderr);
        if run.code == 88 {
            // It was killed with a create on its way, and whoever has looked says so.
            run = environment.run(&[&["submit", "--resubmit"], &arguments[1..]].concat());
        }
        let run = run.expect(0);
        let refs = lines(&run.stdout);
        assert_eq!(refs.len(), 40);
        assert!(first.iter().all(|job_ref| refs.contains(job_ref)));
        assert_eq!(count(&environment, "paracloud") - before, 40);
    }
}

#[test]
fn a_whole_array_is_adopted_under_its_key_and_made_anew_without_one() {
    let environment = TestEnvironment::with_sandbox();
    hold(&environment, "pai-dlc");
    let with_key = arguments("pai-dlc", &["--array", "1-3", "--key", "k", "-o", "json"]);
    let first = environment.run(&with_key).expect(0).json();
    let second = environment.run(&with_key).expect(0).json();
    let refs = |document: &serde_json::Value| -> Vec<String> {
        let items = document["items"].as_array().unwrap();
        items.iter().map(|job| job["ref"].to_string()).collect()
    };
    assert_eq!(refs(&first), refs(&second));
    assert_eq!(second["items"][0]["adopted"], true);
    assert_eq!(second["items"][0]["key"], "k[1]");
    assert_eq!(count(&environment, "pai-dlc"), 3);

    let anew = arguments("pai-dlc", &["--array", "1-3"]);
    environment.run(&anew).expect(0);
    environment.run(&anew).expect(0);
    assert_eq!(count(&environment, "pai-dlc"), 9);

    let other = arguments(
        "pai-dlc",
        &["--array", "1-3", "--key", "k", "--env", "LR=2"],
    );
    let run = environment.run(&other).expect(81);
    assert!(
        run.stderr.contains("stands for a job of another spec"),
        "{}",
        run.stderr
    );
}

#[test]
fn another_machine_adopts_the_jobs_of_an_arrays_key() {
    let mut environment = TestEnvironment::with_sandbox();
    hold(&environment, "paracloud");
    let command = arguments("paracloud", &["--array", "1-3", "--key", "k"]);
    let first = environment.run(&command).expect(0);
    let state = environment.home().join("elsewhere");
    environment.set("XDG_STATE_HOME", state.to_str().unwrap());
    let second = environment.run(&command).expect(0);
    assert_eq!(lines(&first.stdout), lines(&second.stdout));
    assert_eq!(count(&environment, "paracloud"), 3);
}

#[test]
fn no_more_than_parallel_are_alive_and_an_interrupt_leaves_the_rest() {
    let environment = TestEnvironment::with_sandbox();
    hold(&environment, "paracloud");
    let command = arguments("paracloud", &["--array", "0-9%3"]);
    let mut child = environment
        .command(&[&["--timeout", "2s"][..], &command].concat())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(124));
    assert_eq!(count(&environment, "paracloud"), 3);
}

#[test]
fn a_refusal_ends_the_array_with_its_own_code_and_names_the_index() {
    let environment = TestEnvironment::with_sandbox();
    hold(&environment, "pai-dlc");
    let rule = serde_json::json!({"faults": ["pai-dlc:create:sold-out"]});
    environment.control("faults", &rule.to_string());
    let run = environment
        .run(&arguments("pai-dlc", &["--array", "0-5%2", "-o", "json"]))
        .expect(83);
    assert!(
        run.stderr
            .contains("6 of 6 jobs of the array were not submitted; index "),
        "{}",
        run.stderr
    );
    assert_eq!(count(&environment, "pai-dlc"), 0);
}

#[test]
fn a_dry_run_shows_the_create_of_the_first_job() {
    let environment = TestEnvironment::with_sandbox();
    let flags = ["--array", "2-5", "--dry-run=json"];
    let run = environment.run(&arguments("paracloud", &flags)).expect(0);
    let text = run.json().to_string();
    assert!(
        text.contains("GPUJOB_ARRAY_INDEX=2") || text.contains("GPUJOB_ARRAY_INDEX='2'"),
        "{text}"
    );
    assert!(text.contains("4 jobs from this side"), "{text}");
    assert_eq!(count(&environment, "paracloud"), 0);
}
