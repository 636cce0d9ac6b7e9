//! Surveys and creates.

use super::*;

#[tokio::test]
async fn a_submit_looks_then_creates_once() {
    let bench = Bench::new(
        None,
        vec![
            file(NAMESPACES, "namespaces"),
            file(TYPES, "instance-types"),
            said(CREATE, 201, echo(Some("NC-N30"))),
        ],
    );
    let plan = planned(&bench, &spec("n30.2xlarge")).await;
    let Creation::Accepted(job) = bench.provider.create(&plan).await else {
        panic!("not accepted")
    };
    assert_eq!(job.job_ref, job_ref());
    assert_eq!(
        job.created_at,
        Some("2024-03-08T01:00:00Z".parse().unwrap())
    );
    assert_eq!(job.marker.as_deref(), Some(MARKER));
    assert_eq!(job.gpu.as_ref().unwrap().model.as_deref(), Some("RTX3090"));
    assert_eq!(bench.warnings(), "");
}

#[rstest]
#[case::in_the_answer(Some("NC-N30"), None, "NC-N30")]
#[case::in_the_list(None, Some("NC-N30"), "NC-N30")]
#[case::echo_of_the_wildcard(Some("-"), Some("NC-N30"), "NC-N30")]
#[case::nowhere(None, None, "-")]
#[tokio::test]
async fn the_cluster_of_a_create_with_the_wildcard_is_found(
    #[case] answered: Option<&str>,
    #[case] listed: Option<&str>,
    #[case] expected: &str,
) {
    let mut script = vec![
        file(NAMESPACES, "namespaces"),
        said(
            TYPES,
            200,
            json!({"instanceTypes": [{"id": "n30.2xlarge"}]}),
        ),
        said(CREATE_ANYWHERE, 200, echo(answered)),
    ];
    if answered != Some("NC-N30") {
        script.push(said(GROUPS, 200, groups(&[&echo(listed)])));
    }
    let bench = Bench::new(None, script);
    let plan = planned(&bench, &spec("n30.2xlarge")).await;
    let Creation::Accepted(job) = bench.provider.create(&plan).await else {
        panic!("not accepted")
    };
    assert_eq!(job.job_ref.parts(), ["k8r2wq", expected, "p6vd2hcn"]);
    assert_eq!(
        bench.warnings().contains("cluster is unknown"),
        expected == "-"
    );
}

#[tokio::test]
async fn what_the_service_changed_is_said_without_the_words() {
    let mut changed = echo(Some("NC-N30"));
    changed["containers"][0]["command"] = json!(["false"]);
    changed["containers"][0]["image"] = json!("ubuntu:24.04");
    let bench = Bench::new(
        Some("k8r2wq"),
        vec![
            file(NAMESPACES, "namespaces"),
            file(TYPES, "instance-types"),
            said(CREATE, 201, changed),
        ],
    );
    let plan = planned(&bench, &spec("n30.2xlarge")).await;
    assert!(matches!(
        bench.provider.create(&plan).await,
        Creation::Accepted(_)
    ));
    let warnings = bench.warnings();
    assert!(warnings.contains("`ubuntu:22.04` and came back as `ubuntu:24.04`"));
    assert!(warnings.contains("changed from word 1 on"), "{warnings}");
}

#[rstest]
#[case::refused(answer(400, "{}"), Some(Kind::Rejected), false)]
#[case::not_found(answer(404, "nothing"), Some(Kind::Protocol), false)]
#[case::envelope(answer(200, r#"{"code":7}"#), Some(Kind::Rejected), false)]
#[case::lost(lost(), Some(Kind::Temporary), true)]
#[case::server_error(answer(503, ""), Some(Kind::Temporary), true)]
#[case::html(answer(200, "<html>"), Some(Kind::Protocol), true)]
#[case::torn(answer(201, r#"{"id":"p6v"#), Some(Kind::Protocol), true)]
#[case::no_id(answer(201, "{}"), Some(Kind::Protocol), true)]
#[tokio::test(start_paused = true)]
async fn a_create_is_refused_or_unclear_and_never_repeated(
    #[case] outcome: Scripted,
    #[case] kind: Option<Kind>,
    #[case] unclear: bool,
) {
    let bench = Bench::new(
        None,
        vec![
            file(NAMESPACES, "namespaces"),
            file(TYPES, "instance-types"),
            (CREATE, outcome).into(),
        ],
    );
    let plan = planned(&bench, &spec("n30.2xlarge")).await;
    let (error, was_unclear) = match bench.provider.create(&plan).await {
        Creation::Accepted(job) => panic!("{job:?}"),
        Creation::Refused(error) => (error, false),
        Creation::Ambiguous(error) => (error, true),
    };
    assert_eq!(
        (Some(error.kind()), was_unclear),
        (kind, unclear),
        "{error}"
    );
    assert_eq!(error.details().provider.as_deref(), Some("para"));
    assert_eq!(
        bench.lines().iter().filter(|line| *line == CREATE).count(),
        1
    );
}

#[rstest]
#[case::none(None, json!({"namespaces": []}), Err(Kind::Config))]
#[case::several(None, json!({"namespaces": [{"id": "a"}, {"id": "b"}]}), Err(Kind::Config))]
#[case::configured(Some("b"), json!({"namespaces": [{"id": "a"}, {"id": "b"}]}), Ok("b"))]
#[case::gone(Some("c"), json!({"namespaces": [{"id": "a"}]}), Err(Kind::NotFound))]
#[case::beyond_the_page(Some("c"), json!({"namespaces": [{"id": "a"}], "nextPageToken": "x"}), Ok("c"))]
#[case::numbers(None, json!({"namespaces": [{"id": 7}]}), Ok("7"))]
#[tokio::test]
async fn the_namespace_is_chosen_or_asked_for(
    #[case] configured: Option<&str>,
    #[case] list: Value,
    #[case] expected: Result<&str, Kind>,
) {
    let mut script = vec![said(NAMESPACES, 200, &list)];
    if expected.is_ok() {
        script.push(file(TYPES, "instance-types"));
    }
    let bench = Bench::new(configured, script);
    let survey = bench.provider.survey(&spec("n30.2xlarge")).await;
    match expected {
        Ok(id) => assert_eq!(survey.unwrap().namespace.unwrap().id, id),
        Err(kind) => {
            let error = survey.unwrap_err();
            assert_eq!(error.kind(), kind);
            let ids = list["namespaces"].as_array().unwrap().len();
            assert_eq!(error.details().candidates.len(), ids);
        }
    }
}

#[tokio::test]
async fn volumes_are_looked_at_only_for_mounts() {
    let bench = Bench::new(
        None,
        vec![
            file(NAMESPACES, "namespaces"),
            file(TYPES, "instance-types"),
            file(VOLUMES, "volumes"),
        ],
    );
    let with_mount = JobSpec {
        mounts: vec![Mount {
            source: MountSource::Id("x7m4tzb9".to_owned()),
            path: Some("/data".to_owned()),
            readonly: false,
            subpath: None,
        }],
        ..spec("n30.2xlarge")
    };
    let survey = bench.provider.survey(&with_mount).await.unwrap();
    assert_eq!(survey.volumes.len(), 1);
    assert_eq!(bench.lines()[0], NAMESPACES);
}
