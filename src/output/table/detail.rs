//! One record as `key: value` lines.

use crate::output::{Style, sanitize};

use super::Tone;

/// Lines of one record; unknown values are left out.
#[derive(Debug, Clone, Default)]
pub struct Detail {
    lines: Vec<(&'static str, String, Option<Tone>)>,
}

impl Detail {
    /// A record without lines.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a line.
    #[must_use]
    pub fn line(self, key: &'static str, value: impl AsRef<str>) -> Self {
        self.toned(key, value, None)
    }

    /// Adds a line if the value is known.
    #[must_use]
    pub fn opt(self, key: &'static str, value: Option<impl AsRef<str>>) -> Self {
        match value {
            Some(value) => self.line(key, value),
            None => self,
        }
    }

    /// Adds a line with a colour.
    #[must_use]
    pub fn toned(mut self, key: &'static str, value: impl AsRef<str>, tone: Option<Tone>) -> Self {
        let value = sanitize::line(value.as_ref()).into_owned();
        if !value.is_empty() {
            self.lines.push((key, value, tone));
        }
        self
    }

    /// Adds one line for each value under one key.
    #[must_use]
    pub fn each<T: AsRef<str>>(self, key: &'static str, values: &[T]) -> Self {
        values
            .iter()
            .fold(self, |detail, value| detail.line(key, value))
    }

    /// The lines, values aligned.
    pub fn render(&self, style: &Style) -> String {
        let width = self
            .lines
            .iter()
            .map(|(key, _, _)| key.len())
            .max()
            .unwrap_or(0);
        let mut text = String::new();
        for (key, value, tone) in &self.lines {
            text.push_str(&Tone::Heading.paint(&format!("{key}:"), style.colour));
            text.push_str(&" ".repeat(width - key.len() + 1));
            match tone {
                Some(tone) => text.push_str(&tone.paint(value, style.colour)),
                None => text.push_str(value),
            }
            text.push('\n');
        }
        text
    }
}
