//! `api`: any request with the provider's own signature (cli.md §2, §10).

use std::fs::File;
use std::process::{Command, Output};

use rstest::rstest;

use crate::support::environment::TestEnvironment;
use crate::support::scripted::{Scripted, Step};

/// A world whose Paracloud is this script.
fn scripted(steps: impl IntoIterator<Item = Step>) -> (TestEnvironment, Scripted) {
    let server = Scripted::start(steps);
    let mut environment = TestEnvironment::empty();
    environment.set(
        "GPUJOB_PARACLOUD_BASE_URL",
        &format!("{}/eci", server.url()),
    );
    environment.set("PARA_TOKEN", "hunter2");
    (environment, server)
}

#[test]
fn a_query_is_encoded_as_the_signature_wants_it() {
    let environment = TestEnvironment::with_sandbox();
    let jobs = environment
        .run(&[
            "api",
            "pai-dlc",
            "GET",
            "/api/v1/jobs?DisplayName=a b+c",
            "-v",
        ])
        .expect(0);
    assert_eq!(jobs.json()["TotalCount"], 0);
    assert!(jobs.stderr.contains("HTTP 200 OK"), "{}", jobs.stderr);
    assert!(jobs.stderr.contains("request id: "), "{}", jobs.stderr);
    let same = [
        "-q",
        "WorkspaceId=310042",
        "-q",
        "DisplayName=a b+c",
        "--jq",
        ".TotalCount",
    ];
    let filtered = environment
        .run(&[&["api", "pai-dlc", "get", "/api/v1/jobs"], &same[..]].concat())
        .expect(0);
    assert_eq!(filtered.stdout, "0\n");
}

#[rstest]
#[case::pai_dlc("pai-dlc", "/api/v1/ecsspecs?PageSize=1", "EcsSpecs")]
#[case::aiworkspace("pai-dlc", "/api/v1/workspaces", "Workspaces")]
#[case::gongji("gongji", "/api/task/job/search?page=1&page_size=1", "data")]
#[case::cyclecloud("cyclecloud", "/clusters/lab/status", "nodearrays")]
#[case::paracloud("paracloud", "/api/v1beta2/clusters/-/instanceTypes", "instanceTypes")]
fn every_provider_takes_its_own_signature(
    #[case] provider: &str,
    #[case] path: &str,
    #[case] member: &str,
) {
    let environment = TestEnvironment::with_sandbox();
    let run = environment.run(&["api", provider, "GET", path]).expect(0);
    assert!(run.json().get(member).is_some(), "{}", run.stdout);
    assert_eq!(run.stderr, "");
}

#[rstest]
#[case::an_envelope("gongji", "/api/task/job/detail?task_id=5", 93, "C007")]
#[case::json_404("cyclecloud", "/clusters/none/status", 82, "not found")]
#[case::text_404("paracloud", "/nothing", 87, "404")]
#[case::a_refused_parameter("pai-dlc", "/api/v1/jobs?PageSize=no", 93, "PageSize")]
fn a_refusal_has_its_code_and_its_body(
    #[case] provider: &str,
    #[case] path: &str,
    #[case] code: i32,
    #[case] body: &str,
) {
    let environment = TestEnvironment::with_sandbox();
    let run = environment
        .run(&["api", provider, "GET", path, "-o", "json"])
        .expect(code);
    assert!(run.stdout.contains(body), "{}", run.stdout);
    assert_eq!(run.error()["error"]["provider"], provider);
}

#[test]
fn a_path_outside_the_table_needs_its_action() {
    let environment = TestEnvironment::with_sandbox();
    let path = ["api", "pai-dlc", "POST", "/api/v1/tensorboards", "-d", "{}"];
    let run = environment.run(&path).expect(80);
    assert!(run.stderr.contains("--action"), "{}", run.stderr);
    let named = [&path[..], &["--action", "CreateTensorboard"]].concat();
    let run = environment.run(&named);
    assert!(run.stdout.contains("InvalidApi.NotFound"), "{}", run.stdout);
    let elsewhere = ["api", "gongji", "GET", "/api/x", "--action", "X"];
    environment.run(&elsewhere).expect(80);
}

#[test]
fn what_was_written_is_what_is_sent() {
    let (environment, server) = scripted([Step::answer("201 Created", &[], "not json\u{1b}[31m")]);
    let body = environment.file("body.json", "{ \"a\":\n1 }");
    let run = environment
        .run(&[
            "api",
            "paracloud",
            "post",
            "/api/v1beta2/things/a:cancel?x=1",
            "-q",
            "y=ü",
            "-d",
            &format!("@{body}"),
            "-H",
            "X-Trace: 7",
            "-H",
            "accept: text/plain",
        ])
        .expect(0);
    assert_eq!(run.stdout, "not json\u{1b}[31m", "a pipe gets the bytes");
    let sent = server.finish().remove(0);
    let (head, body) = sent.split_once("\r\n\r\n").unwrap();
    assert!(
        head.starts_with("POST /eci/api/v1beta2/things/a:cancel?x=1&y=%C3%BC HTTP/1.1"),
        "{head}"
    );
    for line in [
        "x-trace: 7",
        "accept: text/plain",
        "content-type: application/json",
        "authorization: Bearer hunter2",
    ] {
        assert!(head.contains(line), "{head}");
    }
    assert_eq!(body, "{ \"a\":\n1 }");
}

#[test]
fn standard_input_is_a_body_too() {
    let (environment, server) = scripted([Step::answer("204 No Content", &[], "")]);
    let arguments = [
        "api",
        "paracloud",
        "PUT",
        "/x",
        "-d",
        "@-",
        "-H",
        "content-type: text/plain",
    ];
    environment.run_with_input(&arguments, "bytes").expect(0);
    let sent = server.finish().remove(0);
    assert!(sent.ends_with("\r\n\r\nbytes"), "{sent}");
    assert!(sent.contains("content-type: text/plain"), "{sent}");
}

#[test]
fn a_read_is_repeated_and_everything_else_is_sent_once() {
    let busy = || Step::answer("503 Service Unavailable", &[("retry-after", "0")], "busy");
    let (environment, _server) = scripted([busy(), Step::answer("200 OK", &[], "{}")]);
    let run = environment
        .run(&["api", "paracloud", "GET", "/x"])
        .expect(0);
    assert_eq!(run.stdout, "{}");
    for method in ["POST", "PUT", "PATCH", "DELETE"] {
        let (environment, _server) = scripted([busy()]);
        let run = environment
            .run(&["api", "paracloud", method, "/x"])
            .expect(86);
        assert_eq!(run.stdout, "busy");
    }
}

#[test]
fn a_redirect_is_not_followed_and_a_web_page_is_not_the_api() {
    let elsewhere = Step::answer("302 Found", &[("location", "http://127.0.0.1:1/")], "");
    let (environment, _server) = scripted([elsewhere]);
    environment
        .run(&["api", "paracloud", "GET", "/x"])
        .expect(87);
    let page = Step::answer("200 OK", &[("content-type", "text/html")], "<html></html>");
    let (environment, _server) = scripted([page]);
    let run = environment
        .run(&["api", "paracloud", "GET", "/x"])
        .expect(87);
    assert_eq!(run.stdout, "<html></html>");
}

#[test]
fn a_post_whose_answer_is_lost_has_an_unknown_outcome() {
    let (environment, _server) = scripted([Step::ResetAfterReading]);
    let post = ["api", "paracloud", "POST", "/x", "-d", "{}", "-o", "json"];
    let run = environment.run(&post).expect(88);
    assert_eq!(run.stdout, "");
    assert_eq!(run.error()["error"]["retryable"], false);
    let (environment, _server) = scripted([Step::ResetAfterReading]);
    let delete = ["api", "paracloud", "DELETE", "/x"];
    environment.run(&delete).expect(86);
}

#[rstest]
#[case::no_slash(&["GET", "x"], "begin with")]
#[case::a_url(&["GET", "https://h/x"], "base-url")]
#[case::a_method(&["FETCH", "/x"], "GET")]
#[case::a_body_of_a_read(&["GET", "/x", "-d", "{}"], "no body")]
#[case::our_header(&["GET", "/x", "-H", "authorization: hunter3"], "-H")]
#[case::no_header(&["GET", "/x", "-H", "hunter3"], "NAME: VALUE")]
#[case::no_pair(&["GET", "/x", "-q", "alone"], "KEY=VALUE")]
#[case::a_missing_file(&["POST", "/x", "-d", "@/no/such"], "/no/such")]
#[case::no_dry_run(&["GET", "/x", "--show-signature"], "--dry-run")]
fn what_is_wrong_is_told_before_anything_is_sent(#[case] arguments: &[&str], #[case] told: &str) {
    let (environment, _server) = scripted([]);
    let run = environment
        .run(&[&["api", "paracloud"], arguments].concat())
        .expect(80);
    assert!(run.stderr.contains(told), "{}", run.stderr);
    assert!(!run.stderr.contains("hunter3"), "{}", run.stderr);
}

/// The request is done, and the answer may hold what is shown but once.
#[rstest]
#[case::no_json("plain", ".a", 87, "not_json")]
#[case::torn("{\"a\":", ".a", 87, "not_json")]
#[case::no_fit("{\"a\":1}", ".a.b", 80, "jq_failed")]
fn an_answer_that_jq_cannot_filter_is_printed_all_the_same(
    #[case] body: &str,
    #[case] expression: &str,
    #[case] code: i32,
    #[case] word: &str,
) {
    let (environment, _server) = scripted([Step::answer("201 Created", &[], body)]);
    let run = environment
        .run(&["api", "paracloud", "POST", "/x", "--jq", expression])
        .expect(code);
    assert_eq!(run.stdout, body);
    let error = &run.error()["error"];
    assert_eq!(
        (&error["code"], &error["provider"]),
        (&word.into(), &"paracloud".into())
    );
}

#[rstest]
#[case::nothing("204 No Content", "", ".", "")]
#[case::a_byte_order_mark("200 OK", "\u{feff}{\"a\":1}", ".a", "1\n")]
#[case::a_number_beyond_a_double("200 OK", "{\"a\":1E400}", ".a", "1E400\n")]
#[case::control_characters("200 OK", "{\"a\":\"\\u001b[0m\\r\"}", ".a", "\u{1b}[0m\r\n")]
fn an_odd_answer_is_filtered_too(
    #[case] status: &str,
    #[case] body: &str,
    #[case] expression: &str,
    #[case] expected: &str,
) {
    let (environment, _server) = scripted([Step::answer(status, &[], body)]);
    let run = environment
        .run(&["api", "paracloud", "DELETE", "/x", "--jq", expression])
        .expect(0);
    assert_eq!((run.stdout.as_str(), run.stderr.as_str()), (expected, ""));
}

#[rstest]
#[case::success(r#"{"code":"0000","data":null}"#, 0)]
#[case::an_error_envelope(r#"{"code":"C999","message":"no","data":null}"#, 93)]
#[case::an_error_envelope_with_a_byte_order_mark("\u{feff}{\"code\":\"C999\"}", 93)]
#[case::nothing("", 87)]
#[case::torn("{\"a\":", 87)]
#[case::no_code(r#"{"foo":1}"#, 87)]
#[case::null(r#"{"code":null}"#, 87)]
#[case::a_list("[1]", 87)]
fn gongji_answers_in_an_envelope_or_it_is_not_gongji(#[case] body: &str, #[case] code: i32) {
    let server = Scripted::start([Step::answer("200 OK", &[], body)]);
    let mut environment = TestEnvironment::empty();
    environment.set("GPUJOB_GONGJI_BASE_URL", &server.url());
    environment.set("SUANLI_TOKEN", "hunter2");
    let run = environment
        .run(&["api", "gongji", "GET", "/api/task/job/search"])
        .expect(code);
    assert_eq!(run.stdout, body);
}

#[test]
fn a_write_without_a_body_has_the_content_type_that_its_service_asks_for() {
    for method in ["POST", "PUT", "PATCH"] {
        let (environment, server) = scripted([Step::answer("200 OK", &[], "{}")]);
        let write = ["api", "paracloud", method, "/x"];
        environment.run(&write).expect(0);
        let sent = server.finish().remove(0);
        assert!(
            sent.contains("content-type: application/json\r\n"),
            "{sent}"
        );
        assert!(sent.contains("content-length: 0\r\n"), "{sent}");
    }
    let environment = TestEnvironment::with_sandbox();
    let dry_run = |arguments: &[&str]| {
        environment
            .run(&[&["api"], arguments, &["--dry-run=curl"]].concat())
            .expect(0)
            .stdout
    };
    let typed = "content-type: application/json";
    assert!(dry_run(&["gongji", "POST", "/api/x"]).contains(typed));
    let stop = ["pai-dlc", "POST", "/api/v1/jobs/x/stop", "-d", ""];
    assert!(!dry_run(&stop).contains(typed));
    assert!(!dry_run(&["paracloud", "DELETE", "/x"]).contains(typed));
}

/// curl and openssl are run for real where they are there, against the sandbox's verifier.
#[rstest]
#[case::pai_dlc("pai-dlc", &["GET", "/api/v1/jobs?DisplayName=a b+c"])]
#[case::gongji("gongji", &["GET", "/api/task/job/search?page=1&page_size=1"])]
#[case::paracloud("paracloud", &["GET", "/api/v1beta2/namespaces"])]
#[case::cyclecloud("cyclecloud", &["GET", "/clusters/lab/status"])]
fn the_curl_of_a_dry_run_is_accepted(
    #[case] provider: &str,
    #[case] request: &[&str],
    #[values(false, true)] shows_signature: bool,
) {
    let environment = TestEnvironment::with_sandbox();
    let flags: &[&str] = if shows_signature {
        &["--dry-run=curl", "--show-signature"]
    } else {
        &["--dry-run"]
    };
    let script = environment
        .run(&[&["api", provider], request, flags].concat())
        .expect(0)
        .stdout;
    let is_signed = script.contains("sign_str: ") || script.contains(",Signature=");
    assert_eq!(
        is_signed && !script.contains("openssl"),
        shows_signature && matches!(provider, "pai-dlc" | "gongji"),
        "{script}"
    );
    if !has_tools() {
        return;
    }
    let output = in_a_shell(&environment, &script, None);
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{script}\n{text}");
    let body: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert!(body.is_object());
}

fn has_tools() -> bool {
    ["curl", "openssl"]
        .iter()
        .all(|tool| Command::new(tool).arg("version").output().is_ok())
}

/// Runs the script as one that is piped into a shell, with the credentials of the sandbox; a private key may be another's.
fn in_a_shell(environment: &TestEnvironment, script: &str, key: Option<&str>) -> Output {
    let file = environment.file("script.sh", script);
    let names = [
        "PARA_TOKEN",
        "CYCLECLOUD_USERNAME",
        "CYCLECLOUD_PASSWORD",
        "SUANLI_TOKEN",
        "SUANLI_RSA_PRIVATE_KEY",
        "ALIBABA_CLOUD_ACCESS_KEY_ID",
        "ALIBABA_CLOUD_ACCESS_KEY_SECRET",
    ];
    Command::new("/bin/sh")
        .env_remove("http_proxy")
        .envs(names.map(|name| (name, environment.sandbox_variable(name))))
        .envs(key.map(|key| ("SUANLI_RSA_PRIVATE_KEY", key)))
        .stdin(File::open(file).unwrap())
        .output()
        .unwrap()
}

/// Longer than an argument may be, with blanks that JSON has and a shell's variable has not, and the key in one line.
#[rstest]
#[case::gongji("gongji", &["POST", "/api/task/job/stop"], "{\r\n\t\"task_id\": 5}\n\n")]
#[case::pai_dlc("pai-dlc", &["POST", "/api/v1/jobs", "-q", "a=0", "-q", "a-b=1"], "{\r\n\t\"JobType\": 5}\n\n")]
#[case::paracloud("paracloud", &["POST", "/api/v1beta2/namespaces"], "{\r\n\t\"a\": 5}\n\n")]
fn the_curl_of_a_body_is_answered_as_the_request_itself(
    #[case] provider: &str,
    #[case] request: &[&str],
    #[case] body: &str,
) {
    let environment = TestEnvironment::with_sandbox();
    let body = body.replacen('{', &format!("{{{}", " ".repeat(200_000)), 1);
    let body = format!("@{}", environment.file("body.json", &body));
    let arguments = [&["api", provider], request, &["-d", &body]].concat();
    let itself = environment.run(&arguments).stdout;
    let script = environment
        .run(&[&arguments[..], &["--dry-run"]].concat())
        .expect(0)
        .stdout;
    if !has_tools() {
        return;
    }
    let pem = environment.sandbox_variable("SUANLI_RSA_PRIVATE_KEY");
    let key: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
    let output = in_a_shell(&environment, &script, Some(&key));
    let without_id = |text: &str| {
        let mut body: serde_json::Value = serde_json::from_str(text).unwrap();
        body.as_object_mut().unwrap().remove("RequestId");
        body
    };
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(without_id(&text), without_id(&itself));
}
