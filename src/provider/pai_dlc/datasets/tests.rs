//! Registering a dataset (pai-dlc.md §6.3).

use rstest::rstest;
use serde_json::json;

use super::*;

fn request(name: &str, settings: &[(&str, &str)]) -> VolumeRequest {
    VolumeRequest {
        name: Some(name.to_owned()),
        settings: settings
            .iter()
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
            .collect(),
        ..VolumeRequest::default()
    }
}

const PLACE: (&str, &str) = ("uri", "oss://acme.oss-cn-hangzhou-internal.aliyuncs.com/x/");

#[test]
fn a_place_is_registered_with_its_settings() {
    let request = request(
        "imagenet_mini",
        &[
            PLACE,
            ("mount_path", "/mnt/data/"),
            ("data_type", "pic"),
            ("property", "FILE"),
        ],
    );
    assert_eq!(
        serde_json::to_value(registration(&request, "310042").unwrap()).unwrap(),
        json!({
            "Name": "imagenet_mini",
            "WorkspaceId": "310042",
            "DataSourceType": "OSS",
            "Property": "FILE",
            "Uri": PLACE.1,
            "DataType": "PIC",
            "Options": "{\"mountPath\":\"/mnt/data/\"}",
        })
    );
    let plain = registration(&self::request("数据1", &[PLACE]), "1").unwrap();
    assert_eq!(plain.property, "DIRECTORY");
    assert_eq!((plain.data_type, plain.options), (None, None));
}

#[rstest]
#[case("oss://b.e/x/", "OSS")]
#[case("nas://fs1.cn-hangzhou/x/", "NAS")]
#[case("nas://cpfs-12345678.cn-hangzhou/", "NAS")]
#[case("cpfs://cpfs-1.cn-hangzhou/p/e/", "NAS")]
fn the_kind_comes_from_the_uri(#[case] uri: &str, #[case] kind: &str) {
    let dataset = registration(&request("a", &[("uri", uri)]), "1").unwrap();
    assert_eq!(dataset.data_source_type, kind);
}

#[rstest]
#[case("", &[PLACE], "unsupported_value")]
#[case("-a", &[PLACE], "unsupported_value")]
#[case("a b", &[PLACE], "unsupported_value")]
#[case("a", &[], "missing_field")]
#[case("a", &[("uri", "x")], "unsupported_value")]
#[case("a", &[("uri", "http://h/x")], "unsupported_value")]
#[case("a", &[("uri", "bmcpfs://h/x")], "unsupported_value")]
#[case("a", &[("uri", "oss:///x")], "unsupported_value")]
#[case("a", &[PLACE, ("mount_path", "data")], "unsupported_value")]
#[case("a", &[PLACE, ("property", "DIR")], "unsupported_value")]
#[case("a", &[PLACE, ("data_type", "CSV")], "unsupported_value")]
#[case("a", &[PLACE, ("mountpath", "/x")], "unsupported_field")]
fn what_is_wrong_is_refused_before_anything_is_sent(
    #[case] name: &str,
    #[case] settings: &[(&str, &str)],
    #[case] code: &str,
) {
    let error = registration(&request(name, settings), "1").unwrap_err();
    assert_eq!((error.kind(), error.code()), (Kind::Spec, code));
    assert!(error.details().hint.is_some());
}

#[test]
fn a_name_has_127_characters_at_most() {
    let longest = "数".repeat(127);
    assert!(registration(&request(&longest, &[PLACE]), "1").is_ok());
    let longer = "a".repeat(128);
    assert!(registration(&request(&longer, &[PLACE]), "1").is_err());
}

#[test]
fn a_dataset_has_no_size_and_no_cluster() {
    let sized = VolumeRequest {
        size_bytes: Some(1),
        ..request("a", &[PLACE])
    };
    let placed = VolumeRequest {
        cluster: Some("c".to_owned()),
        ..request("a", &[PLACE])
    };
    for wrong in [sized, placed, VolumeRequest::default()] {
        assert_eq!(registration(&wrong, "1").unwrap_err().kind(), Kind::Spec);
    }
}
