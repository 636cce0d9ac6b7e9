//! Where the nodes come from: cluster, nodearray, bucket (cyclecloud.md §6.2, §9, §12).
//!
//! Pure. Refuses what the server would accept and never deliver: a stopped cluster, an invalid bucket, more nodes than
//! the quota has room for, more than one placement group holds.

use crate::error::Kind;
use crate::model::{Offer, Refusal, RefusalCode};
use crate::provider::{Assessment, Policy, Survey, chooser};
use crate::spec::{JobSpec, Resources, hint};

use super::super::fields::shown;
use super::super::offers;
use super::super::status::{Bucket, ClusterStatus, NodeArray};
use super::Account;

/// What a submit runs on.
#[derive(Debug, Clone)]
pub(super) struct Place {
    pub(super) nodearray: String,
    pub(super) offer: Offer,
    pub(super) bucket: Bucket,
    /// Nodes that talk over InfiniBand stand in one group.
    pub(super) needs_group: bool,
    /// The array's nodes are interruptible already.
    pub(super) is_spot: bool,
    /// Nodes of the array in use now.
    pub(super) active: u64,
}

/// The cluster of a job.
pub(super) fn cluster(account: &Account<'_>, spec: &JobSpec) -> Option<String> {
    spec.placement
        .cluster
        .as_deref()
        .or(account.cluster)
        .filter(|cluster| !cluster.is_empty())
        .map(str::to_owned)
}

/// What the spec alone shows.
pub(super) fn assess(account: &Account<'_>, spec: &JobSpec, assessment: &mut Assessment) {
    if cluster(account, spec).is_none() {
        assessment.refuse(
            Refusal::new(
                RefusalCode::MissingField,
                "placement.cluster",
                "no cluster is chosen, and the API does not list them",
            )
            .with_kind(Kind::Config)
            .with_alternative("set `cluster` in the configuration, or `placement.cluster`"),
        );
    } else if spec.placement.cluster.is_some() {
        assessment.native("placement.cluster", "the cluster in the path");
    }
    if spec.placement.queue.is_some() {
        assessment.native("placement.queue", "`sets[].nodearray`");
    }
    if spec.nodes.is_some() {
        assessment.native("nodes", "`sets[].count`");
    }
    if spec.resources.is_empty() {
        assessment.refuse(
            Refusal::new(
                RefusalCode::MissingField,
                "resources",
                "the job says nothing about what it needs",
            )
            .with_alternative(
                "name a GPU (`resources.gpu`), a type (`resources.instance_type`), or cores (`resources.cpu`) for a machine without GPU",
            ),
        );
    }
    for (is_set, path, how) in [
        (
            spec.resources.instance_type.is_some(),
            "resources.instance_type",
            "the bucket's `definition`",
        ),
        (
            spec.resources.gpu.is_some(),
            "resources.gpu",
            "chooses the bucket",
        ),
        (
            spec.resources.cpu.is_some(),
            "resources.cpu",
            "chooses the bucket",
        ),
        (
            spec.resources.memory.is_some(),
            "resources.memory",
            "chooses the bucket",
        ),
        (
            spec.resources.arch.is_some(),
            "resources.arch",
            "chooses the bucket",
        ),
    ] {
        if is_set {
            assessment.native(path, how);
        }
    }
    match spec.spot {
        None => {}
        Some(spot) if spot.max_discount.is_some() => assessment.refuse(
            Refusal::new(
                RefusalCode::UnsupportedValue,
                "spot.max_discount",
                "CycleCloud tells no discount to compare with",
            )
            .with_alternative("`spot: true`; a price in USD an hour can be given as `node_attributes: { MaxPrice: … }`"),
        ),
        Some(_) => assessment.native("spot", "`nodeAttributes.Interruptible`"),
    }
}

/// The bucket, or every reason against it.
pub(super) fn choose(
    account: &Account<'_>,
    spec: &JobSpec,
    policy: Policy,
    survey: &Survey,
    assessment: &mut Assessment,
) -> Option<Place> {
    let cluster = cluster(account, spec)?;
    let status = survey
        .namespace
        .as_ref()
        .map(|namespace| ClusterStatus::read(&namespace.raw))
        .unwrap_or_default();
    refuse_stopped(&cluster, &status, assessment);
    let array = match nodearray(account, spec, &status) {
        Ok(array) => array,
        Err(refusal) => {
            assessment.refuse(refusal);
            return None;
        }
    };
    if spec.resources.is_empty() {
        return None;
    }
    let offer = match offer(spec, policy, survey, array, &cluster, assessment) {
        Ok(offer) => offer,
        Err(refusal) => {
            assessment.refuse(refusal);
            return None;
        }
    };
    let bucket = offers::bucket(&offer)?;
    let needs_group = nodes(spec) > 1 && offer.infiniband == Some(true);
    let place = Place {
        nodearray: array.name.clone(),
        is_spot: array.is_spot(),
        active: array.active_count(),
        needs_group,
        offer,
        bucket,
    };
    check_group(spec, &place, assessment);
    if place.is_spot && spec.spot.is_none() {
        assessment.note(format!(
            "nodes of `{}` are interruptible: they may be taken away while the job runs",
            place.nodearray
        ));
    }
    assessment.note(format!(
        "runs on {} × `{}` in the cluster `{cluster}`",
        nodes(spec),
        place.offer.id
    ));
    Some(place)
}

/// Nodes that are wanted.
pub(super) fn nodes(spec: &JobSpec) -> u32 {
    spec.nodes.unwrap_or(1).max(1)
}

/// A cluster that is not started takes a create and never starts a node (§6.2).
fn refuse_stopped(cluster: &str, status: &ClusterStatus, assessment: &mut Assessment) {
    if status.is_started() {
        return;
    }
    let state = match (&status.state, &status.target_state) {
        (Some(state), Some(target)) if state != target => {
            format!("is `{}` on its way to `{}`", shown(state), shown(target))
        }
        (Some(state), _) | (None, Some(state)) => format!("is `{}`", shown(state)),
        (None, None) => "was never started".to_owned(),
    };
    assessment.refuse(
        Refusal::new(
            RefusalCode::Capacity,
            "placement.cluster",
            format!("the cluster `{cluster}` {state}"),
        )
        .with_kind(Kind::Rejected)
        .with_alternative(format!(
            "start it with `cyclecloud start_cluster {cluster}`"
        )),
    );
}

/// The array that is named by the job, by its type or by the configuration, else the only one.
fn nodearray<'a>(
    account: &Account<'_>,
    spec: &JobSpec,
    status: &'a ClusterStatus,
) -> Result<&'a NodeArray, Refusal> {
    let of_type = spec
        .resources
        .instance_type
        .as_deref()
        .and_then(|name| name.rsplit_once('/'))
        .map(|(array, _)| array.rsplit_once('/').map_or(array, |(_, array)| array));
    let asked = spec.placement.queue.as_deref();
    if let (Some(asked), Some(of_type)) = (asked, of_type)
        && asked != of_type
    {
        return Err(Refusal::new(
            RefusalCode::ConflictingFields,
            "placement.queue",
            format!(
                "the type is one of the nodearray `{of_type}`, and `placement.queue` is `{asked}`"
            ),
        )
        .with_alternative("name one nodearray"));
    }
    let names: Vec<&str> = status
        .nodearrays
        .iter()
        .map(|array| array.name.as_str())
        .collect();
    let Some(name) = asked.or(of_type).or(account.nodearray) else {
        return match status.nodearrays.as_slice() {
            [only] => Ok(only),
            [] => Err(Refusal::new(
                RefusalCode::NoMatchingResource,
                "placement.queue",
                "the cluster has no nodearray",
            )),
            [_, _, ..] => Err(Refusal::new(
                RefusalCode::MissingField,
                "placement.queue",
                format!(
                    "the cluster has several nodearrays, and none is chosen: `{}`",
                    names.join("`, `")
                ),
            )
            .with_alternative("set `nodearray` in the configuration, or `placement.queue`")),
        };
    };
    status.nodearray(name).ok_or_else(|| {
        let near = hint::nearest(name, names.iter().copied());
        Refusal::new(
            RefusalCode::NoMatchingResource,
            "placement.queue",
            format!("there is no nodearray `{name}`"),
        )
        .with_kind(Kind::NotFound)
        .with_alternative(near.map_or_else(
            || format!("the nodearrays are `{}`", names.join("`, `")),
            |near| format!("did you mean `{near}`"),
        ))
    })
}

/// The chooser over the array's buckets, with stock counted for this many nodes.
fn offer(
    spec: &JobSpec,
    policy: Policy,
    survey: &Survey,
    array: &NodeArray,
    cluster: &str,
    assessment: &mut Assessment,
) -> Result<Offer, Refusal> {
    let wanted = u64::from(if policy.allow_partial { 1 } else { nodes(spec) });
    let resources = spelled_like_the_catalogue(&spec.resources, &survey.offers);
    let here: Vec<&Offer> = survey
        .offers
        .iter()
        .filter(|offer| offer.queue.as_deref() == Some(array.name.as_str()))
        .collect();
    let seen = |can_start: &dyn Fn(&Bucket) -> bool| -> Vec<Offer> {
        here.iter()
            .map(|offer| Offer {
                available: offers::bucket(offer).map(|bucket| can_start(&bucket)),
                ..(*offer).clone()
            })
            .collect()
    };
    let has_room = |bucket: &Bucket| {
        bucket.valid
            && bucket
                .available_count
                .is_none_or(|available| available >= wanted)
    };
    let candidates = seen(&has_room);
    let refusal = match chooser::choose(&candidates, &resources, Some(cluster)) {
        Ok(choice) => {
            if let Some(note) = choice.sizes_note {
                assessment.note(note);
            }
            let id = choice.offer.id.clone();
            return here
                .iter()
                .find(|offer| {
                    offer.id == id && offers::bucket(offer).is_some_and(|bucket| has_room(&bucket))
                })
                .map(|offer| (*offer).clone())
                .ok_or(Refusal::new(
                    RefusalCode::NoMatchingResource,
                    "resources",
                    format!("`{id}` is gone from the catalogue"),
                ));
        }
        Err(refusal) => refusal,
    };
    Err(match refusal.code {
        RefusalCode::Capacity => {
            let everything = seen(&|_| true);
            match chooser::choose(&everything, &resources, Some(cluster)) {
                Ok(choice) => {
                    let matching: Vec<&Offer> = std::iter::once(choice.offer)
                        .chain(choice.alternatives)
                        .collect();
                    no_room(&matching, wanted, refusal.field)
                }
                Err(_) => refusal,
            }
        }
        RefusalCode::UnsupportedField
        | RefusalCode::UnsupportedValue
        | RefusalCode::ConflictingFields
        | RefusalCode::MissingField
        | RefusalCode::NoMatchingResource
        | RefusalCode::VolumeMismatch
        | RefusalCode::SecretExposure
        | RefusalCode::EmulationDisabled => not_here(refusal, &resources, &survey.offers, array),
    })
}

/// Nothing of the array matches: it may have no buckets at all, or the type may be one of another array.
fn not_here(
    refusal: Refusal,
    resources: &Resources,
    offers: &[Offer],
    array: &NodeArray,
) -> Refusal {
    if array.buckets.is_empty() {
        return Refusal::new(
            RefusalCode::NoMatchingResource,
            refusal.field,
            format!(
                "the nodearray `{}` tells no buckets, which happens after trouble with quotas; its machine types are `{}`",
                array.name,
                array.machine_types().join("`, `")
            ),
        )
        .with_alternative("try again in some minutes, or restart the cluster");
    }
    let elsewhere = resources
        .instance_type
        .as_deref()
        .filter(|_| refusal.kind == Kind::NotFound)
        .and_then(|name| {
            offers
                .iter()
                .find(|offer| offer.name == name || offer.id == name)
        });
    match elsewhere {
        Some(elsewhere) => Refusal::new(
            RefusalCode::UnsupportedValue,
            refusal.field,
            format!(
                "the type `{}` exists, but not in the nodearray `{}`",
                elsewhere.name, array.name
            ),
        )
        .with_alternative(format!("it is offered as `{}`", elsewhere.id)),
        None => refusal,
    }
}

/// Machine types compare without regard to case (§6.1); the catalogue's spelling is what is sent.
fn spelled_like_the_catalogue(resources: &Resources, offers: &[Offer]) -> Resources {
    let Some(name) = &resources.instance_type else {
        return resources.clone();
    };
    let spelled = offers.iter().find_map(|offer| {
        [&offer.name, &offer.id]
            .into_iter()
            .find(|known| known.eq_ignore_ascii_case(name))
    });
    Resources {
        instance_type: Some(spelled.unwrap_or(name).clone()),
        ..resources.clone()
    }
}

/// Matching, and not to be had: with the figures, since the server itself says nothing (§12, "silent quota").
fn no_room(matching: &[&Offer], wanted: u64, path: String) -> Refusal {
    let told: Vec<String> = matching
        .iter()
        .take(5)
        .filter_map(|offer| {
            let bucket = offers::bucket(offer)?;
            Some(if bucket.valid {
                format!("`{}`: {wanted} wanted, {}", offer.id, bucket.figures())
            } else {
                let reason = bucket.invalid_reason.as_deref().unwrap_or("not valid");
                format!("`{}` takes no new nodes: {}", offer.id, shown(reason))
            })
        })
        .collect();
    Refusal::new(RefusalCode::Capacity, path, told.join("; ")).with_alternative(
        "try again later, ask for fewer nodes or another type, or raise the quota",
    )
}

/// Nodes that talk over InfiniBand must fit into one placement group (§9).
fn check_group(spec: &JobSpec, place: &Place, assessment: &mut Assessment) {
    if !place.needs_group {
        return;
    }
    if let Some(limit) = place.bucket.max_placement_group_size
        && u64::from(nodes(spec)) > limit
    {
        assessment.refuse(
            Refusal::new(
                RefusalCode::UnsupportedValue,
                "nodes",
                format!(
                    "`{}` has {limit} nodes at most in one placement group, and {} are wanted",
                    place.offer.id,
                    nodes(spec)
                ),
            )
            .with_alternative(format!("ask for {limit} nodes at most")),
        );
    }
    if spec.spot.is_some() || place.is_spot {
        assessment.refuse(
            Refusal::new(
                RefusalCode::ConflictingFields,
                "spot",
                "interruptible nodes are not placed in one group, which several nodes on InfiniBand need",
            )
            .with_alternative("leave `spot` out, take one node, or take a type without InfiniBand"),
        );
    }
}
