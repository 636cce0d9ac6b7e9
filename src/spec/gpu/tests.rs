use proptest::prelude::*;
use rstest::rstest;

use crate::model::Gpu;
use crate::spec::GpuRequest;

use super::*;

/// The checks of job-model.md §3.4, and what a reader of the rules would ask next.
#[rstest]
#[case("RTX3090", "RTX3090", None, None, None)]
#[case("A100-PCIE-40G", "A100", Some(40), Some(FormFactor::Pcie), None)]
#[case(
    "NVIDIA A100-PCIE-40GB",
    "A100",
    Some(40),
    Some(FormFactor::Pcie),
    None
)]
#[case("4090", "RTX4090", None, None, None)]
#[case("4090-48G", "RTX4090", Some(48), None, None)]
#[case("NVIDIA GeForce RTX 4090 D", "RTX4090D", None, None, None)]
#[case("H20 x 8", "H20", None, None, Some(8))]
#[case("Tesla-V100-16G", "V100", Some(16), None, None)]
#[case("NVIDIA v100", "V100", None, None, None)]
#[case("RTX A6000", "A6000", None, None, None)]
#[case("NVIDIA A100-SXM4-80GB", "A100", Some(80), Some(FormFactor::Sxm), None)]
#[case("V100S-PCIE-32GB", "V100S", Some(32), Some(FormFactor::Pcie), None)]
#[case("A100 SXM", "A100", None, Some(FormFactor::Sxm), None)]
#[case("H100 NVL", "H100", None, Some(FormFactor::Nvl), None)]
#[case("MI300X", "MI300X", None, None, None)]
#[case("AMD MI300X", "MI300X", None, None, None)]
#[case("ＮＶＩＤＩＡ　Ａ１００－８０Ｇ", "A100", Some(80), None, None)]
#[case("H20×8", "H20", None, None, Some(8))]
#[case("H20*8", "H20", None, None, Some(8))]
#[case("H20 X8", "H20", None, None, Some(8))]
#[case("H20x8", "H20", None, None, Some(8))]
#[case("A100 80 GB", "A100", Some(80), None, None)]
#[case("A100 39.6GiB", "A100", Some(40), None, None)]
#[case("H100 80GB HBM3", "H100", Some(80), None, None)]
#[case("A100 PCI-E 40G", "A100", Some(40), Some(FormFactor::Pcie), None)]
#[case("1080 Ti", "GTX1080TI", None, None, None)]
#[case("GTX 1660 SUPER", "GTX1660SUPER", None, None, None)]
#[case("rtx_5090", "RTX5090", None, None, None)]
#[case("L40S", "L40S", None, None, None)]
#[case("GB200", "GB200", None, None, None)]
#[case("RTX 6000 Ada", "RTX6000ADA", None, None, None)]
fn names_are_normalised(
    #[case] text: &str,
    #[case] model: &str,
    #[case] memory_gib: Option<u64>,
    #[case] form_factor: Option<FormFactor>,
    #[case] count_hint: Option<u32>,
) {
    assert_eq!(
        GpuName::parse(text),
        GpuName {
            model: model.to_owned(),
            memory_gib,
            form_factor,
            count_hint,
            opaque: false,
        }
    );
}

#[rstest]
#[case("GU50")]
#[case("GU8TF")]
#[case("GPU")]
#[case("x8")]
#[case("80G")]
#[case("A100 40G 80G")]
#[case("国产卡")]
#[case("")]
fn what_the_rules_cannot_take_apart_stays_whole(#[case] text: &str) {
    let name = GpuName::parse(text);
    assert!(name.opaque, "{name:?}");
    assert_eq!(name.canonical(), text);
    assert!(name.same_model(&GpuName::parse(text)));
    assert!(!name.same_model(&GpuName::parse("A100")));
}

#[test]
fn the_canonical_text_carries_the_memory() {
    assert_eq!(
        GpuName::parse("NVIDIA A100-SXM4-80GB").canonical(),
        "A100-80G"
    );
    assert_eq!(GpuName::parse("4090").to_string(), "RTX4090");
}

fn request(text: &str) -> GpuRequest {
    parse_gpu_request(text).unwrap()
}

fn offer(model: &str, count: f64, memory_mib: Option<u64>, form_factor: Option<&str>) -> Gpu {
    Gpu {
        model: Some(model.to_owned()),
        count,
        memory_bytes: memory_mib.map(|mib| mib << 20),
        form_factor: form_factor.map(str::to_owned),
    }
}

#[rstest]
#[case("A100", "A100", None, None)]
#[case("a100:1:80G", "A100", Some(81_559), None)]
#[case("A100-40G", "A100", Some(40_960), None)]
#[case("RTX4090:1:24GiB", "RTX4090", None, None)]
#[case("4090-24G", "4090", Some(24_560), None)]
#[case("A100 SXM", "A100", None, None)]
#[case("A100 SXM4", "A100", None, Some("SXM"))]
#[case("GU50", "GU50", None, None)]
fn equal_cards_match(
    #[case] wanted: &str,
    #[case] model: &str,
    #[case] memory_mib: Option<u64>,
    #[case] form_factor: Option<&str>,
) {
    assert_eq!(
        gpu_differences(
            &request(wanted),
            Some(&offer(model, 1.0, memory_mib, form_factor))
        ),
        []
    );
}

#[rstest]
#[case("A100", "A800")]
#[case("H100", "H800")]
#[case("H100", "H20")]
#[case("H20", "H200")]
#[case("V100", "V100S")]
#[case("L40", "L40S")]
#[case("4090", "4090D")]
#[case("A100", "GU50")]
fn models_that_look_alike_differ(#[case] wanted: &str, #[case] offered: &str) {
    for (wanted, offered) in [(wanted, offered), (offered, wanted)] {
        assert!(matches!(
            gpu_differences(&request(wanted), Some(&offer(offered, 1.0, None, None))).as_slice(),
            [GpuDifference::Model { .. }]
        ));
    }
}

#[test]
fn every_difference_is_told() {
    let found = gpu_differences(
        &request("A100 PCIE:2:80G"),
        Some(&offer("H100", 8.0, Some(40_960), Some("SXM"))),
    );
    let told: Vec<String> = found.iter().map(ToString::to_string).collect();
    assert_eq!(
        told,
        [
            "has H100, not A100",
            "has 40 GiB a card, not 80 GiB",
            "is SXM, not PCIE",
            "has 8 GPUs a node, not 2",
        ]
    );
    assert_eq!(
        gpu_differences(&request("A100"), None),
        [GpuDifference::NoGpu]
    );
}

#[test]
fn unknown_memory_is_a_near_miss_unless_there_is_one_size_only() {
    assert_eq!(
        gpu_differences(
            &request("A100:1:80G"),
            Some(&offer("A100", 1.0, None, None))
        ),
        [GpuDifference::MemoryUnknown { wanted_gib: 80 }]
    );
    assert_eq!(
        gpu_differences(
            &request("4090:1:48G"),
            Some(&offer("RTX4090", 1.0, None, None))
        ),
        [GpuDifference::Memory {
            wanted_gib: 48,
            offered_gib: 24
        }]
    );
}

#[test]
fn a_slice_never_matches_a_whole_card() {
    for count in [0.5, 1.5, f64::NAN] {
        assert!(matches!(
            gpu_differences(&request("A10"), Some(&offer("A10", count, None, None))).as_slice(),
            [GpuDifference::Fraction { .. }]
        ));
    }
}

#[test]
fn requests_are_read_in_every_form() {
    let plain = |model: &str, count, memory_gib| GpuRequest {
        model: Some(model.to_owned()),
        count,
        memory_gib,
    };
    assert_eq!(request("A100"), plain("A100", 1, None));
    assert_eq!(request("A100:2"), plain("A100", 2, None));
    assert_eq!(request("A100:2:80G"), plain("A100", 2, Some(80)));
    assert_eq!(request("A100-80G"), plain("A100-80G", 1, Some(80)));
    assert_eq!(request("A100-80G:4:80GiB"), plain("A100-80G", 4, Some(80)));
    assert_eq!(request("4090"), plain("4090", 1, None));
}

#[rstest]
#[case("")]
#[case(":2")]
#[case("2")]
#[case("A100:0")]
#[case("A100:two")]
#[case("A100:1.5")]
#[case("A100:1:80")]
#[case("A100:1:80G:x")]
#[case("A100-40G:1:80G")]
fn requests_that_say_too_little_or_too_much_are_refused(#[case] text: &str) {
    assert!(parse_gpu_request(text).is_err());
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text_is_taken_apart_and_its_canonical_form_is_stable(
        text in any::<String>(),
        near in "(NVIDIA |RTX|GTX|x ?|[0-9]{1,4}|GB?| |-|[A-DHLSVX]|PCIE|SXM4|HBM2e|GU|\\*|/){0,10}",
    ) {
        for text in [text, near] {
            let name = GpuName::parse(&text);
            let again = GpuName::parse(&name.canonical());
            prop_assert_eq!(name.canonical(), again.canonical());
            prop_assert!(name.same_model(&again));
        }
    }
}
