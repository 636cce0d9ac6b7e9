//! The end of a run that met a bug: said in one sentence, with the exit code of the contract (cli.md §6, 89).

use std::io::Write as _;
use std::panic::PanicHookInfo;

use crate::error::Kind;

/// A panic hook that names the place and ends the process with 89 instead of a back-trace.
#[expect(clippy::exit, reason = "a panic has no way back to `main`, and 89 is the contract's code for a bug")]
pub fn report(panic: &PanicHookInfo<'_>) {
    let place = panic
        .location()
        .map_or_else(String::new, |location| format!(" at {}:{}", location.file(), location.line()));
    let payload = panic.payload();
    let message = payload
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| payload.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("no message");
    let mut stderr = std::io::stderr().lock();
    // Nothing is left to do when even stderr is gone.
    drop(writeln!(
        stderr,
        "error: gpujob met a bug of its own{place}: {message}\n\nhint: report it with the command that led here"
    ));
    std::process::exit(i32::from(Kind::Internal.exit_code()));
}
