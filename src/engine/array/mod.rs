//! Arrays that are driven from this side: one job for each index (cli.md §10, "Arrays").
//!
//! `identity` names them, `machine` decides what to do next, both pure; `drive` does it. Every job of an array is a
//! submission of its own under the key of its index, so that exactly-once is the submit engine's business alone, and the
//! same command continues what an earlier one left.

pub mod drive;
pub mod identity;
mod index;
mod machine;

pub use drive::{Driven, Hands, drive};
pub use index::job_of;
pub use machine::{Machine, Next};
