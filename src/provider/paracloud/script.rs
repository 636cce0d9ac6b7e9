//! The files of script mode: what is put into a volume, and where to find what came of it (paracloud.md §9.2).
//!
//! Pure. `/.gpujob/<marker>` holds `run.sh`, the user's `script`, `env` with secrets until the job has begun or ended, and then
//! `stdout.log`, `stderr.log` and `exit_code`.

use std::collections::BTreeMap;

use crate::http::Template;
use crate::model::{FilePath, Marker, ResourceRef};
use crate::provider::Plan;
use crate::secret::Secret;
use crate::spec::quote::{self, quote_word};
use crate::spec::{JobSpec, Port, Program, Timeout};
use crate::webdav::Requests;

use super::record::Group;

/// The folder of all script-mode jobs, from a volume's root.
pub(super) const FOLDER: &str = ".gpujob";
pub(super) const STDOUT: &str = "stdout.log";
pub(super) const STDERR: &str = "stderr.log";
pub(super) const EXIT_CODE: &str = "exit_code";

const RUN: &str = "run.sh";
const SCRIPT: &str = "script";
pub(super) const SECRETS: &str = "env";

/// What the job does once it is set up ends as its whole: the code is kept even if a signal came.
const BEGIN: &str = include_str!("run-begin.sh");
const END: &str = include_str!("run-end.sh");

/// The files' texts.
#[derive(Debug)]
pub(super) struct Contents {
    run: String,
    script: Option<String>,
    secrets: Option<Secret>,
}

impl Contents {
    /// The files of a job with a command or a script.
    pub(super) fn of(spec: &JobSpec, values: &BTreeMap<String, Secret>) -> Self {
        let secrets: String = spec
            .secrets
            .iter()
            .filter_map(|name| Some(export(name, values.get(name)?.expose())))
            .collect();
        Self {
            run: run(spec),
            script: match &spec.program {
                Program::Script { text, .. } => Some(text.clone()),
                Program::Command(_) | Program::ImageDefault | Program::Arguments(_) => None,
            },
            secrets: (!secrets.is_empty()).then(|| Secret::new(secrets)),
        }
    }
}

/// The folder of one job.
pub(super) fn folder(marker: &Marker) -> FilePath {
    FilePath::default().join(FOLDER).join(marker.as_str())
}

/// `run.sh` as the job sees it.
pub(super) fn run_path(mount: &str, marker: &str) -> String {
    format!("{mount}/{FOLDER}/{marker}/{RUN}")
}

/// What is sent before the create, in its order. The one that others must not read goes last.
pub(super) fn requests(requests: &Requests, marker: &Marker, contents: Contents) -> Vec<Template> {
    let folder = folder(marker);
    let top = folder.parent().unwrap_or_default();
    let mut all = vec![
        requests.make_folder(&top),
        requests.make_folder(&folder),
        requests.put_text(&folder.join(RUN), contents.run),
    ];
    all.extend(
        contents
            .script
            .map(|text| requests.put_text(&folder.join(SCRIPT), text)),
    );
    all.extend(
        contents
            .secrets
            .map(|text| requests.put_text(&folder.join(SECRETS), text.expose().to_owned())),
    );
    all
}

/// Whether the plan puts values of secrets into the volume.
pub(super) fn holds_secrets(plan: &Plan) -> bool {
    let file = format!("/{}/{SECRETS}", plan.marker.as_str());
    plan.uploads
        .iter()
        .any(|upload| upload.request.full_target().ends_with(&file))
}

/// Where a group's files are: the volume, and the folder in it. `None` for a job that is not in script mode.
pub(super) fn place_of(group: &Group, job: &ResourceRef) -> Option<(ResourceRef, FilePath)> {
    let container = group.wire.containers.first()?;
    let [shell, run] = container.command.as_slice() else {
        return None;
    };
    let marker = group.marker()?;
    let mount = run.strip_suffix(&run_path("", marker.as_str()))?;
    let volume = container
        .mounts
        .iter()
        .find(|found| found.path.as_deref() == Some(mount))?
        .volume
        .as_deref()?;
    let [namespace, cluster, _] = job.path.as_slice() else {
        return None;
    };
    let volume_ref = ResourceRef::new(
        job.provider.clone(),
        [namespace.as_str(), cluster.as_str(), volume],
    );
    (shell == "sh").then(|| (volume_ref, folder(&marker)))
}

/// The number in `exit_code`, with the line feed that ends it; `None` for what is no exit code, or not all of one.
pub(super) fn exit_code(text: &[u8]) -> Option<i64> {
    let text = std::str::from_utf8(text).ok()?.strip_suffix('\n')?;
    text.trim()
        .parse()
        .ok()
        .filter(|code| (0..=255).contains(code))
}

/// The script that sets the job up, runs it, and keeps what it writes and how it ends.
fn run(spec: &JobSpec) -> String {
    let mut text = String::from(BEGIN);
    for (name, value) in &spec.env {
        text.push_str(&export(name, value));
    }
    if !spec.secrets.is_empty() {
        text.push_str(". \"$gpujob_here/env\" || exit 1\nrm -f \"$gpujob_here/env\"\n");
    }
    if let Some(directory) = &spec.workdir {
        text.push_str("cd ");
        text.push_str(&quote_word(directory));
        text.push_str(" || exit 1\n");
    }
    text.push_str("exec ");
    if let Timeout::After(seconds) = spec.timeout {
        text.push_str("timeout ");
        text.push_str(&seconds.to_string());
        text.push(' ');
    }
    text.push_str(&program(spec));
    text.push('\n');
    text.push_str(END);
    text
}

fn program(spec: &JobSpec) -> String {
    match &spec.program {
        Program::Command(words) => words
            .iter()
            .enumerate()
            .map(|(index, word)| shell_word(index, word, &spec.ports))
            .collect::<Vec<_>>()
            .join(" "),
        Program::Script { text, arguments } => {
            let mut words: Vec<String> = interpreter(text)
                .iter()
                .enumerate()
                .map(|(index, word)| {
                    if index == 0 {
                        quote::quote_first_word(word)
                    } else {
                        quote_word(word)
                    }
                })
                .collect();
            words.push("\"$gpujob_here/script\"".to_owned());
            words.extend(arguments.iter().map(|word| quote_word(word)));
            words.join(" ")
        }
        Program::ImageDefault | Program::Arguments(_) => "true".to_owned(),
    }
}

/// A word exactly as it is; only a declared port's variable stands for its value, as it does without a script (§4.2).
fn shell_word(index: usize, word: &str, ports: &[Port]) -> String {
    let names_port = ports.iter().any(|port| match port {
        Port::Named { name, .. } => word.strip_prefix("$BAT_PORT_") == Some(name.as_str()),
        Port::Fixed(_) => false,
    });
    if names_port {
        format!("\"{word}\"")
    } else if index == 0 {
        quote::quote_first_word(word)
    } else {
        quote_word(word)
    }
}

/// The program that a script's first line names, with its one argument, as a kernel reads it; else the shell.
///
/// A file put by WebDAV cannot be executed itself: nobody can set its mode.
fn interpreter(script: &str) -> Vec<String> {
    let line = script
        .strip_prefix("#!")
        .and_then(|rest| rest.lines().next())
        .map(str::trim)
        .filter(|line| !line.is_empty());
    match line.map(|line| line.split_once(char::is_whitespace).unwrap_or((line, ""))) {
        None => vec!["sh".to_owned()],
        Some((program, argument)) => [program, argument.trim()]
            .into_iter()
            .filter(|word| !word.is_empty())
            .map(str::to_owned)
            .collect(),
    }
}

/// A value in single quotes, always: then all that a shell could change is a quote.
fn export(name: &str, value: &str) -> String {
    format!("export {name}='{}'\n", value.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests;
