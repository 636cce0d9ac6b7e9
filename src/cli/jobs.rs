//! Arguments of the verbs that speak of jobs and types.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

/// `--dry-run`: how the plan is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum DryRun {
    Text,
    Json,
    Curl,
}

/// The spec file and every flag that changes the spec (cli.md §2.1).
#[derive(Debug, Clone, Default, Args)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a switch of the command line"
)]
pub struct SpecArgs {
    /// Job file in YAML, TOML or JSON; `-` reads standard input
    #[arg(value_name = "SPEC")]
    pub spec: Option<String>,
    /// The program and its arguments, instead of the spec's
    #[arg(last = true, value_name = "COMMAND")]
    pub command: Vec<String>,
    /// The job's name
    #[arg(long)]
    pub name: Option<String>,
    /// Container image
    #[arg(long, value_name = "REFERENCE")]
    pub image: Option<String>,
    /// Shell text to run, or @FILE
    #[arg(long, value_name = "TEXT|@FILE")]
    pub script: Option<String>,
    /// GPUs per node: MODEL, MODEL:COUNT or MODEL:COUNT:MEMORY
    #[arg(long, value_name = "MODEL[:COUNT]")]
    pub gpu: Option<String>,
    /// The provider's own name of a type
    #[arg(long = "type", value_name = "TYPE")]
    pub instance_type: Option<String>,
    /// Cores, at least
    #[arg(long, value_name = "N")]
    pub cpu: Option<String>,
    /// Memory, at least, such as 64GiB
    #[arg(long, value_name = "SIZE")]
    pub memory: Option<String>,
    /// Shared memory, such as 16GiB
    #[arg(long, value_name = "SIZE")]
    pub shm: Option<String>,
    /// Nodes that start together
    #[arg(long, value_name = "N")]
    pub nodes: Option<String>,
    /// Environment variable K=V; K alone takes this environment's value
    #[arg(short, long = "env", value_name = "K=V")]
    pub env: Vec<String>,
    /// File of K=V lines
    #[arg(long, value_name = "FILE")]
    pub env_file: Vec<PathBuf>,
    /// Variable whose value comes from this environment and is secret
    #[arg(long = "secret", value_name = "K")]
    pub secret: Vec<String>,
    /// Volume to mount: SOURCE:PATH or SOURCE:PATH:ro
    #[arg(long = "mount", value_name = "SOURCE:PATH[:ro]")]
    pub mount: Vec<String>,
    /// Port to publish: NAME, NAME:https or a number
    #[arg(long = "port", value_name = "NAME[:https]|NUMBER")]
    pub port: Vec<String>,
    /// Wall-time limit of the run, such as 90m
    #[arg(long, value_name = "DUR")]
    pub time: Option<String>,
    /// The provider's own restarts after a failure
    #[arg(long, value_name = "N")]
    pub job_retries: Option<String>,
    /// Interruptible capacity, at most this fraction of the normal price
    #[arg(long, value_name = "FRACTION", num_args = 0..=1, require_equals = true, default_missing_value = "")]
    pub spot: Option<String>,
    /// Priority, 1 to 9, 9 highest
    #[arg(long, value_name = "N")]
    pub priority: Option<String>,
    /// Label of the job, which the provider keeps where it can
    #[arg(long = "label", value_name = "K=V")]
    pub label: Vec<String>,
    /// Working directory of the program
    #[arg(long, value_name = "DIR")]
    pub workdir: Option<String>,
    /// Any spec field, such as resources.disk=100GiB
    #[arg(long = "set", value_name = "PATH=VALUE")]
    pub set: Vec<String>,
    /// Independent repetitions: N, N%PARALLEL, A-B or A-B%PARALLEL
    #[arg(long, value_name = "N[%PARALLEL]")]
    pub array: Option<String>,
    /// Expected run time
    #[arg(long, value_name = "DUR")]
    pub estimate: Option<String>,
    /// With --wait: how long the job may wait for resources
    #[arg(long, value_name = "DUR")]
    pub start_timeout: Option<String>,
    /// Make the exit code known where the API hides it
    #[arg(long)]
    pub exit_code_carrier: bool,
    /// Refuse what could only be emulated
    #[arg(long)]
    pub no_emulation: bool,
    /// Take fewer nodes than asked for
    #[arg(long)]
    pub allow_partial: bool,
    /// Let secrets become readable through the provider's API
    #[arg(long)]
    pub allow_secret_exposure: bool,
}

/// `submit`.
#[derive(Debug, Clone, Args)]
pub struct SubmitArgs {
    #[command(flatten)]
    pub spec: SpecArgs,
    /// Wait until the job ends, and exit as it did
    #[arg(long)]
    pub wait: bool,
    /// First pause between polls
    #[arg(long, value_name = "DUR", env = "GPUJOB_POLL", hide_env_values = true)]
    pub poll: Option<String>,
    /// How long failing polls are tolerated
    #[arg(long, value_name = "DUR", default_value = "10m")]
    pub poll_failures: String,
    /// Stop the job when this command is interrupted
    #[arg(long, requires = "wait")]
    pub cancel_on_interrupt: bool,
    /// Also write the job ref to this file
    #[arg(long, value_name = "FILE")]
    pub id_file: Option<PathBuf>,
    /// Show what would be sent, and send nothing that creates
    #[arg(long, value_name = "FORM", value_enum, num_args = 0..=1, require_equals = true, default_missing_value = "text")]
    pub dry_run: Option<DryRun>,
}

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

/// `status`.
#[derive(Debug, Clone, Args)]
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
    /// Exit 0 although a provider failed
    #[arg(long)]
    pub best_effort: bool,
}

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

/// `cancel`.
#[derive(Debug, Clone, Args)]
pub struct CancelArgs {
    /// Jobs: a ref, a bare id with -p, `name:NAME`, `@FILE` or `@-`
    #[arg(value_name = "REF", required = true)]
    pub refs: Vec<String>,
}

/// `types`.
#[derive(Debug, Clone, Args)]
pub struct TypesArgs {
    /// Only types with this GPU: MODEL, MODEL:COUNT or MODEL:COUNT:MEMORY
    #[arg(long, value_name = "MODEL[:COUNT]")]
    pub gpu: Option<String>,
    /// Exit 0 although a provider failed
    #[arg(long)]
    pub best_effort: bool,
}
