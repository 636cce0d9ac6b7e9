//! The carrier of the exit code (`exit_code_carrier`; cli.md §6, job-model.md §10): a marked last line of the log, since
//! no answer of the API tells the code.
//!
//! Pure. The line holds the job's own marker, so that no program prints it by chance, and stands behind whatever the
//! program left without a line feed.

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

/// A line without what the carrier wrote at its end, and the code, if it did. Nothing is left of a line of its own.
pub(super) fn cut<'a>(line: &'a str, marker: &str) -> (Option<&'a str>, Option<i64>) {
    let found = line
        .strip_suffix(END)
        .and_then(|line| line.rsplit_once(BEGIN))
        .and_then(|(before, rest)| {
            let code = rest.strip_prefix(marker)?.strip_prefix(' ')?;
            Some((before, code.parse().ok()?))
        });
    match found {
        None => (Some(line), None),
        Some(("", code)) => (None, Some(code)),
        Some((before, code)) => (Some(before), Some(code)),
    }
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
        left.push_str(rest.unwrap_or_default());
        assert_eq!(left, printed);
    }

    #[rstest]
    #[case("::gpujob-exit-code bcdfghjklm2456 x::")]
    #[case("::gpujob-exit-code otherotherothe 3::")]
    #[case("::gpujob-exit-code bcdfghjklm2456 3:: more")]
    #[case("anything else")]
    fn other_lines_stay_as_they_are(#[case] line: &str) {
        assert_eq!(cut(line, MARKER), (Some(line), None));
    }
}
