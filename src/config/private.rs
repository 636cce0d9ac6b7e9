//! Modes of files: who else can read one, and folders that nobody else can open.

use std::fs::Metadata;
use std::io::{self, Write as _};
use std::path::Path;

use tempfile::NamedTempFile;

/// Whether anybody but the owner may read the file.
#[cfg(unix)]
pub fn others_can_read(metadata: &Metadata) -> bool {
    use std::os::unix::fs::PermissionsExt;
    metadata.permissions().mode() & 0o077 != 0
}

/// Whether anybody but the owner may read the file; without Unix modes the user's own folder is the protection.
#[cfg(not(unix))]
pub fn others_can_read(_metadata: &Metadata) -> bool {
    false
}

/// Creates a folder with mode 0700, its parents as the system has it; an existing one is left as it is.
pub fn create_private_directory(path: &Path) -> io::Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    if let Some(parent) = path.parent() {
        std::fs::create_dir_all(parent)?;
    }
    match create_for_owner(path) {
        // Another process may have been faster.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && path.is_dir() => Ok(()),
        other => other,
    }
}

/// A temporary file with mode 0600 that holds all of a text, in the folder where its caller will give it its name.
pub fn write_private_file(folder: &Path, text: &[u8]) -> io::Result<NamedTempFile> {
    let mut file = NamedTempFile::new_in(folder)?;
    file.write_all(text)?;
    file.write_all(b"\n")?;
    Ok(file)
}

#[cfg(unix)]
fn create_for_owner(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    std::fs::DirBuilder::new().mode(0o700).create(path)
}

#[cfg(not(unix))]
fn create_for_owner(path: &Path) -> io::Result<()> {
    std::fs::create_dir(path)
}
