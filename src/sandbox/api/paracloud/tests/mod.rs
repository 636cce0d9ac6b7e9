//! The emulator against its table (paracloud.md §10), without sockets: requests are handed in, the clock is moved by hand.

mod life;
mod refusals;
mod resources;
mod switched;
mod transfer;

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use bytes::Bytes;
use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderValue};
use tempfile::TempDir;

use crate::sandbox::testing::until;

use super::*;

/// A service, its clock, and a user of it.
pub(super) struct Bench {
    pub(super) service: Arc<Paracloud>,
    pub(super) clock: Clock,
    pub(super) launcher: Launcher,
    pub(super) folder: TempDir,
    pub(super) credentials: Credentials,
}

/// One answer, with its body as JSON where it is that.
#[derive(Debug)]
pub(super) struct Seen {
    pub(super) status: u16,
    pub(super) content_type: String,
    pub(super) text: String,
    pub(super) body: Value,
    pub(super) headers: HeaderMap,
}

impl Bench {
    pub(super) fn new() -> Self {
        let folder = TempDir::new().unwrap();
        let image = folder.path().join("image-files");
        fs::create_dir(&image).unwrap();
        let launcher = Launcher::new(folder.path().to_owned(), image);
        let clock = Clock::manual("2024-03-08T01:15:02.75Z".parse().unwrap());
        let service = Paracloud::new(Setup {
            clock: clock.clone(),
            launcher: launcher.clone(),
            seed: 7,
        });
        Self {
            credentials: service.credentials(),
            service,
            clock,
            launcher,
            folder,
        }
    }

    /// Sends as the first user, with the usual headers.
    pub(super) fn send(&self, method: &str, path: &str, body: &str) -> Seen {
        self.send_as(&self.credentials.token, method, path, body)
    }

    pub(super) fn send_as(&self, token: &Secret, method: &str, path: &str, body: &str) -> Seen {
        let mut headers = HeaderMap::new();
        let value = format!("Bearer {}", token.expose());
        headers.insert(AUTHORIZATION, HeaderValue::from_str(&value).unwrap());
        if method == "POST" {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        }
        self.send_raw(method, &format!("/api/v1beta2/{path}"), headers, body)
    }

    pub(super) fn send_raw(
        &self,
        method: &str,
        target: &str,
        mut headers: HeaderMap,
        body: &str,
    ) -> Seen {
        headers.insert("host", HeaderValue::from_static("127.0.0.1:4711"));
        self.service.tick();
        let answer = self.service.answer(&RawRequest {
            method: method.parse().unwrap(),
            target: target.to_owned(),
            headers,
            body: Bytes::from(body.to_owned()),
            upload: None,
        });
        let text = String::from_utf8(answer.body.to_vec()).unwrap();
        Seen {
            status: answer.status.as_u16(),
            content_type: answer
                .headers
                .get(CONTENT_TYPE)
                .map(|value| value.to_str().unwrap().to_owned())
                .unwrap_or_default(),
            body: serde_json::from_str(&text).unwrap_or_default(),
            text,
            headers: answer.headers,
        }
    }

    pub(super) fn configure(&self, settings: &Value) {
        self.service.configure(settings).unwrap();
    }

    /// A path inside the first user's namespace.
    pub(super) fn place(&self, rest: &str) -> String {
        format!("namespaces/{}/clusters/{rest}", self.credentials.namespace)
    }

    /// Creates a group of one container on `n30.xlarge` and gives its id.
    pub(super) fn submit(&self, container: &Value) -> String {
        let seen = self.create(container);
        assert_eq!(seen.status, 201, "{}", seen.text);
        seen.body["id"].as_str().unwrap().to_owned()
    }

    pub(super) fn create(&self, container: &Value) -> Seen {
        let body = json!({"instanceType": "n30.xlarge", "containers": [container]});
        self.send(
            "POST",
            &self.place("NC-N30/containerGroups"),
            &body.to_string(),
        )
    }

    pub(super) fn run(&self, command: &[&str]) -> String {
        self.submit(&json!({"name": "job", "image": "debian:12", "command": command}))
    }

    pub(super) fn get(&self, id: &str) -> Value {
        let seen = self.send("GET", &self.group(id), "");
        assert_eq!(seen.status, 200, "{}", seen.text);
        seen.body
    }

    pub(super) fn status(&self, id: &str) -> Value {
        self.get(id)["status"].clone()
    }

    pub(super) fn state(&self, id: &str) -> String {
        self.status(id)["state"].as_str().unwrap().to_owned()
    }

    pub(super) fn cancel(&self, id: &str) -> u16 {
        let path = format!("{}:cancel", self.group(id));
        self.send("DELETE", &path, "").status
    }

    pub(super) fn group(&self, id: &str) -> String {
        self.place(&format!("NC-N30/containerGroups/{id}"))
    }

    pub(super) fn pass(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
    }

    /// Lets a group run: both delays pass.
    pub(super) fn start(&self, id: &str) {
        self.pass(2);
        self.service.tick();
        self.pass(3);
        self.service.tick();
        assert_ne!(self.state(id), "Pending");
    }

    /// Waits for a real process to end.
    pub(super) async fn ended(&self, id: &str) -> Value {
        until(|| ["Succeeded", "Failed"].contains(&self.state(id).as_str())).await;
        self.status(id)
    }

    /// Runs a command to its end and gives its status and its output.
    pub(super) async fn run_to_end(&self, container: &Value) -> (Value, String) {
        let id = self.submit(container);
        self.start(&id);
        let status = self.ended(&id).await;
        (status, self.output(&id))
    }

    pub(super) fn output(&self, id: &str) -> String {
        let log: PathBuf = self
            .folder
            .path()
            .join("jobs")
            .join(format!("paracloud-{id}"))
            .join("log");
        fs::read_to_string(log).unwrap()
    }
}
