//! Arguments of `cancel`.

use clap::Args;

/// `cancel`.
#[derive(Debug, Clone, Args)]
pub struct CancelArgs {
    /// Jobs: a ref, a bare id with -p, `name:NAME`, `@FILE` or `@-`
    #[arg(value_name = "REF", required = true)]
    pub refs: Vec<String>,
}
