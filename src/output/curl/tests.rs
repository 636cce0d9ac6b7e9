//! The commands are run by a real shell whose curl and openssl are functions of the test: nothing is sent.

use std::collections::BTreeMap;
use std::process::Command;

use http::{HeaderName, HeaderValue, Method};

use crate::http::{BaseUrl, Target, Template};
use crate::model::{Backend, Refusal, RefusalCode};
use crate::output::json::{PlanEntry, PlanOutcome};
use crate::output::samples;
use crate::provider::Assessment;
use crate::secret::Secret;

use super::script;

/// curl prints its arguments, openssl what it was fed, each in brackets; time and nonce stand still.
const STUBS: &str = r#"
set -eu
curl() { for argument in "$@"; do printf '<%s>\n' "$argument"; done; }
date() { case "$*" in *%s) echo 1775016000;; *) echo 2026-01-06T08:09:10Z;; esac; }
openssl() {
  case "$1" in
    rand) echo 8f14e45fceea167a5a36dedd4bea2543; return;;
    base64) cat; return;;
  esac
  { printf '[%s]\n' "$(cat)"; } >&2
  echo "digest *stdin"
}
"#;

fn entry<'a>(
    backend: Backend,
    outcome: PlanOutcome<'a>,
    secrets: &'a BTreeMap<String, Secret>,
) -> PlanEntry<'a> {
    PlanEntry {
        provider: backend.as_str(),
        backend,
        outcome,
        estimated_cost: None,
        secrets,
    }
}

/// What curl was called with, and what openssl was fed.
fn run(script: &str, variables: &[(&str, &str)]) -> (Vec<String>, String) {
    let output = Command::new("/bin/sh")
        .args(["-c", &format!("{STUBS}\n{script}")])
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .envs(variables.iter().copied())
        .output()
        .unwrap();
    let fed = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{script}\n{fed}");
    let printed = String::from_utf8(output.stdout).unwrap();
    let arguments = printed
        .trim_end()
        .trim_start_matches('<')
        .trim_end_matches('>')
        .split(">\n<")
        .map(str::to_owned)
        .collect();
    (arguments, fed)
}

fn argument_after<'a>(arguments: &'a [String], flag: &str) -> &'a str {
    let at = arguments.iter().position(|word| word == flag).unwrap();
    &arguments[at + 1]
}

#[test]
fn a_body_survives_a_real_shell_and_secrets_come_from_variables() {
    let secrets = BTreeMap::from([("WANDB_KEY".to_owned(), Secret::new("s3cr\"et'7"))]);
    let mut plan = samples::plan();
    let body = serde_json::json!({
        "command": ["sh", "-c", "echo 'it'\\''s' \"$HOME\" `id` \u{202e}"],
        "env": {"KEY": "s3cr\"et'7"},
    });
    let base = BaseUrl::parse("https://eci.example/x").unwrap();
    let target = Target::new("/api/v1").segment("my [lab]").query("a", "b c");
    plan.requests = vec![
        Template::new("Create", Method::POST, &base, target)
            .with_json("application/json", &body)
            .unwrap()
            .with_header(
                HeaderName::from_static("x-extra"),
                HeaderValue::from_static("hidden-value"),
            ),
    ];
    let text = script(&entry(
        Backend::Paracloud,
        PlanOutcome::Planned(&plan),
        &secrets,
    ));
    assert!(
        !text.contains("s3cr") && !text.contains("hidden-value"),
        "{text}"
    );
    let (arguments, _) = run(
        &text,
        &[
            ("PARA_TOKEN", "t0k"),
            ("WANDB_KEY", "s3cr\\\"et'7"),
            ("X_EXTRA", "hidden-value"),
        ],
    );
    let sent: serde_json::Value =
        serde_json::from_str(argument_after(&arguments, "--data-raw")).unwrap();
    assert_eq!(sent, body);
    assert!(arguments.contains(&"authorization: Bearer t0k".to_owned()));
    assert!(arguments.contains(&"x-extra: hidden-value".to_owned()));
    assert_eq!(
        arguments.last().unwrap(),
        "https://eci.example/x/api/v1/my%20%5Blab%5D?a=b%20c"
    );
}

#[test]
fn the_script_of_a_plan_reads_like_this() {
    let plan = samples::plan();
    let text = script(&entry(
        Backend::Paracloud,
        PlanOutcome::Planned(&plan),
        &BTreeMap::new(),
    ));
    insta::assert_snapshot!(text, @r#"
    # paracloud: CreateContainerGroup
    # set first: PARA_TOKEN SECRET_1
    body='{"name":"bert","containers":[{"command":["env","LR=3e-5","WANDB_KEY='"${SECRET_1}"'","python","/data/it'\''s.py"],"image":"registry.example/team/bert:1.4"}]}'
    curl --globoff --path-as-is --fail-with-body --silent --show-error \
      --request POST \
      --header 'accept: application/json' \
      --header 'content-type: application/json' \
      --header "authorization: Bearer $PARA_TOKEN" \
      --data-raw "$body" \
      'https://eci.example:8443/api/v1/namespaces/k8r2wq/containerGroups'
    "#);
}

#[test]
fn acs3_signs_what_the_contract_says() {
    let mut plan = samples::plan();
    let base = BaseUrl::parse("https://pai-dlc.cn-hangzhou.aliyuncs.com").unwrap();
    let header = |name, value| {
        (
            HeaderName::from_static(name),
            HeaderValue::from_static(value),
        )
    };
    let mut template = Template::new(
        "CreateJob",
        Method::POST,
        &base,
        Target::new("/api/v1/jobs")
            .query("b", "2 3")
            .query("a", "/"),
    )
    .with_json(
        "application/json; charset=utf-8",
        &serde_json::json!({"a": "训"}),
    )
    .unwrap();
    for (name, value) in [
        header("x-acs-action", "CreateJob"),
        header("x-acs-version", "2020-12-03"),
    ] {
        template = template.with_header(name, value);
    }
    plan.requests = vec![template];
    let text = script(&entry(
        Backend::PaiDlc,
        PlanOutcome::Planned(&plan),
        &BTreeMap::new(),
    ));
    let keys = [
        ("ALIBABA_CLOUD_ACCESS_KEY_ID", "AKID"),
        ("ALIBABA_CLOUD_ACCESS_KEY_SECRET", "hush"),
    ];
    let (arguments, fed) = run(&text, &keys);
    assert_eq!(
        fed,
        "[{\"a\":\"训\"}]\n\
         [POST\n/api/v1/jobs\na=%2F&b=2%203\ncontent-type:application/json; charset=utf-8\n\
         host:pai-dlc.cn-hangzhou.aliyuncs.com\nx-acs-action:CreateJob\nx-acs-content-sha256:digest\n\
         x-acs-date:2026-01-06T08:09:10Z\nx-acs-signature-nonce:8f14e45fceea167a5a36dedd4bea2543\n\
         x-acs-version:2020-12-03\n\n\
         content-type;host;x-acs-action;x-acs-content-sha256;x-acs-date;x-acs-signature-nonce;x-acs-version\n\
         digest]\n\
         [ACS3-HMAC-SHA256\ndigest]\n"
    );
    assert!(arguments.iter().any(|word| {
        word.starts_with(
            "authorization: ACS3-HMAC-SHA256 Credential=AKID,SignedHeaders=content-type;host;",
        ) && word.ends_with(",Signature=digest")
    }));
    let token = ("ALIBABA_CLOUD_SECURITY_TOKEN", "sts token");
    let (arguments, fed) = run(&text, &[keys[0], keys[1], token]);
    assert!(fed.contains(
        "\nx-acs-date:2026-01-06T08:09:10Z\nx-acs-security-token:sts token\nx-acs-signature-nonce:"
    ));
    assert!(fed.contains(";x-acs-date;x-acs-security-token;x-acs-signature-nonce;"));
    assert!(arguments.contains(&"x-acs-security-token: sts token".to_owned()));
}

#[test]
fn gongji_is_signed_only_with_a_key() {
    let mut plan = samples::plan();
    let base = BaseUrl::parse("https://openapi.suanli.cn").unwrap();
    plan.requests = vec![
        Template::new(
            "stop",
            Method::POST,
            &base,
            Target::new("/api/task/job/stop"),
        )
        .with_json("application/json", &serde_json::json!({"task_id": 42}))
        .unwrap(),
    ];
    let text = script(&entry(
        Backend::Gongji,
        PlanOutcome::Planned(&plan),
        &BTreeMap::new(),
    ));
    let (arguments, fed) = run(&text, &[("SUANLI_TOKEN", "tok")]);
    assert_eq!(fed, "");
    assert!(!arguments.iter().any(|word| word.starts_with("sign_str")));
    assert!(arguments.contains(&"timestamp: 1775016000000".to_owned()));
    let (arguments, fed) = run(
        &text,
        &[("SUANLI_TOKEN", "tok"), ("SUANLI_RSA_PRIVATE_KEY", "PEM")],
    );
    assert_eq!(
        fed,
        "[/api/task/job/stop\n1.0.0\n1775016000000\ntok\n{\"task_id\":42}]\n"
    );
    assert!(
        arguments
            .iter()
            .any(|word| word.starts_with("sign_str: digest"))
    );
}

#[test]
fn a_refused_plan_is_comments() {
    let mut assessment = Assessment::default();
    assessment.refuse(Refusal::new(
        RefusalCode::UnsupportedField,
        "workdir",
        "no such\nconcept",
    ));
    let text = script(&entry(
        Backend::Cyclecloud,
        PlanOutcome::Refused(&assessment),
        &BTreeMap::new(),
    ));
    assert_eq!(
        text,
        "# cyclecloud cannot run this job\n#   workdir: no such concept\n"
    );
}
