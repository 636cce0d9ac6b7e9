//! The three kinds of storage (gongji.md §4).

use serde::Deserialize;
use serde_json::Value;

use super::lenient;

/// Object storage (`Juicefs`) or a shared volume (`ShareStorage`).
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(default)]
pub struct Storage {
    #[serde(deserialize_with = "lenient::integer")]
    pub storage_id: Option<i64>,
    #[serde(deserialize_with = "lenient::text")]
    pub storage_type: Option<String>,
    #[serde(deserialize_with = "lenient::text")]
    pub storage_name: Option<String>,
    #[serde(deserialize_with = "lenient::objects")]
    pub regions: Vec<Place>,
    /// Where it can be used now.
    #[serde(deserialize_with = "lenient::objects")]
    pub activate_regions: Vec<Place>,
    /// Bytes.
    #[serde(deserialize_with = "lenient::integer")]
    pub size: Option<i64>,
    /// Bytes.
    #[serde(deserialize_with = "lenient::integer")]
    pub use_size: Option<i64>,
    #[serde(deserialize_with = "lenient::text")]
    pub status: Option<String>,
    #[serde(deserialize_with = "lenient::objects")]
    pub deployments: Vec<StorageUser>,
    #[serde(deserialize_with = "lenient::text")]
    pub remark: Option<String>,
    #[serde(deserialize_with = "lenient::text")]
    pub share_storage_type: Option<String>,
    pub create_time: Value,
    pub last_sync_time: Value,
}

/// A region, by id and by name.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(default)]
pub struct Place {
    #[serde(deserialize_with = "lenient::text")]
    pub tag: Option<String>,
    #[serde(deserialize_with = "lenient::text")]
    pub name: Option<String>,
}

/// What mounts a volume.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(default)]
pub struct StorageUser {
    /// A text in the schema, a number in the example.
    #[serde(deserialize_with = "lenient::integer")]
    pub deployment_id: Option<i64>,
    #[serde(deserialize_with = "lenient::text")]
    pub deployment_name: Option<String>,
    #[serde(deserialize_with = "lenient::text")]
    pub target_dir: Option<String>,
    #[serde(deserialize_with = "lenient::text")]
    pub task_type: Option<String>,
}

/// A NAS volume.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(default)]
pub struct NasVolume {
    #[serde(deserialize_with = "lenient::integer")]
    pub storage_id: Option<i64>,
    #[serde(deserialize_with = "lenient::text")]
    pub name: Option<String>,
    /// One object, where the other kinds have lists.
    #[serde(deserialize_with = "lenient::object")]
    pub region: Place,
    #[serde(deserialize_with = "lenient::text")]
    pub storage_class: Option<String>,
    #[serde(deserialize_with = "lenient::text")]
    pub storage_class_name: Option<String>,
    /// Yuan per GB and month, for people.
    #[serde(deserialize_with = "lenient::text")]
    pub display_unit_price: Option<String>,
    #[serde(deserialize_with = "lenient::integer")]
    pub total_size: Option<i64>,
    /// -1 is unknown.
    #[serde(deserialize_with = "lenient::integer")]
    pub used_size: Option<i64>,
    #[serde(deserialize_with = "lenient::text")]
    pub status: Option<String>,
    #[serde(deserialize_with = "lenient::integer")]
    pub instance_count: Option<i64>,
    #[serde(deserialize_with = "lenient::objects")]
    pub instances: Vec<NasInstance>,
    /// Without an offset: +08:00.
    pub create_time: Value,
    #[serde(deserialize_with = "lenient::text")]
    pub error_code: Option<String>,
    #[serde(deserialize_with = "lenient::text")]
    pub error_message: Option<String>,
}

/// What mounts a NAS volume.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(default)]
pub struct NasInstance {
    #[serde(deserialize_with = "lenient::text")]
    pub instance_id: Option<String>,
    #[serde(deserialize_with = "lenient::text")]
    pub instance_name: Option<String>,
    #[serde(deserialize_with = "lenient::text")]
    pub instance_type: Option<String>,
    #[serde(deserialize_with = "lenient::text")]
    pub mount_path: Option<String>,
}

/// What NAS volumes can be made of.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(default)]
pub struct NasOffers {
    #[serde(deserialize_with = "lenient::objects")]
    pub configs: Vec<NasConfig>,
}

/// One region and class of NAS.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(default)]
pub struct NasConfig {
    /// The `nas_config_id` of a create.
    #[serde(deserialize_with = "lenient::integer")]
    pub id: Option<i64>,
    /// `Available` or `Unavailable`.
    #[serde(deserialize_with = "lenient::text")]
    pub status: Option<String>,
    /// A text here; an object is read too.
    #[serde(deserialize_with = "region_id")]
    pub region: Option<String>,
    #[serde(deserialize_with = "lenient::text")]
    pub storage_class: Option<String>,
    #[serde(deserialize_with = "lenient::text")]
    pub storage_class_name: Option<String>,
    #[serde(deserialize_with = "lenient::text")]
    pub display_unit_price: Option<String>,
    #[serde(deserialize_with = "lenient::integer")]
    pub total_capacity: Option<i64>,
    #[serde(deserialize_with = "lenient::integer")]
    pub allocated_capacity: Option<i64>,
}

/// The answer to a NAS volume's create.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(default)]
pub struct NasCreated {
    #[serde(deserialize_with = "lenient::integer")]
    pub storage_id: Option<i64>,
    #[serde(deserialize_with = "lenient::text")]
    pub status: Option<String>,
}

fn region_id<'de, D: serde::Deserializer<'de>>(source: D) -> Result<Option<String>, D::Error> {
    let value = Value::deserialize(source)?;
    Ok(lenient::text_of(value.get("tag").unwrap_or(&value)))
}
