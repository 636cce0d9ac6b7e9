//! Logs that grow, and small files that must be whole.

use rstest::rstest;

use super::bench::{Bench, path};
use crate::error::Kind;
use crate::testing::{Exchange, said};
use crate::webdav::Part;

const FIRST: &str = "GET /vol/log range=bytes=0-99";
const FOURTH: &str = "GET /vol/log range=bytes=4-103";

fn part(bytes: &str, more: bool) -> Part {
    Part {
        bytes: bytes.as_bytes().to_vec(),
        more,
    }
}

fn ranged(line: &'static str, body: &str, range: &'static str) -> Exchange {
    said(line, 206, body).with("content-range", range)
}

#[rstest]
#[case::what_is_new(ranged(FOURTH, "45", "bytes 4-5/6"), "45", false)]
#[case::nothing_new(said(FOURTH, 416, ""), "", false)]
#[case::a_server_without_ranges(said(FOURTH, 200, "012345"), "45", false)]
#[case::a_server_that_gives_less(ranged(FOURTH, "45", "bytes 4-5/9"), "45", true)]
#[case::a_torn_answer(ranged(FOURTH, "45", "bytes 4-8/9").broken(), "45", true)]
#[case::a_short_answer(ranged(FOURTH, "45", "bytes 4-8/9"), "45", true)]
#[case::a_page_that_the_job_wrote(ranged(FOURTH, "<html>", "bytes 4-9/10").with("content-type", "text/html"), "<html>", false)]
#[tokio::test]
async fn reading_on_gives_what_is_new(
    #[case] exchange: Exchange,
    #[case] bytes: &str,
    #[case] more: bool,
) {
    let bench = Bench::new(vec![exchange]);
    let read = bench.client.read_part(&path("log"), 4, 100).await;
    assert_eq!(read.unwrap(), part(bytes, more));
}

#[rstest]
#[case::torn_at_once(ranged(FOURTH, "", "bytes 4-8/9").broken(), Kind::Temporary, "reset")]
#[case::shorter_than_what_was_read(said(FOURTH, 200, "01").with("content-length", "2"), Kind::Temporary, "file_changed")]
#[case::a_page(said(FOURTH, 200, "<html>Sign in</html>").with("content-type", "text/html; charset=utf-8"), Kind::Protocol, "not_webdav")]
#[case::another_part(ranged(FOURTH, "01", "bytes 0-1/9"), Kind::Protocol, "other_part")]
#[case::no_range_told(said(FOURTH, 206, "45"), Kind::Protocol, "other_part")]
#[case::no_content(said(FOURTH, 204, ""), Kind::Protocol, "not_webdav")]
#[tokio::test]
async fn what_is_not_the_file_is_an_error(
    #[case] exchange: Exchange,
    #[case] kind: Kind,
    #[case] code: &str,
) {
    let bench = Bench::new(vec![exchange]);
    let error = bench.client.read_part(&path("log"), 4, 100).await;
    let error = error.unwrap_err();
    assert_eq!((error.kind(), error.code()), (kind, code));
}

#[rstest]
#[case::reset(ranged(FIRST, "1", "bytes 0-3/4").broken())]
#[case::ended(ranged(FIRST, "1", "bytes 0-3/4"))]
#[case::ended_without_ranges(said(FIRST, 200, "1").with("content-length", "4"))]
#[tokio::test]
async fn a_torn_number_is_none(#[case] exchange: Exchange) {
    let bench = Bench::new(vec![exchange]);
    let error = bench.client.read_small(&path("log"), 100).await;
    assert_eq!(error.unwrap_err().kind(), Kind::Temporary);
}

#[tokio::test]
async fn a_small_file_comes_whole() {
    let bench = Bench::new(vec![ranged(FIRST, "137\n", "bytes 0-3/4")]);
    let bytes = bench.client.read_small(&path("log"), 100).await.unwrap();
    assert_eq!(bytes, b"137\n");
}
