use serde_json::{Value, json};

use super::bench::{Bench, job, quota_job};

fn names(bench: &Bench, query: &str) -> Vec<String> {
    let answer = bench.get(&format!("/api/v1/jobs?{query}"));
    assert_eq!(answer.status, 200, "{query}: {}", answer.body);
    answer.body["Jobs"]
        .as_array()
        .unwrap()
        .iter()
        .map(|job| job["DisplayName"].as_str().unwrap().to_owned())
        .collect()
}

fn named(mut body: Value, name: &str) -> Value {
    body["DisplayName"] = json!(name);
    body
}

/// Three jobs, a second apart: a public one, one on a quota, one of a colleague in another workspace.
fn three() -> (Bench, [String; 3]) {
    let bench = Bench::new();
    bench.configure(&json!({ "hold": "Creating" }));
    let mut first = named(job("train --lr 1"), "alpha-Test");
    first["Settings"] = json!({ "Tags": { "run": "1", "team": "视觉" }, "BusinessUserId": "b1" });
    first["Description"] = json!("First try");
    let first = bench.create(&first);
    bench.pass(1);
    let mut second = named(quota_job("evaluate", 2), "beta");
    second["Accessibility"] = json!("PUBLIC");
    let second = bench.create(&second);
    bench.pass(1);
    let mut third = named(job("true"), "gamma-test");
    third["WorkspaceId"] = json!("310077");
    third["JobType"] = json!("MPIJob");
    let request = bench.request(
        &bench.colleague(),
        "POST",
        "/api/v1/jobs",
        &third.to_string(),
    );
    let third = bench.send(&request).text("JobId").to_owned();
    bench.pass(1);
    (bench, [first, second, third])
}

#[test]
fn the_default_workspace_is_listed_newest_first() {
    let (bench, ids) = three();
    assert_eq!(names(&bench, ""), ["beta", "alpha-Test"]);
    assert_eq!(names(&bench, "Order=asc"), ["alpha-Test", "beta"]);
    assert_eq!(
        names(&bench, "Order=ASC&SortBy=DisplayName"),
        ["alpha-Test", "beta"]
    );
    assert_eq!(names(&bench, "WorkspaceId=310077"), ["gamma-test"]);
    let item = &bench.get("/api/v1/jobs").body["Jobs"][0];
    assert_eq!(item["JobId"], ids[1].as_str());
    assert_eq!(item["NodeCount"], "2");
    assert_eq!(item["RequestGPU"], "2");
    assert_eq!(item["Username"], "ada");
    assert_eq!(item["ResourceQuotaName"], "vision-lingjun");
    for absent in ["RestartRecord", "Description", "CustomEnvs", "Pods"] {
        assert!(item.get(absent).is_none(), "{absent}");
    }
}

#[test]
fn filters_are_applied() {
    let (bench, ids) = three();
    for (query, wanted) in [
        ("DisplayName=TEST", vec!["alpha-Test"]),
        ("DisplayName=a*Test", vec![]),
        ("DisplayName=alphaTest", vec![]),
        ("JobType=MPIJob", vec![]),
        ("WorkspaceId=310077&JobType=MPIJob", vec!["gamma-test"]),
        ("Status=Creating", vec!["beta", "alpha-Test"]),
        ("Status=Running", vec![]),
        ("Status=Running,Creating", vec!["beta", "alpha-Test"]),
        ("ResourceId=quota7h2k9d4m1x0", vec!["beta"]),
        ("ResourceIds=x,quota7h2k9d4m1x0", vec!["beta"]),
        ("ResourceQuotaName=LINGJUN", vec!["beta"]),
        ("PaymentType=PrePaid", vec!["beta"]),
        ("PaymentType=PostPaid", vec!["alpha-Test"]),
        ("PaymentType=Spot", vec![]),
        ("Accessibility=PUBLIC", vec!["beta"]),
        (
            "Tags=%7B%22run%22%3A%221%22%2C%22team%22%3A%22%E8%A7%86%E8%A7%89%22%7D",
            vec!["alpha-Test"],
        ),
        ("Tags=%7B%22run%22%3A%222%22%7D", vec![]),
        ("BusinessUserId=b1", vec!["alpha-Test"]),
        ("Description=first+TRY", vec!["alpha-Test"]),
        ("UserCommandSearch=--LR", vec!["alpha-Test"]),
        ("ImageSearch=torch%3A2", vec!["beta", "alpha-Test"]),
        ("ReasonSearch=nothing", vec![]),
        (
            "NumericRangeField=RequestGPU&NumericRangeMin=2&NumericRangeMax=8",
            vec!["beta"],
        ),
        (
            "NumericRangeField=RequestGPU&NumericRangeMax=1",
            vec!["alpha-Test"],
        ),
        ("EnableAssignNode=true", vec![]),
        ("Username=grace&WorkspaceId=310077", vec!["gamma-test"]),
        ("Username=grace", vec![]),
        ("ShowOwn=true&WorkspaceId=310077", vec![]),
        (
            "ShowOwn=true&FromAllWorkspaces=true",
            vec!["beta", "alpha-Test"],
        ),
        ("StartTime=2026-01-12T09:41:04Z", vec!["beta"]),
        ("EndTime=2026-01-12T09:41:03Z", vec!["alpha-Test"]),
        ("TimeRangeField=GmtFinishTime", vec![]),
        ("PageSize=1", vec!["beta"]),
        ("PageSize=1&PageNumber=2", vec!["alpha-Test"]),
        ("PageSize=1&PageNumber=3", vec![]),
        ("PageSize=1000", vec!["beta", "alpha-Test"]),
    ] {
        assert_eq!(names(&bench, query), wanted, "{query}");
    }
    let upper = ids[0].to_uppercase();
    assert_eq!(names(&bench, &format!("JobId={upper}")), ["alpha-Test"]);
    assert_eq!(
        names(&bench, &format!("JobIds={},{upper}", ids[1])),
        ["beta", "alpha-Test"]
    );
    // JobId wins.
    assert_eq!(
        names(&bench, &format!("JobId={upper}&JobIds={}", ids[1])),
        ["alpha-Test"]
    );
}

#[test]
fn wrong_filters_are_refused() {
    let bench = Bench::new();
    for query in [
        "FromAllWorkspaces=true",
        "StartTime=2026-01-12T09:41:04%2B08:00",
        "StartTime=yesterday",
        "StartTime=2026-01-13T00:00:00Z&EndTime=2026-01-12T00:00:00Z",
        "PageNumber=0",
        "PageSize=0",
        "PageSize=x",
        "SortBy=Priority",
        "Order=up",
        "Tags=a%3Db",
        "Tags=%7B%22a%22%3A1%7D",
        "TimeRangeField=Never",
        "NumericRangeField=Shoes",
        "PaymentType=Cash",
    ] {
        let answer = bench.get(&format!("/api/v1/jobs?{query}"));
        assert_eq!(answer.refusal(), (400, "InvalidParameter"), "{query}");
    }
    let answer = bench.get("/api/v1/jobs?WorkspaceId=1");
    assert_eq!(answer.refusal(), (404, "NotFound"));
}

#[test]
fn jobs_older_than_seven_days_need_a_start_time() {
    let (bench, ids) = three();
    bench.pass(7 * 24 * 3600 + 60);
    assert_eq!(names(&bench, ""), [""; 0]);
    assert_eq!(names(&bench, &format!("JobIds={}", ids[0])), [""; 0]);
    assert_eq!(
        names(&bench, "StartTime=2000-01-01T00:00:00Z"),
        ["beta", "alpha-Test"]
    );
}

#[test]
fn ten_are_shown_unless_more_are_asked_for_and_never_more_than_a_hundred() {
    let bench = Bench::new();
    bench.configure(&json!({ "hold": "Creating" }));
    for number in 0..103 {
        bench.create(&named(job("true"), &format!("n{number}")));
    }
    let ten = names(&bench, "");
    assert_eq!(ten.len(), 10);
    // Of one second, the later one comes first.
    assert_eq!(ten[0], "n102");
    assert_eq!(names(&bench, "PageSize=500").len(), 100);
    assert_eq!(names(&bench, "PageSize=500&PageNumber=2").len(), 3);
    assert_eq!(bench.get("/api/v1/jobs").body["TotalCount"], 103);
}
