//! Arguments of commands that need no provider.

use clap::{Args, Subcommand};

pub use super::sandbox::SandboxArgs;

/// `config`.
#[derive(Debug, Clone, Args)]
pub struct ConfigArgs {
    #[command(subcommand)]
    pub command: ConfigCommand,
}

/// The verbs of `config`.
#[derive(Debug, Clone, Subcommand)]
pub enum ConfigCommand {
    /// Show every setting in force; secrets are masked
    Show {
        /// Say where each value comes from
        #[arg(long)]
        origin: bool,
    },
    /// Print the path of the configuration file
    Path,
}

/// `journal`.
#[derive(Debug, Clone, Args)]
pub struct JournalArgs {
    #[command(subcommand)]
    pub command: JournalCommand,
}

/// The verbs of `journal`.
#[derive(Debug, Clone, Subcommand)]
pub enum JournalCommand {
    /// List the newest submits, and the creates of volumes and namespaces
    List {
        /// At most so many
        #[arg(long, value_name = "N", default_value_t = 50)]
        limit: usize,
    },
    /// Show everything on record of one
    Show {
        /// A ref, a prefix of an id, `name:NAME`, `key:KEY` or `marker:MARKER`
        #[arg(value_name = "REF", required = true)]
        refs: Vec<String>,
    },
    /// Forget what has rested for long; what is in doubt stays
    Prune {
        /// Older than this
        #[arg(long, value_name = "DUR", default_value = "90d")]
        older: String,
    },
    /// Print the path of the journal
    Path,
}
