//! Submit, wait, look, cancel and storage, on every backend of the sandbox.

use rstest::rstest;

use crate::cli::JOB;
use crate::support::environment::TestEnvironment;

#[rstest]
#[case::paracloud("paracloud")]
#[case::cyclecloud("cyclecloud")]
#[case::gongji("gongji")]
#[case::pai_dlc("pai-dlc")]
fn one_job_file_runs_unchanged_on_every_backend(#[case] provider: &str) {
    let environment = TestEnvironment::with_sandbox();
    let job = environment.file("job.yaml", JOB);
    let run = environment.run(&["submit", &job, "-p", provider]).expect(0);
    let job_ref = run.stdout.trim();
    assert!(job_ref.starts_with(&format!("{provider}/")), "{job_ref}");

    environment.run(&["wait", job_ref]).expect(0);

    let run = environment
        .run(&["status", job_ref, "-o", "json"])
        .expect(0);
    let record = run.json();
    assert_eq!(record["schema"], "gpujob/job/v1");
    assert_eq!(record["state"], "succeeded");
    assert_eq!(record["terminal"], true);
    assert_eq!(record["name"], "my job");
    assert_eq!(record["ref"], job_ref);
    assert_eq!(record["exit_code"], 0);
    assert_eq!(record["gpu"]["model"], "V100");
    for key in [
        "id",
        "provider_id",
        "raw_state",
        "created_at",
        "finished_at",
        "nodes",
        "marker",
        "raw",
    ] {
        assert!(!record[key].is_null(), "{key} is null: {record}");
    }
}

#[rstest]
#[case::paracloud("paracloud")]
#[case::pai_dlc("pai-dlc")]
fn a_failed_job_ends_the_wait_with_90_since_the_api_hides_its_code(#[case] provider: &str) {
    let environment = TestEnvironment::with_sandbox();
    let job = environment.file("job.yaml", JOB);
    let run = environment
        .run(&[
            "submit", &job, "-p", provider, "--wait", "-o", "json", "--", "false",
        ])
        .expect(90);
    assert_eq!(run.json()["state"], "failed");
    assert_eq!(run.error()["error"]["kind"], "job-failed");
}

#[rstest]
#[case::paracloud("paracloud")]
#[case::cyclecloud("cyclecloud")]
#[case::gongji("gongji")]
#[case::pai_dlc("pai-dlc")]
fn a_cancelled_job_is_cancelled_and_a_second_cancel_is_a_success(#[case] provider: &str) {
    let environment = TestEnvironment::with_sandbox();
    let job = environment.file("job.yaml", JOB);
    let run = environment
        .run(&["submit", &job, "-p", provider, "-q", "--", "sleep", "600"])
        .expect(0);
    let job_ref = run.stdout.trim();
    environment.run(&["cancel", job_ref]).expect(0);
    environment.run(&["wait", job_ref]).expect(91);
    environment.run(&["cancel", job_ref]).expect(0);
    let run = environment
        .run(&["status", job_ref, "-o", "json"])
        .expect(0);
    assert_eq!(run.json()["state"], "cancelled");
}

#[test]
fn a_job_that_keeps_its_resources_has_its_result_and_is_stopped_by_a_cancel() {
    let environment = TestEnvironment::with_sandbox();
    let job = environment.file("job.yaml", JOB);
    let settings = "provider_options.pai-dlc.settings={JobReservedMinutes: 60}";
    let run = environment
        .run(&["submit", &job, "-p", "pai-dlc", "-q", "--set", settings])
        .expect(0);
    let job_ref = run.stdout.trim();
    let run = environment.run(&["wait", job_ref, "-o", "json"]).expect(0);
    assert_eq!(run.json()["raw_state"], "SucceededReserving");
    environment.run(&["cancel", job_ref]).expect(0);
    let run = environment
        .run(&["status", job_ref, "-o", "json"])
        .expect(0);
    assert_ne!(run.json()["raw_state"], "SucceededReserving");
}

#[test]
fn a_limit_counts_with_all_jobs_too() {
    let environment = TestEnvironment::with_sandbox();
    let job = environment.file("job.yaml", JOB);
    for _ in 0..2 {
        environment
            .run(&["submit", &job, "-p", "pai-dlc"])
            .expect(0);
    }
    let list = |arguments: &[&str]| {
        let mut all = vec!["status", "--all", "-p", "pai-dlc", "-o", "name"];
        all.extend(arguments);
        environment.run(&all).expect(0).stdout.lines().count()
    };
    assert_eq!(list(&[]), 2);
    assert_eq!(list(&["--limit", "1"]), 1);
}

#[test]
fn jobs_of_all_providers_stand_side_by_side() {
    let environment = TestEnvironment::with_sandbox();
    let job = environment.file("job.yaml", JOB);
    for provider in ["paracloud", "pai-dlc"] {
        environment
            .run(&["submit", &job, "-p", provider, "--wait"])
            .expect(0);
    }
    let run = environment.run(&["status", "-o", "json"]).expect(0);
    let document = run.json();
    assert_eq!(document["schema"], "gpujob/jobs/v1");
    let mut providers: Vec<&str> = document["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|job| job["provider"].as_str().unwrap())
        .collect();
    providers.sort_unstable();
    assert_eq!(providers, ["pai-dlc", "paracloud"]);
}

#[test]
fn waiting_for_several_jobs_ends_with_90_when_one_fails() {
    let environment = TestEnvironment::with_sandbox();
    let job = environment.file("job.yaml", JOB);
    let mut refs = String::new();
    for command in ["true", "false"] {
        refs += &environment
            .run(&["submit", &job, "-p", "paracloud", "-q", "--", command])
            .expect(0)
            .stdout;
    }
    let list = environment.file("refs.txt", &refs);
    let run = environment
        .run(&["wait", &format!("@{list}"), "-o", "json"])
        .expect(90);
    assert_eq!(run.json()["items"].as_array().unwrap().len(), 2);
    environment
        .run_with_input(&["wait", "@-"], &refs)
        .expect(90);
}

#[test]
fn a_job_is_found_by_name_and_by_prefix() {
    let environment = TestEnvironment::with_sandbox();
    let job = environment.file("job.yaml", JOB);
    let run = environment
        .run(&[
            "submit",
            &job,
            "-p",
            "pai-dlc",
            "-q",
            "--name",
            "found again",
        ])
        .expect(0);
    let job_ref = run.stdout.trim();
    let id = job_ref.rsplit('/').next().unwrap();
    for name in ["name:found again", id.get(..8).unwrap()] {
        let run = environment.run(&["status", name, "-q"]).expect(0);
        assert_eq!(run.stdout.trim(), job_ref, "{name}");
    }
    let run = environment
        .run(&["status", id, "-p", "pai-dlc", "-q"])
        .expect(0);
    assert_eq!(run.stdout.trim(), job_ref);
}

#[test]
fn a_spec_comes_from_standard_input_and_flags_win() {
    let environment = TestEnvironment::with_sandbox();
    let run = environment
        .run_with_input(
            &[
                "submit",
                "-",
                "-p",
                "pai-dlc",
                "--dry-run=json",
                "--env",
                "LR=1",
                "--",
                "echo",
                "it's",
            ],
            JOB,
        )
        .expect(0);
    let plan = &run.json()["items"][0];
    let body = &plan["requests"][0]["body"];
    assert_eq!(body["UserCommand"], r"echo 'it'\''s'");
    assert_eq!(body["Envs"]["LR"], "1");
    let run = environment.run(&["status", "-o", "json"]).expect(0);
    assert_eq!(
        run.json()["items"].as_array().unwrap().len(),
        0,
        "a dry run submits nothing"
    );
}

#[test]
fn volumes_are_created_listed_and_deleted() {
    let environment = TestEnvironment::with_sandbox();
    let created = environment
        .command(&[
            "volumes",
            "create",
            "-p",
            "paracloud",
            "--cluster",
            "NC-N30",
            "-o",
            "json",
        ])
        .output()
        .unwrap();
    let volume: serde_json::Value = serde_json::from_slice(&created.stdout).unwrap();
    assert_eq!(volume["schema"], "gpujob/volume/v1");
    for key in ["username", "password", "webdav_url", "sftp_address"] {
        assert!(volume["credentials"][key].is_string(), "{key}: {volume}");
    }
    let volume_ref = volume["ref"].as_str().unwrap();
    let run = environment
        .run(&["volumes", "list", "-o", "json"])
        .expect(0);
    assert_eq!(run.json()["items"][0]["ref"], volume_ref);
    let password = volume["credentials"]["password"].as_str().unwrap();
    assert!(!run.stdout.contains(password) && !run.stderr.contains(password));

    let refused = environment
        .run(&["volumes", "delete", volume_ref])
        .expect(80);
    assert!(refused.stderr.contains("--yes"), "{}", refused.stderr);
    environment
        .run(&["volumes", "delete", volume_ref, "--yes"])
        .expect(0);
    environment
        .run(&["volumes", "delete", volume_ref, "--yes"])
        .expect(82);
}

#[test]
fn a_volume_in_use_is_not_deleted_without_force() {
    let environment = TestEnvironment::with_sandbox();
    let run = environment
        .run(&[
            "volumes",
            "create",
            "-p",
            "paracloud",
            "--cluster",
            "NC-N30",
            "--no-transfer",
            "-q",
        ])
        .expect(0);
    let volume = run.stdout.trim();
    let mount = format!("{volume}:/data");
    let run = environment
        .run(&[
            "submit",
            "-p",
            "paracloud",
            "--image",
            "tool:1",
            "--gpu",
            "RTX3090",
            "--mount",
            &mount,
            "-q",
            "--",
            "sleep",
            "600",
        ])
        .expect(0);
    let run_ref = run.stdout.trim().to_owned();
    let refused = environment
        .run(&["volumes", "delete", volume, "--yes"])
        .expect(93);
    assert!(
        refused.stderr.contains(run_ref.rsplit('/').next().unwrap()),
        "{}",
        refused.stderr
    );
    environment.run(&["cancel", &run_ref]).expect(0);
    environment.run(&["wait", &run_ref]).expect(91);
    environment
        .run(&["volumes", "delete", volume, "--yes"])
        .expect(0);
}

#[test]
fn what_a_job_writes_to_a_volume_is_there_for_the_next() {
    let environment = TestEnvironment::with_sandbox();
    let run = environment
        .run(&[
            "volumes",
            "create",
            "-p",
            "paracloud",
            "--cluster",
            "NC-N30",
            "--no-transfer",
            "-q",
        ])
        .expect(0);
    let mount = format!("{}:/data", run.stdout.trim());
    let submit = |words: &[&str]| {
        let mut arguments = vec![
            "submit",
            "-p",
            "paracloud",
            "--image",
            "tool:1",
            "--gpu",
            "RTX3090",
            "--mount",
            &mount,
            "--wait",
            "--",
        ];
        arguments.extend(words);
        environment.run(&arguments)
    };
    submit(&["test", "-e", "/data/kept"]).expect(90);
    submit(&["touch", "/data/kept"]).expect(0);
    submit(&["test", "-e", "/data/kept"]).expect(0);
}

#[test]
fn namespaces_come_and_go() {
    let environment = TestEnvironment::with_sandbox();
    let run = environment
        .run(&["namespaces", "create", "-p", "paracloud", "-q"])
        .expect(0);
    let id = run.stdout.trim().to_owned();
    let run = environment
        .run(&["namespaces", "list", "-o", "json"])
        .expect(0);
    let listed = run.json();
    let ids: Vec<&str> = listed["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| item["id"].as_str().unwrap())
        .collect();
    assert!(ids.contains(&id.as_str()), "{ids:?}");
    environment
        .run(&["namespaces", "delete", &id, "-p", "paracloud", "--yes"])
        .expect(0);
    environment
        .run(&["namespaces", "create", "-p", "pai-dlc"])
        .expect(81);
}
