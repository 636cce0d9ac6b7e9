//! Namespaces, which have no name.

use super::*;

#[tokio::test]
async fn a_namespace_is_created_without_a_name() {
    let post = "POST /api/v1beta2/namespaces";
    let bench = Bench::new(
        None,
        vec![
            said(NAMESPACES, 200, "{}"),
            said(post, 201, recorded_text("namespace-created")),
        ],
    );
    let namespaces = bench.provider.namespaces().unwrap();
    let Creation::Refused(error) = namespaces.create(Some("mine"), &[]).await else {
        panic!("not refused")
    };
    assert_eq!(error.kind(), Kind::Spec);
    let Creation::Accepted(created) = namespaces.create(None, &[]).await else {
        panic!("not accepted")
    };
    assert_eq!(created.id, "k8r2wq");
}

#[tokio::test]
async fn a_lost_namespace_create_names_what_has_appeared() {
    let bench = Bench::new(
        None,
        vec![
            file(NAMESPACES, "namespaces"),
            said("POST /api/v1beta2/namespaces", 500, ""),
            said(
                NAMESPACES,
                200,
                json!({"namespaces": [{"id": "k8r2wq"}, {"id": "new"}]}),
            ),
        ],
    );
    let namespaces = bench.provider.namespaces().unwrap();
    let Creation::Ambiguous(error) = namespaces.create(None, &[]).await else {
        panic!("not unclear")
    };
    assert_eq!(error.details().candidates, ["new"]);
}

#[tokio::test]
async fn a_namespace_with_content_has_obstacles() {
    let bench = Bench::new(
        None,
        vec![
            said(
                GROUPS,
                200,
                groups(&[
                    &recorded("group-unknown-state-word"),
                    &recorded("group-failed"),
                ]),
            ),
            file(VOLUMES, "volumes"),
            said("DELETE /api/v1beta2/namespaces/k8r2wq", 204, ""),
        ],
    );
    let namespaces = bench.provider.namespaces().unwrap();
    let obstacles = namespaces.obstacles("k8r2wq").await.unwrap();
    assert_eq!(
        obstacles,
        ["job `p6vd2hcn` is unknown", "volume `x7m4tzb9` is in it"]
    );
    namespaces.delete("k8r2wq", false).await.unwrap();
    let error = namespaces.delete("-", true).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Usage);
}
