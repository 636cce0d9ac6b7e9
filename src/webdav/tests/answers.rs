//! Answers as data: what is read from them, and what is refused.

use http::StatusCode;
use http::header::{CONTENT_LENGTH, CONTENT_RANGE, ETAG};
use http::{HeaderMap, HeaderName, HeaderValue};
use proptest::prelude::*;
use rstest::rstest;

use super::recorded;
use crate::http::BaseUrl;
use crate::model::FilePath;
use crate::webdav::multistatus::{Malformed, entries, failures};
use crate::webdav::reception::{Reception, Unfit};
use crate::webdav::requests::{Depth, Place, Requests};

fn requests(base: &str) -> Requests {
    Requests::new(BaseUrl::parse(base).unwrap())
}

fn path(text: &str) -> FilePath {
    FilePath::parse(text).unwrap()
}

#[test]
fn entries_are_read_whatever_the_prefixes() {
    let found = entries(recorded("folder-apache").as_bytes()).unwrap();
    let rows: Vec<_> = found
        .iter()
        .map(|entry| (entry.href.as_str(), entry.is_folder, entry.length))
        .collect();
    assert_eq!(
        rows,
        [
            ("/vol/data/", true, None),
            ("/vol/data/a%20b%23.bin", false, Some(1_048_576)),
            ("/vol/data/%e8%a7%86/", true, None),
        ]
    );
    assert_eq!(found[1].modified, "2026-11-29T02:00:01Z".parse().ok());
}

#[test]
fn what_is_gone_is_left_out_and_unknown_elements_are_ignored() {
    let found = entries(recorded("folder-other-prefixes").as_bytes()).unwrap();
    assert_eq!(found.len(), 5);
    assert!(found[0].is_folder);
    assert_eq!((found[1].length, found[1].modified), (Some(0), None));
}

#[test]
fn a_refusal_in_part_names_the_parts() {
    let found = failures(recorded("delete-refused-in-part").as_bytes()).unwrap();
    assert_eq!(found, [("/vol/data/locked.bin".to_owned(), 423)]);
}

#[rstest]
#[case::empty("", "is no XML")]
#[case::html("<html><body/></html>", "is `html`, not a `multistatus`")]
#[case::other_namespace("<multistatus/>", "is `multistatus`, not a `multistatus`")]
#[case::torn("<multistatus xmlns=\"DAV:\"><response>", "is no XML")]
#[case::entities(
    "<!DOCTYPE x [<!ENTITY a \"b\">]><multistatus xmlns=\"DAV:\"/>",
    "is no XML"
)]
#[case::no_href(
    "<multistatus xmlns=\"DAV:\"><response/></multistatus>",
    "has a `response` without `href`"
)]
#[case::no_properties(
    "<multistatus xmlns=\"DAV:\"><response><href>/a</href></response></multistatus>",
    "has a `response` without `propstat`"
)]
#[case::no_status(
    "<multistatus xmlns=\"DAV:\"><response><href>/a</href><propstat><prop/></propstat></response></multistatus>",
    "has a `propstat` without `status`"
)]
#[case::bad_status(
    "<multistatus xmlns=\"DAV:\"><response><href>/a</href><status>fine</status></response></multistatus>",
    "has the status line `fine`"
)]
#[case::bad_length(
    "<multistatus xmlns=\"DAV:\"><response><href>/a</href><propstat><prop><getcontentlength>-1</getcontentlength></prop><status>HTTP/1.1 200 OK</status></propstat></response></multistatus>",
    "has the length `-1`"
)]
fn what_is_no_multistatus_is_refused(#[case] body: &str, #[case] why: &str) {
    let told = entries(body.as_bytes()).unwrap_err().to_string();
    assert!(told.starts_with(why), "{told}");
}

#[test]
fn other_encodings_are_refused() {
    assert_eq!(entries(&[0xff, 0xfe, 0x3c]), Err(Malformed::Encoding));
}

proptest! {
    #[test]
    fn no_bytes_make_the_parser_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        drop(entries(&bytes));
        drop(failures(&bytes));
    }

    #[test]
    fn an_encoded_path_leads_back_to_itself(steps in proptest::collection::vec("[^/\\p{C}]{1,8}", 0..4)) {
        prop_assume!(steps.iter().all(|step| step != "." && step != ".."));
        let requests = requests("https://dav.example/vol");
        let path = steps.iter().fold(FilePath::default(), |path, step| path.join(step));
        let template = requests.properties(&path, Depth::Itself, true);
        let place = requests.place(&template.full_target());
        prop_assert_eq!(place, Place::Inside(path));
    }
}

#[rstest]
#[case("/vol/data/a%20b%23.bin", Place::Inside(path("/data/a b#.bin")))]
#[case("https://dav.example/vol/data/", Place::Inside(path("/data")))]
#[case("https://elsewhere.example/vol/x", Place::Inside(path("/x")))]
#[case("/vol", Place::Inside(FilePath::default()))]
#[case("/other/x", Place::Outside)]
#[case("/volume/x", Place::Outside)]
#[case("data/x", Place::Outside)]
#[case("/vol/%ff", Place::Outside)]
#[case("/vol/../x", Place::Unspeakable)]
#[case("/vol/a%2Fb", Place::Unspeakable)]
#[case("/vol/a%0Ab", Place::Unspeakable)]
fn an_href_leads_into_the_volume_or_nowhere(#[case] href: &str, #[case] place: Place) {
    assert_eq!(requests("https://dav.example/vol/").place(href), place);
}

#[test]
fn names_are_encoded_segment_by_segment() {
    let requests = requests("https://dav.example/vol");
    let template = requests.rename(&path("/a b/c?#%"), &path("/视/d")).unwrap();
    assert_eq!(template.method.as_str(), "MOVE");
    assert_eq!(template.full_target(), "/vol/a%20b/c%3F%23%25");
    assert_eq!(
        template.headers["destination"],
        "https://dav.example/vol/%E8%A7%86/d"
    );
    assert_eq!(template.headers["overwrite"], "T");
    let folder = requests.make_folder(&path("/a"));
    assert_eq!(
        (folder.method.as_str(), folder.full_target().as_str()),
        ("MKCOL", "/vol/a/")
    );
    let root = requests.properties(&FilePath::default(), Depth::Children, false);
    assert_eq!(
        (root.method.as_str(), root.full_target().as_str()),
        ("PROPFIND", "/vol/")
    );
    assert_eq!(root.headers["depth"], "1");
}

fn head(pairs: &[(HeaderName, &str)]) -> HeaderMap {
    pairs
        .iter()
        .map(|(name, value)| (name.clone(), HeaderValue::from_str(value).unwrap()))
        .collect()
}

/// A reception of ten bytes with a tag, five of which are here.
fn halfway(tag: &str) -> Reception {
    let mut reception = Reception::default();
    let first = head(&[(CONTENT_LENGTH, "10"), (ETAG, tag)]);
    assert_eq!(reception.accept(StatusCode::OK, &first), Ok(0));
    reception.offset = 5;
    reception
}

#[rstest]
#[case::the_rest(206, &[(CONTENT_RANGE, "bytes 5-9/10"), (ETAG, "\"1\"")], Ok(0))]
#[case::the_rest_of_unknown_length(206, &[(CONTENT_RANGE, "bytes 5-9/*")], Ok(0))]
#[case::all_of_it(200, &[(CONTENT_LENGTH, "10"), (ETAG, "\"1\"")], Ok(5))]
#[case::another_tag(206, &[(CONTENT_RANGE, "bytes 5-9/10"), (ETAG, "\"2\"")], Err(Unfit::Changed))]
#[case::another_file(200, &[(CONTENT_LENGTH, "10"), (ETAG, "\"2\"")], Err(Unfit::Changed))]
#[case::another_length(206, &[(CONTENT_RANGE, "bytes 5-10/11")], Err(Unfit::Changed))]
#[case::another_part(206, &[(CONTENT_RANGE, "bytes 0-9/10")], Err(Unfit::OtherPart))]
#[case::an_untold_part(206, &[], Err(Unfit::OtherPart))]
fn a_download_goes_on_with_the_same_file_only(
    #[case] status: u16,
    #[case] headers: &[(HeaderName, &str)],
    #[case] outcome: Result<u64, Unfit>,
) {
    let status = StatusCode::from_u16(status).unwrap();
    assert_eq!(halfway("\"1\"").accept(status, &head(headers)), outcome);
}

#[test]
fn a_part_that_was_not_asked_for_is_not_taken() {
    let headers = head(&[(CONTENT_RANGE, "bytes 0-4/10")]);
    let mut reception = Reception::default();
    let outcome = reception.accept(StatusCode::PARTIAL_CONTENT, &headers);
    assert_eq!(outcome, Err(Unfit::OtherPart));
}

#[test]
fn only_a_strong_tag_is_a_condition() {
    assert_eq!(halfway("\"1\"").validator().unwrap(), "\"1\"");
    assert_eq!(halfway("W/\"1\"").validator(), None);
}
