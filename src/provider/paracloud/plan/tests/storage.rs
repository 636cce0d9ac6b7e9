//! Mounts, and the volumes behind them.

use super::*;

#[rstest]
#[case("data")]
#[case("/data/../etc")]
#[case("/")]
#[case("//")]
#[case("/data/")]
#[case("/data//x")]
#[case("/data/./x")]
#[case("/da\nta")]
fn a_mount_path_is_absolute_and_in_its_shortest_form(#[case] path: &str) {
    let spec = JobSpec {
        mounts: vec![mount("x7m4tzb9", path)],
        ..spec()
    };
    assert_eq!(
        attempt(&spec).codes(),
        [(RefusalCode::UnsupportedValue, "mounts[0].path")]
    );
}

#[rstest]
#[case("/data", "/data")]
#[case("/data", "/data/in")]
#[case("/data/in", "/data")]
fn mounts_do_not_lie_in_each_other(#[case] first: &str, #[case] second: &str) {
    let mut spec = JobSpec {
        mounts: vec![mount("x7m4tzb9", first), mount("v2", second)],
        ..spec()
    };
    assert_eq!(
        attempt(&spec).codes(),
        [(RefusalCode::ConflictingFields, "mounts[1].path")]
    );
    spec.mounts[1] = mount("v2", "/data2");
    spec.mounts[0] = mount("x7m4tzb9", "/data");
    assert_eq!(attempt(&spec).codes(), []);
    spec.mounts[1] = mount("x7m4tzb9", "/other");
    assert_eq!(
        attempt(&spec).codes(),
        [(RefusalCode::ConflictingFields, "mounts[1]")]
    );
}

#[rstest]
#[case("/root", true)]
#[case("/home/me", true)]
#[case("/roots", false)]
fn hidden_image_content_is_warned_about(#[case] path: &str, #[case] warned: bool) {
    let tried = attempt(&JobSpec {
        mounts: vec![mount("x7m4tzb9", path)],
        ..spec()
    });
    tried.plan();
    assert_eq!(tried.notes().contains("hides"), warned);
}

#[test]
fn volumes_decide_the_cluster() {
    let spec = JobSpec {
        resources: gpu("A100", 1),
        mounts: vec![mount("arm1", "/data")],
        ..spec()
    };
    let tried = attempt(&spec);
    let target = tried.plan().requests[0].full_target();
    assert!(target.contains("/clusters/BSCC-N32-H/"), "{target}");
    let elsewhere = JobSpec {
        resources: gpu("RTX3090", 2),
        ..spec
    };
    let tried = attempt(&elsewhere);
    assert_eq!(
        tried.codes(),
        [(RefusalCode::NoMatchingResource, "resources.gpu")]
    );
    assert_eq!(tried.assessment().refusals[0].kind, Kind::Capacity);
}

#[rstest]
#[case::unknown(vec![mount("gone", "/a")], None, "mounts[0]", Kind::NotFound)]
#[case::two_clusters(vec![mount("x7m4tzb9", "/a"), mount("arm1", "/b")], None, "mounts[1]", Kind::Spec)]
#[case::other_cluster(vec![mount("arm1", "/a")], Some("NC-N30"), "mounts[0]", Kind::Spec)]
fn volumes_must_be_where_the_job_goes(
    #[case] mounts: Vec<Mount>,
    #[case] cluster: Option<&str>,
    #[case] field: &str,
    #[case] kind: Kind,
) {
    let mut spec = JobSpec { mounts, ..spec() };
    spec.placement.cluster = cluster.map(str::to_owned);
    let tried = attempt(&spec);
    assert_eq!(tried.codes(), [(RefusalCode::VolumeMismatch, field)]);
    assert_eq!(tried.assessment().refusals[0].kind, kind);
}

#[rstest]
#[case("para/k8r2wq/NC-N30/x7m4tzb9", None)]
#[case("para/k8r2wq/-/x7m4tzb9", None)]
#[case("para/other/NC-N30/x7m4tzb9", Some(RefusalCode::VolumeMismatch))]
#[case("para/k8r2wq/BSCC-N32-H/x7m4tzb9", Some(RefusalCode::VolumeMismatch))]
#[case("pai/k8r2wq/NC-N30/x7m4tzb9", Some(RefusalCode::VolumeMismatch))]
#[case("para/x7m4tzb9", Some(RefusalCode::UnsupportedValue))]
fn a_full_ref_must_lead_to_the_volume(#[case] text: &str, #[case] code: Option<RefusalCode>) {
    let tried = attempt(&JobSpec {
        mounts: vec![Mount {
            source: MountSource::Ref(text.parse().unwrap()),
            ..mount("", "/data")
        }],
        ..spec()
    });
    let codes: Vec<RefusalCode> = tried.codes().into_iter().map(|(code, _)| code).collect();
    assert_eq!(codes, Vec::from_iter(code));
}

#[test]
fn a_ref_of_another_namespace_is_refused_before_a_look_where_one_is_chosen() {
    let routes = routes();
    let planner = Planner {
        provider: "para",
        namespace: Some("k8r2wq"),
        routes: &routes,
    };
    let spec = JobSpec {
        mounts: vec![Mount {
            source: MountSource::Ref("para/other/NC-N30/x7m4tzb9".parse().unwrap()),
            ..mount("", "/data")
        }],
        ..spec()
    };
    let refusals = planner.assess(&spec, Policy::default()).refusals;
    assert_eq!(refusals[0].code, RefusalCode::VolumeMismatch);
}
