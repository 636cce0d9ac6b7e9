//! Points of money to yuan (gongji.md §3, §6.4): integers throughout.

use serde_json::Value;

use crate::model::Money;

use super::wire::lenient;

/// Points of one yuan, for prices and for a job's own `billing_value` (§6.4).
const POINTS_PER_YUAN: i128 = 1_000_000;
/// A [`Money`]'s unit is a millionth, so a point is one.
const MICROS_PER_POINT: i128 = 1_000_000 / POINTS_PER_YUAN;
const SECONDS_PER_HOUR: i128 = 3600;

const CURRENCY: &str = "CNY";

/// An hourly price below or above this is likely misread (§10 no. 4): 0.01 and 2000 yuan.
const PLAUSIBLE: std::ops::RangeInclusive<i128> = 10_000..=2_000_000_000;

/// Points with as many decimals as billing records may have; exact (§6.4).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Points {
    /// Billionths of a point.
    nanos: i128,
}

impl Points {
    pub(super) const ZERO: Self = Self { nanos: 0 };
    const DECIMALS: usize = 9;
    const NANOS: i128 = 1_000_000_000;

    /// A JSON number or a text of one; `None` for everything else, and for more decimals than are kept.
    pub(super) fn read(value: &Value) -> Option<Self> {
        let text = lenient::text_of(value)?;
        let (sign, digits) = match text.strip_prefix('-') {
            Some(digits) => (-1, digits),
            None => (1, text.as_str()),
        };
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        let fraction = fraction.trim_end_matches('0');
        let all_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        if whole.is_empty() || fraction.len() > Self::DECIMALS {
            return None;
        }
        if !all_digits(whole) || !all_digits(fraction) {
            return None;
        }
        let padded: i128 = format!("{fraction:0<9}").parse().ok()?;
        let whole: i128 = whole.parse().ok()?;
        let nanos = whole.checked_mul(Self::NANOS)?.checked_add(padded)?;
        Some(Self {
            nanos: sign * nanos,
        })
    }

    pub(super) fn plus(self, other: Self) -> Option<Self> {
        let nanos = self.nanos.checked_add(other.nanos)?;
        Some(Self { nanos })
    }

    pub(super) fn minus(self, other: Self) -> Option<Self> {
        let nanos = self.nanos.checked_sub(other.nanos)?;
        Some(Self { nanos })
    }

    /// Without the fraction.
    pub(super) fn whole(self) -> i64 {
        i64::try_from(self.nanos / Self::NANOS).unwrap_or(i64::MAX)
    }

    /// As a JSON number.
    pub(super) fn shown(self) -> Value {
        let sign = if self.nanos < 0 { "-" } else { "" };
        let whole = (self.nanos / Self::NANOS).unsigned_abs();
        let fraction = format!("{:09}", (self.nanos % Self::NANOS).unsigned_abs());
        let text = match fraction.trim_end_matches('0') {
            "" => format!("{sign}{whole}"),
            digits => format!("{sign}{whole}.{digits}"),
        };
        serde_json::from_str(&text).unwrap_or(Value::String(text))
    }
}

/// What was billed, as money.
pub(super) fn of_points(points: i64) -> Money {
    Money::from_micros(i128::from(points) * MICROS_PER_POINT, CURRENCY)
}

/// The charged price per hour, from points per second: the discount first; `None` where neither is told.
pub(super) fn per_hour(price: Option<i64>, discount: Option<i64>) -> Option<Money> {
    let points = discount.or(price).filter(|points| *points >= 0)?;
    Some(Money::from_micros(
        i128::from(points) * MICROS_PER_POINT * SECONDS_PER_HOUR,
        CURRENCY,
    ))
}

/// Whether a billing record's points are about a tenth of what the job itself tells: another scale (§6.4).
pub(super) fn is_tenth(cost: &Money, record_points: i64) -> bool {
    let tenfold = i128::from(record_points) * MICROS_PER_POINT * 10;
    let difference = (cost.micros - tenfold).abs();
    cost.micros > 0 && difference * 10 <= cost.micros
}

/// Whether an hourly price is one that somebody may ask for.
pub(super) fn is_plausible(per_hour: &Money) -> bool {
    PLAUSIBLE.contains(&per_hour.micros)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::json;

    use super::*;

    /// The figures of gongji.md §3 and §9.5, exact.
    #[rstest]
    #[case(Some(550), Some(466), "1.6776")]
    #[case(Some(466), None, "1.6776")]
    #[case(Some(694), None, "2.4984")]
    #[case(Some(932), None, "3.3552")]
    #[case(Some(4689), None, "16.8804")]
    #[case(Some(16416), None, "59.0976")]
    #[case(None, Some(1), "0.0036")]
    #[case(Some(550), Some(0), "0")]
    fn points_per_second_are_yuan_per_hour(
        #[case] price: Option<i64>,
        #[case] discount: Option<i64>,
        #[case] amount: &str,
    ) {
        let money = per_hour(price, discount).unwrap();
        assert_eq!(
            (money.amount().as_str(), money.currency.as_str()),
            (amount, "CNY")
        );
    }

    #[test]
    fn an_unknown_price_is_never_zero() {
        assert_eq!(per_hour(None, None), None);
        assert_eq!(per_hour(Some(-1), None), None);
    }

    #[test]
    fn what_was_billed_is_a_millionth_a_point() {
        assert_eq!(of_points(6_710_400).amount(), "6.7104");
        assert_eq!(of_points(279_600).amount(), "0.2796");
        assert_eq!(of_points(i64::MAX).micros, i128::from(i64::MAX));
    }

    #[test]
    fn a_record_in_another_scale_is_noticed() {
        let cost = of_points(6_710_400);
        assert!(is_tenth(&cost, 671_040));
        assert!(!is_tenth(&cost, 6_710_400));
        assert!(!is_tenth(&of_points(0), 0));
    }

    #[test]
    fn prices_that_nobody_asks_for_are_noticed() {
        assert!(is_plausible(&per_hour(Some(466), None).unwrap()));
        assert!(!is_plausible(&per_hour(Some(2), None).unwrap()));
        assert!(!is_plausible(&per_hour(Some(600_000), None).unwrap()));
    }

    #[rstest]
    #[case(json!(6_710_400), Some("6710400"))]
    #[case(json!(6_710_400.5), Some("6710400.5"))]
    #[case(json!("-0.250"), Some("-0.25"))]
    #[case(json!(" 12 "), Some("12"))]
    #[case(json!("1e6"), None)]
    #[case(json!("1,000"), None)]
    #[case(json!("-"), None)]
    #[case(json!(null), None)]
    #[case(json!([1]), None)]
    fn points_keep_their_fraction(#[case] value: Value, #[case] shown: Option<&str>) {
        let read = Points::read(&value).map(|points| points.shown().to_string());
        assert_eq!(read.as_deref(), shown);
    }
}
