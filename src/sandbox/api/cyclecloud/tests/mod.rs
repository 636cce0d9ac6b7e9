//! The emulator against its table (cyclecloud.md §11), without sockets: requests are handed in, the clock is moved by
//! hand. Only the nodes of `runs` start processes.

mod access;
mod creating;
mod life;
mod managing;
mod reading;
mod runs;
mod switched;

use std::fs;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::HeaderMap;
use http::header::{AUTHORIZATION, CONTENT_TYPE, LOCATION};
use tempfile::TempDir;

use super::*;

/// A service, its clock, and a user of it.
pub(super) struct Bench {
    pub(super) service: Arc<CycleCloud>,
    pub(super) clock: Clock,
    pub(super) image: PathBuf,
    _folder: TempDir,
}

/// One answer, with its body as JSON where it is that.
#[derive(Debug)]
pub(super) struct Seen {
    pub(super) status: u16,
    pub(super) text: String,
    pub(super) body: Value,
    pub(super) headers: HeaderMap,
    pub(super) delivery: Delivery,
}

impl Seen {
    pub(super) fn message(&self) -> &str {
        self.body["Message"].as_str().unwrap_or_default()
    }

    pub(super) fn header(&self, name: impl http::header::AsHeaderName) -> String {
        self.headers[name].to_str().unwrap().to_owned()
    }

    pub(super) fn node_names(&self) -> Vec<&str> {
        let nodes = self.body["nodes"].as_array().unwrap();
        nodes
            .iter()
            .map(|node| node["Name"].as_str().unwrap())
            .collect()
    }
}

impl Bench {
    pub(super) fn new() -> Self {
        Self::with_runner(runner::RUNNER)
    }

    pub(super) fn with_runner(runner: &str) -> Self {
        let folder = TempDir::new().unwrap();
        let image = folder.path().join("image-files");
        fs::create_dir(&image).unwrap();
        let launcher = Launcher::new(folder.path().join("files"), image.clone());
        fs::create_dir(folder.path().join("files")).unwrap();
        let clock = Clock::manual("2026-03-02T09:30:11.5Z".parse().unwrap());
        let setup = Setup {
            clock: clock.clone(),
            launcher,
            seed: 7,
        };
        Self {
            service: CycleCloud::with_runner(setup, runner),
            clock,
            image,
            _folder: folder,
        }
    }

    pub(super) fn basic(username: &str, password: &str) -> String {
        format!(
            "Basic {}",
            STANDARD.encode(format!("{username}:{password}"))
        )
    }

    pub(super) fn own(&self) -> String {
        let credentials = self.service.credentials();
        Self::basic(&credentials.username, credentials.password.expose())
    }

    pub(super) fn get(&self, target: &str) -> Seen {
        self.send("GET", target, "")
    }

    pub(super) fn post(&self, target: &str, body: &Value) -> Seen {
        self.send("POST", target, &body.to_string())
    }

    pub(super) fn send(&self, method: &str, target: &str, body: &str) -> Seen {
        self.send_as(Some(&self.own()), method, target, body)
    }

    pub(super) fn send_as(
        &self,
        authorization: Option<&str>,
        method: &str,
        target: &str,
        body: &str,
    ) -> Seen {
        let mut headers = HeaderMap::new();
        headers.insert("host", HeaderValue::from_static("127.0.0.1:4711"));
        if let Some(value) = authorization {
            headers.insert(AUTHORIZATION, value.parse().unwrap());
        }
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
            body: serde_json::from_str(&text).unwrap_or_default(),
            text,
            headers: answer.headers,
            delivery: answer.delivery,
        }
    }

    pub(super) fn configure(&self, settings: &Value) {
        self.service.configure(settings).unwrap();
    }

    pub(super) fn pass(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
        self.service.tick();
    }

    /// Lets acquired nodes prepare and prepared ones be ready.
    pub(super) fn start(&self) {
        self.pass(2);
        self.pass(3);
    }

    /// Creates nodes of the array `gpu` and expects 202.
    pub(super) fn create(&self, id: &str, count: u64) -> Value {
        self.create_set(id, &json!({"nodearray": "gpu", "count": count}))
    }

    pub(super) fn create_set(&self, id: &str, set: &Value) -> Value {
        let seen = self.try_create(id, set);
        assert_eq!(seen.status, 202, "{}", seen.text);
        seen.body
    }

    pub(super) fn try_create(&self, id: &str, set: &Value) -> Seen {
        self.post(
            "/clusters/lab/nodes/create",
            &json!({"requestId": id, "sets": [set]}),
        )
    }

    /// The nodes of a request.
    pub(super) fn nodes(&self, id: &str) -> Vec<Value> {
        let seen = self.get(&format!("/clusters/lab/nodes?request_id={id}"));
        assert_eq!(seen.status, 200, "{}", seen.text);
        seen.body["nodes"].as_array().unwrap().clone()
    }

    /// The first bucket of a size in an array of the cluster `lab`.
    pub(super) fn bucket(&self, array: &str, machine_type: &str) -> Value {
        let seen = self.get("/clusters/lab/status?nodes=true");
        let arrays = seen.body["nodearrays"].as_array().unwrap();
        let array = arrays.iter().find(|known| known["name"] == array).unwrap();
        let buckets = array["buckets"].as_array().unwrap();
        let of_size = |bucket: &&Value| {
            bucket["virtualMachine"]["machineType"] == machine_type
                || bucket["definition"]["machineType"] == machine_type
        };
        buckets.iter().find(of_size).unwrap().clone()
    }
}

/// `State`, `Status` and `TargetState` of a record.
pub(super) fn words(node: &Value) -> (&str, &str, &str) {
    let text = |name: &str| node[name].as_str().unwrap();
    (text("State"), text("Status"), text("TargetState"))
}
