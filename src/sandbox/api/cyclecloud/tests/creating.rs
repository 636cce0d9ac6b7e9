//! Creates: what is granted, what is refused, and what a refusal leaves behind (§6 and §11, 3, 5 and 6).

use rstest::rstest;

use super::*;

#[test]
fn a_create_is_accepted_with_its_operation() {
    let bench = Bench::new();
    let seen = bench.try_create("a", &json!({"nodearray": "gpu", "count": 2}));
    assert_eq!(seen.status, 202);
    assert_eq!(seen.body["sets"], json!([{"added": 2}]));
    let id = seen.body["operationId"].as_str().unwrap();
    assert_eq!(seen.header(LOCATION), format!("/operations/{id}"));
    // The first valid bucket is taken when none is named.
    assert_eq!(bench.nodes("a")[0]["MachineType"], "Standard_NC6s_v3");
}

#[test]
fn any_content_type_will_do() {
    let bench = Bench::new();
    let mut headers = HeaderMap::new();
    headers.insert(AUTHORIZATION, bench.own().parse().unwrap());
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/plain"));
    let answer = bench.service.answer(&RawRequest {
        method: http::Method::POST,
        target: "/clusters/lab/nodes/create".to_owned(),
        headers,
        body: Bytes::from_static(b"{\"sets\":[{\"nodearray\":\"cpu\",\"count\":1}]}"),
        upload: None,
    });
    assert_eq!(answer.status, StatusCode::ACCEPTED);
}

#[test]
fn a_repeated_request_id_is_409_and_changes_nothing() {
    let bench = Bench::new();
    bench.create("a", 1);
    let seen = bench.try_create("a", &json!({"nodearray": "gpu", "count": 3}));
    assert_eq!(seen.status, 409);
    assert_eq!(bench.nodes("a").len(), 1);
    // Also when it comes with another call.
    let body = json!({"names": ["gpu-1"], "requestId": "a"});
    assert_eq!(
        bench.post("/clusters/lab/nodes/terminate", &body).status,
        409
    );
    assert_eq!(bench.nodes("a")[0]["TargetState"], "Started");
}

#[rstest]
#[case::broken("{\"sets\":[")]
#[case::no_body("")]
#[case::no_object("[]")]
#[case::no_sets("{}")]
#[case::empty_sets(r#"{"requestId":"a","sets":[]}"#)]
#[case::set_of_values(r#"{"requestId":"a","sets":[["gpu",1]]}"#)]
#[case::no_count(r#"{"requestId":"a","sets":[{"nodearray":"gpu"}]}"#)]
#[case::zero(r#"{"requestId":"a","sets":[{"nodearray":"gpu","count":0}]}"#)]
#[case::negative(r#"{"requestId":"a","sets":[{"nodearray":"gpu","count":-1}]}"#)]
#[case::text_count(r#"{"requestId":"a","sets":[{"nodearray":"gpu","count":"1"}]}"#)]
#[case::number_id(r#"{"requestId":7,"sets":[{"nodearray":"gpu","count":1}]}"#)]
#[case::empty_id(r#"{"requestId":"","sets":[{"nodearray":"gpu","count":1}]}"#)]
#[case::array(r#"{"requestId":"a","sets":[{"nodearray":"tpu","count":1}]}"#)]
#[case::size(r#"{"requestId":"a","sets":[{"nodearray":"gpu","count":1,"definition":{"machineType":"Standard_F32s_v2"}}]}"#)]
#[case::invalid_bucket(r#"{"requestId":"a","sets":[{"nodearray":"gpu","count":1,"definition":{"machineType":"Standard_ND40rs_v2"}}]}"#)]
#[case::other_definition(r#"{"requestId":"a","sets":[{"nodearray":"gpu","count":1,"definition":{"machineType":"Standard_NC6s_v3","zone":"1"}}]}"#)]
#[case::one_name_for_two(
    r#"{"requestId":"a","sets":[{"nodearray":"gpu","count":2,"nameFormat":"train"}]}"#
)]
#[case::taken_name(
    r#"{"requestId":"a","sets":[{"nodearray":"gpu","count":1,"nameFormat":"scheduler"}]}"#
)]
#[case::offset_alone(r#"{"requestId":"a","sets":[{"nodearray":"gpu","count":1,"nameOffset":3}]}"#)]
#[case::configuration(r#"{"requestId":"a","sets":[{"nodearray":"gpu","count":1,"nodeAttributes":{"Configuration":"x"}}]}"#)]
#[case::tags(
    r#"{"requestId":"a","sets":[{"nodearray":"gpu","count":1,"nodeAttributes":{"Tags":{"a":1}}}]}"#
)]
#[case::second_set(
    r#"{"requestId":"a","sets":[{"nodearray":"gpu","count":1},{"nodearray":"tpu","count":1}]}"#
)]
fn invalid_input_is_409_burns_no_id_and_leaves_nothing(#[case] body: &str) {
    let bench = Bench::new();
    let seen = bench.send("POST", "/clusters/lab/nodes/create", body);
    assert_eq!(
        (seen.status, &seen.body["Code"]),
        (409, &json!(409)),
        "{}",
        seen.text
    );
    assert_eq!(bench.get("/clusters/lab/nodes").node_names(), ["scheduler"]);
    assert_eq!(bench.get("/clusters/lab/nodes?request_id=a").status, 404);
    bench.create("a", 1);
    bench.configure(&json!({"invalid_status": 400}));
    let status = bench
        .send("POST", "/clusters/lab/nodes/create", body)
        .status;
    // A used id is a conflict whatever else is wrong; a broken body has none.
    assert!([400, 409].contains(&status), "{status}");
}

#[test]
fn unknown_members_are_ignored_and_nulls_are_absent() {
    let bench = Bench::new();
    let set = json!({
        "nodearray": "gpu", "count": 1, "definition": null, "placementGroupId": null, "priority": 7,
    });
    assert_eq!(bench.create_set("a", &set)["sets"], json!([{"added": 1}]));
}

#[test]
fn sizes_are_found_whatever_their_case() {
    let bench = Bench::new();
    let definition = json!({"machineType": "standard_nv36ADS_a10_V5"});
    bench.create_set(
        "a",
        &json!({"nodearray": "gpu", "count": 1, "definition": definition}),
    );
    assert_eq!(
        bench.nodes("a")[0]["MachineType"],
        "Standard_NV36ads_A10_v5"
    );
}

#[test]
fn a_partial_grant_is_accepted_with_a_message() {
    let bench = Bench::new();
    let body = bench.create("a", 20);
    assert_eq!(body["sets"][0]["added"], 12);
    assert!(
        body["sets"][0]["message"]
            .as_str()
            .unwrap()
            .contains("12 of 20")
    );
    assert_eq!(bench.nodes("a").len(), 12);
    // Nothing fits any more: still accepted, and the id is used.
    let body = bench.create("b", 1);
    assert_eq!(body["sets"][0]["added"], 0);
    assert!(body["sets"][0]["message"].is_string());
    assert!(bench.nodes("b").is_empty());
}

#[test]
fn later_sets_get_what_earlier_ones_left() {
    let bench = Bench::new();
    let set = json!({"nodearray": "gpu", "count": 8});
    let body = json!({"requestId": "a", "sets": [set, set, {"nodearray": "cpu", "count": 1}]});
    let seen = bench.post("/clusters/lab/nodes/create", &body);
    let added: Vec<&Value> = seen.body["sets"]
        .as_array()
        .unwrap()
        .iter()
        .map(|set| &set["added"])
        .collect();
    assert_eq!(added, [8, 4, 1]);
}

#[test]
fn a_placement_group_holds_no_more_than_its_size() {
    let bench = Bench::new();
    let set = |count| {
        json!({
            "nodearray": "hpc", "count": count, "placementGroupId": "train",
            "definition": {"machineType": "Standard_ND96asr_v4"},
        })
    };
    assert_eq!(
        bench.create_set("a", &set(3))["sets"],
        json!([{"added": 3}])
    );
    let second = bench.create_set("b", &set(2));
    assert_eq!(second["sets"][0]["added"], 1);
    assert!(
        second["sets"][0]["message"]
            .as_str()
            .unwrap()
            .contains("train")
    );
    assert_eq!(bench.nodes("a")[0]["PlacementGroupId"], "train");
    let bucket = bench.bucket("hpc", "Standard_ND96asr_v4");
    assert_eq!(
        (
            &bucket["maxPlacementGroupSize"],
            &bucket["maxPlacementGroupCoreSize"]
        ),
        (&json!(4), &json!(384))
    );
    assert_eq!(
        bucket["placementGroups"],
        json!([{"name": "train", "activeCount": 4, "activeCoreCount": 384}])
    );
    // It outlives its nodes.
    bench.post(
        "/clusters/lab/nodes/terminate",
        &json!({"filter": "Template === \"hpc\""}),
    );
    bench.pass(2);
    let bucket = bench.bucket("hpc", "Standard_ND96asr_v4");
    assert_eq!(bucket["placementGroups"][0]["activeCount"], 0);
}

#[test]
fn names_take_the_lowest_free_index() {
    let bench = Bench::new();
    bench.create("a", 3);
    bench.post(
        "/clusters/lab/nodes/terminate",
        &json!({"names": ["gpu-2"]}),
    );
    bench.create("b", 1);
    // The old node has its name until it is gone.
    assert_eq!(bench.nodes("b")[0]["Name"], "gpu-4");
    bench.pass(2);
    bench.create("c", 1);
    assert_eq!(bench.nodes("c")[0]["Name"], "gpu-2");
    let set = json!({"nodearray": "gpu", "count": 2, "nameFormat": "train-%d-x", "nameOffset": 10});
    bench.create_set("d", &set);
    let names: Vec<Value> = bench
        .nodes("d")
        .iter()
        .map(|node| node["Name"].clone())
        .collect();
    assert_eq!(names, ["train-11-x", "train-12-x"]);
    bench.create_set(
        "e",
        &json!({"nodearray": "gpu", "count": 1, "nameFormat": "alone"}),
    );
    assert_eq!(bench.nodes("e")[0]["Name"], "alone");
}

#[test]
fn attributes_are_merged_but_identity_is_not() {
    let bench = Bench::new();
    let attributes = json!({
        "Name": "mine", "nodeid": "mine", "Template": "mine", "ClusterName": "mine", "State": "Started",
        "Tags": {"gpujob-id": "a"}, "keepAlive": true,
        "Configuration": {"gpujob": null, "cyclecloud": {"mounts": {"extra": {"type": "nfs", "mountpoint": "/x"}}}},
    });
    bench.create_set(
        "a",
        &json!({"nodearray": "gpu", "count": 1, "nodeAttributes": attributes}),
    );
    let node = &bench.nodes("a")[0];
    assert_eq!(
        (&node["Name"], &node["Template"]),
        (&json!("gpu-1"), &json!("gpu"))
    );
    assert_eq!(
        (&node["ClusterName"], &node["State"]),
        (&json!("lab"), &json!("Allocation"))
    );
    assert_ne!(node["NodeId"], "mine");
    assert_eq!(
        (&node["KeepAlive"], &node["Tags"]["gpujob-id"]),
        (&json!(true), &json!("a"))
    );
    let mounts = node["Configuration"]["cyclecloud"]["mounts"]
        .as_object()
        .unwrap();
    assert!(mounts.contains_key("results") && mounts.contains_key("extra"));
    assert_eq!(node["Configuration"]["autoscaling"]["enabled"], true);
}

#[test]
fn a_stopped_cluster_takes_no_nodes_or_never_starts_them() {
    let bench = Bench::new();
    let body = json!({"requestId": "a", "sets": [{"nodearray": "gpu", "count": 1}]});
    assert_eq!(
        bench.post("/clusters/parked/nodes/create", &body).status,
        409
    );
    bench.configure(&json!({"create_on_stopped": 202}));
    assert_eq!(
        bench.post("/clusters/parked/nodes/create", &body).status,
        202
    );
    bench.pass(10_000);
    let seen = bench.get("/clusters/parked/nodes?request_id=a");
    assert_eq!(seen.body["nodes"][0]["Status"], "Acquiring");
}

#[test]
fn another_image_keeps_a_node_out_of_the_scale_set() {
    let bench = Bench::new();
    bench.create("a", 1);
    let set = |image: &str| json!({"nodearray": "gpu", "count": 1, "nodeAttributes": {"ImageName": image}});
    bench.create_set("b", &set("ubuntu22-hpc"));
    bench.create_set("c", &set("almalinux8-hpc"));
    bench.start();
    let stuck = &bench.nodes("b")[0];
    assert_eq!(
        (words(stuck).1, &stuck["InstanceId"]),
        ("Acquiring", &Value::Null)
    );
    assert_eq!(
        stuck["StatusMessage"],
        "This node does not match existing scaleset attributes: ImageName"
    );
    assert_eq!(words(&bench.nodes("c")[0]).1, "Ready");
}

#[test]
fn scaling_adds_what_is_missing_once() {
    let bench = Bench::new();
    let scale = |query: &str| bench.post(&format!("/clusters/lab/scale/gpu?{query}"), &json!({}));
    bench.create("a", 2);
    let seen = scale("totalNodeCount=5");
    assert_eq!(
        (seen.status, &seen.body["sets"]),
        (202, &json!([{"added": 3}]))
    );
    assert!(seen.header(LOCATION).starts_with("/operations/"));
    assert_eq!(
        scale("totalNodeCount=4").body["sets"],
        json!([{"added": 0}])
    );
    assert_eq!(
        scale("totalCoreCount=31").body["sets"],
        json!([{"added": 1}])
    );
    assert_eq!(scale("totalCoreCount=31&totalNodeCount=9").status, 409);
    assert_eq!(scale("").status, 409);
    assert_eq!(scale("totalNodeCount=x").status, 409);
    let seen = bench.post("/clusters/lab/scale/tpu?totalNodeCount=1", &json!({}));
    assert_eq!(seen.status, 409);
}
