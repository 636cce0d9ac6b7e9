//! The forms and faults that switches choose (§11, 12).

use super::*;

#[test]
fn the_next_calls_fail_before_or_after_their_effect() {
    let bench = Bench::new();
    bench.configure(&json!({"fail_next": {"status": 503, "calls": 2}}));
    let set = json!({"nodearray": "gpu", "count": 1});
    assert_eq!(bench.try_create("a", &set).status, 503);
    assert_eq!(bench.get("/operations/").status, 503);
    assert_eq!(bench.get("/clusters/lab/nodes?request_id=a").status, 404);
    bench.configure(&json!({"fail_next": {"status": 500, "calls": 1, "after_effect": true}}));
    assert_eq!(bench.try_create("a", &set).status, 500);
    assert_eq!(bench.nodes("a").len(), 1);
}

#[test]
fn a_create_can_be_done_and_its_answer_lost() {
    let bench = Bench::new();
    bench.configure(&json!({"drop_creates": 1}));
    let set = json!({"nodearray": "gpu", "count": 1});
    assert!(bench.try_create("a", &set).delivery.lost);
    assert_eq!(bench.nodes("a").len(), 1);
    let again = bench.try_create("a", &set);
    assert!(!again.delivery.lost && again.status == 409);
}

#[test]
fn answers_can_be_slow_and_pages() {
    let bench = Bench::new();
    bench.configure(&json!({"slow_s": 0.25, "html": true}));
    let seen = bench.get("/operations/");
    assert_eq!(seen.delivery.delay, Duration::from_millis(250));
    assert_eq!(seen.status, 200);
    assert!(seen.header(CONTENT_TYPE).starts_with("text/html"));
    assert_eq!(bench.send_as(None, "GET", "/operations/", "").status, 401);
}

#[test]
fn errors_can_be_empty_or_talkative() {
    let bench = Bench::new();
    bench.configure(&json!({"empty_errors": true}));
    let seen = bench.get("/clusters/x/status");
    assert_eq!((seen.status, seen.text.as_str()), (404, ""));
    bench.configure(&json!({"empty_errors": false, "stack_traces": true}));
    let seen = bench.get("/clusters/x/status");
    assert!(seen.body["Detail"].as_str().unwrap().contains("\tat "));
    bench.configure(&json!({"forbidden": true}));
    assert_eq!(bench.get("/clusters/lab/status").status, 403);
}

#[test]
fn records_have_other_keys_dates_and_gaps() {
    let bench = Bench::new();
    bench.create("a", 1);
    bench.configure(
        &json!({"node_keys": "camel", "nulls": "absent", "dates": "text", "extra_members": true}),
    );
    let node = &bench.nodes("a")[0];
    assert_eq!(
        (&node["name"], &node["targetState"]),
        (&json!("gpu-1"), &json!("Started"))
    );
    assert!(node.get("privateIp").is_none() && node.get("Name").is_none());
    assert!(node.get("sandboxExtra").is_some());
    bench.start();
    assert_eq!(bench.nodes("a")[0]["launchTime"], "2026-03-02T09:30:13Z");
    // Keys of settings are no attributes.
    assert!(bench.nodes("a")[0]["configuration"]["autoscaling"].is_object());
}

#[test]
fn words_nobody_knows_are_under_way() {
    let bench = Bench::new();
    bench.configure(&json!({"state_word": "Allocating", "status_word": "TerminationPreparation"}));
    bench.create("a", 1);
    assert_eq!(
        words(&bench.nodes("a")[0]),
        ("Allocating", "TerminationPreparation", "Started")
    );
    bench.start();
    assert_eq!(words(&bench.nodes("a")[0]), ("Started", "Ready", "Started"));
}

#[test]
fn buckets_lose_what_is_optional_and_gain_what_nobody_knows() {
    let bench = Bench::new();
    bench.configure(&json!({"omit_optional": true, "extra_members": true}));
    let bucket = bench.bucket("gpu", "Standard_NC6s_v3");
    assert!(bucket.get("familyQuotaCount").is_none());
    assert!(bucket["virtualMachine"].get("gpuCount").is_none());
    assert_eq!(bucket["virtualMachine"]["vcpuCount"], 6);
    // A definition is handed back verbatim, with keys nobody knows.
    assert_eq!(bucket["definition"].as_object().unwrap().len(), 2);
    let set = json!({"nodearray": "gpu", "count": 1, "definition": bucket["definition"]});
    bench.create_set("a", &set);
}

#[test]
fn quotas_and_validity_can_change() {
    let bench = Bench::new();
    bench.configure(&json!({
        "family_quota_cores": {"Standard_NC6s_v3": 20},
        "disabled": {"Standard_NC24ads_A100_v4": "NotActivated"},
    }));
    assert_eq!(bench.bucket("gpu", "Standard_NC6s_v3")["availableCount"], 2);
    let invalid = bench.bucket("gpu", "Standard_NC24ads_A100_v4");
    assert_eq!(invalid["invalidReason"], "NotActivated");
    bench.configure(&json!({"region_quota_cores": 10}));
    assert_eq!(bench.bucket("gpu", "Standard_NC6s_v3")["availableCount"], 0);
}

#[test]
fn nothing_that_fits_can_be_a_refusal_that_burns_no_id() {
    let bench = Bench::new();
    bench.configure(&json!({"nothing_fits": 409, "region_quota_cores": 0}));
    let set = json!({"nodearray": "gpu", "count": 1});
    assert_eq!(bench.try_create("a", &set).status, 409);
    bench.configure(&json!({"region_quota_cores": null}));
    bench.create("a", 1);
}

#[test]
fn look_ups_can_lag_and_forget() {
    let bench = Bench::new();
    bench.configure(&json!({"lookup_lag_s": 10.0, "unknown_request": 404}));
    let operation = bench.create("a", 1)["operationId"]
        .as_str()
        .unwrap()
        .to_owned();
    assert_eq!(bench.get("/clusters/lab/nodes?request_id=a").status, 404);
    assert_eq!(bench.get("/operations/?request_id=a").status, 404);
    assert_eq!(bench.get("/clusters/lab/nodes").node_names().len(), 2);
    bench.pass(10);
    assert_eq!(bench.nodes("a").len(), 1);
    bench.configure(&json!({"forget_operation": "a"}));
    assert_eq!(bench.get(&format!("/operations/{operation}")).status, 404);
    assert_eq!(bench.get("/clusters/lab/nodes?request_id=a").status, 404);
    // What is forgotten is used all the same.
    let set = json!({"nodearray": "gpu", "count": 1});
    assert_eq!(bench.try_create("a", &set).status, 409);
}

#[test]
fn locations_and_redirects_have_two_forms() {
    let bench = Bench::new();
    bench.configure(&json!({"location": "absolute", "operations_redirect": true}));
    let seen = bench.try_create("a", &json!({"nodearray": "gpu", "count": 1}));
    assert!(
        seen.header(LOCATION)
            .starts_with("http://127.0.0.1:4711/operations/")
    );
    let seen = bench.get("/operations?request_id=a");
    assert_eq!(
        (seen.status, seen.header(LOCATION)),
        (301, "/operations/".to_owned())
    );
}

#[test]
fn cloud_init_may_have_to_be_common() {
    let bench = Bench::new();
    let set =
        |text: &str| json!({"nodearray": "gpu", "count": 1, "nodeAttributes": {"CloudInit": text}});
    bench.create_set("a", &set("#!/bin/sh\n:"));
    bench.create_set("b", &set("#!/bin/sh\ntrue"));
    assert_eq!(bench.nodes("b")[0]["StatusMessage"], Value::Null);
    bench.configure(&json!({"cloud_init_per_node": false}));
    bench.create_set("c", &set("#!/bin/sh\nfalse"));
    assert!(
        bench.nodes("c")[0]["StatusMessage"]
            .as_str()
            .unwrap()
            .ends_with("CloudInit")
    );
}

#[test]
fn a_refused_switch_changes_nothing() {
    let bench = Bench::new();
    bench.create("a", 1);
    let both = json!({"evict": "gpu-1", "colour": 1});
    assert!(bench.service.configure(&both).is_err());
    assert!(bench.service.configure(&json!({"evict": 1})).is_err());
    assert_eq!(words(&bench.nodes("a")[0]).2, "Started");
}
