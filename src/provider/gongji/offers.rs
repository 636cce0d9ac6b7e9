//! The catalogue: devices per region to offers (gongji.md §3; job-model.md §3.4).
//!
//! Pure. The mark travels inside an offer's raw object, untouched; it is good for one create soon after.

use serde::Deserialize;
use serde_json::{Map, Value};

use crate::model::{Gpu, Offer, Timestamp};
use crate::spec::gpu::{GpuName, known_memory_sizes};

use super::money;
use super::wire::{Candidate, Device, Region, Spec};

const MIB: u64 = 1 << 20;
const GIB: u64 = 1 << 30;

/// All offers of an answer's `data`, in its order.
pub fn catalogue(data: &Value, as_of: Timestamp) -> Vec<Offer> {
    data.get("results")
        .and_then(Value::as_array)
        .map_or(&[][..], Vec::as_slice)
        .iter()
        .flat_map(|row| of_device(row, as_of))
        .collect()
}

/// The offers of one device; none without a name, since nobody could ask for it.
fn of_device(row: &Value, as_of: Timestamp) -> Vec<Offer> {
    let Ok(device) = Device::deserialize(row) else {
        return Vec::new();
    };
    let Some(name) = device.device_name.as_deref() else {
        return Vec::new();
    };
    device
        .regions
        .iter()
        .filter_map(|region| {
            let offer = Region::deserialize(region).ok()?;
            Some(of_region(row, region, name, &device, offer, as_of))
        })
        .collect()
}

fn of_region(
    row: &Value,
    raw_region: &Value,
    name: &str,
    device: &Device,
    region: Region,
    as_of: Timestamp,
) -> Offer {
    let price = money::per_hour(region.price, region.discount_price);
    let mut notes = Vec::new();
    if let Some(price) = price.as_ref().filter(|price| !money::is_plausible(price)) {
        notes.push(format!(
            "the price of {price} per hour is unlikely: compare it with the console"
        ));
    }
    let has_mark = region.mark.mark.is_some();
    if !has_mark {
        notes.push("has no mark, so nothing can be started on it".to_owned());
    }
    let stock = region
        .inventory
        .map(|free| u64::try_from(free).unwrap_or_default());
    let place = region.region.unwrap_or_default();
    Offer {
        id: format!("{name}@{place}"),
        name: name.to_owned(),
        cluster: None,
        region: Some(place).filter(|place| !place.is_empty()),
        queue: None,
        gpu: cards(
            device.gpu_name.as_deref(),
            device.gpu_count,
            device.gpu_memory,
        ),
        gpu_text: device.gpu_name.clone(),
        cpu_cores: device
            .cpu_cores
            .and_then(|cores| u32::try_from(cores).ok())
            .map(f64::from),
        memory_bytes: mebibytes(device.memory),
        // The API does not say; job-model.md §2.3 assumes it.
        arch: Some("amd64".to_owned()),
        price_source: price.as_ref().map(|_| "provider".to_owned()),
        price_per_hour: price,
        spot: None,
        stock,
        available: if has_mark {
            stock.map(|free| free > 0)
        } else {
            Some(false)
        },
        infiniband: None,
        note: (!notes.is_empty()).then(|| notes.join("; ")),
        as_of: Some(as_of),
        raw: only_region(row, raw_region),
    }
}

/// The device's own object with this region alone.
fn only_region(row: &Value, region: &Value) -> Value {
    let mut members: Map<String, Value> = row.as_object().cloned().unwrap_or_default();
    members.insert("regions".to_owned(), Value::Array(vec![region.clone()]));
    Value::Object(members)
}

/// What a create sends for an offer; `None` where it has no mark.
pub(super) fn candidate(offer: &Offer, weight: Option<i64>) -> Option<Candidate> {
    let region = offer.raw.get("regions")?.get(0)?;
    let region = Region::deserialize(region).ok()?;
    Some(Candidate {
        mark: region.mark.mark?,
        resource: region.mark.resource,
        region_name: region.mark.region_name.or(region.region_name),
        weight,
    })
}

/// The mark of an offer.
pub(super) fn mark(offer: &Offer) -> Option<String> {
    candidate(offer, None).map(|candidate| candidate.mark)
}

/// Scratch of an offer in bytes, where it is told.
pub(super) fn disk_bytes(offer: &Offer) -> Option<u64> {
    let device = Device::deserialize(&offer.raw).ok()?;
    mebibytes(device.disk_size)
}

/// The `id` of the type that a job runs on.
pub(super) fn type_id(spec: &Spec) -> Option<String> {
    let name = spec.device_name.as_deref()?;
    Some(match spec.region.as_deref() {
        Some(region) => format!("{name}@{region}"),
        None => name.to_owned(),
    })
}

/// Cards from a name, a count and Mi over all of them; `None` without a card.
pub(super) fn cards(name: Option<&str>, count: Option<i64>, total_mi: Option<i64>) -> Option<Gpu> {
    let count = count
        .and_then(|count| u32::try_from(count).ok())
        .filter(|count| *count > 0)?;
    let name = name.map(GpuName::parse);
    let told = mebibytes(total_mi).map(|total| total / u64::from(count));
    // A name such as `4090-48G` wins over the figure (job-model.md §3.3).
    let memory_bytes = name
        .as_ref()
        .and_then(|name| name.memory_gib)
        .map(|gib| gib.saturating_mul(GIB))
        .or_else(|| told.map(|bytes| nominal(bytes, name.as_ref())));
    Some(Gpu {
        model: name.as_ref().map(|name| name.model.clone()),
        count: f64::from(count),
        memory_bytes,
        form_factor: name
            .and_then(|name| name.form_factor)
            .map(|factor| factor.as_str().to_owned()),
    })
}

/// The size a card is sold with: the nearest known one of its model within a tenth, since drivers report up to 6.5 %
/// less (a 48 GB L40S has 46068 MiB); else whole GiB.
fn nominal(bytes: u64, name: Option<&GpuName>) -> u64 {
    let known = name.map_or(&[][..], |name| known_memory_sizes(&name.model));
    known
        .iter()
        .map(|gib| gib.saturating_mul(GIB))
        .min_by_key(|size| size.abs_diff(bytes))
        .filter(|size| size.abs_diff(bytes) <= size / 10)
        .unwrap_or_else(|| {
            (bytes.saturating_add(GIB / 2) / GIB)
                .max(1)
                .saturating_mul(GIB)
        })
}

fn mebibytes(told: Option<i64>) -> Option<u64> {
    u64::try_from(told?)
        .ok()
        .filter(|mebibytes| *mebibytes > 0)
        .map(|mebibytes| mebibytes.saturating_mul(MIB))
}
