//! gpujob runs GPU batch jobs on four systems through one job file and one set of verbs.
//!
//! The command line is a contract; this library is what the binary is made of. Pure modules (`model`, `spec`, `sign`,
//! `output`, the planners and parsers under `provider`) take time, randomness and environment as arguments; files,
//! sockets, clock, terminal and processes live at the edge (`http`'s live half, `journal`, `app`, `ui`, `sandbox`).

pub mod ambient;
pub mod app;
pub mod bug;
pub mod cli;
pub mod cmd;
pub mod config;
pub mod engine;
pub mod error;
pub mod http;
pub mod journal;
pub mod model;
pub mod output;
pub mod provider;
mod run;
pub mod sandbox;
pub mod secret;
pub mod sign;
pub mod spec;
pub mod temporary;
#[cfg(test)]
mod testing;
pub mod ui;
pub mod webdav;

pub use error::{Error, Kind, Result};
pub use run::run;
