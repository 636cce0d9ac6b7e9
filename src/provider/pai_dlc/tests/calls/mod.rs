//! The calls, over a transport made of paper: which requests go out, and what the answers become.

mod create;
mod jobs;
mod volumes;

use http::HeaderValue;
use serde_json::{Value, json};

use super::{MARKER, plan_of, recorded, spec};
use crate::error::Kind;
use crate::http::{BaseUrl, Signed};
use crate::model::{Job, Marker, ResourceRef, State};
use crate::provider::pai_dlc::{Connection, PaiDlc, PaiDlcDialect, default_endpoints};
use crate::provider::{
    Creation, ListFilter, Namespaces, Observation, Provider, RawPath, RawRequest, Support, Tracked,
    Verb, VolumeRequest, Volumes,
};
use crate::secret::Secret;
use crate::sign::{AccessKey, Acs3};
use crate::testing::{self, Desk, Exchange, Paper, answer, lost};

/// Every request names its action, and each host its own version of the API.
fn check(request: &Signed) {
    let template = request.template();
    assert_eq!(
        request.headers()["x-acs-action"].to_str().unwrap(),
        template.operation
    );
    let host = template.base.authority();
    let version = request.headers()["x-acs-version"].to_str().unwrap();
    assert_eq!(host.starts_with("pai-dlc."), version == "2020-12-03");
}

struct Bench {
    provider: PaiDlc,
    desk: Desk,
}

impl Bench {
    fn new(script: &[(u16, Value)]) -> Self {
        Self::with_workspace(Some("310042"), script)
    }

    /// A status of 0 is an answer that got lost.
    fn with_workspace(workspace: Option<&str>, script: &[(u16, Value)]) -> Self {
        let script = script.iter().map(|(status, body)| match status {
            0 => lost().into(),
            _ => Exchange::from(answer(*status, body))
                .with("content-type", "application/json;charset=utf-8"),
        });
        let desk = Desk::new(NOW, Paper::in_order(script).checking(check));
        let signer = Acs3::new(&AccessKey {
            id: "LTAI5tEXAMPLE".to_owned(),
            secret: Secret::new("hunter2"),
            token: None,
        })
        .unwrap();
        let (dlc, aiworkspace) = default_endpoints("cn-hangzhou");
        let provider = PaiDlc::new(Connection {
            name: "pai-dlc".to_owned(),
            session: desk.session("pai-dlc", signer, PaiDlcDialect),
            dlc: BaseUrl::parse(&dlc).unwrap(),
            aiworkspace: BaseUrl::parse(&aiworkspace).unwrap(),
            region: "cn-hangzhou".to_owned(),
            workspace: workspace.map(str::to_owned),
        });
        Self { provider, desk }
    }

    fn provider(&self) -> &dyn Provider {
        &self.provider
    }

    /// What went out.
    fn sent(&self) -> Vec<String> {
        self.desk.paper.lines()
    }
}

const NOW: &str = "2026-01-12T10:00:00Z";
const REF: &str = "pai-dlc/cn-hangzhou/dlc1k2m3n4p5q6r7";
const JOB: &str = "GET /api/v1/jobs/dlc1k2m3n4p5q6r7?NeedDetail=true";

fn tracked(reference: &str) -> Tracked {
    testing::tracked(reference.parse().unwrap())
}

fn not_found() -> (u16, Value) {
    (404, recorded("error-not-found"))
}

fn seen(observation: &Observation) -> &Job {
    match observation {
        Observation::Seen(job) => job,
        Observation::Missing | Observation::Unread(_) => panic!("not seen"),
    }
}

const SMALL: &str =
    "name: n\nimage: i\ncommand: [a]\nresources: { gpu: { model: A10, count: 1 } }\n";

#[test]
fn the_capability_table_agrees_with_what_is_there() {
    let bench = Bench::new(&[]);
    let capabilities = bench.provider().capabilities();
    assert_eq!(
        capabilities.has(Verb::VolumesList),
        bench.provider().volumes().is_some()
    );
    assert_eq!(
        capabilities.has(Verb::NamespacesList),
        bench.provider().namespaces().is_some()
    );
    for verb in Verb::ALL {
        assert!(capabilities.verbs.iter().any(|(listed, _)| *listed == verb));
    }
    assert_eq!(
        capabilities.has(Verb::Events),
        bench.provider().events().is_some()
    );
    assert_eq!(
        capabilities.has(Verb::Logs),
        bench.provider().logs().is_some()
    );
    for verb in [Verb::NamespacesCreate, Verb::Cost] {
        assert!(matches!(capabilities.support(verb), Support::No { .. }));
    }
}

#[test]
fn a_fixed_base_url_serves_its_own_region_only() {
    let mut bench = Bench::new(&[]);
    let elsewhere = spec(&format!("{SMALL}placement: {{ region: cn-beijing }}\n"));
    let policy = crate::provider::Policy::default();
    assert_eq!(bench.provider().assess(&elsewhere, &policy).refusals, []);
    bench.provider.home.dlc = BaseUrl::parse("http://127.0.0.1:9").unwrap();
    let refusals = bench.provider().assess(&elsewhere, &policy).refusals;
    assert_eq!(refusals.len(), 1);
    assert_eq!(refusals[0].field, "placement.region");
    assert!(bench.provider().polling().loopback);
}

/// The two products' paths look alike: the version tells them apart, where the table does not know the path.
#[test]
fn the_version_of_a_users_own_request_chooses_its_host() {
    let bench = Bench::new(&[]);
    let host = |path: &str, version: Option<&str>| {
        let headers = version.map(|version| {
            let name = http::HeaderName::from_static("x-acs-version");
            (name, HeaderValue::from_str(version).unwrap())
        });
        let request = RawRequest {
            method: http::Method::GET,
            path: RawPath::parse(path, &[]).unwrap(),
            headers: headers.into_iter().collect(),
            body: None,
            action: Some("X".to_owned()),
        };
        let template = bench.provider().raw(request).unwrap().template;
        let version = template.headers.get("x-acs-version").unwrap();
        (
            template.base.authority().to_owned(),
            version.to_str().unwrap().to_owned(),
        )
    };
    let dlc = "pai-dlc.cn-hangzhou.aliyuncs.com";
    let aiworkspace = "aiworkspace.cn-hangzhou.aliyuncs.com";
    for (path, version, expected) in [
        ("/api/v1/models", None, (dlc, "2020-12-03")),
        (
            "/api/v1/models",
            Some("2021-02-04"),
            (aiworkspace, "2021-02-04"),
        ),
        ("/api/v1/workspaces/1/x", None, (aiworkspace, "2021-02-04")),
        (
            "/api/v1/workspaces",
            Some("2020-12-03"),
            (dlc, "2020-12-03"),
        ),
        (
            "/api/v1/workspaces",
            Some("2030-01-01"),
            (aiworkspace, "2030-01-01"),
        ),
    ] {
        let (host, version) = host(path, version);
        assert_eq!((host.as_str(), version.as_str()), expected, "{path}");
    }
}
