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

    /// Let something go wrong, as in `paracloud:create:reset-after:p=0.3` (repeatable)
    ///
    /// A RULE is BACKEND:OPERATION:ACTION[:OPTION…], with `*` for every backend or operation. OPERATION is create, get,
    /// list, cancel, types, logs, events, cost, volumes, namespaces, files, other, the service's own word such as
    /// `CreateJob`, or a path as in `POST /api/*`. ACTION is reset, timeout, 429, 408, 500, 502, 503, 504, truncated, torn, html, empty,
    /// slow, delay, skew, lag, partial or sold-out; with `-after`, the request has its effect first. Every rule takes
    /// `p=0.3` (share), `times=3`, `every=2` and `skip=1`; some actions take `for=SECONDS`, `retry-after=SECONDS`,
    /// `by=SECONDS`, `reads=N`, `nodes=N` or `page`.
    #[arg(long, value_name = "RULE")]
    pub fault: Vec<String>,

    /// Fixes ids and faults, so that a run can be repeated
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,

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
