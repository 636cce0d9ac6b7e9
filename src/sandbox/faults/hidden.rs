//! Jobs that were created and are not shown yet: lists that lag behind creates. Pure.

use std::time::Duration;

use serde_json::{Map, Value};

use super::action::Lag;

/// Members that count the rows of a list beside them.
const TOTALS: [&str; 3] = ["TotalCount", "total", "totalCount"];

/// One such job.
#[derive(Debug)]
pub(super) struct Hidden {
    pub(super) backend: &'static str,
    /// Which rule hides it.
    pub(super) rule: usize,
    /// Every id under which it would show.
    pub(super) ids: Vec<String>,
    pub(super) since: Duration,
    pub(super) left: Lag,
}

impl Hidden {
    /// Whether its time is over.
    pub(super) fn is_over(&self, now: Duration) -> bool {
        match self.left {
            Lag::For(wait) => now.saturating_sub(self.since) >= wait,
            Lag::Reads(reads) => reads == 0,
        }
    }

    /// Counts one read that would have shown it.
    pub(super) fn count_read(&mut self) {
        if let Lag::Reads(reads) = &mut self.left {
            *reads = reads.saturating_sub(1);
        }
    }
}

/// Takes every row with one of the ids out of every list of a body; says whether there was one.
pub(super) fn strip(body: &mut Value, ids: &[String]) -> bool {
    match body {
        Value::Object(members) => strip_members(members, ids),
        Value::Array(rows) => {
            let before = rows.len();
            rows.retain(|row| !is_of(row, ids));
            let mut found = rows.len() < before;
            for row in rows {
                found |= strip(row, ids);
            }
            found
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
    }
}

fn strip_members(members: &mut Map<String, Value>, ids: &[String]) -> bool {
    let mut gone = 0;
    let mut found = false;
    for value in members.values_mut() {
        let before = value.as_array().map_or(0, Vec::len);
        found |= strip(value, ids);
        gone += before - value.as_array().map_or(0, Vec::len).min(before);
    }
    for name in TOTALS {
        if let Some(total) = members.get_mut(name)
            && let Some(count) = total.as_u64()
        {
            *total = Value::from(count.saturating_sub(u64::try_from(gone).unwrap_or(u64::MAX)));
        }
    }
    found
}

/// Whether a row tells one of the ids as a member of its own.
fn is_of(row: &Value, ids: &[String]) -> bool {
    let Some(members) = row.as_object() else {
        return false;
    };
    members.values().any(|value| match value {
        Value::String(text) => ids.contains(text),
        Value::Number(number) => ids.contains(&number.to_string()),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => false,
    })
}
