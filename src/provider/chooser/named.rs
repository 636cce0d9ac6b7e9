//! A type that the user names: `ID`, `CLUSTER/ID`, or the provider's own name (cli.md §10, "Records").

use std::collections::BTreeSet;

use crate::error::Kind;
use crate::model::{Offer, Refusal, RefusalCode};
use crate::spec::hint::nearest_several;

use super::{is_in_cluster, not_found};

const FIELD: &str = "resources.instance_type";

/// The offers a name means; more than one only if they differ in neither cluster nor id.
pub(super) fn find<'a>(
    offers: &[&'a Offer],
    name: &str,
    cluster: Option<&str>,
) -> Result<Vec<&'a Offer>, Refusal> {
    let everywhere = meant(offers, name);
    if everywhere.is_empty() {
        return Err(unknown(offers, name));
    }
    let here: Vec<&Offer> = everywhere
        .iter()
        .copied()
        .filter(|offer| is_in_cluster(offer, cluster))
        .collect();
    let full_names: BTreeSet<String> = here.iter().map(|offer| full_name(offer)).collect();
    match (full_names.len(), cluster) {
        (0, _) => {
            let elsewhere: BTreeSet<String> =
                everywhere.iter().map(|offer| full_name(offer)).collect();
            Err(Refusal::new(
                RefusalCode::UnsupportedValue,
                FIELD,
                format!(
                    "the type `{name}` exists, but not in the cluster `{}`",
                    cluster.unwrap_or_default()
                ),
            )
            .with_kind(Kind::Spec)
            .with_alternative(format!("it is offered as {}", list(&elsewhere))))
        }
        (1, _) => Ok(here),
        (_, _) => Err(Refusal::new(
            RefusalCode::UnsupportedValue,
            FIELD,
            format!(
                "the type `{name}` is ambiguous: it may be {}",
                list(&full_names)
            ),
        )
        .with_kind(Kind::Spec)
        .with_alternative(format!(
            "name one in full, such as `{}`, or choose a cluster",
            full_names.first().map_or("", String::as_str)
        ))
        .with_candidates(full_names)),
    }
}

/// The first way of reading the name that means anything: an id, a cluster with an id, the provider's name, a part.
fn meant<'a>(offers: &[&'a Offer], name: &str) -> Vec<&'a Offer> {
    let readings: [&dyn Fn(&Offer) -> bool; 4] = [
        &|offer| offer.id == name,
        &|offer| full_name(offer) == name,
        &|offer| offer.name == name,
        // `Standard_…` for `NODEARRAY/Standard_…`, `DEVICE` for `DEVICE@REGION`.
        &|offer| {
            let device = offer.id.rsplit_once('@').map(|(device, _)| device);
            let machine = offer.id.rsplit_once('/').map(|(_, machine)| machine);
            device == Some(name) || machine == Some(name)
        },
    ];
    readings
        .iter()
        .map(|means| {
            offers
                .iter()
                .copied()
                .filter(|offer| means(offer))
                .collect()
        })
        .find(|found: &Vec<&Offer>| !found.is_empty())
        .unwrap_or_default()
}

/// `CLUSTER/ID` where a cluster is known.
pub(super) fn full_name(offer: &Offer) -> String {
    match &offer.cluster {
        Some(cluster) => format!("{cluster}/{}", offer.id),
        None => offer.id.clone(),
    }
}

fn unknown(offers: &[&Offer], name: &str) -> Refusal {
    let refusal = not_found(FIELD, format!("there is no type `{name}`"));
    let ids: BTreeSet<&str> = offers.iter().map(|offer| offer.id.as_str()).collect();
    let near = nearest_several(name, ids.iter().copied(), 5);
    if near.is_empty() {
        refusal.with_alternative("`gpujob types` lists what there is")
    } else {
        let near = near.iter().map(|id| (*id).to_owned()).collect();
        refusal.with_alternative(format!("similar types are {}", list(&near)))
    }
}

fn list(names: &BTreeSet<String>) -> String {
    let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    names.join(", ")
}
