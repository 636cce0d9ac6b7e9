//! Status, nodes, operations and their forms (§4, §5 and §11, 8 to 11 and 13).

use super::*;

#[test]
fn status_without_nodes_holds_no_node() {
    let bench = Bench::new();
    let seen = bench.get("/clusters/lab/status");
    assert_eq!(seen.status, 200);
    assert_eq!(
        (&seen.body["state"], &seen.body["targetState"]),
        (&json!("Started"), &json!("Started"))
    );
    assert!(seen.body.get("nodes").is_none());
    assert!(
        seen.body["nodearrays"][0]["buckets"][0]
            .get("activeNodes")
            .is_none()
    );
    let seen = bench.get("/clusters/lab/status?nodes=true");
    assert_eq!(seen.node_names(), ["scheduler"]);
    assert_eq!(
        seen.body["nodearrays"][0]["buckets"][0]["activeNodes"],
        json!([])
    );
}

#[test]
fn a_cluster_that_never_started_has_no_state() {
    let bench = Bench::new();
    let body = bench.get("/clusters/fresh/status").body;
    assert!(body.get("state").is_none() && body.get("targetState").is_none());
    assert_eq!(
        body["nodearrays"][0]["buckets"][0]["invalidReason"],
        "NotActivated"
    );
    assert_eq!(
        bench.get("/clusters/parked/status").body["state"],
        "Terminated"
    );
}

#[test]
fn an_array_definition_has_what_clients_index() {
    let bench = Bench::new();
    let body = bench.get("/clusters/lab/status").body;
    let definition = &body["nodearrays"][0]["nodearray"];
    for name in [
        "Name",
        "Region",
        "SubnetId",
        "MachineType",
        "Interruptible",
        "Configuration",
    ] {
        assert!(definition.get(name).is_some(), "{name}");
    }
    assert_eq!(definition["MachineType"][0], "Standard_NC6s_v3");
}

#[test]
fn figures_follow_the_nodes() {
    let bench = Bench::new();
    let before = bench.bucket("gpu", "Standard_NC6s_v3");
    // 96 cores of quota, 6 used by others, 12 nodes in the array.
    assert_eq!(before["maxCount"], 12);
    assert_eq!(before["availableCount"], 12);
    assert_eq!(
        (&before["quotaCoreCount"], &before["consumedCoreCount"]),
        (&json!(96), &json!(6))
    );
    assert_eq!(before["lastCapacityFailure"], -1.0);
    bench.create("a", 2);
    let after = bench.bucket("gpu", "Standard_NC6s_v3");
    assert_eq!(
        (&after["activeCount"], &after["activeCoreCount"]),
        (&json!(2), &json!(12))
    );
    assert_eq!(
        (&after["availableCount"], &after["consumedCoreCount"]),
        (&json!(10), &json!(18))
    );
    assert_eq!(after["activeNodes"], json!(["gpu-1", "gpu-2"]));
    assert_eq!(after["bucketId"], before["bucketId"]);
    // The array's limit binds its other sizes too.
    assert_eq!(
        bench.bucket("gpu", "Standard_NC24ads_A100_v4")["availableCount"],
        7
    );
    let ids = json!({"names": ["gpu-1", "gpu-2"]});
    assert_eq!(
        bench.post("/clusters/lab/nodes/terminate", &ids).status,
        202
    );
    // Nodes on their way out are not active (§4.1).
    assert_eq!(
        bench.bucket("gpu", "Standard_NC6s_v3")["availableCount"],
        12
    );
}

#[test]
fn spot_and_invalid_buckets_say_so() {
    let bench = Bench::new();
    let spot = bench.bucket("spot", "Standard_NC24ads_A100_v4");
    assert_eq!(
        (&spot["familyQuotaCoreCount"], &spot["quotaCoreCount"]),
        (&json!(0), &json!(2400))
    );
    assert_eq!(spot["spotPlacementScore"], "High");
    let invalid = bench.bucket("gpu", "Standard_ND40rs_v2");
    assert_eq!(
        (&invalid["valid"], &invalid["invalidReason"]),
        (&json!(false), &json!("DisabledMachineType"))
    );
    assert_eq!(
        (&invalid["maxCount"], &invalid["availableCount"]),
        (&json!(0), &json!(0))
    );
}

#[test]
fn nodes_are_found_by_request_and_by_operation() {
    let bench = Bench::new();
    let operation = bench.create("a/b", 2)["operationId"]
        .as_str()
        .unwrap()
        .to_owned();
    bench.create("c", 1);
    let by_request = bench.get("/clusters/lab/nodes?request_id=a%2Fb");
    let by_operation = bench.get(&format!("/clusters/lab/nodes?operation={operation}"));
    assert_eq!(by_request.body, by_operation.body);
    assert_eq!(by_request.node_names(), ["gpu-1", "gpu-2"]);
    assert_eq!(
        by_request.body["operation"],
        json!({"action": "create", "startTime": "2026-03-02T09:30:11Z"})
    );
    let all = bench.get("/clusters/lab/nodes");
    assert_eq!(all.node_names(), ["scheduler", "gpu-1", "gpu-2", "gpu-3"]);
    assert!(all.body.get("operation").is_none());
}

#[test]
fn an_unknown_request_is_404_with_the_phrase() {
    let bench = Bench::new();
    let seen = bench.get("/clusters/lab/nodes?request_id=x");
    assert_eq!(
        (seen.status, seen.message()),
        (404, "No operation found for request id x")
    );
    assert_eq!(bench.get("/clusters/lab/nodes?operation=x").status, 404);
    bench.create("a", 1);
    // Another cluster's request is unknown here, but its id is used up on the whole server.
    assert_eq!(bench.get("/clusters/parked/nodes?request_id=a").status, 404);
    bench.configure(&json!({"create_on_stopped": 202}));
    let body = json!({"requestId": "a", "sets": [{"nodearray": "gpu", "count": 1}]});
    assert_eq!(
        bench.post("/clusters/parked/nodes/create", &body).status,
        409
    );
}

#[test]
fn malformed_queries_are_400() {
    let bench = Bench::new();
    for target in [
        "/clusters/lab/nodes?request_id=a&operation=b",
        "/clusters/lab/nodes?requestId=a",
        "/clusters/lab/status?nodes=True",
        "/operations/?request_id=a&request_id=b",
    ] {
        assert_eq!(bench.get(target).status, 400, "{target}");
    }
}

#[test]
fn operations_tell_no_more_than_action_and_time() {
    let bench = Bench::new();
    let created = bench.create("a", 1);
    let id = created["operationId"].as_str().unwrap();
    let expected = json!({"action": "create", "startTime": "2026-03-02T09:30:11Z"});
    assert_eq!(bench.get(&format!("/operations/{id}")).body, expected);
    assert_eq!(
        bench.get("/operations/?request_id=a").body,
        json!([expected])
    );
    assert_eq!(
        bench.get("/operations?request_id=a").body,
        json!([expected])
    );
    let unknown = bench.get("/operations/?request_id=b");
    assert_eq!((unknown.status, unknown.body), (200, json!([])));
}

#[test]
fn a_record_has_what_clients_index_even_without_a_value() {
    let bench = Bench::new();
    bench.create("a", 1);
    let node = &bench.nodes("a")[0];
    let record = node.as_object().unwrap();
    for name in [
        "NodeId",
        "Name",
        "Template",
        "ClusterName",
        "MachineType",
        "TargetState",
        "State",
        "Status",
        "Hostname",
        "PrivateIp",
        "InstanceId",
        "Configuration",
        "Tags",
        "LaunchTime",
        "PlacementGroupId",
        "Interruptible",
        "KeepAlive",
        "Region",
        "SubnetId",
        "StatusMessage",
        "PublicIp",
    ] {
        assert!(record.contains_key(name), "{name}");
    }
    assert_eq!(node["LaunchTime"], Value::Null);
    bench.start();
    let node = &bench.nodes("a")[0];
    assert_eq!(node["LaunchTime"], json!({"$date": "2026-03-02T09:30:13Z"}));
    assert_eq!(
        (&node["PrivateIp"], &node["Hostname"]),
        (&json!("10.20.1.2"), &json!("ip-0A140102"))
    );
}

#[test]
fn usage_is_counted_from_the_vm_to_its_end() {
    let bench = Bench::new();
    bench.create("a", 1);
    bench.pass(2);
    bench.pass(3600);
    bench.post(
        "/clusters/lab/nodes/terminate",
        &json!({"names": ["gpu-1"]}),
    );
    bench.pass(3600);
    bench.pass(86_400);
    let usage = bench.get("/clusters/lab/usage?granularity=total").body;
    let gpu = &usage["usage"][0]["breakdown"][1];
    assert_eq!((&gpu["node"], &gpu["hours"]), (&json!("gpu"), &json!(12.0)));
    assert_eq!(
        bench.get("/clusters/lab/usage?granularity=weekly").status,
        400
    );
}
