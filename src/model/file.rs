//! Files in volumes, and the paths that lead to them (cli.md §2, `volumes ls|put|get|rm`).

use std::fmt;

use thiserror::Error;

use super::Timestamp;

/// A path from a volume's root, in its shortest form; the root itself has no steps.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct FilePath(Vec<String>);

/// Why a text is no path in a volume.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum FilePathError {
    #[error("holds `..`, which could lead out of the volume")]
    Upward,
    #[error("holds a control character")]
    Control,
}

impl FilePath {
    /// Reads `/a/b`, `a/b` or `a//b/./`, which are all the same; `..` is never followed.
    pub fn parse(text: &str) -> Result<Self, FilePathError> {
        if text.chars().any(char::is_control) {
            return Err(FilePathError::Control);
        }
        let steps: Vec<String> = text
            .split('/')
            .filter(|step| !step.is_empty() && *step != ".")
            .map(str::to_owned)
            .collect();
        if steps.iter().any(|step| step == "..") {
            return Err(FilePathError::Upward);
        }
        Ok(Self(steps))
    }

    /// The steps from the root.
    pub fn steps(&self) -> &[String] {
        &self.0
    }

    /// Whether it is the volume's root.
    pub fn is_root(&self) -> bool {
        self.0.is_empty()
    }

    /// The last step; empty for the root.
    pub fn name(&self) -> &str {
        self.0.last().map_or("", String::as_str)
    }

    /// The path with one more step, which is one name and no path.
    #[must_use]
    pub fn join(&self, name: &str) -> Self {
        let mut steps = self.0.clone();
        steps.push(name.to_owned());
        Self(steps)
    }

    /// The folder it lies in; `None` for the root.
    pub fn parent(&self) -> Option<Self> {
        let (_, before) = self.0.split_last()?;
        Some(Self(before.to_vec()))
    }

    /// The folders on the way to it, from the top, without the root and without itself.
    pub fn folders(&self) -> Vec<Self> {
        (1..self.0.len())
            .filter_map(|length| self.0.get(..length))
            .map(|steps| Self(steps.to_vec()))
            .collect()
    }
}

impl fmt::Display for FilePath {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "/{}", self.0.join("/"))
    }
}

/// A file or folder in a volume.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileEntry {
    pub path: FilePath,
    pub is_folder: bool,
    /// `None` for folders, and where the service does not tell.
    pub size_bytes: Option<u64>,
    pub modified_at: Option<Timestamp>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_has_one_form() {
        for text in ["/a/b", "a/b", "a//b/", "/./a/b/."] {
            assert_eq!(FilePath::parse(text).unwrap().to_string(), "/a/b", "{text}");
        }
        assert_eq!(FilePath::parse("").unwrap().to_string(), "/");
        assert!(FilePath::parse("/").unwrap().is_root());
    }

    #[test]
    fn a_path_never_leads_upward() {
        assert_eq!(FilePath::parse("a/../b"), Err(FilePathError::Upward));
        assert_eq!(FilePath::parse("a\nb"), Err(FilePathError::Control));
        assert!(FilePath::parse("a..b/...").is_ok());
    }

    #[test]
    fn folders_are_those_above_from_the_top() {
        let path = FilePath::parse("/a/b/c").unwrap();
        let folders: Vec<String> = path.folders().iter().map(ToString::to_string).collect();
        assert_eq!(folders, ["/a", "/a/b"]);
        assert_eq!(path.parent().unwrap().to_string(), "/a/b");
        assert_eq!(path.name(), "c");
        assert!(FilePath::default().folders().is_empty());
    }
}
