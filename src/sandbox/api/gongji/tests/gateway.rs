use jiff::SignedDuration;
use rstest::rstest;
use serde_json::{Value, json};

use super::bench::{Bench, set};
use crate::sandbox::service::Service;

const LIST: &str = "/api/task/job/search?page=1&page_size=20";

#[test]
fn a_signed_request_is_answered_in_an_envelope() {
    let bench = Bench::new();
    let answer = bench.send(&bench.request("GET", LIST, ""));
    assert_eq!(answer.status, 200);
    assert_eq!(
        answer.body,
        json!({ "code": "0000", "message": "success", "data": { "count": 0, "results": [] } })
    );
    assert_eq!(answer.headers["date"], "Sun, 10 May 2026 03:15:02 GMT");
}

#[rstest]
#[case::token("token", "nobody", "C003", "token invalid", 401)]
#[case::timestamp("timestamp", "1778382", "C001", "timestamp invalid or expired", 401)]
#[case::version("version", "2.0.0", "C002", "version not supported", 401)]
#[case::signature("sign_str", "AAAA", "C004", "sign verification failed", 401)]
fn a_refusal_is_an_envelope_in_200_and_a_switch_maps_it(
    #[case] header: &str,
    #[case] value: &str,
    #[case] code: &str,
    #[case] message: &str,
    #[case] status: u16,
) {
    let bench = Bench::new();
    let mut request = bench.request("GET", LIST, "");
    set(&mut request, header, value);
    let answer = bench.send(&request);
    assert_eq!((answer.refusal(), answer.message()), ((200, code), message));
    bench.configure(&json!({ "http_status": "mapped" }));
    assert_eq!(bench.send(&request).refusal(), (status, code));
}

#[test]
fn the_method_is_held_by_the_route_and_the_path_by_the_signature() {
    let bench = Bench::new();
    let posted = bench.raw(&bench.request("POST", "/api/task/job/search", "{}"));
    assert_eq!(posted.status.as_u16(), 405);
    let unknown = bench.raw(&bench.request("GET", "/api/task/job/pause?task_id=1", ""));
    assert_eq!(unknown.status.as_u16(), 404);
    assert!(serde_json::from_slice::<Value>(&unknown.body).is_err());
    let bare = bench.raw(&bench.request("GET", "/task/job/search", ""));
    assert_eq!(bare.status.as_u16(), 404);
    let mut moved = bench.request("GET", LIST, "");
    moved.target = LIST.replace("search", "detail");
    assert_eq!(bench.send(&moved).refusal(), (200, "C004"));
}

#[test]
fn a_clock_that_is_off_is_refused_and_the_date_tells_it() {
    let bench = Bench::new();
    let request = bench.request("GET", LIST, "");
    bench
        .clock
        .set_skew(SignedDuration::from_secs(301))
        .unwrap();
    let answer = bench.send(&request);
    assert_eq!(answer.refusal(), (200, "C001"));
    assert_eq!(answer.headers["date"], "Sun, 10 May 2026 03:20:03 GMT");
}

#[test]
fn keys_are_used_as_they_were_made() {
    let bench = Bench::new();
    let credentials = bench.service.credentials();
    let simple = Bench::simple("GET", LIST, "", credentials.simple_token.expose());
    assert_eq!(bench.send(&simple).code(), "0000");
    // The token of an RSA key without a signature, and a simple token with one.
    let unsigned = Bench::simple("GET", LIST, "", credentials.token.expose());
    assert_eq!(bench.send(&unsigned).refusal(), (200, "C001"));
    let mut signed = bench.request("GET", LIST, "");
    set(&mut signed, "token", credentials.simple_token.expose());
    assert_eq!(bench.send(&signed).refusal(), (200, "C004"));
    bench.configure(&json!({ "ignore_needless_signature": true }));
    assert_eq!(bench.send(&signed).code(), "0000");
}

#[test]
fn wrong_ways_to_sign_a_get_are_let_in_only_by_a_switch() {
    let bench = Bench::new();
    let mut object = bench.request("GET", LIST, "{}");
    object.body = bytes::Bytes::new();
    let mut path = bench.request("GET", "/api/task/job/search", "");
    LIST.clone_into(&mut path.target);
    for (request, word) in [(object, "empty-object-body"), (path, "path-only")] {
        assert_eq!(bench.send(&request).refusal(), (200, "C004"));
        bench.configure(&json!({ "accept_signatures": [word] }));
        assert_eq!(bench.send(&request).code(), "0000");
        bench.configure(&json!({ "accept_signatures": [] }));
    }
}

#[test]
fn another_tenant_sees_nothing_of_this_one() {
    let bench = Bench::new();
    let id = bench.create(&bench.job("true"));
    let other = bench.service.credentials().other_token.expose().to_owned();
    let ask = |target: &str| bench.send(&Bench::simple("GET", target, "", &other));
    let detail = format!("/api/task/job/detail?task_id={id}");
    assert_eq!(ask(&detail).refusal(), (200, "C007"));
    assert_eq!(ask(LIST).data()["count"], 0);
    assert_eq!(
        ask("/api/storage/get_storage?storage_type=Juicefs").data()["count"],
        0
    );
    assert_eq!(ask("/api/storage/nas/v1/list").data()["count"], 0);
    let stop = json!({ "task_id": id }).to_string();
    let stopped = bench.send(&Bench::simple("POST", "/api/task/job/stop", &stop, &other));
    assert_eq!(stopped.refusal(), (200, "C007"));
}

#[rstest]
#[case::unknown("page=1&page_size=20&pagesize=3", "unknown parameter `pagesize`")]
#[case::twice("page=1&page=2", "given twice")]
#[case::number("page=one", "must be an integer")]
#[case::zero("page=0&page_size=1", "1 or more")]
#[case::word("status=Running,Completed", "`Completed`")]
#[case::case_of_words("group_task=True", "`True`")]
#[case::escape("search_value=%zz", "percent-encoded")]
fn a_wrong_parameter_is_named(#[case] query: &str, #[case] named: &str) {
    let bench = Bench::new();
    let answer = bench.get(&format!("task/job/search?{query}"));
    assert_eq!(answer.refusal(), (200, "C006"));
    assert!(answer.message().starts_with("parameter error: "));
    assert!(answer.message().contains(named), "{}", answer.message());
}

#[test]
fn bodies_have_a_type_and_belong_to_posts() {
    let bench = Bench::new();
    let with_body = bench.request("GET", LIST, "{}");
    assert_eq!(bench.send(&with_body).refusal(), (200, "C006"));
    for (kind, body) in [
        ("text/plain", "{\"task_id\":1}"),
        ("application/json", "[]"),
    ] {
        let mut request = bench.request("POST", "/api/task/job/stop", body);
        set(&mut request, "content-type", kind);
        assert_eq!(bench.send(&request).refusal(), (200, "C006"), "{kind}");
    }
    bench.configure(&json!({ "http_status": "mapped" }));
    let missing = bench.post("task/job/stop", &json!({ "task_id": 1 }));
    assert_eq!(missing.refusal(), (404, "C007"));
}

#[test]
fn encrypted_operations_want_an_rsa_key() {
    let bench = Bench::new();
    let path = "/api/storage/encrypt/create";
    let simple = bench.service.credentials().simple_token.expose().to_owned();
    let answer = bench.send(&Bench::simple("POST", path, "AAAA", &simple));
    assert_eq!(
        (answer.refusal(), answer.message()),
        ((200, "C005"), "decrypt failed")
    );
    let answer = bench.raw(&bench.request("POST", path, "AAAA"));
    assert_eq!(answer.status.as_u16(), 501);
}

#[test]
fn tokens_are_fresh_for_every_run_and_have_the_vendors_shape() {
    let (one, two) = (Bench::new(), Bench::new());
    let token = |bench: &Bench| bench.service.credentials().token.expose().to_owned();
    assert_ne!(token(&one), token(&two));
    let token = token(&one);
    let (uuid, digits) = token.rsplit_once('-').unwrap();
    assert!(uuid::Uuid::parse_str(uuid).is_ok(), "{uuid}");
    assert_eq!(digits, "20260510111502");
    let key = one.service.credentials().private_key.clone();
    assert!(key.expose().starts_with("-----BEGIN PRIVATE KEY-----\n"));
    assert!(!format!("{:?}", one.service).contains(&token));
    assert_eq!(one.service.backend(), "gongji");
}
