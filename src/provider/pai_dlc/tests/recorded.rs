//! Every example of pai-dlc.md §9 parses to an asserted model.

use proptest::prelude::*;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{catalogue, recorded};
use crate::model::Timestamp;
use crate::model::{Flag, Gpu, State};
use crate::provider::pai_dlc::parse::{self, Memory, Origin};
use crate::provider::pai_dlc::wire::{
    CreateDataset, CreateJob, Created, DatasetAnswer, DatasetCreated, DatasetPage, EcsSpecPage,
    JobPage, WorkspacePage,
};
use crate::provider::pai_dlc::{datasets, offers, workspaces};
use crate::testing::any_json;

const ORIGIN: Origin<'static> = Origin {
    provider: "pai-dlc",
    region: "cn-hangzhou",
};

const NOBODY: Memory = Memory::Told {
    cancel_requested_at: None,
    time_limit_s: None,
};

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

#[test]
fn both_create_requests_survive_the_wire_types() {
    for name in ["request-create-public", "request-create-quota"] {
        let value = recorded(name);
        let body: CreateJob = serde_json::from_value(value.clone()).unwrap();
        assert_eq!(serde_json::to_value(&body).unwrap(), value, "{name}");
        let shown = format!("{body:?}");
        assert!(!shown.contains("not-a-real-one"), "{shown}");
        assert!(!shown.contains("WARN"), "{shown}");
    }
    let value = recorded("request-create-dataset");
    let body: CreateDataset = serde_json::from_value(value.clone()).unwrap();
    assert_eq!(serde_json::to_value(&body).unwrap(), value);
}

#[test]
fn a_created_and_a_stopped_job_tell_their_id() {
    for name in ["created", "job-stop-answer"] {
        let answer: Created = serde_json::from_value(recorded(name)).unwrap();
        assert_eq!(answer.job_id.as_deref(), Some("dlc1k2m3n4p5q6r7"));
        assert!(answer.request_id.is_some());
    }
}

#[test]
fn a_running_job_fills_the_record() {
    let value = recorded("job-running");
    let job = parse::job(&value, ORIGIN, NOBODY).unwrap();
    assert_eq!(
        job.job_ref.to_string(),
        "pai-dlc/cn-hangzhou/dlc1k2m3n4p5q6r7"
    );
    assert_eq!(job.provider_id, "dlc1k2m3n4p5q6r7");
    assert_eq!(job.name.as_deref(), Some("resnet-a10-7f3c"));
    assert_eq!((job.state, job.terminal), (State::Running, false));
    assert_eq!(job.raw_state, json!("Running"));
    assert_eq!((job.reason, job.message), (None, None));
    assert_eq!(job.created_at, Some(at("2026-01-12T09:41:03Z")));
    assert_eq!(job.started_at, Some(at("2026-01-12T09:44:57Z")));
    assert_eq!(job.finished_at, None);
    assert_eq!(job.duration_s, Some(311));
    assert_eq!(job.exit_code, None);
    assert_eq!(job.instance_type.as_deref(), Some("ecs.gn7i-c8g1.2xlarge"));
    assert_eq!(job.nodes, 1);
    assert_eq!(job.node_names, ["cn-hangzhou.10.20.3.17"]);
    assert_eq!(
        job.console_url.as_deref(),
        Some(
            "https://pai.console.aliyun.com/?regionId=cn-hangzhou&workspaceId=310042#/dlc/jobs/dlc1k2m3n4p5q6r7/overview"
        )
    );
    assert_eq!((job.cost, job.marker), (None, None));
    assert!(job.flags.is_empty());
    assert_eq!(job.raw, value);
}

#[test]
fn a_job_in_a_list_is_read_with_its_texts_for_numbers() {
    let page: JobPage = serde_json::from_value(recorded("jobs-page")).unwrap();
    assert_eq!(page.total_count, Some(1));
    let job = parse::job(&page.jobs[0], ORIGIN, Memory::Untold).unwrap();
    assert_eq!((job.state, job.nodes), (State::Running, 1));
    assert_eq!(job.duration_s, Some(311));
    assert_eq!(
        job.gpu,
        Some(Gpu {
            model: None,
            count: 1.0,
            memory_bytes: None,
            form_factor: None,
        })
    );
}

#[test]
fn a_job_stopped_by_somebody_else_says_so() {
    let value = recorded("job-stopped-by-user");
    let job = parse::job(&value, ORIGIN, NOBODY).unwrap();
    assert_eq!((job.state, job.terminal), (State::Cancelled, true));
    assert_eq!(job.reason.as_deref(), Some("StoppedByUser"));
    assert_eq!(
        job.message.as_deref(),
        Some("Job is stopped by user (not cancelled by this client)")
    );
    assert_eq!(job.finished_at, Some(at("2026-01-12T09:50:08Z")));
    let ours = Memory::Told {
        cancel_requested_at: Some(at("2026-01-12T09:50:00Z")),
        time_limit_s: Some(312),
    };
    let job = parse::job(&value, ORIGIN, ours).unwrap();
    assert_eq!(job.state, State::Cancelled);
    assert_eq!(job.message.as_deref(), Some("Job is stopped by user."));
    let untold = parse::job(&value, ORIGIN, Memory::Untold).unwrap();
    assert_eq!(untold.message.as_deref(), Some("Job is stopped by user."));
}

#[test]
fn a_succeeded_job_has_the_code_zero() {
    let job = parse::job(&recorded("job-succeeded"), ORIGIN, NOBODY).unwrap();
    assert_eq!(job.state, State::Succeeded);
    assert_eq!(job.exit_code, Some(0));
    assert_eq!(job.reason.as_deref(), Some("JobSucceeded"));
    assert_eq!(
        job.message.as_deref(),
        Some("PyTorchJob dlc1k2m3n4p5q6r7 is successfully completed.")
    );
}

#[test]
fn a_pod_that_happens_to_tell_its_code_is_believed() {
    let mut value = recorded("job-failed-with-exit-code");
    let job = parse::job(&value, ORIGIN, NOBODY).unwrap();
    assert_eq!((job.state, job.exit_code), (State::Failed, Some(137)));
    value["Pods"][0]["StatusDetail"] = Value::Null;
    let job = parse::job(&value, ORIGIN, NOBODY).unwrap();
    assert_eq!((job.state, job.exit_code), (State::Failed, None));
}

#[test]
fn the_catalogue_becomes_offers_without_prices() {
    let page: EcsSpecPage = serde_json::from_value(recorded("ecs-specs")).unwrap();
    assert_eq!((page.ecs_specs.len(), page.total_count), (2, Some(2)));
    let mut offers = catalogue();
    offers::sort(&mut offers);
    let [first, second] = offers.as_slice() else {
        panic!("two offers");
    };
    assert_eq!(first.id, "ecs.gn7i-c8g1.2xlarge");
    assert_eq!(
        first.gpu,
        Some(Gpu {
            model: Some("A10".to_owned()),
            count: 1.0,
            memory_bytes: Some(24 << 30),
            form_factor: None,
        })
    );
    assert_eq!(first.gpu_text.as_deref(), Some("NVIDIA A10"));
    assert_eq!(first.cpu_cores, Some(8.0));
    assert_eq!(first.memory_bytes, Some(30 << 30));
    assert_eq!(first.available, Some(true));
    let spot = first.spot.clone().unwrap();
    assert_eq!((spot.discount, spot.available), (Some(0.31), Some(true)));
    assert_eq!((&first.price_per_hour, first.stock), (&None, None));
    assert_eq!(first.region.as_deref(), Some("cn-hangzhou"));
    assert_eq!(second.available, Some(false));
    assert_eq!(second.spot, None);
}

#[test]
fn large_memory_counts_mebibytes_and_a_missing_card_size_comes_from_the_model() {
    let value =
        json!({"InstanceType": "x", "Cpu": 8, "Memory": 30720, "Gpu": 1, "GpuType": "NVIDIA A10"});
    let offer = offers::offer(&value, "r", Timestamp::UNIX_EPOCH).unwrap();
    assert_eq!(offer.memory_bytes, Some(30 << 30));
    assert_eq!(offer.gpu.unwrap().memory_bytes, Some(24 << 30));
    let value = json!({"InstanceType": "y", "Memory": 8192, "Gpu": 0, "GpuType": ""});
    let offer = offers::offer(&value, "r", Timestamp::UNIX_EPOCH).unwrap();
    assert_eq!(offer.memory_bytes, Some(8192 << 30));
    assert_eq!((offer.gpu, offer.available), (None, None));
}

#[test]
fn workspaces_and_datasets_become_rows() {
    let page: WorkspacePage = serde_json::from_value(recorded("workspaces")).unwrap();
    let workspace = workspaces::namespace(&page.workspaces[0]).unwrap();
    assert_eq!(workspace.id, "310042");
    assert_eq!(workspace.name.as_deref(), Some("acme-vision"));
    assert_eq!(workspace.default, Some(true));

    let page: DatasetPage = serde_json::from_value(recorded("datasets")).unwrap();
    let volume = datasets::volume(&page.datasets[0], "pai-dlc", "cn-hangzhou").unwrap();
    assert_eq!(
        volume.volume_ref.to_string(),
        "pai-dlc/cn-hangzhou/d-4k7m2x9q1w8e3r6t5y"
    );
    assert_eq!(volume.kind, "dataset");
    assert_eq!(volume.name.as_deref(), Some("imagenet_mini"));
    assert_eq!(volume.scope.as_deref(), Some("cn-hangzhou/310042"));
    assert!(volume.mountable);
    assert_eq!(volume.transfer, None);

    let created: DatasetCreated = serde_json::from_value(recorded("dataset-created")).unwrap();
    assert_eq!(created.dataset_id.as_deref(), Some("d-4k7m2x9q1w8e3r6t5y"));
}

#[test]
fn a_registry_password_in_an_echo_is_masked() {
    let mut value = recorded("job-running");
    value["JobSpecs"][0]["ImageConfig"] =
        json!({"DockerRegistry": "r.example", "Username": "puller", "Password": "hunter2"});
    let job = parse::job(&value, ORIGIN, NOBODY).unwrap();
    let raw = job.raw.to_string();
    assert!(!raw.contains("hunter2"), "{raw}");
    assert!(raw.contains("puller"), "{raw}");
}

#[test]
fn a_quota_jobs_size_is_told_in_words() {
    let value = json!({
        "JobId": "dlcx", "Status": "Running", "DisplayName": "llm-bcdfghjklm2456",
        "Settings": {"Tags": {"gpujob-run": "bcdfghjklm2456", "gpujob-name": "LLM 训练"}},
        "JobSpecs": [{"Type": "Worker", "PodCount": 2, "ResourceConfig":
            {"CPU": "96", "GPU": "8", "GPUType": "Tesla-V100-16G", "Memory": "1200Gi", "SharedMemory": ""}}]
    });
    let job = parse::job(&value, ORIGIN, NOBODY).unwrap();
    assert_eq!(job.name.as_deref(), Some("LLM 训练"));
    assert_eq!(job.marker.as_deref(), Some("bcdfghjklm2456"));
    assert_eq!(job.nodes, 2);
    assert_eq!(
        job.instance_type.as_deref(),
        Some("CPU=96,GPU=8,GPUType=Tesla-V100-16G,Memory=1200Gi")
    );
    let gpu = job.gpu.unwrap();
    assert_eq!((gpu.model.as_deref(), gpu.count), (Some("V100"), 8.0));
    assert_eq!(gpu.memory_bytes, Some(16 << 30));
}

#[test]
fn a_display_name_loses_our_marker_and_nothing_else() {
    for (display, name, marker) in [
        ("bert-bcdfghjklm2456", Some("bert"), true),
        ("gpujob-bcdfghjklm2456", None, true),
        ("resnet-a10-7f3c", Some("resnet-a10-7f3c"), false),
    ] {
        let value = json!({"JobId": "dlcx", "Status": "Running", "DisplayName": display});
        let job = parse::job(&value, ORIGIN, NOBODY).unwrap();
        assert_eq!(job.name.as_deref(), name, "{display}");
        assert_eq!(job.marker.is_some(), marker, "{display}");
    }
}

#[test]
fn a_deleted_job_and_an_object_without_an_id_are_no_jobs() {
    for value in [
        json!({"JobId": "dlcx", "Status": "Stopped", "IsDeleted": true}),
        json!({"JobId": "", "Status": "Running"}),
        json!({}),
        json!([]),
        Value::Null,
    ] {
        assert_eq!(parse::job(&value, ORIGIN, NOBODY), None, "{value}");
    }
}

#[test]
fn absent_null_empty_and_strange_members_are_alike() {
    for strange in [Value::Null, json!(""), json!([]), json!({}), json!(0)] {
        let value = json!({
            "JobId": "dlcx", "Status": "Failed", "ReasonMessage": strange, "JobSpecs": strange,
            "Pods": strange, "Settings": strange, "Duration": strange, "GmtCreateTime": strange,
            "NodeCount": strange, "NodeNames": strange, "RequestGPU": strange,
        });
        let job = parse::job(&value, ORIGIN, NOBODY).unwrap();
        assert_eq!(job.state, State::Failed, "{strange}");
        assert_eq!((job.nodes, job.duration_s), (1, None), "{strange}");
        assert_eq!(job.created_at, None, "{strange}");
        assert!(!job.flags.contains(&Flag::Gone));
    }
}

/// The members that the readers look for.
const NAMES: [&str; 19] = [
    "JobId",
    "Status",
    "JobSpecs",
    "PodCount",
    "Pods",
    "StatusDetail",
    "ExitCode",
    "Settings",
    "Tags",
    "Duration",
    "GmtRunningTime",
    "GmtFinishTime",
    "JobMaxRunningTimeMinutes",
    "InstanceType",
    "Memory",
    "Gpu",
    "GpuMemory",
    "DatasetId",
    "WorkspaceId",
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_parser_panics_on_any_json(value in any_json(&NAMES)) {
        let told = Memory::Told {
            cancel_requested_at: None,
            time_limit_s: Some(60),
        };
        drop(parse::job(&value, ORIGIN, told));
        drop(parse::job(&value, ORIGIN, Memory::Untold));
        let _ = parse::time_limit(&value);
        drop(offers::offer(&value, "r", Timestamp::UNIX_EPOCH));
        drop(workspaces::namespace(&value));
        drop(datasets::volume(&value, "p", "r"));
        drop(JobPage::deserialize(&value));
        drop(DatasetAnswer::deserialize(&value));
    }
}
