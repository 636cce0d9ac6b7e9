//! Container paths in words and shell text, rewritten to the real directories that stand in for them.
//!
//! Nothing can be mounted at `/data` without root, so the text of the job is changed instead. That is a limit of the
//! sandbox: a path that the program builds at run time (`"/da" + "ta"`) is not seen. Pure.

use std::path::PathBuf;

/// Container paths and what stands in for them, longest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PathMap {
    entries: Vec<(String, PathBuf)>,
}

impl PathMap {
    /// A map of absolute container paths; of two entries for one path the first counts, and `/` cannot be mapped.
    pub fn new(mounts: impl IntoIterator<Item = (String, PathBuf)>) -> Self {
        let mut entries: Vec<(String, PathBuf)> = Vec::new();
        for (path, real) in mounts {
            let path = path.trim_end_matches('/').to_owned();
            if path.starts_with('/') && !entries.iter().any(|(known, _)| *known == path) {
                entries.push((path, real));
            }
        }
        entries.sort_by(|(left, _), (right, _)| {
            right.len().cmp(&left.len()).then_with(|| left.cmp(right))
        });
        Self { entries }
    }

    /// The text with every mapped path replaced where it stands as a path of its own or as the start of one.
    pub fn rewrite(&self, text: &str) -> String {
        let mut rewritten = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(character) = rest.chars().next() {
            if character == '/'
                && let Some((path, real)) = self.entry_at(before(text, rest), rest)
            {
                rewritten.push_str(&real.to_string_lossy());
                rest = rest.strip_prefix(path).unwrap_or_default();
                continue;
            }
            rewritten.push(character);
            rest = after_first(rest);
        }
        rewritten
    }

    /// The real directory behind an absolute container path, and the entry's own one; `None` when it is not mapped.
    pub fn resolve(&self, path: &str) -> Option<(PathBuf, &PathBuf)> {
        let (mount, real) = self.entry_at("", path)?;
        let inner = path.strip_prefix(mount)?.trim_start_matches('/');
        Some((real.join(inner), real))
    }

    fn entry_at(&self, before: &str, rest: &str) -> Option<(&str, &PathBuf)> {
        if !starts_a_path(before) {
            return None;
        }
        self.entries
            .iter()
            .find(|(path, _)| {
                rest.strip_prefix(path.as_str())
                    .is_some_and(|tail| !tail.chars().next().is_some_and(continues_a_name))
            })
            .map(|(path, real)| (path.as_str(), real))
    }
}

/// What stands before `rest`, its tail.
fn before<'a>(text: &'a str, rest: &str) -> &'a str {
    text.strip_suffix(rest).unwrap_or_default()
}

fn after_first(text: &str) -> &str {
    let mut characters = text.chars();
    characters.next();
    characters.as_str()
}

/// Whether a `/` that comes after this text begins an absolute path, and is not a separator inside another one.
fn starts_a_path(before: &str) -> bool {
    let Some(last) = before.chars().next_back() else {
        return true;
    };
    if last == '"' || last == '\'' {
        return opens_a_quotation(before.strip_suffix(last).unwrap_or_default());
    }
    !(last.is_alphanumeric() || "_-./~+%})]*?$\\".contains(last))
}

/// Whether a quotation mark after this text opens (`open("/data")`) or closes (`"$HOME"/data`).
fn opens_a_quotation(before: &str) -> bool {
    let opens = |text: &str| {
        text.chars().next_back().is_none_or(|last| {
            last.is_whitespace() || "=([{,:;|&<>!@`".contains(last) || last == '\\'
        })
    };
    // Prefixes of Python literals, as in `f"/data/{name}"`.
    opens(before) || opens(before.trim_end_matches(['f', 'F', 'r', 'R', 'b', 'B', 'u', 'U']))
}

/// Whether the name before it goes on with this character, so that `/data` in `/database` is no match.
fn continues_a_name(character: char) -> bool {
    character.is_alphanumeric() || "_-.+@%~#*?[{$\\".contains(character)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;

    fn map() -> PathMap {
        PathMap::new([
            ("/data".to_owned(), PathBuf::from("/real/one")),
            ("/data/deep/".to_owned(), PathBuf::from("/real/two")),
            ("/workspace".to_owned(), PathBuf::from("/real/three")),
        ])
    }

    #[rstest]
    #[case("/data", "/real/one")]
    #[case("/data/", "/real/one/")]
    #[case("/data/x", "/real/one/x")]
    #[case("--out=/data/y", "--out=/real/one/y")]
    #[case("/data/deep", "/real/two")]
    #[case("/data/deep/z", "/real/two/z")]
    #[case("/data/deeper", "/real/one/deeper")]
    #[case(
        "cd /data&&ls>/data/list;cat '/data/list'",
        "cd /real/one&&ls>/real/one/list;cat '/real/one/list'"
    )]
    #[case("A=/data:/workspace/bin", "A=/real/one:/real/three/bin")]
    #[case(
        "{\"in\":\"/data\",\"out\":[\"/data/o\"]}",
        "{\"in\":\"/real/one\",\"out\":[\"/real/one/o\"]}"
    )]
    #[case("open(f\"/data/{name}\")", "open(f\"/real/one/{name}\")")]
    #[case("-d @/data/body", "-d @/real/one/body")]
    #[case("数据 /data/视 ", "数据 /real/one/视 ")]
    fn a_mapped_path_is_replaced(#[case] text: &str, #[case] expected: &str) {
        assert_eq!(map().rewrite(text), expected);
    }

    #[rstest]
    #[case("/database")]
    #[case("/data-2/x")]
    #[case("/data.txt")]
    #[case("/x/data")]
    #[case("x/data")]
    #[case("./data")]
    #[case("~/data")]
    #[case("https://data/x")]
    #[case("https://host/data")]
    #[case("$HOME/data")]
    #[case("${HOME}/data")]
    #[case("$(pwd)/data")]
    #[case("\"$HOME\"/data")]
    #[case("/data$SUFFIX")]
    #[case("/数据/data")]
    fn another_path_is_left_alone(#[case] text: &str) {
        assert_eq!(map().rewrite(text), text);
    }

    #[test]
    fn the_root_and_relative_paths_cannot_be_mapped() {
        let map = PathMap::new([
            ("/".to_owned(), PathBuf::from("/real")),
            ("data".to_owned(), PathBuf::from("/real")),
        ]);
        assert_eq!(map.rewrite("/etc data/x"), "/etc data/x");
    }

    #[test]
    fn a_mapped_directory_is_resolved_with_its_inner_part() {
        let map = map();
        let (real, mount) = map.resolve("/data/a/b").unwrap();
        assert_eq!(real, PathBuf::from("/real/one/a/b"));
        assert_eq!(*mount, PathBuf::from("/real/one"));
        assert_eq!(map.resolve("/opt"), None);
    }

    proptest! {
        #[test]
        fn text_without_a_mapped_path_is_unchanged(text in ".*") {
            prop_assume!(!text.contains("/data") && !text.contains("/workspace"));
            prop_assert_eq!(map().rewrite(&text), text);
        }

        #[test]
        fn a_word_keeps_everything_around_its_path(flag in "[a-z-]{0,8}", inner in "(/[a-z0-9._-]{1,8}){0,3}") {
            prop_assume!(!inner.starts_with("/deep"));
            let word = format!("{flag}=/data{inner}");
            prop_assert_eq!(map().rewrite(&word), format!("{flag}=/real/one{inner}"));
        }

        #[test]
        fn rewriting_never_looks_at_its_own_output(text in ".*") {
            let stable = PathMap::new([("/data".to_owned(), PathBuf::from("/data/data"))]);
            let count = stable.rewrite(&text).matches("/data").count();
            prop_assert!(count <= 2 * text.matches("/data").count());
        }
    }
}
