//! Every example of gongji.md §9, read into the model.

use serde::Deserialize;
use serde_json::json;

use super::super::parse::{self, Memory};
use super::super::wire::{
    BillingPeriod, BillingTask, CreateNas, Created, DeleteNas, Event, Events, JobAnswer, Logs,
    NasOffers, Node, StopJob,
};
use super::*;
use crate::model::{Flag, Gpu, Job, State};
use crate::provider::time;

const GIB: u64 = 1 << 30;

fn job(name: &str) -> Job {
    parse::job(&data(name), "gongji", Memory::Untold).unwrap()
}

fn told(cancel_requested_at: Option<&str>) -> Memory {
    Memory::Told {
        cancel_requested_at: cancel_requested_at.map(at),
        time_limit_s: None,
    }
}

fn card() -> Gpu {
    Gpu {
        model: Some("RTX4090".to_owned()),
        count: 1.0,
        memory_bytes: Some(24 * GIB),
        form_factor: None,
    }
}

#[test]
fn a_running_job() {
    let job = job("detail-running");
    assert_eq!(job.job_ref.to_string(), "gongji/2100457");
    assert_eq!(job.provider_id, "2100457");
    // The contract's name has no marker of ours: `a1b2c3` stays.
    assert_eq!(job.name.as_deref(), Some("gj-20260510-a1b2c3"));
    assert_eq!(job.marker, None);
    assert_eq!((job.state, job.terminal), (State::Running, false));
    assert_eq!(
        job.raw_state,
        json!({"status": "Running", "job_status": "Running", "schedule_status": null})
    );
    assert_eq!(job.created_at, Some(at("2026-05-10T03:15:02.118273Z")));
    assert_eq!((job.started_at, job.finished_at), (None, None));
    assert_eq!(job.exit_code, None);
    assert_eq!(job.instance_type.as_deref(), Some("4090@demo-r1"));
    assert_eq!(job.gpu, Some(card()));
    assert_eq!(job.nodes, 1);
    assert_eq!(job.cost.as_ref().unwrap().to_string(), "0.2796 CNY");
    assert!(job.cost_is_estimate);
    assert!(job.flags.is_empty() && job.endpoints.is_empty());
    assert_eq!(job.raw, data("detail-running"));
}

#[test]
fn a_finished_job_succeeded_whatever_its_life_cycle_says() {
    for status in ["running", "paused", "end"] {
        let mut job = job(&format!("detail-finished-while-{status}"));
        assert_eq!(
            (job.state, job.terminal),
            (State::Succeeded, true),
            "{status}"
        );
        assert_eq!(job.finished_at, Some(at("2026-05-10T03:58:11Z")));
        assert_eq!(job.exit_code, Some(0));
        assert!(!job.cost_is_estimate);
        // One pod is charged still, which `billing_points` tells.
        parse::mention_charges(&mut job);
        assert_eq!(job.message.as_deref(), Some("1 pod is still charged"));
    }
}

#[test]
fn a_spot_job_that_waits() {
    let job = job("detail-spot-waiting");
    assert_eq!((job.state, job.terminal), (State::Pending, false));
    assert_eq!(job.flags, [Flag::QueuedSpot].into());
    assert_eq!(
        job.raw_state,
        json!({"status": "Pending", "job_status": "Pending", "schedule_status": "Queued"})
    );
    assert_eq!(job.cost.unwrap().amount(), "0");
}

#[test]
fn a_row_of_the_list_is_the_same_job() {
    let page = data("jobs-page");
    let row = parse::job(&page["results"][0], "gongji", Memory::Untold).unwrap();
    let detail = job("detail-running");
    // The time has another form, and the same meaning.
    assert_eq!(row.created_at, detail.created_at);
    assert_eq!(
        Job {
            raw: detail.raw.clone(),
            ..row
        },
        detail
    );
}

#[test]
fn the_limits_of_a_job_are_read_back() {
    let answer = JobAnswer::deserialize(&data("detail-running")).unwrap();
    assert_eq!(answer.job_support.timeout_sec, Some(5400));
    assert_eq!(answer.job_support.parallelism, Some(1));
    assert_eq!(answer.job_support.estimated_exec_sec, None);
    assert_eq!(
        answer.job_support.mod_param.default,
        json!({"backoff_limit": 0, "restart_policy": "Never"})
    );
    assert!(answer.job_support.mod_param.index.is_null());
    assert_eq!(
        answer.deployment_name.as_deref(),
        Some("job-20771-qwertyui")
    );
    assert_eq!(answer.runing_points, Some(1));
    assert_eq!(answer.billing_points, Some(1));
    assert_eq!(answer.forecast_value, Some(466));
    assert_eq!(
        answer.job_status.completion_mode.as_deref(),
        Some("NonIndexed")
    );
    assert_eq!(answer.services[0].service_id, Some(3_300_911));
    assert_eq!(
        answer.resources[0].mark.as_deref(),
        Some("c2FtcGxlLW1hcmstMDAxLzQwOTA=")
    );
    assert_eq!(answer.resources[0].region_name.as_deref(), Some("演示一区"));
}

#[test]
fn pods_tell_the_exit_code_the_time_and_the_reason() {
    let nodes = data("points")["results"].as_array().unwrap().clone();
    let node = Node::deserialize(&nodes[0]).unwrap();
    assert_eq!(node.point_id, Some(88_120_345));
    // A text here, a number elsewhere.
    assert_eq!(node.resource.gpu_count, Some(1));
    assert_eq!(node.containers[0].exit_code, Some(3));
    assert_eq!(node.describe_dto.restart_count, Some(0));
    let mut value = data("detail-running");
    value["job_status"]["status"] = json!("Failed");
    let mut failed = parse::job(&value, "gongji", told(None)).unwrap();
    parse::add_nodes(&mut failed, &nodes);
    assert_eq!(failed.exit_code, Some(3));
    assert_eq!(failed.duration_s, Some(754));
    assert_eq!(failed.approximate, ["duration_s"]);
    assert_eq!(failed.reason.as_deref(), Some("Error"));
    assert_eq!(failed.node_names, ["job-20771-qwertyui-0-x7k2p"]);
}

#[test]
fn a_succeeded_job_is_zero_whatever_an_earlier_try_returned() {
    let nodes = data("points")["results"].as_array().unwrap().clone();
    let mut job = job("detail-finished-while-end");
    parse::add_nodes(&mut job, &nodes);
    assert_eq!((job.exit_code, job.reason), (Some(0), None));
    assert_eq!(job.duration_s, Some(754));
}

#[test]
fn exit_codes_come_in_many_forms_and_only_from_failed_pods() {
    let mut value = data("detail-running");
    value["job_status"]["status"] = json!("Failed");
    let exit_code = |nodes: Value| {
        let mut job = parse::job(&value, "gongji", told(None)).unwrap();
        parse::add_nodes(&mut job, nodes.as_array().unwrap());
        job.exit_code
    };
    let node =
        |status: &str, code: Value| json!({"status": status, "containers": [{"exit_code": code}]});
    assert_eq!(exit_code(json!([node("Failed", json!(7))])), Some(7));
    assert_eq!(exit_code(json!([node("Failed", json!("7"))])), Some(7));
    for unknown in [json!(null), json!(""), json!(0), json!("0"), json!("x")] {
        assert_eq!(exit_code(json!([node("Failed", unknown)])), None);
    }
    // The first that is not zero, over all failed pods and containers.
    assert_eq!(
        exit_code(json!([
            node("Succeeded", json!(9)),
            node("Failed", json!("0")),
            node("Failed", json!(null)),
            node("Failed", json!(2)),
            node("Failed", json!(5)),
        ])),
        Some(2)
    );
    assert_eq!(exit_code(json!([])), None);
}

#[test]
fn a_job_that_reached_its_limit_failed_for_its_time() {
    let mut value = data("detail-running");
    value["job_status"] = json!({
        "status": "Failed",
        "create_time": "2026-05-10T03:15:02Z",
        "completion_time": "2026-05-10T04:45:02Z",
    });
    let read = |value: &Value, nodes: Value| {
        let mut job = parse::job(value, "gongji", told(None)).unwrap();
        parse::add_nodes(&mut job, nodes.as_array().unwrap());
        (job.reason, job.exit_code)
    };
    let ended = |code: i64| json!([{"status": "Failed", "containers": [{"reason": "Error", "exit_code": code}]}]);
    assert_eq!(read(&value, json!([])), (Some("timeout".to_owned()), None));
    assert_eq!(
        read(&value, ended(137)),
        (Some("timeout".to_owned()), Some(137))
    );
    // A program's own code says that it ended by itself.
    assert_eq!(read(&value, ended(3)), (Some("Error".to_owned()), Some(3)));
    value["job_status"]["completion_time"] = json!("2026-05-10T04:45:01Z");
    assert_eq!(
        read(&value, ended(137)),
        (Some("Error".to_owned()), Some(137))
    );
}

#[test]
fn a_stop_is_ours_or_somebody_elses() {
    let mut value = data("detail-running");
    value["status"] = json!("Paused");
    value["billing_points"] = json!(0);
    let ours = parse::job(&value, "gongji", told(Some("2026-05-10T03:30:00Z"))).unwrap();
    assert_eq!((ours.state, ours.terminal), (State::Cancelled, true));
    assert_eq!(ours.finished_at, Some(at("2026-05-10T03:30:00Z")));
    assert_eq!(
        (ours.approximate, ours.message),
        (vec!["finished_at"], None)
    );
    let theirs = parse::job(&value, "gongji", told(None)).unwrap();
    assert_eq!(
        theirs.message.as_deref(),
        Some("not cancelled by this client")
    );
    // About the last change that the service tells.
    assert_eq!(theirs.finished_at, Some(at("2026-05-10T03:26:40.004512Z")));
    assert_eq!(theirs.approximate, ["finished_at"]);
    value["billing_points"] = json!("2");
    let mut charged = parse::job(&value, "gongji", told(None)).unwrap();
    parse::mention_charges(&mut charged);
    assert_eq!(
        charged.message.as_deref(),
        Some("not cancelled by this client; 2 pods are still charged")
    );
    value["status"] = json!("Running");
    let ending = parse::job(&value, "gongji", told(Some("2026-05-10T03:30:00Z"))).unwrap();
    assert_eq!(ending.flags, [Flag::Cancelling].into());
}

#[test]
fn the_name_is_the_users_and_the_marker_ours() {
    let read = |task_name: &str| {
        let mut value = data("detail-running");
        value["task_name"] = json!(task_name);
        let job = parse::job(&value, "gongji", Memory::Untold).unwrap();
        (job.name, job.marker)
    };
    let marker = Some(MARKER.to_owned());
    assert_eq!(
        read(&format!("微调 bert-base-{MARKER}")),
        (Some("微调 bert-base".to_owned()), marker.clone())
    );
    assert_eq!(read(&format!("gpujob-{MARKER}")), (None, marker));
    assert_eq!(read("theirs"), (Some("theirs".to_owned()), None));
}

#[test]
fn strange_members_fail_nothing() {
    let strange = json!({
        "task_id": "9007199254740993",
        "task_name": 7,
        "status": "Brand-New",
        "points": "3",
        "billing_value": 12.0,
        "create_time": 1_778_382_902,
        "resources": null,
        "services": [null, {"remote_ports": [{"service_port": "8080", "url": "https://x-8080.550w.link"}, {"url": null}]}],
        "job_status": null,
        "job_support": [],
        "brand_new": {"repository_password": "hunter2"},
    });
    let job = parse::job(&strange, "gongji", Memory::Untold).unwrap();
    assert_eq!(job.provider_id, "9007199254740993");
    assert_eq!((job.state, job.terminal), (State::Unknown, false));
    assert_eq!(job.nodes, 3);
    assert_eq!(job.created_at, Some(at("2026-05-10T03:15:02Z")));
    assert_eq!(job.cost.as_ref().unwrap().micros, 12);
    assert_eq!(job.endpoints, ["https://x-8080.550w.link"]);
    assert_eq!(job.raw["brand_new"]["repository_password"], "••••");
    for none in [json!(null), json!({}), json!([]), json!({"task_id": 1.5})] {
        assert!(
            parse::job(&none, "gongji", Memory::Untold).is_none(),
            "{none}"
        );
    }
}

#[test]
fn logs_and_events_are_read() {
    let logs = Logs::deserialize(&data("point-log")).unwrap();
    assert_eq!(
        logs.logs.as_deref(),
        Some("epoch 1 loss 0.93\nepoch 2 loss 0.71\n")
    );
    let events = Events::deserialize(&data("pod-events")).unwrap().events;
    assert_eq!(
        events[1],
        Event {
            reason: Some("BackOff".to_owned()),
            message: Some("container exited".to_owned()),
            severity: Some("Warning".to_owned()),
            event_time: json!("2026-05-10T11:27:55+08:00"),
            service: None,
        }
    );
    assert_eq!(events[0].service.as_deref(), Some("main"));
    assert_eq!(
        time::read(&events[0].event_time, time::CHINA),
        Some(at("2026-05-10T03:16:01Z"))
    );
}

#[test]
fn billing_records_are_read() {
    let by_time = BillingPeriod::deserialize(&data("billing-by-time")["results"][0]).unwrap();
    assert_eq!(
        (by_time.billing_coin, by_time.discount_coin),
        (Some(6_710_400), Some(0))
    );
    assert_eq!(by_time.end_time, json!("2026-05-11T00:00:00+08:00"));
    let by_task = BillingTask::deserialize(&data("billing-by-task")["results"][0]).unwrap();
    assert_eq!(
        by_task,
        BillingTask {
            task_id: Some(2_100_457),
            task_type: Some("Job".to_owned()),
            task_name: Some("gj-20260510-a1b2c3".to_owned()),
            billing_coin: json!(6_710_400),
            discount_coin: json!(710_400),
        }
    );
}

#[test]
fn volumes_of_three_kinds_are_read() {
    let [object, share, nas] = volumes().try_into().unwrap();
    let row = |volume: &Volume| {
        (
            volume.volume_ref.to_string(),
            volume.kind.clone(),
            volume.name.clone().unwrap(),
            volume.scope.clone().unwrap(),
            volume.size_bytes,
            volume.used_bytes,
            volume.status.clone().unwrap(),
            volume.mountable,
            volume.transfer.clone(),
        )
    };
    assert_eq!(
        row(&object),
        (
            "gongji/object/71".to_owned(),
            "object".to_owned(),
            "datasets".to_owned(),
            "demo-r1".to_owned(),
            Some(GIB),
            Some(GIB / 2),
            "Activate".to_owned(),
            true,
            None,
        )
    );
    assert_eq!(
        row(&share),
        (
            "gongji/share/72".to_owned(),
            "share".to_owned(),
            "team-share".to_owned(),
            "demo-r1".to_owned(),
            Some(20 * GIB),
            Some(4096),
            "Activate".to_owned(),
            true,
            None,
        )
    );
    assert_eq!(
        row(&nas),
        (
            "gongji/nas/5012".to_owned(),
            "nas".to_owned(),
            "nas-main".to_owned(),
            "demo-r1".to_owned(),
            Some(50 * GIB),
            // -1 is unknown.
            None,
            "Active".to_owned(),
            true,
            Some("sftp".to_owned()),
        )
    );
    assert_eq!(storage::regions(&object), ["demo-r1"]);
    let mut raw = nas.raw.clone();
    raw["status"] = json!("Deleted");
    assert!(storage::volume(&raw, StorageKind::Nas, "gongji").is_none());
    raw["status"] = json!("Creating");
    let coming = storage::volume(&raw, StorageKind::Nas, "gongji").unwrap();
    assert!(!coming.mountable && coming.transfer.is_none());
}

#[test]
fn the_small_bodies_are_the_contracts() {
    let created = Created::deserialize(&data("job-created")).unwrap();
    assert_eq!(created.task_id, Some(2_100_457));
    assert_eq!(
        serde_json::to_value(StopJob { task_id: 2_100_457 }).unwrap(),
        recorded("request-stop")
    );
    assert_eq!(data("job-stopped"), Value::Null);
    assert_eq!(
        serde_json::to_value(DeleteNas {
            id: 5012,
            force: false
        })
        .unwrap(),
        json!({"id": 5012, "force": false})
    );
    assert_eq!(
        serde_json::to_value(CreateNas {
            name: "n".to_owned(),
            nas_config_id: 31,
            total_size: 5
        })
        .unwrap(),
        json!({"name": "n", "nas_config_id": 31, "total_size": 5})
    );
    let offers = NasOffers::deserialize(&data("nas-offers")).unwrap();
    assert_eq!(offers.configs[0].id, Some(31));
    assert_eq!(offers.configs[1].region.as_deref(), Some("demo-r2"));
}
