//! What a request looks like on the wire, and answers that arrive in pieces.

use std::sync::Arc;
use std::time::Duration;

use gpujob::http::{BaseUrl, Live, Safety, Target, Template, TrustSettings};
use http::Method;

use super::bench::{Bench, Notebook, Setting, TOKEN};
use crate::support::scripted::{Scripted, Step, answer_bytes};

fn json_answer() -> Step {
    Step::answer(
        "200 OK",
        &[("content-type", "application/json")],
        "{\"ok\":true}",
    )
}

fn header<'a>(request: &'a str, name: &str) -> Option<&'a str> {
    request
        .lines()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
}

#[tokio::test(start_paused = true)]
async fn a_read_travels_as_it_was_built() {
    let server = Scripted::start([json_answer()]);
    let bench = Bench::new(&server.url(), &Setting::default());
    let answer = bench.send(Safety::Repeatable).await.unwrap();
    assert_eq!(&answer.body[..], b"{\"ok\":true}");
    assert_eq!(answer.header("content-type"), Some("application/json"));
    let authority = server.authority();
    let requests = server.finish();
    let request = &requests[0];
    assert!(
        request.starts_with("GET /jobs/a%2Fb?q=x%20y%2Bz HTTP/1.1\r\n"),
        "{request}"
    );
    assert_eq!(header(request, "host"), Some(authority.as_str()));
    assert_eq!(header(request, "accept"), Some("application/json"));
    assert_eq!(
        header(request, "authorization"),
        Some(format!("Bearer {TOKEN}").as_str())
    );
    let agent = format!("gpujob/{}", env!("CARGO_PKG_VERSION"));
    assert_eq!(header(request, "user-agent"), Some(agent.as_str()));
    assert_eq!(header(request, "content-length"), None);
    assert_eq!(header(request, "content-type"), None);
}

#[tokio::test(start_paused = true)]
async fn a_create_travels_with_its_length_and_its_very_bytes() {
    let server = Scripted::start([json_answer()]);
    let bench = Bench::new(&server.url(), &Setting::default());
    bench.send(Safety::Once).await.unwrap();
    let body = format!("{{\"name\":\"训练\",\"password\":\"{TOKEN}\"}}");
    let requests = server.finish();
    let request = &requests[0];
    assert!(request.ends_with(&format!("\r\n\r\n{body}")), "{request}");
    assert_eq!(
        header(request, "content-length"),
        Some(body.len().to_string().as_str())
    );
    assert_eq!(header(request, "content-type"), Some("application/json"));
    assert_eq!(header(request, "transfer-encoding"), None);
}

#[tokio::test(start_paused = true)]
async fn a_post_without_a_body_says_so_and_has_no_content_type() {
    let server = Scripted::start([json_answer()]);
    let bench = Bench::new(&server.url(), &Setting::default());
    let base = BaseUrl::parse(&server.url()).unwrap();
    let template = Template::new("stopJob", Method::POST, &base, Target::new("/jobs/1/stop"));
    bench.session.send(&template).await.unwrap();
    let requests = server.finish();
    assert_eq!(header(&requests[0], "content-length"), Some("0"));
    assert_eq!(header(&requests[0], "content-type"), None);
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_comes_byte_by_byte_is_read_whole() {
    let body = "{\"ok\":\"slowly\"}";
    let server = Scripted::start([Step::ByteByByte(answer_bytes(
        "200 OK",
        &[],
        body.len(),
        body,
    ))]);
    let bench = Bench::new(&server.url(), &Setting::default());
    let answer = bench.send(Safety::Once).await.unwrap();
    assert_eq!(&answer.body[..], body.as_bytes());
    assert_eq!(server.finish().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_target_that_the_url_library_would_change_is_not_sent() {
    let server = Scripted::start([]);
    let bench = Bench::new(&server.url(), &Setting::default());
    let base = BaseUrl::parse(&server.url()).unwrap();
    let template = Template::new("listJobs", Method::GET, &base, Target::new("/a/../b"));
    let failure = bench.session.send(&template).await.unwrap_err();
    assert_eq!(failure.error.code(), "internal");
    assert_eq!((failure.attempts, server.finish().len()), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn no_secret_is_ever_said() {
    let leak = format!("{{\"token\":\"{TOKEN}\",\"error\":true}}");
    let server = Scripted::start([Step::answer(
        "200 OK",
        &[("set-cookie", TOKEN), ("x-new", TOKEN)],
        &leak,
    )]);
    let bench = Bench::new(&server.url(), &Setting::default());
    let failure = bench.send(Safety::Once).await.unwrap_err();
    let said = bench.notebook.all().join("\n");
    assert!(
        said.contains("trace: > POST /jobs HTTP/1.1 (createJob, attempt 1)"),
        "{said}"
    );
    assert!(said.contains("< 200 OK after "), "{said}");
    for text in [said, format!("{failure:?}"), format!("{:?}", bench.session)] {
        assert!(!text.contains(TOKEN), "{text}");
    }
}

#[test]
fn a_transport_says_nothing_about_clients_it_has_not_built() {
    let notebook = Arc::new(Notebook::default());
    let trust = TrustSettings {
        ca_cert: Some("/nowhere/ca.pem".into()),
        verify: false,
    };
    let live = Live::new(
        trust,
        Duration::from_secs(1),
        Arc::<Notebook>::clone(&notebook),
    );
    assert!(format!("{live:?}").contains("verify: false"));
    assert!(
        notebook.all().is_empty(),
        "nothing is read or warned of before first use"
    );
}
