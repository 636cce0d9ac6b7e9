//! GPUs of Azure's machine types, which the API does not tell (cyclecloud.md §9).
//!
//! Pure. The exact name first, then the pattern rules; cores and memory of the status call win over the table, model and
//! memory of a card always come from it.

use crate::model::Gpu;

const GIB: u64 = 1 << 30;

/// What is known of a machine type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Machine {
    pub name: &'static str,
    pub vcpus: u32,
    pub memory_gib: u32,
    pub model: &'static str,
    /// Cards, as a fraction: slices are sold.
    pub cards: (u32, u32),
    /// Memory of one card, or of the slice.
    pub card_gib: u32,
    pub form_factor: Option<&'static str>,
    pub rdma: bool,
}

#[expect(
    clippy::too_many_arguments,
    reason = "a row of the contract's table has nine columns"
)]
const fn row(
    name: &'static str,
    vcpus: u32,
    memory_gib: u32,
    model: &'static str,
    cards: u32,
    parts: u32,
    card_gib: u32,
    form_factor: Option<&'static str>,
    rdma: bool,
) -> Machine {
    Machine {
        name,
        vcpus,
        memory_gib,
        model,
        cards: (cards, parts),
        card_gib,
        form_factor,
        rdma,
    }
}

/// The contract's table, in its order.
#[rustfmt::skip]
pub const MACHINES: [Machine; 45] = [
    row("Standard_NC4as_T4_v3", 4, 28, "T4", 1, 1, 16, None, false),
    row("Standard_NC8as_T4_v3", 8, 56, "T4", 1, 1, 16, None, false),
    row("Standard_NC16as_T4_v3", 16, 110, "T4", 1, 1, 16, None, false),
    row("Standard_NC64as_T4_v3", 64, 440, "T4", 4, 1, 16, None, false),
    row("Standard_NC24ads_A100_v4", 24, 220, "A100", 1, 1, 80, Some("PCIE"), false),
    row("Standard_NC48ads_A100_v4", 48, 440, "A100", 2, 1, 80, Some("PCIE"), false),
    row("Standard_NC96ads_A100_v4", 96, 880, "A100", 4, 1, 80, Some("PCIE"), false),
    row("Standard_NC40ads_H100_v5", 40, 320, "H100", 1, 1, 94, Some("NVL"), false),
    row("Standard_NC80adis_H100_v5", 80, 640, "H100", 2, 1, 94, Some("NVL"), false),
    row("Standard_NCC40ads_H100_v5", 40, 320, "H100", 1, 1, 94, Some("NVL"), false),
    row("Standard_NC6s_v3", 6, 112, "V100", 1, 1, 16, None, false),
    row("Standard_NC12s_v3", 12, 224, "V100", 2, 1, 16, None, false),
    row("Standard_NC24s_v3", 24, 448, "V100", 4, 1, 16, None, false),
    row("Standard_NC24rs_v3", 24, 448, "V100", 4, 1, 16, None, true),
    row("Standard_ND40rs_v2", 40, 672, "V100", 8, 1, 32, Some("NVLINK"), true),
    row("Standard_ND96asr_v4", 96, 900, "A100", 8, 1, 40, Some("SXM"), true),
    row("Standard_ND96amsr_A100_v4", 96, 1900, "A100", 8, 1, 80, Some("SXM"), true),
    row("Standard_ND96isr_H100_v5", 96, 1900, "H100", 8, 1, 80, Some("SXM"), true),
    row("Standard_ND96isr_H200_v5", 96, 1850, "H200", 8, 1, 141, Some("SXM"), true),
    row("Standard_ND96isr_MI300X_v5", 96, 1850, "MI300X", 8, 1, 192, None, true),
    row("Standard_ND128isr_NDR_GB200_v6", 128, 900, "GB200", 4, 1, 192, None, true),
    row("Standard_ND128isr_GB300_v6", 128, 864, "GB300", 4, 1, 288, None, true),
    row("Standard_ND128isrG5_GB300_v6", 128, 864, "GB300", 4, 1, 288, None, true),
    row("Standard_NV6ads_A10_v5", 6, 55, "A10", 1, 6, 4, None, false),
    row("Standard_NV12ads_A10_v5", 12, 110, "A10", 1, 3, 8, None, false),
    row("Standard_NV18ads_A10_v5", 18, 220, "A10", 1, 2, 12, None, false),
    row("Standard_NV36ads_A10_v5", 36, 440, "A10", 1, 1, 24, None, false),
    row("Standard_NV36adms_A10_v5", 36, 880, "A10", 1, 1, 24, None, false),
    row("Standard_NV72ads_A10_v5", 72, 880, "A10", 2, 1, 24, None, false),
    row("Standard_NV4ads_V710_v5", 4, 16, "V710", 1, 6, 4, None, false),
    row("Standard_NV8ads_V710_v5", 8, 32, "V710", 1, 3, 8, None, false),
    row("Standard_NV12ads_V710_v5", 12, 64, "V710", 1, 2, 12, None, false),
    row("Standard_NV24ads_V710_v5", 24, 128, "V710", 1, 1, 24, None, false),
    row("Standard_NV28adms_V710_v5", 28, 160, "V710", 1, 1, 24, None, false),
    row("Standard_NG8ads_V620_v1", 8, 16, "V620", 1, 4, 8, None, false),
    row("Standard_NG16ads_V620_v1", 16, 32, "V620", 1, 2, 16, None, false),
    row("Standard_NG32ads_V620_v1", 32, 64, "V620", 1, 1, 32, None, false),
    row("Standard_NG32adms_V620_v1", 32, 176, "V620", 1, 1, 32, None, false),
    row("Standard_NV12s_v3", 12, 112, "M60", 1, 1, 8, None, false),
    row("Standard_NV24s_v3", 24, 224, "M60", 2, 1, 8, None, false),
    row("Standard_NV48s_v3", 48, 448, "M60", 4, 1, 8, None, false),
    row("Standard_NV4as_v4", 4, 14, "MI25", 1, 8, 2, None, false),
    row("Standard_NV8as_v4", 8, 28, "MI25", 1, 4, 4, None, false),
    row("Standard_NV16as_v4", 16, 56, "MI25", 1, 2, 8, None, false),
    row("Standard_NV32as_v4", 32, 112, "MI25", 1, 1, 16, None, false),
];

/// The row of a machine type, whatever the case of its name.
pub(super) fn machine(machine_type: &str) -> Option<&'static Machine> {
    MACHINES
        .iter()
        .find(|machine| machine.name.eq_ignore_ascii_case(machine_type))
}

/// The cards of a machine type; `told` is the API's own count, which is wrong for some types.
///
/// `None` is a machine without GPU.
pub(super) fn gpu(machine_type: &str, told: Option<u64>) -> Option<Gpu> {
    let told = told.unwrap_or_default();
    if let Some(machine) = machine(machine_type) {
        let (cards, parts) = machine.cards;
        let count = if parts > 1 {
            // A slice is told as 1 by the API.
            f64::from(cards) / f64::from(parts)
        } else {
            whole(told).max(f64::from(cards))
        };
        return Some(Gpu {
            model: Some(machine.model.to_owned()),
            count,
            memory_bytes: Some(u64::from(machine.card_gib) * GIB),
            form_factor: machine.form_factor.map(str::to_owned),
        });
    }
    if told == 0 {
        return None;
    }
    let pattern = by_pattern(machine_type);
    Some(Gpu {
        model: pattern.map(|(model, _, _)| model.to_owned()),
        count: whole(told),
        memory_bytes: pattern.map(|(_, gib, _)| gib * GIB),
        form_factor: pattern.and_then(|(_, _, form_factor)| form_factor.map(str::to_owned)),
    })
}

/// `arm64` for the letter `p` in the size's name and for the Grace machines; everything else is `amd64`.
pub(super) fn arch(machine_type: &str) -> &'static str {
    let upper = machine_type.to_ascii_uppercase();
    let is_grace = upper.contains("_GB200_") || upper.contains("_GB300_");
    let is_arm = Size::of(&upper).is_some_and(|size| size.features.contains('P'));
    if is_grace || is_arm { "arm64" } else { "amd64" }
}

/// The rules for sizes that are not listed, in their order: model, memory of a card, form factor.
fn by_pattern(machine_type: &str) -> Option<(&'static str, u64, Option<&'static str>)> {
    let upper = machine_type.to_ascii_uppercase();
    let has = |word: &str| upper.contains(word);
    let size = Size::of(&upper);
    let is = |family: &str, features: &[&str], version: &str| {
        size.as_ref().is_some_and(|size| {
            size.family == family && features.contains(&size.features) && size.rest == version
        })
    };
    let found = if has("_GB300_") {
        ("GB300", 288, None)
    } else if has("_GB200_") {
        ("GB200", 192, None)
    } else if has("_H200_") {
        ("H200", 141, None)
    } else if has("_H100_") && upper.starts_with("STANDARD_NC") {
        ("H100", 94, Some("NVL"))
    } else if has("_H100_") && upper.starts_with("STANDARD_ND") {
        ("H100", 80, None)
    } else if has("_A100_") {
        ("A100", 80, None)
    } else if is("ND", &["ASR", "AS"], "_V4") {
        ("A100", 40, None)
    } else if has("_A10_") {
        ("A10", 24, None)
    } else if has("_T4_") {
        ("T4", 16, None)
    } else if has("_MI300X_") {
        ("MI300X", 192, None)
    } else if has("RTXPRO6000") {
        // As the normaliser of GPU names writes it.
        ("RTXPRO6000BSE", 96, None)
    } else if has("_V710_") {
        ("V710", 24, None)
    } else if has("_V620_") {
        ("V620", 32, None)
    } else if is("NC", &["S"], "_V3") {
        ("V100", 16, None)
    } else if is("ND", &["RS"], "_V2") {
        ("V100", 32, None)
    } else if is("NV", &["S"], "_V3") {
        ("M60", 8, None)
    } else if is("NV", &["AS"], "_V4") {
        ("MI25", 16, None)
    } else {
        return None;
    };
    Some(found)
}

/// A size's name taken apart: `STANDARD_` `ND` `96` `ASR` `_V4`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Size<'a> {
    family: &'a str,
    features: &'a str,
    rest: &'a str,
}

impl<'a> Size<'a> {
    /// Of a name in capitals.
    fn of(upper: &'a str) -> Option<Self> {
        let name = upper.strip_prefix("STANDARD_")?;
        let (family, name) = name.split_at(name.find(|first: char| first.is_ascii_digit())?);
        let name = name.trim_start_matches(|digit: char| digit.is_ascii_digit());
        // `E4-2DS`: the cores that are left of a constrained size.
        let name = name.strip_prefix('-').map_or(name, |rest| {
            rest.trim_start_matches(|digit: char| digit.is_ascii_digit())
        });
        let end = name.find('_').unwrap_or(name.len());
        let (features, rest) = name.split_at(end);
        Some(Self {
            family,
            features,
            rest,
        })
    }
}

fn whole(count: u64) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::spec::gpu::GpuName;

    #[test]
    fn every_row_is_found_in_any_case_and_its_model_is_canonical() {
        for machine in &MACHINES {
            let found = gpu(&machine.name.to_ascii_lowercase(), None).unwrap();
            assert_eq!(found.model.as_deref(), Some(machine.model));
            assert_eq!(GpuName::parse(machine.model).model, machine.model);
            assert!(
                machine.vcpus > 0 && machine.memory_gib > 0,
                "{}",
                machine.name
            );
            assert_eq!(
                MACHINES
                    .iter()
                    .filter(|other| other.name == machine.name)
                    .count(),
                1,
                "{}",
                machine.name
            );
        }
    }

    #[rstest]
    #[case("Standard_NC24ads_A100_v4", "A100", 1.0, 80, Some("PCIE"))]
    #[case("Standard_NC80adis_H100_v5", "H100", 2.0, 94, Some("NVL"))]
    #[case("Standard_ND40rs_v2", "V100", 8.0, 32, Some("NVLINK"))]
    #[case("Standard_ND96asr_v4", "A100", 8.0, 40, Some("SXM"))]
    #[case("Standard_ND96amsr_A100_v4", "A100", 8.0, 80, Some("SXM"))]
    #[case("standard_nd96isr_h200_v5", "H200", 8.0, 141, Some("SXM"))]
    #[case("Standard_ND128isr_NDR_GB200_v6", "GB200", 4.0, 192, None)]
    #[case("Standard_NV6ads_A10_v5", "A10", 1.0 / 6.0, 4, None)]
    #[case("Standard_NV72ads_A10_v5", "A10", 2.0, 24, None)]
    #[case("Standard_NV4as_v4", "MI25", 0.125, 2, None)]
    fn rows_are_those_of_the_contract(
        #[case] name: &str,
        #[case] model: &str,
        #[case] count: f64,
        #[case] gib: u64,
        #[case] form_factor: Option<&str>,
    ) {
        let found = gpu(name, Some(1)).unwrap();
        assert_eq!(found.model.as_deref(), Some(model));
        assert!((found.count - count).abs() < 1e-9, "{}", found.count);
        assert_eq!(found.memory_bytes, Some(gib << 30));
        assert_eq!(found.form_factor.as_deref(), form_factor);
    }

    #[rstest]
    #[case("Standard_ND256isr_GB300_v7", Some("GB300"), Some(288))]
    #[case("Standard_NC10ads_H100_v6", Some("H100"), Some(94))]
    #[case("Standard_ND48isr_H100_v5", Some("H100"), Some(80))]
    #[case("Standard_NC12ads_A100_v5", Some("A100"), Some(80))]
    #[case("Standard_ND48asr_v4", Some("A100"), Some(40))]
    #[case("Standard_NV100ads_A10_v6", Some("A10"), Some(24))]
    #[case("Standard_NC128as_T4_v3", Some("T4"), Some(16))]
    #[case("Standard_ND48is_MI300X_v5", Some("MI300X"), Some(192))]
    #[case(
        "Standard_NC32lds_xl_RTXPRO6000BSE_v6",
        Some("RTXPRO6000BSE"),
        Some(96)
    )]
    #[case("Standard_NV48ads_V710_v5", Some("V710"), Some(24))]
    #[case("Standard_NG64ads_V620_v1", Some("V620"), Some(32))]
    #[case("Standard_NC48s_v3", Some("V100"), Some(16))]
    #[case("Standard_ND80rs_v2", Some("V100"), Some(32))]
    #[case("Standard_NV96s_v3", Some("M60"), Some(8))]
    #[case("Standard_NV64as_v4", Some("MI25"), Some(16))]
    #[case("Standard_XX8_v9", None, None)]
    fn other_names_follow_the_patterns(
        #[case] name: &str,
        #[case] model: Option<&str>,
        #[case] gib: Option<u64>,
    ) {
        let found = gpu(name, Some(2)).unwrap();
        assert_eq!(found.model.as_deref(), model);
        assert!((found.count - 2.0).abs() < 1e-9);
        assert_eq!(found.memory_bytes, gib.map(|gib| gib << 30));
        assert_eq!(gpu(name, Some(0)), None, "without a count there is no GPU");
    }

    #[test]
    fn the_larger_of_both_counts_is_taken() {
        let count = |told| gpu("Standard_ND128isr_NDR_GB200_v6", told).unwrap().count;
        assert!((count(Some(1)) - 4.0).abs() < 1e-9);
        assert!((count(Some(8)) - 8.0).abs() < 1e-9);
        assert!((count(None) - 4.0).abs() < 1e-9);
    }

    #[rstest]
    #[case("Standard_F32s_v2", "amd64")]
    #[case("Standard_D4ps_v5", "arm64")]
    #[case("Standard_D4pds_v6", "arm64")]
    #[case("Standard_HC44rs", "amd64")]
    #[case("Standard_ND128isr_GB300_v6", "arm64")]
    #[case("Standard_NP10s", "amd64")]
    #[case("weird", "amd64")]
    fn the_name_tells_the_architecture(#[case] name: &str, #[case] expected: &str) {
        assert_eq!(arch(name), expected);
    }
}
