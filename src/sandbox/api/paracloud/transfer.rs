//! The transfer service of volumes: WebDAV with one user per volume (paracloud.md §6 and §10).
//!
//! It serves the very folder that jobs mount. Its address has a path of this server, and below it the user's root is the
//! volume's.

use std::time::Duration;

use http::header::WWW_AUTHENTICATE;
use http::{HeaderMap, HeaderValue, Method, StatusCode};

use crate::sandbox::auth::basic::{self, Account, Lockout, Refused, Rule};
use crate::sandbox::clock::Clock;
use crate::sandbox::process::Launcher;
use crate::sandbox::service::{Intake, RawAnswer, RawRequest};
use crate::sandbox::webdav::Share;

use super::model::{SERVICE, Volume, World};
use super::switches::seconds;

/// The path of the service on this server.
pub(super) const PREFIX: &str = "/webdav";

/// No failure counts against another request: the vendor's guard is not documented.
const RULE: Rule = Rule {
    failures: u32::MAX,
    within: Duration::ZERO,
    lasts: Duration::ZERO,
};

/// What a user may do it with: the share's surroundings, read before the files are touched.
#[derive(Debug)]
pub(super) struct Access {
    volume: String,
    missing_parent: StatusCode,
    refuse_writes: Option<StatusCode>,
}

/// Whether a request is for the transfer service, which has credentials of its own.
pub(super) fn is_transfer(request: &RawRequest) -> bool {
    request
        .path()
        .strip_prefix(PREFIX)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// The volume that the credentials are for; `None` is a 401.
pub(super) fn admit(world: &World, headers: &HeaderMap, clock: &Clock) -> Option<Access> {
    let volume = user(world, headers, clock)
        .inspect_err(|refused| log::info!("{SERVICE}: transfer: {refused}"))
        .ok()?;
    if !clock.has_passed(volume.created, seconds(world.switches.transfer_ready_s)) {
        log::info!("{SERVICE}: transfer: the user is not known yet, by a switch");
        return None;
    }
    let status = |code: u16| StatusCode::from_u16(code).ok();
    Some(Access {
        volume: volume.id.clone(),
        missing_parent: status(world.switches.transfer_missing_parent)
            .unwrap_or(StatusCode::CONFLICT),
        refuse_writes: world.switches.transfer_refuse_writes.and_then(status),
    })
}

/// Where a body goes: contents of files to the file system of the volumes.
pub(super) fn intake(access: Option<&Access>, method: &Method, launcher: &Launcher) -> Intake {
    match access {
        None => Intake::Nowhere,
        Some(_) if *method == Method::PUT => launcher
            .upload_directory()
            .map_or(Intake::Memory, Intake::File),
        Some(_) => Intake::Memory,
    }
}

/// Does what is asked for on the volume's files.
pub(super) fn answer(access: &Access, request: &RawRequest, launcher: &Launcher) -> RawAnswer {
    if let Some(status) = access.refuse_writes
        && changes_files(&request.method)
    {
        return RawAnswer::text(status, "refused, by a switch\n");
    }
    match launcher.volume_directory(SERVICE, &access.volume) {
        Ok(root) => Share {
            prefix: PREFIX,
            root: &root,
            missing_parent: access.missing_parent,
        }
        .answer(request),
        Err(error) => RawAnswer::text(
            StatusCode::INTERNAL_SERVER_ERROR,
            format!("the volume's folder cannot be made: {error}\n"),
        ),
    }
}

/// The name of a request for fault rules and counts.
pub(super) fn operation_name(method: &Method) -> &'static str {
    match method.as_str() {
        "GET" | "HEAD" => "ReadFile",
        "PUT" => "WriteFile",
        "PROPFIND" => "ListFiles",
        "MKCOL" => "MakeFolder",
        "COPY" | "MOVE" => "MoveFile",
        "DELETE" => "DeleteFile",
        _ => "TransferOptions",
    }
}

fn changes_files(method: &Method) -> bool {
    ["PUT", "MKCOL", "COPY", "MOVE"].contains(&method.as_str())
}

fn user<'a>(world: &'a World, headers: &HeaderMap, clock: &Clock) -> Result<&'a Volume, Refused> {
    let accounts: Vec<Account> = world
        .volumes
        .iter()
        .filter_map(|volume| volume.transfer.as_ref())
        .map(|transfer| Account {
            username: transfer.username.clone(),
            password: transfer.password.clone(),
        })
        .collect();
    let account = basic::verify(headers, &accounts, &mut Lockout::default(), &RULE, clock)?;
    let is_theirs = |volume: &&Volume| {
        volume
            .transfer
            .as_ref()
            .is_some_and(|transfer| transfer.username == account.username)
    };
    world
        .volumes
        .iter()
        .find(is_theirs)
        .ok_or(Refused::UnknownUser)
}

/// The answer to credentials of nobody.
pub(super) fn unauthorized() -> RawAnswer {
    RawAnswer::text(StatusCode::UNAUTHORIZED, "unauthorized\n").with_header(
        WWW_AUTHENTICATE,
        HeaderValue::from_static("Basic realm=\"volume\""),
    )
}
