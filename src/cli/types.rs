//! Arguments of `types`.

use clap::Args;

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
