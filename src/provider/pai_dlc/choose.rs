//! Which ECS spec a public job runs on, and what that may cost (job-model.md §2.3; pai-dlc.md §3.8).
//!
//! Pure. The API tells stock and the spot discount, never a price: a limit on money needs the user's price file.

use crate::error::Kind;
use crate::model::{Offer, Refusal, RefusalCode};
use crate::provider::money::{self, Extent};
use crate::provider::{Assessment, Survey, chooser};
use crate::spec::{JobSpec, Spot};

/// How an offer's stock is read for this job.
#[derive(Debug, Clone, Copy)]
pub(super) struct Stock {
    /// `Settings.DisableEcsStockCheck`: the user wants to queue for what is sold out now.
    pub(super) ignored: bool,
}

/// The type to run on; `None` with the refusal noted.
pub(super) fn offer(
    spec: &JobSpec,
    stock: Stock,
    time_limit_s: Option<u64>,
    survey: &Survey,
    assessment: &mut Assessment,
) -> Option<Offer> {
    // What the spec alone shows has been refused already.
    if spec.resources.is_empty() {
        return None;
    }
    let offers: Vec<Offer> = survey
        .offers
        .iter()
        .map(|offer| as_seen(offer, spec.spot, stock))
        .collect();
    let chosen = match spec.spot {
        None => chooser::choose(&offers, &spec.resources, None),
        Some(spot) => choose_spot(&offers, spec, spot, assessment),
    };
    let choice = match chosen {
        Ok(choice) => choice,
        Err(refusal) => {
            assessment.refuse(refusal);
            return None;
        }
    };
    if let Some(note) = choice.sizes_note {
        assessment.note(note);
    }
    let offer = survey
        .offers
        .iter()
        .find(|offer| offer.id == choice.offer.id)?
        .clone();
    money::weigh(
        spec,
        Some(&offer),
        Extent::of(spec),
        time_limit_s,
        assessment,
    );
    Some(offer)
}

/// The offer with the stock that counts for this job.
fn as_seen(offer: &Offer, spot: Option<Spot>, stock: Stock) -> Offer {
    let available = if stock.ignored {
        None
    } else if spot.is_some() {
        // Spot has a stock of its own.
        offer.spot.as_ref().and_then(|spot| spot.available)
    } else {
        offer.available
    };
    Offer {
        available,
        ..offer.clone()
    }
}

/// Spot types only; those whose present discount is within the limit first.
fn choose_spot<'a>(
    offers: &'a [Offer],
    spec: &JobSpec,
    spot: Spot,
    assessment: &mut Assessment,
) -> Result<chooser::Choice<'a>, Refusal> {
    let limit = spot.max_discount.unwrap_or(1.0);
    let discount = |offer: &Offer| offer.spot.as_ref().and_then(|spot| spot.discount);
    let on_spot: Vec<&Offer> = offers.iter().filter(|offer| offer.spot.is_some()).collect();
    let within = on_spot
        .iter()
        .copied()
        .filter(|offer| discount(offer).is_none_or(|discount| discount <= limit));
    if let Ok(choice) = chooser::choose(within, &spec.resources, None) {
        return Ok(choice);
    }
    match chooser::choose(on_spot, &spec.resources, None) {
        Ok(choice) => {
            if let Some(discount) = discount(choice.offer) {
                assessment.note(format!(
                    "`{}` costs {discount} of its normal price on spot now, above the limit of {limit}: the job may wait",
                    choice.offer.id
                ));
            }
            Ok(choice)
        }
        // Without spot there may be a match: then spot is what is missing.
        Err(refusal) => Err(match chooser::choose(offers, &spec.resources, None) {
            Ok(choice)
                if refusal.code == RefusalCode::NoMatchingResource
                    || refusal.kind == Kind::NotFound =>
            {
                Refusal::new(
                    RefusalCode::NoMatchingResource,
                    "spot",
                    format!("`{}` matches, but is not offered on spot", choice.offer.id),
                )
                .with_alternative(
                    "leave out `spot`, or ask for a type that `gpujob types` shows with spot",
                )
            }
            Ok(_) | Err(_) => refusal,
        }),
    }
}
