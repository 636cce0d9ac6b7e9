//! Creates: granted, granted in part, refused, unclear.

use super::*;

#[tokio::test(start_paused = true)]
async fn a_granted_create_is_a_pending_job() {
    let bench = Bench::new([answer(
        202,
        json!({"operationId": "op", "sets": [{"added": 2}]}),
    )]);
    let Creation::Accepted(job) = bench.create(false).await else {
        panic!("not accepted");
    };
    assert_eq!(
        job.job_ref.to_string(),
        format!("cyclecloud/lab/{}", request_id())
    );
    assert_eq!((job.state, job.nodes), (State::Pending, 2));
    assert_eq!(job.name.as_deref(), Some("bert"));
    assert_eq!(job.marker.as_deref(), Some(MARKER));
    assert_eq!(
        job.instance_type.as_deref(),
        Some("Standard_NC24ads_A100_v4")
    );
    assert!(job.flags.is_empty());
    let reading = job.reading.unwrap();
    assert_eq!(reading["operation_id"], "op");
    assert_eq!(reading["result_dir"], "/mnt/results");
    assert_eq!(bench.calls(), [CREATE]);
}

#[tokio::test(start_paused = true)]
async fn a_partial_grant_is_undone() {
    let bench = Bench::new([
        answer(
            202,
            json!({"operationId": "op", "sets": [{"added": 1, "message": "Only 1 fits"}]}),
        ),
        answer(200, nodes(&[])),
        answer(200, nodes(&["gpu-2"])),
        answer(
            202,
            json!({"nodes": [{"id": "id-gpu-2", "name": "gpu-2", "status": "OK"}]}),
        ),
    ]);
    let Creation::Refused(error) = bench.create(false).await else {
        panic!("not refused");
    };
    assert_eq!(error.kind(), Kind::Capacity);
    assert_eq!(
        error.message(),
        "only 1 of 2 nodes were granted: Only 1 fits; gpu-2 was terminated again"
    );
    assert_eq!(
        bench.calls(),
        [CREATE, &of_request(), &of_request(), TERMINATE]
    );
    let body = bench.body(3);
    assert_eq!(body["ids"], json!(["id-gpu-2"]));
    assert_ne!(body["requestId"], json!(request_id()), "a fresh one");
}

#[tokio::test(start_paused = true)]
async fn a_partial_grant_that_cannot_be_undone_says_what_may_cost() {
    let bench = Bench::new([
        answer(202, json!({"sets": [{"added": 1}]})),
        answer(200, nodes(&["gpu-2"])),
        answer(
            202,
            json!({"nodes": [{"name": "gpu-2", "status": "Error", "error": "KeepAlive"}]}),
        ),
    ]);
    let Creation::Refused(error) = bench.create(false).await else {
        panic!("not refused");
    };
    assert_eq!(
        (error.kind(), error.code()),
        (Kind::Rejected, "cleanup_failed")
    );
    assert!(
        error
            .message()
            .contains("may still be running and costing money"),
        "{error}"
    );
    assert!(error.message().contains("gpu-2: KeepAlive"), "{error}");
    let reference = format!("cyclecloud/lab/{}", request_id());
    assert_eq!(error.details().job.as_deref(), Some(reference.as_str()));
    assert!(
        error
            .details()
            .hint
            .as_deref()
            .unwrap()
            .contains(&reference)
    );
    assert_eq!(bench.calls().len(), 3);
}

#[tokio::test(start_paused = true)]
async fn nodes_that_are_not_found_may_still_cost() {
    let bench = Bench::new([
        answer(202, json!({"sets": [{"added": 1}]})),
        answer(200, nodes(&[])),
        answer(200, nodes(&[])),
        answer(200, nodes(&[])),
    ]);
    let Creation::Refused(error) = bench.create(false).await else {
        panic!("not refused");
    };
    assert_eq!(error.kind(), Kind::Rejected);
    assert!(error.message().contains(&request_id()), "{error}");
    assert_eq!(bench.calls().len(), 4, "never a terminate without ids");
}

#[tokio::test(start_paused = true)]
async fn a_partial_grant_is_kept_where_that_is_allowed() {
    let bench = Bench::new([answer(
        202,
        json!({"sets": [{"added": 1, "message": "Only 1"}]}),
    )]);
    let Creation::Accepted(job) = bench.create(true).await else {
        panic!("not accepted");
    };
    assert!(job.flags.contains(&Flag::Partial));
    assert_eq!(job.nodes, 2);
    assert_eq!(bench.calls(), [CREATE]);
}

#[rstest]
#[tokio::test(start_paused = true)]
async fn nothing_granted_is_a_lack_of_capacity(#[values(true, false)] allow_partial: bool) {
    let bench = Bench::new([answer(
        202,
        json!({"sets": [{"added": 0, "message": "none"}]}),
    )]);
    let Creation::Refused(error) = bench.create(allow_partial).await else {
        panic!("not refused");
    };
    assert_eq!(error.kind(), Kind::Capacity);
    assert_eq!(bench.calls(), [CREATE]);
}

#[tokio::test(start_paused = true)]
async fn a_repeated_request_id_finds_the_job_it_belongs_to() {
    let bench = Bench::new([
        answer(409, json!({"Code": 409, "Message": "request id used"})),
        answer(200, nodes(&["gpu-1", "gpu-2"])),
    ]);
    let Creation::Accepted(job) = bench.create(false).await else {
        panic!("not accepted");
    };
    assert!(job.adopted);
    assert_eq!(
        job.marker.as_deref(),
        Some(MARKER),
        "the four come from the tag"
    );
    assert_eq!(bench.calls(), [CREATE, &of_request()]);
}

#[tokio::test(start_paused = true)]
async fn a_conflict_without_such_a_request_is_invalid_input() {
    let bench = Bench::new([
        answer(409, json!({"Message": "no such nodearray"})),
        answer(
            404,
            json!({"Code": 404, "Message": "No operation found for request id"}),
        ),
    ]);
    let Creation::Refused(error) = bench.create(false).await else {
        panic!("not refused");
    };
    assert_eq!(error.kind(), Kind::Rejected);
    assert!(error.message().contains("no such nodearray"));
    assert_eq!(bench.calls().len(), 2);
}

#[rstest]
#[case::lost(lost())]
#[case::internal(answer(500, json!({"Message": "npe"})))]
#[case::unavailable(answer(503, json!({})))]
#[case::torn(answer(202, json!({"operationId": "op"})))]
#[tokio::test(start_paused = true)]
async fn an_unclear_create_is_sent_once_and_left_to_the_engine(#[case] outcome: Scripted) {
    let bench = Bench::new([outcome]);
    assert!(matches!(bench.create(false).await, Creation::Ambiguous(_)));
    assert_eq!(bench.calls(), [CREATE]);
}

#[tokio::test(start_paused = true)]
async fn a_conflict_that_cannot_be_looked_up_is_unclear() {
    let bench = Bench::new([answer(409, json!({})), answer(403, json!({}))]);
    assert!(matches!(bench.create(false).await, Creation::Ambiguous(_)));
    assert_eq!(bench.calls().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn after_a_401_nothing_more_is_sent() {
    let bench = Bench::new([answer(401, json!({"Message": "bad login"}))]);
    let jobs: Vec<Tracked> = (0..5)
        .map(|number| tracked(&number.to_string(), None))
        .collect();
    let error = bench.provider.observe(&jobs).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Auth);
    assert_eq!(bench.provider.types().await.unwrap_err().kind(), Kind::Auth);
    assert!(matches!(bench.create(false).await, Creation::Refused(_)));
    assert_eq!(bench.calls().len(), 1);
}
