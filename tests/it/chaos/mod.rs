//! Submits under faults: whatever goes wrong, no job is doubled, none is lost, and every exit code is true.
//!
//! The truth is read from the sandbox itself, never from gpujob. The long form:
//! `cargo test --test it chaos::mass::ten_thousand -- --ignored --nocapture` (without keys), `chaos::keyed::ten_thousand`
//! (with), `chaos::kills::many` (processes), with `GPUJOB_CHAOS_SEED` to repeat a run.

mod keyed;
mod kills;
mod mass;

/// The seed of short forms, and of long ones without another.
const SEED: u64 = 20_261_128;

/// What befalls creates and look-ups: about three in ten each.
const FAULTS: [&str; 16] = [
    "*:create:reset:p=0.03",
    "*:create:reset-after:p=0.05",
    "*:create:timeout-after:for=0:p=0.03",
    "*:create:429:p=0.02",
    "*:create:429:retry-after=1:p=0.02",
    "*:create:500:p=0.02",
    "*:create:502-after:page:p=0.04",
    "*:create:503-after:p=0.04",
    "*:create:504-after:p=0.02",
    "*:create:truncated:p=0.03",
    "*:create:torn:p=0.03",
    "*:create:html-after:p=0.02",
    "*:create:empty-after:p=0.02",
    "*:*:lag:reads=1:p=0.1",
    "*:list:503:p=0.2",
    "*:get:reset:p=0.1",
];

/// Whether a job that the sandbox holds was submitted under a name.
fn is_named(names: &[String], name: &str) -> bool {
    let prefix = format!("{name}-");
    names
        .iter()
        .any(|known| known == name || known.starts_with(&prefix))
}
