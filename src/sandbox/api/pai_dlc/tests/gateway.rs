use http::HeaderValue;
use jiff::SignedDuration;

use super::bench::{Bench, HOST, Signer, sign};
use crate::sandbox::service::RawRequest;

fn list(bench: &Bench) -> RawRequest {
    bench.request(&bench.own(), "GET", "/api/v1/jobs?WorkspaceId=310042", "")
}

#[test]
fn a_signed_request_gets_an_answer_with_a_request_id() {
    let bench = Bench::new();
    let answer = bench.send(&list(&bench));
    assert_eq!(answer.status, 200, "{}", answer.body);
    let id = answer.text("RequestId");
    assert_eq!(id.len(), 36);
    assert_eq!(id, id.to_uppercase());
    assert_eq!(answer.headers["x-acs-request-id"], id);
    assert_eq!(
        answer.headers["content-type"],
        "application/json;charset=utf-8"
    );
    let second = bench.send(&list(&bench));
    assert_ne!(second.text("RequestId"), id);
}

#[test]
fn a_wrong_secret_gets_the_gateways_error_with_both_strings() {
    let bench = Bench::new();
    let mut signer = bench.own();
    signer.secret.push('x');
    let answer = bench.send(&bench.request(&signer, "GET", "/api/v1/jobs", ""));
    assert_eq!(answer.refusal(), (400, "SignatureDoesNotMatch"));
    assert_eq!(answer.text("HostId"), HOST);
    assert!(
        answer
            .text("Message")
            .contains("server CanonicalRequest is [GET\n/api/v1/jobs\n")
    );
    assert!(answer.text("Recommend").starts_with(
        "https://api.aliyun.com/troubleshoot?q=SignatureDoesNotMatch&product=pai-dlc&requestId="
    ));
    let answer = bench.send(&bench.request(&signer, "GET", "/api/v1/workspaces", ""));
    assert!(answer.text("Recommend").contains("&product=AIWorkSpace&"));
}

#[test]
fn errors_of_the_product_have_no_host() {
    let bench = Bench::new();
    let answer = bench.get("/api/v1/jobs/dlcnosuchjob0000");
    assert_eq!(answer.refusal(), (404, "NotFound"));
    assert_eq!(answer.text("Message"), "Job dlcnosuchjob0000 is not found.");
    assert!(answer.body.get("HostId").is_none());
    assert!(answer.body.get("Recommend").is_none());
}

#[test]
fn a_nonce_serves_once_and_a_forged_request_burns_none() {
    let bench = Bench::new();
    let good = list(&bench);
    let mut forged = good.clone();
    forged.target.push('0');
    assert_eq!(
        bench.send(&forged).refusal(),
        (400, "SignatureDoesNotMatch")
    );
    assert_eq!(bench.send(&good).status, 200);
    assert_eq!(bench.send(&good).refusal(), (400, "SignatureNonceUsed"));
    // The same nonce of another key is another pair.
    let mut other = good.clone();
    sign(&mut other, &bench.colleague());
    assert_eq!(bench.send(&other).status, 200);
}

#[test]
fn the_signature_is_looked_at_before_the_path() {
    let bench = Bench::new();
    let mut unsigned = bench.request(&bench.own(), "GET", "/api/v1/nothing", "");
    let signed = unsigned.clone();
    unsigned.headers.remove("authorization");
    assert_eq!(
        bench.send(&unsigned).refusal(),
        (400, "IncompleteSignature")
    );
    let answer = bench.send(&signed);
    assert_eq!(answer.refusal(), (404, "InvalidApi.NotFound"));
    assert_eq!(
        answer.text("Message"),
        "Specified api is not found, please check your url and method."
    );
}

#[test]
fn other_verbs_and_paths_are_unknown() {
    let bench = Bench::new();
    for (method, path) in [
        ("PUT", "/api/v1/jobs/dlc1k2m3n4p5q6r7/stop"),
        ("GET", "/api/v1/jobs/dlc1k2m3n4p5q6r7/stop"),
        ("PATCH", "/api/v1/jobs/dlc1k2m3n4p5q6r7"),
        ("GET", "/api/v1/jobs/"),
        ("GET", "/api/v1/jobs/a/b"),
        ("GET", "/api/v1/defaultworkspaces"),
        ("GET", "/api/v1/tensorboards"),
        ("GET", "/"),
    ] {
        let answer = bench.call(method, path, None);
        assert_eq!(answer.refusal(), (404, "InvalidApi.NotFound"), "{path}");
    }
}

#[test]
fn version_and_action_must_fit_the_path() {
    let bench = Bench::new();
    let changed = |name: &'static str, value: &'static str| {
        let mut request = list(&bench);
        request
            .headers
            .insert(name, HeaderValue::from_static(value));
        sign(&mut request, &bench.own());
        bench.send(&request)
    };
    assert_eq!(
        changed("x-acs-version", "2021-02-04").refusal(),
        (400, "InvalidVersion")
    );
    assert_eq!(
        changed("x-acs-action", "GetJob").refusal(),
        (404, "InvalidApi.NotFound")
    );
}

#[test]
fn each_kind_of_key_is_treated_as_what_it_is() {
    let bench = Bench::new();
    let credentials = bench.service.credentials();
    let code = |signer: &Signer| {
        let answer = bench.send(&bench.request(signer, "GET", "/api/v1/jobs", ""));
        (
            answer.status,
            answer.body["Code"].as_str().unwrap_or("").to_owned(),
        )
    };
    let temporary = Signer::temporary(&credentials.temporary);
    assert_eq!(code(&bench.own()).0, 200);
    assert_eq!(code(&bench.colleague()).0, 200);
    assert_eq!(code(&temporary).0, 200);
    for (signer, status, wanted) in [
        (
            Signer {
                id: credentials.disabled.id.clone(),
                secret: credentials.disabled.secret.expose().to_owned(),
                token: None,
            },
            400,
            "InvalidAccessKeyId.Inactive",
        ),
        (
            Signer {
                id: "LTAI5tunknown".to_owned(),
                ..bench.own()
            },
            404,
            "InvalidAccessKeyId.NotFound",
        ),
        (
            Signer::temporary(&credentials.expired),
            400,
            "InvalidSecurityToken.Expired",
        ),
        (
            Signer {
                token: None,
                ..Signer::temporary(&credentials.temporary)
            },
            400,
            "MissingSecurityToken",
        ),
        (
            Signer {
                token: temporary.token.clone(),
                ..bench.own()
            },
            400,
            "InvalidSecurityToken.MismatchWithAccessKey",
        ),
        (
            Signer {
                token: Some("garbled".to_owned()),
                ..Signer::temporary(&credentials.temporary)
            },
            400,
            "InvalidSecurityToken.Malformed",
        ),
    ] {
        assert_eq!(code(&signer), (status, wanted.to_owned()));
    }
}

#[test]
fn a_temporary_key_ends_with_its_token() {
    let bench = Bench::new();
    let signer = Signer::temporary(&bench.service.credentials().temporary);
    bench.pass(12 * 3600);
    let answer = bench.send(&bench.request(&signer, "GET", "/api/v1/jobs", ""));
    assert_eq!(answer.refusal(), (400, "InvalidSecurityToken.Expired"));
}

#[test]
fn a_clock_that_is_off_is_told() {
    let bench = Bench::new();
    let request = list(&bench);
    bench.clock.set_skew(SignedDuration::from_mins(16)).unwrap();
    let answer = bench.send(&request);
    assert_eq!(answer.refusal(), (400, "InvalidTimeStamp.Expired"));
    // By this a client can correct its own.
    assert_eq!(answer.headers["date"], "Mon, 12 Jan 2026 09:57:03 GMT");
    bench
        .clock
        .set_skew(SignedDuration::from_mins(-14))
        .unwrap();
    assert_eq!(bench.send(&request).status, 200);
}

#[test]
fn unknown_parameters_and_any_case_of_a_boolean_are_taken() {
    let bench = Bench::new();
    for query in [
        "ShowOwn=True",
        "ShowOwn=FALSE",
        "WorkspaceId=",
        "Whatever=1",
    ] {
        let answer = bench.get(&format!("/api/v1/jobs?{query}"));
        assert_eq!(answer.status, 200, "{query}: {}", answer.body);
    }
    let answer = bench.get("/api/v1/jobs?ShowOwn=1");
    assert_eq!(answer.refusal(), (400, "InvalidParameter"));
}
