//! Volumes: created, listed, resolved, deleted once.

use gpujob::error::Kind;
use gpujob::model::Backend;
use gpujob::provider::{CreatedVolume, Creation, VolumeRequest};
use rstest::rstest;

use super::Bench;

fn request(backend: Backend) -> VolumeRequest {
    let setting = |key: &str, value: &str| (key.to_owned(), value.to_owned());
    match backend {
        Backend::Paracloud => VolumeRequest {
            cluster: Some("NC-N30".to_owned()),
            transfer: true,
            ..VolumeRequest::default()
        },
        Backend::PaiDlc => VolumeRequest {
            name: Some("suite".to_owned()),
            settings: vec![setting("uri", "oss://suite.oss-cn-hangzhou-internal.aliyuncs.com/data/")],
            ..VolumeRequest::default()
        },
        Backend::Cyclecloud | Backend::Gongji => unreachable!("not in this suite yet"),
    }
}

#[rstest]
#[case::paracloud(Backend::Paracloud)]
#[case::pai_dlc(Backend::PaiDlc)]
#[tokio::test]
async fn a_volume_lives_from_create_to_delete(#[case] backend: Backend) {
    let bench = Bench::new(backend).await;
    let volumes = bench.provider.volumes().unwrap();
    let Creation::Accepted(CreatedVolume { volume, credentials, missing_credentials }) =
        volumes.create(&request(backend)).await
    else {
        panic!("not created");
    };
    assert!(!missing_credentials);
    assert_eq!(credentials.is_some(), backend == Backend::Paracloud);
    let listed = volumes.list(None).await.unwrap();
    assert_eq!(listed.len(), 1);
    assert_eq!(listed[0].volume_ref, volume.volume_ref);
    assert_eq!(volumes.resolve(&volume.id).await.unwrap(), [volume.volume_ref.clone()]);
    assert_eq!(volumes.get(&volume.volume_ref).await.unwrap().id, volume.id);
    assert!(volumes.obstacles(&volume.volume_ref).await.unwrap().is_empty());
    volumes.delete(&volume.volume_ref, false).await.unwrap();
    assert!(volumes.list(None).await.unwrap().is_empty());
    assert_eq!(volumes.delete(&volume.volume_ref, false).await.unwrap_err().kind(), Kind::NotFound);
}
