//! The resource list of gongji.md §9.5 and its oddities.

use serde_json::json;

use super::*;
use crate::model::Gpu;

const GIB: u64 = 1 << 30;
const MIB: u64 = 1 << 20;

fn offers_of(device: &Value) -> Vec<Offer> {
    offers::catalogue(&json!({"results": [device]}), Timestamp::UNIX_EPOCH)
}

fn only(device: &Value) -> Offer {
    let [offer] = offers_of(device).try_into().unwrap();
    offer
}

fn region(members: &Value) -> Value {
    let mut region = json!({
        "region": "r1", "region_name": "R 1", "price": 466, "discount_price": null, "inventory": 3,
        "mark": {"mark": "bWFyaw==", "resource": {"region": "r1"}},
    });
    for (name, member) in members.as_object().unwrap() {
        region[name] = member.clone();
    }
    region
}

#[test]
fn the_contracts_example_reads_as_it_expects() {
    let [first, second] = catalogue().try_into().unwrap();
    assert_eq!(
        (first.id.as_str(), first.name.as_str()),
        ("4090@demo-r1", "4090")
    );
    assert_eq!(first.region.as_deref(), Some("demo-r1"));
    assert_eq!(
        first.price_per_hour.as_ref().unwrap().to_string(),
        "1.6776 CNY"
    );
    assert_eq!(first.price_source.as_deref(), Some("provider"));
    assert_eq!((first.stock, first.available), (Some(21), Some(true)));
    assert_eq!(first.cpu_cores, Some(16.0));
    assert_eq!(first.memory_bytes, Some(64512 * MIB));
    assert_eq!(first.arch.as_deref(), Some("amd64"));
    assert_eq!(offers::disk_bytes(&first), Some(80 * GIB));
    assert_eq!(
        first.gpu,
        Some(Gpu {
            model: Some("RTX4090".to_owned()),
            count: 1.0,
            memory_bytes: Some(24 * GIB),
            form_factor: None,
        })
    );
    assert_eq!(second.id, "H20 x 8@demo-r2");
    assert_eq!(second.price_per_hour.unwrap().amount(), "59.0976");
    assert_eq!((second.stock, second.available), (Some(0), Some(false)));
    let gpu = second.gpu.unwrap();
    assert_eq!((gpu.model.as_deref(), gpu.count), (Some("H20"), 8.0));
    assert_eq!(gpu.memory_bytes, Some(96 * GIB));
    // The raw form is the service's own, with this region alone.
    assert_eq!(first.raw, data("resources")["results"][0]);
}

#[test]
fn the_mark_is_an_object_or_a_text_and_never_changed() {
    let spaced =
        only(&json!({"device_name": "d", "regions": [region(&json!({"mark": " odd== "}))]}));
    assert_eq!(offers::mark(&spaced).as_deref(), Some(" odd== "));
    let offer = only(&json!({"device_name": "d", "regions": [region(&json!({}))]}));
    let candidate = offers::candidate(&offer, Some(5)).unwrap();
    assert_eq!(
        serde_json::to_value(candidate).unwrap(),
        json!({"mark": "bWFyaw==", "resource": {"region": "r1"}, "region_name": "R 1", "weight": 5})
    );
    for missing in [json!(null), json!({}), json!({"mark": ""}), json!("")] {
        let offer =
            only(&json!({"device_name": "d", "regions": [region(&json!({"mark": missing}))]}));
        assert_eq!(offer.available, Some(false));
        assert_eq!(offers::candidate(&offer, None), None);
        assert!(offer.note.unwrap().contains("no mark"));
    }
}

#[test]
fn prices_and_stock_that_are_not_told_stay_unknown() {
    let offer = only(&json!({"device_name": "d", "regions": [
        region(&json!({"price": null, "inventory": null}))
    ]}));
    assert_eq!((offer.price_per_hour, offer.price_source), (None, None));
    assert_eq!((offer.stock, offer.available), (None, None));
    let sold_out =
        only(&json!({"device_name": "d", "regions": [region(&json!({"inventory": -2}))]}));
    assert_eq!((sold_out.stock, sold_out.available), (Some(0), Some(false)));
    let odd = only(&json!({"device_name": "d", "regions": [region(&json!({"price": "1"}))]}));
    assert!(
        odd.note
            .unwrap()
            .starts_with("the price of 0.0036 CNY per hour is unlikely")
    );
}

#[test]
fn a_device_without_cards_has_no_gpu() {
    let offer = only(&json!({
        "device_name": "cpu-16", "gpu_name": null, "gpu_count": 0, "gpu_memory": 0,
        "cpu_cores": "16", "memory": 32768.0, "regions": [region(&json!({}))],
    }));
    assert_eq!(offer.gpu, None);
    assert_eq!(
        (offer.cpu_cores, offer.memory_bytes),
        (Some(16.0), Some(32 * GIB))
    );
}

#[test]
fn memory_is_per_card_and_in_the_size_the_card_is_sold_with() {
    let memory = |name: Option<&str>, count: i64, total: i64| {
        offers::cards(name, Some(count), Some(total))
            .unwrap()
            .memory_bytes
            .map(|bytes| bytes / GIB)
    };
    assert_eq!(memory(Some("4090"), 2, 49120), Some(24));
    assert_eq!(memory(Some("L40S"), 1, 46068), Some(48));
    assert_eq!(memory(Some("A100"), 8, 8 * 81559), Some(80));
    assert_eq!(memory(Some("A100"), 1, 40536), Some(40));
    assert_eq!(memory(Some("H20"), 1, 144_384), Some(141));
    // A card with more than its model is known for, by figure and by name.
    assert_eq!(memory(Some("4090"), 1, 49140), Some(48));
    assert_eq!(memory(Some("4090-48G"), 1, 1), Some(48));
    assert_eq!(memory(Some("Brand New"), 1, 70000), Some(68));
    assert_eq!(memory(None, 1, 70000), Some(68));
    assert_eq!(
        offers::cards(Some("4090"), Some(1), None)
            .unwrap()
            .memory_bytes,
        None
    );
    assert_eq!(offers::cards(Some("4090"), None, Some(1)), None);
}

#[test]
fn a_device_name_is_never_parsed_for_the_model() {
    let offer = only(&json!({
        "device_name": "A100 x 8", "gpu_name": "H20", "gpu_count": 1, "gpu_memory": 98304,
        "regions": [region(&json!({}))],
    }));
    assert_eq!(offer.gpu.unwrap().model.as_deref(), Some("H20"));
}

#[test]
fn strange_rows_are_left_out() {
    assert!(offers_of(&json!({"device_name": null, "regions": [region(&json!({}))]})).is_empty());
    assert!(offers_of(&json!({"device_name": "d", "regions": null})).is_empty());
    assert!(offers_of(&json!("device")).is_empty());
    for none in [json!(null), json!({"results": null}), json!([])] {
        assert!(offers::catalogue(&none, Timestamp::UNIX_EPOCH).is_empty());
    }
}
