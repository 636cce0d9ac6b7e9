//! Values that several schemas share: times, money, numbers.

use serde::Serialize;
use serde_json::Number;

use crate::model::{Money, Timestamp};

/// `{"amount":"1.6776","currency":"CNY"}`, exact.
#[derive(Debug, Clone, Serialize)]
pub struct MoneyV1 {
    pub amount: String,
    pub currency: String,
}

impl From<&Money> for MoneyV1 {
    fn from(money: &Money) -> Self {
        Self {
            amount: money.amount(),
            currency: money.currency.clone(),
        }
    }
}

/// RFC 3339 in UTC with `Z`, second precision (job-model.md §5).
pub fn time(timestamp: Timestamp) -> String {
    timestamp.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// [`time`] of a time that may be unknown.
pub(super) fn time_opt(timestamp: Option<Timestamp>) -> Option<String> {
    timestamp.map(time)
}

/// A number without a needless fraction: `2`, `0.5`; `None` for what JSON has no number for.
pub(super) fn number(value: f64) -> Option<Number> {
    if value.is_finite() {
        serde_json::from_str(&value.to_string()).ok()
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_numbers_have_no_fraction() {
        let shown = |value| number(value).map(|number| number.to_string());
        assert_eq!(shown(2.0).as_deref(), Some("2"));
        assert_eq!(shown(0.5).as_deref(), Some("0.5"));
        assert_eq!(shown(f64::NAN), None);
    }

    #[test]
    fn times_are_utc_with_whole_seconds() {
        let timestamp: Timestamp = "2026-01-05T08:00:00.987+08:00".parse().unwrap();
        assert_eq!(time(timestamp), "2026-01-05T00:00:00Z");
    }
}
