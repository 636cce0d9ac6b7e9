//! The share against RFC 4918, without sockets.

use std::fs;
use std::os::unix::fs::symlink;

use bytes::Bytes;
use http::HeaderMap;
use http::header::{CONTENT_LENGTH, CONTENT_RANGE, ETAG};
use rstest::rstest;
use tempfile::TempDir;

use super::*;

struct Bench {
    folder: TempDir,
}

impl Bench {
    /// A share with `a.txt` and `sub/b.txt`, beside a secret that is not in it.
    fn new() -> Self {
        let folder = TempDir::new().unwrap();
        let root = folder.path().join("root");
        fs::create_dir_all(root.join("sub")).unwrap();
        fs::write(root.join("a.txt"), "0123456789").unwrap();
        fs::write(root.join("sub/b.txt"), "b").unwrap();
        fs::write(folder.path().join("secret"), "hidden").unwrap();
        Self { folder }
    }

    fn root(&self) -> std::path::PathBuf {
        self.folder.path().join("root")
    }

    fn text(&self, path: &str) -> Option<String> {
        fs::read_to_string(self.root().join(path)).ok()
    }

    fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> RawAnswer {
        let mut map = HeaderMap::new();
        map.insert("host", HeaderValue::from_static("127.0.0.1:4711"));
        for (name, value) in headers {
            map.insert(
                HeaderName::from_bytes(name.as_bytes()).unwrap(),
                HeaderValue::from_str(value).unwrap(),
            );
        }
        Share {
            prefix: "/dav",
            root: &self.root(),
            missing_parent: StatusCode::CONFLICT,
        }
        .answer(&RawRequest {
            method: method.parse().unwrap(),
            target: path.to_owned(),
            headers: map,
            body: Bytes::from(body.to_owned()),
            upload: None,
        })
    }

    fn status(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> u16 {
        self.send(method, path, headers, body).status.as_u16()
    }
}

fn header(answer: &RawAnswer, name: impl http::header::AsHeaderName) -> &str {
    answer.headers.get(name).unwrap().to_str().unwrap()
}

fn body(answer: &RawAnswer) -> String {
    String::from_utf8(answer.body.to_vec()).unwrap()
}

#[test]
fn options_say_that_it_is_a_share_without_locks() {
    let bench = Bench::new();
    let answer = bench.send("OPTIONS", "/dav/", &[], "");
    assert_eq!(header(&answer, "dav"), "1");
    assert!(header(&answer, ALLOW).contains("PROPFIND"));
    let answer = bench.send("LOCK", "/dav/a.txt", &[], "");
    assert_eq!(answer.status.as_u16(), 405);
    assert!(header(&answer, ALLOW).contains("MOVE"));
}

#[rstest]
#[case(&[], 200, 0, 10, None)]
#[case(&[("range", "bytes=4-")], 206, 4, 6, Some("bytes 4-9/10"))]
#[case(&[("range", "bytes=2-3")], 206, 2, 2, Some("bytes 2-3/10"))]
#[case(&[("range", "bytes=4-"), ("if-range", "\"other\"")], 200, 0, 10, None)]
fn a_file_is_read_whole_or_from_an_offset(
    #[case] headers: &[(&str, &str)],
    #[case] status: u16,
    #[case] start: u64,
    #[case] length: u64,
    #[case] range: Option<&str>,
) {
    let bench = Bench::new();
    let answer = bench.send("GET", "/dav/a.txt", headers, "");
    let part = answer.file.as_ref().unwrap();
    assert_eq!(
        (answer.status.as_u16(), part.start, part.length),
        (status, start, length)
    );
    assert_eq!(header(&answer, CONTENT_LENGTH), length.to_string());
    assert_eq!(
        answer
            .headers
            .get(CONTENT_RANGE)
            .map(|value| value.to_str().unwrap()),
        range
    );
}

#[test]
fn a_head_tells_the_length_and_sends_nothing() {
    let bench = Bench::new();
    let answer = bench.send("HEAD", "/dav/a.txt", &[], "");
    assert!(answer.file.is_none());
    assert_eq!(header(&answer, CONTENT_LENGTH), "10");
    let range = bench.send("GET", "/dav/a.txt", &[("range", "bytes=10-")], "");
    assert_eq!(range.status.as_u16(), 416);
    assert_eq!(header(&range, CONTENT_RANGE), "bytes */10");
}

#[rstest]
#[case("GET", "/dav/none", 404)]
#[case("GET", "/dav/none/deep", 404)]
#[case("GET", "/dav/a.txt/deep", 404)]
#[case("GET", "/dav/sub", 405)]
#[case("GET", "/dav/../secret", 400)]
#[case("GET", "/dav/%2e%2e/secret", 400)]
#[case("GET", "/dav/sub%2F..%2F..%2Fsecret", 400)]
#[case("PUT", "/dav/new", 201)]
#[case("PUT", "/dav/a.txt", 204)]
#[case("PUT", "/dav/none/new", 409)]
#[case("PUT", "/dav/a.txt/new", 409)]
#[case("PUT", "/dav/sub", 405)]
#[case("PUT", "/dav/", 405)]
#[case("MKCOL", "/dav/new", 201)]
#[case("MKCOL", "/dav/none/new", 409)]
#[case("MKCOL", "/dav/sub", 405)]
#[case("MKCOL", "/dav/a.txt", 405)]
#[case("MKCOL", "/dav/", 405)]
#[case("DELETE", "/dav/a.txt", 204)]
#[case("DELETE", "/dav/sub", 204)]
#[case("DELETE", "/dav/none", 404)]
#[case("DELETE", "/dav/", 403)]
#[case("PATCH", "/dav/a.txt", 405)]
fn each_method_has_its_status(#[case] method: &str, #[case] path: &str, #[case] status: u16) {
    assert_eq!(Bench::new().status(method, path, &[], ""), status);
}

#[test]
fn what_is_put_can_be_read_and_replaces_what_was_there() {
    let bench = Bench::new();
    assert_eq!(
        bench.status("PUT", "/dav/sub/n%20%E6%95%B0", &[], "new"),
        201
    );
    assert_eq!(bench.text("sub/n 数").unwrap(), "new");
    assert_eq!(bench.status("PUT", "/dav/a.txt", &[], "other"), 204);
    assert_eq!(bench.text("a.txt").unwrap(), "other");
    assert_eq!(bench.status("MKCOL", "/dav/x", &[], "<body/>"), 415);
}

#[test]
fn conditions_are_kept() {
    let bench = Bench::new();
    let tag = header(&bench.send("HEAD", "/dav/a.txt", &[], ""), ETAG).to_owned();
    let put = |name: &str, value: &str| bench.status("PUT", "/dav/a.txt", &[(name, value)], "x");
    assert_eq!(put("if-none-match", "*"), 412);
    assert_eq!(put("if-match", "\"other\""), 412);
    assert_eq!(put("if", "(<urn:uuid:1>)"), 412);
    assert_eq!(bench.text("a.txt").unwrap(), "0123456789");
    assert_eq!(
        bench.status("GET", "/dav/a.txt", &[("if-none-match", &tag)], ""),
        304
    );
    assert_eq!(put("if-match", &tag), 204);
    assert_eq!(
        bench.status("PUT", "/dav/new", &[("if-match", "*")], "x"),
        412
    );
}

#[rstest]
#[case("MOVE", "/dav/a.txt", "/dav/sub/a.txt", &[], 201)]
#[case("MOVE", "/dav/a.txt", "http://127.0.0.1:4711/dav/sub/b.txt", &[], 204)]
#[case("MOVE", "/dav/a.txt", "/dav/sub/b.txt", &[("overwrite", "F")], 412)]
#[case("MOVE", "/dav/a.txt", "/dav/sub/b.txt", &[("overwrite", "T")], 204)]
#[case("MOVE", "/dav/a.txt", "/dav/none/b.txt", &[], 409)]
#[case("MOVE", "/dav/a.txt", "/dav/a.txt", &[], 403)]
#[case("MOVE", "/dav/sub", "/dav/sub/deep", &[], 403)]
#[case("MOVE", "/dav/sub/b.txt", "/dav/sub", &[], 403)]
#[case("MOVE", "/dav/", "/dav/x", &[], 403)]
#[case("MOVE", "/dav/none", "/dav/x", &[], 404)]
#[case("MOVE", "/dav/a.txt", "http://elsewhere/dav/x", &[], 502)]
#[case("MOVE", "/dav/a.txt", "/other/x", &[], 403)]
#[case("MOVE", "/dav/a.txt", "/dav/../x", &[], 403)]
#[case("MOVE", "/dav/a.txt", "nowhere", &[], 400)]
#[case("MOVE", "/dav/sub", "/dav/x", &[("depth", "0")], 400)]
#[case("MOVE", "/dav/sub", "/dav/a.txt", &[], 204)]
#[case("COPY", "/dav/a.txt", "/dav/x", &[], 201)]
#[case("COPY", "/dav/sub", "/dav/x", &[], 201)]
#[case("COPY", "/dav/sub", "/dav/x", &[("depth", "1")], 400)]
#[case("COPY", "/dav/a.txt", "/dav/sub", &[], 204)]
fn copies_and_moves_have_their_statuses(
    #[case] method: &str,
    #[case] path: &str,
    #[case] destination: &str,
    #[case] others: &[(&str, &str)],
    #[case] status: u16,
) {
    let mut headers = vec![("destination", destination)];
    headers.extend(others);
    assert_eq!(Bench::new().status(method, path, &headers, ""), status);
}

#[test]
fn a_move_leaves_nothing_behind_and_a_copy_does() {
    let bench = Bench::new();
    let go = |method: &str, from: &str, to: &str, depth: &str| {
        bench.status(method, from, &[("destination", to), ("depth", depth)], "")
    };
    assert_eq!(go("COPY", "/dav/sub", "/dav/twin", "infinity"), 201);
    assert_eq!(go("COPY", "/dav/sub", "/dav/empty", "0"), 201);
    assert_eq!(go("MOVE", "/dav/sub", "/dav/moved", "infinity"), 201);
    assert_eq!(bench.text("twin/b.txt").unwrap(), "b");
    assert_eq!(bench.text("moved/b.txt").unwrap(), "b");
    assert!(!bench.root().join("sub").exists());
    assert_eq!(fs::read_dir(bench.root().join("empty")).unwrap().count(), 0);
    assert_eq!(bench.status("MOVE", "/dav/moved", &[], ""), 400);
}

#[test]
fn links_lead_within_the_share_and_never_out_of_it() {
    let bench = Bench::new();
    let secret = bench.folder.path().join("secret");
    symlink(&secret, bench.root().join("out")).unwrap();
    symlink(bench.folder.path(), bench.root().join("up")).unwrap();
    symlink("sub", bench.root().join("in")).unwrap();
    symlink("nothing", bench.root().join("broken")).unwrap();
    assert_eq!(bench.status("GET", "/dav/in/b.txt", &[], ""), 200);
    for (method, path) in [
        ("GET", "/dav/out"),
        ("PUT", "/dav/out"),
        ("DELETE", "/dav/up/secret"),
        ("GET", "/dav/up/secret"),
        ("PUT", "/dav/up/new"),
        ("MKCOL", "/dav/up/new"),
    ] {
        assert_eq!(bench.status(method, path, &[], ""), 403, "{method} {path}");
    }
    let out = [("destination", "/dav/up/new")];
    assert_eq!(bench.status("COPY", "/dav/a.txt", &out, ""), 403);
    assert_eq!(bench.status("GET", "/dav/broken", &[], ""), 404);
    let listed = body(&bench.send("PROPFIND", "/dav/", &[("depth", "1")], ""));
    assert!(listed.contains("/dav/in/"));
    assert!(
        !["out", "up", "broken"]
            .iter()
            .any(|name| listed.contains(&format!("/dav/{name}")))
    );
    assert_eq!(fs::read_to_string(&secret).unwrap(), "hidden");
    let names: Vec<_> = fs::read_dir(bench.folder.path()).unwrap().collect();
    assert_eq!(names.len(), 2);
}

#[test]
fn a_folder_is_listed_one_level_deep() {
    let bench = Bench::new();
    fs::write(bench.root().join("sub/x & <y>#1"), "four").unwrap();
    let answer = bench.send("PROPFIND", "/dav/sub", &[("depth", "1")], "");
    assert_eq!(answer.status.as_u16(), 207);
    let text = body(&answer);
    let hrefs: Vec<&str> = text
        .split("<D:href>")
        .skip(1)
        .filter_map(|rest| rest.split("</D:href>").next())
        .collect();
    assert_eq!(
        hrefs,
        [
            "/dav/sub/",
            "/dav/sub/b.txt",
            "/dav/sub/x%20%26%20%3Cy%3E%231"
        ]
    );
    assert!(text.contains("<D:displayname>x &amp; &lt;y&gt;#1</D:displayname>"));
    assert!(text.contains("<D:getcontentlength>4</D:getcontentlength>"));
    assert_eq!(text.matches("<D:collection/>").count(), 1);
    let shallow = body(&bench.send("PROPFIND", "/dav/sub/", &[("depth", "0")], ""));
    assert_eq!(shallow.matches("<D:href>").count(), 1);
}

#[test]
fn properties_that_are_not_there_are_told_apart() {
    let bench = Bench::new();
    let wanted = "<d:propfind xmlns:d='DAV:' xmlns:o='urn:o'><d:prop><d:getcontentlength/><o:sums/><d:lockdiscovery/>\
                  </d:prop></d:propfind>";
    let text = body(&bench.send("PROPFIND", "/dav/a.txt", &[("depth", "0")], wanted));
    let (there, missing) = text.split_once("HTTP/1.1 200 OK").unwrap();
    assert!(there.contains("<D:getcontentlength>10<") && !there.contains("getetag"));
    assert!(missing.contains("<sums xmlns=\"urn:o\"/><D:lockdiscovery/>"));
    assert!(missing.contains("404 Not Found"));
}

#[rstest]
#[case("infinity", "", 403, "propfind-finite-depth")]
#[case("2", "", 400, "Depth")]
#[case("0", "<x", 400, "propfind")]
fn what_a_propfind_cannot_have_is_said(
    #[case] depth: &str,
    #[case] text: &str,
    #[case] status: u16,
    #[case] said: &str,
) {
    let bench = Bench::new();
    let answer = bench.send("PROPFIND", "/dav/", &[("depth", depth)], text);
    assert_eq!(answer.status.as_u16(), status);
    assert!(body(&answer).contains(said));
    assert_eq!(bench.status("PROPFIND", "/dav/", &[], ""), 403);
}
