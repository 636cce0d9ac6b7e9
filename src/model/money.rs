//! Amounts of money: integer micro-units and a currency; never a float (style.md §3).

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

const MICRO: i128 = 1_000_000;
const SECONDS_PER_HOUR: i128 = 3600;

/// An exact amount in one currency.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Money {
    /// Millionths of the currency's unit.
    pub micros: i128,
    /// ISO 4217 code, such as `CNY`.
    pub currency: String,
}

impl Money {
    /// An amount in millionths.
    pub fn from_micros(micros: i128, currency: impl Into<String>) -> Self {
        Self {
            micros,
            currency: currency.into(),
        }
    }

    /// The amount so many times.
    #[must_use]
    pub fn times(&self, factor: u64) -> Self {
        Self::from_micros(
            self.micros.saturating_mul(i128::from(factor)),
            self.currency.clone(),
        )
    }

    /// What a price per hour comes to in so many seconds, rounded up to the millionth.
    #[must_use]
    pub fn for_seconds(&self, seconds: u64) -> Self {
        let micros = self.micros.saturating_mul(i128::from(seconds));
        Self::from_micros(
            micros.saturating_add(SECONDS_PER_HOUR - 1) / SECONDS_PER_HOUR,
            self.currency.clone(),
        )
    }

    /// The amount as exact decimal text without superfluous zeros: `1.6776`.
    pub fn amount(&self) -> String {
        let sign = if self.micros < 0 { "-" } else { "" };
        let whole = (self.micros / MICRO).unsigned_abs();
        let fraction = format!("{:06}", (self.micros % MICRO).unsigned_abs());
        match fraction.trim_end_matches('0') {
            "" => format!("{sign}{whole}"),
            digits => format!("{sign}{whole}.{digits}"),
        }
    }

    /// So many times the amount, rounded up to millionths; `None` for a count that is negative or no number.
    pub fn scaled(&self, count: f64) -> Option<Self> {
        let scaled = self.micros.checked_mul(millionths(count)?)?;
        let micros = scaled.checked_add(MICRO - 1)?.div_euclid(MICRO);
        Some(Self::from_micros(micros, &*self.currency))
    }

    /// An equal share of the amount, rounded to millionths; `None` among nobody.
    pub fn divided(&self, among: u32) -> Option<Self> {
        self.shared(f64::from(among))
    }

    /// The amount for one of `count` things, of which there may be a fraction; rounded to millionths.
    pub fn shared(&self, count: f64) -> Option<Self> {
        let count = millionths(count).filter(|count| *count > 0)?;
        let scaled = self.micros.checked_mul(MICRO)?;
        let micros = scaled.checked_add(count / 2)?.div_euclid(count);
        Some(Self::from_micros(micros, &*self.currency))
    }
}

/// A number of at least zero in whole millionths; through text, since a float has no checked way to an integer.
fn millionths(value: f64) -> Option<i128> {
    if !value.is_finite() || value < 0.0 {
        return None;
    }
    format!("{:.0}", value * 1e6).parse().ok()
}

impl fmt::Display for Money {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {}", self.amount(), self.currency)
    }
}

/// Reads `20 CNY` or `20CNY`; at most six decimals.
impl FromStr for Money {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let text = text.trim();
        let split = text
            .find(|character: char| !character.is_ascii_digit() && character != '.')
            .ok_or_else(|| format!("`{text}` has no currency; write an amount such as `20 CNY`"))?;
        let (amount, currency) = text.split_at(split);
        let currency = currency.trim();
        if currency.len() != 3 || !currency.bytes().all(|byte| byte.is_ascii_alphabetic()) {
            return Err(format!(
                "`{currency}` is no currency; write a three-letter code as in `20 CNY`"
            ));
        }
        let bad = || format!("`{amount}` is no amount; write one such as `20` or `1.68`");
        let (whole, fraction) = amount.split_once('.').unwrap_or((amount, ""));
        if whole.is_empty() || fraction.len() > 6 || fraction.contains('.') {
            return Err(bad());
        }
        let micros = format!("{whole}{fraction:0<6}")
            .parse::<i128>()
            .map_err(|_| bad())?;
        Ok(Self::from_micros(micros, currency.to_ascii_uppercase()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_exact_decimals() {
        assert_eq!(Money::from_micros(1_677_600, "CNY").amount(), "1.6776");
        assert_eq!(Money::from_micros(20_000_000, "CNY").amount(), "20");
        assert_eq!(Money::from_micros(-500_000, "CNY").amount(), "-0.5");
    }

    #[test]
    fn a_run_costs_its_seconds_rounded_up() {
        let price = Money::from_micros(1_677_600, "CNY");
        assert_eq!(price.for_seconds(14_400).amount(), "6.7104");
        assert_eq!(Money::from_micros(1, "CNY").for_seconds(1).micros, 1);
        assert_eq!(price.times(3).amount(), "5.0328");
        assert_eq!(
            Money::from_micros(i128::MAX, "CNY").times(2).micros,
            i128::MAX
        );
    }

    #[test]
    fn text_is_read_with_or_without_a_blank() {
        assert_eq!("20 CNY".parse(), Ok(Money::from_micros(20_000_000, "CNY")));
        assert_eq!("1.5usd".parse(), Ok(Money::from_micros(1_500_000, "USD")));
        assert!("20".parse::<Money>().is_err());
        assert!("1.2.3 CNY".parse::<Money>().is_err());
        assert!("CNY".parse::<Money>().is_err());
    }
}
