//! Arguments of `settle`.

use clap::Args;

/// `settle`.
#[derive(Debug, Clone, Args)]
pub struct SettleArgs {
    /// Submits: `marker:MARKER`, `key:KEY`, `name:NAME` or a job ref
    #[arg(
        value_name = "REF",
        required_unless_present = "all",
        conflicts_with = "all"
    )]
    pub refs: Vec<String>,
    /// Every submit in doubt
    #[arg(long)]
    pub all: bool,
    /// You have looked: what is not found now does not exist
    #[arg(long)]
    pub give_up: bool,
    /// First pause between looks
    #[arg(long, value_name = "DUR", env = "GPUJOB_POLL", hide_env_values = true)]
    pub poll: Option<String>,
}
