//! Instants as the two products write and read them (pai-dlc.md §1.3).

use crate::model::Timestamp;

/// `YYYY-MM-DDThh:mm:ssZ`: PAI-DLC.
pub(super) fn seconds(instant: Timestamp) -> String {
    instant.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// The same, empty for an instant that has not come.
pub(super) fn seconds_or_empty(instant: Option<Timestamp>) -> String {
    instant.map(seconds).unwrap_or_default()
}

/// `YYYY-MM-DDThh:mm:ss.mmmZ`: `AIWorkspace`.
pub(super) fn milliseconds(instant: Timestamp) -> String {
    instant.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()
}

/// The form of an HTTP `Date`.
pub(super) fn http_date(instant: Timestamp) -> String {
    instant.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

/// Reads whole seconds in UTC, the only form that PAI-DLC documents.
pub(super) fn parse(text: &str) -> Option<Timestamp> {
    let form = b"dddd-dd-ddTdd:dd:ddZ";
    let fits = text.len() == form.len()
        && text.bytes().zip(form).all(|(byte, wanted)| {
            if *wanted == b'd' {
                byte.is_ascii_digit()
            } else {
                byte == *wanted
            }
        });
    if fits { text.parse().ok() } else { None }
}

/// Whole seconds from one instant to a later one.
pub(super) fn elapsed_seconds(from: Timestamp, to: Timestamp) -> i64 {
    to.as_second().saturating_sub(from.as_second()).max(0)
}
