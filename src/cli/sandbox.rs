//! Arguments of `gpujob sandbox` (cli.md §9).

use std::ffi::OsString;
use std::path::PathBuf;

use clap::Args;

/// Serve the providers' APIs on this machine, for demos, tests and CI
///
/// Without COMMAND it serves until Ctrl-C and prints the configuration to use. With COMMAND it runs that with a
/// configuration of its own and with this very gpujob first on PATH, and exits with COMMAND's code.
///
/// It is a test double of foreign services, never a scheduler for real use. Jobs run as processes of this machine, with
/// your rights and without isolation; images are not pulled, and the current folder stands in for their `/workspace`.
#[derive(Debug, Clone, Default, Args)]
pub struct SandboxArgs {
    /// How many times faster than the real services states advance [default: 1, with COMMAND 20]
    #[arg(long, value_name = "FACTOR")]
    pub speed: Option<f64>,

    /// Keep the jobs of a backend in a state until the control route releases them (repeatable)
    #[arg(long, value_name = "BACKEND=STATE")]
    pub hold: Vec<String>,

    /// Port of the control route on 127.0.0.1; 0 takes a free one
    #[arg(long, value_name = "PORT", default_value_t = 0)]
    pub port: u16,

    /// Also write the `export` lines to this file, readable by you alone
    #[arg(long, value_name = "FILE")]
    pub env_file: Option<PathBuf>,

    /// Command to run against the sandbox
    #[arg(last = true, value_name = "COMMAND")]
    pub command: Vec<OsString>,
}
