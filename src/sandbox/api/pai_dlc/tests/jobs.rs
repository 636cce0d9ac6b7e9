use serde_json::{Value, json};

use super::bench::{Bench, job, quota_job};
use crate::sandbox::service::Service;

fn statuses(job: &Value) -> Vec<&str> {
    job["StatusHistory"]
        .as_array()
        .unwrap()
        .iter()
        .map(|stage| stage["Status"].as_str().unwrap())
        .collect()
}

#[tokio::test]
async fn a_job_walks_with_times_history_and_pods() {
    let bench = Bench::new();
    let id = bench.create(&job("echo hello"));
    assert!(id.starts_with("dlc") && id.len() == 16, "{id}");
    assert_eq!(bench.status(&id), "Creating");
    bench.pass(1);
    let queuing = bench.job(&id);
    assert_eq!(queuing["Status"], "Queuing");
    assert_eq!(queuing["ReasonCode"], "JobEnqueued");
    assert_eq!(queuing["GmtSubmittedTime"], "2026-01-12T09:41:04Z");
    assert_eq!(queuing["Pods"], json!([]));
    bench.pass(2);
    let preparing = bench.job(&id);
    assert_eq!(preparing["Status"], "EnvPreparing");
    assert_eq!(preparing["Pods"][0]["Status"], "Pending");
    assert_eq!(preparing["Pods"][0]["GmtStartTime"], "");
    bench.pass(3);
    let running = bench.job(&id);
    assert_eq!(running["Status"], "Running");
    assert_eq!(running["GmtRunningTime"], "2026-01-12T09:41:09Z");
    assert_eq!(running["Pods"][0]["PodId"], format!("{id}-master-0"));
    assert_eq!(running["Pods"][0]["Type"], "master");
    assert_eq!(running["JobSpecs"][0]["Type"], "Worker");
    assert_eq!(running["RestartTimes"], "0/10");
    bench.clock.advance(std::time::Duration::from_secs(4));
    bench.processes_end().await;
    let done = bench.job(&id);
    assert_eq!(done["Status"], "Succeeded");
    assert_eq!(done["ReasonCode"], "JobSucceeded");
    assert_eq!(
        done["ReasonMessage"],
        format!("PyTorchJob {id} is successfully completed.")
    );
    assert_eq!(done["GmtFinishTime"], "2026-01-12T09:41:13Z");
    assert_eq!(done["GmtSuccessedTime"], done["GmtFinishTime"]);
    assert_eq!(done["GmtFailedTime"], "");
    assert_eq!(done["Duration"], 4);
    assert_eq!(done["Pods"][0]["Status"], "Succeeded");
    assert_eq!(done["Pods"][0]["Duration"], 4);
    assert_eq!(
        statuses(&done),
        [
            "Creating",
            "Queuing",
            "EnvPreparing",
            "Running",
            "Succeeded"
        ]
    );
    let history = done["StatusHistory"].as_array().unwrap();
    for pair in history.windows(2) {
        assert_eq!(pair[0]["EndTime"], pair[1]["StartTime"]);
    }
    assert_eq!(history[4]["EndTime"], "");
    assert_eq!(bench.lines(&id, &format!("{id}-master-0")), ["hello"]);
}

#[tokio::test]
async fn a_command_that_fails_fails_the_job_and_only_the_events_tell_the_code() {
    let bench = Bench::new();
    let done = bench.run(&job("echo oops >&2; exit 3")).await;
    let id = done["JobId"].as_str().unwrap();
    assert_eq!(done["Status"], "Failed");
    assert_eq!(done["ReasonCode"], "JobFailed");
    assert!(
        done["ReasonMessage"]
            .as_str()
            .unwrap()
            .contains("1 Worker replica(s)")
    );
    assert_eq!(done["GmtFailedTime"], done["GmtFinishTime"]);
    assert_eq!(done["Pods"][0]["Status"], "Failed");
    assert!(done["Pods"][0].get("StatusDetail").is_none());
    let events = bench.get(&format!("/api/v1/jobs/{id}/pods/{id}-master-0/events"));
    let events = events.body["Events"].to_string();
    assert!(events.contains("exited with code 3"), "{events}");
    bench.configure(&json!({ "status_detail": true }));
    assert_eq!(bench.job(id)["Pods"][0]["StatusDetail"]["ExitCode"], 3);
}

#[tokio::test]
async fn every_pod_runs_the_command_with_its_rank() {
    let bench = Bench::new();
    let mut body = quota_job(
        "echo $RANK/$WORLD_SIZE $MASTER_ADDR:$MASTER_PORT $DLC_JOB_ID $PAI_WORKSPACE_ID $MODE $SEED",
        3,
    );
    body["Envs"] = json!({ "MODE": "fast", "RANK": "ignored" });
    body["CustomEnvs"] = json!([{ "Key": "SEED", "Value": "42", "Visible": "public" }]);
    let done = bench.run(&body).await;
    assert_eq!(done["Status"], "Succeeded", "{done}");
    let id = done["JobId"].as_str().unwrap();
    assert_eq!(done["ResourceType"], "Lingjun");
    assert_eq!(done["RequestCPU"], 24);
    assert_eq!(done["RequestGPU"], "3");
    assert_eq!(done["RequestMemory"], "192Gi");
    for (rank, pod) in ["master-0", "worker-0", "worker-1"].iter().enumerate() {
        assert_eq!(done["Pods"][rank]["PodId"], format!("{id}-{pod}"));
        assert_eq!(
            bench.lines(id, &format!("{id}-{pod}")),
            [format!("{rank}/3 {id}-master-0:23456 {id} 310042 fast 42")]
        );
    }
}

#[tokio::test]
async fn one_failed_pod_ends_the_others() {
    let bench = Bench::new();
    bench.configure(&json!({ "advance": "at-once" }));
    let id = bench.create(&quota_job(
        "if [ $RANK = 0 ]; then exit 9; fi; sleep 600",
        2,
    ));
    bench.service.tick();
    let first = bench.service.state().jobs[0].pods[0]
        .process
        .clone()
        .unwrap();
    first.finished().await;
    bench.service.tick();
    assert_eq!(bench.status(&id), "Failed");
    bench.processes_end().await;
    let pods = bench.job(&id)["Pods"].clone();
    assert_eq!(pods[0]["Status"], "Failed");
    assert_eq!(pods[1]["Status"], "Failed");
}

#[tokio::test]
async fn a_tensorflow_job_does_not_wait_for_its_parameter_servers() {
    let bench = Bench::new();
    let mut body = job("echo done");
    body["JobType"] = json!("TFJob");
    let role = |role: &str, command: &str| json!({ "Type": role, "PodCount": 1, "Image": "tf", "EcsSpec": "ecs.g6.xlarge", "UserCommand": command });
    body["JobSpecs"] = json!([role("PS", "sleep 600"), role("Worker", "echo worker")]);
    bench.configure(&json!({ "advance": "at-once" }));
    let id = bench.create(&body);
    bench.service.tick();
    let worker = bench.service.state().jobs[0].pods[1]
        .process
        .clone()
        .unwrap();
    worker.finished().await;
    bench.service.tick();
    let done = bench.job(&id);
    assert_eq!(done["Status"], "Succeeded");
    assert_eq!(done["Pods"][1]["PodId"], format!("{id}-worker-0"));
    assert_eq!(bench.lines(&id, &format!("{id}-worker-0")), ["worker"]);
    bench.processes_end().await;
}

#[tokio::test]
async fn a_stop_kills_and_goes_through_stopping() {
    let bench = Bench::new();
    let id = bench.create(&job("sleep 600"));
    bench.pass(1);
    bench.pass(2);
    bench.pass(3);
    assert_eq!(bench.status(&id), "Running");
    let stop = format!("/api/v1/jobs/{id}/stop");
    let answer = bench.call("POST", &stop, None);
    assert_eq!((answer.status, answer.text("JobId")), (200, id.as_str()));
    let stopping = bench.job(&id);
    assert_eq!(stopping["Status"], "Stopping");
    // A second one changes nothing.
    assert_eq!(bench.call("POST", &stop, None).status, 200);
    bench.processes_end().await;
    bench.pass(1);
    let stopped = bench.job(&id);
    assert_eq!(stopped["Status"], "Stopped");
    assert_eq!(stopped["ReasonCode"], "StoppedByUser");
    assert_eq!(stopped["ReasonMessage"], "Job is stopped by user.");
    assert_eq!(stopped["GmtStoppedTime"], stopped["GmtFinishTime"]);
    assert_eq!(stopped["Pods"][0]["Status"], "Failed");
    assert_eq!(
        bench.call("POST", &stop, None).refusal(),
        (400, "BadRequest")
    );
}

#[test]
fn a_job_stopped_before_it_ran_has_no_pods() {
    let bench = Bench::new();
    bench.configure(&json!({ "hold": "starting", "stop_reason": "JobStoppedByUser" }));
    let id = bench.create(&job("true"));
    bench.pass(1);
    bench.pass(2);
    bench.pass(60);
    assert_eq!(bench.status(&id), "EnvPreparing");
    bench.call("POST", &format!("/api/v1/jobs/{id}/stop"), None);
    bench.pass(1);
    let stopped = bench.job(&id);
    assert_eq!(stopped["Status"], "Stopped");
    assert_eq!(stopped["ReasonCode"], "JobStoppedByUser");
    assert_eq!(stopped["Pods"], json!([]));
    assert_eq!(stopped["Duration"], 0);
}

#[tokio::test]
async fn only_an_ended_job_can_be_deleted_and_then_it_is_gone() {
    let bench = Bench::new();
    let id = bench.create(&job("true"));
    let path = format!("/api/v1/jobs/{id}");
    assert_eq!(
        bench.call("DELETE", &path, None).refusal(),
        (400, "BadRequest")
    );
    bench.configure(&json!({ "advance": "at-once" }));
    bench.service.tick();
    bench.processes_end().await;
    assert_eq!(bench.call("DELETE", &path, None).text("JobId"), id);
    assert_eq!(bench.get(&path).refusal(), (404, "NotFound"));
    let list = bench.get("/api/v1/jobs");
    assert_eq!(list.body["TotalCount"], 0);
}

#[tokio::test(start_paused = true)]
async fn the_time_limit_stops_a_job_or_fails_it() {
    for (ends, reason) in [("Stopped", ""), ("Failed", "JobFailed")] {
        let bench = Bench::new();
        bench.configure(&json!({ "advance": "at-once", "time_limit_ends": ends }));
        let mut body = job("sleep 600");
        body["JobMaxRunningTimeMinutes"] = json!(1);
        let id = bench.create(&body);
        bench.service.tick();
        assert_eq!(bench.status(&id), "Running");
        bench.processes_end().await;
        let done = bench.job(&id);
        assert_eq!(done["Status"], ends, "{done}");
        assert_eq!(done["ReasonCode"], reason);
        assert!(
            done["ReasonMessage"]
                .as_str()
                .unwrap()
                .contains("JobMaxRunningTimeMinutes (1)")
        );
        let walked = statuses(&done);
        assert_eq!(walked[walked.len() - 2..], ["Stopping", ends]);
    }
}

#[tokio::test]
async fn reserved_minutes_keep_what_ended() {
    for (command, policy, kept, end) in [
        ("true", "", Some("SucceededReserving"), "Succeeded"),
        ("false", "Always", Some("FailedReserving"), "Failed"),
        ("false", "OnFailure", Some("FailedReserving"), "Failed"),
        ("true", "OnFailure", None, "Succeeded"),
        ("false", "OnSucceed", None, "Failed"),
    ] {
        let bench = Bench::new();
        let mut body = job(command);
        body["Settings"] = json!({ "JobReservedMinutes": 2, "JobReservedPolicy": policy });
        bench.configure(&json!({ "delays": { "Creating": 0, "Queuing": 0, "EnvPreparing": 0 } }));
        let id = bench.create(&body);
        bench.service.tick();
        bench.processes_end().await;
        if let Some(kept) = kept {
            let reserving = bench.job(&id);
            assert_eq!(reserving["Status"], kept);
            assert_eq!(reserving["GmtFinishTime"], "");
            bench.pass(119);
            assert_eq!(bench.status(&id), kept);
            bench.pass(1);
        }
        let done = bench.job(&id);
        assert_eq!(done["Status"], end);
        assert!(done["ReasonCode"].as_str().unwrap().starts_with("Job"));
    }
}

#[tokio::test]
async fn a_reserving_job_can_be_stopped() {
    let bench = Bench::new();
    let mut body = job("true");
    body["Settings"] = json!({ "JobReservedMinutes": 2 });
    bench.configure(
        &json!({ "delays": { "Creating": 0, "Queuing": 0, "EnvPreparing": 0, "Stopping": 0 } }),
    );
    let id = bench.create(&body);
    bench.service.tick();
    bench.processes_end().await;
    assert_eq!(bench.status(&id), "SucceededReserving");
    assert_eq!(
        bench
            .call("POST", &format!("/api/v1/jobs/{id}/stop"), None)
            .status,
        200
    );
    assert_eq!(bench.status(&id), "Stopped");
}

#[tokio::test]
async fn spot_on_lingjun_bids_and_a_sanity_check_is_a_state() {
    let bench = Bench::new();
    let mut body = job("true");
    body["JobSpecs"][0]["EcsSpec"] = json!("ml.gu7ef.8xlarge-gu100");
    body["JobSpecs"][0]["SpotSpec"] =
        json!({ "SpotStrategy": "SpotWithPriceLimit", "SpotDiscountLimit": 0.8 });
    body["Settings"] = json!({ "EnableSanityCheck": true });
    let done = bench.run(&body).await;
    assert_eq!(
        statuses(&done),
        [
            "Creating",
            "Queuing",
            "Bidding",
            "EnvPreparing",
            "SanityChecking",
            "Running",
            "Succeeded"
        ]
    );
}

#[test]
fn without_detail_pods_and_history_are_left_out() {
    let bench = Bench::new();
    let id = bench.create(&job("true"));
    let short = bench
        .get(&format!("/api/v1/jobs/{id}?NeedDetail=False"))
        .body;
    assert!(short.get("Pods").is_none() && short.get("StatusHistory").is_none());
    assert_eq!(short["Status"], "Creating");
    let long = bench
        .get(&format!("/api/v1/jobs/{id}?NeedDetail=true"))
        .body;
    assert!(long.get("Pods").is_some());
}

#[test]
fn what_was_asked_for_is_echoed_in_the_services_spelling() {
    let bench = Bench::new();
    let mut body = job("true");
    body["UserVpc"] = json!({ "VpcId": "vpc-1", "SwitchId": "vsw-1", "ExtendedCIDRs": ["10.0.0.0/8"], "DefaultRoute": "eth1" });
    body["Settings"] = json!({ "Tags": { "team": "视觉" } });
    body["Description"] = json!("two words");
    body["JobSpecs"][0]["ImageConfig"] = json!({ "Username": "puller", "Password": "hunter2" });
    body["DataSources"] =
        json!([{ "Uri": "oss://acme/runs/", "MountPath": "/mnt/out/", "MountAccess": "RW" }]);
    let id = bench.create(&body);
    let shown = bench.job(&id);
    assert_eq!(shown["UserVpc"]["ExtendedCidrs"], json!(["10.0.0.0/8"]));
    assert!(shown["UserVpc"].get("ExtendedCIDRs").is_none());
    assert_eq!(shown["Settings"]["Tags"]["team"], "视觉");
    assert_eq!(shown["Description"], "two words");
    assert_eq!(shown["Accessibility"], "PRIVATE");
    assert_eq!(
        shown["DataSources"],
        json!([{ "DataSourceId": "", "MountPath": "/mnt/out/", "Uri": "oss://acme/runs/" }])
    );
    assert_eq!(
        shown["JobSpecs"][0]["ImageConfig"],
        json!({ "Username": "puller" })
    );
    assert!(!shown.to_string().contains("hunter2"));
}

#[test]
fn an_update_changes_what_it_may_and_keeps_silent_about_the_rest() {
    let bench = Bench::new();
    bench.configure(&json!({ "hold": "Queuing" }));
    let on_quota = bench.create(&quota_job("true", 1));
    let public = bench.create(&job("true"));
    for id in [&on_quota, &public] {
        let path = format!("/api/v1/jobs/{id}");
        let answer = bench.call(
            "PUT",
            &path,
            Some(&json!({ "Priority": 7, "Accessibility": "PUBLIC" })),
        );
        assert_eq!((answer.status, answer.text("JobId")), (200, id.as_str()));
        assert_eq!(bench.job(id)["Accessibility"], "PUBLIC");
        assert_eq!(bench.job(id)["Priority"], 1);
    }
    bench.pass(10);
    assert_eq!(bench.job(&on_quota)["Priority"], 7);
    assert_eq!(bench.job(&public)["Priority"], 1);
    for wrong in [
        json!({ "Priority": 10 }),
        json!({ "Accessibility": "PRIVATE" }),
        json!({ "JobSpecs": [{ "Type": "Worker", "PodCount": 2 }] }),
        json!({ "Priority": "7" }),
    ] {
        let path = format!("/api/v1/jobs/{on_quota}");
        let answer = bench.call("PUT", &path, Some(&wrong));
        assert_eq!(answer.refusal(), (400, "InvalidParameter"), "{wrong}");
    }
    let missing = bench.call("PUT", "/api/v1/jobs/none", Some(&json!({})));
    assert_eq!(missing.refusal(), (404, "NotFound"));
}

#[test]
fn events_are_texts_within_limits() {
    let bench = Bench::new();
    bench.configure(&json!({ "hold": "starting" }));
    let id = bench.create(&quota_job("true", 2));
    bench.pass(1);
    bench.pass(2);
    let path = format!("/api/v1/jobs/{id}/events");
    let all = bench.get(&path).body;
    assert_eq!(all["JobId"], id.as_str());
    let lines: Vec<String> = serde_json::from_value(all["Events"].clone()).unwrap();
    assert_eq!(
        lines.last().unwrap(),
        &format!("2026-01-12T09:41:06Z Normal SuccessfulCreatePod created pod {id}-worker-0")
    );
    let one = bench.get(&format!("{path}?MaxEventsNum=1")).body;
    assert_eq!(one["Events"], json!([lines.last().unwrap()]));
    let early = bench.get(&format!(
        "{path}?StartTime=2026-01-12T09:41:00Z&EndTime=2026-01-12T09:41:05Z"
    ));
    assert_eq!(early.body["Events"].as_array().unwrap().len(), 1);
    let pod = bench
        .get(&format!("/api/v1/jobs/{id}/pods/{id}-worker-0/events"))
        .body;
    assert_eq!(pod["Events"].as_array().unwrap().len(), 1);
    assert_eq!(pod["PodId"], format!("{id}-worker-0"));
}
