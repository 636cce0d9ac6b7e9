//! Recorded answers, and the glue over a transport made of paper.

mod glue;
mod recorded;
mod scripts;

use serde_json::Value;

use crate::testing;

/// One answer of `tests/recorded`, named without its `paracloud-`.
pub(super) fn recorded(name: &str) -> Value {
    serde_json::from_str(&recorded_text(name)).unwrap()
}

/// The same as it came.
pub(super) fn recorded_text(name: &str) -> String {
    testing::recorded(&format!("paracloud-{name}.json"))
}
