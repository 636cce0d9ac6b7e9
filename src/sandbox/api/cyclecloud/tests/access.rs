//! Who is let in, and where (§2 and §11, 1, 2 and 10).

use super::*;

#[test]
fn without_credentials_only_the_metadata_is_told() {
    let bench = Bench::new();
    for target in ["/clusters/lab/status", "/operations/", "/no/such/path"] {
        let seen = bench.send_as(None, "GET", target, "");
        assert_eq!(seen.status, 401);
        assert_eq!(seen.header(WWW_AUTHENTICATE), "Basic realm=\"CycleCloud\"");
        assert_eq!(seen.body["Code"], 401);
    }
    let seen = bench.send_as(None, "GET", "/ui/metadata", "");
    assert_eq!(
        (seen.status, &seen.body["entra"]["enabled"]),
        (200, &json!(false))
    );
}

#[test]
fn wrong_passwords_lock_the_account_for_the_right_one_too() {
    let bench = Bench::new();
    let wrong = Bench::basic("ops", "wrong");
    for _ in 0..5 {
        let seen = bench.send_as(Some(&wrong), "GET", "/operations/", "");
        assert_eq!(
            (seen.status, seen.message()),
            (401, "Authentication failed")
        );
    }
    let seen = bench.get("/operations/");
    assert_eq!((seen.status, seen.message()), (401, "account locked"));
    bench.pass(300);
    assert_eq!(bench.get("/operations/").status, 200);
}

#[test]
fn the_lock_out_can_be_made_shorter() {
    let bench = Bench::new();
    bench.configure(&json!({"lockout_failures": 2, "lockout_s": 10.0}));
    let wrong = Bench::basic("ops", "wrong");
    for _ in 0..2 {
        bench.send_as(Some(&wrong), "GET", "/operations/", "");
    }
    assert_eq!(bench.get("/operations/").status, 401);
    bench.pass(10);
    assert_eq!(bench.get("/operations/").status, 200);
}

#[test]
fn a_bearer_token_is_good_only_with_entra() {
    let bench = Bench::new();
    let bearer = format!("Bearer {}", bench.service.credentials().token.expose());
    let status = |bench: &Bench| {
        bench
            .send_as(Some(&bearer), "GET", "/operations/", "")
            .status
    };
    assert_eq!(status(&bench), 401);
    bench.configure(&json!({"entra": true}));
    assert_eq!(status(&bench), 200);
    assert_eq!(bench.get("/operations/").status, 200);
    let metadata = bench.get("/ui/metadata").body;
    assert_eq!(metadata["entra"]["enabled"], true);
    assert!(metadata["entra"]["clientId"].is_string());
}

#[test]
fn unknown_clusters_paths_and_methods_are_told_apart() {
    let bench = Bench::new();
    for target in [
        "/clusters/nowhere/status",
        "/clusters/nowhere/nodes",
        "/clusters/nowhere/usage",
        "/operations/nothing",
        "/",
        "/api/clusters/lab/status",
    ] {
        let seen = bench.get(target);
        assert_eq!(
            (seen.status, &seen.body["Code"]),
            (404, &json!(404)),
            "{target}"
        );
        assert_eq!(seen.body.as_object().unwrap().len(), 4);
    }
    let seen = bench.get("/clusters/lab/nodes/create");
    assert_eq!((seen.status, seen.header(ALLOW)), (405, "POST".to_owned()));
}

#[test]
fn another_users_cluster_is_not_found_or_forbidden() {
    let bench = Bench::new();
    assert_eq!(bench.get("/clusters/foreign/status").status, 404);
    bench.configure(&json!({"foreign_cluster": 403}));
    assert_eq!(bench.get("/clusters/foreign/status").status, 403);
    let credentials = bench.service.credentials();
    let other = Bench::basic(
        &credentials.other_username,
        credentials.other_password.expose(),
    );
    let seen = bench.send_as(Some(&other), "GET", "/clusters/foreign/status", "");
    assert_eq!(seen.status, 200);
    let seen = bench.send_as(Some(&other), "GET", "/clusters/lab/nodes", "");
    assert_eq!(seen.status, 403);
}

#[test]
fn another_user_does_not_see_operations() {
    let bench = Bench::new();
    bench.create("a", 1);
    let credentials = bench.service.credentials();
    let other = Bench::basic(
        &credentials.other_username,
        credentials.other_password.expose(),
    );
    let seen = bench.send_as(Some(&other), "GET", "/operations/?request_id=a", "");
    assert_eq!(seen.body, json!([]));
}

#[test]
fn under_a_context_path_the_root_serves_nothing() {
    let bench = Bench::new();
    bench.configure(&json!({"context_path": "/cyclecloud"}));
    assert_eq!(bench.get("/operations/").status, 404);
    assert_eq!(bench.get("/cyclecloud/operations/").status, 200);
    let seen = bench.post(
        "/cyclecloud/clusters/lab/nodes/create",
        &json!({"sets": [{"nodearray": "gpu", "count": 1}]}),
    );
    let id = seen.body["operationId"].as_str().unwrap();
    assert_eq!(
        seen.header(LOCATION),
        format!("/cyclecloud/operations/{id}")
    );
}
