//! What a job has cost so far (cli.md §10 "Records", kind `cost`).

use serde_json::Value;

use super::{Money, ResourceRef};

/// The cost of one job.
#[derive(Debug, Clone, PartialEq)]
pub struct JobCost {
    pub job_ref: ResourceRef,
    /// `None` where the provider does not say.
    pub cost: Option<Money>,
    /// Whether more is to come.
    pub estimate: bool,
    /// The provider's own figures.
    pub raw: Value,
}

impl JobCost {
    /// The row of a job whose provider tells no costs.
    pub fn untold(job_ref: ResourceRef) -> Self {
        Self {
            job_ref,
            cost: None,
            estimate: false,
            raw: Value::Null,
        }
    }
}
