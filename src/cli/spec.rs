//! The spec file and the flags that change it, which `submit` and `explain` share (cli.md §2.1).

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
    /// Job file in YAML, TOML or JSON, or a script with `#GPUJOB` or `#SBATCH` lines; `-` reads standard input
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
    /// Refuse what costs more per hour, such as 20CNY
    #[arg(long, value_name = "AMOUNT")]
    pub max_price: Option<String>,
    /// Refuse what may cost more in all; sets the time limit if --time does not
    #[arg(long, value_name = "AMOUNT")]
    pub max_cost: Option<String>,
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
