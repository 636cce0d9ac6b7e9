//! How a WebDAV server says yes and no (RFC 4918 §9 and §11; paracloud.md §6.2).
//!
//! The status decides; bodies of failures have no form, so only a plain text's first line is shown.

use http::StatusCode;

use crate::error::{Error, Kind};
use crate::http::Answer;
use crate::http::dialect::{Dialect, Repeat, Verdict};
use crate::http::retry::advice_of_status;
use crate::secret::Secret;

use super::requests::{DELETE_FILE, MOVE_FILE, READ_PROPERTIES};

const MASK: &str = "••••";

/// Reads answers about one volume.
#[derive(Debug, Clone)]
pub(super) struct WebdavDialect {
    /// Never shown, even if the server repeats it.
    pub(super) password: Secret,
}

impl Dialect for WebdavDialect {
    fn judge(&self, operation: &'static str, answer: &Answer) -> Verdict {
        let status = answer.status;
        if operation == READ_PROPERTIES && status.is_success() {
            return if status == StatusCode::MULTI_STATUS {
                Verdict::Success
            } else {
                useless(not_webdav(operation, answer))
            };
        }
        // A 207 tells of parts that failed; had all gone well it would be a 204 (§9.6.1, §9.9.2).
        if status == StatusCode::MULTI_STATUS && [DELETE_FILE, MOVE_FILE].contains(&operation) {
            let error = Error::new(
                Kind::Rejected,
                "partly_refused",
                format!("`{operation}` was refused in part"),
            );
            return useless(error.with_http(207, None, None));
        }
        if status.is_success() {
            return Verdict::Success;
        }
        Verdict::Failure {
            error: self.failure(operation, answer),
            repeat: match status {
                // A full volume stays full.
                StatusCode::INSUFFICIENT_STORAGE => Repeat::Useless,
                other => advice_of_status(other),
            },
        }
    }
}

impl WebdavDialect {
    fn failure(&self, operation: &str, answer: &Answer) -> Error {
        let status = answer.status.as_u16();
        let (kind, code, hint) = match status {
            300..=399 => (
                Kind::Protocol,
                "redirect",
                Some("redirects are never followed with a credential"),
            ),
            401 => (
                Kind::Auth,
                "unauthorized",
                Some(
                    "the kept credentials are not taken: the provider shows a volume's only once, so if they were \
                     changed, use the volume from jobs, or create another",
                ),
            ),
            403 => (Kind::Auth, "forbidden", None),
            404 => (Kind::NotFound, "file_not_found", None),
            413 => (Kind::Rejected, "file_too_large", None),
            507 => (
                Kind::Capacity,
                "volume_full",
                Some("remove files with `gpujob volumes rm`"),
            ),
            408 | 425 | 429 | 500..=599 => (Kind::Temporary, "server_error", None),
            _ => (Kind::Rejected, "rejected", None),
        };
        let details = match self.shown(answer) {
            Some(text) => format!(": {text}"),
            None => String::new(),
        };
        let error = Error::new(
            kind,
            code,
            format!("`{operation}` failed with HTTP {status}{details}"),
        )
        .with_http(
            status,
            None,
            answer.header("x-request-id").map(str::to_owned),
        );
        match hint {
            Some(hint) => error.with_hint(hint),
            None => error,
        }
    }

    /// The first line of a plain text; markup says nothing to people.
    fn shown(&self, answer: &Answer) -> Option<String> {
        let line = answer.first_line();
        if answer.looks_like_html() || line.starts_with('<') {
            return None;
        }
        let clean: String = line.chars().filter(|letter| !letter.is_control()).collect();
        let clean = if self.password.is_empty() {
            clean
        } else {
            clean.replace(self.password.expose(), MASK)
        };
        Some(clean.trim().to_owned()).filter(|text| !text.is_empty())
    }
}

/// An answer that no WebDAV server gives.
pub(super) fn not_webdav(operation: &str, answer: &Answer) -> Error {
    let status = answer.status.as_u16();
    Error::new(
        Kind::Protocol,
        "not_webdav",
        format!("`{operation}` was answered with HTTP {status} and no properties"),
    )
    .with_hint("check the proxy, and the volume's WebDAV address")
    .with_http(status, None, None)
}

fn useless(error: Error) -> Verdict {
    Verdict::Failure {
        error,
        repeat: Repeat::Useless,
    }
}
