//! What the service refuses, and in whose words: credentials, routes, forms, members, values.

use rstest::rstest;

use super::*;

#[test]
fn without_a_known_token_every_path_is_401() {
    let bench = Bench::new();
    for target in ["/api/v1beta2/namespaces", "/anything", "/"] {
        let seen = bench.send_raw("GET", target, HeaderMap::new(), "");
        assert_eq!(seen.status, 401);
        assert_eq!(seen.body, json!({"code": 401, "message": "unauthorized"}));
    }
    let seen = bench.send_as(&Secret::new("wrong"), "GET", "namespaces", "");
    assert_eq!(seen.status, 401);
}

#[rstest]
#[case("GET", "/api/v1rc1/namespaces", 404, "404: Page Not Found")]
#[case("GET", "/api/v1beta2/namespaces/", 404, "404: Page Not Found")]
#[case("PATCH", "/api/v1beta2/namespaces", 405, "405: Method Not Allowed")]
fn unknown_routes_and_methods_are_plain_text(
    #[case] method: &str,
    #[case] target: &str,
    #[case] status: u16,
    #[case] text: &str,
) {
    let bench = Bench::new();
    let mut headers = HeaderMap::new();
    let value = format!("Bearer {}", bench.credentials.token.expose());
    headers.insert(AUTHORIZATION, HeaderValue::from_str(&value).unwrap());
    let seen = bench.send_raw(method, target, headers.clone(), "");
    assert_eq!((seen.status, seen.text.as_str()), (status, text));
    assert!(seen.content_type.starts_with("text/plain"));
    assert_eq!(seen.headers["connection"], "close");
    bench.configure(&json!({"error_pages": "html"}));
    let seen = bench.send_raw(method, target, headers, "");
    assert_eq!(seen.status, status);
    assert!(seen.content_type.starts_with("text/html") && seen.text.starts_with("<!DOCTYPE"));
}

#[tokio::test]
async fn an_encoded_colon_and_a_plain_delete_cancel_nothing() {
    let bench = Bench::new();
    let id = bench.run(&["true"]);
    let group = bench.group(&id);
    let encoded = bench.send("DELETE", &format!("{group}%3Acancel"), "");
    assert_eq!(encoded.status, 404);
    let plain = bench.send("DELETE", &group, "");
    assert_eq!(plain.status, 405);
    assert_eq!(plain.headers["allow"], "GET");
    assert_eq!(bench.state(&id), "Pending");
}

#[test]
fn a_post_without_the_json_type_is_415() {
    let bench = Bench::new();
    let value = format!("Bearer {}", bench.credentials.token.expose());
    let send = |content_type: Option<&'static str>| {
        let mut headers = HeaderMap::new();
        headers.insert(AUTHORIZATION, HeaderValue::from_str(&value).unwrap());
        if let Some(content_type) = content_type {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
        }
        bench
            .send_raw("POST", "/api/v1beta2/namespaces", headers, "{}")
            .status
    };
    assert_eq!(send(None), 415);
    assert_eq!(send(Some("text/plain")), 415);
    assert_eq!(send(Some("application/json; charset=utf-8")), 201);
    bench.configure(&json!({"check_content_type": false}));
    assert_eq!(send(None), 201);
}

#[test]
fn parameters_and_bodies_that_no_call_has_are_refused() {
    let bench = Bench::new();
    let seen = bench.send("GET", "namespaces?page_size=5", "");
    assert_eq!(seen.status, 400);
    assert!(seen.text.contains("page_size"));
    assert_eq!(bench.send("GET", "namespaces", "{}").status, 400);
    bench.configure(&json!({"lenient": true}));
    assert_eq!(
        bench.send("GET", "namespaces?page_size=5", "{}").status,
        200
    );
}

#[rstest]
#[case("DELETE", "namespaces/-")]
#[case("GET", "namespaces/-/clusters/-/volumes")]
#[case("GET", "namespaces/-/clusters/-/containerGroups")]
#[case("POST", "namespaces/NS/clusters/-/volumes")]
#[case("DELETE", "namespaces/NS/clusters/-/volumes/x7m4tzb9")]
#[case("GET", "namespaces/NS/clusters/-/containerGroups/p6vd2hcn")]
#[case("DELETE", "namespaces/NS/clusters/-/containerGroups/p6vd2hcn:cancel")]
fn undocumented_wildcards_are_400(#[case] method: &str, #[case] path: &str) {
    let bench = Bench::new();
    let path = path.replace("NS", &bench.credentials.namespace);
    let body = if method == "POST" { "{}" } else { "" };
    let seen = bench.send(method, &path, body);
    assert_eq!(seen.status, 400, "{}", seen.text);
    assert_eq!(seen.body["code"], 400);
}

#[rstest]
#[case(
    "GET",
    "namespaces/zzzzzz/clusters/-/volumes",
    "namespace zzzzzz not found"
)]
#[case("DELETE", "namespaces/zzzzzz", "namespace zzzzzz not found")]
#[case(
    "GET",
    "namespaces/NS/clusters/nc-n30/volumes",
    "cluster nc-n30 not found"
)]
#[case("GET", "clusters/nc-n30/instanceTypes", "cluster nc-n30 not found")]
#[case(
    "DELETE",
    "namespaces/NS/clusters/NC-N30/volumes/zzzzzzzz",
    "volume zzzzzzzz not found"
)]
#[case(
    "GET",
    "namespaces/NS/clusters/NC-N30/containerGroups/zzzzzzzz",
    "container group zzzzzzzz not found"
)]
fn what_does_not_exist_is_404_in_json(
    #[case] method: &str,
    #[case] path: &str,
    #[case] message: &str,
) {
    let bench = Bench::new();
    let path = path.replace("NS", &bench.credentials.namespace);
    let seen = bench.send(method, &path, "");
    assert_eq!(seen.status, 404);
    assert_eq!(seen.body, json!({"code": 404, "message": message}));
}

#[rstest]
#[case::no_type(json!({"containers": [{"image": "a"}]}), "instanceType")]
#[case::unknown_type(json!({"instanceType": "n99", "containers": [{"image": "a"}]}), "n99")]
#[case::elsewhere(json!({"instanceType": "n32h.xlarge", "containers": [{"image": "a"}]}), "not in cluster NC-N30")]
#[case::no_container(json!({"instanceType": "n30.xlarge", "containers": []}), "containers")]
#[case::no_containers(json!({"instanceType": "n30.xlarge"}), "containers")]
#[case::no_image(json!({"instanceType": "n30.xlarge", "containers": [{"name": "a"}]}), "image")]
#[case::env(json!({"instanceType": "n30.xlarge", "containers": [{"image": "a", "env": {}}]}), "containers[0].env")]
#[case::restart(json!({"instanceType": "n30.xlarge", "containers": [{"image": "a"}], "restartPolicy": "Never"}), "restartPolicy")]
#[case::volume(json!({"instanceType": "n30.xlarge", "containers": [{"image": "a", "volumeMounts": [{"name": "zzzzzzzz", "mountPath": "/d"}]}]}), "unknown volume zzzzzzzz")]
#[case::label(json!({"instanceType": "n30.xlarge", "containers": [{"name": "a-name-that-is-much-too-long-for-one-label", "image": "a", "ports": [{"name": "ui", "https": {}}]}]}), "more than 63")]
fn a_group_that_cannot_be_is_400(#[case] body: Value, #[case] named: &str) {
    let bench = Bench::new();
    let path = bench.place("NC-N30/containerGroups");
    let seen = bench.send("POST", &path, &body.to_string());
    assert_eq!(seen.status, 400);
    assert!(
        seen.body["message"].as_str().unwrap().contains(named),
        "{}",
        seen.text
    );
    let listed = bench.send("GET", &path, "");
    assert_eq!(listed.body, json!({"containerGroups": []}));
}

#[test]
fn a_long_name_without_https_needs_no_label() {
    let bench = Bench::new();
    let seen = bench.create(&json!({
        "name": "a-name-that-is-much-too-long-for-one-label", "image": "a", "ports": [{"name": "ui"}],
    }));
    assert_eq!(seen.status, 201);
}

#[test]
fn volumes_bind_a_group_to_their_cluster() {
    let bench = Bench::new();
    let volume = bench
        .send("POST", &bench.place("BSCC-N32-H/volumes"), "{}")
        .body["id"]
        .clone();
    let container = json!({"image": "a", "volumeMounts": [{"name": volume, "mountPath": "/d"}]});
    let seen = bench.create(&container);
    assert_eq!(seen.status, 400);
    assert!(seen.text.contains("BSCC-N32-H"));
    let body = json!({"instanceType": "n32h.xlarge", "containers": [container]}).to_string();
    let anywhere = bench.send("POST", &bench.place("-/containerGroups"), &body);
    assert_eq!(anywhere.status, 400);
    let there = bench.send("POST", &bench.place("BSCC-N32-H/containerGroups"), &body);
    assert_eq!(there.status, 201);
}

#[tokio::test]
async fn another_user_sees_nothing() {
    let bench = Bench::new();
    let id = bench.run(&["true"]);
    let other = &bench.credentials.other_token;
    let namespaces = bench.send_as(other, "GET", "namespaces", "").body;
    assert_eq!(
        namespaces,
        json!({"namespaces": [{"id": bench.credentials.other_namespace}]})
    );
    let cancel = format!("{}:cancel", bench.group(&id));
    for (method, path, body) in [
        ("GET", bench.group(&id), ""),
        ("GET", bench.place("-/containerGroups"), ""),
        ("DELETE", cancel, ""),
        ("POST", bench.place("NC-N30/volumes"), "{}"),
        (
            "DELETE",
            format!("namespaces/{}", bench.credentials.namespace),
            "",
        ),
    ] {
        assert_eq!(
            bench.send_as(other, method, &path, body).status,
            404,
            "{path}"
        );
        bench.configure(&json!({"foreign_namespace": 403}));
        assert_eq!(
            bench.send_as(other, method, &path, body).status,
            403,
            "{path}"
        );
        bench.configure(&json!({"foreign_namespace": 404}));
    }
    assert_eq!(bench.state(&id), "Pending");
}

#[test]
fn tokens_can_expire_by_calls_and_by_time() {
    let bench = Bench::new();
    let status = || bench.send("GET", "namespaces", "").status;
    bench.configure(&json!({"token_expires_after_calls": 2}));
    assert_eq!([status(), status(), status()], [200, 200, 401]);
    bench.configure(&json!({"token_expires_after_calls": null, "token_expires_after_s": 30.0}));
    assert_eq!(status(), 200);
    bench.pass(30);
    assert_eq!(status(), 401);
    bench.configure(&json!({"token_expires_after_s": null, "forbidden": true}));
    assert_eq!(status(), 403);
}
