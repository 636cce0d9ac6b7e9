//! Instance types to offers (paracloud.md §3.2).
//!
//! Pure. The catalogue tells no price, no stock and no architecture; the last is derived from the CPU's name, because
//! an amd64-only image on a Kunpeng node dies with "exec format error".

use serde_json::Value;

use crate::model::{Gpu, Offer, Timestamp};
use crate::spec::gpu::GpuName;

use super::lenient;
use super::parse::List;
use super::wire;

const GIB: f64 = 1_073_741_824.0;

/// Beginnings of CPU names, in upper case.
const ARM_CPUS: [&str; 8] = [
    "KUNPENG", "FT-", "FT2000", "PHYTIUM", "AMPERE", "ALTRA", "GRACE", "GRAVITON",
];
const X86_CPUS: [&str; 5] = ["EPYC", "XEON", "HYGON", "CORE", "RYZEN"];

/// What can be rented, as far as it could be read.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Catalogue {
    pub(super) offers: Vec<Offer>,
    /// Entries without an id, or whose GPU count is no number.
    pub(super) unreadable: usize,
}

/// The offers of a list. An id alone may stand for several: the key is (cluster, id) (§2.1).
pub(super) fn catalogue(list: &List, as_of: Option<Timestamp>) -> Catalogue {
    let offers: Vec<Offer> = list
        .items
        .iter()
        .filter_map(|raw| offer(raw, as_of))
        .collect();
    let unreadable = list.unreadable + list.items.len() - offers.len();
    Catalogue { offers, unreadable }
}

/// The GPUs of a type in a cluster, for job records. An entry that tells no cluster stands for any.
pub(super) fn gpu_of(offers: &[Offer], cluster: Option<&str>, name: &str) -> Option<Gpu> {
    offers
        .iter()
        .filter(|offer| offer.name == name)
        .find(|offer| {
            offer
                .cluster
                .as_deref()
                .is_none_or(|own| Some(own) == cluster)
        })
        .and_then(|offer| offer.gpu.clone())
}

fn offer(raw: &Value, as_of: Option<Timestamp>) -> Option<Offer> {
    let wire: wire::InstanceType = serde_json::from_value(raw.clone()).ok()?;
    let name = wire.id?;
    let cpu = wire.cpu.unwrap_or_default();
    let part = wire.gpu.unwrap_or_default();
    let gpu = gpu(&part).ok()?;
    let arch = cpu.model.as_deref().and_then(arch);
    Some(Offer {
        id: name.clone(),
        name,
        cluster: wire.cluster,
        region: None,
        queue: None,
        gpu_text: part.model.filter(|_| gpu.is_some()),
        gpu,
        cpu_cores: cpu.cores,
        memory_bytes: wire
            .memory
            .and_then(|memory| memory.size_gb)
            .and_then(gib_to_bytes),
        arch: arch.map(str::to_owned),
        price_per_hour: None,
        price_source: None,
        spot: None,
        stock: None,
        available: None,
        infiniband: None,
        note: cpu.model.filter(|_| arch == Some("arm64")).map(|model| {
            format!("Arm CPU ({model}): an image for amd64 only ends with `exec format error`")
        }),
        as_of,
        raw: raw.clone(),
    })
}

/// A GPU count that is no number.
struct Unreadable;

/// The GPUs of a type; the error is a number that cannot be read.
///
/// Absent, `null` and `{count: 0, model: ""}` all mean none; a fraction stays one (§3.2).
fn gpu(part: &wire::GpuPart) -> Result<Option<Gpu>, Unreadable> {
    let count = match (&part.count, &part.model) {
        (Value::Null, None) => return Ok(None),
        (count, _) => lenient::number_of(count)
            .filter(|count| *count >= 0.0)
            .ok_or(Unreadable)?,
    };
    if count <= 0.0 {
        return Ok(None);
    }
    let name = part.model.as_deref().map(GpuName::parse);
    Ok(Some(Gpu {
        count,
        memory_bytes: name
            .as_ref()
            .and_then(|name| name.memory_gib)
            .and_then(|gib| gib.checked_mul(1 << 30)),
        form_factor: name
            .as_ref()
            .and_then(|name| name.form_factor)
            .map(|factor| factor.as_str().to_owned()),
        model: name.map(|name| name.model),
    }))
}

/// The architecture behind a CPU's name, where the name is known.
fn arch(cpu_model: &str) -> Option<&'static str> {
    let name = cpu_model.trim().to_ascii_uppercase();
    let begins = |known: &[&str]| known.iter().any(|beginning| name.starts_with(beginning));
    if begins(&ARM_CPUS) {
        Some("arm64")
    } else if begins(&X86_CPUS) {
        Some("amd64")
    } else {
        None
    }
}

/// Whole bytes; through text, since a float has no checked way to an integer.
fn gib_to_bytes(gib: f64) -> Option<u64> {
    if gib < 0.0 {
        return None;
    }
    format!("{:.0}", gib * GIB).parse().ok()
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::json;

    use super::*;
    use crate::provider::paracloud::parse;

    fn read(types: &Value) -> Catalogue {
        let list = parse::list(&json!({ "instanceTypes": types }), "instanceTypes").unwrap();
        catalogue(&list, None)
    }

    #[rstest]
    #[case("KUNPENG920", Some("arm64"))]
    #[case("kunpeng-920", Some("arm64"))]
    #[case("FT-2000+/64", Some("arm64"))]
    #[case("Phytium S2500", Some("arm64"))]
    #[case("EPYC7452", Some("amd64"))]
    #[case("Xeon Gold 6248", Some("amd64"))]
    #[case("Hygon C86", Some("amd64"))]
    #[case("POWER9", None)]
    #[case("", None)]
    fn the_cpu_name_tells_the_architecture(#[case] cpu: &str, #[case] expected: Option<&str>) {
        assert_eq!(arch(cpu), expected);
    }

    #[test]
    fn numbers_may_be_floats_or_texts() {
        let offers = read(&json!([
            {"id": "a", "clusterID": "C", "cpu": {"cores": "12", "model": "EPYC7452"},
             "memory": {"sizeGB": "120.0"}, "gpu": {"count": "2", "model": "RTX3090"}},
            {"id": "b", "clusterID": "C", "cpu": {"cores": 1.5}, "memory": {"sizeGB": 0.5},
             "gpu": {"count": 0.25, "model": "A100-PCIE-40G"}},
        ]))
        .offers;
        let [first, second] = offers.as_slice() else {
            panic!("{offers:?}")
        };
        assert_eq!(first.cpu_cores, Some(12.0));
        assert_eq!(first.memory_bytes, Some(120 << 30));
        assert_eq!(first.gpu.as_ref().map(|gpu| gpu.count), Some(2.0));
        assert_eq!(second.memory_bytes, Some(1 << 29));
        let gpu = second.gpu.as_ref().unwrap();
        assert_eq!((gpu.count, gpu.memory_bytes), (0.25, Some(40 << 30)));
        assert_eq!(gpu.form_factor.as_deref(), Some("PCIE"));
    }

    #[test]
    fn an_entry_without_a_cluster_tells_the_gpus_of_any() {
        let gpu = json!({"count": 1, "model": "RTX3090"});
        let offers = read(&json!([
            {"id": "a", "gpu": gpu},
            {"id": "b", "clusterID": "C", "gpu": gpu},
        ]))
        .offers;
        assert!(gpu_of(&offers, Some("D"), "a").is_some());
        assert!(gpu_of(&offers, Some("C"), "b").is_some());
        assert!(gpu_of(&offers, Some("D"), "b").is_none());
    }

    #[test]
    fn every_way_to_have_no_gpu_is_one() {
        for gpu in [
            json!(null),
            json!({}),
            json!({"count": 0, "model": ""}),
            json!({"count": null, "model": ""}),
            json!({"count": "0", "model": "RTX3090"}),
        ] {
            let catalogue = read(&json!([{"id": "cpu.large", "clusterID": "C", "gpu": gpu}]));
            assert_eq!(catalogue.offers[0].gpu, None, "{gpu}");
            assert_eq!(catalogue.offers[0].gpu_text, None, "{gpu}");
        }
        assert_eq!(read(&json!([{"id": "x"}])).offers[0].gpu, None);
    }

    #[test]
    fn one_unreadable_entry_does_not_hide_the_rest() {
        let catalogue = read(&json!([
            {"clusterID": "C"},
            {"id": "bad", "gpu": {"count": "many", "model": "A100"}},
            {"id": "worse", "gpu": {"count": -1, "model": "A100"}},
            "text",
            {"id": "good", "clusterID": 7, "cpu": "fast", "memory": []},
        ]));
        assert_eq!(catalogue.unreadable, 4);
        assert_eq!(catalogue.offers.len(), 1);
        assert_eq!(catalogue.offers[0].id, "good");
        assert_eq!(catalogue.offers[0].cluster.as_deref(), Some("7"));
    }
}
