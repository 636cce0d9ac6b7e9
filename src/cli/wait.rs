//! Arguments of `wait`.

use clap::Args;

/// `wait`.
#[derive(Debug, Clone, Args)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a switch of the command line"
)]
pub struct WaitArgs {
    /// Jobs: a ref, a bare id with -p, `name:NAME`, `@FILE` or `@-`
    #[arg(value_name = "REF", required = true)]
    pub refs: Vec<String>,
    /// First pause between polls
    #[arg(long, value_name = "DUR", env = "GPUJOB_POLL", hide_env_values = true)]
    pub poll: Option<String>,
    /// How long failing polls are tolerated
    #[arg(long, value_name = "DUR", default_value = "10m")]
    pub poll_failures: String,
    /// How long the jobs may wait for resources, from now on
    #[arg(long, value_name = "DUR")]
    pub start_timeout: Option<String>,
    /// Until a job is in this state or a later one, or has ended: pending, starting, running, succeeded, failed,
    /// cancelled, unknown, or released (ended, and no resources kept)
    #[arg(long, value_name = "STATE")]
    pub until: Option<String>,
    /// Until one of the jobs ends, and exit as that one did
    #[arg(long, conflicts_with = "all")]
    pub any: bool,
    /// Until all of the jobs end, which is what `wait` does anyway
    #[arg(long)]
    pub all: bool,
    /// Give up with 90 when a job meets COND: `pending>20m` (so long without running) or `reason=ImagePull*` (a reason
    /// of the job or its events; repeatable)
    #[arg(long, value_name = "COND")]
    pub fail_if: Vec<String>,
    /// Stop the job that meets a condition of --fail-if
    #[arg(long, requires = "fail_if")]
    pub cancel: bool,
    /// Stop the jobs when this command is interrupted
    #[arg(long)]
    pub cancel_on_interrupt: bool,
}
