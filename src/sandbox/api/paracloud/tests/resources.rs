//! Namespaces, types, volumes and the shape of a created group.

use super::*;

#[test]
fn every_create_of_a_namespace_makes_a_new_one() {
    let bench = Bench::new();
    let first = bench.send("POST", "namespaces", "{}");
    let second = bench.send("POST", "namespaces", "{}");
    assert_eq!((first.status, second.status), (201, 201));
    let listed = bench.send("GET", "namespaces", "").body;
    assert_eq!(
        listed,
        json!({"namespaces": [
            {"id": bench.credentials.namespace},
            {"id": first.body["id"]},
            {"id": second.body["id"]},
        ]})
    );
    for id in [&first.body["id"], &second.body["id"]] {
        let id = id.as_str().unwrap();
        assert_eq!(id.len(), 6);
        assert!(
            id.chars()
                .all(|symbol| "bcdfghjklmnpqrstvwxz2456789".contains(symbol))
        );
        let gone = bench.send("DELETE", &format!("namespaces/{id}"), "");
        assert_eq!((gone.status, gone.text.as_str()), (204, ""));
    }
    assert_eq!(
        bench.send("POST", "namespaces", r#"{"name":"x"}"#).status,
        400
    );
    assert_eq!(bench.send("POST", "namespaces", "").status, 400);
}

#[tokio::test]
async fn a_namespace_that_holds_something_stays() {
    let bench = Bench::new();
    let path = format!("namespaces/{}", bench.credentials.namespace);
    let volume = bench
        .send("POST", &bench.place("NC-N30/volumes"), "{}")
        .body["id"]
        .clone();
    let refused = bench.send("DELETE", &path, "");
    assert_eq!(refused.status, 409);
    let volume = bench.place(&format!("NC-N30/volumes/{}", volume.as_str().unwrap()));
    assert_eq!(bench.send("DELETE", &volume, "").status, 204);
    let id = bench.run(&["true"]);
    assert_eq!(bench.send("DELETE", &path, "").status, 409);
    bench.cancel(&id);
    assert_eq!(bench.send("DELETE", &path, "").status, 204);
    assert_eq!(bench.send("GET", &bench.group(&id), "").status, 404);
}

#[test]
fn types_are_listed_of_all_clusters_or_of_one() {
    let bench = Bench::new();
    let all = bench.send("GET", "clusters/-/instanceTypes", "").body;
    let one = bench
        .send("GET", "clusters/BSCC-N32-H/instanceTypes", "")
        .body;
    assert_eq!(all["instanceTypes"].as_array().unwrap().len(), 6);
    let ids: Vec<&str> = one["instanceTypes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| entry["id"].as_str().unwrap())
        .collect();
    assert_eq!(ids, ["n32h.xlarge", "n32h.2xlarge"]);
    assert_eq!(
        one["instanceTypes"][0],
        json!({
            "id": "n32h.xlarge", "clusterID": "BSCC-N32-H",
            "cpu": {"cores": 32, "model": "KUNPENG920"},
            "memory": {"sizeGB": 55}, "gpu": {"count": 1, "model": "A100-PCIE-40G"},
        })
    );
}

#[test]
fn a_volumes_password_is_told_once_and_only_if_asked_for() {
    let bench = Bench::new();
    let path = bench.place("NC-N30/volumes");
    let created = bench.send("POST", &path, r#"{"service":{}}"#).body;
    let id = created["id"].as_str().unwrap();
    let service = &created["service"];
    assert_eq!(
        service["username"],
        format!("{}-ncn30-{id}", bench.credentials.namespace)
    );
    assert_eq!(service["password"].as_str().unwrap().len(), 32);
    assert_eq!(service["address"]["webdav"], "http://127.0.0.1:4711/webdav");
    let plain = bench.send("POST", &path, "{}").body;
    assert!(plain.get("service").is_none());
    let listed = bench.send("GET", &bench.place("-/volumes"), "");
    assert!(!listed.text.contains(service["password"].as_str().unwrap()));
    assert_eq!(
        listed.body["volumes"],
        json!([
            {"id": id, "clusterID": "NC-N30", "namespaceID": bench.credentials.namespace},
            {"id": plain["id"], "clusterID": "NC-N30", "namespaceID": bench.credentials.namespace},
        ])
    );
    let elsewhere = bench.send("GET", &bench.place("NC-N40/volumes"), "").body;
    assert_eq!(elsewhere, json!({"volumes": []}));
}

#[test]
fn a_volume_with_an_unknown_member_or_in_no_cluster_is_refused() {
    let bench = Bench::new();
    let path = bench.place("NC-N30/volumes");
    let seen = bench.send("POST", &path, r#"{"size":"10GB"}"#);
    assert_eq!(seen.status, 400);
    assert!(seen.text.contains("size"));
    assert_eq!(
        bench
            .send("POST", &bench.place("NOWHERE/volumes"), "{}")
            .status,
        404
    );
}

#[tokio::test]
async fn a_mounted_volume_cannot_be_deleted_until_the_group_has_ended() {
    let bench = Bench::new();
    let volume = bench
        .send("POST", &bench.place("NC-N30/volumes"), "{}")
        .body["id"]
        .clone();
    let id = bench.submit(&json!({
        "image": "a", "command": ["true"],
        "volumeMounts": [{"name": volume, "mountPath": "/d"}],
    }));
    let path = bench.place(&format!("NC-N30/volumes/{}", volume.as_str().unwrap()));
    assert_eq!(bench.send("DELETE", &path, "").status, 409);
    bench.start(&id);
    bench.ended(&id).await;
    assert_eq!(bench.send("DELETE", &path, "").status, 204);
    assert_eq!(bench.send("DELETE", &path, "").status, 404);
}

#[test]
fn a_created_group_echoes_the_request_and_adds_its_own() {
    let bench = Bench::new();
    let container = json!({
        "name": "bert-q4w7z", "image": "pytorch/pytorch:2.1.0", "command": ["env", "EPOCHS=3", "true"],
    });
    let created = bench.create(&container).body;
    assert_eq!(created["id"].as_str().unwrap().len(), 8);
    assert_eq!(
        created,
        json!({
            "id": created["id"], "clusterID": "NC-N30",
            "namespaceID": bench.credentials.namespace, "instanceType": "n30.xlarge",
            "containers": [container], "userID": "1024",
            "status": {"state": "Pending", "reason": "Creating"},
        })
    );
}

#[test]
fn the_wildcard_cluster_is_chosen_by_the_type_and_told() {
    let bench = Bench::new();
    let body = json!({"instanceType": "n32h.2xlarge", "containers": [{"image": "a"}]}).to_string();
    let created = bench.send("POST", &bench.place("-/containerGroups"), &body);
    assert_eq!(created.status, 201);
    assert_eq!(created.body["clusterID"], "BSCC-N32-H");
    let there = bench
        .send("GET", &bench.place("BSCC-N32-H/containerGroups"), "")
        .body;
    assert_eq!(there["containerGroups"][0]["id"], created.body["id"]);
    let elsewhere = bench
        .send("GET", &bench.place("NC-N30/containerGroups"), "")
        .body;
    assert_eq!(elsewhere, json!({"containerGroups": []}));
}

#[test]
fn ids_follow_the_seed_and_secrets_do_not() {
    let (first, second) = (Bench::new(), Bench::new());
    assert_eq!(first.credentials.namespace, second.credentials.namespace);
    assert_ne!(first.credentials.token, second.credentials.token);
    let token = first.credentials.token.expose();
    let (symbols, number) = token.rsplit_once('-').unwrap();
    assert_eq!((symbols.len(), number.len()), (43, 9));
}

#[test]
fn requests_and_jobs_are_counted() {
    let bench = Bench::new();
    bench.run(&["true"]);
    bench.send("GET", "namespaces", "");
    bench.send("GET", "namespaces", "");
    bench.send("GET", "nothing", "");
    bench.send_raw("GET", "/", HeaderMap::new(), "");
    let summary = bench.service.summary();
    assert_eq!(summary["jobs"], json!({"pending": 1}));
    assert_eq!(
        summary["requests"],
        json!({"CreateContainerGroup": 1, "ListNamespaces": 2, "Unauthenticated": 1, "Unknown": 1})
    );
}
