//! The program as `start_script`: exact words, for which both lists are always sent (gongji.md §2.3; job-model.md §2.2).
//!
//! Pure. A command's words survive as they are; a script is the user's own text and is never quoted or changed.

use crate::model::{Refusal, RefusalCode};
use crate::provider::{Assessment, Policy};
use crate::spec::{JobSpec, Program, quote};

use super::wire::StartScript;

/// Goes to its first parameter and becomes the rest.
const IN_DIRECTORY: &str = "cd \"$0\" && exec \"$@\"";

/// What the container starts; `None` for the image's own entry point, and where a refusal was noted.
pub(super) fn start_script(
    spec: &JobSpec,
    policy: Policy,
    assessment: &mut Assessment,
) -> Option<StartScript> {
    let directory = workdir(spec, policy, assessment);
    match &spec.program {
        Program::ImageDefault => {
            assessment.native(
                "command",
                "`start_script` is left out: the image's own entry point",
            );
            None
        }
        Program::Arguments(_) => {
            assessment.unsupported(
                "args",
                "Gongji wants a command with the arguments; what an empty one does is not known",
                "write the entry point and its arguments as `command`",
            );
            None
        }
        Program::Command(words) => {
            refuse_nul("command", words.iter().map(String::as_str), assessment);
            assessment.native("command", "`start_script`, word by word");
            of_words(words, directory)
        }
        Program::Script { text, arguments } => {
            let texts = std::iter::once(text.as_str()).chain(arguments.iter().map(String::as_str));
            refuse_nul("script", texts, assessment);
            let (how, script) = of_script(text, arguments, directory);
            assessment.native("script", how);
            Some(script)
        }
    }
}

/// The directory to begin in; the image's own entry point is not known here, so nothing can be put before it.
fn workdir<'a>(spec: &'a JobSpec, policy: Policy, assessment: &mut Assessment) -> Option<&'a str> {
    let directory = spec.workdir.as_deref()?;
    refuse_nul("workdir", std::iter::once(directory), assessment);
    let how = match &spec.program {
        Program::Script { .. } => "the script begins with `cd DIR || exit 1`",
        Program::Command(_) => "`sh` goes there and becomes the command",
        Program::ImageDefault | Program::Arguments(_) => {
            assessment.refuse(
                Refusal::new(
                    RefusalCode::UnsupportedValue,
                    "workdir",
                    "the image's own entry point is started by the service, wherever the image says",
                )
                .with_alternative("give a `command` or a `script`"),
            );
            return None;
        }
    };
    assessment.emulated("workdir", how, &policy);
    Some(directory)
}

fn of_words(words: &[String], directory: Option<&str>) -> Option<StartScript> {
    let Some(directory) = directory else {
        let (first, rest) = words.split_first()?;
        return Some(StartScript {
            command: vec![first.clone()],
            args: rest.to_vec(),
        });
    };
    let mut args = vec![IN_DIRECTORY.to_owned(), directory.to_owned()];
    args.extend_from_slice(words);
    Some(shell(args))
}

/// A shebang would be a comment to `sh -c`, so such a script is written to a file and run by its own interpreter.
fn of_script(
    text: &str,
    arguments: &[String],
    directory: Option<&str>,
) -> (&'static str, StartScript) {
    let begin = directory.map_or_else(String::new, |directory| {
        format!("cd {} || exit 1\n", quote::quote_word(directory))
    });
    let (how, mut args) = if let Some(call) = interpreter(text) {
        let runner = format!(
            "{begin}gpujob_script=$(mktemp) || exit 1\nprintf '%s' \"$0\" > \"$gpujob_script\" || exit 1\nexec {call} \"$gpujob_script\" \"$@\""
        );
        (
            "`start_script`: `sh` writes it to a file and becomes its own interpreter",
            vec![runner, text.to_owned()],
        )
    } else {
        let mut args = vec![format!("{begin}{text}")];
        // What follows the text is `$0`, and only then come the parameters.
        args.extend((!arguments.is_empty()).then(|| "sh".to_owned()));
        ("`start_script` with `sh -c`", args)
    };
    args.extend_from_slice(arguments);
    (how, shell(args))
}

fn shell(args: Vec<String>) -> StartScript {
    StartScript {
        command: vec!["sh".to_owned(), "-c".to_owned()],
        args,
    }
}

/// A shebang as the kernel reads it: an interpreter and at most one argument, quoted for a shell.
fn interpreter(text: &str) -> Option<String> {
    let line = text.lines().next()?.strip_prefix("#!")?.trim();
    let (program, argument) = line
        .split_once([' ', '\t'])
        .map_or((line, ""), |(program, rest)| (program, rest.trim()));
    if program.is_empty() {
        return None;
    }
    let mut call = quote::quote_first_word(program);
    if !argument.is_empty() {
        call.push(' ');
        call.push_str(&quote::quote_word(argument));
    }
    Some(call)
}

/// No process argument and no environment can hold a zero byte.
pub(super) fn refuse_nul<'a>(
    field: &str,
    mut texts: impl Iterator<Item = &'a str>,
    assessment: &mut Assessment,
) {
    if texts.any(|text| text.contains('\0')) {
        assessment.refuse(
            Refusal::new(
                RefusalCode::UnsupportedValue,
                field,
                format!("`{field}` holds a zero byte, which no process can be given"),
            )
            .with_alternative("put the bytes into a file"),
        );
    }
}
