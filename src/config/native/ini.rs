//! A small INI reader for the vendors' own files; pure.
//!
//! Keys are compared without case, `=` and `:` separate, lines that begin with `#` or `;` are comments, values are
//! trimmed and never interpolated, the last of several equal keys wins (cyclecloud.md §2.4). Whether `#` after a value
//! starts a comment depends on the file (pai-dlc.md §2.9). Anything else in the file is passed over.

use std::fmt;

/// Whether `#` starts a comment after a value too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TrailingComments {
    /// `a = b # c` is `b # c`.
    Kept,
    /// `a = b # c` is `b`.
    Cut,
}

/// The sections of a file. Values may be secrets: `Debug` shows names alone.
#[derive(Clone, Default)]
pub struct Ini {
    sections: Vec<(String, Vec<(String, String)>)>,
}

impl Ini {
    /// Reads a text; lines before the first section belong to none and are passed over.
    pub fn parse(text: &str, comments: TrailingComments) -> Self {
        let mut ini = Self::default();
        let mut current: Option<usize> = None;
        for line in text.trim_start_matches('\u{feff}').lines() {
            let line = line.trim();
            if line.is_empty() || line.starts_with(['#', ';']) {
                continue;
            }
            if let Some(name) = section_name(line) {
                current = Some(ini.section_index(name));
                continue;
            }
            let Some((key, value)) = line.split_once(['=', ':']) else {
                continue;
            };
            let value = match comments {
                TrailingComments::Kept => value,
                TrailingComments::Cut => value.split_once('#').map_or(value, |(value, _)| value),
            };
            let section = current.and_then(|index| ini.sections.get_mut(index));
            if let Some((_, entries)) = section {
                entries.push((key.trim().to_lowercase(), value.trim().to_owned()));
            }
        }
        ini
    }

    /// A value that is not empty.
    pub fn get(&self, section: &str, key: &str) -> Option<&str> {
        let (_, entries) = self.sections.iter().find(|(name, _)| name == section)?;
        entries
            .iter()
            .rev()
            .find(|(name, _)| name.eq_ignore_ascii_case(key))
            .map(|(_, value)| value.as_str())
            .filter(|value| !value.is_empty())
    }

    /// Whether there is such a section.
    pub fn has_section(&self, section: &str) -> bool {
        self.sections.iter().any(|(name, _)| name == section)
    }

    fn section_index(&mut self, name: &str) -> usize {
        let known = self.sections.iter().position(|(known, _)| known == name);
        known.unwrap_or_else(|| {
            self.sections.push((name.to_owned(), Vec::new()));
            self.sections.len() - 1
        })
    }
}

impl fmt::Debug for Ini {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_list()
            .entries(self.sections.iter().map(|(name, _)| name))
            .finish()
    }
}

fn section_name(line: &str) -> Option<&str> {
    let (name, _) = line.strip_prefix('[')?.split_once(']')?;
    Some(name.trim())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::equals("[s]\nkey = value", "value")]
    #[case::colon("[s]\nkey: value", "value")]
    #[case::first_separator_counts("[s]\nkey = https://h:1/p", "https://h:1/p")]
    #[case::colon_before_equals("[s]\nkey:a=b", "a=b")]
    #[case::key_case("[s]\nKEY = value", "value")]
    #[case::percent_is_plain("[s]\nkey = a%b%(c)s", "a%b%(c)s")]
    #[case::last_wins("[s]\nkey = a\nkey = b", "b")]
    #[case::sections_join("[s]\nkey = a\n[t]\nkey = c\n[s]\nother = d", "a")]
    #[case::comments("# c\n[s]\n; key = no\n# key = no\n  key = yes  \n", "yes")]
    #[case::crlf_and_bom("\u{feff}[s]\r\nkey = value\r\n", "value")]
    #[case::blanks_in_header("[ s ]\nkey = value", "value")]
    fn values_are_read_as_the_contract_says(#[case] text: &str, #[case] value: &str) {
        let ini = Ini::parse(text, TrailingComments::Kept);
        assert_eq!(ini.get("s", "key"), Some(value));
    }

    #[test]
    fn a_hash_after_a_value_is_a_comment_in_one_dialect_only() {
        let text = "[s]\nkey = value # note";
        let get = |comments| {
            Ini::parse(text, comments)
                .get("s", "key")
                .map(ToOwned::to_owned)
        };
        assert_eq!(get(TrailingComments::Kept), Some("value # note".to_owned()));
        assert_eq!(get(TrailingComments::Cut), Some("value".to_owned()));
    }

    #[test]
    fn empty_values_and_lines_outside_sections_are_nothing() {
        let ini = Ini::parse("key = a\n[s]\nkey =\nnonsense\n", TrailingComments::Kept);
        assert_eq!(ini.get("s", "key"), None);
        assert_eq!(ini.get("s", "nonsense"), None);
        assert!(ini.has_section("s") && !ini.has_section("t"));
    }

    #[test]
    fn debug_shows_no_value() {
        let ini = Ini::parse("[s]\npassword = canary-7f3a", TrailingComments::Kept);
        assert_eq!(format!("{ini:?}"), "[\"s\"]");
    }

    proptest! {
        #[test]
        fn any_text_is_read_without_panic(text in "\\PC{0,200}", cut in any::<bool>()) {
            let comments = if cut { TrailingComments::Cut } else { TrailingComments::Kept };
            drop(Ini::parse(&text, comments));
        }

        #[test]
        fn what_is_written_is_read_back(
            section in "[a-z]{1,8}", key in "[a-z_]{1,12}", value in "[a-zA-Z0-9/+=:%;.-]{1,40}",
        ) {
            let text = format!("[{section}]\n{key} = {value}\n");
            let ini = Ini::parse(&text, TrailingComments::Cut);
            prop_assert_eq!(ini.get(&section, &key), Some(value.as_str()));
        }
    }
}
