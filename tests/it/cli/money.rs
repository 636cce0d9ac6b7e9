//! Limits on money: kept before anything is created, by comparison or by the time limit that the money buys.

use rstest::rstest;
use serde_json::Value;

use crate::cli::JOB;
use crate::support::environment::{Run, TestEnvironment};

/// Without a time limit; the cheapest V100 of the sandbox's Gongji costs 0.9 CNY per hour.
fn unlimited() -> String {
    JOB.replace("timeout: 10m\n", "")
}

fn submit(environment: &TestEnvironment, provider: &str, flags: &[&str]) -> Run {
    let arguments = [
        ["submit", "job.yaml", "-p", provider, "-o", "json"].as_slice(),
        flags,
    ]
    .concat();
    environment.run(&arguments)
}

fn assert_nothing_was_created(environment: &TestEnvironment) {
    for (backend, jobs) in environment.jobs().as_object().unwrap() {
        assert_eq!(jobs.as_array().map(Vec::len), Some(0), "{backend}: {jobs}");
    }
}

#[rstest]
#[case::dearer(&["--max-price", "0.89CNY"], 83, "no_matching_resource", "max_price")]
#[case::in_all(&["--max-cost", "0.14 CNY"], 83, "no_matching_resource", "max_cost")]
#[case::currency(&["--max-price", "100 USD"], 81, "unsupported_value", "max_price")]
#[case::spec_key(&["--set", "max_price=0.5 CNY"], 83, "no_matching_resource", "max_price")]
fn what_costs_too_much_is_refused_before_the_create(
    #[case] flags: &[&str],
    #[case] exit: i32,
    #[case] code: &str,
    #[case] field: &str,
) {
    let environment = TestEnvironment::with_sandbox();
    environment.file("job.yaml", JOB);
    let run = submit(&environment, "gongji", flags).expect(exit);
    assert_eq!(run.stdout, "");
    let error = run.error()["error"].clone();
    assert_eq!(error["code"], code, "{error}");
    assert_eq!(error["refusals"][0]["field"], field);
    assert!(!error["refusals"][0]["alternative"].is_null(), "{error}");
    assert_nothing_was_created(&environment);
}

#[rstest]
fn a_price_that_nobody_tells_is_no_yes(
    #[values("paracloud", "cyclecloud", "pai-dlc")] provider: &str,
    #[values(["--max-price", "1000 CNY"], ["--max-cost", "1000 CNY"])] flags: [&str; 2],
) {
    let environment = TestEnvironment::with_sandbox();
    environment.file("job.yaml", JOB);
    let run = submit(&environment, provider, &flags).expect(81);
    let error = run.error()["error"].clone();
    assert_eq!(error["code"], "unsupported_value", "{error}");
    assert!(run.stderr.contains("is not known"), "{}", run.stderr);
    assert_nothing_was_created(&environment);
}

#[test]
fn an_amount_without_a_currency_is_a_wrong_flag() {
    let environment = TestEnvironment::with_sandbox();
    environment.file("job.yaml", JOB);
    let run = submit(&environment, "gongji", &["--max-price", "20"]).expect(80);
    assert!(run.stderr.contains("--max-price"), "{}", run.stderr);
}

#[test]
fn without_a_timeout_the_limit_sent_is_what_the_money_buys() {
    let environment = TestEnvironment::with_sandbox();
    environment.file("job.yaml", &unlimited());
    let arguments = ["explain", "job.yaml", "-p", "gongji", "--max-cost", "2CNY"];
    let run = environment
        .run(&[arguments.as_slice(), &["--dry-run=json"]].concat())
        .expect(0);
    let plan = run.json()["items"][0].clone();
    // 0.9 CNY an hour: 2 CNY pay for 8000 s, and whole minutes are sent.
    let sent = plan["requests"][0]["body"]["job_support"]["timeout_sec"].clone();
    assert_eq!(sent, 7980);
    assert_eq!(plan["price_per_hour"]["amount"], "0.9");
    assert_eq!(plan["estimated_cost"]["amount"], "1.995");
    let line = plan["fields"]
        .as_array()
        .unwrap()
        .iter()
        .find(|line| line["field"] == "timeout")
        .unwrap();
    assert!(
        line["how"].as_str().unwrap().contains("is what 2 CNY buys"),
        "{line}"
    );
    let run = submit(&environment, "gongji", &["--max-cost", "2CNY", "--wait"]).expect(0);
    let job = run.json();
    assert!(run.stderr.contains("what 2 CNY buys"), "{}", run.stderr);
    assert_eq!(limit_of(&job), 7980);
}

/// The time limit as the service repeats it.
fn limit_of(job: &Value) -> u64 {
    job["raw"]["job_support"]["timeout_sec"].as_u64().unwrap()
}

#[test]
fn a_timeout_of_the_users_own_stays() {
    let environment = TestEnvironment::with_sandbox();
    environment.file("job.yaml", JOB);
    let run = submit(&environment, "gongji", &["--max-cost", "2CNY", "--wait"]).expect(0);
    assert_eq!(limit_of(&run.json()), 600);
}

const DEARER: &str = r#"{"backend": "gongji", "settings": {"price_percent_after_create": 150}}"#;

#[test]
fn a_price_that_rose_while_the_job_was_created_is_told() {
    let environment = TestEnvironment::with_sandbox();
    environment.file("job.yaml", JOB);
    let job = submit(&environment, "gongji", &["--wait"]).expect(0).json();
    assert_eq!(job["price"]["planned"]["amount"], "0.9");
    assert_eq!(job["price"]["now"], job["price"]["planned"]);
    assert_eq!(job["price"]["dearer"], false);
    assert_eq!(job["price"]["source"], "provider");

    let environment = TestEnvironment::with_sandbox();
    environment.file("job.yaml", JOB);
    environment.control("configure", DEARER);
    let run = submit(&environment, "gongji", &["--wait"]).expect(0);
    let job = run.json();
    assert_eq!(job["price"]["now"]["amount"], "1.35");
    assert_eq!(job["price"]["dearer"], true);
    assert!(
        run.stderr
            .contains("costs 1.35 CNY per hour, more than the 0.9 CNY"),
        "{}",
        run.stderr
    );
}

#[test]
fn a_job_that_became_dearer_is_cancelled_if_so_wished() {
    let environment = TestEnvironment::with_sandbox();
    environment.file("job.yaml", JOB);
    environment.control("configure", DEARER);
    let flags = ["--cancel-if-dearer", "--", "sleep", "600"];
    let run = submit(&environment, "gongji", &flags).expect(91);
    let job = run.json();
    assert_eq!(job["price"]["dearer"], true);
    let error = run.error()["error"].clone();
    assert_eq!(error["code"], "dearer");
    assert_eq!(error["job"], job["ref"]);
    let job_ref = job["ref"].as_str().unwrap();
    environment.run(&["wait", job_ref]).expect(91);
}

#[test]
fn a_job_whose_price_nobody_tells_has_none() {
    let environment = TestEnvironment::with_sandbox();
    environment.file("job.yaml", JOB);
    let flags = ["--wait", "--cancel-if-dearer"];
    let job = submit(&environment, "pai-dlc", &flags).expect(0).json();
    assert_eq!(job["price"], Value::Null);
    assert_eq!(job["cost"], Value::Null);
}
