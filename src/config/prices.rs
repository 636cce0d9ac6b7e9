//! The user's own prices, for what the providers' APIs do not tell: `prices.toml` beside the configuration.
//!
//! Reading is the edge; parsing and matching are pure. A price that a provider tells is never replaced, and of entries
//! that match the first counts.

use std::path::Path;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::error::{Error, Kind, Result};
use crate::model::{Backend, Money, Offer};

use super::keys::nearest;
use super::{Config, place};

/// The file's name; also what `price_source` says of a price from it.
pub const PRICE_FILE: &str = "prices.toml";

const KEYS: [&str; 5] = ["provider", "type", "amount", "currency", "unit"];

/// The prices of one file, in its order.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Prices {
    entries: Vec<Entry>,
}

/// One `[[price]]`.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Entry {
    /// A configured provider or a backend; `None` is every provider.
    provider: Option<String>,
    /// `*` is any text and `?` one character; the whole id or name must match.
    pattern: String,
    amount: Money,
    unit: Unit,
}

/// What an amount is for. Prices are told per hour of the whole type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Unit {
    Hour,
    GpuHour,
    CoreHour,
    Day,
    GpuDay,
}

impl Unit {
    const ALL: [Self; 5] = [
        Self::Hour,
        Self::GpuHour,
        Self::CoreHour,
        Self::Day,
        Self::GpuDay,
    ];

    const fn as_str(self) -> &'static str {
        match self {
            Self::Hour => "hour",
            Self::GpuHour => "gpu-hour",
            Self::CoreHour => "core-hour",
            Self::Day => "day",
            Self::GpuDay => "gpu-day",
        }
    }

    /// An hour of the whole type; `None` where the offer does not tell what the unit counts.
    fn per_hour(self, amount: &Money, offer: &Offer) -> Option<Money> {
        let cards = || offer.gpu.as_ref().map(|gpu| gpu.count);
        let (count, hours) = match self {
            Self::Hour => (Some(1.0), 1),
            Self::GpuHour => (cards(), 1),
            Self::CoreHour => (offer.cpu_cores, 1),
            Self::Day => (Some(1.0), 24),
            Self::GpuDay => (cards(), 24),
        };
        amount.scaled(count?)?.divided(hours)
    }
}

impl Prices {
    /// Reads the file beside the configuration; without one there are no prices. What is wrong in it is `config` 85.
    pub fn load(config: &Config) -> Result<Self> {
        let Some(folder) = config.path().and_then(Path::parent) else {
            return Ok(Self::default());
        };
        let path = folder.join(PRICE_FILE);
        let shown = config.environment().shorten(&path);
        match std::fs::read_to_string(&path) {
            Ok(text) => Self::parse(&text, &shown),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Self::default()),
            Err(error) => Err(Error::new(
                Kind::Config,
                "prices_unreadable",
                format!("the price file {shown} cannot be read: {error}"),
            )),
        }
    }

    /// The text of a price file; `path` is its name in messages.
    fn parse(text: &str, path: &str) -> Result<Self> {
        let file = File { text, path };
        let root = DeTable::parse(text).map_err(|error| {
            let offset = error.span().map_or(0, |span| span.start);
            file.fault(offset, "bad_toml", error.message())
        })?;
        let mut prices = Self::default();
        for (key, value) in root.get_ref() {
            if key.get_ref() != "price" {
                let what = format!("`{}` is no key of the price file", key.get_ref());
                return Err(file
                    .fault(key.span().start, "unknown_key", &what)
                    .with_hint("every price is a table `[[price]]`"));
            }
            let rows = value
                .get_ref()
                .as_array()
                .ok_or_else(|| file.wrong(value, "price", "`[[price]]`"))?;
            for row in rows {
                let table = row
                    .get_ref()
                    .as_table()
                    .ok_or_else(|| file.wrong(row, "price", "`[[price]]`"))?;
                prices.entries.push(file.entry(table, row.span().start)?);
            }
        }
        Ok(prices)
    }

    /// What the user says an hour of this offer costs, for the whole type.
    ///
    /// `provider` is the configured name; an entry may name it or the backend. The pattern is held against the offer's
    /// id, its name, and `CLUSTER/ID`. An entry whose unit counts what the offer does not have is passed over.
    pub fn price_of(&self, provider: &str, backend: Backend, offer: &Offer) -> Option<Money> {
        let in_full = offer
            .cluster
            .as_deref()
            .map(|cluster| format!("{cluster}/{}", offer.id));
        self.entries
            .iter()
            .filter(|entry| {
                let named = entry.provider.as_deref();
                named.is_none_or(|name| name == provider || name == backend.as_str())
            })
            .filter(|entry| {
                [Some(&offer.id), Some(&offer.name), in_full.as_ref()]
                    .into_iter()
                    .flatten()
                    .any(|name| matches(&entry.pattern, name))
            })
            .find_map(|entry| entry.unit.per_hour(&entry.amount, offer))
    }

    /// Gives the offers of a provider that tell no price the user's own, and says so in `price_source`.
    pub fn fill(&self, provider: &str, backend: Backend, offers: &mut [Offer]) {
        for offer in offers {
            if offer.price_per_hour.is_some() {
                continue;
            }
            if let Some(price) = self.price_of(provider, backend, offer) {
                offer.price_per_hour = Some(price);
                offer.price_source = Some(PRICE_FILE.to_owned());
            }
        }
    }
}

/// A price file while it is read.
#[derive(Clone, Copy)]
struct File<'a> {
    text: &'a str,
    path: &'a str,
}

impl File<'_> {
    fn fault(&self, offset: usize, code: &'static str, what: &str) -> Error {
        let (line, column) = place::of_offset(self.text, offset);
        Error::new(
            Kind::Config,
            code,
            format!("{}, line {line}, column {column}: {what}", self.path),
        )
    }

    fn wrong(&self, value: &Spanned<DeValue<'_>>, key: &str, wanted: &str) -> Error {
        let what = format!(
            "`{key}` is of the type {}, where {wanted} belongs",
            value.get_ref().type_str()
        );
        self.fault(value.span().start, "wrong_type", &what)
    }

    fn entry(&self, table: &DeTable<'_>, offset: usize) -> Result<Entry> {
        for key in table.keys() {
            let name = key.get_ref().as_ref();
            if KEYS.contains(&name) {
                continue;
            }
            let hint = nearest(name, KEYS).map_or_else(
                || format!("a price has the keys `{}`", KEYS.join("`, `")),
                |near| format!("the nearest key is `{near}`"),
            );
            let what = format!("`{name}` is no key of a price");
            return Err(self
                .fault(key.span().start, "unknown_key", &what)
                .with_hint(hint));
        }
        let provider = table
            .contains_key("provider")
            .then(|| self.text_of(table, "provider", offset))
            .transpose()?;
        let pattern = self.text_of(table, "type", offset)?.0;
        let (unit, unit_at) = self.text_of(table, "unit", offset)?;
        let unit = Unit::ALL
            .into_iter()
            .find(|known| known.as_str() == unit)
            .ok_or_else(|| {
                let words = Unit::ALL.map(Unit::as_str).join("`, `");
                self.fault(unit_at, "unknown_value", &format!("`{unit}` is no unit"))
                    .with_hint(format!("it can be `{words}`"))
            })?;
        Ok(Entry {
            provider: provider.map(|(name, _)| name),
            pattern,
            amount: self.amount(table, offset)?,
            unit,
        })
    }

    fn value<'t, 'i>(
        &self,
        table: &'t DeTable<'i>,
        key: &str,
        offset: usize,
    ) -> Result<&'t Spanned<DeValue<'i>>> {
        table.get(key).ok_or_else(|| {
            let what = format!("this price has no `{key}`");
            self.fault(offset, "missing_key", &what)
        })
    }

    fn text_of(&self, table: &DeTable<'_>, key: &str, offset: usize) -> Result<(String, usize)> {
        let value = self.value(table, key, offset)?;
        match value.get_ref().as_str() {
            Some(text) if !text.is_empty() => Ok((text.to_owned(), value.span().start)),
            Some(_) => Err(self.fault(
                value.span().start,
                "bad_value",
                &format!("`{key}` is empty"),
            )),
            None => Err(self.wrong(value, key, "a text")),
        }
    }

    /// The amount as it is written, so that no float comes between.
    fn amount(&self, table: &DeTable<'_>, offset: usize) -> Result<Money> {
        let value = self.value(table, "amount", offset)?;
        let (currency, currency_at) = self.text_of(table, "currency", offset)?;
        let amount = match value.get_ref() {
            DeValue::String(text) => text.as_ref(),
            DeValue::Integer(number) if number.radix() == 10 => number.as_str(),
            DeValue::Float(number) => number.as_str(),
            DeValue::Integer(_)
            | DeValue::Boolean(_)
            | DeValue::Datetime(_)
            | DeValue::Array(_)
            | DeValue::Table(_) => {
                return Err(self.wrong(value, "amount", "a decimal such as 12.5"));
            }
        };
        let is_decimal = amount
            .bytes()
            .all(|byte| byte.is_ascii_digit() || byte == b'.');
        if !is_decimal || amount.is_empty() {
            let what = format!("`{amount}` is no amount; write one such as 20 or 1.68");
            return Err(self.fault(value.span().start, "bad_value", &what));
        }
        format!("{amount} {currency}")
            .parse()
            .map_err(|what: String| {
                let is_currency = what.contains("no currency");
                let at = if is_currency {
                    currency_at
                } else {
                    value.span().start
                };
                self.fault(at, "bad_value", &what)
            })
    }
}

/// Whether the whole name is of the pattern's form.
fn matches(pattern: &str, name: &str) -> bool {
    let pattern: Vec<char> = pattern.chars().collect();
    let name: Vec<char> = name.chars().collect();
    // `reached` holds, for each length of the name's beginning, whether the pattern so far may stand for it.
    let mut reached: Vec<bool> = std::iter::once(true)
        .chain(name.iter().map(|_| false))
        .collect();
    for symbol in pattern {
        let before = reached.clone();
        let mut any_before = false;
        for (place, now) in reached.iter_mut().enumerate() {
            let earlier = place
                .checked_sub(1)
                .and_then(|place| Some((*before.get(place)?, *name.get(place)?)));
            any_before |= before.get(place).copied().unwrap_or_default();
            *now = match symbol {
                '*' => any_before,
                '?' => earlier.is_some_and(|(was, _)| was),
                letter => earlier.is_some_and(|(was, own)| was && own == letter),
            };
        }
    }
    reached.last().copied().unwrap_or_default()
}
