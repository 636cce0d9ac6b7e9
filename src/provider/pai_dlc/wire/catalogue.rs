//! The answer of `ListEcsSpecs` (pai-dlc.md §3.8).

use serde::Deserialize;
use serde_json::Value;

use super::lenient;

/// One page of `ListEcsSpecs`; entries stay values, so that each keeps its raw form.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct EcsSpecPage {
    #[serde(deserialize_with = "lenient::items")]
    pub ecs_specs: Vec<Value>,
    #[serde(deserialize_with = "lenient::integer")]
    pub total_count: Option<i64>,
}

/// One instance type.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct EcsSpec {
    #[serde(deserialize_with = "lenient::text")]
    pub instance_type: Option<String>,
    #[serde(deserialize_with = "lenient::text")]
    pub accelerator_type: Option<String>,
    #[serde(deserialize_with = "lenient::number")]
    pub cpu: Option<f64>,
    #[serde(deserialize_with = "lenient::number")]
    pub gpu: Option<f64>,
    #[serde(deserialize_with = "lenient::text")]
    pub gpu_type: Option<String>,
    /// GiB of one card; the unit is not said.
    #[serde(deserialize_with = "lenient::integer")]
    pub gpu_memory: Option<i64>,
    /// GiB, or MiB above 8192.
    #[serde(deserialize_with = "lenient::integer")]
    pub memory: Option<i64>,
    #[serde(deserialize_with = "lenient::flag")]
    pub is_available: Option<bool>,
    #[serde(deserialize_with = "lenient::text")]
    pub resource_type: Option<String>,
    #[serde(deserialize_with = "lenient::texts")]
    pub payment_types: Vec<String>,
    #[serde(deserialize_with = "lenient::text")]
    pub spot_stock_status: Option<String>,
    #[serde(deserialize_with = "lenient::number")]
    pub non_protect_spot_discount: Option<f64>,
}
