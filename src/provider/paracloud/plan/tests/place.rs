//! Where the job goes, and the address that it gets there.

use super::*;

#[rstest]
#[case::only_here("n30.2xlarge", None, Ok("NC-N30"))]
#[case::in_full("BSCC-N32-H/same.large", None, Ok("BSCC-N32-H"))]
#[case::chosen("same.large", Some("NC-N30"), Ok("NC-N30"))]
#[case::catalogue_tells_no_cluster("roaming.large", None, Ok("-"))]
#[case::named_cluster_for_it("roaming.large", Some("NC-N30"), Ok("NC-N30"))]
#[case::ambiguous("same.large", None, Err(Kind::Spec))]
#[case::elsewhere("n30.2xlarge", Some("BSCC-N32-H"), Err(Kind::Spec))]
#[case::unknown("n99.huge", None, Err(Kind::NotFound))]
#[case::unknown_cluster("n30.2xlarge", Some("nc-n30"), Err(Kind::NotFound))]
fn the_cluster_is_named_when_the_catalogue_tells_it(
    #[case] name: &str,
    #[case] cluster: Option<&str>,
    #[case] expected: Result<&str, Kind>,
) {
    let mut spec = JobSpec {
        resources: typed(name),
        ..spec()
    };
    spec.placement.cluster = cluster.map(str::to_owned);
    let tried = attempt(&spec);
    match expected {
        Ok(cluster) => {
            let target = tried.plan().requests[0].full_target();
            assert!(
                target.contains(&format!("/clusters/{cluster}/")),
                "{target}"
            );
            let bare = name.rsplit('/').next().unwrap();
            assert_eq!(tried.body()["instanceType"], bare);
        }
        Err(kind) => {
            assert_eq!(tried.assessment().refusals.len(), 1);
            assert_eq!(tried.assessment().refusals[0].kind, kind);
        }
    }
}

#[test]
fn a_type_whose_cluster_is_untold_with_a_volume_goes_to_the_volumes_cluster() {
    let tried = attempt(&JobSpec {
        resources: typed("roaming.large"),
        mounts: vec![mount("arm1", "/data")],
        ..spec()
    });
    let target = tried.plan().requests[0].full_target();
    assert!(target.contains("/clusters/BSCC-N32-H/"), "{target}");
}

#[test]
fn an_arm_node_is_warned_about_unless_it_was_asked_for() {
    let mut spec = JobSpec {
        resources: gpu("A100", 1),
        ..spec()
    };
    assert!(attempt(&spec).notes().contains("exec format error"));
    spec.resources.arch = Some("arm64".to_owned());
    assert!(!attempt(&spec).notes().contains("exec format error"));
    spec.resources.arch = Some("amd64".to_owned());
    assert_eq!(attempt(&spec).assessment().refusals[0].kind, Kind::Capacity);
}

#[rstest]
#[case("b", "ui", true)]
#[case("abcdefghijklmnopqrstuv", "ui", true)]
#[case("abcdefghijklmnopqrstuvw", "ui", false)]
#[case("bert", "abcdefghijklmnopqrst", true)]
#[case("bert", "abcdefghijklmnopqrstu", false)]
fn an_https_address_is_one_dns_label(
    #[case] name: &str,
    #[case] port_name: &str,
    #[case] fits: bool,
) {
    // `k8r2wq-nc-n30-xxxxxxxx-<name>-<marker>-<port>`: 6 + 6 + 8 + 4 + name + 15 + port.
    let mut spec = JobSpec {
        name: Some(name.to_owned()),
        ports: vec![port(port_name, true)],
        ..spec()
    };
    let tried = attempt(&spec);
    let expected: &[(RefusalCode, &str)] = if fits {
        &[]
    } else {
        &[(RefusalCode::ConflictingFields, "ports[0]")]
    };
    assert_eq!(tried.codes(), expected);
    spec.ports = vec![port(port_name, false)];
    assert_eq!(attempt(&spec).codes(), []);
}
