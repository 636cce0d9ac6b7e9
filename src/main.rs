//! gpujob's entry: run, and return one exit code. A bug ends with 89 and says that it is one.

use std::process::ExitCode;

fn main() -> ExitCode {
    std::panic::set_hook(Box::new(gpujob::bug::report));
    ExitCode::from(gpujob::run(std::env::args_os()))
}
