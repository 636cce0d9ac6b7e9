//! Events and costs: what is asked, and what is made of it.

use serde_json::json;

use super::script::{Bench, ok, refused};
use super::*;
use crate::error::Kind;
use crate::model::ResourceRef;
use crate::provider::{Costs, Events};

const POINTS: &str = "GET /api/deployment/task/points?task_id=2100457&page=1&page_size=100";
const EVENTS: &str = "GET /api/deployment/task/pod_event?point_id=88120345";
const DETAIL: &str = "GET /api/task/job/detail?task_id=2100457";
const SEARCH: &str = "GET /api/task/job/search?page=1&page_size=100";
const BILLS: &str = "GET /api/billing/get_task_billing_record?range=day&start_time=2026-05-09T11%3A14%3A20%2B08%3A00&end_time=2026-05-11T12%3A00%3A00%2B08%3A00&page=1&page_size=100";

fn job() -> ResourceRef {
    ResourceRef::new("gongji", ["2100457"])
}

fn page(rows: &[Value]) -> Value {
    json!({"count": rows.len(), "results": rows})
}

fn point() -> Value {
    json!({"point_id": 88_120_345, "name": "job-20771-0-x7k2p", "status": "Failed"})
}

#[tokio::test]
async fn events_of_every_pod_stand_by_time_and_each_once() {
    let told = json!({"events": [
        {"reason": "BackOff", "message": "container exited", "type": "Warning",
         "event_time": "2026-05-10T11:27:55+08:00", "service": null},
        {"reason": "Pulled", "message": "image ready", "type": "Normal",
         "event_time": "2026-05-10 11:16:01", "service": "main"},
        {"reason": "Pulled", "message": "image ready", "type": "Normal",
         "event_time": "2026-05-10 11:16:01", "service": "main"},
    ]});
    let bench = Bench::new([(POINTS, ok(&page(&[point()]))), (EVENTS, ok(&told))]);
    let events = bench.gongji.events_of(&job()).await.unwrap();
    let [pulled, back_off] = events.as_slice() else {
        panic!("{events:?}");
    };
    assert_eq!(pulled.time, Some(at("2026-05-10T03:16:01Z")));
    assert_eq!(pulled.source.as_deref(), Some("job-20771-0-x7k2p/main"));
    assert_eq!(back_off.kind.as_deref(), Some("warning"));
    assert_eq!(back_off.reason.as_deref(), Some("BackOff"));
    assert_eq!(back_off.message.as_deref(), Some("container exited"));
    assert_eq!(back_off.source.as_deref(), Some("job-20771-0-x7k2p"));
}

#[tokio::test]
async fn a_job_without_pods_has_no_events_and_an_unknown_one_is_not_found() {
    let bench = Bench::new([
        (POINTS, ok(&page(&[]))),
        (DETAIL, ok(&data("detail-running"))),
    ]);
    assert_eq!(bench.gongji.events_of(&job()).await.unwrap(), []);
    let bench = Bench::new([
        (POINTS, refused("任务不存在")),
        (DETAIL, refused("任务不存在")),
        (SEARCH, ok(&page(&[]))),
    ]);
    let error = bench.gongji.events_of(&job()).await.unwrap_err();
    assert_eq!(error.kind(), Kind::NotFound);
    assert_eq!(error.details().job.as_deref(), Some("gongji/2100457"));
}

#[tokio::test]
async fn pods_whose_events_are_gone_do_not_hide_the_others() {
    let other = json!({"point_id": 5, "name": "other"});
    let bench = Bench::new([
        (POINTS, ok(&page(&[point(), other]))),
        (EVENTS, refused("not exist")),
        (
            "GET /api/deployment/task/pod_event?point_id=5",
            ok(&json!({"events": [{"reason": "Started"}]})),
        ),
    ]);
    let events = bench.gongji.events_of(&job()).await.unwrap();
    assert_eq!(events.len(), 1);
    assert_eq!(events[0].source.as_deref(), Some("other"));
}

#[tokio::test]
async fn the_cost_is_the_jobs_own_figure_with_the_record_beside_it() {
    let mut detail = data("detail-running");
    detail["billing_value"] = json!(6_710_400);
    detail["create_time"] = json!("2026-05-10T11:14:20+08:00");
    let bill = json!({"task_id": 2_100_457, "task_type": "Job", "billing_coin": 6_710_400, "discount_coin": 710_400});
    let bench = Bench::new([(DETAIL, ok(&detail)), (BILLS, ok(&page(&[bill])))]);
    let costs = bench.gongji.costs_of(&[job()]).await.unwrap();
    let [Some(cost)] = costs.as_slice() else {
        panic!("{costs:?}");
    };
    assert_eq!(cost.cost.as_ref().unwrap().to_string(), "6.7104 CNY");
    assert!(cost.estimate, "it runs, so more is to come");
    assert_eq!(cost.raw["billing_value"], 6_710_400);
    assert_eq!(
        cost.raw["billing_record"],
        json!({"billing_coin": 6_710_400, "discount_coin": 710_400, "net_coin": 6_000_000})
    );
    assert_eq!(bench.notes(), Vec::<String>::new());
}

#[tokio::test]
async fn a_record_in_another_scale_is_told_and_a_missing_one_costs_nothing() {
    let mut detail = data("detail-running");
    detail["billing_value"] = json!(6_710_400);
    detail["create_time"] = json!("2026-05-10T11:14:20+08:00");
    let bill = json!({"task_id": 2_100_457, "billing_coin": 671_040});
    let bench = Bench::new([(DETAIL, ok(&detail)), (BILLS, ok(&page(&[bill])))]);
    bench.gongji.costs_of(&[job()]).await.unwrap();
    assert!(
        bench.notes().iter().any(|note| note.contains("ten times")),
        "{:?}",
        bench.notes()
    );
    let bench = Bench::new([(DETAIL, ok(&detail)), (BILLS, refused("no right"))]);
    let costs = bench.gongji.costs_of(&[job()]).await.unwrap();
    let cost = costs[0].as_ref().unwrap();
    assert_eq!(cost.cost.as_ref().unwrap().amount(), "6.7104");
    assert_eq!(cost.raw["billing_record"], Value::Null);
}

#[tokio::test]
async fn a_job_nobody_knows_has_no_cost() {
    let bench = Bench::new([(DETAIL, refused("任务不存在")), (SEARCH, ok(&page(&[])))]);
    assert_eq!(bench.gongji.costs_of(&[job()]).await.unwrap(), [None]);
}
