//! What the roles of a job take: public instance types or a share of a quota, never both (pai-dlc.md §5.3).

use super::catalogue::{Catalogue, Quota, SpecFacts};
use super::reply::Refusal;
use super::request::{JobSpec, ResourceConfig, SpotSpec};

/// What all pods together take.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Totals {
    pub(super) cpu: u64,
    pub(super) gpu: u64,
    pub(super) memory_mebibytes: u64,
}

/// What the roles take together.
#[derive(Debug, Default)]
pub(super) struct Resources {
    pub(super) pods: i64,
    pub(super) totals: Totals,
    pub(super) resource_type: String,
    /// Some instance type is out of stock.
    pub(super) short: bool,
}

impl Resources {
    /// Adds a role. Public: `EcsSpec` and no `ResourceId`. Quota: `ResourceConfig` and `ResourceId` (§5.3).
    pub(super) fn add(
        &mut self,
        spec: &JobSpec,
        path: &str,
        quota: Option<&Quota>,
        catalogue: &Catalogue,
    ) -> Result<(), Refusal> {
        let pods = spec
            .pod_count
            .filter(|count| *count >= 1)
            .ok_or_else(|| Refusal::invalid(format!("{path}.PodCount must be 1 or more.")))?;
        self.pods = self.pods.saturating_add(pods);
        let each = match (quota, spec.ecs_spec.as_str(), &spec.resource_config) {
            (None, "", _) => {
                return Err(Refusal::invalid(format!(
                    "{path}.EcsSpec is required without ResourceId."
                )));
            }
            (None, _, Some(_)) => {
                return Err(Refusal::invalid(format!(
                    "{path}.ResourceConfig needs ResourceId and excludes EcsSpec."
                )));
            }
            (None, name, None) => {
                let facts = catalogue.spec(name).ok_or_else(|| {
                    Refusal::invalid(format!("{path}.EcsSpec `{name}` does not exist."))
                })?;
                if let Some(spot) = &spec.spot_spec {
                    check_spot(spot, facts, path)?;
                }
                self.short |= !facts.is_available;
                self.resource_type.clone_from(&facts.resource_type);
                Totals {
                    cpu: facts.cpu,
                    gpu: facts.gpu,
                    memory_mebibytes: facts.memory_mebibytes(),
                }
            }
            (Some(_), "", Some(config)) => config_totals(config, path)?,
            (Some(_), "", None) => {
                return Err(Refusal::invalid(format!(
                    "{path}.ResourceConfig is required with ResourceId."
                )));
            }
            (Some(_), _, _) => {
                return Err(Refusal::invalid(format!(
                    "{path}.EcsSpec must not be given together with ResourceId."
                )));
            }
        };
        let pods = u64::try_from(pods).unwrap_or_default();
        let add = |total: &mut u64, one: u64| {
            *total = total.saturating_add(one.saturating_mul(pods));
        };
        add(&mut self.totals.cpu, each.cpu);
        add(&mut self.totals.gpu, each.gpu);
        add(&mut self.totals.memory_mebibytes, each.memory_mebibytes);
        Ok(())
    }
}

fn check_spot(spot: &SpotSpec, facts: &SpecFacts, path: &str) -> Result<(), Refusal> {
    let refuse = |why: &str| Err(Refusal::invalid(format!("{path}.SpotSpec: {why}")));
    if spot.strategy != "SpotWithPriceLimit" {
        return refuse("SpotStrategy must be SpotWithPriceLimit.");
    }
    match (spot.discount_limit, spot.price_limit) {
        (Some(discount), None) if discount > 0.0 && discount <= 1.0 => {}
        (None, Some(price)) if price > 0.0 => {}
        (Some(_), None) => return refuse("SpotDiscountLimit must be above 0 and at most 1."),
        (None, Some(_)) => return refuse("SpotPriceLimit must be above 0."),
        (Some(_), Some(_)) | (None, None) => {
            return refuse("one of SpotDiscountLimit and SpotPriceLimit is required.");
        }
    }
    if facts.sells_spot() {
        Ok(())
    } else {
        refuse("the instance type has no spot price.")
    }
}

/// All members are texts: `"8"`, `"64Gi"`.
fn config_totals(config: &ResourceConfig, path: &str) -> Result<Totals, Refusal> {
    let count = |name: &str, text: &str, least: u64| {
        if text.is_empty() && least == 0 {
            return Ok(0);
        }
        text.parse::<u64>()
            .ok()
            .filter(|count| *count >= least)
            .ok_or_else(|| {
                Refusal::invalid(format!(
                    "{path}.ResourceConfig.{name} must be a whole number as a string, not `{text}`."
                ))
            })
    };
    let size = |name: &str, text: &str| {
        mebibytes(text).ok_or_else(|| {
            Refusal::invalid(format!(
                "{path}.ResourceConfig.{name} must be a size such as 64Gi, not `{text}`."
            ))
        })
    };
    if !config.shared_memory.is_empty() {
        size("SharedMemory", &config.shared_memory)?;
    }
    Ok(Totals {
        cpu: count("CPU", &config.cpu, 1)?,
        gpu: count("GPU", &config.gpu, 0)?,
        memory_mebibytes: size("Memory", &config.memory)?,
    })
}

fn mebibytes(text: &str) -> Option<u64> {
    let (digits, unit) = [("Mi", 1), ("Gi", 1024), ("Ti", 1024 * 1024)]
        .into_iter()
        .find_map(|(suffix, unit)| Some((text.strip_suffix(suffix)?, unit)))?;
    digits
        .parse::<u64>()
        .ok()
        .filter(|amount| *amount > 0)?
        .checked_mul(unit)
}
