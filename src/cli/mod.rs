//! The command line as clap structs. No behaviour lives here; `cmd/` turns arguments into requests (cli.md §2).

mod api;
mod cancel;
mod events;
mod explain;
mod global;
mod local;
mod logs;
mod sandbox;
mod spec;
mod status;
mod storage;
mod submit;
mod types;
mod wait;

use clap::{Parser, Subcommand};

pub use api::{ApiArgs, ApiDryRun};
pub use cancel::CancelArgs;
pub use events::{CostArgs, EventsArgs};
pub use explain::ExplainArgs;
pub use global::{Colour, GlobalArgs, OutputFormat};
pub use local::{ConfigArgs, ConfigCommand, SandboxArgs};
pub use logs::LogsArgs;
pub use spec::{DryRun, SpecArgs};
pub use status::StatusArgs;
pub use storage::{
    NamespacesArgs, NamespacesCommand, NamespacesCreateArgs, NamespacesDeleteArgs, VolumesArgs,
    VolumesCommand, VolumesCreateArgs, VolumesDeleteArgs, VolumesGetArgs, VolumesListArgs,
    VolumesLsArgs, VolumesPutArgs, VolumesRmArgs,
};
pub use submit::SubmitArgs;
pub use types::{Arch, TypesArgs, TypesSort};
pub use wait::WaitArgs;

const AFTER_HELP: &str = "\
Exit codes:
  0 done             80 usage           81 spec            82 not found
  83 capacity        84 auth            85 config          86 temporary
  87 protocol        88 outcome unknown 89 bug in gpujob   90 job failed
  91 job cancelled   92 result unknown  93 rejected        124 timeout
  130 interrupted    143 terminated     every other code is the job's own

Try it without an account: gpujob sandbox -- sh";

/// Run GPU batch jobs on Paracloud, CycleCloud, Gongji and PAI-DLC through one job file and one set of verbs.
#[derive(Debug, Parser)]
#[command(name = "gpujob", version, about, after_help = AFTER_HELP, max_term_width = 100, subcommand_required = true)]
pub struct Cli {
    #[command(flatten)]
    pub global: GlobalArgs,
    #[command(subcommand)]
    pub command: Command,
}

/// The verbs.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Submit a job from a spec file, from flags, or from both; prints the job ref
    Submit(Box<SubmitArgs>),
    /// Show recent jobs of every provider, or the jobs named, in detail for one
    Status(StatusArgs),
    /// Wait until jobs end, and exit as they did
    Wait(WaitArgs),
    /// Print what a job wrote, or follow it to its end
    Logs(LogsArgs),
    /// Show what the provider says happened to a job
    Events(EventsArgs),
    /// Stop jobs; a job that has ended already is a success
    Cancel(CancelArgs),
    /// List what can be rented, on every provider
    Types(TypesArgs),
    /// Show what jobs have cost so far, where the provider says so
    Cost(CostArgs),
    /// List, create and delete storage, and move files in and out
    Volumes(VolumesArgs),
    /// List, create and delete namespaces, workspaces, clusters
    Namespaces(NamespacesArgs),
    /// Show what each provider would receive for a job, field by field; creates nothing
    Explain(Box<ExplainArgs>),
    /// Send any request with a provider's own signature
    Api(Box<ApiArgs>),
    /// Show the configuration and where it comes from
    Config(ConfigArgs),
    /// Serve the providers' APIs on this machine, for demos, tests and CI
    Sandbox(SandboxArgs),
}
