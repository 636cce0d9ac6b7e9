//! Which offers fit the flags of `types`, and which leave it open.

use std::collections::BTreeMap;

use crate::model::{Money, Offer};
use crate::spec::GpuRequest;
use crate::spec::gpu::{GpuDifference, gpu_differences, parse_gpu_request};
use crate::spec::units::UnitError;

use super::Rentable;

/// What `types` is asked for; an unset part lets everything through.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Filter {
    pub gpu: Option<GpuFilter>,
    /// Cores of a node, at least.
    pub min_cpu: Option<f64>,
    /// Bytes of a node, at least.
    pub min_memory: Option<u64>,
    /// Per hour for the whole type, at most.
    pub max_price: Option<Money>,
    /// `amd64` or `arm64`.
    pub arch: Option<String>,
    /// Without regard to case.
    pub region: Option<String>,
    /// Only what the provider says can start now.
    pub available: bool,
    /// Only what the provider says can be had as spot; prices are then those on spot, where they are known.
    pub spot: bool,
}

/// `--gpu` as a filter: without a count, types with any number of these cards fit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GpuFilter {
    request: GpuRequest,
    any_count: bool,
}

impl GpuFilter {
    /// Reads `MODEL[:COUNT[:MEMORY]]`.
    pub fn parse(text: &str) -> Result<Self, UnitError> {
        Ok(Self {
            request: parse_gpu_request(text)?,
            any_count: !text.contains(':'),
        })
    }

    fn judge(&self, offer: &Offer) -> Verdict {
        let mut is_told = true;
        for difference in gpu_differences(&self.request, offer.gpu.as_ref()) {
            match difference {
                GpuDifference::Count { .. } if self.any_count => {}
                GpuDifference::MemoryUnknown { .. } => is_told = false,
                GpuDifference::NoGpu
                | GpuDifference::Model { .. }
                | GpuDifference::Memory { .. }
                | GpuDifference::FormFactor { .. }
                | GpuDifference::Count { .. }
                | GpuDifference::Fraction { .. } => return Verdict::Differs,
            }
        }
        if is_told {
            Verdict::Fits
        } else {
            Verdict::Open(Gap::untold("the memory of their cards"))
        }
    }
}

/// One offer against one part of the filter.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Verdict {
    Fits,
    Differs,
    /// Nobody can tell: left out, and said.
    Open(Gap),
}

/// Why nobody can tell, in words that follow "types" and "type".
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Gap {
    Untold(&'static str),
    /// Priced in this currency, and the limit is in another.
    Currency(String),
}

impl Gap {
    fn untold(what: &'static str) -> Self {
        Self::Untold(what)
    }
}

impl Filter {
    /// Keeps what fits; the notes say what was left out only because it could not be judged.
    pub fn apply(&self, rows: Vec<Rentable>) -> (Vec<Rentable>, Vec<String>) {
        let mut kept = Vec::new();
        let mut gaps: BTreeMap<(String, Gap), usize> = BTreeMap::new();
        for row in rows {
            match self.judge(&row) {
                Verdict::Fits => kept.push(row),
                Verdict::Differs => {}
                Verdict::Open(gap) => *gaps.entry((row.provider, gap)).or_default() += 1,
            }
        }
        let notes = gaps
            .into_iter()
            .map(|((provider, gap), count)| self.note(&provider, &gap, count))
            .collect();
        (kept, notes)
    }

    /// What certainly differs is out, whatever else is open; the first open part is the one that is told.
    fn judge(&self, row: &Rentable) -> Verdict {
        let mut open = None;
        for verdict in self.verdicts(row) {
            match verdict {
                Verdict::Fits => {}
                Verdict::Differs => return Verdict::Differs,
                Verdict::Open(gap) => open = open.or(Some(gap)),
            }
        }
        open.map_or(Verdict::Fits, Verdict::Open)
    }

    fn verdicts(&self, row: &Rentable) -> Vec<Verdict> {
        let offer = &row.offer;
        let mut verdicts = Vec::new();
        verdicts.extend(self.gpu.as_ref().map(|gpu| gpu.judge(offer)));
        verdicts.extend(
            self.min_cpu
                .map(|least| told(offer.cpu_cores, "their cores", |cores| cores >= least)),
        );
        verdicts.extend(
            self.min_memory
                .map(|least| told(offer.memory_bytes, "their memory", |bytes| bytes >= least)),
        );
        verdicts.extend(self.arch.as_deref().map(|wanted| {
            told(offer.arch.as_deref(), "their architecture", |arch| {
                arch == wanted
            })
        }));
        verdicts.extend(self.region.as_deref().map(|wanted| {
            told(offer.region.as_deref(), "their region", |region| {
                region.eq_ignore_ascii_case(wanted)
            })
        }));
        if self.available {
            verdicts.push(told(
                self.can_start(offer),
                "whether they are free",
                |free| free,
            ));
        }
        if self.spot {
            verdicts.push(match offer.spot {
                Some(_) => Verdict::Fits,
                None => Verdict::Differs,
            });
        }
        verdicts.extend(self.max_price.as_ref().map(|most| self.cheap(row, most)));
        verdicts
    }

    /// Whether it can start now: as spot where spot was asked for.
    fn can_start(&self, offer: &Offer) -> Option<bool> {
        match &offer.spot {
            Some(spot) if self.spot => spot.available,
            Some(_) | None => offer.available,
        }
    }

    fn cheap(&self, row: &Rentable, most: &Money) -> Verdict {
        match row.price(self.spot) {
            None => Verdict::Open(Gap::untold("their price")),
            Some(price) if price.currency != most.currency => {
                Verdict::Open(Gap::Currency(price.currency))
            }
            Some(price) if price.micros <= most.micros => Verdict::Fits,
            Some(_) => Verdict::Differs,
        }
    }

    fn note(&self, provider: &str, gap: &Gap, count: usize) -> String {
        let (types, do_not, are) = match count {
            1 => ("type", "does not", "is"),
            _ => ("types", "do not", "are"),
        };
        match gap {
            Gap::Untold(what) => {
                format!("`{provider}`: {count} {types} that {do_not} tell {what} {are} left out")
            }
            Gap::Currency(currency) => {
                let limit = self.max_price.as_ref().map_or("", |most| &most.currency);
                format!(
                    "`{provider}`: {count} {types} priced in {currency} {are} left out, since {currency} is not compared with {limit}"
                )
            }
        }
    }
}

fn told<T: Copy>(fact: Option<T>, what: &'static str, fits: impl FnOnce(T) -> bool) -> Verdict {
    match fact {
        None => Verdict::Open(Gap::untold(what)),
        Some(fact) if fits(fact) => Verdict::Fits,
        Some(_) => Verdict::Differs,
    }
}
