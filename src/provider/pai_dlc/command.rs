//! The program as `UserCommand`: one shell text that every node runs (pai-dlc.md §5.1; job-model.md §2.2; cli.md §10).
//!
//! Pure. A command's words survive exactly; a script is the user's own text and is never quoted or changed.

use crate::model::{Refusal, RefusalCode};
use crate::provider::{Assessment, Policy};
use crate::spec::{JobSpec, Program, quote};

/// The text, or `None` with the refusal noted.
pub(super) fn user_command(
    spec: &JobSpec,
    policy: Policy,
    assessment: &mut Assessment,
) -> Option<String> {
    let before = assessment.refusals.len();
    let directory = workdir(spec, policy, assessment);
    let text = match &spec.program {
        Program::ImageDefault => {
            assessment.refuse(
                Refusal::new(
                    RefusalCode::MissingField,
                    "command",
                    "PAI-DLC runs no image's own entry point: `UserCommand` is required",
                )
                .with_alternative("give a `command` or a `script`"),
            );
            None
        }
        Program::Arguments(_) => {
            assessment.unsupported(
                "args",
                "PAI-DLC starts no image's own entry point, so it has no place for arguments alone",
                "write the entry point and its arguments as `command`",
            );
            None
        }
        Program::Command(words) => {
            if refuse_nul("command", words.iter().map(String::as_str), assessment) {
                None
            } else {
                assessment.native("command", "`UserCommand`, words quoted for the shell");
                Some(of_words(words, directory))
            }
        }
        Program::Script { text, arguments } => {
            let texts = std::iter::once(text.as_str()).chain(arguments.iter().map(String::as_str));
            if refuse_nul("script", texts, assessment) {
                None
            } else {
                assessment.native("script", how_a_script_runs(text, arguments));
                Some(of_script(text, arguments, directory))
            }
        }
    };
    (assessment.refusals.len() == before)
        .then_some(text)
        .flatten()
}

/// The working directory is not where a script lies (§5.1), so the shell goes there first.
fn workdir<'a>(spec: &'a JobSpec, policy: Policy, assessment: &mut Assessment) -> Option<&'a str> {
    let directory = spec.workdir.as_deref()?;
    let how = match &spec.program {
        Program::Script { .. } => "the script begins with `cd DIR || exit 1`",
        Program::Command(_) | Program::ImageDefault | Program::Arguments(_) => {
            "the command begins with `cd DIR &&`"
        }
    };
    assessment.emulated("workdir", how, &policy);
    refuse_nul("workdir", std::iter::once(directory), assessment);
    Some(directory)
}

fn how_a_script_runs(text: &str, arguments: &[String]) -> &'static str {
    match (Shebang::of(text), arguments.is_empty()) {
        (Some(_), _) => "`UserCommand` writes it to a file and runs it with its own interpreter",
        (None, true) => "`UserCommand` as it is",
        (None, false) => "`UserCommand`, after a line that sets its positional parameters",
    }
}

/// No shell word and no process argument can hold a zero byte.
fn refuse_nul<'a>(
    field: &str,
    mut texts: impl Iterator<Item = &'a str>,
    assessment: &mut Assessment,
) -> bool {
    let found = texts.any(|text| text.contains('\0'));
    if found {
        assessment.refuse(
            Refusal::new(
                RefusalCode::UnsupportedValue,
                field,
                format!("`{field}` holds a zero byte, which no shell can carry"),
            )
            .with_alternative("put the bytes into a file"),
        );
    }
    found
}

fn of_words(words: &[String], directory: Option<&str>) -> String {
    let command = quote::join(words);
    match directory {
        Some(directory) => format!("cd {} && {command}", quote::quote_word(directory)),
        None => command,
    }
}

fn of_script(text: &str, arguments: &[String], directory: Option<&str>) -> String {
    let mut lines = String::new();
    if let Some(directory) = directory {
        lines.push_str("cd ");
        lines.push_str(&quote::quote_word(directory));
        lines.push_str(" || exit 1\n");
    }
    if let Some(shebang) = Shebang::of(text) {
        lines.push_str(&run_by_interpreter(text, &shebang, arguments));
    } else {
        if !arguments.is_empty() {
            lines.push_str("set -- ");
            lines.push_str(&quoted(arguments));
            lines.push('\n');
        }
        lines.push_str(text);
    }
    lines
}

/// Writes the script to a file and becomes its interpreter, as the kernel would, but without needing a file system
/// that allows execution.
fn run_by_interpreter(text: &str, shebang: &Shebang<'_>, arguments: &[String]) -> String {
    let mut call = vec![quote::quote_first_word(shebang.interpreter)];
    if let Some(argument) = shebang.argument {
        call.push(quote::quote_word(argument));
    }
    call.push("\"$gpujob_script\"".to_owned());
    if !arguments.is_empty() {
        call.push(quoted(arguments));
    }
    format!(
        "gpujob_script=$(mktemp) || exit 1\nprintf '%s' {} > \"$gpujob_script\" || exit 1\nexec {}\n",
        quote::quote_word(text),
        call.join(" "),
    )
}

fn quoted(words: &[String]) -> String {
    let words: Vec<String> = words.iter().map(|word| quote::quote_word(word)).collect();
    words.join(" ")
}

/// A script's first line, as the kernel reads it: an interpreter and at most one argument.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Shebang<'a> {
    interpreter: &'a str,
    argument: Option<&'a str>,
}

impl<'a> Shebang<'a> {
    fn of(text: &'a str) -> Option<Self> {
        let line = text.lines().next()?.strip_prefix("#!")?.trim();
        let (interpreter, argument) = line
            .split_once([' ', '\t'])
            .map_or((line, ""), |(interpreter, rest)| (interpreter, rest.trim()));
        (!interpreter.is_empty()).then_some(Self {
            interpreter,
            argument: (!argument.is_empty()).then_some(argument),
        })
    }
}

#[cfg(test)]
mod tests;
