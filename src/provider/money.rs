//! What a job may cost, and the user's limits on it (cli.md §10, "Further spec keys": `max_price` per hour for the whole
//! job, `max_cost` for the whole run). Pure; exact integers; an unknown price is no yes, and currencies never mix.

use crate::model::{FieldReport, Level, Money, Offer, Refusal, RefusalCode};
use crate::spec::units::format_duration;
use crate::spec::{JobSpec, Timeout};

use super::{Assessment, Plan, PlanInput, PlanRefusal, Policy, Provider, Survey};

const MAX_PRICE: &str = "max_price";
const MAX_COST: &str = "max_cost";
const TIMEOUT: &str = "timeout";

/// Backends may round a limit up to whole minutes, and then the money would not do.
const GRAIN_S: u64 = 60;
/// Money that buys more than this buys no better protection.
const LONGEST_S: u64 = 365 * 24 * 3600;

/// What a plan may cost, as far as prices and limits tell.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Bill {
    /// Of the whole job: everything of it that runs at a time.
    pub per_hour: Option<Money>,
    /// If it runs to its time limit.
    pub whole_run: Option<Money>,
}

/// How many times the price of one offer a job pays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Extent {
    /// For everything that runs at a time.
    pub at_a_time: u64,
    /// For everything that runs to the time limit, one after the other too.
    pub in_all: u64,
}

impl Extent {
    /// Every node of every job; the jobs of an array each have the time limit to themselves.
    pub fn of(spec: &JobSpec) -> Self {
        let nodes = u64::from(spec.nodes.unwrap_or(1).max(1));
        let (jobs, parallel) = spec
            .array
            .as_ref()
            .map_or((1, 1), |array| (array.count(), array.parallel));
        Self {
            at_a_time: nodes.saturating_mul(u64::from(parallel.clamp(1, jobs))),
            in_all: nodes.saturating_mul(u64::from(jobs)),
        }
    }

    /// An array under one time limit, so many pods at a time.
    pub fn under_one_limit(parallel: u32) -> Self {
        Self {
            at_a_time: u64::from(parallel),
            in_all: u64::from(parallel),
        }
    }
}

/// The bill of a job on `offer`.
pub fn bill(offer: Option<&Offer>, extent: Extent, time_limit_s: Option<u64>) -> Bill {
    let price = offer.and_then(|offer| offer.price_per_hour.as_ref());
    Bill {
        per_hour: price.map(|price| price.times(extent.at_a_time)),
        whole_run: price
            .zip(time_limit_s)
            .map(|(price, seconds)| price.times(extent.in_all).for_seconds(seconds)),
    }
}

/// Refuses each limit that the bill breaks or that nobody can tell about.
pub fn weigh(
    spec: &JobSpec,
    offer: Option<&Offer>,
    extent: Extent,
    time_limit_s: Option<u64>,
    assessment: &mut Assessment,
) {
    let bill = bill(offer, extent, time_limit_s);
    let what = offer.map_or_else(|| "the job".to_owned(), |offer| format!("`{}`", offer.id));
    for (field, limit, cost, unit) in [
        (MAX_PRICE, &spec.max_price, &bill.per_hour, " per hour"),
        (MAX_COST, &spec.max_cost, &bill.whole_run, ""),
    ] {
        let Some(limit) = limit else { continue };
        let refusal = match cost {
            Some(cost) if cost.currency != limit.currency => other_currency(field, limit, cost),
            Some(cost) if cost.micros <= limit.micros => {
                clear(assessment, field);
                assessment.local(
                    field,
                    format!("{cost}{unit} at most, and the limit is {limit}"),
                );
                continue;
            }
            Some(cost) => Refusal::new(
                RefusalCode::NoMatchingResource,
                field,
                format!("{what} may cost {cost}{unit}, above the limit of {limit}"),
            )
            .with_alternative(if field == MAX_COST {
                "raise the limit, ask for less, or give a shorter `timeout`"
            } else {
                "raise the limit, or ask for less"
            }),
            None if bill.per_hour.is_some() => Refusal::new(
                RefusalCode::MissingField,
                field,
                "what never ends by itself may cost anything",
            )
            .with_alternative("set `timeout`, and keep nothing after the end"),
            None => Refusal::new(
                RefusalCode::UnsupportedValue,
                field,
                format!("what {what} costs is not known: nobody tells its price"),
            )
            .with_alternative(
                "name a type that `gpujob types` shows with a price, or leave the limit out",
            ),
        };
        clear(assessment, field);
        assessment.refuse(refusal);
    }
}

fn other_currency(field: &str, limit: &Money, cost: &Money) -> Refusal {
    Refusal::new(
        RefusalCode::UnsupportedValue,
        field,
        format!(
            "the limit is in {}, the price is in {}, and currencies are not converted",
            limit.currency, cost.currency
        ),
    )
    .with_alternative(format!("give the limit in {}", cost.currency))
}

/// A field has one level: what was noted of it before gives way.
fn clear(assessment: &mut Assessment, field: &str) {
    assessment.report.retain(|line| line.field != field);
}

/// Plans a job; under `max_cost` and without a `timeout` the time limit is what the money buys.
pub fn plan(
    provider: &dyn Provider,
    input: &PlanInput<'_>,
    survey: &Survey,
) -> Result<Plan, PlanRefusal> {
    let Some(limit) = limit_by_money(input.spec) else {
        return provider.plan(input, survey);
    };
    // The price shows once a type is chosen, and the time limit has no part in that choice.
    let unlimited = JobSpec {
        max_cost: None,
        ..input.spec.clone()
    };
    let first = provider.plan(&with(input, &unlimited), survey)?;
    let price = first
        .offer
        .as_ref()
        .and_then(|offer| offer.price_per_hour.as_ref());
    let seconds = match price.map(|price| price.times(first.extent.in_all)) {
        Some(rate) if rate.currency == limit.currency && rate.micros <= 0 => return Ok(first),
        Some(rate) if rate.currency == limit.currency => bought(limit, &rate),
        // Without a price, or in another currency, any run is refused.
        Some(_) | None => GRAIN_S,
    };
    let spec = JobSpec {
        timeout: Timeout::After(seconds),
        ..input.spec.clone()
    };
    let mut plan = provider.plan(&with(input, &spec), survey)?;
    let why = format!(
        "{} is what {limit} buys",
        format_duration(plan.time_limit_s.unwrap_or(seconds))
    );
    say_of_timeout(&mut plan.assessment, &why);
    plan.assessment.note(format!(
        "no `timeout` is given: {why}, and the run ends then"
    ));
    Ok(plan)
}

/// What the spec alone shows, with a time limit where money will set one: whether it can be kept shows by itself.
pub fn assess(provider: &dyn Provider, spec: &JobSpec, policy: &Policy) -> Assessment {
    if limit_by_money(spec).is_none() {
        return provider.assess(spec, policy);
    }
    let mut assessment = provider.assess(&limited(spec), policy);
    say_of_timeout(&mut assessment, "what `max_cost` buys at the type's price");
    assessment
}

/// The limit that money sets instead of a `timeout`.
fn limit_by_money(spec: &JobSpec) -> Option<&Money> {
    match spec.timeout {
        Timeout::Unset => spec.max_cost.as_ref(),
        Timeout::After(_) | Timeout::Unlimited => None,
    }
}

/// The spec with a time limit that any backend takes.
fn limited(spec: &JobSpec) -> JobSpec {
    JobSpec {
        timeout: Timeout::After(GRAIN_S),
        ..spec.clone()
    }
}

fn with<'a>(input: &PlanInput<'a>, spec: &'a JobSpec) -> PlanInput<'a> {
    PlanInput { spec, ..*input }
}

/// Whole seconds that `limit` pays for at `rate` an hour, in whole minutes where it is minutes. At least a second: what
/// is dearer still is refused by the comparison that follows.
fn bought(limit: &Money, rate: &Money) -> u64 {
    let seconds = limit.micros.saturating_mul(3600) / rate.micros.max(1);
    let seconds = u64::try_from(seconds).unwrap_or(0).clamp(1, LONGEST_S);
    if seconds < GRAIN_S {
        seconds
    } else {
        seconds - seconds % GRAIN_S
    }
}

fn say_of_timeout(assessment: &mut Assessment, why: &str) {
    let line = assessment
        .report
        .iter_mut()
        .find(|line: &&mut FieldReport| line.field == TIMEOUT && line.level != Level::Refused);
    if let Some(line) = line {
        line.how = format!("{}: {why}", line.how);
    }
}

#[cfg(test)]
mod tests;
