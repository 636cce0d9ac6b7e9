//! Shell scripts that lie in a mounted folder: what they say of mounted paths is rewritten as in the job's own words.
//!
//! `sh /data/run.sh` becomes `sh -c TEXT /real/run.sh`, so that `$0` and everything beside the script stay where they
//! are and the file itself is never changed. Scripts that such a script starts or reads are not seen.

use std::fs;
use std::path::{Path, PathBuf};

use super::paths::PathMap;

/// Shells whose scripts are read.
const SHELLS: [&str; 5] = ["sh", "bash", "dash", "ash", "zsh"];

/// The longest text that every system takes as one word, with room to spare.
const LONGEST: usize = 96 * 1024;

/// The words of a command with mounted paths rewritten, in a script's text too when the command runs one.
pub(super) fn rewritten(words: &[String], map: &PathMap, directory: &Path) -> Vec<String> {
    let read = |path: &Path| fs::read(path).ok();
    with_script(words, map, directory, read)
        .unwrap_or_else(|| words.iter().map(|word| map.rewrite(word)).collect())
}

/// The words with the script's text among them; `None` when there is no script, or nothing to change in it.
fn with_script(
    words: &[String],
    map: &PathMap,
    directory: &Path,
    read: impl Fn(&Path) -> Option<Vec<u8>>,
) -> Option<Vec<String>> {
    let start = after_prefixes(words);
    let place = |word: &str| -> PathBuf {
        map.resolve(word)
            .map_or_else(|| directory.join(word), |(real, _)| real)
    };
    let text_of = |word: &str| -> Option<String> {
        let text = String::from_utf8(read(&place(word))?).ok()?;
        let changed = map.rewrite(&text);
        // A shell does not set `BASH_SOURCE` for `-c`.
        (changed != text && changed.len() <= LONGEST && !text.contains("BASH_SOURCE"))
            .then_some(changed)
    };
    let program = words.get(start)?;
    let (interpreter, script) = if is_shell(program) {
        let options = words
            .iter()
            .skip(start + 1)
            .take_while(|word| is_plain_option(word))
            .count();
        let script = start + 1 + options;
        let interpreter = words.get(start..script)?;
        (interpreter.to_vec(), script)
    } else {
        (interpreter_of(&text_of(program)?)?, start)
    };
    let path = words.get(script)?;
    let text = text_of(path)?;
    let before = words.iter().take(start).map(|word| map.rewrite(word));
    let after = words.iter().skip(script + 1).map(|word| map.rewrite(word));
    let name = place(path).to_string_lossy().into_owned();
    Some(
        before
            .chain(interpreter)
            .chain(["-c".to_owned(), text, name])
            .chain(after)
            .collect(),
    )
}

/// Where the command itself begins: after `env K=V…`, `timeout 60` and their like.
fn after_prefixes(words: &[String]) -> usize {
    let mut at = 0;
    let word = |at: usize| words.get(at).map_or("", String::as_str);
    let skip_options = |mut at: usize| {
        while word(at).starts_with('-') {
            at += if ["-k", "-s", "-n"].contains(&word(at)) {
                2
            } else {
                1
            };
        }
        at
    };
    loop {
        match base(word(at)) {
            "env" => {
                at = skip_options(at + 1);
                while word(at).contains('=') {
                    at += 1;
                }
            }
            "timeout" => at = skip_options(at + 1) + 1,
            "nohup" | "nice" | "setsid" | "exec" => at = skip_options(at + 1),
            _ => return at,
        }
    }
}

/// The shell that a script's first line names, with its options.
fn interpreter_of(text: &str) -> Option<Vec<String>> {
    let mut words = text.lines().next()?.strip_prefix("#!")?.split_whitespace();
    let mut program = words.next()?;
    if base(program) == "env" {
        program = words.next()?;
    }
    let options: Vec<&str> = words.collect();
    (is_shell(program) && options.iter().all(|option| is_plain_option(option))).then(|| {
        std::iter::once(program)
            .chain(options)
            .map(ToOwned::to_owned)
            .collect()
    })
}

fn is_shell(program: &str) -> bool {
    SHELLS.contains(&base(program))
}

/// An option of a shell that is one word and leaves the script where it is, such as `-eu`.
fn is_plain_option(word: &str) -> bool {
    word.strip_prefix('-').is_some_and(|letters| {
        !letters.is_empty()
            && letters
                .chars()
                .all(|letter| letter.is_ascii_alphabetic() && !"cosO".contains(letter))
    })
}

fn base(program: &str) -> &str {
    program.rsplit('/').next().unwrap_or(program)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn map() -> PathMap {
        PathMap::new([("/data".to_owned(), PathBuf::from("/real"))])
    }

    fn read(path: &Path) -> Option<Vec<u8>> {
        let text = match path.to_str()? {
            "/real/run.sh" | "/own/run.sh" => "#!/bin/sh -eu\necho > /data/out\n",
            "/real/env.sh" => "#!/usr/bin/env bash\necho > /data/out\n",
            "/real/plain.sh" => "echo no path\n",
            "/real/own.sh" => "cd \"${BASH_SOURCE[0]%/*}\"; ls /data\n",
            "/real/x.py" => "#!/usr/bin/python3\nopen('/data/out')\n",
            _ => return None,
        };
        Some(text.as_bytes().to_vec())
    }

    #[rstest]
    #[case(
        "sh /data/run.sh a /data/b",
        "sh -c #!/bin/sh -eu\necho > /real/out\n /real/run.sh a /real/b"
    )]
    #[case(
        "timeout -k 5 60 env A=1 bash -x /data/run.sh",
        "timeout -k 5 60 env A=1 bash -x -c #!/bin/sh -eu\necho > /real/out\n /real/run.sh"
    )]
    #[case(
        "/data/run.sh a",
        "/bin/sh -eu -c #!/bin/sh -eu\necho > /real/out\n /real/run.sh a"
    )]
    #[case(
        "/data/env.sh",
        "bash -c #!/usr/bin/env bash\necho > /real/out\n /real/env.sh"
    )]
    #[case("sh run.sh", "sh -c #!/bin/sh -eu\necho > /real/out\n /own/run.sh")]
    fn a_script_of_a_mount_is_read(#[case] words: &str, #[case] expected: &str) {
        let words: Vec<String> = words.split(' ').map(ToOwned::to_owned).collect();
        let changed = with_script(&words, &map(), Path::new("/own"), read).unwrap();
        assert_eq!(changed.join(" "), expected);
    }

    #[rstest]
    #[case("sh /data/plain.sh")]
    #[case("sh /data/own.sh")]
    #[case("sh /data/missing.sh")]
    #[case("sh -c /data/run.sh")]
    #[case("bash -o pipefail /data/run.sh")]
    #[case("python /data/x.py sh /data/run.sh")]
    #[case("/data/x.py")]
    #[case("sh")]
    #[case("env A=1")]
    fn other_commands_are_left_alone(#[case] words: &str) {
        let words: Vec<String> = words.split(' ').map(ToOwned::to_owned).collect();
        assert_eq!(with_script(&words, &map(), Path::new("/own"), read), None);
    }
}
