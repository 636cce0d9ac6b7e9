//! Putting and removing.

use super::bench::{Bench, Text, path};
use super::{about_file, about_folder, recorded};
use crate::error::Kind;
use crate::testing::said;

const LOOK: &str = "PROPFIND /vol/a/b/x";
const LOOK_AT_PART: &str = "PROPFIND /vol/a/b/x.gpujob-part";
const PUT: &str = "PUT /vol/a/b/x.gpujob-part";
const MOVE: &str = "MOVE /vol/a/b/x.gpujob-part destination=https://dav.example/vol/a/b/x";
const CLEAN: &str = "DELETE /vol/a/b/x.gpujob-part";

fn part(length: u64) -> String {
    about_file("/vol/a/b/x.gpujob-part", length)
}

fn whole(length: u64) -> String {
    about_file("/vol/a/b/x", length)
}

#[tokio::test]
async fn a_file_gets_its_name_when_it_is_whole() {
    let bench = Bench::new(vec![
        said(LOOK, 404, ""),
        said(PUT, 201, ""),
        said(LOOK_AT_PART, 207, part(10)),
        said(MOVE, 201, ""),
        said(LOOK, 207, whole(10)),
    ]);
    let entry = bench
        .client
        .put(&path("a/b/x"), &Text("0123456789"))
        .await
        .unwrap();
    assert_eq!((entry.path, entry.size_bytes), (path("a/b/x"), Some(10)));
    assert_eq!(&bench.sent()[1].1[..], b"0123456789");
}

#[tokio::test]
async fn missing_folders_are_made_from_the_top_and_the_bytes_sent_again_from_the_first() {
    for status in [404, 409] {
        let bench = Bench::new(vec![
            said(LOOK, 404, ""),
            said(PUT, status, ""),
            said("MKCOL /vol/a/", 405, ""),
            said("MKCOL /vol/a/b/", 201, ""),
            said(PUT, 201, ""),
            said(LOOK_AT_PART, 207, part(10)),
            said(MOVE, 204, ""),
            said(LOOK, 207, whole(10)),
        ]);
        bench
            .client
            .put(&path("a/b/x"), &Text("0123456789"))
            .await
            .unwrap();
        assert_eq!(&bench.sent()[4].1[..], b"0123456789");
    }
}

#[tokio::test(start_paused = true)]
async fn a_broken_upload_begins_anew() {
    let bench = Bench::new(vec![
        said(LOOK, 207, whole(3)),
        said(PUT, 200, "").broken(),
        said(PUT, 503, "later"),
        said(PUT, 204, ""),
        said(LOOK_AT_PART, 207, part(10)),
        // The answer to the first was lost, and what it did was not.
        said(MOVE, 200, "").broken(),
        said(MOVE, 404, ""),
        said(LOOK, 207, whole(10)),
    ]);
    bench
        .client
        .put(&path("a/b/x"), &Text("0123456789"))
        .await
        .unwrap();
}

#[tokio::test]
async fn half_a_file_never_takes_a_name() {
    let bench = Bench::new(vec![
        said(LOOK, 404, ""),
        said(PUT, 201, ""),
        said(LOOK_AT_PART, 207, part(4)),
        said(CLEAN, 204, ""),
    ]);
    let error = bench
        .client
        .put(&path("a/b/x"), &Text("0123456789"))
        .await
        .unwrap_err();
    assert_eq!(
        (error.kind(), error.code()),
        (Kind::Temporary, "incomplete_upload")
    );
}

#[tokio::test]
async fn a_full_volume_is_capacity_and_is_cleaned_up() {
    let bench = Bench::new(vec![
        said(LOOK, 404, ""),
        said(PUT, 507, ""),
        said(CLEAN, 404, ""),
    ]);
    let error = bench
        .client
        .put(&path("a/b/x"), &Text("0123456789"))
        .await
        .unwrap_err();
    assert_eq!(
        (error.kind(), error.code()),
        (Kind::Capacity, "volume_full")
    );
}

#[tokio::test]
async fn a_folder_is_never_replaced_by_a_file() {
    let bench = Bench::new(vec![said(LOOK, 207, about_folder("/vol/a/b/x/"))]);
    let error = bench
        .client
        .put(&path("a/b/x"), &Text("0"))
        .await
        .unwrap_err();
    assert_eq!((error.kind(), error.code()), (Kind::Rejected, "is_folder"));
    let bench = Bench::new(Vec::new());
    let error = bench.client.put(&path("/"), &Text("0")).await.unwrap_err();
    assert_eq!(error.code(), "is_folder");
}

#[tokio::test]
async fn a_folder_goes_only_when_all_that_is_in_it_may_go() {
    let bench = Bench::new(vec![said(LOOK, 207, about_folder("/vol/a/b/x/"))]);
    let error = bench
        .client
        .remove(&path("a/b/x"), false)
        .await
        .unwrap_err();
    assert_eq!((error.kind(), error.code()), (Kind::Rejected, "is_folder"));
    let bench = Bench::new(vec![
        said(LOOK, 207, about_folder("/vol/a/b/x/")),
        said("DELETE /vol/a/b/x/", 204, ""),
    ]);
    bench.client.remove(&path("a/b/x"), true).await.unwrap();
}

#[tokio::test]
async fn the_root_and_what_is_not_there_cannot_be_removed() {
    let bench = Bench::new(vec![said(LOOK, 404, "")]);
    let error = bench.client.remove(&path("a/b/x"), true).await.unwrap_err();
    assert_eq!(error.kind(), Kind::NotFound);
    let error = bench.client.remove(&path("/"), true).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Usage);
}

#[tokio::test]
async fn a_removal_in_part_names_what_is_left() {
    let bench = Bench::new(vec![
        said("PROPFIND /vol/data", 207, about_folder("/vol/data/")),
        said("DELETE /vol/data/", 207, recorded("delete-refused-in-part")),
    ]);
    let error = bench.client.remove(&path("data"), true).await.unwrap_err();
    assert_eq!(
        (error.kind(), error.code()),
        (Kind::Rejected, "partly_refused")
    );
    assert_eq!(error.details().candidates, ["/data/locked.bin (HTTP 423)"]);
}
