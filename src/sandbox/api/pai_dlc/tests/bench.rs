//! A service on a manual clock and a client that signs with nothing but what the verifier offers.

use std::cell::Cell;
use std::sync::Arc;
use std::time::Duration;

use hmac::{Hmac, KeyInit, Mac};
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::sandbox::api::pai_dlc::{PaiDlc, TemporaryKey, routes};
use crate::sandbox::auth::acs3::{Canonical, hex, sha256_hex};
use crate::sandbox::clock::Clock;
use crate::sandbox::process::{Launcher, Process};
use crate::sandbox::service::Setup;
use crate::sandbox::service::{RawRequest, Service};

pub(super) const HOST: &str = "127.0.0.1:8080";

pub(super) struct Bench {
    pub(super) service: Arc<PaiDlc>,
    pub(super) clock: Clock,
    nonce: Cell<u32>,
    _folder: TempDir,
}

pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    pub(super) body: Value,
}

impl Answer {
    /// Status and code of a refusal.
    pub(super) fn refusal(&self) -> (u16, &str) {
        (self.status, self.body["Code"].as_str().unwrap_or(""))
    }

    pub(super) fn text(&self, name: &str) -> &str {
        self.body[name]
            .as_str()
            .unwrap_or_else(|| panic!("no text `{name}` in {}", self.body))
    }
}

/// Who signs.
pub(super) struct Signer {
    pub(super) id: String,
    pub(super) secret: String,
    pub(super) token: Option<String>,
}

impl Signer {
    pub(super) fn temporary(key: &TemporaryKey) -> Self {
        Self {
            id: key.id.clone(),
            secret: key.secret.expose().to_owned(),
            token: Some(key.token.expose().to_owned()),
        }
    }
}

impl Bench {
    pub(super) fn new() -> Self {
        let folder = TempDir::new().unwrap();
        let clock = Clock::manual("2026-01-12T09:41:03Z".parse().unwrap());
        let service = PaiDlc::new(Setup {
            clock: clock.clone(),
            launcher: Launcher::new(folder.path().join("root"), folder.path().to_owned()),
            seed: 7,
        });
        Self {
            service,
            clock,
            nonce: Cell::new(0),
            _folder: folder,
        }
    }

    pub(super) fn own(&self) -> Signer {
        let pair = &self.service.credentials().own;
        Signer {
            id: pair.id.clone(),
            secret: pair.secret.expose().to_owned(),
            token: None,
        }
    }

    pub(super) fn colleague(&self) -> Signer {
        let pair = &self.service.credentials().colleague;
        Signer {
            id: pair.id.clone(),
            secret: pair.secret.expose().to_owned(),
            token: None,
        }
    }

    /// A request as a client would sign it, with headers of the operation.
    pub(super) fn request(
        &self,
        signer: &Signer,
        method: &str,
        target: &str,
        body: &str,
    ) -> RawRequest {
        let path = target.split('?').next().unwrap();
        let operation = routes::look_up(method, path).map(|route| route.operation);
        let nonce = self.nonce.get() + 1;
        self.nonce.set(nonce);
        let mut headers = vec![
            ("host", HOST.to_owned()),
            (
                "x-acs-action",
                operation
                    .map_or("None", |operation| operation.action())
                    .to_owned(),
            ),
            (
                "x-acs-version",
                operation
                    .map_or("2020-12-03", |operation| operation.version())
                    .to_owned(),
            ),
            (
                "x-acs-date",
                self.clock.now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
            ),
            ("x-acs-signature-nonce", format!("{nonce:032x}")),
            ("x-acs-content-sha256", sha256_hex(body.as_bytes())),
        ];
        if !body.is_empty() {
            headers.push(("content-type", "application/json; charset=utf-8".to_owned()));
        }
        if let Some(token) = &signer.token {
            headers.push(("x-acs-security-token", token.clone()));
        }
        let mut request = RawRequest {
            method: Method::from_bytes(method.as_bytes()).unwrap(),
            target: target.to_owned(),
            headers: headers
                .into_iter()
                .map(|(name, value)| {
                    (
                        HeaderName::from_static(name),
                        HeaderValue::from_str(&value).unwrap(),
                    )
                })
                .collect(),
            body: body.to_owned().into(),
            upload: None,
        };
        sign(&mut request, signer);
        request
    }

    pub(super) fn send(&self, request: &RawRequest) -> Answer {
        self.service.tick();
        let answer = self.service.answer(request);
        Answer {
            status: answer.status.as_u16(),
            headers: answer.headers,
            body: serde_json::from_slice(&answer.body).unwrap(),
        }
    }

    pub(super) fn call(&self, method: &str, target: &str, body: Option<&Value>) -> Answer {
        let body = body.map(Value::to_string).unwrap_or_default();
        self.send(&self.request(&self.own(), method, target, &body))
    }

    pub(super) fn get(&self, target: &str) -> Answer {
        self.call("GET", target, None)
    }

    pub(super) fn configure(&self, settings: &Value) {
        self.service.configure(settings).unwrap();
    }

    /// Creates a job that must be accepted.
    pub(super) fn create(&self, body: &Value) -> String {
        let answer = self.call("POST", "/api/v1/jobs", Some(body));
        assert_eq!(answer.status, 200, "{}", answer.body);
        answer.text("JobId").to_owned()
    }

    pub(super) fn job(&self, id: &str) -> Value {
        let answer = self.get(&format!("/api/v1/jobs/{id}"));
        assert_eq!(answer.status, 200, "{}", answer.body);
        answer.body
    }

    pub(super) fn status(&self, id: &str) -> String {
        self.job(id)["Status"].as_str().unwrap().to_owned()
    }

    /// Lets time pass on the service's clock.
    pub(super) fn pass(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
        self.service.tick();
    }

    /// Waits until every process that was started is over, and lets the service see it.
    pub(super) async fn processes_end(&self) {
        let processes: Vec<Process> = self
            .service
            .state()
            .jobs
            .iter()
            .flat_map(|job| job.pods.iter().filter_map(|pod| pod.process.clone()))
            .collect();
        for process in processes {
            process.finished().await;
        }
        self.service.tick();
    }

    /// Runs a job at once, to its end.
    pub(super) async fn run(&self, body: &Value) -> Value {
        self.configure(&json!({ "advance": "at-once" }));
        let id = self.create(body);
        self.service.tick();
        self.processes_end().await;
        self.job(&id)
    }

    /// The lines of a job's pod.
    pub(super) fn lines(&self, job: &str, pod: &str) -> Vec<String> {
        let answer = self.get(&format!("/api/v1/jobs/{job}/pods/{pod}/logs"));
        assert_eq!(answer.status, 200, "{}", answer.body);
        serde_json::from_value(answer.body["Logs"].clone()).unwrap()
    }
}

/// Signs over everything that was sent.
pub(super) fn sign(request: &mut RawRequest, signer: &Signer) {
    request.headers.remove("authorization");
    let mut names: Vec<&str> = request.headers.keys().map(HeaderName::as_str).collect();
    names.sort_unstable();
    let text = Canonical::of(request, &names).string_to_sign();
    let mac = Hmac::<sha2::Sha256>::new_from_slice(signer.secret.as_bytes()).unwrap();
    let signature = hex(&mac.chain_update(text.as_bytes()).finalize().into_bytes());
    let authorization = format!(
        "ACS3-HMAC-SHA256 Credential={},SignedHeaders={},Signature={signature}",
        signer.id,
        names.join(";")
    );
    request.headers.insert(
        "authorization",
        HeaderValue::from_str(&authorization).unwrap(),
    );
}

/// A job of one pod on public resources.
pub(super) fn job(command: &str) -> Value {
    json!({
        "DisplayName": "resnet-a10-7f3c",
        "JobType": "PyTorchJob",
        "WorkspaceId": "310042",
        "UserCommand": command,
        "JobSpecs": [{
            "Type": "Worker",
            "PodCount": 1,
            "Image": "registry.example.com/acme/torch:2.4",
            "EcsSpec": "ecs.gn7i-c8g1.2xlarge",
        }],
    })
}

/// A job of `pods` pods on a quota.
pub(super) fn quota_job(command: &str, pods: u32) -> Value {
    let mut body = job(command);
    body["ResourceId"] = json!("quota7h2k9d4m1x0");
    body["JobSpecs"] = json!([{
        "Type": "Worker",
        "PodCount": pods,
        "Image": "registry.example.com/acme/torch:2.4",
        "ResourceConfig": { "CPU": "8", "GPU": "1", "GPUType": "", "Memory": "64Gi", "SharedMemory": "32Gi" },
    }]);
    body
}
