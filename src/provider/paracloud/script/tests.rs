//! The files, run by a real shell.

use std::path::PathBuf;
use std::process::{Command, ExitStatus};

use rstest::rstest;
use serde_json::json;

use super::*;
use crate::http::BaseUrl;

const MARKER: &str = "bcdfghjklmnpqr";

fn marker() -> Marker {
    Marker::parse(MARKER).unwrap()
}

fn command(words: &[&str]) -> JobSpec {
    JobSpec {
        program: Program::Command(words.iter().map(|word| (*word).to_owned()).collect()),
        ..JobSpec::default()
    }
}

fn script(text: &str, arguments: &[&str]) -> JobSpec {
    JobSpec {
        program: Program::Script {
            text: text.to_owned(),
            arguments: arguments.iter().map(|word| (*word).to_owned()).collect(),
        },
        ..JobSpec::default()
    }
}

/// A folder with the job's files, after it ran.
struct Ran {
    folder: tempfile::TempDir,
    status: ExitStatus,
}

impl Ran {
    fn new(spec: &JobSpec, secrets: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let values = secrets
            .iter()
            .map(|(name, value)| ((*name).to_owned(), Secret::new(*value)))
            .collect();
        let contents = Contents::of(spec, &values);
        let write =
            |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
        write(RUN, &contents.run);
        if let Some(text) = &contents.script {
            write(SCRIPT, text);
        }
        if let Some(text) = &contents.secrets {
            write(SECRETS, text.expose());
        }
        let status = Command::new("sh")
            .arg(folder.path().join(RUN))
            .current_dir(folder.path())
            .env("BAT_PORT_ui", "31877")
            .status()
            .unwrap();
        Self { folder, status }
    }

    fn file(&self, name: &str) -> String {
        std::fs::read_to_string(self.folder.path().join(name)).unwrap()
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
}

#[test]
fn output_errors_and_code_are_kept() {
    let ran = Ran::new(&script("echo out; echo err >&2; exit 3", &[]), &[]);
    assert_eq!(ran.status.code(), Some(3));
    assert_eq!(ran.file(STDOUT), "out\n");
    assert_eq!(ran.file(STDERR), "err\n");
    assert_eq!(exit_code(ran.file(EXIT_CODE).as_bytes()), Some(3));
}

#[test]
fn words_and_values_survive_whatever_they_hold() {
    let hard = "a b'c\"d$HOME`id`\\;*\n|&>x";
    let mut spec = command(&[
        "printf",
        "%s|",
        "--",
        hard,
        "$BAT_PORT_ui",
        "$BAT_PORT_other",
        "",
    ]);
    spec.ports = vec![Port::Named {
        name: "ui".to_owned(),
        https: false,
    }];
    let ran = Ran::new(&spec, &[]);
    assert_eq!(
        ran.file(STDOUT),
        format!("--|{hard}|31877|$BAT_PORT_other||")
    );

    let mut spec = command(&["sh", "-c", "printf %s \"$HARD$SECRET\""]);
    spec.env.insert("HARD".to_owned(), hard.to_owned());
    spec.secrets.push("SECRET".to_owned());
    let ran = Ran::new(&spec, &[("SECRET", hard)]);
    assert_eq!(ran.file(STDOUT), format!("{hard}{hard}"));
    // Nobody who comes later reads the secrets.
    assert!(!ran.path(SECRETS).exists());
}

#[test]
fn a_first_word_is_a_program_whatever_it_looks_like() {
    let ran = Ran::new(&command(&["a=b", "x"]), &[]);
    assert_eq!(ran.status.code(), Some(127));
}

#[test]
fn the_directory_is_changed_to_or_nothing_runs() {
    let mut spec = script("pwd", &[]);
    spec.workdir = Some("/".to_owned());
    assert_eq!(Ran::new(&spec, &[]).file(STDOUT), "/\n");
    spec.workdir = Some("/no such".to_owned());
    let ran = Ran::new(&spec, &[]);
    assert_eq!(
        (ran.status.code(), ran.file(STDOUT).as_str()),
        (Some(1), "")
    );
    assert_eq!(ran.file(EXIT_CODE), "1\n");
}

#[test]
fn the_limit_ends_the_job_with_its_own_code() {
    let mut spec = command(&["sleep", "60"]);
    spec.timeout = Timeout::After(1);
    // The limit is the job's own: no clock of the test is involved.
    let text = Contents::of(&spec, &BTreeMap::new()).run;
    assert!(text.contains("exec timeout 1 sleep 60\n"), "{text}");
}

#[test]
fn arguments_are_positional_and_a_first_line_names_the_interpreter() {
    let ran = Ran::new(&script("printf '%s.' \"$@\"", &["a b", "$x"]), &[]);
    assert_eq!(ran.file(STDOUT), "a b.$x.");
    let ran = Ran::new(
        &script("#!/usr/bin/env sh\nprintf '%s.' \"$1\"", &["y"]),
        &[],
    );
    assert_eq!(ran.file(STDOUT), "y.");
}

#[rstest]
#[case("echo", &["sh"])]
#[case("#!\necho", &["sh"])]
#[case("#! /bin/bash -eu -x \necho", &["/bin/bash", "-eu -x"])]
#[case("#!/usr/bin/env python3\r\n", &["/usr/bin/env", "python3"])]
fn an_interpreter_has_at_most_one_argument(#[case] text: &str, #[case] words: &[&str]) {
    assert_eq!(interpreter(text), words);
}

#[test]
fn a_signal_is_passed_on_and_the_code_is_kept() {
    // The job tells its own parent to end; the parent passes that on, and waits for what the job makes of it.
    let text = "trap 'exit 7' TERM\nwhile :; do kill -TERM \"$PPID\"; sleep 0.01; done";
    let ran = Ran::new(&script(text, &[]), &[]);
    assert_eq!(
        (ran.status.code(), ran.file(EXIT_CODE).as_str()),
        (Some(7), "7\n")
    );
}

#[test]
fn folders_come_first_and_secrets_last() {
    let mut spec = script("true", &[]);
    spec.secrets.push("S".to_owned());
    let values = BTreeMap::from([("S".to_owned(), Secret::new("v"))]);
    let base = Requests::new(BaseUrl::parse("https://dav.example").unwrap());
    let lines: Vec<String> = requests(&base, &marker(), Contents::of(&spec, &values))
        .iter()
        .map(|request| format!("{} {}", request.method, request.full_target()))
        .collect();
    assert_eq!(
        lines,
        [
            "MKCOL /.gpujob/",
            "MKCOL /.gpujob/bcdfghjklmnpqr/",
            "PUT /.gpujob/bcdfghjklmnpqr/run.sh",
            "PUT /.gpujob/bcdfghjklmnpqr/script",
            "PUT /.gpujob/bcdfghjklmnpqr/env",
        ]
    );
}

#[test]
fn a_job_in_script_mode_tells_where_its_files_are_and_another_does_not() {
    let job = ResourceRef::new("para", ["k8r2wq", "NC-N30", "p6vd2hcn"]);
    let place = |command: &[&str], name: &str| {
        let group = Group::read(&json!({
            "id": "p6vd2hcn",
            "containers": [{
                "name": name,
                "command": command,
                "volumeMounts": [
                    {"name": "v2", "mountPath": "/other"},
                    {"name": "x7m4tzb9", "mountPath": "/gpujob"},
                ],
            }],
        }));
        place_of(&group.unwrap(), &job)
    };
    let name = format!("bert-{MARKER}");
    let run = run_path("/gpujob", MARKER);
    let (volume, folder) = place(&["sh", &run], &name).unwrap();
    assert_eq!(volume.to_string(), "para/k8r2wq/NC-N30/x7m4tzb9");
    assert_eq!(folder.to_string(), format!("/.gpujob/{MARKER}"));
    assert_eq!(place(&["sh", "/gpujob/run.sh"], &name), None);
    assert_eq!(place(&["sh", "-c", &run], &name), None);
    assert_eq!(place(&["sh", &run_path("/elsewhere", MARKER)], &name), None);
    assert_eq!(place(&["sh", &run], "bert"), None);
}

#[rstest]
#[case("0\n", Some(0))]
#[case(" 255 \n", Some(255))]
#[case("", None)]
#[case("13", None)]
#[case("-1\n", None)]
#[case("256\n", None)]
#[case("three\n", None)]
fn a_code_is_a_number_that_a_program_can_have(#[case] text: &str, #[case] code: Option<i64>) {
    assert_eq!(exit_code(text.as_bytes()), code);
}
