//! `PUT`, `MKCOL` and `DELETE`.

use std::fs::{self, Permissions};
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use http::StatusCode;
use http::header::CONTENT_RANGE;
use tempfile::NamedTempFile;

use super::path::{Names, Spot};
use super::read::{check_match, entity_tag};
use super::{Outcome, Refusal, Share};
use crate::sandbox::service::{RawAnswer, RawRequest};

/// Takes the body as a file, in one step: nobody reads half of it.
pub(super) fn put(share: &Share<'_>, names: &Names, request: &RawRequest) -> Outcome {
    if request.headers.contains_key(CONTENT_RANGE) {
        return Err(Refusal::bad("a part of a file cannot be put"));
    }
    let spot = share.writable(names)?;
    if spot
        .entry
        .as_ref()
        .is_some_and(|entry| !entry.metadata.is_file())
    {
        return Err(Refusal::not_allowed("there is a folder of that name"));
    }
    let tag = spot.entry.as_ref().map(|entry| entity_tag(&entry.metadata));
    check_match(tag.as_deref(), request)?;
    // A link is written through, as long as it leads to a file of the share.
    let target = spot.entry.as_ref().map_or(&spot.path, |entry| &entry.real);
    match &request.upload {
        Some(upload) => {
            readable_by_jobs(upload.path())?;
            fs::rename(upload.path(), target)?;
        }
        None => write_beside(target, &request.body)?,
    }
    Ok(RawAnswer::empty(if tag.is_some() {
        StatusCode::NO_CONTENT
    } else {
        StatusCode::CREATED
    }))
}

/// Makes one folder.
pub(super) fn make_folder(share: &Share<'_>, names: &Names, request: &RawRequest) -> Outcome {
    if !request.body.is_empty() {
        return Err(Refusal::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "a folder is made without a body",
        ));
    }
    let spot = share.writable(names)?;
    if spot.entry.is_some() {
        return Err(Refusal::not_allowed("there is something of that name"));
    }
    fs::create_dir(&spot.path)?;
    Ok(RawAnswer::empty(StatusCode::CREATED))
}

/// Removes a file, or a folder with all in it; the root stays.
pub(super) fn delete(share: &Share<'_>, names: &Names, request: &RawRequest) -> Outcome {
    check_depth(request, &[])?;
    let spot = Spot::find(share.root, names)?.ok_or_else(Refusal::missing)?;
    let entry = spot.entry.as_ref().ok_or_else(Refusal::missing)?;
    if spot.is_root {
        return Err(Refusal::new(
            StatusCode::FORBIDDEN,
            "the volume itself is deleted through the API",
        ));
    }
    let tag = entity_tag(&entry.metadata);
    check_match(Some(&tag), request)?;
    remove(&spot.path)?;
    Ok(RawAnswer::empty(StatusCode::NO_CONTENT))
}

/// Removes what is at a path; of a link, the link.
pub(super) fn remove(path: &Path) -> std::io::Result<()> {
    if fs::symlink_metadata(path)?.is_dir() {
        fs::remove_dir_all(path)
    } else {
        fs::remove_file(path)
    }
}

/// `Depth` may be missing, `infinity` or one of these.
pub(super) fn check_depth(request: &RawRequest, others: &[&str]) -> Result<(), Refusal> {
    match request.header("depth").map(str::trim) {
        None => Ok(()),
        Some(depth) if depth.eq_ignore_ascii_case("infinity") || others.contains(&depth) => Ok(()),
        Some(depth) => Err(Refusal::bad(format!(
            "`Depth: {depth}` does not go with {}",
            request.method
        ))),
    }
}

/// Writes a new file beside the target and puts it in its place.
fn write_beside(target: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let folder = target.parent().unwrap_or(Path::new("/"));
    let mut file = NamedTempFile::new_in(folder)?;
    file.write_all(bytes)?;
    readable_by_jobs(file.path())?;
    file.persist(target).map_err(|error| error.error)?;
    Ok(())
}

/// Temporary files are the user's alone; a job may give up rights.
fn readable_by_jobs(path: &Path) -> std::io::Result<()> {
    fs::set_permissions(path, Permissions::from_mode(0o644))
}
