//! Events that are refused or strange, and billing records that are (gongji.md §5.3, §6.4, §10).

use serde_json::json;

use super::script::{Bench, ok, refused};
use super::*;
use crate::error::Kind;
use crate::model::ResourceRef;
use crate::provider::{Costs, Events};
use crate::testing::Scripted;

const POINTS: &str = "GET /api/deployment/task/points?task_id=2100457&page=1&page_size=100";
const EVENTS: &str = "GET /api/deployment/task/pod_event?point_id=7";
const DETAIL: &str = "GET /api/task/job/detail?task_id=2100457";
const BILLS: &str = "GET /api/billing/get_task_billing_record?range=day&start_time=2026-05-09T11%3A14%3A20%2B08%3A00&end_time=2026-05-11T12%3A00%3A00%2B08%3A00&page=1&page_size=100";

fn job() -> ResourceRef {
    ResourceRef::new("gongji", ["2100457"])
}

fn page(rows: &[Value]) -> Value {
    json!({"count": rows.len(), "results": rows})
}

fn pod() -> Value {
    json!({"point_id": 7, "name": "pod-a", "status": "Pending",
           "containers": [{"reason": "ImagePullBackOff"}]})
}

#[tokio::test]
async fn a_refusal_of_events_is_no_empty_list() {
    let bench = Bench::new([
        (POINTS, refused("busy")),
        (DETAIL, ok(&data("detail-running"))),
    ]);
    let error = bench.gongji.events_of(&job()).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Rejected);
    assert!(error.message().contains("busy (`C999`)"), "{error}");
    let bench = Bench::new([(POINTS, ok(&page(&[pod()]))), (EVENTS, refused("no"))]);
    let error = bench.gongji.events_of(&job()).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Rejected);
}

#[tokio::test]
async fn a_time_nobody_can_read_stands_before_the_message() {
    let told = json!({"events": [{"reason": "Pulled", "message": "image ready", "type": "Normal", "event_time": "刚刚"}]});
    let bench = Bench::new([(POINTS, ok(&page(&[pod()]))), (EVENTS, ok(&told))]);
    let events = bench.gongji.events_of(&job()).await.unwrap();
    assert_eq!(events[0].time, None);
    assert_eq!(events[0].kind.as_deref(), Some("normal"));
    assert_eq!(events[0].message.as_deref(), Some("刚刚: image ready"));
}

#[tokio::test]
async fn a_container_gives_a_reason_that_no_event_has() {
    let told = json!({"events": [{"reason": "BackOff", "message": "Back-off pulling image"}]});
    let bench = Bench::new([(POINTS, ok(&page(&[pod()]))), (EVENTS, ok(&told))]);
    assert_eq!(
        bench.gongji.reasons_of(&job()).await.unwrap(),
        ["ImagePullBackOff", "BackOff"]
    );
}

async fn billed(bills: Scripted) -> (Value, Vec<String>) {
    let mut detail = data("detail-running");
    detail["create_time"] = json!("2026-05-10T11:14:20+08:00");
    let bench = Bench::new([(DETAIL, ok(&detail)), (BILLS, bills)]);
    let costs = bench.gongji.costs_of(&[job()]).await.unwrap();
    let raw = costs[0].as_ref().unwrap().raw["billing_record"].clone();
    (raw, bench.notes())
}

#[tokio::test]
async fn records_keep_fractions_and_add_up() {
    let bill =
        |coin: Value| json!({"task_id": 2_100_457, "billing_coin": coin, "discount_coin": 0.5});
    let bills = ok(&page(&[bill(json!(6_710_400.5)), bill(json!("100"))]));
    assert_eq!(
        billed(bills).await.0,
        json!({"billing_coin": 6_710_500.5, "discount_coin": 1, "net_coin": 6_710_499.5})
    );
    let bills = ok(&page(&[bill(json!(1)), bill(json!("much"))]));
    assert_eq!(
        billed(bills).await.0,
        json!({"billing_coin": null, "discount_coin": 1, "net_coin": null})
    );
    let (none, notes) = billed(refused("no right")).await;
    assert_eq!(none, Value::Null);
    assert!(notes[0].contains("no right"), "{notes:?}");
}
