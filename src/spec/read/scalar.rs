//! Single values: texts, numbers, durations, sizes, amounts, each with its own complaint.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::str::FromStr;

use crate::model::Money;
use crate::spec::error::SpecError;
use crate::spec::tree::{Content, shorten};
use crate::spec::units::{UnitError, parse_duration, parse_gpu_memory, parse_size};

use super::fields::Field;

impl Field<'_> {
    /// A text, not empty.
    pub(super) fn text(&self) -> Result<String, SpecError> {
        let text = self.any_text()?;
        if text.trim().is_empty() {
            return Err(self.bad_value("is empty", "write a text, or leave the key out"));
        }
        Ok(text.to_owned())
    }

    /// A text or a number as it was written: ids of some providers are digits.
    pub(super) fn identifier(&self) -> Result<String, SpecError> {
        match &self.node.content {
            Content::Number(text) => Ok(text.clone()),
            Content::Text(_) | Content::Word(_) => self.text(),
            Content::Null | Content::Bool { .. } | Content::List(_) | Content::Map(_) => {
                Err(self.wrong_type("a text"))
            }
        }
    }

    /// Any scalar as the text that was written; `null` is none.
    pub(super) fn scalar(&self) -> Result<String, SpecError> {
        match &self.node.content {
            Content::Text(text)
            | Content::Word(text)
            | Content::Number(text)
            | Content::Bool { text, .. } => Ok(text.clone()),
            Content::Null => Err(self
                .wrong_type("a text")
                .with_hint("write `\"\"` for an empty text")),
            Content::List(_) | Content::Map(_) => Err(self.wrong_type("a text")),
        }
    }

    /// A map of scalars.
    pub(super) fn scalars(&self) -> Result<BTreeMap<String, String>, SpecError> {
        self.entries()?
            .iter()
            .map(|entry| Ok((entry.key.clone(), self.entry(entry).scalar()?)))
            .collect()
    }

    /// A list of words; numbers and truth values stand for the text that was written.
    pub(super) fn words(&self) -> Result<Vec<String>, SpecError> {
        self.items()?.iter().map(Self::scalar).collect()
    }

    pub(super) fn boolean(&self) -> Result<bool, SpecError> {
        match &self.node.content {
            Content::Bool { value, .. } => Ok(*value),
            Content::Word(word) => match word.as_str() {
                "true" => Ok(true),
                "false" => Ok(false),
                _ => Err(self.wrong_type("`true` or `false`")),
            },
            Content::Null
            | Content::Number(_)
            | Content::Text(_)
            | Content::List(_)
            | Content::Map(_) => Err(self.wrong_type("`true` or `false`")),
        }
    }

    /// A whole number between two limits.
    pub(super) fn whole<T>(&self, least: T, most: T) -> Result<T, SpecError>
    where
        T: FromStr + PartialOrd + Display + Copy,
    {
        let text = self.number("a whole number")?;
        let Ok(number) = text.parse::<T>() else {
            // `-1`, `2.5` and what is larger than the type.
            return Err(self.out_of_range(text, &least, &most));
        };
        if number < least || number > most {
            return Err(self.out_of_range(text, &least, &most));
        }
        Ok(number)
    }

    /// A positive number, such as 1.5 cores.
    pub(super) fn positive(&self) -> Result<f64, SpecError> {
        let text = self.number("a number")?;
        text.parse::<f64>()
            .ok()
            .filter(|number| number.is_finite() && *number > 0.0)
            .ok_or_else(|| {
                self.bad_value(&format!("is `{}`", shorten(text)), "write a number above 0")
            })
    }

    /// Seconds, from a text with a unit.
    pub(super) fn duration(&self) -> Result<u64, SpecError> {
        self.with_unit("a duration with its unit, such as `90m`", parse_duration)
    }

    /// Seconds, at least one.
    pub(super) fn some_time(&self) -> Result<u64, SpecError> {
        match self.duration()? {
            0 => Err(self.bad_value("is no time at all", "write a duration above 0")),
            seconds => Ok(seconds),
        }
    }

    /// Bytes, at least one, from a text with a unit.
    pub(super) fn size(&self) -> Result<u64, SpecError> {
        match self.with_unit("a size with its unit, such as `64GiB`", parse_size)? {
            0 => Err(self.bad_value("is nothing at all", "write a size above 0")),
            bytes => Ok(bytes),
        }
    }

    /// Nominal GiB of a card.
    pub(super) fn gpu_memory(&self) -> Result<u64, SpecError> {
        self.with_unit("a size with its unit, such as `80GiB`", parse_gpu_memory)
    }

    /// An amount with its currency.
    pub(super) fn money(&self) -> Result<Money, SpecError> {
        const HINT: &str = "write an amount with its currency, such as `20 CNY`";
        if let Content::Number(number) = &self.node.content {
            return Err(self
                .error(
                    "bad_unit",
                    format!("`{}` is `{number}` without a currency", self.path),
                )
                .with_hint(HINT));
        }
        let text = self.any_text()?;
        let amount = Money::from_str(text).map_err(|why| {
            self.error("bad_value", format!("`{}`: {why}", self.path))
                .with_hint(HINT)
        })?;
        if amount.micros <= 0 {
            return Err(self.bad_value("is nothing at all", HINT));
        }
        Ok(amount)
    }

    /// An absolute path.
    pub(super) fn absolute_path(&self) -> Result<String, SpecError> {
        let path = self.text()?;
        if path.starts_with('/') {
            Ok(path)
        } else {
            Err(self.bad_value(
                &format!("is `{}`, which is no absolute path", shorten(&path)),
                "begin the path with `/`",
            ))
        }
    }

    /// A complaint of the units about this value.
    pub(super) fn unit_error(&self, error: UnitError) -> SpecError {
        self.error(error.code, format!("`{}`: {}", self.path, error.message))
            .with_hint(error.hint)
    }

    /// A text, empty or not.
    pub(super) fn any_text(&self) -> Result<&str, SpecError> {
        match &self.node.content {
            Content::Text(text) | Content::Word(text) => Ok(text),
            Content::Null
            | Content::Bool { .. }
            | Content::Number(_)
            | Content::List(_)
            | Content::Map(_) => Err(self.wrong_type("a text")),
        }
    }

    fn number(&self, wanted: &str) -> Result<&str, SpecError> {
        match &self.node.content {
            Content::Number(text) => Ok(text),
            Content::Word(text)
                if text.starts_with(|first: char| first.is_ascii_digit() || first == '-') =>
            {
                Ok(text)
            }
            Content::Null
            | Content::Bool { .. }
            | Content::Text(_)
            | Content::Word(_)
            | Content::List(_)
            | Content::Map(_) => Err(self.wrong_type(wanted)),
        }
    }

    fn out_of_range(&self, text: &str, least: &dyn Display, most: &dyn Display) -> SpecError {
        self.bad_value(
            &format!("is `{}`", shorten(text)),
            &format!("write a whole number from {least} to {most}"),
        )
    }

    fn with_unit(
        &self,
        wanted: &str,
        parse: impl FnOnce(&str) -> Result<u64, UnitError>,
    ) -> Result<u64, SpecError> {
        let text = match &self.node.content {
            // A bare number is a missing unit, not a wrong type.
            Content::Text(text) | Content::Word(text) | Content::Number(text) => text,
            Content::Null | Content::Bool { .. } | Content::List(_) | Content::Map(_) => {
                return Err(self.wrong_type(wanted));
            }
        };
        parse(text).map_err(|error| self.unit_error(error))
    }
}
