//! Every example of paracloud.md §8, and the oddities it warns of, read to a record that is asserted.

use proptest::prelude::*;
use rstest::rstest;
use serde_json::{Value, json};

use crate::model::{Flag, Gpu, Job, ResourceRef, State, Timestamp};
use crate::provider::paracloud::parse::{self, Place};
use crate::provider::paracloud::record::{self, Context, Group};
use crate::provider::paracloud::{catalogue, lenient};
use crate::testing::any_json;

use super::recorded;

const PLACE: Place<'static> = Place {
    provider: "para",
    namespace: "k8r2wq",
    cluster: None,
};

fn job_of(raw: &Value) -> Job {
    let group = Group::read(raw).unwrap();
    record::job(&group, Context::unknown(PLACE, &[]))
}

fn job(name: &str) -> Job {
    job_of(&recorded(name))
}

fn at(text: &str) -> Option<Timestamp> {
    text.parse().ok()
}

#[test]
fn the_catalogue_of_the_contract() {
    let list = parse::list(&recorded("instance-types"), "instanceTypes").unwrap();
    let read = catalogue::catalogue(&list, at("2024-03-08T00:00:00Z"));
    assert_eq!(read.unreadable, 0);
    let [amd, arm] = read.offers.as_slice() else {
        panic!("{read:?}")
    };
    assert_eq!(
        (amd.id.as_str(), amd.name.as_str()),
        ("n30.2xlarge", "n30.2xlarge")
    );
    assert_eq!(amd.cluster.as_deref(), Some("NC-N30"));
    assert_eq!(amd.cpu_cores, Some(12.0));
    assert_eq!(amd.memory_bytes, Some(120 << 30));
    assert_eq!(amd.arch.as_deref(), Some("amd64"));
    assert_eq!(amd.note, None);
    assert_eq!(
        amd.gpu,
        Some(Gpu {
            model: Some("RTX3090".to_owned()),
            count: 2.0,
            memory_bytes: None,
            form_factor: None
        })
    );
    assert_eq!(
        (amd.price_per_hour.is_none(), amd.stock, amd.available),
        (true, None, None)
    );
    assert_eq!(arm.arch.as_deref(), Some("arm64"));
    assert!(arm.note.as_deref().unwrap().contains("KUNPENG920"));
    assert_eq!(arm.gpu_text.as_deref(), Some("A100-PCIE-40G"));
    assert_eq!(
        arm.gpu,
        Some(Gpu {
            model: Some("A100".to_owned()),
            count: 1.0,
            memory_bytes: Some(40 << 30),
            form_factor: Some("PCIE".to_owned())
        })
    );
}

#[test]
fn namespaces_know_where_jobs_go_by_default() {
    let one = parse::list(&recorded("namespaces"), "namespaces").unwrap();
    assert_eq!(parse::namespaces(&one, None)[0].default, Some(true));
    assert_eq!(
        parse::namespaces(&one, Some("other"))[0].default,
        Some(false)
    );
    let created = parse::namespace(&recorded("namespace-created")).unwrap();
    assert_eq!((created.id.as_str(), created.name), ("k8r2wq", None));
}

#[test]
fn a_created_volume_shows_its_credentials_once() {
    let raw = recorded("volume-created");
    let credentials = parse::credentials(&raw).unwrap();
    assert_eq!(credentials.username, "k8r2wq-ncn30-x7m4tzb9");
    assert_eq!(
        credentials.password.expose(),
        "zl6p85962vb9s7k2chfptkqwfxkb6jrl"
    );
    assert_eq!(
        credentials.webdav_url.as_deref(),
        Some("https://webdav.eci.paracloud.com")
    );
    assert_eq!(
        credentials.sftp_address.as_deref(),
        Some("sftp.eci.paracloud.com:2022")
    );
    let volume = parse::volume(&raw, PLACE).unwrap();
    assert!(!volume.raw.to_string().contains("zl6p85962vb9s7k2"));
    assert_eq!(volume.raw["service"]["username"], "k8r2wq-ncn30-x7m4tzb9");
    assert_eq!(volume.volume_ref.to_string(), "para/k8r2wq/NC-N30/x7m4tzb9");
}

#[test]
fn a_listed_volume_tells_nothing_about_transfer() {
    let list = parse::list(&recorded("volumes"), "volumes").unwrap();
    let volumes = parse::volumes(&list, PLACE);
    let [volume] = volumes.as_slice() else {
        panic!("{volumes:?}")
    };
    assert_eq!(volume.scope.as_deref(), Some("NC-N30"));
    assert_eq!(
        (volume.kind.as_str(), volume.mountable, &volume.transfer),
        ("volume", true, &None)
    );
}

#[rstest]
#[case(json!({"service": {"password": "p"}}), true)]
#[case(json!({"service": {"password": 7, "username": "u"}}), true)]
#[case(json!({"service": {"username": "u"}}), false)]
#[case(json!({"service": null}), false)]
#[case(json!({}), false)]
fn a_password_is_kept_whatever_else_is_missing(#[case] raw: Value, #[case] found: bool) {
    assert_eq!(parse::credentials(&raw).is_some(), found);
}

#[test]
fn a_fresh_group_is_pending() {
    let job = job("group-created");
    assert_eq!(
        job.job_ref,
        ResourceRef::new("para", ["k8r2wq", "NC-N30", "p6vd2hcn"])
    );
    assert_eq!((job.state, job.terminal), (State::Pending, false));
    assert_eq!(job.raw_state, "Pending");
    assert_eq!(job.reason.as_deref(), Some("Creating"));
    assert_eq!(job.instance_type.as_deref(), Some("n30.2xlarge"));
    assert_eq!((job.nodes, job.node_names.len()), (1, 0));
    assert_eq!(job.endpoints, [""; 0]);
    assert_eq!(job.created_at, None);
    assert_eq!(job.name.as_deref(), Some("bert-q4w7z"));
    assert_eq!(job.marker, None);
}

#[test]
fn a_group_that_pulls_its_image_is_pending_on_a_node() {
    let job = job("group-image-pulling");
    assert_eq!(job.state, State::Pending);
    assert_eq!(job.reason.as_deref(), Some("ImagePulling"));
    assert_eq!(job.node_names, ["node-n30-017"]);
}

#[test]
fn a_running_group_has_an_address() {
    let job = job("group-running");
    assert_eq!((job.state, job.terminal), (State::Running, false));
    assert_eq!(job.started_at, at("2024-03-08T01:15:02Z"));
    assert_eq!(
        (job.finished_at, job.duration_s, job.exit_code),
        (None, None, None)
    );
    assert_eq!(
        job.endpoints,
        ["https://k8r2wq-nc-n30-p6vd2hcn-bert-q4w7z-ui.eci.paracloud.com"]
    );
}

#[test]
fn a_succeeded_group_has_the_code_zero_and_no_address() {
    let job = job("group-succeeded");
    assert_eq!((job.state, job.terminal), (State::Succeeded, true));
    assert_eq!(job.exit_code, Some(0));
    assert_eq!(job.duration_s, Some(2850));
    assert_eq!(job.finished_at, at("2024-03-08T02:02:32Z"));
    assert_eq!(job.endpoints, [""; 0]);
    assert_eq!(job.approximate, [""; 0]);
}

#[test]
fn a_failed_group_has_no_exit_code() {
    let job = job("group-failed");
    assert_eq!((job.state, job.terminal), (State::Failed, true));
    assert_eq!(job.exit_code, None);
    assert_eq!(job.duration_s, Some(58));
    assert_eq!(
        job.message.as_deref(),
        Some("container bert-q4w7z exited with code 1")
    );
}

#[test]
fn nulls_are_as_good_as_absent_members() {
    let job = job("group-nulls-instead-of-absent");
    assert_eq!(job.state, State::Pending);
    assert_eq!((job.name, job.reason, job.message), (None, None, None));
    assert_eq!(
        (job.started_at, job.finished_at, job.duration_s),
        (None, None, None)
    );
    assert_eq!(job.node_names, [""; 0]);
    assert_eq!(job.raw["extra"]["unknown"], true);
}

/// The matrix of §8: each member absent, null, empty and of a wrong type, in every place.
#[test]
fn no_member_is_needed() {
    fn paths(value: &Value, at: &str, found: &mut Vec<String>) {
        match value {
            Value::Object(members) => {
                for (key, member) in members {
                    let path = format!("{at}/{key}");
                    paths(member, &path, found);
                    found.push(path);
                }
            }
            Value::Array(items) => {
                for (index, item) in items.iter().enumerate() {
                    paths(item, &format!("{at}/{index}"), found);
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }
    let whole = recorded("group-succeeded");
    let mut all = Vec::new();
    paths(&whole, "", &mut all);
    assert!(all.len() > 20, "{all:?}");
    for path in all.iter().filter(|path| *path != "/id") {
        let (parent, key) = path.rsplit_once('/').unwrap();
        for odd in [
            None,
            Some(json!(null)),
            Some(json!("")),
            Some(json!([])),
            Some(json!({})),
            Some(json!(7)),
        ] {
            let mut raw = whole.clone();
            let members = raw.pointer_mut(parent).unwrap().as_object_mut().unwrap();
            match odd {
                Some(value) => members.insert(key.to_owned(), value),
                None => members.remove(key),
            };
            let job = job_of(&raw);
            assert_eq!(job.provider_id, "p6vd2hcn", "{path}");
            if path.starts_with("/status") && job.raw_state != "Succeeded" {
                assert_eq!((job.state, job.terminal), (State::Unknown, false), "{raw}");
            } else {
                assert_eq!(job.state, State::Succeeded, "{raw}");
            }
        }
    }
}

#[test]
fn a_port_without_number_or_host_has_no_address_yet() {
    let job = job("group-unassigned-port");
    assert_eq!(job.endpoints, [""; 0]);
    assert_eq!(job.started_at, at("2024-03-08T01:15:02.123456789Z"));
}

#[test]
fn a_group_without_status_is_unknown_and_its_cluster_is_not_the_wildcard() {
    let job = job("group-without-status");
    assert_eq!((job.state, job.terminal), (State::Unknown, false));
    assert_eq!(job.raw_state, Value::Null);
    assert_eq!(job.job_ref.to_string(), "para/k8r2wq/-/p6vd2hcn");
}

#[test]
fn a_new_state_word_is_in_progress_and_kept() {
    let job = job("group-unknown-state-word");
    assert_eq!((job.state, job.terminal), (State::Unknown, false));
    assert_eq!(job.raw_state, "Preempted");
}

#[test]
fn a_list_with_a_page_token_is_not_whole() {
    let list = parse::list(&recorded("groups-with-page-token"), "containerGroups").unwrap();
    assert!(list.truncated);
    assert_eq!(list.unreadable, 1);
    let read: Vec<Group> = list.items.iter().filter_map(Group::read).collect();
    assert_eq!(read.len(), 1);
    assert!(list.incompleteness("jobs").unwrap().contains("more jobs"));
}

#[rstest]
#[case(json!({}))]
#[case(json!({"volumes": null}))]
#[case(json!({"volumes": []}))]
fn an_empty_list_has_three_forms(#[case] body: Value) {
    let list = parse::list(&body, "volumes").unwrap();
    assert_eq!(list, parse::List::default());
    assert_eq!(list.incompleteness("volumes"), None);
}

#[test]
fn a_list_that_is_no_list_is_another_api() {
    assert!(parse::list(&json!({"volumes": "none"}), "volumes").is_err());
}

#[rstest]
#[case(json!(2850), 2850, false)]
#[case(json!("2851"), 2850, false)]
#[case(json!(2_850_000), 2850, true)]
#[case(json!("47m30s"), 2850, false)]
#[case(json!(2_870), 2850, false)]
#[case(json!(2_880), 2850, true)]
fn the_times_beat_the_run_time(
    #[case] run_time: Value,
    #[case] seconds: i64,
    #[case] doubtful: bool,
) {
    let mut raw = recorded("group-succeeded");
    raw["status"]["runTime"] = run_time;
    let job = job_of(&raw);
    assert_eq!(job.duration_s, Some(seconds));
    assert_eq!(job.approximate.contains(&"duration_s"), doubtful);
}

#[test]
fn a_run_time_without_times_stands_in_and_says_so() {
    let mut raw = recorded("group-succeeded");
    raw["status"].as_object_mut().unwrap().remove("startTime");
    let job = job_of(&raw);
    assert_eq!(job.duration_s, Some(2850));
    assert_eq!(job.approximate, ["duration_s"]);
}

#[test]
fn the_marker_is_found_and_not_part_of_the_name() {
    let mut raw = recorded("group-running");
    raw["containers"][0]["name"] = json!("bert-finetune-bcdfghjklmnpqr");
    let job = job_of(&raw);
    assert_eq!(job.name.as_deref(), Some("bert-finetune"));
    assert_eq!(job.marker.as_deref(), Some("bcdfghjklmnpqr"));
}

#[test]
fn the_gpu_comes_from_the_catalogue_of_the_same_cluster() {
    let list = parse::list(&recorded("instance-types"), "instanceTypes").unwrap();
    let offers = catalogue::catalogue(&list, None).offers;
    let group = Group::read(&recorded("group-running")).unwrap();
    let job = record::job(&group, Context::unknown(PLACE, &offers));
    assert_eq!(job.gpu.unwrap().model.as_deref(), Some("RTX3090"));
    let mut raw = recorded("group-running");
    raw["clusterID"] = json!("BSCC-N32-H");
    let group = Group::read(&raw).unwrap();
    assert_eq!(
        record::job(&group, Context::unknown(PLACE, &offers)).gpu,
        None
    );
}

#[rstest]
#[case("Failed", State::Cancelled)]
#[case("Succeeded", State::Succeeded)]
fn what_ended_after_our_cancel(#[case] word: &str, #[case] state: State) {
    let mut raw = recorded("group-failed");
    raw["status"]["state"] = json!(word);
    let group = Group::read(&raw).unwrap();
    let context = Context {
        cancel_requested_at: at("2024-03-08T01:15:58Z"),
        ..Context::unknown(PLACE, &[])
    };
    let job = record::job(&group, context);
    assert_eq!((job.state, job.terminal), (state, true));
    assert_eq!(job.raw_state, word);
    assert!(!job.flags.contains(&Flag::Cancelling));
}

#[rstest]
#[case(&["timeout", "58", "python"], None, true)]
#[case(&["python"], Some(58), true)]
#[case(&["python"], Some(20), true)]
#[case(&["python"], Some(59), false)]
#[case(&["timeout", "3600", "python"], None, false)]
#[case(&["timeout", "-k", "5", "58"], None, false)]
#[case(&["python"], None, false)]
fn a_failure_at_the_limit_is_a_timeout(
    #[case] command: &[&str],
    #[case] limit: Option<u64>,
    #[case] expected: bool,
) {
    let mut raw = recorded("group-failed");
    raw["containers"][0]["command"] = json!(command);
    let group = Group::read(&raw).unwrap();
    let context = Context {
        time_limit_s: limit,
        ..Context::unknown(PLACE, &[])
    };
    let job = record::job(&group, context);
    assert_eq!(job.reason.as_deref() == Some("timeout"), expected);
    assert_eq!((job.state, job.exit_code), (State::Failed, None));
}

/// The members that the readers look for.
const NAMES: [&str; 20] = [
    "id",
    "clusterID",
    "containers",
    "status",
    "state",
    "startTime",
    "endTime",
    "runTime",
    "ports",
    "https",
    "host",
    "gpu",
    "count",
    "model",
    "memory",
    "sizeGB",
    "service",
    "password",
    "instanceTypes",
    "code",
];

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_parser_panics(value in any_json(&NAMES)) {
        let list = parse::List { items: vec![value.clone()], ..parse::List::default() };
        drop(catalogue::catalogue(&list, None));
        drop(parse::volumes(&list, PLACE));
        drop(parse::namespaces(&list, None));
        drop(parse::credentials(&value));
        drop(parse::list(&value, "instanceTypes"));
        let _ = lenient::number_of(&value);
        if let Some(group) = Group::read(&value) {
            let job = record::job(&group, Context::unknown(PLACE, &[]));
            prop_assert!(job.exit_code.is_none() || job.state == State::Succeeded);
        }
    }
}
