//! What befalls nodes with a job, and room for many of them (cyclecloud.md §5.4 and §11).

use super::*;

#[test]
fn a_ready_node_fails_and_a_starting_one_times_out() {
    let bench = Bench::new();
    bench.create("req-1", 2);
    bench.service.befall("req-1", Trouble::TimesOut).unwrap();
    let refused = bench
        .service
        .befall("req-1", Trouble::NodeFails)
        .unwrap_err();
    assert!(refused.contains("ready"), "{refused}");
    bench.start();
    bench.service.befall("req-1", Trouble::NodeFails).unwrap();
    let nodes = bench.nodes("req-1");
    let messages: Vec<&str> = nodes
        .iter()
        .map(|node| {
            assert_eq!(words(node).1, "Failed");
            node["StatusMessage"].as_str().unwrap()
        })
        .collect();
    assert_eq!(
        messages,
        [
            "Timeout awaiting system boot-up",
            "Node failed a health check"
        ]
    );
}

#[test]
fn a_request_that_vanishes_is_forgotten_with_its_nodes() {
    let bench = Bench::new();
    bench.create("req-1", 1);
    bench.create("req-2", 1);
    bench.start();
    bench.service.befall("req-1", Trouble::Vanishes).unwrap();
    let seen = bench.get("/clusters/lab/nodes?request_id=req-1");
    assert_eq!(seen.status, 404);
    assert_eq!(bench.nodes("req-2").len(), 1);
    // An id is never used again (§4.3).
    let again = bench.try_create("req-1", &json!({"nodearray": "gpu", "count": 1}));
    assert_eq!(again.status, 409);
    assert!(bench.service.befall("req-1", Trouble::Vanishes).is_err());
    assert!(bench.service.befall("req-2", Trouble::Restarts).is_err());
}

#[test]
fn there_is_room_for_as_many_nodes_as_a_test_wants() {
    let bench = Bench::new();
    bench.configure(&json!({"capacity": 250}));
    for number in 0..200 {
        bench.create(&format!("req-{number}"), 1);
    }
    bench.start();
    let seen = bench.get("/clusters/lab/nodes");
    let ready = seen.body["nodes"].as_array().unwrap().iter();
    let ready = ready.filter(|node| node["Status"] == "Ready" && node["Template"] == "gpu");
    assert_eq!(ready.count(), 200);
}
