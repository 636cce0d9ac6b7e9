//! The transfer service: its users, its switches, and that it shows what jobs see (paracloud.md §6 and §10).

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::header::WWW_AUTHENTICATE;

use super::*;

/// A volume with its credentials.
struct Transfer {
    id: String,
    username: String,
    password: String,
}

fn volume(bench: &Bench) -> Transfer {
    let created = bench
        .send("POST", &bench.place("NC-N30/volumes"), "{\"service\":{}}")
        .body;
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    assert_eq!(
        created["service"]["address"]["webdav"],
        "http://127.0.0.1:4711/webdav"
    );
    Transfer {
        id: text(&created["id"]),
        username: text(&created["service"]["username"]),
        password: text(&created["service"]["password"]),
    }
}

fn basic(username: &str, password: &str) -> HeaderMap {
    let value = format!(
        "Basic {}",
        STANDARD.encode(format!("{username}:{password}"))
    );
    HeaderMap::from_iter([(AUTHORIZATION, HeaderValue::from_str(&value).unwrap())])
}

impl Transfer {
    fn send(&self, bench: &Bench, method: &str, path: &str, body: &str) -> u16 {
        let headers = basic(&self.username, &self.password);
        bench
            .send_raw(method, &format!("/webdav{path}"), headers, body)
            .status
    }
}

#[tokio::test]
async fn a_job_and_the_transfer_service_see_the_same_files() {
    let bench = Bench::new();
    let transfer = volume(&bench);
    assert_eq!(transfer.send(&bench, "MKCOL", "/run", ""), 201);
    let script = "cat /data/in.txt > /data/run/out.txt; basename \"$0\" >> /data/run/out.txt\n";
    assert_eq!(transfer.send(&bench, "PUT", "/run/run.sh", script), 201);
    assert_eq!(
        transfer.send(&bench, "PUT", "/in.txt", "from outside\n"),
        201
    );
    let (status, output) = bench
        .run_to_end(&json!({
            "name": "job", "image": "debian:12", "command": ["sh", "/data/run/run.sh"],
            "volumeMounts": [{"name": transfer.id, "mountPath": "/data"}],
        }))
        .await;
    assert_eq!(status["state"], "Succeeded", "{output}");
    assert_eq!(transfer.send(&bench, "GET", "/run/out.txt", ""), 200);
    let folder = bench
        .launcher
        .volume_directory(SERVICE, &transfer.id)
        .unwrap();
    assert_eq!(
        fs::read_to_string(folder.join("run/out.txt")).unwrap(),
        "from outside\nrun.sh\n"
    );
    // What the job reads was rewritten for it, and the file was not.
    assert_eq!(
        fs::read_to_string(folder.join("run/run.sh")).unwrap(),
        script
    );
}

#[test]
fn each_volume_has_a_user_of_its_own() {
    let bench = Bench::new();
    let (first, second) = (volume(&bench), volume(&bench));
    assert_eq!(first.send(&bench, "PUT", "/x", "1"), 201);
    assert_eq!(second.send(&bench, "GET", "/x", ""), 404);
    for headers in [
        HeaderMap::new(),
        basic(&first.username, &second.password),
        basic("nobody", &first.password),
    ] {
        let seen = bench.send_raw("GET", "/webdav/x", headers, "");
        assert_eq!(seen.status, 401);
        assert!(seen.headers.contains_key(WWW_AUTHENTICATE));
    }
    let path = bench.place(&format!("NC-N30/volumes/{}", first.id));
    assert_eq!(bench.send("DELETE", &path, "").status, 204);
    assert_eq!(first.send(&bench, "GET", "/x", ""), 401);
    // A token of the API is none of the transfer service.
    assert_eq!(bench.send("GET", "../../webdav/x", "").status, 404);
}

#[test]
fn switches_bend_the_transfer_service() {
    let bench = Bench::new();
    bench.configure(&json!({"transfer_ready_s": 5.0, "transfer_missing_parent": 404}));
    let transfer = volume(&bench);
    assert_eq!(transfer.send(&bench, "PUT", "/x", "1"), 401);
    bench.pass(5);
    assert_eq!(transfer.send(&bench, "PUT", "/none/x", "1"), 404);
    bench.configure(&json!({"transfer_refuse_writes": 507}));
    assert_eq!(transfer.send(&bench, "PUT", "/x", "1"), 507);
    assert_eq!(transfer.send(&bench, "GET", "/x", ""), 404);
    bench.configure(&json!({"transfer_refuse_writes": null}));
    assert_eq!(transfer.send(&bench, "PUT", "/x", "1"), 201);
    let requests = &bench.service.summary()["requests"];
    assert_eq!(
        (&requests["WriteFile"], &requests["ReadFile"]),
        (&json!(4), &json!(1))
    );
}

#[test]
fn a_body_goes_to_a_file_once_its_user_is_known() {
    let bench = Bench::new();
    let transfer = volume(&bench);
    let intake = |method: &str, headers: HeaderMap| {
        bench.service.intake(&RawRequest {
            method: method.parse().unwrap(),
            target: "/webdav/x".to_owned(),
            headers,
            body: Bytes::new(),
            upload: None,
        })
    };
    let known = || basic(&transfer.username, &transfer.password);
    assert!(matches!(intake("PUT", known()), Intake::File(_)));
    assert_eq!(intake("PROPFIND", known()), Intake::Memory);
    assert_eq!(intake("PUT", HeaderMap::new()), Intake::Nowhere);
}
