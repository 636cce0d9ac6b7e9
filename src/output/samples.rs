//! Records for tests: one with everything known, one with hardly anything.

use jiff::tz::TimeZone;
use serde_json::{Value, json};

use crate::http::{BaseUrl, Target, Template};
use crate::model::{
    Backend, FileEntry, FilePath, Flag, Gpu, Job, Level, Marker, Money, Namespace, Offer, Refusal,
    RefusalCode, ResourceRef, SpotOffer, State, Timestamp, TransferCredentials, Volume,
};
use crate::provider::money::Extent;
use crate::provider::{Assessment, Plan, Policy};
use crate::secret::Secret;
use crate::testing;

use super::{Format, Style};

pub(super) fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

pub(super) fn now() -> Timestamp {
    at("2026-01-06T12:00:00Z")
}

/// Eight hours ahead of UTC, so that a forgotten zone shows.
pub(super) fn style(format: Format) -> Style {
    Style {
        time_zone: TimeZone::fixed(jiff::tz::offset(8)),
        ..Style::plain(format)
    }
}

pub(super) fn full_job() -> Job {
    let reference = ResourceRef::new("hz", ["cn-hangzhou", "dlc1k2m3n4p5q6r7"]);
    let mut job = Job::new(reference, "dlc1k2m3n4p5q6r7", State::Running);
    job.name = Some("训练 bert".to_owned());
    job.raw_state = json!("Restarting");
    job.reason = Some("PodRestarted".to_owned());
    job.message = Some("pod 0 was\nrestarted \u{1b}[31mtwice\u{202e}".to_owned());
    job.created_at = Some(at("2026-01-06T08:09:10.987Z"));
    job.started_at = Some(at("2026-01-06T08:15:00Z"));
    job.duration_s = Some(13_500);
    job.instance_type = Some("ecs.gn7i-c8g1.2xlarge".to_owned());
    job.gpu = Some(Gpu {
        model: Some("A10".to_owned()),
        count: 2.0,
        memory_bytes: Some(24 << 30),
        form_factor: Some("PCIE".to_owned()),
    });
    job.nodes = 2;
    job.node_names = vec!["worker-0".to_owned(), "worker-1".to_owned()];
    job.endpoints = vec!["https://x.example".to_owned()];
    job.cost = Some(Money::from_micros(1_677_600, "CNY"));
    job.cost_is_estimate = true;
    job.console_url = Some("https://pai.example/#/jobs/1".to_owned());
    job.flags.insert(Flag::Restarting);
    job.flags.insert(Flag::Cancelling);
    job.approximate = vec!["duration_s"];
    job.marker = Some("bcdfghjklm2456".to_owned());
    job.key = Some("nightly-7".to_owned());
    job.adopted = true;
    job.raw = json!({"Status": "Restarting", "GmtCreateTime": "2026-01-06T08:09:10.987Z"});
    job
}

pub(super) fn bare_job() -> Job {
    let reference = ResourceRef::new("cyclecloud", ["my lab", "3f2e"]);
    Job::new(reference, "3f2e", State::Pending)
}

pub(super) fn failed_job() -> Job {
    let reference = ResourceRef::new("gongji", ["90071992547409931"]);
    let mut job = Job::new(reference, "90071992547409931", State::Failed);
    job.name = Some("sweep 3".to_owned());
    job.raw_state = json!({"status": "End", "job_status": "Failed", "schedule_status": null});
    job.exit_code = Some(137);
    job.created_at = Some(at("2026-01-01T12:00:00Z"));
    job.finished_at = Some(at("2026-01-01T12:01:30Z"));
    job.duration_s = Some(90);
    job.cost = Some(Money::from_micros(12_540, "CNY"));
    job
}

pub(super) fn full_offer() -> Offer {
    Offer {
        id: "para-a/n32h.xlarge".to_owned(),
        name: "n32h.xlarge".to_owned(),
        cluster: Some("para-a".to_owned()),
        region: Some("cn-north".to_owned()),
        queue: Some("gpu".to_owned()),
        gpu: Some(Gpu {
            model: Some("A100".to_owned()),
            count: 1.0,
            memory_bytes: Some(80 << 30),
            form_factor: Some("SXM".to_owned()),
        }),
        gpu_text: Some("NVIDIA A100-SXM4-80GB".to_owned()),
        cpu_cores: Some(12.5),
        memory_bytes: Some(120 << 30),
        arch: Some("amd64".to_owned()),
        price_per_hour: Some(Money::from_micros(12_503_400, "CNY")),
        price_source: Some("provider".to_owned()),
        spot: Some(SpotOffer {
            discount: Some(0.3),
            available: Some(true),
        }),
        stock: Some(3),
        available: Some(true),
        infiniband: Some(false),
        note: Some("drivers, \"550\"".to_owned()),
        as_of: Some(at("2026-01-06T11:58:00Z")),
        raw: json!({"id": 7}),
    }
}

pub(super) fn bare_offer() -> Offer {
    Offer {
        name: "slice".to_owned(),
        gpu: Some(Gpu {
            model: None,
            count: 0.5,
            memory_bytes: None,
            form_factor: None,
        }),
        gpu_text: Some("国产卡".to_owned()),
        ..testing::offer("4090@cn-west")
    }
}

pub(super) fn volume() -> Volume {
    Volume {
        volume_ref: ResourceRef::new("paracloud", ["k8r2wq", "para-a", "x7m4tzb9"]),
        id: "x7m4tzb9".to_owned(),
        kind: "volume".to_owned(),
        name: Some("data set".to_owned()),
        scope: Some("para-a".to_owned()),
        size_bytes: Some(100 << 30),
        used_bytes: Some(1_610_612_736),
        status: Some("Active".to_owned()),
        mountable: true,
        transfer: Some("webdav".to_owned()),
        raw: json!({"sizeGB": 100}),
    }
}

pub(super) fn bare_volume() -> Volume {
    Volume {
        volume_ref: ResourceRef::new("cyclecloud", ["lab", "gpu", "/shared"]),
        id: "/shared".to_owned(),
        kind: "nfs".to_owned(),
        name: None,
        scope: None,
        size_bytes: None,
        used_bytes: None,
        status: None,
        mountable: false,
        transfer: None,
        raw: Value::Null,
    }
}

pub(super) fn files() -> [FileEntry; 2] {
    let folder = FilePath::parse("/data/视频").unwrap();
    [
        FileEntry {
            path: folder.clone(),
            is_folder: true,
            size_bytes: None,
            modified_at: None,
        },
        FileEntry {
            path: folder.join("a\u{1b}[2J, b.bin"),
            is_folder: false,
            size_bytes: Some(1_610_612_736),
            modified_at: "2026-01-05T00:09:10Z".parse().ok(),
        },
    ]
}

pub(super) fn credentials() -> TransferCredentials {
    TransferCredentials {
        username: "x7m4tzb9".to_owned(),
        password: Secret::new("once-0nly"),
        webdav_url: Some("https://dav.example/x7m4tzb9/".to_owned()),
        sftp_address: None,
    }
}

pub(super) fn namespace() -> Namespace {
    Namespace {
        id: "310042".to_owned(),
        name: Some("视觉".to_owned()),
        default: Some(true),
        raw: Value::Null,
    }
}

pub(super) fn assessment() -> Assessment {
    let mut assessment = Assessment::default();
    assessment.native("image", "`containers[0].image`");
    assessment.emulated(
        "timeout",
        "the command runs under `timeout 5400`",
        &Policy::default(),
    );
    assessment.local("labels", "kept in the journal");
    assessment.note("no price is known for this type");
    assessment
}

pub(super) fn refused() -> Assessment {
    let mut assessment = assessment();
    assessment.unsupported(
        "workdir",
        "`paracloud` has no working directory",
        "begin the command with `cd DIR`",
    );
    assessment.refuse(Refusal::new(
        RefusalCode::NoMatchingResource,
        "resources.gpu",
        "no type has 8x H100; nearest is 4x A100",
    ));
    assert_eq!(
        assessment.report.last().map(|report| report.level),
        Some(Level::Refused)
    );
    assessment
}

/// A plan with one request, whose body holds the secret `s3cret-value`.
pub(super) fn plan() -> Plan {
    let base = BaseUrl::parse("https://eci.example:8443").unwrap();
    let target = Target::new("/api/v1/namespaces")
        .segment("k8r2wq")
        .literal("/containerGroups");
    let body = json!({
        "name": "bert",
        "containers": [{
            "command": ["env", "LR=3e-5", "WANDB_KEY=s3cret-value", "python", "/data/it's.py"],
            "image": "registry.example/team/bert:1.4",
        }],
    });
    Plan {
        provider: "paracloud".to_owned(),
        backend: Backend::Paracloud,
        marker: Marker::parse("bcdfghjklm2456").unwrap(),
        scope: "paracloud/k8r2wq".to_owned(),
        offer: Some(full_offer()),
        assessment: assessment(),
        uploads: Vec::new(),
        requests: vec![
            Template::new("CreateContainerGroup", http::Method::POST, &base, target)
                .with_json("application/json", &body)
                .unwrap(),
        ],
        secrets: vec![Secret::new("s3cret-value")],
        time_limit_s: Some(5_400),
        nodes: 1,
        extent: Extent {
            at_a_time: 1,
            in_all: 1,
        },
    }
}
