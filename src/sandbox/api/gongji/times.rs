//! Instants in the forms that the service writes, each operation its own (gongji.md §2.1, §2.2, §2.4, §4.2).

use jiff::Zoned;
use jiff::tz::{Offset, TimeZone};

use crate::model::Timestamp;

/// The service's own zone.
pub(super) fn local(instant: Timestamp) -> Zoned {
    instant.to_zoned(TimeZone::fixed(Offset::constant(8)))
}

/// `2026-04-21T09:01:23.441992+08:00`: details and storage.
pub(super) fn detail(instant: Timestamp) -> String {
    form(instant, "%Y-%m-%dT%H:%M:%S%.6f%:z")
}

/// `2026-04-21 09:04:20.500576 +08:00`: lists of jobs.
pub(super) fn spaced(instant: Timestamp) -> String {
    form(instant, "%Y-%m-%d %H:%M:%S%.6f %:z")
}

/// `2026-05-10T11:16:01+08:00`: events and bills.
pub(super) fn seconds(instant: Timestamp) -> String {
    form(instant, "%Y-%m-%dT%H:%M:%S%:z")
}

/// `2026-05-02 09:30:00`: NAS volumes, in the local zone and without telling it.
pub(super) fn bare(instant: Timestamp) -> String {
    form(instant, "%Y-%m-%d %H:%M:%S")
}

/// `2026-04-21T01:01:23Z`: `job_status`.
pub(super) fn utc(instant: Timestamp) -> String {
    instant.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// The form of an HTTP `Date`.
pub(super) fn http_date(instant: Timestamp) -> String {
    instant.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

fn form(instant: Timestamp, format: &str) -> String {
    local(instant).strftime(format).to_string()
}
