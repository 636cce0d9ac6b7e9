//! Surveys and creates.

use super::*;

#[tokio::test]
async fn an_accepted_create_gives_a_record() {
    let bench = Bench::new(&[(200, recorded("created"))]);
    let plan = plan_of(SMALL).unwrap();
    let Creation::Accepted(job) = bench.provider().create(&plan).await else {
        panic!("not accepted");
    };
    assert_eq!(job.job_ref.to_string(), REF);
    assert_eq!((job.state, job.terminal), (State::Pending, false));
    assert_eq!(job.name.as_deref(), Some("n"));
    assert_eq!(job.marker.as_deref(), Some(MARKER));
    assert_eq!(job.instance_type.as_deref(), Some("ecs.gn7i-c8g1.2xlarge"));
    assert_eq!(job.gpu.unwrap().model.as_deref(), Some("A10"));
    assert_eq!(job.approximate, ["created_at"]);
    assert!(job.console_url.unwrap().contains("workspaceId=310042"));
    assert_eq!(bench.sent(), ["POST /api/v1/jobs"]);
}

#[tokio::test]
async fn a_create_is_never_sent_twice_and_its_fate_is_told() {
    let plan = plan_of(SMALL).unwrap();
    for (script, ambiguous) in [
        ((0, json!(null)), true),
        ((500, json!({"Code": "InternalError"})), true),
        ((503, json!({"Code": "ServiceUnavailable"})), true),
        ((200, json!({"RequestId": "R"})), true),
        ((200, json!([])), true),
        ((400, json!({"Code": "SignatureNonceUsed"})), true),
        ((400, json!({"Code": "InvalidParameter"})), false),
        ((404, json!({"Code": "NotFound"})), false),
        ((200, json!({"Code": "InvalidParameter"})), false),
        ((403, json!({"Code": "Forbidden.RAM"})), false),
    ] {
        let bench = Bench::new(std::slice::from_ref(&script));
        let outcome = bench.provider().create(&plan).await;
        match (&outcome, ambiguous) {
            (Creation::Ambiguous(_), true) | (Creation::Refused(_), false) => {}
            _ => panic!("{script:?} gave {outcome:?}"),
        }
        assert_eq!(bench.sent().len(), 1, "{script:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_clearly_throttled_create_is_repeated() {
    let bench = Bench::new(&[
        (429, recorded("error-throttling")),
        (200, recorded("created")),
    ]);
    let plan = plan_of(SMALL).unwrap();
    assert!(matches!(
        bench.provider().create(&plan).await,
        Creation::Accepted(_)
    ));
    assert_eq!(bench.sent().len(), 2);
}

#[tokio::test]
async fn the_survey_looks_at_workspace_catalogue_and_datasets() {
    let workspace = json!({"WorkspaceId": "310042", "WorkspaceName": "acme", "Status": "FROZEN"});
    let dataset = recorded("datasets")["Datasets"][0].clone();
    let bench = Bench::new(&[
        (200, workspace),
        (200, recorded("ecs-specs")),
        (200, dataset),
        not_found(),
    ]);
    let yaml = format!(
        "{SMALL}mounts: [ {{ source: d-4k7m2x9q1w8e3r6t5y, path: /a }}, {{ source: 'dataset:d-2', path: /b }} ]\n"
    );
    let survey = bench.provider().survey(&spec(&yaml)).await.unwrap();
    assert_eq!(survey.namespace.unwrap().id, "310042");
    assert_eq!(survey.offers.len(), 2);
    assert_eq!(survey.volumes.len(), 1);
    assert_eq!(survey.as_of, Some(NOW.parse().unwrap()));
    assert_eq!(
        bench.sent(),
        [
            "GET /api/v1/workspaces/310042",
            "GET /api/v1/ecsspecs?PageNumber=1&PageSize=50",
            "GET /api/v1/datasets/d-4k7m2x9q1w8e3r6t5y",
            "GET /api/v1/datasets/d-2",
        ]
    );
}

#[tokio::test]
async fn a_key_that_may_not_look_at_workspaces_may_still_submit() {
    let bench = Bench::new(&[(403, json!({"Code": "NoPermission", "Message": "m"}))]);
    let yaml = "image: i\ncommand: [a]\nplacement: { queue: q }\nresources: { cpu: 1 }\n";
    let survey = bench.provider().survey(&spec(yaml)).await.unwrap();
    assert_eq!((survey.namespace, survey.offers), (None, Vec::new()));
    for (status, code, kind) in [
        (400, "SignatureDoesNotMatch", Kind::Auth),
        (404, "NotFound", Kind::NotFound),
    ] {
        let bench = Bench::new(&[(status, json!({"Code": code}))]);
        let error = bench.provider().survey(&spec(yaml)).await.unwrap_err();
        assert_eq!(error.kind(), kind);
        assert_eq!(error.details().provider.as_deref(), Some("pai-dlc"));
    }
    let bench = Bench::with_workspace(None, &[]);
    let error = bench.provider().survey(&spec(yaml)).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Config);
}
