//! The resource list (gongji.md §3).

use serde::{Deserialize, Deserializer};
use serde_json::Value;

use super::lenient;

/// A device spec, with its offers per region.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(default)]
pub struct Device {
    /// An opaque label, such as `H20 x 8`.
    #[serde(deserialize_with = "lenient::text")]
    pub device_name: Option<String>,
    #[serde(deserialize_with = "lenient::text")]
    pub gpu_name: Option<String>,
    #[serde(deserialize_with = "lenient::integer")]
    pub gpu_count: Option<i64>,
    /// Mi over all cards.
    #[serde(deserialize_with = "lenient::integer")]
    pub gpu_memory: Option<i64>,
    /// Mi of the whole spec.
    #[serde(deserialize_with = "lenient::integer")]
    pub memory: Option<i64>,
    #[serde(deserialize_with = "lenient::integer")]
    pub cpu_cores: Option<i64>,
    /// Taken as Mi; the unit is not documented.
    #[serde(deserialize_with = "lenient::integer")]
    pub disk_size: Option<i64>,
    #[serde(deserialize_with = "lenient::text")]
    pub disk_type: Option<String>,
    /// Kept as values, so that an offer's raw form is the service's own.
    #[serde(deserialize_with = "lenient::objects")]
    pub regions: Vec<Value>,
}

/// One region's offer of a device.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(default)]
pub struct Region {
    #[serde(deserialize_with = "lenient::text")]
    pub region: Option<String>,
    #[serde(deserialize_with = "lenient::text")]
    pub region_name: Option<String>,
    /// Points per second for the whole spec.
    #[serde(deserialize_with = "lenient::integer")]
    pub price: Option<i64>,
    /// What is charged, where present.
    #[serde(deserialize_with = "lenient::integer")]
    pub discount_price: Option<i64>,
    /// How many are free now.
    #[serde(deserialize_with = "lenient::integer")]
    pub inventory: Option<i64>,
    pub mark: Mark,
}

/// What a create sends back unchanged: an object here, a text in jobs.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Mark {
    pub mark: Option<String>,
    /// The echo that goes with it.
    pub resource: Option<Value>,
    pub region_name: Option<String>,
}

impl<'de> Deserialize<'de> for Mark {
    fn deserialize<D: Deserializer<'de>>(source: D) -> Result<Self, D::Error> {
        Ok(match Value::deserialize(source)? {
            // Opaque: not a byte of it is changed.
            Value::String(mark) => Self {
                mark: Some(mark).filter(|mark| !mark.is_empty()),
                ..Self::default()
            },
            Value::Object(members) => Self {
                mark: members
                    .get("mark")
                    .and_then(Value::as_str)
                    .filter(|mark| !mark.is_empty())
                    .map(str::to_owned),
                resource: members
                    .get("resource")
                    .filter(|resource| resource.is_object())
                    .cloned(),
                region_name: members.get("region_name").and_then(lenient::text_of),
            },
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) => Self::default(),
        })
    }
}

/// The seven fields of a device in one region, as marks and jobs hold them.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(default)]
pub struct Spec {
    #[serde(deserialize_with = "lenient::text")]
    pub device_name: Option<String>,
    #[serde(deserialize_with = "lenient::text")]
    pub region: Option<String>,
    #[serde(deserialize_with = "lenient::text")]
    pub gpu_name: Option<String>,
    #[serde(deserialize_with = "lenient::integer")]
    pub gpu_count: Option<i64>,
    #[serde(deserialize_with = "lenient::integer")]
    pub gpu_memory: Option<i64>,
    #[serde(deserialize_with = "lenient::integer")]
    pub memory: Option<i64>,
    #[serde(deserialize_with = "lenient::integer")]
    pub cpu_cores: Option<i64>,
}
