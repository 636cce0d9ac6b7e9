//! Verification of credentials, one file per scheme: over raw headers and bytes, from the contracts alone.
//!
//! A refusal says which part was wrong, for the log; the answer never does (style.md §12), unless the real service's
//! answer does.

pub mod acs3;
pub mod basic;
pub mod bearer;
pub mod gongji;
