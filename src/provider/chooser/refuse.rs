//! Why nothing could be chosen, with the nearest misses and what each lacks.

use crate::error::Kind;
use crate::model::{Offer, Refusal, RefusalCode};
use crate::spec::Resources;

use super::by_price_then_size;
use super::named::full_name;
use super::needs::Need;

/// How many near misses are told.
const NEAR_MISSES: usize = 5;

/// No offer has what is needed.
pub(super) fn nothing_fits(
    candidates: &[&Offer],
    resources: &Resources,
    needs: &[Need<'_>],
    cluster: Option<&str>,
) -> Refusal {
    let refuse = |message: String| {
        Refusal::new(RefusalCode::NoMatchingResource, field(resources), message)
            .with_kind(Kind::Capacity)
    };
    let wanted: Vec<String> = needs.iter().map(Need::words).collect();
    let wanted = wanted.join(", ");
    let place = cluster.map_or(String::new(), |cluster| {
        format!(" in the cluster `{cluster}`")
    });
    if candidates.is_empty() {
        return refuse(format!(
            "nothing at all is offered{place}, so nothing has {wanted}"
        ))
        .with_alternative("`gpujob types` lists what every provider offers");
    }
    let mut misses: Vec<(u32, &Offer, String)> = candidates
        .iter()
        .map(|offer| {
            let lacks: Vec<_> = needs.iter().filter_map(|need| need.lack(offer)).collect();
            let weight = lacks.iter().map(|lack| lack.weight).sum();
            let words: Vec<String> = lacks.into_iter().map(|lack| lack.words).collect();
            (weight, *offer, words.join(" and "))
        })
        .collect();
    misses.sort_by(|(weight, offer, _), (other_weight, other, _)| {
        weight
            .cmp(other_weight)
            .then_with(|| by_price_then_size(offer, other))
    });
    let nearest = misses.first().map(|(_, offer, _)| full_name(offer));
    let told: Vec<String> = misses
        .iter()
        .take(NEAR_MISSES)
        .map(|(_, offer, words)| format!("`{}` {words}", full_name(offer)))
        .collect();
    let refusal = match &resources.instance_type {
        Some(name) => refuse(format!(
            "the type `{name}` does not have {wanted}: {}",
            told.join("; ")
        )),
        None => refuse(format!(
            "nothing has {wanted}{place}; nearest: {}",
            told.join("; ")
        )),
    };
    match (nearest, &resources.instance_type) {
        (Some(nearest), None) => refusal.with_alternative(format!(
            "ask for less, or name a type yourself, such as `{nearest}`"
        )),
        (Some(_) | None, Some(_)) | (None, None) => {
            refusal.with_alternative("leave out what the type does not have, or the type")
        }
    }
}

/// Offers match, and none of them can be had now.
pub(super) fn sold_out(offers: &[&Offer], resources: &Resources) -> Refusal {
    let names: Vec<String> = offers
        .iter()
        .take(NEAR_MISSES)
        .map(|offer| format!("`{}`", full_name(offer)))
        .collect();
    let verb = if offers.len() == 1 {
        "matches, but is"
    } else {
        "match, but are"
    };
    Refusal::new(
        RefusalCode::Capacity,
        field(resources),
        format!("{} {verb} sold out now", names.join(", ")),
    )
    .with_alternative("try again later, or let another provider take it with `-p any`")
}

/// The field that asked for the most.
fn field(resources: &Resources) -> &'static str {
    if resources.instance_type.is_some() {
        "resources.instance_type"
    } else if resources.gpu.is_some() {
        "resources.gpu"
    } else {
        "resources"
    }
}
