//! Faults by rule: what networks, gateways and overloaded services do to requests (cli.md §9, style.md §12).
//!
//! A rule says which requests it befalls, how often, whether before or after their effect, and what happens. The services
//! know nothing of rules; they only lend their own words. The same seed and the same requests give the same faults: every
//! rule draws from a generator of its own, once per request that it matches.

mod action;
mod hidden;
mod play;
mod rule;
#[cfg(test)]
mod tests;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Duration;

use serde_json::{Value, json};

use self::hidden::Hidden;
pub use self::rule::Rule;
use super::clock::Clock;
use super::operation::Deed;
use super::service::Service;

/// The rules in force, shared by all ports.
#[derive(Debug)]
pub struct Faults {
    seed: u64,
    clock: Clock,
    state: Mutex<State>,
    /// Held for writing while one request sees another clock than the others.
    steady: RwLock<()>,
}

#[derive(Debug, Default)]
struct State {
    rules: Vec<Active>,
    hidden: Vec<Hidden>,
}

/// A rule with what it has done.
#[derive(Debug)]
struct Active {
    rule: Rule,
    random: fastrand::Rng,
    /// Requests that it matches.
    seen: u64,
    /// Of these, those that it befell.
    fired: u64,
}

impl Faults {
    /// No rules. The seed fixes the draws of all that come later.
    pub fn new(seed: u64, clock: Clock) -> Self {
        Self {
            seed,
            clock,
            state: Mutex::default(),
            steady: RwLock::new(()),
        }
    }

    /// Takes these rules instead of those before: all of them or, with an error that says what would do, none.
    pub fn set(&self, texts: &[String], services: &[Arc<dyn Service>]) -> Result<(), String> {
        let rules = texts
            .iter()
            .map(|text| {
                let rule: Rule = text.parse()?;
                check_operation(&rule, services)?;
                Ok(rule)
            })
            .collect::<Result<Vec<Rule>, String>>()?;
        let rules = rules
            .into_iter()
            .zip(0_u64..)
            .map(|(rule, index)| Active {
                random: fastrand::Rng::with_seed(self.seed ^ (index + 1).wrapping_mul(GOLDEN)),
                rule,
                seen: 0,
                fired: 0,
            })
            .collect();
        *self.lock() = State {
            rules,
            hidden: Vec::new(),
        };
        Ok(())
    }

    /// Takes all rules back.
    pub fn clear(&self) {
        *self.lock() = State::default();
    }

    /// The rules as they were written, with the requests that each matched and befell.
    pub fn shown(&self) -> Value {
        self.lock()
            .rules
            .iter()
            .map(|active| {
                json!({
                    "rule": active.rule.to_string(),
                    "seen": active.seen,
                    "fired": active.fired,
                })
            })
            .collect()
    }

    /// Moves jobs on, unless one request sees another clock just now.
    pub fn tick(&self, service: &dyn Service) {
        let _steady = self.steady.read().unwrap_or_else(PoisonError::into_inner);
        service.tick();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Spreads the seeds of rules that follow one another.
const GOLDEN: u64 = 0x9E37_79B9_7F4A_7C15;

/// Whole seconds, as `Retry-After` has them, rounded up so that nobody comes too early.
pub fn whole_seconds(duration: Duration) -> u64 {
    duration.as_secs() + u64::from(duration.subsec_nanos() > 0)
}

/// A name that no service knows would never fire.
fn check_operation(rule: &Rule, services: &[Arc<dyn Service>]) -> Result<(), String> {
    let meant: Vec<&Arc<dyn Service>> = services
        .iter()
        .filter(|service| rule.provider_matches(service.backend()))
        .collect();
    if meant.is_empty() {
        let known: Vec<&str> = services.iter().map(|service| service.backend()).collect();
        return Err(format!(
            "fault rule `{rule}`: there is no backend `{}`; name {} or `*`",
            rule.provider(),
            known.join(", ")
        ));
    }
    let Some(name) = rule.operation_name() else {
        return Ok(());
    };
    let operations: Vec<&'static str> = meant
        .iter()
        .flat_map(|service| service.operations())
        .map(|operation| operation.name)
        .collect();
    if operations.contains(&name) {
        return Ok(());
    }
    let deeds: Vec<&str> = Deed::ALL.into_iter().map(Deed::word).collect();
    Err(format!(
        "fault rule `{rule}`: there is no operation `{name}`; write `*`, one of {}, a path as in `/api/*`, or the \
         service's own word: {}",
        deeds.join(", "),
        operations.join(", ")
    ))
}
