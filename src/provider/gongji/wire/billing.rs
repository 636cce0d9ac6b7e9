//! Billing records (gongji.md §6.1, §6.2). Their points may count differently from a job's own (§6.4).

use serde::Deserialize;
use serde_json::Value;

use super::lenient;

/// What was billed in one period.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(default)]
pub struct BillingPeriod {
    #[serde(deserialize_with = "lenient::integer")]
    pub billing_coin: Option<i64>,
    #[serde(deserialize_with = "lenient::integer")]
    pub discount_coin: Option<i64>,
    pub start_time: Value,
    pub end_time: Value,
}

/// What was billed for one task.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(default)]
pub struct BillingTask {
    #[serde(deserialize_with = "lenient::integer")]
    pub task_id: Option<i64>,
    #[serde(deserialize_with = "lenient::text")]
    pub task_type: Option<String>,
    #[serde(deserialize_with = "lenient::text")]
    pub task_name: Option<String>,
    /// A number, perhaps with a fraction, or either as text.
    pub billing_coin: Value,
    pub discount_coin: Value,
}
