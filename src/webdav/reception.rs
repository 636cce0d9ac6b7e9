//! Taking a file up where its connection broke (paracloud.md §6.2, "Download"; RFC 9110 §14).
//!
//! Pure. Decides from an answer's head at which byte it begins and whether it is still the same file.

use http::header::{CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, ETAG, LAST_MODIFIED};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use thiserror::Error;

/// Why an answer cannot be taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub(super) enum Unfit {
    #[error("it was changed while it was read")]
    Changed,
    #[error("the server sent another part than it was asked for")]
    OtherPart,
    #[error("the server sent more or fewer bytes than the file has: it was changed meanwhile")]
    OtherLength,
    #[error("a web page came instead of the file, as a login or a proxy answers")]
    Page,
    #[error("the server answered without the file")]
    NoFile,
}

/// A file of which so much is here.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Reception {
    /// Bytes that were handed on.
    pub(super) offset: u64,
    identity: Option<Identity>,
    /// How long the file is, as its folder told, at least and at most.
    told: Option<(u64, u64)>,
}

/// A part of a file that is read while others may write it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct PartHead {
    /// How many bytes come first that are before the part.
    pub(super) skip: u64,
    /// How many bytes of the part this answer holds.
    pub(super) length: Option<u64>,
    /// How long the whole file is.
    pub(super) total: Option<u64>,
}

/// What tells one state of a file from another.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Identity {
    length: Option<u64>,
    etag: Option<HeaderValue>,
    modified: Option<HeaderValue>,
}

impl PartHead {
    /// Takes the head of an answer to a request for the bytes from `offset` on.
    ///
    /// A server without ranges sends the whole file. Then a web page is no file of ours: with a range it would be one
    /// that the job wrote.
    pub(super) fn accept(
        status: StatusCode,
        headers: &HeaderMap,
        offset: u64,
    ) -> Result<Self, Unfit> {
        match status {
            StatusCode::PARTIAL_CONTENT => match content_range(headers) {
                Some((first, last, total)) if first == offset && last >= first => Ok(Self {
                    skip: 0,
                    length: Some((last - first).saturating_add(1)),
                    total,
                }),
                Some(_) | None => Err(Unfit::OtherPart),
            },
            StatusCode::OK if is_page(headers) => Err(Unfit::Page),
            StatusCode::OK => {
                let total = number(headers.get(CONTENT_LENGTH));
                if total.is_some_and(|total| total < offset) {
                    return Err(Unfit::Changed);
                }
                Ok(Self {
                    skip: offset,
                    length: total.map(|total| total - offset),
                    total,
                })
            }
            _ => Err(Unfit::NoFile),
        }
    }
}

impl Reception {
    /// Nothing yet of a file of which the folder tells the length.
    pub(super) fn of(length: Option<u64>) -> Self {
        Self {
            told: length.map(|length| (length, length)),
            ..Self::default()
        }
    }

    /// The folder tells the length again: the file may have grown while it was asked for.
    pub(super) fn grown(&mut self, length: Option<u64>) {
        self.told = match (self.told, length) {
            (Some((least, most)), Some(length)) => Some((least, most.max(length))),
            (_, _) => None,
        };
    }

    /// The file's length, once an answer has told it.
    pub(super) fn length(&self) -> Option<u64> {
        self.identity.as_ref().and_then(|identity| identity.length)
    }

    /// Whether nothing is missing, as far as that can be known.
    pub(super) fn is_whole(&self) -> bool {
        match (self.length(), self.told) {
            (Some(length), _) => self.offset == length,
            (None, Some((least, _))) => self.offset >= least,
            (None, None) => true,
        }
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
            (StatusCode::OK, _) => (self.offset, number(headers.get(CONTENT_LENGTH))),
            (_, _) => return Err(Unfit::NoFile),
        };
        if let Some((least, most)) = self.told.filter(|_| self.offset == 0) {
            match length {
                Some(length) if (least..=most).contains(&length) => {}
                _ if is_page(headers) => return Err(Unfit::Page),
                Some(_) => return Err(Unfit::OtherLength),
                None => {}
            }
        }
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

/// First byte and whole length of a part.
fn number_range(headers: &HeaderMap) -> Option<(u64, Option<u64>)> {
    content_range(headers).map(|(first, _, length)| (first, length))
}

/// First byte, last byte and whole length in `bytes 5-9/10`; the length may be `*`.
fn content_range(headers: &HeaderMap) -> Option<(u64, u64, Option<u64>)> {
    let text = headers.get(CONTENT_RANGE)?.to_str().ok()?;
    let (range, length) = text.strip_prefix("bytes ")?.split_once('/')?;
    let (first, last) = range.split_once('-')?;
    Some((
        first.trim().parse().ok()?,
        last.trim().parse().ok()?,
        length.trim().parse().ok(),
    ))
}

/// Whether an answer is a web page.
fn is_page(headers: &HeaderMap) -> bool {
    let told = headers
        .get(CONTENT_TYPE)
        .and_then(|told| told.to_str().ok());
    told.is_some_and(|told| told.to_ascii_lowercase().contains("text/html"))
}

fn number(value: Option<&HeaderValue>) -> Option<u64> {
    value?.to_str().ok()?.trim().parse().ok()
}

fn value(headers: &HeaderMap, name: HeaderName) -> Option<HeaderValue> {
    headers.get(name).cloned()
}
