//! One file per command: from arguments to a request, then the run (style.md §2).

pub mod sandbox;
