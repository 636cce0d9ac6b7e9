//! Arguments of `types`.

use clap::{Args, ValueEnum};

/// `--arch`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Arch {
    Amd64,
    Arm64,
}

/// `--sort`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum TypesSort {
    /// The cheapest first, one currency after the other
    Price,
    /// By model, then memory and number of cards
    Gpu,
    /// The largest memory first
    Memory,
    /// The most that can start now first
    Stock,
}

/// `types`.
#[derive(Debug, Clone, Args)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a flag of its own on the command line"
)]
pub struct TypesArgs {
    /// Only types with this GPU: MODEL, MODEL:COUNT or MODEL:COUNT:MEMORY
    #[arg(long, value_name = "MODEL[:COUNT]")]
    pub gpu: Option<String>,
    /// Only types with at least so many cores
    #[arg(long, value_name = "N")]
    pub min_cpu: Option<String>,
    /// Only types with at least this memory, such as 64GiB
    #[arg(long, value_name = "SIZE")]
    pub min_memory: Option<String>,
    /// Only types that cost at most this an hour, such as "20 CNY"; other currencies are left out
    #[arg(long, value_name = "AMOUNT CURRENCY")]
    pub max_price: Option<String>,
    /// Only types of this architecture
    #[arg(long, value_enum)]
    pub arch: Option<Arch>,
    /// Only types in this region
    #[arg(long, value_name = "REGION")]
    pub region: Option<String>,
    /// Only types that the provider says can start now
    #[arg(long)]
    pub available: bool,
    /// Only types that are offered as spot; prices count as those on spot
    #[arg(long)]
    pub spot: bool,
    /// Sort by this, the unknown last; without it, as the providers list them
    #[arg(long, value_name = "KEY", value_enum)]
    pub sort: Option<TypesSort>,
    /// Do not ask a provider whose last answer is at most so old, such as 10m; without it, every provider is asked
    #[arg(long, value_name = "DURATION")]
    pub max_age: Option<String>,
    /// Ask every provider, whatever --max-age allows
    #[arg(long)]
    pub refresh: bool,
    /// Exit 0 although a provider failed
    #[arg(long)]
    pub best_effort: bool,
}
