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
