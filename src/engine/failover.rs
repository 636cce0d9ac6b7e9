//! Which candidate is next, and what it means that none is left (cli.md §2.1). Pure.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::error::{Error, Kind};
use crate::model::{Money, Offer};

/// Pauses between rounds: this, doubled up to eight times it.
const PAUSE: Duration = Duration::from_secs(10);

/// What follows from a candidate's failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// A definite refusal: the next candidate. `again` says whether waiting may change it.
    Next { again: bool },
    /// Nothing was created and nothing was refused either: no further candidate, but another round where one is wanted.
    Pause,
    /// Nobody may go on: the job may be there, or the command is to end.
    Stop,
}

/// The code of a key that stands for another spec: no refusal of one provider.
const OF_THE_KEY: &str = "key_of_another_spec";

/// Only a definite refusal moves on; what names a job is none.
pub fn after(error: &Error) -> Step {
    if error.details().job.is_some() || error.code() == OF_THE_KEY {
        return Step::Stop;
    }
    match error.kind() {
        Kind::Capacity => Step::Next { again: true },
        Kind::Spec | Kind::NotFound | Kind::Auth | Kind::Config | Kind::Rejected => {
            Step::Next { again: false }
        }
        Kind::Temporary | Kind::Protocol => Step::Pause,
        Kind::OutcomeUnknown
        | Kind::Usage
        | Kind::Internal
        | Kind::JobFailed
        | Kind::JobCancelled
        | Kind::ResultUnknown
        | Kind::Timeout
        | Kind::Interrupted
        | Kind::Terminated => Step::Stop,
    }
}

/// What `-p any` orders by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prospect {
    /// The candidate's place in the configuration.
    pub place: usize,
    /// Whether there is a plan; what cannot be planned comes last.
    pub is_planned: bool,
    /// Of the whole job, per hour.
    pub price: Option<Money>,
    /// How many can start now.
    pub stock: Option<u64>,
}

impl Prospect {
    /// How many jobs could start on an offer now, as far as it is told.
    pub fn stock_of(offer: Option<&Offer>) -> Option<u64> {
        let offer = offer?;
        match (offer.stock, offer.available) {
            (Some(stock), _) => Some(stock),
            (None, Some(false)) => Some(0),
            (None, Some(true) | None) => None,
        }
    }
}

/// Candidates in the order of `-p any`: by price, then stock, then as configured. Amounts of several currencies are not
/// compared: those of the currency that is met first come first.
pub fn by_price_then_stock(mut prospects: Vec<Prospect>) -> Vec<usize> {
    let mut currencies: Vec<String> = Vec::new();
    for price in prospects
        .iter()
        .filter_map(|prospect| prospect.price.as_ref())
    {
        if !currencies.contains(&price.currency) {
            currencies.push(price.currency.clone());
        }
    }
    prospects.sort_by_key(|prospect| {
        let price = prospect.price.as_ref().map(|price| {
            let rank = currencies
                .iter()
                .position(|currency| *currency == price.currency);
            (rank, price.micros)
        });
        (
            !prospect.is_planned,
            price.is_none(),
            price,
            std::cmp::Reverse(prospect.stock),
            prospect.place,
        )
    });
    prospects.iter().map(|prospect| prospect.place).collect()
}

/// Whether the prices of some candidates cannot be compared.
pub fn has_several_currencies(prospects: &[Prospect]) -> bool {
    prospects
        .iter()
        .filter_map(|prospect| Some(prospect.price.as_ref()?.currency.as_str()))
        .collect::<BTreeSet<_>>()
        .len()
        > 1
}

/// The pause after so many rounds; `unit` is another first one, for services of this machine.
pub fn pause(rounds: u32, unit: Option<Duration>) -> Duration {
    unit.unwrap_or(PAUSE) * 2_u32.pow(rounds.min(3))
}

/// The one error of several candidates that all refused; `errors` in the order of the configuration, which decides the
/// kind (cli.md §10, "Errors among several"). Says for how long was looked, if it was.
pub fn conclude(errors: &[Error], lines: &[String], looked_for: Option<&str>) -> Error {
    let is_capacity = errors.iter().any(|error| error.kind() == Kind::Capacity);
    let kind = match errors.first() {
        _ if looked_for.is_some() && is_capacity => Kind::Capacity,
        Some(first) => first.kind(),
        None => Kind::Capacity,
    };
    let codes: BTreeSet<&str> = errors.iter().map(Error::code).collect();
    let code = match codes.iter().next() {
        Some(only) if codes.len() == 1 => (*only).to_owned(),
        Some(_) | None => "several".to_owned(),
    };
    let refusals: Vec<_> = errors
        .iter()
        .flat_map(|error| error.details().refusals.clone())
        .collect();
    let count = errors.len();
    let message = match looked_for {
        None => format!("none of the {count} candidates took the job; nothing was submitted"),
        Some(duration) => format!(
            "none of the {count} candidates took the job within {duration}; nothing was submitted"
        ),
    };
    let mut error = Error::new(kind, code, message)
        .with_refusals(refusals)
        .with_retryable(is_capacity);
    for line in lines {
        error = error.with_cause(line);
    }
    if looked_for.is_none() && is_capacity {
        error = error.with_hint("`--wait-for-capacity 2h` keeps looking for so long");
    }
    error
}

#[cfg(test)]
mod tests;
