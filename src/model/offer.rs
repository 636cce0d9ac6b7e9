//! A type: something to run on (cli.md §10, kind `types`).

use serde_json::Value;

use super::{Gpu, Money, Timestamp};

/// Spot terms of a type.
#[derive(Debug, Clone, PartialEq)]
pub struct SpotOffer {
    /// Fraction of the normal price that is paid now.
    pub discount: Option<f64>,
    pub available: Option<bool>,
}

/// An instance type, bucket, offer or ECS spec of one provider.
#[derive(Debug, Clone, PartialEq)]
pub struct Offer {
    /// What `--type` takes.
    pub id: String,
    /// The provider's own name.
    pub name: String,
    pub cluster: Option<String>,
    pub region: Option<String>,
    pub queue: Option<String>,
    /// `None` for a type without GPU.
    pub gpu: Option<Gpu>,
    /// The model text as the provider writes it.
    pub gpu_text: Option<String>,
    pub cpu_cores: Option<f64>,
    pub memory_bytes: Option<u64>,
    /// `amd64` or `arm64` where known.
    pub arch: Option<String>,
    pub price_per_hour: Option<Money>,
    /// Who told the price: `provider` or the user's price file.
    pub price_source: Option<String>,
    pub spot: Option<SpotOffer>,
    /// How many can start now.
    pub stock: Option<u64>,
    pub available: Option<bool>,
    pub infiniband: Option<bool>,
    pub note: Option<String>,
    pub as_of: Option<Timestamp>,
    /// The provider's own object.
    pub raw: Value,
}
