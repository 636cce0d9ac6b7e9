//! Looking and taking.

use super::bench::{Basket, Bench, PASSWORD, path};
use super::{about_file, about_folder, recorded};
use crate::error::Kind;
use crate::testing::said;

const LOOK: &str = "PROPFIND /vol/data/x.bin";
const GET: &str = "GET /vol/data/x.bin";
const LIST: &str = "PROPFIND /vol/data";
const ROOT: &str = "PROPFIND /vol/";

fn file(length: u64) -> String {
    about_file("/vol/data/x.bin", length)
}

#[tokio::test]
async fn a_folder_lists_its_own_entries_by_name() {
    let bench = Bench::new(vec![said(LIST, 207, recorded("folder-other-prefixes"))]);
    let found = bench.client.list(&path("data")).await.unwrap();
    let names: Vec<String> = found.iter().map(|entry| entry.path.to_string()).collect();
    assert_eq!(names, ["/data/z.txt"]);
    assert!(bench.told().contains("1 entries"), "{}", bench.told());

    let bench = Bench::new(vec![said(LIST, 207, recorded("folder-apache"))]);
    let found = bench.client.list(&path("data")).await.unwrap();
    let names: Vec<&str> = found.iter().map(|entry| entry.path.name()).collect();
    assert_eq!(names, ["a b#.bin", "视"]);
}

#[tokio::test]
async fn a_file_lists_itself() {
    let bench = Bench::new(vec![said(LOOK, 207, file(7))]);
    let found = bench.client.list(&path("data/x.bin")).await.unwrap();
    assert_eq!(found[0].size_bytes, Some(7));
}

#[tokio::test]
async fn a_redirect_to_the_same_folder_with_a_slash_is_taken_and_no_other() {
    let bench = Bench::new(vec![
        said(LIST, 301, "").with("location", "/vol/data/"),
        said("PROPFIND /vol/data/", 207, about_folder("/vol/data/")),
    ]);
    assert_eq!(bench.client.list(&path("data")).await.unwrap(), []);
    let bench = Bench::new(vec![
        said(LIST, 302, "").with("location", "https://evil.example/login/"),
    ]);
    let error = bench.client.list(&path("data")).await.unwrap_err();
    assert_eq!((error.kind(), error.code()), (Kind::Protocol, "redirect"));
}

#[tokio::test]
async fn a_missing_file_is_not_found_and_named() {
    let bench = Bench::new(vec![said(LOOK, 404, "<html>no</html>")]);
    let error = bench
        .client
        .get(&path("data/x.bin"), &mut Basket::default())
        .await
        .unwrap_err();
    assert_eq!(error.kind(), Kind::NotFound);
    assert_eq!(error.message(), "there is no `para/n/C/v:/data/x.bin`");
}

#[tokio::test]
async fn what_is_no_webdav_is_a_protocol_error() {
    for (status, body) in [(200, "<html>hello</html>"), (207, "{}"), (207, "<x/>")] {
        let bench = Bench::new(vec![said(LOOK, status, body)]);
        let error = bench.client.stat(&path("data/x.bin")).await.unwrap_err();
        assert_eq!((error.kind(), error.code()), (Kind::Protocol, "not_webdav"));
    }
    let bench = Bench::new(vec![said(LOOK, 207, about_file("/vol/other", 1))]);
    let error = bench.client.stat(&path("data/x.bin")).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Protocol);
}

#[tokio::test]
async fn a_refused_login_is_told_once_and_without_the_password() {
    let text = format!("bad login user:{PASSWORD}");
    let bench = Bench::new(vec![said(LOOK, 401, text)]);
    let error = bench.client.stat(&path("data/x.bin")).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Auth);
    assert!(!format!("{error:?}").contains(PASSWORD));
}

#[tokio::test]
async fn a_file_comes_whole() {
    let bench = Bench::new(vec![
        said(LOOK, 207, file(10)),
        said(GET, 200, "0123456789").with("content-length", "10"),
    ]);
    let mut basket = Basket::default();
    let entry = bench
        .client
        .get(&path("data/x.bin"), &mut basket)
        .await
        .unwrap();
    assert_eq!(
        (basket.length, basket.bytes.as_slice()),
        (Some(10), b"0123456789".as_slice())
    );
    assert_eq!(entry.size_bytes, Some(10));
}

#[tokio::test(start_paused = true)]
async fn a_broken_download_is_taken_up_where_it_broke() {
    let bench = Bench::new(vec![
        said(LOOK, 207, file(10)),
        said(GET, 200, "0123")
            .with("content-length", "10")
            .with("etag", "\"1\"")
            .broken(),
        // The first attempt to go on brings nothing new, the second is an answer without ranges.
        said("GET /vol/data/x.bin range=bytes=4- if-range=\"1\"", 206, "")
            .with("content-range", "bytes 4-9/10")
            .with("etag", "\"1\"")
            .broken(),
        said(
            "GET /vol/data/x.bin range=bytes=4- if-range=\"1\"",
            206,
            "4567",
        )
        .with("content-range", "bytes 4-9/10")
        .broken(),
        said(
            "GET /vol/data/x.bin range=bytes=8- if-range=\"1\"",
            200,
            "0123456789",
        )
        .with("content-length", "10")
        .with("etag", "\"1\""),
    ]);
    let mut basket = Basket::default();
    bench
        .client
        .get(&path("data/x.bin"), &mut basket)
        .await
        .unwrap();
    assert_eq!(basket.bytes, b"0123456789");
    assert!(bench.told().contains("after 4 bytes"), "{}", bench.told());
}

#[tokio::test(start_paused = true)]
async fn a_download_that_never_goes_on_is_given_up() {
    let broken = || {
        said("GET /vol/data/x.bin range=bytes=1-", 206, "")
            .with("content-range", "bytes 1-9/10")
            .broken()
    };
    let bench = Bench::new(vec![
        said(LOOK, 207, file(10)),
        said(GET, 200, "0").with("content-length", "10").broken(),
        broken(),
        broken(),
        broken(),
    ]);
    let error = bench
        .client
        .get(&path("data/x.bin"), &mut Basket::default())
        .await
        .unwrap_err();
    assert_eq!(error.kind(), Kind::Temporary);
}

#[tokio::test]
async fn a_file_that_changed_meanwhile_is_no_whole_file() {
    for (status, tag) in [(200, "\"2\""), (416, "\"1\"")] {
        let bench = Bench::new(vec![
            said(LOOK, 207, file(10)),
            said(GET, 200, "0123")
                .with("content-length", "10")
                .with("etag", "\"1\"")
                .broken(),
            said(
                "GET /vol/data/x.bin range=bytes=4- if-range=\"1\"",
                status,
                "abcdefghij",
            )
            .with("content-length", "10")
            .with("etag", tag),
        ]);
        let error = bench
            .client
            .get(&path("data/x.bin"), &mut Basket::default())
            .await
            .unwrap_err();
        assert_eq!(
            (error.kind(), error.code()),
            (Kind::Temporary, "file_changed")
        );
    }
}

#[tokio::test]
async fn nobody_is_sent_more_than_is_wanted() {
    let bench = Bench::new(vec![
        said(LOOK, 207, file(10)),
        said(GET, 200, "0123456789").with("content-length", "10"),
    ]);
    let mut basket = Basket {
        most: Some(4),
        ..Basket::default()
    };
    bench
        .client
        .get(&path("data/x.bin"), &mut basket)
        .await
        .unwrap();
    assert_eq!(basket.bytes, b"012345");
}

#[tokio::test]
async fn a_folder_is_not_downloaded() {
    let bench = Bench::new(vec![said(LIST, 207, about_folder("/vol/data/"))]);
    let error = bench
        .client
        .get(&path("data"), &mut Basket::default())
        .await
        .unwrap_err();
    assert_eq!((error.kind(), error.code()), (Kind::Rejected, "is_folder"));
}

#[tokio::test(start_paused = true)]
async fn a_volume_just_created_is_waited_for_and_an_old_one_is_not() {
    let bench = Bench::created(
        Some("2026-11-29T09:14:30Z"),
        vec![
            said(ROOT, 401, ""),
            said(ROOT, 404, ""),
            said(ROOT, 207, about_folder("/vol/")),
            said(LOOK, 207, file(1)),
            // From here on a refusal is one.
            said(LOOK, 401, ""),
        ],
    );
    bench.client.stat(&path("data/x.bin")).await.unwrap();
    let error = bench.client.stat(&path("data/x.bin")).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Auth);

    let bench = Bench::created(Some("2026-11-29T09:13:30Z"), vec![said(LOOK, 401, "")]);
    let error = bench.client.stat(&path("data/x.bin")).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Auth);
}
