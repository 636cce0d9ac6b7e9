//! The documents of `-o json`: types of their own per schema kind, built from the model (cli.md §4, §10 "Records").
//!
//! The model itself is never serialised, so it may change. Every key is always there, `null` when unknown; changes here
//! are additive only.

mod config;
mod error;
mod file;
mod job;
mod namespace;
mod offer;
mod plan;
mod records;
mod value;
mod volume;

use serde::Serialize;
use serde_json::{Map, Value};

use crate::error::{Error, Result};

pub use config::{CONFIG_COLUMNS, ConfigV1};
pub use error::{ErrorV1, RefusalV1, error_line};
pub use file::{FILE_COLUMNS, FileV1};
pub use job::{JOB_COLUMNS, JobV1, PriceCheck, PriceCheckV1, Receipt, ReceiptV1, Told};
pub use namespace::{NAMESPACE_COLUMNS, NamespaceV1};
pub use offer::{OFFER_COLUMNS, TypeV1};
pub use plan::{PLAN_COLUMNS, PlanEntry, PlanOutcome, PlanV1, RequestV1};
pub use records::{
    COST_COLUMNS, CostV1, DOCTOR_COLUMNS, DoctorRow, DoctorV1, EVENT_COLUMNS, EventV1, LogLineV1,
};
pub use value::{MoneyV1, time};
pub(super) use volume::CredentialsV1;
pub use volume::{CREDENTIAL_COLUMNS, VOLUME_COLUMNS, VolumeV1};

/// The name of a schema kind: `gpujob/jobs/v1`.
pub fn schema(kind: &str) -> String {
    format!("gpujob/{kind}/v1")
}

/// An object of one of the schemas.
pub fn object(item: &impl Serialize) -> Result<Value> {
    serde_json::to_value(item)
        .map_err(|error| Error::internal(format!("a result cannot be written as JSON: {error}")))
}

/// A document with one record: its keys stand beside `schema`.
pub fn single(kind: &str, item: Value) -> Value {
    let mut document = Map::new();
    document.insert("schema".to_owned(), schema(kind).into());
    match item {
        Value::Object(members) => document.extend(members),
        other @ (Value::Null
        | Value::Bool(_)
        | Value::Number(_)
        | Value::String(_)
        | Value::Array(_)) => {
            document.insert("value".to_owned(), other);
        }
    }
    Value::Object(document)
}

/// A document with a list, and what failed on the way to it.
pub fn list(kind: &str, items: Vec<Value>, errors: &[Error]) -> Result<Value> {
    let errors = errors
        .iter()
        .map(|error| object(&ErrorV1::new(error)))
        .collect::<Result<Vec<_>>>()?;
    let mut document = Map::new();
    document.insert("schema".to_owned(), schema(kind).into());
    document.insert("items".to_owned(), items.into());
    document.insert("errors".to_owned(), errors.into());
    Ok(Value::Object(document))
}
