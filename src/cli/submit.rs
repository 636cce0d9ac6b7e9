//! Arguments of `submit`.

use std::path::PathBuf;

use clap::builder::NonEmptyStringValueParser;
use clap::{ArgGroup, Args};

use super::spec::{DryRun, SpecArgs};

/// `submit`.
#[derive(Debug, Clone, Args)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a switch of the command line"
)]
#[command(group(ArgGroup::new("waits").args(["wait", "follow"]).multiple(true)))]
pub struct SubmitArgs {
    #[command(flatten)]
    pub spec: SpecArgs,
    /// Submit once under this key: later submits with it, from any machine, give the first one's job
    #[arg(long, value_name = "KEY", value_parser = NonEmptyStringValueParser::new())]
    pub key: Option<String>,
    /// With --key or --array: if its job is over without success, submit another attempt
    #[arg(long)]
    pub rerun_failed: bool,
    /// With --key or --array, after exit code 88: you have looked, there is no job, send the create again
    #[arg(long)]
    pub resubmit: bool,
    /// Write nothing down: what becomes of a create in doubt is then yours to find out
    #[arg(long)]
    pub no_journal: bool,
    /// Keep asking for so long while nobody has room, such as 2h
    #[arg(long, value_name = "DUR")]
    pub wait_for_capacity: Option<String>,
    /// With several candidates: pass over one that does not answer before anything is created
    #[arg(long)]
    pub best_effort: bool,
    /// With --array: submit every job at once instead of keeping so many alive
    #[arg(long)]
    pub detach_array: bool,
    /// Wait until the job ends, and exit as it did
    #[arg(long)]
    pub wait: bool,
    /// Wait, and print what the job writes; its ref goes to stderr
    #[arg(long)]
    pub follow: bool,
    /// First pause between polls
    #[arg(long, value_name = "DUR", env = "GPUJOB_POLL", hide_env_values = true)]
    pub poll: Option<String>,
    /// How long failing polls are tolerated
    #[arg(long, value_name = "DUR", default_value = "10m")]
    pub poll_failures: String,
    /// With --wait or --follow: give up with 90 when the job meets COND, `pending>20m` or `reason=ImagePull*` (repeatable)
    #[arg(long, value_name = "COND", requires = "waits")]
    pub fail_if: Vec<String>,
    /// Stop the job when it meets a condition of --fail-if
    #[arg(long, requires = "fail_if")]
    pub cancel: bool,
    /// Stop the job when this command is interrupted
    #[arg(long, requires = "waits")]
    pub cancel_on_interrupt: bool,
    /// Cancel the job if its price is higher after the create than it was before
    #[arg(long)]
    pub cancel_if_dearer: bool,
    /// Also write the job ref to this file
    #[arg(long, value_name = "FILE")]
    pub id_file: Option<PathBuf>,
    /// Show what would be sent, and send nothing that creates
    #[arg(long, value_name = "FORM", value_enum, num_args = 0..=1, require_equals = true, default_missing_value = "text")]
    pub dry_run: Option<DryRun>,
}
