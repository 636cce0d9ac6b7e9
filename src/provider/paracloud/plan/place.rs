//! The instance type and its cluster (paracloud.md §2.2, §3.2, §9.2; cli.md §10, "Small print").
//!
//! Pure.

use crate::error::Kind;
use crate::model::{Offer, Refusal, RefusalCode};
use crate::provider::money::{self, Extent};
use crate::provider::{Assessment, Survey, chooser};
use crate::spec::{JobSpec, Resources, Timeout};

use super::{refine, refuse_once};

/// The cluster that the spec names; a region is a cluster here (job-model.md §2.1).
pub(super) fn cluster(spec: &JobSpec) -> Option<&str> {
    let placement = &spec.placement;
    placement.cluster.as_deref().or(placement.region.as_deref())
}

/// Judges what the spec alone shows about resources and price.
pub(super) fn assess(spec: &JobSpec, assessment: &mut Assessment) {
    if spec.resources.is_empty() {
        assessment.refuse(
            Refusal::new(
                RefusalCode::MissingField,
                "resources",
                "the job says neither what it needs nor on which type it runs",
            )
            .with_alternative("`resources: {gpu: {model: RTX3090, count: 1}}`, `resources: {cpu: 8}` for a type without GPU, or `resources: {instance_type: …}`"),
        );
    }
    for field in fields(&spec.resources) {
        assessment.native(field, "decides the instance type");
    }
    for (set, field) in [
        (spec.max_price.is_some(), "max_price"),
        (spec.max_cost.is_some(), "max_cost"),
    ] {
        if set {
            assessment.local(field, "compared on this side, where a price is known");
        }
    }
}

/// The offer to run on, with the cluster it is asked for in; `None` with a refusal.
pub(super) fn choose(
    spec: &JobSpec,
    cluster: Option<&str>,
    survey: &Survey,
    assessment: &mut Assessment,
) -> Option<Offer> {
    if spec.resources.is_empty() {
        return None;
    }
    if let Some(refusal) = unknown_cluster(spec, &survey.offers) {
        refuse_once(assessment, refusal);
        return None;
    }
    let choice = match chooser::choose(&survey.offers, &spec.resources, cluster) {
        Ok(choice) => choice,
        Err(refusal) => {
            refuse_once(assessment, refusal);
            return None;
        }
    };
    if let Some(note) = choice.sizes_note {
        assessment.note(note);
    }
    let mut offer = choice.offer.clone();
    if let Some(cluster) = cluster {
        offer.cluster = Some(cluster.to_owned());
    }
    tell(spec, &offer, assessment);
    money::weigh(
        spec,
        Some(&offer),
        Extent::of(spec),
        time_limit(spec),
        assessment,
    );
    Some(offer)
}

/// The choice, in the report and as a note; an Arm node is warned about unless it was asked for (§3.2).
fn tell(spec: &JobSpec, offer: &Offer, assessment: &mut Assessment) {
    let place = match &offer.cluster {
        Some(cluster) => format!("in cluster `{cluster}`"),
        None => "in a cluster that Paracloud picks".to_owned(),
    };
    for field in fields(&spec.resources) {
        refine(
            assessment,
            field,
            format!("instanceType `{}` {place}", offer.name),
        );
    }
    if spec.resources.instance_type.is_none() {
        assessment.note(format!("chose the type `{}` {place}", offer.name));
    }
    if spec.resources.arch.is_none()
        && let Some(note) = &offer.note
    {
        assessment.note(format!("`{}`: {note}", offer.name));
    }
}

/// A cluster that the catalogue does not have; there is no other list of clusters (paracloud.md §2).
fn unknown_cluster(spec: &JobSpec, offers: &[Offer]) -> Option<Refusal> {
    let wanted = cluster(spec)?;
    let mut known: Vec<&str> = offers
        .iter()
        .filter_map(|offer| offer.cluster.as_deref())
        .collect();
    known.sort_unstable();
    known.dedup();
    if known.is_empty() || known.contains(&wanted) {
        return None;
    }
    let field = if spec.placement.cluster.is_some() {
        "placement.cluster"
    } else {
        "placement.region"
    };
    Some(
        Refusal::new(
            RefusalCode::NoMatchingResource,
            field,
            format!("Paracloud has no cluster `{wanted}`; case counts"),
        )
        .with_kind(Kind::NotFound)
        .with_alternative(format!("one of `{}`", known.join("`, `"))),
    )
}

/// The resource fields that decide the type, as far as they are set.
fn fields(resources: &Resources) -> Vec<&'static str> {
    [
        (resources.instance_type.is_some(), "resources.instance_type"),
        (resources.gpu.is_some(), "resources.gpu"),
        (resources.cpu.is_some(), "resources.cpu"),
        (resources.memory.is_some(), "resources.memory"),
        (resources.arch.is_some(), "resources.arch"),
    ]
    .into_iter()
    .filter_map(|(set, field)| set.then_some(field))
    .collect()
}

/// The limit that is sent, in seconds: the service has none of its own.
pub(super) fn time_limit(spec: &JobSpec) -> Option<u64> {
    match spec.timeout {
        Timeout::After(seconds) => Some(seconds),
        Timeout::Unset | Timeout::Unlimited => None,
    }
}
