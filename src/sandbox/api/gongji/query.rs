//! Query parameters with their types: what is there must be known and right, what is empty counts as absent.

use super::reply::Refusal;

/// A page of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Page {
    skip: usize,
    take: usize,
}

/// The largest page; a larger wish is cut (gongji.md §2.1: unknown for jobs, 100 for NAS).
const LARGEST_PAGE: i64 = 100;

/// The size of a page if nobody says it (§2.1).
const USUAL_PAGE: i64 = 10;

impl Page {
    /// `page` from 1 on, and `page_size`.
    pub(super) fn read(query: &Query) -> Result<Self, Refusal> {
        let number = query.integer("page")?.unwrap_or(1);
        let size = query.integer("page_size")?.unwrap_or(USUAL_PAGE);
        for (name, value) in [("page", number), ("page_size", size)] {
            if value < 1 {
                return Err(Refusal::parameter(format!("{name} must be 1 or more")));
            }
        }
        Ok(Self::of_numbers(number, size))
    }

    /// The same where 0 and less mean the usual values (§4.2).
    pub(super) fn read_forgiving(query: &Query) -> Result<Self, Refusal> {
        let or = |number: Option<i64>, usual| number.filter(|number| *number > 0).unwrap_or(usual);
        Ok(Self::of_numbers(
            or(query.integer("page")?, 1),
            or(query.integer("page_size")?, USUAL_PAGE),
        ))
    }

    fn of_numbers(number: i64, size: i64) -> Self {
        let take = usize::try_from(size.min(LARGEST_PAGE)).unwrap_or_default();
        let before = usize::try_from(number.saturating_sub(1)).unwrap_or(usize::MAX);
        Self {
            skip: before.saturating_mul(take),
            take,
        }
    }

    /// The items of this page.
    pub(super) fn of<T>(self, items: Vec<T>) -> Vec<T> {
        items.into_iter().skip(self.skip).take(self.take).collect()
    }
}

/// The decoded query of one request.
#[derive(Debug, Default)]
pub(super) struct Query {
    pairs: Vec<(String, String)>,
}

impl Query {
    /// Decodes a wire query; names that `known` lacks are refused, or noted in the log if `lenient`.
    pub(super) fn parse(raw: &str, known: &[&str], lenient: bool) -> Result<Self, Refusal> {
        let mut pairs: Vec<(String, String)> = Vec::new();
        for part in raw.split('&').filter(|part| !part.is_empty()) {
            let (name, value) = part.split_once('=').unwrap_or((part, ""));
            let decoded = decode(name).zip(decode(value));
            let (name, value) = decoded
                .ok_or_else(|| Refusal::parameter("the query is not percent-encoded UTF-8"))?;
            if !known.contains(&name.as_str()) {
                if !lenient {
                    return Err(Refusal::parameter(format!("unknown parameter `{name}`")));
                }
                log::info!("gongji: unknown parameter `{name}` ignored");
            }
            if pairs.iter().any(|(other, _)| *other == name) {
                return Err(Refusal::parameter(format!("`{name}` is given twice")));
            }
            pairs.push((name, value));
        }
        Ok(Self { pairs })
    }

    /// A text that is not empty.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.pairs
            .iter()
            .find(|(found, _)| found == name)
            .map(|(_, value)| value.as_str())
            .filter(|value| !value.is_empty())
    }

    /// An integer.
    pub(super) fn integer(&self, name: &str) -> Result<Option<i64>, Refusal> {
        self.text(name).map(|text| integer(name, text)).transpose()
    }

    /// An integer that must be there.
    pub(super) fn id(&self, name: &str) -> Result<i64, Refusal> {
        self.integer(name)?
            .ok_or_else(|| Refusal::parameter(format!("{name} is required")))
    }

    /// Integers joined by commas; `None` if there is no such parameter.
    pub(super) fn integers(&self, name: &str) -> Result<Option<Vec<i64>>, Refusal> {
        self.text(name)
            .map(|text| text.split(',').map(|part| integer(name, part)).collect())
            .transpose()
    }

    /// Words joined by commas, each one of `words`.
    pub(super) fn words(
        &self,
        name: &str,
        words: &[&'static str],
    ) -> Result<Option<Vec<&'static str>>, Refusal> {
        let Some(text) = self.text(name) else {
            return Ok(None);
        };
        let found: Result<Vec<&'static str>, Refusal> = text
            .split(',')
            .map(|part| {
                words
                    .iter()
                    .find(|word| **word == part)
                    .copied()
                    .ok_or_else(|| {
                        Refusal::parameter(format!(
                            "{name} knows {}, not `{part}`",
                            words.join(", ")
                        ))
                    })
            })
            .collect();
        found.map(Some)
    }

    /// One of some words.
    pub(super) fn word(
        &self,
        name: &str,
        words: &[&'static str],
    ) -> Result<Option<&'static str>, Refusal> {
        match self.words(name, words)?.as_deref() {
            None => Ok(None),
            Some([word]) => Ok(Some(word)),
            Some(_) => Err(Refusal::parameter(format!("{name} takes one word"))),
        }
    }
}

fn integer(name: &str, text: &str) -> Result<i64, Refusal> {
    text.parse()
        .map_err(|_| Refusal::parameter(format!("{name} must be an integer, not `{text}`")))
}

/// A `+` is a blank, as in a form: a time zone must come as `%2B` (§1.4).
fn decode(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        match byte {
            b'+' => bytes.push(b' '),
            b'%' => {
                let mut digit = || char::from(rest.next()?).to_digit(16);
                let value = digit()? * 16 + digit()?;
                bytes.push(u8::try_from(value).ok()?);
            }
            _ => bytes.push(byte),
        }
    }
    String::from_utf8(bytes).ok()
}
