//! Calls on chosen nodes (§7 and §11, 8).

use rstest::rstest;

use super::*;

fn act(bench: &Bench, action: &str, body: &Value) -> Seen {
    bench.post(&format!("/clusters/lab/nodes/{action}"), body)
}

#[test]
fn nodes_are_terminated_by_their_ids_and_vanish() {
    let bench = Bench::new();
    bench.create("a", 2);
    bench.start();
    let ids: Vec<Value> = bench
        .nodes("a")
        .iter()
        .map(|node| node["NodeId"].clone())
        .collect();
    let seen = act(
        &bench,
        "terminate",
        &json!({"ids": [ids[0], "nobody"], "requestId": "t"}),
    );
    assert_eq!(seen.status, 202);
    assert_eq!(
        seen.body["nodes"],
        json!([{"id": ids[0], "name": "gpu-1", "status": "OK"}])
    );
    let node = &bench.nodes("t")[0];
    assert_eq!(words(node), ("Started", "Terminating", "Terminated"));
    assert_eq!(bench.nodes("a").len(), 2);
    // Once more is as good.
    let again = act(&bench, "terminate", &json!({"ids": [ids[0]]}));
    assert_eq!(again.body["nodes"][0]["status"], "OK");
    bench.pass(2);
    assert_eq!(bench.nodes("a").len(), 1);
    assert!(bench.nodes("t").is_empty());
    assert_eq!(
        bench.get("/operations/?request_id=t").body[0]["action"],
        "terminate"
    );
    // What is gone matches nothing.
    let gone = act(&bench, "terminate", &json!({"ids": [ids[0]]}));
    assert_eq!((gone.status, &gone.body["nodes"]), (202, &json!([])));
}

#[test]
fn selectors_are_a_union() {
    let bench = Bench::new();
    bench.create("a", 5);
    bench.start();
    let nodes = bench.nodes("a");
    let body = json!({
        "ids": [nodes[0]["NodeId"]], "names": ["gpu-1", "gpu-2"], "hostnames": [nodes[2]["Hostname"]],
        "ip_addresses": [nodes[3]["PrivateIp"]], "filter": "Name === \"gpu-5\" && Status === \"Ready\"",
    });
    let seen = act(&bench, "terminate", &body);
    assert_eq!(seen.body["nodes"].as_array().unwrap().len(), 5);
}

#[rstest]
#[case::nothing(json!({}))]
#[case::only_an_id(json!({"requestId": "t"}))]
#[case::camel_case_addresses(json!({"ipAddresses": ["10.20.1.2"]}))]
#[case::one_text(json!({"ids": "a"}))]
#[case::numbers(json!({"names": [1]}))]
#[case::bad_filter(json!({"filter": "gpu-1"}))]
#[case::no_object(json!([]))]
fn a_call_without_a_good_selector_is_409(#[case] body: Value) {
    let bench = Bench::new();
    bench.create("a", 1);
    for action in [
        "terminate",
        "remove",
        "shutdown",
        "deallocate",
        "start",
        "restart",
        "reimage",
    ] {
        assert_eq!(act(&bench, action, &body).status, 409, "{action}");
    }
    assert_eq!(bench.nodes("a")[0]["TargetState"], "Started");
}

#[test]
fn a_kept_node_is_an_error_of_its_own() {
    let bench = Bench::new();
    bench.create_set(
        "a",
        &json!({"nodearray": "gpu", "count": 1, "nodeAttributes": {"KeepAlive": true}}),
    );
    bench.create("b", 1);
    bench.start();
    for action in ["terminate", "remove", "shutdown", "deallocate"] {
        let seen = act(&bench, action, &json!({"names": ["gpu-1"]}));
        assert_eq!(seen.status, 202);
        let entry = &seen.body["nodes"][0];
        assert_eq!(
            (&entry["status"], &entry["error"]),
            (&json!("Error"), &json!("Node is protected by KeepAlive"))
        );
    }
    let seen = act(&bench, "terminate", &json!({"names": ["gpu-1", "gpu-2"]}));
    let statuses: Vec<&Value> = seen.body["nodes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| &entry["status"])
        .collect();
    assert_eq!(statuses, ["Error", "OK"]);
    bench.pass(2);
    assert_eq!(words(&bench.nodes("a")[0]), ("Started", "Ready", "Started"));
}

#[test]
fn a_node_of_its_own_stays_off_and_can_be_started() {
    let bench = Bench::new();
    act(&bench, "terminate", &json!({"names": ["scheduler"]}));
    bench.pass(2);
    let node = bench.get("/clusters/lab/nodes").body["nodes"][0].clone();
    assert_eq!((words(&node).1, words(&node).2), ("Off", "Terminated"));
    assert_eq!(node["InstanceId"], Value::Null);
    act(&bench, "start", &json!({"names": ["scheduler"]}));
    bench.start();
    let node = bench.get("/clusters/lab/nodes").body["nodes"][0].clone();
    assert_eq!(words(&node), ("Started", "Ready", "Started"));
}

#[test]
fn a_fixed_node_stays_unless_it_is_removed() {
    let bench = Bench::new();
    bench.create_set(
        "a",
        &json!({"nodearray": "gpu", "count": 1, "nodeAttributes": {"Fixed": true}}),
    );
    act(&bench, "terminate", &json!({"names": ["gpu-1"]}));
    bench.pass(2);
    assert_eq!(words(&bench.nodes("a")[0]).1, "Off");
    act(&bench, "start", &json!({"names": ["gpu-1"]}));
    act(&bench, "remove", &json!({"names": ["gpu-1"]}));
    bench.pass(2);
    assert!(bench.nodes("a").is_empty());
}

#[test]
fn a_deallocated_node_stays_listed_and_comes_back() {
    let bench = Bench::new();
    bench.create("a", 1);
    bench.start();
    act(&bench, "deallocate", &json!({"names": ["gpu-1"]}));
    assert_eq!(
        (words(&bench.nodes("a")[0]).1, words(&bench.nodes("a")[0]).2),
        ("Deallocating", "Deallocated")
    );
    bench.pass(2);
    assert_eq!(
        words(&bench.nodes("a")[0]),
        ("Deallocated", "Deallocated", "Deallocated")
    );
    assert_eq!(bench.bucket("gpu", "Standard_NC6s_v3")["activeCount"], 0);
    act(&bench, "start", &json!({"names": ["gpu-1"]}));
    assert_eq!(
        words(&bench.nodes("a")[0]),
        ("Allocation", "Acquiring", "Started")
    );
    bench.start();
    assert_eq!(words(&bench.nodes("a")[0]).1, "Ready");
}

#[test]
fn shutting_down_follows_the_nodes_policy() {
    let bench = Bench::new();
    let attributes = json!({"ShutdownPolicy": "Deallocate"});
    bench.create_set(
        "a",
        &json!({"nodearray": "gpu", "count": 1, "nodeAttributes": attributes}),
    );
    bench.create("b", 1);
    bench.start();
    act(&bench, "shutdown", &json!({"names": ["gpu-1", "gpu-2"]}));
    bench.pass(2);
    assert_eq!(words(&bench.nodes("a")[0]).1, "Deallocated");
    assert!(bench.nodes("b").is_empty());
}

#[test]
fn only_nodes_of_arrays_are_restarted() {
    let bench = Bench::new();
    bench.create("a", 1);
    bench.start();
    for action in ["restart", "reimage"] {
        let seen = act(&bench, action, &json!({"names": ["gpu-1", "scheduler"]}));
        let statuses: Vec<&Value> = seen.body["nodes"]
            .as_array()
            .unwrap()
            .iter()
            .map(|entry| &entry["status"])
            .collect();
        assert_eq!(statuses, ["Error", "OK"]);
        assert_eq!(words(&bench.nodes("a")[0]).1, "Preparing");
        bench.pass(3);
        assert_eq!(words(&bench.nodes("a")[0]).1, "Ready");
    }
}
