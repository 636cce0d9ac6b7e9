//! Arguments of `wait`.

use clap::Args;

/// `wait`.
#[derive(Debug, Clone, Args)]
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
    /// Stop the jobs when this command is interrupted
    #[arg(long)]
    pub cancel_on_interrupt: bool,
}
