//! `start_script` in front of a real shell: words and scripts survive exactly.

use std::process::Command;

use super::super::program::start_script;
use super::super::wire::StartScript;
use super::*;
use crate::provider::Assessment;

fn script_of(yaml: &str) -> StartScript {
    let mut assessment = Assessment::default();
    let script = start_script(&spec(yaml), Policy::default(), &mut assessment).unwrap();
    assert_eq!(assessment.refusals, []);
    script
}

/// What the container would run, run here.
fn output(script: &StartScript) -> String {
    let output = Command::new(&script.command[0])
        .args(&script.command[1..])
        .args(&script.args)
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

#[test]
fn a_command_is_its_words() {
    let script = script_of(r#"command: ["python", "a b.py", "$HOME", "it's", ""]"#);
    assert_eq!(script.command, ["python"]);
    assert_eq!(script.args, words(&["a b.py", "$HOME", "it's", ""]));
    assert_eq!(
        script_of("command: [nvidia-smi]"),
        StartScript {
            command: words(&["nvidia-smi"]),
            args: Vec::new(),
        }
    );
}

#[test]
fn a_command_in_a_directory_keeps_its_words() {
    let script = script_of(
        r#"{command: ["printf", "%s|", "a b", "$HOME", "it's", "-n"], workdir: /usr/bin}"#,
    );
    assert_eq!(script.command, ["sh", "-c"]);
    assert_eq!(
        script.args[..3],
        ["cd \"$0\" && exec \"$@\"", "/usr/bin", "printf"]
    );
    assert_eq!(output(&script), "a b|$HOME|it's|-n|");
    let where_am_i = script_of("{command: [pwd, -P], workdir: /}");
    assert_eq!(output(&where_am_i), "/\n");
}

#[test]
fn a_script_is_the_users_own_text() {
    let script = script_of("script: |\n  x='a  b'\n  echo \"$x\" | tr a-z A-Z\n");
    assert_eq!(script.command, ["sh", "-c"]);
    assert_eq!(script.args, ["x='a  b'\necho \"$x\" | tr a-z A-Z\n"]);
    assert_eq!(output(&script), "A  B\n");
}

#[test]
fn a_script_has_its_parameters_and_its_directory() {
    let mut spec = spec("{script: 'pwd; echo \"$#:$1:$2\"', workdir: /}");
    if let crate::spec::Program::Script { arguments, .. } = &mut spec.program {
        *arguments = words(&["a b", "$HOME"]);
    }
    let mut assessment = Assessment::default();
    let script = start_script(&spec, Policy::default(), &mut assessment).unwrap();
    assert_eq!(output(&script), "/\n2:a b:$HOME\n");
}

#[test]
fn a_script_with_a_shebang_is_run_by_its_interpreter() {
    let mut spec =
        spec("script: |\n  #!/usr/bin/env sh\n  echo \"${0##*/}\" | cut -c1-4\n  echo \"$1\"\n");
    if let crate::spec::Program::Script { arguments, .. } = &mut spec.program {
        *arguments = words(&["it's"]);
    }
    let mut assessment = Assessment::default();
    let script = start_script(&spec, Policy::default(), &mut assessment).unwrap();
    assert!(script.args[0].contains("exec /usr/bin/env sh \"$gpujob_script\" \"$@\""));
    assert_eq!(output(&script), "tmp.\nit's\n");
    // An interpreter that is no shell gets the text as it is.
    let other = script_of("script: |\n  #!/bin/cat\n  it's \"text\"\n");
    assert_eq!(output(&other), "#!/bin/cat\nit's \"text\"\n");
}

#[test]
fn the_images_own_entry_point_needs_nothing() {
    let mut assessment = Assessment::default();
    let spec = spec("image: a/b");
    assert_eq!(
        start_script(&spec, Policy::default(), &mut assessment),
        None
    );
    assert_eq!(assessment.refusals, []);
}
