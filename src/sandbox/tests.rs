//! Whole sandboxes over real loopback connections, spoken to with raw bytes.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rstest::rstest;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::model::Backend;

use super::testing::{Answer, send, until};
use super::*;

struct Bench {
    sandbox: Sandbox,
    _image: TempDir,
}

impl Bench {
    async fn start() -> Self {
        let image = TempDir::new().unwrap();
        let sandbox = Sandbox::start(options(image.path().to_owned()))
            .await
            .unwrap();
        Self {
            sandbox,
            _image: image,
        }
    }

    fn base(&self) -> &str {
        self.sandbox.base_url(Backend::Paracloud).unwrap()
    }

    fn bearer(&self) -> String {
        let token = self.sandbox.credential("PARA_TOKEN").unwrap();
        format!("Bearer {}", token.expose())
    }

    async fn api(&self, line: &str, body: &str) -> Answer {
        let bearer = self.bearer();
        let mut headers = vec![("Authorization", bearer.as_str())];
        if line.starts_with("POST") {
            headers.push(("Content-Type", "application/json"));
        }
        send(self.base(), line, &headers, body.as_bytes()).await
    }

    async fn control(&self, line: &str, body: Value) -> Answer {
        let body = if body.is_null() {
            String::new()
        } else {
            body.to_string()
        };
        send(self.sandbox.control_url(), line, &[], body.as_bytes()).await
    }

    /// Submits a command and gives the path of its group.
    async fn submit(&self, command: &[&str]) -> String {
        let namespaces = self.api("GET /api/v1beta2/namespaces", "").await.json();
        let place = format!(
            "/api/v1beta2/namespaces/{}/clusters/NC-N30/containerGroups",
            namespaces["namespaces"][0]["id"].as_str().unwrap()
        );
        let body = json!({
            "instanceType": "n30.xlarge",
            "containers": [{"name": "job", "image": "a", "command": command}],
        });
        let created = self.api(&format!("POST {place}"), &body.to_string()).await;
        assert_eq!(created.status, 201);
        format!("{place}/{}", created.json()["id"].as_str().unwrap())
    }

    async fn reaches(&self, group: &str, state: &str) {
        let start = std::time::Instant::now();
        loop {
            let seen = self.api(&format!("GET {group}"), "").await.json();
            if seen["status"]["state"] == state {
                return;
            }
            assert!(start.elapsed().as_secs() < 30, "still {seen}");
        }
    }
}

fn options(image_root: PathBuf) -> Options {
    Options {
        speed: 1000.0,
        port: 0,
        image_root,
        seed: None,
        hold: Vec::new(),
        faults: Vec::new(),
    }
}

#[tokio::test]
async fn a_job_runs_from_submit_to_its_end() {
    let bench = Bench::start().await;
    let group = bench.submit(&["sh", "-c", "exit 3"]).await;
    bench.reaches(&group, "Failed").await;
    let group = bench.submit(&["true"]).await;
    bench.reaches(&group, "Succeeded").await;
    bench.sandbox.stop().await;
}

#[tokio::test]
async fn two_sandboxes_know_nothing_of_each_other() {
    let (first, second) = (Bench::start().await, Bench::start().await);
    assert_ne!(first.base(), second.base());
    let bearer = first.bearer();
    let headers = [("Authorization", bearer.as_str())];
    let line = "GET /api/v1beta2/namespaces";
    assert_eq!(send(first.base(), line, &headers, b"").await.status, 200);
    assert_eq!(send(second.base(), line, &headers, b"").await.status, 401);
}

#[tokio::test]
async fn the_target_reaches_the_service_undecoded() {
    let bench = Bench::start().await;
    let encoded = bench.api("GET /api/v1beta2/name%73paces", "").await;
    assert_eq!(encoded.status, 404);
    let query = bench
        .api("GET /api/v1beta2/namespaces?a%20b=%2f+", "")
        .await;
    assert_eq!(query.json()["message"], "unknown parameter `a%20b=%2f+`");
    let absolute = format!("GET {}/api/v1beta2/namespaces", bench.base());
    assert_eq!(bench.api(&absolute, "").await.status, 200);
}

#[tokio::test]
async fn answers_close_the_connection_and_say_what_they_are() {
    let bench = Bench::start().await;
    let answer = bench.api("GET /api/v1beta2/namespaces", "").await;
    let head = answer.head.to_ascii_lowercase();
    assert!(head.starts_with("http/1.1 200 ok"));
    assert!(head.contains("connection: close"));
    assert!(head.contains("content-type: application/json"));
}

#[tokio::test]
async fn stopping_kills_the_jobs_and_removes_the_folder() {
    let bench = Bench::start().await;
    let group = bench.submit(&["sh", "-c", "echo $$ > id; sleep 600"]).await;
    bench.reaches(&group, "Running").await;
    let folder = bench.sandbox.folder().to_owned();
    let job = group.rsplit('/').next().unwrap();
    let file = folder.join(format!("files/jobs/paracloud-{job}/files/id"));
    let mut id = String::new();
    until(|| {
        id = fs::read_to_string(&file).unwrap_or_default();
        id.ends_with('\n')
    })
    .await;
    let base = bench.base().strip_prefix("http://").unwrap().to_owned();
    bench.sandbox.stop().await;
    assert!(!PathBuf::from(format!("/proc/{}", id.trim())).exists());
    assert!(!folder.exists());
    assert!(tokio::net::TcpStream::connect(base).await.is_err());
}

#[tokio::test]
async fn the_folder_is_the_users_alone() {
    let bench = Bench::start().await;
    let mode = fs::metadata(bench.sandbox.folder())
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o700);
}

#[tokio::test]
async fn a_dropped_sandbox_closes_its_ports() {
    let bench = Bench::start().await;
    let base = bench.base().strip_prefix("http://").unwrap().to_owned();
    drop(bench);
    until(|| std::net::TcpStream::connect(&base).is_err()).await;
}

#[tokio::test]
async fn the_state_tells_requests_jobs_and_the_clock() {
    let bench = Bench::start().await;
    let group = bench.submit(&["true"]).await;
    bench.reaches(&group, "Succeeded").await;
    let state = bench.control("GET /__sandbox/state", Value::Null).await;
    assert_eq!(state.status, 200);
    let state = state.json();
    let paracloud = &state["services"]["paracloud"];
    assert_eq!(state["speed"], 1000.0);
    assert_eq!(paracloud["base_url"], bench.base());
    assert_eq!(paracloud["summary"]["jobs"], json!({"succeeded": 1}));
    assert_eq!(paracloud["summary"]["requests"]["CreateContainerGroup"], 1);
}

#[tokio::test]
async fn holds_speed_clock_switches_and_reset_are_controlled() {
    let bench = Bench::start().await;
    let hold = json!({"backend": "paracloud", "state": "pending"});
    assert_eq!(
        bench.control("POST /__sandbox/hold", hold).await.status,
        200
    );
    let group = bench.submit(&["true"]).await;
    bench.reaches(&group, "Pending").await;
    let release = json!({"backend": "paracloud", "state": null});
    assert_eq!(
        bench.control("POST /__sandbox/hold", release).await.status,
        200
    );
    bench.reaches(&group, "Succeeded").await;
    let speed = bench
        .control("POST /__sandbox/speed", json!({"speed": 20}))
        .await;
    assert_eq!(speed.json()["speed"], 20.0);
    let clock = bench
        .control("POST /__sandbox/clock", json!({"offset_s": -1200}))
        .await;
    assert_eq!(clock.json()["clock_offset_s"], -1200);
    let settings = json!({"backend": "paracloud", "settings": {"create_status": 200}});
    let configured = bench
        .control("POST /__sandbox/configure", settings)
        .await
        .json();
    let switches = &configured["services"]["paracloud"]["summary"]["switches"];
    assert_eq!(switches["create_status"], 200);
    let reset = bench
        .control("POST /__sandbox/reset", Value::Null)
        .await
        .json();
    assert_eq!(reset["clock_offset_s"], 0);
    let summary = &reset["services"]["paracloud"]["summary"];
    assert_eq!(summary["jobs"], json!({}));
    assert_eq!(summary["switches"]["create_status"], 201);
    assert_eq!(bench.api(&format!("GET {group}"), "").await.status, 404);
}

#[rstest]
#[case("POST /__sandbox/speed", json!({"speed": 2, "colour": 1}), 400, "colour")]
#[case("POST /__sandbox/speed", json!({"speed": 0}), 400, "speed")]
#[case("POST /__sandbox/speed", json!({"speed": "fast"}), 400, "fast")]
#[case("POST /__sandbox/hold", json!({"backend": "paracloud"}), 400, "state")]
#[case("POST /__sandbox/hold", json!({"backend": "nobody", "state": "running"}), 400, "nobody")]
#[case("POST /__sandbox/hold", json!({"backend": "paracloud", "state": "asleep"}), 400, "asleep")]
#[case("POST /__sandbox/clock", json!({"offset": 3}), 400, "offset")]
#[case("POST /__sandbox/configure", json!({"backend": "paracloud", "settings": {"colour": 1}}), 400, "colour")]
#[case("POST /__sandbox/reset", json!({"all": true}), 400, "all")]
#[case("GET /__sandbox/speed", Value::Null, 405, "POST")]
#[case("POST /__sandbox/state", Value::Null, 405, "GET")]
#[case("GET /__sandbox/", Value::Null, 404, "state, jobs, speed")]
#[case("GET /", Value::Null, 404, "state, jobs, speed")]
#[tokio::test]
async fn what_the_control_route_does_not_know_is_named(
    #[case] line: &str,
    #[case] body: Value,
    #[case] status: u16,
    #[case] named: &str,
) {
    let bench = Bench::start().await;
    let answer = bench.control(line, body).await;
    let error = answer.json()["error"].as_str().unwrap().to_owned();
    assert_eq!(answer.status, status);
    assert!(error.contains(named), "{error}");
}

#[tokio::test]
async fn the_control_route_has_no_other_name() {
    let bench = Bench::start().await;
    let headers = [("Host", "rebound.example:80")];
    let answer = send(
        bench.sandbox.control_url(),
        "GET /__sandbox/state",
        &headers,
        b"",
    )
    .await;
    assert_eq!(answer.status, 403);
}

#[tokio::test]
async fn environment_and_configuration_lead_to_the_services() {
    let bench = Bench::start().await;
    let environment = bench.sandbox.environment();
    let value = |name: &str| {
        let found = environment.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str()).unwrap()
    };
    assert_eq!(value("GPUJOB_SANDBOX_URL"), bench.sandbox.control_url());
    assert_eq!(value("GPUJOB_PARACLOUD_BASE_URL"), bench.base());
    assert_eq!(value("GPUJOB_POLL"), "100ms");
    assert_eq!(format!("Bearer {}", value("PARA_TOKEN")), bench.bearer());
    let text = fs::read_to_string(bench.sandbox.config_path()).unwrap();
    assert_eq!(text, bench.sandbox.config_toml());
    let table: toml::Table = text.parse().unwrap();
    let paracloud = &table["providers"]["paracloud"];
    assert_eq!(paracloud["base-url"].as_str(), Some(bench.base()));
    let file = paracloud["token"]["file"].as_str().unwrap();
    assert_eq!(fs::read_to_string(file).unwrap(), value("PARA_TOKEN"));
    let listed = bench.api("GET /api/v1beta2/namespaces", "").await.json();
    assert_eq!(
        listed["namespaces"][0]["id"].as_str(),
        paracloud["namespace"].as_str()
    );
}

#[rstest]
#[case("paracloud", "asleep", "asleep")]
#[case("nobody", "running", "nobody")]
#[tokio::test]
async fn an_impossible_hold_prevents_the_start(
    #[case] backend: &str,
    #[case] state: &str,
    #[case] named: &str,
) {
    let mut options = options(PathBuf::from("/"));
    options.hold = vec![(backend.to_owned(), state.to_owned())];
    let error = Sandbox::start(options).await.unwrap_err().to_string();
    assert!(error.contains(named), "{error}");
}

#[tokio::test]
async fn a_taken_control_port_is_named() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let mut options = options(PathBuf::from("/"));
    options.port = port;
    let error = Sandbox::start(options).await.unwrap_err().to_string();
    assert!(error.contains(&port.to_string()), "{error}");
}

/// The sandbox's CycleCloud, with the credentials of its user.
async fn cycle(bench: &Bench, line: &str, body: &Value) -> Answer {
    let base = bench.sandbox.base_url(Backend::Cyclecloud).unwrap();
    let basic = basic(bench);
    send(
        base,
        line,
        &[("Authorization", &basic)],
        body.to_string().as_bytes(),
    )
    .await
}

fn basic(bench: &Bench) -> String {
    let credential = |name| bench.sandbox.credential(name).unwrap().expose().to_owned();
    let user = credential("CYCLECLOUD_USERNAME");
    let password = credential("CYCLECLOUD_PASSWORD");
    format!("Basic {}", STANDARD.encode(format!("{user}:{password}")))
}

#[tokio::test]
async fn a_lost_answer_closes_the_connection_after_its_effect() {
    let bench = Bench::start().await;
    let switches =
        json!({"backend": "cyclecloud", "settings": {"drop_creates": 1, "hold": "pending"}});
    let configured = bench.control("POST /__sandbox/configure", switches).await;
    assert_eq!(configured.status, 200);
    let body = json!({"requestId": "a", "sets": [{"nodearray": "gpu", "count": 1}]}).to_string();
    let base = bench.sandbox.base_url(Backend::Cyclecloud).unwrap();
    let host = base.strip_prefix("http://").unwrap();
    let mut stream = tokio::net::TcpStream::connect(host).await.unwrap();
    let head = format!(
        "POST /clusters/lab/nodes/create HTTP/1.1\r\nHost: {host}\r\nAuthorization: {}\r\nContent-Length: {}\r\n\r\n",
        basic(&bench),
        body.len()
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(body.as_bytes()).await.unwrap();
    let mut bytes = Vec::new();
    // The end of the stream or a reset: in both cases no answer.
    let _ended = stream.read_to_end(&mut bytes).await;
    assert_eq!(String::from_utf8_lossy(&bytes), "");
    let line = "GET /clusters/lab/nodes?request_id=a";
    let seen = cycle(&bench, line, &Value::Null).await;
    assert_eq!(seen.json()["nodes"][0]["Name"], "gpu-1");
}

#[tokio::test]
async fn a_node_of_cyclecloud_leaves_its_exit_code_where_the_configuration_says() {
    let bench = Bench::start().await;
    let config: toml::Table = bench.sandbox.config_toml().parse().unwrap();
    let provider = &config["providers"]["cyclecloud"];
    assert_eq!(provider["username"].as_str(), Some("ops"));
    assert_eq!(provider["cluster"].as_str(), Some("lab"));
    let results = PathBuf::from(provider["result-dir"].as_str().unwrap());
    assert!(results.is_dir());
    let job = json!({
        "job_id": "a", "command_b64": STANDARD.encode("exit 4"), "nodes": 1, "result_dir": results, "keep": false,
    });
    let body = json!({"requestId": "a", "sets": [{
        "nodearray": provider["nodearray"].as_str(), "count": 1,
        "nodeAttributes": {"Configuration": {"gpujob": job}},
    }]});
    let created = cycle(&bench, "POST /clusters/lab/nodes/create", &body).await;
    assert_eq!(created.status, 202);
    let code = results.join("a/gpu-1/exit_code");
    until(|| code.exists()).await;
    assert_eq!(fs::read_to_string(code).unwrap(), "4\n");
    let start = std::time::Instant::now();
    loop {
        let line = "GET /clusters/lab/nodes?request_id=a";
        let seen = cycle(&bench, line, &Value::Null).await.json();
        if seen["nodes"] == json!([]) {
            break;
        }
        assert!(start.elapsed().as_secs() < 30, "still {seen}");
    }
    bench.sandbox.stop().await;
}

#[tokio::test]
async fn a_large_file_travels_both_ways_over_a_connection() {
    let bench = Bench::start().await;
    let namespaces = bench.api("GET /api/v1beta2/namespaces", "").await.json();
    let namespace = namespaces["namespaces"][0]["id"].as_str().unwrap();
    let line = format!("POST /api/v1beta2/namespaces/{namespace}/clusters/NC-N30/volumes");
    let service = bench.api(&line, "{\"service\":{}}").await.json()["service"].clone();
    let address = service["address"]["webdav"].as_str().unwrap();
    let path = address.strip_prefix(bench.base()).unwrap();
    let user = format!(
        "{}:{}",
        service["username"].as_str().unwrap(),
        service["password"].as_str().unwrap()
    );
    let basic = format!("Basic {}", STANDARD.encode(user));
    let headers = |more: Option<(&'static str, &'static str)>| {
        let mut headers = vec![("Authorization", basic.as_str())];
        headers.extend(more);
        headers
    };
    let content: Vec<u8> = (0..3_000_000_u32)
        .map(|index| index.to_le_bytes()[1])
        .collect();
    let put = format!("PUT {path}/big");
    let refused = send(bench.base(), &put, &[], &content).await;
    assert_eq!(refused.status, 401);
    let created = send(bench.base(), &put, &headers(None), &content).await;
    assert_eq!(created.status, 201);
    let get = format!("GET {path}/big");
    let whole = send(bench.base(), &get, &headers(None), b"").await;
    assert_eq!((whole.status, whole.body == content), (200, true));
    let range = headers(Some(("Range", "bytes=2999990-")));
    let rest = send(bench.base(), &get, &range, b"").await;
    assert_eq!(
        (rest.status, rest.body),
        (206, content[2_999_990..].to_vec())
    );
    let head = send(
        bench.base(),
        &format!("HEAD {path}/big"),
        &headers(None),
        b"",
    )
    .await;
    assert!(head.head.to_lowercase().contains("content-length: 3000000"));
    assert!(head.body.is_empty());
    let uploads = bench.sandbox.folder().join("files/uploads");
    assert_eq!(fs::read_dir(uploads).unwrap().count(), 0);
    bench.sandbox.stop().await;
}
