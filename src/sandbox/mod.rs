//! The embedded sandbox: an opponent that checks what the real services check (cli.md §9, style.md §12).
//!
//! It is written from the contracts alone and must never use `sign/` or `provider/`.

pub mod auth;
pub mod process;
pub mod service;
