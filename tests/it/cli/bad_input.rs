//! For each kind of bad input: a message that names the thing, the contract's exit code, nothing on stdout, nothing
//! submitted.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;

use rstest::rstest;

use crate::support::closed::ClosedPort;
use crate::support::environment::TestEnvironment;

/// The error names the thing, stdout is empty, and no job exists afterwards.
fn refused(environment: &TestEnvironment, arguments: &[&str], code: i32, names: &str) {
    let mut json = arguments.to_vec();
    json.insert(1, "--output=json");
    let run = environment.run(&json).expect(code);
    assert_eq!(run.stdout, "");
    let error = run.error();
    assert_eq!(error["schema"], "gpujob/error/v1");
    let text = run.stderr.as_str();
    assert!(
        text.to_lowercase().contains(&names.to_lowercase()),
        "`{names}` is not named in {text}"
    );
}

fn nothing_was_submitted(environment: &TestEnvironment) {
    let run = environment
        .run(&["status", "--all", "-o", "json"])
        .expect(0);
    assert_eq!(run.json()["items"].as_array().unwrap().len(), 0);
}

#[rstest]
#[case::unknown_key("imag: x\n", "image", 81)]
#[case::wrong_unit("image: x\ncommand: [a]\nresources: {memory: 64}\n", "memory", 81)]
#[case::bare_timeout("image: x\ncommand: [a]\ntimeout: 90\n", "timeout", 81)]
#[case::two_commands(
    "image: x\ncommand: [a]\nscript: b\nresources: {cpu: 1}\n",
    "script",
    81
)]
#[case::no_resources("image: x\ncommand: [a]\n", "resources", 81)]
#[case::command_text("image: x\ncommand: a b\n", "command", 81)]
fn a_bad_spec_is_refused(
    #[case] text: &str,
    #[case] names: &str,
    #[case] code: i32,
    #[values("paracloud", "cyclecloud", "gongji", "pai-dlc")] provider: &str,
) {
    let environment = TestEnvironment::with_sandbox();
    let job = environment.file("job.yaml", text);
    refused(&environment, &["submit", &job, "-p", provider], code, names);
    nothing_was_submitted(&environment);
}

#[rstest]
fn a_missing_image_is_refused(#[values("paracloud", "gongji", "pai-dlc")] provider: &str) {
    let environment = TestEnvironment::with_sandbox();
    refused(
        &environment,
        &["submit", "-p", provider, "--gpu", "A100", "--", "true"],
        81,
        "image",
    );
    nothing_was_submitted(&environment);
}

#[rstest]
fn an_unknown_type_is_not_found(
    #[values("paracloud", "cyclecloud", "gongji", "pai-dlc")] provider: &str,
) {
    let environment = TestEnvironment::with_sandbox();
    let arguments = [
        "submit",
        "-p",
        provider,
        "--image",
        "x",
        "--type",
        "no.such.type",
        "--",
        "true",
    ];
    refused(&environment, &arguments, 82, "no.such.type");
    nothing_was_submitted(&environment);
}

#[rstest]
fn a_gpu_nobody_has_is_a_matter_of_capacity(
    #[values("paracloud", "cyclecloud", "gongji", "pai-dlc")] provider: &str,
) {
    let environment = TestEnvironment::with_sandbox();
    let arguments = [
        "submit", "-p", provider, "--image", "x", "--gpu", "MI300X:7", "--", "true",
    ];
    refused(&environment, &arguments, 83, "MI300X");
    nothing_was_submitted(&environment);
}

#[test]
fn an_unknown_provider_is_not_found() {
    let environment = TestEnvironment::with_sandbox();
    refused(
        &environment,
        &[
            "submit",
            "-p",
            "paracluod",
            "--image",
            "x",
            "--gpu",
            "A100",
            "--",
            "true",
        ],
        82,
        "paracloud",
    );
}

#[test]
fn a_volume_of_another_cluster_is_refused_before_the_create() {
    let environment = TestEnvironment::with_sandbox();
    let run = environment
        .run(&[
            "volumes",
            "create",
            "-p",
            "paracloud",
            "--cluster",
            "NC-N30",
            "--no-transfer",
            "-q",
        ])
        .expect(0);
    let mount = format!("{}:/data", run.stdout.trim());
    let arguments = [
        "submit",
        "-p",
        "paracloud",
        "--image",
        "x",
        "--type",
        "n32h.xlarge",
        "--mount",
        &mount,
        "--",
        "true",
    ];
    refused(&environment, &arguments, 81, "NC-N30");
    nothing_was_submitted(&environment);
}

#[test]
fn a_missing_credential_is_a_matter_of_configuration() {
    let mut environment = TestEnvironment::with_sandbox();
    let config = environment.file("config.toml", "[providers.paracloud]\nnamespace = \"k8r2wq\"\n\n[providers.pai-dlc]\nregion = \"cn-hangzhou\"\nworkspace = \"1\"\n");
    environment.set("GPUJOB_CONFIG", &config);
    refused(&environment, &["types", "-p", "paracloud"], 85, "token");
    refused(&environment, &["types", "-p", "pai-dlc"], 85, "access");
}

#[test]
fn a_wrong_token_is_refused_at_once() {
    let mut environment = TestEnvironment::with_sandbox();
    environment.set("GPUJOB_PARACLOUD_TOKEN", "EXAMPLEKEYxNOTxREAL-1");
    refused(&environment, &["types", "-p", "paracloud"], 84, "paracloud");
}

#[test]
fn a_wrong_secret_is_refused_with_the_providers_own_code() {
    let mut environment = TestEnvironment::with_sandbox();
    environment.set("GPUJOB_PAI_DLC_ACCESS_KEY_SECRET", "notTheSecretOfThisKey");
    let run = environment
        .run(&["types", "-p", "pai-dlc", "-o", "json"])
        .expect(84);
    assert_eq!(
        run.error()["error"]["provider_code"],
        "SignatureDoesNotMatch"
    );
    assert!(run.error()["error"]["request_id"].is_string());
}

#[test]
fn a_clock_twenty_minutes_off_is_corrected_once_from_the_answer() {
    let environment = TestEnvironment::with_sandbox();
    environment.control("clock", r#"{"offset_s": 1200}"#);
    let run = environment.run(&["types", "-p", "pai-dlc"]).expect(0);
    assert!(run.stderr.contains("clock"), "{}", run.stderr);
}

/// A server that gives every connection the same answer.
fn canned(answer: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming().take(64) {
            let mut stream = stream.unwrap();
            let mut request = [0; 16 * 1024];
            if stream.read(&mut request).is_ok() {
                drop(stream.write_all(answer.as_bytes()));
            }
        }
    });
    url
}

const HTML: &str = "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 29\r\nConnection: close\r\n\r\n<html><body>hello</body></html";
const TRUNCATED: &str = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 12\r\nConnection: close\r\n\r\n{\"instanceTy";
const THROTTLED: &str = "HTTP/1.1 429 Too Many Requests\r\nContent-Type: application/json\r\nContent-Length: 36\r\nConnection: close\r\n\r\n{\"code\":429,\"message\":\"slow down!!\"}";
const BROKEN: &str = "HTTP/1.1 500 Internal Server Error\r\nContent-Type: application/json\r\nContent-Length: 28\r\nConnection: close\r\n\r\n{\"code\":500,\"message\":\"oh!\"}";

#[rstest]
#[case::html(HTML, 87, "page")]
#[case::truncated_json(TRUNCATED, 87, "JSON")]
#[case::throttled(THROTTLED, 86, "429")]
#[case::broken(BROKEN, 86, "500")]
fn a_strange_answer_is_told_for_what_it_is(
    #[case] answer: &'static str,
    #[case] code: i32,
    #[case] names: &str,
    #[values("paracloud", "cyclecloud", "gongji", "pai-dlc")] provider: &str,
) {
    let mut environment = TestEnvironment::with_sandbox();
    let name = format!(
        "GPUJOB_{}_BASE_URL",
        provider.to_uppercase().replace('-', "_")
    );
    environment.set(&name, &canned(answer));
    refused(
        &environment,
        &["types", "--retries=0", "-p", provider],
        code,
        names,
    );
}

#[rstest]
fn a_refused_connection_is_temporary(
    #[values("paracloud", "cyclecloud", "gongji", "pai-dlc")] provider: &str,
) {
    let closed = ClosedPort::take();
    let url = format!("http://{}", closed.address());
    let mut environment = TestEnvironment::with_sandbox();
    let name = format!(
        "GPUJOB_{}_BASE_URL",
        provider.to_uppercase().replace('-', "_")
    );
    environment.set(&name, &url);
    refused(
        &environment,
        &["types", "--retries=0", "-p", provider],
        86,
        "connect",
    );
}

#[rstest]
fn plain_http_to_another_host_is_refused(
    #[values("paracloud", "cyclecloud", "gongji", "pai-dlc")] provider: &str,
) {
    let mut environment = TestEnvironment::with_sandbox();
    let name = format!(
        "GPUJOB_{}_BASE_URL",
        provider.to_uppercase().replace('-', "_")
    );
    environment.set(&name, "http://eci.example");
    refused(&environment, &["types", "-p", provider], 85, "https");
}

#[test]
fn one_broken_provider_does_not_cost_the_rows_of_the_other() {
    let mut environment = TestEnvironment::with_sandbox();
    environment.set("GPUJOB_PARACLOUD_BASE_URL", &canned(HTML));
    let run = environment
        .run(&["types", "-o", "json", "--retries=0"])
        .expect(87);
    let document = run.json();
    assert!(!document["items"].as_array().unwrap().is_empty());
    assert_eq!(document["errors"][0]["kind"], "protocol");
    assert_eq!(run.error()["error"]["provider"], "paracloud");
    environment
        .run(&["types", "--best-effort", "--retries=0"])
        .expect(0);
}
