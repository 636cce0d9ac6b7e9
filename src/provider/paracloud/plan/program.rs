//! The words that run: the command, and what is put before it (paracloud.md §4.2 and §9.2).
//!
//! Pure. Words are sent as they are, never quoted: nobody knows whether the service hands them to a shell. Words that
//! mean the same in every case are *safe*; the others are warned about or, on request, refused.

use std::collections::BTreeMap;

use crate::model::{Refusal, RefusalCode};
use crate::provider::{Assessment, Policy};
use crate::secret::Secret;
use crate::spec::quote::is_safe_word;
use crate::spec::{JobSpec, Port, Program, Timeout};

use super::super::options::Options;

const PORT_VARIABLE: &str = "$BAT_PORT_";
/// A word is shown up to here.
const SHOWN_CHARACTERS: usize = 60;

const VARIABLE_ALTERNATIVE: &str = "name a volume for a script with `provider_options.paracloud.script_volume`, set the \
     variable in the image, or have the command read it from a file in a mounted volume";

/// Judges program, environment, secrets and time limit.
pub(super) fn assess(
    spec: &JobSpec,
    options: &Options,
    policy: Policy,
    assessment: &mut Assessment,
) {
    assess_program(spec, options, assessment);
    assess_environment(spec, policy, assessment);
    assess_secrets(spec, policy, assessment);
    assess_first_word(spec, assessment);
    assess_timeout(spec, policy, assessment);
    if let Some(volume) = &options.script_volume {
        assessment.local(
            &super::super::options::path("script_volume"),
            format!("volume `{volume}` is for scripts; this job is no script"),
        );
    }
    if let Some(strict) = options.strict_argv {
        assessment.local(
            &super::super::options::path("strict_argv"),
            if strict {
                "words that a shell could change are refused"
            } else {
                "words that a shell could change are warned about"
            },
        );
    }
}

/// Judges the values of secrets, which only a submit knows. Never names a value.
pub(super) fn assess_secret_values(
    spec: &JobSpec,
    values: &BTreeMap<String, Secret>,
    assessment: &mut Assessment,
) {
    for name in &spec.secrets {
        let field = format!("secrets.{name}");
        match values.get(name) {
            None => refuse_unset_secret(name, assessment),
            Some(value) if !is_safe_word(&format!("{name}={}", value.expose())) => {
                assessment.refuse(
                    Refusal::new(
                        RefusalCode::UnsupportedValue,
                        &field,
                        format!("the value of `{name}` holds characters that a shell could change"),
                    )
                    .with_alternative(VARIABLE_ALTERNATIVE),
                );
            }
            Some(_) => {}
        }
    }
}

/// Refuses a secret that gpujob's own environment does not have.
pub(super) fn refuse_unset_secret(name: &str, assessment: &mut Assessment) {
    assessment.refuse(
        Refusal::new(
            RefusalCode::MissingField,
            format!("secrets.{name}"),
            format!("the secret `{name}` has no value"),
        )
        .with_alternative(format!("set `{name}` in gpujob's own environment")),
    );
}

/// `timeout N`, then `env K=V …`, then the command (paracloud.md §9.2). Empty when the spec has no command.
pub(super) fn words(spec: &JobSpec, secrets: &BTreeMap<String, Secret>) -> Vec<String> {
    let Program::Command(command) = &spec.program else {
        return Vec::new();
    };
    let mut words = Vec::new();
    if let Timeout::After(seconds) = spec.timeout {
        words.push("timeout".to_owned());
        words.push(seconds.to_string());
    }
    let variables: Vec<String> = spec
        .env
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .chain(spec.secrets.iter().filter_map(|name| {
            secrets
                .get(name)
                .map(|value| format!("{name}={}", value.expose()))
        }))
        .collect();
    if !variables.is_empty() {
        words.push("env".to_owned());
        words.extend(variables);
    }
    words.extend(command.iter().cloned());
    words
}

fn assess_program(spec: &JobSpec, options: &Options, assessment: &mut Assessment) {
    match &spec.program {
        Program::Command(words) => {
            assessment.native(
                "command",
                format!("containers[0].command, {} words as they are", words.len()),
            );
            assess_words(words, spec, options, assessment);
        }
        Program::Script { .. } => assessment.unsupported(
            "script",
            "Paracloud runs a list of words and no shell text",
            "mount a volume whose transfer credentials this machine keeps, or name one with `provider_options.paracloud.script_volume`; or put the script into the image, and run it with `command`",
        ),
        Program::Arguments(_) => assessment.unsupported(
            "args",
            "Paracloud documents no arguments for an image's own entry point",
            "write the whole command into `command`",
        ),
        Program::ImageDefault => assessment.refuse(
            Refusal::new(
                RefusalCode::MissingField,
                "command",
                "Paracloud needs a command: what it does without one is not documented",
            )
            .with_alternative("write the image's own command into `command`"),
        ),
    }
    match spec.image.as_deref() {
        None | Some("") => assessment.refuse(
            Refusal::new(
                RefusalCode::MissingField,
                "image",
                "Paracloud runs containers and needs an image",
            )
            .with_alternative("name one with `image`"),
        ),
        Some(image) => {
            assessment.native("image", "containers[0].image");
            // The vendor's prototype puts the image on the same shell line as the words (§4.2).
            if !is_safe_word(image) {
                assessment.note(format!(
                    "the image {} holds characters that Paracloud may evaluate in a shell",
                    shown(image)
                ));
            }
        }
    }
}

/// Whether a shell on the way could change one of the words.
pub(super) fn has_unsafe_words(words: &[String], spec: &JobSpec) -> bool {
    words.iter().any(|word| is_unsafe(word, spec))
}

fn is_unsafe(word: &str, spec: &JobSpec) -> bool {
    !is_safe_word(word) && !names_declared_port(word, &spec.ports)
}

fn assess_words(words: &[String], spec: &JobSpec, options: &Options, assessment: &mut Assessment) {
    let unsafe_words: Vec<String> = words
        .iter()
        .filter(|word| is_unsafe(word, spec))
        .map(|word| shown(word))
        .collect();
    if !unsafe_words.is_empty() {
        let list = unsafe_words.join(", ");
        let risk = "Paracloud may split or evaluate them in a shell before the program sees them";
        if options.strict_argv == Some(true) {
            assessment.refuse(
                Refusal::new(
                    RefusalCode::UnsupportedValue,
                    "command",
                    format!("`command` holds words that are not safe: {list}; {risk}"),
                )
                .with_alternative(
                    "name a volume for a script with `provider_options.paracloud.script_volume`, put them into a file in the image, or leave `strict_argv` out",
                ),
            );
        } else {
            assessment.note(format!(
                "words of `command` that are not safe on Paracloud: {list}; {risk}; they stay as they are in a script, \
                 for which `provider_options.paracloud.script_volume` names a volume"
            ));
        }
    }
    for word in words {
        if let Some(port) = port_of(word)
            && !names_declared_port(word, &spec.ports)
        {
            assessment.note(format!(
                "{} names a port `{port}` that `ports` does not declare",
                shown(word)
            ));
        }
    }
}

fn assess_environment(spec: &JobSpec, policy: Policy, assessment: &mut Assessment) {
    if spec.env.is_empty() {
        return;
    }
    let mut all_safe = true;
    for (name, value) in &spec.env {
        if !is_variable_name(name) || !is_safe_word(&format!("{name}={value}")) {
            all_safe = false;
            assessment.refuse(
                Refusal::new(
                    RefusalCode::UnsupportedValue,
                    format!("env.{name}"),
                    format!(
                        "the value of `{name}` holds characters that a shell could change, and Paracloud takes variables only as words of the command"
                    ),
                )
                .with_alternative(VARIABLE_ALTERNATIVE),
            );
        }
    }
    if all_safe || policy.no_emulation {
        assessment.emulated("env", "`env NAME=VALUE …` before the command", &policy);
    }
    if all_safe && !policy.no_emulation {
        assessment.note("`env` is emulated: the image needs an `env` program");
    }
}

fn assess_secrets(spec: &JobSpec, policy: Policy, assessment: &mut Assessment) {
    if spec.secrets.is_empty() {
        return;
    }
    refuse_doubled_secrets(spec, assessment);
    let names = spec.secrets.join("`, `");
    if policy.allow_secret_exposure {
        assessment.emulated(
            "secrets",
            format!("`env NAME=VALUE …` before the command, readable through the API: `{names}`"),
            &policy,
        );
        assessment.note(format!(
            "the values of `{names}` become readable in every answer about this job"
        ));
    } else {
        assessment.refuse(
            Refusal::new(
                RefusalCode::SecretExposure,
                "secrets",
                format!("the values of `{names}` would be readable in every answer about this job"),
            )
            .with_alternative(
                "have the command read them from a file in a mounted volume, or accept it with `--allow-secret-exposure`",
            ),
        );
    }
}

/// Refuses names that are both variables and secrets.
pub(super) fn refuse_doubled_secrets(spec: &JobSpec, assessment: &mut Assessment) {
    for name in &spec.secrets {
        if spec.env.contains_key(name) {
            assessment.refuse(
                Refusal::new(
                    RefusalCode::ConflictingFields,
                    format!("secrets.{name}"),
                    format!("`{name}` is both in `env` and in `secrets`"),
                )
                .with_alternative("name it in one of them"),
            );
        }
    }
}

/// `env` takes a first word with `=` for a variable, and one with a dash for an option (§9.2).
fn assess_first_word(spec: &JobSpec, assessment: &mut Assessment) {
    let Program::Command(words) = &spec.program else {
        return;
    };
    let variables = !spec.env.is_empty() || !spec.secrets.is_empty();
    if let Some(first) = words.first()
        && variables
        && (first.contains('=') || first.starts_with('-'))
    {
        assessment.refuse(
            Refusal::new(
                RefusalCode::ConflictingFields,
                "command",
                format!(
                    "variables are set by `env` before the command, and `env` would not take {} for a program",
                    shown(first)
                ),
            )
            .with_alternative("run the program under a name without `=` that does not begin with `-`, or leave the variables out"),
        );
    }
}

fn assess_timeout(spec: &JobSpec, policy: Policy, assessment: &mut Assessment) {
    match spec.timeout {
        Timeout::Unset => {}
        Timeout::Unlimited => {
            assessment.native("timeout", "nothing is sent: no limit is the default");
        }
        // `timeout 0` is no limit at all.
        Timeout::After(0) => assessment.refuse(
            Refusal::new(
                RefusalCode::UnsupportedValue,
                "timeout",
                "a limit of 0 seconds cannot be set",
            )
            .with_alternative("a limit of a second or more, or `timeout: none`"),
        ),
        Timeout::After(seconds) => {
            assessment.emulated(
                "timeout",
                format!("`timeout {seconds}` before the command"),
                &policy,
            );
            if !policy.no_emulation {
                assessment.note(format!(
                    "`timeout` is emulated: the image needs a `timeout` program, which ends the job as failed after {seconds} s"
                ));
            }
        }
    }
}

fn is_variable_name(name: &str) -> bool {
    name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// The port in `$BAT_PORT_<port>`, which something expands in every case (§4.2).
fn port_of(word: &str) -> Option<&str> {
    word.strip_prefix(PORT_VARIABLE)
}

fn names_declared_port(word: &str, ports: &[Port]) -> bool {
    port_of(word).is_some_and(|wanted| {
        ports.iter().any(|port| match port {
            Port::Named { name, .. } => super::network::is_port_name(name) && name == wanted,
            Port::Fixed(_) => false,
        })
    })
}

/// A word for people: control characters escaped, cut when long.
fn shown(word: &str) -> String {
    let escaped: String = word.chars().flat_map(char::escape_debug).collect();
    if escaped.chars().count() > SHOWN_CHARACTERS {
        let head: String = escaped.chars().take(SHOWN_CHARACTERS).collect();
        format!("`{head}…`")
    } else {
        format!("`{escaped}`")
    }
}
