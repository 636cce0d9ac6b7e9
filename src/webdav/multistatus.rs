//! The answers to PROPFIND, and to a DELETE that failed in part: `multistatus` (RFC 4918 §13 and §14).
//!
//! Names count by namespace, never by prefix, and unknown elements are ignored (§17). What the grammar demands and is
//! not there is an error: half an answer is never taken for a whole one.

use roxmltree::{Document, Node, ParsingOptions};
use thiserror::Error;

use crate::http::retry::http_date;
use crate::model::Timestamp;

const DAV: &str = "DAV:";
/// A folder with more entries than this is no folder for people; each entry takes about ten nodes.
const MOST_NODES: u32 = 10_000_000;

/// What one entry of an answer tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    /// As it stands: percent-encoded, an absolute path or a whole URL.
    pub(super) href: String,
    pub(super) is_folder: bool,
    pub(super) length: Option<u64>,
    pub(super) modified: Option<Timestamp>,
}

/// Why a body is no multistatus.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub(super) enum Malformed {
    #[error("is no UTF-8 text")]
    Encoding,
    #[error("is no XML: {0}")]
    Xml(String),
    #[error("is `{0}`, not a `multistatus`")]
    Root(String),
    #[error("has a `{within}` without `{missing}`")]
    Missing {
        within: &'static str,
        missing: &'static str,
    },
    #[error("has the {what} `{text}`")]
    Bad { what: &'static str, text: String },
}

/// The entries whose properties were told; those that are gone meanwhile are left out.
pub(super) fn entries(body: &[u8]) -> Result<Vec<Entry>, Malformed> {
    let text = std::str::from_utf8(body).map_err(|_| Malformed::Encoding)?;
    let document = parsed(text)?;
    let mut entries = Vec::new();
    for response in responses(&document)? {
        let href = href(response)?;
        if let Some(status) = child(response, "status") {
            // The entry as a whole: without properties it is of no use, whatever the status.
            status_code(status)?;
            continue;
        }
        entries.extend(told(response, href)?);
    }
    Ok(entries)
}

/// What failed, by href, in an answer that says so for each part (§9.6.1).
pub(super) fn failures(body: &[u8]) -> Result<Vec<(String, u16)>, Malformed> {
    let text = std::str::from_utf8(body).map_err(|_| Malformed::Encoding)?;
    let document = parsed(text)?;
    let mut failures = Vec::new();
    for response in responses(&document)? {
        let status = child(response, "status").ok_or(Malformed::Missing {
            within: "response",
            missing: "status",
        })?;
        let code = status_code(status)?;
        if !(200..300).contains(&code) {
            let hrefs = response.children().filter(|node| is(*node, "href"));
            failures.extend(hrefs.map(|node| (text_of(node), code)));
        }
    }
    Ok(failures)
}

/// No document type: entities could make a small answer a huge one, and WebDAV needs none.
fn parsed(text: &str) -> Result<Document<'_>, Malformed> {
    let options = ParsingOptions {
        allow_dtd: false,
        nodes_limit: MOST_NODES,
        ..ParsingOptions::default()
    };
    Document::parse_with_options(text, options).map_err(|error| Malformed::Xml(error.to_string()))
}

fn responses<'a>(document: &'a Document<'a>) -> Result<Vec<Node<'a, 'a>>, Malformed> {
    let root = document.root_element();
    if !is(root, "multistatus") {
        return Err(Malformed::Root(root.tag_name().name().to_owned()));
    }
    Ok(root
        .children()
        .filter(|node| is(*node, "response"))
        .collect())
}

/// The entry of the properties that were found; `None` if none was.
fn told(response: Node<'_, '_>, href: String) -> Result<Option<Entry>, Malformed> {
    let mut entry = Entry {
        href,
        is_folder: false,
        length: None,
        modified: None,
    };
    let (mut groups, mut found) = (0, false);
    for group in response.children().filter(|node| is(*node, "propstat")) {
        groups += 1;
        let status = child(group, "status").ok_or(Malformed::Missing {
            within: "propstat",
            missing: "status",
        })?;
        let properties = child(group, "prop").ok_or(Malformed::Missing {
            within: "propstat",
            missing: "prop",
        })?;
        // Properties that an entry does not have come in a group of their own, with 404.
        if (200..300).contains(&status_code(status)?) {
            found = true;
            read_properties(properties, &mut entry)?;
        }
    }
    if groups == 0 {
        return Err(Malformed::Missing {
            within: "response",
            missing: "propstat",
        });
    }
    Ok(found.then_some(entry))
}

fn read_properties(properties: Node<'_, '_>, entry: &mut Entry) -> Result<(), Malformed> {
    if let Some(kind) = child(properties, "resourcetype") {
        entry.is_folder = child(kind, "collection").is_some();
    }
    if let Some(length) = child(properties, "getcontentlength") {
        let text = text_of(length);
        // Folders of some servers have an empty one.
        if !text.is_empty() {
            entry.length = Some(text.parse().map_err(|_| Malformed::Bad {
                what: "length",
                text,
            })?);
        }
    }
    if let Some(modified) = child(properties, "getlastmodified") {
        entry.modified = http_date(&text_of(modified));
    }
    Ok(())
}

fn href(response: Node<'_, '_>) -> Result<String, Malformed> {
    let href = child(response, "href").map(text_of).unwrap_or_default();
    if href.is_empty() {
        return Err(Malformed::Missing {
            within: "response",
            missing: "href",
        });
    }
    Ok(href)
}

/// The number in `HTTP/1.1 200 OK`.
fn status_code(status: Node<'_, '_>) -> Result<u16, Malformed> {
    let text = text_of(status);
    let code = text
        .split_ascii_whitespace()
        .nth(1)
        .and_then(|word| word.parse().ok())
        .filter(|code| (100..600).contains(code));
    code.filter(|_| text.starts_with("HTTP/"))
        .ok_or(Malformed::Bad {
            what: "status line",
            text,
        })
}

fn child<'a>(node: Node<'a, 'a>, name: &str) -> Option<Node<'a, 'a>> {
    node.children().find(|child| is(*child, name))
}

fn is(node: Node<'_, '_>, name: &str) -> bool {
    node.tag_name().name() == name && node.tag_name().namespace() == Some(DAV)
}

fn text_of(node: Node<'_, '_>) -> String {
    let text: String = node
        .children()
        .filter_map(|child| child.is_text().then(|| child.text()).flatten())
        .collect();
    text.trim().to_owned()
}
