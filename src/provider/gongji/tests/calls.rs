//! The calls over a transport made of paper: what is asked, in which order, and what is made of it.

use serde_json::json;

use super::script::{Bench, ok, refused};
use super::*;
use crate::error::{Error, Kind};
use crate::model::{Job, ResourceRef, State};
use crate::provider::{
    Creation, ListFilter, Observation, Provider, Tracked, VolumeRequest, Volumes,
};
use crate::testing::{answer, lost};

const CREATE: &str = "POST /api/task/job/create";
const DETAIL: &str = "GET /api/task/job/detail?task_id=2100457";
const SEARCH: &str = "GET /api/task/job/search?page=1&page_size=100";
const STOP: &str = "POST /api/task/job/stop";
const POINTS: &str = "GET /api/deployment/task/points?task_id=2100457&page=1&page_size=100";
const TYPES: &str =
    "GET /api/deployment/resource/search?task_type=Job&device_type=GpuDevice%2CCpuDevice";
const TYPES_OF_DEPLOYMENTS: &str =
    "GET /api/deployment/resource/search?task_type=Deployment&device_type=GpuDevice%2CCpuDevice";
const OBJECTS: &str = "GET /api/storage/get_storage?storage_type=Juicefs&status=Activate%2CUnactivated&page=1&page_size=100";
const SHARES: &str = "GET /api/storage/get_storage?storage_type=ShareStorage&status=Activate%2CUnactivated&page=1&page_size=100";
const NAS: &str = "GET /api/storage/nas/v1/list?page=1&page_size=100";
const NAS_OFFERS: &str = "GET /api/storage/nas/v1/pre-create";
const NAS_CREATE: &str = "POST /api/storage/nas/v1/create";
const NAS_DELETE: &str = "POST /api/storage/nas/v1/delete";

const SMALL: &str = "{name: bert, image: a/b, resources: {gpu: 4090}, timeout: 90m}";

fn reference() -> ResourceRef {
    ResourceRef::new("gongji", ["2100457"])
}

fn tracked(id: &str) -> Tracked {
    testing::tracked(ResourceRef::new("gongji", [id]))
}

fn marker() -> Marker {
    Marker::parse(MARKER).unwrap()
}

/// The example's detail with some members changed.
fn detail(changes: &Value) -> Value {
    let mut detail = data("detail-running");
    for (name, value) in changes.as_object().unwrap() {
        detail[name] = value.clone();
    }
    detail
}

fn page(rows: &[Value]) -> Value {
    json!({"count": rows.len(), "results": rows})
}

async fn create(bench: &Bench) -> Creation<Job> {
    let plan = plan_of(SMALL).unwrap();
    Provider::create(&bench.gongji, &plan).await
}

fn seen(observations: Vec<Observation>) -> Job {
    let [Observation::Seen(job)] = <[Observation; 1]>::try_from(observations).unwrap() else {
        panic!("missing");
    };
    *job
}

#[tokio::test(start_paused = true)]
async fn a_create_is_sent_once_and_gives_the_record() {
    let bench = Bench::new([(CREATE, ok(&data("job-created")))]);
    let Creation::Accepted(job) = create(&bench).await else {
        panic!("not accepted");
    };
    assert_eq!(job.job_ref, reference());
    assert_eq!(
        (job.state, job.name.as_deref()),
        (State::Pending, Some("bert"))
    );
    assert_eq!(job.marker.as_deref(), Some(MARKER));
    assert_eq!(job.created_at, Some(at("2026-05-10T04:00:00Z")));
    assert_eq!(job.approximate, ["created_at"]);
    assert_eq!(job.instance_type.as_deref(), Some("4090@demo-r1"));
    let (headers, body) = bench.sent().remove(0);
    assert_eq!(headers["token"], "token-1");
    assert_eq!(headers["timestamp"], "1778385600000");
    assert_eq!(body["resources"][0]["mark"], "c2FtcGxlLW1hcmstMDAxLzQwOTA=");
}

#[tokio::test(start_paused = true)]
async fn an_unclear_create_is_never_sent_again() {
    for reply in [
        lost(),
        answer(502, "<html>"),
        answer(200, ""),
        answer(200, "{\"code\":\"0000\""),
        ok(&json!(null)),
        ok(&json!({"task_id": null})),
    ] {
        let bench = Bench::new([(CREATE, reply.clone())]);
        let outcome = create(&bench).await;
        assert!(
            matches!(outcome, Creation::Ambiguous(_)),
            "{reply:?} {outcome:?}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_refused_create_is_refused_for_what_a_look_shows() {
    // Still there: the refusal is what it says.
    let bench = Bench::new([
        (CREATE, refused("库存不足")),
        (TYPES, ok(&data("resources"))),
    ]);
    let Creation::Refused(error) = create(&bench).await else {
        panic!("not refused");
    };
    assert_eq!(error.kind(), Kind::Rejected);
    // Sold out between look and create.
    let mut sold_out = data("resources");
    sold_out["results"][0]["regions"][0]["inventory"] = json!(0);
    let bench = Bench::new([(CREATE, refused("whatever")), (TYPES, ok(&sold_out))]);
    let Creation::Refused(error) = create(&bench).await else {
        panic!("not refused");
    };
    assert_eq!((error.kind(), error.code()), (Kind::Capacity, "capacity"));
    assert!(error.message().contains("`4090@demo-r1` sold out"));
    assert_eq!(error.details().provider_code.as_deref(), Some("C999"));
    // A new mark.
    let mut renewed = data("resources");
    renewed["results"][0]["regions"][0]["mark"]["mark"] = json!("new");
    let bench = Bench::new([(CREATE, refused("bad mark")), (TYPES, ok(&renewed))]);
    let Creation::Refused(error) = create(&bench).await else {
        panic!("not refused");
    };
    assert_eq!(error.kind(), Kind::Rejected);
    assert!(
        error
            .details()
            .hint
            .as_deref()
            .unwrap()
            .contains("mark has changed")
    );
}

#[tokio::test(start_paused = true)]
async fn refused_credentials_need_no_look() {
    let bench = Bench::new([(CREATE, answer(401, ""))]);
    let Creation::Refused(error) = create(&bench).await else {
        panic!("not refused");
    };
    assert_eq!(error.kind(), Kind::Auth);
}

#[tokio::test(start_paused = true)]
async fn a_job_alone_is_its_detail_with_its_pods() {
    let bench = Bench::new([
        (DETAIL, ok(&data("detail-running"))),
        (POINTS, ok(&data("points"))),
    ]);
    let job = seen(bench.gongji.observe(&[tracked("2100457")]).await.unwrap());
    assert_eq!((job.state, job.duration_s), (State::Running, Some(754)));
    assert_eq!(job.exit_code, None);
}

#[tokio::test(start_paused = true)]
async fn a_job_that_waits_for_long_says_so() {
    let waiting = |created: &str| {
        detail(&json!({
            "status": "Pending", "create_time": created, "job_status": {"status": "Pending"},
        }))
    };
    let bench = Bench::new([
        (DETAIL, ok(&waiting("2026-05-10T03:55:00Z"))),
        (POINTS, ok(&json!(null))),
    ]);
    let job = seen(bench.gongji.observe(&[tracked("2100457")]).await.unwrap());
    assert_eq!((job.state, job.message), (State::Pending, None));
    // A mark that nobody knows may be taken and never scheduled.
    let bench = Bench::new([
        (DETAIL, ok(&waiting("2026-05-10T03:45:00Z"))),
        (POINTS, ok(&json!(null))),
    ]);
    let job = seen(bench.gongji.observe(&[tracked("2100457")]).await.unwrap());
    assert!(job.message.unwrap().contains("may have sold out"));
}

#[tokio::test(start_paused = true)]
async fn a_failed_job_has_its_exit_code() {
    let failed = detail(&json!({"job_status": {"status": "Failed"}}));
    let bench = Bench::new([(DETAIL, ok(&failed)), (POINTS, ok(&data("points")))]);
    let job = seen(bench.gongji.observe(&[tracked("2100457")]).await.unwrap());
    assert_eq!((job.state, job.exit_code), (State::Failed, Some(3)));
    // Worth another try when the pods could not be read for now.
    let bench = Bench::new([
        (DETAIL, ok(&failed)),
        (POINTS, answer(503, "")),
        (POINTS, answer(503, "")),
    ]);
    let error = bench
        .gongji
        .observe(&[tracked("2100457")])
        .await
        .unwrap_err();
    assert_eq!(error.kind(), Kind::Temporary);
}

#[tokio::test(start_paused = true)]
async fn a_read_is_repeated_and_signed_anew() {
    let bench = Bench::new([
        (DETAIL, lost()),
        (DETAIL, ok(&data("detail-running"))),
        (POINTS, ok(&json!(null))),
    ]);
    let job = seen(bench.gongji.observe(&[tracked("2100457")]).await.unwrap());
    assert_eq!(job.state, State::Running);
}

#[tokio::test(start_paused = true)]
async fn a_job_is_missing_only_if_the_list_lacks_it_too() {
    let others = page(&[json!({"task_id": 1})]);
    let bench = Bench::new([(DETAIL, refused("任务不存在")), (SEARCH, ok(&others))]);
    let observed = bench.gongji.observe(&[tracked("2100457")]).await.unwrap();
    assert_eq!(observed, [Observation::Missing]);
    let bench = Bench::new([
        (DETAIL, refused("busy")),
        (SEARCH, ok(&data("jobs-page"))),
        (POINTS, ok(&json!(null))),
    ]);
    let job = seen(bench.gongji.observe(&[tracked("2100457")]).await.unwrap());
    assert_eq!(job.state, State::Running);
    // A success without data is the other way of saying it.
    let bench = Bench::new([(DETAIL, ok(&json!(null)))]);
    let observed = bench.gongji.observe(&[tracked("2100457")]).await.unwrap();
    assert_eq!(observed, [Observation::Missing]);
    // The list may be refused as well: then nobody knows.
    let bench = Bench::new([(DETAIL, refused("no")), (SEARCH, refused("no"))]);
    let error = bench
        .gongji
        .observe(&[tracked("2100457")])
        .await
        .unwrap_err();
    assert_eq!(error.kind(), Kind::Rejected);
}

#[tokio::test(start_paused = true)]
async fn many_jobs_are_one_list_and_a_detail_for_the_rest() {
    let row =
        |id: i64, outcome: &str| detail(&json!({"task_id": id, "job_status": {"status": outcome}}));
    let bench = Bench::new([
        (
            SEARCH,
            ok(&page(&[
                row(7, "Running"),
                row(2_100_457, "Failed"),
                row(8, "Complete"),
            ])),
        ),
        ("GET /api/task/job/detail?task_id=9", refused("no")),
        (SEARCH, ok(&page(&[row(7, "Running")]))),
        (POINTS, ok(&data("points"))),
    ]);
    let jobs = ["8", "2100457", "9", "7"].map(tracked);
    let observed = bench.gongji.observe(&jobs).await.unwrap();
    let states: Vec<Option<(State, Option<i64>)>> = observed
        .iter()
        .map(|observation| match observation {
            Observation::Seen(job) => Some((job.state, job.exit_code)),
            Observation::Missing | Observation::Unread(_) => None,
        })
        .collect();
    assert_eq!(
        states,
        [
            Some((State::Succeeded, Some(0))),
            Some((State::Failed, Some(3))),
            None,
            Some((State::Running, None)),
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn a_ref_that_is_no_number_is_told() {
    let bench = Bench::new([]);
    let error = bench.gongji.observe(&[tracked("abc")]).await.unwrap_err();
    assert_eq!((error.kind(), error.code()), (Kind::Usage, "bad_ref"));
    assert_eq!(Provider::resolve(&bench.gongji, "abc").await.unwrap(), []);
}

#[tokio::test(start_paused = true)]
async fn a_bare_id_is_resolved_by_its_detail() {
    let bench = Bench::new([(DETAIL, ok(&data("detail-running")))]);
    assert_eq!(
        Provider::resolve(&bench.gongji, "2100457").await.unwrap(),
        [reference()]
    );
}

#[tokio::test(start_paused = true)]
async fn jobs_are_listed_newest_first_and_filtered_here() {
    let row = |id: i64, created: &str, status: &str| json!({"task_id": id, "create_time": created, "status": status});
    let rows = page(&[
        row(1, "2026-05-08 10:00:00 +08:00", "Running"),
        row(2, "2026-05-10 10:00:00 +08:00", "Paused"),
        row(3, "2026-05-09 10:00:00 +08:00", "Running"),
    ]);
    let ids = |filter: ListFilter| {
        let rows = rows.clone();
        async move {
            let bench = Bench::new([(SEARCH, ok(&rows))]);
            let listing = Provider::list(&bench.gongji, &filter).await.unwrap();
            assert_eq!(listing.truncated, None);
            let ids: Vec<String> = listing
                .jobs
                .iter()
                .map(|job| job.provider_id.clone())
                .collect();
            ids.join(" ")
        }
    };
    assert_eq!(ids(ListFilter::default()).await, "2 3 1");
    let since = Some(at("2026-05-09T00:00:00Z"));
    assert_eq!(
        ids(ListFilter {
            since,
            ..ListFilter::default()
        })
        .await,
        "2 3"
    );
    let states = vec![State::Running];
    assert_eq!(
        ids(ListFilter {
            states,
            limit: Some(1),
            ..ListFilter::default()
        })
        .await,
        "3"
    );
    let bench = Bench::new([]);
    let namespace = Some("n".to_owned());
    let filter = ListFilter {
        namespace,
        ..ListFilter::default()
    };
    let error = Provider::list(&bench.gongji, &filter).await;
    assert_eq!(error.unwrap_err().kind(), Kind::Spec);
}

#[tokio::test(start_paused = true)]
async fn a_marker_is_found_in_the_unfiltered_list() {
    let row = |id: i64, name: &str, created: &str| json!({"task_id": id, "task_name": name, "create_time": created});
    let other_spec = format!("{}9999", marker().identity());
    let rows = page(&[
        row(1, &format!("bert-{MARKER}"), "2026-05-10T03:50:00Z"),
        row(2, &format!("bert-{MARKER}-x"), "2026-05-10T03:50:00Z"),
        row(3, &format!("other-{other_spec}"), "2026-05-10T03:50:00Z"),
        row(4, &format!("bert-{MARKER}"), "2026-05-09T03:50:00Z"),
    ]);
    let bench = Bench::new([(SEARCH, ok(&rows))]);
    let found = bench
        .gongji
        .find(&marker(), "gongji", at("2026-05-10T04:00:00Z"))
        .await
        .unwrap();
    let ids: Vec<&str> = found.iter().map(|job| job.provider_id.as_str()).collect();
    // The same key with another spec is found too: the four characters tell.
    assert_eq!(ids, ["1", "3"]);
}

#[tokio::test(start_paused = true)]
async fn a_stop_of_what_has_ended_is_a_success() {
    let stopped = detail(&json!({"status": "Paused", "billing_points": 0}));
    let bench = Bench::new([(STOP, ok(&json!(null))), (DETAIL, ok(&stopped))]);
    bench.gongji.cancel(&reference()).await.unwrap();
    assert_eq!(bench.sent()[0].1, recorded("request-stop"));
    assert!(bench.notes().is_empty());
    let bench = Bench::new([
        (STOP, refused("already stopped")),
        (DETAIL, ok(&detail(&json!({"status": "Paused"})))),
    ]);
    bench.gongji.cancel(&reference()).await.unwrap();
    let bench = Bench::new([(STOP, refused("no")), (DETAIL, ok(&data("detail-running")))]);
    let error = bench.gongji.cancel(&reference()).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Rejected);
    let bench = Bench::new([
        (STOP, refused("任务不存在")),
        (DETAIL, refused("任务不存在")),
        (SEARCH, ok(&page(&[]))),
    ]);
    let error = bench.gongji.cancel(&reference()).await.unwrap_err();
    assert_eq!(error.kind(), Kind::NotFound);
    // A lost answer is worth another stop.
    let bench = Bench::new([
        (STOP, lost()),
        (STOP, ok(&json!(null))),
        (DETAIL, ok(&stopped)),
    ]);
    bench.gongji.cancel(&reference()).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn the_catalogue_falls_back_to_deployments_and_says_so() {
    let bench = Bench::new([(TYPES, ok(&data("resources")))]);
    assert_eq!(bench.gongji.types().await.unwrap().len(), 2);
    assert!(bench.notes().is_empty());
    for first in [
        refused("task_type"),
        ok(&json!({"count": 0, "results": []})),
        ok(&json!(null)),
    ] {
        let bench = Bench::new([
            (TYPES, first),
            (TYPES_OF_DEPLOYMENTS, ok(&data("resources"))),
        ]);
        assert_eq!(bench.gongji.types().await.unwrap().len(), 2);
        assert!(bench.notes()[0].contains("taking the one for deployments"));
    }
    let bench = Bench::new([(TYPES, answer(401, ""))]);
    assert_eq!(bench.gongji.types().await.unwrap_err().kind(), Kind::Auth);
}

#[tokio::test(start_paused = true)]
async fn a_survey_reads_the_volumes_it_needs_and_the_marks_last() {
    let bench = Bench::new([(TYPES, ok(&data("resources")))]);
    let found = bench.gongji.survey(&spec(SMALL)).await.unwrap();
    assert_eq!((found.offers.len(), found.volumes.len()), (2, 0));
    assert_eq!(found.as_of, Some(at("2026-05-10T04:00:00Z")));
    let bench = Bench::new([
        (NAS, ok(&data("nas-volumes"))),
        (TYPES, ok(&data("resources"))),
    ]);
    let with_nas = spec("{image: a/b, mounts: [{source: 'nas:5012', path: /n}]}");
    assert_eq!(
        bench.gongji.survey(&with_nas).await.unwrap().volumes.len(),
        1
    );
    let bench = Bench::new([
        (OBJECTS, ok(&data("storage-object"))),
        (SHARES, ok(&data("storage-share"))),
        (NAS, ok(&data("nas-volumes"))),
        (TYPES, ok(&data("resources"))),
    ]);
    let bare = spec("{image: a/b, mounts: [{source: '71', path: /n}]}");
    assert_eq!(bench.gongji.survey(&bare).await.unwrap().volumes, volumes());
}

#[tokio::test(start_paused = true)]
async fn one_kind_of_volumes_may_be_closed() {
    let bench = Bench::new([
        (OBJECTS, ok(&data("storage-object"))),
        (SHARES, refused("whitelist")),
        (NAS, ok(&data("nas-volumes"))),
    ]);
    let found = Volumes::list(&bench.gongji, None).await.unwrap();
    assert_eq!(found.len(), 2);
    assert!(bench.notes()[0].contains("share volumes are not shown"));
    let bench = Bench::new([
        (OBJECTS, refused("a")),
        (SHARES, refused("b")),
        (NAS, refused("c")),
    ]);
    assert!(Volumes::list(&bench.gongji, None).await.is_err());
}

#[tokio::test(start_paused = true)]
async fn a_volume_is_shown_by_its_ref() {
    let nas = ResourceRef::new("gongji", ["nas", "5012"]);
    let bench = Bench::new([(NAS, ok(&data("nas-volumes")))]);
    let volume = Volumes::get(&bench.gongji, &nas).await.unwrap();
    assert_eq!(volume.name.as_deref(), Some("nas-main"));
    let bench = Bench::new([(NAS, ok(&page(&[])))]);
    let error = Volumes::get(&bench.gongji, &nas).await.unwrap_err();
    assert_eq!(error.kind(), Kind::NotFound);
    let bench = Bench::new([]);
    let odd = ResourceRef::new("gongji", ["tape", "1"]);
    assert_eq!(
        Volumes::get(&bench.gongji, &odd).await.unwrap_err().kind(),
        Kind::Usage
    );
}

fn wanted() -> VolumeRequest {
    VolumeRequest {
        name: Some("scratch".to_owned()),
        size_bytes: Some(1 << 30),
        ..VolumeRequest::default()
    }
}

#[tokio::test(start_paused = true)]
async fn a_nas_volume_is_made_once() {
    let bench = Bench::new([
        (NAS, ok(&data("nas-volumes"))),
        (NAS_OFFERS, ok(&data("nas-offers"))),
        (
            NAS_CREATE,
            ok(&json!({"storage_id": 5013, "status": "Creating"})),
        ),
    ]);
    let Creation::Accepted(created) = Volumes::create(&bench.gongji, &wanted()).await else {
        panic!("not accepted");
    };
    assert_eq!(created.volume.volume_ref.to_string(), "gongji/nas/5013");
    assert_eq!(created.volume.size_bytes, Some(1 << 30));
    assert!(!created.volume.mountable && !created.missing_credentials);
    assert_eq!(
        bench.sent()[2].1,
        json!({"name": "scratch", "nas_config_id": 31, "total_size": 1 << 30})
    );
}

#[tokio::test(start_paused = true)]
async fn an_unclear_volume_is_looked_for_and_never_made_twice() {
    let mut newcomer = data("nas-volumes")["results"][0].clone();
    newcomer["storage_id"] = json!(5013);
    newcomer["name"] = json!("scratch");
    let bench = Bench::new([
        (NAS, ok(&data("nas-volumes"))),
        (NAS_OFFERS, ok(&data("nas-offers"))),
        (NAS_CREATE, lost()),
        (NAS, ok(&page(&[newcomer]))),
    ]);
    let Creation::Ambiguous(error) = Volumes::create(&bench.gongji, &wanted()).await else {
        panic!("not unclear");
    };
    assert_eq!(error.details().candidates, ["gongji/nas/5013"]);
}

#[tokio::test(start_paused = true)]
async fn a_wish_that_cannot_be_is_refused_before_anything_is_sent() {
    let bench = Bench::new([]);
    let outcome = Volumes::create(&bench.gongji, &VolumeRequest::default()).await;
    let Creation::Refused(error) = outcome else {
        panic!("not refused");
    };
    assert_eq!(
        (error.kind(), error.details().refusals.len()),
        (Kind::Spec, 2)
    );
}

async fn delete(bench: &Bench, kind: &str, force: bool) -> Result<(), Error> {
    let volume = ResourceRef::new("gongji", [kind, "5012"]);
    Volumes::delete(&bench.gongji, &volume, force).await
}

#[tokio::test(start_paused = true)]
async fn only_nas_volumes_are_deleted() {
    let bench = Bench::new([(NAS_DELETE, ok(&json!(null)))]);
    delete(&bench, "nas", true).await.unwrap();
    assert_eq!(bench.sent()[0].1, json!({"id": 5012, "force": true}));
    let bench = Bench::new([]);
    assert_eq!(
        delete(&bench, "share", true).await.unwrap_err().kind(),
        Kind::Spec
    );
    let bench = Bench::new([(NAS_DELETE, refused("mounted"))]);
    let error = delete(&bench, "nas", false).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Rejected);
    assert!(error.details().hint.as_deref().unwrap().contains("--force"));
    // The first attempt took, and its answer was lost.
    let bench = Bench::new([
        (NAS_DELETE, lost()),
        (NAS_DELETE, refused("not exist")),
        (NAS, ok(&page(&[]))),
    ]);
    delete(&bench, "nas", false).await.unwrap();
    let bench = Bench::new([
        (NAS_DELETE, lost()),
        (NAS_DELETE, refused("mounted")),
        (NAS, ok(&data("nas-volumes"))),
    ]);
    assert!(delete(&bench, "nas", false).await.is_err());
}
