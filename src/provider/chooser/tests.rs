use proptest::prelude::*;
use rstest::rstest;

use crate::model::{Gpu, Money};
use crate::spec::gpu::parse_gpu_request;
use crate::testing;

use super::*;

fn offer(id: &str, model: Option<&str>, count: f64) -> Offer {
    Offer {
        name: format!("Type {id}"),
        gpu: model.map(|model| {
            let name = GpuName::parse(model);
            Gpu {
                memory_bytes: name.memory_gib.map(|gib| gib << 30),
                form_factor: name.form_factor.map(|factor| factor.to_string()),
                model: Some(name.model),
                count,
            }
        }),
        gpu_text: model.map(str::to_owned),
        cpu_cores: Some(8.0),
        memory_bytes: Some(64 << 30),
        arch: Some("amd64".to_owned()),
        ..testing::offer(id)
    }
}

fn priced(offer: Offer, micros: i128) -> Offer {
    Offer {
        price_per_hour: Some(Money::from_micros(micros, "CNY")),
        ..offer
    }
}

fn within(offer: Offer, cluster: &str) -> Offer {
    Offer {
        cluster: Some(cluster.to_owned()),
        ..offer
    }
}

fn gpu(text: &str) -> Resources {
    Resources {
        gpu: Some(parse_gpu_request(text).unwrap()),
        ..Resources::default()
    }
}

fn named(name: &str) -> Resources {
    Resources {
        instance_type: Some(name.to_owned()),
        ..Resources::default()
    }
}

fn chosen(offers: &[Offer], resources: &Resources) -> String {
    choose(offers, resources, None).unwrap().offer.id.clone()
}

#[test]
fn the_cheapest_of_what_matches_is_taken_and_the_rest_are_alternatives() {
    let offers = [
        priced(offer("dear", Some("A100-40G"), 1.0), 30),
        offer("unpriced", Some("A100-40G"), 1.0),
        priced(offer("cheap", Some("A100-40G"), 1.0), 20),
        priced(offer("other", Some("A800-40G"), 1.0), 1),
        priced(offer("two", Some("A100-40G"), 2.0), 1),
    ];
    let choice = choose(&offers, &gpu("A100"), None).unwrap();
    assert_eq!(choice.offer.id, "cheap");
    let others: Vec<&str> = choice
        .alternatives
        .iter()
        .map(|offer| offer.id.as_str())
        .collect();
    assert_eq!(others, ["dear", "unpriced"]);
    assert_eq!(choice.sizes_note, None);
}

#[test]
fn without_prices_the_smallest_is_taken_then_the_first_by_name() {
    let bigger = |offer: Offer, cores, gib: u64| Offer {
        cpu_cores: Some(cores),
        memory_bytes: Some(gib << 30),
        ..offer
    };
    let offers = [
        bigger(offer("b", Some("T4"), 1.0), 8.0, 64),
        bigger(offer("a", Some("T4"), 1.0), 8.0, 64),
        bigger(offer("c", Some("T4"), 1.0), 8.0, 32),
        bigger(offer("d", Some("T4"), 1.0), 16.0, 16),
    ];
    assert_eq!(chosen(&offers, &gpu("T4")), "c");
    assert_eq!(
        chosen(
            &offers,
            &Resources {
                memory: Some(33 << 30),
                ..gpu("T4")
            }
        ),
        "a"
    );
    assert_eq!(
        chosen(
            &offers,
            &Resources {
                cpu: Some(9.0),
                ..gpu("T4")
            }
        ),
        "d"
    );
}

#[test]
fn the_size_that_was_taken_is_told_where_the_request_left_it_open() {
    let offers = [
        priced(offer("forty", Some("A100-40G"), 1.0), 20),
        priced(offer("eighty", Some("A100-80G"), 1.0), 30),
    ];
    let open = choose(&offers, &gpu("A100"), None).unwrap();
    assert_eq!(
        open.sizes_note.as_deref(),
        Some("took the A100 with 40 GiB; it is offered with 80 GiB too")
    );
    let told = choose(&offers, &gpu("A100-80G"), None).unwrap();
    assert_eq!((told.offer.id.as_str(), told.sizes_note), ("eighty", None));
}

#[test]
fn slices_and_larger_nodes_never_match() {
    let offers = [
        offer("slice", Some("A10"), 0.5),
        offer("eight", Some("A10"), 8.0),
    ];
    let refusal = choose(&offers, &gpu("A10"), None).unwrap_err();
    assert_eq!(
        (refusal.code, refusal.kind),
        (RefusalCode::NoMatchingResource, Kind::Capacity)
    );
}

#[test]
fn near_misses_are_told_the_nearest_first_and_five_at_most() {
    let mut offers: Vec<Offer> = (0..9)
        .map(|index| offer(&format!("far{index}"), Some("T4"), 4.0))
        .collect();
    offers.push(offer("none", None, 0.0));
    offers.push(within(offer("near", Some("A100-40G"), 1.0), "lab"));
    let resources = Resources {
        cpu: Some(12.0),
        ..gpu("A100:1:80G")
    };
    let refusal = choose(&offers, &resources, None).unwrap_err();
    assert_eq!(refusal.field, "resources.gpu");
    assert!(
        refusal.message.starts_with(
            "nothing has 1 × A100 with 80 GiB, 12 cores; nearest: `lab/near` has 40 GiB a card, not 80 GiB and has 8 cores, not 12; "
        ),
        "{}",
        refusal.message
    );
    assert_eq!(refusal.message.matches("`far").count(), 4);
    assert!(refusal.alternative.unwrap().contains("`lab/near`"));
}

#[test]
fn what_matches_and_is_sold_out_is_capacity() {
    let gone = |offer: Offer| Offer {
        available: Some(false),
        ..offer
    };
    let offers = [
        gone(offer("a", Some("T4"), 1.0)),
        Offer {
            stock: Some(0),
            ..offer("b", Some("T4"), 1.0)
        },
    ];
    let refusal = choose(&offers, &gpu("T4"), None).unwrap_err();
    assert_eq!(
        (refusal.code, refusal.kind),
        (RefusalCode::Capacity, Kind::Capacity)
    );
    assert!(refusal.message.contains("`a`, `b` match"));
    let mut with_one = offers.to_vec();
    with_one.push(priced(offer("c", Some("T4"), 1.0), 1_000_000));
    assert_eq!(chosen(&with_one, &gpu("T4")), "c");
    assert_eq!(
        choose(&offers, &named("a"), None).unwrap_err().code,
        RefusalCode::Capacity
    );
}

#[test]
fn a_job_without_gpu_gets_a_machine_without_gpu() {
    let offers = [
        priced(offer("gpu", Some("T4"), 1.0), 1),
        priced(offer("cpu", None, 0.0), 9),
    ];
    let resources = Resources {
        cpu: Some(4.0),
        ..Resources::default()
    };
    assert_eq!(chosen(&offers, &resources), "cpu");
    let refusal = choose(&offers[..1], &resources, None).unwrap_err();
    assert!(
        refusal.message.contains("nobody asked for"),
        "{}",
        refusal.message
    );
}

#[test]
fn a_job_that_says_nothing_is_refused() {
    let refusal = choose(&[], &Resources::default(), None).unwrap_err();
    assert_eq!(
        (refusal.code, refusal.kind),
        (RefusalCode::MissingField, Kind::Spec)
    );
}

#[test]
fn what_an_offer_does_not_tell_is_no_match_if_it_was_asked_for() {
    let silent = [Offer {
        cpu_cores: None,
        memory_bytes: None,
        arch: None,
        ..offer("silent", Some("T4"), 1.0)
    }];
    assert_eq!(chosen(&silent, &gpu("T4")), "silent");
    for resources in [
        Resources {
            cpu: Some(1.0),
            ..gpu("T4")
        },
        Resources {
            memory: Some(1),
            ..gpu("T4")
        },
        Resources {
            arch: Some("amd64".to_owned()),
            ..gpu("T4")
        },
    ] {
        let refusal = choose(&silent, &resources, None).unwrap_err();
        assert!(
            refusal.message.contains("does not tell"),
            "{}",
            refusal.message
        );
    }
}

fn catalogue() -> Vec<Offer> {
    vec![
        within(offer("n32h.xlarge", Some("H100"), 8.0), "east"),
        within(offer("n32h.xlarge", Some("H100"), 8.0), "west"),
        within(offer("n16.large", Some("T4"), 1.0), "west"),
        offer("gpu/Standard_NC6", Some("V100"), 1.0),
        offer("H20x8@beijing", Some("H20"), 8.0),
    ]
}

#[rstest]
#[case("n16.large", None, "n16.large")]
#[case("west/n16.large", None, "n16.large")]
#[case("west/n32h.xlarge", None, "n32h.xlarge")]
#[case("n32h.xlarge", Some("east"), "n32h.xlarge")]
#[case("gpu/Standard_NC6", None, "gpu/Standard_NC6")]
#[case("Standard_NC6", None, "gpu/Standard_NC6")]
#[case("H20x8@beijing", None, "H20x8@beijing")]
#[case("H20x8", None, "H20x8@beijing")]
#[case("Type n16.large", None, "n16.large")]
fn a_type_is_found_by_any_of_its_names(
    #[case] name: &str,
    #[case] cluster: Option<&str>,
    #[case] id: &str,
) {
    let offers = catalogue();
    assert_eq!(choose(&offers, &named(name), cluster).unwrap().offer.id, id);
}

#[test]
fn a_type_in_several_clusters_is_ambiguous() {
    let refusal = choose(&catalogue(), &named("n32h.xlarge"), None).unwrap_err();
    assert_eq!(refusal.kind, Kind::Spec);
    assert!(
        refusal
            .message
            .contains("`east/n32h.xlarge`, `west/n32h.xlarge`"),
        "{}",
        refusal.message
    );
    let error = crate::error::Error::refused("paracloud", vec![refusal]);
    assert_eq!(
        error.details().candidates,
        ["east/n32h.xlarge", "west/n32h.xlarge"]
    );
}

#[test]
fn a_type_of_another_cluster_is_a_fault_of_the_spec() {
    let refusal = choose(&catalogue(), &named("n16.large"), Some("east")).unwrap_err();
    assert_eq!(refusal.kind, Kind::Spec);
    assert!(refusal.alternative.unwrap().contains("`west/n16.large`"));
}

#[test]
fn a_type_that_does_not_exist_is_not_found_and_similar_ones_are_named() {
    let refusal = choose(&catalogue(), &named("n32h.xlrge"), None).unwrap_err();
    assert_eq!(
        (refusal.code, refusal.kind),
        (RefusalCode::NoMatchingResource, Kind::NotFound)
    );
    assert!(refusal.alternative.unwrap().contains("`n32h.xlarge`"));
}

#[test]
fn a_named_type_must_have_what_is_asked_for_beside_it() {
    let resources = Resources {
        cpu: Some(100.0),
        ..named("n16.large")
    };
    let refusal = choose(&catalogue(), &resources, None).unwrap_err();
    assert_eq!(refusal.field, "resources.instance_type");
    assert!(
        refusal.message.contains("has 8 cores, not 100"),
        "{}",
        refusal.message
    );
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_choice_does_not_depend_on_the_order_of_the_catalogue(
        prices in prop::collection::vec(prop::option::of(0_i128..3), 1..8),
        rotation in 0_usize..8,
    ) {
        let mut offers: Vec<Offer> = prices
            .iter()
            .enumerate()
            .map(|(index, price)| Offer {
                price_per_hour: price.map(|price| Money::from_micros(price, "CNY")),
                ..offer(&format!("t{index}"), Some("T4"), 1.0)
            })
            .collect();
        let first = chosen(&offers, &gpu("T4"));
        let middle = rotation % offers.len();
        offers.rotate_left(middle);
        prop_assert_eq!(first, chosen(&offers, &gpu("T4")));
    }
}
