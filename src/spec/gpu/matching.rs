//! Whether an offer's cards are the ones asked for, and if not, in what they differ (job-model.md §3.3).

use std::fmt;

use crate::model::Gpu;
use crate::spec::model::GpuRequest;

use super::{FormFactor, GpuName, only_memory_size};

const GIB: u64 = 1 << 30;

/// One thing in which an offer's cards are not the ones asked for; its text reads after the offer's name.
#[derive(Debug, Clone, PartialEq)]
pub enum GpuDifference {
    /// No GPU at all.
    NoGpu,
    /// Another model, or one that is not told.
    Model {
        wanted: String,
        offered: Option<String>,
    },
    /// Another memory per card.
    Memory { wanted_gib: u64, offered_gib: u64 },
    /// The memory is not told, and the model is sold with several sizes.
    MemoryUnknown { wanted_gib: u64 },
    FormFactor {
        wanted: FormFactor,
        offered: FormFactor,
    },
    /// Another number of cards.
    Count { wanted: u32, offered: f64 },
    /// A slice of a card, which no whole number matches.
    Fraction { wanted: u32, offered: f64 },
}

impl fmt::Display for GpuDifference {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoGpu => formatter.write_str("has no GPU"),
            Self::Model {
                wanted,
                offered: Some(offered),
            } => write!(formatter, "has {offered}, not {wanted}"),
            Self::Model {
                wanted,
                offered: None,
            } => write!(formatter, "does not tell whether its GPU is {wanted}"),
            Self::Memory {
                wanted_gib,
                offered_gib,
            } => write!(
                formatter,
                "has {offered_gib} GiB a card, not {wanted_gib} GiB"
            ),
            Self::MemoryUnknown { wanted_gib } => write!(
                formatter,
                "does not tell whether a card has {wanted_gib} GiB"
            ),
            Self::FormFactor { wanted, offered } => write!(formatter, "is {offered}, not {wanted}"),
            Self::Count { wanted, offered } => {
                write!(formatter, "has {offered} GPUs a node, not {wanted}")
            }
            Self::Fraction { wanted, offered } => write!(
                formatter,
                "has {offered} of a GPU, which is no whole number such as {wanted}"
            ),
        }
    }
}

/// All in which an offer's cards differ from a request; empty where they match. `None` is an offer without GPU.
pub fn gpu_differences(request: &GpuRequest, offered: Option<&Gpu>) -> Vec<GpuDifference> {
    let Some(offered) = offered else {
        return vec![GpuDifference::NoGpu];
    };
    let wanted_name = request.model.as_deref().map(GpuName::parse);
    let offered_name = offered.model.as_deref().map(GpuName::parse);
    let mut differences = Vec::new();
    if let Some(wanted) = &wanted_name
        && !offered_name
            .as_ref()
            .is_some_and(|offered| offered.same_model(wanted))
    {
        differences.push(GpuDifference::Model {
            wanted: wanted.model.clone(),
            offered: offered_name.as_ref().map(|name| name.model.clone()),
        });
    }
    let wanted_memory = request
        .memory_gib
        .or_else(|| wanted_name.as_ref().and_then(|name| name.memory_gib));
    if let Some(wanted_gib) = wanted_memory {
        differences.extend(memory_difference(
            wanted_gib,
            offered,
            offered_name.as_ref(),
        ));
    }
    let wanted_factor = wanted_name.as_ref().and_then(|name| name.form_factor);
    let offered_factor = offered
        .form_factor
        .as_deref()
        .and_then(FormFactor::from_word)
        .or_else(|| offered_name.as_ref().and_then(|name| name.form_factor));
    if let (Some(wanted), Some(offered)) = (wanted_factor, offered_factor)
        && wanted != offered
    {
        differences.push(GpuDifference::FormFactor { wanted, offered });
    }
    differences.extend(count_difference(request.count, offered.count));
    differences
}

/// The bytes that are reported are near the nominal size, never on it: ±6 %.
fn memory_difference(
    wanted_gib: u64,
    offered: &Gpu,
    offered_name: Option<&GpuName>,
) -> Option<GpuDifference> {
    let told = offered.memory_bytes.or_else(|| {
        let name = offered_name?;
        name.memory_gib
            .or_else(|| only_memory_size(&name.model))
            .map(|gib| gib.saturating_mul(GIB))
    });
    let Some(bytes) = told else {
        return Some(GpuDifference::MemoryUnknown { wanted_gib });
    };
    let wanted = u128::from(wanted_gib) * u128::from(GIB);
    let close = u128::from(bytes).abs_diff(wanted) * 100 <= wanted * 6;
    (!close).then(|| GpuDifference::Memory {
        wanted_gib,
        offered_gib: bytes.saturating_add(GIB / 2) / GIB,
    })
}

fn count_difference(wanted: u32, offered: f64) -> Option<GpuDifference> {
    if offered.fract().abs() > 1e-9 || !offered.is_finite() {
        Some(GpuDifference::Fraction { wanted, offered })
    } else if (offered - f64::from(wanted)).abs() > 0.5 {
        Some(GpuDifference::Count { wanted, offered })
    } else {
        None
    }
}
