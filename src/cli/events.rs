//! Arguments of the verbs that tell what a provider knows beside a job's state: `events` and `cost`.

use clap::Args;

/// `events`.
#[derive(Debug, Clone, Args)]
pub struct EventsArgs {
    /// Job: a ref, a bare id with -p, or `name:NAME`
    #[arg(value_name = "REF")]
    pub job: String,
}

/// `cost`.
#[derive(Debug, Clone, Args)]
pub struct CostArgs {
    /// Jobs: a ref, a bare id with -p, `name:NAME`, `@FILE` or `@-`; without any, recent jobs
    #[arg(value_name = "REF")]
    pub refs: Vec<String>,
    /// Without refs: only jobs created within this time
    #[arg(long, value_name = "DUR", default_value = "7d")]
    pub since: String,
    /// Without refs: at most so many jobs a provider
    #[arg(long, value_name = "N", default_value_t = 50)]
    pub limit: usize,
    /// Exit 0 although a provider failed
    #[arg(long)]
    pub best_effort: bool,
}
