//! The catalogue: ECS specs to offers (pai-dlc.md §3.8; job-model.md §3.4).
//!
//! Pure. No answer of this API holds a price.

use serde::Deserialize;
use serde_json::Value;

use crate::model::{Offer, SpotOffer, Timestamp};
use crate::spec::gpu::GpuName;

use super::parse;
use super::wire::EcsSpec;

const GIB: u64 = 1 << 30;
const MIB: u64 = 1 << 20;

/// Above this a memory figure counts MiB: no node has 8 TiB (§3.8).
const LARGEST_GIB: u64 = 8192;

/// One entry as an offer; `None` without an instance type.
pub fn offer(value: &Value, region: &str, as_of: Timestamp) -> Option<Offer> {
    let spec = EcsSpec::deserialize(value).ok()?;
    let id = spec.instance_type.clone()?;
    let name = spec.gpu_type.as_deref().map(GpuName::parse);
    let gpu = spec
        .gpu
        .filter(|count| count.is_finite() && *count > 0.0)
        .map(|count| parse::gpu(name.as_ref(), count, card_gib(&spec)));
    let spot = spec
        .payment_types
        .iter()
        .any(|payment| payment == "Spot")
        .then(|| SpotOffer {
            discount: spec.non_protect_spot_discount,
            available: spec
                .spot_stock_status
                .as_deref()
                .map(|status| status == "WithStock"),
        });
    Some(Offer {
        name: id.clone(),
        id,
        cluster: None,
        region: Some(region.to_owned()),
        queue: None,
        gpu,
        gpu_text: spec.gpu_type,
        cpu_cores: spec.cpu,
        memory_bytes: spec.memory.and_then(memory_bytes),
        // The API does not say; job-model.md §2.3 assumes it.
        arch: Some("amd64".to_owned()),
        price_per_hour: None,
        price_source: None,
        spot,
        stock: None,
        available: spec.is_available,
        infiniband: None,
        note: spec.resource_type.filter(|kind| kind != "ECS"),
        as_of: Some(as_of),
        raw: value.clone(),
    })
}

/// The service refuses every order, so the list is sorted here: by GPUs, cores, memory and name.
pub fn sort(offers: &mut [Offer]) {
    let count = |offer: &Offer| offer.gpu.as_ref().map_or(0.0, |gpu| gpu.count);
    let cores = |offer: &Offer| offer.cpu_cores.unwrap_or_default();
    offers.sort_by(|left, right| {
        count(left)
            .total_cmp(&count(right))
            .then(cores(left).total_cmp(&cores(right)))
            .then(left.memory_bytes.cmp(&right.memory_bytes))
            .then(left.id.cmp(&right.id))
    });
}

fn card_gib(spec: &EcsSpec) -> Option<u64> {
    let told = u64::try_from(spec.gpu_memory?).ok()?;
    match told {
        0 => None,
        gib if gib <= LARGEST_GIB => Some(gib),
        // A card has no 8 TiB either.
        mib => Some(mib / 1024),
    }
}

fn memory_bytes(told: i64) -> Option<u64> {
    match u64::try_from(told).ok()? {
        0 => None,
        gib if gib <= LARGEST_GIB => Some(gib.saturating_mul(GIB)),
        mib => Some(mib.saturating_mul(MIB)),
    }
}
