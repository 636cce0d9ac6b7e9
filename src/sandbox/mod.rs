//! The embedded sandbox: an opponent that checks what the real services check (cli.md §9, style.md §12).
//!
//! It is written from the contracts alone and must never use `sign/` or `provider/`; the one exception is the text of the
//! CycleCloud runner, which operators install on their clusters (`api/cyclecloud/runner.rs`).

pub mod api;
pub mod auth;
pub mod clock;
pub mod control;
pub mod faults;
pub mod listen;
pub mod operation;
pub mod process;
pub mod server;
pub mod service;
pub mod services;
pub mod settings;
mod socket;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
pub mod webdav;

pub use server::{Options, Sandbox, StartError};
