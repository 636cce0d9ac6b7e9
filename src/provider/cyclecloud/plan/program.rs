//! What runs on the nodes: command, image, environment, time limit (cyclecloud.md §8.2; job-model.md §2.2, §2.4).
//!
//! Pure. A command's words survive exactly; a script is the user's own text and is never changed.

use crate::model::{FieldReport, Level, Refusal, RefusalCode};
use crate::provider::{Assessment, Policy};
use crate::spec::{JobSpec, Program, Timeout, quote};

use super::super::options::{Mode, Options, field};
use super::super::payload::Payload;

/// The program as the runner gets it; id, cards and nodes come later. `None` where nothing is run.
pub(super) fn payload(
    spec: &JobSpec,
    mode: Mode,
    options: &Options,
    policy: Policy,
    assessment: &mut Assessment,
) -> Option<Payload> {
    if mode == Mode::NodesOnly {
        refuse_program(spec, options, assessment);
        return None;
    }
    let command = command(spec, policy, assessment).unwrap_or_default();
    if spec.image.is_some() {
        assessment.native(
            "image",
            "`Configuration.gpujob.image`, run by the node's container runtime",
        );
    }
    if spec.exit_code_carrier {
        assessment.native(
            "exit_code_carrier",
            "the runner always writes the exit code",
        );
    }
    let time_limit_s = match spec.timeout {
        Timeout::Unset => None,
        Timeout::Unlimited => {
            assessment.native("timeout", "nothing is sent: no limit");
            None
        }
        Timeout::After(seconds) => {
            rewritten(
                "timeout",
                format!("`time_limit_s` {seconds}, kept by the runner"),
                assessment,
            );
            Some(seconds)
        }
    };
    let keep = options.keep.unwrap_or_default();
    if keep {
        assessment
            .note("the nodes are kept when the job has ended, and cost until `gpujob cancel`");
    }
    Some(Payload {
        command,
        image: spec.image.clone(),
        env: environment(spec, assessment),
        nodes: spec.nodes,
        time_limit_s,
        keep,
        ..Payload::default()
    })
}

/// Emulated, and exact: `--no-emulation` concerns only what is not (cli.md §10).
fn rewritten(path: &str, how: impl Into<String>, assessment: &mut Assessment) {
    assessment
        .report
        .push(FieldReport::new(path, Level::Emulated, how));
}

/// Nodes that run nothing have no use for a program (job-model.md §9).
fn refuse_program(spec: &JobSpec, options: &Options, assessment: &mut Assessment) {
    let program = match spec.program {
        Program::ImageDefault => None,
        Program::Command(_) => Some("command"),
        Program::Script { .. } => Some("script"),
        Program::Arguments(_) => Some("args"),
    };
    let keep = field("keep");
    let result_dir = field("result_dir");
    let set = [
        program,
        spec.image.is_some().then_some("image"),
        (!spec.env.is_empty()).then_some("env"),
        spec.workdir.is_some().then_some("workdir"),
        matches!(spec.timeout, Timeout::After(_)).then_some("timeout"),
        spec.exit_code_carrier.then_some("exit_code_carrier"),
        options.result_dir.is_some().then_some(result_dir.as_str()),
        (options.keep == Some(false)).then_some(keep.as_str()),
    ];
    for path in set.into_iter().flatten() {
        assessment.refuse(
            Refusal::new(
                RefusalCode::ConflictingFields,
                path,
                format!("in the mode `nodes-only` nodes are started and nothing is run, so `{path}` has no use"),
            )
            .with_alternative(format!("leave it out, or leave out `{}`", field("mode"))),
        );
    }
    assessment.note("nothing is run: the nodes stay, and cost, until `gpujob cancel`");
}

fn command(spec: &JobSpec, policy: Policy, assessment: &mut Assessment) -> Option<String> {
    let directory = spec.workdir.as_deref();
    if directory.is_some() {
        let how = match &spec.program {
            Program::Script { .. } => "the script begins with `cd DIR || exit 1`",
            Program::Command(_) | Program::ImageDefault | Program::Arguments(_) => {
                "the command begins with `cd DIR &&`"
            }
        };
        assessment.emulated("workdir", how, &policy);
    }
    match &spec.program {
        Program::ImageDefault => {
            assessment.refuse(
                Refusal::new(
                    RefusalCode::MissingField,
                    "command",
                    "the runner needs a command: it starts no image's own entry point",
                )
                .with_alternative("give a `command` or a `script`, or the mode `nodes-only`"),
            );
            None
        }
        Program::Arguments(_) => {
            assessment.unsupported(
                "args",
                "the runner starts no image's own entry point, so arguments alone have no place",
                "write the entry point and its arguments as `command`",
            );
            None
        }
        Program::Command(words) => {
            rewritten(
                "command",
                "`command_b64`, words quoted for the shell",
                assessment,
            );
            let command = quote::join(words);
            Some(match directory {
                Some(directory) => format!("cd {} && {command}", quote::quote_word(directory)),
                None => command,
            })
        }
        Program::Script { text, arguments } => {
            rewritten("script", "`command_b64`", assessment);
            Some(script(text, arguments, directory))
        }
    }
}

/// A script with an interpreter of its own is written to a file and run by it; others are the shell's own text.
fn script(text: &str, arguments: &[String], directory: Option<&str>) -> String {
    let mut lines = String::new();
    if let Some(directory) = directory {
        lines.push_str("cd ");
        lines.push_str(&quote::quote_word(directory));
        lines.push_str(" || exit 1\n");
    }
    let arguments: String = arguments
        .iter()
        .flat_map(|argument| [" ".to_owned(), quote::quote_word(argument)])
        .collect();
    let Some(interpreter) = interpreter(text) else {
        if !arguments.is_empty() {
            lines.push_str("set --");
            lines.push_str(&arguments);
            lines.push('\n');
        }
        lines.push_str(text);
        return lines;
    };
    lines.push_str("gpujob_script=$(mktemp) || exit 1\nprintf '%s' ");
    lines.push_str(&quote::quote_word(text));
    lines.push_str(" >\"$gpujob_script\" || exit 1\nexec ");
    lines.push_str(&interpreter);
    lines.push_str(" \"$gpujob_script\"");
    lines.push_str(&arguments);
    lines.push('\n');
    lines
}

/// The first line as the kernel reads it: an interpreter and at most one argument, quoted.
fn interpreter(text: &str) -> Option<String> {
    let line = text.lines().next()?.strip_prefix("#!")?.trim();
    let (program, argument) = match line.split_once([' ', '\t']) {
        Some((program, argument)) => (program, argument.trim()),
        None => (line, ""),
    };
    if program.is_empty() {
        return None;
    }
    let program = quote::quote_first_word(program);
    Some(if argument.is_empty() {
        program
    } else {
        format!("{program} {}", quote::quote_word(argument))
    })
}

/// Lines: a value with a line feed would be two of them (cli.md §10).
fn environment(spec: &JobSpec, assessment: &mut Assessment) -> Vec<(String, String)> {
    if !spec.env.is_empty() {
        rewritten("env", "`env_b64`, `KEY=VALUE` lines", assessment);
    }
    for (name, _) in spec.env.iter().filter(|(_, value)| value.contains('\n')) {
        assessment.refuse(
            Refusal::new(
                RefusalCode::UnsupportedValue,
                format!("env.{name}"),
                format!("the value of `{name}` holds a line feed, and `env_b64` is made of lines"),
            )
            .with_alternative("set the variable in a script, or read it from a file"),
        );
    }
    spec.env
        .iter()
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect()
}
