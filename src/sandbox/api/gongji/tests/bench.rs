//! A service on a manual clock and a client that signs with ring and nothing of the verifier's.

use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use ring::rand::SystemRandom;
use ring::signature::{RSA_PKCS1_SHA256, RsaKeyPair};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::sandbox::api::gongji::Gongji;
use crate::sandbox::api::gongji::job::Run;
use crate::sandbox::clock::Clock;
use crate::sandbox::process::{Launcher, Process};
use crate::sandbox::service::Setup;
use crate::sandbox::service::{RawAnswer, RawRequest, Service};

pub(super) struct Bench {
    pub(super) service: Arc<Gongji>,
    pub(super) clock: Clock,
    key: RsaKeyPair,
    _folder: TempDir,
}

/// An answer that is JSON.
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    pub(super) body: Value,
}

impl Answer {
    pub(super) fn code(&self) -> &str {
        self.body["code"].as_str().unwrap_or("none")
    }

    /// The data of a success.
    pub(super) fn data(&self) -> &Value {
        assert_eq!(self.code(), "0000", "{}", self.body);
        &self.body["data"]
    }

    /// Status and code of a failure, whose data is null.
    pub(super) fn refusal(&self) -> (u16, &str) {
        assert_ne!(self.code(), "0000", "{}", self.body);
        assert_eq!(self.body["data"], Value::Null);
        (self.status, self.code())
    }

    pub(super) fn message(&self) -> &str {
        self.body["message"].as_str().unwrap()
    }
}

impl Bench {
    pub(super) fn new() -> Self {
        let folder = TempDir::new().unwrap();
        let clock = Clock::manual("2026-05-10T03:15:02.118273Z".parse().unwrap());
        let service = Gongji::new(Setup {
            clock: clock.clone(),
            launcher: Launcher::new(folder.path().join("root"), folder.path().to_owned()),
            seed: 7,
        });
        let pem = service.credentials().private_key.expose().to_owned();
        let block: String = pem
            .split("-----")
            .nth(2)
            .unwrap()
            .split_whitespace()
            .collect();
        let key = RsaKeyPair::from_pkcs8(&STANDARD.decode(block).unwrap()).unwrap();
        Self {
            service,
            clock,
            key,
            _folder: folder,
        }
    }

    /// A signed request.
    pub(super) fn request(&self, method: &str, target: &str, body: &str) -> RawRequest {
        let token = self.service.credentials().token.expose().to_owned();
        let timestamp = self.clock.now().as_millisecond().to_string();
        let text = [target, "1.0.0", &timestamp, &token, body].join("\n");
        let mut signature = vec![0; self.key.public().modulus_len()];
        self.key
            .sign(
                &RSA_PKCS1_SHA256,
                &SystemRandom::new(),
                text.as_bytes(),
                &mut signature,
            )
            .unwrap();
        let mut request = unsigned(method, target, body);
        for (name, value) in [
            ("token", token),
            ("timestamp", timestamp),
            ("version", "1.0.0".to_owned()),
            ("sign_str", STANDARD.encode(signature)),
        ] {
            set(&mut request, name, &value);
        }
        request
    }

    /// A request with a simple key.
    pub(super) fn simple(method: &str, target: &str, body: &str, token: &str) -> RawRequest {
        let mut request = unsigned(method, target, body);
        set(&mut request, "token", token);
        request
    }

    pub(super) fn raw(&self, request: &RawRequest) -> RawAnswer {
        self.service.tick();
        self.service.answer(request)
    }

    pub(super) fn send(&self, request: &RawRequest) -> Answer {
        let answer = self.raw(request);
        Answer {
            status: answer.status.as_u16(),
            headers: answer.headers,
            body: serde_json::from_slice(&answer.body).unwrap_or_else(|error| {
                panic!("{error} in {:?}", String::from_utf8_lossy(&answer.body))
            }),
        }
    }

    pub(super) fn get(&self, target: &str) -> Answer {
        self.send(&self.request("GET", &format!("/api/{target}"), ""))
    }

    pub(super) fn post(&self, path: &str, body: &Value) -> Answer {
        self.send(&self.request("POST", &format!("/api/{path}"), &body.to_string()))
    }

    pub(super) fn configure(&self, settings: &Value) {
        self.service.configure(settings).unwrap();
    }

    /// Lets time pass on the service's clock.
    pub(super) fn pass(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
        self.service.tick();
    }

    /// A fresh candidate for a device in a region.
    pub(super) fn candidate(&self, device: &str, region: &str) -> Value {
        let look =
            self.get("deployment/resource/search?task_type=Job&device_type=GpuDevice,CpuDevice");
        let rows = look.data()["results"].as_array().unwrap().clone();
        let row = rows
            .iter()
            .find(|row| row["device_name"] == device)
            .unwrap();
        let offer = row["regions"]
            .as_array()
            .unwrap()
            .iter()
            .find(|offer| offer["region"] == region)
            .unwrap();
        json!({
            "mark": offer["mark"]["mark"],
            "resource": offer["mark"]["resource"],
            "region_name": offer["region_name"],
        })
    }

    /// The body of a job that runs a shell text on one V100.
    pub(super) fn job(&self, script: &str) -> Value {
        json!({
            "task_name": "gj-20260510-a1b2c3",
            "resources": [self.candidate("V100", "hebeif-1")],
            "points": 1,
            "job_support": {
                "timeout_sec": 5400,
                "parallelism": 1,
                "mod_param": { "default": { "backoff_limit": 0, "restart_policy": "Never" } },
            },
            "services": [{
                "service_name": "main",
                "service_image": "registry.example/team/train:2.3",
                "resource_weight": { "cpu_weight": 1, "mem_weight": 1, "gpu_weight": 1 },
                "start_script": { "command": ["sh", "-c"], "args": [script] },
            }],
        })
    }

    /// Creates a job that must be accepted.
    pub(super) fn create(&self, body: &Value) -> i64 {
        let answer = self.post("task/job/create", body);
        answer.data()["task_id"].as_i64().unwrap()
    }

    pub(super) fn detail(&self, id: i64) -> Value {
        self.get(&format!("task/job/detail?task_id={id}"))
            .data()
            .clone()
    }

    /// Both words of a job.
    pub(super) fn words(&self, id: i64) -> (String, String) {
        let detail = self.detail(id);
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        (
            text(&detail["status"]),
            text(&detail["job_status"]["status"]),
        )
    }

    pub(super) fn nodes(&self, id: i64) -> Vec<Value> {
        let target = format!("deployment/task/points?task_id={id}&page=1&page_size=100");
        let answer = self.get(&target);
        answer.data()["results"].as_array().unwrap().clone()
    }

    pub(super) fn log(&self, id: i64, node: &Value) -> Value {
        let service = self.detail(id)["services"][0]["service_id"].clone();
        let point = &node["point_id"];
        self.get(&format!(
            "deployment/task/point_log?task_id={id}&point_id={point}&service_id={service}"
        ))
        .data()
        .clone()
    }

    pub(super) fn stop(&self, id: i64) -> Answer {
        self.post("task/job/stop", &json!({ "task_id": id }))
    }

    pub(super) fn processes(&self) -> Vec<Process> {
        let state = self.service.state();
        state
            .jobs
            .iter()
            .flat_map(|job| &job.nodes)
            .flat_map(|node| &node.containers)
            .filter_map(|container| match &container.run {
                Some(Run::Process(process)) => Some(process.clone()),
                Some(Run::Played(..)) | None => None,
            })
            .collect()
    }

    /// Waits until every process is over that runs now, and lets the service see it.
    pub(super) async fn processes_end(&self) {
        for process in self.processes() {
            process.finished().await;
        }
        self.service.tick();
    }

    /// Runs a job at once, to its end.
    pub(super) async fn run(&self, body: &Value) -> i64 {
        self.configure(&json!({ "advance": "at-once" }));
        let id = self.create(body);
        for _ in 0..200 {
            self.service.tick();
            self.processes_end().await;
            if !self.detail(id)["job_status"]["completion_time"].is_null() {
                return id;
            }
        }
        panic!("job {id} does not end");
    }
}

fn unsigned(method: &str, target: &str, body: &str) -> RawRequest {
    let mut request = RawRequest {
        method: Method::from_bytes(method.as_bytes()).unwrap(),
        target: target.to_owned(),
        headers: HeaderMap::new(),
        body: body.to_owned().into(),
        upload: None,
    };
    set(&mut request, "host", "127.0.0.1:8080");
    if !body.is_empty() {
        set(&mut request, "content-type", "application/json");
    }
    request
}

pub(super) fn set(request: &mut RawRequest, name: &str, value: &str) {
    request.headers.insert(
        HeaderName::from_bytes(name.as_bytes()).unwrap(),
        HeaderValue::from_str(value).unwrap(),
    );
}

impl Bench {
    /// Lets the service look at its jobs.
    pub(super) fn service_tick(&self) {
        self.service.tick();
    }
}
