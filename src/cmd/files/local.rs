//! Files on this machine: where a transfer's bytes come from and go to. None is ever held whole.

use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use futures_util::StreamExt as _;
use futures_util::stream::{self, BoxStream};
use tempfile::{NamedTempFile, TempPath};

use crate::error::{Error, Kind, Result};
use crate::http::BodySource;
use crate::provider::FileSink;
use crate::ui::Ui;

/// Read and sent at once.
const PIECE: usize = 256 * 1024;
/// A length that nobody told.
pub(super) const UNKNOWN: u64 = u64::MAX;

/// The name that a file keeps in a folder; standard input has none.
pub(super) fn name_of(local: &str) -> Option<&str> {
    if local == "-" {
        return None;
    }
    Path::new(local).file_name().and_then(|name| name.to_str())
}

/// A file to send.
#[derive(Debug)]
pub(super) struct LocalFile {
    path: PathBuf,
    length: u64,
    /// Removed at the end, where it only keeps what came from standard input.
    _temporary: Option<TempPath>,
}

impl LocalFile {
    /// A regular file; its length is that of now.
    pub(super) fn open(local: &str) -> Result<Self> {
        let unusable = |why: String| {
            Error::new(
                Kind::Usage,
                "unreadable_file",
                format!("`{local}` cannot be sent: {why}"),
            )
        };
        let file = File::open(local).map_err(|error| unusable(error.to_string()))?;
        let facts = file
            .metadata()
            .map_err(|error| unusable(error.to_string()))?;
        if facts.is_dir() {
            return Err(unusable("it is a folder".to_owned())
                .with_hint("pack it: `tar c FOLDER | gpujob volumes put - VOLUME:PATH.tar`"));
        }
        if !facts.is_file() {
            return Err(unusable("it is no regular file".to_owned()).with_hint(
                "what has no length beforehand goes through standard input: `gpujob volumes put - VOLUME:PATH`",
            ));
        }
        Ok(Self {
            path: local.into(),
            length: facts.len(),
            _temporary: None,
        })
    }

    /// All of standard input, kept in a file that only we can read. Blocks.
    pub(super) fn from_standard_input() -> Result<Self> {
        let kept = || -> io::Result<(TempPath, u64)> {
            let mut file = NamedTempFile::with_prefix("gpujob-")?;
            let length = io::copy(&mut io::stdin().lock(), &mut file)?;
            file.flush()?;
            Ok((file.into_temp_path(), length))
        };
        let (path, length) = kept().map_err(|error| {
            Error::new(
                Kind::Usage,
                "unreadable_file",
                format!("standard input cannot be kept for sending: {error}"),
            )
            .with_hint("set `TMPDIR` to a folder with room for it")
        })?;
        Ok(Self {
            path: path.to_path_buf(),
            length,
            _temporary: Some(path),
        })
    }
}

impl BodySource for LocalFile {
    fn length(&self) -> u64 {
        self.length
    }

    /// Never more than the announced length; less is an error, since the file has changed.
    fn open(&self) -> io::Result<BoxStream<'static, io::Result<Bytes>>> {
        let file = File::open(&self.path)?;
        let left = self.length;
        Ok(
            stream::try_unfold((file, left), |(mut file, left)| async move {
                let wanted = usize::try_from(left).unwrap_or(PIECE).min(PIECE);
                if wanted == 0 {
                    return Ok(None);
                }
                // A read from the disk is shorter than a way to another thread and back.
                let mut piece = vec![0; wanted];
                let read = file.read(&mut piece)?;
                if read == 0 {
                    return Err(io::Error::new(
                        io::ErrorKind::UnexpectedEof,
                        "the file became shorter while it was sent",
                    ));
                }
                piece.truncate(read);
                let left = left - u64::try_from(read).unwrap_or(left);
                Ok(Some((Bytes::from(piece), (file, left))))
            })
            .boxed(),
        )
    }
}

/// A source that counts what is taken from it.
#[derive(Debug)]
pub(super) struct Counted {
    source: LocalFile,
    taken: Arc<AtomicU64>,
}

impl Counted {
    pub(super) fn new(source: LocalFile, taken: Arc<AtomicU64>) -> Self {
        Self { source, taken }
    }
}

impl BodySource for Counted {
    fn length(&self) -> u64 {
        self.source.length()
    }

    fn open(&self) -> io::Result<BoxStream<'static, io::Result<Bytes>>> {
        let taken = Arc::clone(&self.taken);
        taken.store(0, Ordering::Relaxed);
        let pieces = self.source.open()?;
        Ok(pieces
            .inspect(move |piece| {
                if let Ok(piece) = piece {
                    let count = u64::try_from(piece.len()).unwrap_or_default();
                    taken.fetch_add(count, Ordering::Relaxed);
                }
            })
            .boxed())
    }
}

/// A file to write: under another name until it is whole.
#[derive(Debug)]
pub(super) struct Destination {
    path: PathBuf,
    part: NamedTempFile,
    written: Arc<AtomicU64>,
    length: Arc<AtomicU64>,
}

impl Destination {
    /// In place of `local`, or under `name` where that is a folder.
    pub(super) fn new(local: &str, name: &str) -> Result<Self> {
        let mut path = PathBuf::from(local);
        if path.is_dir() || local.ends_with('/') {
            path.push(name);
        }
        let folder = match path.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            Some(_) | None => Path::new("."),
        };
        let part = tempfile::Builder::new()
            .prefix(".gpujob-part-")
            .permissions(permissions(&path))
            .tempfile_in(folder)
            .map_err(|error| unwritable(&path, &error))?;
        Ok(Self {
            path,
            part,
            written: Arc::new(AtomicU64::new(0)),
            length: Arc::new(AtomicU64::new(UNKNOWN)),
        })
    }

    /// How many bytes are here.
    pub(super) fn moved(&self) -> Arc<AtomicU64> {
        Arc::clone(&self.written)
    }

    /// How many there will be, once that is told.
    pub(super) fn length(&self) -> Arc<AtomicU64> {
        Arc::clone(&self.length)
    }

    /// Gives the whole file its name.
    pub(super) fn finish(self) -> Result<PathBuf> {
        let Self { path, part, .. } = self;
        part.persist(&path)
            .map_err(|error| unwritable(&path, &error.error))?;
        Ok(path)
    }
}

impl FileSink for Destination {
    fn begin(&mut self, length: Option<u64>) {
        self.length
            .store(length.unwrap_or(UNKNOWN), Ordering::Relaxed);
    }

    fn write(&mut self, bytes: &[u8]) -> Result<bool> {
        self.part
            .write_all(bytes)
            .map_err(|error| unwritable(&self.path, &error))?;
        let count = u64::try_from(bytes.len()).unwrap_or_default();
        self.written.fetch_add(count, Ordering::Relaxed);
        Ok(true)
    }
}

/// Standard output: the bytes as they are. A reader that has gone ends it well.
#[derive(Debug)]
pub(super) struct StandardOutput<'a> {
    ui: &'a Ui,
}

impl<'a> StandardOutput<'a> {
    pub(super) fn new(ui: &'a Ui) -> Self {
        Self { ui }
    }
}

impl FileSink for StandardOutput<'_> {
    fn begin(&mut self, _length: Option<u64>) {}

    fn write(&mut self, bytes: &[u8]) -> Result<bool> {
        self.ui.print_bytes(bytes)?;
        Ok(!self.ui.is_closed())
    }
}

/// Those of the file that is replaced, else the usual ones of this process.
fn permissions(path: &Path) -> std::fs::Permissions {
    use std::os::unix::fs::PermissionsExt as _;
    match std::fs::metadata(path) {
        Ok(facts) if facts.is_file() => facts.permissions(),
        // The process's mask takes away what it should.
        Ok(_) | Err(_) => std::fs::Permissions::from_mode(0o666),
    }
}

fn unwritable(path: &Path, error: &io::Error) -> Error {
    Error::new(
        Kind::Usage,
        "unwritable_file",
        format!("`{}` cannot be written: {error}", path.display()),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn all(source: &dyn BodySource) -> io::Result<Vec<u8>> {
        let mut pieces = source.open()?;
        let mut bytes = Vec::new();
        while let Some(piece) = pieces.next().await {
            bytes.extend_from_slice(&piece?);
        }
        Ok(bytes)
    }

    #[tokio::test]
    async fn a_file_is_read_in_pieces_as_often_as_wanted() {
        let mut file = NamedTempFile::new().unwrap();
        let bytes: Vec<u8> = (0..=250).cycle().take(PIECE + 7).collect();
        file.write_all(&bytes).unwrap();
        let taken = Arc::new(AtomicU64::new(0));
        let source = LocalFile::open(file.path().to_str().unwrap()).unwrap();
        let source = Counted::new(source, Arc::clone(&taken));
        for _ in 0..2 {
            assert_eq!(all(&source).await.unwrap(), bytes);
            assert_eq!(taken.load(Ordering::Relaxed), source.length());
        }
    }

    #[tokio::test]
    async fn a_file_that_grows_or_shrinks_while_it_is_sent_keeps_its_length_or_fails() {
        let mut file = NamedTempFile::new().unwrap();
        file.write_all(b"0123456789").unwrap();
        let source = LocalFile::open(file.path().to_str().unwrap()).unwrap();
        file.write_all(b"more").unwrap();
        assert_eq!(all(&source).await.unwrap(), b"0123456789");
        file.as_file().set_len(3).unwrap();
        let error = all(&source).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof);
    }

    #[test]
    fn a_destination_has_its_name_only_when_it_is_whole() {
        let folder = tempfile::tempdir().unwrap();
        let local = folder.path().join("out.bin");
        let mut destination = Destination::new(local.to_str().unwrap(), "x").unwrap();
        assert!(destination.write(b"abc").unwrap());
        assert!(!local.exists());
        destination.finish().unwrap();
        assert_eq!(std::fs::read(&local).unwrap(), b"abc");
        let named = Destination::new(folder.path().to_str().unwrap(), "x").unwrap();
        assert_eq!(named.finish().unwrap(), folder.path().join("x"));
        let nowhere = folder.path().join("no/such/x");
        let error = Destination::new(nowhere.to_str().unwrap(), "x").unwrap_err();
        assert_eq!(error.code(), "unwritable_file");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 2);
    }

    #[test]
    fn folders_and_missing_files_cannot_be_sent() {
        let folder = tempfile::tempdir().unwrap();
        let error = LocalFile::open(folder.path().to_str().unwrap()).unwrap_err();
        assert!(error.details().hint.as_ref().unwrap().contains("tar"));
        let missing = folder.path().join("missing");
        let error = LocalFile::open(missing.to_str().unwrap()).unwrap_err();
        assert_eq!(
            (error.kind(), error.code()),
            (Kind::Usage, "unreadable_file")
        );
    }
}
