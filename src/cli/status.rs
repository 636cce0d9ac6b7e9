//! Arguments of `status`.

use clap::Args;

/// `status`.
#[derive(Debug, Clone, Args)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a switch of the command line"
)]
pub struct StatusArgs {
    /// Jobs: a ref, a bare id with -p, `name:NAME`, `@FILE` or `@-`
    #[arg(value_name = "REF")]
    pub refs: Vec<String>,
    /// Only jobs created within this time
    #[arg(long, value_name = "DUR", default_value = "7d")]
    pub since: String,
    /// At most so many a provider; 50, and with `--all` no limit unless one is given
    #[arg(long, value_name = "N")]
    pub limit: Option<usize>,
    /// All jobs, of any age
    #[arg(long)]
    pub all: bool,
    /// Only jobs in these states: pending, starting, running, succeeded, failed, cancelled, unknown
    #[arg(long, value_name = "STATE", value_delimiter = ',')]
    pub state: Vec<String>,
    /// Go on looking: a terminal is redrawn, a pipe gets a line, or with ndjson an object, for each change; with refs
    /// until those jobs have ended
    #[arg(long)]
    pub watch: bool,
    /// With --watch: first pause between looks
    #[arg(long, value_name = "DUR", env = "GPUJOB_POLL", hide_env_values = true)]
    pub poll: Option<String>,
    /// What may cost money without anybody waiting: jobs that no submit of this machine knows, second jobs of one
    /// submit, nodes of jobs that are over, creates in doubt; exits 90 if there is any
    #[arg(long, conflicts_with_all = ["refs", "since", "limit", "all", "state", "watch"])]
    pub orphans: bool,
    /// Exit 0 although a provider failed
    #[arg(long)]
    pub best_effort: bool,
}
