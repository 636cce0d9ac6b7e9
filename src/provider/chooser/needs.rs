//! What a job needs of an offer, one need at a time, and what an offer lacks of it.

use crate::model::Offer;
use crate::spec::gpu::{GpuDifference, gpu_differences};
use crate::spec::units::format_size;
use crate::spec::{GpuRequest, Resources};

/// One requirement of a job.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Need<'a> {
    Gpu(&'a GpuRequest),
    /// Nobody asked for a GPU, and none is to be paid for.
    NoGpu,
    Cores(f64),
    Memory(u64),
    Arch(&'a str),
}

/// What an offer lacks, in words that follow its name, and how far that is from the wish.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Lack {
    pub(super) words: String,
    /// 9 for no card, 3 for another one, 1 for everything else: near misses are those with little.
    pub(super) weight: u32,
}

impl<'a> Need<'a> {
    /// The needs of a job. A named type without a GPU request may have any GPU.
    pub(super) fn of(resources: &'a Resources) -> Vec<Self> {
        let mut needs = Vec::new();
        match &resources.gpu {
            Some(request) => needs.push(Self::Gpu(request)),
            None if resources.instance_type.is_none() => needs.push(Self::NoGpu),
            None => {}
        }
        needs.extend(resources.cpu.map(Self::Cores));
        needs.extend(resources.memory.map(Self::Memory));
        needs.extend(resources.arch.as_deref().map(Self::Arch));
        needs
    }

    /// The need in words, such as `2 × A100 with 80 GiB`.
    pub(super) fn words(&self) -> String {
        match self {
            Self::Gpu(request) => {
                let model = request.model.as_deref().unwrap_or("GPU");
                match request.memory_gib {
                    Some(memory) => format!("{} × {model} with {memory} GiB", request.count),
                    None => format!("{} × {model}", request.count),
                }
            }
            Self::NoGpu => "no GPU".to_owned(),
            Self::Cores(cores) => format!("{cores} cores"),
            Self::Memory(bytes) => format!("{} of memory", format_size(*bytes)),
            Self::Arch(arch) => (*arch).to_owned(),
        }
    }

    /// What the offer lacks; `None` where it has what is needed.
    pub(super) fn lack(&self, offer: &Offer) -> Option<Lack> {
        match self {
            Self::Gpu(request) => gpu_lack(request, offer),
            Self::NoGpu => offer.gpu.as_ref().map(|gpu| Lack {
                words: match &gpu.model {
                    Some(model) => format!("has {} × {model}, which nobody asked for", gpu.count),
                    None => "has a GPU, which nobody asked for".to_owned(),
                },
                weight: 3,
            }),
            Self::Cores(wanted) => match offer.cpu_cores {
                Some(cores) if cores >= *wanted => None,
                Some(cores) => Some(Lack::light(format!("has {cores} cores, not {wanted}"))),
                None => Some(Lack::light("does not tell its cores".to_owned())),
            },
            Self::Memory(wanted) => match offer.memory_bytes {
                Some(bytes) if bytes >= *wanted => None,
                Some(bytes) => Some(Lack::light(format!(
                    "has {} of memory, not {}",
                    rounded(bytes),
                    format_size(*wanted)
                ))),
                None => Some(Lack::light("does not tell its memory".to_owned())),
            },
            Self::Arch(wanted) => match offer.arch.as_deref() {
                Some(arch) if arch == *wanted => None,
                Some(arch) => Some(Lack::light(format!("is {arch}, not {wanted}"))),
                None => Some(Lack::light("does not tell its architecture".to_owned())),
            },
        }
    }
}

impl Lack {
    fn light(words: String) -> Self {
        Self { words, weight: 1 }
    }
}

fn gpu_lack(request: &GpuRequest, offer: &Offer) -> Option<Lack> {
    let differences = gpu_differences(request, offer.gpu.as_ref());
    if differences.is_empty() {
        return None;
    }
    let weight = differences
        .iter()
        .map(|difference| match difference {
            GpuDifference::NoGpu => 9,
            GpuDifference::Model { .. } => 3,
            GpuDifference::Memory { .. }
            | GpuDifference::MemoryUnknown { .. }
            | GpuDifference::FormFactor { .. }
            | GpuDifference::Count { .. }
            | GpuDifference::Fraction { .. } => 1,
        })
        .sum();
    let words: Vec<String> = differences.iter().map(ToString::to_string).collect();
    Some(Lack {
        words: words.join(" and "),
        weight,
    })
}

/// Bytes for people: whole GiB where that loses little, else exact.
fn rounded(bytes: u64) -> String {
    const GIB: u64 = 1 << 30;
    if bytes >= 4 * GIB {
        format!("{}GiB", bytes / GIB)
    } else {
        format_size(bytes)
    }
}
