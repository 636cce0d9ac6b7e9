//! The carrier of the exit code (`exit_code_carrier`; cli.md §6, job-model.md §10): a marked last line of the log, since
//! no answer of the API tells the code.
//!
//! Pure. The line holds the job's own marker, so that no program prints it by chance, and stands behind whatever the
//! program left without a line feed.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::Value;

use crate::spec::quote::quote_word;

use super::parse;
use super::wire::JobAnswer;

/// The tag of a job with a carrier.
pub(super) const TAG_CARRIER: &str = "gpujob-carrier";

const BEGIN: &str = "::gpujob-exit-code ";
const END: &str = "::";

/// The shell around the command, which is a word for a shell of its own: no quote or here-document that it leaves open
/// reaches what stands behind it.
///
/// A container's first process gets `SIGTERM` alone, and a shell waits for what it runs before it looks: so the command
/// runs beside it, and is told. `wait` ends with 143 for the signal itself, and is repeated. What runs beside a shell
/// would have no input and ignore `SIGINT` and `SIGQUIT`; all are given back.
const BEFORE: &str = r#"gpujob_child= gpujob_told= gpujob_env=
trap 'gpujob_told=1; [ -z "$gpujob_child" ] || kill -TERM "$gpujob_child" 2>/dev/null' TERM
[ -n "$BASH" ] || ! env --default-signal=INT,QUIT true 2>/dev/null || gpujob_env='env --default-signal=INT,QUIT'
( : 3<&0 ) 2>/dev/null || exec </dev/null
{
(
trap - INT QUIT
exec $gpujob_env "${BASH:-sh}" -c "#;
const BEHIND: &str = r#" "$0"
) <&3 3<&- &
gpujob_child=$!
[ -z "$gpujob_told" ] || kill -TERM "$gpujob_child" 2>/dev/null
wait "$gpujob_child"
gpujob_code=$?
} 3<&0
while [ -n "$gpujob_told" ] && [ "$gpujob_code" -eq 143 ]; do
gpujob_told=
wait "$gpujob_child"
gpujob_next=$?
[ "$gpujob_next" -eq 127 ] || gpujob_code=$gpujob_next
done
"#;

/// The command in a shell of its own, and behind it the line with its code; the code itself stays the same.
pub(super) fn wrap(command: &str, marker: &str) -> String {
    let command = quote_word(command);
    format!(
        "{BEFORE}{command}{BEHIND}printf '{BEGIN}{marker} %s{END}\\n' \"$gpujob_code\"\nexit \"$gpujob_code\"\n"
    )
}

/// The marker of a job that has a carrier, from the service's own record.
pub(super) fn marker_of(raw: &Value) -> Option<String> {
    let answer = JobAnswer::deserialize(raw).ok()?;
    answer.settings.tags.get(TAG_CARRIER)?;
    parse::marker_of(&answer).map(|marker| marker.as_str().to_owned())
}

/// A line without what the carrier wrote into it, and the code, if it did. Nothing is left of a line of its own.
///
/// What follows it is not the carrier's: the carriage return of a terminal, or words of a process that still runs.
pub(super) fn cut<'a>(line: &'a str, marker: &str) -> (Option<Cow<'a, str>>, Option<i64>) {
    let found = line.rmatch_indices(BEGIN).find_map(|(position, _)| {
        let rest = line.get(position + BEGIN.len()..)?;
        let rest = rest.strip_prefix(marker)?.strip_prefix(' ')?;
        let (code, behind) = rest.split_once(END)?;
        let is_number = !code.is_empty() && code.bytes().all(|digit| digit.is_ascii_digit());
        is_number.then_some(())?;
        Some((line.get(..position)?, code.parse().ok()?, behind))
    });
    let Some((before, code, behind)) = found else {
        return (Some(Cow::Borrowed(line)), None);
    };
    let behind = behind.trim_end();
    let left = match (before, behind) {
        ("", "") => None,
        (text, "") | ("", text) => Some(Cow::Borrowed(text)),
        (before, behind) => Some(Cow::Owned([before, behind].concat())),
    };
    (left, Some(code))
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead as _, BufReader, Read as _, Write as _};
    use std::process::{Command, Stdio};

    use rstest::rstest;

    use super::*;

    const MARKER: &str = "bcdfghjklm2456";

    #[rstest]
    #[case("exit 3", "", 3)]
    #[case("echo one; false", "one\n", 1)]
    #[case("printf one", "one", 0)]
    #[case("exec sh -c 'echo one; exit 7'", "one\n", 7)]
    #[case("set -e\nfalse\necho never", "", 1)]
    #[case("trap 'echo bye' EXIT\nexit 4", "bye\n", 4)]
    #[case("echo one # a comment", "one\n", 0)]
    #[case("cat <<END\n(\nEND\nexit 2", "(\n", 2)]
    #[case("cat <<END\n$((1 + 1))\n", "2\n", 0)]
    #[case("echo 'it'\\''s' \"$0\" | cut -c1-4; exit 5", "it's\n", 5)]
    #[case("echo one \\", "one \\\n", 0)]
    #[case("exec >/dev/null 2>&1; exit 6", "", 6)]
    #[case("exit 143", "", 143)]
    #[case("kill -9 $$", "", 137)]
    #[case("if", "", 2)]
    #[case("no-such-command-at-all 2>&-", "", 127)]
    fn a_real_shell_writes_the_code_behind_everything(
        #[case] command: &str,
        #[case] printed: &str,
        #[case] code: i32,
        #[values("sh", "bash")] shell: &str,
    ) {
        let command = wrap(command, MARKER);
        let mut child = match shell_of(shell, &command).spawn() {
            Ok(child) => child,
            // Not every machine has both.
            Err(_) if shell == "bash" => return,
            Err(error) => panic!("{error}"),
        };
        drop(child.stdin.take());
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(code));
        assert_eq!(
            split(&String::from_utf8(output.stdout).unwrap()),
            (printed.to_owned(), code)
        );
    }

    #[rstest]
    fn the_command_is_told_to_stop_and_has_its_input(#[values("sh", "bash")] shell: &str) {
        // It says when it listens, so that nobody has to guess.
        let command = "trap 'echo saved; exit 7' TERM\nread word\necho \"$word\"\nwhile :; do sleep 0.1; done";
        let Ok(mut child) = shell_of(shell, &wrap(command, MARKER)).spawn() else {
            assert_eq!(shell, "bash");
            return;
        };
        child.stdin.take().unwrap().write_all(b"ready\n").unwrap();
        let mut output = BufReader::new(child.stdout.take().unwrap());
        let mut log = String::new();
        output.read_line(&mut log).unwrap();
        assert_eq!(log, "ready\n");
        let told = Command::new("kill")
            .args(["-TERM", &child.id().to_string()])
            .status();
        assert!(told.unwrap().success());
        output.read_to_string(&mut log).unwrap();
        assert_eq!(child.wait().unwrap().code(), Some(7));
        assert_eq!(split(&log), ("ready\nsaved\n".to_owned(), 7));
    }

    fn shell_of(shell: &str, command: &str) -> Command {
        let mut process = Command::new(shell);
        process
            .args(["-c", command])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        process
    }

    /// What the command printed, and the code behind it.
    fn split(log: &str) -> (String, i32) {
        let lines: Vec<&str> = log.lines().collect();
        let (last, first) = lines.split_last().unwrap();
        let (rest, carried) = cut(last, MARKER);
        let mut left: String = first.iter().map(|line| [line, "\n"].concat()).collect();
        left.push_str(&rest.unwrap_or_default());
        (left, i32::try_from(carried.unwrap()).unwrap())
    }

    #[rstest]
    #[case("::gpujob-exit-code bcdfghjklm2456 x::")]
    #[case("::gpujob-exit-code otherotherothe 3::")]
    #[case("::gpujob-exit-code bcdfghjklm2456 ::")]
    #[case("+ printf '::gpujob-exit-code bcdfghjklm2456 %s::\\n' 5")]
    #[case("anything else")]
    fn other_lines_stay_as_they_are(#[case] line: &str) {
        assert_eq!(cut(line, MARKER), (Some(Cow::Borrowed(line)), None));
    }

    #[rstest]
    #[case("::gpujob-exit-code bcdfghjklm2456 3::", None)]
    #[case("::gpujob-exit-code bcdfghjklm2456 3::\r", None)]
    #[case("::gpujob-exit-code bcdfghjklm2456 3::  ", None)]
    #[case("::gpujob-exit-code bcdfghjklm2456 3::bg", Some("bg"))]
    #[case("one::gpujob-exit-code bcdfghjklm2456 3::", Some("one"))]
    #[case("one::gpujob-exit-code bcdfghjklm2456 3:: bg\r", Some("one bg"))]
    fn whatever_stands_beside_it_the_code_is_found_and_the_rest_kept(
        #[case] line: &str,
        #[case] left: Option<&str>,
    ) {
        assert_eq!(cut(line, MARKER), (left.map(Cow::Borrowed), Some(3)));
    }
}
