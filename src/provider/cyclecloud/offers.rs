//! Buckets as offers (cyclecloud.md §4.1, §9; cli.md §10, kind `types`).
//!
//! Pure. Quota arithmetic is told as stock; it is no promise of capacity in Azure.

use crate::model::{Gpu, Offer, SpotOffer, Timestamp};

use super::fields::shown;
use super::gpus;
use super::status::{Bucket, ClusterStatus, NodeArray};

/// Until then a capacity failure is worth telling, in seconds (§8.5).
pub(super) const RECENT_FAILURE_S: f64 = 3600.0;

/// All buckets of a cluster; one without a machine type cannot be asked for.
pub(super) fn offers(
    status: &ClusterStatus,
    cluster: &str,
    as_of: Option<Timestamp>,
) -> Vec<Offer> {
    status
        .nodearrays
        .iter()
        .flat_map(|array| {
            array
                .buckets
                .iter()
                .filter_map(move |bucket| offer(array, bucket, cluster, as_of))
        })
        .collect()
}

fn offer(
    array: &NodeArray,
    bucket: &Bucket,
    cluster: &str,
    as_of: Option<Timestamp>,
) -> Option<Offer> {
    let machine_type = bucket.machine_type.clone()?;
    let row = gpus::machine(&machine_type);
    let machine = &bucket.machine;
    let can_start = bucket
        .available_count
        .map(|available| bucket.valid && available > 0)
        .or((!bucket.valid).then_some(false));
    Some(Offer {
        id: format!("{}/{machine_type}", array.name),
        cluster: Some(cluster.to_owned()),
        region: array.region(),
        queue: Some(array.name.clone()),
        gpu: gpus::gpu(&machine_type, machine.gpu_count),
        gpu_text: None,
        cpu_cores: machine
            .vcpu_count
            .and_then(|cores| u32::try_from(cores).ok())
            .or(row.map(|row| row.vcpus))
            .map(f64::from),
        memory_bytes: machine
            .memory_gb
            .and_then(bytes_of)
            .or(row.map(|row| u64::from(row.memory_gib) << 30)),
        arch: Some(gpus::arch(&machine_type).to_owned()),
        price_per_hour: None,
        price_source: None,
        spot: array.is_spot().then_some(SpotOffer {
            discount: None,
            available: can_start,
        }),
        stock: bucket
            .available_count
            .map(|available| if bucket.valid { available } else { 0 }),
        available: can_start,
        infiniband: machine.infiniband.or(row.map(|row| row.rdma)),
        note: note(bucket),
        as_of,
        raw: bucket.raw.clone(),
        name: machine_type,
    })
}

/// What is odd about a bucket.
fn note(bucket: &Bucket) -> Option<String> {
    let mut parts = Vec::new();
    if !bucket.valid {
        let reason = bucket.invalid_reason.as_deref().unwrap_or("not valid");
        parts.push(shown(reason));
    }
    if let Some(seconds) = bucket.last_capacity_failure {
        parts.push(format!("capacity failure {seconds:.0} s ago"));
    }
    if let Some(score) = &bucket.spot_placement_score {
        parts.push(format!("spot placement {}", shown(score)));
    }
    (!parts.is_empty()).then(|| parts.join("; "))
}

/// Bytes of gigabytes as Azure counts them: GiB, sometimes with a fraction.
fn bytes_of(gigabytes: f64) -> Option<u64> {
    let mebibytes: u64 = format!("{:.0}", gigabytes.max(0.0) * 1024.0).parse().ok()?;
    mebibytes.checked_mul(1 << 20).filter(|bytes| *bytes > 0)
}

/// Whole cards of a node; a slice counts as one, since it is one device.
pub(super) fn cards(gpu: Option<&Gpu>) -> u64 {
    gpu.and_then(|gpu| format!("{:.0}", gpu.count.ceil()).parse().ok())
        .unwrap_or_default()
}

/// The bucket behind an offer.
pub(super) fn bucket(offer: &Offer) -> Option<Bucket> {
    ClusterStatus::bucket(&offer.raw)
}
