//! What the server has from the beginning: region, sizes, quotas and clusters, as a data file.
//!
//! Sizes are those of cyclecloud.md §9; quotas, limits and prices are made up.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value};

const FIXTURE: &str = include_str!("fixture.json");

/// Everything that no request changes.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Catalogue {
    pub(super) region: Region,
    pub(super) families: BTreeMap<String, Family>,
    pub(super) sizes: BTreeMap<String, Size>,
    pub(super) clusters: Vec<ClusterPlan>,
}

/// The one region of all clusters.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Region {
    pub(super) name: String,
    pub(super) subnet: String,
    pub(super) quota_cores: u64,
    /// Cores that others use.
    pub(super) consumed_cores: u64,
}

/// A VM family's quota.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Family {
    pub(super) quota_cores: u64,
    /// Cores that others use.
    pub(super) consumed_cores: u64,
}

/// A VM size.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Size {
    pub(super) vcpus: u64,
    pub(super) pcpus: u64,
    pub(super) gpus: u64,
    /// In GB.
    pub(super) memory: f64,
    pub(super) infiniband: bool,
    pub(super) family: String,
    /// In USD, for the estimate of `usage`.
    pub(super) price_per_hour: f64,
}

/// A cluster as its template says.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ClusterPlan {
    pub(super) name: String,
    /// `None` until the cluster was started once (§11, 11).
    pub(super) state: Option<String>,
    pub(super) target_state: Option<String>,
    pub(super) max_count: u64,
    pub(super) max_core_count: u64,
    /// The user who may see it.
    pub(super) owner: String,
    pub(super) stand_alone: Vec<StandAlone>,
    pub(super) arrays: Vec<ArrayPlan>,
}

/// A node that belongs to no array, such as a scheduler.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct StandAlone {
    pub(super) name: String,
    pub(super) machine_type: String,
}

/// A nodearray as the template says.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ArrayPlan {
    pub(super) name: String,
    pub(super) max_count: u64,
    pub(super) max_core_count: u64,
    pub(super) machine_types: Vec<String>,
    pub(super) interruptible: bool,
    /// Sizes that cannot be used for new nodes, and why.
    pub(super) disabled: BTreeMap<String, String>,
    /// `Azure.MaxScaleSetSize`.
    pub(super) placement_group_size: Option<u64>,
    /// Members of the definition record beside those made from the rest.
    pub(super) attributes: Map<String, Value>,
}

impl Catalogue {
    /// The built-in catalogue. The file is part of the program, and a test reads it.
    pub(super) fn load() -> Self {
        serde_json::from_str(FIXTURE).unwrap_or_default()
    }

    /// A cluster that this user may see.
    pub(super) fn cluster(&self, name: &str) -> Option<&ClusterPlan> {
        self.clusters.iter().find(|cluster| cluster.name == name)
    }

    /// A size by its exact name.
    pub(super) fn size(&self, machine_type: &str) -> Size {
        self.sizes.get(machine_type).cloned().unwrap_or_default()
    }
}

impl ClusterPlan {
    /// Whether it was started, and is meant to stay so.
    pub(super) fn is_started(&self) -> bool {
        self.target_state.as_deref() == Some("Started")
    }

    /// An array by its name.
    pub(super) fn array(&self, name: &str) -> Option<&ArrayPlan> {
        self.arrays.iter().find(|array| array.name == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_data_file_fits_and_every_size_and_family_is_known() {
        let catalogue: Catalogue = serde_json::from_str(FIXTURE).unwrap();
        for cluster in &catalogue.clusters {
            let stand_alone = cluster.stand_alone.iter().map(|node| &node.machine_type);
            let arrays = cluster.arrays.iter().flat_map(|array| &array.machine_types);
            for machine_type in stand_alone.chain(arrays) {
                let size = &catalogue.sizes[machine_type];
                assert!(
                    catalogue.families.contains_key(&size.family),
                    "{machine_type}"
                );
                assert!(size.vcpus > 0);
            }
        }
    }

    #[test]
    fn clients_of_autoscalers_see_every_array() {
        // §11, 13.
        for array in Catalogue::load().clusters.iter().flat_map(|c| &c.arrays) {
            let configuration = &array.attributes["Configuration"];
            assert_eq!(configuration["autoscaling"]["enabled"], true);
            assert!(configuration.get("autoscale").is_none());
        }
    }
}
