//! What the tests of several modules share: a service made of paper, a clock that stands still, a notebook.
//!
//! Only for tests of what sits on a [`Session`](crate::http::Session); what one module needs alone stays with its tests.

mod any;
mod desk;
mod paper;
mod samples;

pub(crate) use any::any_json;
pub(crate) use desk::{Desk, Notebook, Still};
pub(crate) use paper::{Exchange, Paper, Scripted, answer, lost, said};
pub(crate) use samples::{body_of, offer, spec, tracked};

/// The text of a file in `tests/recorded`.
pub(crate) fn recorded(file: &str) -> String {
    let path = format!("{}/tests/recorded/{file}", env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
}
