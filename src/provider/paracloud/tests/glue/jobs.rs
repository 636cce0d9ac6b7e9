//! Looks at jobs, lists, searches and cancels.

use super::*;

#[tokio::test]
async fn one_job_is_one_get_and_the_catalogue_is_read_once() {
    let bench = Bench::new(
        None,
        vec![
            file(TYPES, "instance-types"),
            file(ONE, "group-running"),
            file(ONE, "group-succeeded"),
        ],
    );
    for state in [State::Running, State::Succeeded] {
        let seen = bench.provider.observe(&[tracked(job_ref())]).await.unwrap();
        let [Observation::Seen(job)] = seen.as_slice() else {
            panic!("{seen:?}")
        };
        assert_eq!(job.state, state);
        assert!(job.gpu.is_some());
    }
}

#[tokio::test]
async fn many_jobs_of_a_namespace_are_one_list_in_the_order_asked() {
    let mut second = recorded("group-succeeded");
    second["id"] = json!("q7");
    let first = recorded("group-running");
    let bench = Bench::new(
        None,
        vec![
            said(TYPES, 500, ""),
            said(TYPES, 500, ""),
            said(GROUPS, 200, groups(&[&second, &first])),
            missing("GET /api/v1beta2/namespaces/k8r2wq/clusters/NC-N30/containerGroups/gone"),
        ],
    );
    let asked = [
        job_ref(),
        ResourceRef::new("para", ["k8r2wq", "NC-N30", "gone"]),
        ResourceRef::new("para", ["k8r2wq", "-", "q7"]),
    ]
    .map(tracked);
    tokio::time::pause();
    let seen = bench.provider.observe(&asked).await.unwrap();
    let [
        Observation::Seen(one),
        Observation::Missing,
        Observation::Seen(two),
    ] = seen.as_slice()
    else {
        panic!("{seen:?}")
    };
    assert_eq!((one.state, two.state), (State::Running, State::Succeeded));
    assert_eq!(two.job_ref.parts(), ["k8r2wq", "NC-N30", "q7"]);
    assert_eq!(one.gpu, None, "no catalogue, no GPU, and no failure");
}

#[rstest]
#[case::not_listed(said(GROUPS, 200, "{}"), Some(false))]
#[case::namespace_gone(missing(GROUPS), Some(false))]
#[case::listed(said(GROUPS, 200, groups(&[&recorded("group-running")])), Some(true))]
#[tokio::test]
async fn a_missing_job_is_confirmed_by_the_list(
    #[case] list: Exchange,
    #[case] seen: Option<bool>,
) {
    let bench = Bench::new(None, vec![said(TYPES, 200, "{}"), missing(ONE), list]);
    let observed = bench.provider.observe(&[tracked(job_ref())]).await.unwrap();
    let was_seen = matches!(observed.as_slice(), [Observation::Seen(_)]);
    assert_eq!(Some(was_seen), seen);
}

#[tokio::test]
async fn an_api_that_has_gone_is_no_missing_job() {
    let bench = Bench::new(
        None,
        vec![
            said(TYPES, 200, "{}"),
            said(ONE, 404, "404: Page Not Found"),
        ],
    );
    let error = bench
        .provider
        .observe(&[tracked(job_ref())])
        .await
        .unwrap_err();
    assert_eq!(error.kind(), Kind::Protocol);
}

#[tokio::test]
async fn a_list_walks_every_namespace_newest_first() {
    let mut old = recorded("group-succeeded");
    old["id"] = json!("old");
    old["status"]["startTime"] = json!("2024-03-01T00:00:00Z");
    let pending = recorded("group-created");
    let running = recorded("group-running");
    let other = "GET /api/v1beta2/namespaces/other/clusters/-/containerGroups";
    let script = || {
        vec![
            said(
                NAMESPACES,
                200,
                json!({"namespaces": [{"id": "k8r2wq"}, {"id": "other"}]}),
            ),
            said(TYPES, 200, "{}"),
            said(GROUPS, 200, groups(&[&old, &running])),
            said(
                other,
                200,
                json!({"containerGroups": [pending], "nextToken": "more"}),
            ),
        ]
    };
    let bench = Bench::new(None, script());
    let listing = bench.provider.list(&ListFilter::default()).await.unwrap();
    let states: Vec<State> = listing.jobs.iter().map(|job| job.state).collect();
    assert_eq!(states, [State::Pending, State::Running, State::Succeeded]);
    assert!(listing.truncated.is_some());
    let bench = Bench::new(None, script());
    let filter = ListFilter {
        since: Some("2024-03-05T00:00:00Z".parse().unwrap()),
        limit: Some(1),
        states: vec![State::Running, State::Succeeded],
        namespace: None,
        ..ListFilter::default()
    };
    let listing = bench.provider.list(&filter).await.unwrap();
    assert_eq!(listing.jobs.len(), 1);
    assert_eq!(listing.jobs[0].state, State::Running);
}

#[tokio::test]
async fn a_named_namespace_is_the_only_one_walked() {
    let bench = Bench::new(
        Some("configured"),
        vec![said(TYPES, 200, "{}"), said(GROUPS, 200, "{}")],
    );
    let filter = ListFilter {
        namespace: Some("k8r2wq".to_owned()),
        ..ListFilter::default()
    };
    assert_eq!(bench.provider.list(&filter).await.unwrap().jobs, []);
}

#[rstest]
#[case::found(json!({"containerGroups": [echo(Some("NC-N30")), recorded("group-running")]}), Ok(1))]
#[case::none(json!({"containerGroups": [recorded("group-running")]}), Ok(0))]
#[case::found_in_a_part(json!({"containerGroups": [echo(None)], "nextPageToken": "x"}), Ok(1))]
#[case::none_in_a_part(json!({"containerGroups": [], "nextPageToken": "x"}), Err(Kind::Protocol))]
#[tokio::test]
async fn a_submission_is_found_by_its_marker(
    #[case] list: Value,
    #[case] expected: Result<usize, Kind>,
) {
    let bench = Bench::new(None, vec![said(GROUPS, 200, list)]);
    // The other four characters are the spec's: another spec under the same identity is found too.
    let marker = Marker::parse("bcdfghjklmzzzz").unwrap();
    let found = bench
        .provider
        .find(
            &marker,
            "paracloud/k8r2wq",
            "2024-03-08T01:00:00Z".parse().unwrap(),
        )
        .await;
    match (found, expected) {
        (Ok(jobs), Ok(count)) => assert_eq!(jobs.len(), count),
        (Err(error), Err(kind)) => assert_eq!(error.kind(), kind),
        (found, expected) => panic!("{found:?}, {expected:?}"),
    }
}

#[tokio::test]
async fn a_bare_id_is_found_in_every_cluster_that_has_it() {
    let mut twin = recorded("group-running");
    twin["clusterID"] = json!("BSCC-N32-H");
    let bench = Bench::new(
        None,
        vec![
            file(NAMESPACES, "namespaces"),
            said(GROUPS, 200, groups(&[&recorded("group-running"), &twin])),
        ],
    );
    let refs = bench.provider.resolve("p6vd2hcn").await.unwrap();
    assert_eq!(refs.len(), 2);
    assert_eq!(
        bench.provider.resolve("a/b").await.unwrap_err().kind(),
        Kind::Usage
    );
}

#[rstest]
#[case::accepted(vec![said(CANCEL, 204, "")], Ok(()))]
#[case::unknown(vec![missing(CANCEL), missing(ONE)], Err(Kind::NotFound))]
#[case::gone_after_a_lost_answer(vec![(CANCEL, lost()).into(), missing(CANCEL)], Ok(()))]
#[case::finished_and_conflicting(vec![said(CANCEL, 409, "{}"), file(ONE, "group-succeeded")], Ok(()))]
#[case::conflicting(vec![said(CANCEL, 409, "{}"), file(ONE, "group-running")], Err(Kind::Rejected))]
#[case::unauthorised(vec![said(CANCEL, 401, "{}")], Err(Kind::Auth))]
#[tokio::test(start_paused = true)]
async fn a_cancel_of_what_has_ended_is_a_success(
    #[case] script: Vec<Exchange>,
    #[case] expected: Result<(), Kind>,
) {
    let bench = Bench::new(None, script);
    let result = bench.provider.cancel(&job_ref()).await;
    assert_eq!(result.map_err(|error| error.kind()), expected);
}

#[tokio::test]
async fn a_cancel_never_uses_the_wildcard() {
    let bench = Bench::new(
        None,
        vec![
            said(GROUPS, 200, groups(&[&recorded("group-running")])),
            said(CANCEL, 204, ""),
        ],
    );
    let unknown = ResourceRef::new("para", ["k8r2wq", "-", "p6vd2hcn"]);
    bench.provider.cancel(&unknown).await.unwrap();
}
