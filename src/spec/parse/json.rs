//! JSON to tree: `serde_json` judges the syntax, a walk over the text finds the positions it does not tell.

use serde::de::IgnoredAny;

use super::position::Lines;
use super::{duplicate_key, syntax_error};
use crate::spec::error::{Origin, Position, SpecError};
use crate::spec::tree::{Content, Entry, Node};

/// Deeper than any spec, shallower than the stack.
const DEPTH: usize = 64;

/// Reads a JSON document.
pub(super) fn parse(text: &str) -> Result<Node, SpecError> {
    serde_json::from_str::<IgnoredAny>(text).map_err(|error| {
        let position = Position {
            line: error.line(),
            column: error.column().max(1),
        };
        let told = error.to_string();
        let message = told
            .rsplit_once(" at line ")
            .map_or(told.as_str(), |(message, _)| message);
        syntax_error(position, message)
    })?;
    let mut walk = Walk {
        text,
        offset: 0,
        lines: Lines::new(text),
    };
    walk.value(DEPTH)
}

struct Walk<'a> {
    text: &'a str,
    offset: usize,
    lines: Lines<'a>,
}

impl<'a> Walk<'a> {
    fn rest(&self) -> &'a str {
        self.text.get(self.offset..).unwrap_or_default()
    }

    fn skip_blanks(&mut self) {
        let rest = self.rest();
        self.offset += rest.len() - rest.trim_start_matches([' ', '\t', '\r', '\n']).len();
    }

    fn here(&self) -> Position {
        self.lines.position(self.offset)
    }

    /// Takes the character if it comes next.
    fn takes(&mut self, wanted: char) -> bool {
        self.skip_blanks();
        let found = self.rest().starts_with(wanted);
        if found {
            self.offset += wanted.len_utf8();
        }
        found
    }

    fn unexpected(&self) -> SpecError {
        syntax_error(self.here(), "this is no JSON")
    }

    fn value(&mut self, depth: usize) -> Result<Node, SpecError> {
        self.skip_blanks();
        let position = self.here();
        let Some(depth) = depth.checked_sub(1) else {
            return Err(syntax_error(position, "the document is nested too deeply"));
        };
        let content = match self.rest().chars().next() {
            Some('{') => self.map(depth)?,
            Some('[') => self.list(depth)?,
            Some('"') => Content::Text(self.string()?),
            _ => self.literal()?,
        };
        Ok(Node::new(Origin::Document(position), content))
    }

    fn map(&mut self, depth: usize) -> Result<Content, SpecError> {
        let mut entries: Vec<Entry> = Vec::new();
        self.takes('{');
        if self.takes('}') {
            return Ok(Content::Map(entries));
        }
        loop {
            self.skip_blanks();
            let position = self.here();
            let key = self.string()?;
            if entries.iter().any(|entry| entry.key == key) {
                return Err(duplicate_key(position, &key));
            }
            if !self.takes(':') {
                return Err(self.unexpected());
            }
            let node = self.value(depth)?;
            entries.push(Entry {
                key,
                origin: Origin::Document(position),
                node,
            });
            if self.takes('}') {
                return Ok(Content::Map(entries));
            }
            if !self.takes(',') {
                return Err(self.unexpected());
            }
        }
    }

    fn list(&mut self, depth: usize) -> Result<Content, SpecError> {
        let mut items = Vec::new();
        self.takes('[');
        if self.takes(']') {
            return Ok(Content::List(items));
        }
        loop {
            items.push(self.value(depth)?);
            if self.takes(']') {
                return Ok(Content::List(items));
            }
            if !self.takes(',') {
                return Err(self.unexpected());
            }
        }
    }

    fn string(&mut self) -> Result<String, SpecError> {
        let rest = self.rest();
        let mut escaped = false;
        let end = rest.bytes().enumerate().skip(1).find_map(|(index, byte)| {
            let ends = byte == b'"' && !escaped;
            escaped = byte == b'\\' && !escaped;
            ends.then_some(index + 1)
        });
        let quoted = end.and_then(|end| rest.get(..end));
        let text = quoted.and_then(|quoted| serde_json::from_str::<String>(quoted).ok());
        match (text, end) {
            (Some(text), Some(end)) => {
                self.offset += end;
                Ok(text)
            }
            (None, _) | (_, None) => Err(self.unexpected()),
        }
    }

    fn literal(&mut self) -> Result<Content, SpecError> {
        let rest = self.rest();
        let end = rest
            .find([',', ']', '}', ' ', '\t', '\r', '\n'])
            .unwrap_or(rest.len());
        let text = rest.get(..end).unwrap_or_default();
        let content = match text {
            "" => return Err(self.unexpected()),
            "null" => Content::Null,
            "true" | "false" => Content::Bool {
                value: text == "true",
                text: text.to_owned(),
            },
            number => Content::Number(number.to_owned()),
        };
        self.offset += end;
        Ok(content)
    }
}
