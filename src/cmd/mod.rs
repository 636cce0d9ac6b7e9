//! One file per command: arguments to a request, then the run. Output goes through `Show`, talk through the ui.

pub mod api;
pub mod cancel;
pub mod config;
pub mod cost;
pub mod events;
pub mod explain;
mod files;
mod forgotten;
pub mod journal;
pub mod logs;
pub mod namespaces;
mod orphans;
pub mod plan;
pub mod refs;
pub mod sandbox;
pub mod settle;
mod show;
pub mod spec;
pub mod status;
pub mod submit;
pub mod types;
pub mod volumes;
pub mod wait;

use std::collections::BTreeMap;
use std::time::Duration;

use crate::app::App;
use crate::engine::drive::{Driver, Recall};
use crate::engine::interrupt::Interrupt;
use crate::provider::{Polling, Provider};

/// Pauses before the look-ups of an unclear create: three within about 15 s; against loopback a few poll intervals.
fn lookup_pauses(polling: &Polling, poll: Option<Duration>) -> [Duration; 3] {
    let unit = match poll {
        Some(poll) if polling.loopback => poll,
        _ => Duration::from_secs(1),
    };
    [unit, unit * 4, unit * 9]
}

/// What looks at jobs and waits for them, with everything it needs of this run.
fn driver<'a>(
    app: &'a App,
    providers: &'a BTreeMap<String, Box<dyn Provider>>,
    interrupt: &'a Interrupt,
) -> Driver<'a> {
    Driver {
        providers,
        journal: app.journal(),
        clock: &*app.clock,
        entropy: &*app.entropy,
        reporter: &*app.ui,
        interrupt,
        deadline: app.deadline,
        recall: Recall::default(),
    }
}
