//! Which offer a job runs on, and what that may cost (gongji.md §3; job-model.md §2.3).
//!
//! Pure. The cheapest that is free now; a device without a region means any region. Scratch and volumes narrow the
//! catalogue before the chooser sees it, and a refusal names what narrowed it to nothing.

use crate::error::Kind;
use crate::model::{Offer, Refusal, RefusalCode, Volume};
use crate::provider::chooser;
use crate::provider::money::{self, Extent};
use crate::provider::{Assessment, Survey};
use crate::spec::JobSpec;
use crate::spec::units::format_size;

use super::mounts::{self, Wanted};
use super::offers;

/// What the choice depends on beside the survey.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wish<'a> {
    pub(super) spec: &'a JobSpec,
    /// The job's region, else the configured one.
    pub(super) region: Option<&'a str>,
    pub(super) volumes: &'a [(&'a Wanted, &'a Volume)],
    pub(super) time_limit_s: u64,
    /// Pods at a time.
    pub(super) parallelism: u32,
}

/// The offer to run on; `None` with the refusal noted.
pub(super) fn offer(
    wish: &Wish<'_>,
    survey: &Survey,
    assessment: &mut Assessment,
) -> Option<Offer> {
    // What the spec alone shows has been refused already.
    if wish.spec.resources.is_empty() {
        return None;
    }
    let (choice, note) = match narrowed(wish, &survey.offers) {
        Ok(found) => found,
        Err(refusal) => {
            assessment.refuse(refusal);
            return None;
        }
    };
    if let Some(note) = note {
        assessment.note(note);
    }
    assessment.note(match &choice.price_per_hour {
        Some(price) => format!("runs on `{}` at {price} per hour", choice.id),
        None => format!("runs on `{}`, whose price is not told", choice.id),
    });
    if let Some(note) = &choice.note {
        assessment.note(format!("`{}`: {note}", choice.id));
    }
    if let Some(free) = choice
        .stock
        .filter(|free| *free < u64::from(wish.parallelism))
    {
        assessment.note(format!(
            "{free} of `{}` are free now, and {} are to run at a time: the others wait",
            choice.id, wish.parallelism
        ));
    }
    money::weigh(
        wish.spec,
        Some(choice),
        Extent::under_one_limit(wish.parallelism),
        Some(wish.time_limit_s),
        assessment,
    );
    Some(choice.clone())
}

type Found<'a> = Result<(&'a Offer, Option<String>), Refusal>;

/// Chooses among the offers that region, scratch and volumes leave; else says which of them stands in the way.
fn narrowed<'a>(wish: &Wish<'_>, all: &'a [Offer]) -> Found<'a> {
    let everywhere: Vec<&Offer> = all.iter().collect();
    let here: Vec<&Offer> = everywhere
        .iter()
        .copied()
        .filter(|offer| {
            wish.region
                .is_none_or(|region| offer.region.as_deref() == Some(region))
        })
        .collect();
    if let (Some(region), true, false) = (wish.region, here.is_empty(), all.is_empty()) {
        return Err(unknown_region(wish, region, all));
    }
    let roomy: Vec<&Offer> = here
        .iter()
        .copied()
        .filter(|offer| has_room(offer, wish.spec.resources.disk))
        .collect();
    let reaching: Vec<&Offer> = roomy
        .iter()
        .copied()
        .filter(|offer| mounts::reach(offer, wish.volumes))
        .collect();
    let refusal = match pick(wish, &reaching) {
        Ok(found) => return Ok(found),
        Err(refusal) => refusal,
    };
    if reaching.len() < roomy.len()
        && let Ok((offer, _)) = pick(wish, &roomy)
    {
        return Err(Refusal::new(
            RefusalCode::VolumeMismatch,
            mounts::first_field(wish.volumes),
            format!(
                "`{}` matches, but is out of the reach of {}",
                offer.id,
                mounts::places(wish.volumes)
            ),
        )
        .with_alternative("mount volumes of one region, where there is a type that matches"));
    }
    if roomy.len() < here.len()
        && let Ok((offer, _)) = pick(wish, &here)
    {
        let has = offers::disk_bytes(offer).map_or_else(
            || "does not tell its scratch".to_owned(),
            |bytes| format!("has {} of scratch", format_size(bytes)),
        );
        return Err(Refusal::new(
            RefusalCode::NoMatchingResource,
            "resources.disk",
            format!("`{}` matches, but {has}", offer.id),
        )
        .with_alternative("ask for less, or mount a volume for scratch"));
    }
    if here.len() < everywhere.len()
        && let Ok((offer, _)) = pick(wish, &everywhere)
    {
        return Err(elsewhere(wish, refusal, offer));
    }
    Err(refusal)
}

/// The chooser over the offers; a device's name means it in every region, the cheapest first.
fn pick<'a>(wish: &Wish<'_>, offers: &[&'a Offer]) -> Found<'a> {
    let resources = &wish.spec.resources;
    let regions = match &resources.instance_type {
        Some(name) if offers.iter().all(|offer| offer.id != *name) => offers
            .iter()
            .copied()
            .filter(|offer| offer.name == *name)
            .collect(),
        Some(_) | None => Vec::new(),
    };
    if regions.len() < 2 {
        let choice = chooser::choose(offers.iter().copied(), resources, None)?;
        return Ok((choice.offer, choice.sizes_note));
    }
    let mut best: Option<&Offer> = None;
    let mut first = None;
    for offer in regions.iter().copied() {
        let mut named = resources.clone();
        named.instance_type = Some(offer.id.clone());
        match chooser::choose([offer], &named, None) {
            Ok(_) => {
                if best.is_none_or(|best| is_cheaper(offer, best)) {
                    best = Some(offer);
                }
            }
            Err(refusal) => {
                first.get_or_insert(refusal);
            }
        }
    }
    if let Some(best) = best {
        return Ok((best, None));
    }
    let names: Vec<String> = regions
        .iter()
        .map(|offer| format!("`{}`", offer.id))
        .collect();
    Err(match first {
        Some(refusal) if refusal.code == RefusalCode::Capacity => Refusal {
            message: format!("{} match, but are sold out now", names.join(", ")),
            ..refusal
        },
        Some(refusal) => refusal,
        None => Refusal::new(
            RefusalCode::NoMatchingResource,
            "resources.instance_type",
            "nothing matches",
        ),
    })
}

fn is_cheaper(left: &Offer, right: &Offer) -> bool {
    let key = |offer: &Offer| {
        let price = offer.price_per_hour.as_ref().map(|price| price.micros);
        (price.is_none(), price, offer.id.clone())
    };
    key(left) < key(right)
}

/// Nobody can tell about a scratch that is not told.
fn has_room(offer: &Offer, wanted: Option<u64>) -> bool {
    wanted.is_none_or(|wanted| offers::disk_bytes(offer).is_some_and(|bytes| bytes >= wanted))
}

fn unknown_region(wish: &Wish<'_>, region: &str, all: &[Offer]) -> Refusal {
    let mut regions: Vec<&str> = all
        .iter()
        .filter_map(|offer| offer.region.as_deref())
        .collect();
    regions.sort_unstable();
    regions.dedup();
    let whence = if wish.spec.placement.region.is_some() {
        ""
    } else {
        ", which the configuration names"
    };
    Refusal::new(
        RefusalCode::NoMatchingResource,
        "placement.region",
        format!("nothing is offered in the region `{region}`{whence}"),
    )
    .with_kind(Kind::NotFound)
    .with_alternative(format!("there are offers in `{}`", regions.join("`, `")))
}

/// Another region has it: a type that was named is a fault of the spec, all else stays what it was (cli.md §10).
fn elsewhere(wish: &Wish<'_>, refusal: Refusal, offer: &Offer) -> Refusal {
    let region = wish.region.unwrap_or_default();
    let there = format!("`{}` would do: choose its region, or none", offer.id);
    match &wish.spec.resources.instance_type {
        Some(name) if refusal.kind == Kind::NotFound => Refusal::new(
            RefusalCode::UnsupportedValue,
            "resources.instance_type",
            format!("the type `{name}` exists, but not in the region `{region}`"),
        )
        .with_alternative(there),
        Some(_) | None => refusal.with_alternative(there),
    }
}
