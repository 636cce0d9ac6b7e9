//! What is on record, what was left in doubt, and how that is settled (cli.md §2, §7, §10).

use rstest::rstest;

use crate::cli::JOB;
use crate::support::environment::{Run, TestEnvironment};

fn world() -> TestEnvironment {
    let environment = TestEnvironment::with_sandbox();
    environment.file("job.yaml", JOB);
    for backend in ["paracloud", "cyclecloud", "gongji", "pai-dlc"] {
        let rule = serde_json::json!({"backend": backend, "state": "pending"});
        environment.control("hold", &rule.to_string());
    }
    environment
}

fn faults(environment: &TestEnvironment, rules: &[&str]) {
    let rules = serde_json::json!({ "faults": rules });
    environment.control("faults", &rules.to_string());
}

fn submit(environment: &TestEnvironment, provider: &str, flags: &[&str]) -> Run {
    let arguments = ["submit", "job.yaml", "-p", provider, "--retries", "0"];
    environment.run(&[&arguments, flags].concat())
}

/// A submit in doubt whose job exists; what every look said was an error.
fn lost(environment: &TestEnvironment, provider: &str) -> String {
    faults(environment, &["*:create:reset-after", "*:list:503"]);
    let run = submit(environment, provider, &["-o", "json"]).expect(88);
    faults(environment, &[]);
    run.error()["error"]["marker"].as_str().unwrap().to_owned()
}

fn count(environment: &TestEnvironment, provider: &str) -> usize {
    environment.jobs()[provider].as_array().unwrap().len()
}

#[rstest]
fn a_doubt_is_told_until_settle_finds_the_job(
    #[values("paracloud", "gongji", "pai-dlc")] provider: &str,
) {
    let environment = world();
    let marker = lost(&environment, provider);
    for command in [&["status"][..], &["submit", "job.yaml", "-p", provider]] {
        let told = environment.run(command).expect(0).stderr;
        assert!(told.contains("1 earlier create is in doubt"), "{told}");
    }
    let orphans = environment
        .run(&["status", "--orphans", "-o", "json"])
        .expect(90);
    assert_eq!(orphans.json()["errors"][0]["marker"], marker.as_str());
    let named = format!("marker:{marker}");
    let settled = environment.run(&["settle", &named, "-o", "json"]).expect(0);
    let found = &settled.json()["items"][0];
    assert_eq!(found["marker"], marker.as_str());
    assert_eq!(found["name"], "my job");
    assert_eq!(count(&environment, provider), 2);
    environment.run(&["status", "--orphans"]).expect(0);
    let again = environment.run(&["settle", &named, "-o", "json"]).expect(0);
    assert_eq!(again.json()["items"][0]["ref"], found["ref"]);
    let run = environment
        .run(&["settle", "--all", "-o", "json"])
        .expect(0);
    assert_eq!(run.json()["items"], serde_json::json!([]));
}

#[rstest]
fn what_never_was_stays_in_doubt_until_the_user_gives_up(
    #[values("paracloud", "gongji", "pai-dlc")] provider: &str,
) {
    let environment = world();
    faults(&environment, &["*:create:reset"]);
    submit(&environment, provider, &["--key", "k"]).expect(88);
    faults(&environment, &[]);
    environment.run(&["settle", "key:k"]).expect(88);
    environment.run(&["settle", "--all"]).expect(88);
    environment.run(&["settle", "--all", "--give-up"]).expect(0);
    environment.run(&["settle", "--all"]).expect(0);
    submit(&environment, provider, &["--key", "k"]).expect(0);
    assert_eq!(count(&environment, provider), 1);
}

#[test]
fn a_create_that_cyclecloud_does_not_know_is_sent_once_more_with_its_id() {
    let environment = world();
    faults(&environment, &["*:create:reset:times=1"]);
    let run = submit(&environment, "cyclecloud", &[]).expect(0);
    assert!(run.stderr.contains("once more"), "{}", run.stderr);
    assert_eq!(count(&environment, "cyclecloud"), 1);
    faults(&environment, &["*:create:reset"]);
    submit(&environment, "cyclecloud", &[]).expect(88);
    assert_eq!(count(&environment, "cyclecloud"), 1);
}

#[test]
fn jobs_of_another_machine_are_orphans_here() {
    let mut environment = world();
    let run = submit(&environment, "gongji", &[]).expect(0);
    environment.run(&["status", "--orphans"]).expect(0);
    let state = environment.home().join("elsewhere");
    environment.set("XDG_STATE_HOME", state.to_str().unwrap());
    let orphans = environment.run(&["status", "--orphans", "-q"]).expect(90);
    assert_eq!(orphans.stdout, run.stdout);
    environment.run(&["cancel", run.stdout.trim()]).expect(0);
    environment.run(&["wait", run.stdout.trim()]).expect(91);
    environment.run(&["status", "--orphans"]).expect(0);
}

#[test]
fn the_record_of_a_submit_is_listed_shown_and_pruned() {
    let environment = world();
    let run = submit(&environment, "pai-dlc", &["--key", "k"]).expect(0);
    let job_ref = run.stdout.trim();
    let list = environment
        .run(&["journal", "list", "-o", "json"])
        .expect(0)
        .json();
    assert_eq!(list["schema"], "gpujob/journal/v1");
    let entry = &list["items"][0];
    assert_eq!(entry["ref"], job_ref);
    assert_eq!(entry["phase"], "submitted");
    assert_eq!(entry["key"], "k");
    assert_eq!(entry["sends"], 1);
    let marker = format!("marker:{}", entry["marker"].as_str().unwrap());
    for name in [job_ref, "key:k", "name:my job", &marker] {
        let shown = environment
            .run(&["journal", "show", name, "-o", "json"])
            .expect(0);
        assert_eq!(shown.json()["items"], list["items"], "{name}");
    }
    let shown = environment
        .run(&["journal", "show", "key:k"])
        .expect(0)
        .stdout;
    assert!(
        shown.contains(job_ref) && shown.contains("spec hash"),
        "{shown}"
    );
    environment
        .run(&["journal", "show", "key:other"])
        .expect(82);
    environment
        .run(&["journal", "show", "marker:other"])
        .expect(80);
    environment.run(&["journal", "prune"]).expect(0);
    assert_eq!(
        environment.run(&["journal", "list", "-q"]).expect(0).stdout,
        run.stdout
    );
    let path = environment.run(&["journal", "path"]).expect(0).stdout;
    assert!(std::path::Path::new(path.trim()).is_file(), "{path}");
}

#[test]
fn without_a_journal_nothing_is_written_down_and_a_key_still_finds_its_job() {
    let environment = world();
    let flags = ["--no-journal", "--key", "k"];
    let first = submit(&environment, "gongji", &flags).expect(0);
    let second = submit(&environment, "gongji", &flags).expect(0);
    assert_eq!(first.stdout, second.stdout);
    assert_eq!(count(&environment, "gongji"), 1);
    let path = environment.run(&["journal", "path"]).expect(0).stdout;
    assert!(!std::path::Path::new(path.trim()).exists(), "{path}");
}

#[test]
fn an_unwritable_journal_refuses_before_anything_is_sent() {
    let mut environment = world();
    let file = environment.file("no-folder", "");
    environment.set("XDG_STATE_HOME", &file);
    submit(&environment, "gongji", &[]).expect(85);
    submit(&environment, "gongji", &["--key", "k"]).expect(85);
    environment
        .run(&["namespaces", "create", "-p", "paracloud"])
        .expect(85);
    assert_eq!(count(&environment, "gongji"), 0);
    submit(&environment, "gongji", &["--no-journal"]).expect(0);
}

#[test]
fn creates_of_volumes_and_namespaces_are_on_record_too() {
    let environment = world();
    let created = environment.run(&["namespaces", "create", "-p", "paracloud", "-q"]);
    let id = created.expect(0).stdout;
    let list = environment
        .run(&["journal", "list", "-o", "json"])
        .expect(0)
        .json();
    assert_eq!(list["items"][0]["subject"], "namespace");
    assert_eq!(list["items"][0]["phase"], "submitted");
    assert_eq!(list["items"][0]["ref"], format!("paracloud/{}", id.trim()));
    // A record of a namespace is no job.
    let jobs = environment.run(&["status", "-q"]).expect(0).stdout;
    assert_eq!(jobs, "");
}
