//! Keys fetched over loopback, kept, renewed, and what is said when there is none.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use http::{HeaderName, HeaderValue, Method};
use rstest::rstest;

use super::*;
use crate::http::{BaseUrl, Target, TrustSettings};
use crate::secret::Secret;
use crate::testing::Notebook;

const NOON: &str = "2026-01-06T12:00:00Z";

/// Answers one connection after the other, then refuses; gives the heads of the requests.
fn serve(answers: Vec<(u16, String)>) -> (String, mpsc::Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let (sender, requests) = mpsc::channel();
    thread::spawn(move || {
        for (status, body) in answers {
            let (mut stream, _) = listener.accept().unwrap();
            let mut head = Vec::new();
            let mut byte = [0];
            while !head.ends_with(b"\r\n\r\n") && stream.read(&mut byte).unwrap() == 1 {
                head.push(byte[0]);
            }
            let _closed = sender.send(String::from_utf8(head).unwrap());
            let length = body.len();
            write!(
                stream,
                "HTTP/1.1 {status} X\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{body}"
            )
            .unwrap();
        }
    });
    (base, requests)
}

fn key(id: &str, expires: &str) -> (u16, String) {
    let body = serde_json::json!({"Code": "Success", "AccessKeyId": id, "AccessKeySecret": "s",
        "SecurityToken": "t", "Expiration": expires});
    (200, body.to_string())
}

fn signer(uri: &str) -> Renewing {
    let limit = Duration::from_secs(5);
    let uri = Secret::new(uri);
    let source = Source::uri(uri, "a test", limit, TrustSettings::default()).unwrap();
    Renewing::new(source, Arc::new(Notebook::default()))
}

fn metadata(base: &str, role: Option<&str>, token_required: bool) -> Renewing {
    let role = role.map(str::to_owned);
    let source = Source::metadata_at(base, role, token_required, Duration::from_secs(5));
    Renewing::new(source, Arc::new(Notebook::default()))
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// The access key id that a request is signed with.
fn id_of(signer: &Renewing) -> String {
    let base = BaseUrl::parse("http://127.0.0.1:1").unwrap();
    let template = Template::new("GetJob", Method::GET, &base, Target::new("/api/v1/jobs/x"))
        .with_header(
            HeaderName::from_static("x-acs-action"),
            HeaderValue::from_static("GetJob"),
        )
        .with_header(
            HeaderName::from_static("x-acs-version"),
            HeaderValue::from_static("2020-12-03"),
        );
    let context = SignContext {
        now: at(NOON),
        nonce: "n".to_owned(),
    };
    let request = signer.sign(&template, &context).unwrap();
    let id = request.headers().get("x-acs-accesskey-id").unwrap();
    id.to_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_key_is_fetched_once_and_again_before_it_ends() {
    let (base, requests) = serve(vec![
        key("STS.one", "2026-01-06T13:00:00Z"),
        key("STS.two", "2026-01-06T14:00:00Z"),
    ]);
    let signer = signer(&format!("{base}/key?role=a"));
    for now in [NOON, "2026-01-06T12:58:59Z"] {
        signer.prepare(at(now)).await.unwrap();
        assert_eq!(id_of(&signer), "STS.one");
    }
    signer.prepare(at("2026-01-06T12:59:30Z")).await.unwrap();
    assert_eq!(id_of(&signer), "STS.two");
    let requests: Vec<String> = requests.iter().collect();
    assert_eq!(requests.len(), 2);
    assert!(requests[0].starts_with("GET /key?role=a HTTP/1.1\r\n"));
}

#[tokio::test]
async fn a_key_that_cannot_be_renewed_serves_until_its_end() {
    let (base, _requests) = serve(vec![
        key("STS.one", "2026-01-06T12:00:30Z"),
        (503, String::new()),
        (503, String::new()),
    ]);
    let signer = signer(&base);
    signer.prepare(at(NOON)).await.unwrap();
    signer.prepare(at("2026-01-06T12:00:10Z")).await.unwrap();
    assert_eq!(id_of(&signer), "STS.one");
    let error = signer
        .prepare(at("2026-01-06T12:00:30Z"))
        .await
        .unwrap_err();
    assert_eq!(error.kind(), Kind::Config);
}

#[rstest]
#[case::not_found(404, "canary")]
#[case::moved(302, "canary")]
#[case::a_page(200, "<html>canary</html>")]
#[case::ended(
    200,
    r#"{"AccessKeyId":"canary","AccessKeySecret":"canary","Expiration":"2026-01-06T11:00:00Z"}"#
)]
#[case::unsendable(200, r#"{"AccessKeyId":"a canary","AccessKeySecret":"canary"}"#)]
#[tokio::test]
async fn what_is_no_key_is_a_fault_of_the_configuration_without_a_secret_word(
    #[case] status: u16,
    #[case] body: &str,
) {
    let (base, _requests) = serve(vec![(status, body.to_owned())]);
    let signer = signer(&format!("{base}/?token=canary"));
    let error = signer.prepare(at(NOON)).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Config);
    assert!(
        !format!("{error} {error:?}").contains("canary"),
        "{error:?}"
    );
}

#[tokio::test]
async fn nobody_at_the_address_is_a_fault_of_the_configuration() {
    // Bound and never listened on: a port that was let go of may be taken by another test.
    let closed = tokio::net::TcpSocket::new_v4().unwrap();
    closed.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let base = format!("http://{}/?canary", closed.local_addr().unwrap());
    let error = signer(&base).prepare(at(NOON)).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Config);
    assert!(!format!("{error:?}").contains("canary"), "{error:?}");
}

#[rstest]
#[case::plain("http://canary.example/x", "plain http")]
#[case::no_url("canary", "no URL")]
#[case::another_scheme("ftp://canary.example/x", "not of http")]
#[case::with_a_password("https://user:canary@h.example/x", "password")]
fn an_address_that_must_not_be_asked_is_refused_at_once(#[case] uri: &str, #[case] words: &str) {
    let limit = Duration::from_secs(1);
    let error = Source::uri(Secret::new(uri), "a test", limit, TrustSettings::default());
    let error = error.unwrap_err();
    assert_eq!(error.kind(), Kind::Config);
    assert!(error.message().contains(words), "{error}");
    assert!(!error.message().contains("canary"), "{error}");
}

#[tokio::test]
async fn the_metadata_service_gives_token_role_and_key() {
    let (base, requests) = serve(vec![
        (200, "a-token".to_owned()),
        (200, "worker role\n".to_owned()),
        key("STS.one", "2026-01-06T13:00:00Z"),
    ]);
    let signer = metadata(&base, None, true);
    signer.prepare(at(NOON)).await.unwrap();
    assert_eq!(id_of(&signer), "STS.one");
    let requests: Vec<String> = requests.iter().collect();
    let lines = [
        "PUT /latest/api/token HTTP/1.1\r\n",
        "GET /latest/meta-data/ram/security-credentials/ HTTP/1.1\r\n",
        "GET /latest/meta-data/ram/security-credentials/worker%20role HTTP/1.1\r\n",
    ];
    for (request, line) in requests.iter().zip(lines) {
        assert!(request.starts_with(line), "{request}");
    }
    assert!(requests[0].contains("x-aliyun-ecs-metadata-token-ttl-seconds: 21600\r\n"));
    for request in &requests[1..] {
        assert!(request.contains("x-aliyun-ecs-metadata-token: a-token\r\n"));
    }
}

#[tokio::test]
async fn metadata_without_a_token_is_asked_the_old_way_unless_that_is_forbidden() {
    let answers = || vec![(404, String::new()), key("STS.one", "2026-01-06T13:00:00Z")];
    let (base, requests) = serve(answers());
    let signer = metadata(&base, Some("worker"), false);
    signer.prepare(at(NOON)).await.unwrap();
    assert_eq!(id_of(&signer), "STS.one");
    let last = requests.iter().last().unwrap();
    assert!(!last.contains("x-aliyun-ecs-metadata-token"), "{last}");

    let (base, _requests) = serve(answers());
    let signer = metadata(&base, Some("worker"), true);
    let error = signer.prepare(at(NOON)).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Config);
}
