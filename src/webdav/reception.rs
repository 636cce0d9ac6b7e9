//! Taking a file up where its connection broke (paracloud.md §6.2, "Download"; RFC 9110 §14).
//!
//! Pure. Decides from an answer's head at which byte it begins and whether it is still the same file.

use http::header::{CONTENT_LENGTH, CONTENT_RANGE, ETAG, LAST_MODIFIED};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use thiserror::Error;

/// Why an answer cannot be taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub(super) enum Unfit {
    #[error("it was changed while it was read")]
    Changed,
    #[error("the server sent another part than it was asked for")]
    OtherPart,
}

/// A file of which so much is here.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Reception {
    /// Bytes that were handed on.
    pub(super) offset: u64,
    identity: Option<Identity>,
}

/// What tells one state of a file from another.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Identity {
    length: Option<u64>,
    etag: Option<HeaderValue>,
    modified: Option<HeaderValue>,
}

impl Reception {
    /// The file's length, once an answer has told it.
    pub(super) fn length(&self) -> Option<u64> {
        self.identity.as_ref().and_then(|identity| identity.length)
    }

    /// Whether nothing is missing, as far as that can be known.
    pub(super) fn is_whole(&self) -> bool {
        self.length().is_none_or(|length| self.offset == length)
    }

    /// What a server compares before it sends only the rest: a strong tag, or nothing.
    pub(super) fn validator(&self) -> Option<&HeaderValue> {
        self.identity
            .as_ref()
            .and_then(|identity| identity.etag.as_ref())
            .filter(|tag| !tag.as_bytes().starts_with(b"W/"))
    }

    /// Takes an answer's head: how many of its bytes are here already.
    pub(super) fn accept(&mut self, status: StatusCode, headers: &HeaderMap) -> Result<u64, Unfit> {
        let range = number_range(headers);
        let (skipped, length) = match (status, range) {
            (StatusCode::PARTIAL_CONTENT, Some((first, length))) => {
                if self.offset == 0 || first != self.offset {
                    return Err(Unfit::OtherPart);
                }
                (0, length)
            }
            (StatusCode::PARTIAL_CONTENT, None) => return Err(Unfit::OtherPart),
            // The server starts over.
            (_, _) => (self.offset, number(headers.get(CONTENT_LENGTH))),
        };
        let found = Identity {
            length,
            etag: value(headers, ETAG),
            modified: value(headers, LAST_MODIFIED),
        };
        match &self.identity {
            Some(known) if self.offset > 0 && !known.is_the_same_as(&found) => Err(Unfit::Changed),
            Some(_) if self.offset > 0 => Ok(skipped),
            Some(_) | None => {
                self.identity = Some(found);
                Ok(skipped)
            }
        }
    }
}

impl Identity {
    /// What both tell must agree; a tag decides before a time.
    fn is_the_same_as(&self, other: &Self) -> bool {
        let agree = |one: &Option<HeaderValue>, two: &Option<HeaderValue>| match (one, two) {
            (Some(one), Some(two)) => Some(one == two),
            (_, _) => None,
        };
        let lengths_agree = match (self.length, other.length) {
            (Some(one), Some(two)) => one == two,
            (_, _) => true,
        };
        lengths_agree
            && agree(&self.etag, &other.etag)
                .or_else(|| agree(&self.modified, &other.modified))
                .unwrap_or(true)
    }
}

/// First byte and whole length in `bytes 5-9/10`; the length may be `*`.
fn number_range(headers: &HeaderMap) -> Option<(u64, Option<u64>)> {
    let text = headers.get(CONTENT_RANGE)?.to_str().ok()?;
    let (range, length) = text.strip_prefix("bytes ")?.split_once('/')?;
    let (first, _) = range.split_once('-')?;
    Some((first.trim().parse().ok()?, length.trim().parse().ok()))
}

fn number(value: Option<&HeaderValue>) -> Option<u64> {
    value?.to_str().ok()?.trim().parse().ok()
}

fn value(headers: &HeaderMap, name: HeaderName) -> Option<HeaderValue> {
    headers.get(name).cloned()
}
