//! The commands are run by a real shell whose curl and openssl are functions of the test: nothing is sent.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::process::{Command, Output, Stdio};

use http::{HeaderName, HeaderValue, Method};

use crate::http::{BaseUrl, Target, Template};
use crate::model::{Backend, Refusal, RefusalCode};
use crate::output::json::{PlanEntry, PlanOutcome};
use crate::output::samples;
use crate::provider::Assessment;
use crate::secret::Secret;
use crate::sign::Scheme;

use crate::output::sanitize::is_dangerous;

use super::{one, script};

/// curl prints its arguments, and after `@-` what it was fed; openssl what it was fed, each in brackets; time and nonce stand still.
const STUBS: &str = r#"
set -eu
curl() {
  for argument in "$@"; do
    printf '<%s>\n' "$argument"
    case $argument in @-) printf '<%s>\n' "$(cat)";; esac
  done
}
date() { case "$*" in *%s) echo 1775016000;; *) echo 2026-01-06T08:09:10Z;; esac; }
openssl() {
  case "$1" in
    rand) echo 8f14e45fceea167a5a36dedd4bea2543; return;;
    base64) cat; return;;
    pkey) echo PEM; cat; return;;
  esac
  case "$3" in -sign) printf '{%s}\n' "$(cat "$4")" >&2;; esac
  { printf '[%s]\n' "$(cat)"; } >&2
  echo "digest *stdin"
}
"#;

fn entry<'a>(
    (backend, scheme): (Backend, Scheme),
    outcome: PlanOutcome<'a>,
    secrets: &'a BTreeMap<String, Secret>,
) -> PlanEntry<'a> {
    PlanEntry {
        provider: backend.as_str(),
        backend,
        scheme,
        outcome,
        estimated_cost: None,
        secrets,
    }
}

fn shell(name: &str, script: &str, variables: &[(&str, &str)]) -> Output {
    let mut child = Command::new(name)
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .envs(variables.iter().copied())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    input
        .write_all(format!("{STUBS}\n{script}").as_bytes())
        .unwrap();
    drop(input);
    child.wait_with_output().unwrap()
}

/// What curl was called with, and what openssl was fed.
fn run(script: &str, variables: &[(&str, &str)]) -> (Vec<String>, String) {
    let output = shell("sh", script, variables);
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
        (Backend::Paracloud, Scheme::Bearer),
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
    let sent: serde_json::Value = serde_json::from_str(argument_after(&arguments, "@-")).unwrap();
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
        (Backend::Paracloud, Scheme::Bearer),
        PlanOutcome::Planned(&plan),
        &BTreeMap::new(),
    ));
    insta::assert_snapshot!(text, @r#"
    # paracloud: CreateContainerGroup
    # set first: PARA_TOKEN SECRET_1
    body() { printf '%s' '{"name":"bert","containers":[{"command":["env","LR=3e-5","WANDB_KEY='"${SECRET_1}"'","python","/data/it'\''s.py"],"image":"registry.example/team/bert:1.4"}]}'; }
    body | curl --globoff --path-as-is --fail-with-body --silent --show-error \
      --request POST \
      --header 'accept: application/json' \
      --header 'content-type: application/json' \
      --header "authorization: Bearer $PARA_TOKEN" \
      --data-binary @- \
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
        (Backend::PaiDlc, Scheme::Acs3),
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

fn stop() -> Template {
    let base = BaseUrl::parse("https://openapi.suanli.cn").unwrap();
    let target = Target::new("/api/task/job/stop");
    Template::new("stop", Method::POST, &base, target)
        .with_json("application/json", &serde_json::json!({"task_id": 42}))
        .unwrap()
}

#[test]
fn a_simple_token_of_gongji_goes_without_a_signature() {
    let text = one("gongji", Backend::Gongji, Scheme::Token, &stop(), None);
    let (arguments, fed) = run(
        &text,
        &[("SUANLI_TOKEN", "tok"), ("SUANLI_RSA_PRIVATE_KEY", "PEM")],
    );
    assert_eq!(fed, "");
    assert!(!arguments.iter().any(|word| word.starts_with("sign_str")));
    assert!(arguments.contains(&"timestamp: 1775016000000".to_owned()));
    assert_eq!(argument_after(&arguments, "@-"), "{\"task_id\":42}");
}

#[test]
fn a_signed_token_of_gongji_goes_with_a_signature_or_not_at_all() {
    let text = one(
        "gongji",
        Backend::Gongji,
        Scheme::SignedToken,
        &stop(),
        None,
    );
    assert!(text.contains("# set first: SUANLI_RSA_PRIVATE_KEY SUANLI_TOKEN\n"));
    let token = ("SUANLI_TOKEN", "tok");
    let pem = "-----BEGIN X-----\nab\n-----END X-----";
    for (key, file) in [
        (pem, pem),
        (&pem.replace('\n', "\\n"), pem),
        (&pem.replace('\n', "\r\n"), pem),
        ("MIIab\\ncd==\n", "PEM\nMIIabcd=="),
    ] {
        let (arguments, fed) = run(&text, &[token, ("SUANLI_RSA_PRIVATE_KEY", key)]);
        assert_eq!(
            fed,
            format!(
                "{{{file}}}\n[/api/task/job/stop\n1.0.0\n1775016000000\ntok\n{{\"task_id\":42}}]\n"
            )
        );
        assert!(arguments.contains(&"sign_str: digest *stdin".to_owned()));
    }
    let output = shell("sh", &text, &[token]);
    assert!(!output.status.success());
    assert!(output.stdout.is_empty(), "nothing leaves without a key");
}

#[test]
fn the_credential_of_cyclecloud_is_that_of_its_session() {
    let base = BaseUrl::parse("https://cc.example").unwrap();
    let template = Template::new("read", Method::GET, &base, Target::new("/x"));
    let of = |scheme| one("cc", Backend::Cyclecloud, scheme, &template, None);
    assert!(of(Scheme::Basic).contains("--user \"$CYCLECLOUD_USERNAME:$CYCLECLOUD_PASSWORD\""));
    let bearer = of(Scheme::Bearer);
    assert!(
        bearer.contains("# set first: CYCLECLOUD_TOKEN\n"),
        "{bearer}"
    );
    assert!(bearer.contains("\"authorization: Bearer $CYCLECLOUD_TOKEN\""));
}

/// A signature is made over the bytes, and a program that reads JSON takes no `\u0009` for a blank.
#[test]
fn a_body_is_sent_to_the_byte() {
    let base = BaseUrl::parse("https://h").unwrap();
    let every: Vec<u8> = (0..=255).collect();
    let bodies: [&[u8]; 7] = [
        b"{\n\t\"service\": {}\n}\n\n",
        b"{\r\n  \"a\": \"\\u0007 \\\\ %s 'q'\"\r\n}\r\n",
        "\u{feff}{\"a\":\"训\u{200d}\u{202e}\u{1b}[0m\"}".as_bytes(),
        b"-n\n",
        b"@file\n",
        b"{\"a\":\"\xff\xfe\"}",
        &every,
    ];
    for body in bodies {
        let mut template = Template::new("x", Method::POST, &base, Target::new("/x"));
        template.body = Some(body.to_vec().into());
        let text = one("p", Backend::Paracloud, Scheme::Bearer, &template, None);
        assert!(
            !text
                .chars()
                .any(|character| character != '\n' && is_dangerous(character))
        );
        for name in ["sh", "bash"] {
            let script = format!("curl() {{ cat; }}\n{text}");
            let output = shell(name, &script, &[("PARA_TOKEN", "t")]);
            assert_eq!(output.stdout, body, "{name}: {text}");
        }
    }
}

#[test]
fn a_pair_is_sorted_by_its_name_alone() {
    let base = BaseUrl::parse("https://h").unwrap();
    let target = Target::new("/x")
        .query("a-b", "1")
        .query("a.b", "2")
        .query("a", "0")
        .query("B", "3");
    let template = Template::new("x", Method::GET, &base, target);
    let text = one("p", Backend::PaiDlc, Scheme::Acs3, &template, None);
    assert!(text.contains("'B=3&a=0&a-b=1&a.b=2'"), "{text}");
}

#[test]
fn a_header_that_may_be_a_credential_is_a_variable_wherever_it_stands() {
    let base = BaseUrl::parse("https://h").unwrap();
    let mut template = Template::new("x", Method::GET, &base, Target::new("/x"));
    for (name, value) in [
        ("x-acs-foo", "hunter2"),
        ("x-more", "hunter3"),
        ("x-more", "hunter4"),
    ] {
        let name = HeaderName::from_static(name);
        template
            .headers
            .append(name, HeaderValue::from_static(value));
    }
    let text = one("p", Backend::PaiDlc, Scheme::Acs3, &template, None);
    assert!(!text.contains("hunter"), "{text}");
    for line in [
        "  \"x-acs-foo:$X_ACS_FOO\" \\\n",
        "--header \"x-acs-foo: $X_ACS_FOO\"",
        "--header \"x-more: $X_MORE\"",
        "--header \"x-more: $X_MORE_2\"",
    ] {
        assert!(text.contains(line), "{line}\n{text}");
    }
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
        (Backend::Cyclecloud, Scheme::Basic),
        PlanOutcome::Refused(&assessment),
        &BTreeMap::new(),
    ));
    assert_eq!(
        text,
        "# cyclecloud cannot run this job\n#   workdir: no such concept\n"
    );
}
