//! How nodes come and go by themselves (§5.3, §5.4 and §11, 7 and 12).

use super::*;

#[test]
fn a_node_is_acquired_prepared_and_ready() {
    let bench = Bench::new();
    bench.create("a", 1);
    let node = &bench.nodes("a")[0];
    assert_eq!(words(node), ("Allocation", "Acquiring", "Started"));
    assert!(
        ["InstanceId", "PrivateIp", "Hostname"]
            .iter()
            .all(|name| node[name].is_null())
    );
    bench.pass(1);
    assert_eq!(words(&bench.nodes("a")[0]).1, "Acquiring");
    bench.pass(1);
    let node = &bench.nodes("a")[0];
    assert_eq!(words(node).1, "Preparing");
    assert_eq!(node["InstanceId"], "gpu-vmss_2");
    assert!(node["PrivateIp"].is_string() && node["Hostname"].is_null());
    bench.pass(3);
    let node = &bench.nodes("a")[0];
    assert_eq!(words(node), ("Started", "Ready", "Started"));
    assert!(node["Hostname"].is_string());
}

#[test]
fn held_nodes_stay_where_they_are() {
    let bench = Bench::new();
    bench.create("a", 1);
    for (state, status) in [("pending", "Acquiring"), ("starting", "Preparing")] {
        bench.configure(&json!({"hold": state}));
        bench.pass(100);
        bench.pass(100);
        assert_eq!(words(&bench.nodes("a")[0]).1, status);
    }
    bench.configure(&json!({"hold": null}));
    assert_eq!(words(&bench.nodes("a")[0]).1, "Ready");
}

#[test]
fn without_capacity_a_node_disappears_and_the_bucket_is_throttled() {
    let bench = Bench::new();
    bench.configure(&json!({"faults": [{"kind": "capacity", "nodearray": "gpu", "nodes": 1}]}));
    bench.create("a", 2);
    bench.pass(2);
    assert_eq!(bench.nodes("a").len(), 1);
    let bucket = bench.bucket("gpu", "Standard_NC6s_v3");
    assert_eq!(
        (&bucket["lastCapacityFailure"], &bucket["availableCount"]),
        (&json!(0.0), &json!(0))
    );
    assert_eq!(bench.create("b", 1)["sets"][0]["added"], 0);
    bench.pass(60);
    assert_eq!(
        bench.bucket("gpu", "Standard_NC6s_v3")["lastCapacityFailure"],
        60.0
    );
    // Another size is not touched.
    assert_ne!(
        bench.bucket("gpu", "Standard_NC24ads_A100_v4")["availableCount"],
        0
    );
    bench.pass(240);
    assert_eq!(
        bench.bucket("gpu", "Standard_NC6s_v3")["availableCount"],
        11
    );
}

#[test]
fn a_boot_that_times_out_is_a_failure_with_its_phase() {
    let bench = Bench::new();
    bench.configure(&json!({"faults": [{"kind": "boot-timeout", "request_id": "a"}]}));
    bench.create("a", 1);
    bench.create("b", 1);
    bench.start();
    let node = &bench.nodes("a")[0];
    assert_eq!(words(node), ("Failed", "Failed", "Started"));
    assert_eq!(
        (&node["PhaseFailed"], &node["Hostname"]),
        (&json!(true), &Value::Null)
    );
    assert_eq!(node["StatusMessage"], "Timeout awaiting system boot-up");
    let phase = &node["PhaseMap"]["Cloud.AwaitBootup"];
    assert_eq!(phase["Status"], "Failed");
    assert_eq!(phase["StartTime"], json!({"$date": "2026-03-02T09:30:13Z"}));
    assert_eq!(words(&bench.nodes("b")[0]).1, "Ready");
    // It stays until someone ends it.
    bench.pass(10_000);
    assert_eq!(bench.nodes("a").len(), 1);
}

#[test]
fn a_node_can_flip_to_failed_and_come_back() {
    let bench = Bench::new();
    bench.configure(&json!({"faults": [
        {"kind": "flip", "after_s": 4.0, "recovers_after_s": 10.0},
    ]}));
    bench.create("a", 1);
    bench.start();
    assert_eq!(words(&bench.nodes("a")[0]).1, "Ready");
    bench.pass(4);
    assert_eq!(words(&bench.nodes("a")[0]).1, "Failed");
    bench.pass(10);
    let node = &bench.nodes("a")[0];
    assert_eq!(
        (words(node).1, &node["StatusMessage"]),
        ("Ready", &Value::Null)
    );
    bench.pass(100);
    assert_eq!(words(&bench.nodes("a")[0]).1, "Ready");
}

#[test]
fn a_spot_node_is_evicted() {
    let bench = Bench::new();
    bench.configure(&json!({"faults": [{"kind": "eviction", "after_s": 5.0, "nodes": 1}]}));
    bench.create_set("a", &json!({"nodearray": "spot", "count": 2}));
    assert_eq!(bench.nodes("a")[0]["Interruptible"], true);
    bench.start();
    bench.pass(5);
    assert_eq!(words(&bench.nodes("a")[0]).2, "Terminated");
    bench.pass(2);
    assert_eq!(bench.nodes("a").len(), 1);
    bench.configure(&json!({"evict": "spot-2"}));
    bench.pass(2);
    assert!(bench.nodes("a").is_empty());
    assert!(
        bench
            .service
            .configure(&json!({"evict": "spot-2"}))
            .is_err()
    );
}

#[test]
fn a_reset_gives_the_first_day_back() {
    let bench = Bench::new();
    bench.create("a", 2);
    bench.configure(&json!({"acquire_s": 100.0}));
    bench.service.reset();
    assert_eq!(bench.get("/clusters/lab/nodes").node_names(), ["scheduler"]);
    bench.create("a", 1);
    bench.start();
    assert_eq!(words(&bench.nodes("a")[0]).1, "Ready");
    assert!(bench.service.results_directory().unwrap().is_dir());
}

#[test]
fn the_summary_counts_jobs_by_their_nodes() {
    let bench = Bench::new();
    bench.create("a", 1);
    bench.create("b", 1);
    bench.start();
    bench.create("c", 1);
    bench.post(
        "/clusters/lab/nodes/terminate",
        &json!({"names": ["gpu-1"]}),
    );
    bench.pass(0);
    let summary = bench.service.summary();
    assert_eq!(
        summary["jobs"],
        json!({"stopping": 1, "running": 1, "pending": 1})
    );
    assert_eq!(summary["requests"]["create"], 3);
    bench.pass(2);
    assert_eq!(bench.service.summary()["jobs"]["gone"], 1);
}
