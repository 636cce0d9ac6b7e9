//! `submit`: what is wrong with the command is told before anything is created.

use rstest::rstest;

use crate::cli::JOB;
use crate::support::environment::TestEnvironment;

#[rstest]
#[case::poll_failures(&["--wait", "--poll-failures", "ten"], 80, "--poll-failures")]
#[case::poll(&["--wait", "--poll", "often"], 80, "--poll")]
#[case::id_file(&["--id-file", "no/such/folder/id"], 80, "--id-file")]
fn nothing_is_created_by_a_command_that_cannot_be_followed(
    #[case] flags: &[&str],
    #[case] code: i32,
    #[case] names: &str,
    #[values("paracloud", "pai-dlc")] provider: &str,
) {
    let environment = TestEnvironment::with_sandbox();
    environment.file("job.yaml", JOB);
    let arguments = [&["submit", "job.yaml", "-p", provider], flags].concat();
    let run = environment.run(&arguments).expect(code);
    assert_eq!(run.stdout, "");
    assert!(run.stderr.contains(names), "{}", run.stderr);
    let run = environment.run(&["status", "-q"]).expect(0);
    assert_eq!(run.stdout, "");
}

#[test]
fn the_id_file_holds_the_ref_alone() {
    let environment = TestEnvironment::with_sandbox();
    environment.file("job.yaml", JOB);
    let id = environment.file(
        "id",
        "something much longer than any ref could ever be, and then some more of it\n",
    );
    let run = environment
        .run(&["submit", "job.yaml", "-p", "pai-dlc", "--id-file", &id])
        .expect(0);
    assert_eq!(std::fs::read_to_string(&id).unwrap(), run.stdout);
}

#[test]
fn a_ref_is_printed_even_if_its_file_cannot_be_written() {
    let environment = TestEnvironment::with_sandbox();
    environment.file("job.yaml", JOB);
    let run = environment
        .run(&[
            "submit",
            "job.yaml",
            "-p",
            "pai-dlc",
            "--id-file",
            "/dev/full",
        ])
        .expect(80);
    assert!(run.stdout.starts_with("pai-dlc/"), "{}", run.stdout);
    assert!(
        run.stderr.contains("submitted all the same"),
        "{}",
        run.stderr
    );
}

#[test]
fn an_empty_variable_counts_as_unset() {
    let mut environment = TestEnvironment::with_sandbox();
    environment.file("job.yaml", JOB);
    environment.set("GPUJOB_POLL", "");
    environment
        .run(&["submit", "job.yaml", "-p", "pai-dlc"])
        .expect(0);
}

#[rstest]
fn a_job_that_waits_too_long_for_resources_ends_the_wait_and_goes_on(
    #[values("paracloud", "pai-dlc")] provider: &str,
) {
    let environment = TestEnvironment::with_sandbox();
    environment.file("job.yaml", JOB);
    // At this speed nothing ever starts.
    environment.control("speed", r#"{"speed": 0.001}"#);
    let run = environment
        .run(&[
            "submit",
            "job.yaml",
            "-p",
            provider,
            "--wait",
            "--start-timeout",
            "1s",
            "-o",
            "json",
        ])
        .expect(124);
    assert_eq!(run.error()["error"]["code"], "start_timeout");
    let job = run.error()["error"]["job"].as_str().unwrap().to_owned();
    environment
        .run(&["wait", &job, "--start-timeout", "300ms"])
        .expect(124);
    environment.run(&["cancel", &job]).expect(0);
}
