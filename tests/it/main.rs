//! The one integration test binary: the built command line, one contract suite over all providers, wire faults.

mod cli;
mod contract;
#[path = "../support/mod.rs"]
mod support;
mod transport;
