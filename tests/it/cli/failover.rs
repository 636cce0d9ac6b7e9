//! `-p A,B,C` and `-p any`: only a definite refusal moves on, what is unclear stops, and every candidate has a receipt.

use rstest::rstest;
use serde_json::{Value, json};

use crate::cli::JOB;
use crate::support::environment::{Run, TestEnvironment};

fn world() -> TestEnvironment {
    let environment = TestEnvironment::with_sandbox();
    environment.file("job.yaml", JOB);
    environment
}

fn submit(environment: &TestEnvironment, providers: &str, flags: &[&str]) -> Run {
    let arguments = [
        ["submit", "job.yaml", "-p", providers, "-o", "json"].as_slice(),
        flags,
    ]
    .concat();
    environment.run(&arguments)
}

fn faults(environment: &TestEnvironment, rules: &[&str]) {
    environment.control("faults", &json!({ "faults": rules }).to_string());
}

/// How many jobs there really are, by backend; those without any are left out.
fn counts(environment: &TestEnvironment) -> Value {
    let jobs = environment.jobs();
    let counts = jobs
        .as_object()
        .unwrap()
        .iter()
        .filter_map(|(backend, jobs)| {
            let count = jobs.as_array().unwrap().len();
            (count > 0).then(|| (backend.clone(), json!(count)))
        });
    Value::Object(counts.collect())
}

/// The receipts as `[provider, tried, chosen, code]`.
fn fates(receipts: &Value) -> Vec<Value> {
    let receipts = receipts.as_array().unwrap();
    receipts
        .iter()
        .map(|receipt| {
            json!([
                receipt["provider"],
                receipt["tried"],
                receipt["chosen"],
                receipt["code"]
            ])
        })
        .collect()
}

#[test]
fn what_is_sold_out_moves_on_to_the_next() {
    let environment = world();
    environment.control(
        "configure",
        r#"{"backend": "gongji", "settings": {"no_stock": true}}"#,
    );
    let run = submit(&environment, "gongji,pai-dlc,paracloud", &[]).expect(0);
    let job = run.json();
    assert_eq!(job["provider"], "pai-dlc");
    assert_eq!(
        fates(&job["receipts"]),
        [
            json!(["gongji", false, false, "capacity"]),
            json!(["pai-dlc", true, true, null]),
            json!(["paracloud", false, false, null]),
        ]
    );
    assert!(
        run.stderr
            .contains("paracloud: not tried: `pai-dlc` took the job"),
        "{}",
        run.stderr
    );
    assert!(run.stderr.contains("gongji: not tried: "), "{}", run.stderr);
    assert!(job["receipts"][1]["age_s"].is_u64(), "{job}");
    assert_eq!(counts(&environment), json!({"pai-dlc": 1}));
}

#[rstest]
#[case::refused_at_the_create(&["gongji:create:sold-out"], &[], "rejected")]
#[case::field(&[], &["--workdir", "/w", "--no-emulation"], "emulation_disabled")]
#[case::too_dear(&[], &["--max-price", "0.5 CNY"], "no_matching_resource")]
fn a_definite_refusal_moves_on(#[case] rules: &[&str], #[case] flags: &[&str], #[case] code: &str) {
    let environment = world();
    faults(&environment, rules);
    let run = submit(&environment, "gongji,pai-dlc", flags);
    let receipts = match run.code {
        0 => run.json()["receipts"].clone(),
        _ => run.error()["error"]["receipts"].clone(),
    };
    assert_eq!(receipts[0]["chosen"], false, "{receipts}");
    assert_eq!(receipts[1]["provider"], "pai-dlc");
    // Asked too, and not left out.
    assert!(
        receipts[1]["chosen"] == true || !receipts[1]["code"].is_null(),
        "{receipts}"
    );
    if run.code == 0 {
        assert_eq!(receipts[0]["code"], code, "{receipts}");
        assert_eq!(receipts[0]["tried"], true);
        assert!(
            receipts[0]["price_per_hour"]["amount"].is_string(),
            "{receipts}"
        );
        assert_eq!(counts(&environment), json!({"pai-dlc": 1}));
    } else {
        assert_eq!(counts(&environment), json!({}));
    }
}

#[test]
fn refused_credentials_move_on_to_the_next() {
    let mut environment = world();
    environment.set("GPUJOB_PAI_DLC_ACCESS_KEY_SECRET", "notTheSecretOfThisKey");
    let run = submit(&environment, "pai-dlc,paracloud", &["--wait"]).expect(0);
    // The record at the end of the wait has the receipts too.
    let job = run.json();
    assert_eq!(job["state"], "succeeded");
    assert_eq!(job["provider"], "paracloud");
    assert_eq!(job["receipts"][0]["tried"], false);
    assert!(!job["receipts"][0]["reason"].is_null(), "{job}");
}

#[rstest]
#[case(&["pai-dlc:create:reset-after", "pai-dlc:*:lag:for=600"])]
#[case(&["pai-dlc:create:503-after", "pai-dlc:*:lag:for=600"])]
fn an_unclear_create_stops_and_nothing_else_is_submitted(#[case] rules: &[&str]) {
    let environment = world();
    faults(&environment, rules);
    let run = submit(&environment, "pai-dlc,paracloud,gongji", &[]).expect(88);
    let error = run.error()["error"].clone();
    assert_eq!(
        fates(&error["receipts"]),
        [
            json!(["pai-dlc", true, false, "outcome_unknown"]),
            json!(["paracloud", false, false, null]),
            json!(["gongji", false, false, null]),
        ]
    );
    assert!(
        run.stderr.contains("paracloud: not tried: it is not known"),
        "{}",
        run.stderr
    );
    assert!(!error["marker"].is_null(), "{error}");
    // It did take, and is the only one.
    assert_eq!(counts(&environment), json!({"pai-dlc": 1}));
}

#[test]
fn an_unclear_create_that_is_found_takes_the_job() {
    let environment = world();
    faults(&environment, &["pai-dlc:create:reset-after:times=1"]);
    let job = submit(&environment, "pai-dlc,paracloud", &[])
        .expect(0)
        .json();
    assert_eq!(job["provider"], "pai-dlc");
    assert_eq!(job["adopted"], true);
    assert_eq!(counts(&environment), json!({"pai-dlc": 1}));
}

#[test]
fn who_cannot_be_asked_has_not_refused() {
    let environment = world();
    faults(&environment, &["gongji:types:503"]);
    let flags = ["--retries", "0"];
    let run = submit(&environment, "gongji,paracloud", &flags).expect(86);
    let receipts = run.error()["error"]["receipts"].clone();
    assert_eq!(receipts[0]["tried"], false);
    assert_eq!(receipts[1]["code"], Value::Null);
    assert_eq!(counts(&environment), json!({}));
    // Unless the user says that this is good enough.
    let flags = ["--retries", "0", "--best-effort"];
    let job = submit(&environment, "gongji,paracloud", &flags)
        .expect(0)
        .json();
    assert_eq!(job["provider"], "paracloud");
    assert_eq!(counts(&environment), json!({"paracloud": 1}));
}

#[test]
fn when_all_refuse_the_error_has_every_receipt() {
    let mut environment = world();
    environment.set("GPUJOB_PAI_DLC_ACCESS_KEY_SECRET", "notTheSecretOfThisKey");
    environment.control(
        "configure",
        r#"{"backend": "gongji", "settings": {"no_stock": true}}"#,
    );
    let run = submit(&environment, "pai-dlc,gongji", &[]);
    let error = run.error()["error"].clone();
    // The first of the configuration decides, whatever the order of the candidates.
    assert_eq!(run.code, 83, "{}", run.stderr);
    assert_eq!(error["kind"], "capacity");
    assert_eq!(error["code"], "several");
    assert_eq!(error["retryable"], true);
    let receipts = error["receipts"].as_array().unwrap();
    assert_eq!(receipts.len(), 2);
    assert!(
        receipts.iter().all(|receipt| !receipt["code"].is_null()),
        "{error}"
    );
    assert!(
        error["hint"]
            .as_str()
            .unwrap()
            .contains("--wait-for-capacity"),
        "{error}"
    );
    assert_eq!(counts(&environment), json!({}));
}

#[test]
fn any_takes_the_one_whose_price_is_known_and_asks_all() {
    let environment = world();
    let run = submit(&environment, "any", &[]).expect(0);
    let job = run.json();
    assert_eq!(job["provider"], "gongji");
    let receipts = job["receipts"].as_array().unwrap();
    assert_eq!(receipts.len(), 4, "{job}");
    for receipt in receipts {
        let is_chosen = receipt["provider"] == "gongji";
        assert_eq!(receipt["chosen"], is_chosen);
        assert!(receipt["age_s"].is_u64(), "{receipt}");
    }
    // And without it, the next.
    environment.control(
        "configure",
        r#"{"backend": "gongji", "settings": {"no_stock": true}}"#,
    );
    let job = submit(&environment, "any", &[]).expect(0).json();
    assert_ne!(job["provider"], "gongji");
}

#[test]
fn capacity_is_waited_for() {
    let environment = world();
    faults(&environment, &["pai-dlc:create:sold-out:times=2"]);
    let flags = ["--wait-for-capacity", "10m"];
    let job = submit(&environment, "pai-dlc", &flags).expect(0).json();
    assert_eq!(job["receipts"][0]["chosen"], true);
    assert_eq!(counts(&environment), json!({"pai-dlc": 1}));
}

#[test]
fn waiting_for_capacity_ends_with_83() {
    let environment = world();
    environment.control(
        "configure",
        r#"{"backend": "gongji", "settings": {"no_stock": true}}"#,
    );
    let flags = [
        "--workdir",
        "/w",
        "--no-emulation",
        "--wait-for-capacity",
        "200ms",
    ];
    let run = submit(&environment, "paracloud,gongji", &flags);
    // What can never be is not waited for, and who has nothing free is asked again.
    assert!(matches!(run.code, 81 | 83), "{} {}", run.code, run.stderr);
    let run = submit(&environment, "gongji", &["--wait-for-capacity", "200ms"]).expect(83);
    assert_eq!(run.error()["error"]["kind"], "capacity");
    assert_eq!(counts(&environment), json!({}));
}

#[test]
fn a_key_is_searched_on_every_candidate_first() {
    let environment = world();
    let flags = ["--key", "nightly-7"];
    let first = submit(&environment, "gongji,paracloud", &flags)
        .expect(0)
        .json();
    let second = submit(&environment, "paracloud,gongji", &flags)
        .expect(0)
        .json();
    assert_eq!(second["ref"], first["ref"]);
    assert_eq!(second["adopted"], true);
    assert_eq!(counts(&environment), json!({"gongji": 1}));
}

#[test]
fn any_stands_alone() {
    let environment = world();
    let run = submit(&environment, "any,gongji", &[]).expect(80);
    assert_eq!(run.error()["error"]["code"], "several_providers");
}

#[test]
fn a_dry_run_shows_what_each_candidate_would_receive() {
    let environment = world();
    let run = submit(&environment, "paracloud,gongji", &["--dry-run=json"]).expect(0);
    let plans = run.json()["items"].clone();
    assert_eq!(plans[0]["provider"], "paracloud");
    assert_eq!(plans[1]["provider"], "gongji");
    assert_eq!(counts(&environment), json!({}));
}
