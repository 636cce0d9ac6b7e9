//! The cluster, its status and its shares.

use super::*;

#[tokio::test(start_paused = true)]
async fn a_survey_is_one_look_at_the_status() {
    let bench = Bench::new([answer(200, status())]);
    let survey = bench.provider.survey(&spec("command: [a]")).await.unwrap();
    assert_eq!(survey.namespace.unwrap().id, "lab");
    assert_eq!(survey.offers.len(), 2);
    assert_eq!(survey.volumes.len(), 1);
    assert_eq!(bench.calls(), ["GET /cycle/clusters/lab/status"]);
    let bench = Bench::new([answer(404, json!({"Code": 404, "Message": "no cluster"}))]);
    let error = bench
        .provider
        .survey(&spec("command: [a]"))
        .await
        .unwrap_err();
    assert_eq!(error.kind(), Kind::NotFound);
}

#[tokio::test(start_paused = true)]
async fn volumes_can_be_seen_and_nothing_else() {
    let bench = Bench::new([answer(200, status()), answer(200, status())]);
    let volumes = bench.provider.volumes().unwrap();
    let listed = volumes.list(None).await.unwrap();
    assert_eq!(
        listed[0].volume_ref.to_string(),
        "cyclecloud/lab/gpu/results"
    );
    assert_eq!(volumes.get(&listed[0].volume_ref).await.unwrap(), listed[0]);
    let Creation::Refused(error) = volumes
        .create(&crate::provider::VolumeRequest::default())
        .await
    else {
        panic!("not refused");
    };
    assert_eq!(error.kind(), Kind::Spec);
    assert!(error.details().hint.is_some());
    let error = volumes
        .delete(&listed[0].volume_ref, true)
        .await
        .unwrap_err();
    assert_eq!(error.kind(), Kind::Spec);
    assert_eq!(bench.calls().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn clusters_come_from_the_configuration() {
    let bench = Bench::new([]);
    let namespaces = bench.provider.namespaces().unwrap();
    let listed = namespaces.list().await.unwrap();
    assert_eq!(
        (listed[0].id.as_str(), listed[0].default),
        ("lab", Some(true))
    );
    assert_eq!(
        namespaces.delete("lab", true).await.unwrap_err().kind(),
        Kind::Spec
    );
    assert!(bench.calls().is_empty());
}
