//! Arguments of `explain`.

use clap::Args;

use super::spec::{DryRun, SpecArgs};

/// `explain`.
#[derive(Debug, Clone, Args)]
pub struct ExplainArgs {
    #[command(flatten)]
    pub spec: SpecArgs,
    /// How the plan is shown
    #[arg(long, value_name = "FORM", value_enum, num_args = 0..=1, require_equals = true, default_missing_value = "text")]
    pub dry_run: Option<DryRun>,
    /// Print the runner that CycleCloud's nodes need, with how an operator installs it once
    #[arg(long)]
    pub cyclecloud_runner: bool,
}
