//! Datasets and workspaces.

use super::*;

#[tokio::test]
async fn volumes_are_the_datasets_of_the_workspace() {
    let bench = Bench::new(&[
        (200, recorded("datasets")),
        (200, recorded("dataset-created")),
        not_found(),
        (200, json!({"RequestId": "R"})),
    ]);
    let volumes = bench.provider().volumes().unwrap();
    let listed = volumes.list(None).await.unwrap();
    assert_eq!(listed.len(), 1);
    let request = VolumeRequest {
        name: Some("imagenet_mini".to_owned()),
        settings: vec![("uri".to_owned(), "oss://b.e/x/".to_owned())],
        ..VolumeRequest::default()
    };
    let Creation::Accepted(created) = volumes.create(&request).await else {
        panic!("not accepted");
    };
    assert_eq!(created.volume.volume_ref, listed[0].volume_ref);
    assert!(created.credentials.is_none() && !created.missing_credentials);
    assert_eq!(volumes.resolve("d-none").await.unwrap(), []);
    let reference = &created.volume.volume_ref;
    assert_eq!(
        volumes.obstacles(reference).await.unwrap(),
        Vec::<String>::new()
    );
    volumes.delete(reference, false).await.unwrap();
    assert_eq!(
        bench.sent(),
        [
            "GET /api/v1/datasets?PageNumber=1&PageSize=50&WorkspaceId=310042",
            "POST /api/v1/datasets",
            "GET /api/v1/datasets/d-none",
            "DELETE /api/v1/datasets/d-4k7m2x9q1w8e3r6t5y",
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn a_second_try_at_a_delete_may_find_nothing_left() {
    let reference: ResourceRef = "pai-dlc/cn-hangzhou/d-1".parse().unwrap();
    let bench = Bench::new(&[(0, json!(null)), not_found()]);
    Volumes::delete(&bench.provider, &reference, false)
        .await
        .unwrap();
    let bench = Bench::new(&[not_found()]);
    let error = Volumes::delete(&bench.provider, &reference, false)
        .await
        .unwrap_err();
    assert_eq!(error.kind(), Kind::NotFound);
}

#[tokio::test]
async fn a_wrong_registration_sends_nothing() {
    let bench = Bench::new(&[]);
    let outcome = Volumes::create(&bench.provider, &VolumeRequest::default()).await;
    assert!(
        matches!(&outcome, Creation::Refused(error) if error.kind() == Kind::Spec),
        "{outcome:?}"
    );
    assert!(bench.sent().is_empty());
}

#[tokio::test]
async fn namespaces_are_workspaces_that_only_the_console_makes() {
    let bench = Bench::new(&[(200, recorded("workspaces"))]);
    let namespaces = bench.provider().namespaces().unwrap();
    let listed = namespaces.list().await.unwrap();
    assert_eq!(
        (listed[0].id.as_str(), listed[0].default),
        ("310042", Some(true))
    );
    assert!(matches!(
        namespaces.create(Some("x"), &[]).await,
        Creation::Refused(error) if error.kind() == Kind::Spec
    ));
    assert_eq!(
        Namespaces::delete(&bench.provider, "1", true)
            .await
            .unwrap_err()
            .kind(),
        Kind::Spec
    );
    assert_eq!(
        bench.sent(),
        ["GET /api/v1/workspaces?PageNumber=1&PageSize=50"]
    );
}
