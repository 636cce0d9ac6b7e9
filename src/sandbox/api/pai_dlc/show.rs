//! Jobs as `GetJob` and `ListJobs` answer them (pai-dlc.md §3.3, §3.4).

use serde_json::{Map, Value, json};

use super::job::{Incarnation, Job, Pod, PodStatus, Stage};
use super::reply::Body;
use super::status::Status;
use super::switches::Switches;
use super::times::{seconds, seconds_or_empty};
use crate::model::Timestamp;
use crate::sandbox::process::ProcessStatus;

/// After so many restarts the service gives up; here nobody counts so far.
const MOST_RESTARTS: u32 = 10;

/// Members that the echo takes over as they were asked for.
const ECHOED: [&str; 9] = [
    "Settings",
    "CodeSource",
    "Envs",
    "CustomEnvs",
    "CredentialConfig",
    "ThirdpartyLibs",
    "ThirdpartyLibDir",
    "ElasticSpec",
    "SchedulingStrategy",
];

/// `GetJob`; with `detail` false without pods and history (§10, 13).
pub(super) fn detail(job: &Job, detail: bool, now: Timestamp, switches: &Switches) -> Body {
    let mut body = common(job, now, switches);
    extend(
        &mut body,
        json!({
            "Description": job.description,
            "RestartRecord": [],
            "EnabledDebugger": false,
        }),
    );
    if let Some(custom) = job.asked.get("CustomEnvs") {
        body.insert("CustomEnvs".to_owned(), custom.clone());
    }
    if detail {
        let history: Vec<Value> = job.history.iter().map(stage).collect();
        let pods: Vec<Value> = job
            .visible_pods()
            .iter()
            .map(|item| pod(item, now, switches))
            .collect();
        body.insert("StatusHistory".to_owned(), json!(history));
        body.insert("Pods".to_owned(), json!(pods));
    }
    body
}

/// An item of `ListJobs`.
pub(super) fn item(job: &Job, now: Timestamp, switches: &Switches) -> Value {
    let mut body = common(job, now, switches);
    extend(
        &mut body,
        json!({
            "Username": job.owner.name,
            "GmtModifiedTime": seconds(job.modified),
            "JobMaxRunningTimeMinutes": job.request.job_max_running_time_minutes,
            "NodeCount": job.pods.len().to_string(),
            "NodeNames": job.visible_pods().iter().map(node).collect::<Vec<_>>(),
            "ResourceName": job.quota_name,
            "ResourceQuotaName": job.quota_name,
            "UseOversoldResource": false,
            "IsDeleted": false,
            "EnablePreemptibleJob": job.request.is_spot(),
            "RetryCount": 0,
            "SystemEnvs": {},
            "TemplateId": "",
            "TemplateName": "",
            "UserScript": "",
            "WorkingDir": "",
        }),
    );
    Value::Object(body)
}

/// The word of a job's status, which a switch can replace.
pub(super) fn status_word<'a>(job: &Job, switches: &'a Switches) -> &'a str {
    switches
        .shown_status(&job.id)
        .unwrap_or_else(|| job.status().word())
}

fn common(job: &Job, now: Timestamp, switches: &Switches) -> Body {
    let (reason, message) = job.stage().map_or(("", ""), |stage| {
        (stage.reason.as_str(), stage.message.as_str())
    });
    let mut body = Body::new();
    extend(
        &mut body,
        json!({
            "JobId": job.id,
            "JobType": job.request.job_type,
            "DisplayName": job.request.display_name,
            "Status": status_word(job, switches),
            "SubStatus": if job.status() == Status::Restarting { "Restarting" } else { "" },
            "ReasonCode": reason,
            "ReasonMessage": message,
            "WorkspaceId": job.workspace_id,
            "WorkspaceName": job.workspace_name,
            "UserId": job.owner.id,
            "TenantId": "",
            "ClusterId": "",
            "ResourceId": job.request.resource_id,
            "ResourceLevel": job.resource_level,
            "ResourceType": job.resource_type,
            "Priority": job.priority,
            "Accessibility": job.accessibility,
            "UserCommand": job.user_command,
            "RequestCPU": job.totals.cpu,
            "RequestGPU": job.totals.gpu.to_string(),
            "RequestMemory": memory(job.totals.memory_mebibytes),
            "GmtCreateTime": seconds(job.created),
            "GmtSubmittedTime": seconds_or_empty(job.submitted),
            "GmtRunningTime": seconds_or_empty(job.running),
            "GmtFinishTime": seconds_or_empty(job.finished),
            "GmtSuccessedTime": ended_as(job, Status::Succeeded),
            "GmtFailedTime": ended_as(job, Status::Failed),
            "GmtStoppedTime": ended_as(job, Status::Stopped),
            "Duration": job.duration(now),
            "RestartTimes": format!("{}/{MOST_RESTARTS}", job.restarts),
            "JobReplicaStatuses": replicas(job),
            "JobSpecs": specs(job),
        }),
    );
    for name in ECHOED {
        if name != "CustomEnvs"
            && let Some(value) = job.asked.get(name)
        {
            body.insert(name.to_owned(), value.clone());
        }
    }
    if let Some(Value::Object(vpc)) = job.asked.get("UserVpc") {
        body.insert("UserVpc".to_owned(), Value::Object(answered_vpc(vpc)));
    }
    body.insert("DataSources".to_owned(), data_sources(job));
    body
}

fn extend(body: &mut Body, members: Value) {
    if let Value::Object(members) = members {
        body.extend(members);
    }
}

/// The finish time, under the name that applies.
fn ended_as(job: &Job, status: Status) -> String {
    seconds_or_empty(job.finished.filter(|_| job.status() == status))
}

fn memory(mebibytes: u64) -> String {
    if mebibytes.is_multiple_of(1024) {
        format!("{}Gi", mebibytes / 1024)
    } else {
        format!("{mebibytes}Mi")
    }
}

fn stage(stage: &Stage) -> Value {
    json!({
        "Status": stage.status.word(),
        "StartTime": seconds(stage.start),
        "EndTime": seconds_or_empty(stage.end),
        "ReasonCode": stage.reason,
        "ReasonMessage": stage.message,
    })
}

fn pod(pod: &Pod, now: Timestamp, switches: &Switches) -> Value {
    let mut shown = Body::new();
    extend(
        &mut shown,
        json!({
            "PodId": pod.name,
            "PodUid": pod.uid,
            "Type": pod.role,
            "Status": pod.status.word(),
            "SubStatus": "Normal",
            "ResourceType": "Normal",
            "Ip": pod.ip,
            "PodIps": [{ "InterfaceName": "eth0", "Ip": pod.ip }],
            "NodeName": node(pod),
            "GmtCreateTime": seconds_or_empty(pod.created),
            "GmtStartTime": seconds_or_empty(pod.started),
            "GmtFinishTime": seconds_or_empty(pod.finished),
            "Duration": pod.duration(now),
            "HistoryPods": pod.history.iter().map(|old| incarnation(pod, old)).collect::<Vec<_>>(),
        }),
    );
    if switches.status_detail
        && let Some(outcome) = &pod.outcome
    {
        shown.insert("StatusDetail".to_owned(), status_detail(outcome));
    }
    Value::Object(shown)
}

/// A pod that was replaced.
fn incarnation(pod: &Pod, old: &Incarnation) -> Value {
    json!({
        "PodId": pod.name,
        "PodUid": old.uid,
        "Type": pod.role,
        "Status": "Failed",
        "SubStatus": "Evicted",
        "Ip": pod.ip,
        "GmtCreateTime": seconds_or_empty(old.created),
        "GmtStartTime": seconds_or_empty(old.started),
        "GmtFinishTime": seconds(old.finished),
    })
}

/// A member of 2022 that no model has.
fn status_detail(outcome: &ProcessStatus) -> Value {
    let (reason, message) = match outcome {
        ProcessStatus::Running => ("", ""),
        ProcessStatus::Exited(0) => ("Completed", ""),
        ProcessStatus::Exited(_) | ProcessStatus::Signalled(_) => ("Error", ""),
        ProcessStatus::TimedOut => ("DeadlineExceeded", ""),
        ProcessStatus::NotStarted(why) => ("ContainerCannotRun", why.as_str()),
    };
    json!({ "Message": message, "ExitCode": outcome.exit_code(), "Reason": reason })
}

fn node(pod: &Pod) -> String {
    format!("cn-hangzhou.{}", pod.ip)
}

fn replicas(job: &Job) -> Vec<Value> {
    job.request
        .job_specs
        .iter()
        .map(|spec| {
            let of_role = || {
                job.visible_pods()
                    .iter()
                    .filter(|pod| pod.spec_role == spec.role)
            };
            let active = of_role()
                .filter(|pod| pod.status == PodStatus::Running)
                .count();
            let waiting = of_role()
                .filter(|pod| pod.status == PodStatus::Pending)
                .count();
            json!({ "Type": spec.role, "Active": active, "Queuing": waiting })
        })
        .collect()
}

/// The roles as asked for; a registry's password is nobody's to read.
fn specs(job: &Job) -> Value {
    let mut specs = job
        .asked
        .get("JobSpecs")
        .cloned()
        .unwrap_or_else(|| json!([]));
    for spec in specs.as_array_mut().into_iter().flatten() {
        let Value::Object(members) = spec else {
            continue;
        };
        members
            .entry("UseSpotInstance")
            .or_insert_with(|| json!(false));
        if let Some(Value::Object(registry)) = members.get_mut("ImageConfig") {
            registry.shift_remove("Password");
            registry.shift_remove("Auth");
        }
    }
    specs
}

/// Of each source only these three (§5.5).
fn data_sources(job: &Job) -> Value {
    job.mounts
        .iter()
        .map(|mount| {
            let uri = if mount.dataset.is_empty() {
                mount.uri.as_str()
            } else {
                ""
            };
            json!({ "DataSourceId": mount.dataset, "MountPath": mount.path, "Uri": uri })
        })
        .collect()
}

/// In answers it is `ExtendedCidrs`, in requests `ExtendedCIDRs` (§3.3).
fn answered_vpc(asked: &Map<String, Value>) -> Map<String, Value> {
    asked
        .iter()
        .map(|(name, value)| {
            let name = match name.as_str() {
                "ExtendedCIDRs" => "ExtendedCidrs",
                name => name,
            };
            (name.to_owned(), value.clone())
        })
        .collect()
}
