//! The planner: a spec and a look at the account to one create, or to all refusals (paracloud.md §4, §9.2).
//!
//! Pure. Never stops at the first refusal, never drops a field, never sends a member that the vendor does not document.

mod fields;
mod network;
mod place;
mod program;
mod storage;

use crate::error::Kind;
use crate::model::{Backend, FieldReport, Level, Offer, Refusal, RefusalCode};
use crate::provider::money::Extent;
use crate::provider::{Assessment, Plan, PlanInput, PlanRefusal, Policy, Survey};
use crate::spec::JobSpec;

use super::ids;
use super::options::Options;
use super::routes::{ANY_CLUSTER, Routes};
use super::wire;

/// Plans jobs for one configured provider.
#[derive(Debug, Clone, Copy)]
pub(super) struct Planner<'a> {
    pub(super) provider: &'a str,
    /// The configured namespace.
    pub(super) namespace: Option<&'a str>,
    pub(super) routes: &'a Routes,
}

/// Where the job goes, as far as configuration and spec tell.
#[derive(Debug, Clone, Copy)]
struct Home<'a> {
    provider: &'a str,
    namespace: Option<&'a str>,
    cluster: Option<&'a str>,
}

impl Planner<'_> {
    /// What the spec alone shows.
    pub(super) fn assess(&self, spec: &JobSpec, policy: Policy) -> Assessment {
        let mut assessment = Assessment::default();
        let (options, refusals) = Options::read(spec);
        for refusal in refusals {
            assessment.refuse(refusal);
        }
        let home = self.home(spec);
        assess_placement(spec, &mut assessment);
        network::assess(spec, &mut assessment);
        network::assess_labels(spec, home.namespace, home.cluster, &mut assessment);
        program::assess(spec, &options, policy, &mut assessment);
        place::assess(spec, &mut assessment);
        storage::assess(spec, &home, &mut assessment);
        fields::assess(spec, policy, &mut assessment);
        assessment
    }

    /// The create, or all refusals: those of the spec and those of the look.
    pub(super) fn plan(&self, input: &PlanInput<'_>, survey: &Survey) -> Result<Plan, PlanRefusal> {
        let spec = input.spec;
        let mut assessment = self.assess(spec, *input.policy);
        let home = self.home(spec);
        if input.policy.allow_secret_exposure {
            program::assess_secret_values(spec, input.secrets, &mut assessment);
        }
        let namespace = survey
            .namespace
            .as_ref()
            .map(|namespace| namespace.id.as_str());
        if namespace.is_none() {
            assessment.refuse(no_namespace());
        }
        let volume_cluster = storage::assess_volumes(
            spec,
            &home,
            namespace.unwrap_or_default(),
            &survey.volumes,
            &mut assessment,
        );
        let wanted_cluster = home.cluster.or(volume_cluster.as_deref());
        let choice = place::choose(spec, wanted_cluster, survey, &mut assessment);
        let cluster = wanted_cluster
            .map(str::to_owned)
            .or_else(|| choice.as_ref().and_then(|offer| offer.cluster.clone()));
        network::assess_labels(spec, namespace, cluster.as_deref(), &mut assessment);
        let (Some(namespace), Some(offer)) = (namespace, choice) else {
            return Err(PlanRefusal { assessment });
        };
        if !assessment.refusals.is_empty() {
            return Err(PlanRefusal { assessment });
        }
        // The wildcard is left for a catalogue that does not tell the cluster; mounts always tell it (§2.2).
        let path_cluster = cluster.as_deref().unwrap_or(ANY_CLUSTER);
        let request =
            match self
                .routes
                .create_group(namespace, path_cluster, &body(input, &home, &offer))
            {
                Ok(request) => request,
                Err(error) => {
                    assessment.refuse(
                        Refusal::new(RefusalCode::UnsupportedValue, "command", error.to_string())
                            .with_kind(Kind::Internal),
                    );
                    return Err(PlanRefusal { assessment });
                }
            };
        Ok(Plan {
            provider: self.provider.to_owned(),
            backend: Backend::Paracloud,
            marker: input.marker.clone(),
            scope: scope(namespace),
            offer: Some(offer),
            assessment,
            uploads: Vec::new(),
            requests: vec![request],
            secrets: spec
                .secrets
                .iter()
                .filter_map(|name| input.secrets.get(name).cloned())
                .collect(),
            time_limit_s: place::time_limit(spec),
            nodes: 1,
            extent: Extent::of(spec),
        })
    }

    fn home<'b>(&'b self, spec: &'b JobSpec) -> Home<'b> {
        Home {
            provider: self.provider,
            namespace: spec.placement.namespace.as_deref().or(self.namespace),
            cluster: place::cluster(spec),
        }
    }
}

/// Nothing but documented members (paracloud.md §3.4).
fn body(input: &PlanInput<'_>, home: &Home<'_>, offer: &Offer) -> wire::CreateGroup {
    let spec = input.spec;
    wire::CreateGroup {
        instance_type: offer.name.clone(),
        containers: vec![wire::CreateContainer {
            name: network::container_name(spec, input.marker),
            image: spec.image.clone().unwrap_or_default(),
            command: program::words(spec, input.secrets),
            ports: network::ports(spec),
            mounts: storage::mounts(spec, home),
        }],
    }
}

fn no_namespace() -> Refusal {
    Refusal::new(
        RefusalCode::MissingField,
        "placement.namespace",
        "no namespace is chosen",
    )
    .with_kind(Kind::Config)
    .with_alternative("set `namespace` in the configuration or `placement.namespace`")
}

/// Where a marker is looked up: the same text on every machine.
pub(super) fn scope(namespace: &str) -> String {
    format!("{}/{namespace}", Backend::Paracloud)
}

/// The namespace of a scope.
pub(super) fn namespace_of(scope: &str) -> Option<&str> {
    scope
        .strip_prefix(Backend::Paracloud.as_str())?
        .strip_prefix('/')
        .filter(|namespace| !namespace.is_empty())
}

/// Ids of the spec go into the path: they are checked, never corrected.
fn assess_placement(spec: &JobSpec, assessment: &mut Assessment) {
    let placement = &spec.placement;
    let fields = [
        (
            "placement.namespace",
            &placement.namespace,
            "the namespace in the path",
        ),
        (
            "placement.cluster",
            &placement.cluster,
            "the cluster in the path",
        ),
        (
            "placement.region",
            &placement.region,
            "the cluster in the path: Paracloud has no other regions",
        ),
    ];
    for (field, value, how) in fields {
        let Some(value) = value else { continue };
        match ids::problem(value) {
            None => assessment.native(field, how),
            Some(problem) => assessment.refuse(
                Refusal::new(
                    RefusalCode::UnsupportedValue,
                    field,
                    format!("`{field}` is `{}`, which {problem}", value.escape_debug()),
                )
                .with_alternative("leave it out, or take one that `gpujob namespaces list` or `gpujob types` shows"),
            ),
        }
    }
    if let (Some(cluster), Some(region)) = (&placement.cluster, &placement.region)
        && cluster != region
    {
        refuse_once(
            assessment,
            Refusal::new(
                RefusalCode::ConflictingFields,
                "placement.region",
                format!("both name a cluster on Paracloud: `placement.cluster` is `{cluster}`, `placement.region` is `{region}`"),
            )
            .with_alternative("leave `placement.region` out"),
        );
    }
}

/// Refuses a field whose level was noted already, and nothing that was refused already.
fn refuse_once(assessment: &mut Assessment, refusal: Refusal) {
    let known = assessment
        .refusals
        .iter()
        .any(|known| known.code == refusal.code && known.field == refusal.field);
    if !known {
        assessment
            .report
            .retain(|line| line.field != refusal.field || line.level == Level::Refused);
        assessment.refuse(refusal);
    }
}

/// Says better what became of a field that was noted already.
fn refine(assessment: &mut Assessment, field: &str, how: String) {
    match assessment
        .report
        .iter_mut()
        .find(|line| line.field == field && line.level == Level::Native)
    {
        Some(line) => line.how = how,
        None => assessment
            .report
            .push(FieldReport::new(field, Level::Native, how)),
    }
}

#[cfg(test)]
mod tests;
