//! A download is as long as its folder says, or none.

use rstest::rstest;

use super::about_file;
use super::bench::{Basket, Bench, path};
use crate::error::Kind;
use crate::testing::{Exchange, said};

const LOOK: &str = "PROPFIND /vol/data/x.bin";
const GET: &str = "GET /vol/data/x.bin";

fn look(length: u64) -> Exchange {
    said(LOOK, 207, about_file("/vol/data/x.bin", length))
}

async fn got(script: Vec<Exchange>) -> Result<Vec<u8>, (Kind, String)> {
    let bench = Bench::new(script);
    let mut basket = Basket::default();
    match bench.client.get(&path("data/x.bin"), &mut basket).await {
        Ok(_) => Ok(basket.bytes),
        Err(error) => {
            assert!(basket.bytes.is_empty(), "{error}");
            Err((error.kind(), error.code().to_owned()))
        }
    }
}

fn page(body: &'static str, length: &'static str) -> Exchange {
    said(GET, 200, body)
        .with("content-type", "text/html")
        .with("content-length", length)
}

#[rstest]
#[case::fewer_bytes(vec![look(10), said(GET, 200, "0123").with("content-length", "4"), look(10)], Kind::Temporary, "file_changed")]
#[case::more_bytes(vec![look(2), said(GET, 200, "0123").with("content-length", "4"), look(2)], Kind::Temporary, "file_changed")]
#[case::a_page(vec![look(30), page("<html></html>", "13")], Kind::Protocol, "not_webdav")]
#[case::a_page_of_unknown_length(vec![look(30), said(GET, 200, "<html></html>").with("content-type", "text/html")], Kind::Protocol, "not_webdav")]
#[case::nothing(vec![look(10), said(GET, 204, "")], Kind::Protocol, "not_webdav")]
#[tokio::test]
async fn a_file_of_another_length_is_none(
    #[case] script: Vec<Exchange>,
    #[case] kind: Kind,
    #[case] code: &str,
) {
    assert_eq!(got(script).await, Err((kind, code.to_owned())));
}

#[rstest]
#[case::grown_meanwhile(vec![look(2), said(GET, 200, "0123").with("content-length", "4"), look(5)], "0123")]
#[case::a_page_that_is_the_file(vec![look(13), page("<html></html>", "13")], "<html></html>")]
#[case::nobody_tells_the_length(vec![look(4), said(GET, 200, "0123")], "0123")]
#[tokio::test]
async fn a_file_of_the_told_length_is_taken(#[case] script: Vec<Exchange>, #[case] bytes: &str) {
    assert_eq!(got(script).await.as_deref(), Ok(bytes.as_bytes()));
}
