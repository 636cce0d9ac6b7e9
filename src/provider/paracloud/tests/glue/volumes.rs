//! Volumes: made, lost, listed and deleted.

use super::*;

fn volume_request() -> VolumeRequest {
    VolumeRequest {
        cluster: Some("NC-N30".to_owned()),
        transfer: true,
        ..VolumeRequest::default()
    }
}

#[rstest]
#[case::whole(recorded("volume-created"), "x7m4tzb9", true)]
#[case::without_service(json!({"id": "x7m4tzb9"}), "x7m4tzb9", false)]
#[case::service_null(json!({"id": "x7m4tzb9", "service": null}), "x7m4tzb9", false)]
#[case::no_address(json!({"id": "x7m4tzb9", "service": {"password": "p", "username": "u"}}), "x7m4tzb9", true)]
#[tokio::test]
async fn a_created_volume_is_never_lost_for_its_answers_form(
    #[case] answer: Value,
    #[case] id: &str,
    #[case] with_credentials: bool,
) {
    let bench = Bench::new(
        None,
        vec![
            file(NAMESPACES, "namespaces"),
            said(VOLUMES, 200, "{}"),
            said(CREATE_VOLUME, 201, answer),
        ],
    );
    let volumes = bench.provider.volumes().unwrap();
    let Creation::Accepted(created) = volumes.create(&volume_request()).await else {
        panic!("not accepted")
    };
    assert_eq!(created.volume.volume_ref.parts(), ["k8r2wq", "NC-N30", id]);
    assert_eq!(created.credentials.is_some(), with_credentials);
    assert_eq!(created.missing_credentials, !with_credentials);
    assert!(!format!("{created:?}").contains("zl6p85962vb9s7k2"));
    let calls = bench.desk.paper.calls();
    assert_eq!(calls.last().unwrap().body, br#"{"service":{}}"#.as_slice());
}

#[rstest]
#[case::one_is_new(json!([{"id": "before"}, {"id": "x7m4tzb9", "clusterID": "NC-N30"}]), "x7m4tzb9")]
#[case::none_is_new(json!([{"id": "before"}]), "unknown")]
#[case::two_are_new(json!([{"id": "before"}, {"id": "a"}, {"id": "b"}]), "unknown")]
#[tokio::test]
async fn a_volume_without_an_id_is_the_one_that_is_new_in_the_list(
    #[case] after: Value,
    #[case] id: &str,
) {
    let bench = Bench::new(
        None,
        vec![
            file(NAMESPACES, "namespaces"),
            said(VOLUMES, 200, json!({"volumes": [{"id": "before"}]})),
            said(
                CREATE_VOLUME,
                201,
                json!({"service": {"password": "p", "username": "u"}}),
            ),
            said(VOLUMES, 200, json!({ "volumes": after })),
        ],
    );
    let volumes = bench.provider.volumes().unwrap();
    let Creation::Accepted(created) = volumes.create(&volume_request()).await else {
        panic!("not accepted")
    };
    assert_eq!(created.volume.volume_ref.parts(), ["k8r2wq", "NC-N30", id]);
    assert_eq!(created.volume.transfer.as_deref(), Some("webdav"));
    assert!(created.credentials.is_some());
}

#[test]
fn what_a_create_alone_shows_is_refused_without_a_request() {
    let bench = Bench::new(None, vec![]);
    let volumes = bench.provider.volumes().unwrap();
    let error = volumes.check(&VolumeRequest::default()).unwrap_err();
    assert_eq!((error.kind(), error.code()), (Kind::Spec, "missing_field"));
    assert_eq!(volumes.check(&volume_request()), Ok(()));
    let namespaces = bench.provider.namespaces().unwrap();
    let error = namespaces.check(Some("n"), &[]).unwrap_err();
    assert_eq!(
        (error.kind(), error.code()),
        (Kind::Spec, "unsupported_field")
    );
    assert_eq!(namespaces.check(None, &[]), Ok(()));
}

#[tokio::test]
async fn a_lost_volume_create_names_what_has_appeared_and_stays_unclear() {
    let bench = Bench::new(
        None,
        vec![
            file(NAMESPACES, "namespaces"),
            said(VOLUMES, 200, json!({"volumes": [{"id": "before"}]})),
            (CREATE_VOLUME, lost()).into(),
            said(
                VOLUMES,
                200,
                json!({"volumes": [{"id": "before"}, {"id": "orphan"}]}),
            ),
        ],
    );
    let volumes = bench.provider.volumes().unwrap();
    let Creation::Ambiguous(error) = volumes.create(&volume_request()).await else {
        panic!("not unclear")
    };
    assert_eq!(error.details().candidates, ["orphan"]);
    assert!(format!("{error:?}").contains("cannot be recovered"));
}

#[tokio::test]
async fn a_volume_has_no_name_no_size_and_one_cluster() {
    let bench = Bench::new(None, vec![]);
    let volumes = bench.provider.volumes().unwrap();
    for (cluster, fields) in [
        (None, &["name", "size", "class", "cluster"][..]),
        (Some("-"), &["name", "size", "class", "cluster"]),
    ] {
        let request = VolumeRequest {
            cluster: cluster.map(str::to_owned),
            name: Some("n".to_owned()),
            size_bytes: Some(1),
            settings: vec![("class".to_owned(), "ssd".to_owned())],
            ..volume_request()
        };
        let Creation::Refused(error) = volumes.create(&request).await else {
            panic!("not refused")
        };
        assert_eq!((error.kind(), error.code()), (Kind::Spec, "several"));
        let refused: Vec<&str> = error
            .details()
            .refusals
            .iter()
            .map(|refusal| refusal.field.as_str())
            .collect();
        assert_eq!(refused, fields);
    }
}

#[tokio::test]
async fn a_volume_in_use_has_obstacles() {
    let bench = Bench::new(
        None,
        vec![
            said(
                GROUPS,
                200,
                groups(&[&recorded("group-succeeded"), &recorded("group-running")]),
            ),
            said(DELETE_VOLUME, 409, json!({"message": "in use"})),
        ],
    );
    let volumes = bench.provider.volumes().unwrap();
    let reference = ResourceRef::new("para", ["k8r2wq", "NC-N30", "x7m4tzb9"]);
    let obstacles = volumes.obstacles(&reference).await.unwrap();
    assert_eq!(obstacles, ["job `p6vd2hcn` (running) mounts it"]);
    let error = volumes.delete(&reference, true).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Rejected);
    assert!(error.message().ends_with("in use"));
    assert!(error.details().hint.is_some());
}

#[rstest]
#[case(vec![said(DELETE_VOLUME, 204, "")], Ok(()))]
#[case(vec![missing(DELETE_VOLUME)], Err(Kind::NotFound))]
#[case(vec![said(DELETE_VOLUME, 502, "<html>"), missing(DELETE_VOLUME)], Ok(()))]
#[tokio::test(start_paused = true)]
async fn a_volume_that_has_gone_on_a_repeat_was_deleted(
    #[case] script: Vec<Exchange>,
    #[case] expected: Result<(), Kind>,
) {
    let bench = Bench::new(None, script);
    let reference = ResourceRef::new("para", ["k8r2wq", "NC-N30", "x7m4tzb9"]);
    let volumes = bench.provider.volumes().unwrap();
    let result = volumes.delete(&reference, false).await;
    assert_eq!(result.map_err(|error| error.kind()), expected);
}

#[tokio::test]
async fn a_volume_without_cluster_is_found_before_it_is_deleted() {
    let bench = Bench::new(
        None,
        vec![file(VOLUMES, "volumes"), said(DELETE_VOLUME, 204, "")],
    );
    let reference = ResourceRef::new("para", ["k8r2wq", "-", "x7m4tzb9"]);
    let volumes = bench.provider.volumes().unwrap();
    volumes.delete(&reference, false).await.unwrap();
}

#[tokio::test]
async fn volumes_are_listed_and_resolved_over_all_namespaces() {
    let script = || {
        vec![
            said(
                NAMESPACES,
                200,
                json!({"namespaces": [{"id": "k8r2wq"}, {"id": "gone"}]}),
            ),
            file(VOLUMES, "volumes"),
            missing("GET /api/v1beta2/namespaces/gone/clusters/-/volumes"),
        ]
    };
    let bench = Bench::new(None, script());
    let volumes = bench.provider.volumes().unwrap();
    assert_eq!(volumes.list(None).await.unwrap().len(), 1);
    let bench = Bench::new(None, script());
    let volumes = bench.provider.volumes().unwrap();
    let refs = volumes.resolve("x7m4tzb9").await.unwrap();
    assert_eq!(refs[0].to_string(), "para/k8r2wq/NC-N30/x7m4tzb9");
}
