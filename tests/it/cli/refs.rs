//! What may stand where a job is asked for, and what becomes of the others when one is unknown (cli.md §1, §10).

use crate::cli::JOB;
use crate::support::environment::TestEnvironment;

/// A world with one long job; its ref.
fn with_job() -> (TestEnvironment, String) {
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
    (environment, run.stdout.trim().to_owned())
}

#[test]
fn one_unknown_job_does_not_cost_the_sight_of_the_others() {
    let (environment, job_ref) = with_job();
    for unknown in [
        "nothere123",
        "name:nobody",
        "nowhere/1",
        "paracloud/k8r2wq/NC-N30/zzzzzzzz",
        "no good ref/",
    ] {
        let run = environment.run(&["status", unknown, &job_ref, "-o", "json"]);
        let document = run.json();
        assert_eq!(document["items"][0]["ref"], job_ref.as_str(), "{unknown}");
        assert_eq!(document["errors"].as_array().unwrap().len(), 1, "{unknown}");
        run.expect(if unknown.ends_with('/') { 80 } else { 82 });
    }
}

#[test]
fn one_unknown_job_does_not_spare_the_others_a_cancel() {
    let (environment, job_ref) = with_job();
    let run = environment
        .run(&["cancel", "nothere123", &job_ref])
        .expect(82);
    assert!(run.stderr.contains("nothere123"), "{}", run.stderr);
    environment.run(&["wait", &job_ref]).expect(91);
}

#[test]
fn a_job_named_twice_is_one_job() {
    let (environment, job_ref) = with_job();
    let run = environment.run(&["status", &job_ref, &job_ref, "-o", "json"]);
    assert_eq!(run.json()["schema"], "gpujob/job/v1");
    environment.run(&["cancel", &job_ref, &job_ref]).expect(0);
    // One job ends a wait with its own verdict, not with that of several.
    environment.run(&["wait", &job_ref, &job_ref]).expect(91);
}

#[test]
fn a_provider_named_twice_is_asked_once_and_in_the_order_of_the_configuration() {
    let (environment, job_ref) = with_job();
    let run = environment
        .run(&["status", "-q", "-p", "paracloud,paracloud"])
        .expect(0);
    assert_eq!(run.stdout.trim(), job_ref);
    let usual = environment.run(&["types", "-q"]).expect(0);
    let turned = environment
        .run(&["types", "-q", "-p", "pai-dlc,paracloud"])
        .expect(0);
    assert_eq!(turned.stdout, usual.stdout);
}

#[test]
fn an_ambiguous_name_lists_what_it_can_mean() {
    let (environment, first) = with_job();
    let run = environment
        .run(&["submit", "job.yaml", "-p", "pai-dlc", "-q"])
        .expect(0);
    let run_again = environment
        .run(&["status", "name:my job", "-o", "json"])
        .expect(80);
    let mut meant: Vec<String> = vec![first, run.stdout.trim().to_owned()];
    meant.sort();
    let error = run_again.error();
    assert_eq!(error["error"]["code"], "ambiguous_ref");
    assert_eq!(error["error"]["candidates"], serde_json::json!(meant));
}

#[test]
fn several_accounts_on_one_backend_are_told_apart_by_their_names() {
    let mut environment = TestEnvironment::with_sandbox();
    environment.file("job.yaml", JOB);
    let url = environment.sandbox_variable("GPUJOB_PARACLOUD_BASE_URL");
    let config = environment.file(
        "config.toml",
        &format!(
            "default-provider = \"second\"\n\
             [providers.first]\nbackend = \"paracloud\"\nbase-url = \"{url}\"\ntoken = {{ env = \"TOKEN_FOR_BOTH\" }}\n\
             [providers.second]\nbackend = \"paracloud\"\nbase-url = \"{url}\"\ntoken = {{ env = \"TOKEN_FOR_BOTH\" }}\n"
        ),
    );
    let token = environment.sandbox_variable("PARA_TOKEN");
    environment.set("GPUJOB_CONFIG", &config);
    environment.set("TOKEN_FOR_BOTH", &token);
    let run = environment.run(&["submit", "job.yaml"]).expect(0);
    let job_ref = run.stdout.trim();
    assert!(job_ref.starts_with("second/"), "{job_ref}");
    environment.run(&["wait", job_ref]).expect(0);
    let run = environment.run(&["status", "-q"]).expect(0);
    let mirrored = job_ref.replace("second/", "first/");
    assert!(
        run.stdout.contains(job_ref) && run.stdout.contains(&mirrored),
        "{}",
        run.stdout
    );
}
