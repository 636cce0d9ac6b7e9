//! Kind `types` (cli.md §10 "Records").

use serde::Serialize;
use serde_json::Number;

use crate::model::{Gpu, Offer, SpotOffer};
use crate::output::Row;

use super::value::{MoneyV1, number, time_opt};

/// Columns of csv and tsv.
pub const OFFER_COLUMNS: &[&str] = &[
    "provider",
    "backend",
    "id",
    "name",
    "cluster",
    "region",
    "queue",
    "gpu.model",
    "gpu.count",
    "gpu.memory_bytes",
    "gpu.form_factor",
    "cpu_cores",
    "memory_bytes",
    "arch",
    "price_per_hour.amount",
    "price_per_hour.currency",
    "price_source",
    "spot.discount",
    "spot.available",
    "stock",
    "available",
    "infiniband",
    "note",
    "as_of",
    // Later than the rest: a column's number may be counted on.
    "price_per_gpu_hour.amount",
    "price_per_gpu_hour.currency",
];

/// One type.
#[derive(Debug, Clone, Serialize)]
pub struct TypeV1<'a> {
    provider: &'a str,
    backend: &'static str,
    id: &'a str,
    name: &'a str,
    cluster: Option<&'a str>,
    region: Option<&'a str>,
    queue: Option<&'a str>,
    gpu: Option<GpuV1<'a>>,
    cpu_cores: Option<Number>,
    memory_bytes: Option<u64>,
    arch: Option<&'a str>,
    price_per_hour: Option<MoneyV1>,
    price_source: Option<&'a str>,
    spot: Option<SpotV1>,
    stock: Option<u64>,
    available: Option<bool>,
    infiniband: Option<bool>,
    note: Option<&'a str>,
    as_of: Option<String>,
    price_per_gpu_hour: Option<MoneyV1>,
}

#[derive(Debug, Clone, Serialize)]
struct GpuV1<'a> {
    model: Option<&'a str>,
    count: Option<Number>,
    memory_bytes: Option<u64>,
    form_factor: Option<&'a str>,
}

#[derive(Debug, Clone, Serialize)]
struct SpotV1 {
    discount: Option<Number>,
    available: Option<bool>,
}

impl<'a> TypeV1<'a> {
    /// The record of a type.
    pub fn new(row: &Row<'a, Offer>) -> Self {
        let offer = row.item;
        Self {
            provider: row.provider,
            backend: row.backend.as_str(),
            id: &offer.id,
            name: &offer.name,
            cluster: offer.cluster.as_deref(),
            region: offer.region.as_deref(),
            queue: offer.queue.as_deref(),
            gpu: offer.gpu.as_ref().map(|gpu| GpuV1::new(gpu, offer)),
            cpu_cores: offer.cpu_cores.and_then(number),
            memory_bytes: offer.memory_bytes,
            arch: offer.arch.as_deref(),
            price_per_hour: offer.price_per_hour.as_ref().map(MoneyV1::from),
            price_source: offer.price_source.as_deref(),
            spot: offer.spot.as_ref().map(SpotV1::new),
            stock: offer.stock,
            available: offer.available,
            infiniband: offer.infiniband,
            note: offer.note.as_deref(),
            as_of: time_opt(offer.as_of),
            price_per_gpu_hour: offer.price_per_gpu_hour().as_ref().map(MoneyV1::from),
        }
    }
}

impl<'a> GpuV1<'a> {
    /// A model that could not be normalised is told in the provider's own words.
    fn new(gpu: &'a Gpu, offer: &'a Offer) -> Self {
        Self {
            model: gpu.model.as_deref().or(offer.gpu_text.as_deref()),
            count: number(gpu.count),
            memory_bytes: gpu.memory_bytes,
            form_factor: gpu.form_factor.as_deref(),
        }
    }
}

impl SpotV1 {
    fn new(spot: &SpotOffer) -> Self {
        Self {
            discount: spot.discount.and_then(number),
            available: spot.available,
        }
    }
}
