//! `-o table` and `-o wide`: the same rows for a terminal and for a pipe (cli.md §3).
//!
//! A terminal gets colour and lines no wider than itself; a pipe gets every cell whole, columns apart by two blanks, no
//! colour, no box drawing, no blanks at line ends. Only here are numbers rounded and times told in a local zone.

mod detail;
mod job;
mod journal;
mod layout;
mod paint;
mod plan;
mod records;
mod value;

pub use detail::Detail;
pub use job::receipts;
pub(super) use job::{job_detail, jobs};
pub(super) use journal::{journal, journal_details};
pub use layout::{Cell, Column, Grid, render};
pub use paint::Tone;
pub(super) use plan::plans;
pub(super) use records::{
    config, costs, created_volume, doctor, events, files, namespace_detail, namespaces, types,
    volumes,
};
pub use value::age;
