//! Proxies come from the environment, so these tests run themselves again in one of their own.

use std::env;
use std::process::{Command, Output};

use gpujob::error::Kind;
use gpujob::http::{Fate, Safety};

use super::bench::{Bench, Setting};
use crate::support::scripted::{Scripted, Step};

/// Where the inner test finds the base URL to call.
const BASE: &str = "GPUJOB_TEST_BASE";

/// Runs one ignored test of this binary with exactly these variables.
fn run_inner(test: &str, variables: &[(&str, &str)]) -> Output {
    Command::new(env::current_exe().unwrap())
        .args(["--ignored", "--exact", test])
        .env_clear()
        .envs(variables.iter().copied())
        .output()
        .unwrap()
}

fn assert_passed(output: &Output) {
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success() && text.contains("1 passed"),
        "{text}"
    );
}

#[test]
fn loopback_is_called_without_a_proxy() {
    let server = Scripted::start([Step::answer("200 OK", &[], "{}")]);
    let proxy = Scripted::start([]);
    let output = run_inner(
        "transport::proxy::inner_call_that_succeeds",
        &[
            (BASE, &server.url()),
            ("HTTP_PROXY", &proxy.url()),
            ("http_proxy", &proxy.url()),
            ("ALL_PROXY", &proxy.url()),
        ],
    );
    assert_passed(&output);
    assert!(proxy.finish().is_empty());
    assert_eq!(server.finish().len(), 1);
}

#[test]
fn a_proxy_that_refuses_is_temporary_and_nothing_was_sent() {
    let proxy = Scripted::start([Step::answer("403 Forbidden", &[], "")]);
    let output = run_inner(
        "transport::proxy::inner_call_that_gets_no_connection",
        &[(BASE, "https://eci.invalid"), ("HTTPS_PROXY", &proxy.url())],
    );
    assert_passed(&output);
    let requests = proxy.finish();
    assert!(
        requests[0].starts_with("CONNECT eci.invalid:443 "),
        "{requests:?}"
    );
    assert!(
        !requests[0].contains("hunter2"),
        "the token is for the service alone"
    );
}

#[test]
fn a_host_of_no_proxy_is_called_directly() {
    let proxy = Scripted::start([]);
    // The longest label a resolver refuses by itself: so nothing is asked outside this machine.
    let base = format!("https://{}.invalid", "a".repeat(64));
    let output = run_inner(
        "transport::proxy::inner_call_that_gets_no_connection",
        &[
            (BASE, &base),
            ("HTTPS_PROXY", &proxy.url()),
            ("NO_PROXY", ".invalid"),
        ],
    );
    assert_passed(&output);
    assert!(proxy.finish().is_empty());
}

#[tokio::test(start_paused = true)]
#[ignore = "run by the tests above, in an environment of its own"]
async fn inner_call_that_succeeds() {
    let bench = Bench::new(&env::var(BASE).unwrap(), &Setting::default());
    bench.send(Safety::Once).await.unwrap();
}

#[tokio::test(start_paused = true)]
#[ignore = "run by the tests above, in an environment of its own"]
async fn inner_call_that_gets_no_connection() {
    let setting = Setting {
        retries: 0,
        ..Setting::default()
    };
    let bench = Bench::new(&env::var(BASE).unwrap(), &setting);
    let failure = bench.send(Safety::Once).await.unwrap_err();
    assert_eq!(failure.error.kind(), Kind::Temporary, "{failure:?}");
    assert_eq!((failure.fate, failure.attempts), (Fate::Unsent, 0));
}
