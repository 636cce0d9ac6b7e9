use serde_json::{Value, json};

use super::bench::Bench;

fn rows(bench: &Bench, query: &str) -> Vec<Value> {
    let answer = bench.get(&format!("deployment/resource/search{query}"));
    let data = answer.data();
    let rows = data["results"].as_array().unwrap().clone();
    assert_eq!(data["count"], rows.len());
    rows
}

fn row<'a>(rows: &'a [Value], device: &str) -> &'a Value {
    rows.iter()
        .find(|row| row["device_name"] == device)
        .unwrap()
}

#[test]
fn a_row_has_every_member_of_the_contract_and_a_mark_per_region() {
    let bench = Bench::new();
    let rows = rows(&bench, "?task_type=Job&device_type=GpuDevice");
    let device = row(&rows, "4090");
    let names: Vec<&String> = device.as_object().unwrap().keys().collect();
    assert_eq!(
        names,
        [
            "device_name",
            "gpu_name",
            "gpu_count",
            "gpu_memory",
            "memory",
            "cpu_cores",
            "disk_size",
            "disk_type",
            "regions"
        ]
    );
    let offer = &device["regions"][0];
    assert_eq!(offer["region"], "hebeif-1");
    assert_eq!(offer["price"], 550);
    assert_eq!(offer["discount_price"], 466);
    assert_eq!(offer["inventory"], 21);
    assert_eq!(
        offer["mark"]["resource"],
        json!({
            "device_name": "4090", "region": "hebeif-1", "gpu_name": "4090", "gpu_count": 1,
            "gpu_memory": 24560, "memory": 64512, "cpu_cores": 16,
        })
    );
    assert!(offer["mark"]["mark"].is_string());
    assert_ne!(offer["mark"]["mark"], device["regions"][1]["mark"]["mark"]);
    // The memory is that of all cards, and such an offer may be sold out.
    let eight = row(&rows, "H20 x 8");
    assert_eq!(eight["gpu_memory"], 8 * 98304);
    assert_eq!(eight["regions"][0]["inventory"], 0);
    assert_eq!(row(&rows, "L40S")["regions"][0]["price"], Value::Null);
    assert!(row(&rows, "V100")["regions"][0]["inventory"].as_i64() > Some(0));
    assert!(!rows.iter().any(|row| row["gpu_count"] == 0));
}

#[test]
fn devices_are_filtered_by_kind() {
    let bench = Bench::new();
    let cpu = rows(&bench, "?device_type=CpuDevice");
    assert_eq!(cpu.len(), 1);
    assert_eq!(cpu[0]["gpu_name"], Value::Null);
    let all = rows(&bench, "").len();
    assert_eq!(rows(&bench, "?device_type=GpuDevice,CpuDevice").len(), all);
    let wrong = bench.get("deployment/resource/search?device_type=Gpu");
    assert_eq!(wrong.refusal(), (200, "C006"));
}

#[test]
fn every_look_has_new_marks_and_old_ones_stay_good_while_there_is_stock() {
    let bench = Bench::new();
    let old = bench.job("true");
    let new = bench.candidate("V100", "hebeif-1");
    assert_ne!(old["resources"][0]["mark"], new["mark"]);
    bench.create(&old);
    bench.configure(&json!({ "sold_out": ["V100@hebeif-1"] }));
    let answer = bench.post("task/job/create", &old);
    assert_eq!(answer.refusal(), (200, "C999"));
    assert!(answer.message().contains("库存"), "{}", answer.message());
    bench.configure(&json!({ "sold_out": [], "mark_life_s": 60 }));
    bench.create(&old);
    bench.pass(60);
    let answer = bench.post("task/job/create", &old);
    assert!(answer.message().contains("out of date"));
}

#[test]
fn an_offer_can_be_sold_out_between_the_look_and_the_create() {
    let bench = Bench::new();
    bench.configure(&json!({ "sell_out_after_look": ["V100@hebeif-1"] }));
    let job = bench.job("true");
    assert_eq!(bench.post("task/job/create", &job).refusal(), (200, "C999"));
    let rows = rows(&bench, "?task_type=Job");
    assert_eq!(row(&rows, "V100")["regions"][0]["inventory"], 0);
    // Another candidate saves the job.
    let mut second = job;
    let other = bench.candidate("V100", "beijing-2");
    second["resources"].as_array_mut().unwrap().push(other);
    bench.create(&second);
}

#[tokio::test]
async fn a_running_job_holds_stock_and_gives_it_back() {
    let bench = Bench::new();
    bench.configure(&json!({ "advance": "at-once" }));
    let mut job = bench.job("sleep 600");
    job["resources"] = json!([bench.candidate("4090 x 8", "guangdong-1")]);
    let id = bench.create(&job);
    bench.service_tick();
    let looked = rows(&bench, "");
    assert_eq!(row(&looked, "4090 x 8")["regions"][0]["inventory"], 0);
    assert_eq!(bench.post("task/job/create", &job).refusal(), (200, "C999"));
    bench.stop(id).data();
    let looked = rows(&bench, "");
    assert_eq!(row(&looked, "4090 x 8")["regions"][0]["inventory"], 1);
    bench.processes_end().await;
}

#[test]
fn a_search_for_jobs_may_be_refused_or_empty() {
    let bench = Bench::new();
    bench.configure(&json!({ "job_resources": "empty" }));
    assert_eq!(rows(&bench, "?task_type=Job").len(), 0);
    assert!(rows(&bench, "?task_type=Deployment").len() > 5);
    bench.configure(&json!({ "job_resources": "refused" }));
    let answer = bench.get("deployment/resource/search?task_type=Job");
    assert_eq!(answer.refusal(), (200, "C006"));
}
