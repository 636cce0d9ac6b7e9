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
    let price: f64 = plan["price_per_hour"]["amount"]
        .as_str()
        .unwrap()
        .parse()
        .unwrap();
    let sent = plan["requests"][0]["body"]["job_support"]["timeout_sec"]
        .as_u64()
        .unwrap();
    // Whole minutes, as many as 2 CNY pay for.
    assert_eq!(sent % 60, 0);
    #[expect(clippy::cast_precision_loss, reason = "a few thousand seconds")]
    let cost = |seconds: u64| price * seconds as f64 / 3600.0;
    assert!(cost(sent) <= 2.0 && cost(sent + 60) > 2.0, "{plan}");
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
    let estimate: f64 = plan["estimated_cost"]["amount"]
        .as_str()
        .unwrap()
        .parse()
        .unwrap();
    assert!((estimate - cost(sent)).abs() < 0.000_002, "{plan}");

    let run = submit(&environment, "gongji", &["--max-cost", "2CNY", "--wait"]).expect(0);
    let job = run.json();
    assert!(run.stderr.contains("what 2 CNY buys"), "{}", run.stderr);
    assert_eq!(limit_of(&job), sent);
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
