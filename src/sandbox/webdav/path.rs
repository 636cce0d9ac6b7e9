//! From a path on the wire to a place in the share's folder, and never to one outside it.

use std::ffi::{OsStr, OsString};
use std::fs::{self, Metadata};
use std::io;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

use http::StatusCode;

use super::Refusal;

/// The names from the share's root to a file or folder; none for the root.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Names(Vec<OsString>);

/// A place in a folder that exists.
#[derive(Debug)]
pub(super) struct Spot {
    /// The place itself: a symbolic link is not followed in its last name.
    pub(super) path: PathBuf,
    /// What is there.
    pub(super) entry: Option<Entry>,
    pub(super) is_root: bool,
}

/// A file or folder, with links followed.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) real: PathBuf,
    pub(super) metadata: Metadata,
}

impl Names {
    /// The names of a percent-encoded path below a prefix; `None` for any other path, and for names that no file has.
    pub(super) fn of_path(path: &str, prefix: &str) -> Option<Self> {
        let inner = path.strip_prefix(prefix)?;
        if !(inner.is_empty() || inner.starts_with('/')) {
            return None;
        }
        inner
            .split('/')
            .filter(|part| !part.is_empty())
            .map(name)
            .collect::<Option<_>>()
            .map(Self)
    }

    /// The names with one more.
    pub(super) fn with(&self, name: &OsStr) -> Self {
        let mut names = self.0.clone();
        names.push(name.to_owned());
        Self(names)
    }

    /// The last name; empty for the root.
    pub(super) fn last(&self) -> &OsStr {
        self.0.last().map_or(OsStr::new(""), OsString::as_os_str)
    }

    /// Whether this is the other place or one inside it.
    pub(super) fn is_within(&self, other: &Self) -> bool {
        self.0.starts_with(&other.0)
    }

    /// The percent-encoded path; a folder's ends with a slash.
    pub(super) fn href(&self, prefix: &str, is_folder: bool) -> String {
        let mut href = prefix.to_owned();
        for name in &self.0 {
            href.push('/');
            encode(name.as_bytes(), &mut href);
        }
        if is_folder {
            href.push('/');
        }
        href
    }
}

impl Spot {
    /// Where the names lead; `None` when the folder of the last one is missing.
    pub(super) fn find(root: &Path, names: &Names) -> Result<Option<Self>, Refusal> {
        let root = root.canonicalize()?;
        let Some((last, folders)) = names.0.split_last() else {
            let metadata = fs::metadata(&root)?;
            return Ok(Some(Self {
                path: root.clone(),
                entry: Some(Entry {
                    real: root,
                    metadata,
                }),
                is_root: true,
            }));
        };
        let mut folder = root.clone();
        folder.extend(folders);
        let Some(folder) = inside(&folder, &root)? else {
            return Ok(None);
        };
        if !folder.metadata.is_dir() {
            return Ok(None);
        }
        let path = folder.real.join(last);
        Ok(Some(Self {
            entry: inside(&path, &root)?,
            path,
            is_root: false,
        }))
    }
}

impl Entry {
    /// A folder, as opposed to a file.
    pub(super) fn is_folder(&self) -> bool {
        self.metadata.is_dir()
    }

    /// The files and folders in a folder by name, in its order; links that lead nowhere or outside are left out, and so
    /// is what is neither file nor folder.
    pub(super) fn children(&self, root: &Path) -> io::Result<Vec<(OsString, Self)>> {
        let root = root.canonicalize()?;
        let mut children = Vec::new();
        for child in fs::read_dir(&self.real)? {
            let child = child?;
            if let Ok(Some(entry)) = inside(&child.path(), &root)
                && (entry.is_folder() || entry.metadata.is_file())
            {
                children.push((child.file_name(), entry));
            }
        }
        children.sort_by(|(left, _), (right, _)| left.cmp(right));
        Ok(children)
    }
}

/// What is at a path, links followed; `None` when nothing is, and a refusal when it is not in the share.
fn inside(path: &Path, root: &Path) -> Result<Option<Entry>, Refusal> {
    let real = match path.canonicalize() {
        Ok(real) => real,
        Err(error)
            if matches!(
                error.kind(),
                io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
            ) =>
        {
            return Ok(None);
        }
        Err(error) => return Err(error.into()),
    };
    if !real.starts_with(root) {
        return Err(Refusal::new(
            StatusCode::FORBIDDEN,
            "a symbolic link leads out of the volume",
        ));
    }
    let metadata = fs::metadata(&real)?;
    Ok(Some(Entry { real, metadata }))
}

/// One decoded name.
fn name(part: &str) -> Option<OsString> {
    let mut bytes = Vec::with_capacity(part.len());
    let mut rest = part.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'%' => {
                let high = char::from(rest.next()?).to_digit(16)?;
                let low = char::from(rest.next()?).to_digit(16)?;
                u8::try_from(high * 16 + low).ok()?
            }
            byte => byte,
        });
    }
    let is_name =
        !matches!(bytes.as_slice(), b"." | b"..") && !bytes.contains(&b'/') && !bytes.contains(&0);
    is_name.then(|| OsString::from_vec(bytes))
}

/// RFC 3986: only unreserved characters stay as they are.
fn encode(bytes: &[u8], into: &mut String) {
    for byte in bytes {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(byte) {
            into.push(char::from(*byte));
            continue;
        }
        into.push('%');
        for nibble in [byte >> 4, byte & 0xF] {
            into.extend(
                char::from_digit(u32::from(nibble), 16).map(|digit| digit.to_ascii_uppercase()),
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("/webdav", Some("/webdav/"))]
    #[case("/webdav/", Some("/webdav/"))]
    #[case("/webdav/a%20b//c%2Bd/", Some("/webdav/a%20b/c%2Bd/"))]
    #[case("/webdav/%E6%95%B0", Some("/webdav/%E6%95%B0/"))]
    #[case("/webdav/..%2e", Some("/webdav/.../"))]
    #[case("/webdavx/a", None)]
    #[case("/other", None)]
    #[case("/webdav/../x", None)]
    #[case("/webdav/a/%2e%2E/b", None)]
    #[case("/webdav/./b", None)]
    #[case("/webdav/a%2Fb", None)]
    #[case("/webdav/a%00", None)]
    #[case("/webdav/a%2", None)]
    #[case("/webdav/a%zz", None)]
    fn a_path_is_names_below_the_prefix(#[case] path: &str, #[case] href: Option<&str>) {
        let names = Names::of_path(path, "/webdav");
        assert_eq!(
            names.map(|names| names.href("/webdav", true)).as_deref(),
            href
        );
    }
}
