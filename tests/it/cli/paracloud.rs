//! Paracloud by its contract: credentials that are shown once are never lost, a lost answer is told as what it is,
//! and records agree with each other.

use rstest::rstest;
use serde_json::json;

use crate::support::environment::TestEnvironment;
use crate::support::scripted::{Scripted, Step};

const PASSWORD: &str = "zl6p85962vb9s7k2chfptkqwfxkb6jrl";

/// A world whose only provider is a scripted Paracloud.
fn world(script: Vec<Step>) -> (TestEnvironment, Scripted) {
    let server = Scripted::start(script);
    let mut environment = TestEnvironment::empty();
    let config = environment.file(
        "config.toml",
        &format!(
            "[providers.paracloud]\nbase-url = \"{}\"\nnamespace = \"k8r2wq\"\n",
            server.url()
        ),
    );
    environment.set("GPUJOB_CONFIG", &config);
    environment.set("PARA_TOKEN", "NOTxREALxTOKEN-100000001");
    (environment, server)
}

fn ok(body: &serde_json::Value) -> Step {
    Step::answer(
        "200 OK",
        &[("content-type", "application/json")],
        &body.to_string(),
    )
}

fn reads_before_a_create() -> Vec<Step> {
    vec![
        ok(&json!({ "volumes": [] })),
        ok(&json!({ "namespaces": [{ "id": "k8r2wq" }] })),
        ok(&json!({ "volumes": [] })),
    ]
}

#[rstest]
#[case::json(&["-o", "json"])]
#[case::name(&["-o", "name"])]
#[case::quiet(&["-q"])]
#[case::jq(&["-o", "json", "--jq", ".id"])]
#[case::csv(&["-o", "csv"])]
fn credentials_that_cannot_be_kept_are_printed_in_every_format(#[case] format: &[&str]) {
    let mut script = reads_before_a_create();
    script.push(ok(&json!({
        "id": "x7m4tzb9", "clusterID": "NC-N30", "namespaceID": "k8r2wq",
        "service": { "username": "u", "password": PASSWORD, "address": { "webdav": "https://w.example" } },
    })));
    let (mut environment, server) = world(script);
    // A file where the credentials should be kept.
    std::fs::create_dir_all(environment.home().join("state/gpujob")).unwrap();
    environment.file("state/gpujob/volumes", "");
    let state = environment.home().join("state");
    environment.set("XDG_STATE_HOME", state.to_str().unwrap());
    let mut arguments = vec!["volumes", "create", "--cluster", "NC-N30"];
    arguments.extend(format);
    let run = environment.run(&arguments).expect(85);
    assert_eq!(run.stdout.matches(PASSWORD).count(), 1, "{}", run.stdout);
    assert!(!run.stderr.contains(PASSWORD), "{}", run.stderr);
    assert_eq!(server.finish().len(), 4);
}

#[test]
fn kept_credentials_are_not_shown_again_but_told_of() {
    let volume = json!({ "id": "x7m4tzb9", "clusterID": "NC-N30", "namespaceID": "k8r2wq" });
    let mut created = volume.clone();
    created["service"] = json!({ "username": "u", "password": PASSWORD });
    let mut script = reads_before_a_create();
    script.extend([ok(&created), ok(&json!({ "volumes": [volume] }))]);
    let (environment, server) = world(script);
    let run = environment
        .run(&["volumes", "create", "--cluster", "NC-N30", "-q"])
        .expect(0);
    assert_eq!(run.stdout, "paracloud/k8r2wq/NC-N30/x7m4tzb9\n");
    let run = environment
        .run(&["volumes", "list", "-o", "json"])
        .expect(0);
    assert_eq!(run.json()["items"][0]["transfer"], "webdav");
    assert!(!run.stdout.contains(PASSWORD));
    assert_eq!(server.finish().len(), 5);
}

#[rstest]
#[case::with_transfer(&[], 87)]
#[case::without(&["--no-transfer"], 0)]
fn a_volume_found_after_a_lost_answer_lacks_only_what_was_asked_for(
    #[case] flags: &[&str],
    #[case] code: i32,
) {
    let found = json!({ "volumes": [{ "id": "orphan22", "clusterID": "NC-N30" }] });
    let mut script = reads_before_a_create();
    script.push(Step::ResetAfterReading);
    script.extend([ok(&found), ok(&found), ok(&found)]);
    let (environment, server) = world(script);
    let mut arguments = vec!["volumes", "create", "--cluster", "NC-N30", "-o", "json"];
    arguments.extend(flags);
    let run = environment.run(&arguments).expect(code);
    assert_eq!(run.json()["ref"], "paracloud/k8r2wq/NC-N30/orphan22");
    let posts = server
        .finish()
        .into_iter()
        .filter(|request| request.starts_with("POST "))
        .count();
    assert_eq!(posts, 1);
}

#[test]
fn a_create_without_a_cluster_is_refused_before_any_request() {
    let (environment, server) = world(Vec::new());
    let run = environment
        .run(&["volumes", "create", "-o", "json"])
        .expect(81);
    assert_eq!(run.error()["error"]["code"], "missing_field");
    let run = environment
        .run(&["namespaces", "create", "--name", "n", "-o", "json"])
        .expect(81);
    assert_eq!(run.error()["error"]["code"], "unsupported_field");
    assert!(server.finish().is_empty());
}

#[test]
fn a_token_that_the_service_repeats_gets_nowhere() {
    let told = "{\"code\":401,\"message\":\"no user has NOTxREALxTOKEN-100000001\"}";
    let refused = Step::answer(
        "401 Unauthorized",
        &[("content-type", "application/json")],
        told,
    );
    let (mut environment, server) = world(vec![refused]);
    environment.set("PARA_TOKEN", " Bearer NOTxREALxTOKEN-100000001\n");
    let run = environment
        .run(&["namespaces", "list", "-vv", "--trace-http", "-o", "json"])
        .expect(84);
    assert!(run.stderr.contains("no user has"), "{}", run.stderr);
    assert!(!run.stderr.contains("NOTxREALxTOKEN"), "{}", run.stderr);
    assert_eq!(server.finish().len(), 1);
}

#[test]
fn a_submit_and_later_looks_tell_the_same_time_of_creation() {
    let container = |name: &str| json!({ "name": name, "image": "i", "command": ["true"] });
    let group = json!({
        "id": "p6vd2hcn", "clusterID": "NC-N30", "namespaceID": "k8r2wq", "instanceType": "n30.xlarge",
        "containers": [container("job-bcdfghjklmnpqr")], "status": { "state": "Pending" },
    });
    let types = json!({ "instanceTypes": [{ "id": "n30.xlarge", "clusterID": "NC-N30" }] });
    // The look reads the group and the catalogue at once: one answer serves both, whichever comes first.
    let mut both = group.clone();
    both["instanceTypes"] = types["instanceTypes"].clone();
    let (environment, server) = world(vec![
        ok(&json!({ "namespaces": [{ "id": "k8r2wq" }] })),
        ok(&types),
        ok(&group),
        ok(&both),
        ok(&both),
    ]);
    let submit = environment
        .run(&[
            "submit",
            "--image",
            "i",
            "--type",
            "n30.xlarge",
            "-o",
            "json",
            "--",
            "true",
        ])
        .expect(0)
        .json();
    let job_ref = submit["ref"].as_str().unwrap();
    let status = environment
        .run(&["status", job_ref, "-o", "json"])
        .expect(0)
        .json();
    assert!(submit["created_at"].is_string());
    for key in ["created_at", "approximate"] {
        assert_eq!(submit[key], status[key], "{key}");
    }
    assert_eq!(status["approximate"], json!(["created_at"]));
    drop(server.finish());
}
