//! Who is at work: one lock for each key or marker, held while its submit runs.
//!
//! The locks are those of the operating system, so that a killed process holds none. Two processes with one key take
//! turns (cli.md §7), and a create whose lock is free was left behind by a process that is gone.

use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use crate::config::create_private_directory;
use crate::error::{Error, Kind, Result};
use crate::sign::hex;

/// The locks of one state directory.
///
/// There are 256 files at most (and more for arrays), chosen by a digest: two names may share one, and then wait for each other for no
/// reason, which costs a moment; files without end would stay for ever.
#[derive(Debug, Clone)]
pub struct Locks {
    folder: PathBuf,
}

/// A lock that is held until this is dropped, or its process ends.
#[derive(Debug)]
pub struct Held {
    _file: File,
}

impl Locks {
    /// The locks of a state directory; touches nothing.
    pub fn new(state_directory: &Path) -> Self {
        Self {
            folder: state_directory.join("locks"),
        }
    }

    /// Takes the lock of a name, or tells with `None` that another has it. 85 if there can be no lock.
    pub fn try_hold(&self, name: &str) -> Result<Option<Held>> {
        self.try_file(&self.path_of("", 1, name))
    }

    /// The same for a whole array, whose jobs take locks of their own meanwhile: no file is shared with those.
    pub fn try_hold_array(&self, key: &str) -> Result<Option<Held>> {
        self.try_file(&self.path_of("array-", 2, key))
    }

    fn try_file(&self, path: &Path) -> Result<Option<Held>> {
        let unusable = |error: io::Error| {
            Error::new(
                Kind::Config,
                "lock_unusable",
                format!("the lock {} cannot be taken: {error}", path.display()),
            )
            .with_hint(
                "nothing is created without it; name a writable directory by `XDG_STATE_HOME`",
            )
        };
        create_private_directory(&self.folder).map_err(unusable)?;
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        #[cfg(unix)]
        {
            use std::os::unix::fs::OpenOptionsExt;
            options.mode(0o600);
        }
        let file = options.open(path).map_err(unusable)?;
        match file.try_lock() {
            Ok(()) => Ok(Some(Held { _file: file })),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(unusable(error)),
        }
    }

    fn path_of(&self, kind: &str, bytes: usize, name: &str) -> PathBuf {
        let digest = Sha256::digest(name.as_bytes());
        let digits = hex::encode(digest.get(..bytes).unwrap_or_default());
        self.folder.join(format!("{kind}{digits}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_is_held_once_and_free_again_when_dropped() {
        let folder = tempfile::TempDir::new().unwrap();
        let locks = Locks::new(folder.path());
        let held = locks.try_hold("nightly").unwrap();
        assert!(held.is_some());
        assert!(locks.try_hold("nightly").unwrap().is_none());
        drop(held);
        assert!(locks.try_hold("nightly").unwrap().is_some());
    }

    #[test]
    fn an_array_and_its_jobs_never_wait_for_each_other() {
        let folder = tempfile::TempDir::new().unwrap();
        let locks = Locks::new(folder.path());
        let array = locks.try_hold_array("sweep").unwrap();
        assert!(array.is_some());
        assert!(locks.try_hold("sweep").unwrap().is_some());
        assert!(locks.try_hold_array("sweep").unwrap().is_none());
    }

    #[test]
    fn a_folder_that_cannot_be_made_is_a_configuration_error() {
        let folder = tempfile::TempDir::new().unwrap();
        let file = folder.path().join("file");
        std::fs::write(&file, "").unwrap();
        let error = Locks::new(&file).try_hold("k").unwrap_err();
        assert_eq!(error.kind(), Kind::Config);
    }
}
