//! Looks at jobs, searches, lists and stops.

use super::*;

fn marked(id: &str, display: &str, tag: Option<&str>) -> Value {
    json!({"JobId": id, "DisplayName": display, "Status": "Queuing",
        "Settings": {"Tags": tag.map_or(json!({}), |tag| json!({"gpujob-run": tag}))}})
}

#[tokio::test]
async fn a_marker_is_found_by_its_identity_whatever_the_search_returns() {
    let page = json!({"TotalCount": 4, "Jobs": [
        marked("dlca", "x", Some("bcdfghjklm9999")),
        marked("dlcb", &format!("x-{MARKER}"), None),
        marked("dlcc", &format!("{MARKER}-x"), None),
        marked("dlcd", "x-zzzzzzzzzz2456", None),
    ]});
    let bench = Bench::new(&[(200, page)]);
    let found = bench
        .provider()
        .find(
            &Marker::parse(MARKER).unwrap(),
            "pai-dlc/cn-hangzhou/77",
            "2026-01-12T09:00:00.5Z".parse().unwrap(),
        )
        .await
        .unwrap();
    let ids: Vec<&str> = found.iter().map(|job| job.provider_id.as_str()).collect();
    assert_eq!(ids, ["dlca", "dlcb"]);
    assert_eq!(
        bench.sent(),
        [
            "GET /api/v1/jobs?DisplayName=bcdfghjklm&Order=desc&PageNumber=1&PageSize=50&SortBy=GmtCreateTime&StartTime=2026-01-12T08%3A45%3A00Z&WorkspaceId=77"
        ]
    );
}

#[tokio::test]
async fn one_job_is_asked_for_alone_and_its_cards_once() {
    let bench = Bench::new(&[
        (200, recorded("job-running")),
        (200, recorded("ecs-specs")),
        (200, recorded("job-running")),
    ]);
    for _ in 0..2 {
        let observed = bench.provider().observe(&[tracked(REF)]).await.unwrap();
        let job = seen(&observed[0]);
        assert_eq!(job.state, State::Running);
        assert_eq!(job.gpu.as_ref().unwrap().model.as_deref(), Some("A10"));
    }
    assert_eq!(
        bench.sent(),
        [
            JOB,
            "GET /api/v1/ecsspecs?InstanceTypes=ecs.gn7i-c8g1.2xlarge&PageNumber=1&PageSize=50",
            JOB,
        ]
    );
}

#[tokio::test]
async fn a_list_asks_once_for_the_cards_of_all_its_types() {
    let of = |id: &str, ecs: &str, gpus: u32| {
        json!({"JobId": id, "Status": "Running", "RequestGPU": gpus.to_string(),
            "JobSpecs": [{"Type": "Worker", "PodCount": 1, "EcsSpec": ecs}]})
    };
    let page = json!({"TotalCount": 4, "Jobs": [
        of("dlca", "ecs.gn7i-c8g1.2xlarge", 1),
        of("dlcb", "ecs.gn7i-c8g1.2xlarge", 1),
        of("dlcc", "ecs.gn7e-c16g1.4xlarge", 1),
        of("dlcd", "ecs.g6.xlarge", 0),
    ]});
    let bench = Bench::new(&[(200, page), (200, recorded("ecs-specs"))]);
    let listing = bench.provider().list(&ListFilter::default()).await.unwrap();
    let models: Vec<Option<&str>> = listing
        .jobs
        .iter()
        .map(|job| job.gpu.as_ref()?.model.as_deref())
        .collect();
    assert_eq!(models, [Some("A10"), Some("A10"), Some("A100"), None]);
    assert_eq!(
        bench.sent()[1],
        "GET /api/v1/ecsspecs?InstanceTypes=ecs.gn7i-c8g1.2xlarge%2Cecs.gn7e-c16g1.4xlarge&PageNumber=1&PageSize=50"
    );
}

#[tokio::test]
async fn a_catalogue_that_fails_does_not_hide_the_job() {
    let bench = Bench::new(&[
        (200, recorded("job-running")),
        (403, json!({"Code": "Forbidden.RAM"})),
    ]);
    let observed = bench.provider().observe(&[tracked(REF)]).await.unwrap();
    assert_eq!(seen(&observed[0]).gpu, None);
}

#[tokio::test]
async fn many_jobs_take_one_list_and_what_it_lacks_is_asked_for() {
    let page = json!({"TotalCount": 2, "Jobs": [
        {"JobId": "dlcb", "Status": "Succeeded"},
        {"JobId": "dlca", "Status": "Running"},
    ]});
    let bench = Bench::new(&[(200, page), not_found()]);
    let jobs = ["dlca", "dlcb", "dlcgone"].map(|id| tracked(&format!("pai-dlc/cn-hangzhou/{id}")));
    let observed = bench.provider().observe(&jobs).await.unwrap();
    assert_eq!(seen(&observed[0]).state, State::Running);
    assert_eq!(seen(&observed[1]).state, State::Succeeded);
    assert_eq!(observed[2], Observation::Missing);
    assert_eq!(
        bench.sent(),
        [
            "GET /api/v1/jobs?JobIds=dlca%2Cdlcb%2Cdlcgone&Order=desc&PageNumber=1&PageSize=50&SortBy=GmtCreateTime&StartTime=2000-01-01T00%3A00%3A00Z&WorkspaceId=310042",
            "GET /api/v1/jobs/dlcgone?NeedDetail=true",
        ]
    );
}

#[tokio::test]
async fn a_stop_that_nobody_here_asked_for_is_compared_with_the_lists_limit() {
    let mut job = recorded("job-stopped-by-user");
    job["JobSpecs"] = json!([]);
    let limit = json!({"TotalCount": 1, "Jobs": [
        {"JobId": "dlc1k2m3n4p5q6r7", "Status": "Stopped", "JobMaxRunningTimeMinutes": 5},
    ]});
    let bench = Bench::new(&[(200, job.clone()), (200, limit)]);
    let observed = bench.provider().observe(&[tracked(REF)]).await.unwrap();
    let seen_job = seen(&observed[0]);
    assert_eq!(
        (seen_job.state, seen_job.reason.as_deref()),
        (State::Failed, Some("timeout"))
    );
    assert!(bench.sent()[1].contains("JobIds=dlc1k2m3n4p5q6r7&"));

    let bench = Bench::new(&[(200, job)]);
    let cancelled = Tracked {
        cancel_requested_at: Some(NOW.parse().unwrap()),
        ..tracked(REF)
    };
    let observed = bench.provider().observe(&[cancelled]).await.unwrap();
    assert_eq!(seen(&observed[0]).state, State::Cancelled);
    assert_eq!(bench.sent().len(), 1);
}

#[tokio::test]
async fn a_stopped_job_is_shown_to_a_key_that_may_not_list_jobs() {
    let mut job = recorded("job-stopped-by-user");
    job["JobSpecs"] = json!([]);
    let bench = Bench::new(&[(200, job), (403, json!({"Code": "Forbidden.RAM"}))]);
    let observed = bench.provider().observe(&[tracked(REF)]).await.unwrap();
    assert_eq!(seen(&observed[0]).state, State::Cancelled);
    assert_eq!(bench.sent().len(), 2);
}

#[tokio::test]
async fn a_poll_that_fails_is_no_missing_job() {
    let bench = Bench::new(&[(404, json!({"Code": "InvalidAccessKeyId.NotFound"}))]);
    let error = bench.provider().observe(&[tracked(REF)]).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Auth);
}

#[tokio::test]
async fn another_region_is_reached_through_its_own_public_host() {
    let bench = Bench::new(&[not_found()]);
    let elsewhere = tracked("pai-dlc/cn-beijing/dlcx");
    assert_eq!(
        bench.provider().observe(&[elsewhere]).await.unwrap(),
        [Observation::Missing]
    );
    let bench = Bench::new(&[]);
    let bad = tracked("pai-dlc/dlcx");
    assert_eq!(
        bench.provider().observe(&[bad]).await.unwrap_err().kind(),
        Kind::Usage
    );
}

#[tokio::test]
async fn the_list_is_paged_filtered_and_newest_first() {
    let job = |id: usize, status: &str| {
        json!({"JobId": format!("dlc{id:03}"), "Status": status,
            "GmtCreateTime": format!("2026-01-12T09:{:02}:{:02}Z", id / 60, id % 60)})
    };
    let first: Vec<Value> = (21..71).rev().map(|id| job(id, "Running")).collect();
    let mut second: Vec<Value> = (1..22).rev().map(|id| job(id, "Failed")).collect();
    second.push(json!({"JobId": "dlcx", "Status": "Failed", "IsDeleted": true}));
    let script = [
        (200, json!({"Jobs": first, "TotalCount": 72})),
        (200, json!({"Jobs": second, "TotalCount": 72})),
    ];
    let bench = Bench::new(&script);
    let listing = bench.provider().list(&ListFilter::default()).await.unwrap();
    assert_eq!(listing.jobs.len(), 70);
    assert_eq!(listing.jobs[0].provider_id, "dlc070");
    assert_eq!(listing.truncated, None);
    assert!(bench.sent()[0].contains("StartTime=2000-01-01T00%3A00%3A00Z"));
    assert!(bench.sent()[1].contains("PageNumber=2&"));

    let bench = Bench::new(&script);
    let failed = ListFilter {
        states: vec![State::Failed],
        limit: Some(3),
        since: Some("2026-01-05T00:00:00Z".parse().unwrap()),
        namespace: Some("9".to_owned()),
        ..ListFilter::default()
    };
    let listing = bench.provider().list(&failed).await.unwrap();
    let ids: Vec<&str> = listing
        .jobs
        .iter()
        .map(|job| job.provider_id.as_str())
        .collect();
    assert_eq!(ids, ["dlc020", "dlc019", "dlc018"]);
    assert!(bench.sent()[0].contains("StartTime=2026-01-05T00%3A00%3A00Z&WorkspaceId=9"));

    let bench = Bench::new(&script[..1]);
    let few = ListFilter {
        limit: Some(2),
        ..ListFilter::default()
    };
    assert_eq!(bench.provider().list(&few).await.unwrap().jobs.len(), 2);
    assert_eq!(bench.sent().len(), 1);
}

#[tokio::test]
async fn a_list_without_a_workspace_is_a_fault_of_the_configuration() {
    let bench = Bench::with_workspace(None, &[]);
    let error = bench
        .provider()
        .list(&ListFilter::default())
        .await
        .unwrap_err();
    assert_eq!(error.kind(), Kind::Config);
}

#[tokio::test]
async fn a_bare_id_is_looked_up() {
    let bench = Bench::new(&[(200, recorded("job-running")), not_found()]);
    let found = Provider::resolve(&bench.provider, "dlc1k2m3n4p5q6r7")
        .await
        .unwrap();
    assert_eq!(found, [REF.parse::<ResourceRef>().unwrap()]);
    let found = Provider::resolve(&bench.provider, "dlcnope").await.unwrap();
    assert_eq!(found, []);
}

#[tokio::test(start_paused = true)]
async fn a_stop_is_repeated_and_a_finished_job_is_a_success() {
    let stop = "POST /api/v1/jobs/dlc1k2m3n4p5q6r7/stop";
    let reference: ResourceRef = REF.parse().unwrap();
    let bench = Bench::new(&[
        (503, json!({"Code": "ServiceUnavailable"})),
        (200, recorded("job-stop-answer")),
    ]);
    bench.provider().cancel(&reference).await.unwrap();
    assert_eq!(bench.sent(), [stop, stop]);

    let refused = (400, json!({"Code": "BadRequest", "Message": "m"}));
    let bench = Bench::new(&[refused.clone(), (200, recorded("job-succeeded"))]);
    bench.provider().cancel(&reference).await.unwrap();
    assert_eq!(bench.sent(), [stop, JOB]);

    let bench = Bench::new(&[refused, (200, recorded("job-running"))]);
    let error = bench.provider().cancel(&reference).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Rejected);

    let bench = Bench::new(&[not_found()]);
    let error = bench.provider().cancel(&reference).await.unwrap_err();
    assert_eq!(error.kind(), Kind::NotFound);
}
