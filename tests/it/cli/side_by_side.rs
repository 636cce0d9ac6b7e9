//! Four providers in one table: the failure of one costs neither the others' rows nor more than its own time.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::time::{Duration, Instant};

use rstest::rstest;

use crate::cli::JOB;
use crate::support::closed::ClosedPort;
use crate::support::environment::TestEnvironment;

const PROVIDERS: [&str; 4] = ["paracloud", "cyclecloud", "gongji", "pai-dlc"];

fn base_url(provider: &str) -> String {
    format!(
        "GPUJOB_{}_BASE_URL",
        provider.to_uppercase().replace('-', "_")
    )
}

/// How the one provider fails.
#[derive(Debug, Clone, Copy)]
enum Fault {
    Down,
    Html,
    /// Takes the request and never answers.
    Silent,
}

impl Fault {
    /// The address, and what keeps a closed port closed.
    fn url(self) -> (String, Option<ClosedPort>) {
        if let Self::Down = self {
            let closed = ClosedPort::take();
            return (format!("http://{}", closed.address()), Some(closed));
        }
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        std::thread::spawn(move || {
            let mut open = Vec::new();
            for stream in listener.incoming().take(32) {
                let mut stream = stream.unwrap();
                let mut request = [0; 8 * 1024];
                if matches!(self, Self::Html) && stream.read(&mut request).is_ok() {
                    drop(stream.write_all(
                        b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 13\r\nConnection: close\r\n\r\n<html></html>",
                    ));
                }
                open.push(stream);
            }
        });
        (url, None)
    }
}

#[rstest]
fn the_rows_of_three_appear_although_the_fourth_fails(
    #[values("types", "status")] verb: &str,
    #[values("paracloud", "cyclecloud", "gongji", "pai-dlc")] broken: &str,
    #[values((Fault::Down, 86), (Fault::Html, 87), (Fault::Silent, 124))] fault: (Fault, i32),
) {
    let mut environment = TestEnvironment::with_sandbox();
    for provider in PROVIDERS {
        environment.file("job.yaml", JOB);
        environment
            .run(&["submit", "job.yaml", "-p", provider])
            .expect(0);
    }
    let (fault, code) = fault;
    let (url, _closed) = fault.url();
    environment.set(&base_url(broken), &url);
    let start = Instant::now();
    let run = environment
        .run(&[verb, "-o", "json", "--retries=0", "--timeout=2s"])
        .expect(code);
    assert!(start.elapsed() < Duration::from_secs(10));
    let document = run.json();
    for provider in PROVIDERS.into_iter().filter(|provider| *provider != broken) {
        let rows = document["items"].as_array().unwrap();
        assert!(
            rows.iter().any(|row| row["provider"] == provider),
            "no row of {provider}"
        );
    }
    assert_eq!(document["errors"].as_array().unwrap().len(), 1);
    assert_eq!(document["errors"][0]["provider"], broken);
    assert_eq!(run.error()["error"]["provider"], broken);
    environment
        .run(&[verb, "--best-effort", "--retries=0", "--timeout=2s"])
        .expect(0);
}

#[test]
fn every_provider_has_its_types_and_a_gpu_filters_them_all() {
    let environment = TestEnvironment::with_sandbox();
    let run = environment
        .run(&["types", "--gpu", "A100", "-o", "json"])
        .expect(0);
    let document = run.json();
    let rows = document["items"].as_array().unwrap();
    assert!(rows.iter().all(|row| row["gpu"]["model"] == "A100"));
    for provider in PROVIDERS {
        assert!(
            rows.iter().any(|row| row["provider"] == provider),
            "no A100 of {provider}"
        );
    }
    let gongji = rows.iter().find(|row| row["provider"] == "gongji").unwrap();
    assert!(gongji["price_per_hour"]["amount"].is_string());
    assert!(gongji["stock"].is_u64());
}

#[rstest]
fn the_jobs_own_code_is_mirrored_where_the_provider_tells_it(
    #[values("cyclecloud", "gongji")] provider: &str,
    #[values(3, 137)] code: i32,
) {
    let environment = TestEnvironment::with_sandbox();
    environment.file("job.yaml", JOB);
    let exit = format!("exit {code}");
    let run = environment
        .run(&[
            "submit", "job.yaml", "-p", provider, "--wait", "-o", "json", "--", "sh", "-c", &exit,
        ])
        .expect(code);
    assert_eq!(run.json()["exit_code"], code);
}

#[test]
fn an_ended_cyclecloud_job_stays_in_the_list_of_this_machine() {
    let environment = TestEnvironment::with_sandbox();
    environment.file("job.yaml", JOB);
    let run = environment
        .run(&["submit", "job.yaml", "-p", "cyclecloud", "--wait", "-q"])
        .expect(0);
    let job_ref = run.stdout.trim();
    let run = environment
        .run(&["status", "-p", "cyclecloud", "-o", "json"])
        .expect(0);
    let document = run.json();
    let row = &document["items"][0];
    assert_eq!(row["ref"], job_ref);
    assert_eq!(row["state"], "succeeded");
    assert_eq!(row["name"], "my job");
}

#[test]
fn a_wrong_password_is_sent_once_and_never_again_by_one_command() {
    let mut environment = TestEnvironment::with_sandbox();
    environment.set("GPUJOB_CYCLECLOUD_PASSWORD", "notThePassword");
    let run = environment
        .run(&["types", "-p", "cyclecloud", "--trace-http"])
        .expect(84);
    assert_eq!(
        run.stderr.matches("HTTP/1.1 (").count(),
        1,
        "{}",
        run.stderr
    );
    environment.file("job.yaml", JOB);
    let run = environment
        .run(&["submit", "job.yaml", "-p", "cyclecloud", "--trace-http"])
        .expect(84);
    assert_eq!(
        run.stderr.matches("HTTP/1.1 (").count(),
        1,
        "{}",
        run.stderr
    );
}

#[rstest]
#[case::unknown_cluster(&["--set", "placement.cluster=nosuch"], 82, "nosuch")]
#[case::unknown_nodearray(&["--set", "placement.queue=nosuch"], 82, "nosuch")]
#[case::invalid_bucket(&["--type", "gpu/Standard_ND40rs_v2", "--gpu", "V100:8"], 83, "ND40rs")]
fn what_cyclecloud_does_not_have_is_refused_before_a_node_starts(
    #[case] flags: &[&str],
    #[case] code: i32,
    #[case] names: &str,
) {
    let environment = TestEnvironment::with_sandbox();
    environment.file("job.yaml", JOB);
    let arguments = [&["submit", "job.yaml", "-p", "cyclecloud"], flags].concat();
    let run = environment.run(&arguments).expect(code);
    assert!(run.stderr.contains(names), "{}", run.stderr);
    assert_eq!(run.stdout, "");
}

#[test]
fn a_wrong_kind_of_key_is_named() {
    let mut environment = TestEnvironment::with_sandbox();
    environment.set(
        "GPUJOB_GONGJI_PRIVATE_KEY",
        include_str!("../../vectors/keys/rsa-public-pkcs1.pem"),
    );
    let run = environment.run(&["types", "-p", "gongji"]).expect(85);
    assert!(run.stderr.contains("public key"), "{}", run.stderr);
}

#[test]
fn the_runner_for_cyclecloud_is_printed_as_a_script_that_a_shell_can_read() {
    let environment = TestEnvironment::empty();
    let run = environment
        .run(&["explain", "--cyclecloud-runner"])
        .expect(0);
    assert!(run.stdout.starts_with("#!/bin/sh\n"));
    assert!(run.stdout.contains("jetpack"));
    let script = environment.file("install.sh", &run.stdout);
    let checked = std::process::Command::new("sh")
        .args(["-n", &script])
        .status()
        .unwrap();
    assert!(checked.success());
}

#[test]
fn an_offer_that_sold_out_between_look_and_create_is_a_matter_of_capacity() {
    let environment = TestEnvironment::with_sandbox();
    environment.file("job.yaml", JOB);
    environment.control(
        "configure",
        r#"{"backend": "gongji", "settings": {"sell_out_after_look": ["V100@hebeif-1"]}}"#,
    );
    let run = environment
        .run(&[
            "submit",
            "job.yaml",
            "-p",
            "gongji",
            "--type",
            "V100@hebeif-1",
        ])
        .expect(83);
    assert!(run.stderr.contains("V100@hebeif-1"), "{}", run.stderr);
    assert_eq!(run.stdout, "");
    let run = environment.run(&["status", "-p", "gongji", "-q"]).expect(0);
    assert_eq!(run.stdout, "");
}

#[test]
fn a_create_whose_answer_was_lost_is_adopted_and_not_sent_again() {
    let environment = TestEnvironment::with_sandbox();
    environment.file("job.yaml", JOB);
    environment.control(
        "configure",
        r#"{"backend": "cyclecloud", "settings": {"drop_creates": 1}}"#,
    );
    let run = environment
        .run(&["submit", "job.yaml", "-p", "cyclecloud", "-o", "json"])
        .expect(0);
    let job = run.json();
    assert_eq!(job["adopted"], true);
    let run = environment
        .run(&["status", "-p", "cyclecloud", "-q"])
        .expect(0);
    assert_eq!(run.stdout.trim(), job["ref"]);
}
