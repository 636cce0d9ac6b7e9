//! Looks at jobs, searches, cancels and lists.

use super::*;

#[tokio::test(start_paused = true)]
async fn readiness_takes_two_looks_that_share_a_reading() {
    let list = nodes(&["gpu-1", "gpu-2"]);
    let bench = Bench::new([answer(200, &list), answer(200, &list)]);
    let mut job = tracked(&request_id(), None);
    let mut states = Vec::new();
    for _ in 0..2 {
        let seen = bench
            .provider
            .observe(std::slice::from_ref(&job))
            .await
            .unwrap();
        let [Observation::Seen(seen)] = seen.as_slice() else {
            panic!("not seen");
        };
        states.push(seen.state);
        job.reading.clone_from(&seen.reading);
        // The clock stands still, and looks at one moment are one.
        job.reading.as_mut().unwrap()["counted_at"] = json!("2026-03-02T09:31:50Z");
    }
    assert_eq!(states, [State::Starting, State::Running]);
    assert_eq!(bench.calls(), [of_request(), of_request()]);
}

#[tokio::test(start_paused = true)]
async fn many_jobs_keep_their_order() {
    let bench = Bench::new([
        answer(200, nodes(&["gpu-1"])),
        answer(200, nodes(&["gpu-2"])),
        answer(200, nodes(&["gpu-3"])),
    ]);
    let jobs: Vec<Tracked> = ["a", "b", "c"].iter().map(|id| tracked(id, None)).collect();
    let seen = bench.provider.observe(&jobs).await.unwrap();
    let names: Vec<_> = seen
        .iter()
        .map(|seen| match seen {
            Observation::Seen(job) => (job.provider_id.clone(), job.node_names[0].clone()),
            Observation::Missing | Observation::Unread(_) => panic!("not seen"),
        })
        .collect();
    assert_eq!(
        names,
        [
            ("a".to_owned(), "gpu-1 (10.0.0.1)".to_owned()),
            ("b".to_owned(), "gpu-2 (10.0.0.1)".to_owned()),
            ("c".to_owned(), "gpu-3 (10.0.0.1)".to_owned()),
        ]
    );
    assert_eq!(bench.calls().len(), 3);
}

#[tokio::test(start_paused = true)]
async fn an_unknown_request_is_looked_for_by_operation_and_by_tag() {
    let unknown = || answer(404, json!({"Code": 404, "Message": "unknown"}));
    let reading = json!({"accepted": true, "operation_id": "op"});
    let bench = Bench::new([unknown(), unknown(), answer(200, nodes(&["gpu-1"]))]);
    let id = request_id();
    let seen = bench
        .provider
        .observe(&[tracked(&id, Some(reading.clone()))])
        .await
        .unwrap();
    assert!(matches!(&seen[0], Observation::Seen(job) if job.state == State::Starting));
    assert_eq!(
        bench.calls(),
        [
            of_request(),
            "GET /cycle/clusters/lab/nodes?operation=op".to_owned(),
            "GET /cycle/clusters/lab/nodes".to_owned(),
        ]
    );
    // Accepted once, and forgotten by the server before anybody saw a node of it.
    let bench = Bench::new([unknown(), unknown(), answer(200, nodes(&[]))]);
    let seen = bench
        .provider
        .observe(&[tracked(&id, Some(reading))])
        .await
        .unwrap();
    assert!(matches!(&seen[0], Observation::Seen(job)
        if job.state == State::Unknown && !job.terminal && job.flags.contains(&Flag::Gone)));
    // Its node was ready, and is listed by nobody at a second look.
    let ready = json!({
        "accepted": true, "seen_ready": true, "gone_polls": 1,
        "nodes": [{"name": "gpu-1", "status": "Ready"}],
    });
    let bench = Bench::new([unknown(), answer(200, nodes(&[]))]);
    let seen = bench
        .provider
        .observe(&[tracked(&id, Some(ready))])
        .await
        .unwrap();
    assert!(matches!(&seen[0], Observation::Seen(job)
        if job.state == State::Unknown && job.terminal && job.flags.contains(&Flag::ResultUnknown)));
    // Never heard of.
    let bench = Bench::new([unknown(), answer(200, nodes(&[]))]);
    let seen = bench.provider.observe(&[tracked(&id, None)]).await.unwrap();
    assert_eq!(seen, [Observation::Missing]);
}

#[tokio::test(start_paused = true)]
async fn vanished_nodes_are_told_with_the_capacity_failure_of_their_bucket() {
    let mut raw = status();
    raw["nodearrays"][0]["buckets"][0]["lastCapacityFailure"] = json!(95.2);
    let bench = Bench::new([answer(200, nodes(&[])), answer(200, &raw)]);
    let reading = json!({
        "accepted": true, "gone_polls": 1, "machine_type": "Standard_NC24ads_A100_v4",
        "nodes_seen_at": "2026-03-02T09:31:40Z", "gone_at": "2026-03-02T09:31:50Z",
        "nodes": [{"name": "gpu-1", "status": "Acquiring"}],
    });
    let seen = bench
        .provider
        .observe(&[tracked(&request_id(), Some(reading))])
        .await
        .unwrap();
    let Observation::Seen(job) = &seen[0] else {
        panic!("missing");
    };
    assert_eq!(job.state, State::Failed);
    assert!(
        job.message
            .as_deref()
            .unwrap()
            .ends_with("; the last capacity failure of `Standard_NC24ads_A100_v4` was 95 s ago"),
        "{job:?}"
    );
    assert_eq!(bench.calls().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_marker_is_found_by_its_request_id_alone() {
    let marker = marker();
    let since = Timestamp::UNIX_EPOCH;
    let bench = Bench::new([answer(200, nodes(&["gpu-1"]))]);
    let found = bench
        .provider
        .find(&marker, "cyclecloud/lab", since)
        .await
        .unwrap();
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].marker.as_deref(), Some(MARKER));
    assert_eq!(bench.calls(), [of_request()]);
    let bench = Bench::new([answer(404, json!({"Code": 404}))]);
    assert!(
        bench
            .provider
            .find(&marker, "cyclecloud/lab", since)
            .await
            .unwrap()
            .is_empty()
    );
}

#[tokio::test(start_paused = true)]
async fn a_cancel_terminates_by_ids_with_a_fresh_request_id() {
    let mut list = nodes(&["gpu-1", "gpu-2"]);
    list["nodes"][0]["TargetState"] = json!("Terminated");
    let bench = Bench::new([
        answer(200, &list),
        answer(202, json!({"nodes": [{"name": "gpu-2", "status": "OK"}]})),
    ]);
    let job = tracked(&request_id(), None).job_ref;
    bench.provider.cancel(&job).await.unwrap();
    assert_eq!(bench.calls(), [of_request(), TERMINATE.to_owned()]);
    assert_eq!(
        bench.body(1),
        json!({"ids": ["id-gpu-2"], "requestId": "07070707-0707-4707-8707-070707070707"})
    );
    let empty = Bench::new([answer(200, nodes(&[]))]);
    empty.provider.cancel(&job).await.unwrap();
    assert_eq!(empty.calls().len(), 1, "nothing to cancel");
}

#[tokio::test(start_paused = true)]
async fn a_node_that_refuses_makes_the_cancel_fail() {
    let bench = Bench::new([
        answer(200, nodes(&["gpu-2", "gpu-3"])),
        answer(202, recorded("terminated-with-one-refusal")),
    ]);
    let error = bench
        .provider
        .cancel(&tracked(&request_id(), None).job_ref)
        .await
        .unwrap_err();
    assert_eq!(error.kind(), Kind::Rejected);
    assert!(
        error
            .message()
            .contains("gpu-3: Node is protected by KeepAlive")
    );
}

#[tokio::test(start_paused = true)]
async fn an_unclear_terminate_is_looked_up_and_repeated_once_with_its_id() {
    let bench = Bench::new([
        answer(200, nodes(&["gpu-2"])),
        lost(),
        answer(404, json!({"Code": 404})),
        answer(202, json!({"nodes": []})),
    ]);
    let job = tracked(&request_id(), None).job_ref;
    bench.provider.cancel(&job).await.unwrap();
    let calls = bench.calls();
    assert_eq!(
        calls[2],
        "GET /cycle/clusters/lab/nodes?request_id=07070707-0707-4707-8707-070707070707"
    );
    assert_eq!(bench.body(1), bench.body(3));
    let known = Bench::new([
        answer(200, nodes(&["gpu-2"])),
        lost(),
        answer(200, nodes(&["gpu-2"])),
    ]);
    known.provider.cancel(&job).await.unwrap();
    assert_eq!(known.calls().len(), 3, "it had arrived");
}

#[tokio::test(start_paused = true)]
async fn an_unknown_job_cannot_be_cancelled() {
    let bench = Bench::new([
        answer(404, json!({"Code": 404})),
        answer(200, nodes(&["gpu-1"])),
    ]);
    let error = bench
        .provider
        .cancel(&tracked("00000000-0000-4000-8000-000000000000", None).job_ref)
        .await
        .unwrap_err();
    assert_eq!(error.kind(), Kind::NotFound);
}

#[tokio::test(start_paused = true)]
async fn a_list_is_of_jobs_that_have_nodes_and_says_so() {
    let mut list = nodes(&["gpu-1", "gpu-2", "scheduler"]);
    list["nodes"][2]["Configuration"] = json!({});
    list["nodes"][2]["Tags"] = json!(null);
    let bench = Bench::new([answer(200, &list)]);
    let listing = bench.provider.list(&ListFilter::default()).await.unwrap();
    assert_eq!(listing.jobs.len(), 1);
    assert_eq!(listing.jobs[0].provider_id, request_id());
    assert_eq!(listing.jobs[0].node_names.len(), 2);
    assert!(listing.forgets_ended);
    assert_eq!(bench.calls(), ["GET /cycle/clusters/lab/nodes"]);
}

#[tokio::test(start_paused = true)]
async fn jobs_that_were_made_here_are_one_list_from_the_first_look_on() {
    let mut list = nodes(&["gpu-1", "gpu-2"]);
    for (node, id) in [(0, "a"), (1, "b")] {
        list["nodes"][node]["Configuration"] = json!({"gpujob": {"job_id": id}});
    }
    let bench = Bench::new([answer(200, list)]);
    let made = json!({"accepted": true, "created_at": "2026-03-02T09:30:11Z"});
    let jobs = ["a", "b"].map(|id| tracked(id, Some(made.clone())));
    let seen = bench.provider.observe(&jobs).await.unwrap();
    assert!(
        seen.iter()
            .all(|seen| matches!(seen, Observation::Seen(job) if job.created_at.is_some()))
    );
    assert_eq!(bench.calls(), ["GET /cycle/clusters/lab/nodes"]);
}
