//! The runner: the small program on a node that makes a job of started machines (cyclecloud.md §8.2).
//!
//! Pure text. One program serves both ways in: installed once by an operator, or carried whole by a job in cloud-init
//! mode.

use crate::spec::quote;

/// The program itself, for a POSIX shell.
pub const RUNNER: &str = include_str!("runner.sh");

/// What is said to the operator, as comments.
const PREFACE: &str = include_str!("instructions.sh");

/// Ends the program inside a script; no line of it is this word.
const END: &str = "GPUJOB_RUNNER_ENDS";

/// What an operator installs once: a script for nodes that says in its comments how (`explain --cyclecloud-runner`).
pub fn instructions() -> String {
    format!("{PREFACE}{}", launcher(&[]))
}

/// A script that carries one job whole: the program and the job's values (cyclecloud.md §8.2, mode `cloud-init`).
pub(super) fn cloud_init(values: &[(String, String)]) -> String {
    format!(
        "#!/bin/sh\n# one job of gpujob, with the program that runs it\n{}",
        launcher(values)
    )
}

/// Writes the program and the values, and starts the program detached: set-up must not wait for the job.
fn launcher(values: &[(String, String)]) -> String {
    let mut text =
        String::from("set -eu\nhome=${GPUJOB_HOME:-/var/lib/gpujob}\nmkdir -p \"$home\"\n");
    if !values.is_empty() {
        text.push_str(
            "GPUJOB_VALUES=$home/values\nexport GPUJOB_VALUES\nmkdir -p \"$GPUJOB_VALUES\"\n",
        );
        for (key, value) in values {
            let line = format!(
                "printf '%s' {} >\"$GPUJOB_VALUES/{key}\"\n",
                quote::quote_word(value)
            );
            text.push_str(&line);
        }
    }
    text.push_str("cat >\"$home/runner.new\" <<'");
    text.push_str(END);
    text.push_str("'\n");
    text.push_str(RUNNER);
    text.push_str(END);
    text.push_str(
        "\nchmod 0755 \"$home/runner.new\"\nmv -f \"$home/runner.new\" \"$home/runner\"\n",
    );
    text.push_str(START);
    text
}

/// A service of its own outlives the script that starts it; without a service manager a session of its own must do.
const START: &str = r#"if [ -z "${GPUJOB_HOME:-}" ] && [ -d /run/systemd/system ] && command -v systemd-run >/dev/null 2>&1; then
    systemd-run --unit gpujob-runner --collect --setenv "GPUJOB_VALUES=${GPUJOB_VALUES:-}" \
        /bin/sh -c 'exec /bin/sh "$1/runner" >>"$1/runner.log" 2>&1' start "$home"
elif command -v setsid >/dev/null 2>&1; then
    setsid /bin/sh "$home/runner" >>"$home/runner.log" 2>&1 </dev/null &
else
    /bin/sh "$home/runner" >>"$home/runner.log" 2>&1 </dev/null &
fi
"#;
