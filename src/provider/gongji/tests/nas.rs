//! Requests for a new volume, checked before and after the look at what is offered.

use rstest::rstest;
use serde::Deserialize;
use serde_json::json;

use super::super::nas;
use super::super::wire::{NasConfig, NasOffers};
use super::*;
use crate::error::Kind;
use crate::model::Refusal;
use crate::provider::VolumeRequest;

fn request(settings: &[(&str, &str)]) -> VolumeRequest {
    VolumeRequest {
        name: Some("scratch".to_owned()),
        size_bytes: Some(50 << 30),
        transfer: true,
        settings: settings
            .iter()
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
            .collect(),
        ..VolumeRequest::default()
    }
}

fn configs() -> Vec<NasConfig> {
    NasOffers::deserialize(&data("nas-offers")).unwrap().configs
}

fn body(
    settings: &[(&str, &str)],
    region: Option<&str>,
    configs: &[NasConfig],
) -> Result<Value, Refusal> {
    let wish = nas::wish(&request(settings), region).unwrap();
    nas::body(&wish, configs).map(|body| serde_json::to_value(body).unwrap())
}

#[test]
fn the_one_that_is_available_is_taken() {
    let expected =
        json!({"name": "scratch", "nas_config_id": 31, "total_size": 53_687_091_200_u64});
    for (settings, region) in [
        (&[][..], None),
        (&[("region", "demo-r1")][..], Some("demo-r2")),
        (
            &[("storage_class", "标准型"), ("kind", "nas")][..],
            Some("demo-r1"),
        ),
        (&[("nas_config_id", "31")][..], Some("demo-r2")),
    ] {
        assert_eq!(body(settings, region, &configs()).unwrap(), expected);
    }
}

#[test]
fn no_room_several_and_none_are_told_apart() {
    let full = body(&[("region", "demo-r2")], None, &configs()).unwrap_err();
    assert_eq!(full.kind, Kind::Capacity);
    let nowhere = body(&[("region", "demo-r9")], None, &configs()).unwrap_err();
    assert_eq!(nowhere.kind, Kind::NotFound);
    assert!(nowhere.alternative.unwrap().contains("nas_config_id 31"));
    let mut two = configs();
    two[1].status = Some("Available".to_owned());
    let several = body(&[], None, &two).unwrap_err();
    assert_eq!(several.kind, Kind::Spec);
    assert!(several.message.contains("`demo-r1`") && several.message.contains("`demo-r2`"));
    assert_eq!(
        body(&[], Some("demo-r2"), &two).unwrap()["nas_config_id"],
        32
    );
}

#[rstest]
#[case::object("kind", "object", "kind")]
#[case::share("kind", "share", "kind")]
#[case::unknown_kind("kind", "tape", "kind")]
#[case::no_number("nas_config_id", "x", "nas_config_id")]
#[case::unknown("reigon", "r", "reigon")]
fn what_cannot_be_made_is_refused(#[case] key: &str, #[case] value: &str, #[case] field: &str) {
    let [refusal] = nas::wish(&request(&[(key, value)]), None)
        .unwrap_err()
        .try_into()
        .unwrap();
    assert_eq!((refusal.field.as_str(), refusal.kind), (field, Kind::Spec));
}

#[test]
fn all_that_is_missing_comes_at_once() {
    let empty = VolumeRequest {
        namespace: Some("n".to_owned()),
        cluster: Some("c".to_owned()),
        ..VolumeRequest::default()
    };
    let refusals = nas::wish(&empty, None).unwrap_err();
    let fields: Vec<&str> = refusals
        .iter()
        .map(|refusal| refusal.field.as_str())
        .collect();
    assert_eq!(fields, ["namespace", "cluster", "name", "size"]);
    let long = VolumeRequest {
        name: Some("名".repeat(33)),
        ..request(&[])
    };
    assert!(nas::wish(&long, None).is_err());
    let fits = VolumeRequest {
        name: Some("名".repeat(32)),
        ..request(&[])
    };
    assert!(nas::wish(&fits, None).is_ok());
}

#[test]
fn what_mounts_a_volume_is_told() {
    let mut raw = data("nas-volumes")["results"][0].clone();
    assert!(storage::users(&raw).is_empty());
    raw["instance_count"] = json!(2);
    assert_eq!(storage::users(&raw), ["2 instances mount it"]);
    raw["instances"] = json!([
        {"instance_id": 7, "instance_name": "train", "instance_type": "Job", "mount_path": "/data"},
    ]);
    assert_eq!(storage::users(&raw), ["Job `train` mounts it at `/data`"]);
}
