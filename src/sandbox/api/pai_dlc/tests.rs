//! The service as a client meets it: signed requests in, answers out, real processes, a clock that stands still.

mod admission;
mod bench;
mod datasets;
mod gateway;
mod jobs;
mod listing;
mod logs;
mod offers;
mod switches;
mod troubles;
