//! `COPY` and `MOVE`.

use std::fs;
use std::path::Path;

use http::StatusCode;

use super::path::{Entry, Names, Spot};
use super::write::{check_depth, remove};
use super::{Outcome, Refusal, Share};
use crate::sandbox::service::{RawAnswer, RawRequest};

/// From where to where.
#[derive(Debug)]
struct Journey {
    from: Spot,
    source: Entry,
    to: Spot,
}

/// Copies a file, or a folder with all in it; with `Depth: 0`, an empty folder.
pub(super) fn copy(share: &Share<'_>, names: &Names, request: &RawRequest) -> Outcome {
    check_depth(request, &["0"])?;
    let Journey { source, to, .. } = journey(share, names, request)?;
    let existed = clear(&to, source.is_folder())?;
    if source.is_folder() {
        fs::create_dir(&to.path)?;
        if request.header("depth").map(str::trim) != Some("0") {
            copy_children(share.root, &source, &to.path)?;
        }
    } else {
        fs::copy(&source.real, &to.path)?;
    }
    Ok(done(existed))
}

/// Renames a file or folder, in one step where what is there is a file.
pub(super) fn rename(share: &Share<'_>, names: &Names, request: &RawRequest) -> Outcome {
    check_depth(request, &[])?;
    let Journey { from, source, to } = journey(share, names, request)?;
    let existed = clear(&to, source.is_folder())?;
    fs::rename(&from.path, &to.path)?;
    Ok(done(existed))
}

fn done(existed: bool) -> RawAnswer {
    RawAnswer::empty(if existed {
        StatusCode::NO_CONTENT
    } else {
        StatusCode::CREATED
    })
}

/// Both ends, checked: RFC 4918 §9.8.5 and §9.9.4.
fn journey(share: &Share<'_>, names: &Names, request: &RawRequest) -> Result<Journey, Refusal> {
    let mut from = Spot::find(share.root, names)?.ok_or_else(Refusal::missing)?;
    let source = from.entry.take().ok_or_else(Refusal::missing)?;
    let goal = destination(share, request)?;
    if from.is_root || goal.is_within(names) {
        return Err(Refusal::new(
            StatusCode::FORBIDDEN,
            "nothing goes to itself or into itself",
        ));
    }
    let overwrite = match request.header("overwrite").map(str::trim) {
        None | Some("T" | "t") => true,
        Some("F" | "f") => false,
        Some(other) => return Err(Refusal::bad(format!("`Overwrite: {other}` is not T or F"))),
    };
    let to = share.writable(&goal)?;
    if to.is_root || names.is_within(&goal) {
        return Err(Refusal::new(
            StatusCode::FORBIDDEN,
            "a folder cannot be replaced by something in it",
        ));
    }
    if to.entry.is_some() && !overwrite {
        return Err(Refusal::precondition(
            "the destination is there, and `Overwrite` is F",
        ));
    }
    Ok(Journey { from, source, to })
}

/// Where it shall go: an address of this very server, or a path.
fn destination(share: &Share<'_>, request: &RawRequest) -> Result<Names, Refusal> {
    let address = request
        .header("destination")
        .ok_or_else(|| Refusal::bad("`Destination` is missing"))?;
    let path = if address.starts_with('/') {
        address
    } else {
        let (_, rest) = address
            .split_once("://")
            .ok_or_else(|| Refusal::bad("`Destination` is no address"))?;
        let end = rest.find('/').unwrap_or(rest.len());
        let (authority, path) = rest.split_at_checked(end).unwrap_or((rest, ""));
        if !request
            .header("host")
            .is_some_and(|host| host.eq_ignore_ascii_case(authority))
        {
            return Err(Refusal::new(
                StatusCode::BAD_GATEWAY,
                "`Destination` is on another server",
            ));
        }
        path
    };
    let path = path.split(['?', '#']).next().unwrap_or_default();
    Names::of_path(path, share.prefix).ok_or_else(|| {
        Refusal::new(
            StatusCode::FORBIDDEN,
            "`Destination` is not a place in this volume",
        )
    })
}

/// Makes place at the destination; whether something was there. A file makes way by being replaced.
fn clear(to: &Spot, for_folder: bool) -> Result<bool, Refusal> {
    let Ok(metadata) = fs::symlink_metadata(&to.path) else {
        return Ok(false);
    };
    if metadata.is_dir() || metadata.is_symlink() || for_folder {
        remove(&to.path)?;
    }
    Ok(true)
}

/// Links to folders are left out: they could lead round and round.
fn copy_children(root: &Path, folder: &Entry, into: &Path) -> Result<(), Refusal> {
    for (name, child) in folder.children(root)? {
        let target = into.join(&name);
        if !child.is_folder() {
            fs::copy(&child.real, &target)?;
        } else if !fs::symlink_metadata(folder.real.join(&name))?.is_symlink() {
            fs::create_dir(&target)?;
            copy_children(root, &child, &target)?;
        }
    }
    Ok(())
}
