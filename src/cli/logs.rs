//! Arguments of `logs`.

use clap::Args;

/// `logs`.
#[derive(Debug, Clone, Args)]
pub struct LogsArgs {
    /// Job: a ref, a bare id with -p, or `name:NAME`
    #[arg(value_name = "REF")]
    pub job: String,
    /// Go on until the job and its log have ended
    #[arg(short, long)]
    pub follow: bool,
    /// Only the last N lines of what there is, of each pod
    #[arg(long, value_name = "N")]
    pub tail: Option<usize>,
    /// Only what was written within this time, where the provider knows times
    #[arg(long, value_name = "DUR")]
    pub since: Option<String>,
    /// Put the time before each line, where the provider tells it
    #[arg(long)]
    pub timestamps: bool,
    /// Only this pod or node, by name or its end, or only `stdout` or `stderr`; repeat for more
    #[arg(long, value_name = "NAME", visible_alias = "node")]
    pub pod: Vec<String>,
    /// First pause between polls
    #[arg(long, value_name = "DUR", env = "GPUJOB_POLL", hide_env_values = true)]
    pub poll: Option<String>,
    /// How long failing polls are tolerated
    #[arg(long, value_name = "DUR", default_value = "10m")]
    pub poll_failures: String,
}
