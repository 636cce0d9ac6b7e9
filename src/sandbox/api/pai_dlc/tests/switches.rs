use serde_json::json;

use super::bench::{Bench, job};
use crate::sandbox::service::Service;

#[test]
fn jobs_stay_where_they_are_held_until_they_are_let_go() {
    let bench = Bench::new();
    bench.configure(&json!({ "hold": "pending", "advance": "at-once" }));
    let id = bench.create(&job("true"));
    bench.pass(100);
    assert_eq!(bench.status(&id), "Queuing");
    bench.configure(&json!({ "hold": "EnvPreparing" }));
    bench.pass(1);
    assert_eq!(bench.status(&id), "EnvPreparing");
}

#[tokio::test]
async fn a_job_held_in_running_stays_there_after_its_command_ended() {
    let bench = Bench::new();
    bench.configure(&json!({ "hold": "running" }));
    let held = bench.run(&job("true")).await;
    assert_eq!(held["Status"], "Running");
    bench.configure(&json!({ "hold": null }));
    let id = held["JobId"].as_str().unwrap();
    assert_eq!(bench.status(id), "Succeeded");
}

#[test]
fn a_job_moves_after_so_many_reads() {
    let bench = Bench::new();
    bench.configure(&json!({ "advance": { "reads": 2 }, "hold": "starting" }));
    let id = bench.create(&job("true"));
    bench.pass(100);
    let seen: Vec<String> = (0..5).map(|_| bench.status(&id)).collect();
    assert_eq!(
        seen,
        ["Creating", "Creating", "Queuing", "Queuing", "EnvPreparing"]
    );
}

#[test]
fn delays_follow_the_speed() {
    let bench = Bench::new();
    bench.configure(&json!({ "delays": { "Creating": 60 } }));
    let id = bench.create(&job("true"));
    bench.pass(1);
    assert_eq!(bench.status(&id), "Creating");
    bench.clock.set_speed(60.0).unwrap();
    assert_eq!(bench.status(&id), "Queuing");
}

#[test]
fn any_word_can_be_shown_as_status() {
    let bench = Bench::new();
    let id = bench.create(&job("true"));
    let other = bench.create(&job("true"));
    bench.configure(&json!({ "show_status": { id.as_str(): "Hibernating" } }));
    assert_eq!(bench.status(&id), "Hibernating");
    assert_eq!(bench.status(&other), "Creating");
    let list = bench.get("/api/v1/jobs?Status=Hibernating").body;
    assert_eq!(list["Jobs"][0]["Status"], "Hibernating");
    assert_eq!(list["TotalCount"], 1);
    bench.configure(&json!({ "show_status": { "*": "Restarting" } }));
    assert_eq!(bench.status(&other), "Restarting");
    bench.configure(&json!({ "show_status": null }));
    assert_eq!(bench.status(&id), "Creating");
}

#[test]
fn throttling_comes_with_and_without_a_wish() {
    let bench = Bench::new();
    bench.configure(&json!({ "throttle": { "times": 1, "retry_after": 2000 } }));
    let answer = bench.get("/api/v1/jobs");
    assert_eq!(answer.refusal(), (429, "Throttling.User"));
    assert_eq!(
        answer.text("Message"),
        "Request was denied due to user flow control."
    );
    assert_eq!(answer.headers["x-acs-retry-after"], "2000");
    assert!(answer.body.get("HostId").is_some());
    assert_eq!(bench.get("/api/v1/jobs").status, 200);

    bench.configure(&json!({ "throttle": { "status": 400, "code": "Throttling", "action": "GetDefaultWorkspace" } }));
    let answer = bench.get("/api/v1/defaultWorkspaces");
    assert_eq!(answer.refusal(), (400, "Throttling"));
    assert!(!answer.headers.contains_key("x-acs-retry-after"));
    assert_eq!(bench.get("/api/v1/jobs").status, 200);
    bench.configure(&json!({ "throttle": null }));
    assert_eq!(bench.get("/api/v1/defaultWorkspaces").status, 200);
}

#[test]
fn a_wrong_signature_is_refused_before_throttling() {
    let bench = Bench::new();
    bench.configure(&json!({ "throttle": {} }));
    let mut signer = bench.own();
    signer.secret.push('x');
    let answer = bench.send(&bench.request(&signer, "GET", "/api/v1/jobs", ""));
    assert_eq!(answer.refusal(), (400, "SignatureDoesNotMatch"));
}

#[test]
fn a_denied_operation_says_who_may_not_do_what() {
    let bench = Bench::new();
    bench.configure(&json!({ "deny": ["StopJob"] }));
    let answer = bench.call("POST", "/api/v1/jobs/dlcx/stop", None);
    assert_eq!(answer.refusal(), (403, "Forbidden.RAM"));
    assert_eq!(
        answer.body["AccessDeniedDetail"]["AuthAction"],
        "paidlc:StopJob"
    );
    assert_eq!(bench.get("/api/v1/jobs").status, 200);
}

#[test]
fn without_stock_a_create_is_refused_unless_it_is_willing_to_wait() {
    let bench = Bench::new();
    bench.configure(&json!({ "no_stock": true, "advance": "at-once", "hold": "EnvPreparing" }));
    let mut body = job("true");
    let answer = bench.call("POST", "/api/v1/jobs", Some(&body));
    assert_eq!(answer.refusal(), (400, "ResourceAllocateFailed"));
    let specs = bench.get("/api/v1/ecsspecs?PageSize=100").body;
    for spec in specs["EcsSpecs"].as_array().unwrap() {
        assert_eq!(spec["IsAvailable"], false);
    }
    body["Settings"] = json!({ "DisableEcsStockCheck": true });
    let id = bench.create(&body);
    bench.pass(1);
    assert_eq!(bench.status(&id), "Queuing");
}

#[tokio::test]
async fn the_first_worker_can_stay_a_worker_and_the_master_can_be_this_machine() {
    let bench = Bench::new();
    bench.configure(&json!({ "first_worker_is_master": false, "master_on_loopback": true }));
    let done = bench.run(&job("echo $MASTER_ADDR")).await;
    let id = done["JobId"].as_str().unwrap();
    let pod = format!("{id}-worker-0");
    assert_eq!(done["Pods"][0]["PodId"], pod);
    assert_eq!(bench.lines(id, &pod), ["127.0.0.1"]);
}

#[test]
fn a_wrong_setting_changes_nothing_and_is_named() {
    let bench = Bench::new();
    for (settings, named) in [
        (json!([]), "object"),
        (json!({ "status_detail": true, "hold": "asleep" }), "hold"),
        (json!({ "holds": null }), "holds"),
        (json!({ "advance": "slowly" }), "advance"),
        (json!({ "delays": { "Sleeping": 1 } }), "Sleeping"),
        (json!({ "delays": { "Creating": -1 } }), "delays"),
        (json!({ "throttle": { "status": 500 } }), "status"),
        (json!({ "deny": ["FlyToMoon"] }), "FlyToMoon"),
        (json!({ "log_keeps": 1 }), "newest or oldest"),
    ] {
        let error = bench.service.configure(&settings).unwrap_err();
        assert!(error.contains(named), "{error}");
    }
    assert!(!bench.service.state().switches.status_detail);
}

#[tokio::test]
async fn a_reset_forgets_jobs_datasets_and_switches() {
    let bench = Bench::new();
    let dataset = json!({ "Name": "d", "DataSourceType": "OSS", "Uri": "oss://acme/d/", "Property": "DIRECTORY" });
    assert_eq!(
        bench
            .call("POST", "/api/v1/datasets", Some(&dataset))
            .status,
        200
    );
    bench.configure(&json!({ "advance": "at-once" }));
    let id = bench.create(&job("sleep 600"));
    bench.service.tick();
    let process = bench.service.state().jobs[0].pods[0]
        .process
        .clone()
        .unwrap();
    bench.service.reset();
    process.finished().await;
    let path = format!("/api/v1/jobs/{id}");
    assert_eq!(bench.get(&path).refusal(), (404, "NotFound"));
    assert_eq!(bench.get("/api/v1/datasets").body["TotalCount"], 0);
    let id = bench.create(&job("true"));
    assert_eq!(bench.status(&id), "Creating");
}

#[test]
fn the_summary_shows_switches_that_can_be_set_again() {
    let bench = Bench::new();
    bench.configure(&json!({
        "hold": "pending",
        "advance": { "reads": 3 },
        "throttle": { "times": 0, "retry_after": 5 },
        "show_status": { "*": "Odd" },
        "deny": ["StopJob"],
    }));
    bench.create(&job("true"));
    let summary = bench.service.summary();
    assert_eq!(summary["jobs"], json!({ "Creating": 1 }));
    assert_eq!(summary["requests"], json!({ "CreateJob": 1 }));
    assert_eq!(summary["volumes"], 0);
    bench.configure(&summary["switches"]);
    assert_eq!(bench.service.summary()["switches"], summary["switches"]);
    assert_eq!(summary["switches"]["hold"], "pending");
}
