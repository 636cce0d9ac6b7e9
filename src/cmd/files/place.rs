//! `VOL:PATH`: a place in a volume (cli.md §10 "Arguments"). Pure.

use crate::error::{Error, Kind, Result};
use crate::model::FilePath;

/// A volume as it was named, and a path in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    /// A ref or a bare id.
    pub(super) volume: String,
    pub(super) path: FilePath,
    /// Whether the path was written as a folder's.
    is_folder: bool,
}

impl Place {
    /// Reads `VOL:PATH`. A ref holds no colon of its own: it would be percent-encoded.
    pub(super) fn parse(text: &str) -> Result<Self> {
        match text.split_once(':') {
            Some((volume, path)) if !volume.is_empty() => Self::new(text, volume, path),
            Some(_) | None => Err(Error::new(
                Kind::Usage,
                "bad_place",
                format!("`{text}` names no file in a volume"),
            )
            .with_hint(
                "write `VOLUME:PATH`, such as `paracloud/NAMESPACE/CLUSTER/ID:/data/x.bin`",
            )),
        }
    }

    /// Reads `VOL` or `VOL:PATH`.
    pub(super) fn parse_or_root(text: &str) -> Result<Self> {
        if text.contains(':') || text.is_empty() {
            Self::parse(text)
        } else {
            Self::new(text, text, "")
        }
    }

    /// Where a file goes: under its own name where only a folder is named.
    pub(super) fn for_file(&self, name: Option<&str>) -> Result<FilePath> {
        match (self.is_folder, name) {
            (false, _) => Ok(self.path.clone()),
            (true, Some(name)) => Ok(self.path.join(name)),
            (true, None) => Err(Error::new(
                Kind::Usage,
                "bad_place",
                format!(
                    "`{}:{}` is a folder, and what comes has no name",
                    self.volume, self.path
                ),
            )
            .with_hint("name the file at the end of the path")),
        }
    }

    fn new(text: &str, volume: &str, path: &str) -> Result<Self> {
        let parsed = FilePath::parse(path).map_err(|error| {
            Error::new(
                Kind::Usage,
                "bad_path",
                format!("the path in `{}` {error}", text.escape_debug()),
            )
            .with_hint("write the path from the volume's root, such as `/data/x.bin`")
        })?;
        Ok(Self {
            volume: volume.to_owned(),
            is_folder: parsed.is_root() || path.ends_with('/') || path.ends_with("/."),
            path: parsed,
        })
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("x7m4tzb9:/a/b", "x7m4tzb9", "/a/b")]
    #[case("x7m4tzb9:a/b", "x7m4tzb9", "/a/b")]
    #[case(
        "para/k8r2wq/NC-N30/x7m4tzb9:a:b",
        "para/k8r2wq/NC-N30/x7m4tzb9",
        "/a:b"
    )]
    #[case("x7m4tzb9:", "x7m4tzb9", "/")]
    fn a_place_is_a_volume_and_a_path(
        #[case] text: &str,
        #[case] volume: &str,
        #[case] path: &str,
    ) {
        let place = Place::parse(text).unwrap();
        assert_eq!(
            (place.volume.as_str(), place.path.to_string().as_str()),
            (volume, path)
        );
    }

    #[rstest]
    #[case("x7m4tzb9", "bad_place")]
    #[case(":/a", "bad_place")]
    #[case("v:a/../b", "bad_path")]
    #[case("v:a\tb", "bad_path")]
    fn what_is_no_place_is_named(#[case] text: &str, #[case] code: &str) {
        let error = Place::parse(text).unwrap_err();
        assert_eq!((error.kind(), error.code()), (Kind::Usage, code));
    }

    #[rstest]
    #[case("v:/a/x", Some("f"), Some("/a/x"))]
    #[case("v:/a/", Some("f"), Some("/a/f"))]
    #[case("v:", Some("f"), Some("/f"))]
    #[case("v:/a/x", None, Some("/a/x"))]
    #[case("v:/a/", None, None)]
    fn a_file_keeps_its_name_in_a_folder(
        #[case] text: &str,
        #[case] name: Option<&str>,
        #[case] path: Option<&str>,
    ) {
        let found = Place::parse(text).unwrap().for_file(name).ok();
        assert_eq!(found.map(|path| path.to_string()).as_deref(), path);
    }

    #[test]
    fn ls_takes_a_volume_alone() {
        assert!(Place::parse_or_root("x7m4tzb9").unwrap().path.is_root());
        assert!(Place::parse_or_root("").is_err());
    }
}
