//! `--id-file`: where the ref is written beside standard output.

use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::path::Path;

use crate::error::{Error, Kind, Result};
use crate::model::{Job, ResourceRef};

/// `--id-file`, opened before the create leaves: a place that cannot be written is told while nothing has happened yet.
#[derive(Debug)]
pub(super) struct IdFile<'a> {
    path: &'a Path,
    file: File,
}

impl<'a> IdFile<'a> {
    pub(super) fn open(path: &'a Path) -> Result<Self> {
        // What it holds stays until there is a ref to put in its place.
        OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .open(path)
            .map(|file| Self { path, file })
            .map_err(|error| unwritable(path, &error).with_hint("nothing was submitted"))
    }

    /// Writes the ref of the job there is.
    pub(super) fn write(&mut self, job: &Job) -> Result<()> {
        self.write_refs(std::slice::from_ref(&job.job_ref))
    }

    /// Writes refs, one a line.
    pub(super) fn write_refs(&mut self, refs: &[ResourceRef]) -> Result<()> {
        // Devices and pipes, such as `/dev/fd/3`, have no length.
        let emptied = match self.file.metadata() {
            Ok(metadata) if metadata.is_file() => self.file.set_len(0),
            Ok(_) | Err(_) => Ok(()),
        };
        let lines: String = refs.iter().map(|job_ref| format!("{job_ref}\n")).collect();
        emptied
            .and_then(|()| self.file.write_all(lines.as_bytes()))
            .map_err(|error| {
                let error = unwritable(self.path, &error);
                let told = match refs {
                    [only] => error.with_job(only.to_string()),
                    _ => error,
                };
                told.with_hint("the job was submitted all the same")
            })
    }
}

fn unwritable(path: &Path, error: &io::Error) -> Error {
    Error::new(
        Kind::Usage,
        "id_file",
        format!("--id-file: `{}` cannot be written: {error}", path.display()),
    )
}
