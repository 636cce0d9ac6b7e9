//! What jobs wrote, from the readers of a provider to one stream (cli.md §2 `logs`, §10 "Records").
//!
//! `frame`, `tail`, `choice` and `patience` are pure: lines, prefixes and turns; the last lines of a history; what is
//! wanted; how long failures are borne. `track` keeps the logs of one job and decides how hard each is looked at; `scribe`
//! reads them, several at a time, and prints them in order; `follow` does so again and again, beside whoever watches the
//! job, until a last look after its end. Nothing here prints or knows a provider.

mod choice;
mod follow;
mod frame;
mod patience;
mod scribe;
mod tail;
mod track;
mod waiting;

#[cfg(test)]
mod tests;

pub use frame::{Form, Sink};
pub use scribe::{Request, Scribe};
