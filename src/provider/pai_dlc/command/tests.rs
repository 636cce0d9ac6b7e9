//! What a real shell makes of `UserCommand`.

use std::process::{Command, Stdio};

use proptest::prelude::*;

use super::*;
use crate::spec::parse_document;

/// The text for a job file.
fn text_of(yaml: &str) -> String {
    let spec = parse_document("job.yaml", yaml, None).unwrap();
    let mut assessment = Assessment::default();
    user_command(&spec, Policy::default(), &mut assessment)
        .unwrap_or_else(|| panic!("{:?}", assessment.refusals))
}

fn of(program: Program, workdir: Option<&str>) -> String {
    let spec = JobSpec {
        program,
        workdir: workdir.map(str::to_owned),
        ..JobSpec::default()
    };
    user_command(&spec, Policy::default(), &mut Assessment::default()).unwrap()
}

fn script(text: &str, arguments: &[&str]) -> Program {
    Program::Script {
        text: text.to_owned(),
        arguments: arguments.iter().map(|word| (*word).to_owned()).collect(),
    }
}

/// Standard output and exit code under a real `sh -c`.
fn run(text: &str) -> (String, Option<i32>) {
    let output = Command::new("sh")
        .args(["-c", text])
        .stdin(Stdio::null())
        .output()
        .unwrap();
    (
        String::from_utf8_lossy(&output.stdout).into_owned(),
        output.status.code(),
    )
}

/// Prints every argument between bars, so that blanks and line ends show.
const PRINT: &str = "printf '|%s|\\n' \"$@\"";

#[test]
fn plain_words_stay_as_they_are() {
    assert_eq!(
        text_of("command: [python, /data/train.py, --epochs, '3']"),
        "python /data/train.py --epochs 3"
    );
}

#[test]
fn a_first_word_that_a_shell_would_take_for_its_own_is_quoted() {
    for word in ["a=b", "time", "if"] {
        let text = of(
            Program::Command(vec![word.to_owned(), "x".to_owned()]),
            None,
        );
        assert_eq!(text, format!("'{word}' x"));
        assert_eq!(run(&text).1, Some(127), "{word} is looked up as a program");
    }
}

#[test]
fn the_working_directory_comes_first() {
    let directory = tempfile::tempdir().unwrap();
    let place = directory.path().canonicalize().unwrap().join("a b'c");
    std::fs::create_dir(&place).unwrap();
    let place = place.to_str().unwrap();
    let command = of(Program::Command(vec!["pwd".to_owned()]), Some(place));
    assert_eq!(run(&command).0, format!("{place}\n"));
    let command = of(script("pwd", &[]), Some(place));
    assert!(command.contains(" || exit 1\npwd"), "{command}");
    assert_eq!(run(&command).0, format!("{place}\n"));
    assert_eq!(
        text_of("command: [python, t.py]\nworkdir: /mnt/code"),
        "cd /mnt/code && python t.py"
    );
}

#[test]
fn nothing_runs_where_the_working_directory_is_missing() {
    for program in [
        Program::Command(vec!["echo".to_owned(), "ran".to_owned()]),
        script("echo ran", &[]),
        script("#!/bin/sh\necho ran", &[]),
    ] {
        let (output, code) = run(&of(program, Some("/no/such/place")));
        assert_eq!(output, "");
        assert_ne!(code, Some(0));
    }
}

#[test]
fn a_script_without_arguments_is_sent_as_it_is() {
    let text = "set -e\nfor i in 1 2; do echo \"$i\"; done | tail -1\n";
    assert_eq!(of(script(text, &[]), None), text);
}

#[test]
fn arguments_become_positional_parameters() {
    let text = of(script(PRINT, &["a b", "-e", "it's", "", "$HOME"]), None);
    assert_eq!(run(&text).0, "|a b|\n|-e|\n|it's|\n||\n|$HOME|\n");
}

#[test]
fn a_shebang_names_the_interpreter_and_its_one_argument() {
    let body = format!("#!/bin/sh -eu\n{PRINT}\nfalse\necho not reached\n");
    let (output, code) = run(&of(script(&body, &["x y", "'"]), None));
    assert_eq!((output.as_str(), code), ("|x y|\n|'|\n", Some(1)));
    // The kernel hands everything after the interpreter over as one word.
    assert_eq!(
        Shebang::of("#! /usr/bin/env  -S python3 -u \nx"),
        Some(Shebang {
            interpreter: "/usr/bin/env",
            argument: Some("-S python3 -u"),
        })
    );
    assert_eq!(Shebang::of("#!\nx"), None);
    assert_eq!(Shebang::of("echo\n#!/bin/sh"), None);
}

#[test]
fn a_script_for_another_language_runs_in_it() {
    // awk reads its program from the file: `exec /usr/bin/awk -f FILE`.
    let body = "#!/usr/bin/awk -f\nBEGIN { print \"it's \" 6 * 7 \" %s $x\" }\n";
    let (output, code) = run(&of(script(body, &[]), None));
    assert_eq!((output.as_str(), code), ("it's 42 %s $x\n", Some(0)));
}

#[test]
fn the_codes_of_programs_survive() {
    let command =
        |words: &[&str]| Program::Command(words.iter().map(|word| (*word).to_owned()).collect());
    assert_eq!(run(&of(command(&["sh", "-c", "exit 7"]), None)).1, Some(7));
    assert_eq!(run(&of(script("exit 9", &["a"]), None)).1, Some(9));
    assert_eq!(
        run(&of(script("#!/bin/sh\nexit 11", &[]), None)).1,
        Some(11)
    );
}

#[test]
fn a_zero_byte_is_refused() {
    let spec = JobSpec {
        program: Program::Command(vec!["a\0b".to_owned()]),
        ..JobSpec::default()
    };
    let mut assessment = Assessment::default();
    assert_eq!(
        user_command(&spec, Policy::default(), &mut assessment),
        None
    );
    assert_eq!(assessment.refusals[0].code, RefusalCode::UnsupportedValue);
}

fn words() -> impl Strategy<Value = Vec<String>> {
    prop::collection::vec(
        prop_oneof!["[^\\x00]{0,10}", "[ \t\n'\"\\\\$`!*?~#&|;<>(){}=%-]{0,8}",],
        1..6,
    )
}

/// What `PRINT` writes for the words.
fn printed(words: &[String]) -> String {
    let mut text = String::new();
    for word in words {
        text.push('|');
        text.push_str(word);
        text.push_str("|\n");
    }
    text
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn argv_survives_a_real_shell(words in words()) {
        let mut argv: Vec<String> = ["sh", "-c", PRINT, "sh"].map(str::to_owned).to_vec();
        argv.extend(words.clone());
        prop_assert_eq!(run(&of(Program::Command(argv), None)).0, printed(&words));
    }

    #[test]
    fn arguments_survive_plain_scripts_and_scripts_with_interpreters(words in words()) {
        let borrowed: Vec<&str> = words.iter().map(String::as_str).collect();
        for text in [PRINT.to_owned(), format!("#!/bin/sh\n{PRINT}")] {
            prop_assert_eq!(run(&of(script(&text, &borrowed), None)).0, printed(&words));
        }
    }
}
