//! The carrier of the exit code (`exit_code_carrier`; cli.md §6, job-model.md §10): a marked last line of the log, since
//! no answer of the API tells the code.
//!
//! Pure. The line holds the job's own marker, so that no program prints it by chance, and stands behind whatever the
//! program left without a line feed.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::Value;

use super::parse;
use super::wire::JobAnswer;

/// The tag of a job with a carrier.
pub(super) const TAG_CARRIER: &str = "gpujob-carrier";

const BEGIN: &str = "::gpujob-exit-code ";
const END: &str = "::";

/// The command in a shell of its own, and behind it the line with its code; the code itself stays the same.
pub(super) fn wrap(command: &str, marker: &str) -> String {
    format!(
        "(\n{command}\n)\ngpujob_code=$?\nprintf '{BEGIN}{marker} %s{END}\\n' \"$gpujob_code\"\nexit \"$gpujob_code\"\n"
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
    #[case("no-such-command-at-all 2>&-", "", 127)]
    fn a_real_shell_writes_the_code_behind_everything(
        #[case] command: &str,
        #[case] printed: &str,
        #[case] code: i32,
    ) {
        let output = Command::new("sh")
            .args(["-c", &wrap(command, MARKER)])
            .stdin(Stdio::null())
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(code));
        let log = String::from_utf8(output.stdout).unwrap();
        let lines: Vec<&str> = log.lines().collect();
        let (last, first) = lines.split_last().unwrap();
        let (rest, carried) = cut(last, MARKER);
        assert_eq!(carried, Some(i64::from(code)));
        let mut left: String = first.iter().map(|line| [line, "\n"].concat()).collect();
        left.push_str(&rest.unwrap_or_default());
        assert_eq!(left, printed);
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
