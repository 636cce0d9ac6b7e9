//! What jobs wrote, from the readers of a provider to one stream (cli.md §2 `logs`, §10 "Records").
//!
//! `frame` and `tail` are pure: lines, prefixes and the last lines of a history. `track` keeps the logs of one job and
//! decides how hard each is looked at; `follow` polls them, beside whoever watches the job, until a last look after its
//! end. Nothing here prints or knows a provider.

mod follow;
mod frame;
mod tail;
mod track;

#[cfg(test)]
mod tests;

pub use follow::{Request, Scribe};
pub use frame::{Form, Sink};
