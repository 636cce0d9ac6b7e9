use serde_json::{Value, json};

use super::bench::Bench;

fn named(bench: &Bench, name: &str) -> i64 {
    let mut job = bench.job("true");
    job["task_name"] = json!(name);
    bench.create(&job)
}

fn ids(bench: &Bench, query: &str) -> Vec<i64> {
    let answer = bench.get(&format!("task/job/search?{query}"));
    answer.data()["results"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["task_id"].as_i64().unwrap())
        .collect()
}

#[test]
fn a_row_has_its_own_members_and_form_of_time() {
    let bench = Bench::new();
    let id = bench.create(&bench.job("true"));
    let answer = bench.get("task/job/search?status=Running,Pending&page=1&page_size=20");
    assert_eq!(answer.data()["count"], 1);
    let row = &answer.data()["results"][0];
    assert_eq!(row["task_id"], id);
    assert_eq!(row["task_type"], "Job");
    assert_eq!(row["create_time"], "2026-05-10 11:15:02.118273 +08:00");
    for absent in [
        "deployment_name",
        "billing_points",
        "billing_time",
        "last_update_time",
        "share_mem_volumes",
    ] {
        assert!(row.get(absent).is_none(), "{absent}");
    }
    let service = &row["services"][0];
    assert!(service["service_id"].is_i64());
    assert_eq!(service["service_image"], "registry.example/team/train:2.3");
    assert_eq!(service["resource_weight"]["gpu_weight"], 1);
    for null in ["env", "start_script", "nas_storage_config", "remote_ports"] {
        assert_eq!(service[null], Value::Null, "{null}");
    }
}

#[test]
fn pages_count_all_and_come_newest_first() {
    let bench = Bench::new();
    let made: Vec<i64> = (0..5)
        .map(|number| named(&bench, &format!("job {number}")))
        .collect();
    let newest: Vec<i64> = made.iter().rev().copied().collect();
    assert_eq!(ids(&bench, ""), newest);
    assert_eq!(ids(&bench, "page=2&page_size=2"), newest[2..4]);
    assert_eq!(ids(&bench, "page=4&page_size=2"), Vec::<i64>::new());
    assert_eq!(
        bench.get("task/job/search?page=9&page_size=2").data()["count"],
        5
    );
    bench.configure(&json!({ "list_order": "oldest" }));
    assert_eq!(ids(&bench, ""), made);
    bench.configure(&json!({ "list_order": "shuffled" }));
    let mut shuffled = ids(&bench, "");
    shuffled.sort_unstable();
    assert_eq!(shuffled, made);
}

#[test]
fn without_a_size_a_page_has_ten_and_never_more_than_a_hundred() {
    let bench = Bench::new();
    let job = bench.job("true");
    bench.configure(&json!({ "hold": "pending" }));
    for _ in 0..101 {
        bench.create(&job);
    }
    assert_eq!(ids(&bench, "").len(), 10);
    assert_eq!(ids(&bench, "page=1&page_size=500").len(), 100);
}

#[test]
fn a_name_is_found_as_the_switch_says() {
    let bench = Bench::new();
    let first = named(&bench, "train a&b");
    let second = named(&bench, "train a&b again");
    assert_eq!(ids(&bench, "search_value=train%20a%26b"), [second, first]);
    bench.configure(&json!({ "search": "exact" }));
    assert_eq!(ids(&bench, "search_value=train%20a%26b"), [first]);
    bench.configure(&json!({ "search": "ignored" }));
    assert_eq!(ids(&bench, "search_value=nothing"), [second, first]);
}

#[test]
fn states_and_groups_filter() {
    let bench = Bench::new();
    let stopped = named(&bench, "one");
    let pending = named(&bench, "two");
    bench.stop(stopped).data();
    assert_eq!(ids(&bench, "status=Paused"), [stopped]);
    assert_eq!(ids(&bench, "status=Pending,Running"), [pending]);
    assert_eq!(ids(&bench, "status=End"), Vec::<i64>::new());
    assert_eq!(ids(&bench, "group_id=3"), Vec::<i64>::new());
    assert_eq!(ids(&bench, "group_task=false").len(), 2);
}

#[test]
fn a_new_job_may_be_listed_and_found_late() {
    let bench = Bench::new();
    bench.configure(&json!({ "list_lag_s": 8, "detail_lag_s": 5, "hold": "pending" }));
    let id = bench.create(&bench.job("true"));
    assert_eq!(ids(&bench, ""), Vec::<i64>::new());
    let target = format!("task/job/detail?task_id={id}");
    assert_eq!(bench.get(&target).refusal(), (200, "C007"));
    bench.pass(5);
    assert_eq!(bench.detail(id)["task_id"], id);
    assert_eq!(ids(&bench, ""), Vec::<i64>::new());
    bench.pass(3);
    assert_eq!(ids(&bench, ""), [id]);
}

#[test]
fn an_unknown_job_is_a_code_or_null_data() {
    let bench = Bench::new();
    let target = "task/job/detail?task_id=42";
    let answer = bench.get(target);
    assert_eq!(
        (answer.refusal(), answer.message()),
        ((200, "C007"), "not exist")
    );
    bench.configure(&json!({ "not_found": "null-data" }));
    assert_eq!(bench.get(target).data(), &Value::Null);
    assert_eq!(bench.get("task/job/detail").refusal(), (200, "C006"));
}
