//! `#SBATCH` lines: the common subset, translated; everything else is named and ignored (cli.md §2.1).

use crate::spec::Overrides;
use crate::spec::error::{Origin, SpecError};

use super::Script;

/// The subset: long form, short form.
const KNOWN: [(&str, Option<char>); 9] = [
    ("job-name", Some('J')),
    ("nodes", Some('N')),
    ("gres", None),
    ("time", Some('t')),
    ("mem", None),
    ("cpus-per-task", Some('c')),
    ("output", Some('o')),
    ("error", Some('e')),
    ("array", Some('a')),
];

/// Short forms of options outside the subset that take a value, so that it is not taken for an option.
const FOREIGN_WITH_VALUE: &str = "ABCDFGLMPSbdikmnpqwx";

/// Reads the words of one line.
pub(super) fn read(
    words: &[String],
    line: usize,
    origin: &Origin,
    script: &mut Script<'_>,
) -> Result<Overrides, SpecError> {
    let mut overrides = Overrides::default();
    let mut words = words.iter().peekable();
    while let Some(word) = words.next() {
        let (name, attached) = option(word);
        let Some(name) = name else {
            // The value of a foreign option, or of none.
            let takes_value = !word.contains('=')
                && (word.starts_with("--")
                    || word
                        .strip_prefix('-')
                        .is_some_and(|short| FOREIGN_WITH_VALUE.contains(short)));
            let value = takes_value
                .then(|| words.next_if(|next| !next.starts_with('-')))
                .flatten();
            let what = value.map_or_else(|| word.clone(), |value| format!("{word} {value}"));
            script.ignore(line, &format!("#SBATCH {what}"), "it has no meaning here");
            continue;
        };
        let value = attached
            .or_else(|| words.next().cloned())
            .filter(|value| !value.is_empty())
            .ok_or_else(|| {
                SpecError::new("bad_value", origin, format!("`--{name}` needs a value"))
            })?;
        let bad = |why: &str, hint: &str| {
            SpecError::new("bad_value", origin, format!("`--{name}`: `{value}` {why}"))
                .with_hint(hint)
        };
        match name {
            "job-name" => overrides.name = Some(value),
            "nodes" => {
                overrides.nodes = Some(
                    nodes(&value)
                        .ok_or_else(|| bad("is no number of nodes", "write one number"))?,
                );
            }
            "cpus-per-task" => overrides.cpu = Some(value),
            "mem" => match memory(&value) {
                Some(0) => script.ignore(
                    line,
                    "--mem=0",
                    "all of a node's memory is the job's anyway",
                ),
                Some(mebibytes) => overrides.memory = Some(format!("{mebibytes}MiB")),
                None => {
                    return Err(bad(
                        "is no memory",
                        "write one such as `64G`; without a unit it counts megabytes",
                    ));
                }
            },
            "time" => {
                overrides.time = Some(limit(&value).ok_or_else(|| {
                    bad(
                        "is no time limit",
                        "write minutes, `H:MM:SS` or `D-HH:MM:SS`",
                    )
                })?);
            }
            "array" => {
                overrides.array = Some(array(&value).ok_or_else(|| {
                    bad(
                        "is no range of indices",
                        "write `A-B` or `A-B%PARALLEL`, without steps and lists",
                    )
                })?);
            }
            "gres" => gres(&value, line, &mut overrides, script)
                .ok_or_else(|| bad("names no GPUs", "write `gpu:COUNT` or `gpu:MODEL:COUNT`"))?,
            "output" => output(line, "-o", value, script, |script| &mut script.output),
            _ => output(line, "-e", value, script, |script| &mut script.errors),
        }
    }
    Ok(overrides)
}

/// The option of a word and a value attached to it: `--mem=4G`, `-N2`, `-N=2` is not one.
fn option(word: &str) -> (Option<&'static str>, Option<String>) {
    if let Some(long) = word.strip_prefix("--") {
        let (name, value) = match long.split_once('=') {
            Some((name, value)) => (name, Some(value.to_owned())),
            None => (long, None),
        };
        let known = KNOWN.iter().find(|(known, _)| *known == name);
        return (known.map(|(known, _)| *known), value);
    }
    let mut characters = word.chars();
    let (Some('-'), Some(short)) = (characters.next(), characters.next()) else {
        return (None, None);
    };
    let rest = characters.as_str();
    let known = KNOWN.iter().find(|(_, letter)| *letter == Some(short));
    (
        known.map(|(known, _)| *known),
        (!rest.is_empty()).then(|| rest.to_owned()),
    )
}

/// `2`, or a range of one number.
fn nodes(text: &str) -> Option<String> {
    let (least, most) = text.split_once('-').unwrap_or((text, text));
    (least == most && least.parse::<u32>().is_ok()).then(|| least.to_owned())
}

/// Mebibytes: Slurm's units are binary, and megabytes where none is written.
fn memory(text: &str) -> Option<u64> {
    let digits = text.trim_end_matches(|letter: char| letter.is_ascii_alphabetic());
    let number: u64 = digits.parse().ok()?;
    let unit = text.strip_prefix(digits)?.to_ascii_uppercase();
    match unit.trim_end_matches('B') {
        "K" => Some(number.div_ceil(1024)),
        "" if unit.is_empty() => Some(number),
        "M" => Some(number),
        "G" => number.checked_mul(1 << 10),
        "T" => number.checked_mul(1 << 20),
        _ => None,
    }
}

/// Minutes, `M:S`, `H:M:S`, `D-H`, `D-H:M`, `D-H:M:S`, or no limit; as a duration of a job file.
fn limit(text: &str) -> Option<String> {
    if ["UNLIMITED", "INFINITE"].contains(&text.to_ascii_uppercase().as_str()) {
        return Some("none".to_owned());
    }
    let (days, rest) = match text.split_once('-') {
        Some((days, rest)) => (Some(days.parse::<u64>().ok()?), rest),
        None => (None, text),
    };
    let parts: Vec<u64> = rest
        .split(':')
        .map(|part| part.parse().ok())
        .collect::<Option<_>>()?;
    let (hours, minutes, seconds) = match (days, parts.as_slice()) {
        (None, [minutes]) => (0, *minutes, 0),
        (None, [minutes, seconds]) => (0, *minutes, *seconds),
        (Some(_), [hours]) => (*hours, 0, 0),
        (Some(_), [hours, minutes]) => (*hours, *minutes, 0),
        (_, [hours, minutes, seconds]) => (*hours, *minutes, *seconds),
        _ => return None,
    };
    let total = days
        .unwrap_or_default()
        .checked_mul(86_400)?
        .checked_add(hours.checked_mul(3_600)?)?
        .checked_add(minutes.checked_mul(60)?)?
        .checked_add(seconds)?;
    Some(match total {
        // Slurm: a limit of zero is none.
        0 => "none".to_owned(),
        total => format!("{total}s"),
    })
}

/// `A-B[%P]`; one index alone is a range of one, where `--array N` would be N of them.
fn array(text: &str) -> Option<String> {
    let (range, parallel) = match text.split_once('%') {
        Some((range, parallel)) => (range, Some(parallel)),
        None => (text, None),
    };
    let (first, last) = range.split_once('-').unwrap_or((range, range));
    let is_number = |part: &str| part.parse::<u32>().is_ok();
    if !is_number(first) || !is_number(last) || !parallel.is_none_or(is_number) {
        return None;
    }
    let parallel = parallel.map_or_else(String::new, |parallel| format!("%{parallel}"));
    Some(format!("{first}-{last}{parallel}"))
}

/// `gpu[:MODEL][:COUNT]`, several by commas; `None` for GPUs that cannot be read.
fn gres(text: &str, line: usize, overrides: &mut Overrides, script: &mut Script<'_>) -> Option<()> {
    for item in text.split(',') {
        let parts: Vec<&str> = item.split(':').collect();
        let count = |text: &str| text.parse::<u32>().ok().filter(|count| *count > 0);
        match parts.as_slice() {
            ["gpu"] => overrides.set.push("resources.gpu.count=1".to_owned()),
            ["gpu", one] => match count(one) {
                Some(count) => overrides.set.push(format!("resources.gpu.count={count}")),
                None if one.bytes().all(|byte| byte.is_ascii_digit()) => return None,
                None => overrides.gpu = Some(format!("{one}:1")),
            },
            ["gpu", model, cards] => overrides.gpu = Some(format!("{model}:{}", count(cards)?)),
            ["gpu", ..] => return None,
            _ => script.ignore(line, &format!("--gres={item}"), "only `gpu` is known"),
        }
    }
    Some(())
}

/// A file for the output: one with a place on the node is written, all else is left to the provider's log.
fn output<'a>(
    line: usize,
    flag: &str,
    path: String,
    script: &mut Script<'a>,
    place: for<'s> fn(&'s mut Script<'a>) -> &'s mut Option<(usize, String)>,
) {
    let is_known_pattern = path
        .replace("%%", "")
        .split('%')
        .skip(1)
        .all(|after| after.starts_with(['x', 'a']));
    let what = format!("{flag} {path}");
    if !path.starts_with('/') {
        script.ignore(
            line,
            &what,
            "a relative path would be lost with the node; `gpujob logs` has the output",
        );
    } else if !script.is_shell {
        script.ignore(
            line,
            &what,
            "the script is no shell script, so that its output cannot be redirected",
        );
    } else if !is_known_pattern {
        script.ignore(
            line,
            &what,
            "of Slurm's patterns only `%x`, `%a` and `%%` are known",
        );
    } else {
        script.notes.push(format!(
            "line {line}: `{what}`: the output goes into that file on the node, and not into `gpujob logs`"
        ));
        *place(script) = Some((line, path));
    }
}
