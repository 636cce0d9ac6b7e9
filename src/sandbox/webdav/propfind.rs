//! `PROPFIND`: what a file or folder is, and what a folder holds (RFC 4918 §9.1).
//!
//! `Depth: infinity`, which is also meant when the header is missing, is refused as the RFC allows and as common servers
//! do; a client has no need of it (paracloud.md §6.2).

use std::borrow::Cow;

use http::header::CONTENT_TYPE;
use http::{HeaderValue, StatusCode};

use super::path::{Entry, Names};
use super::read::{MEDIA_TYPE, changed_at, entity_tag, http_date};
use super::scan::{DAV, Property, Wanted, wanted};
use super::{Outcome, Refusal, Share};
use crate::sandbox::service::{RawAnswer, RawRequest};

/// The properties that files have; folders lack the middle three.
const PROPERTIES: [&str; 7] = [
    "resourcetype",
    "displayname",
    "getcontentlength",
    "getcontenttype",
    "getetag",
    "getlastmodified",
    "creationdate",
];

/// Answers a `PROPFIND` of something that is there.
pub(super) fn answer(
    share: &Share<'_>,
    names: &Names,
    entry: &Entry,
    request: &RawRequest,
) -> Outcome {
    let with_children = match request.header("depth").map(str::trim) {
        Some("0") => false,
        Some("1") => true,
        Some(depth) if !depth.eq_ignore_ascii_case("infinity") => {
            return Err(Refusal::bad(format!(
                "`Depth: {depth}` is not 0, 1 or infinity"
            )));
        }
        Some(_) | None => {
            return Ok(xml(
                StatusCode::FORBIDDEN,
                "<D:error xmlns:D=\"DAV:\"><D:propfind-finite-depth/></D:error>",
            ));
        }
    };
    let body =
        std::str::from_utf8(&request.body).map_err(|_| Refusal::bad("the body is no text"))?;
    let wanted =
        wanted(body).map_err(|why| Refusal::bad(format!("the body is no propfind: {why}")))?;
    let mut responses = response(share, names, entry, &wanted);
    if with_children && entry.is_folder() {
        for (name, child) in entry.children(share.root)? {
            responses.push_str(&response(share, &names.with(&name), &child, &wanted));
        }
    }
    Ok(xml(
        StatusCode::MULTI_STATUS,
        &format!("<D:multistatus xmlns:D=\"DAV:\">{responses}</D:multistatus>"),
    ))
}

fn xml(status: StatusCode, element: &str) -> RawAnswer {
    RawAnswer::text(
        status,
        format!("<?xml version=\"1.0\" encoding=\"utf-8\"?>{element}"),
    )
    .with_header(
        CONTENT_TYPE,
        HeaderValue::from_static("application/xml; charset=utf-8"),
    )
}

fn response(share: &Share<'_>, names: &Names, entry: &Entry, wanted: &Wanted) -> String {
    let href = names.href(share.prefix, entry.is_folder());
    let all = || {
        PROPERTIES
            .iter()
            .filter_map(|name| Some((*name, value(name, names, entry)?)))
    };
    let (mut there, mut missing) = (String::new(), String::new());
    match wanted {
        Wanted::All => {
            for (name, value) in all() {
                there.push_str(&format_property(name, &value));
            }
        }
        Wanted::Names => {
            for (name, _) in all() {
                there.push_str(&format_property(name, ""));
            }
        }
        Wanted::These(properties) => {
            for property in properties {
                match value_of(property, names, entry) {
                    Some(value) => there.push_str(&format_property(&property.name, &value)),
                    None => missing.push_str(&unknown(property)),
                }
            }
        }
    }
    let mut response = format!("<D:response><D:href>{href}</D:href>");
    if !there.is_empty() || missing.is_empty() {
        response.push_str(&propstat(&there, "200 OK"));
    }
    if !missing.is_empty() {
        response.push_str(&propstat(&missing, "404 Not Found"));
    }
    response.push_str("</D:response>");
    response
}

fn propstat(properties: &str, status: &str) -> String {
    format!(
        "<D:propstat><D:prop>{properties}</D:prop><D:status>HTTP/1.1 {status}</D:status></D:propstat>"
    )
}

fn format_property(name: &str, value: &str) -> String {
    if value.is_empty() {
        return format!("<D:{name}/>");
    }
    format!("<D:{name}>{value}</D:{name}>")
}

/// A property that nothing here has, under its own namespace. A name that is none is left out.
fn unknown(property: &Property) -> String {
    let is_name = |character: char| character.is_alphanumeric() || "_-.".contains(character);
    if !property.name.chars().all(is_name) {
        return String::new();
    }
    if property.namespace == DAV {
        return format_property(&property.name, "");
    }
    format!(
        "<{} xmlns=\"{}\"/>",
        property.name,
        escaped(&property.namespace)
    )
}

fn value_of(property: &Property, names: &Names, entry: &Entry) -> Option<String> {
    (property.namespace == DAV)
        .then(|| value(&property.name, names, entry))
        .flatten()
}

/// The value of one property; empty where the property has none, and `None` where there is no such property.
fn value(name: &str, names: &Names, entry: &Entry) -> Option<String> {
    let of_file = |value: String| (!entry.is_folder()).then_some(value);
    match name {
        "resourcetype" => Some(if entry.is_folder() {
            "<D:collection/>".to_owned()
        } else {
            String::new()
        }),
        "displayname" => Some(escaped(&names.last().to_string_lossy()).into_owned()),
        "getcontentlength" => of_file(entry.metadata.len().to_string()),
        "getcontenttype" => of_file(MEDIA_TYPE.to_owned()),
        "getetag" => of_file(escaped(&entity_tag(&entry.metadata)).into_owned()),
        "getlastmodified" => Some(http_date(&entry.metadata)),
        "creationdate" => Some(format!("{:.0}", changed_at(&entry.metadata))),
        _ => None,
    }
}

/// Text as XML writes it; what XML cannot hold at all becomes a replacement character.
fn escaped(text: &str) -> Cow<'_, str> {
    let is_plain = |character: char| !"<>&\"'".contains(character) && !is_forbidden(character);
    if text.chars().all(is_plain) {
        return Cow::Borrowed(text);
    }
    let mut escaped = String::with_capacity(text.len() + 8);
    for character in text.chars() {
        match character {
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '&' => escaped.push_str("&amp;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&apos;"),
            character if is_forbidden(character) => escaped.push('\u{fffd}'),
            character => escaped.push(character),
        }
    }
    Cow::Owned(escaped)
}

fn is_forbidden(character: char) -> bool {
    (character < ' ' && !"\t\n\r".contains(character))
        || ['\u{fffe}', '\u{ffff}'].contains(&character)
}
