//! Files over real sockets: what goes over the wire when a body streams (paracloud.md §6.2).

use std::io;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::StreamExt as _;
use futures_util::stream::{self, BoxStream};
use gpujob::ambient::{OsEntropy, SystemClock};
use gpujob::error::Result;
use gpujob::http::{BaseUrl, BodySource, Live, Patience, Session, TrustSettings};
use gpujob::model::FilePath;
use gpujob::provider::FileSink;
use gpujob::provider::paracloud::ParacloudDialect;
use gpujob::secret::Secret;
use gpujob::sign::Bearer;
use gpujob::webdav::{Access, Client};

use super::bench::Notebook;
use crate::support::scripted::{Scripted, Step};

fn client(server: &Scripted) -> Client {
    let notebook = Arc::new(Notebook::default());
    let live = Arc::new(Live::new(
        TrustSettings::default(),
        Duration::from_secs(10),
        Arc::<Notebook>::clone(&notebook),
    ));
    let account = Session {
        provider: "paracloud".to_owned(),
        transport: Arc::<Live>::clone(&live),
        signer: Arc::new(Bearer::new(&Secret::new("token")).unwrap()),
        dialect: Arc::new(ParacloudDialect::new(Vec::new())),
        clock: Arc::new(SystemClock),
        entropy: Arc::new(OsEntropy),
        reporter: notebook,
        patience: Patience {
            retries: 0,
            deadline: None,
            read_limit: Duration::from_secs(60),
        },
    };
    let access = Access {
        base: BaseUrl::parse(&server.url()).unwrap(),
        username: "user".to_owned(),
        password: Secret::new("hunter2"),
        label: "volume".to_owned(),
        created_at: None,
    };
    Client::new(&account, live, access).unwrap()
}

/// The answer about one file.
fn told(href: &str, length: usize) -> Step {
    let body = format!(
        "<multistatus xmlns=\"DAV:\"><response><href>{href}</href><propstat><prop><resourcetype/>\
         <getcontentlength>{length}</getcontentlength></prop><status>HTTP/1.1 200 OK</status></propstat></response>\
         </multistatus>"
    );
    Step::answer("207 Multi-Status", &[], &body)
}

#[derive(Debug)]
struct Pieces(Vec<&'static str>);

impl BodySource for Pieces {
    fn length(&self) -> u64 {
        self.0.concat().len().try_into().unwrap()
    }

    fn open(&self) -> io::Result<BoxStream<'static, io::Result<Bytes>>> {
        let pieces: Vec<_> = self.0.iter().map(|piece| Ok(Bytes::from(*piece))).collect();
        Ok(stream::iter(pieces).boxed())
    }
}

#[derive(Debug, Default)]
struct Basket(Vec<u8>);

impl FileSink for Basket {
    fn begin(&mut self, _length: Option<u64>) {}

    fn write(&mut self, bytes: &[u8]) -> Result<bool> {
        self.0.extend_from_slice(bytes);
        Ok(true)
    }
}

fn path() -> FilePath {
    FilePath::parse("/x.bin").unwrap()
}

#[tokio::test]
async fn a_body_that_streams_has_a_length_and_is_not_chunked() {
    let server = Scripted::start([
        Step::answer("404 Not Found", &[], ""),
        Step::answer("201 Created", &[], ""),
        told("/x.bin.gpujob-part", 9),
        Step::answer("204 No Content", &[], ""),
        told("/x.bin", 9),
    ]);
    let source = Pieces(vec!["abc", "", "defghi"]);
    client(&server).put(&path(), &source).await.unwrap();
    let requests = server.finish();
    let put = requests[1].to_ascii_lowercase();
    assert!(
        put.starts_with("put /x.bin.gpujob-part http/1.1\r\n"),
        "{put}"
    );
    assert!(put.contains("content-length: 9\r\n"), "{put}");
    assert!(!put.contains("transfer-encoding"), "{put}");
    assert!(put.ends_with("\r\n\r\nabcdefghi"), "{put}");
    assert!(requests[3].starts_with("MOVE /x.bin.gpujob-part HTTP/1.1\r\n"));
}

#[tokio::test]
async fn an_empty_file_is_sent_as_one() {
    let server = Scripted::start([
        Step::answer("404 Not Found", &[], ""),
        Step::answer("201 Created", &[], ""),
        told("/x.bin.gpujob-part", 0),
        Step::answer("204 No Content", &[], ""),
        told("/x.bin", 0),
    ]);
    client(&server)
        .put(&path(), &Pieces(Vec::new()))
        .await
        .unwrap();
    let put = server.finish()[1].to_ascii_lowercase();
    assert!(put.contains("content-length: 0\r\n"), "{put}");
}

#[tokio::test]
async fn a_connection_that_breaks_in_the_body_costs_only_the_rest() {
    let rest = Step::answer(
        "206 Partial Content",
        &[("content-range", "bytes 5-9/10")],
        "56789",
    );
    let server = Scripted::start([
        told("/x.bin", 10),
        Step::half_body("200 OK", 10, "01234"),
        rest,
    ]);
    let mut basket = Basket::default();
    client(&server).get(&path(), &mut basket).await.unwrap();
    assert_eq!(basket.0, b"0123456789");
    let requests = server.finish();
    assert!(
        requests[2].contains("range: bytes=5-\r\n"),
        "{}",
        requests[2]
    );
}
