//! Memory sizes a model is sold with (job-model.md §3.3).

const SIZES: [(&str, &[u64]); 23] = [
    ("RTX3090", &[24]),
    ("RTX4090", &[24]),
    ("RTX4090D", &[24]),
    ("RTX5090", &[32]),
    ("T4", &[16]),
    ("P4", &[8]),
    ("A10", &[24]),
    ("A30", &[24]),
    ("A40", &[48]),
    ("L4", &[24]),
    ("L20", &[48]),
    ("L40", &[48]),
    ("L40S", &[48]),
    ("H200", &[141]),
    ("MI300X", &[192]),
    ("M60", &[8]),
    ("H800", &[80]),
    ("P100", &[12, 16]),
    ("V100", &[16, 32]),
    ("A100", &[40, 80]),
    ("A800", &[40, 80]),
    ("H100", &[80, 94]),
    ("H20", &[96, 141]),
];

/// The nominal GiB a canonical model is sold with; empty where the table does not know it.
pub fn known_memory_sizes(model: &str) -> &'static [u64] {
    SIZES
        .iter()
        .find(|(name, _)| *name == model)
        .map_or(&[], |(_, sizes)| sizes)
}

/// The memory of a model that is sold with one size only.
pub fn only_memory_size(model: &str) -> Option<u64> {
    match known_memory_sizes(model) {
        [only] => Some(*only),
        _ => None,
    }
}
