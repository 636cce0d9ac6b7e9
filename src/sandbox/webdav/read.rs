//! `GET` and `HEAD`, and what is told of a file.

use std::fs::{File, Metadata};
use std::sync::Arc;
use std::time::UNIX_EPOCH;

use http::header::{
    ACCEPT_RANGES, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, ETAG, HeaderName, IF_MATCH,
    IF_NONE_MATCH, IF_RANGE, LAST_MODIFIED, RANGE,
};
use http::{HeaderValue, Method, StatusCode};
use jiff::Timestamp;
use jiff::fmt::rfc2822::DateTimePrinter;

use super::path::Entry;
use super::range::{Part, part};
use super::{Outcome, Refusal};
use crate::sandbox::service::{FilePart, RawAnswer, RawRequest};

/// The media type of every file: the share does not look into them.
pub(super) const MEDIA_TYPE: &str = "application/octet-stream";

/// Gives a file, or the range of it that is asked for; a folder has no content (405).
pub(super) fn file(entry: &Entry, request: &RawRequest) -> Outcome {
    if entry.is_folder() {
        return Err(Refusal::not_allowed("this is a folder; PROPFIND lists it"));
    }
    if !entry.metadata.is_file() {
        return Err(Refusal::new(
            StatusCode::FORBIDDEN,
            "this is neither a file nor a folder",
        ));
    }
    let tag = entity_tag(&entry.metadata);
    check_match(Some(&tag), request)?;
    let head = |answer: RawAnswer| {
        let answer = text_header(answer, ETAG, &tag);
        text_header(answer, LAST_MODIFIED, &http_date(&entry.metadata))
            .with_header(ACCEPT_RANGES, HeaderValue::from_static("bytes"))
    };
    if names(request, &IF_NONE_MATCH, &tag) {
        return Ok(head(RawAnswer::empty(StatusCode::NOT_MODIFIED)));
    }
    let size = entry.metadata.len();
    // A range of another version of the file would be mixed with it.
    let is_this_version = request
        .header(IF_RANGE.as_str())
        .is_none_or(|wanted| wanted == tag);
    let wanted = request
        .header(RANGE.as_str())
        .filter(|_| request.method == Method::GET && is_this_version);
    let (status, start, length) = match part(wanted, size) {
        Part::Whole => (StatusCode::OK, 0, size),
        Part::Some { start, length } => (StatusCode::PARTIAL_CONTENT, start, length),
        Part::Unsatisfiable => {
            let answer = RawAnswer::text(
                StatusCode::RANGE_NOT_SATISFIABLE,
                format!("the file has {size} bytes\n"),
            );
            return Ok(text_header(
                answer,
                CONTENT_RANGE,
                &format!("bytes */{size}"),
            ));
        }
    };
    let mut answer = head(RawAnswer::empty(status))
        .with_header(CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE))
        .with_header(CONTENT_LENGTH, HeaderValue::from(length));
    if status == StatusCode::PARTIAL_CONTENT {
        let end = start + length - 1;
        answer = text_header(
            answer,
            CONTENT_RANGE,
            &format!("bytes {start}-{end}/{size}"),
        );
    }
    if request.method == Method::GET {
        answer.file = Some(FilePart {
            file: Arc::new(File::open(&entry.real)?),
            start,
            length,
        });
    }
    Ok(answer)
}

/// `If-Match` and, for writes, `If-None-Match` against what is there (RFC 9110 §13).
pub(super) fn check_match(tag: Option<&str>, request: &RawRequest) -> Result<(), Refusal> {
    if request.headers.contains_key(IF_MATCH)
        && !tag.is_some_and(|tag| names(request, &IF_MATCH, tag))
    {
        return Err(Refusal::precondition("`If-Match` names another version"));
    }
    let is_read = request.method == Method::GET || request.method == Method::HEAD;
    if !is_read && tag.is_some_and(|tag| names(request, &IF_NONE_MATCH, tag)) {
        return Err(Refusal::precondition(
            "it is there, which `If-None-Match` excludes",
        ));
    }
    Ok(())
}

/// The version of a file.
pub(super) fn entity_tag(metadata: &Metadata) -> String {
    let changed = metadata
        .modified()
        .ok()
        .and_then(|changed| changed.duration_since(UNIX_EPOCH).ok())
        .unwrap_or_default();
    format!("\"{:x}-{:x}\"", changed.as_nanos(), metadata.len())
}

/// When it was changed, as HTTP writes it.
pub(super) fn http_date(metadata: &Metadata) -> String {
    DateTimePrinter::new()
        .timestamp_to_rfc9110_string(&changed_at(metadata))
        .unwrap_or_default()
}

/// When it was changed.
pub(super) fn changed_at(metadata: &Metadata) -> Timestamp {
    metadata
        .modified()
        .ok()
        .and_then(|changed| Timestamp::try_from(changed).ok())
        .unwrap_or(Timestamp::UNIX_EPOCH)
}

/// Whether a condition names this version, or any.
fn names(request: &RawRequest, header: &HeaderName, tag: &str) -> bool {
    request.header(header.as_str()).is_some_and(|listed| {
        listed
            .split(',')
            .map(str::trim)
            .any(|one| one == "*" || one.trim_start_matches("W/") == tag)
    })
}

fn text_header(answer: RawAnswer, name: HeaderName, value: &str) -> RawAnswer {
    match HeaderValue::from_str(value) {
        Ok(value) => answer.with_header(name, value),
        Err(_) => answer,
    }
}
