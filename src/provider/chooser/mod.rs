//! Which of a provider's offers runs a job (job-model.md §2.3, "Chooser"; §3.3).
//!
//! Pure over a catalogue. Never takes more GPUs than were asked for; never guesses what an offer does not tell.

mod named;
mod needs;
mod refuse;

use std::cmp::Ordering;
use std::collections::BTreeSet;

use crate::error::Kind;
use crate::model::{Offer, Refusal, RefusalCode};
use crate::spec::Resources;
use crate::spec::gpu::{GpuName, only_memory_size};

use needs::Need;

/// An offer that was taken, and what else would have done.
#[derive(Debug, Clone, PartialEq)]
pub struct Choice<'a> {
    pub offer: &'a Offer,
    /// Other offers that match and can be had, the next best first.
    pub alternatives: Vec<&'a Offer>,
    /// Which card was taken where the request left its memory open and there was more than one size.
    pub sizes_note: Option<String>,
}

/// Takes the best offer: the cheapest where prices are known, else the smallest.
///
/// `cluster` narrows the catalogue, and a type that exists in another cluster only is told so. A caller that narrows
/// it further (a region, a queue) hands over the offers that are left.
pub fn choose<'a>(
    offers: impl IntoIterator<Item = &'a Offer>,
    resources: &Resources,
    cluster: Option<&str>,
) -> Result<Choice<'a>, Refusal> {
    if resources.is_empty() {
        return Err(Refusal::new(
            RefusalCode::MissingField,
            "resources",
            "the job says nothing about what it needs",
        )
        .with_alternative(
            "name a GPU (`resources.gpu`), a type (`resources.instance_type`), or cores (`resources.cpu`) for a machine without GPU",
        ));
    }
    let offers: Vec<&Offer> = offers.into_iter().collect();
    let candidates: Vec<&Offer> = match &resources.instance_type {
        Some(name) => named::find(&offers, name, cluster)?,
        None => offers
            .into_iter()
            .filter(|offer| is_in_cluster(offer, cluster))
            .collect(),
    };
    let wanted = Need::of(resources);
    let mut fitting: Vec<&Offer> = candidates
        .iter()
        .copied()
        .filter(|offer| wanted.iter().all(|need| need.lack(offer).is_none()))
        .collect();
    if fitting.is_empty() {
        return Err(refuse::nothing_fits(
            &candidates,
            resources,
            &wanted,
            cluster,
        ));
    }
    fitting.sort_by(|left, right| by_price_then_size(left, right));
    let (sold_out, free): (Vec<&Offer>, Vec<&Offer>) =
        fitting.into_iter().partition(|offer| is_sold_out(offer));
    let mut free = free.into_iter();
    let Some(offer) = free.next() else {
        return Err(refuse::sold_out(&sold_out, resources));
    };
    let alternatives: Vec<&Offer> = free.collect();
    Ok(Choice {
        sizes_note: sizes_note(resources, offer, &alternatives),
        offer,
        alternatives,
    })
}

fn is_in_cluster(offer: &Offer, cluster: Option<&str>) -> bool {
    cluster.is_none_or(|cluster| offer.cluster.as_deref().is_none_or(|its| its == cluster))
}

/// What a provider says about stock; one that says nothing may have some.
fn is_sold_out(offer: &Offer) -> bool {
    match offer.available {
        Some(available) => !available,
        None => offer.stock == Some(0),
    }
}

/// Price if known, then GPU count, cores and memory, then names: the same catalogue gives the same choice.
fn by_price_then_size(left: &Offer, right: &Offer) -> Ordering {
    price(left, right)
        .then_with(|| gpu_count(left).total_cmp(&gpu_count(right)))
        .then_with(|| cores(left.cpu_cores, right.cpu_cores))
        .then_with(|| unknown_last(left.memory_bytes.as_ref(), right.memory_bytes.as_ref()))
        .then_with(|| left.cluster.cmp(&right.cluster))
        .then_with(|| left.id.cmp(&right.id))
}

fn price(left: &Offer, right: &Offer) -> Ordering {
    let key = |offer: &'_ Offer| {
        offer
            .price_per_hour
            .as_ref()
            .map(|price| (price.currency.clone(), price.micros))
    };
    unknown_last(key(left).as_ref(), key(right).as_ref())
}

fn gpu_count(offer: &Offer) -> f64 {
    offer.gpu.as_ref().map_or(0.0, |gpu| gpu.count)
}

fn cores(left: Option<f64>, right: Option<f64>) -> Ordering {
    match (left, right) {
        (Some(left), Some(right)) => left.total_cmp(&right),
        (Some(_), None) => Ordering::Less,
        (None, Some(_)) => Ordering::Greater,
        (None, None) => Ordering::Equal,
    }
}

fn unknown_last<T: Ord>(left: Option<&T>, right: Option<&T>) -> Ordering {
    match (left, right) {
        (Some(left), Some(right)) => left.cmp(right),
        (Some(_), None) => Ordering::Less,
        (None, Some(_)) => Ordering::Greater,
        (None, None) => Ordering::Equal,
    }
}

/// job-model.md §3.3: a request without memory takes any size, and says which.
fn sizes_note(resources: &Resources, taken: &Offer, alternatives: &[&Offer]) -> Option<String> {
    let request = resources.gpu.as_ref()?;
    let named = request
        .model
        .as_deref()
        .and_then(|model| GpuName::parse(model).memory_gib);
    if request.memory_gib.or(named).is_some() {
        return None;
    }
    let mine = card(taken)?;
    let others: BTreeSet<(String, u64)> = alternatives
        .iter()
        .filter_map(|offer| card(offer))
        .filter(|other| other.0 == mine.0 && other.1 != mine.1)
        .collect();
    if others.is_empty() {
        return None;
    }
    let others: Vec<String> = others
        .iter()
        .map(|(_, memory)| format!("{memory} GiB"))
        .collect();
    Some(format!(
        "took the {} with {} GiB; it is offered with {} too",
        mine.0,
        mine.1,
        others.join(" and ")
    ))
}

/// Model and nominal GiB of an offer's card, where both are known.
fn card(offer: &Offer) -> Option<(String, u64)> {
    let gpu = offer.gpu.as_ref()?;
    let name = GpuName::parse(gpu.model.as_deref()?);
    let memory = gpu
        .memory_bytes
        .map(|bytes| bytes.saturating_add(1 << 29) >> 30)
        .or(name.memory_gib)
        .or_else(|| only_memory_size(&name.model))?;
    Some((name.model, memory))
}

/// A refusal of something that nothing can be found for, as cli.md §10 classes it.
fn not_found(field: &str, message: String) -> Refusal {
    Refusal::new(RefusalCode::NoMatchingResource, field, message).with_kind(Kind::NotFound)
}

#[cfg(test)]
mod tests;
