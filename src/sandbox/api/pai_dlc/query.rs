//! Query parameters with their types: what is there must be right, what is empty counts as absent (pai-dlc.md §1.3).

use serde_json::Value;

use super::reply::Refusal;
use super::times;
use crate::model::Timestamp;
use crate::sandbox::auth::acs3::decode_query;

/// The largest page; a larger wish is cut (§10, 4).
const LARGEST_PAGE: u32 = 100;

/// The decoded query of one request. Names are case-sensitive and stand once: the verifier saw to that.
#[derive(Debug, Default)]
pub(super) struct Query {
    pairs: Vec<(String, String)>,
}

/// A page of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Page {
    skip: usize,
    take: usize,
}

impl Page {
    /// The items of this page.
    pub(super) fn of<T>(self, items: Vec<T>) -> Vec<T> {
        items.into_iter().skip(self.skip).take(self.take).collect()
    }
}

/// A period, both ends included, in whole seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Period {
    pub(super) start: i64,
    pub(super) end: i64,
}

impl Period {
    pub(super) fn contains(self, instant: Timestamp) -> bool {
        (self.start..=self.end).contains(&instant.as_second())
    }
}

impl Query {
    /// Decodes a wire query.
    pub(super) fn parse(raw: &str) -> Result<Self, Refusal> {
        let pairs: Result<Vec<_>, Refusal> = decode_query(raw)
            .into_iter()
            .map(|(name, value)| {
                String::from_utf8(name)
                    .ok()
                    .zip(String::from_utf8(value).ok())
                    .ok_or_else(|| Refusal::invalid("the query is not UTF-8"))
            })
            .collect();
        Ok(Self { pairs: pairs? })
    }

    /// Names that `known` lacks.
    pub(super) fn unknown<'a>(&'a self, known: &'a [&str]) -> impl Iterator<Item = &'a str> {
        self.pairs
            .iter()
            .map(|(name, _)| name.as_str())
            .filter(|name| !known.contains(name))
    }

    /// A text that is not empty.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.pairs
            .iter()
            .find(|(found, _)| found == name)
            .map(|(_, value)| value.as_str())
            .filter(|value| !value.is_empty())
    }

    /// One of some words, compared with their case.
    pub(super) fn word(&self, name: &str, words: &[&str]) -> Result<Option<&str>, Refusal> {
        match self.text(name) {
            Some(text) if !words.contains(&text) => Err(Refusal::invalid(format!(
                "{name} must be one of {}, not `{text}`.",
                words.join(", ")
            ))),
            found => Ok(found),
        }
    }

    /// An integer.
    pub(super) fn integer(&self, name: &str) -> Result<Option<i64>, Refusal> {
        self.text(name)
            .map(|text| {
                text.parse().map_err(|_| {
                    Refusal::invalid(format!("{name} must be an integer, not `{text}`."))
                })
            })
            .transpose()
    }

    /// A number of at least 1, with a default.
    pub(super) fn count(&self, name: &str, default: usize) -> Result<usize, Refusal> {
        match self.integer(name)? {
            None => Ok(default),
            Some(number) => usize::try_from(number)
                .ok()
                .filter(|number| *number > 0)
                .ok_or_else(|| Refusal::invalid(format!("{name} must be 1 or more."))),
        }
    }

    /// A boolean in any case: the official Python SDK sends `True`.
    pub(super) fn flag(&self, name: &str) -> Result<Option<bool>, Refusal> {
        self.text(name)
            .map(|text| match text.to_ascii_lowercase().as_str() {
                "true" => Ok(true),
                "false" => Ok(false),
                _ => Err(Refusal::invalid(format!(
                    "{name} must be true or false, not `{text}`."
                ))),
            })
            .transpose()
    }

    /// The parts of a comma-joined value; `None` if there is none.
    pub(super) fn list(&self, name: &str) -> Option<Vec<&str>> {
        let parts: Vec<&str> = self
            .text(name)?
            .split(',')
            .map(str::trim)
            .filter(|part| !part.is_empty())
            .collect();
        Some(parts)
    }

    /// A JSON object of texts.
    pub(super) fn text_map(&self, name: &str) -> Result<Vec<(String, String)>, Refusal> {
        let Some(text) = self.text(name) else {
            return Ok(Vec::new());
        };
        let wrong = || Refusal::invalid(format!("{name} must be a JSON object of strings."));
        let Ok(Value::Object(members)) = serde_json::from_str(text) else {
            return Err(wrong());
        };
        members
            .into_iter()
            .map(|(key, value)| match value {
                Value::String(value) => Ok((key, value)),
                Value::Null
                | Value::Bool(_)
                | Value::Number(_)
                | Value::Array(_)
                | Value::Object(_) => Err(wrong()),
            })
            .collect()
    }

    /// An instant in UTC with whole seconds.
    fn instant(&self, name: &str) -> Result<Option<Timestamp>, Refusal> {
        self.text(name)
            .map(|text| {
                times::parse(text).ok_or_else(|| {
                    Refusal::invalid(format!(
                        "{name} must be a UTC time such as 2026-01-05T00:00:00Z, not `{text}`."
                    ))
                })
            })
            .transpose()
    }

    /// `StartTime` and `EndTime`: by default the last seven days up to now (§3.4, §3.6).
    pub(super) fn period(&self, now: Timestamp) -> Result<Period, Refusal> {
        const SEVEN_DAYS: i64 = 7 * 24 * 3600;
        let end = self.instant("EndTime")?.unwrap_or(now).as_second();
        let start = self.instant("StartTime")?.map_or_else(
            || now.as_second().saturating_sub(SEVEN_DAYS),
            Timestamp::as_second,
        );
        if start > end {
            return Err(Refusal::invalid("StartTime must not be after EndTime."));
        }
        Ok(Period { start, end })
    }

    /// `PageNumber` from 1 and `PageSize` from 1 to 100.
    pub(super) fn page(&self, default_size: usize) -> Result<Page, Refusal> {
        let number = self.count("PageNumber", 1)?;
        let largest = usize::try_from(LARGEST_PAGE).unwrap_or(usize::MAX);
        let take = self.count("PageSize", default_size)?.min(largest);
        Ok(Page {
            skip: number.saturating_sub(1).saturating_mul(take),
            take,
        })
    }

    /// `Order`, in lower case for DLC and in upper case for `AIWorkspace`: both are accepted (§6.1).
    pub(super) fn ascending(&self, default: bool) -> Result<bool, Refusal> {
        match self.text("Order").map(str::to_ascii_lowercase).as_deref() {
            None => Ok(default),
            Some("asc") => Ok(true),
            Some("desc") => Ok(false),
            Some(_) => Err(Refusal::invalid("Order must be asc or desc.")),
        }
    }
}

/// A path segment without its percent escapes; `None` if it has a broken one or is not UTF-8.
pub(super) fn decode_segment(segment: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(segment.len());
    let mut rest = segment.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let mut digit = || char::from(rest.next()?).to_digit(16);
            let value = digit()? * 16 + digit()?;
            bytes.push(u8::try_from(value).ok()?);
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes).ok()
}
